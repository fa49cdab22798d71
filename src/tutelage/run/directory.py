"""The run directory: what lies in it, when it may be written, and which recipe may continue it.

recipe.yaml, environment.json, data_report.json, quarantine.jsonl, metrics.jsonl, report.json, report.html,
checkpoints/, model/, and trackers/ where trackers are asked for.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from tutelage.errors import UserError
from tutelage.run.files import PARTIAL, json_bytes, told_in_words, write_atomically
from tutelage.run.recipe import Recipe, flat_values, read_recipe, recipe_text

FILES = (
    "recipe.yaml",
    "environment.json",
    "data_report.json",
    "quarantine.jsonl",
    "metrics.jsonl",
    "report.json",
    "report.html",
)
FOLDERS = ("checkpoints", "model", "trackers")
# Keys that don't change what is computed, only what is kept and shown of it.
FREE_KEYS = frozenset(
    {
        "train.save_every",
        "train.keep_checkpoints",
        "train.log_every",
        "train.trackers",
        "data.cache",
        "data.workers",
        "report.samples",
        "resume",
        "overwrite",
        "output",
    }
)
LENGTH_KEYS = frozenset({"train.epochs", "train.max_steps"})


class RunDirectory:
    """The names of everything in a run directory, and the writing of its small files."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist before `prepare`."""
        self.path = path
        self.recipe = path / "recipe.yaml"
        self.environment = path / "environment.json"
        self.data_report = path / "data_report.json"
        self.quarantine = path / "quarantine.jsonl"
        self.metrics = path / "metrics.jsonl"
        self.report = path / "report.json"
        self.page = path / "report.html"
        self.checkpoints = path / "checkpoints"
        self.model = path / "model"
        self.trackers = path / "trackers"

    def prepare(self, recipe: Recipe) -> bool:
        """Make the directory ready to be written, and write recipe.yaml into it; true where there is a run to continue.

        `resume` in a folder that is empty or not there starts a new run, so that one command serves a job that may be
        stopped and started again at any moment. What a run left that was refused before its first step is replaced.

        Raises:
            UserError: the folder is not empty and neither `resume` nor `overwrite` is given; or it holds what is no
                part of a run, or the run's own model or data; or a recipe made it that trains otherwise.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"output={self.path} is a file: name a folder.")
        with told_in_words(self.path):
            names = {entry.name for entry in self.path.iterdir()} if self.path.exists() else set()
        held = sorted(names - {f"recipe.yaml{PARTIAL}"})  # a run killed before it began
        continues = False
        if held and not recipe.resume and self._never_began(held):
            self._clear(recipe, held)
            held = []
        if held and recipe.resume:
            continues = self._check_resume(recipe)
        elif held and recipe.overwrite:
            self._clear(recipe, held)
        elif held:
            raise UserError(
                f"output={self.path} is not empty: continue the run in it with resume=true, start again with "
                "overwrite=true, or name another folder."
            )
        with told_in_words(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        self.write_recipe(recipe)
        return continues

    def write_recipe(self, recipe: Recipe) -> None:
        """recipe.yaml, every default written out; resume and overwrite are no part of it, and false."""
        kept = recipe.model_copy(update={"resume": False, "overwrite": False})
        head = "# Every setting of this run. Again: tutelage tune THIS_FILE output=ANOTHER_FOLDER\n"
        write_atomically(self.recipe, (head + recipe_text(kept)).encode())

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        """environment.json, as `environment.describe` gives it."""
        write_atomically(self.environment, json_bytes(environment))

    def write_data_report(self, report: Mapping[str, Any]) -> None:
        """data_report.json, as `data` gives it."""
        write_atomically(self.data_report, json_bytes(report))

    def add_epoch(self, epoch: Mapping[str, Any]) -> None:
        """A later epoch of a mixture, into data_report.json; a resumed run may have told of it before."""
        report = self.read_data_report()
        others = [one for one in report.get("later_epochs", []) if one["epoch"] != epoch["epoch"]]
        ordered = sorted([*others, epoch], key=lambda one: int(one["epoch"]))
        self.write_data_report(report | {"later_epochs": ordered})

    def read_data_report(self) -> dict[str, Any]:
        """data_report.json, or nothing where there is none."""
        report: dict[str, Any] = orjson.loads(self.data_report.read_bytes()) if self.data_report.exists() else {}
        return report

    def _check_resume(self, recipe: Recipe) -> bool:
        if not self.recipe.exists():
            raise UserError(f"output={self.path} holds no run to resume (it has no recipe.yaml): name a run's folder.")
        differing = differences(read_recipe(self.recipe), recipe)
        if differing:
            told = ", ".join(f"{key} was {then} and is {now}" for key, (then, now) in list(differing.items())[:4])
            advice = "give the old values, or another output."
            raise UserError(f"The run in {self.path} can't be resumed with another recipe ({told}): {advice}")
        return True

    def _never_began(self, held: list[str]) -> bool:
        """Whether a run was refused before its first step (bad rows, say), so that its command may be given again."""
        began = any(name in held for name in FOLDERS) or (self.metrics.exists() and self.metrics.stat().st_size)
        return "recipe.yaml" in held and not began and all(name.removesuffix(PARTIAL) in FILES for name in held)

    def _clear(self, recipe: Recipe, held: list[str]) -> None:
        """Delete a run, and nothing else."""
        others = [name for name in held if name.removesuffix(PARTIAL).removeprefix(".") not in (*FILES, *FOLDERS)]
        only = "overwrite=true deletes only runs"
        if others:
            raise UserError(f"output={self.path} also holds {others[0]}, which is no part of a run: {only}.")
        if "recipe.yaml" not in held:
            raise UserError(f"output={self.path} has no recipe.yaml, so it is no run: {only}.")
        for key, needed in _inputs(recipe):
            if needed.exists() and needed.resolve().is_relative_to(self.path.resolve()):
                raise UserError(
                    f"overwrite=true would delete {key}={needed} in output={self.path}: name another output."
                )
        with told_in_words(self.path):
            # The recipe goes last: what is left of a run half deleted is still known for one.
            for name in sorted(held, key=lambda name: name == "recipe.yaml"):
                entry = self.path / name
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()


def differences(then: Recipe, now: Recipe) -> dict[str, tuple[Any, Any]]:
    """The keys, with both values, in which `now` would train otherwise than `then`: without any, it may continue.

    A longer run is another one, because the schedule looks ahead to the end; only where the learning rate stays
    constant and the warm-up is counted in steps may `train.epochs` and `train.max_steps` change.
    """
    flat_then, flat_now = flat_values(then), flat_values(now)
    looks_ahead = now.train.schedule != "constant" or 0 < now.train.warmup < 1
    free = FREE_KEYS if looks_ahead else FREE_KEYS | LENGTH_KEYS
    names = [name for name in {**flat_then, **flat_now} if name not in free]
    pairs = {name: (_shown(flat_then.get(name)), _shown(flat_now.get(name))) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _inputs(recipe: Recipe) -> list[tuple[str, Path]]:
    inputs = [(f"data.sources.{place}.path", source.path) for place, source in enumerate(recipe.data.sources)]
    if isinstance(recipe.data.validation, Path):
        inputs.append(("data.validation", recipe.data.validation))
    if recipe.data.mixture is not None:
        inputs += [("data.mixture.catalog", folder) for folder in recipe.data.mixture.catalog]
        root = recipe.data.mixture.data_root
        inputs += [("data.mixture.data_root", root)] if root else []
    return [("model", Path(recipe.model).expanduser()), *inputs]
