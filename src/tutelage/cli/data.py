"""`tutelage data`: what a run would train on, token by token, and how many of its rows are good."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tutelage.cli.data_views import LOUD, legend, previewed, reported, row_line
from tutelage.cli.terminal import console, put, text
from tutelage.errors import UserError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tutelage.run.recipe import Recipe

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE… model=MODEL key=value…",
        help="Files, tasks (rte, cluster:inference), or a recipe; then keys of a recipe with their values.",
        show_default=False,
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

RECIPES = (".yaml", ".yml")
TEMPLATES = re.compile(r"^templates\s*:", re.MULTILINE)


def inspect(
    words: Words = None,
    rows: Annotated[int, typer.Option(min=1, help="So many rows, from the first.")] = 3,
    row: Annotated[int | None, typer.Option(min=1, help="This one alone, counted from 1 as they are shown.")] = None,
    table: Annotated[bool, typer.Option("--table", help="A line a token, as outside a terminal.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a row and line, for machines.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write them as a page in colour.")] = None,
    debug: Debug = False,
) -> None:
    """Rows token by token, as a run has them: whose words each token is of, and whether it is learnt.

    tutelage data inspect rows.jsonl model=Qwen/Qwen3-0.6B

    tutelage data inspect rte,cb model=Qwen/Qwen3-0.6B data.mixture.data_root=data data.mixture.shots=2
    """
    if html is not None and html.exists():
        raise UserError(f"{html} is there already: name another file, or delete it")
    recipe = _recipe(words or [])

    from tutelage.run.preview import Preview

    preview = Preview(recipe)
    seen = preview.rows()
    wanted = islice(seen, rows) if row is None else islice(seen, row - 1, row)
    screen = console()
    flowing = (screen.is_terminal or html is not None) and not table
    paper: list[RenderableType] = []
    shown = 0
    for shown, one in enumerate(wanted, start=1):
        if json:
            sys.stdout.write(row_line(one, preview.tokenizer))
            continue
        parts: list[RenderableType] = []
        if shown == 1:
            parts += [*(text(notice, LOUD) for notice in preview.notices), *([legend()] if flowing else [])]
        parts += previewed(one, preview.tokenizer, flowing=flowing)
        if html is None:
            put(screen, *parts)
        paper += parts
    if not shown:
        raise UserError(f"there is no row {row}" if row else "there is no row")
    if html is not None and not json:
        from tutelage.cli.page import page

        try:
            html.write_text(page(f"What {recipe.model} would learn", paper), "utf-8")
        except OSError as error:
            raise UserError(f"{html} can't be written: {error.strerror}") from None
        typer.echo(f"{shown} rows are in {html}")


def check(
    words: Words = None,
    quarantine: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the rows that are not used, and why, as .jsonl.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="data_report.json as a run would write it.")] = False,
    debug: Debug = False,
) -> None:
    """How many rows are kept, cut, dropped and bad, and why. Ends with exit code 2 where a run would refuse them.

    tutelage data check rows.jsonl more.jsonl model=Qwen/Qwen3-0.6B --quarantine bad.jsonl
    """
    recipe = _recipe(words or [])

    from tutelage.run.preview import Preview

    if quarantine is not None and quarantine.exists():
        raise UserError(f"{quarantine} is there already: name another file, or delete it")
    preview = Preview(recipe)
    report, ledger = preview.report(quarantine)
    if json:
        import orjson

        sys.stdout.write(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        put(console(), *(text(notice, LOUD) for notice in preview.notices), *reported(report, ledger))
    if ledger.refusal is not None:
        raise ledger.refusal
    if not report["total"]["supervised_tokens"]:
        raise UserError("no token of the data is supervised, so there is nothing to learn; look at objective.train_on")


def _recipe(words: Sequence[str]) -> Recipe:
    """The recipe that a source and `key=value` words make; nothing is ever written to its output.

    Raises:
        UserError: as `load_recipe`, or no source is named, or a recipe and other sources.
    """
    from tutelage.run.recipe import load_recipe

    sources = [word for word in words if not word.startswith("-") and ("=" not in word or Path(word).is_file())]
    overrides = ["output=.", *(word for word in words if word not in sources)]
    recipes = [word for word in sources if word.endswith(RECIPES) and not _is_task(Path(word))]
    if recipes:
        if len(sources) > 1:
            raise UserError(
                f"{recipes[0]} is a recipe, which says what is read: leave {_other(sources, recipes[0])} out"
            )
        return load_recipe(Path(recipes[0]), overrides)
    if not sources and not any(word.startswith("data") for word in overrides):
        raise UserError("name what is to be read: tutelage data inspect rows.jsonl model=MODEL, for one")
    named = [f"data.sources.{place}.path={word}" for place, word in enumerate(sources)]
    return load_recipe(None, [*named, *overrides])


def _other(words: Sequence[str], one: str) -> str:
    return next((word for word in words if word != one), one)


def _is_task(path: Path) -> bool:
    """Whether a YAML file declares a task, ours or promptsource's: it has templates."""
    if not path.is_file():
        return False
    return TEMPLATES.search(path.read_text("utf-8", errors="replace")) is not None
