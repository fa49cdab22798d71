"""Every peer's own environment: `peers/NAME/.venv`, made once from exact pins, remade when the pins change."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).parent / "peers"


def environment(name: str, log: Path) -> Path:
    """The peer's python; takes minutes the first time.

    torch is installed first, with what its build needs; then all pins without resolving them: LLaMA-Factory asks
    for a torchvision and a torchaudio that do not go with this torch, and for a web page's packages that training
    does not import. Raises subprocess.CalledProcessError where pip fails; its words are in `log`.
    """
    folder = PEERS / name
    pins = folder / "requirements.txt"
    python, stamp = folder / ".venv/bin/python", folder / ".venv/pins"
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest and python.exists():
        return python
    torch = next(line for line in pins.read_text().splitlines() if line.startswith("torch=="))
    print(f"  making the environment of {name} (once, minutes) …", flush=True)
    install = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    with open(log, "a") as out:
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder / ".venv")],
            [*install, torch],
            [*install, "--no-deps", "-r", str(pins)],
        ):
            subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=True)
    stamp.write_text(digest)
    return python
