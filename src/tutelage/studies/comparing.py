"""Tuned against untuned on the same items: by task, as means over tasks and clusters, and over seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.studies.evidence import Floats, Sheet
from tutelage.studies.intervals import Estimate, difference, mean_of, mean_of_columns, score, widened


@dataclass(frozen=True)
class Pairing:
    """What a tuned model, of a seed, and the untuned one answered of a task, each under these templates of its own."""

    seed: int
    tuned: Sheet
    templates: tuple[str, ...]
    base: Sheet
    base_templates: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Tuned and untuned, with intervals over items alone; `seeds` has both means of each seed.

    tasks: how many items of each were asked; one that is there in two clusters is there once.
    metric: None where several go into it. chance: where nothing has options None; what has none counts as 0.
    """

    tuned: Estimate
    base: Estimate
    difference: Estimate
    seeds: Mapping[int, tuple[float, float]]
    tasks: Mapping[str, int]
    metric: str | None
    chance: float | None

    @property
    def items(self) -> int:
        """How many were asked."""
        return sum(self.tasks.values())

    def figures(self) -> dict[str, Any]:
        """As study.json has them, intervals widened by the seeds."""
        tuned = [one for one, _ in self.seeds.values()]
        above = [one - other for one, other in self.seeds.values()]
        return {
            "items": self.items,
            "tasks": list(self.tasks),
            "metric": self.metric or "first metrics",
            "chance": self.chance,
            "tuned": of_estimate(widened(self.tuned, tuned, lowest=0.0)),
            "base": of_estimate(self.base),
            "difference": of_estimate(widened(self.difference, above)),
            "seeds": {str(seed): {"tuned": one, "base": other} for seed, (one, other) in self.seeds.items()},
        }


def of_estimate(estimate: Estimate) -> dict[str, float]:
    """For JSON."""
    return {"mean": estimate.mean, "low": estimate.low, "high": estimate.high}


def means(pairing: Pairing) -> tuple[float, float]:
    """Both means, without intervals."""
    items = _shared([pairing])
    return (
        _mean([pairing.tuned.part(items, pairing.templates)]),
        _mean([pairing.base.part(items, pairing.base_templates)]),
    )


def compare(pairings: Sequence[Pairing]) -> Comparison:
    """One task, of one or several models: an item's mean over all of them comes before anything else."""
    first = pairings[0].base
    items = [
        item for item in first.items if all(item in one.tuned.items and item in one.base.items for one in pairings)
    ]
    if not items:
        raise ValueError(f"tuned and untuned were asked no item of {first.task} together")
    ours = [one.tuned.part(items, one.templates) for one in pairings]
    theirs = [one.base.part(items, one.base_templates) for one in pairings]
    seeds: dict[int, tuple[float, float]] = {}
    for seed in sorted({one.seed for one in pairings}):
        places = [place for place, one in enumerate(pairings) if one.seed == seed]
        seeds[seed] = (_mean([ours[place] for place in places]), _mean([theirs[place] for place in places]))
    stacked, beside = np.concatenate(ours, axis=1), np.concatenate(theirs, axis=1)
    return Comparison(
        score(stacked, first.proportion).of(first.task),
        score(_distinct(theirs), first.proportion).of(first.task),
        difference(stacked, beside).of(first.task),
        seeds,
        {first.task: len(items)},
        first.metric,
        first.chance,
    )


def mean_comparison(comparisons: Sequence[Comparison], same_seeds: bool = False) -> Comparison:
    """The mean of comparisons, each counting alike; a task that is in several of them is one source of evidence.

    same_seeds: its seeds are those that all of them have, though there be none; else, where there are none, those of
    any, as on the ladder, where each seed keeps other things back.
    """
    metrics = {one.metric for one in comparisons}
    chances = [one.chance for one in comparisons]
    return Comparison(
        mean_of([one.tuned for one in comparisons]),
        mean_of([one.base for one in comparisons]),
        mean_of([one.difference for one in comparisons]),
        _mean_by_seed([one.seeds for one in comparisons], same_seeds),
        {name: count for one in comparisons for name, count in one.tasks.items()},
        metrics.pop() if len(metrics) == 1 else None,
        None if set(chances) == {None} else math.fsum(one or 0.0 for one in chances) / len(chances),
    )


def _shared(pairings: Sequence[Pairing]) -> list[str]:
    """The items that all were asked, in the order of the untuned model's first sheet."""
    first = pairings[0].base
    sheets = [sheet for one in pairings for sheet in (one.tuned, one.base)]
    common = set(first.items).intersection(*(sheet.items for sheet in sheets))
    if not common:
        raise ValueError(f"tuned and untuned were asked no item of {first.task} together")
    return [item for item in first.items if item in common]


def _mean_by_seed(
    each: Sequence[Mapping[int, tuple[float, float]]], same_seeds: bool
) -> dict[int, tuple[float, float]]:
    """Over the seeds that all have, so that seeds differ by nothing else; where there are none, those of any."""
    anywhere = {seed for one in each for seed in one}
    everywhere = {seed for seed in anywhere if all(seed in one for one in each)}
    found = {}
    for seed in sorted(everywhere if same_seeds else everywhere or anywhere):
        pairs = [one[seed] for one in each if seed in one]
        found[seed] = (_average(one for one, _ in pairs), _average(other for _, other in pairs))
    return found


def _mean(parts: Sequence[Floats]) -> float:
    """The mean over all columns of their means over items."""
    return mean_of_columns(np.concatenate(parts, axis=1))


def _average(values: Iterable[float]) -> float:
    known = list(values)
    return math.fsum(known) / len(known)


def _distinct(parts: Sequence[Floats]) -> Floats:
    """The columns, those that several models are compared with once: they are no more evidence for that."""
    if all(np.array_equal(part, parts[0], equal_nan=True) for part in parts):
        return parts[0]
    return np.concatenate(parts, axis=1)
