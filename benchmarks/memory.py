"""The most memory of its own that a process has while it works. Needs nothing but Python: peers use it too."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

INTERVAL = 0.05


class PeakMemory:
    """Looks twenty times a second. bytes: the most, above what there was at first; 0 where the system does not tell.

    Mapped files are not counted: the system takes their memory back whenever it wants.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._first = own_bytes()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        """Begins to look."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Ends it."""
        self._done.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._done.wait(INTERVAL):
            self._look()

    def _look(self) -> None:
        self.bytes = max(self.bytes, own_bytes() - self._first)


def own_bytes() -> int:
    """This process's memory that no file backs (RssAnon of Linux)."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)
