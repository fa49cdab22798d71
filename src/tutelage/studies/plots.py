"""Plots of a study, drawn by matplotlib: as SVG and PNG files, and in the report, where they follow its colours."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.run.files import write_atomically

# The colours of run/report.html.jinja by day, and the names under which its page has them, by day and night.
COLOURS = {
    "main": "#0f6e78",
    "second": "#c2571a",
    "ink": "#1d1f24",
    "quiet": "#6a6f7a",
    "line": "#e6e3dd",
    "grid": "#eeece7",
    "card": "#ffffff",
    "faint": "#b9bcc2",
}
# Fonts for Chinese names, of which the first that is there is used after matplotlib's own.
CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
)
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: the reader's own fonts have every script
    "svg.hashsalt": "tutelage",  # the same figures give the same file
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": COLOURS["line"],
    "axes.labelcolor": COLOURS["quiet"],
    "axes.titlecolor": COLOURS["ink"],
    "axes.axisbelow": True,
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["line"],
    "ytick.color": COLOURS["line"],
    "xtick.labelcolor": COLOURS["quiet"],
    "ytick.labelcolor": COLOURS["ink"],
    "grid.color": COLOURS["grid"],
    "legend.frameon": False,
    "legend.labelcolor": COLOURS["ink"],
    "figure.facecolor": COLOURS["card"],
    "axes.facecolor": COLOURS["card"],
    "savefig.facecolor": COLOURS["card"],
}


WIDTH = 9.2  # inches: as wide as the page, so that its letters are as large as the page's


@dataclass(frozen=True)
class Plot:
    """name: of its files. caption: what is to be seen. draw: makes the figure, within the style."""

    name: str
    title: str
    caption: str
    draw: Callable[[], Any]


def write_plot(plot: Plot, folder: Path) -> str:
    """Writes NAME.svg and NAME.png into the folder and returns the SVG for a page, its colours those of the page."""
    with _styled():
        figure = plot.draw()
        svg, png = io.StringIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
        figure.savefig(png, format="png", dpi=200)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / f"{plot.name}.svg", svg.getvalue().encode())
    write_atomically(folder / f"{plot.name}.png", png.getvalue())
    return inline(svg.getvalue(), plot.title)


def inline(svg: str, title: str) -> str:
    """An SVG file's drawing as part of a page: no fixed size, colours and fonts from the page, ids of its own."""
    from html import escape

    drawing = svg[svg.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    width, height = (float(number) for number in re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing)[0])
    head = f'<svg class="plot" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}"'
    drawing = re.sub(r"<svg\b[^>]*?>", head + ' xmlns:xlink="http://www.w3.org/1999/xlink">', drawing, count=1)
    for name, colour in COLOURS.items():
        drawing = drawing.replace(colour, f"var(--{name})")
    drawing = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1; font-family: inherit", drawing)
    prefix = re.sub(r"\W+", "-", title.lower())
    drawing = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', drawing)
    drawing = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', drawing)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", drawing)


@contextmanager
def _styled() -> Iterator[None]:
    import matplotlib
    from matplotlib import font_manager

    known = {entry.name for entry in font_manager.fontManager.ttflist}
    fonts = ["DejaVu Sans", *[name for name in CHINESE if name in known][:1]]
    with warnings.catch_warnings(), matplotlib.rc_context({**STYLE, "font.family": fonts}):
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # where the machine has no font for a name
        yield
