"""The figures of a run, checked on numbers made by hand."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import pytest

import tutelage.run.summary
from tests.run.runs import metrics, recipe
from tutelage.run.summary import chosen, column, summarise


def test_the_docstring_is_right() -> None:
    assert doctest.testmod(tutelage.run.summary).failed == 0


def test_no_steps() -> None:
    assert summarise([]) == {}


def test_ten_steps() -> None:
    found = summarise([metrics(step) for step in range(1, 11)])
    assert found == {
        "steps": 10,
        "epochs": 1.0,
        "loss_first": pytest.approx(2.9),
        "loss_last": pytest.approx(2.0),
        "validation_loss_first": 2.45,
        "validation_loss_last": 2.4,
        "validation_loss_best": 2.4,
        "validation_step_best": 10,
        "examples": 160,
        "tokens": 5000,
        "supervised_tokens": 2000,
        "seconds": 5.0,
        "tokens_per_second": 1000.0,
        "memory_bytes": 10**9 + 10,
    }


def test_ends_are_means_of_a_twentieth() -> None:
    found = summarise([{"step": step, "loss": float(step)} for step in range(1, 101)])
    assert (found["loss_first"], found["loss_last"]) == (3.0, 98.0)


def test_what_is_not_finite_is_left_out() -> None:
    rows: list[dict[str, Any]] = [
        {"step": 1, "loss": None},
        {"step": 2, "loss": float("nan")},
        {"step": 3, "loss": 1.0},
    ]
    assert column(rows, "loss") == [(3, 1.0)]


def test_what_differs_from_the_defaults() -> None:
    found = chosen(recipe(Path("o"), adapter={}, train={"epochs": 1.0, "batch_size": 16}))
    assert found == {
        "model": "owner/base",
        "adapter.kind": "lora",
        "adapter.rank": 16,
        "adapter.targets": "all-linear",
        "data.sources.0.path": "rows.jsonl",
        "train.epochs": 1.0,
        "output": "o",
    }
