"""What a run answered, task by task, as numbers by item and template: what all figures of a study are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from tutelage.errors import UserError
from tutelage.evaluate.answered import Answered, gathered
from tutelage.evaluate.statistics import chance
from tutelage.run.evaluation import ENVIRONMENT
from tutelage.run.predictions import NAME, read_lines
from tutelage.tasks.metrics import Metric
from tutelage.tasks.task import Task

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sheet:
    """What one run answered of one task, judged by the task's first metric.

    items, templates: ids. values: float64 [items, templates] in shares of the best score, NaN where not asked.
    proportion: all of them are 0 or 1. chance: what blind guessing scores; None where there are no options.
    """

    task: str
    metric: str
    items: tuple[str, ...]
    templates: tuple[str, ...]
    values: Floats
    proportion: bool
    chance: float | None

    def part(self, items: Sequence[str], templates: Iterable[str]) -> Floats:
        """The values of these items under these templates."""
        rows = {item: place for place, item in enumerate(self.items)}
        columns = [self.templates.index(template) for template in templates]
        part: Floats = self.values[np.ix_([rows[item] for item in items], columns)]
        return part


def read_sheets(folder: Path, tasks: Mapping[str, Task], split: str) -> dict[str, Sheet]:
    """The sheets of a finished evaluation, by task."""
    by_first = [replace(task, metrics=task.metrics[:1]) for task in tasks.values()]  # the others take their time
    answered = gathered(read_lines(folder / NAME), by_first)
    return {name: _sheet(one) for (name, of), one in answered.items() if of == split}


def refuse_other_questions(one: Path, other: Path) -> None:
    """Two finished evaluations whose answers are paired by item must have asked the same of the tasks of both.

    Raises:
        UserError: a task's rows or templates are not the same, for they changed between the two.
    """
    asked, also = (
        {each["file"]: each["sha256"] for each in orjson.loads((folder / ENVIRONMENT).read_bytes())["data"]}
        for folder in (one, other)
    )
    for name in sorted(asked.keys() & also):
        if asked[name] != also[name]:
            raise UserError(
                f"{name} changed while the study went on, so {one} and {other} asked different things: begin the "
                "study again with overwrite=true"
            )


def _sheet(answered: Answered) -> Sheet:
    metric = answered.metrics[0]
    array = answered.array(metric)
    values = np.stack([item_values(array[:, place], metric) for place in range(array.shape[1])], axis=1)
    guess = chance(answered.offered.values()) if answered.offered and metric.name == "accuracy" else None
    return Sheet(
        answered.task.name,
        metric.name,
        tuple(answered.items),
        tuple(answered.templates),
        values / metric.scale,
        metric.proportion,
        guess,
    )


def item_values(statistics: Floats, metric: Metric) -> Floats:
    """What each item adds to a score: float64 [items, k], NaN where not asked, to [items], whose mean is the score.

    For a mean over items, its own score. For a corpus metric (BLEU, chrF) what the score changes when the item is left
    out, n times, around the score (the jackknife's pseudo-values: Efron and Tibshirani 1993, section 11.5).

    >>> from tutelage.tasks.metrics import find_metric
    >>> item_values(np.array([[1.0, 1.0], [0.0, 1.0], [np.nan, np.nan]]), find_metric("accuracy"))
    array([ 1.,  0., nan])
    """
    asked = ~np.isnan(statistics).any(-1)
    values = np.full(len(statistics), np.nan)
    there = statistics[asked]
    if len(there) == 0:
        return values
    total = there.sum(0)
    whole = metric.score(total)
    if metric.proportion or len(there) == 1:
        values[asked] = [metric.score(one) for one in there]
        return values
    without = np.array([metric.score(total - one) for one in there])
    values[asked] = whole + (len(there) - 1) * (without.mean() - without)
    return values
