"""`tutelage.train.meter`: operations counted by hand, and as torch counts them."""

from __future__ import annotations

import resource
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.tiny import architecture
from tutelage.model.forward import ForestModel
from tutelage.model.settings import AdapterSettings, FreezeSettings
from tutelage.model.trainable import choose_trainable
from tutelage.records import Forest, Leaf
from tutelage.tokens.forest import build_forest
from tutelage.train import meter
from tutelage.train.meter import Meter, matrix_rate

CPU = torch.device("cpu")
VOCABULARY, WIDTH, LAYERS, HEADS, GROUPS = 97, 64, 2, 4, 2
HEAD_WIDTH, INNER = WIDTH // HEADS, 2 * WIDTH
# One layer: queries and outputs, keys and values, three of the feed-forward network.
LAYER = 2 * WIDTH * WIDTH + 2 * WIDTH * GROUPS * HEAD_WIDTH + 3 * WIDTH * INNER
HEAD = WIDTH * VOCABULARY


@pytest.fixture(autouse=True)
def no_measuring(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's rate takes time to measure and is asked for in one test only."""
    if request.function is not test_the_matrix_rate_is_a_rate:
        monkeypatch.setattr(meter, "matrix_rate", lambda device, dtype: 2e9)


def model_of(name: str = "llama") -> Any:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(
        architecture(name, VOCABULARY, width=WIDTH, layers=LAYERS), dtype=torch.float32
    )


def meter_of(model: Any) -> Meter:
    forest_model = ForestModel(model)
    return Meter(forest_model, forest_model.language_model, CPU, torch.float32)


def forest_of(*leaves: tuple[int, int], share: bool = True) -> Forest:
    ids = np.arange(1, 90, dtype=np.int32)
    return build_forest([Leaf(ids[:length], start) for length, start in leaves], share=share)


def test_full_tuning_by_hand() -> None:
    """A sequence of 7 tokens feeds 6 and learns 3: 21 visible pairs."""
    assert (LAYER, HEAD) == (36864, 6208)
    expected = 6 * 2 * LAYER * 6 + 6 * HEAD * 3 + 12 * HEADS * HEAD_WIDTH * LAYERS * 21
    assert expected == 2654208 + 111744 + 32256
    assert meter_of(model_of()).operations(forest_of((7, 4))) == expected


def test_a_forest_costs_what_its_tokens_cost() -> None:
    found = meter_of(model_of())
    alone = found.operations(forest_of((30, 20))) + found.operations(forest_of((40, 38)))
    assert found.operations(forest_of((30, 20), (40, 38), share=False)) == alone
    shared = forest_of((30, 20), (40, 38))
    assert len(shared.token) == 39
    pairs = 39 * 40 / 2
    assert found.operations(shared) == 6 * 2 * LAYER * 39 + 6 * HEAD * 12 + 12 * HEADS * HEAD_WIDTH * LAYERS * pairs


@pytest.mark.parametrize("name", ["llama", "qwen3", "gpt2", "gemma3"])
def test_as_torch_counts_them(name: str) -> None:
    """torch counts the stock model's matrix products, forward and backward.

    One thing is counted otherwise there, and is put right: eager attention multiplies all pairs of positions, also
    those that the mask then hides, and we count the visible ones.
    """
    model, size = model_of(name), 16
    ids = torch.arange(1, 1 + size)[None]
    model.set_attn_implementation("eager")
    with FlopCounterMode(display=False) as counter:
        logits = model(input_ids=ids, use_cache=False).logits
        logits.sum().backward()
    text = model.config.get_text_config()
    width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    forest = forest_of((size + 1, 1))
    per_pair = 12 * text.num_attention_heads * width * text.num_hidden_layers
    hidden = size * size - size * (size + 1) // 2
    assert meter_of(model).operations(forest) + per_pair * hidden == counter.get_total_flops()


def test_an_adapter_costs_no_gradient_of_frozen_weights() -> None:
    full, rank = meter_of(model_of()), 4
    adapted = choose_trainable(model_of(), AdapterSettings(rank=rank), None, torch.float32)
    found = meter_of(adapted)
    forest = forest_of((17, 1))
    pairs = 12 * HEADS * HEAD_WIDTH * LAYERS * 136
    # Forward and back to the inputs; nothing before the first queries is trained; the head is frozen.
    base = 4 * LAYERS * LAYER - 2 * WIDTH * WIDTH
    new = LAYERS * rank * (2 * 2 * WIDTH + 2 * (WIDTH + GROUPS * HEAD_WIDTH) + 3 * (WIDTH + INNER))
    assert found.operations(forest) == 16 * (base + 6 * new - 2 * rank * WIDTH) + 16 * 4 * HEAD + pairs
    assert found.operations(forest) < full.operations(forest)


def test_layers_below_all_that_is_trained_go_forward_only() -> None:
    model = choose_trainable(model_of(), None, FreezeSettings(last_layers=1), torch.float32)
    found = meter_of(model)
    first = WIDTH * WIDTH  # the last layer's queries: nothing before them is trained
    expected = 16 * (2 * LAYER + 6 * LAYER - 2 * first) + 16 * 4 * HEAD + 12 * HEADS * HEAD_WIDTH * LAYERS * 136
    assert found.operations(forest_of((17, 1))) == expected


def test_a_head_kept_beside_an_adapter_is_counted_once_and_per_target() -> None:
    from peft import LoraConfig, get_peft_model

    plain = get_peft_model(model_of(), LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj"]))
    kept = get_peft_model(
        model_of(), LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj"], modules_to_save=["lm_head"])
    )
    few, many = forest_of((17, 16)), forest_of((17, 1))
    assert meter_of(kept).operations(many) - meter_of(kept).operations(few) == 15 * 6 * HEAD
    assert meter_of(plain).operations(many) - meter_of(plain).operations(few) == 15 * 4 * HEAD
    assert meter_of(kept).operations(few) - meter_of(plain).operations(few) == 2 * HEAD


def test_a_model_without_attention_heads() -> None:
    model = model_of("mamba")
    linear = sum(part.weight.numel() for part in model.modules() if isinstance(part, torch.nn.Linear))
    head = model.get_output_embeddings().weight.numel()
    assert meter_of(model).operations(forest_of((5, 4))) == 6 * (linear - head) * 4 + 6 * head


def test_the_share_of_the_rate() -> None:
    found = meter_of(model_of())
    assert found.rate == 2e9
    assert found.share(1e9, 2.0) == 0.25
    assert found.share(1e9, 0.0) == 0.0


def test_memory_is_in_bytes() -> None:
    found = meter_of(model_of()).memory()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    assert 50e6 < found <= peak


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_matrix_rate_is_a_rate(dtype: torch.dtype) -> None:
    small = matrix_rate(CPU, dtype, size=256, seconds=0.05)
    assert 1e8 < small < 1e14
