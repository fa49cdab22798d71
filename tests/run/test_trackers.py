"""`tutelage.run.trackers`: accelerate's trackers get the settings once and the figures of every step."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tutelage.errors import UserError
from tutelage.run.trackers import Trackers

METRICS: dict[str, float | int] = {"step": 1, "loss": 2.5, "learning_rate": 1e-4, "examples": 16}


def events(folder: Path) -> Any:
    """What TensorBoard reads in a folder."""
    module = import_module("tensorboard.backend.event_processing.event_accumulator")
    return module.EventAccumulator(str(folder)).Reload()


def test_without_names_nothing_happens(tmp_path: Path) -> None:
    trackers = Trackers((), tmp_path / "trackers", "first", {"a": 1})
    trackers.log(METRICS)
    trackers.close()
    assert list(tmp_path.iterdir()) == []


def test_tensorboard(tmp_path: Path) -> None:
    trackers = Trackers(
        ("tensorboard",),
        tmp_path / "run" / "trackers",
        "first",
        {
            "model": "m",
            "train.epochs": 3.0,
            "seed": 0,
            "resume": False,
            "adapter": None,
            "train.trackers": ["tensorboard"],
        },
    )
    trackers.log(METRICS)
    trackers.log({**METRICS, "step": 2, "loss": 1.5, "validation_loss": 1.25})
    trackers.close()
    folder = tmp_path / "run" / "trackers" / "first"
    found = events(folder)
    assert [(event.step, event.value) for event in found.Scalars("loss")] == [(1, 2.5), (2, 1.5)]
    assert [(event.step, event.value) for event in found.Scalars("validation_loss")] == [(2, 1.25)]
    assert [event.step for event in found.Scalars("examples")] == [1, 2]
    assert "step" not in found.Tags()["scalars"]
    settings = next(folder.glob("*/hparams.yml")).read_text()
    assert "train.epochs: 3.0" in settings
    assert "adapter: None" in settings
    assert "train.trackers: '[''tensorboard'']'" in settings


def test_a_run_that_goes_on_is_logged_on(tmp_path: Path) -> None:
    for step in (1, 2):
        trackers = Trackers(("tensorboard",), tmp_path, "first", {"seed": 0})
        trackers.log({**METRICS, "step": step})
        trackers.close()
    assert [event.step for event in events(tmp_path / "first").Scalars("loss")] == [1, 2]


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_one_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    import accelerate.tracking

    monkeypatch.setattr(accelerate.tracking, "get_available_trackers", list)
    with pytest.raises(UserError) as caught:
        Trackers((name,), tmp_path / "trackers", "first", {})
    assert str(caught.value) == f"train.trackers names {name}, which is not installed: pip install {name}"
    assert list(tmp_path.iterdir()) == []


def test_the_others_are_used_as_tensorboard_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights & Biases and MLflow talk to servers; here a tracker of their shape stands for them."""
    import accelerate.tracking
    from accelerate.utils import LoggerType

    calls: list[Any] = []

    class Spoken:
        requires_logging_directory = False

        def __init__(self, run_name: str) -> None:
            calls.append(run_name)

        def __getattr__(self, name: str) -> Any:
            return lambda *arguments, **options: calls.append((name, *arguments, *options.items()))

    for name in (LoggerType.WANDB, LoggerType.MLFLOW):
        calls.clear()
        monkeypatch.setattr(accelerate.tracking, "get_available_trackers", lambda name=name: [name])
        monkeypatch.setitem(accelerate.tracking.LOGGER_TYPE_TO_CLASS, str(name), Spoken)
        trackers = Trackers((str(name),), tmp_path / "trackers", "first", {"seed": 1, "adapter": None})
        trackers.log(METRICS)
        trackers.close()
        assert calls == [
            "first",
            ("start",),
            ("store_init_configuration", {"seed": 1, "adapter": "None"}),
            ("log", {"loss": 2.5, "learning_rate": 1e-4, "examples": 16}, ("step", 1)),
            ("finish",),
        ]
    assert list(tmp_path.iterdir()) == []


def test_the_names_are_those_that_accelerate_knows() -> None:
    from typing import get_args

    from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

    from tutelage.train.settings import TrainSettings

    annotation = TrainSettings.model_fields["trackers"].annotation
    names = get_args(get_args(annotation)[0])
    assert set(names) == {"tensorboard", "wandb", "mlflow"}
    assert set(names) <= set(LOGGER_TYPE_TO_CLASS)
    assert "tensorboard" in [str(name) for name in get_available_trackers()]
    assert "accelerate" in sys.modules
