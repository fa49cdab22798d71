from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.tokens.test_forest import leaf
from tutelage.model.attention import BACKENDS, Score, window_of
from tutelage.model.layout import Layout
from tutelage.model.probe import why_not_forest
from tutelage.records import Leaf
from tutelage.tokens.forest import build_forest


def leaves() -> list[Leaf]:
    """Branches of branches, a continuation, a duplicate, a sequence of one fed token, and trees that share nothing."""
    prompt = list(range(10, 22))
    return [
        leaf([*prompt, 1, 2, 3, 4], 12),
        leaf([*prompt, 1, 2, 7, 8, 9], 12),
        leaf([*prompt, 5], 12),
        leaf([*prompt, 5], 12),
        leaf([*prompt, 6, 6], 12),
        leaf([30, 31], 1),
        leaf(list(range(40, 75)), 1),
        leaf(list(range(50, 59)), 1),
    ]


@pytest.mark.parametrize("window", [0, 1, 5, 20])
@pytest.mark.parametrize("softcap", [None, 2.0])
@pytest.mark.parametrize("sinks", [False, True])
def test_segments_equal_the_dense_reference(window: int, softcap: float | None, sinks: bool) -> None:
    torch.manual_seed(0)
    layout = Layout(build_forest(leaves()))
    q = torch.randn(1, 4, layout.size, 8, dtype=torch.float64, requires_grad=True)
    k = torch.randn(1, 2, layout.size, 8, dtype=torch.float64, requires_grad=True)
    v = torch.randn(1, 2, layout.size, 6, dtype=torch.float64, requires_grad=True)
    sink = torch.randn(4, dtype=torch.float64) if sinks else None
    score = Score(0.3, 0.0, softcap, sink)
    dense, segments = (BACKENDS[name](layout, q, k, v, window, score) for name in ("dense", "segments"))
    assert dense.shape == (1, layout.size, 4, 6)
    assert torch.allclose(dense, segments, atol=1e-6)
    upstream = torch.randn_like(dense)
    gradients = [torch.autograd.grad((out * upstream).sum(), (q, k, v)) for out in (dense, segments)]
    for left, right in zip(*gradients, strict=True):
        assert torch.allclose(left, right, atol=1e-6)


def test_the_dense_reference_is_softmax_over_what_is_visible() -> None:
    torch.manual_seed(0)
    layout = Layout(build_forest(leaves()))
    q, k, v = (torch.randn(1, 1, layout.size, 4) for _ in range(3))
    out = BACKENDS["dense"](layout, q, k, v, 0, Score(0.5, 0.0, None, None))
    for row in range(layout.size):
        seen = [key for key in range(row + 1) if row < layout.forest.subtree_end[key]]
        weights = torch.softmax((k[0, 0, seen] @ q[0, 0, row]) * 0.5, 0)
        assert torch.allclose(out[0, row, 0], weights @ v[0, 0, seen], atol=1e-5)


def rule(expression: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda batch, head, query, key: expression(query, key)


def test_window_of() -> None:
    assert window_of(rule(lambda q, k: k <= q), 12) == 0
    assert window_of(rule(lambda q, k: (k <= q) & (k > q - 5)), 12) == 5
    assert window_of(rule(lambda q, k: (k <= q) & (k > q - 12)), 12) == 0
    assert window_of(rule(lambda q, k: (k <= q) & (k // 5 == q // 5)), 12) is None
    assert window_of(rule(lambda q, k: (k <= q) & (k // 5 == q // 5)), 10) is None
    assert window_of(rule(lambda q, k: q >= 0), 12) is None
    assert window_of(rule(lambda q, k: k <= q), 1) == 0


@pytest.mark.parametrize("name", ["gemma2", "gpt-oss"])
def test_generation_has_soft_caps_and_sinks_too(name: str) -> None:
    """Outside a forest, with a cache and left padding: transformers' "sdpa" would refuse the one and forget the
    other."""
    import transformers as t

    sizes = {"vocab_size": 60, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "head_dim": 8}
    sizes |= {"num_attention_heads": 4, "num_key_value_heads": 2, "sliding_window": 4, "pad_token_id": 0}
    config = {
        "gemma2": lambda: t.Gemma2Config(**sizes, attn_logit_softcapping=2.0),
        "gpt-oss": lambda: t.GptOssConfig(**sizes, num_local_experts=4, num_experts_per_tok=2),
    }[name]()
    torch.manual_seed(0)
    model = t.AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.tensor([[0, 0, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14]])
    mask = (ids > 0).long()

    def scores() -> torch.Tensor:
        out = model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=5,
            do_sample=False,
            output_scores=True,
            return_dict_in_generate=True,
        )
        return torch.stack(out.scores)

    expected = scores()
    assert why_not_forest(model) is None
    assert torch.allclose(scores(), expected, atol=1e-5)


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, set[torch.dtype]]]:
    """CUDA's kernels, replaced by the dense reference and a list of which was called with what."""
    from tutelage.model import cuda

    called: list[tuple[str, set[torch.dtype]]] = []

    def kernel(name: str) -> Callable[..., torch.Tensor]:
        def attend(layout: Layout, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *rest: Any) -> torch.Tensor:
            called.append((name, {q.dtype, k.dtype, v.dtype}))
            return BACKENDS["dense"](layout, q, k, v, 0, Score(None, 0.0, None, None))

        return attend

    for name in ("varlen", "flex"):
        monkeypatch.setattr(cuda, f"{name}_attend", kernel(name))
    return called


@pytest.mark.parametrize("backend", ["varlen", "flex"])
def test_cuda_kernels_get_one_dtype(backend: str, kernels: list[tuple[str, set[torch.dtype]]]) -> None:
    """Under autocast, rotary embeddings leave query and key in float32 and the value in bfloat16, which they refuse."""
    from transformers import AutoModelForCausalLM

    from tests.tiny import architecture
    from tutelage.model.forward import ForestModel

    model = AutoModelForCausalLM.from_config(architecture("llama", 100), dtype=torch.float32)
    assert why_not_forest(model) is None
    forest = build_forest(leaves(), share=backend == "flex")
    for dtype, expected in ((torch.bfloat16, backend), (torch.float32, "flex")):
        kernels.clear()
        ForestModel(model, dtype=dtype)(Layout(forest, backend=backend))
        assert kernels == [(expected, {dtype})] * 2


def test_what_a_cuda_kernel_lacks_goes_to_another(kernels: list[tuple[str, set[torch.dtype]]]) -> None:
    layout = Layout(build_forest(leaves(), share=False))

    def used(backend: str, width: int = 16, **score: Any) -> str:
        kernels.clear()
        q, k, v = (torch.randn(1, 2, layout.size, width, dtype=torch.bfloat16) for _ in range(3))
        BACKENDS[backend](layout, q, k, v, 0, Score(None, **{"dropout": 0.0, "softcap": None, "sinks": None, **score}))
        return kernels[0][0] if kernels else "dense"

    assert used("varlen") == "varlen"
    assert used("varlen", width=12) == used("varlen", width=264) == used("varlen", softcap=2.0) == "flex"
    assert used("varlen", dropout=0.1) == used("flex", dropout=0.1) == "dense"
    assert used("flex") == "flex"
