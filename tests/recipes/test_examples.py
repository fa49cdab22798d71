"""The recipes that the project ships run as they stand, on a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.runs import losses
from tests.tiny import make_model
from tutelage.run.metrics import read_metrics
from tutelage.run.recipe import load_recipe
from tutelage.run.tune import tune

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


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
