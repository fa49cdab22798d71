"""Ctrl-C and SIGTERM: heard at once, obeyed after the step, so that it is saved. A second one ends the run at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether someone asked the run to stop."""

    def __init__(self) -> None:
        self.heard = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        if self.heard:
            raise KeyboardInterrupt
        self.heard = True


@contextmanager
def listening() -> Iterator[Interrupt]:
    """Within, SIGINT and SIGTERM are noted instead of ending the process; only the main thread can do so."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: set outside Python
