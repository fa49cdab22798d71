"""Memory on a CPU: freed pages are kept for the next step, not given back to the system and faulted in again."""

from __future__ import annotations

import ctypes
import sys

# glibc's mallopt parameters (malloc.h).
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Makes glibc's allocator serve large tensors from memory it already has; True where that is possible (glibc).

    By default tensors above 32 MiB are mapped anew each time and the top of the heap is given back, and every page of
    both is faulted in and zeroed again: 13 % of a step's processor time (docs/log.md). The price is that the process
    keeps its peak until it ends.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1))
