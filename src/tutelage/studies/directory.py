"""The folder of a study: its recipe, what became of each step, and who may write there.

recipe.yaml, steps.json, runs/, and the results: study.json, table.csv, table.md, table.tex, plots/, report.html
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson

from tutelage.errors import UserError
from tutelage.run.files import PARTIAL, json_bytes, told_in_words, write_atomically
from tutelage.run.recipe import flat_values, load_settings, recipe_text
from tutelage.studies.settings import StudySettings
from tutelage.studies.steps import RUNS

RECIPE, STEPS = "recipe.yaml", "steps.json"
FIGURES, PAGE, PLOTS = "study.json", "report.html", "plots"
TABLES = ("table.csv", "table.md", "table.tex")
OWN = (RECIPE, STEPS, FIGURES, PAGE, PLOTS, *TABLES, RUNS)
# Keys that change no figure.
FREE_KEYS = frozenset({"resume", "overwrite", "output", "keep_models"})
FINISHED, FAILED, LEFT_OUT, INTERRUPTED = "finished", "failed", "left out", "interrupted"

S = TypeVar("S", bound=StudySettings)


@dataclass(frozen=True)
class Outcome:
    """What became of a step. seconds: all that were spent on it. fault: the traceback, where the fault was ours."""

    status: str
    seconds: float = 0.0
    sentence: str | None = None
    fault: str | None = None


class StudyDirectory:
    """The names of what lies in a study's folder, and the writing of its small files."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist before `prepare`."""
        self.path = path
        self.recipe = path / RECIPE
        self.steps = path / STEPS
        self.figures = path / FIGURES
        self.page = path / PAGE
        self.plots = path / PLOTS

    def prepare(self, recipe: StudySettings) -> None:
        """Makes the folder ready, with recipe.yaml in it, every default written out.

        Raises:
            UserError: the folder holds a study and neither resume nor overwrite is said, holds what is no part of one,
                or another recipe made it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"output={self.path} is a file: name a folder")
        with told_in_words(self.path):
            names = {entry.name for entry in self.path.iterdir()} if self.path.exists() else set()
        held = sorted(names - {RECIPE + PARTIAL})  # a study killed before it began
        foreign = [name for name in held if name.removesuffix(PARTIAL) not in OWN]
        if foreign:
            raise UserError(f"output={self.path} holds {foreign[0]}, which is no part of a study: name another folder")
        if recipe.resume and held:
            self._refuse_other(recipe)
        elif held not in ([], [RECIPE]) and not recipe.overwrite:
            raise UserError(
                f"output={self.path} holds a study: go on with it by resume=true, replace it by overwrite=true, or "
                "name another folder"
            )
        elif held:
            self._clear(recipe, held)
        with told_in_words(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        kept = recipe.model_copy(update={"resume": False, "overwrite": False})
        head = "# Every setting of this study. Again: tutelage study THIS_FILE output=ANOTHER_FOLDER\n"
        write_atomically(self.recipe, (head + recipe_text(kept)).encode())

    def outcomes(self) -> dict[str, Outcome]:
        """What became of the steps so far, by name."""
        if not self.steps.exists():
            return {}
        return {name: Outcome(**one) for name, one in orjson.loads(self.steps.read_bytes()).items()}

    def write_outcomes(self, outcomes: Mapping[str, Outcome]) -> None:
        """steps.json."""
        write_atomically(self.steps, json_bytes({name: asdict(one) for name, one in outcomes.items()}))

    def _refuse_other(self, recipe: StudySettings) -> None:
        if not self.recipe.is_file():
            raise UserError(
                f"output={self.path} has no recipe.yaml, so it is no study to go on with: say overwrite=true"
            )
        then = flat_values(load_settings(type(recipe), self.recipe))
        now = flat_values(recipe)
        for key in sorted({*then, *now} - FREE_KEYS):
            if then.get(key) != now.get(key):
                raise UserError(
                    f"the study in {self.path} has {key}={_shown(then.get(key))}, not {_shown(now.get(key))}: go on "
                    "with the same recipe, or name another output"
                )

    def _clear(self, recipe: StudySettings, held: list[str]) -> None:
        """Deletes a study, and nothing else: all that is held is known to be part of one."""
        if RUNS in held and RECIPE not in held:
            raise UserError(
                f"output={self.path} has no recipe.yaml, so it is no study: overwrite=true deletes only those"
            )
        for key, value in flat_values(recipe).items():
            for text in value if isinstance(value, list) else [value]:
                if key != "output" and isinstance(text, str) and self._holds(text):
                    raise UserError(
                        f"overwrite=true would delete {key}={text}, which lies in output: name another output"
                    )
        with told_in_words(self.path):
            for name in sorted(held, key=lambda name: name == RECIPE):  # the recipe last: what is left is known for one
                entry = self.path / name
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()

    def _holds(self, text: str) -> bool:
        try:
            path = Path(text).expanduser()
            return path.exists() and path.resolve().is_relative_to(self.path.resolve())
        except (OSError, RuntimeError, ValueError):  # no path at all
            return False


def _shown(value: Any) -> str:
    """A value as a recipe has it."""
    if isinstance(value, list):
        return ",".join(map(_shown, value)) or "[]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
