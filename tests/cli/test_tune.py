"""`tutelage tune`: words in, a recipe to the run, an exit code out. The run itself is played by a function."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest

from tutelage.cli.main import run
from tutelage.cli.tune import recipe_and_overrides
from tutelage.errors import UserError
from tutelage.run.events import Event, Finished, Note, Stepped, Stopped
from tutelage.run.recipe import Recipe, settings_keys

Announce = Callable[[Event], None]
WORDS = ["tune", "model=m", "data=rows.jsonl", "output=o"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("{}")
    return tmp_path


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Recipe, Announce], Any]], None]:
    """Puts a function in the place of `tutelage.run.tune.tune`."""

    def install(tune: Callable[[Recipe, Announce], Any]) -> None:
        module = ModuleType("tutelage.run.tune")
        module.tune = tune  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "tutelage.run.tune", module)

    return install


Play = Callable[[Callable[[Recipe, Announce], Any]], None]


def steps(recipe: Recipe, announce: Announce) -> None:
    announce(Note("rows.jsonl is alpaca"))
    for step in range(1, 6):
        announce(Stepped({"step": step, "loss": 2.0 / step, "learning_rate": 1e-4, "seconds": 0.1}, 5))
    announce(Finished({"status": "finished", "steps": 5, "model": "o/model"}))


def test_the_recipe_reaches_the_run(play: Play) -> None:
    seen: list[Recipe] = []
    play(lambda recipe, announce: seen.append(recipe))
    Path("r.yaml").write_text("model: m\ndata: rows.jsonl\noutput: o\ntrain: {epochs: 1}")
    assert run(["tune", "r.yaml", "train.learning_rate=1e-4"]) == 0
    assert run(["train", "train.epochs=2", "r.yaml"]) == 0
    assert [(recipe.train.epochs, recipe.train.learning_rate) for recipe in seen] == [(1.0, 1e-4), (2.0, None)]


def test_a_dry_run_is_a_rehearsal(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Recipe] = []
    play(lambda recipe, announce: pytest.fail("it ran"))

    def rehearse(recipe: Recipe, announce: Announce) -> None:
        seen.append(recipe)
        announce(Note("rows.jsonl is alpaca"))

    sys.modules["tutelage.run.tune"].rehearse = rehearse  # type: ignore[attr-defined]
    assert run([*WORDS, "--dry-run"]) == 0
    assert len(seen) == 1
    assert capsys.readouterr().out == "rows.jsonl is alpaca\n"
    assert not Path("o").exists()


def test_plain_lines(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    play(steps)
    assert run([*WORDS, "train.log_every=2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "rows.jsonl is alpaca"
    assert [line.split("  ")[0] for line in lines[1:4]] == ["step 2/5", "step 4/5", "step 5/5"]
    assert lines[4] == "finished after 5 steps: the model is in o/model, the report in o/report.html"
    assert lines[5] == "try it: tutelage chat o"


def test_json_lines(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    play(steps)
    assert run([*WORDS, "--json"]) == 0
    events = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["note", *["stepped"] * 5, "finished"]
    assert events[5]["metrics"]["loss"] == 0.4


def test_an_interrupted_run_says_how_to_go_on(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(recipe: Recipe, announce: Announce) -> None:
        raise Stopped(7, "runs/my first")

    play(stopped)
    assert run(WORDS) == 130
    assert capsys.readouterr().err == (
        "tutelage: Saved after step 7. Go on with: tutelage tune 'runs/my first/recipe.yaml' resume=true\n"
    )


def test_ctrl_c_before_the_first_step(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(recipe: Recipe, announce: Announce) -> None:
        raise KeyboardInterrupt

    play(interrupted)
    assert run(WORDS) == 130
    assert capsys.readouterr().err == "tutelage: Interrupted. Nothing was there to save.\n"


def test_ctrl_c_while_the_result_is_written(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    """The loop is through and its checkpoint is there: nothing is lost, and the line says so."""

    def interrupted(recipe: Recipe, announce: Announce) -> None:
        (recipe.output / "checkpoints" / "step-00000005").mkdir(parents=True)
        raise KeyboardInterrupt

    play(interrupted)
    assert run(WORDS) == 130
    assert "Go on with: tutelage tune o/recipe.yaml resume=true" in capsys.readouterr().err


def test_a_refusal_by_the_run(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(recipe: Recipe, announce: Announce) -> None:
        raise UserError("no token of the data is supervised")

    play(refused)
    assert run(WORDS) == 2
    assert capsys.readouterr().err == "tutelage: no token of the data is supervised.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tune"], "The recipe lacks model, data and output (for example: "),
        ([*WORDS, "--train.epochs", "3"], "Unknown option --train.epochs: settings are written without dashes"),
        ([*WORDS, "-e=3"], "Unknown option -e: "),
        (
            [*WORDS, "learning_rate=3"],
            "Unknown key learning_rate (on the command line): did you mean train.learning_rate?",
        ),
        (["tune", "nope.yaml"], "There is no recipe nope.yaml: check the path"),
        (["tune", "a.yaml", "b.yaml"], "a.yaml and b.yaml are two recipes: give one"),
        (["tune", "o"], "'o' is neither a recipe file that exists nor key=value."),
        (["tune", "."], ". is a folder, not a recipe: name a file in it."),
        ([*WORDS[:3], "output=o", "train.epochs"], "train.epochs has no value"),
    ],
)
def test_refusals(play: Play, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    play(steps)
    assert run(words) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"tutelage: {sentence}")
    assert (shown.out, shown.err.count("\n")) == ("", 1)


def test_a_recipe_with_an_equals_sign_in_its_name() -> None:
    Path("lr=1e-4.yaml").write_text("")
    assert recipe_and_overrides(["lr=1e-4.yaml", "a=b"]) == (Path("lr=1e-4.yaml"), ["a=b"])
    assert recipe_and_overrides(["a=b.yaml"]) == (None, ["a=b.yaml"])


def test_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tune", "--keys"]) == 0
    shown = capsys.readouterr().out
    assert all(f"{name}=" in shown for name, key in settings_keys(Recipe).items() if key.part is None)
