"""A whole study on a tiny model: its files and figures, a stop in the middle, a run that fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.studies.cases import make_base, make_catalog, recipe
from tutelage.errors import UserError
from tutelage.run.evaluation import Asked
from tutelage.run.events import Stepped, Stopped
from tutelage.run.predictions import read_lines
from tutelage.studies.directory import StudyDirectory
from tutelage.studies.steps import StepBegan, StepEnded
from tutelage.studies.study import Result, load_study, study

KEYS: dict[str, Any] = {"hold_out": "weather", "seeds": 2, "shots": 1}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_catalog(tmp_path_factory.mktemp("tasks") / "tasks")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def whole(model: Path, catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A study of one cluster and two seeds that nothing disturbed."""
    told: list[object] = []
    result = study(recipe(model, catalog, tmp_path_factory.mktemp("studies") / "whole", **KEYS), told.append)
    ended = [one for one in told if isinstance(one, StepEnded)]
    assert [(one.number, one.of, one.status) for one in ended] == [(place, 7, "finished") for place in range(1, 8)]
    assert any(isinstance(one, Stepped) for one in told)
    assert any(isinstance(one, Asked) for one in told)
    return result


def figures(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "study.json").read_text("utf-8"))
    return found


def test_every_figure_follows_from_the_predictions(whole: Result) -> None:
    found = figures(whole.folder)
    (cluster,) = found["clusters"].values()
    runs = whole.folder / "runs"

    def share(folder: str) -> float:
        """The mean over the tasks of the cluster of all answers' shares, each task asked alike."""
        lines = [one for one in read_lines(runs / folder / "predictions.jsonl") if one["task"] in ("wet", "cold")]
        return sum(bool(line["correct"]) for line in lines) / len(lines)

    assert cluster["base"]["plain"]["mean"] == pytest.approx(share("base/plain"))
    assert cluster["base"]["instructions"]["mean"] == pytest.approx(share("base/instructions"))
    assert cluster["base"]["exemplars"]["mean"] == pytest.approx(share("base/exemplars"))
    of_seeds = [share(f"without-weather/seed-{seed}/scores") for seed in (0, 1)]
    assert [cluster["seeds"][str(seed)] for seed in (0, 1)] == pytest.approx(of_seeds)
    assert cluster["tuned"]["mean"] == pytest.approx(sum(of_seeds) / 2)
    above = cluster["tuned"]["mean"] - cluster["base"]["instructions"]["mean"]
    assert cluster["differences"]["instructions"]["mean"] == pytest.approx(above)
    assert (cluster["items"], cluster["chance"]) == (16, 0.5)
    assert list(found["ladder"]) == ["new items", "new wordings", "new tasks", "new cluster"]
    assert found["ladder"]["new cluster"]["tuned"]["mean"] == pytest.approx(cluster["tuned"]["mean"])
    for one in found["models"]:
        kept = found["kept_back"][str(one["seed"])]
        assert not {*kept["tasks"]} & {*one["trained_on"]}
        assert all(not {*kept["templates"][name]} & {*ways} for name, ways in one["trained_on"].items())


def test_what_a_study_leaves(whole: Result) -> None:
    names = {entry.name for entry in whole.folder.iterdir()}
    assert names == {
        *(
            "recipe.yaml",
            "steps.json",
            "study.json",
            "report.html",
            "table.csv",
            "table.md",
            "table.tex",
            "plots",
            "runs",
        )
    }
    assert whole.code == 0
    page = (whole.folder / "report.html").read_text("utf-8")
    assert 'href="runs/without-weather/seed-0/tuned/report.html"' in page
    for text in ("hold-out study", "one under the better of its prompts", "7 runs", "<svg", "tuned without weather"):
        assert text in page
    assert "<script" not in page
    runs = {run["name"]: run for run in figures(whole.folder)["runs"]}
    assert runs["without-weather/seed-0/tuned"]["steps"] == 3
    assert runs["base/plain"]["answers"] == 16


def test_a_finished_study_runs_nothing_again(whole: Result, model: Path, catalog: Path) -> None:
    before = (whole.folder / "study.json").read_bytes()
    told: list[object] = []
    study(recipe(model, catalog, whole.folder, resume=True, **KEYS), told.append)
    assert told == []
    assert (whole.folder / "study.json").read_bytes() == before


def stop_at(number: int, kind: type, count: int) -> Callable[[object], None]:
    """Ctrl-C at the `count`-th event of a kind within a step."""
    at, seen = 0, 0

    def announce(event: object) -> None:
        nonlocal at, seen
        if isinstance(event, StepBegan):
            at, seen = event.number, 0
        seen += isinstance(event, kind)
        if at == number and isinstance(event, kind) and seen == count:
            raise KeyboardInterrupt

    return announce


def test_stopped_again_and_again_it_ends_with_the_same_figures(
    whole: Result, model: Path, catalog: Path, tmp_path: Path
) -> None:
    keys = {**KEYS, "resume": True, "tune__train__save_every": None}
    output = tmp_path / "stopped"
    for number, kind, count in ((2, Asked, 3), (4, Stepped, 2), (5, Asked, 9), (6, StepBegan, 1)):
        with pytest.raises((KeyboardInterrupt, Stopped)):
            study(recipe(model, catalog, output, **keys), stop_at(number, kind, count))
    study(recipe(model, catalog, output, **keys))
    assert (output / "study.json").read_bytes() == (whole.folder / "study.json").read_bytes()
    assert (output / "table.csv").read_bytes() == (whole.folder / "table.csv").read_bytes()


def test_rows_that_change_in_the_middle_are_not_compared(model: Path, catalog: Path, tmp_path: Path) -> None:
    changed, output = tmp_path / "tasks", tmp_path / "out"
    shutil.copytree(catalog, changed)
    keys: dict[str, Any] = {"hold_out": "weather", "resume": True}
    with pytest.raises(KeyboardInterrupt):
        study(recipe(model, changed, output, **keys), stop_at(3, StepBegan, 1))
    rows = (changed / "wet_test.jsonl").read_text("utf-8")
    (changed / "wet_test.jsonl").write_text(rows.replace("true", "false"), "utf-8")
    with pytest.raises(UserError, match=r"the task wet changed while the study went on, so .*base/instructions and "):
        study(recipe(model, changed, output, **keys))
    assert not (output / "study.json").exists()


def test_a_failed_run_stops_no_other_and_is_told(model: Path, catalog: Path, tmp_path: Path) -> None:
    """No row of the size tasks can be trained on, so nothing is left to learn from where weather is held out."""
    broken = tmp_path / "tasks"
    shutil.copytree(catalog, broken)
    for name in ("again", "wet"):
        (broken / f"{name}.yaml").unlink()
    for name in ("big", "tall"):
        (broken / f"{name}_train.jsonl").write_text('{"label": true}\n' * 3)
    output = tmp_path / "out"
    keys: dict[str, Any] = {"ladder__limit": 0}
    result = study(recipe(model, broken, output, **keys))
    assert result.code == 2
    found = figures(output)
    assert list(found["clusters"]) == ["size"]
    assert found["failed"]["without-weather/seed-0/tuned"].endswith("has a row that can be trained on")
    assert found["failed"]["without-weather/seed-0/scores"] == "without-weather/seed-0/tuned has not finished"
    assert "What did not finish" in (output / "report.html").read_text("utf-8")
    for name in ("big", "tall"):
        shutil.copy(catalog / f"{name}_train.jsonl", broken)
    told: list[object] = []
    again = study(recipe(model, broken, output, resume=True, **keys), told.append)
    assert again.code == 0
    assert [one.step.name for one in told if isinstance(one, StepBegan)] == [
        "without-weather/seed-0/tuned",
        "without-weather/seed-0/scores",
    ]
    assert list(figures(output)["clusters"]) == ["size", "weather"]


def test_a_fault_of_ours_is_kept_with_its_traceback(
    model: Path, catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("tutelage.run.tune.tune", broken)
    result = study(recipe(model, catalog, tmp_path / "out", hold_out="size", ladder__limit=0))
    assert result.code == 1
    outcome = StudyDirectory(tmp_path / "out").outcomes()["without-size/seed-0/tuned"]
    assert outcome.sentence == "ZeroDivisionError: by nothing"
    assert outcome.fault is not None
    assert "in broken" in outcome.fault
    assert "No held-out cluster has been scored" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_models_may_be_dropped_once_they_are_scored(model: Path, catalog: Path, tmp_path: Path) -> None:
    study(recipe(model, catalog, tmp_path / "out", hold_out="weather", ladder__limit=0, keep_models=False))
    tuned = tmp_path / "out" / "runs" / "without-weather" / "seed-0" / "tuned"
    (tuned / "model").mkdir()  # as a kill leaves it that comes before the model is deleted
    study(recipe(model, catalog, tmp_path / "out", hold_out="weather", ladder__limit=0, keep_models=False, resume=True))
    assert (tuned / "report.html").is_file()
    assert not (tuned / "model").exists()
    assert not (tuned / "checkpoints").exists()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "holds a study: go on with it by resume=true"),
        ({"resume": True, "seeds": 3}, r"has seeds=0,1, not 0,1,2: go on with the same recipe"),
        ({"resume": True, "tune__train__max_steps": 4}, r"has tune\.train\.max_steps=3, not 4"),
    ],
)
def test_another_study_is_not_written_over(
    whole: Result, model: Path, catalog: Path, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        study(recipe(model, catalog, whole.folder, **{**KEYS, **values}))


def test_overwriting_deletes_studies_only(model: Path, catalog: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    directory = StudyDirectory(folder)
    directory.prepare(recipe(model, catalog, folder))
    directory.prepare(recipe(model, catalog, folder))  # nothing was begun, so nothing is lost
    (folder / "runs" / "base").mkdir(parents=True)
    with pytest.raises(UserError, match="holds a study"):
        directory.prepare(recipe(model, catalog, folder))
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds mine\.txt, which is no part of a study"):
        directory.prepare(recipe(model, catalog, folder, overwrite=True))
    (folder / "mine.txt").unlink()
    with pytest.raises(UserError, match="would delete model="):
        directory.prepare(recipe(folder / "runs" / "base", catalog, folder, overwrite=True))
    directory.prepare(recipe(model, catalog, folder, overwrite=True))
    assert [entry.name for entry in folder.iterdir()] == ["recipe.yaml"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["model=m"], "The recipe lacks kind, which says what is studied: kind=holdout"),
        (["kind=holdut"], "There is no kind of study holdut: did you mean holdout?"),
        (["kind=holdout", "train.max_steps=3"], "Unknown key train.max_steps .*: did you mean tune.train.max_steps?"),
        (["kind=holdout", "tune.data.sources=x"], r"Unknown key tune\.data\.sources"),
        (
            ["kind=holdout", "model=m", "tasks=t", "output=o", "seeds=none"],
            "a number of runs from 1 to 1000, or a list",
        ),
        (["kind=holdout", "model=m", "tasks=t", "output=o", "seeds=1,1"], "a seed is there twice"),
        (["kind=holdout", "model=m", "tasks=t", "output=o", "resume=true", "overwrite=true"], "give one"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_study(None, words)


@pytest.mark.parametrize(("given", "seeds"), [("3", (0, 1, 2)), ("[7]", (7,)), ("0,5,9", (0, 5, 9))])
def test_seeds_are_a_number_or_a_list(given: str, seeds: tuple[int, ...]) -> None:
    found = load_study(None, ["kind=holdout", "model=m", "tasks=t", "output=o", f"seeds={given}"])
    assert getattr(found, "seeds") == seeds  # noqa: B009


def test_one_process_only(model: Path, catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="runs in one process"):
        study(recipe(model, catalog, tmp_path / "out"))
