"""How fast a step is against what this machine can do: operations, the measured matrix rate, memory."""

from __future__ import annotations

import resource
import sys
import time
from typing import Any

import torch
from torch import nn

from tutelage.records import Forest


class Meter:
    """Counts a forest's operations and knows the machine's rate.

    Operations are those of matrix products on tokens that exist: 2 a weight and token forward, 2 backward for the input
    where something before it is trained, and 2 more where the weight is trained; the head on supervised tokens only;
    attention on visible pairs only (windows not heeded), forward and backward. Recomputed activations do not count.
    """

    def __init__(self, model: nn.Module, language_model: Any, device: torch.device, dtype: torch.dtype) -> None:
        head = language_model.get_output_embeddings()
        self._per_token = _operations(model, {*head.modules()})
        self._per_target = (6.0 if head.weight.requires_grad else 4.0) * float(head.weight.numel())
        self._per_pair = _attention_operations(language_model.config)
        self._device = device
        self.rate = matrix_rate(device, dtype)

    def operations(self, forest: Forest) -> float:
        """Floating-point operations of a forest, forward and backward."""
        pairs = float(forest.position.sum() + len(forest.position))
        return self._per_token * len(forest.token) + self._per_target * len(forest.target) + self._per_pair * pairs

    def share(self, operations: float, seconds: float) -> float:
        """The share of the machine's matrix rate that was used."""
        return operations / seconds / self.rate if seconds > 0 and self.rate else 0.0

    def memory(self) -> int:
        """Peak memory so far in bytes: of the device, or on a CPU of the whole process."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def matrix_rate(device: torch.device, dtype: torch.dtype, size: int | None = None, seconds: float = 0.15) -> float:
    """The machine's practical ceiling: operations a second of a square matrix product in `dtype`, the best of several.

    size: rows and columns; null: large enough that starting a kernel costs nothing beside it.
    """
    size = size or (8192 if device.type == "cuda" else 1536)
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best, until = 0.0, time.perf_counter() + seconds
    while best == 0.0 or time.perf_counter() < until:
        _finish(device)
        start = time.perf_counter()
        left @ right
        _finish(device)
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def _operations(model: nn.Module, leave_out: set[nn.Module]) -> float:
    """Operations a token of all matrices, taken in the order that the model's modules have."""
    operations, trained_before = 0.0, False
    for part in model.modules():
        # Conv1D: GPT-2's name for a linear layer.
        if (isinstance(part, nn.Linear) or type(part).__name__ == "Conv1D") and part not in leave_out:
            weight: Any = part.weight
            operations += (2.0 + 2.0 * trained_before + 2.0 * weight.requires_grad) * weight.numel()
        trained_before = trained_before or any(own.requires_grad for own in part.parameters(recurse=False))
    return operations


def _attention_operations(config: Any) -> float:
    """Operations a visible pair over all layers: two products of the head width, forward, and twice that backward."""
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    heads = getattr(text, "num_attention_heads", 0) or 0
    width = getattr(text, "head_dim", None) or (getattr(text, "hidden_size", 0) // heads if heads else 0)
    return 12.0 * heads * width * (getattr(text, "num_hidden_layers", 0) or 0)


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
