"""The recipes that the project ships run as they stand, on a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.runs import losses
from tests.taskfiles import make_tasks
from tests.tiny import make_model
from tutelage.run.metrics import read_metrics
from tutelage.run.recipe import load_recipe
from tutelage.run.tune import tune

FOLDER = Path(__file__).parents[2] / "recipes"
RECIPES = sorted(path for path in FOLDER.glob("*.yaml") if path.stem not in ("flan", "holdout", "starter-base"))


@pytest.fixture(scope="module")
def text_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "text.jsonl"
    rows = [{"text": f"The {number}th day was a day of rain, and then of sun. " * 6} for number in range(80)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_it_runs_and_learns(recipe: Path, rows_file: Path, text_file: Path, tmp_path: Path) -> None:
    pretrains = recipe.stem == "pretrain"
    model = make_model(tmp_path / "model", weights=not pretrains)
    data = text_file if pretrains else rows_file
    words = [
        f"model={model}",
        f"data={data}",
        f"output={tmp_path / 'run'}",
        "train.epochs=4",
        "train.learning_rate=2e-3",
    ]
    if pretrains:
        words += ["train.batch_tokens=1500", "max_length=128"]
    outcome = tune(load_recipe(recipe, words))
    metrics = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert losses(metrics)[-1] < losses(metrics)[0] - 0.3
    assert outcome["validation_loss"] == min(step["validation_loss"] for step in metrics if "validation_loss" in step)


def test_the_starter_s_base_reads_its_world_from_the_easy_to_the_hard(tmp_path: Path) -> None:
    words = [
        f"model={make_model(tmp_path / 'model')}",
        "data.sources.0.limit=120",
        f"output={tmp_path / 'run'}",
        "train.warmup=2",
        "train.learning_rate=1e-2",
        "max_length=256",
    ]
    tune(load_recipe(FOLDER / "starter-base.yaml", words))
    metrics = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert losses(metrics)[-1] < losses(metrics)[0] - 0.3
    (source,) = json.loads((tmp_path / "run" / "data_report.json").read_text("utf-8"))["sources"]
    assert (source["path"], source["format"], source["read"]) == ("starter:text", "text", 120)


def test_flan_learns_from_every_cluster_but_the_held_out_one(tmp_path: Path) -> None:
    make_tasks(tmp_path / "tasks")
    words = [
        f"model={make_model(tmp_path / 'model')}",
        f"data.mixture.tasks={tmp_path / 'tasks'}",
        f"data.mixture.data_root={tmp_path / 'tasks'}",
        f"output={tmp_path / 'run'}",
        "train.epochs=12",
        "train.batch_tokens=300",
        "train.learning_rate=1e-2",
        "data.validation=null",
        "max_length=512",
    ]
    tune(load_recipe(FOLDER / "flan.yaml", words))
    metrics = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert losses(metrics)[-1] < losses(metrics)[0] - 0.3
    report = json.loads((tmp_path / "run" / "data_report.json").read_text("utf-8"))
    assert [task["task"] for task in report["mixture"]] == ["colour"]
