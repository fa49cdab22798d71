"""The prefix forest: leaves in one row, in depth-first order of their prefix trees; what is shared is there once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tutelage.records import Forest, Leaf


def build_forest(
    leaves: Sequence[Leaf],
    weights: Sequence[float] | NDArray[np.float32] | None = None,
    minimum_shared: int = 1,
    share: bool = True,
) -> Forest:
    """Lays out leaves as a forest. `weights[i]` is the loss weight of every supervised token of leaf i (default 1).

    A prefix of fewer than `minimum_shared` tokens is not worth a branching and starts a tree of its own; a leaf that
    merely continues another one whole always shares. The last token of a leaf predicts nothing, so it is not fed. With
    `share=False` every leaf is a tree of its own, for models that can take nothing else.

    Example (prompt `1 5 6` with the answers `7 2` and `8 9 2`, where 2 ends a turn):

        >>> prompt = [1, 5, 6]
        >>> forest = build_forest([Leaf(np.array(prompt + [7, 2]), 3), Leaf(np.array(prompt + [8, 9, 2]), 3)])
        >>> print(forest.token, forest.position, forest.subtree_end)
        [1 5 6 7 8 9] [0 1 2 3 3 4] [6 6 6 4 6 6]
        >>> print(forest.source, forest.target, forest.sequence)
        [2 3 2 4 5] [7 2 8 9 2] [0 0 1 1 1]
    """
    order = sorted(range(len(leaves)), key=lambda number: sort_key(leaves[number].ids[:-1]))
    token: list[NDArray[np.int64]] = []
    position: list[NDArray[np.int64]] = []
    source: list[NDArray[np.int64]] = [np.empty(0, np.int64)] * len(leaves)
    subtree_end = np.zeros(sum(len(leaf.ids) - 1 for leaf in leaves), np.int64)
    path = np.empty(0, np.int64)  # the row index of each token on the way from the root to the latest leaf
    previous = np.empty(0, np.int64)
    size = 0
    for number in order:
        fed = leaves[number].ids[:-1].astype(np.int64)
        shared = shared_length(previous, fed, minimum_shared) if share else 0
        subtree_end[path[shared:]] = size  # the branch we leave is complete
        path = np.concatenate([path[:shared], np.arange(size, size + len(fed) - shared)])
        token.append(fed[shared:])
        position.append(np.arange(shared, len(fed)))
        source[number] = path[leaves[number].start - 1 :]
        size += len(fed) - shared
        previous = fed
    subtree_end[path] = size
    counts = [len(rows) for rows in source]
    leaf_weights = np.ones(len(leaves), np.float32) if weights is None else np.asarray(weights, np.float32)
    return Forest(
        token=_join(token),
        position=_join(position),
        subtree_end=subtree_end[:size],
        source=_join(source),
        target=_join([leaf.ids[leaf.start :].astype(np.int64) for leaf in leaves]),
        weight=np.repeat(leaf_weights, counts),
        sequence=np.repeat(np.arange(len(leaves), dtype=np.int64), counts),
    )


def sort_key(ids: NDArray[np.integer]) -> bytes:
    """Bytes that sort as the id sequences do: big-endian, so that one memory comparison orders two sequences."""
    return ids.astype(">u4").tobytes()


def shared_length(previous: NDArray[np.integer], ids: NDArray[np.integer], minimum_shared: int) -> int:
    """How many leading tokens of `ids` come from `previous`: the common prefix, or 0 where branching does not pay."""
    common = common_prefix(previous, ids)
    return common if common == len(previous) or common >= minimum_shared else 0


def laid_out(sequences: Sequence[NDArray[np.integer]], minimum_shared: int = 1) -> int:
    """Tokens that sequences take in one forest, whatever their order: 5 for `1 5 6` and `1 5 7 8`."""
    total = 0
    previous: NDArray[np.integer] = np.empty(0, np.int32)
    for ids in sorted(sequences, key=sort_key):
        total += len(ids) - shared_length(previous, ids, minimum_shared)
        previous = ids
    return total


def common_prefix(left: NDArray[np.integer], right: NDArray[np.integer]) -> int:
    """The length of the common prefix of two id sequences: `common_prefix([1, 5, 7], [1, 5, 6, 2]) == 2`."""
    size = min(len(left), len(right))
    different = left[:size] != right[:size]
    first = int(different.argmax()) if size else 0
    return first if size and different[first] else size


def _join(pieces: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)
