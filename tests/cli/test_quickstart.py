"""`tutelage quickstart`, whole: a few steps in every run of the tests, all of it in the long ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from tutelage.cli import main, quickstart
from tutelage.cli.quickstart import MARK, ROUNDS, tell_story

FEW = ("train.max_steps=2",)


@pytest.fixture(autouse=True)
def short_answers(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("long") is None:
        monkeypatch.setattr(quickstart, "LONGEST_ANSWER", 4)


def figures(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / MARK).read_text(encoding="utf-8"))
    return content


def test_a_short_story_leaves_two_runs_and_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "story"
    tell_story(folder, seed=1, rounds=1, words=FEW)
    shown = capsys.readouterr().out
    for run in ("base", "tuned"):
        assert (folder / run / "model" / "model.safetensors").is_file()
        assert (folder / run / "report.html").is_file()
    assert f"tutelage tune stage=pretrain model={folder}/blank data={folder}/world.jsonl" in shown
    assert f"tutelage tune model={folder}/base data={folder}/instructions.jsonl" in shown
    assert f"tutelage chat {folder}/tuned" in shown
    assert "step 2/2" in shown
    found = figures(folder)
    assert found["finished"] is True
    assert found["seed"] == 1
    assert found["after"]["seen_wording"]["asked"] == found["after"]["fresh_wording"]["asked"] > 100
    assert found["after"]["seen_wording"]["right"] == 0  # two steps teach nothing, and the exam sees that

    tell_story(folder, seed=2, rounds=1, words=FEW)
    assert figures(folder)["seed"] == 2


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert main.run(["quickstart", "--output", str(tmp_path)]) == 2
    assert "quickstart did not make it" in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_ctrl_c_leaves_a_folder_that_can_be_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tutelage.run import tune
    from tutelage.run.events import Stopped

    def stopped(*_: object) -> None:
        raise Stopped(1, str(tmp_path))

    with monkeypatch.context() as patch:
        patch.setattr(tune, "tune", stopped)
        with pytest.raises(typer.Exit) as leaving:
            tell_story(tmp_path / "story", seed=0, rounds=1)
    assert leaving.value.exit_code == 130
    assert "The same command starts the story again" in capsys.readouterr().err
    assert figures(tmp_path / "story")["finished"] is False
    tell_story(tmp_path / "story", seed=0, rounds=1, words=FEW)
    assert figures(tmp_path / "story")["finished"] is True


@pytest.mark.long
def test_the_whole_story_teaches_to_answer(tmp_path: Path) -> None:
    tell_story(tmp_path / "story", seed=0, rounds=ROUNDS)
    found = figures(tmp_path / "story")

    def share(when: str, what: str) -> float:
        return float(found[when][what]["right"] / found[when][what]["asked"])

    assert share("before", "known") > 0.9
    assert share("before", "seen_wording") < 0.05
    assert share("before", "fresh_wording") < 0.05
    assert share("after", "seen_wording") > 0.8
    assert share("after", "fresh_wording") > 0.65
