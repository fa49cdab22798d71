"""The tokenizer, the blank model, and the folder they are written into."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.errors import UserError
from tutelage.starter.materials import NAMES, clear_folder, write_materials
from tutelage.starter.rows import held_out_questions, instruction_rows
from tutelage.starter.tokenizer import SPECIAL_TOKENS, train_tokenizer
from tutelage.starter.world import write_documents

MARK = "quickstart.json"


@cache
def tokenizer() -> Any:
    return train_tokenizer(write_documents(1, seed=0), vocabulary=1024)


@settings(deadline=None)  # the first call makes the tokenizer
@given(st.text())
def test_any_text_survives(text: str) -> None:
    ids = tokenizer().encode(text, split_special_tokens=True)
    assert tokenizer().decode(ids) == text


def test_worlds_text_survives_in_few_tokens() -> None:
    text = "\n".join(write_documents(1, seed=1))
    ids = tokenizer().encode(text)
    assert tokenizer().decode(ids) == text
    assert len(ids) < len(text) / 2


def test_special_tokens_are_single_and_first() -> None:
    assert tokenizer().convert_tokens_to_ids(list(SPECIAL_TOKENS)) == [0, 1, 2]
    assert tokenizer().encode("<|im_start|>user\n狗<|im_end|>")[0] == 1
    assert tokenizer().eos_token_id == 0


def test_a_chinese_word_is_no_part_of_a_bigger_token() -> None:
    """Byte-level BPE would otherwise fuse a name with what stands around it, since Chinese has no spaces."""
    for token_id in range(len(tokenizer())):
        text = tokenizer().decode([token_id])
        assert sum("\u4e00" <= sign <= "\u9fff" for sign in text) <= 1, text


def test_materials_make_a_model_folder_without_weights(tmp_path: Path) -> None:
    from transformers import AutoConfig, AutoTokenizer

    from tutelage.model.locate import locate

    questions = write_materials(tmp_path, rounds=1, seed=0)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(NAMES)
    assert questions == held_out_questions()
    assert len((tmp_path / "instructions.jsonl").read_text(encoding="utf-8").splitlines()) == len(instruction_rows())
    located = locate(str(tmp_path / "blank"))
    assert located.random
    config = AutoConfig.from_pretrained(tmp_path / "blank")
    saved = AutoTokenizer.from_pretrained(tmp_path / "blank")
    assert config.vocab_size == len(saved) <= 1536
    assert config.eos_token_id == saved.eos_token_id == 0
    assert config.initializer_range == pytest.approx(config.hidden_size**-0.5)


def test_materials_are_a_function_of_the_seed(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_materials(tmp_path / name, rounds=1, seed=5)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append([path.read_bytes() for path in files])
    assert contents[0] == contents[1]


def test_only_a_folder_of_its_own_is_emptied(tmp_path: Path) -> None:
    own = tmp_path / "own"
    clear_folder(own, MARK, NAMES)
    assert own.is_dir()
    (own / MARK).write_text("{}")
    (own / "blank").mkdir()
    (own / "blank" / "config.json").write_text("{}")
    clear_folder(own, MARK, NAMES)
    assert list(own.iterdir()) == []

    (own / "blank").mkdir()
    with pytest.raises(UserError, match="is not empty and quickstart did not make it"):
        clear_folder(own, MARK, NAMES)
    assert (own / "blank").is_dir()

    (own / MARK).write_text("{}")
    (own / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match=r"also holds thesis\.txt"):
        clear_folder(own, MARK, NAMES)
    assert {entry.name for entry in own.iterdir()} == {MARK, "blank", "thesis.txt"}

    with pytest.raises(UserError, match="is a file"):
        clear_folder(own / "thesis.txt", MARK, NAMES)
