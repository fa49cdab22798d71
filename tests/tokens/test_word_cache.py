"""`tutelage.tokens.word_cache`: the very ids that the tokenizer gives, or none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from tests.tiny import SENTENCES
from tutelage.tokens import word_cache
from tutelage.tokens.word_cache import SPLITS, WordCache

LLAMA3, QWEN2 = SPLITS
SPECIAL = ["<|end|>", "<|im_start|>", "<|im_end|>"]
BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
WAYS = {
    "gpt2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "llama3": pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), BYTES]),
    "qwen2": pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"), BYTES]),
}
# Blanks, ends of lines, suffixes, digits, added tokens next to each other in every way; other scripts besides.
PIECES = st.sampled_from(
    [*SPECIAL, "<|im", " ", "  ", "\n", "\r", "\t", "\x0b", "\x1c", "'s", "'LL", "'", "12345", "the", "Cat", "é", "猫"]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(st.characters(max_codepoint=127), max_size=4)), max_size=20).map("".join)


def trained(way: str, **model: Any) -> Any:
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = WAYS[way]
    tokenizer.normalizer = normalizers.NFC() if way == "qwen2" else None
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([*SENTENCES, "  12345 don't\n\n  The cat's  "] * 3, trainer)
    return tokenizer


def made(tokenizer: Any) -> WordCache | None:
    return WordCache.of(tokenizer, {one.content: one for one in tokenizer.get_added_tokens_decoder().values()})


@pytest.fixture(scope="module", params=WAYS)
def pair(request: pytest.FixtureRequest) -> tuple[Any, WordCache]:
    tokenizer = trained(request.param)
    words = made(tokenizer)
    assert words is not None
    return tokenizer, words


@given(texts=st.lists(TEXTS, max_size=5))
@settings(max_examples=300)
def test_ids_are_the_tokenizers(pair: tuple[Any, WordCache], texts: list[str]) -> None:
    tokenizer, words = pair
    for text, ids in zip(texts, words.ids(texts), strict=True):
        assert ids is None or ids == tokenizer.encode(text, add_special_tokens=False).ids
        assert (ids is not None) or not text.isascii() or "\r" in text or "\n" in text


def test_real_texts_are_known(pair: tuple[Any, WordCache], shared_data: Any) -> None:
    import json

    tokenizer, words = pair
    texts = [row["output"] for row in json.loads((shared_data / "sft" / "alpaca_en_demo.json").read_text())[:300]]
    found = words.ids(texts)
    expected = [one.ids for one in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    told = [(ids, right) for ids, right in zip(found, expected, strict=True) if ids is not None]
    assert all(ids == right for ids, right in told)
    assert len(told) > 0.8 * len(texts)


def test_words_are_forgotten_and_learnt_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_cache, "KNOWN_WORDS", 3)
    tokenizer = trained("gpt2")
    words = made(tokenizer)
    assert words is not None
    text = "one two three four five one two"
    assert words.ids([text, text]) == [tokenizer.encode(text).ids] * 2


def test_other_tokenizers_are_left_alone() -> None:
    dropping = trained("gpt2", dropout=0.1)
    prefixing, lowering, stripping, unknown = (trained("gpt2") for _ in range(4))
    prefixing.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    lowering.normalizer = normalizers.Lowercase()
    stripping.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    unknown.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3 + "|x"), "isolated"), BYTES])
    assert [made(one) for one in (dropping, prefixing, lowering, stripping, unknown)] == [None] * 5


def test_a_tokenizer_that_disagrees_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_cache, "GPT2", word_cache.GPT2.replace("[A-Za-z]+", "[A-Za-z]{1,2}"))
    assert made(trained("gpt2")) is None
