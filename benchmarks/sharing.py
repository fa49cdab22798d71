"""When does a shared prefix pay? Measures the two constants that decide it, as ratios in one run.

    python benchmarks/sharing.py

`tokens.planner.MINIMUM_SHARED`: the shortest prefix that branches share instead of computing it again.
`model.segments.SHORT_SIBLING`: siblings up to this length are attended in one call with a mask.
A Llama of 19 million parameters, forward and backward, float32; each ratio is the median of interleaved pairs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from tutelage.model import segments
from tutelage.model.forward import ForestModel
from tutelage.model.layout import Layout
from tutelage.model.probe import why_not_forest
from tutelage.records import Leaf
from tutelage.tokens.forest import build_forest
from tutelage.train.memory import keep_freed_memory

VOCABULARY = 8192
PAIRS = 5


def model() -> ForestModel:
    """19 million random parameters."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=384,
        intermediate_size=1024,
        num_hidden_layers=8,
        num_attention_heads=6,
        num_key_value_heads=2,
    )
    made = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    reason = why_not_forest(made)
    assert reason is None, reason
    return ForestModel(made)


def leaves(prefix: int, branches: int, length: int) -> list[Leaf]:
    """So many answers of one length after one prefix, all of the answer supervised."""
    random = np.random.default_rng(0)
    shared = random.integers(0, VOCABULARY, prefix)
    return [
        Leaf(np.concatenate([shared, random.integers(0, VOCABULARY, length)]).astype(np.int32), max(1, prefix))
        for _ in range(branches)
    ]


def seconds(forest_model: ForestModel, layout: Layout) -> float:
    """Forward and backward."""
    start = time.perf_counter()
    forest_model(layout).backward()
    return time.perf_counter() - start


def ratio(first: Callable[[], float], second: Callable[[], float]) -> float:
    """The median of first ÷ second over pairs that alternate, after one of each."""
    first(), second()
    return statistics.median(first() / second() for _ in range(PAIRS))


def main() -> None:
    """Prints the two tables."""
    keep_freed_memory()
    tuned = model()
    print("seconds unshared ÷ shared (above 1: sharing pays)")
    print("prefix   4 × 120   12 × 40")
    for prefix in (8, 16, 32, 64, 128, 256):
        cells = []
        for branches, length in ((4, 120), (12, 40)):
            given = leaves(prefix, branches, length)
            apart, together = Layout(build_forest(given, share=False)), Layout(build_forest(given))
            cells.append(ratio(lambda a=apart: seconds(tuned, a), lambda t=together: seconds(tuned, t)))  # type: ignore[misc]
        print(f"{prefix:6} {cells[0]:9.2f} {cells[1]:9.2f}")
    print("\nseconds one call a sibling ÷ grouped, 24 siblings after a prefix of 200 (above 1: grouping pays)")
    limit = segments.SHORT_SIBLING
    for length in (4, 16, 32, 64, 96):
        forest = build_forest(leaves(200, 24, length))
        segments.SHORT_SIBLING = 0
        single = Layout(forest)
        segments.SHORT_SIBLING = 10_000
        grouped = Layout(forest)
        segments.SHORT_SIBLING = limit
        print(f"{length:6} {ratio(lambda: seconds(tuned, single), lambda: seconds(tuned, grouped)):9.2f}")  # noqa: B023


if __name__ == "__main__":
    main()
