"""`tutelage study`: words in, a study run, a table out, and how to go on. The study itself is played by a function."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tutelage.cli.main import run
from tutelage.cli.study_view import Live, Plain, at_hand, ended, shown
from tutelage.errors import UserError
from tutelage.evaluate.settings import Evaluation
from tutelage.run.evaluation import Asked
from tutelage.run.events import Note, Stepped, Stopped, Warned
from tutelage.run.recipe import build_settings
from tutelage.studies import study as studies
from tutelage.studies.costs import Cost
from tutelage.studies.directory import Outcome
from tutelage.studies.findings import Findings
from tutelage.studies.steps import Step, StepBegan, StepEnded
from tutelage.studies.study import Result
from tutelage.studies.tables import Column, Table

WORDS = ["study", "kind=holdout", "model=m", "tasks=t", "output=o"]
STEP = Step(
    "base/plain", "untuned, plain [prompts]", build_settings(Evaluation, {"model": "m", "tasks": "t", "output": "o"})
)
EVENTS = (
    StepBegan(1, 12, STEP),
    Note("not worth telling here"),
    Warned("careful"),
    Warned("careful"),
    Asked(3, 10),
    Stepped({"step": 2, "loss": 1.5}, 5),
    StepEnded(1, 12, STEP, "finished", 61.0),
    StepEnded(2, 12, STEP, "failed", 1.0, "the disk is full"),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def result(code: int = 0) -> Result:
    table = Table(
        "Scores",
        [Column("cluster", "cluster"), Column("tuned", "tuned")],
        [{"cluster": "inference", "tuned": {"mean": 0.5, "low": 0.4, "high": 0.6}}, {"cluster": "mean", "tuned": None}],
        closing=1,
    )
    findings = Findings("m · study", "1 cluster", ["It is so."], [], [table], [], {})
    outcome = Outcome("failed", 1.0, "the disk is full") if code else Outcome("finished", 1.0)
    return Result(findings, [Cost(STEP, outcome, {})], Path("o"), code)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Callable[..., Any]], None]:
    """Puts a function in the place of `tutelage.studies.study.study`."""
    monkeypatch.chdir(tmp_path)
    return lambda function: monkeypatch.setattr(studies, "study", function)


Play = Callable[[Callable[..., Any]], None]


def test_the_table_and_the_answers_are_shown(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Any] = []

    def played(recipe: Any, announce: Callable[[object], None]) -> Result:
        seen.append(recipe)
        for event in EVENTS:
            announce(event)
        return result()

    play(played)
    assert run([*WORDS, "seeds=2", "tune.train.epochs=1"]) == 0
    assert seen[0].seeds == (0, 1)
    told = capsys.readouterr()
    for text in ("inference", "50.0", "40.0…60.0", "It is so.", "o/report.html"):
        assert text in told.out
    assert told.err.splitlines() == [
        "   1/12  untuned, plain [prompts] …",
        "! careful",
        "✓  1/12  untuned, plain [prompts]  1:01",
        "✗  2/12  untuned, plain [prompts]  0:01  failed: the disk is full",
    ]


def test_failed_runs_are_told_and_the_exit_code_says_whose_fault(
    play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    play(lambda recipe, announce: result(2))
    Path("o").mkdir()
    Path("o/recipe.yaml").write_text("")
    assert run(WORDS) == 2
    assert capsys.readouterr().err.splitlines() == [
        "tutelage: untuned, plain [prompts] failed: the disk is full",
        "tutelage: What is done is kept; go on with: tutelage study o/recipe.yaml resume=true",
    ]


def test_json_is_the_figures(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    def played(recipe: Any, announce: object) -> Result:
        Path("o").mkdir()
        Path("o/study.json").write_text('{"kind": "holdout"}\n')
        return result()

    play(played)
    assert run([*WORDS, "--json"]) == 0
    assert capsys.readouterr().out == '{"kind": "holdout"}\n'


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Stopped(3, "o/runs/x")])
def test_an_interruption_says_how_to_go_on(play: Play, capsys: pytest.CaptureFixture[str], stop: BaseException) -> None:
    def played(recipe: Any, announce: object) -> None:
        Path("o").mkdir()
        Path("o/recipe.yaml").write_text("")
        raise stop

    play(played)
    assert run(WORDS) == 130
    told = capsys.readouterr().err
    assert told == (
        "tutelage: Interrupted. What is done is kept; go on with: tutelage study o/recipe.yaml resume=true\n"
    )


def test_mistakes_end_in_one_line(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(recipe: Any, announce: object) -> None:
        raise UserError("there is no task t")

    play(refuse)
    assert run(["study", "kind=holdut"]) == 2
    assert run(WORDS) == 2
    assert capsys.readouterr().err.splitlines() == [
        "tutelage: There is no kind of study holdut: did you mean holdout?",
        "tutelage: there is no task t.",
    ]


def test_keys_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["study", "--keys"]) == 0
    told = capsys.readouterr().out
    for name in ("hold_out", "ladder.templates", "tune.train.learning_rate", "evaluate.score.normalize"):
        assert f"\n{name}=" in told


def test_a_terminal_gets_bars_and_a_pipe_gets_lines() -> None:
    stream = Terminal()
    with shown(stream) as live:
        assert isinstance(live, Live)
        for event in EVENTS:
            live(event)
    told = stream.getvalue()
    for text in ("careful", "untuned, plain [prompts]", "1:01", "the disk is full", "all runs"):
        assert text in told
    with shown(io.StringIO()) as plain:
        assert isinstance(plain, Plain)


def test_how_far_the_run_at_hand_is() -> None:
    assert at_hand(Asked(3, 10)) == (3, 10, "answers")
    assert at_hand(Stepped({"step": 2, "loss": 1.5}, 5)) == (2, 5, "loss 1.5000")
    assert at_hand(Note("")) is None
    assert ended(StepEnded(7, 12, STEP, "left out", 0.0, "x has not finished")) == (
        " 7/12  untuned, plain [prompts]  left out: x has not finished"
    )
