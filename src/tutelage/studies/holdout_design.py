"""The design of a hold-out study: which clusters are held out, what each model may train on, and what it is asked.

The ladder: in every cluster that is trained on some tasks are kept from training, and of every task that is trained on
some templates, so that one model is asked new items, new wordings, new tasks and a new cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tutelage.errors import UserError, did_you_mean
from tutelage.run.gathering import LeftOut
from tutelage.studies.keeping import KeptBack, keep_tasks, keep_templates
from tutelage.studies.settings import HoldOut
from tutelage.tasks.catalog import Catalog, templates_of
from tutelage.tasks.clusters import FLAN_RELATED, ClusterSplit
from tutelage.tasks.items import has_split

ALL = "all"


@dataclass(frozen=True)
class Model:
    """One tuned model of the study.

    split: what its cluster being held out leaves to train on. held_out: the tasks of its cluster that it is asked.
    below: those of the ladder's lower rungs, trained on or kept back.
    """

    cluster: str
    seed: int
    split: ClusterSplit
    held_out: tuple[str, ...]
    below: tuple[str, ...]
    kept_back: KeptBack


class Design:
    """All models of a study. tasks: those selected, by name. notes: what a person should know, a line each."""

    def __init__(self, recipe: HoldOut) -> None:
        """Reads the tasks' files. Raises UserError for a word that names none."""
        self.recipe = recipe
        self._catalog = catalog = Catalog(recipe.catalog, recipe.data_root)
        self.tasks = {task.name: task for task in catalog.select(recipe.tasks)}
        by_name = catalog.select([word for word in recipe.tasks if not catalog.names_many(word)])
        self._named = sorted(task.name for task in by_name)
        self.mixture: dict[str, Any] = recipe.tune.model_dump(mode="json")["data"]["mixture"]
        self._left_out = LeftOut.named(catalog, self.mixture["leave_out"])
        self._asking = recipe.evaluate.model_dump()
        self.notes: list[str] = []

    @cached_property
    def models(self) -> list[Model]:
        """A model for every held-out cluster, of the first seed, then of the second, and so on.

        Raises:
            UserError: there is no such cluster, or nothing to train on or to score where it is held out.
        """
        splits = self._splits()
        kept = {seed: self._kept_back(seed) for seed in self.recipe.seeds}
        return [self._model(split, seed, kept[seed]) for seed in self.recipe.seeds for split in splits]

    @property
    def two_limits(self) -> bool:
        """Whether the lower rungs are asked other items than the held-out clusters."""
        return self.recipe.ladder.limit not in (None, self.recipe.limit)

    def left_out(self, model: Model) -> list[str]:
        """What `leave_out` says in a model's recipe: the user's own words, what is kept back, what may not be there.

        Who names a task means it to be trained on; so where it can't be it must be left out by name too.
        """
        kept = model.kept_back
        words = [*self.mixture["leave_out"], *kept.tasks]
        words += [name for name in self._named if name not in model.split.training or not self.can_be_trained_on(name)]
        words += [
            f"{name}/{one}" for name, own in kept.templates.items() if name in model.split.training for one in own
        ]
        return list(dict.fromkeys(words))

    def can_be_asked(self, name: str) -> bool:
        """Whether a task has items of the split that is scored."""
        return has_split(self.tasks[name], self._asking["split"])

    def can_be_trained_on(self, name: str) -> bool:
        """Whether a task has training rows, and the user leaves it in."""
        return has_split(self.tasks[name], "train") and name not in self._left_out.tasks

    def _splits(self) -> Sequence[ClusterSplit]:
        there = sorted({cluster for task in self.tasks.values() for cluster in task.clusters})
        every = ALL in self.recipe.hold_out
        words = ", ".join(self.recipe.tasks)
        self._refuse_unknown(there, words)
        found = []
        for cluster in there if every else dict.fromkeys(self.recipe.hold_out):
            split = self._split(cluster)
            if not isinstance(split, str):
                found.append(split)
            elif every:
                self.notes.append(f"Not held out is {cluster}: {split}.")
            else:
                raise UserError(f"hold_out={cluster}: {split}")
        if not found:
            raise UserError(f"no cluster of the tasks {words} can be held out: {self.notes[-1]}")
        return found

    def _refuse_unknown(self, there: Sequence[str], words: str) -> None:
        """A word misspelt would hold nothing out, so all are looked at before the first run."""
        for cluster in self.recipe.hold_out:
            if cluster not in (ALL, *there):
                advice = did_you_mean(cluster, there, f"there are {', '.join(there)}.")
                raise UserError(f"hold_out={cluster}: no task of {words} has this cluster; {advice}")
        for cluster in self.recipe.related or ():
            if cluster not in there and cluster not in self._catalog.clusters():
                advice = did_you_mean(cluster, there, f"there are {', '.join(there)}.")
                raise UserError(f"related={cluster}: no task has this cluster; {advice}")

    def _split(self, cluster: str) -> ClusterSplit | str:
        """The split that holds a cluster out, or why it can't be."""
        near = self.recipe.related
        related = FLAN_RELATED if near is None else [(cluster, other) for other in near]
        try:
            split = ClusterSplit(list(self.tasks.values()), [cluster], related)
        except UserError as error:
            return str(error)
        if not any(map(self.can_be_asked, split.held_out)):
            return f"none of its tasks has a {self._asking['split']} split that is there"
        if not any(map(self.can_be_trained_on, split.training)):
            return "no task of another cluster has a train split that is there"
        return split

    def _kept_back(self, seed: int) -> KeptBack:
        """What a seed keeps from training, whatever cluster is held out."""
        ladder = self.recipe.ladder
        if ladder.limit == 0:
            return KeptBack()
        tasks = keep_tasks(self.tasks.values(), ladder.tasks, seed, self.can_be_asked, self.can_be_trained_on)
        templates = {
            name: self._kept_templates(name, seed)
            for name in self.tasks
            if name not in tasks and self.can_be_trained_on(name) and self.can_be_asked(name)
        }
        return KeptBack(tasks, {name: own for name, own in templates.items() if own})

    def _kept_templates(self, name: str, seed: int) -> tuple[str, ...]:
        task, out = self.tasks[name], self._left_out.templates.get(name, frozenset())
        trained = [one for one in templates_of(task, self.mixture["templates"]) if one.id not in out]
        asked = templates_of(task, self._asking["templates"])
        return keep_templates(task, trained, asked, self.recipe.ladder.templates, seed)

    def _model(self, split: ClusterSplit, seed: int, kept: KeptBack) -> Model:
        (cluster,) = split.held_out_clusters
        held_out = tuple(filter(self.can_be_asked, split.held_out))
        below: tuple[str, ...] = ()
        if self.recipe.ladder.limit != 0:
            trained = [name for name in split.training if self.can_be_trained_on(name) or name in kept.tasks]
            below = tuple(filter(self.can_be_asked, trained))
        return Model(cluster, seed, split, held_out, below, kept)
