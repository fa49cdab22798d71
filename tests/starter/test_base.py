from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from tutelage.starter.base import VOCABULARY, WIDTH, write_blank
from tutelage.tokens.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("starter") / "blank"
    write_blank(folder, read=3000)
    return folder


def test_it_is_small_and_begins_at_its_own_scale(blank: Path) -> None:
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(blank))
    assert 3e6 < sum(parameter.numel() for parameter in model.parameters()) < 8e6
    assert model.get_input_embeddings().weight.std().item() == pytest.approx(WIDTH**-0.5, rel=0.02)


@pytest.mark.parametrize("text", ["Tom has a red ball.", "汤姆有一个红色的球。", "naïve 😀\n\n  two"])
def test_any_text_survives_behind_a_first_token(blank: Path, text: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(blank)
    assert len(tokenizer) <= VOCABULARY
    vocabulary = Vocabulary(tokenizer)
    assert vocabulary.begins_with_bos
    (ids,) = vocabulary.raw_ids([text])
    assert ids[0] == tokenizer.bos_token_id == tokenizer.eos_token_id
    assert tokenizer.decode(ids[1:]) == text
    assert vocabulary.ids([text]) == [ids[1:]]


def test_the_same_text_gives_the_same_tokenizer(blank: Path, tmp_path: Path) -> None:
    write_blank(tmp_path / "again", read=3000)
    assert (tmp_path / "again" / "tokenizer.json").read_bytes() == (blank / "tokenizer.json").read_bytes()
