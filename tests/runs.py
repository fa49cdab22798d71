"""Runs of the real thing, in this process or in others, on what tests make."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from tutelage.run.metrics import read_metrics


def words(model: Path, data: Path, output: Path, **keys: object) -> list[str]:
    """The words of `tutelage tune` for a run; `train__epochs=1` stands for `train.epochs=1`. In float32, quickly."""
    settled = {"model": model, "data": data, "output": output, "train.dtype": "float32", "train.learning_rate": 1e-3}
    settled["report.samples"] = 0  # answers before and after cost more than these runs
    settled |= {name.replace("__", "."): value for name, value in keys.items()}
    return [f"{name}={_yaml(value)}" for name, value in settled.items()]


def tune(model: Path, data: Path, output: Path, **keys: object) -> list[dict[str, Any]]:
    """Runs in this process and returns metrics.jsonl."""
    from tutelage.run.recipe import load_recipe
    from tutelage.run.tune import tune as run

    run(load_recipe(None, words(model, data, output, **keys)))
    return read_metrics(output / "metrics.jsonl")


def command(*arguments: object, ranks: int = 1, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs the command `tutelage` as a person does, in as many processes."""
    launcher: Sequence[str] = [sys.executable]
    if ranks > 1:
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    environment |= options.pop("env", {})
    return subprocess.run(
        [*launcher, "-m", "tutelage", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=300,
        **options,
    )


def weights(run: Path) -> dict[str, torch.Tensor]:
    """The tensors of a finished run's model."""
    from safetensors.torch import load_file

    return load_file(next((run / "model").glob("*.safetensors")))


def losses(metrics: Sequence[dict[str, Any]]) -> list[float]:
    """The training losses, step by step."""
    return [step["loss"] for step in metrics]


def _yaml(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
