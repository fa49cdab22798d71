"""`tutelage.train.memory`: after the call, memory that was freed is used again without being faulted in."""

from __future__ import annotations

import ctypes
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
size = 16 * 2**20
def use():
    for _ in range(3):
        blocks = [bytearray(size) for _ in range(6)]
        for block in blocks:
            block[::4096] = b"x" * (size // 4096)
        del blocks, block
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(mode: str) -> int:
    ended = subprocess.run([sys.executable, "-c", FAULTS, mode], capture_output=True, text=True, check=True)
    return int(ended.stdout)


def test_freed_pages_are_not_faulted_in_again() -> None:
    """Three times 96 MiB are 73728 pages of 4 KiB, or 144 where the system makes huge ones of 2 MiB."""
    assert faults("kept") < faults("as usual") / 4


def test_elsewhere_it_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert memory.keep_freed_memory() is False
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())  # a libc without mallopt, such as musl
    assert memory.keep_freed_memory() is False
