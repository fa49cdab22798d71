"""`tutelage study`: experiments made of many runs, with one table and one report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tutelage.studies.study import Result


def study(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECIPE.yaml] key=value…", help="A recipe file, keys with values, or both.", show_default=False
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write the figures as JSON to standard output.")] = False,
    keys: Annotated[bool, typer.Option("--keys", help="List every key with its default.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Prove on held-out clusters of tasks how far the following of instructions generalises.

    tutelage study kind=holdout model=Qwen/Qwen3-0.6B-Base tasks=all data_root=FOLDER output=runs/holdout

    Useful keys: hold_out=inference,sentiment, seeds=3, limit=200, shots=5, tune.train.max_steps=500.
    Ctrl-C keeps what is done; the same command with resume=true goes on.
    """
    from tutelage.cli.tune import recipe_and_overrides
    from tutelage.studies.study import KINDS, load_study

    if keys:
        from tutelage.run.reference import plain_list

        for kind in KINDS.values():
            typer.echo(plain_list(kind.settings), nl=False)
        return
    path, overrides = recipe_and_overrides(words or [])
    recipe = load_study(path, overrides)

    from tutelage.cli.study_view import shown
    from tutelage.run.events import Stopped
    from tutelage.studies.study import study as run

    try:
        with shown() as announce:
            result = run(recipe, announce)
    except (Stopped, KeyboardInterrupt):
        sys.stderr.write(f"tutelage: Interrupted. {_go_on(recipe.output)}\n")
        raise typer.Exit(130) from None
    if json:
        typer.echo((recipe.output / "study.json").read_text("utf-8"), nl=False)
    else:
        _print(result)
    if result.code:
        for cost in result.failed:
            sys.stderr.write(f"tutelage: {cost.step.title} {cost.outcome.status}: {cost.outcome.sentence}\n")
        sys.stderr.write(f"tutelage: {_go_on(recipe.output)}\n")
        raise typer.Exit(result.code)


def _go_on(output: Path) -> str:
    if not (output / "recipe.yaml").exists():
        return "Nothing was begun yet."
    return f"What is done is kept; go on with: tutelage study {shlex.quote(str(output / 'recipe.yaml'))} resume=true"


def _print(result: Result) -> None:
    """The study's table, its answers, and where everything is."""
    from rich.table import Table

    from tutelage.cli.terminal import console, put, text

    parts: list[RenderableType] = []
    for found in result.findings.tables[:1]:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column, figure in zip(found.columns, found.figures, strict=True):
            table.add_column(column.title, justify="right" if figure else "left", overflow="fold")
        rows = found.texts(lambda mean, low, high: f"{mean}\n{low}…{high}")
        for place, row in enumerate(rows):
            closing = place >= len(rows) - found.closing
            table.add_row(*(text(cell, "bold" if closing else "") for cell in row), end_section=True)
        parts += [table, text(found.caption, "dim"), text("")]
    parts += [text(sentence) for sentence in (*result.findings.answers, *result.findings.notes)]
    put(console(), *parts)
    typer.echo(f"The report is in {result.folder / 'report.html'}, every figure in {result.folder / 'study.json'}")
