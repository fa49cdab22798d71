"""`tutelage generate` as it is typed: files in, lines of JSON out, one sentence for every mistake, exit codes."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serve.models import save_tiny
from tutelage.cli.main import run

FEW = ("--max-tokens", "5")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny(tmp_path_factory.mktemp("model")))


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.jsonl"
    rows: list[Any] = [
        {"prompt": "One?"},
        {"instruction": "Add.", "input": "2 3", "output": "5"},
        {"messages": [{"role": "user", "content": "你好 😀"}]},
        {"prompt": "Four, which is the longest of them all?"},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return path


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_answers_to_standard_output(model: str, prompts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["generate", model, str(prompts), *FEW]) == 0
    said = capsys.readouterr()
    answers = records(said.out)
    assert [answer["row"] for answer in answers] == [1, 2, 3, 4]
    assert answers[1]["instruction"] == "Add."
    assert answers[2]["messages"][0]["content"] == "你好 😀"
    assert all(answer["tokens"] == 5 and answer["stopped"] == "length" for answer in answers)
    assert said.err.startswith("tutelage: 4 answered; 20 tokens in ")
    assert said.err.count("\n") == 1


def test_to_a_file_which_is_not_replaced_unasked(
    model: str, prompts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "answers.jsonl"
    command = ["generate", model, str(prompts), *FEW, "--output", str(output), "--batch-size", "2"]
    assert run(command) == 0
    written = output.read_bytes()
    capsys.readouterr()
    assert run(command) == 2
    said = capsys.readouterr()
    assert said.err == f"tutelage: {output} is there already: --resume goes on with it, --overwrite replaces it.\n"
    assert output.read_bytes() == written
    assert run([*command, "--overwrite"]) == 0
    assert output.read_bytes() == written
    # Cut in the middle of the third line, as a crash might.
    output.write_bytes(written[: written.index(b"\n", written.index(b"\n") + 1) + 20])
    assert run([*command, "--resume", "--batch-size", "1"]) == 0
    assert output.read_bytes() == written
    assert "tutelage: 2 answered" in capsys.readouterr().err


def test_a_broken_row_is_told_and_the_others_are_answered(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "One?"}\n{"prompt": \n\n{"question": "Two?"}\n{"prompt": "Three?"}\n')
    assert run(["generate", model, str(path), *FEW]) == 2
    said = capsys.readouterr()
    assert [answer["row"] for answer in records(said.out)] == [1, 5]
    lines = said.err.splitlines()
    assert lines[0] == f"tutelage: {path}, row 2: not JSON: expecting value"
    assert lines[1].startswith(f"tutelage: {path}, row 4: the row has none of the fields `messages`, `prompt`")
    assert lines[2].startswith("tutelage: 2 answered, 2 failed")


def test_standard_input(model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("One?\n二?\n".encode())))
    assert run(["generate", model, "-", *FEW]) == 0
    assert [answer["prompt"] for answer in records(capsys.readouterr().out)] == ["One?", "二?"]


def test_draws_are_the_same_for_any_batch_size(model: str, prompts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for extra in (["--batch-size", "1"], ["--batch-size", "4"], ["--seed", "9"]):
        assert run(["generate", model, str(prompts), *FEW, "--temperature", "1", "--top-p", "0.9", *extra]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]


def test_a_base_model_continues_the_text_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = str(save_tiny(tmp_path / "base", kind="mamba", template=None))
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("Once upon\nA time and\n")
    assert run(["generate", base, str(prompts), *FEW]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("tutelage: the model has no chat template")
    assert run(["generate", base, str(prompts), *FEW, "--raw"]) == 0
    raw = capsys.readouterr()
    assert raw.out == said.out
    assert "chat template" not in raw.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{model}x", "{prompts}"], "model={model}x: no such folder; did you mean {model}?"),
        (["{model}", "{prompts}x"], "there is no file {prompts}x; the nearest name in that folder is prompts.jsonl."),
        (["{model}", "{empty}"], "{empty} is empty."),
        (["{model}", "-"], "standard input is empty: write prompts into it, one a line."),
        (["{model}", "{prompts}", "--top-p", "0"], "top_p=0.0 cannot be: input should be greater than 0."),
        (["{model}", "{prompts}", "--resume"], "--resume needs --output, the file it is about."),
        (
            ["{model}", "{prompts}", "--output", "{empty}", "--resume", "--overwrite"],
            "--resume goes on with the output and --overwrite replaces it: give one of them.",
        ),
    ],
)
def test_one_sentence_for_a_mistake(
    words: list[str],
    sentence: str,
    model: str,
    prompts: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty = prompts.with_name("empty.txt")
    empty.touch()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    names = {"model": model, "prompts": prompts, "empty": empty}
    assert run(["generate", *(word.format(**names) for word in words)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"tutelage: {sentence.format(**names)}\n")


def test_ctrl_c_keeps_what_is_answered_and_resume_goes_on(
    model: str, prompts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tutelage.cli import generate

    output = tmp_path / "answers.jsonl"
    command = ["generate", model, str(prompts), *FEW, "--output", str(output), "--batch-size", "1"]
    told = 0

    def interrupt(tally: generate.Tally) -> None:
        nonlocal told
        told += 1
        if told == 13:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(generate.Tally, "token", interrupt)
        assert run(command) == 130
    assert [answer["row"] for answer in records(output.read_text("utf-8"))] == [1, 2]
    assert capsys.readouterr().err == (
        "tutelage: Interrupted: 2 answers are written; go on with the same command and --resume.\n"
    )
    assert run([*command, "--resume"]) == 0
    assert [answer["row"] for answer in records(output.read_text("utf-8"))] == [1, 2, 3, 4]


def test_a_reader_that_leaves_is_no_fault(model: str, prompts: Path) -> None:
    words = ["generate", model, str(prompts), *FEW, "--batch-size", "1"]
    child = subprocess.Popen(
        [sys.executable, "-c", f"from tutelage.cli.main import run; raise SystemExit(run({words!r}))"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    error = child.stderr.read().decode()
    child.stderr.close()
    assert child.wait(60) == 0
    assert "fault" not in error
    assert "Broken" not in error
