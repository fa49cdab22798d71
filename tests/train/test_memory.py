"""`tutelage.train.memory`: after the call, memory that was freed is used again without being faulted in."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tutelage.train import memory

# In a process of its own: what the call changes, lasts. bytearray takes its memory from malloc, as torch does.
FAULTS = """
import resource, sys
from tutelage.train.memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
size = 64 * 2**20
for _ in range(3):
    block = bytearray(size)
    block[::4096] = b"x" * (size // 4096)
    del block
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    block = bytearray(size)
    block[::4096] = b"x" * (size // 4096)
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(mode: str) -> int:
    ended = subprocess.run([sys.executable, "-c", FAULTS, mode], capture_output=True, text=True, check=True)
    return int(ended.stdout)


def test_freed_pages_are_not_faulted_in_again() -> None:
    """Three times 64 MiB are 49152 pages of 4 KiB, or 96 where the system makes huge ones of 2 MiB."""
    assert faults("kept") < faults("as usual") / 4


def test_elsewhere_it_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert memory.keep_freed_memory() is False
    monkeypatch.setattr(memory.sys, "platform", "linux")
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())  # a libc without mallopt, such as musl
    assert memory.keep_freed_memory() is False
