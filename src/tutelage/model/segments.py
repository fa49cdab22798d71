"""How attention over a forest is cut into calls of ordinary attention: blocks of queries, slices of keys they see.

A *segment* is a run of the row in which every token continues the one before. It sees its ancestors' slices and,
causally, itself. Packed sequences that share nothing are segments with one slice: plain causal attention, no mask at
all. Short siblings under the same ancestors are grouped into one block with a mask, since a call has a cost of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tutelage.records import Forest

# Measured on two cores (benchmarks/sharing.py): siblings shorter than this are faster together, up to so many queries a
# call.
SHORT_SIBLING = 32
GROUP_LIMIT = 256

Slice = tuple[int, int]


@dataclass(frozen=True)
class Block:
    """Queries [start, end) and the key slices they see.

    Without `masked`, the one slice is the block itself, seen causally.
    """

    start: int
    end: int
    keys: tuple[Slice, ...]
    masked: bool


def blocks_of(forest: Forest) -> tuple[Block, ...]:
    """The blocks that cover a forest, in order.

    The forest of `build_forest`'s example (prompt of 3, branches of 1 and 2) is two segments, of which the second sees
    the prompt:

        Block(start=0, end=4, keys=((0, 4),), masked=False), Block(start=4, end=6, keys=((0, 3), (4, 6)), masked=True)
    """
    blocks: list[Block] = []
    for start, end, ancestors in _segments(forest.position, forest.subtree_end):
        last = blocks[-1] if blocks else None
        if last and _groups(last, start, end, ancestors):
            blocks[-1] = Block(last.start, end, (*ancestors, (last.start, end)), True)
        else:
            blocks.append(Block(start, end, (*ancestors, (start, end)), bool(ancestors)))
    return tuple(blocks)


def visible(forest: Forest, block: Block, window: int = 0) -> NDArray[np.bool_]:
    """Which keys each query of a block sees: bool [queries, keys].

    window: above 0, only the latest so many tokens of the path.
    """
    query = np.arange(block.start, block.end)[:, None]
    key = np.concatenate([np.arange(*piece) for piece in block.keys])[None, :]
    seen = (key <= query) & (query < forest.subtree_end[key])
    if window:
        seen &= forest.position[query] - forest.position[key] < window
    return np.asarray(seen)


def visible_everywhere(forest: Forest) -> NDArray[np.bool_]:
    """The whole forest's visibility, bool [T, T]: the reference that every backend is tested against."""
    size = len(forest.token)
    return visible(forest, Block(0, size, ((0, size),), True))


def roots(forest: Forest) -> list[Slice]:
    """The trees of a forest. Where nothing is shared, these are the sequences themselves."""
    starts = np.flatnonzero(forest.position == 0).tolist()
    return list(zip(starts, [*starts[1:], len(forest.position)], strict=True))


def _segments(position: NDArray[np.int64], subtree_end: NDArray[np.int64]) -> list[tuple[int, int, tuple[Slice, ...]]]:
    size = len(position)
    index = np.arange(1, size)
    continues = (position[1:] == position[:-1] + 1) & (index < subtree_end[:-1])
    starts = [0, *(index[~continues]).tolist()]
    segments: list[tuple[int, int, tuple[Slice, ...]]] = []
    path: list[Slice] = []  # the slices from the root to the latest segment
    for start, end in zip(starts, [*starts[1:], size], strict=True):
        path = _cut(path, int(position[start]))
        segments.append((start, end, tuple(path)))
        path.append((start, end))
    return segments


def _cut(path: list[Slice], length: int) -> list[Slice]:
    """The first `length` tokens of a path: `_cut([(0, 4), (9, 12)], 5) == [(0, 4), (9, 10)]`."""
    kept: list[Slice] = []
    for start, end in path:
        if length <= 0:
            break
        kept.append((start, min(end, start + length)))
        length -= end - start
    return kept


def _groups(last: Block, start: int, end: int, ancestors: tuple[Slice, ...]) -> bool:
    """Whether a segment joins the block before it: same ancestors, short, and the block not yet full."""
    return (
        bool(ancestors)
        and last.keys[:-1] == ancestors
        and end - start <= SHORT_SIBLING
        and last.keys[-1][1] - last.keys[-1][0] + end - start <= GROUP_LIMIT
    )
