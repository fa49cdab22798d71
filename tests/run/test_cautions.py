"""Cautions: each is told where it holds, and not where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny import CHATML, make_model, make_tokenizer
from tutelage.model.load import load_model
from tutelage.run.cautions import CAUTIONS, Situation, cautions, untrained
from tutelage.run.preflight import Estimate, Memory
from tutelage.run.recipe import Recipe
from tutelage.tokens.chat import ChatFormat

ROOMY = Memory(100, 10, 20, 5, 5, 0, together=True, limit=1000)
ALL_KEPT = {"total": {"read": 10, "kept": 10, "cut": 0, "dropped": {}, "quarantined": {}}}
DATED = CHATML.replace("{% for", "{{ strftime_now('%Y-%m-%d') }}{% for", 1)


@pytest.fixture(scope="module")
def loaded(tiny_llama: Path) -> Any:
    return load_model(str(tiny_llama), device="cpu")


def situation(loaded: Any, template: str | None = None, keys: dict[str, Any] | None = None, **values: Any) -> Situation:
    keys = {"model": "m", "data": {"sources": [{"path": "rows.jsonl"}]}, "output": "o", **(keys or {})}
    chat = ChatFormat(loaded.tokenizer, template or loaded.tokenizer.chat_template)
    usual = {
        "recipe": Recipe.model_validate(keys),
        "model": loaded.model,
        "tokenizer": loaded.tokenizer,
        "chat": chat,
        "size": 10**9,
        "adapted": False,
        "rate": 2e-5,
        "limit": 512,
        "report": ALL_KEPT,
        "estimate": Estimate(1.0, 1.0, ROOMY),
    }
    return Situation(**{**usual, **values})


def test_a_good_run_has_none(loaded: Any) -> None:
    assert cautions(situation(loaded)) == ()
    assert cautions(situation(loaded, chat=None)) == ()


def test_each_is_in_the_table_once() -> None:
    assert len(set(CAUTIONS)) == len(CAUTIONS) == 7


@pytest.mark.parametrize(
    ("rate", "size", "adapted", "stage", "way"),
    [
        (1e-4, 10**9, False, "sft", None),
        (2e-4, 10**9, False, "sft", "high"),
        (2e-4, 135 * 10**6, False, "sft", None),
        (1.5e-3, 4 * 10**6, False, "sft", None),
        (2e-3, 4 * 10**6, False, "sft", "high"),
        (1e-7, 10**9, False, "sft", "low"),
        (2e-4, 10**9, True, "sft", None),
        (2e-6, 10**9, True, "sft", "low"),
        (1e-2, 10**6, True, "sft", "high"),
        (3e-4, 10**9, False, "pretrain", None),
        (5e-3, 10**7, False, "pretrain", None),
        (2e-2, 10**6, False, "pretrain", "high"),
    ],
)
def test_learning_rates(loaded: Any, rate: float, size: int, adapted: bool, stage: str, way: str | None) -> None:
    found = cautions(situation(loaded, keys={"stage": stage}, rate=rate, size=size, adapted=adapted))
    assert len(found) == (way is not None)
    if way:
        assert f"train.learning_rate={rate:g} is {way} for" in found[0]
        assert "is usual" in found[0]


def test_the_rate_of_an_optimiser_that_counts_otherwise(loaded: Any) -> None:
    assert cautions(situation(loaded, keys={"train": {"optimizer": "sgd"}}, rate=0.5)) == ()


def test_memory(loaded: Any) -> None:
    short = Memory(5 * 10**9, 10**9, 2 * 10**9, 10**9, 0, 0, together=True, limit=8 * 10**9)
    (told,) = cautions(situation(loaded, estimate=Estimate(None, None, short)))
    assert told.startswith("the run needs about 9.0 GB of memory, and there are 8.0: take train.gradient_checkpointing")
    assert "adapter=lora" in told
    keys = {"train": {"gradient_checkpointing": True}}
    (told,) = cautions(situation(loaded, keys=keys, adapted=True, rate=2e-4, estimate=Estimate(None, None, short)))
    assert "gradient_checkpointing" not in told
    assert "adapter=lora" not in told


def test_rows_that_are_cut(loaded: Any) -> None:
    report = {"total": {"read": 12, "kept": 4, "cut": 6, "dropped": {"x": 2}, "quarantined": {}}}
    (told,) = cautions(situation(loaded, report=report))
    assert told == "6 of 12 rows are cut to 512 tokens: raise max_length, or set overlong=split or overlong=drop"
    assert cautions(situation(loaded, keys={"stage": "pretrain"}, rate=1e-4, report=report)) == ()


def test_rows_that_are_there_again(loaded: Any) -> None:
    report = ALL_KEPT | {"duplicates": {"exact": 1, "near": 1}}
    (told,) = cautions(situation(loaded, report=report))
    assert told.startswith("2 of 10 rows have the text of an earlier one, or almost")
    assert cautions(situation(loaded, report=ALL_KEPT | {"duplicates": {"exact": 1, "near": 0}})) == ()
    data = {"sources": [{"path": "rows.jsonl"}], "duplicates": "drop-exact"}
    assert cautions(situation(loaded, keys={"data": data}, report=report)) == ()


def test_markers_of_another_tokenizer(loaded: Any) -> None:
    other = CHATML.replace("<|im_start|>", "<|turn|>")
    (told,) = cautions(situation(loaded, other))
    assert "<|turn|> into " in told
    assert "tokens; leave chat_template out" in told
    assert "im_end" not in told


def test_prompts_that_differ_at_serving(loaded: Any) -> None:
    from datetime import datetime

    chat = ChatFormat(loaded.tokenizer, DATED, now=lambda: datetime(2001, 2, 3))
    (told,) = cautions(situation(loaded, chat=chat))
    assert told.startswith("the chat template writes the date")


@pytest.mark.parametrize("kind", ["nought", "mean"])
def test_a_stop_token_that_was_never_learnt(tmp_path: Path, kind: str) -> None:
    loaded = load_model(str(make_model(tmp_path / "m", tokenizer=make_tokenizer())), device="cpu")
    table = loaded.model.get_output_embeddings().weight
    loaded.model.requires_grad_(False)
    assert cautions(situation(loaded, adapted=True, rate=2e-4)) == ()
    with torch.no_grad():
        table += 0.5
        table[2] = 0 if kind == "nought" else table.mean(dim=0)
    (told,) = cautions(situation(loaded, adapted=True, rate=2e-4))
    assert told.startswith("the model never learnt '<|im_end|>', which ends every answer")
    assert told.endswith("train all weights (adapter=null)")
    loaded.tokenizer.eos_token = "<|endoftext|>"
    (told,) = cautions(situation(loaded, adapted=True, rate=2e-4))
    assert told.endswith("or take chat_template=alpaca, whose answers end in '<|endoftext|>'")
    table.requires_grad_(True)
    assert cautions(situation(loaded, adapted=True, rate=2e-4)) == ()


def test_rows_of_an_embedding() -> None:
    weight = torch.tensor([[3.0, 4.0], [-3.0, 4.0], [4.0, -3.0], [0.1, 0.0], [-4.0, -3.0]])
    assert [untrained(weight, row) for row in range(5)] == [False, False, False, True, False]
