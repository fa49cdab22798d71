"""One study: `study(recipe, announce)` does what `tutelage study` does.

    recipe → plan → steps, each a run of tune or evaluate → figures → tables, plots, report.html

A kind of study is its settings, its plan, and what is found in its finished runs; the rest is the same for all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.errors import UserError, did_you_mean
from tutelage.run.files import json_bytes, write_atomically
from tutelage.run.recipe import load_settings
from tutelage.studies.costs import Cost, costs_of, total
from tutelage.studies.directory import FINISHED, Outcome, StudyDirectory
from tutelage.studies.findings import Findings
from tutelage.studies.holdout_figures import HoldOutFigures
from tutelage.studies.holdout_findings import find
from tutelage.studies.holdout_plan import HoldOutPlan, plan_hold_out
from tutelage.studies.running import exit_code, run_steps
from tutelage.studies.settings import HoldOut, StudySettings
from tutelage.studies.steps import Announce, Plan
from tutelage.studies.tables import Table, as_csv, as_latex, as_markdown
from tutelage.yaml_tree import Group, Scalar, read_file

WRITERS: dict[str, Callable[[Table], str]] = {"csv": as_csv, "md": as_markdown, "tex": as_latex}


@dataclass(frozen=True)
class Result:
    """A study that came to its end. code: 0, or as the faults were by which steps failed: 1 ours, 2 the user's."""

    findings: Findings
    costs: Sequence[Cost]
    folder: Path
    code: int

    @property
    def failed(self) -> list[Cost]:
        """The steps that did not finish."""
        return [cost for cost in self.costs if cost.outcome.status != FINISHED]


@dataclass(frozen=True)
class Kind:
    """A kind of study: its settings, its plan, and what is found once the plan's steps are run."""

    settings: type[StudySettings]
    plan: Callable[[Any], Plan]
    find: Callable[[Any, Any, Mapping[str, Outcome]], Findings]


def _find_hold_out(recipe: HoldOut, plan: HoldOutPlan, outcomes: Mapping[str, Outcome]) -> Findings:
    figures = HoldOutFigures(recipe, plan, outcomes).figures()
    return find(figures, Path(recipe.model).name, plan.notes)


KINDS: dict[str, Kind] = {"holdout": Kind(HoldOut, plan_hold_out, _find_hold_out)}


def load_study(path: Path | None, overrides: Sequence[str] = ()) -> StudySettings:
    """The recipe of a study from a YAML file and `key=value` words.

    Raises:
        UserError: as `load_recipe`, and where no kind is named, or none that there is.
    """
    name = next((word.partition("=")[2] for word in reversed(overrides) if word.startswith("kind=")), None)
    if name is None and path is not None:
        root = read_file(path)
        node = root.items.get("kind") if isinstance(root, Group) else None
        name = node.text if isinstance(node, Scalar) else None
    if name is None:
        raise UserError(f"The recipe lacks kind, which says what is studied: kind={' or kind='.join(KINDS)}.")
    if name not in KINDS:
        advice = did_you_mean(name, KINDS, f"there is {', '.join(KINDS)}.")
        raise UserError(f"There is no kind of study {name}: {advice}")
    return load_settings(KINDS[name].settings, path, overrides)


def study(recipe: StudySettings, announce: Announce = lambda event: None) -> Result:
    """Runs the study, or goes on with it, and writes its tables, plots and report.

    `announce` is told of each step's beginning and end (`StepBegan`, `StepEnded`), and between them all that the runs
    themselves tell. A step that fails stops only those that need it.

    Raises:
        UserError: what the person has to mend before anything is run, in one sentence.
        Stopped, KeyboardInterrupt: what is done is kept, and goes on with resume=true.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError("a study runs in one process: start it without torchrun")
    kind = KINDS[recipe.kind]
    plan = kind.plan(recipe)
    directory = StudyDirectory(recipe.output)
    directory.prepare(recipe)
    outcomes = run_steps(plan, directory, announce, recipe.keep_models)
    findings = kind.find(recipe, plan, outcomes)
    costs = costs_of(plan.steps, outcomes)
    result = Result(findings, costs, recipe.output, exit_code(outcomes))
    write(result, recipe, directory)
    return result


def write(result: Result, recipe: StudySettings, directory: StudyDirectory) -> None:
    """study.json, the tables, the plots, report.html."""
    from tutelage.studies.plots import write_plot
    from tutelage.studies.report import render

    runs = [
        {"name": cost.step.name, "verb": cost.step.verb, "status": cost.outcome.status, **cost.spent}
        for cost in result.costs
    ]
    failed = {cost.step.name: cost.outcome.sentence for cost in result.failed}
    figures = {
        **result.findings.figures,
        "notes": list(result.findings.notes),
        "runs": runs,
        "total": total(result.costs),
    }
    write_atomically(directory.figures, json_bytes(figures | {"failed": failed}))
    if result.findings.tables:
        for ending, text in WRITERS.items():
            write_atomically(directory.path / f"table.{ending}", text(result.findings.tables[0]).encode())
    drawings = [(plot, write_plot(plot, directory.plots)) for plot in result.findings.plots]
    write_atomically(directory.page, render(result, recipe, drawings).encode("utf-8", "replace"))
