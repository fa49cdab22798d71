"""Which weights are trained: all, a chosen few, or an adapter's."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import nn

from tutelage.errors import UserError
from tutelage.model.settings import AdapterSettings, FreezeSettings


def refuse_two_adapters(adapted: bool, adapter: AdapterSettings | None, freeze: FreezeSettings | None) -> None:
    """Raises `UserError` where the model came with an adapter and the recipe asks for more."""
    if adapted and (adapter or freeze):
        raise UserError("model= names an adapter, which is trained on; leave adapter and freeze out, or merge it first")


def choose_trainable(
    model: Any,
    adapter: AdapterSettings | None,
    freeze: FreezeSettings | None,
    frozen_dtype: torch.dtype,
    adapted: bool = False,
    seed: int = 0,
) -> Any:
    """Marks what is trained and returns the model, wrapped by PEFT where an adapter is asked for.

    adapted: the model came with an adapter of its own, which is trained on. seed: decides a new adapter's weights.

    Trained weights are float32, whatever they were. The base under an adapter takes `frozen_dtype`. What `freeze`
    leaves out is part of the result: it keeps that dtype if it has it, and else is float32, so that nothing is rounded.

    Raises:
        UserError: the names given match nothing.
    """
    refuse_two_adapters(adapted, adapter, freeze)
    if adapted:
        pass  # PEFT loaded it with its own weights trainable and the base frozen
    elif adapter is not None:
        with torch.random.fork_rng(devices=()):
            torch.default_generator.manual_seed(seed)
            model = _with_new_adapter(model, adapter)
    elif freeze is not None:
        _freeze(model, freeze)
    else:
        model.requires_grad_(True)
    for parameter in model.parameters():
        if parameter.is_floating_point():
            rounded = freeze is not None and parameter.dtype != frozen_dtype
            parameter.data = parameter.data.to(torch.float32 if parameter.requires_grad or rounded else frozen_dtype)
    return model


def _with_new_adapter(model: Any, settings: AdapterSettings) -> Any:
    from peft import LoraConfig, TaskType, get_peft_model

    linear = [name for name, part in model.named_modules() if _is_linear(part)]
    targets: str | list[str] = settings.targets if isinstance(settings.targets, str) else list(settings.targets)
    for target in settings.targets if isinstance(targets, list) else ():
        if not any(name == target or name.endswith(f".{target}") for name, _ in model.named_modules()):
            names = sorted({name.rsplit(".", 1)[-1] for name in linear})
            raise UserError(f"adapter.targets={target} matches no layer; the linear ones are {', '.join(names)}")
    config = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=settings.rank,
        lora_alpha=2 * settings.rank
        if settings.alpha is None
        else settings.alpha,  # PEFT's type is int; it only divides
        lora_dropout=settings.dropout,
        target_modules=targets,
        fan_in_fan_out=any(_is_transposed(part) for part in model.modules()),
    )
    try:
        adapted = get_peft_model(model, config)
    except ValueError as error:
        raise UserError(f"PEFT refuses adapter.targets={targets}: {str(error).splitlines()[0]}") from error
    refuse_adapted_head(adapted)
    return adapted


def refuse_adapted_head(model: Any) -> None:
    """Raises UserError where an adapter changes the head: the loss is made from the head's own weight, without it."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    if isinstance(model.get_base_model().get_output_embeddings(), BaseTunerLayer):
        raise UserError("an adapter on the head (lm_head) can't be used; leave the head out of adapter.targets")


def _is_linear(part: nn.Module) -> bool:
    return isinstance(part, nn.Linear) or _is_transposed(part)


def _is_transposed(part: nn.Module) -> bool:
    return type(part).__name__ == "Conv1D"  # GPT-2's name for a linear layer, [in, out]


def _freeze(model: Any, settings: FreezeSettings) -> None:
    wanted = list(settings.train)
    layer_of = _layers(model)
    layers = max(layer_of.values(), default=-1) + 1
    kept = range(layers - (settings.last_layers or 0), layers)
    if settings.last_layers and settings.last_layers > layers:
        raise UserError(f"freeze.last_layers={settings.last_layers}, but the model has {layers} layers")
    matched: set[str] = set()
    for name, parameter in model.named_parameters():
        hits = [part for part in wanted if part in name]
        matched.update(hits)
        parameter.requires_grad_(bool(hits) or layer_of.get(parameter) in kept)
    unmatched = [part for part in wanted if part not in matched]
    if unmatched:
        some = ", ".join(list(dict(model.named_parameters()))[:4])
        raise UserError(
            f"freeze.train names {unmatched[0]!r}, which is in no parameter's name; they look like {some}, …"
        )
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UserError("freeze leaves nothing to train; give freeze.last_layers or freeze.train")


_LAYER = re.compile(r"\.(?:layers|h|blocks|block|layer)\.(\d+)\.")


def _layers(model: Any) -> dict[nn.Parameter, int]:
    """The layer that each parameter of the language model is in; an image encoder beside it has layers of its own."""
    found = ((parameter, _LAYER.search(f".{name}")) for name, parameter in model.get_decoder().named_parameters())
    return {parameter: int(layer[1]) for parameter, layer in found if layer}


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """(trained, all) weights; tied ones count once."""
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return trained, sum(p.numel() for p in model.parameters())
