"""Promise 2: a trajectory does not depend on how a global batch is cut into forests, or over how many ranks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs import command, losses, tune, weights, words
from tutelage.run.metrics import read_metrics


@pytest.mark.parametrize("average", ["token", "example"])
def test_losses_over_twenty_steps_of_adamw(tiny_llama: Path, rows_file: Path, tmp_path: Path, average: str) -> None:
    """Cut into many forests or one; the loss would scale with the number of cuts if each were averaged by itself."""
    cuts = {"many": 64, "few": 400, "one": 100_000}
    found = {
        name: losses(
            tune(
                tiny_llama,
                rows_file,
                tmp_path / name,
                train__max_steps=20,
                train__batch_size=12,
                train__tokens_per_forest=budget,
                objective__loss_average=average,
            )
        )
        for name, budget in cuts.items()
    }
    assert len(found["one"]) == 20
    assert found["one"][-1] < found["one"][0] - 0.5
    for name in ("many", "few"):
        assert found[name] == pytest.approx(found["one"], rel=1e-4)


def test_weights_under_plain_sgd(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    for name, budget in {"many": 64, "one": 100_000}.items():
        tune(
            tiny_llama,
            rows_file,
            tmp_path / name,
            train__max_steps=10,
            train__optimizer="sgd",
            train__learning_rate=0.05,
            train__tokens_per_forest=budget,
        )
    many, one = weights(tmp_path / "many"), weights(tmp_path / "one")
    assert max(float((many[name] - one[name]).abs().max()) for name in one) <= 1e-6


def test_two_ranks_are_one(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    """Also with a batch so small that one of the ranks has nothing to do."""
    keys = {"train__max_steps": 20, "train__batch_size": 5, "train__tokens_per_forest": 128, "data__validation": 6}
    alone = tune(tiny_llama, rows_file, tmp_path / "alone", **keys)
    done = command("tune", *words(tiny_llama, rows_file, tmp_path / "two", **keys), ranks=2)
    assert done.returncode == 0, done.stderr
    together = read_metrics(tmp_path / "two" / "metrics.jsonl")
    assert losses(together) == pytest.approx(losses(alone), rel=1e-4)
    validated = [[step["validation_loss"] for step in run if "validation_loss" in step] for run in (together, alone)]
    assert len(validated[0]) >= 2
    assert validated[0] == pytest.approx(validated[1], rel=1e-4)
    first, second = weights(tmp_path / "alone"), weights(tmp_path / "two")
    assert max(float((first[name] - second[name]).abs().max()) for name in first) <= 1e-4
