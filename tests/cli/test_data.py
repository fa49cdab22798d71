"""`tutelage data` as it is typed: what a run would train on, token by token, and how many rows are good."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.cli.test_tasks import TOY
from tutelage.cli.main import run

ROWS: list[Any] = [
    {"instruction": "Add.", "input": "2 3", "output": "5"},
    {"instruction": "A", "output": "<|im_end|>"},
    {"instruction": "Say hello.", "output": "你好", "history": [["Hi!", "Yes?"]], "system": "Be kind."},
    {"output": "x"},
    {"instruction": "Last.", "output": "The last."},
]


@pytest.fixture
def model(tiny_llama: Path) -> str:
    return f"model={tiny_llama}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS) + "{no json\n", "utf-8"
    )
    toys = [{"fact": f"It rains {number}.", "label": number % 2} for number in range(8)]
    Path("all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in toys), "utf-8")
    Path("toy.yaml").write_text(TOY, "utf-8")
    return tmp_path


def said(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> str:
    assert run(["data", *words]) == code
    shown = capsys.readouterr()
    if code == 0:
        assert shown.err == ""
    return shown.out if code == 0 else f"{shown.out}{shown.err}"


def objects(words: list[str], capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said([*words, "--json"], capsys).splitlines()]


def test_rows_as_objects(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = objects(["inspect", "rows.jsonl", model, "--rows", "99"], capsys)
    assert [(one["name"], one["fate"], one["reason"]) for one in found] == [
        ("rows.jsonl, row 1", "kept", None),
        ("rows.jsonl, row 2", "quarantined", "the text holds '<|im_end|>', a special token of the tokenizer"),
        ("rows.jsonl, row 3", "kept", None),
        ("rows.jsonl, row 4", "quarantined", "field `instruction` is missing"),
        ("rows.jsonl, row 5", "kept", None),
        ("rows.jsonl, row 6", "quarantined", "not JSON: expecting property name enclosed in double quotes"),
    ]
    assert found[0]["row"] == ROWS[0]
    ((leaf,),) = found[0]["examples"]
    assert "".join(leaf["tokens"]) == "<|im_start|>user\nAdd.\n2 3<|im_end|>\n<|im_start|>assistant\n5<|im_end|>"
    assert "".join(leaf["tokens"][leaf["learnt_from"] :]) == "5<|im_end|>"
    assert leaf["roles"][leaf["learnt_from"]] == "assistant"
    assert len(leaf["ids"]) == len(leaf["tokens"]) == len(leaf["roles"])
    assert [len(leaves) for leaves in found[2]["examples"]] == [2]
    assert found[1]["examples"] == []


def test_rows_are_what_a_run_trains_on(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The very leaves that `read_examples` gives to the loop."""
    from datetime import UTC, datetime

    from tutelage.data.ledger import Ledger
    from tutelage.model.load import load_config, load_tokenizer
    from tutelage.model.locate import locate
    from tutelage.run.encoding import chat_format, encoder_for
    from tutelage.run.recipe import load_recipe
    from tutelage.run.rows import read_examples

    more = ["max_length=60", "overlong=split", "objective.train_on=last"]
    recipe = load_recipe(None, ["data=rows.jsonl", model, "output=o", "data.max_quarantine=1", *more])
    located = locate(recipe.model)
    tokenizer = load_tokenizer(located)
    chat = chat_format(recipe, tokenizer, datetime.now(UTC))
    store = read_examples(recipe, encoder_for(recipe, load_config(located), tokenizer, chat), Ledger(None)).train.store(
        0
    )
    expected = [[(leaf.ids.tolist(), leaf.start) for leaf in store.leaves(number)] for number in range(len(store))]
    found = objects(["inspect", "rows.jsonl", model, "--rows", "99", *more], capsys)
    shown = [example for one in found for example in one["examples"]]
    assert [[(leaf["ids"], leaf["learnt_from"]) for leaf in example] for example in shown] == expected
    assert len(expected) >= 3


def test_rows_in_a_pipe_are_a_line_a_token(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(["inspect", "rows.jsonl", model, "--row", "3"], capsys).splitlines()
    assert re.fullmatch(r"rows\.jsonl, row 3  kept  (\d+) tokens, (\d+) learnt", lines[1])
    assert lines[2].split() == ["leaf", "place", "id", "token", "role", "loss"]
    rows = [line.split() for line in lines[3:]]
    assert [int(row[1]) for row in rows] == list(range(len(rows)))  # the second leaf goes on from the first
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert {row[0] for row in rows} == {"1", "2"}
    learnt = [row for row in rows if row[-1] == "learnt"]
    assert [row[3] for row in learnt if row[0] == "2"][-1] == "'<|im_end|>'"
    assert sum(row[-1] == "learnt" for row in rows) == int(lines[1].split()[-2])


def test_bad_rows_are_shown_with_why(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(["inspect", "rows.jsonl", model, "--row", "2"], capsys) == (
        "\nrows.jsonl, row 2  quarantined\n"
        "  the text holds '<|im_end|>', a special token of the tokenizer\n"
        "  {'instruction': 'A', 'output': '<|im_end|>'}\n"
    )


@pytest.mark.parametrize("width", [80, 120])
def test_rows_in_a_terminal(here: Path, model: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    screen = Console(file=stream, force_terminal=True, width=width, color_system="standard", highlight=False)
    monkeypatch.setattr("tutelage.cli.data.console", lambda: screen)
    assert run(["data", "inspect", "rows.jsonl", model, "--row", "3"]) == 0
    shown = stream.getvalue()
    assert "\u001b[1;32m你\u001b[0m\u001b[1;92m好\u001b[0m" in shown or "\u001b[1;92m你\u001b[0m\u001b[1;32m好" in shown
    lines = [line.rstrip() for line in re.sub(r"\u001b\[[0-9;]*m", "", shown).split("\n")]
    assert all(len(line) <= width for line in lines)
    assert lines == [
        "template  system  user  assistant  learnt   shades change from token to token",
        "",
        lines[2],
        "  leaf 1: <|im_start|>system⏎",
        "  Be kind.<|im_end|>⏎",
        "  <|im_start|>user⏎",
        "  Hi!<|im_end|>⏎",
        "  <|im_start|>assistant⏎",
        "  Yes?<|im_end|>",
        lines[9],
        "  <|im_start|>user⏎",
        "  Say hello.<|im_end|>⏎",
        "  <|im_start|>assistant⏎",
        "  你好<|im_end|>",
        "",
    ]
    assert re.fullmatch(r"rows\.jsonl, row 3  kept  \d+ tokens, \d+ learnt", lines[2])
    assert re.fullmatch(r"  leaf 2: … \d+ tokens as before … ⏎", lines[9])


def test_a_page_to_show_to_others(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["inspect", "rows.jsonl", model, "--rows", "3", "--html", "page.html"]
    assert said(words, capsys) == "3 rows are in page.html\n"
    page = Path("page.html").read_text("utf-8")
    assert "rows.jsonl, row 3" in page
    assert "你好" in re.sub("<[^>]*>", "", page)
    light, dark = page.split("@media (prefers-color-scheme: dark)")
    classes = [re.findall(r"^\.(r\d+) ", part, re.MULTILINE) for part in (light, dark)]
    assert classes[0] == classes[1]
    assert set(re.findall(r'class="(r\d+)"', page)) == set(classes[0])
    assert "is there already" in said(words, capsys, code=2)
    assert "nowhere/page.html can't be written: No such file" in said(
        [*words[:-1], "nowhere/page.html"], capsys, code=2
    )


def test_a_recipe_and_several_files(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.yaml").write_text(f"model: {model.removeprefix('model=')}\ndata: rows.jsonl\noutput: o\n", "utf-8")
    assert len(objects(["inspect", "r.yaml", "data.sources.0.limit=2", "--rows", "9"], capsys)) == 2
    Path("more.jsonl").write_text(json.dumps(ROWS[0]) + "\n", "utf-8")
    found = objects(["inspect", "more.jsonl", "rows.jsonl", model, "--rows", "2"], capsys)
    assert [one["name"] for one in found] == ["more.jsonl, row 1", "rows.jsonl, row 1"]
    assert not Path("o").exists()


def test_pretraining(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.txt").write_text("The cat sat.\n", "utf-8")
    (one,) = objects(["inspect", "t.txt", model, "stage=pretrain"], capsys)
    ((leaf,),) = one["examples"]
    assert (set(leaf["roles"]), leaf["learnt_from"]) == ({"text"}, 1)


def test_a_task(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["inspect", "toy.yaml", model, "data.mixture.shots=2", "data.mixture.loss_scaling=muppet", "--rows", "99"]
    found = objects(words, capsys)
    assert sorted(one["name"] for one in found) == [f"toy/train/{number}" for number in range(6)]
    assert {one["template"] for one in found} == {"ask", "say"}
    for one in found:
        assert (one["fate"], one["task"], one["exemplars"]) == ("kept", "toy", 2)
        ((leaf,),) = one["examples"]
        assert "".join(leaf["tokens"]) == (
            f"<|im_start|>user\n{one['prompt']}<|im_end|>\n<|im_start|>assistant\n{one['target']}<|im_end|>"
        )
        assert one["prompt"].count("It rains") + (one["target"].startswith("It rains")) == 3
        assert one["weight"] == pytest.approx(1.4427 if one["template"] == "ask" else 1 / 6.2, rel=0.1)


def test_a_task_with_exemplars_that_do_not_fit(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["inspect", "toy.yaml", model, "data.mixture.shots=4", "data.mixture.shot_tokens=90", "--rows", "99"]
    found = objects(words, capsys)
    assert {one["exemplars"] for one in found} <= {0, 1, 2, 3}
    for one in found:
        before = one["prompt"].count("It rains") + one["target"].startswith("It rains") - 1
        assert one["exemplars"] == before


def test_exemplars_that_a_template_does_not_suit(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They are left out, and what is shown counts those that are there."""
    Path("toy.yaml").write_text(TOY.replace("({{ mood }})", "({{ {'calm': 'so'}[mood] }})"), "utf-8")
    toys = [{"fact": f"It rains {row}.", "label": 0, "mood": "glad" if row % 3 else "calm"} for row in range(12)]
    Path("all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in toys), "utf-8")
    words = ["inspect", "toy.yaml", model, "data.mixture.shots=5", "data.mixture.templates=ask", "--rows", "99"]
    found = objects(words, capsys)
    assert {one["fate"] for one in found} == {"kept", "quarantined"}
    kept = [one for one in found if one["fate"] == "kept"]
    assert [one["exemplars"] for one in kept] == [one["prompt"].count("It rains") - 1 for one in kept]
    assert 0 < max(one["exemplars"] for one in kept) <= 3  # the other calm ones


def test_rows_of_files_that_evaluation_holds(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside tasks, they are looked for in files too."""
    Path("more.jsonl").write_text(json.dumps({"fact": "It hails and snows.", "label": 1}) + "\n", "utf-8")
    rows = [{"instruction": "It hails and snows, calm!", "output": "So?"}, {"instruction": "Add.", "output": "5"}]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    words = ["rows.jsonl", "toy.yaml", model, "data.mixture.decontaminate=toy.yaml"]
    first, second = objects(["inspect", *words, "--rows", "2"], capsys)
    assert (first["fate"], second["fate"]) == ("dropped", "kept")
    assert first["reason"] == "an evaluation row is in it (exact): toy/dev/0, it hails and snows calm"
    report = json.loads(said(["check", *words, "--json"], capsys))
    assert report["sources"][0]["dropped"] == {"an evaluation row is in it (exact)": 1}


def test_a_task_in_a_pipe_shows_its_text(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(["inspect", "toy.yaml", model, "--row", "1"], capsys)
    assert re.search(r"^toy/train/\d  template (ask|say)  kept  \d+ tokens, \d+ learnt$", shown, re.MULTILINE)
    assert re.search(r"^  → ", shown, re.MULTILINE)
    assert "place" in shown


def test_check(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(["check", "rows.jsonl", model], capsys).splitlines()
    assert shown[0].split() == [
        "source",
        "format",
        "read",
        "kept",
        "cut",
        "dropped",
        "bad",
        "examples",
        "tokens",
        "learnt",
    ]
    assert shown[1].split()[:7] == ["rows.jsonl", "alpaca", "6", "3", "0", "0", "3"]
    assert shown[2:5] == [
        "1 bad: field `instruction` is missing",
        "1 bad: not JSON: expecting property name enclosed in double quotes",
        "1 bad: the text holds '<|im_end|>', a special token of the tokenizer",
    ]
    assert [line.split(":")[0] for line in shown[5:]] == [f"  rows.jsonl, row {row}" for row in (2, 4, 6)]


def test_check_is_data_report_json(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(said(["check", "rows.jsonl", "toy.yaml", model, "--json"], capsys))
    assert [source["path"] for source in report["sources"]] == ["rows.jsonl", "toy"]
    assert report["total"]["read"] == 12
    assert report["mixture"][0]["rate"] == 6
    shown = said(["check", "rows.jsonl", "toy.yaml", model], capsys)
    assert "\nall " in shown
    assert "\ntoy: 6 examples an epoch (100.0%), 2 templates\n" in shown


def test_check_writes_the_quarantine_once(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    said(["check", "rows.jsonl", model, "--quarantine", "bad.jsonl"], capsys)
    assert [json.loads(line)["line"] for line in Path("bad.jsonl").read_text().splitlines()] == [4, 6, 2]
    assert "bad.jsonl is there already: name another file, or delete it." in said(
        ["check", "rows.jsonl", model, "--quarantine", "bad.jsonl"], capsys, code=2
    )


def test_check_ends_with_2_where_too_much_is_bad(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [ROWS[0]] * 20 + [{"foo": 1}] * 11
    Path("many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    shown = said(["check", "many.jsonl", model], capsys, code=2)
    assert "many.jsonl  alpaca    31    20    0        0   11" in shown  # the report is there all the same
    assert "tutelage: 11 of 31 rows (35.5%) are bad, and data.max_quarantine allows 0.01" in shown
    assert "and 6 more: --quarantine FILE writes them all" in shown
    said(["check", "many.jsonl", model, "data.max_quarantine=0.4"], capsys)


def test_check_of_what_teaches_nothing(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(["check", "rows.jsonl", model, "max_length=8"], capsys, code=2)
    assert "tutelage: no row of rows.jsonl can be used: " in shown


@pytest.mark.parametrize("verb", ["inspect", "check"])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "name what is to be read: tutelage data inspect rows.jsonl model=MODEL, for one."),
        (["rwos.jsonl"], "data.sources.0.path=rwos.jsonl is not there: did you mean rows.jsonl?"),
        (["rtee"], "data=rtee is neither a file nor a task: did you mean rte?"),
        (["rows.jsonl", "max_lenght=9"], "Unknown key max_lenght (on the command line): did you mean max_length?"),
        (["r.yaml", "rows.jsonl"], "r.yaml is a recipe, which says what is read: leave rows.jsonl out."),
        (["rows.jsonl", "max_length=9999"], "max_length=9999 is more than the 512 positions of the model"),
    ],
)
def test_mistakes(
    verb: str, words: list[str], sentence: str, here: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", verb, *words, model]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"tutelage: {sentence}")
    assert shown.err.count("\n") == 1


def test_a_row_that_is_not_there(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(["inspect", "rows.jsonl", model, "--row", "7"], capsys, code=2) == "tutelage: there is no row 7.\n"


def test_a_row_that_a_run_would_stop_at(here: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = objects(["inspect", "rows.jsonl", model, "max_length=30", "overlong=error", "--rows", "3"], capsys)
    assert (found[2]["fate"], found[2]["examples"]) == ("refused", [])
    assert re.fullmatch(r"\d+ tokens are more than max_length=30, and overlong=error", found[2]["reason"])
    assert "row 3: " in said(["check", "rows.jsonl", model, "max_length=30", "overlong=error"], capsys, code=2)
