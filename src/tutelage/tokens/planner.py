"""Which examples make a step, and how they are laid out.

`Order` answers the first as a pure function of (seed, epoch, cursor): nothing is remembered, so a resumed run needs two
numbers and an epoch never repeats the one before. `plan_forests` answers the second: it cuts a global batch into
forests of at most `tokens_per_forest` tokens. The result of a step does not depend on that cut (promise 2), only memory
and speed do.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tutelage.records import Leaf
from tutelage.tokens.forest import laid_out, shared_length, sort_key

# Branching costs attention a gathered copy of the prefix's keys in every layer. On a CPU sharing 8 tokens already saves
# 4 to 9 %, 32 save 17 to 44 % (benchmarks/sharing.py); below that the gain is small, and CUDA would lose its kernel for
# plain packing.
MINIMUM_SHARED = 32


def permutation(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    """The order of one epoch, int64 [size]: `permutation(0, 0, 5)` is always `[2, 4, 3, 0, 1]`."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, epoch]))).permutation(size)


@dataclass(frozen=True)
class Step:
    """One global batch: the examples, and the (epoch, cursor) that follows it. `cursor` counts batches of the epoch."""

    examples: NDArray[np.int64]
    next_epoch: int
    next_cursor: int


class Order:
    """Batches of an epoch in their order. The last one of an epoch may be smaller; no batch crosses epochs."""

    def __init__(
        self,
        tokens: Callable[[int], NDArray[np.int64]],
        seed: int,
        batch_size: int,
        batch_tokens: int | None = None,
        *,
        constant: bool = True,
        shuffle: bool = True,
    ) -> None:
        """tokens: of the examples of an epoch, int64 [E]; constant: they are the same in every epoch.

        shuffle: false: in their own order, every epoch the same.
        """
        self._tokens = tokens
        self._constant = constant
        self._shuffle = shuffle
        self._seed = seed
        self._batch_size = batch_size
        self._batch_tokens = batch_tokens
        self.epoch = lru_cache(maxsize=2)(self._epoch)

    def step(self, epoch: int, cursor: int) -> Step:
        """The batch at a place: two places never hold the same example of one epoch."""
        batches = self.epoch(epoch)
        following = (epoch, cursor + 1) if cursor + 1 < len(batches) else (epoch + 1, 0)
        return Step(batches[cursor], *following)

    def steps(self, epochs: float) -> int:
        """How many steps so many epochs take; a part of an epoch counts as that part of its steps, at least one.

        Where the epochs differ, all are taken to have as many steps as the first, for the others are not known yet.
        """
        if not self._constant:
            return max(1, round(epochs * len(self.epoch(0))))
        whole = int(epochs)
        total = (
            sum(len(self._epoch(epoch)) for epoch in range(whole)) if self._batch_tokens else whole * len(self.epoch(0))
        )
        if epochs > whole:
            total += max(1, round((epochs - whole) * len(self._epoch(whole))))
        return total

    def _epoch(self, epoch: int) -> list[NDArray[np.int64]]:
        lengths = self._tokens(epoch)
        order = permutation(self._seed, epoch, len(lengths)) if self._shuffle else np.arange(len(lengths))
        if self._batch_tokens is None:
            return np.split(order, range(self._batch_size, len(order), self._batch_size))
        cuts, filled = [], 0
        for place, tokens in enumerate(lengths[order].tolist()):
            if filled and filled + tokens > self._batch_tokens:
                cuts.append(place)
                filled = 0
            filled += tokens
        return np.split(order, cuts)


def plan_forests(
    examples: Sequence[Sequence[Leaf]],
    tokens_per_forest: int,
    minimum_shared: int = MINIMUM_SHARED,
    share: bool = True,
    in_order: bool = False,
) -> list[list[int]]:
    """Splits a global batch into forests of at most `tokens_per_forest` tokens as laid out: lists of example numbers.

    Examples that share a prefix worth sharing are kept together as far as they fit; what results is placed largest
    first, each where the least room remains (best fit decreasing, O(n log n) comparisons). An example is never split:
    one that is too large is a forest of its own. With `in_order` forests are filled one after the other, the first
    examples first, as far as sharing goes: for work whose results are wanted early.
    """
    if share:
        units = _units(examples, tokens_per_forest, minimum_shared)
    else:
        units = [(sum(len(leaf.ids) - 1 for leaf in leaves), [number]) for number, leaves in enumerate(examples)]
    if in_order:
        return _one_after_the_other(units, tokens_per_forest)
    forests = _best_fit(units, tokens_per_forest)
    # As many forests, but even ones: the largest decides the peak of memory, and ranks wait for each other.
    even = -(-sum(size for size, _ in units) // max(1, len(forests)))
    for budget in (even, even + even // 16, even + even // 4):
        evened = _best_fit(units, min(budget, tokens_per_forest))
        if len(evened) == len(forests):
            return evened
    return forests


def _best_fit(units: Sequence[tuple[int, list[int]]], budget: int) -> list[list[int]]:
    rooms: list[tuple[int, int]] = []  # (room left, forest number), ascending
    forests: list[list[int]] = []
    for size, members in sorted(units, key=lambda unit: (-unit[0], unit[1])):
        place = bisect.bisect_left(rooms, (size, -1))
        if place < len(rooms):
            room, number = rooms.pop(place)
            forests[number].extend(members)
        else:
            room, number = budget, len(forests)
            forests.append(list(members))
        if room > size:
            bisect.insort(rooms, (room - size, number))
    return [sorted(members) for members in forests]


def _one_after_the_other(units: Sequence[tuple[int, list[int]]], budget: int) -> list[list[int]]:
    forests: list[list[int]] = []
    room = 0
    for size, members in sorted(units, key=lambda unit: min(unit[1])):
        if size > room:
            forests.append([])
            room = budget
        forests[-1].extend(members)
        room -= size
    return [sorted(members) for members in forests]


def share_out(forests: Sequence[list[int]], tokens: Callable[[int], int], ranks: int) -> list[list[list[int]]]:
    """Gives forests to ranks so that their loads are even: largest first, each to the rank with the least so far."""
    shares: list[list[list[int]]] = [[] for _ in range(ranks)]
    load = [0] * ranks
    for forest in sorted(forests, key=lambda members: -sum(map(tokens, members))):
        least = load.index(min(load))
        shares[least].append(forest)
        load[least] += sum(map(tokens, forest))
    return shares


def _units(examples: Sequence[Sequence[Leaf]], budget: int, minimum_shared: int) -> list[tuple[int, list[int]]]:
    """Runs of examples that share a prefix, cut at the budget: (tokens as laid out, example numbers)."""
    sized = []
    for number, leaves in enumerate(examples):
        fed = sorted((leaf.ids[:-1] for leaf in leaves), key=sort_key)
        sized.append((sort_key(fed[0]), number, fed))
    sized.sort(key=lambda item: item[:2])
    units: list[tuple[int, list[int]]] = []
    previous: NDArray[np.int32] = np.empty(0, np.int32)
    for _, number, fed in sized:
        alone = laid_out(fed, minimum_shared)
        shared = shared_length(previous, fed[0], minimum_shared) if len(previous) else 0
        if shared and units[-1][0] + alone - shared <= budget:
            units[-1] = (units[-1][0] + alone - shared, [*units[-1][1], number])
        else:
            units.append((alone, [number]))
        previous = fed[-1]
    return units
