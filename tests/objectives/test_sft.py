"""`tutelage.objectives.sft`: the two averages, by hand and against their definitions."""

from __future__ import annotations

import doctest
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.objectives import sft
from tutelage.objectives.sft import example_weights


def test_the_docstring() -> None:
    assert doctest.testmod(sft, extraglobs={"np": np}) == doctest.TestResults(0, 2)


def loss(weights: np.ndarray, losses: list[list[float]]) -> float:
    """Σ weight · loss ÷ Σ weight over all supervised tokens: what the loop computes."""
    each = [weight for weight, tokens in zip(weights, losses, strict=True) for _ in tokens]
    flat = [value for tokens in losses for value in tokens]
    return float(np.dot(each, flat) / np.sum(each))


def test_worked_numbers() -> None:
    """One example of four tokens with the loss 1 each, one of a single token with the loss 6."""
    losses = [[1.0, 1.0, 1.0, 1.0], [6.0]]
    counts = np.array([4, 1])
    assert loss(example_weights(counts, "token"), losses) == 2.0  # 10 / 5
    assert loss(example_weights(counts, "example"), losses) == 3.5  # (1 + 6) / 2


@given(st.lists(st.lists(st.floats(0, 20), min_size=1, max_size=30), min_size=1, max_size=12))
def test_they_are_what_they_are_called(losses: list[list[float]]) -> None:
    counts = np.array([len(tokens) for tokens in losses])
    flat = [value for tokens in losses for value in tokens]
    assert loss(example_weights(counts, "token"), losses) == pytest.approx(np.mean(flat), rel=1e-5, abs=1e-9)
    means = [np.mean(tokens) for tokens in losses]
    assert loss(example_weights(counts, "example"), losses) == pytest.approx(np.mean(means), rel=1e-5, abs=1e-9)


def test_what_they_are_made_of() -> None:
    averages: tuple[Literal["token", "example"], ...] = ("token", "example")
    for average in averages:
        found = example_weights(np.array([3, 0, 1]), average)
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
    assert example_weights(np.array([], np.int64), "example").shape == (0,)
