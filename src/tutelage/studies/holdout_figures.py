"""The figures of a hold-out study, from what its finished runs left: clusters, their mean, and the ladder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from tutelage.studies.comparing import Comparison, Pairing, compare, mean_comparison, means
from tutelage.studies.directory import FINISHED, Outcome
from tutelage.studies.evidence import Sheet, read_sheets, refuse_other_questions
from tutelage.studies.holdout_design import Model
from tutelage.studies.holdout_plan import EXEMPLARS, INSTRUCTIONS, LADDER, PLAIN, HoldOutPlan, ModelRuns
from tutelage.studies.intervals import LEVEL
from tutelage.studies.settings import HoldOut

NEW_ITEMS, NEW_WORDINGS, NEW_TASKS, NEW_CLUSTER = "new items", "new wordings", "new tasks", "new cluster"
RUNGS = (NEW_ITEMS, NEW_WORDINGS, NEW_TASKS, NEW_CLUSTER)


@dataclass(frozen=True)
class Trained:
    """A model that was tuned and asked: the templates of each task it was trained on, and what it answered."""

    model: Model
    templates: Mapping[str, frozenset[str]]
    scores: Mapping[str, Sheet]
    ladder: Mapping[str, Sheet]


class HoldOutFigures:
    """Reads the runs of a plan that have finished, and counts."""

    def __init__(self, recipe: HoldOut, plan: HoldOutPlan, outcomes: Mapping[str, Outcome]) -> None:
        """outcomes: what became of each step, by name."""
        self.recipe = recipe
        self.plan = plan
        self.finished = {name for name, one in outcomes.items() if one.status == FINISHED}
        self._folders = {step.name: step.folder for step in plan.steps}
        self._sheets: dict[str, dict[str, Sheet]] = {}
        self._against: dict[str, dict[str, Comparison]] = {}
        self._tasks: dict[tuple[str, str], Comparison] = {}
        self._made: dict[object, Comparison] = {}

    def figures(self) -> dict[str, Any]:
        """All of study.json that is this kind's own."""
        clusters = {name: found for name in self.plan.clusters if (found := self.of_cluster(name))}
        rungs = {rung: one.figures() for rung, one in self.rungs.items()}
        return {
            "kind": self.recipe.kind,
            "level": LEVEL,
            "seeds": list(self.recipe.seeds),
            "shots": self.recipe.shots,
            "clusters": clusters,
            "mean": self.mean(),
            "up": self.up(clusters),
            "ladder": rungs,
            "models": [self.of_model(one) for one in self.trained],
            "kept_back": {
                str(model.seed): {
                    "tasks": list(model.kept_back.tasks),
                    "templates": {name: list(own) for name, own in model.kept_back.templates.items()},
                }
                for model in (runs.model for runs in self.plan.models)
            },
        }

    def of_cluster(self, cluster: str) -> dict[str, Any]:
        """A held-out cluster: the tuned models against the untuned one, asked in each of its ways."""
        by_base = self.against(cluster)
        if not by_base:
            return {}
        best = max(by_base, key=lambda name: by_base[name].base.mean)
        told = {name: one.figures() for name, one in by_base.items()}
        first = told[INSTRUCTIONS]
        return {
            "items": first["items"],
            "chance": first["chance"],
            "metric": first["metric"],
            "tuned": first["tuned"],
            "base": {name: one["base"] for name, one in told.items()},
            "differences": {name: one["difference"] for name, one in told.items()},
            "best_base": best,
            "seeds": {seed: one["tuned"] for seed, one in first["seeds"].items()},
            "tasks": {name: self._tasks[cluster, name].figures() for name in first["tasks"]},
        }

    def mean(self) -> dict[str, Any]:
        """The mean over the held-out clusters, of each way of asking the untuned model that all of them have."""
        each = [self.against(cluster) for cluster in self.plan.clusters if self.against(cluster)]
        if not each:
            return {}
        shared = [name for name in each[0] if all(name in one for one in each)]
        told = {name: mean_comparison([one[name] for one in each], same_seeds=True).figures() for name in shared}
        best_of_each = [max(one.values(), key=lambda found: found.base.mean) for one in each]
        best = mean_comparison(best_of_each, same_seeds=True).figures()
        first = told[INSTRUCTIONS]
        return {
            "clusters": len(each),
            "items": first["items"],
            "chance": first["chance"],
            "tuned": first["tuned"],
            "base": {name: one["base"] for name, one in told.items()} | {"best": best["base"]},
            "differences": {name: one["difference"] for name, one in told.items()} | {"best": best["difference"]},
            "seeds": first["seeds"],
        }

    def up(self, clusters: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
        """In how many clusters the tuned models are above the better untuned prompt, and in how many for sure."""
        best = [one["differences"][one["best_base"]] for one in clusters.values()]
        return {
            "clusters": len(best),
            "up": sum(one["mean"] > 0 for one in best),
            "surely_up": sum(one["low"] > 0 for one in best),
            "surely_down": sum(one["high"] < 0 for one in best),
        }

    def of_model(self, one: Trained) -> dict[str, Any]:
        """One tuned model's means on each rung, beside the untuned model's."""
        found: dict[str, Any] = {}
        for rung, pairings in self.pairings(one).items():
            pairs = [means(pairing) for own in pairings.values() for pairing in own]
            if pairs:
                count = len(pairs)
                found[rung] = {
                    "tuned": sum(ours for ours, _ in pairs) / count,
                    "base": sum(theirs for _, theirs in pairs) / count,
                    "tasks": count,
                }
        return {
            "cluster": one.model.cluster,
            "seed": one.model.seed,
            "trained_on": {name: sorted(templates) for name, templates in one.templates.items()},
            "rungs": found,
        }

    @cached_property
    def trained(self) -> list[Trained]:
        """The models of which all runs have finished.

        Raises UserError where they were asked other questions than the untuned model.
        """
        found = []
        for runs in self.plan.models:
            if {runs.tuned, runs.scores, runs.ladder} <= self.finished:
                for own, of in ((runs.scores, INSTRUCTIONS), (runs.ladder, LADDER)):
                    if (base := self.plan.base.get(of)) in self.finished:
                        refuse_other_questions(self._folders[base], self._folders[own])
                templates = self._trained_on(runs)
                found.append(Trained(runs.model, templates, self.sheets(runs.scores), self.sheets(runs.ladder)))
        return found

    @cached_property
    def rungs(self) -> dict[str, Comparison]:
        """The ladder over all models: the mean over clusters of means over their tasks."""
        found = {}
        if self.plan.base.get(LADDER) not in self.finished:
            return {}
        for rung in RUNGS:
            clusters: dict[str, dict[str, list[Pairing]]] = {}
            for one in self.trained:
                for cluster, pairings in self.pairings(one)[rung].items():
                    for pairing in pairings:
                        clusters.setdefault(cluster, {}).setdefault(pairing.base.task, []).append(pairing)
            if clusters:
                each = [mean_comparison([self._compared(rung, own) for own in of.values()]) for of in clusters.values()]
                found[rung] = mean_comparison(each)
        return found if len(found) > 1 else {}

    def pairings(self, one: Trained) -> dict[str, dict[str, list[Pairing]]]:
        """What a model and the untuned one were asked, by rung and the task's cluster."""
        found: dict[str, dict[str, list[Pairing]]] = {rung: {} for rung in RUNGS}
        known = {cluster for name in one.templates for cluster in self.plan.tasks[name].clusters}
        for rung, cluster, pairing in (*self._below(one), *self._held_out(one)):
            if rung == NEW_CLUSTER or cluster in known:
                found[rung].setdefault(cluster, []).append(pairing)
        return found

    def _held_out(self, one: Trained) -> Iterator[tuple[str, str, Pairing]]:
        base = self.sheets(self.plan.base[INSTRUCTIONS])
        for name in one.model.held_out:
            if name in one.scores and name in base:
                yield NEW_CLUSTER, one.model.cluster, _pairing(one.model.seed, one.scores[name], base[name])

    def _below(self, one: Trained) -> Iterator[tuple[str, str, Pairing]]:
        """The rungs below, of which there are none unless the study asks them."""
        base = self.sheets(self.plan.base[LADDER]) if one.model.below else {}
        for name in one.model.below:
            if name not in one.ladder or name not in base:
                continue
            sheet = one.ladder[name]
            trained = one.templates.get(name)
            parts = {NEW_TASKS: sheet.templates}
            if trained is not None:
                seen = tuple(template for template in sheet.templates if template in trained)
                parts = {NEW_ITEMS: seen, NEW_WORDINGS: tuple(one for one in sheet.templates if one not in seen)}
            for rung, templates in parts.items():
                for cluster in self.plan.tasks[name].clusters if templates else ():
                    yield rung, cluster, _pairing(one.model.seed, sheet, base[name], templates)

    def against(self, cluster: str) -> dict[str, Comparison]:
        """A cluster's tuned models against each way of asking the untuned one that all of its tasks have."""
        if cluster not in self._against:
            models = [one for one in self.trained if one.model.cluster == cluster]
            found = {}
            for name in (INSTRUCTIONS, PLAIN, EXEMPLARS):
                if self.plan.base.get(name) in self.finished and models:
                    comparison = self._against_base(cluster, models, self.sheets(self.plan.base[name]), name)
                    if comparison is not None:
                        found[name] = comparison
            self._against[cluster] = found if INSTRUCTIONS in found else {}
        return self._against[cluster]

    def _against_base(
        self, cluster: str, models: Sequence[Trained], base: Mapping[str, Sheet], name: str
    ) -> Comparison | None:
        tasks = [task for task in models[0].model.held_out if all(task in one.scores for one in models)]
        if not tasks or not all(task in base for task in tasks):
            return None
        each = {
            task: compare([_pairing(one.model.seed, one.scores[task], base[task]) for one in models]) for task in tasks
        }
        if name == INSTRUCTIONS:
            self._tasks |= {(cluster, task): one for task, one in each.items()}
        return mean_comparison(list(each.values()))

    def _compared(self, rung: str, pairings: Sequence[Pairing]) -> Comparison:
        """The comparison of a task, which in several clusters is made once."""
        key = (rung, pairings[0].base.task, tuple((one.seed, id(one.tuned)) for one in pairings))
        if key not in self._made:
            self._made[key] = compare(pairings)
        return self._made[key]

    def sheets(self, step: str) -> dict[str, Sheet]:
        """What a finished evaluation answered, by task; read once."""
        if step not in self._sheets:
            split = str(self.recipe.evaluate.model_dump()["split"])
            self._sheets[step] = read_sheets(self._folders[step], self.plan.tasks, split)
        return self._sheets[step]

    def _trained_on(self, runs: ModelRuns) -> dict[str, frozenset[str]]:
        """What a model was really trained on, as its run says.

        Raises AssertionError where that is held out, related to what is, or kept back.
        """
        report = orjson.loads((self._folders[runs.tuned] / "data_report.json").read_bytes())
        trained = {task["task"]: frozenset(task["templates"]) for task in report["mixture"]}
        model = runs.model
        model.split.verify([self.plan.tasks[name] for name in trained])
        kept = model.kept_back
        forbidden = trained.keys() & {*kept.tasks}
        forbidden |= {name for name, own in kept.templates.items() if trained.get(name, frozenset()) & {*own}}
        if forbidden:
            raise AssertionError(f"{runs.tuned} was trained on what was kept from it: {', '.join(sorted(forbidden))}")
        return trained


def _pairing(seed: int, tuned: Sheet, base: Sheet, templates: tuple[str, ...] | None = None) -> Pairing:
    """On the same templates where both have them; else all of the one against all of the other."""
    shared = tuple(one for one in templates or tuned.templates if one in base.templates)
    if shared:
        return Pairing(seed, tuned, shared, base, shared)
    return Pairing(seed, tuned, templates or tuned.templates, base, base.templates)
