"""The plan: figures by hand, a rehearsal that leaves nothing behind, and a trajectory that it does not change."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.runs import tune, weights, words
from tests.tiny import make_tokenizer
from tutelage.errors import UserError
from tutelage.records import Leaf
from tutelage.run import estimate
from tutelage.run.events import Event, Planned, Stepped, Warned
from tutelage.run.planning import occupied
from tutelage.run.preflight import BARS, SHOWN_TOKENS, Memory, lengths_of, rows_of, shown_example
from tutelage.run.recipe import load_recipe
from tutelage.run.tune import rehearse
from tutelage.tokens.store import StoreBuilder


def test_the_peak() -> None:
    assert Memory(100, 40, 80, 30, 5, 0, together=True).total == 255
    assert Memory(100, 40, 80, 30, 5, 7, together=True).total == 262
    assert Memory(100, 40, 80, 30, 5, 0, together=False).total == 220
    assert Memory(100, 30, 80, 40, 5, 0, together=False).total == 225


def test_fates_in_numbers() -> None:
    total = {"read": 9, "kept": 7, "cut": 0, "dropped": {"too long": 1}, "quarantined": {"empty": 1}}
    assert rows_of({"total": total}) == {"read": 9, "kept": 7, "cut": 0, "dropped": 1, "quarantined": 1}
    assert set(rows_of({}).values()) == {0}


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=300))
def test_every_length_is_in_its_bar(values: list[int]) -> None:
    found = lengths_of(values)
    assert (found.shortest, found.longest) == (min(values), max(values))
    assert found.median == sorted(values)[(len(values) - 1) // 2]
    assert len(found.counts) == len(found.edges) - 1 <= BARS
    expected, _ = np.histogram(values, bins=[edge - 0.5 for edge in found.edges])
    assert list(found.counts) == expected.tolist()
    assert sum(found.counts) == len(values)


def test_an_example_is_shown_around_what_is_learnt() -> None:
    tokenizer = make_tokenizer()
    prompt, answer = tokenizer.encode("What is the capital of France? "), tokenizer.encode("Paris")
    builder = StoreBuilder()
    builder.add([Leaf(np.array([*prompt, *answer, 2]), len(prompt))])
    builder.add([Leaf(np.array([*(prompt * 60), *answer, 2]), 60 * len(prompt))])
    store = builder.finish()
    short = shown_example(store, 0, tokenizer)
    assert short.stretches == (("What is the capital of France? ", False), ("Paris<|im_end|>", True))
    assert (short.tokens, short.learnt, short.left_out) == (len(prompt) + len(answer) + 1, len(answer) + 1, (0, 0))
    long = shown_example(store, 1, tokenizer)
    assert long.stretches[1] == ("Paris<|im_end|>", True)
    assert long.left_out[0] > 0 == long.left_out[1]
    assert long.tokens == long.left_out[0] + SHOWN_TOKENS == 60 * len(prompt) + len(answer) + 1


def test_an_example_is_not_cut_inside_a_character() -> None:
    tokenizer = make_tokenizer()
    ids = tokenizer.encode("鑫" * SHOWN_TOKENS)  # three tokens a character, and SHOWN_TOKENS is no multiple of three
    builder = StoreBuilder()
    builder.add([Leaf(np.array([*ids, 2]), 1)])
    shown = shown_example(builder.finish(), 0, tokenizer)
    assert set("".join(text for text, _ in shown.stretches)) <= set("鑫\ufffd")
    assert not shown.stretches[-1][0].endswith("\ufffd")


def test_a_rehearsal_tells_the_plan_and_leaves_nothing(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    told: list[Event] = []
    output = tmp_path / "not" / "there"
    recipe = load_recipe(None, words(tiny_llama, rows_file, output, data__validation=10, adapter="lora"))
    planned = rehearse(recipe, told.append)
    assert list(tmp_path.iterdir()) == []
    assert told[-1] == planned
    assert not [event for event in told if isinstance(event, Stepped)]
    preflight = planned.preflight
    assert preflight is not None
    assert (planned.examples, planned.steps, preflight.epochs) == (50, 12, 3.0)
    assert preflight.rows["read"] == 60 == preflight.rows["kept"]
    assert sum(preflight.lengths.counts) == 50
    assert preflight.manner == "LoRA of rank 16"
    assert all(shown.stretches[-1][1] and shown.stretches[-1][0].endswith("<|im_end|>") for shown in preflight.shown)
    cost = preflight.estimate
    assert cost.seconds is not None
    assert cost.step_seconds is not None
    assert 12 * cost.step_seconds < cost.seconds < 24 * cost.step_seconds  # the rest are validations
    assert (cost.memory.gradients, cost.memory.optimizer) == (
        4 * planned.trainable_parameters,
        8 * planned.trainable_parameters,
    )


def test_a_rehearsal_of_an_output_that_is_taken(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    (output / "checkpoints").mkdir(parents=True)
    told: list[Event] = []
    rehearse(load_recipe(None, words(tiny_llama, rows_file, output)), told.append)
    assert [event.text for event in told if isinstance(event, Warned)] == [
        f"output={output} is not empty: the run will want resume=true or overwrite=true"
    ]
    assert [entry.name for entry in output.iterdir()] == ["checkpoints"]


def test_a_rehearsal_refuses_what_a_run_refuses(tiny_llama: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"instruction": "Say no.", "output": ""}\n')
    with pytest.raises(UserError):
        rehearse(load_recipe(None, words(tiny_llama, rows, tmp_path / "run")))
    assert not (tmp_path / "run").exists()


def test_which_folders_are_taken(tmp_path: Path) -> None:
    assert not occupied(tmp_path / "none")
    refused = tmp_path / "refused"
    refused.mkdir()
    for name in ("recipe.yaml", "quarantine.jsonl", "metrics.jsonl"):
        (refused / name).touch()
    assert not occupied(refused)
    (refused / "metrics.jsonl").write_text("{}")
    assert occupied(refused)
    (tmp_path / "notes.txt").touch()
    assert occupied(tmp_path)


def test_what_is_computed_beforehand_changes_nothing(
    tiny_llama: Path, rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warm-up forests and samples: the same weights bit for bit as without them, dropout and noise included."""
    keys = {"adapter__kind": "lora", "adapter__dropout": 0.2, "train__max_steps": 4, "train__neftune": 5}
    one = tune(tiny_llama, rows_file, tmp_path / "one", **keys, report__samples=2)
    full = estimate.estimate
    monkeypatch.setattr("tutelage.run.planning.estimate", lambda *a, **k: full(*a, **k, measure=False))
    other = tune(tiny_llama, rows_file, tmp_path / "other", **keys, report__samples=0)
    assert [step["loss"] for step in one] == [step["loss"] for step in other]
    expected = weights(tmp_path / "other")
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(tmp_path / "one").items())
    report = json.loads((tmp_path / "other" / "report.json").read_bytes())
    assert report["preflight"]["estimate"]["seconds"] is None
    assert report["samples"]["rows"] == []


def test_the_plan_can_be_written_as_json(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    told: list[Event] = []
    from tutelage.run.tune import tune as run

    run(
        load_recipe(
            None,
            words(tiny_llama, rows_file, tmp_path / "run", train__max_steps=1, data__validation=4, report__samples=4),
        ),
        told.append,
    )
    (planned,) = [event for event in told if isinstance(event, Planned)]
    report = json.loads((tmp_path / "run" / "report.json").read_bytes())
    assert planned.preflight is not None
    assert report["preflight"]["lengths"]["longest"] == planned.preflight.lengths.longest
    assert report["samples"]["held_out"] is True
    assert len(report["samples"]["rows"]) == 4
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "Before and after" in page
    assert "Expected before the first step" in page
