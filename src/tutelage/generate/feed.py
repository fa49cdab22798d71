"""A causal language model with its cache, fed piece by piece: ids in, next-token logits out.

`transformers` keeps the cache (full, sliding, convolutional and recurrent layers alike) and builds the masks. What is
ours is which rows are in the batch: rows that are finished leave it, and one row can become many, so that a shared
prefix is computed once.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer


class Feed:
    """The state of one batch.

    A model that takes no cache object (RWKV, for one) gets the whole text again at every step: slow, and right.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        """An empty batch; the first ids fed say how many rows it has."""
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        takes = inspect.signature(base.forward).parameters
        self._model = model
        self._extra: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}
        self._cache_name = next((name for name in ("past_key_values", "cache_params") if name in takes), None)
        self._positions = "position_ids" in takes
        self._cache = None
        if self._cache_name is not None and base._supports_default_dynamic_cache():
            self._cache = DynamicCache(config=base.config.get_text_config(decoder=True))
        self._ids = torch.zeros((0, 0), dtype=torch.long)
        self.mask = torch.zeros((0, 0), dtype=torch.long)

    @property
    def length(self) -> int:
        """How many places have been fed."""
        return self.mask.shape[1]

    @property
    def plain(self) -> bool:
        """Whether every layer so far keeps all its keys, so that padding may stand anywhere, not only on the left."""
        return self._cache is not None and all(type(layer) is DynamicLayer for layer in self._cache.layers)

    @torch.no_grad()
    def __call__(self, ids: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        """Feed ids at positions, the mask 0 at padding, each int64 [B, L]; returns the last logits, float32 [B, V]."""
        self.mask = torch.cat([self.mask, mask], dim=1) if self.mask.numel() else mask
        if self._cache is not None:
            extra: dict[str, Any] = {**self._extra, str(self._cache_name): self._cache, "use_cache": True}
            if self._positions:
                extra["position_ids"] = positions
        else:
            ids = self._ids = torch.cat([self._ids, ids], dim=1) if self._ids.numel() else ids
            extra = {**self._extra, "use_cache": False}
        if self._cache_name != "cache_params":  # recurrent models read the whole mask as the mask of the new tokens
            extra["attention_mask"] = self.mask
        output = self._model(input_ids=ids, **extra)
        logits: Tensor = output.logits[:, -1].float()
        return logits

    def select(self, rows: Sequence[int]) -> None:
        """The batch's rows become these: fewer, or one of them many times."""
        index = torch.tensor(rows, device=self.mask.device)
        self.mask = self.mask[index]
        if self._cache is not None:
            self._cache.reorder_cache(index)
        else:
            self._ids = self._ids[index]
