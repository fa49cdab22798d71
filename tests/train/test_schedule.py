"""`tutelage.train.schedule`: worked numbers, laws that hold for every recipe, and transformers' own curves."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tutelage.train.schedule import schedule, warmup_steps
from tutelage.train.settings import TrainSettings

CURVES = ("cosine", "linear", "constant", "warmup-stable-decay")


def factors(steps: int, **settings: Any) -> list[float]:
    factor = schedule(TrainSettings.model_validate(settings), steps)
    return [factor(step) for step in range(1, steps + 1)]


WORKED: dict[str, tuple[int, dict[str, Any], list[float]]] = {
    "linear": (10, {"warmup": 2}, [0.5, 1, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]),
    "cosine": (5, {"warmup": 1}, [1, 1, 0.853553, 0.5, 0.146447]),
    "constant": (4, {"warmup": 2}, [0.5, 1, 1, 1]),
    # 2 of 10 steps warm up, 4 of 10 decay: the 4 that stand between keep the full rate.
    "warmup-stable-decay": (10, {"warmup": 2, "decay": 0.4}, [0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]),
}


@pytest.mark.parametrize("name", CURVES)
def test_worked_numbers(name: str) -> None:
    steps, settings, expected = WORKED[name]
    assert factors(steps, schedule=name, **settings) == pytest.approx(expected, abs=1e-6)


def test_the_end_is_a_share_of_the_learning_rate() -> None:
    assert factors(4, schedule="linear", warmup=0, final_learning_rate=0.2) == pytest.approx([1, 0.8, 0.6, 0.4])
    assert factors(4, schedule="linear", warmup=0, final_learning_rate=1.0) == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("warmup", "steps", "expected"),
    [
        (0.0, 10, 0),
        (0.03, 10, 1),
        (0.03, 100, 3),
        (0.07, 100, 7),
        (0.14, 50, 7),
        (1.0, 10, 1),
        (4.0, 10, 4),
        (20, 10, 10),
    ],
)
def test_warmup_as_a_share_and_as_steps(warmup: float, steps: int, expected: int) -> None:
    assert warmup_steps(TrainSettings(warmup=warmup), steps) == expected


def test_decay_is_a_share_of_all_steps_however_long_the_warmup() -> None:
    found = factors(20, schedule="warmup-stable-decay", warmup=0.5, decay=0.2)
    assert found[9:16] == [1.0] * 7
    assert found[16:] == pytest.approx([1, 0.75, 0.5, 0.25])


def test_a_decay_longer_than_what_the_warmup_leaves_does_not_jump() -> None:
    found = factors(10, schedule="warmup-stable-decay", warmup=8, decay=0.9)
    assert found == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 1, 0.5])


def test_no_decay_stays() -> None:
    assert factors(5, schedule="warmup-stable-decay", warmup=0, decay=0) == [1.0] * 5


recipes = st.fixed_dictionaries(
    {
        "schedule": st.sampled_from(CURVES),
        "warmup": st.one_of(st.floats(0, 0.9), st.integers(1, 30).map(float)),
        "decay": st.floats(0, 1),
        "final_learning_rate": st.floats(0, 1),
    }
)


@given(settings=recipes, steps=st.integers(1, 60))
def test_laws(settings: dict[str, Any], steps: int) -> None:
    found = factors(steps, **settings)
    warmup = warmup_steps(TrainSettings.model_validate(settings), steps)
    assert all(0 < factor <= 1 for factor in found)
    assert found[:warmup] == pytest.approx([step / warmup for step in range(1, warmup + 1)])
    after = found[warmup:]
    assert after[:1] in ([], [1.0])
    assert all(left >= right for left, right in pairwise(after)), "it rises after the warm-up"
    assert all(factor >= settings["final_learning_rate"] - 1e-12 for factor in after)
    if after:
        # No curve is steeper than half a turn of the cosine over the steps that it has.
        length = len(after) if settings["schedule"] != "warmup-stable-decay" else max(1, int(settings["decay"] * steps))
        steepest = max((left - right for left, right in pairwise(after)), default=0.0)
        assert steepest <= 1.6 / min(length, len(after)) + 1e-9


@pytest.mark.parametrize(
    ("name", "make"), [("linear", "get_linear_schedule_with_warmup"), ("cosine", "get_cosine_schedule_with_warmup")]
)
@pytest.mark.parametrize(("warmup", "steps"), [(0, 7), (3, 20), (5, 40)])
def test_the_curves_are_those_of_transformers(name: str, make: str, warmup: int, steps: int) -> None:
    """transformers' first step uses its factor(0), which is 0 under a warm-up: a step that learns nothing.

    Ours uses step ÷ warm-up from the first step on, so the peak comes one step sooner; after the warm-up both are the
    same.
    """
    import transformers

    theirs = peers_factors(getattr(transformers, make), warmup, steps)
    ours = factors(steps, schedule=name, warmup=float(warmup))
    assert ours[warmup:] == pytest.approx(theirs[warmup:steps], abs=1e-12)
    assert ours[:warmup] == pytest.approx(theirs[1 : warmup + 1], abs=1e-12)


def peers_factors(make: Callable[..., Any], warmup: int, steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    curve = make(optimizer, warmup, steps)
    found = []
    for _ in range(steps + 1):
        found.append(curve.get_last_lr()[0])
        optimizer.step()
        curve.step()
    return found
