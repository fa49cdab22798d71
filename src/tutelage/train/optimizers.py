"""Optimisers: which one, on which groups of weights, and their state as plain tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from tutelage.errors import UserError
from tutelage.train.settings import TrainSettings

Named = list[tuple[str, nn.Parameter]]


class Optimizers:
    """One or more torch optimisers that together cover the trained weights, stepped as one."""

    def __init__(self, parts: Iterable[torch.optim.Optimizer], learning_rate: float) -> None:
        self.parts = list(parts)
        self.learning_rate = learning_rate

    def step(self, factor: float) -> float:
        """Takes a step at `factor` of the learning rate, clears the gradients, and returns the rate used."""
        rate = self.learning_rate * factor
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()
            part.zero_grad(set_to_none=True)
        return rate

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """(tensors, the rest), keyed `optimiser.parameter.name`: safetensors and JSON hold them; nothing is pickled."""
        tensors: dict[str, Tensor] = {}
        rest: dict[str, Any] = {}
        for number, part in enumerate(self.parts):
            # Not from its state_dict: bitsandbytes nests what it quantised there.
            for index, parameter in enumerate(_parameters(part)):
                for name, value in part.state.get(parameter, {}).items():
                    place: dict[str, Any] = tensors if isinstance(value, Tensor) else rest
                    place[f"{number}.{index}.{name}"] = value
        return tensors, rest

    def load(self, tensors: dict[str, Tensor], rest: dict[str, Any]) -> None:
        """Puts back what `state` gave."""
        for number, part in enumerate(self.parts):
            state: dict[int, dict[str, Any]] = {}
            for key, value in {**rest, **tensors}.items():
                of, index, name = key.split(".", 2)
                if int(of) == number:
                    state.setdefault(int(index), {})[name] = value
            part.load_state_dict({"state": state, "param_groups": part.state_dict()["param_groups"]})


def _parameters(part: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in part.param_groups for parameter in group["params"]]


def build_optimizers(model: nn.Module, settings: TrainSettings, learning_rate: float) -> Optimizers:
    """The optimisers that `train.optimizer` names, over the model's trained weights."""
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    return Optimizers(_BUILDERS[settings.optimizer](named, settings, learning_rate, model), learning_rate)


def decay_groups(named: Named, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay; norms, biases and other vectors don't."""
    matrices = [parameter for _, parameter in named if parameter.ndim >= 2]
    vectors = [parameter for _, parameter in named if parameter.ndim < 2]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _adamw(named: Named, settings: TrainSettings, rate: float, model: nn.Module) -> list[torch.optim.Optimizer]:
    groups = decay_groups(named, settings.weight_decay)
    betas = (settings.beta1, settings.beta2)
    return [torch.optim.AdamW(groups, lr=rate, betas=betas, eps=settings.epsilon, fused=True)] if groups else []


def _adamw_8bit(named: Named, settings: TrainSettings, rate: float, model: nn.Module) -> list[torch.optim.Optimizer]:
    """8-bit state in blocks (Dettmers et al. 2022), by bitsandbytes."""
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise UserError("train.optimizer=adamw-8bit needs bitsandbytes: pip install 'tutelage[quant]'") from error
    groups = decay_groups(named, settings.weight_decay)
    return [AdamW8bit(groups, lr=rate, betas=(settings.beta1, settings.beta2), eps=settings.epsilon)]


def _adafactor(named: Named, settings: TrainSettings, rate: float, model: nn.Module) -> list[torch.optim.Optimizer]:
    """Shazeer and Stern 2018 as FLAN uses it: factored second moments, a rate given from outside, no first moment."""
    from transformers.optimization import Adafactor

    groups = decay_groups(named, settings.weight_decay)
    return [Adafactor(groups, lr=rate, scale_parameter=False, relative_step=False, warmup_init=False)]


def _muon(named: Named, settings: TrainSettings, rate: float, model: nn.Module) -> list[torch.optim.Optimizer]:
    """Muon (Jordan 2024) on the hidden matrices, AdamW on embeddings (of tokens, of positions), head and vectors.

    Updates are scaled to AdamW's size (Liu et al. 2025), so that one learning rate serves both.
    """
    language_model: Any = getattr(model, "language_model", model)
    ends = {id(part.weight) for part in model.modules() if isinstance(part, nn.Embedding)}
    ends.add(id(language_model.get_output_embeddings().weight))
    hidden = [(n, p) for n, p in named if p.ndim == 2 and id(p) not in ends]
    others = [(n, p) for n, p in named if p.ndim != 2 or id(p) in ends]
    if not hidden:
        return _adamw(others, settings, rate, model)
    muon = torch.optim.Muon(
        [parameter for _, parameter in hidden],
        lr=rate,
        momentum=settings.beta1,
        weight_decay=settings.weight_decay,
        adjust_lr_fn="match_rms_adamw",
    )
    return [muon, *_adamw(others, settings, rate, model)]


def _sgd(named: Named, settings: TrainSettings, rate: float, model: nn.Module) -> list[torch.optim.Optimizer]:
    return [torch.optim.SGD(decay_groups(named, settings.weight_decay), lr=rate)]


_BUILDERS: dict[str, Callable[[Named, TrainSettings, float, nn.Module], list[torch.optim.Optimizer]]] = {
    "adamw": _adamw,
    "adamw-8bit": _adamw_8bit,
    "adafactor": _adafactor,
    "muon": _muon,
    "sgd": _sgd,
}
