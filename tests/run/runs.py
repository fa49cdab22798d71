"""A run directory as a run of a few steps leaves it, for the tests of what is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tutelage.run.directory import RunDirectory
from tutelage.run.metrics import MetricsLog
from tutelage.run.recipe import Recipe

SOURCE = {
    "path": "/home/somebody/指令<i>.jsonl",
    "format": "alpaca",
    "read": 100,
    "kept": 90,
    "cut": 4,
    "dropped": {"longer than max_length": 1},
    "quarantined": {"the answer is <b>empty</b>": 3, "broken | line": 2},
    "examples": 94,
    "tokens": 5000,
    "supervised_tokens": 2000,
}


def recipe(output: Path, **values: Any) -> Recipe:
    """A recipe for a model and a file that need not be there."""
    return Recipe.model_validate(
        {"model": "owner/base", "data": {"sources": [{"path": "rows.jsonl"}]}, "output": output, **values}
    )


def metrics(step: int, steps: int = 10) -> dict[str, Any]:
    """One step's row, with a validation loss at every fifth."""
    row = {
        "step": step,
        "epoch": step / steps,
        "loss": 3.0 - step / steps,
        "learning_rate": 1e-4 / step,
        "grad_norm": 1.0,
        "examples": 16,
        "tokens": 500,
        "supervised_tokens": 200,
        "tokens_per_second": 1000.0,
        "seconds": 0.5,
        "memory_bytes": 10**9 + step,
    }
    return row | ({"validation_loss": 2.5 - step / 100} if step % 5 == 0 else {})


def finished(output: Path, steps: int = 10, **values: Any) -> RunDirectory:
    """A finished run."""
    directory = RunDirectory(output)
    directory.prepare(recipe(output, **values))
    directory.write_data_report({"sources": [SOURCE], "total": {**SOURCE, "path": ""}})
    directory.write_environment({"versions": {"torch": "2.13.0"}, "data": [{"file": "a<b>", "sha256": "0" * 64}]})
    with MetricsLog(directory.metrics) as log:
        for step in range(1, steps + 1):
            log.append(metrics(step, steps))
    return directory
