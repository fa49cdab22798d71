from __future__ import annotations

from typing import Any

import pytest

from tutelage.studies.holdout_findings import find


def estimate(mean: float, half: float = 0.05) -> dict[str, float]:
    return {"mean": mean, "low": mean - half, "high": mean + half}


def figures(difference: dict[str, float], finished: int = 3, seeds: int = 3, clusters: int = 2) -> dict[str, Any]:
    one: dict[str, Any] = {
        "items": 10,
        "chance": 0.5,
        "metric": "accuracy",
        "tuned": estimate(0.6),
        "base": {"instructions": estimate(0.5)},
        "differences": {"instructions": difference},
        "best_base": "instructions",
        "seeds": {str(seed): 0.6 for seed in range(finished)},
        "tasks": {},
    }
    mean = one | {
        "base": {**one["base"], "best": estimate(0.5)},
        "differences": {**one["differences"], "best": difference},
        "seeds": {str(seed): {"tuned": 0.6, "base": 0.5} for seed in range(finished)},
    }
    return {
        "seeds": list(range(seeds)),
        "clusters": {f"cluster {number}": one for number in range(clusters)},
        "mean": mean,
        "up": {"clusters": clusters, "up": clusters, "surely_up": 0, "surely_down": 0},
        "ladder": {},
        "kept_back": {},
    }


@pytest.mark.parametrize(
    ("difference", "told"),
    [
        (estimate(0.1), ("10.0 above the untuned one", "The interval lies above 0")),
        (estimate(-0.1), ("10.0 below the untuned one", "The interval lies below 0: tuning made it worse")),
        (estimate(0.0), ("60.0 of 100, as much as the untuned one", "The interval holds 0: no carrying over")),
    ],
)
def test_the_verdict_is_that_of_the_interval(difference: dict[str, float], told: tuple[str, str]) -> None:
    verdict = find(figures(difference), "base", ()).answers[0]
    assert all(words in verdict for words in told)


@pytest.mark.parametrize(
    ("finished", "seeds", "words"),
    [
        (3, 3, "over items and seeds)"),
        (1, 1, "over items alone, for there is one seed)"),
        (1, 3, "over items alone, for no two seeds were scored in all of them)"),
        (0, 3, "over items alone, for no two seeds were scored in all of them)"),
    ],
)
def test_no_more_is_claimed_than_the_interval_covers(finished: int, seeds: int, words: str) -> None:
    assert words in find(figures(estimate(0.1), finished, seeds), "base", ()).answers[0]


def test_how_the_better_prompt_was_chosen_is_said() -> None:
    found = find(figures(estimate(0.1), clusters=1), "base", ())
    assert "on the very items it is scored on" in found.tables[0].caption
    assert found.subtitle == "1 held-out cluster, 3 seeds"
