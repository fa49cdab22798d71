from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tutelage.records import Leaf
from tutelage.tokens.forest import build_forest
from tutelage.tokens.planner import Order, permutation, plan_forests, share_out

SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=40)


def sequences(sizes: list[int]) -> list[list[Leaf]]:
    """Examples of one leaf each that share nothing: the first token tells them apart."""
    return [[Leaf(np.array([number, *range(size)], np.int32), 1)] for number, size in enumerate(sizes)]


def test_the_order_of_an_epoch_is_fixed() -> None:
    assert permutation(0, 0, 5).tolist() == [2, 4, 3, 0, 1]


def test_epochs_and_seeds_differ() -> None:
    orders = {tuple(permutation(seed, epoch, 20).tolist()) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


@given(SIZES, st.integers(1, 9), st.one_of(st.none(), st.integers(1, 120)), st.integers(0, 3))
def test_an_epoch_holds_every_example_once(
    sizes: list[int], batch_size: int, batch_tokens: int | None, epoch: int
) -> None:
    order = Order(lambda epoch: np.array(sizes), 7, batch_size, batch_tokens)
    place, seen = (epoch, 0), []
    while place[0] == epoch:
        step = order.step(*place)
        seen.append(step.examples)
        place = (step.next_epoch, step.next_cursor)
    assert sorted(np.concatenate(seen).tolist()) == list(range(len(sizes)))
    if batch_tokens is None:
        assert all(len(batch) == batch_size for batch in seen[:-1])
    else:
        tokens = np.array(sizes)
        assert all(tokens[batch].sum() <= batch_tokens or len(batch) == 1 for batch in seen)


def test_without_shuffling_the_order_is_the_data_s_own() -> None:
    order = Order(lambda epoch: np.array([4, 4, 4, 9, 2]), 7, 2, shuffle=False)
    assert [order.step(epoch, cursor).examples.tolist() for epoch in (0, 1) for cursor in range(3)] == [
        [0, 1],
        [2, 3],
        [4],
    ] * 2
    by_tokens = Order(lambda epoch: np.array([4, 4, 4, 9, 2]), 7, 2, batch_tokens=9, shuffle=False)
    assert [batch.tolist() for batch in by_tokens.epoch(0)] == [[0, 1], [2], [3], [4]]


def test_steps() -> None:
    order = Order(lambda epoch: np.full(10, 3), 0, 4)
    assert [order.steps(epochs) for epochs in (1, 2, 3.0, 0.5, 1.4, 0.01)] == [3, 6, 9, 2, 4, 1]
    assert Order(lambda epoch: np.full(10, 3), 0, 4, batch_tokens=6).steps(2) == 10


def test_epochs_that_differ() -> None:
    """Ten examples, then nine, then none that anybody knows of: steps are reckoned from the first epoch."""
    known = {0: np.full(10, 3), 1: np.full(9, 3)}
    order = Order(lambda epoch: known[epoch], 0, 4, constant=False)
    assert [order.steps(epochs) for epochs in (1, 2, 3.0, 0.5, 1.4, 0.01)] == [3, 6, 9, 2, 4, 1]
    assert sorted(np.concatenate(order.epoch(1)).tolist()) == list(range(9))
    assert order.step(1, 2).next_epoch == 2
    assert len(order.step(1, 2).examples) == 1


@given(SIZES, st.integers(8, 80))
def test_a_plan_holds_every_example_once_within_the_budget(sizes: list[int], budget: int) -> None:
    plan = plan_forests(sequences(sizes), budget)
    assert sorted(number for members in plan for number in members) == list(range(len(sizes)))
    for members in plan:
        assert sum(sizes[number] for number in members) <= budget or len(members) == 1


@given(SIZES, st.integers(8, 80))
def test_no_two_forests_could_be_one(sizes: list[int], budget: int) -> None:
    plan = plan_forests(sequences(sizes), budget)
    totals = sorted(sum(sizes[number] for number in members) for members in plan)
    assert len(totals) < 2 or totals[0] + totals[1] > budget


def test_best_fit_takes_the_fullest_forest_that_has_room() -> None:
    assert plan_forests(sequences([6, 5, 4, 3, 2]), 10) == [[0, 2], [1, 3, 4]]


def test_examples_with_a_common_prefix_stay_together() -> None:
    system = list(range(100, 150))
    shared = [[Leaf(np.array([*system, number, 1, 2], np.int32), 51)] for number in range(4)]
    alone = [[Leaf(np.array([200 + number] * 30, np.int32), 1)] for number in range(2)]
    mixed = [shared[0], alone[0], shared[1], shared[2], alone[1], shared[3]]
    plan = plan_forests(mixed, 64)
    assert [0, 2, 3, 5] in plan
    flat = [leaf for number in (0, 2, 3, 5) for leaf in mixed[number]]
    assert len(build_forest(flat, minimum_shared=32).token) == 50 + 4 * 2


@given(SIZES, st.integers(8, 80))
def test_a_plan_in_order_begins_with_the_first_examples(sizes: list[int], budget: int) -> None:
    plan = plan_forests(sequences(sizes), budget, in_order=True)
    assert [number for members in plan for number in members] == list(range(len(sizes)))
    for members, following in pairwise(plan):
        assert sum(sizes[number] for number in members) <= budget or len(members) == 1
        assert sum(sizes[number] for number in members) + sizes[following[0]] > budget


def test_a_plan_in_order_keeps_what_is_shared_together() -> None:
    system = list(range(100, 150))
    shared = [[Leaf(np.array([*system, number, 1, 2], np.int32), 51)] for number in range(3)]
    alone = [[Leaf(np.array([200 + number] * 30, np.int32), 1)] for number in range(3)]
    mixed = [alone[0], shared[0], alone[1], shared[1], alone[2], shared[2]]
    assert plan_forests(mixed, 88, in_order=True) == [[0, 1, 3, 5], [2, 4]]


@given(SIZES, st.integers(1, 5))
def test_every_forest_goes_to_one_rank(sizes: list[int], ranks: int) -> None:
    plan = plan_forests(sequences(sizes), 64)
    shares = share_out(plan, lambda number: sizes[number], ranks)
    assert sorted(map(tuple, plan)) == sorted(tuple(forest) for share in shares for forest in share)
    loads = [sum(sizes[number] for forest in share for number in forest) for share in shares]
    largest = max(sum(sizes[number] for number in forest) for forest in plan)
    assert max(loads) - min(loads) <= largest
