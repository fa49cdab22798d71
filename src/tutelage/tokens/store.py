"""All examples of an epoch as token ids, in flat arrays: four bytes a token, and a few an example."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tutelage.records import Leaf
from tutelage.tokens.forest import laid_out

Ids = NDArray[np.int32]
Places = NDArray[np.int64]
Number = TypeVar("Number", bound=np.integer)


@dataclass(frozen=True)
class LeafStore:
    """E examples of L leaves: example e has the leaves `first_leaf[e]` … `first_leaf[e + 1] - 1`.

    parts: arrays of ids, int32, counted through as if they were one; they may be mapped files. Leaf n is the `size[n]`
    ids from `begin[n]` on, and learnt from its `start[n]`-th on. begin: int64 [L], size, start: int32 [L], first_leaf:
    int64 [E + 1], fed: int32 or int64 [E]. highest: the highest id of the parts. A selection shares the parts of its
    store, so it takes no memory for ids.
    """

    parts: tuple[Ids, ...]
    begin: Places
    size: NDArray[np.int32]
    start: NDArray[np.int32]
    first_leaf: Places
    fed: NDArray[np.integer]
    highest: int
    _ends: Places = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Where each part ends."""
        object.__setattr__(self, "_ends", np.cumsum([len(part) for part in self.parts], dtype=np.int64))

    def __len__(self) -> int:
        """The number of examples."""
        return len(self.first_leaf) - 1

    @cached_property
    def ids(self) -> Ids:
        """The ids of all leaves, one after the other: a copy, int32 [sum of sizes]."""
        leaves = [leaf.ids for example in range(len(self)) for leaf in self.leaves(example)]
        return np.concatenate([np.empty(0, np.int32), *leaves])

    def leaves(self, example: int) -> list[Leaf]:
        """The leaves of one example, as views."""
        return [self._leaf(n) for n in range(int(self.first_leaf[example]), int(self.first_leaf[example + 1]))]

    def _leaf(self, number: int) -> Leaf:
        begin = int(self.begin[number])
        part = 0 if len(self.parts) == 1 else int(np.searchsorted(self._ends, begin, side="right"))
        begin -= int(self._ends[part - 1]) if part else 0
        # A mapped file's array makes views slowly; a plain one of the same memory does not.
        ids = self._plain[part][begin : begin + int(self.size[number])]
        return Leaf(ids, int(self.start[number]))

    @cached_property
    def _plain(self) -> tuple[Ids, ...]:
        return tuple(np.asarray(part) for part in self.parts)

    def tokens(self) -> Places:
        """Tokens that each example feeds by itself: int64 [E], the measure of `batch_tokens`.

        Its leaves share their prefixes: a conversation's turns count once, however many of them are learnt.
        """
        return np.asarray(self.fed, np.int64)

    def supervised(self) -> Places:
        """Supervised tokens of each example: int64 [E]."""
        total = np.zeros(len(self.size) + 1, np.int64)
        np.cumsum(np.asarray(self.size, np.int64) - self.start, out=total[1:])
        return np.asarray(total[self.first_leaf[1:]] - total[self.first_leaf[:-1]], np.int64)

    def select(self, examples: Places) -> LeafStore:
        """A store of these examples alone, in this order."""
        examples = np.asarray(examples, np.int64)
        counts = np.diff(self.first_leaf)[examples]
        first_leaf = np.zeros(len(examples) + 1, np.int64)
        np.cumsum(counts, out=first_leaf[1:])
        # Each chosen example's leaves: its first one, and those that follow it.
        leaves = np.repeat(self.first_leaf[:-1][examples] - first_leaf[:-1], counts) + np.arange(first_leaf[-1])
        return LeafStore(
            self.parts,
            self.begin[leaves],
            self.size[leaves],
            self.start[leaves],
            first_leaf,
            self.fed[examples],
            self.highest,
        )


def joined(stores: Sequence[LeafStore]) -> LeafStore:
    """One store of the examples of all, in their order; their ids stay where they are.

    Stores of 2 leaves in 1 example and of 1 leaf in 1 example: `first_leaf` [0, 2] and [0, 1] become [0, 2, 3].
    """
    if len(stores) == 1:
        return stores[0]
    parts = tuple(part for store in stores for part in store.parts)
    ids_before = np.cumsum([0, *(sum(len(part) for part in store.parts) for store in stores)])
    leaves_before = np.cumsum([0, *(len(store.size) for store in stores)])
    return LeafStore(
        parts,
        _chained([store.begin + before for store, before in zip(stores, ids_before, strict=False)], np.int64),
        _chained([store.size for store in stores], np.int32),
        _chained([store.start for store in stores], np.int32),
        np.concatenate(
            [[0], *(store.first_leaf[1:] + before for store, before in zip(stores, leaves_before, strict=False))]
        ).astype(np.int64),
        _chained([store.tokens() for store in stores], np.int64),
        max((store.highest for store in stores), default=0),
    )


def _chained(arrays: Sequence[NDArray[Number]], dtype: type[Number]) -> NDArray[Number]:
    return np.concatenate([np.empty(0, dtype), *arrays]).astype(dtype, copy=False)


class Examples(Protocol):
    """What is gone through, epoch by epoch. Its methods may be called from several threads."""

    @property
    def constant(self) -> bool:
        """Whether every epoch has the same examples; else none but the first is known before it comes."""
        ...

    def store(self, epoch: int) -> LeafStore:
        """The examples of an epoch, which may take a while."""
        ...

    def factors(self, epoch: int) -> NDArray[np.float32]:
        """What the loss of each example counts besides: float32 [E]."""
        ...

    def prepare(self, epoch: int) -> None:
        """This epoch comes next: it may be made in the background."""
        ...

    def close(self) -> None:
        """No epoch will be asked for any more: what goes on in the background ends soon."""
        ...


@dataclass(frozen=True)
class SameEveryEpoch:
    """Examples that are there from the beginning. counts: their factors, float32 [E]; None: all one."""

    held: LeafStore
    counts: NDArray[np.float32] | None = None
    constant = True

    def store(self, epoch: int) -> LeafStore:
        """The one store."""
        return self.held

    def factors(self, epoch: int) -> NDArray[np.float32]:
        """The same in every epoch."""
        return np.ones(len(self.held), np.float32) if self.counts is None else self.counts

    def prepare(self, epoch: int) -> None:
        """It is."""

    def close(self) -> None:
        """Nothing goes on."""


class StoreBuilder:
    """Collects examples one by one."""

    def __init__(self) -> None:
        self._ids = array("i")
        self._begin = array("q")
        self._size = array("i")
        self._start = array("i")
        self._first_leaf = array("q", [0])
        self._fed = array("i")

    def add(self, leaves: Sequence[Leaf]) -> None:
        """Appends one example. Its leaves stay together through everything that follows."""
        for leaf in leaves:
            self._begin.append(len(self._ids))
            self._ids.frombytes(np.ascontiguousarray(leaf.ids, np.int32).tobytes())
            self._size.append(len(leaf.ids))
            self._start.append(leaf.start)
        self._first_leaf.append(len(self._start))
        self._fed.append(len(leaves[0].ids) - 1 if len(leaves) == 1 else laid_out([leaf.ids[:-1] for leaf in leaves]))

    def finish(self) -> LeafStore:
        """The store of everything added so far."""
        ids = np.array(self._ids, np.int32)
        return LeafStore(
            (ids,),
            np.array(self._begin, np.int64),
            np.array(self._size, np.int32),
            np.array(self._start, np.int32),
            np.array(self._first_leaf, np.int64),
            np.array(self._fed, np.int32),
            int(ids.max(initial=0)),
        )
