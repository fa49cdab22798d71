"""The systems that are compared: what each is called, and the command that makes it train."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from environments import PEERS, environment

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Job:
    """One run, the same for all. `shape` is the folder that benchmarks/shape.py wrote."""

    shape: str
    steps: int
    batch_size: int
    micro_batch: int
    learning_rate: float
    max_length: int
    dtype: str
    seed: int
    tokens_per_forest: int | None


@dataclass(frozen=True)
class Launch:
    """How to start a system: its command, and where its `metrics.jsonl` will be."""

    command: list[str]
    metrics: Path


@dataclass(frozen=True)
class System:
    """`note` is what the table's reader should know of it."""

    label: str
    launch: Callable[[Job, Path], Launch]
    note: str


def launch_peer(name: str, job: Job, folder: Path, padding_free: bool = False) -> Launch:
    """A peer reads its job from a file and trains in its own environment."""
    python = environment(name, folder / "pip.txt")
    shape = Path(job.shape)
    told = asdict(job) | {
        "model": str(shape / "model"),
        "rows": str(shape / "ordered.json"),
        "output": str(folder),
        "padding_free": padding_free,
    }
    (folder / "job.json").write_text(json.dumps(told))
    return Launch([str(python), str(PEERS / name / "train.py"), str(folder / "job.json")], folder / "metrics.jsonl")


def launch_tutelage(job: Job, folder: Path) -> Launch:
    """The command line, as a person would type it."""
    shape, output = Path(job.shape), folder / "run"
    keys = {
        "model": shape / "model",
        "data": shape / "rows.json",
        "output": output,
        "max_length": job.max_length,
        "overlong": "error",
        "seed": job.seed,
        "train.max_steps": job.steps,
        "train.batch_size": job.batch_size,
        "train.learning_rate": job.learning_rate,
        "train.schedule": "constant",
        "train.warmup": 0,
        "train.weight_decay": 0,
        "train.dtype": job.dtype,
        "train.gradient_checkpointing": "false",
    }
    if job.tokens_per_forest:
        keys["train.tokens_per_forest"] = job.tokens_per_forest
    command = [str(ROOT / ".venv/bin/tutelage"), "tune", *(f"{key}={value}" for key, value in keys.items())]
    return Launch(command, output / "metrics.jsonl")


SYSTEMS = {
    "trl": System(
        "TRL 1.16.0", lambda job, folder: launch_peer("trl", job, folder), "SFTTrainer, prompt-completion rows, padded"
    ),
    "llamafactory": System(
        "LLaMA-Factory 0.9.5",
        lambda job, folder: launch_peer("llamafactory", job, folder),
        "stage sft, full, template llama3, padded",
    ),
    "tutelage": System("Tutelage", launch_tutelage, "tutelage tune"),
    "trl-padding-free": System(
        "TRL 1.16.0, padding_free",
        lambda job, folder: launch_peer("trl", job, folder, padding_free=True),
        "the same batches in one row; TRL supports this with FlashAttention only",
    ),
}
