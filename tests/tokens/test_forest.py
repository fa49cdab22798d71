from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tutelage.records import Forest, Leaf
from tutelage.tokens.forest import build_forest, common_prefix


def leaf(ids: list[int], start: int) -> Leaf:
    return Leaf(np.array(ids, np.int32), start)


# Few different ids, so that prefixes, continuations and duplicates are common.
LEAVES = st.lists(
    st.lists(st.integers(0, 2), min_size=2, max_size=9).flatmap(
        lambda ids: st.integers(1, len(ids) - 1).map(lambda start: leaf(ids, start))
    ),
    min_size=1,
    max_size=8,
)


def path_to(forest: Forest, index: int) -> list[int]:
    """The tokens that a row index sees, by the definition alone."""
    return [int(forest.token[k]) for k in range(index + 1) if index < forest.subtree_end[k]]


def test_the_example_of_the_design() -> None:
    forest = build_forest([leaf([1, 5, 6, 7, 2], 3), leaf([1, 5, 6, 8, 9, 2], 3)])
    assert forest.token.tolist() == [1, 5, 6, 7, 8, 9]
    assert forest.position.tolist() == [0, 1, 2, 3, 3, 4]
    assert forest.subtree_end.tolist() == [6, 6, 6, 4, 6, 6]
    assert forest.source.tolist() == [2, 3, 2, 4, 5]
    assert forest.target.tolist() == [7, 2, 8, 9, 2]
    assert forest.sequence.tolist() == [0, 0, 1, 1, 1]
    assert forest.weight.tolist() == [1.0] * 5


def test_a_short_shared_prefix_starts_another_tree() -> None:
    forest = build_forest([leaf([1, 5, 6, 7, 2], 3), leaf([1, 5, 6, 8, 9, 2], 3)], minimum_shared=4)
    assert forest.token.tolist() == [1, 5, 6, 7, 1, 5, 6, 8, 9]
    assert forest.position.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4]


def test_turns_of_a_conversation_are_one_path_however_short() -> None:
    forest = build_forest([leaf([1, 2, 3], 2), leaf([1, 2, 3, 4, 5], 4)], minimum_shared=99)
    assert forest.token.tolist() == [1, 2, 3, 4]
    assert forest.subtree_end.tolist() == [4] * 4
    assert forest.source.tolist() == [1, 3]


def test_a_token_supervised_twice_keeps_both_weights() -> None:
    forest = build_forest([leaf([1, 2, 3], 2), leaf([1, 2, 3], 2)], [0.5, 2.0])
    assert forest.token.tolist() == [1, 2]
    assert forest.source.tolist() == [1, 1]
    assert forest.weight.tolist() == [0.5, 2.0]


@given(LEAVES, st.integers(1, 6), st.booleans())
def test_every_prediction_sees_exactly_its_own_past(leaves: list[Leaf], minimum_shared: int, share: bool) -> None:
    forest = build_forest(leaves, minimum_shared=minimum_shared, share=share)
    at = 0
    for number, one in enumerate(leaves):
        for place in range(one.start, len(one.ids)):
            source = int(forest.source[at])
            assert path_to(forest, source) == one.ids[:place].tolist()
            assert forest.position[source] == place - 1
            assert forest.target[at] == one.ids[place]
            assert forest.sequence[at] == number
            at += 1
    assert at == len(forest.target)


@given(LEAVES)
def test_sharing_everything_feeds_each_prefix_once(leaves: list[Leaf]) -> None:
    forest = build_forest(leaves)
    prefixes = {tuple(one.ids[:size].tolist()) for one in leaves for size in range(1, len(one.ids))}
    assert len(forest.token) == len(prefixes)
    assert len(build_forest(leaves, share=False).token) == sum(len(one.ids) - 1 for one in leaves)


@given(st.lists(st.integers(0, 1), max_size=8), st.lists(st.integers(0, 1), max_size=8))
def test_common_prefix(left: list[int], right: list[int]) -> None:
    size = common_prefix(np.array(left, np.int32), np.array(right, np.int32))
    assert left[:size] == right[:size]
    assert size in (len(left), len(right)) or left[size] != right[size]
