"""What the benchmark runs on, and whether it has the machine to itself."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Processor, cores, bytes of memory."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"processor": names[0] if names else platform.processor(), "cores": os.cpu_count(), "memory_bytes": memory}


def busy_share(seconds: float = 3.0) -> float:
    """The share of all cores' time that others take while this process sleeps; 0 where unknown."""
    before = _jiffies()
    time.sleep(seconds)
    after = _jiffies()
    if before is None or after is None or after[1] == before[1]:
        return 0.0
    return 1 - (after[0] - before[0]) / (after[1] - before[1])


def _jiffies() -> tuple[int, int] | None:
    """(idle, all) since the machine started, over all cores."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    counts = [int(count) for count in stat.read_text().splitlines()[0].split()[1:9]]
    return counts[3] + counts[4], sum(counts)
