"""What a hold-out study plans: what each model trains on, what is kept back, who is asked what."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.studies.cases import make_base, make_catalog, recipe
from tutelage.errors import UserError
from tutelage.evaluate.settings import Evaluation
from tutelage.run.gathering import gather
from tutelage.run.recipe import Recipe
from tutelage.studies.holdout_plan import HoldOutPlan, plan_hold_out
from tutelage.studies.keeping import keep_tasks
from tutelage.tasks.task import Task


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_catalog(tmp_path_factory.mktemp("tasks") / "tasks")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture
def plan(model: Path, catalog: Path) -> Any:
    return lambda **values: plan_hold_out(recipe(model, catalog, Path("out"), **values))


def tuned(plan: HoldOutPlan) -> dict[str, Recipe]:
    return {step.name: step.recipe for step in plan.steps if isinstance(step.recipe, Recipe)}


def asked(plan: HoldOutPlan) -> dict[str, Evaluation]:
    return {step.name: step.recipe for step in plan.steps if isinstance(step.recipe, Evaluation)}


def test_each_cluster_is_held_out_in_turn_for_every_seed(plan: Any) -> None:
    found = plan(seeds=2, ladder__limit=0)
    names = [f"without-{cluster}/seed-{seed}/tuned" for seed in (0, 1) for cluster in ("copying", "size", "weather")]
    assert list(tuned(found)) == names
    assert [step.name for step in found.steps[:2]] == ["base/plain", "base/instructions"]
    assert [one.seed for one in tuned(found).values()] == [0, 0, 0, 1, 1, 1]
    for step in found.steps[2:]:
        assert step.needs == (() if step.verb == "tune" else (step.name.replace("scores", "tuned"),))
    assert plan(hold_out="size", ladder__limit=0).clusters == ["size"]


def test_what_a_model_may_be_trained_on(plan: Any) -> None:
    """As its run would gather it: nothing held out or kept back; a task of every cluster, a wording of every task."""
    found = plan(seeds=3)
    for runs in found.models:
        model = runs.model
        mixture = tuned(found)[runs.tuned].data.mixture
        assert mixture is not None
        trained = {one.task.name: {way.id for way in one.templates} for one in gather(mixture, model.seed).tasks}
        assert not {*model.held_out, *model.kept_back.tasks} & trained.keys()
        assert {*trained} | {*model.kept_back.tasks} | {*model.held_out} == {"wet", "cold", "big", "tall", "again"}
        for name, ways in trained.items():
            assert len(model.kept_back.templates[name]) == 1
            assert not {*model.kept_back.templates[name]} & ways
            assert ways - {"turn"}
        clusters = {cluster for name in trained for cluster in found.tasks[name].clusters}
        assert clusters == {"copying", "size", "weather"} - {model.cluster}
        assert not {*model.below} & {*model.held_out}
        assert {*trained} <= {*model.below}


def test_what_is_kept_back_hangs_on_the_seed_alone(plan: Any) -> None:
    every, one = plan(seeds=8), plan(seeds=[3], hold_out="size")
    by_seed = {runs.model.seed: runs.model.kept_back for runs in every.models}
    assert by_seed[3] == one.models[0].model.kept_back
    assert all(runs.model.kept_back == by_seed[runs.model.seed] for runs in every.models)
    assert len({kept.tasks for kept in by_seed.values()}) > 1
    assert all(len(kept.tasks) == 2 and "again" not in kept.tasks for kept in by_seed.values())


def test_no_ladder_keeps_nothing(plan: Any) -> None:
    for keys in ({"ladder__limit": 0}, {"ladder__tasks": 0, "ladder__templates": 0}):
        found = plan(**keys)
        assert all(not one.model.kept_back.tasks and not one.model.kept_back.templates for one in found.models)
    assert plan(ladder__limit=0).models[0].model.below == ()


def test_who_is_asked_what_and_the_same_work_is_done_once(plan: Any) -> None:
    words = {name: {Path(word).stem for word in one.tasks} for name, one in asked(plan(hold_out="weather")).items()}
    everything = {"wet", "cold", "big", "tall", "again"}
    assert words["base/plain"] == {"wet", "cold"}
    assert words["base/instructions"] == words["without-weather/seed-0/scores"] == everything
    apart = asked(plan(hold_out="weather", limit=6, ladder__limit=2, shots=2))
    assert {Path(word).stem for word in apart["base/ladder"].tasks} == {"big", "tall", "again"}
    assert {name: (one.limit, one.shots) for name, one in apart.items()} == {
        "base/plain": (6, 0),
        "base/instructions": (6, 0),
        "base/exemplars": (6, 2),
        "base/ladder": (2, 0),
        "without-weather/seed-0/scores": (6, 0),
        "without-weather/seed-0/ladder": (2, 0),
    }
    assert apart["base/plain"].templates == ("plain",)
    assert apart["base/plain"].chat is False


def test_keys_of_tune_and_evaluate_reach_the_runs(plan: Any) -> None:
    found = plan(tune__adapter__kind="lora", tune__data__mixture__leave_out="big", evaluate__score__normalize="bytes")
    for one in tuned(found).values():
        assert one.adapter is not None
        assert one.data.mixture is not None
        assert one.data.mixture.leave_out[0] == "big"
    assert all(one.score.normalize == "bytes" for one in asked(found).values())
    with pytest.raises(UserError, match=r"train\.warmup is a share"):
        plan(tune__train__warmup=1.5)


def test_tasks_named_one_by_one_may_be_held_out(plan: Any, catalog: Path) -> None:
    """Asked for by name, a held-out task would be refused by `tune`: the study leaves it out by name too."""
    found = plan(tasks=["wet", "cold", "big", str(catalog / "again.yaml")], catalog=[catalog], hold_out="weather")
    mixture = next(iter(tuned(found).values())).data.mixture
    assert mixture is not None
    assert sorted(one.task.name for one in gather(mixture, 0).tasks) == ["again", "big"]
    assert asked(found)["base/plain"].tasks == ("cold", "wet")


def test_related_clusters_leave_with_the_held_out_one(plan: Any) -> None:
    found = plan(hold_out="weather", related="size")
    mixture = tuned(found)["without-weather/seed-0/tuned"].data.mixture
    assert mixture is not None
    assert [one.task.name for one in gather(mixture, 0).tasks] == ["again"]
    assert found.models[0].model.below == ("again",)


def test_a_model_that_knows_what_is_held_out_is_refused(plan: Any, model: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(model, run / "model")
    (run / "recipe.yaml").write_text("stage: sft\n")
    (run / "data_report.json").write_text('{"sources": [], "mixture": [{"task": "wet", "templates": ["ask"]}]}')
    for named in (run, run / "model"):
        with pytest.raises(UserError, match=r"was itself trained on what is held out here \(wet\)"):
            plan(model=named, hold_out="weather")
        assert plan(model=named, hold_out="size").clusters == ["size"]
    (run / "data_report.json").write_text('{"sources": [], "mixture": null}')
    assert plan(model=run, hold_out="weather").clusters == ["weather"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"hold_out": "wether"}, "hold_out=wether: no task of .* has this cluster; did you mean weather?"),
        ({"hold_out": ["all", "wether"]}, "hold_out=wether: no task of .* has this cluster; did you mean weather?"),
        ({"hold_out": []}, "hold_out"),
        ({"hold_out": "size", "related": "wether"}, "related=wether: no task has this cluster; did you mean weather?"),
        ({"tasks": ["wet"], "hold_out": "weather"}, "hold_out=weather: without weather no task is left to train on"),
        ({"tasks": ["wet"]}, "no cluster of the tasks wet can be held out: Not held out is weather"),
        ({"evaluate__split": "dev"}, "none of its tasks has a dev split that is there"),
        ({"model": "/nowhere/at/all"}, "nowhere"),
    ],
)
def test_what_can_not_be_studied_is_refused_at_once(
    plan: Any, catalog: Path, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        plan(catalog=[catalog], **values)


def task(name: str, clusters: list[str]) -> Task:
    return Task(name, tuple(clusters), None, {}, {}, ())  # type: ignore[arg-type]


CLUSTERS = st.lists(st.sampled_from("xyz"), min_size=1, max_size=2, unique=True)
TASKS = st.lists(st.tuples(CLUSTERS, st.booleans(), st.booleans()), min_size=1, max_size=8)


@given(TASKS, st.integers(0, 3), st.integers(0, 5))
def test_a_cluster_never_loses_its_last_task(drawn: list[tuple[list[str], bool, bool]], count: int, seed: int) -> None:
    tasks = [task(f"t{place}", clusters) for place, (clusters, _, _) in enumerate(drawn)]
    trained = {f"t{place}" for place, (_, can, _) in enumerate(drawn) if can}
    asked = {f"t{place}" for place, (_, _, can) in enumerate(drawn) if can}
    kept = keep_tasks(tasks, count, seed, asked.__contains__, trained.__contains__)
    assert kept == keep_tasks(tasks[::-1], count, seed, asked.__contains__, trained.__contains__)
    assert {*kept} <= asked
    for cluster in "xyz":
        own = {one.name for one in tasks if cluster in one.clusters}
        if own & {*kept}:
            assert (own & trained) - {*kept}
    if count == 0:
        assert not kept
