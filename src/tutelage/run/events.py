"""What a run tells while it goes on: `tune(recipe, announce)` calls `announce` with one of these at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tutelage.run.preflight import Preflight


@dataclass(frozen=True, slots=True)
class Note:
    """One line worth telling: "Mamba can't take a forest…", "rows.json is alpaca"."""

    text: str


@dataclass(frozen=True, slots=True)
class Warned:
    """One line that the person should not miss."""

    text: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What is about to be trained, in all: steps of the whole run, and what an epoch holds.

    preflight: what else a person should see before anything is spent.
    """

    steps: int
    examples: int
    tokens: int
    supervised_tokens: int
    trainable_parameters: int
    total_parameters: int
    device: str
    dtype: str
    model: str
    preflight: Preflight | None = None


@dataclass(frozen=True, slots=True)
class Stepped:
    """One optimiser step, with the keys of metrics.jsonl; `steps` is the whole run's."""

    metrics: dict[str, float | int]
    steps: int


@dataclass(frozen=True, slots=True)
class Validated:
    """A validation loss, and whether it is the best so far."""

    step: int
    loss: float
    best: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint, complete on the disk."""

    step: int
    path: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of the run, as report.json has it."""

    outcome: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Ctrl-C or SIGTERM was heard, and everything up to `step` is saved."""

    step: int
    path: str


Event = Note | Warned | Planned | Stepped | Validated | Saved | Finished | Interrupted


class Stopped(Exception):  # noqa: N818  (not an error: the person asked for it)
    """The run was interrupted and is saved: the command line says how to continue, and exits with 130."""

    def __init__(self, step: int, path: str) -> None:
        """`step` is the last finished one; `path` is the run directory."""
        super().__init__(f"interrupted after step {step}")
        self.step = step
        self.path = path
