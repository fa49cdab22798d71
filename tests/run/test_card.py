"""The model card: front matter that the hub reads, no private paths, and cells that nothing breaks out of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.run.runs import finished
from tutelage.run.card import cell, model_card


def front_of(card: str) -> dict[str, Any]:
    matter: dict[str, Any] = yaml.safe_load(card.split("---\n")[1])
    return matter


def test_a_card_says_what_where_from_and_how(tmp_path: Path) -> None:
    card = model_card(finished(tmp_path / "run", adapter={}, seed=3))
    assert front_of(card) == {
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["tutelage", "sft", "lora"],
        "base_model": "owner/base",
    }
    for words in (
        "# owner/base, instruction-tuned",
        "LoRA of rank 16",
        r"| 指令\<i\>.jsonl | alpaca | 94 | 5000 | not recorded |",
        "| training loss | 2.9000 → 2.0000 |",
        "| best validation loss | 2.4000 at step 10 |",
        "| adapter.rank | 16 |",
        "(seed 3)",
        "apply_chat_template",
        "## Intended use and limits",
        "has not been measured here",
        "torch 2.13.0",
    ):
        assert words in card, words


def test_a_card_that_is_published_tells_no_paths(tmp_path: Path) -> None:
    model = tmp_path / "secret" / "base"
    model.mkdir(parents=True)
    card = model_card(
        finished(tmp_path / "run", model=str(model), data={"sources": [{"path": tmp_path / "rows.jsonl"}]})
    )
    assert str(tmp_path) not in card
    assert "somebody" not in card
    assert "base_model" not in front_of(card)
    assert "# base, instruction-tuned" in card


def test_pretraining_has_no_chat(tmp_path: Path) -> None:
    directory = finished(tmp_path / "run", stage="pretrain")
    directory.write_data_report({"sources": [{"path": "a.txt", "format": "text", "kept": 1, "licence": "CC0"}]})
    card = model_card(directory)
    assert "apply_chat_template" not in card
    assert "A base model" in card
    assert "| a.txt | text | 1 | 0 | CC0 |" in card


@pytest.mark.parametrize(
    ("text", "safe"), [("a|b", r"a\|b"), ("a\nb", "a b"), ("<b>`x`", r"\<b\>\`x\`"), ("a\\|b", r"a\\\|b")]
)
def test_cells(text: str, safe: str) -> None:
    assert cell(text) == safe


@given(st.text())
def test_no_text_breaks_out_of_its_cell(text: str) -> None:
    escaped = cell(text)
    assert "\n" not in escaped
    bare = escaped.replace("\\\\", "").replace("\\|", "").replace("\\<", "")
    assert "|" not in bare
    assert "<" not in bare
