"""What each run of a study cost, as its folder tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tutelage.run.predictions import NAME
from tutelage.studies.directory import FINISHED, Outcome
from tutelage.studies.steps import Step


@dataclass(frozen=True)
class Cost:
    """A step with what became of it. spent: what the same run costs at any time: steps, tokens, answers."""

    step: Step
    outcome: Outcome
    spent: Mapping[str, int]

    @property
    def page(self) -> Path:
        """The file that tells of the run best."""
        page = self.step.folder / "report.html"
        return page if page.exists() else self.step.folder / "scores.json"


def costs_of(steps: Sequence[Step], outcomes: Mapping[str, Outcome]) -> list[Cost]:
    """All steps, in the plan's order."""
    found = []
    for step in steps:
        outcome = outcomes.get(step.name, Outcome("not begun"))
        found.append(Cost(step, outcome, SPENT[step.verb](step.folder) if outcome.status == FINISHED else {}))
    return found


def total(costs: Sequence[Cost]) -> dict[str, int]:
    """What all of them spent together."""
    names = dict.fromkeys(name for cost in costs for name in cost.spent)
    return {name: sum(cost.spent.get(name, 0) for cost in costs) for name in names}


def _of_tuning(folder: Path) -> dict[str, int]:
    summary: dict[str, Any] = orjson.loads((folder / "report.json").read_bytes())["summary"]
    return {
        name: int(summary[name]) for name in ("steps", "examples", "tokens", "supervised_tokens") if name in summary
    }


def _of_evaluation(folder: Path) -> dict[str, int]:
    with (folder / NAME).open("rb") as file:
        return {"answers": sum(1 for _ in file)}


SPENT = {"tune": _of_tuning, "evaluate": _of_evaluation}
