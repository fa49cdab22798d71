"""`tutelage.data.ledger`: every row has one fate, bad rows are written down, and too many of them stop the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tutelage.data.ledger import Ledger
from tutelage.errors import UserError
from tutelage.records import Origin


def filled(path: Path | None, good: int, bad: dict[str, int], name: str = "a.json") -> Ledger:
    """A ledger of one source with so many rows kept, and so many quarantined for each reason."""
    ledger = Ledger(path)
    add(ledger, name, good, bad)
    return ledger


def add(ledger: Ledger, name: str, good: int, bad: dict[str, int]) -> None:
    ledger.opened(name, "alpaca", "0" * 64)
    reasons = [None] * good + [reason for reason, count in bad.items() for _ in range(count)]
    for number, reason in enumerate(reasons, start=1):
        origin = Origin(name, number)
        ledger.read(origin)
        if reason is None:
            ledger.kept(origin, examples=1, tokens=10, supervised=4)
        else:
            ledger.quarantined(origin, reason, {"n": number})


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_the_report_counts_every_fate_by_source(tmp_path: Path) -> None:
    with Ledger(tmp_path / "quarantine.jsonl") as ledger:
        ledger.opened("a.json", "alpaca", "aa")
        ledger.opened("b.txt", "text", "bb")
        origins = [Origin("a.json", number) for number in range(1, 6)]
        for origin in origins:
            ledger.read(origin)
        ledger.kept(origins[0], examples=1, tokens=30, supervised=10)
        ledger.cut(origins[1], examples=3, tokens=90, supervised=40)
        ledger.dropped(origins[2], "longer than max_length", {"output": "…"})
        ledger.quarantined(origins[3], "the answer is empty", {"output": ""})
        ledger.quarantined(origins[4], "not JSON: expecting value", "{oops")
        ledger.read(Origin("b.txt", 1))
        ledger.kept(Origin("b.txt", 1), examples=1, tokens=7, supervised=7)
    report = ledger.report()
    assert report["sources"] == [
        {
            "path": "a.json",
            "format": "alpaca",
            "sha256": "aa",
            "licence": None,
            "warnings": [],
            "read": 5,
            "kept": 1,
            "cut": 1,
            "dropped": {"longer than max_length": 1},
            "quarantined": {"the answer is empty": 1, "not JSON: expecting value": 1},
            "examples": 4,
            "tokens": 120,
            "supervised_tokens": 50,
        },
        {
            "path": "b.txt",
            "format": "text",
            "sha256": "bb",
            "licence": None,
            "warnings": [],
            "read": 1,
            "kept": 1,
            "cut": 0,
            "dropped": {},
            "quarantined": {},
            "examples": 1,
            "tokens": 7,
            "supervised_tokens": 7,
        },
    ]
    assert report["total"] == {
        "read": 6,
        "kept": 2,
        "cut": 1,
        "dropped": {"longer than max_length": 1},
        "quarantined": {"the answer is empty": 1, "not JSON: expecting value": 1},
        "examples": 5,
        "tokens": 127,
        "supervised_tokens": 57,
    }
    assert lines(tmp_path / "quarantine.jsonl") == [
        {"file": "a.json", "line": 3, "fate": "dropped", "reason": "longer than max_length", "row": {"output": "…"}},
        {"file": "a.json", "line": 4, "fate": "quarantined", "reason": "the answer is empty", "row": {"output": ""}},
        {"file": "a.json", "line": 5, "fate": "quarantined", "reason": "not JSON: expecting value", "row": "{oops"},
    ]


def test_a_detail_is_written_and_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.jsonl"
    with Ledger(path) as ledger:
        ledger.opened("a.json", "task", "")
        for number, detail in ((1, "test/7"), (2, "test/9"), (3, "")):
            ledger.read(Origin("a.json", number))
            ledger.dropped(Origin("a.json", number), "an overlap", {}, detail)
    assert ledger.report()["total"]["dropped"] == {"an overlap": 3}
    assert [entry["reason"] for entry in lines(path)] == ["an overlap: test/7", "an overlap: test/9", "an overlap"]


def test_reasons_are_listed_with_the_commonest_first() -> None:
    report = filled(None, 1, {"rare": 1, "common": 3, "middling": 2}).report()
    assert list(report["total"]["quarantined"]) == ["common", "middling", "rare"]


def test_a_row_without_a_fate_or_with_two_is_a_fault_of_ours() -> None:
    ledger = filled(None, 3, {})
    ledger.read(Origin("a.json", 4))
    with pytest.raises(AssertionError, match="a row without a fate"):
        ledger.report()
    for _ in range(2):
        ledger.dropped(Origin("a.json", 4), "too long", {})
    with pytest.raises(AssertionError):
        ledger.report()


def test_the_file_is_begun_anew_and_is_there_without_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.jsonl"
    path.write_text("of an earlier run\n")
    filled(path, 2, {}).close()
    assert path.read_bytes() == b""


def test_every_line_is_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.jsonl"
    with filled(path, 1, {"bad": 3}):
        assert [entry["line"] for entry in lines(path)] == [2, 3, 4]


def test_rows_that_orjson_refuses_are_written_all_the_same(tmp_path: Path) -> None:
    deep: object = "core"
    for _ in range(500):
        deep = [deep]
    abyss: object = "core"
    for _ in range(200_000):
        abyss = [abyss]
    path = tmp_path / "quarantine.jsonl"
    rows: list[object] = ["\ud83d", 10**30, deep, abyss, "a\x00b", {"picture": Path("a.png")}]
    with Ledger(path) as ledger:
        ledger.opened("a.json", "text", "")
        for row in rows:
            ledger.quarantined(Origin("a.json", 1), "bad", row)
    written = [entry["row"] for entry in lines(path)]
    assert written == [*rows[:3], "(nested too deeply to be written)", "a\x00b", {"picture": "a.png"}]


def test_a_file_read_twice_is_counted_once_and_under_both_formats() -> None:
    ledger = filled(None, 2, {})
    ledger.opened("a.json", "text", "0" * 64)
    add(ledger, "a.json", 3, {})
    sources = ledger.report()["sources"]
    assert isinstance(sources, list)
    assert [(source["format"], source["read"]) for source in sources] == [("alpaca, text", 5)]


def test_too_much_quarantine_stops_the_run_with_the_commonest_reasons(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.jsonl"
    bad = {"the answer is empty": 3, "field `output` is missing": 1200, "not JSON: expecting value": 5, "rare": 2}
    with filled(path, 5000, bad) as ledger, pytest.raises(UserError) as caught:
        ledger.check(0.01)
    assert str(caught.value) == (
        "1,210 of 6,210 rows (19.5%) are bad, and data.max_quarantine allows 0.01: field `output` is missing (1,200), "
        f"not JSON: expecting value (5), the answer is empty (3); they are in {path}; "
        "mend them, or raise data.max_quarantine"
    )


@pytest.mark.parametrize(
    ("good", "bad", "share", "stops"),
    [
        (1, 10, 0.01, False),  # a large share, but only ten rows
        (1, 11, 0.01, True),
        (1089, 11, 0.01, False),  # exactly the share
        (1088, 11, 0.01, True),
        (90, 11, 0.0, True),
        (1, 1000, 1.0, False),
    ],
)
def test_the_run_stops_above_the_share_and_above_ten_rows(good: int, bad: int, share: float, stops: bool) -> None:
    ledger = filled(None, good, {"bad": bad})
    if stops:
        with pytest.raises(UserError, match=r"raise data\.max_quarantine"):
            ledger.check(share)
    else:
        ledger.check(share)


def test_the_share_is_of_all_sources_together() -> None:
    ledger = filled(None, 10, {"bad": 11})
    with pytest.raises(UserError):
        ledger.check(0.01)
    add(ledger, "b.json", 5000, {})
    ledger.check(0.01)


def test_rows_dropped_by_the_recipe_are_not_bad() -> None:
    ledger = filled(None, 1, {})
    for number in range(2, 100):
        ledger.read(Origin("a.json", number))
        ledger.dropped(Origin("a.json", number), "longer than max_length", {})
    ledger.check(0.01)


def test_a_source_without_one_usable_row_stops_the_run(tmp_path: Path) -> None:
    ledger = filled(None, 5000, {})
    add(ledger, "b.json", 0, {"the answer is empty": 2})
    with pytest.raises(UserError, match=r"^no row of b\.json can be used: the answer is empty \(2\)$"):
        ledger.check(1.0)
