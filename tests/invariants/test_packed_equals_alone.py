"""Promise 1: packed equals alone and shared equals unshared, in loss and in gradients, for each architecture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.tiny import architecture
from tutelage.model.forward import ForestModel, checkpoint_activations
from tutelage.model.layout import Layout
from tutelage.model.probe import equals_alone, leaks, why_not_forest
from tutelage.records import Leaf
from tutelage.tokens.forest import build_forest

ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3", "gemma3", "gpt2")
VOCABULARY = 211


def model_of(name: str) -> Any:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    return AutoModelForCausalLM.from_config(architecture(name, VOCABULARY), dtype=torch.float32)


def leaves() -> list[Leaf]:
    """Eleven sequences, most longer than the models' windows; two levels of sharing, a duplicate, a continuation."""
    random = np.random.default_rng(3)

    def ids(size: int) -> list[int]:
        return [int(number) for number in random.integers(1, VOCABULARY, size)]

    system, question = ids(30), ids(20)
    made = [[*system, *ids(12)] for _ in range(3)]
    made += [[*system, *question, *ids(size)] for size in (2, 9, 15)]
    made += [ids(40), ids(33), ids(2)]
    made += [[*made[6], *ids(8)], made[7]]
    return [Leaf(np.array(sequence, np.int32), max(1, len(sequence) - 9)) for sequence in made]


def weights(count: int) -> np.ndarray:
    return np.random.default_rng(4).uniform(0.2, 1.0, count).astype(np.float32)


def reference(model: Any, count_of: list[Leaf]) -> tuple[float, dict[str, torch.Tensor]]:
    """Each sequence through the stock model, full logits, torch's own cross-entropy: nothing of ours is in it."""
    model.set_attn_implementation("eager")
    model.zero_grad(set_to_none=True)
    total = 0.0
    for leaf, weight in zip(count_of, weights(len(count_of)), strict=True):
        ids = torch.from_numpy(leaf.ids.astype(np.int64))[None]
        logits = model(input_ids=ids).logits[0, leaf.start - 1 : -1]
        loss = weight * F.cross_entropy(logits, ids[0, leaf.start :], reduction="sum")
        loss.backward()
        total += loss.item()
    return total, {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def ours(
    model: Any, plan: list[list[Leaf]], given: list[np.ndarray], share: bool, **options: Any
) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad(set_to_none=True)
    total = 0.0
    for members, weight in zip(plan, given, strict=True):
        loss = ForestModel(model, **options)(Layout(build_forest(members, weight, share=share)))
        loss.backward()
        total += loss.item()
    return total, {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_same(found: tuple[float, dict[str, torch.Tensor]], expected: tuple[float, dict[str, torch.Tensor]]) -> None:
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    assert found[1].keys() == expected[1].keys()
    largest = max(gradient.abs().max() for gradient in expected[1].values())
    for name, gradient in expected[1].items():
        assert (found[1][name] - gradient).abs().max() <= 1e-5 * largest, name


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_loss_and_gradients(name: str) -> None:
    model, all_leaves = model_of(name), leaves()
    expected = reference(model, all_leaves)
    assert why_not_forest(model) is None
    given = weights(len(all_leaves))
    assert_same(ours(model, [all_leaves], [given], share=True), expected)
    assert_same(ours(model, [all_leaves], [given], share=False), expected)
    halves = [all_leaves[::2], all_leaves[1::2]]
    assert_same(ours(model, halves, [given[::2], given[1::2]], share=True), expected)


def test_a_recurrent_model_runs_alone_and_is_right() -> None:
    model, all_leaves = model_of("mamba"), leaves()
    expected = reference(model, all_leaves)
    assert why_not_forest(model) == "it carries state from one sequence to the next"
    given = weights(len(all_leaves))
    assert_same(ours(model, [all_leaves], [given], share=False, forest=False), expected)


def test_what_the_fallback_can_not_take_is_refused() -> None:
    with pytest.raises(ValueError, match="shares prefixes"):
        ours(model_of("mamba"), [leaves()], [weights(11)], share=True, forest=False)


@pytest.mark.parametrize("name", ["llama", "gemma3"])
def test_activation_checkpointing_changes_nothing(name: str) -> None:
    """The recomputation happens after the forest is no longer current, and must still see it."""
    model, all_leaves = model_of(name), leaves()
    expected = reference(model, all_leaves)
    assert why_not_forest(model) is None
    checkpoint_activations(model)
    model.train()
    assert_same(ours(model, [all_leaves], [weights(11)], share=True), expected)


def test_lora_through_peft() -> None:
    from tutelage.model.settings import AdapterSettings
    from tutelage.model.trainable import choose_trainable

    model, all_leaves = model_of("llama"), leaves()
    torch.manual_seed(2)
    adapted = choose_trainable(model, AdapterSettings(rank=4), None, torch.float32)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    expected = reference(adapted, all_leaves)
    assert expected[1]
    assert all("lora_" in name for name in expected[1])
    assert why_not_forest(adapted.get_base_model()) is None
    assert_same(ours(adapted, [all_leaves], [weights(11)], share=True), expected)


def test_ordinary_forward_passes_and_generation_still_work() -> None:
    model = model_of("qwen3")
    ids = torch.tensor([[5, 6, 7, 8]])
    plain = model(input_ids=ids).logits
    assert why_not_forest(model) is None
    assert torch.allclose(model(input_ids=ids).logits, plain, atol=1e-5)
    assert model.generate(ids, max_new_tokens=3, do_sample=False).shape == (1, 7)


def test_the_probe_finds_packed_examples_that_attend_to_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from tutelage.model import attention

    def without_isolation(layout: Layout, query: Any, key: Any, value: Any, window: int, score: Any) -> Any:
        return attention._attend(query, key, value, None, score).transpose(1, 2)

    model = model_of("llama")
    assert why_not_forest(model) is None
    assert not leaks(model)
    assert equals_alone(model)
    assert why_not_forest(model) is None
    monkeypatch.setitem(attention.BACKENDS, "segments", without_isolation)
    assert leaks(model)
    assert why_not_forest(model_of("llama")) == "it carries state from one sequence to the next"


def test_the_probe_finds_positions_that_do_not_follow_the_branches(monkeypatch: pytest.MonkeyPatch) -> None:
    states = ForestModel._states

    def by_place_in_the_row(self: ForestModel, layout: Layout) -> torch.Tensor:
        layout.position = torch.arange(layout.size)[None]
        return states(self, layout)

    monkeypatch.setattr(ForestModel, "_states", by_place_in_the_row)
    assert why_not_forest(model_of("gpt2")) == "its positions or windows do not follow the branches"
