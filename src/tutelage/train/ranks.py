"""Several processes, one run: `torchrun --nproc-per-node=N -m tutelage tune …`. Alone, everything here does nothing.

Each rank computes its share of a global batch; sums go over all of them. Losses are divided by the whole batch's
denominators before, so gradients are summed and not averaged, and a rank may have nothing to do in a step.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Ranks:
    """This process's number and how many there are."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    def sum(self, values: Iterable[float], device: torch.device) -> list[float]:
        """Each value summed over the ranks."""
        if self.count == 1:
            return list(values)
        dtype = torch.float32 if device.type == "mps" else torch.float64
        tensor = torch.tensor(list(values), dtype=dtype, device=device)
        torch.distributed.all_reduce(tensor)
        summed: list[float] = tensor.tolist()
        return summed

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Adds up gradients over the ranks, in one flat message for each data type."""
        if self.count == 1:
            return
        by_type: dict[torch.dtype, list[Tensor]] = {}
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            by_type.setdefault(parameter.grad.dtype, []).append(parameter.grad)
        for gradients in by_type.values():
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            torch.distributed.all_reduce(flat)
            pieces = torch.split(flat, [gradient.numel() for gradient in gradients])
            for gradient, piece in zip(gradients, pieces, strict=True):
                gradient.copy_(piece.view_as(gradient))

    def wait(self) -> None:
        """Until all ranks are here."""
        if self.count > 1:
            torch.distributed.barrier()


@contextmanager
def joined() -> Iterator[Ranks]:
    """Within, this process is in the group that torchrun's environment describes; alone where there is none."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1 or torch.distributed.is_initialized():
        yield Ranks(torch.distributed.get_rank(), torch.distributed.get_world_size()) if count > 1 else Ranks()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    torch.distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Ranks(torch.distributed.get_rank(), count)
    finally:
        torch.distributed.destroy_process_group()
