"""The stream's pieces make the whole text, and never show half a character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from tests.generate.models import byte_tokenizer, sentence_tokenizer
from tutelage.generate.text import TextStream, text_of

TOKENIZERS = {"bytes": byte_tokenizer(), "merged bytes": byte_tokenizer(400), "sentence": sentence_tokenizer()}


def pieces_of(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> list[str]:
    stream = TextStream(tokenizer)
    return [*(stream.push(token) for token in ids), stream.finish()]


@pytest.mark.parametrize("name", TOKENIZERS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_pieces_of_any_ids_make_the_whole(name: str, data: st.DataObject) -> None:
    """Random ids: broken bytes, special tokens and all.

    But for byte-fallback tokenizers, where a broken byte takes back the characters of the byte tokens just before it.
    """
    tokenizer = TOKENIZERS[name]
    pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    usual = [token for token, piece in enumerate(pieces) if not piece.startswith("<0x")]
    ids = data.draw(st.lists(st.sampled_from(usual), max_size=40))
    assert "".join(pieces_of(tokenizer, ids)) == text_of(tokenizer, ids)


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=st.text(alphabet="ab 你好世界。😀👨👩\u200d🇫é\n", max_size=30))
@settings(max_examples=150, deadline=None)
def test_pieces_of_a_text_hold_whole_characters(name: str, text: str) -> None:
    tokenizer = TOKENIZERS[name]
    ids = tokenizer.encode(text, add_special_tokens=False)
    pieces = pieces_of(tokenizer, ids)
    assert "".join(pieces) == text_of(tokenizer, ids)
    if name != "sentence":
        assert "".join(pieces) == text
        assert not any("\ufffd" in piece for piece in pieces)


def test_a_character_of_three_tokens_comes_with_the_third() -> None:
    tokenizer = byte_tokenizer(merges=0)
    ids = tokenizer.encode("a世", add_special_tokens=False)
    assert pieces_of(tokenizer, ids) == ["a", "", "", "世", ""]


def test_bytes_that_never_become_a_character_are_told_at_the_end() -> None:
    tokenizer = byte_tokenizer(merges=0)
    ids = tokenizer.encode("世", add_special_tokens=False)[:2]
    assert pieces_of(tokenizer, ids) == ["", "", "\ufffd"]


def test_a_broken_byte_takes_back_no_character_that_was_told() -> None:
    tokenizer = TOKENIZERS["sentence"]
    ids = tokenizer.convert_tokens_to_ids(["<0x61>", "<0xE4>", "▁b"])
    assert text_of(tokenizer, ids) == "\ufffd\ufffd b"
    assert pieces_of(tokenizer, ids) == ["a", "", "\ufffd b", ""]


def test_a_space_after_a_special_token_stays() -> None:
    tokenizer = TOKENIZERS["sentence"]
    ids = tokenizer.convert_tokens_to_ids(["▁a", "</s>", "▁b"])
    assert text_of(tokenizer, ids) == "a b"
    assert pieces_of(tokenizer, ids) == ["a", "", " b", ""]
