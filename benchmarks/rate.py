"""How fast this machine multiplies matrices of the shape's sizes, and how many operations a step needs at least.

    python benchmarks/rate.py FILE.json --dtype float32 --dtype bfloat16

Needed operations are those on real tokens: the layers on every token but a row's last, attention on visible pairs
only, the head on supervised tokens only. Needed operations ÷ matrix rate is the floor under a step's time, whatever
the software.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable
from pathlib import Path

HIDDEN, KEY_VALUE, INTERMEDIATE, LAYERS, VOCABULARY = 576, 192, 1536, 30, 49152
# (inputs, outputs, how many in the model) of the matrices that every token passes, and of the head
LAYER_MATRICES = (
    (HIDDEN, HIDDEN, 2 * LAYERS),
    (HIDDEN, KEY_VALUE, 2 * LAYERS),
    (HIDDEN, INTERMEDIATE, 2 * LAYERS),
    (INTERMEDIATE, HIDDEN, LAYERS),
)
HEAD = (HIDDEN, VOCABULARY, 1)
TOKENS = 2048


def needed_operations(lengths: Iterable[tuple[int, int]]) -> float:
    """Floating-point operations of forward and backward for rows of (prompt, answer) tokens; a multiply-add is two.

    A row of 100 + 50 tokens: 3 * (2 * 106168320 * 149 + 2 * 28311552 * 50 + 4 * 576 * 30 * 149 * 150 / 2), or
    105.7e9.
    """
    layers = sum(rows * columns * count for rows, columns, count in LAYER_MATRICES)
    total = 0
    for prompt, answer in lengths:
        fed = prompt + answer - 1
        visible = fed * (fed + 1) // 2
        total += 2 * layers * fed + 2 * HEAD[0] * HEAD[1] * answer + 4 * HIDDEN * LAYERS * visible
    return 3.0 * total


def matrix_rate(dtype_name: str, seconds: float = 0.5) -> float:
    """Operations a second of `x @ w.T` over the shape's matrices, each as often as a token passes it."""
    import torch
    from torch.nn.functional import linear

    dtype = getattr(torch, dtype_name)
    operations = spent = 0.0
    for inputs, outputs, count in (*LAYER_MATRICES, HEAD):
        states, weights = torch.randn(TOKENS, inputs).to(dtype), torch.randn(outputs, inputs).to(dtype)
        linear(states, weights)
        best, until = float("inf"), time.perf_counter() + seconds
        while time.perf_counter() < until:
            began = time.perf_counter()
            linear(states, weights)
            best = min(best, time.perf_counter() - began)
        operations += 2.0 * TOKENS * inputs * outputs * count
        spent += best * count
    return operations / spent


def main() -> None:
    """Measures and writes {dtype: operations a second, "threads": n}."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--dtype", action="append", choices=("float32", "bfloat16"), required=True)
    arguments = parser.parse_args()

    import torch

    torch.manual_seed(0)
    rates: dict[str, float] = {name: matrix_rate(name) for name in arguments.dtype}
    arguments.file.write_text(json.dumps({**rates, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
