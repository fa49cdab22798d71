"""Tables of words and wordings, as they lie in tables/: lines of cells, pairs of English and Chinese."""

from __future__ import annotations

from importlib.resources import files

TABLES = files("tutelage.starter.microworld") / "tables"


def table(name: str) -> list[list[str]]:
    """The lines of a table as lists of cells; `#` begins a comment line."""
    lines = (TABLES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")] for line in lines if line and not line.startswith("#")]


def pair(text: str) -> tuple[str, str]:
    """English and Chinese of `English=Chinese`."""
    english, _, chinese = text.partition("=")
    return english.strip(), chinese.strip()


def pairs(text: str, between: str = ";") -> list[tuple[str, str]]:
    """Several such pairs."""
    return [pair(part) for part in text.split(between)]
