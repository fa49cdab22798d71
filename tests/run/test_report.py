"""report.json and report.html: what they say, that nothing in them runs, and that they need nothing else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.run.runs import finished, recipe
from tutelage.run.directory import RunDirectory
from tutelage.run.preflight import Estimate, Lengths, Memory, Preflight
from tutelage.run.report import duration, manner, size, write_report
from tutelage.run.samples import Sample, Samples

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Collects tags and text, and checks that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def page_of(directory: RunDirectory) -> Page:
    page = Page()
    page.feed(directory.page.read_text("utf-8"))
    assert page.open == []
    return page


def test_both_files_say_what_happened(tmp_path: Path) -> None:
    directory = finished(tmp_path / "运行", adapter={})
    report = write_report(directory.path, {"status": "stopped early", "model_step": 5, "notes": ["一行说明"]})
    assert json.loads(directory.report.read_bytes()) == report
    assert report["status"] == "stopped early"
    assert report["summary"]["loss_last"] == pytest.approx(2.0)
    assert report["recipe"]["train"]["batch_size"] == 16
    text = " ".join(page_of(directory).text.split())
    for words in (
        "base · rows.jsonl",
        "stopped early",
        "LoRA of rank 16",
        "一行说明",
        "training loss 2.000 from 2.900",
        "validation loss 2.400 best at step 10",
        "5000 40% supervised",
        "指令<i>.jsonl",
        "3 rows of 指令<i>.jsonl quarantined: the answer is <b>empty</b>",
        "adapter.rank 16",
        "torch 2.13.0",
        f"tutelage chat {directory.path}",
    ):
        assert words in text, words


def test_nothing_from_outside_becomes_markup_and_nothing_is_fetched(tmp_path: Path) -> None:
    bad = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    directory = finished(tmp_path / "run", model=bad, chat_template=bad)
    write_report(directory.path, {"status": bad, "notes": [bad], bad: bad})
    page = page_of(directory)
    assert page.tags.isdisjoint({"script", "img", "link", "iframe", "i b"})
    assert not any(name.startswith("on") or name in ("src", "href") for name in page.attributes)
    html = directory.page.read_text("utf-8")
    assert not re.search(r"https?://|url\(|@import", html)
    assert "default-src 'none'" in html
    assert page.text.count("alert(1)") >= 6


PREFLIGHT = Preflight(
    rows={"read": 100},
    lengths=Lengths(5, 93, 812, (5, 274, 543, 812), (800, 0, 199)),
    shown=(),
    manner="all weights",
    epochs=3.0,
    learning_rate=2e-4,
    estimate=Estimate(75.0, 3.25, Memory(10**9, 0, 0, 10**9, 0, 0, together=True)),
    cautions=("慎 <b>caution</b>",),
)


def test_what_was_known_before_and_what_the_model_says_now(tmp_path: Path) -> None:
    directory = finished(tmp_path / "run")
    bad = "</p><script>alert(1)</script>"
    rows = (Sample("法国的首都是哪里？", "法国法国", "巴黎。", "巴黎。"), Sample("q", "", bad, ""))
    report = write_report(directory.path, {}, PREFLIGHT, Samples(True, rows))
    assert report["samples"]["rows"][0]["after"] == "巴黎。"
    page = page_of(directory)
    assert "script" not in page.tags
    text = " ".join(page.text.split())
    for words in (
        "The same held-out prompts, which were not trained on; greedy",
        "法国的首都是哪里？ before 法国法国 after 巴黎。 the row's own answer 巴黎。",
        f"q before (nothing) after {bad}",
        "Expected before the first step: 1 min 15 s and 2 GB of memory.",
        "慎 <b>caution</b>",
        "examples by length, in tokens: 5 to 812, half of them at most 93",
    ):
        assert words in text, words
    write_report(directory.path, {}, PREFLIGHT, Samples(False, rows))
    assert "of rows that were trained on, as nothing was held out" in page_of(directory).text
    write_report(directory.path, {}, PREFLIGHT, Samples(False, ()))
    assert "Before and after" not in page_of(directory).text


def test_a_run_of_which_almost_nothing_is_there(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    directory.prepare(recipe(directory.path))
    assert write_report(directory.path, {})["summary"] == {}
    assert "finished" in page_of(directory).text


def test_one_step_and_many(tmp_path: Path) -> None:
    for steps in (1, 700):
        directory = finished(tmp_path / str(steps), steps=steps)
        write_report(directory.path, {"status": "finished"})
        html = directory.page.read_text("utf-8")
        assert page_of(directory)
        assert html.count("<svg") == 5
        assert len(html) < 120_000


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "all weights"),
        ({"adapter": {"rank": 8}}, "LoRA of rank 8"),
        ({"freeze": {"last_layers": 2, "train": ["norm"]}}, "the last 2 layers and norm"),
    ],
)
def test_manner(values: dict[str, object], words: str) -> None:
    assert manner(recipe(Path("o"), **values)) == words


def test_units() -> None:
    assert [duration(seconds) for seconds in (8, 0.25, 59, 75, 7300)] == [
        "8 s",
        "0.25 s",
        "59 s",
        "1 min 15 s",
        "2 h 1 min",
    ]
    assert [size(count) for count in (12, 1500, 1.5e9, 2e12)] == ["12 B", "1.5 kB", "1.5 GB", "2 TB"]
