"""A study's table as CSV for machines, and as Markdown and LaTeX (booktabs) for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A text, a count, a share of the best score, or an estimate of one: {"mean": …, "low": …, "high": …}; None is empty.
Cell = Any
TEX_SIGNS = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": r"$-$",
    "–": "--",
}


@dataclass(frozen=True, slots=True)
class Column:
    """key: in a row and in the CSV's head. title: over it. signed: its figures are differences, and show their sign."""

    key: str
    title: str
    signed: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells by the columns' keys.

    closing: how many rows at the end sum up the others. caption: what to know of the figures.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Cell]]
    closing: int = 0
    caption: str = ""

    def texts(self, interval: Callable[[str, str, str], str]) -> list[list[str]]:
        """All cells as text; `interval` puts a figure and the ends of its interval together."""
        return [[_text(row.get(column.key), column.signed, interval) for column in self.columns] for row in self.rows]

    @property
    def figures(self) -> list[bool]:
        """Whether each column holds numbers, which are set to the right."""
        return [any(not isinstance(row.get(one.key), (str, type(None))) for row in self.rows) for one in self.columns]


def hundredths(share: float, signed: bool = False) -> str:
    """As the field prints scores: 0.5312 is 53.1, a difference of -0.021 is −2.1; what rounds to nothing has no sign.

    >>> hundredths(0.5312), hundredths(-0.021, signed=True), hundredths(0.0204, signed=True), hundredths(-0.0001)
    ('53.1', '−2.1', '+2.0', '0.0')
    """
    value = round(100 * share, 1) + 0.0
    sign = "−" if value < 0 else "+" if signed and value > 0 else ""
    return f"{sign}{abs(value):.1f}"


def counted(count: int, word: str) -> str:
    """A number of things.

    >>> counted(1, "task"), counted(1200, "item")
    ('1 task', '1,200 items')
    """
    return f"{count:,} {word if count == 1 else word + 's'}"


def as_csv(table: Table) -> str:
    """One line a row, figures as shares with all their digits; an estimate is three columns.

    >>> as_csv(Table("", [Column("name", "Name"), Column("up", "Up")], [{"name": "a,b", "up": {"mean": 0.5, "low": 0.25,
    ...     "high": 0.75}}])).splitlines()
    ['name,up,up_low,up_high', '"a,b",0.5,0.25,0.75']
    """
    estimates = {
        column.key for column in table.columns if any(isinstance(row.get(column.key), Mapping) for row in table.rows)
    }
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        name
        for column in table.columns
        for name in (
            [column.key, f"{column.key}_low", f"{column.key}_high"] if column.key in estimates else [column.key]
        )
    )
    for row in table.rows:
        cells: list[Cell] = []
        for column in table.columns:
            value = row.get(column.key)
            if column.key in estimates:
                cells += [None] * 3 if value is None else [value["mean"], value["low"], value["high"]]
            else:
                cells.append(value)
        writer.writerow(cells)
    return file.getvalue()


def as_markdown(table: Table) -> str:
    """A pipe table."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rows = table.texts(lambda mean, low, high: f"{mean} [{low}, {high}]")
    rule = ["---:" if figure else "---" for figure in table.figures]
    head = [column.title for column in table.columns]
    return "\n".join([line(head), line(rule), *map(line, rows)]) + "\n"


def as_latex(table: Table) -> str:
    r"""A tabular for `\usepackage{booktabs}`; intervals are small, and what TeX would read is escaped."""
    rows = [
        [cell if "\\scriptsize" in cell else _tex(cell) for cell in row]
        for row in table.texts(lambda mean, low, high: f"{_tex(mean)} {{\\scriptsize [{_tex(low)}, {_tex(high)}]}}")
    ]
    lines = [" & ".join(row) + r" \\" for row in rows]
    body = lines[: len(lines) - table.closing]
    closing = [r"\midrule", *lines[len(lines) - table.closing :]] if table.closing else []
    head = " & ".join(_tex(column.title) for column in table.columns) + r" \\"
    form = "".join("r" if figure else "l" for figure in table.figures)
    parts = [f"% {table.title}", f"\\begin{{tabular}}{{{form}}}", r"\toprule", head, r"\midrule", *body, *closing]
    return "\n".join([*parts, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _text(value: Cell, signed: bool, interval: Callable[[str, str, str], str]) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return interval(*(hundredths(value[name], signed) for name in ("mean", "low", "high")))
    if isinstance(value, float):
        return hundredths(value, signed)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _tex(text: str) -> str:
    return "".join(TEX_SIGNS.get(sign, sign) for sign in text)
