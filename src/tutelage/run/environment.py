"""environment.json: what a run stood on, so that it can be had again. No user names, no host names, no paths."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import tutelage
from tutelage.errors import UserError

PACKAGES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "numpy", "bitsandbytes")
VARIABLES = (
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "GOMP_SPINCOUNT",
    "KMP_BLOCKTIME",
    "MKL_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF",
    "WORLD_SIZE",
)


def describe(seed: int, device: str, data: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Versions, machine, threads, seed, git revision and the data's SHA-256. Imports torch.

    `device` is a torch device's name, such as "cpu" or "cuda:0"; `data` are the fingerprints of the recipe's files and
    tasks, in its order.
    """
    import torch

    return {
        "tutelage": tutelage.__version__,
        "python": platform.python_version(),
        "versions": versions(),
        "platform": platform.platform(),
        "processor": _processor(),
        "device": {"name": device, "model": _device_model(device), "count": torch.cuda.device_count()},
        "threads": {
            "torch": torch.get_num_threads(),
            "interop": torch.get_num_interop_threads(),
            "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        },
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "seed": seed,
        "git": {"tutelage": _own_revision(), "working_folder": revision(Path.cwd())},
        "data": list(data),
    }


def versions() -> dict[str, str]:
    """The installed version of each package that results may hang on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def check_same_data(then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to resume on data files, or tasks, that have changed since.

    Raises:
        UserError: naming the first that differs.
    """
    for old, new in zip(then.get("data", []), now.get("data", []), strict=False):
        if old["sha256"] != new["sha256"]:
            raise UserError(
                f"{new['file']} is not what this run began with ({old['bytes']} bytes then, {new['bytes']} now): "
                "put the old one back, or start a new run in another output."
            )


def revision(folder: Path) -> dict[str, Any] | None:
    """The commit that is checked out in `folder`, and whether tracked files differ from it; None outside git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "changed": bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))}


def _own_revision() -> dict[str, Any] | None:
    """The revision of Tutelage itself, where it runs from a checkout."""
    source = Path(__file__)
    tracked = _git(source.parent, "ls-files", "--error-unmatch", source.name)
    return revision(source.parent) if tracked else None


def _git(folder: Path, *words: str) -> str | None:
    # A repository's own settings must not make git start programs.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _device_model(device: str) -> str | None:
    import torch

    return torch.cuda.get_device_name(device) if device.startswith("cuda") else None
