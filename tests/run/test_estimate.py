"""Estimates: bytes counted against hand-worked ones, and what is left as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.runs import words
from tutelage.model.forward import ForestModel
from tutelage.model.layout import Layout
from tutelage.model.load import load_model
from tutelage.records import Forest, Leaf
from tutelage.run import estimate as module
from tutelage.run.estimate import PROBED, estimate, head_bytes, kept_bytes, newton_schulz_operations, probing_forest
from tutelage.run.events import Planned
from tutelage.run.preflight import Memory
from tutelage.run.recipe import load_recipe
from tutelage.tokens.forest import build_forest
from tutelage.tokens.store import StoreBuilder


def forest(*lengths: int) -> Forest:
    return build_forest(
        [Leaf(np.arange(10, 11 + length, dtype=np.int32), length // 2) for length in lengths], share=False
    )


class OneLayer(nn.Module):
    """`hidden` is one linear layer over made-up states."""

    def __init__(self, trained: bool) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 6, bias=False).requires_grad_(trained)
        self.before = nn.Parameter(torch.ones(4))

    def hidden(self, layout: Layout) -> torch.Tensor:
        out: torch.Tensor = self.layer(torch.ones(len(layout.forest.token), 4) + self.before)
        return out


@pytest.mark.parametrize(("trained", "expected"), [(True, 8 * 4 * 4), (False, 0)])
def test_a_linear_layer_keeps_its_input_where_its_weight_is_trained(trained: bool, expected: int) -> None:
    model: Any = OneLayer(trained)
    assert kept_bytes(model, Layout(forest(8), torch.device("cpu"))) == (expected, 0)


def test_bytes_grow_with_the_tokens(tiny_llama: Path) -> None:
    net = load_model(str(tiny_llama), device="cpu").model
    model = ForestModel(net)
    one, two = (kept_bytes(model, Layout(forest(*sizes), torch.device("cpu")))[0] for sizes in ((100,), (100, 100)))
    assert two / one == pytest.approx(2, rel=0.02)
    # Llama keeps of each layer at least the inputs of its matrices: 4 · (64 · 3 + 128) bytes a token, twice.
    assert one > 100 * 2 * 4 * (64 * 3 + 128)
    narrow = ForestModel(net, dtype=torch.bfloat16)
    tokens, copies = kept_bytes(narrow, Layout(forest(100), torch.device("cpu")))
    assert tokens < one
    matrices = sum(part.weight.numel() for part in net.model.modules() if isinstance(part, nn.Linear))
    assert copies == 2 * matrices


def test_the_head(tiny_llama: Path) -> None:
    net = load_model(str(tiny_llama), device="cpu").model
    vocabulary, width = net.lm_head.weight.shape
    weight = 4 * vocabulary * width
    assert head_bytes(ForestModel(net), 10) == 10 * vocabulary * 8 + 2 * weight
    net.requires_grad_(False)
    assert head_bytes(ForestModel(net), 10) == max(10 * vocabulary * 8, 0)


def test_muon_by_hand() -> None:
    assert newton_schulz_operations([(4, 8)]) == newton_schulz_operations([(8, 4)]) == 5 * (4 * 16 * 8 + 2 * 64)
    assert newton_schulz_operations([]) == 0


def test_the_probe_is_short_and_whole(tiny_llama: Path) -> None:
    builder = StoreBuilder()
    builder.add([Leaf(np.arange(1000, dtype=np.int32), 900)])
    assert len(probing_forest(builder.finish(), True).token) == PROBED
    builder = StoreBuilder()
    for size in (5, 7):
        builder.add([Leaf(np.arange(size, 2 * size, dtype=np.int32), 2)])
    found = probing_forest(builder.finish(), True)
    assert (len(found.token), len(found.target)) == (4 + 6, 3 + 5)


def test_what_was_found_beyond_the_reckoning_is_added() -> None:
    memory = Memory(100, 40, 80, 30, 5, 0, together=True)
    assert module._mended(memory, 160, 0, False) == memory  # 60 taken, 75 reckoned
    assert module._mended(memory, 200, 0, False).total == 100 + 80 + 100
    assert module._mended(memory, 200, 20, True).total == 100 + 80 + 120 + 42
    assert module._mended(memory, 10**10 + 100, 0, True).total == 100 + 80 + 10**10 + 2**28
    alone = replace(memory, together=False)  # two forests together took 40 of gradients and 60 of work
    assert module._mended(alone, 200, 0, False).total == 100 + 80 + 65


@pytest.mark.parametrize("limit", [1, None])
def test_nothing_is_left_of_it(tiny_llama: Path, rows_file: Path, tmp_path: Path, limit: int | None) -> None:
    """Where memory does not suffice, no forest is computed at all."""
    from tutelage.run import tune as running

    seen: list[tuple[Any, Any]] = []

    def watched(recipe: Any, setup: Any, rows: Any, *others: Any) -> Any:
        loop = setup.loop
        before = {name: weight.detach().clone() for name, weight in loop.model.named_parameters()}
        numbers = torch.get_rng_state()
        cost = estimate(loop, rows.train.store(0), 1.0, share=True)
        assert torch.equal(torch.get_rng_state(), numbers)
        for name, weight in loop.model.named_parameters():
            assert weight.grad is None
            assert torch.equal(weight, before[name])
        seen.append((cost, loop))
        return Planned(1, 1, 1, 1, 1, 1, "cpu", "float32", "m")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tutelage.run.tune.plan", watched)
        if limit is not None:
            patch.setattr("tutelage.run.estimate.memory_limit", lambda device: limit)
        running.rehearse(load_recipe(None, words(tiny_llama, rows_file, tmp_path / "run", data__validation=5)))
    ((cost, loop),) = seen
    assert (cost.seconds is None) == (limit == 1)
    assert cost.memory.total > cost.memory.held > 10**7
    assert cost.memory.together == (len(loop.batches.at((0, 0)).forests) > 1)
