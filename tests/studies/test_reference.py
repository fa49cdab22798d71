"""docs/study.md is what the settings say today, and recipes/holdout.yaml is a recipe."""

from __future__ import annotations

from pathlib import Path

from tests.studies.cases import make_base, make_catalog
from tutelage.run.recipe import Recipe, settings_keys
from tutelage.studies.reference import page
from tutelage.studies.settings import HoldOut
from tutelage.studies.study import load_study, study

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date() -> None:
    told = "run: python -m tutelage.studies.reference > docs/study.md"
    assert (ROOT / "docs" / "study.md").read_text("utf-8") == page(), told


def test_every_key_of_the_studys_own_is_on_the_page() -> None:
    for name, key in settings_keys(HoldOut).items():
        if key.part is None and not name.startswith(("tune.", "evaluate.")):
            assert f"| `{name}` |" in page()


def test_tune_keys_are_those_of_tune_that_the_study_does_not_settle() -> None:
    ours = {name.removeprefix("tune.") for name in settings_keys(HoldOut) if name.startswith("tune.")}
    theirs = set(settings_keys(Recipe))
    assert ours <= theirs
    for name in ("train.max_steps", "adapter.kind", "chat_template", "data.mixture.cap", "data.validation"):
        assert name in ours
    for name in ("model", "output", "stage", "seed", "data.sources", "data.mixture.tasks", "data.mixture.hold_out"):
        assert name in theirs - ours


def test_the_shipped_recipe_runs(tmp_path: Path) -> None:
    tasks = make_catalog(tmp_path / "tasks")
    words = [
        f"model={make_base(tmp_path / 'model')}",
        f"tasks={tasks}",
        f"data_root={tasks}",
        f"output={tmp_path / 'out'}",
        "hold_out=weather",
        "seeds=1",
        "tune.max_length=256",
        "tune.train.max_steps=2",
        "evaluate.generate.max_tokens=2",
    ]
    result = study(load_study(ROOT / "recipes" / "holdout.yaml", words))
    assert result.code == 0
    assert [cost.step.name for cost in result.costs] == [
        "base/plain",
        "base/instructions",
        "base/ladder",
        "without-weather/seed-0/tuned",
        "without-weather/seed-0/scores",
        "without-weather/seed-0/ladder",
    ]
    assert "new tasks" in result.findings.figures["ladder"]
