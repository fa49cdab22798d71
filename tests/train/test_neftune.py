"""`tutelage.train.neftune`: noise as large as the paper says for each sequence, and only while training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.tiny import architecture
from tutelage.model.forward import ForestModel
from tutelage.model.layout import Layout
from tutelage.model.probe import why_not_forest
from tutelage.records import Leaf
from tutelage.tokens.forest import build_forest
from tutelage.train.neftune import noisy_embeddings

ALPHA, WIDTH = 5.0, 64


def model_of(name: str = "llama") -> Any:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(architecture(name, 97, width=WIDTH), dtype=torch.float32)
    why_not_forest(model)
    return model.train()


def layout_of(*lengths: int, shared: int = 0) -> Layout:
    """A forest of sequences that feed so many tokens; `shared` ones begin the first two alike."""
    random = np.random.default_rng(0)
    made = [random.integers(1, 97, length + 1).astype(np.int32) for length in lengths]
    if shared:
        made[1][:shared] = made[0][:shared]
    return Layout(build_forest([Leaf(ids, 1) for ids in made]))


class Listener:
    """A forward hook that keeps what it sees."""

    def __init__(self) -> None:
        self.heard: list[Tensor] = []

    def __call__(self, module: Any, inputs: Any, output: Tensor) -> None:
        self.heard.append(output.detach())


def noise_of(model: Any, layout: Layout, alpha: float | None = ALPHA, forest: bool = True) -> list[Tensor]:
    """The noise of each call of the embeddings, [T, width]."""
    clean, noisy = Listener(), Listener()
    embeddings = model.get_input_embeddings()  # hooks run in the order in which they were set
    handles = [embeddings.register_forward_hook(clean)]
    with noisy_embeddings(model, alpha):
        handles.append(embeddings.register_forward_hook(noisy))
        ForestModel(model, forest=forest)(layout)
    for handle in handles:
        handle.remove()
    return [(after - before)[0] for after, before in zip(noisy.heard, clean.heard, strict=True)]


def bound(length: int) -> float:
    """Jain et al. 2023, algorithm 1: alpha ÷ √(length · width)."""
    return ALPHA / math.sqrt(length * WIDTH)


def test_worked_number() -> None:
    assert bound(25) == 0.125


def test_each_tree_has_its_own_bound() -> None:
    layout = layout_of(100, 7, 1)
    (noise,) = noise_of(model_of(), layout)
    assert len(layout.roots) == 3
    for start, end in layout.roots:
        part, limit = noise[start:end], bound(end - start)
        assert part.abs().max() <= limit * 1.001
        assert part.abs().max() > 0.9 * limit
        assert part.std() == pytest.approx(limit / 3**0.5, rel=0.2)  # of a uniform distribution
        assert abs(float(part.mean())) < 0.2 * limit


def test_the_length_is_that_of_the_longest_branch_and_not_of_the_tree() -> None:
    layout = layout_of(40, 30, shared=20)
    (noise,) = noise_of(model_of(), layout)
    assert len(noise) == 50
    assert 0.9 * bound(40) < noise.abs().max() <= bound(40) * 1.001


def test_models_that_run_alone_get_the_bound_of_each_sequence() -> None:
    found = noise_of(model_of("mamba"), layout_of(64, 4), forest=False)
    assert sorted(len(noise) for noise in found) == [4, 64]
    for noise in found:
        assert 0.9 * bound(len(noise)) < noise.abs().max() <= bound(len(noise)) * 1.001


def test_scaled_embeddings_are_disturbed_after_the_scale() -> None:
    """Gemma multiplies its embeddings by √width; the noise is not multiplied."""
    (noise,) = noise_of(model_of("gemma3"), layout_of(30))
    assert noise.abs().max() <= bound(30) * 1.001


def test_none_in_evaluation_and_none_without_alpha() -> None:
    (noise,) = noise_of(model_of().eval(), layout_of(9))
    assert not noise.any()
    model = model_of()
    (noise,) = noise_of(model, layout_of(9), alpha=None)
    assert not noise.any()


def test_the_hook_goes_also_after_a_fault() -> None:
    model, layout = model_of(), layout_of(9)
    hooks = model.get_input_embeddings()._forward_hooks
    with noisy_embeddings(model, ALPHA):
        assert len(hooks) == 1
    assert not hooks
    with pytest.raises(ZeroDivisionError), noisy_embeddings(model, ALPHA):
        raise ZeroDivisionError
    assert not hooks
    assert torch.equal(ForestModel(model)(layout), ForestModel(model)(layout))


def test_it_is_a_function_of_the_seed() -> None:
    model, layout = model_of(), layout_of(9, 5)
    losses = []
    with noisy_embeddings(model, ALPHA):
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            losses.append(ForestModel(model)(layout).item())
    assert losses[0] == losses[1] != losses[2]


def test_gradients_reach_the_embeddings() -> None:
    model = model_of()
    with noisy_embeddings(model, ALPHA):
        ForestModel(model)(layout_of(9)).backward()
    assert model.get_input_embeddings().weight.grad.abs().sum() > 0
