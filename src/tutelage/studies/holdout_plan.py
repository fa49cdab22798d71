"""The plan of a hold-out study: the runs of its design.

base/plain, base/instructions, base/exemplars        the untuned model, once for all
without-CLUSTER/seed-N/tuned                         tuned on all but the cluster, and what is related to it
without-CLUSTER/seed-N/scores                        asked about the cluster, and about the ladder's lower rungs
base/ladder, without-CLUSTER/seed-N/ladder           these apart, where they have a limit of their own
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tutelage.errors import UserError
from tutelage.evaluate.settings import Evaluation
from tutelage.model.locate import locate, no_weights
from tutelage.run.recipe import Recipe, build_settings
from tutelage.studies.holdout_design import Design, Model
from tutelage.studies.settings import HoldOut
from tutelage.studies.steps import RUNS, Plan, Step
from tutelage.studies.tables import counted
from tutelage.tasks.catalog import SHIPPED, STARTER, T0
from tutelage.tasks.items import has_split
from tutelage.tasks.task import Task

DATA_REPORT = "data_report.json"
PLAIN, INSTRUCTIONS, EXEMPLARS, LADDER = "plain", "instructions", "exemplars", "ladder"


@dataclass(frozen=True)
class ModelRuns:
    """A tuned model, and the names of its steps; `ladder` is `scores` where one evaluation asks all."""

    model: Model
    tuned: str
    scores: str
    ladder: str


@dataclass(frozen=True)
class HoldOutPlan(Plan):
    """The steps, and what they are for.

    tasks: all that are selected, by name. base: the untuned model's steps, by what they ask; its `ladder` is there
    wherever lower rungs are asked.
    """

    tasks: Mapping[str, Task] = field(default_factory=dict)
    models: Sequence[ModelRuns] = ()
    base: Mapping[str, str] = field(default_factory=dict)

    @property
    def clusters(self) -> list[str]:
        """Those held out, in order."""
        return list(dict.fromkeys(runs.model.cluster for runs in self.models))


def plan_hold_out(recipe: HoldOut) -> HoldOutPlan:
    """Lays out all runs before the first begins.

    Raises:
        UserError: a task, cluster or model that is not there, nothing to train on or to score, or keys that disagree.
    """
    located = locate(recipe.model)
    if located.random:
        raise UserError(no_weights(recipe.model))
    if located.on_hub:  # what can't be had would fail every run
        from tutelage.model.load import load_config

        load_config(located, recipe.trust_remote_code)
    return _Planner(recipe).plan()


def refuse_trained_before(model: str, held_out: Sequence[str]) -> None:
    """A model whose own run was trained on what is held out would know it already.

    Raises:
        UserError: its run directory, in which it lies as model/ or in checkpoints/, says so; other folders say nothing.
    """
    located = locate(model)
    folder = (located.adapter or Path(located.path)).resolve()
    for report in () if located.on_hub else (above / DATA_REPORT for above in (folder, *folder.parents[:3])):
        if report.is_file():
            seen = {task["task"] for task in orjson.loads(report.read_bytes()).get("mixture") or ()}
            known = [name for name in held_out if name in seen]
            if known:
                raise UserError(
                    f"model={model} was itself trained on what is held out here ({', '.join(known)}): start from a "
                    "model that was not, or hold out other clusters"
                )


class _Planner:
    def __init__(self, recipe: HoldOut) -> None:
        self.recipe = recipe
        self.design = Design(recipe)
        self.notes = self.design.notes

    def plan(self) -> HoldOutPlan:
        models = [self.runs_of(model) for model in self.design.models]
        refuse_trained_before(self.recipe.model, _union(runs.model.held_out for runs in models))
        base_steps = dict(self.base_steps())
        base = {name: step.name for name, step in base_steps.items()}
        if LADDER not in base and any(runs.model.below for runs in models):
            base[LADDER] = base[INSTRUCTIONS]
        steps = [*base_steps.values(), *(step for runs in models for step in self.model_steps(runs))]
        return HoldOutPlan(steps, self.notes, self.design.tasks, models, base)

    def runs_of(self, model: Model) -> ModelRuns:
        folder = "without-" + re.sub(r"[^\w.-]+", "_", model.cluster) + f"/seed-{model.seed}"
        apart = self.design.two_limits and model.below
        scores = f"{folder}/scores"
        return ModelRuns(model, f"{folder}/tuned", scores, f"{folder}/{LADDER}" if apart else scores)

    def base_steps(self) -> Iterator[tuple[str, Step]]:
        """The untuned model's, by what they ask."""
        tasks = self.design.tasks
        held_out = _union(model.held_out for model in self.design.models)
        below = _union(model.below for model in self.design.models)
        plain = [name for name in held_out if tasks[name].plain]
        if plain:
            # As text to be continued: what a model that has only read was trained to do.
            keys = {"templates": ["plain"], "chat": False, "reasoning": False}
            yield PLAIN, self.base_step(PLAIN, "plain prompts", plain, **keys)
        together = [] if self.design.two_limits else below
        yield INSTRUCTIONS, self.base_step(INSTRUCTIONS, "the instructions", [*held_out, *together])
        shown = [name for name in held_out if has_split(tasks[name], "train")] if self.recipe.shots else []
        if shown:
            keys = {"shots": self.recipe.shots}
            yield EXEMPLARS, self.base_step(EXEMPLARS, counted(self.recipe.shots, "exemplar"), shown, **keys)
        if below and self.design.two_limits:
            yield LADDER, self.base_step(LADDER, "the ladder", below, limit=self.recipe.ladder.limit)
        for what, some in (("plain prompts", plain), ("a train split for exemplars", shown)):
            lacking = [name for name in held_out if name not in some]
            if some and lacking:
                self.notes.append(f"Without {what}, so not asked in this way: {', '.join(lacking)}.")

    def base_step(self, name: str, title: str, tasks: Iterable[str], **keys: Any) -> Step:
        recipe = self.evaluation(f"base/{name}", self.recipe.model, tasks, **keys)
        return Step(f"base/{name}", f"untuned, {title}", recipe)

    def model_steps(self, runs: ModelRuns) -> Iterator[Step]:
        """Tuning, then asking."""
        model, run = runs.model, self.folder(runs.tuned)
        what = f"without {model.cluster}, seed {model.seed}"
        yield Step(runs.tuned, f"tuned {what}", self.tuning(runs))
        together = () if runs.ladder != runs.scores else model.below
        recipe = self.evaluation(runs.scores, run, [*model.held_out, *together])
        yield Step(runs.scores, f"scores {what}", recipe, (runs.tuned,))
        if runs.ladder != runs.scores:
            recipe = self.evaluation(runs.ladder, run, model.below, limit=self.recipe.ladder.limit)
            yield Step(runs.ladder, f"the ladder {what}", recipe, (runs.tuned,))

    def tuning(self, runs: ModelRuns) -> Recipe:
        """FLAN's way: all that is selected, less the cluster, what is related to it, and what is kept back."""
        keys = self.recipe.tune.model_dump(mode="json")
        keys["data"]["mixture"] |= {
            **self.whence(),
            "tasks": list(self.recipe.tasks),
            "hold_out": [runs.model.cluster],
            "related": None if self.recipe.related is None else list(self.recipe.related),
            "leave_out": self.design.left_out(runs.model),
        }
        ours = {"model": self.recipe.model, "seed": runs.model.seed, **self.whither(runs.tuned)}
        return build_settings(Recipe, keys | ours)

    def evaluation(self, name: str, model: str, tasks: Iterable[str], **others: Any) -> Evaluation:
        """An evaluation of these tasks by the keys `evaluate.*`, and `others`."""
        keys = self.recipe.evaluate.model_dump(mode="json")
        ours = {
            **self.whence(),
            **self.whither(name),
            "model": model,
            "tasks": list(dict.fromkeys(map(self.word, tasks))),
            "limit": self.recipe.limit,
        }
        return build_settings(Evaluation, keys | ours | others)

    def whence(self) -> dict[str, object]:
        """The keys that say where tasks and rows are."""
        return {"catalog": [str(folder) for folder in self.recipe.catalog], "data_root": self.recipe.data_root}

    def whither(self, name: str) -> dict[str, object]:
        """The keys that every step has."""
        return {"output": self.folder(name), "trust_remote_code": self.recipe.trust_remote_code}

    def folder(self, name: str) -> str:
        """Where a step's run lies."""
        return str(self.recipe.output / RUNS / name)

    def word(self, name: str) -> str:
        """What names a task on a command line: its name, or its file where only a path brings it in."""
        file = Path(self.design.tasks[name].place.partition(", line")[0])
        known = (SHIPPED, STARTER, *self.recipe.catalog)
        return name if name.startswith(f"{T0}_") or file.parent in known else str(file)


def _union(each: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in each for name in names))
