"""metrics.jsonl: readable at any moment, and cut back to the step that a run resumes from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.run.metrics import MetricsLog, read_metrics


def write(path: Path, steps: range, after_step: int = 0) -> None:
    with MetricsLog(path, after_step) as log:
        for step in steps:
            log.append({"step": step, "loss": 1 / step, "文": "字"})


def numbers(path: Path) -> list[int]:
    return [line["step"] for line in read_metrics(path)]


def test_every_line_is_there_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with MetricsLog(path) as log:
        log.append({"step": 1, "loss": float("nan")})
        assert path.read_bytes() == b'{"step":1,"loss":null}\n'


def test_a_new_run_begins_with_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, range(1, 5))
    write(path, range(1, 3))
    assert numbers(path) == [1, 2]


def test_no_file(tmp_path: Path) -> None:
    assert read_metrics(tmp_path / "none") == []
    write(tmp_path / "metrics.jsonl", range(3, 5), after_step=2)
    assert numbers(tmp_path / "metrics.jsonl") == [3, 4]


@settings(deadline=None, max_examples=40)
@given(steps=st.integers(0, 12), cut=st.integers(0, 400), after=st.integers(0, 14))
def test_wherever_a_run_was_killed_and_resumed_the_file_is_that_of_a_run_never_killed(
    tmp_path_factory: pytest.TempPathFactory, steps: int, cut: int, after: int
) -> None:
    folder = tmp_path_factory.mktemp("m")
    whole, killed = folder / "whole", folder / "killed"
    write(whole, range(1, steps + 6))
    write(killed, range(1, steps + 1))
    killed.write_bytes(killed.read_bytes()[: max(0, len(killed.read_bytes()) - cut)])
    kept = [number for number in numbers(killed) if number <= after]
    write(killed, range(len(kept) + 1, steps + 6), after_step=after)
    assert killed.read_bytes() == whole.read_bytes()


def test_what_is_no_step_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step":1}\n[2]\n{"step":3}\n')
    assert numbers(path) == [1]
