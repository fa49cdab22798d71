"""From a forest to log-probabilities: the one forward pass that training, scoring and rewards go through."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from tutelage.model.attention import NAME
from tutelage.model.head import Head, head_of, log_probabilities, weighted_nll
from tutelage.model.layout import Layout, checkpoint_contexts, using


class ForestModel(nn.Module):
    """A causal language model that reads forests.

    `model` is a transformers model or a PEFT one around it. With `forest=False` its sequences are run one by one, each
    as if alone: for models that carry state from token to token (the probe finds them out); their layouts must share
    nothing.

    The head runs inside `forward`, so that wrappers which hook it (DDP, FSDP2) see all of the computation.
    """

    def __init__(self, model: nn.Module, *, forest: bool = True, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.model = model
        self.forest = forest
        self.dtype = dtype

    @property
    def language_model(self) -> Any:
        """The transformers model itself, without PEFT's wrapper (its adapters are inside)."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model  # type: ignore[operator]

    @property
    def head(self) -> Head:
        """How hidden states become logits."""
        return head_of(self.language_model)

    def forward(self, layout: Layout, *, each: bool = False) -> Tensor:
        """The weighted sum of negative log-probabilities, a float32 scalar.

        With `each` the log-probabilities themselves, float32 [N].
        """
        hidden = self.hidden(layout)
        if each:
            return log_probabilities(self.head, hidden, layout.target, self.dtype)
        return weighted_nll(self.head, hidden, layout.target, layout.weight, self.dtype)

    def hidden(self, layout: Layout) -> Tensor:
        """The hidden states that predict, [N, width]: gathered at `source` before any logit is made."""
        with self._precision(layout.device):
            states = self._states(layout) if self.forest else self._states_alone(layout)
        return states[0].index_select(0, layout.source)

    def _states(self, layout: Layout) -> Tensor:
        with using(layout):
            # The all-ones mask keeps transformers from taking position jumps for packing (model/attention.py).
            everything = torch.ones_like(layout.token)
            states: Tensor = body_of(self.language_model)(
                input_ids=layout.token, position_ids=layout.position, attention_mask=everything, use_cache=False
            )[0]
            return states

    def _states_alone(self, layout: Layout) -> Tensor:
        if layout.shares:
            raise ValueError("a model that runs its sequences alone was given a forest that shares prefixes")
        body = body_of(self.language_model)
        states = [body(input_ids=layout.token[:, start:end], use_cache=False)[0] for start, end in layout.roots]
        return torch.cat(states, dim=1)

    def _precision(self, device: torch.device) -> Any:
        return nullcontext() if self.dtype == torch.float32 else torch.autocast(device.type, dtype=self.dtype)


def body_of(language_model: Any) -> Any:
    """The model below its head.

    A few classes (Llama 4) name themselves as their own base model; it is then their `model`.
    """
    body = language_model.base_model
    return language_model.model if body is language_model else body


def checkpoint_activations(language_model: Any) -> None:
    """Recompute activations in the backward pass instead of keeping them; forests are seen there too."""
    options = {"use_reentrant": False, "context_fn": checkpoint_contexts}
    if hasattr(language_model, "activation_checkpointing_enable"):  # transformers 5.23; its older name warns
        language_model.activation_checkpointing_enable(activation_checkpointing_kwargs=options)
    else:
        language_model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=options)


def use_forest_attention(language_model: Any) -> bool:
    """Switches a transformers model to forest attention; False where its class has no attention interface."""
    try:
        language_model.set_attn_implementation(NAME)
    except ValueError:
        return False
    text = (
        language_model.config.get_text_config()
        if hasattr(language_model.config, "get_text_config")
        else language_model.config
    )
    return bool(text._attn_implementation == NAME)
