"""What a study looks like while it goes on: a bar for all its runs, one for the run at hand; plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from tutelage.cli.progress import clock, figures
from tutelage.run.events import Stepped, Warned

if TYPE_CHECKING:
    from tutelage.studies.steps import StepBegan, StepEnded

EVERY = 10.0  # seconds between plain lines
SIGNS = {"finished": ("✓", "green"), "failed": ("✗", "red"), "left out": ("–", "yellow")}


class View(Protocol):
    """Shows events, one at a time; `close` leaves the terminal as it was."""

    def __call__(self, event: object) -> None:
        """Show one."""

    def close(self) -> None:
        """No more will come."""


@contextmanager
def shown(stream: TextIO | None = None) -> Iterator[Callable[[object], None]]:
    """A function that shows what `study` announces: live bars in a terminal, else plain lines."""
    stream = stream or sys.stderr
    view: View = Live(stream) if stream.isatty() else Plain(stream)
    try:
        yield view
    finally:
        view.close()


def at_hand(event: object) -> tuple[int, int, str] | None:
    """How far the run at hand is: (done, of, figures); None where an event does not say."""
    from tutelage.run.evaluation import Asked

    if isinstance(event, Stepped):
        return int(event.metrics["step"]), event.steps, "  ".join(figures(event.metrics)[:1])
    if isinstance(event, Asked):
        return event.done, event.size, "answers"
    return None


def ended(event: StepEnded) -> str:
    """A run's end in a line, without its sign."""
    spent = f"  {clock(event.seconds)}" if event.seconds else ""
    why = f"  {event.status}: {event.sentence}" if event.sentence else ""
    return f"{_place(event)}  {event.step.title}{spent}{why}"


def _place(event: StepBegan | StepEnded) -> str:
    return f"{event.number:>{len(str(event.of))}}/{event.of}"


class Plain:
    """A line a run, and one every ten seconds within; what is warned of is told once."""

    def __init__(self, stream: TextIO) -> None:
        """Lines go to `stream`."""
        self._stream = stream
        self._told: set[str] = set()
        self._last = time.monotonic()

    def __call__(self, event: object) -> None:
        """A line, or none."""
        from tutelage.studies.steps import StepBegan, StepEnded

        if isinstance(event, StepBegan):
            self._last = time.monotonic()
            self._write(f"  {_place(event)}  {event.step.title} …")
        elif isinstance(event, StepEnded):
            self._write(f"{SIGNS[event.status][0]} {ended(event)}")
        elif isinstance(event, Warned) and event.text not in self._told:
            self._told.add(event.text)
            self._write(f"! {event.text}")
        elif time.monotonic() - self._last > EVERY and (progress := at_hand(event)):
            self._last = time.monotonic()
            done, of, words = progress
            self._write(f"      {done:,} of {of:,}  {words}")

    def close(self) -> None:
        """Nothing is left to write."""

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


class Live:
    """Two bars, redrawn in place; each run's end, and what is warned of, scrolls by above."""

    def __init__(self, stream: TextIO) -> None:
        """Takes the terminal until `close`."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._told: set[str] = set()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[words]}", style="dim"),
            console=Console(file=stream, highlight=False),
        )
        self._all: Any = None
        self._run: Any = None
        self._bars.start()

    def __call__(self, event: object) -> None:
        """Redraw the bars, or print a line above them."""
        from rich.text import Text

        from tutelage.studies.steps import StepBegan, StepEnded

        if isinstance(event, StepBegan):
            self._begin(event)
        elif isinstance(event, StepEnded):
            sign, style = SIGNS[event.status]
            self._bars.console.print(Text.assemble((sign, style), " ", ended(event)))
            if self._all is not None:
                self._bars.update(self._all, completed=event.number)
        elif isinstance(event, Warned) and event.text not in self._told:
            self._told.add(event.text)
            self._bars.console.print(Text.assemble(("! ", "yellow"), event.text))
        elif self._run is not None and (progress := at_hand(event)):
            done, of, words = progress
            self._bars.update(self._run, completed=done, total=of, words=words)

    def close(self) -> None:
        """Give the terminal back, without the bars."""
        for bar in (self._run, self._all):
            if bar is not None:
                self._bars.remove_task(bar)
        self._run = self._all = None
        self._bars.stop()

    def _begin(self, event: StepBegan) -> None:
        from rich.markup import escape

        if self._all is None:
            self._all = self._bars.add_task("all runs", total=event.of, words="")
        self._bars.update(self._all, completed=event.number - 1)
        if self._run is not None:
            self._bars.remove_task(self._run)
        self._run = self._bars.add_task(escape(event.step.title), total=None, words="")
