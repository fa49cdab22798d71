"""What is shown of a run: in a terminal, in a file, to a machine, and to a reader that has left."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from tutelage.cli.plan_view import LEARNT, plain, plan_lines, size
from tutelage.cli.progress import Clock, Live, clock, count, figures, shown, told
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
from tutelage.run.preflight import Estimate, Lengths, Memory, Preflight, Shown

PLAN = Planned(12, 999, 230_000, 120_000, 4_900_000, 134_515_008, "cpu", "bfloat16", "owner/base")
PREFLIGHT = Preflight(
    rows={"read": 1010, "kept": 990, "cut": 9, "dropped": 11, "quarantined": 0},
    lengths=Lengths(5, 93, 812, (5, 274, 543, 812), (800, 0, 199)),
    shown=(
        Shown((("Say [red]yes\x1b[31m.\n", False), ("Yes.<|im_end|>", True)), 12, 4),
        Shown((("… and 2?", False), ("4", True)), 500, 100, (300, 80)),
    ),
    manner="LoRA of rank 16",
    epochs=3.0,
    learning_rate=2e-4,
    estimate=Estimate(
        4000.0, 3.25, Memory(10**9, 2 * 10**7, 4 * 10**7, 10**9, 10**8, 10**8, together=True, limit=8 * 10**9)
    ),
    cautions=("a caution, with its cure",),
    duplicates={"exact": 7, "near": 0},
)
PAGE = """owner/base: 134.5M parameters, 4.9M of them trained, on cpu in bfloat16
999 examples, 230.0k tokens, 52% supervised; 12 steps
rows      1,010 read: 990 kept, 9 cut, 11 dropped; 7 with the text of an earlier one
lengths   5 █ ▃ 812 tokens, half of the examples at most 93
training  LoRA of rank 16, 3 epochs, learning rate 0.0002
time      about 1:06:40, 3.2 s a step
memory    about 2.3 GB of 8.0 GB at the peak (1.0 GB held now, 20 MB gradients, 40 MB optimiser, 1.2 GB activations \
and scratch)
first examples, ⟦what is learnt⟧
  Say [red]yes�[31m.⏎⟦Yes.<|im_end|>⟧
  300 tokens … … and 2?⟦4⟧ … 80 tokens
warning: a caution, with its cure""".replace("\\\n", "")
METRICS: dict[str, float | int] = {
    "step": 3,
    "epoch": 0.1,
    "loss": 2.34567,
    "learning_rate": 2e-5,
    "tokens_per_second": 11_800.0,
    "seconds": 0.5,
    "memory_bytes": 2_100_000_000,
    "matrix_rate_share": 0.73,
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Note("a [b] c"), "a [b] c"),
        (Warned("careful"), "warning: careful"),
        (
            PLAN,
            "owner/base: 134.5M parameters, 4.9M of them trained, on cpu in bfloat16\n"
            "999 examples, 230.0k tokens, 52% supervised; 12 steps",
        ),
        (
            Stepped(METRICS, 12),
            "step 3/12  loss 2.3457  lr 2e-5  11.8k tokens/s  73% of matrix rate  2.1 GB",
        ),
        (Stepped({"step": 1, "loss": 1.0}, 2), "step 1/2  loss 1.0000"),
        (Validated(4, 1.5, True), "step 4  validation loss 1.5000, the best so far"),
        (Validated(4, 1.5, False), "step 4  validation loss 1.5000"),
        (Saved(4, "o/checkpoints/step-00000004"), "step 4  saved in o/checkpoints/step-00000004"),
        (Interrupted(4, "o"), "interrupted: everything up to step 4 is saved in o"),
        (Finished({"steps": 3}), "finished after 3 steps"),
    ],
)
def test_events_in_words(event: Event, words: str) -> None:
    assert told(event) == words


def test_the_page_of_a_plan() -> None:
    lines = plan_lines(replace(PLAN, preflight=PREFLIGHT))
    assert "\n".join(map(plain, lines)) == PAGE
    assert [words for line in lines for words, style in line if style == LEARNT][1:] == ["Yes.<|im_end|>", "4"]
    assert len(lines) <= 30


def test_a_plan_without_a_time() -> None:
    estimate = replace(PREFLIGHT.estimate, seconds=None, step_seconds=None)
    text = told(replace(PLAN, preflight=replace(PREFLIGHT, estimate=estimate, duplicates={})))
    assert "\ntime" not in text
    assert "11 dropped\n" in text


def test_numbers() -> None:
    assert [size(number) for number in (2_100_000_000, 30_000_000)] == ["2.1 GB", "30 MB"]
    assert [clock(seconds) for seconds in (0, 9, 59.7, 3725)] == ["0:00", "0:09", "1:00", "1:02:05"]
    assert [count(number) for number in (999, 11_800, 134_515_008, 7e9)] == ["999", "11.8k", "134.5M", "7.0B"]
    assert figures({"step": 1, "learning_rate": 1.24e-4}) == ["lr 1.2e-4"]


def test_the_time_left_counts_what_lies_between_steps() -> None:
    watch = Clock()

    def left(step: int, now: float) -> str:
        return watch.left(Stepped({"step": step, "seconds": 1.0}, 100), now)

    assert left(11, 50.0) == clock(89 * 1.0)
    assert left(12, 54.0) == clock(88 * 2.5)  # 5 seconds for the two steps, a validation included


def test_json_lines_hold_every_field() -> None:
    stream = io.StringIO()
    with shown(json=True, log_every=5, stream=stream) as show:
        for event in (PLAN, Stepped({"step": 1, "loss": float("nan")}, 12), Warned("字")):
            show(event)
    lines = [orjson.loads(line) for line in stream.getvalue().splitlines()]
    assert lines[0]["event"] == "planned"
    assert lines[0]["total_parameters"] == 134_515_008
    assert lines[1] == {"event": "stepped", "metrics": {"step": 1, "loss": None}, "steps": 12}
    assert lines[2] == {"event": "warned", "text": "字"}


@pytest.mark.parametrize("json", [True, False])
def test_only_the_first_rank_shows_anything(monkeypatch: pytest.MonkeyPatch, json: bool) -> None:
    stream = Terminal()
    monkeypatch.setenv("RANK", "1")
    with shown(json=json, log_every=1, stream=stream) as show:
        show(PLAN)
        show(Stepped(METRICS, 12))
    assert stream.getvalue() == ""


def play(show: Callable[[Event], None]) -> None:
    show(Note("rows [red]are[/red] alpaca"))
    show(replace(PLAN, preflight=PREFLIGHT))
    for step in range(1, 13):
        show(Stepped(METRICS | {"step": step}, 12))
    show(Validated(12, 1.25, True))
    show(Finished({"status": "finished", "steps": 12, "model": "o/model"}))


def test_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    with shown(json=False, log_every=100, stream=stream) as show:
        assert isinstance(show, Live)
        play(show)
    seen = stream.getvalue()
    for words in (
        "rows [red]are[/red] alpaca",
        "\x1b[1;32mYes.<|im_end|>",
        "warning: a caution, with its cure",
        "step 12/12",
        "100 %",
        "loss 2.3457",
        "of matrix rate",
        "2.1 GB",
        "done",
    ):
        assert words in seen, words
    assert seen.index("done") < seen.index("try it: tutelage chat o")
    assert seen.endswith("\n")
    assert seen.count("\x1b[?25h") >= 1  # the cursor is shown again


def test_an_error_in_the_run_leaves_the_terminal_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with pytest.raises(ValueError, match="broken"), shown(json=False, log_every=1, stream=stream):
        raise ValueError("broken")
    assert "\x1b[?25h" in stream.getvalue()


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    with shown(json=False, log_every=4, stream=stream) as show:
        play(show)
    assert "\x1b" not in stream.getvalue()
    assert [line.split("  ")[0] for line in stream.getvalue().splitlines() if line.startswith("step")] == [
        "step 4/12",
        "step 8/12",
        "step 12/12",
        "step 12",
    ]


@pytest.mark.skipif(os.name != "posix", reason="pipes that close are POSIX's")
@pytest.mark.parametrize("json", [True, False])
def test_a_run_outlives_the_reader_of_its_lines(json: bool) -> None:
    code = (
        "import sys\nfrom tutelage.cli.progress import shown\nfrom tutelage.run.events import Note\n"
        f"with shown(json={json}, log_every=1) as show:\n"
        "    for number in range(5000): show(Note('x' * 100))\n"
        "sys.stderr.write('the run went on')"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert said == "the run went on"
