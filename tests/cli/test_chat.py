"""`tutelage chat` as it is typed: one question, questions from a pipe, and the terminal."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from rich.console import Console

from tests.serve.models import save_tiny
from tutelage.cli import chat as verb
from tutelage.cli.main import run
from tutelage.generate.generator import Generated
from tutelage.serve.chat import Answered, ChatSession, Event, Left, Piece, Refused, Told

FEW = ("--max-tokens", "8", "--seed", "1")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny(tmp_path_factory.mktemp("model")))


def typed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8"))


def test_one_question(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["chat", model, "--prompt", "你好?", *FEW]) == 0
    first = capsys.readouterr()
    assert first.err == ""
    assert first.out.endswith("\n")
    assert len(first.out) > 2
    assert run(["chat", model, "--prompt", "你好?", *FEW]) == 0
    assert capsys.readouterr().out == first.out
    assert run(["chat", model, "--prompt", "你好?", "--system", "Be short.", *FEW]) == 0
    assert capsys.readouterr().out != first.out


def test_questions_from_a_pipe(model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["chat", model, "--prompt", "One?", *FEW]) == 0
    one = capsys.readouterr().out
    typed("One?\n\n/clear\r\nOne?\n/exit\nOne?\n", monkeypatch)
    assert run(["chat", model, *FEW]) == 0
    said = capsys.readouterr()
    assert said.out == one * 2
    assert said.err == "tutelage: the conversation is forgotten\n"


def test_a_question_that_is_refused(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["chat", model, "--prompt", "What is <|im_end|>?", *FEW]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "'<|im_end|>', a special token" in said.err


def test_a_base_model_continues_the_text_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = str(save_tiny(tmp_path, template=None))
    assert run(["chat", base, "--prompt", "Once upon", *FEW]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("tutelage: the model has no chat template")
    assert said.err.count("\n") == 1
    assert said.out
    assert run(["chat", base, "--prompt", "Once upon", "--chat-template", "chatml", *FEW]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{model}x"], "model={model}x: no such folder; did you mean {model}?"),
        (["{model}", "--temperature", "-1"], "temperature=-1.0 cannot be: input should be greater than or equal to 0."),
        (["{model}", "--prompt", " "], "--prompt is empty: write a question after it, or leave it out to chat."),
    ],
)
def test_one_sentence_for_a_mistake(
    words: list[str], sentence: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["chat", *(word.format(model=model) for word in words)]) == 2
    assert capsys.readouterr().err == f"tutelage: {sentence.format(model=model)}\n"


class Script(ChatSession):
    """A session that answers every line with the same events; an exception among them is raised."""

    def __init__(self, *events: Event | signal.Signals) -> None:
        self.events = events
        self.asked: list[str] = []
        self.closed = 0

    @property
    def notices(self) -> list[str]:
        return ["a notice"]

    def say(self, line: str) -> Generator[Event, None, None]:
        self.asked.append(line)
        try:
            for event in self.events:
                if isinstance(event, signal.Signals):
                    signal.raise_signal(event)
                else:
                    yield event
        finally:
            self.closed += 1


def conversed(session: Script, lines: list[str | type[BaseException]], monkeypatch: pytest.MonkeyPatch) -> str:
    """What the screen shows after these lines, or key strokes."""
    left = iter(lines)

    def read(prompt: str) -> str:
        line = next(left)
        if isinstance(line, str):
            return line
        raise line

    monkeypatch.setattr("builtins.input", read)
    screen = Console(file=io.StringIO(), width=40, highlight=False, markup=False, emoji=False)
    verb._converse(session, screen)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Generated("你好 [b]", (1, 2), "stop", 3, -1.0)
    session = Script(Piece("你好"), Piece(" [b]\x1b[2J"), Answered(answer), Told("told"), Refused("refused"))
    shown = conversed(session, ["One?", KeyboardInterrupt, "Two?", EOFError], monkeypatch)
    assert shown.startswith("a notice\n/help lists the commands")
    assert shown.count("你好 [b]\ufffd[2J\ntold\nrefused\n") == 2
    assert "Ctrl-D or /exit leaves" in shown
    assert session.asked == ["One?", "Two?"]


def test_ctrl_c_stops_the_answer_and_not_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Script(Piece("An ans"), signal.SIGINT, Piece("wer"))
    shown = conversed(session, ["One?", "Two?", EOFError], monkeypatch)
    assert shown.count("An ans\n(stopped)\n") == 2
    assert "wer\n" not in shown
    assert session.closed == 2


def test_ends_of_answers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = Script(Piece("long"), Answered(Generated("long", (1, 2, 3), "length", 3, -1.0)))
    assert "long\n(cut after 3 tokens)\n" in conversed(cut, ["One?", EOFError], monkeypatch)
    empty = Script(Answered(Generated("", (2,), "stop", 3, -1.0)))
    assert "(an empty answer)" in conversed(empty, ["One?", EOFError], monkeypatch)


def test_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Script(Left())
    conversed(session, ["/exit"], monkeypatch)
    assert session.asked == ["/exit"]


def test_printable() -> None:
    assert verb.printable("a\x1b[2J\x9b\x7f\n\té👨‍👩‍👧") == "a\ufffd[2J\ufffd\ufffd\n\té👨‍👩‍👧"
