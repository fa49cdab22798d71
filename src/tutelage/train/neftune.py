"""NEFTune (Jain et al. 2023): uniform noise on the embeddings while training, ±alpha ÷ √(length · width)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tutelage.model.layout import current


@contextmanager
def noisy_embeddings(language_model: Any, alpha: float | None) -> Iterator[None]:
    """Within, a training model's embeddings carry noise; the length is that of each tree's longest sequence."""
    if alpha is None:
        yield
        return

    def add_noise(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        if not module.training:
            return output
        bound = alpha / (_lengths(output) * output.shape[-1]).sqrt()
        return output + torch.empty_like(output).uniform_(-1, 1) * bound.to(output.dtype)

    handle = language_model.get_input_embeddings().register_forward_hook(add_noise)
    try:
        yield
    finally:
        handle.remove()


def _lengths(embeddings: Tensor) -> Tensor:
    """The length of the sequence that each token is in, float32 [1, T, 1]."""
    layout = current()
    if layout is None:
        return torch.full((1, embeddings.shape[1], 1), float(embeddings.shape[1]), device=embeddings.device)
    longest = [int(layout.forest.position[start:end].max()) + 1 for start, end in layout.roots]
    sizes = torch.tensor([end - start for start, end in layout.roots])
    return torch.tensor(longest, dtype=torch.float32).repeat_interleave(sizes).view(1, -1, 1).to(embeddings.device)
