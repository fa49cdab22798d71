"""Intervals of a study: known numbers, what must hold of any, and how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.studies.intervals import Estimate, difference, mean_of, of_items, score, student, widened

GRID = st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=3, max_size=3), min_size=2, max_size=20)


@pytest.mark.parametrize(
    ("share", "freedom", "quantile"),
    [(0.975, 1, 12.7062), (0.975, 2, 4.3027), (0.975, 5, 2.5706), (0.975, 30, 2.0423), (0.95, 4, 2.1318)],
)
def test_students_quantiles_are_those_of_the_tables(share: float, freedom: int, quantile: float) -> None:
    assert student(share, freedom) == pytest.approx(quantile, abs=1e-4)


def test_one_seed_widens_nothing_and_nothing_reaches_beyond_the_best() -> None:
    estimate = Estimate(0.9, 0.85, 0.95)
    assert widened(estimate, [0.9]) == estimate
    wide = widened(estimate, [0.2, 1.0, 1.0], lowest=0.0)
    assert (wide.low, wide.high) == (0.0, 1.0)
    assert widened(estimate, [0.9, 0.9, 0.9]).low == pytest.approx(0.85)


@given(st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=8))
def test_seeds_only_ever_widen(of_seeds: list[float]) -> None:
    wide = widened(Estimate(0.1, 0.05, 0.16), of_seeds)
    assert wide.low <= 0.05 + 1e-12
    assert wide.high >= 0.16 - 1e-12


def test_the_mean_of_alike_estimates_is_surer_by_the_root_of_their_number() -> None:
    found = mean_of([Estimate(0.5, 0.4, 0.6)] * 4)
    assert found.mean - found.low == pytest.approx(0.1 / math.sqrt(4))


def test_what_comes_from_one_source_twice_is_no_further_evidence() -> None:
    wet, cold = Estimate(0.5, 0.4, 0.6).of("wet"), Estimate(0.7, 0.66, 0.72).of("cold")
    assert mean_of([wet, wet]).low == pytest.approx(0.4)
    clusters = [mean_of([wet, cold]), mean_of([wet])]
    found = mean_of(clusters)  # wet counts ¼ and ½, cold ¼
    assert found.mean - found.low == pytest.approx(math.hypot(0.75 * 0.1, 0.25 * 0.04))
    assert found.high - found.mean == pytest.approx(math.hypot(0.75 * 0.1, 0.25 * 0.02))
    unnamed = mean_of([mean_of([Estimate(0.5, 0.4, 0.6)] * 2), mean_of([Estimate(0.5, 0.4, 0.6)] * 2)])
    assert unnamed.low == pytest.approx(0.5 - 0.1 / 2)  # four of their own


def test_an_item_is_the_mean_of_its_wordings_and_the_items_mean_is_the_score() -> None:
    values = np.array([[1.0, 0.0], [1.0, np.nan], [np.nan, np.nan], [0.0, 0.0]])
    found = of_items(values)
    assert np.isnan(found[2])
    assert np.nanmean(found) == pytest.approx((2 / 3 + 0) / 2)  # columns: 2/3 of three, 0 of two
    assert found[1] - found[0] == pytest.approx(0.5)


@given(GRID, GRID)
def test_a_difference_is_that_of_the_scores_and_turns_around(
    ours: list[list[float]], theirs: list[list[float]]
) -> None:
    count = min(len(ours), len(theirs))
    a, b = np.array(ours[:count]), np.array(theirs[:count])
    found, turned = difference(a, b, resamples=200), difference(b, a, resamples=200)
    assert found.mean == pytest.approx(a.mean() - b.mean())
    assert found.low <= found.mean + 1e-9
    assert found.mean <= found.high + 1e-9
    assert turned.mean == pytest.approx(-found.mean)
    assert score(a, True, resamples=200).mean == pytest.approx(a.mean())


def test_nothing_asked_has_no_score() -> None:
    with pytest.raises(ValueError, match="nothing to be scored"):
        score(np.full((3, 2), np.nan), True)


def test_the_interval_holds_the_truth_although_seeds_differ() -> None:
    """Right or wrong, 60 items, 3 wordings, 3 seeds; the items' interval alone is far too narrow (0.79)."""
    held = narrow = 0
    dice = np.random.default_rng(0)

    def share(*effects: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-sum(effects))))

    many = [dice.normal(0, scale, 400_000) for scale in (1.0, 0.3, 0.5)]
    truth = share(0.3 + many[0], many[1], many[2]).mean() - share(many[0]).mean()
    cases = 120
    for _ in range(cases):
        item, seed, rest = (
            dice.normal(0, scale, shape) for scale, shape in ((1.0, (60, 1, 1)), (0.3, (1, 3, 1)), (0.5, (60, 3, 1)))
        )
        tuned = (dice.random((60, 3, 3)) < share(0.3 + item, seed, rest)).astype(float)
        base = (dice.random((60, 3)) < share(item[:, 0])).astype(float)
        over_items = difference(tuned.reshape(60, 9), np.tile(base, (1, 3)), resamples=300)
        found = widened(over_items, [float(tuned[:, one].mean() - base.mean()) for one in range(3)])
        held += found.low <= truth <= found.high
        narrow += over_items.low <= truth <= over_items.high
    assert held / cases >= 0.93
    assert narrow / cases < 0.9
