"""All examples of a run as token ids, in four flat arrays: a few bytes a token, and a file when the token cache wants
one."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.records import Leaf


@dataclass(frozen=True)
class LeafStore:
    """E examples of L leaves. Example e has the leaves `first_leaf[e]` … `first_leaf[e + 1] - 1`; a leaf's ids lie
    likewise.

    ids: int32 [sum of lengths], first_id: int64 [L + 1], start: int32 [L], first_leaf: int64 [E + 1].
    """

    ids: NDArray[np.int32]
    first_id: NDArray[np.int64]
    start: NDArray[np.int32]
    first_leaf: NDArray[np.int64]

    def __len__(self) -> int:
        """The number of examples."""
        return len(self.first_leaf) - 1

    def leaves(self, example: int) -> list[Leaf]:
        """The leaves of one example, as views."""
        numbers = range(int(self.first_leaf[example]), int(self.first_leaf[example + 1]))
        return [Leaf(self.ids[self.first_id[n] : self.first_id[n + 1]], int(self.start[n])) for n in numbers]

    def tokens(self) -> NDArray[np.int64]:
        """Tokens that each example feeds when its leaves share nothing: int64 [E], the measure of `batch_tokens`."""
        return self._per_example(np.diff(self.first_id) - 1)

    def supervised(self) -> NDArray[np.int64]:
        """Supervised tokens of each example: int64 [E]."""
        return self._per_example(np.diff(self.first_id) - self.start.astype(np.int64))

    def select(self, examples: NDArray[np.int64]) -> LeafStore:
        """A store of these examples alone, in this order."""
        builder = StoreBuilder()
        for example in examples:
            builder.add(self.leaves(int(example)))
        return builder.finish()

    def _per_example(self, per_leaf: NDArray[Any]) -> NDArray[np.int64]:
        total = np.concatenate([[0], np.cumsum(per_leaf)])
        return np.asarray(total[self.first_leaf[1:]] - total[self.first_leaf[:-1]], np.int64)


class StoreBuilder:
    """Collects examples one by one."""

    def __init__(self) -> None:
        self._ids = array("i")
        self._first_id = array("q", [0])
        self._start = array("i")
        self._first_leaf = array("q", [0])

    def add(self, leaves: Sequence[Leaf]) -> None:
        """Appends one example. Its leaves stay together through everything that follows."""
        for leaf in leaves:
            self._ids.frombytes(np.ascontiguousarray(leaf.ids, np.int32).tobytes())
            self._first_id.append(len(self._ids))
            self._start.append(leaf.start)
        self._first_leaf.append(len(self._start))

    def finish(self) -> LeafStore:
        """The store of everything added so far."""
        return LeafStore(
            np.array(self._ids, np.int32),
            np.array(self._first_id, np.int64),
            np.array(self._start, np.int32),
            np.array(self._first_leaf, np.int64),
        )
