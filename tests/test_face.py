"""The public face: what `import tutelage` gives."""

from __future__ import annotations

from pathlib import Path

import pytest

import tutelage


def test_names() -> None:
    assert sorted(tutelage.__all__) == ["UserError", "__version__", "tune"]


def test_tune_from_python(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    told: list[object] = []
    recipe = {"model": str(tiny_llama), "data": rows_file, "output": tmp_path / "run", "train": {"max_steps": 2}}
    outcome = tutelage.tune({**recipe, "train.learning_rate": 1e-3}, told.append)
    assert outcome["steps"] == 2
    assert outcome["status"] == "finished"
    assert [type(event).__name__ for event in told] == ["Note", "Planned", "Stepped", "Stepped", "Saved", "Finished"]


def test_mistakes_are_one_sentence(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    with pytest.raises(tutelage.UserError, match=r"learning_rate"):
        tutelage.tune({"model": tiny_llama, "data": rows_file, "output": tmp_path / "run", "learning_rat": 1})
