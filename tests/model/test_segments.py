from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.tokens.test_forest import LEAVES, leaf
from tutelage.model.segments import Block, blocks_of, roots, visible, visible_everywhere
from tutelage.records import Leaf
from tutelage.tokens.forest import build_forest


def test_the_example_of_the_docstring() -> None:
    forest = build_forest([leaf([1, 5, 6, 7, 2], 3), leaf([1, 5, 6, 8, 9, 2], 3)])
    assert blocks_of(forest) == (
        Block(start=0, end=4, keys=((0, 4),), masked=False),
        Block(start=4, end=6, keys=((0, 3), (4, 6)), masked=True),
    )


def test_packing_without_sharing_needs_no_mask() -> None:
    forest = build_forest([leaf([1, 2, 3, 4], 1), leaf([5, 6, 7], 1)])
    assert blocks_of(forest) == (Block(0, 3, ((0, 3),), False), Block(3, 5, ((3, 5),), False))
    assert roots(forest) == [(0, 3), (3, 5)]


def test_short_siblings_are_one_block() -> None:
    forest = build_forest([leaf([1, 2, number, 9], 2) for number in range(3, 8)])
    blocks = blocks_of(forest)
    assert [(block.start, block.end) for block in blocks] == [(0, 3), (3, 7)]
    assert blocks[1].keys == ((0, 2), (3, 7))


@given(LEAVES, st.integers(0, 4), st.integers(1, 5))
def test_blocks_see_what_the_definition_says(leaves: list[Leaf], window: int, minimum_shared: int) -> None:
    forest = build_forest(leaves, minimum_shared=minimum_shared)
    size = len(forest.token)
    query, key = np.arange(size)[:, None], np.arange(size)[None, :]
    expected = (key <= query) & (query < forest.subtree_end[None, :])
    assert np.array_equal(visible_everywhere(forest), expected)
    if window:
        expected &= forest.position[:, None] - forest.position[None, :] < window
    found = np.zeros((size, size), bool)
    covered: list[int] = []
    for block in blocks_of(forest):
        keys = np.concatenate([np.arange(*piece) for piece in block.keys])
        found[block.start : block.end, keys] = visible(forest, block, window)
        covered += range(block.start, block.end)
        if not block.masked:
            assert np.array_equal(visible(forest, block), np.tri(block.end - block.start, dtype=bool))
    assert covered == list(range(size))
    assert np.array_equal(found, expected)
