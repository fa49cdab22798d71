"""What a run looks like while it goes on: a live bar in a terminal, plain lines elsewhere, JSON lines for machines."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import orjson

from tutelage.run.events import (
    Event,
    Finished,
    Interrupted,
    Note,
    Planned,
    Saved,
    Stepped,
    Validated,
    Warned,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

Figures = dict[str, float | int]


class Renderer(Protocol):
    """Shows events, one at a time; `close` leaves the terminal as it was."""

    def __call__(self, event: Event) -> None:
        """Show one."""

    def close(self) -> None:
        """No more will come."""


@contextmanager
def shown(*, json: bool, log_every: int, stream: TextIO | None = None) -> Iterator[Callable[[Event], None]]:
    """A function that shows events as fits the place: `json` lines, a live bar in a terminal, else plain lines.

    `log_every` is the number of steps between plain lines. Of several ranks only the first one shows anything.
    """
    stream = stream or sys.stdout
    renderer: Renderer
    if os.environ.get("RANK", "0") != "0":
        renderer = Silent()
    elif json:
        renderer = JsonLines(stream)
    elif stream.isatty() and os.environ.get("TERM") != "dumb":
        renderer = Live(stream)
    else:
        renderer = Plain(stream, log_every)
    try:
        yield renderer
    finally:
        renderer.close()


class Silent:
    """Shows nothing."""

    def __call__(self, event: Event) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Lines:
    """Writes lines to a stream, and goes on in silence when its reader has left: a run must not die with `| head`."""

    def __init__(self, stream: TextIO) -> None:
        """The stream stays open."""
        self._stream: TextIO | None = stream

    def write(self, line: str) -> None:
        """One line, at once."""
        if self._stream is None:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())  # Python's last flush must not fail either
            self._stream = None


class JsonLines:
    """`{"event": "stepped", "metrics": {"step": 1, "loss": 2.5, …}, "steps": 300}`, one a line."""

    def __init__(self, stream: TextIO) -> None:
        """Lines go to `stream`."""
        self._lines = Lines(stream)

    def __call__(self, event: Event) -> None:
        """One line."""
        content = {"event": type(event).__name__.lower(), **asdict(event)}
        self._lines.write(orjson.dumps(content, default=str, option=orjson.OPT_SERIALIZE_NUMPY).decode())

    def close(self) -> None:
        """Nothing is left to write."""


class Plain:
    """A line for what is worth telling, and one every `log_every` steps and for the last."""

    def __init__(self, stream: TextIO, log_every: int) -> None:
        """Lines go to `stream`."""
        self._lines = Lines(stream)
        self._every = log_every
        self._clock = Clock()

    def __call__(self, event: Event) -> None:
        """Some lines, or none."""
        if isinstance(event, Stepped):
            left = self._clock.left(event)
            step = int(event.metrics["step"])
            if step % self._every == 0 or step == event.steps:
                self._lines.write(f"step {step}/{event.steps}  " + "  ".join([*figures(event.metrics), f"{left} left"]))
        else:
            self._lines.write(told(event))

    def close(self) -> None:
        """Nothing is left to write."""


class Live:
    """A bar and the figures of the last step, redrawn in place; everything else scrolls by above."""

    def __init__(self, stream: TextIO) -> None:
        """Takes the terminal until `close`."""
        from rich.console import Console
        from rich.live import Live as Screen
        from rich.spinner import Spinner

        console = Console(file=stream, highlight=False)
        self._clock = Clock()
        self._validation: float | None = None
        self._screen = Screen(Spinner("dots", "starting"), console=console, refresh_per_second=8)
        self._screen.start()

    def __call__(self, event: Event) -> None:
        """Redraw the bar, or print a line above it."""
        from rich.text import Text

        if isinstance(event, Stepped):
            self._screen.update(self._drawn(event))
            return
        if isinstance(event, Validated):
            self._validation = event.loss
        if isinstance(event, (Finished, Interrupted)):
            self.close()  # the last words stand below the bar
        if isinstance(event, Planned):
            from tutelage.cli.plan_view import plan_lines

            for line in plan_lines(event):
                self._screen.console.print(Text.assemble(*line))
        elif not isinstance(event, Saved):  # so often that it would only push the rest away
            style = "yellow" if isinstance(event, Warned) else "bold" if isinstance(event, Finished) else ""
            self._screen.console.print(Text(told(event), style))

    def close(self) -> None:
        """Give the terminal back; the bar stays as it was last."""
        from rich.spinner import Spinner
        from rich.text import Text

        if isinstance(self._screen.renderable, Spinner):
            self._screen.update(Text(""))
        self._screen.stop()

    def _drawn(self, event: Stepped) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        step, left = int(event.metrics["step"]), self._clock.left(event)
        row = Table.grid(padding=(0, 2))
        row.add_row(
            ProgressBar(event.steps, step, width=32, complete_style="cyan", finished_style="green"),
            Text(f"step {step:,}/{event.steps:,}"),
            Text(f"{100 * step // event.steps} %"),
            Text("done" if step == event.steps else f"{left} left", "dim"),
        )
        validation = [f"validation {self._validation:.4f}"] if self._validation is not None else []
        first, *others = figures(event.metrics)
        return Group(row, Text("  ".join([first, *validation, *others])))


class Clock:
    """The time left, from the wall: steps together with the validations and checkpoints between them."""

    def __init__(self) -> None:
        """Starts with the first step."""
        self._began: tuple[float, int] | None = None

    def left(self, event: Stepped, now: float | None = None) -> str:
        """What the steps that are left will take at the mean pace so far."""
        now = time.monotonic() if now is None else now
        step = int(event.metrics["step"])
        if self._began is None:
            self._began = (now - float(event.metrics.get("seconds", 0.0)), step - 1)
        pace = (now - self._began[0]) / max(step - self._began[1], 1)
        return clock(pace * (event.steps - step))


def told(event: Event) -> str:
    """One event in words."""
    match event:
        case Note(text):
            return text
        case Warned(text):
            return f"warning: {text}"
        case Planned():
            return _plan(event)
        case Validated(step, loss, best):
            return f"step {step}  validation loss {loss:.4f}{', the best so far' if best else ''}"
        case Saved(step, path):
            return f"step {step}  saved in {path}"
        case Interrupted(step, path):
            return f"interrupted: everything up to step {step} is saved in {path}"
        case Finished(outcome):
            return _end(outcome)
        case Stepped(metrics, steps):
            return f"step {metrics['step']}/{steps}  " + "  ".join(figures(metrics))


def figures(metrics: Figures) -> list[str]:
    """The figures of a step in words, those that are there: `["loss 1.2345", "lr 2e-5", "11.8k tokens/s", …]`."""
    words: list[str] = []
    for name, show in FIGURES.items():
        value = metrics.get(name)
        if value is not None:
            words.append(show(float(value)))
    return words


def clock(seconds: float) -> str:
    """`clock(9) == "0:09"`, `clock(3725) == "1:02:05"`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: float) -> str:
    """`count(999) == "999"`, `count(11800) == "11.8k"`, `count(134515008) == "134.5M"`."""
    for unit, factor in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= factor:
            return f"{number / factor:.1f}{unit}"
    return f"{number:.0f}"


def _plan(plan: Planned) -> str:
    from tutelage.cli.plan_view import plain, plan_lines

    return "\n".join(map(plain, plan_lines(plan)))


def _end(outcome: dict[str, Any]) -> str:
    lines = [f"{outcome.get('status', 'finished')} after {outcome.get('steps', 0):,} steps"]
    if outcome.get("model"):
        folder = Path(str(outcome["model"])).parent
        lines = [f"{lines[0]}: the model is in {outcome['model']}, the report in {folder / 'report.html'}"]
        lines.append(f"try it: tutelage chat {folder}")
    return "\n".join(lines)


def _rate(value: float) -> str:
    digits, _, exponent = f"{value:.1e}".partition("e")
    return f"lr {digits.removesuffix('.0')}e{int(exponent)}"


FIGURES: dict[str, Callable[[float], str]] = {
    "loss": lambda value: f"loss {value:.4f}",
    "learning_rate": _rate,
    "tokens_per_second": lambda value: f"{count(value)} tokens/s",
    "matrix_rate_share": lambda value: f"{value:.0%} of matrix rate",
    "memory_bytes": lambda value: f"{value / 1e9:.1f} GB",
}
