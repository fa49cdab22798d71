"""`tutelage.train.optimizers`: what each one trains and how, and that a saved state goes on bit for bit."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.tiny import architecture
from tutelage.errors import UserError
from tutelage.model.forward import ForestModel
from tutelage.model.settings import AdapterSettings, FreezeSettings
from tutelage.model.trainable import choose_trainable
from tutelage.train.optimizers import Optimizers, build_optimizers
from tutelage.train.settings import TrainSettings

NAMES = ("adamw", "adamw-8bit", "adafactor", "muon", "sgd")
RATE = 1e-2


def model_of(name: str = "llama", **sizes: int) -> ForestModel:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    return ForestModel(AutoModelForCausalLM.from_config(architecture(name, 97, **sizes), dtype=torch.float32))


def build(model: nn.Module, **settings: Any) -> Optimizers:
    return build_optimizers(model, TrainSettings.model_validate(settings), RATE)


def give_gradients(model: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.randn(parameter.shape, generator=generator)


def train(model: nn.Module, optimizers: Optimizers, steps: range) -> None:
    for step in steps:
        give_gradients(model, step)
        optimizers.step(1.0 / (step + 1))


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def names_in(model: nn.Module, part: torch.optim.Optimizer) -> set[str]:
    ids = {id(parameter) for group in part.param_groups for parameter in group["params"]}
    return {name for name, parameter in model.named_parameters() if id(parameter) in ids}


def same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("name", NAMES)
def test_every_trained_weight_is_stepped_and_frozen_ones_are_not(name: str) -> None:
    model = model_of()
    model.requires_grad_(False)
    trained = {"model.lm_head.weight", "model.model.norm.weight", "model.model.layers.1.mlp.up_proj.weight"}
    for parameter_name, parameter in model.named_parameters():
        parameter.requires_grad_(parameter_name in trained)
    before = weights(model)
    train(model, build(model, optimizer=name), range(1))
    after = weights(model)
    assert {one for one in before if not torch.equal(before[one], after[one])} == trained
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_state_goes_on_bit_for_bit(name: str) -> None:
    """10 steps at once, and 5, then the state through safetensors and JSON into new objects, then 5."""
    from safetensors.torch import load, save

    from tutelage.train.checkpoint import _plain

    settings = {"optimizer": name, "weight_decay": 0.1}
    whole = model_of(width=128)
    train(whole, build(whole, **settings), range(10))

    first = model_of(width=128)
    optimizers = build(first, **settings)
    train(first, optimizers, range(5))
    tensors, rest = optimizers.state()
    kept = save(_plain(tensors)), json.dumps(rest)
    second = model_of(width=128)
    second.load_state_dict(first.state_dict())
    resumed = build(second, **settings)
    resumed.load(load(kept[0]), json.loads(kept[1]))
    train(second, resumed, range(5, 10))
    assert same(weights(second), weights(whole))

    fresh = model_of(width=128)
    fresh.load_state_dict(first.state_dict())
    train(fresh, build(fresh, **settings), range(5, 10))
    assert same(weights(fresh), weights(whole)) == (name == "sgd"), "the state makes no difference: the test is blind"


def test_the_state_of_a_step_that_some_weights_had_no_gradient_in() -> None:
    model = model_of()
    optimizers = build(model)
    give_gradients(model, 0)
    model.language_model.lm_head.weight.grad = None
    optimizers.step(1.0)
    tensors, rest = optimizers.state()
    other = build(model_of())
    other.load(tensors, rest)
    assert {name: value.tolist() for name, value in other.state()[0].items()} == {
        name: value.tolist() for name, value in tensors.items()
    }


@pytest.mark.parametrize("name", ["adamw", "adamw-8bit", "adafactor", "sgd"])
def test_matrices_decay_and_vectors_do_not(name: str) -> None:
    model = model_of("gpt2")
    before = weights(model)
    optimizers = build(model, optimizer=name, weight_decay=0.5)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    rate = optimizers.step(0.5)
    assert rate == RATE * 0.5
    for one, value in weights(model).items():
        expected = before[one] * (1 - rate * 0.5) if value.ndim == 2 else before[one]
        assert torch.allclose(value, expected, atol=1e-7), one
        assert value.ndim == 2 or one.endswith(("bias", "ln_1.weight", "ln_2.weight", "ln_f.weight"))


def test_muon_decays_matrices_and_not_vectors() -> None:
    model = model_of("gpt2")
    before = weights(model)
    optimizers = build(model, optimizer="muon", weight_decay=0.5)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizers.step(1.0)
    for one, value in weights(model).items():
        expected = before[one] * (1 - RATE * 0.5) if value.ndim == 2 else before[one]
        assert torch.allclose(value, expected, atol=1e-7), one


def test_adamw_is_the_published_rule() -> None:
    """Loshchilov and Hutter 2019, algorithm 2, written out in float64."""
    model = model_of()
    optimizers = build(model, weight_decay=0.1, beta1=0.8, beta2=0.95, epsilon=1e-6)
    reference = {name: value.double() for name, value in weights(model).items()}
    first = {name: torch.zeros_like(value) for name, value in reference.items()}
    second = {name: torch.zeros_like(value) for name, value in reference.items()}
    for step in range(4):
        give_gradients(model, step)
        rate = RATE / (step + 1)
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None
            gradient = parameter.grad.double()
            first[name] = 0.8 * first[name] + 0.2 * gradient
            second[name] = 0.95 * second[name] + 0.05 * gradient**2
            size = (first[name] / (1 - 0.8 ** (step + 1))) / ((second[name] / (1 - 0.95 ** (step + 1))).sqrt() + 1e-6)
            decay = rate * 0.1 if parameter.ndim == 2 else 0.0
            reference[name] = reference[name] * (1 - decay) - rate * size
        optimizers.step(1.0 / (step + 1))
    for name, value in weights(model).items():
        assert torch.allclose(value.double(), reference[name], atol=1e-6), name


def test_sgd_is_plain() -> None:
    model = model_of()
    before = weights(model)
    optimizers = build(model, optimizer="sgd")
    give_gradients(model, 3)
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert optimizers.step(0.25) == 0.25 * RATE
    for name, value in weights(model).items():
        gradient = gradients[name]
        assert gradient is not None
        assert torch.allclose(value, before[name] - 0.25 * RATE * gradient, atol=1e-7)


def test_adafactor_takes_steps_of_the_rate_and_keeps_little() -> None:
    """Factored: a matrix of [R, C] keeps R + C numbers and not R · C; a step's root mean square is at most the rate."""
    model = model_of()
    before = weights(model)
    optimizers = build(model, optimizer="adafactor")
    train(model, optimizers, range(1))
    for name, value in weights(model).items():
        assert (value - before[name]).square().mean().sqrt() <= RATE * 1.01, name
    kept = sum(value.numel() for value in optimizers.state()[0].values())
    expected = sum(sum(p.shape) if p.ndim == 2 else p.numel() for p in model.parameters())
    assert kept == expected + len(list(model.parameters()))  # and a root mean square each


def muon_and_adamw(model: ForestModel) -> tuple[set[str], set[str]]:
    muon, adamw = build(model, optimizer="muon").parts
    assert isinstance(muon, torch.optim.Muon)
    assert isinstance(adamw, torch.optim.AdamW)
    return names_in(model, muon), names_in(model, adamw)


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma3"])
def test_muon_takes_hidden_matrices_only(name: str) -> None:
    """Embeddings of tokens and positions, the head, norms and biases are AdamW's (Jordan 2024)."""
    model = model_of(name)
    muon, adamw = muon_and_adamw(model)
    assert muon | adamw == {one for one, _ in model.named_parameters()}
    assert not muon & adamw
    layers = (".layers.", ".h.")
    hidden = {one for one, p in model.named_parameters() if p.ndim == 2 and any(layer in one for layer in layers)}
    assert muon == hidden
    assert hidden


def test_muon_on_an_adapter() -> None:
    model = model_of()
    adapted = ForestModel(choose_trainable(model.model, AdapterSettings(rank=2), None, torch.float32))
    (muon,) = build(adapted, optimizer="muon").parts
    assert names_in(adapted, muon) == {name for name, p in adapted.named_parameters() if p.requires_grad}


def test_muon_without_hidden_matrices_is_adamw() -> None:
    model = model_of()
    choose_trainable(model.model, None, FreezeSettings(train=("lm_head", "norm")), torch.float32)
    (adamw,) = build(model, optimizer="muon").parts
    assert isinstance(adamw, torch.optim.AdamW)


def test_muon_steps_are_orthogonal_and_as_large_as_adamws() -> None:
    """Liu et al. 2025: root mean square 0.2 × rate, whatever the shape; the singular values nearly equal."""
    model = model_of()
    before = weights(model)
    train(model, build(model, optimizer="muon", weight_decay=0.0), range(1))
    name = "model.model.layers.0.mlp.up_proj.weight"
    change = (weights(model)[name] - before[name]) / RATE
    assert change.square().mean().sqrt() == pytest.approx(0.2, rel=0.2)
    values = torch.linalg.svdvals(change)
    assert values.max() / values.min() < 3
    gradient = torch.randn(change.shape, generator=torch.Generator().manual_seed(0))
    assert torch.linalg.svdvals(gradient).max() / torch.linalg.svdvals(gradient).min() > 4


def test_the_8bit_state_is_8_bits_and_stays_near_adamw() -> None:
    eight, full = model_of(width=128), model_of(width=128)
    optimizers = build(eight, optimizer="adamw-8bit")
    train(eight, optimizers, range(5))
    train(full, build(full, optimizer="adamw"), range(5))
    large = [
        value for name, value in optimizers.state()[0].items() if name.endswith(".state1") and value.numel() >= 4096
    ]
    assert large
    assert all(value.dtype == torch.uint8 for value in large)
    start = weights(model_of(width=128))
    for name, value in weights(full).items():
        moved, off = (value - start[name]).norm(), (weights(eight)[name] - value).norm()
        assert off < 0.1 * moved, name


def test_8bit_without_bitsandbytes_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    with pytest.raises(UserError, match=r"adamw-8bit needs bitsandbytes: pip install 'tutelage\[quant\]'"):
        build(model_of(), optimizer="adamw-8bit")


@pytest.mark.parametrize("name", NAMES)
def test_a_tied_weight_is_stepped_once(name: str) -> None:
    model = model_of("gemma3")
    tied = model.language_model
    assert tied.lm_head.weight is tied.model.embed_tokens.weight
    optimizers = build(model, optimizer=name)
    covered = [id(p) for part in optimizers.parts for group in part.param_groups for p in group["params"]]
    assert len(covered) == len(set(covered)) == len(list(model.parameters()))


def test_two_runs_are_the_same_bit_for_bit() -> None:
    make: Callable[[], ForestModel] = model_of
    for name in NAMES:
        models = [make(), copy.deepcopy(make())]
        for model in models:
            train(model, build(model, optimizer=name), range(3))
        assert same(weights(models[0]), weights(models[1])), name
