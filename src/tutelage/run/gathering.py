"""A mixture's tasks with their rows: which tasks may be trained on, which of their rows, and what became of the others.

words → catalog → what is left out → hold-out → rows → items → rows that evaluation holds are dropped
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from tutelage.errors import UserError, did_you_mean
from tutelage.tasks.catalog import Catalog, templates_of
from tutelage.tasks.clusters import FLAN_RELATED, ClusterSplit
from tutelage.tasks.contamination import EvaluationRows, Overlap, text_of, texts_of
from tutelage.tasks.items import BadItem, every_item, has_split, items
from tutelage.tasks.mixture import Part
from tutelage.tasks.settings import HELD_OUT, MixtureSettings
from tutelage.tasks.splits import parse
from tutelage.tasks.task import Item, Split, Task, Template

# Rows of a task's dev split that are validated on, as many as FLAN's.
DEV_ROWS = 200


@dataclass(frozen=True)
class Gathered:
    """One task of the mixture and its rows.

    rows: those that its train split has; items, bad: those that were read, at most `data.mixture.cap` good ones.
    overlapping: places of the items that are not trained on, since an evaluation row is in them. dev, bad_dev: the rows
    that are validated on.
    """

    task: Task
    templates: tuple[Template, ...]
    rows: int
    items: tuple[Item, ...]
    bad: tuple[BadItem, ...] = ()
    overlapping: tuple[tuple[Item, Overlap], ...] = ()
    dev: tuple[Item, ...] = ()
    bad_dev: tuple[BadItem, ...] = ()

    @property
    def part(self) -> Part:
        """For training."""
        return Part(self.task, self.items, self.templates)

    @property
    def dev_part(self) -> Part:
        """For validation, with exemplars from the training rows."""
        return Part(self.task, self.dev, self.templates, exemplars=self.items)

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What is learnt of the task, as SHA-256: templates and items. In the shape of a file's fingerprint."""
        told = [
            [self.task.name, self.task.version],
            [[one.id, one.prompt, one.target, one.options, one.choices, one.delimiter] for one in self.templates],
            *([one.row, one.fields, one.choices, one.answers, one.references] for one in (*self.items, *self.dev)),
        ]
        digest, size = hashlib.sha256(), 0
        for each in told:
            line = orjson.dumps(each, default=str, option=orjson.OPT_NON_STR_KEYS)
            digest.update(line)
            size += len(line)
        return {"file": f"the task {self.task.name}", "bytes": size, "sha256": digest.hexdigest()}


@dataclass(frozen=True)
class Gathering:
    """All tasks of a mixture. notes: what a person should know, a line each.

    evaluation: the rows that none of what is trained on may hold, files beside the tasks included.
    """

    tasks: tuple[Gathered, ...]
    split: ClusterSplit | None = None
    notes: tuple[str, ...] = ()
    evaluation: EvaluationRows | None = None


class _Useless(UserError):  # noqa: N818 (a sentence about a task, which others may do without)
    """A task of which nothing can be trained on: its rows are all bad, or all hold an evaluation row."""


def gather(settings: MixtureSettings, seed: int, dev: bool = False) -> Gathering:
    """Reads what a mixture is made of; `dev`: also the dev rows that are validated on.

    Raises:
        UserError: a task that is not there, that is held out, or whose rows can't be had or used.
    """
    catalog = Catalog(settings.catalog, settings.data_root)
    notes: list[str] = []
    catalog.select(settings.tasks)  # leave_out may name what only a path brings in
    out = LeftOut.named(catalog, settings.leave_out)
    tasks = _selected(catalog, settings.tasks, out, notes)
    split = None
    if settings.hold_out:
        split = _split(catalog, settings)
        tasks = _allowed(split, tasks, settings.tasks, notes)
    evaluation = _evaluation(catalog, settings, split, notes)
    gathered = []
    for task, by_name in tasks:
        try:
            gathered.append(_without(evaluation, out.of(_gathered(task, settings, seed, dev, notes))))
        except _Useless as useless:
            if by_name or len(tasks) == 1:
                raise
            notes.append(f"Not trained on is {task.name}: {useless}.")
    if not gathered:
        raise UserError(f"none of the tasks {', '.join(settings.tasks)} has a row that can be trained on")
    _verify(split, gathered, notes)
    if dev and not any(one.dev for one in gathered):
        raise UserError("data.validation=dev needs a task with a dev split, and none of the mixture has one")
    return Gathering(tuple(gathered), split, tuple(notes), evaluation)


def _verify(split: ClusterSplit | None, gathered: Sequence[Gathered], notes: list[str]) -> None:
    """Looks once more at what is really there, and says what it is: two spellings of a cluster a person sees best."""
    if split is not None:
        split.verify([one.task for one in gathered])
        trained = sorted({cluster for one in gathered for cluster in one.task.clusters})
        notes.append(f"Trained on are the clusters {', '.join(trained)}.")


@dataclass(frozen=True)
class LeftOut:
    """What `data.mixture.leave_out` names: whole tasks, and by task the ids of single templates."""

    tasks: frozenset[str]
    templates: Mapping[str, frozenset[str]]

    @classmethod
    def named(cls, catalog: Catalog, words: Sequence[str]) -> LeftOut:
        """Reads the words. Raises UserError for one that names neither a task nor a template of one."""
        tasks: set[str] = set()
        templates: dict[str, frozenset[str]] = {}
        for word in words:
            name, _, template = word.rpartition("/")
            if not name or Path(word).expanduser().exists():
                tasks |= {task.name for task in catalog.select([word])}
                continue
            task, *others = catalog.select([name])
            if others:
                raise UserError(
                    f"data.mixture.leave_out={word}: {name} is more than one task; name one, or no template"
                )
            known = [one.id for one in task.templates]
            if template not in known:
                advice = did_you_mean(template, known, f"it has {', '.join(known)}.")
                raise UserError(f"data.mixture.leave_out={word}: {name} has no template {template}; {advice}")
            templates[task.name] = templates.get(task.name, frozenset()) | {template}
        return cls(frozenset(tasks), templates)

    def of(self, gathered: Gathered) -> Gathered:
        """A task without the templates that are left out. Raises UserError where none would be left."""
        name = gathered.task.name
        out = self.templates.get(name, frozenset())
        kept = tuple(one for one in gathered.templates if one.id not in out)
        if gathered.templates and not kept:
            raise UserError(f"data.mixture.leave_out leaves no template of the task {name}: leave out the task itself")
        return replace(gathered, templates=kept)


Named = tuple[Task, bool]  # a task, and whether it was asked for by its own name


def _selected(catalog: Catalog, words: Sequence[str], out: LeftOut, notes: list[str]) -> list[Named]:
    found: dict[str, Named] = {}
    for word in words:
        for task in catalog.select([word]):
            found[task.name] = (task, not catalog.names_many(word) or found.get(task.name, (task, False))[1])
    left_out = sorted(found.keys() & out.tasks)
    if left_out:
        notes.append(f"Left out, as data.mixture.leave_out says: {', '.join(left_out)}.")
        found = {name: named for name, named in found.items() if name not in out.tasks}
        if not found:
            raise UserError(f"data.mixture.leave_out leaves none of the tasks {', '.join(words)} to train on")
    usable = [(task, by_name) for task, by_name in found.values() if by_name or has_split(task, "train")]
    without = sorted(found.keys() - {task.name for task, _ in usable})
    if without:
        notes.append(f"Not trained on, for want of a train split: {', '.join(without)}.")
    if not usable:
        raise UserError(f"none of the tasks {', '.join(words)} has a train split to be trained on")
    return usable


def _split(catalog: Catalog, settings: MixtureSettings) -> ClusterSplit:
    related = FLAN_RELATED
    if settings.related is not None:
        related = [(held, near) for held in settings.hold_out for near in settings.related]
    split = ClusterSplit(list(catalog.values()), settings.hold_out, related)
    for cluster in settings.related or ():
        if not any(cluster in own for own in split.clusters.values()):
            raise UserError(f"data.mixture.related names the cluster {cluster}, which no task has")
    return split


def _allowed(split: ClusterSplit, tasks: Sequence[Named], words: Sequence[str], notes: list[str]) -> list[Named]:
    for task, by_name in tasks:
        if by_name:
            split.require_allowed(task.name)
    kept = [(task, by_name) for task, by_name in tasks if task.name in split.training]
    out = sorted({task.name for task, _ in tasks} - {task.name for task, _ in kept})
    if not kept:
        raise UserError(f"data.mixture.hold_out leaves none of the tasks {', '.join(words)} to train on")
    held = " and ".join(split.held_out_clusters)
    notes.append(f"Held out are {held} and what is related; not trained on: {', '.join(out) or 'no task of these'}.")
    return kept


def _gathered(task: Task, settings: MixtureSettings, seed: int, dev: bool, notes: list[str]) -> Gathered:
    if not has_split(task, "train"):
        raise UserError(f"the task {task.name} has no train split that is there, so it can't be trained on")
    good: list[Item] = []
    bad: list[BadItem] = []
    for each in every_item(task, "train"):
        if isinstance(each, BadItem):
            bad.append(each)
        else:
            good.append(each)
        if len(good) == settings.cap:
            break
    if not good:
        why = f"{len(bad):,} are bad (row {bad[0].row}: {bad[0].reason})" if bad else "there is none"
        raise _Useless(f"no training row of the task {task.name} can be used: {why}")
    slice_ = parse(task.splits["train"])
    rows = len(slice_.rows(len(task.source.rows(slice_.raw))))
    found = Gathered(task, templates_of(task, settings.templates), rows, tuple(good), tuple(bad))
    if not dev:
        return found
    if not has_split(task, "dev"):
        notes.append(f"The task {task.name} has no dev split, so nothing of it is validated on.")
        return found
    return _with_dev(found, seed)


def _with_dev(gathered: Gathered, seed: int) -> Gathered:
    every = list(every_item(gathered.task, "dev"))
    good = [each for each in every if not isinstance(each, BadItem)]
    dice = random.Random(f"{seed}/{gathered.task.name}/dev")
    chosen = sorted(dice.sample(range(len(good)), min(DEV_ROWS, len(good))))
    bad = tuple(each for each in every if isinstance(each, BadItem))
    return replace(gathered, dev=tuple(good[place] for place in chosen), bad_dev=bad)


def _evaluation(
    catalog: Catalog, settings: MixtureSettings, split: ClusterSplit | None, notes: list[str]
) -> EvaluationRows | None:
    """The rows of the tasks that `data.mixture.decontaminate` names: those of their test and dev splits."""
    words = settings.decontaminate
    if words is None:
        return None
    names = [word for word in words if word != HELD_OUT]
    if HELD_OUT in words and split is not None:
        names += split.held_out
    tasks = catalog.select(names)
    without = [task.name for task in tasks if not has_split(task, "test")]
    if without:
        notes.append(f"Not looked for in the training rows, for want of a test split: {', '.join(without)}.")
    splits: tuple[Split, ...] = ("test", "dev")
    return EvaluationRows(
        (item.id, text)
        for task in tasks
        if task.name not in without
        for split_ in splits
        if has_split(task, split_)
        for item in items(task, split_)
        for text in texts_of(item)
    )


def _without(evaluation: EvaluationRows | None, gathered: Gathered) -> Gathered:
    """Without the items in which an evaluation row is found."""
    if evaluation is None:
        return gathered
    texts = ((item.id, text_of(item)) for item in gathered.items)
    overlaps = {overlap.training_id: overlap for overlap in evaluation.overlaps(texts)}
    kept = tuple(item for item in gathered.items if item.id not in overlaps)
    if not kept:
        raise _Useless(
            f"every training row of the task {gathered.task.name} holds an evaluation row: leave the task out of "
            "data.mixture.tasks or of data.mixture.decontaminate"
        )
    dropped = tuple((item, overlaps[item.id]) for item in gathered.items if item.id in overlaps)
    return replace(gathered, items=kept, overlapping=dropped)
