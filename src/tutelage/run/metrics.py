"""metrics.jsonl: one JSON object a step, in order, readable at any moment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from tutelage.run.files import json_bytes, told_in_words, write_atomically


class MetricsLog:
    """Appends lines; `after_step` is the last one that a resumed run keeps, those after it are done again.

        with MetricsLog(directory.metrics, after_step=100) as log:
            log.append({"step": 101, "loss": 1.25})

    Raises:
        UserError: the disk is full.
    """

    def __init__(self, path: Path, after_step: int = 0) -> None:
        """Cut the file at `path` back to steps up to `after_step` (0: start anew), without a half-written last line."""
        self.path = path
        kept = [line for line in read_metrics(path) if line["step"] <= after_step] if after_step else []
        write_atomically(path, b"".join(json_bytes(line, indent=False) for line in kept))
        with told_in_words(path.parent):
            self._file = path.open("ab")

    def append(self, metrics: Mapping[str, Any]) -> None:
        """Write one step, through to the system."""
        with told_in_words(self.path.parent):
            self._file.write(json_bytes(dict(metrics), indent=False))
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> MetricsLog:
        """The log itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The steps in the file, up to the first line that is not a whole step; none where there is no file."""
    steps: list[dict[str, Any]] = []
    if not path.exists():
        return steps
    for line in path.read_bytes().split(b"\n"):
        try:
            step = orjson.loads(line)
        except orjson.JSONDecodeError:
            break
        if not isinstance(step, dict) or not isinstance(step.get("step"), int):
            break
        steps.append(step)
    return steps
