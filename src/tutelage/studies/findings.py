"""What a study found, ready to be written: whatever its kind, it comes out as figures, tables, plots and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tutelage.studies.plots import Plot
from tutelage.studies.tables import Table


@dataclass(frozen=True)
class Findings:
    """figures: of study.json. answers: what a stranger wants to know, a sentence each. tables: the study's own first.

    notes: what should be known beside, a line each.
    """

    title: str
    subtitle: str
    answers: Sequence[str]
    cards: Sequence[tuple[str, str, str]]
    tables: Sequence[Table]
    plots: Sequence[Plot]
    figures: Mapping[str, Any]
    notes: Sequence[str] = ()
