"""A global batch at a place (epoch, cursor): its forests, its denominator, and what follows it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tutelage.records import Forest
from tutelage.tokens.forest import build_forest
from tutelage.tokens.planner import MINIMUM_SHARED, Order, plan_forests, share_out
from tutelage.tokens.store import LeafStore


@dataclass(frozen=True)
class Batch:
    """One step's work. `forests` are this rank's; all other figures are the whole batch's.

    denominator: what the summed loss is divided by. tokens: as if examples shared nothing with each other. epoch:
    passes over the data when it is done.
    """

    forests: list[Forest]
    denominator: float
    examples: int
    tokens: int
    supervised_tokens: int
    epoch: float
    next_place: tuple[int, int]


class Batches:
    """Makes batches from a store. `weights[e]` is the loss weight of each supervised token of example e, float32 [E].

    share: whether the model takes shared prefixes; one that runs its sequences alone gets each as a tree of its own.
    """

    def __init__(
        self,
        store: LeafStore,
        order: Order,
        weights: NDArray[np.float32],
        tokens_per_forest: int,
        *,
        share: bool = True,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self.store = store
        self.order = order
        self.tokens = store.tokens()
        self.supervised = store.supervised()
        self._weights = weights
        self._tokens_per_forest = tokens_per_forest
        self._share = share
        self._rank = rank
        self._ranks = ranks

    def at(self, place: tuple[int, int]) -> Batch:
        """The batch at (epoch, cursor): a pure function of the store, the order's seed and the place."""
        epoch, cursor = place
        step = self.order.step(epoch, cursor)
        done = (cursor + 1) / len(self.order.epoch(epoch))
        return Batch(
            forests=self.forests(step.examples),
            denominator=float((self._weights[step.examples].astype(np.float64) * self.supervised[step.examples]).sum()),
            examples=len(step.examples),
            tokens=int(self.tokens[step.examples].sum()),
            supervised_tokens=int(self.supervised[step.examples].sum()),
            epoch=epoch + done,
            next_place=(step.next_epoch, step.next_cursor),
        )

    def all(self) -> Iterator[Batch]:
        """Every batch of the first epoch: how a validation set is gone through."""
        place = (0, 0)
        while place[0] == 0:
            batch = self.at(place)
            yield batch
            place = batch.next_place

    def forests(self, examples: NDArray[np.int64]) -> list[Forest]:
        """This rank's forests of a global batch."""
        leaves = [self.store.leaves(int(example)) for example in examples]
        plan = plan_forests(leaves, self._tokens_per_forest, share=self._share)
        mine = share_out(plan, lambda number: int(self.tokens[examples[number]]), self._ranks)[self._rank]
        forests = []
        for members in mine:
            weights = [self._weights[examples[number]] for number in members for _ in leaves[number]]
            flat = [leaf for number in members for leaf in leaves[number]]
            forests.append(build_forest(flat, weights, MINIMUM_SHARED, self._share))
        return forests


class Ahead:
    """Makes the next batch in a thread while the current one is computed."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._thread = ThreadPoolExecutor(1, "batches")
        self._waiting: tuple[tuple[int, int], Future[Batch]] | None = None

    def at(self, place: tuple[int, int]) -> Batch:
        """The batch at a place; the one that follows it is begun."""
        known = self._waiting is not None and self._waiting[0] == place
        batch = self._waiting[1].result() if self._waiting and known else self._batches.at(place)
        self._waiting = (batch.next_place, self._thread.submit(self._batches.at, batch.next_place))
        return batch

    def close(self) -> None:
        """Ends the thread."""
        self._thread.shutdown(cancel_futures=True)
