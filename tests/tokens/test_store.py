from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tutelage.records import Leaf
from tutelage.tokens.forest import build_forest
from tutelage.tokens.store import LeafStore, SameEveryEpoch, StoreBuilder, joined

EXAMPLES = st.lists(
    st.lists(
        st.lists(st.integers(0, 2**31 - 1), min_size=2, max_size=6).flatmap(
            lambda ids: st.integers(1, len(ids) - 1).map(lambda start: Leaf(np.array(ids, np.int32), start))
        ),
        min_size=1,
        max_size=3,
    ),
    max_size=6,
)


def store_of(examples: list[list[Leaf]]) -> LeafStore:
    builder = StoreBuilder()
    for leaves in examples:
        builder.add(leaves)
    return builder.finish()


def contents(store: LeafStore) -> list[list[tuple[list[int], int]]]:
    return [[(leaf.ids.tolist(), leaf.start) for leaf in store.leaves(number)] for number in range(len(store))]


@given(EXAMPLES)
def test_what_goes_in_comes_out(examples: list[list[Leaf]]) -> None:
    builder = StoreBuilder()
    for leaves in examples:
        builder.add(leaves)
    store = builder.finish()
    assert len(store) == len(examples)
    for number, leaves in enumerate(examples):
        found = [(leaf.ids.tolist(), leaf.start) for leaf in store.leaves(number)]
        assert found == [(leaf.ids.tolist(), leaf.start) for leaf in leaves]
        assert store.tokens()[number] == len(build_forest(leaves).token)
        assert store.supervised()[number] == sum(len(leaf.ids) - leaf.start for leaf in leaves)


def test_a_selection_keeps_its_order() -> None:
    builder = StoreBuilder()
    for number in range(5):
        builder.add([Leaf(np.array([number, number + 1], np.int32), 1)])
    chosen = builder.finish().select(np.array([3, 0]))
    assert [chosen.leaves(number)[0].ids.tolist() for number in range(2)] == [[3, 4], [0, 1]]


@given(st.lists(EXAMPLES, min_size=1, max_size=3), st.data())
def test_a_selection_of_joined_stores_is_what_it_chose(parts: list[list[list[Leaf]]], data: st.DataObject) -> None:
    whole = joined([store_of(examples) for examples in parts])
    places = data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8) if len(whole) else st.just([]))
    chosen = whole.select(np.array(places, np.int64))
    every = contents(whole)
    assert contents(chosen) == [every[place] for place in places]
    assert chosen.tokens().tolist() == [whole.tokens()[place] for place in places]
    assert chosen.supervised().tolist() == [whole.supervised()[place] for place in places]
    assert chosen.ids.tolist() == [one for place in places for ids, _ in every[place] for one in ids]
    assert chosen.parts is whole.parts, "a selection takes no memory for ids"


@given(st.lists(EXAMPLES, min_size=1, max_size=4))
def test_joined_stores_are_the_store_of_everything(parts: list[list[list[Leaf]]]) -> None:
    found = joined([store_of(examples) for examples in parts])
    expected = store_of([leaves for examples in parts for leaves in examples])
    for name in ("ids", "size", "start", "first_leaf"):
        one, other = getattr(found, name), getattr(expected, name)
        assert one.tolist() == other.tolist(), name
        assert one.dtype == other.dtype, name
    assert found.tokens().tolist() == expected.tokens().tolist()
    assert found.highest == expected.highest
    assert contents(found) == [
        [(leaf.ids.tolist(), leaf.start) for leaf in leaves] for part in parts for leaves in part
    ]


def test_what_is_there_is_the_same_in_every_epoch() -> None:
    store = store_of([[Leaf(np.array([1, 2], np.int32), 1)]] * 3)
    examples = SameEveryEpoch(store)
    examples.prepare(5)
    examples.close()
    assert examples.constant
    assert examples.store(0) is examples.store(7) is store
    assert examples.factors(3).tolist() == [1, 1, 1]
