"""The table as CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io

from tutelage.studies.tables import Column, Table, as_csv, as_latex, as_markdown

ESTIMATE = {"mean": 0.53124, "low": 0.5, "high": 0.5678}
FALL = {"mean": -0.021, "low": -0.1, "high": 0.0}
TABLE = Table(
    "Scores",
    [Column("name", "cluster"), Column("items", "items"), Column("score", "tuned"), Column("up", "difference", True)],
    [
        {"name": "a_b & 50% | 情感", "items": 1234, "score": ESTIMATE, "up": FALL},
        {"name": "mean", "items": 7, "score": None, "up": ESTIMATE},
    ],
    closing=1,
)


def test_csv_holds_every_digit() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(TABLE))))
    assert rows[0]["name"] == "a_b & 50% | 情感"
    assert (rows[0]["items"], rows[0]["score"], rows[0]["up_low"]) == ("1234", "0.53124", "-0.1")
    assert rows[1]["score_high"] == ""


def test_markdown() -> None:
    assert as_markdown(TABLE).splitlines() == [
        "| cluster | items | tuned | difference |",
        "| --- | ---: | ---: | ---: |",
        "| a_b & 50% \\| 情感 | 1,234 | 53.1 [50.0, 56.8] | −2.1 [−10.0, 0.0] |",
        "| mean | 7 |  | +53.1 [+50.0, +56.8] |",
    ]


def test_latex_escapes_what_tex_reads() -> None:
    lines = as_latex(TABLE).splitlines()
    assert lines[1:5] == [
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r"cluster & items & tuned & difference \\",
        r"\midrule",
    ]
    assert lines[5] == (
        r"a\_b \& 50\% | 情感 & 1,234 & 53.1 {\scriptsize [50.0, 56.8]} & $-$2.1 {\scriptsize [$-$10.0, 0.0]} \\"
    )
    assert lines[6] == r"\midrule"
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]
