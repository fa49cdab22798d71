"""Rows of the starter's tasks: made from the world, labels balanced exactly, no row twice.

A maker turns a draw of words into one row whose right label it is told beforehand, so that every label comes equally
often. No option begins with another: whoever writes an answer must have chosen one. train and dev rows are made of the
world's part for tuning, test rows of its part for testing: no combination of words, no schema and no person asked about
is in two of them (microworld/parts.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import Part
from tutelage.starter.microworld.wording import Language

Row = dict[str, str | int | list[str]]
COUNTS = {"train": 1200, "dev": 100, "test": 200}
PARTS: dict[str, Part] = {"train": "tune", "dev": "tune", "test": "test"}
TRIES = 200  # draws in a row that give nothing new, before a maker counts as broken


@dataclass(frozen=True)
class Maker:
    """How the rows of one task are made.

    make: (draw, language, label) to a row, or None where this draw gives none. labels: of how many labels the answer is
    one, 0 for free text. Where labels are the same for all rows, the row is made for the label given. Where each row
    has options of its own, `row["options"]` has the right one first; it is then moved to the place `label`.
    """

    make: Callable[[Draw, Language, int], Row | None]
    labels: int = 0


def told_apart(options: Sequence[str]) -> bool:
    """Whether no option is another, or the beginning of another, so that each can be told from the rest."""
    return not any(one.startswith(other) for one, other in permutations(options, 2))


def make_rows(name: str, maker: Maker, split: str, language: Language) -> list[Row]:
    """The rows of a task's split: always the same, `label` is the place of the right answer."""
    rows: list[Row] = []
    seen: set[str] = set()
    number = missed = 0
    while len(rows) < COUNTS[split]:
        label = len(rows) % maker.labels if maker.labels else 0
        draw = Draw(random.Random(f"starter/{name}/{language}/{split}/{number}"), PARTS[split])
        number += 1
        row = maker.make(draw, language, label)
        key = repr(sorted((row or {}).items()))
        options = (row or {}).get("options")
        if row is None or key in seen or (isinstance(options, list) and not told_apart(options)):
            missed += 1
            if missed > TRIES:
                raise AssertionError(f"the maker of {name} gives no new {split} rows after {len(rows)}")
            continue
        missed = 0
        seen.add(key)
        if maker.labels:
            row["label"] = label
        if isinstance(options, list):
            right, *wrong = options
            row["options"] = [*wrong[:label], right, *wrong[label:]]
        rows.append(row)
    return rows


@lru_cache(maxsize=512)
def rows_of(name: str, split: str, language: Language) -> list[Row]:
    """The rows of a task by its name. Raises KeyError for a name that no task has."""
    from tutelage.starter.tasks import MAKERS

    return make_rows(name, MAKERS[name], split, language)
