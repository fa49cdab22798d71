"""What an item adds to a score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.studies.evidence import item_values
from tutelage.tasks.metrics import find_metric

WORDS = ("the cat sat on the mat", "a dog slept by the red door", "three old maps of the sea", "winter was long")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_of_a_mean_it_is_the_items_own_score(values: list[float]) -> None:
    f1 = find_metric("f1")
    found = item_values(np.array([[value, 1.0] for value in values]), f1)
    assert found == pytest.approx(values, abs=1e-9)


@pytest.mark.parametrize("name", ["bleu", "chrf", "rougeL", "accuracy"])
def test_their_mean_is_the_score(name: str) -> None:
    metric = find_metric(name)
    answers = [WORDS[0], WORDS[1].replace("red", "blue"), WORDS[0], "winter"]
    array = np.stack([metric.statistics(answer, [right], "en") for answer, right in zip(answers, WORDS, strict=True)])
    array = np.concatenate([array, np.full((1, array.shape[1]), np.nan)])
    found = item_values(array, metric)
    assert np.isnan(found[-1])
    assert np.nanmean(found) == pytest.approx(metric.score(array[:-1].sum(0)))
    if name != "accuracy":
        assert found[0] > found[2]


def test_nothing_asked_adds_nothing() -> None:
    assert np.isnan(item_values(np.full((2, 2), np.nan), find_metric("accuracy"))).all()
