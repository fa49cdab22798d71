"""A study as a plan of steps: each is one run of `tune` or `evaluate` in a folder of its own below `output/runs/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.evaluate.settings import Evaluation
from tutelage.run.recipe import Recipe

RUNS = "runs"
Announce = Callable[[object], None]


@dataclass(frozen=True)
class Step:
    """One run.

    name: its folder below `runs/`, as `inference/seed-0/tuned`. title: what it is, in a few words. recipe: of `tune` or
    of `evaluate`, by which it is known what is run. needs: names of the steps that must have finished before.
    """

    name: str
    title: str
    recipe: Recipe | Evaluation
    needs: tuple[str, ...] = ()

    @property
    def verb(self) -> str:
        """`tune` or `evaluate`."""
        return VERBS[type(self.recipe)].name

    @property
    def folder(self) -> Path:
        """Where its run lies."""
        return self.recipe.output

    def run(self, announce: Announce) -> None:
        """Runs it, or goes on with it where it was begun. Raises what `tune` and `evaluate` raise."""
        recipe = self.recipe.model_copy(update={"resume": True})  # which begins where nothing was begun
        VERBS[type(self.recipe)].run(recipe, announce)


@dataclass(frozen=True)
class Verb:
    """How a step is run."""

    name: str
    run: Callable[[Any, Announce], Mapping[str, Any]]


def _tune(recipe: Recipe, announce: Announce) -> Mapping[str, Any]:
    from tutelage.run.tune import tune

    return tune(recipe, announce)


def _evaluate(recipe: Evaluation, announce: Announce) -> Mapping[str, Any]:
    from tutelage.run.evaluation import evaluate

    return evaluate(recipe, announce)


VERBS: dict[type[Recipe] | type[Evaluation], Verb] = {
    Recipe: Verb("tune", _tune),
    Evaluation: Verb("evaluate", _evaluate),
}


@dataclass(frozen=True)
class Plan:
    """Steps in the order they are run. notes: what a person should know of the plan, a line each."""

    steps: Sequence[Step]
    notes: Sequence[str] = ()

    def users_of(self, name: str) -> list[Step]:
        """The steps that need another."""
        return [step for step in self.steps if name in step.needs]


@dataclass(frozen=True, slots=True)
class StepBegan:
    """Step `number` (from 1) of `of` begins; `again`: it was begun before, and goes on."""

    number: int
    of: int
    step: Step
    again: bool = False


@dataclass(frozen=True, slots=True)
class StepEnded:
    """It ended: `status` is finished, failed or left out; `sentence` says why where it is not finished."""

    number: int
    of: int
    step: Step
    status: str
    seconds: float
    sentence: str | None = None
