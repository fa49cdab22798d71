"""Line charts as SVG text, without a library: they follow the page's colours, light or dark, and its width.

svg = draw("Loss", [Curve("training", [(1, 2.5), (2, 2.1)])])
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]

LEFT, RIGHT, TOP, BOTTOM = 50, 14, 12, 26
LARGEST = 600  # points of a curve that are drawn; more than the page has pixels for helps nobody


@dataclass(frozen=True, slots=True)
class Curve:
    """One line. `kind` is a CSS class of the page: "faint", "main" or "second"; `marked` draws a dot at every point."""

    label: str
    points: Sequence[Point]
    kind: str = "main"
    marked: bool = False


@dataclass(frozen=True, slots=True)
class _Frame:
    """From data to the picture's units."""

    low_x: float
    high_x: float
    low_y: float
    high_y: float
    width: int
    height: int

    def x(self, value: float) -> float:
        return LEFT + (value - self.low_x) / (self.high_x - self.low_x) * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.height - BOTTOM - (value - self.low_y) / (self.high_y - self.low_y) * (self.height - TOP - BOTTOM)


def draw(
    title: str,
    curves: Sequence[Curve],
    *,
    width: int = 880,
    height: int = 260,
    from_zero: bool = False,
    show: Callable[[float], str] | None = None,
) -> str:
    """The chart, or nothing where no curve has a finite point; `show` writes the numbers of the vertical axis."""
    show = show or short
    finite = [[point for point in curve.points if all(map(math.isfinite, point))] for curve in curves]
    if not any(finite):
        return ""
    frame = _frame([point for points in finite for point in points], width, height, from_zero)
    parts = [f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">']
    parts += _axes(frame, show)
    for curve, points in zip(curves, finite, strict=True):
        parts += _line(curve, thin(points), frame, show)
    return "".join([*parts, "</svg>"])


def bars(title: str, edges: Sequence[int], counts: Sequence[int], *, width: int = 880, height: int = 110) -> str:
    """A histogram: counts[i] of what lies in edges[i] … edges[i + 1] - 1. The bars' titles say both."""
    most = max(counts, default=0)
    if not most:
        return ""
    left, bottom = 1.0, height - BOTTOM
    step = (width - 2 * left) / len(counts)
    parts = [f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">']
    for place, (count, start, end) in enumerate(zip(counts, edges, edges[1:], strict=False)):
        # What is there at all is seen.
        tall = max(1.5, (bottom - TOP) * count / most) if count else 0.0
        words = f"{start:,} to {end - 1:,}: {count:,}" if end - start > 1 else f"{start:,}: {count:,}"
        parts.append(
            f'<rect class="main" x="{left + place * step:.1f}" y="{bottom - tall:.1f}" width="{step * 0.86:.1f}" '
            f'height="{tall:.1f}" rx="1.5"><title>{words}</title></rect>'
        )
    parts.append(f'<line class="axis" x1="0" x2="{width}" y1="{bottom}" y2="{bottom}"/>')
    every = max(1, len(counts) // 8)
    for place in range(0, len(counts), every):
        parts.append(f'<text class="tick" x="{left + place * step:.1f}" y="{bottom + 17}">{edges[place]:,}</text>')
    return "".join([*parts, "</svg>"])


def smooth(points: Sequence[Point], window: int) -> list[Point]:
    """An exponential mean over about `window` points, its start corrected as Adam corrects its moments."""
    keep, total, mass, out = 1 - 1 / max(window, 1), 0.0, 0.0, []
    for x, y in points:
        total, mass = keep * total + (1 - keep) * y, keep * mass + (1 - keep)
        out.append((x, total / mass))
    return out


def thin(points: Sequence[Point], most: int = LARGEST) -> list[Point]:
    """At most about `most` points: of each stretch its lowest and its highest, so that no spike is lost."""
    if len(points) <= most:
        return list(points)
    stretch = math.ceil(2 * len(points) / most)
    kept: list[Point] = [points[0]]
    for start in range(0, len(points), stretch):
        part = points[start : start + stretch]
        kept += sorted({min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])})
    return [*kept, points[-1]]


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from `low` to `high`: `ticks(0, 10) == [0, 2, 4, 6, 8, 10]`."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{count * step:.12g}") for count in range(first, last + 1)]


def short(value: float) -> str:
    """A number in few characters: 0.00002 → 2e-5, 1.25 → 1.25, 12345 → 12.3k."""
    size = abs(value)
    if size >= 1e9:
        return f"{value / 1e9:.3g}G"
    if size >= 1e6:
        return f"{value / 1e6:.3g}M"
    if size >= 1e4:
        return f"{value / 1e3:.3g}k"
    if size and size < 1e-3:
        digits, _, exponent = f"{value:.1e}".partition("e")
        return f"{digits.removesuffix('.0')}e{int(exponent)}"
    return f"{value:.4g}"


def _frame(points: Sequence[Point], width: int, height: int, from_zero: bool) -> _Frame:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    low, high = min(ys), max(ys)
    if from_zero:
        low = min(low, 0.0)
    if high == low:
        low, high = (low - 1, high + 1) if low == 0 else sorted((low - abs(low) / 2, high + abs(high) / 2))
    margin = 0.05 * (high - low)
    low_y = low if from_zero and low == 0 else low - margin
    return _Frame(min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1, low_y, high + margin, width, height)


def _axes(frame: _Frame, show: Callable[[float], str]) -> list[str]:
    parts = []
    right, bottom = frame.width - RIGHT, frame.height - BOTTOM
    for value in ticks(frame.low_y, frame.high_y, max(3, frame.height // 50)):
        y = f"{frame.y(value):.1f}"
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>')
        parts.append(
            f'<text class="tick" x="{LEFT - 8}" y="{y}" dy="0.32em" text-anchor="end">{escape(show(value))}</text>'
        )
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    parts.append(f'<text class="tick" x="{LEFT - 8}" y="{bottom + 17}" text-anchor="end">step</text>')
    for value in ticks(frame.low_x, frame.high_x, max(3, frame.width // 110)):
        if value == int(value):  # steps are whole
            x = f"{frame.x(value):.1f}"
            parts.append(f'<text class="tick" x="{x}" y="{bottom + 17}" text-anchor="middle">{short(value)}</text>')
    return parts


def _line(curve: Curve, points: Sequence[Point], frame: _Frame, show: Callable[[float], str]) -> list[str]:
    where = [f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in points]
    parts = [f'<polyline class="{curve.kind}" points="{" ".join(where)}"/>'] if len(where) > 1 else []
    dots = points if curve.marked or len(points) == 1 else []
    for x, y in dots:
        words = escape(f"step {x:g}, {curve.label}: {show(y)}")
        centre = f'cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}"'
        parts.append(f'<circle class="{curve.kind}" {centre} r="3.5"><title>{words}</title></circle>')
    return parts
