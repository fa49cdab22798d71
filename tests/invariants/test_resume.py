"""Promise 3: a run killed at any moment and resumed ends with the same weights, bit for bit, as one never killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.runs import command, losses, tune, weights, words
from tutelage.errors import UserError
from tutelage.run.metrics import read_metrics

KEYS = {
    "train__epochs": 4,
    "train__batch_size": 8,
    "train__save_every": 3,
    "train__validate_every": 5,
    "train__neftune": 5,
    "data__validation": 8,
    "adapter__kind": "lora",
    "adapter__dropout": 0.1,
}


def assert_same_end(one: Path, other: Path) -> None:
    expected = weights(one)
    for name, tensor in weights(other).items():
        assert torch.equal(tensor, expected[name]), name
    steps = [read_metrics(run / "metrics.jsonl") for run in (one, other)]
    assert [step["step"] for step in steps[1]] == list(range(1, len(steps[0]) + 1))
    assert losses(steps[0]) == losses(steps[1])
    assert [s.get("validation_loss") for s in steps[0]] == [s.get("validation_loss") for s in steps[1]]


def start(arguments: list[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "tutelage", "tune", *arguments, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def kill_after(arguments: list[str], step: int, number: signal.Signals, pause: float = 0.0) -> tuple[int, str]:
    """Starts a run, sends a signal soon after metrics.jsonl has the step, and waits for the end."""
    output = Path(next(word for word in arguments if word.startswith("output=")).partition("=")[2])
    process = start(arguments)
    while process.poll() is None and len(read_metrics(output / "metrics.jsonl")) < step:
        time.sleep(0.005)
    time.sleep(pause)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=120)
    return process.returncode, printed


@pytest.fixture(scope="module")
def whole(tiny_llama: Path, rows_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody disturbed."""
    output = tmp_path_factory.mktemp("whole") / "run"
    done = command("tune", *words(tiny_llama, rows_file, output, **KEYS))
    assert done.returncode == 0, done.stderr + done.stdout
    return output


def test_ctrl_c_saves_and_says_how_to_go_on(tiny_llama: Path, rows_file: Path, tmp_path: Path, whole: Path) -> None:
    arguments = words(tiny_llama, rows_file, tmp_path / "run", **KEYS)
    code, printed = kill_after(arguments, 4, signal.SIGINT)
    assert code == 130, printed
    assert "resume=true" in printed
    assert command("tune", *arguments, "resume=true").returncode == 0
    assert_same_end(whole, tmp_path / "run")


def test_sigterm_and_then_kill_at_a_random_moment(
    tiny_llama: Path, rows_file: Path, tmp_path: Path, whole: Path
) -> None:
    """Twice in one run: once politely, once in the middle of whatever it does then."""
    arguments = words(tiny_llama, rows_file, tmp_path / "run", **KEYS)
    assert kill_after(arguments, 2, signal.SIGTERM)[0] == 130
    resumed = [*arguments, "resume=true"]
    code, printed = kill_after(resumed, 8, signal.SIGKILL, random.uniform(0, 0.05))
    assert code == -signal.SIGKILL, printed
    assert command("tune", *resumed).returncode == 0
    assert_same_end(whole, tmp_path / "run")


@pytest.mark.long
@pytest.mark.parametrize("attempt", range(12))
def test_killed_again_and_again(tiny_llama: Path, rows_file: Path, tmp_path: Path, whole: Path, attempt: int) -> None:
    """SIGKILL at random moments: while starting, stepping, saving, validating, writing the result."""
    arguments = [*words(tiny_llama, rows_file, tmp_path / "run", **KEYS), "resume=true"]
    dice = random.Random(attempt)
    for _ in range(6):
        process = start(arguments)
        try:
            process.communicate(timeout=dice.uniform(3, 14))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    done = command("tune", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_same_end(whole, tmp_path / "run")


def test_a_resume_does_not_replay_the_first_epoch(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    """Other tools begin again with epoch 0's order after a resume; here the second epoch has an order of its own."""
    metrics = tune(tiny_llama, rows_file, tmp_path / "run", train__epochs=2, train__batch_size=8)
    per_epoch = len(metrics) // 2
    first = [step["tokens"] for step in metrics[:per_epoch]]
    second = [step["tokens"] for step in metrics[per_epoch:]]
    assert sum(first) == sum(second)
    assert first != second


def test_resuming_a_finished_run_changes_nothing(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    keys = {"train__max_steps": 3}
    before = tune(tiny_llama, rows_file, tmp_path / "run", **keys)
    expected = weights(tmp_path / "run")
    after = tune(tiny_llama, rows_file, tmp_path / "run", **keys, resume=True)
    assert losses(after) == losses(before)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(tmp_path / "run").items())


def test_changed_data_is_refused_and_the_run_stays_as_it_was(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    data, run = tmp_path / "rows.jsonl", tmp_path / "run"
    data.write_bytes(rows_file.read_bytes())
    tune(tiny_llama, data, run, train__max_steps=2)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    data.write_bytes(b"".join(rows_file.read_bytes().splitlines(keepends=True)[:30]))
    with pytest.raises(UserError, match="is not what this run began with"):
        tune(tiny_llama, data, run, train__max_steps=2, resume=True)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
