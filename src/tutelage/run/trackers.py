"""TensorBoard, Weights & Biases and MLflow, through accelerate's trackers; metrics.jsonl has all without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tutelage.errors import UserError


class Trackers:
    """The trackers of a run; with no names, all calls do nothing."""

    def __init__(self, names: Sequence[str], folder: Path, run_name: str, settings: Mapping[str, Any]) -> None:
        check_trackers(names)
        self._trackers = [_tracker(name, folder, run_name) for name in names]
        flat = {
            key: value if isinstance(value, (int, float, str, bool)) else str(value) for key, value in settings.items()
        }
        for tracker in self._trackers:
            tracker.start()
            tracker.store_init_configuration(flat)

    def log(self, metrics: Mapping[str, float | int]) -> None:
        """One step's figures."""
        for tracker in self._trackers:
            tracker.log({name: value for name, value in metrics.items() if name != "step"}, step=int(metrics["step"]))

    def close(self) -> None:
        """Sends what is left."""
        for tracker in self._trackers:
            tracker.finish()


def check_trackers(names: Sequence[str]) -> None:
    """Raises `UserError` where one is not installed: before anything is spent."""
    if not names:
        return
    from accelerate.tracking import get_available_trackers

    installed = [str(available) for available in get_available_trackers()]
    for name in names:
        if name not in installed:
            raise UserError(f"train.trackers names {name}, which is not installed: pip install {name}")


def _tracker(name: str, folder: Path, run_name: str) -> Any:
    from accelerate import PartialState
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    PartialState()
    kind = LOGGER_TYPE_TO_CLASS[name]
    if kind.requires_logging_directory:
        folder.mkdir(parents=True, exist_ok=True)
        return kind(run_name, logging_dir=str(folder))
    return kind(run_name)
