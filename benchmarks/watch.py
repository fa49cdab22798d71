"""Runs one system in a fresh process and measures it from outside, every system in the same way.

A step has ended when its line appears in the system's `metrics.jsonl`; memory is the most that was ever resident,
as the kernel counted it for the finished process (`ru_maxrss`).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.02
MAXRSS_UNIT = 1024  # Linux counts ru_maxrss in KiB


@dataclass
class Observation:
    """One run. By step: when its line appeared (seconds since the start), what it said, the peak memory up to then."""

    ended: list[float] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    peak_at_step: list[int] = field(default_factory=list)
    seconds: float = 0.0
    peak_bytes: int = 0
    failure: str | None = None


def quiet_environment(cache: Path) -> dict[str, str]:
    """This process's environment without what would change threads or reach for a network or a GPU."""
    dropped = ("OMP_", "GOMP_", "MKL_", "KMP_", "MALLOC_", "LD_PRELOAD", "PYTHONPATH", "TORCH", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "HF_HOME": str(cache), "WANDB_MODE": "disabled"}


def watch(
    command: list[str], folder: Path, metrics: Path, limit: float, on_step: Callable[[int, float, dict[str, Any]], None]
) -> Observation:
    """Runs the command to its end, or stops it after `limit` seconds; `on_step(number, seconds, line)` as it goes."""
    seen = Observation()
    with open(folder / "log.txt", "w") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=quiet_environment(folder / "cache"),
            start_new_session=True,
        )
        try:
            status, peak = _follow(process.pid, metrics, began, limit, seen, on_step)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    process.returncode = -signal.SIGKILL if status is None else status  # waited for here, so Popen must not
    seen.seconds = time.perf_counter() - began
    seen.peak_bytes = peak * MAXRSS_UNIT
    if status is None:
        seen.failure = f"stopped after {limit:.0f} s and {len(seen.lines)} steps"
    elif status != 0:
        seen.failure = f"exit {status}: {_last_line(folder / 'log.txt')}"
    return seen


def _follow(
    pid: int,
    metrics: Path,
    began: float,
    limit: float,
    seen: Observation,
    on_step: Callable[[int, float, dict[str, Any]], None],
) -> tuple[int | None, int]:
    """Until the process has ended: (exit code or None where it had to be stopped, ru_maxrss)."""
    stopped, offset = False, 0
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        now = time.perf_counter() - began
        if metrics.exists() and metrics.stat().st_size > offset:
            text = metrics.read_bytes()[offset:]
            whole = text[: text.rfind(b"\n") + 1]
            offset += len(whole)
            for line in whole.splitlines():
                entry = json.loads(line)
                if "loss" in entry:
                    seen.ended.append(now)
                    seen.lines.append(entry)
                    seen.peak_at_step.append(_peak_so_far(pid))
                    on_step(len(seen.lines), now, entry)
        if ended:
            return (None if stopped else os.waitstatus_to_exitcode(status)), usage.ru_maxrss
        if now > limit and not stopped:
            os.killpg(pid, signal.SIGKILL)
            stopped = True
        time.sleep(POLL_SECONDS)


def _peak_so_far(pid: int) -> int:
    """Bytes; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "(it said nothing)"
