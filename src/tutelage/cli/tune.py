"""`tutelage tune`: words to a recipe, the run, and how to go on after an interruption."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tutelage.errors import UserError

RECIPE_ENDINGS = (".yaml", ".yml", ".json")


def tune(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECIPE.yaml] key=value…", help="A recipe file, keys with values, or both.", show_default=False
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object a line, for machines.")] = False,
    keys: Annotated[bool, typer.Option("--keys", help="List every key with its default and meaning.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the rows, load the model, tell the plan and its cost, and stop.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Tune a model on rows of instructions, or pretrain it.

    tutelage tune model=Qwen/Qwen3-0.6B data=rows.jsonl output=runs/first

    Any key may follow: adapter=lora, train.learning_rate=1e-4, train.epochs=1, data.validation=0.05, stage=pretrain.
    --dry-run tells what would be trained, how long it would take and how much memory, and stops there.
    Ctrl-C saves; the same command with resume=true goes on.
    """
    from tutelage.run.recipe import load_recipe

    if keys:
        from tutelage.run.reference import plain_list

        typer.echo(plain_list(), nl=False)
        return
    path, overrides = recipe_and_overrides(words or [])
    recipe = load_recipe(path, overrides)

    from tutelage.cli.progress import shown
    from tutelage.run.events import Stopped

    try:
        with shown(json=json, log_every=recipe.train.log_every) as announce:
            if dry_run:
                from tutelage.run.tune import rehearse

                rehearse(recipe, announce)
                return
            from tutelage.run.tune import tune as run

            run(recipe, announce)
    except Stopped as stopped:
        sys.stderr.write(f"tutelage: Saved after step {stopped.step}. {_go_on(Path(stopped.path))}\n")
        raise typer.Exit(130) from None
    except KeyboardInterrupt:  # outside the loop: while starting, or while the result is written
        saved = any(recipe.output.glob("checkpoints/step-*"))
        told = _go_on(recipe.output) if saved else "Nothing was there to save."
        sys.stderr.write(f"tutelage: Interrupted. {told}\n")
        raise typer.Exit(130) from None


def _go_on(output: Path) -> str:
    return f"Go on with: tutelage tune {shlex.quote(str(output / 'recipe.yaml'))} resume=true"


def recipe_and_overrides(words: Sequence[str]) -> tuple[Path | None, list[str]]:
    """Which word is the recipe file (one that exists, or is called like one), and the others.

    Raises:
        UserError: two of them are.
    """
    files = [word for word in words if not word.startswith("-") and _is_recipe(word)]
    if len(files) > 1:
        raise UserError(f"{files[0]} and {files[1]} are two recipes: give one, and key=value for what differs.")
    overrides = [word for word in words if word not in files]
    return (Path(files[0]) if files else None), overrides


def _is_recipe(word: str) -> bool:
    if "=" in word:
        return Path(word).is_file()
    return word.endswith(RECIPE_ENDINGS) or Path(word).exists()
