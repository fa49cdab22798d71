"""How sure a figure of a study is: intervals over items, put together over tasks, and widened by what seeds change.

Two things are sampled. Items: the questions could have been others. Seeds: the same training could have gone
otherwise. All seeds are asked the same items, so the two are crossed: with y(i, s) = mean + item(i) + seed(s) +
rest(i, s), the mean over n items and S seeds varies by σ²item / n + σ²seed / S + σ²rest / nS. The interval over items
of the items' means over seeds holds the first and the last term, Student's interval over the S seeds' own means the
second and the last. Both distances are put together as squares (Zou and Donner 2008): the last term counts twice, so
the interval is rather too wide than too narrow. Of one seed it is the interval over items alone; of two it says
little, for Student's quantile is 12.7.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import stdev

import numpy as np
from numpy.typing import NDArray

from tutelage.evaluate.statistics import interval, paired_difference
from tutelage.tasks.metrics import find_metric

Floats = NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 2000
_RIGHT_OR_WRONG = find_metric("accuracy")
_MEAN = replace(_RIGHT_OR_WRONG, name="mean", proportion=False)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval, in shares of the best score.

    parts: how far each source of it, a task's items, reaches below and above the mean, by the source's name; empty: it
    is a source of its own.
    """

    mean: float
    low: float
    high: float
    parts: Mapping[str, tuple[float, float]] = field(default_factory=dict, compare=False, repr=False)

    def of(self, source: str) -> Estimate:
        """The same, known to come from one source, as a task's name."""
        return replace(self, parts={source: (self.mean - self.low, self.high - self.mean)})


def score(values: Floats, proportion: bool, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """The mean over columns of float64 [items, columns], NaN where not asked, with its interval over items.

    proportion: every value is 0 or 1. Raises ValueError without a value.
    """
    if not np.isfinite(values).any():
        raise ValueError("there is nothing to be scored")
    columns = values if proportion else of_items(values)[:, None]
    found = interval(_statistics(columns), _RIGHT_OR_WRONG if proportion else _MEAN, seed, resamples, LEVEL)
    return Estimate(mean_of_columns(values), found.low, found.high)


def difference(ours: Floats, theirs: Floats, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """What ours score above theirs on the same items, float64 [items, columns] each, by paired bootstrap over items.

    An item's mean over columns comes first; items that one of the two was not asked are left out.

    >>> ours, theirs = np.array([[1.0], [1.0], [0.0], [1.0]] * 10), np.array([[0.0], [1.0], [0.0], [1.0]] * 10)
    >>> found = difference(ours, theirs)
    >>> found.mean, found.low > 0, found.high < 0.5
    (0.25, True, True)
    """
    a, b = of_items(ours), of_items(theirs)
    both = np.isfinite(a) & np.isfinite(b)
    one, other = (_statistics(each[both][:, None]) for each in (a, b))
    found = paired_difference(one, other, _MEAN, seed, resamples, LEVEL)
    return Estimate(found.difference, found.low, found.high)


def mean_of(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of figures: squared distances from mean to end add up over independent sources (Zou and Donner 2008).

    What comes from one source several times, as a task that is in two clusters, is no further evidence: its distances
    add up as they are.

    >>> found = mean_of([Estimate(0.5, 0.4, 0.6), Estimate(0.7, 0.67, 0.74)])
    >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3)  # half of √(0.1² + 0.03²) below
    (0.6, 0.548, 0.654)
    >>> twice = mean_of([Estimate(0.5, 0.4, 0.6).of("wet"), Estimate(0.5, 0.4, 0.6).of("wet")])
    >>> round(twice.low, 3), round(twice.high, 3)
    (0.4, 0.6)
    """
    count = len(estimates)
    mean = math.fsum(one.mean for one in estimates) / count
    parts: dict[str, tuple[float, float]] = {}
    for place, one in enumerate(estimates):
        for source, (below, above) in (one.parts or one.of(f"#{place}").parts).items():
            before = parts.get(source, (0.0, 0.0))
            parts[source] = (before[0] + below / count, before[1] + above / count)
    below, above = (math.hypot(*(part[end] for part in parts.values())) for end in (0, 1))
    named = all(one.parts for one in estimates)
    return Estimate(mean, mean - below, mean + above, parts if named else {})


def widened(estimate: Estimate, of_seeds: Sequence[float], lowest: float = -1.0) -> Estimate:
    """An interval over items, widened by what the seeds' own means say of the training's luck; none reaches beyond 1.

    >>> found = widened(Estimate(0.1, 0.05, 0.15), [0.06, 0.1, 0.14])  # Student: 4.303 · 0.04 / √3 = 0.0994
    >>> round(found.low, 4), round(found.high, 4)  # √(0.05² + 0.0994²) = 0.1112 to either side
    (-0.0112, 0.2112)
    """
    if len(of_seeds) < 2:
        return estimate
    half = student(0.5 + LEVEL / 2, len(of_seeds) - 1) * stdev(of_seeds) / math.sqrt(len(of_seeds))
    below, above = math.hypot(estimate.mean - estimate.low, half), math.hypot(estimate.high - estimate.mean, half)
    return Estimate(estimate.mean, max(lowest, estimate.mean - below), min(1.0, estimate.mean + above))


def student(share: float, freedom: int) -> float:
    """Student's quantile for a share of 0.5 or more; exact, for whole degrees of freedom make his distribution a finite
    sum (Abramowitz and Stegun 26.7.3 and 26.7.4).

    >>> [round(student(0.975, freedom), 3) for freedom in (1, 2, 3, 4, 9)]
    [12.706, 4.303, 3.182, 2.776, 2.262]
    """
    low, high = 0.0, 1.0
    while _within(high, freedom) < 2 * share - 1:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 2 * share - 1 else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """The probability of lying between -t and t."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    terms = [] if freedom == 1 else [term]
    for power in range(2 + odd, freedom - 1, 2):
        term *= cosine * cosine * (power - 1) / power
        terms.append(term)
    series = sine * math.fsum(terms)
    return 2 / math.pi * (angle + series) if odd else series


def of_items(values: Floats) -> Floats:
    """Each item's mean over the columns it was asked in, float64 [items], NaN where in none.

    Where some were not asked everywhere all are moved alike, so that their mean is the mean of the columns' means.
    """
    counted = np.isfinite(values)
    asked = counted.any(1)
    means = np.full(len(values), np.nan)
    means[asked] = np.where(counted, values, 0.0).sum(1)[asked] / counted.sum(1)[asked]
    return means + (mean_of_columns(values) - means[asked].mean()) if asked.any() else means


def mean_of_columns(values: Floats) -> float:
    """The mean over columns of each column's mean over its items."""
    counted = np.isfinite(values)
    there = counted.any(0)
    return float((np.where(counted, values, 0.0).sum(0)[there] / counted.sum(0)[there]).mean())


def _statistics(values: Floats) -> Floats:
    """As a mean's metric has them: [value, 1] of each answer."""
    return np.stack([values, np.where(np.isfinite(values), 1.0, np.nan)], axis=-1)
