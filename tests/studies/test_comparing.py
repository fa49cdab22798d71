"""Tuned against untuned, worked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tutelage.studies.comparing import Pairing, compare, mean_comparison, means
from tutelage.studies.evidence import Sheet


def sheet(
    values: Sequence[Sequence[float]], items: str = "abcd", task: str = "wet", chance: float | None = 0.5
) -> Sheet:
    columns = tuple("xyz"[: len(values[0])])
    return Sheet(task, "accuracy", tuple(items), columns, np.array(values, dtype=float), True, chance)


BASE = sheet([[0, 0], [1, 0], [0, 0], [1, 1]])  # 3 of 8
FIRST = sheet([[1, 0], [1, 1], [0, 0], [1, 1]])  # 5 of 8
SECOND = sheet([[1, 1], [1, 1], [1, 0], [1, 1]])  # 7 of 8


def pairing(tuned: Sheet, seed: int = 0, base: Sheet = BASE) -> Pairing:
    return Pairing(seed, tuned, tuned.templates, base, base.templates)


def test_a_task_over_two_seeds() -> None:
    found = compare([pairing(FIRST, 0), pairing(SECOND, 1)])
    assert (found.tuned.mean, found.base.mean, found.difference.mean) == (6 / 8, 3 / 8, 3 / 8)
    assert found.seeds == {0: (5 / 8, 3 / 8), 1: (7 / 8, 3 / 8)}
    assert (found.items, found.tasks, found.chance) == (4, {"wet": 4}, 0.5)
    told = found.figures()
    assert told["difference"]["low"] < found.difference.low  # two seeds say little: Student's quantile is 12.7
    assert told["base"]["low"] == found.base.low == compare([pairing(FIRST)]).base.low


def test_only_items_and_wordings_of_both_are_compared() -> None:
    other = sheet([[1, 0], [1, 1], [1, 1]], items="bce")
    assert means(pairing(other)) == (3 / 4, 1 / 4)  # of b and c
    assert means(Pairing(0, FIRST, ("y",), BASE, ("y",))) == (2 / 4, 1 / 4)
    plain = sheet([[1], [1], [0], [0]])
    assert compare([pairing(FIRST, base=plain)]).difference.mean == pytest.approx(5 / 8 - 1 / 2)
    with pytest.raises(ValueError, match="no item of wet together"):
        compare([pairing(sheet([[1, 1]], items="z"))])


def test_tasks_count_alike_and_free_text_guesses_nothing() -> None:
    free = sheet([[1, 1]], items="f", task="free", chance=None)
    found = mean_comparison(
        [compare([pairing(FIRST)]), compare([pairing(free, base=sheet([[0, 0]], "f", "free", None))])]
    )
    assert found.tuned.mean == pytest.approx((5 / 8 + 1) / 2)
    assert (found.items, found.tasks, found.chance) == (5, {"wet": 4, "free": 1}, 0.25)
    assert mean_comparison([found, compare([pairing(FIRST)])]).items == 5
    alone = mean_comparison([compare([pairing(free, base=sheet([[0, 0]], "f", "free", None))])])
    assert alone.chance is None


def test_a_task_in_two_clusters_makes_their_mean_no_surer() -> None:
    wet = compare([pairing(FIRST)])
    dry = compare([pairing(replace(FIRST, task="dry"), base=replace(BASE, task="dry"))])
    shared = mean_comparison([wet, wet]).difference
    apart = mean_comparison([wet, dry]).difference
    assert (shared.low, shared.high) == pytest.approx((wet.difference.low, wet.difference.high))
    assert apart.high - apart.low < wet.difference.high - wet.difference.low


def test_seeds_are_compared_on_what_all_of_them_did() -> None:
    both = compare([pairing(FIRST, 0), pairing(SECOND, 1)])
    lacking = compare([pairing(FIRST, 0)])
    assert mean_comparison([both, lacking]).seeds == {0: (5 / 8, 3 / 8)}
    elsewhere = compare([pairing(SECOND, 2)])
    assert set(mean_comparison([lacking, elsewhere]).seeds) == {0, 2}
    apart = mean_comparison([lacking, elsewhere], same_seeds=True)
    assert apart.seeds == {}
    assert apart.figures()["difference"]["mean"] == pytest.approx(3 / 8)
