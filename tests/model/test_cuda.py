"""The CUDA backends against the dense reference, where a GPU is at hand: `pytest -m gpu tests/model/test_cuda.py`."""

from __future__ import annotations

import pytest
import torch

from tests.model.test_attention import leaves
from tutelage.model.attention import BACKENDS, Score
from tutelage.model.layout import Layout
from tutelage.tokens.forest import build_forest

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def difference(backend: str, share: bool, window: int, score: Score, dtype: torch.dtype) -> tuple[float, float]:
    """Largest differences to the float32 dense reference, of output and gradients, relative to their largest."""
    torch.manual_seed(0)
    layout = Layout(build_forest(leaves(), share=share), "cuda")
    shapes = ((1, 4, layout.size, 64), (1, 2, layout.size, 64), (1, 2, layout.size, 64))
    inputs = [torch.randn(shape, device="cuda", requires_grad=True) for shape in shapes]
    upstream = torch.randn(1, layout.size, 4, 64, device="cuda")
    results = []
    for name, kind in (("dense", torch.float32), (backend, dtype)):
        query, key, value = (x.to(kind) for x in inputs)
        out = BACKENDS[name](layout, query, key, value, window, score).float()
        results.append((out.detach(), torch.autograd.grad((out * upstream).sum(), inputs)))
    (expected, slopes), (found, own) = results
    largest = max(float(slope.abs().max()) for slope in slopes)
    return (
        float((found - expected).abs().max() / expected.abs().max()),
        max(float((left - right).abs().max()) for left, right in zip(own, slopes, strict=True)) / largest,
    )


@pytest.mark.parametrize("window", [0, 5])
def test_varlen(window: int) -> None:
    """Flash attention computes in bfloat16 only; its error is that of the rounding of the inputs."""
    assert max(difference("varlen", False, window, Score(None, 0.0, None, None), torch.bfloat16)) < 2e-2


@pytest.mark.parametrize("window", [0, 5])
@pytest.mark.parametrize("softcap", [None, 2.0])
@pytest.mark.parametrize("sinks", [False, True])
def test_flex(window: int, softcap: float | None, sinks: bool) -> None:
    sink = torch.randn(4, device="cuda") if sinks else None
    assert max(difference("flex", True, window, Score(0.2, 0.0, softcap, sink), torch.float32)) < 2e-3


def test_the_backend_fits_the_forest() -> None:
    assert Layout(build_forest(leaves()), "cuda").backend == "flex"
    assert Layout(build_forest(leaves(), share=False), "cuda").backend == "varlen"
