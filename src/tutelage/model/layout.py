"""A forest on a device, with what attention needs prepared once and used by every layer."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tutelage.model.segments import Block, Slice, blocks_of, roots, visible
from tutelage.records import Forest

if TYPE_CHECKING:
    from collections.abc import Iterator


class Layout:
    """The tensors of a forest, and the masks of its blocks, made when first asked for.

    token, position, subtree_end: int64 [1, T]; source, target, sequence: int64 [N]; weight: float32 [N].
    """

    def __init__(self, forest: Forest, device: torch.device | str = "cpu", backend: str | None = None) -> None:
        self.forest = forest
        self.device = torch.device(device)
        self.token, self.position, self.subtree_end = (
            self._put(array)[None] for array in (forest.token, forest.position, forest.subtree_end)
        )
        self.source, self.target = self._put(forest.source), self._put(forest.target)
        self.weight, self.sequence = self._put(forest.weight), self._put(forest.sequence)
        self.blocks: tuple[Block, ...] = blocks_of(forest)
        self.shares = any(len(block.keys) > 1 for block in self.blocks)
        self.backend = backend or self._fitting_backend()
        self._masks: dict[tuple[Block, int], Tensor] = {}
        self.block_masks: dict[int, Any] = {}  # FlexAttention's, by window

    @property
    def size(self) -> int:
        """T, the number of tokens fed."""
        return len(self.forest.token)

    @cached_property
    def roots(self) -> list[Slice]:
        """Where each tree begins and ends."""
        return roots(self.forest)

    @cached_property
    def edges(self) -> tuple[Tensor, int]:
        """(0 and the end of each tree, int32 on the device; the longest tree): what variable-length kernels take."""
        ends = torch.tensor([0, *(end for _, end in self.roots)], dtype=torch.int32, device=self.device)
        return ends, max(end - start for start, end in self.roots)

    def mask(self, block: Block, window: int) -> Tensor:
        """Which keys each query of a block sees: bool [queries, keys]."""
        key = (block, window)
        if key not in self._masks:
            self._masks[key] = torch.from_numpy(visible(self.forest, block, window)).to(self.device)
        return self._masks[key]

    def whole(self) -> Block:
        """The forest as one masked block: what the dense reference attends over."""
        return Block(0, self.size, ((0, self.size),), True)

    def _put(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device, non_blocking=True)

    def _fitting_backend(self) -> str:
        if self.device.type != "cuda":
            return "segments"
        return "flex" if self.shares else "varlen"


_current: ContextVar[Layout | None] = ContextVar("tutelage_forest", default=None)


def current() -> Layout | None:
    """The layout that the forward pass going on is about; None outside, where attention is the ordinary one."""
    return _current.get()


@contextmanager
def using(layout: Layout | None) -> Iterator[None]:
    """Within, the models' attention is attention over this forest."""
    token = _current.set(layout)
    try:
        yield
    finally:
        _current.reset(token)


def checkpoint_contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """For activation checkpointing: the recomputation, in whichever thread it runs, sees the forest of its forward."""
    return nullcontext(), using(current())
