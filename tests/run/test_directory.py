"""The run directory: what it may be made in, what overwrite deletes, what resume accepts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.run.runs import finished, recipe
from tests.runs import tune
from tutelage.errors import UserError
from tutelage.run.directory import RunDirectory, differences
from tutelage.run.recipe import read_recipe


def prepare(path: Path, **values: Any) -> bool:
    return RunDirectory(path).prepare(recipe(path, **values))


def test_a_new_folder_gets_the_recipe_with_every_default(tmp_path: Path) -> None:
    assert prepare(tmp_path / "a" / "b") is False
    written = tmp_path / "a" / "b" / "recipe.yaml"
    assert os.listdir(written.parent) == ["recipe.yaml"]
    assert yaml.safe_load(written.read_text("utf-8"))["train"]["batch_size"] == 16
    assert read_recipe(written) == recipe(tmp_path / "a" / "b")


def test_the_written_recipe_neither_resumes_nor_overwrites(tmp_path: Path) -> None:
    prepare(tmp_path / "a", overwrite=True)
    assert read_recipe(tmp_path / "a" / "recipe.yaml") == recipe(tmp_path / "a")


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(UserError) as refused:
        prepare(tmp_path)
    assert str(refused.value) == (
        f"output={tmp_path} is not empty: continue the run in it with resume=true, start again with overwrite=true, "
        "or name another folder."
    )


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(UserError, match=r"is a file: name a folder\.$"):
        prepare(tmp_path / "x")


def test_overwrite_deletes_a_run(tmp_path: Path) -> None:
    run = finished(tmp_path / "run").path
    for name in ("checkpoints/step-00000001", "model", "trackers", ".model.partial"):
        (run / name).mkdir(parents=True)
        (run / name / "weights").write_text("")
    (run / "report.json.partial").write_text("")
    assert prepare(run, overwrite=True) is False
    assert os.listdir(run) == ["recipe.yaml"]


@pytest.mark.parametrize("name", ["notes.txt", "src", ".git"])
def test_overwrite_refuses_a_folder_that_holds_anything_else(tmp_path: Path, name: str) -> None:
    run = finished(tmp_path / "run").path
    (run / name).mkdir()
    with pytest.raises(
        UserError, match=rf"also holds {name}, which is no part of a run: overwrite=true deletes only runs"
    ):
        prepare(run, overwrite=True)
    assert (run / "metrics.jsonl").exists()


def test_overwrite_refuses_a_folder_of_models_that_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(UserError, match=r"has no recipe\.yaml, so it is no run"):
        prepare(tmp_path, overwrite=True)


@pytest.mark.parametrize("inside", ["", "model"])
def test_overwrite_refuses_to_delete_its_own_model(tmp_path: Path, inside: str) -> None:
    run = finished(tmp_path / "run").path
    (run / "model").mkdir()
    with pytest.raises(UserError, match=r"^overwrite=true would delete model=.* in output=.*: name another output\.$"):
        prepare(run, overwrite=True, model=str(run / inside))
    assert (run / "model").exists()


def test_overwrite_does_not_follow_links(tmp_path: Path) -> None:
    run = finished(tmp_path / "run").path
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("")
    (run / "model").symlink_to(tmp_path / "precious")
    prepare(run, overwrite=True)
    assert (tmp_path / "precious" / "file").exists()


def test_resume_continues_a_run_and_starts_one_that_is_not_there(tmp_path: Path) -> None:
    assert prepare(tmp_path / "run", resume=True) is False
    assert prepare(tmp_path / "run", resume=True) is True
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / "recipe.yaml.partial").write_text("")
    assert prepare(tmp_path / "killed", resume=True) is False


def test_resume_refuses_a_folder_that_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(UserError, match=r"holds no run to resume \(it has no recipe\.yaml\)"):
        prepare(tmp_path, resume=True)


@pytest.mark.parametrize(
    "train", [{"save_every": 5}, {"keep_checkpoints": 3}, {"log_every": 9}, {"trackers": ["tensorboard"]}]
)
def test_resume_accepts_what_changes_no_weight(tmp_path: Path, train: dict[str, Any]) -> None:
    prepare(tmp_path / "run")
    assert prepare(tmp_path / "run", resume=True, train=train) is True


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"seed": 1}, "seed was 0 and is 1"),
        ({"train": {"epochs": 4}}, "train.epochs was 3.0 and is 4.0"),
        (
            {"train": {"max_steps": 9, "learning_rate": 1e-4}},
            "train.max_steps was null and is 9, train.learning_rate was null and is 0.0001",
        ),
        ({"model": "other/base"}, "model was owner/base and is other/base"),
        ({"data": {"sources": [{"path": "b"}]}}, "data.sources.0.path was rows.jsonl and is b"),
        ({"adapter": {}}, "adapter.kind was null and is lora, adapter.rank was null and is 16"),
    ],
)
def test_resume_refuses_another_trajectory_naming_keys_and_values(
    tmp_path: Path, values: dict[str, Any], told: str
) -> None:
    prepare(tmp_path / "run")
    before = (tmp_path / "run" / "recipe.yaml").read_bytes()
    with pytest.raises(UserError) as refused:
        prepare(tmp_path / "run", resume=True, **values)
    assert f"can't be resumed with another recipe ({told}" in str(refused.value)
    assert (tmp_path / "run" / "recipe.yaml").read_bytes() == before


def test_a_run_with_a_constant_learning_rate_may_be_made_longer(tmp_path: Path) -> None:
    def long(epochs: float, **train: Any) -> Any:
        return recipe(tmp_path, train={"epochs": epochs, "schedule": "constant", **train})

    assert differences(long(1, warmup=0), long(2, warmup=0)) == {}
    assert differences(long(1, warmup=5), long(1, warmup=5, max_steps=100)) == {}
    assert differences(long(1, warmup=0.1), long(2, warmup=0.1)) == {"train.epochs": ("1.0", "2.0")}


def test_data_report_round_trip(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    assert directory.read_data_report() == {}
    directory.write_data_report({"sources": [{"path": "字"}]})
    assert directory.read_data_report() == {"sources": [{"path": "字"}]}


def test_a_run_refused_before_its_first_step_may_be_given_again(tiny_llama: Path, tmp_path: Path) -> None:
    """Someone mends the data and gives the same command again: nothing is lost, so nothing more is asked of them."""
    data = tmp_path / "rows.jsonl"
    data.write_text('{"instruction": "x", "output": ""}\n' * 3)
    keys: dict[str, object] = {"train__max_steps": 1}
    with pytest.raises(UserError, match="no row of"):
        tune(tiny_llama, data, tmp_path / "run", **keys)
    assert (tmp_path / "run" / "quarantine.jsonl").exists()
    data.write_text('{"instruction": "x", "output": "y"}\n' * 3)
    assert len(tune(tiny_llama, data, tmp_path / "run", **keys)) == 1
    with pytest.raises(UserError, match="is not empty"):
        tune(tiny_llama, data, tmp_path / "run", **keys)
