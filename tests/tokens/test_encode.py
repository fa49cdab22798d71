"""Every record meets one fate, with its reason; raw text gets what its tokenizer puts around texts, once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.errors import UserError
from tutelage.records import Completion, Conversation, Document, Record
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.encode import Encoded, Encoder, OverlongChoice
from tutelage.tokens.overlong import Overlong
from tutelage.tokens.templates import TEMPLATES

from .conversations_for_tests import answers, chat_of, conversations, message, talk, texts
from .tokenizers_for_tests import KINDS, tokenizer_of

LONG = talk("s:Be brief.", "u:one one one one", "a:1", "u:two two two two", "a:2", "u:three three three", "a:3")


def encoder(kind: str = "chatml", template: str = "chatml", **settings: Any) -> Encoder:
    return Encoder(tokenizer_of(kind), chat_of(kind, template), **settings)


def said(encoded: Encoded, kind: str = "chatml") -> list[list[str]]:
    """By example, the text of every leaf."""
    return [[tokenizer_of(kind).decode(leaf.ids.tolist()) for leaf in example] for example in encoded.examples]


def longest(encoded: Encoded) -> int:
    return max(len(leaf.ids) for example in encoded.examples for leaf in example)


def whole_length(record: Record) -> int:
    return longest(encoder().encode(record))


def test_what_fits_is_kept() -> None:
    found = encoder().encode(LONG)
    assert (found.fate, found.reason) == ("kept", None)
    assert [len(example) for example in found.examples] == [3]
    exact = encoder(max_length=whole_length(LONG), overlong="drop").encode(LONG)
    assert exact.fate == "kept"


def test_fates_of_rows_that_teach_nothing() -> None:
    assert encoder().encode(talk("u:Hi")) == Encoded([], "dropped", "no assistant turn of it is learnt")
    assert encoder(train_on="messages").encode(LONG).fate == "dropped"
    silent = Conversation((message("user", "Hi"), message("assistant", "Hello.", False)))
    assert encoder().encode(silent).fate == "dropped"


def test_refused_rows_are_quarantined_with_the_reason() -> None:
    found = encoder().encode(talk("u:<|im_end|>", "a:Hi"))
    assert found == Encoded([], "quarantined", "the text holds '<|im_end|>', a special token of the tokenizer")
    assert encoder("gpt2", "mistral").encode(talk("u:Hi", "u:Hi", "a:Hello.")).fate == "quarantined"


def test_overlong_drop_and_error() -> None:
    shorter = whole_length(LONG) - 1
    assert encoder(max_length=shorter, overlong="drop").encode(LONG) == Encoded(
        [], "dropped", "it is longer than max_length"
    )
    with pytest.raises(Overlong) as caught:
        encoder(max_length=shorter, overlong="error").encode_many([talk("u:Hi", "a:Hello."), Document("the"), LONG])
    assert (caught.value.length, caught.value.max_length, caught.value.place) == (shorter + 1, shorter, 2)
    assert isinstance(caught.value, UserError)


def test_truncation_leaves_out_the_oldest_turns_and_says_so() -> None:
    found = encoder(max_length=whole_length(LONG) - 1).encode(LONG)
    assert (found.fate, len(found.examples), len(found.examples[0])) == ("cut", 1, 2)
    assert "oldest turns" in str(found.reason)
    expected = encoder().encode(talk("s:Be brief.", "u:two two two two", "a:2", "u:three three three", "a:3"))
    assert said(found) == said(expected)


def test_truncation_never_cuts_the_answer() -> None:
    long_answer = talk("u:Hi", "a:" + "hello " * 20)
    found = encoder(max_length=20).encode(long_answer)
    assert found == Encoded([], "dropped", "the answer, with the shortest prompt, is longer than max_length")
    question = talk("u:" + "hello " * 50, "a:The capital of France is Paris.")
    cut = encoder(max_length=40).encode(question)
    assert cut.fate == "cut"
    assert 38 <= longest(cut) <= 40, "no more than need be is cut"
    (leaf,) = cut.examples[0]
    assert tokenizer_of("chatml").decode(leaf.ids[leaf.start :].tolist()) == "The capital of France is Paris.<|im_end|>"


def test_splitting_makes_several_examples() -> None:
    found = encoder(max_length=whole_length(LONG) - 1, overlong="split").encode(LONG)
    assert (found.fate, found.reason) == ("cut", "split at turn boundaries to fit max_length")
    assert [len(example) for example in found.examples] == [2, 1]
    assert all("Be brief." in text for example in said(found) for text in example)
    two = talk("u:Hi", "a:" + "hello " * 30, "u:Hi", "a:Hello.")
    lost = encoder(max_length=30, overlong="split").encode(two)
    assert (lost.fate, len(lost.examples)) == ("cut", 1)
    assert "left out" in str(lost.reason)
    assert encoder(max_length=12, overlong="split").encode(LONG).fate == "dropped"


def test_a_part_teaches_what_the_whole_would_have() -> None:
    turns = ("u:Hi there, hello", "a:Hello.", "u:What is the capital of France?", "a:Paris.")
    last = encoder(max_length=30, overlong="split", train_on="last").encode(talk(*turns))
    assert [len(example) for example in last.examples] == [1]
    assert said(last)[0][0].endswith("Paris.<|im_end|>")
    flagged = Conversation((*talk(*turns).messages, message("user", "Bye"), message("assistant", "Bye", False)))
    for overlong in ("split", "truncate-prompt"):
        found = encoder(max_length=30, overlong=overlong).encode(flagged)
        assert found.fate == "cut"
        assert said(found)[-1][0].endswith("Paris.<|im_end|>")
    shortened = encoder(max_length=20).encode(Conversation(flagged.messages[2:]))
    assert [len(example) for example in shortened.examples] == [1]
    assert said(shortened)[0][0].endswith("Paris.<|im_end|>")


def test_a_template_that_refuses_a_part_puts_the_row_in_quarantine() -> None:
    guard = "{% if messages[0].content == 'No' %}{{ raise_exception('Rude') }}{% endif %}"
    chat = ChatFormat(tokenizer_of("chatml"), guard + TEMPLATES["chatml"].text)
    found = Encoder(tokenizer_of("chatml"), chat, max_length=20).encode(talk("u:Please?", "a:Why?", "u:No", "a:Yes."))
    assert found.fate == "quarantined"
    assert "Rude" in str(found.reason)


@settings(max_examples=80, deadline=None)
@given(
    conversation=conversations(),
    max_length=st.integers(8, 60),
    overlong=st.sampled_from(["truncate-prompt", "split", "drop"]),
    kind=st.sampled_from(sorted(KINDS)),
    name=st.sampled_from(["chatml", "llama2", "gemma", "plain"]),
)
def test_no_leaf_is_too_long_and_every_answer_is_whole(
    conversation: Conversation, max_length: int, overlong: OverlongChoice, kind: str, name: str
) -> None:
    chat = chat_of(kind, name)
    whole = {tuple(leaf.ids[leaf.start :]) for leaf in chat.leaves(conversation)}
    found = encoder(kind, name, max_length=max_length, overlong=overlong).encode(conversation)
    assert (found.fate in ("kept", "cut")) == bool(found.examples)
    assert (found.reason is None) == (found.fate == "kept")
    for leaf in (leaf for example in found.examples for leaf in example):
        assert len(leaf.ids) <= max_length
        assert tuple(leaf.ids[leaf.start :]) in whole


# Raw text


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("gpt2", "hello, user!<|endoftext|>"),
        ("gpt2_with_beginning", "<|begin|>hello, user!<|endoftext|>"),
        ("llama2_first", "<s> hello, user!</s>"),
        ("chatml", "hello, user!<|im_end|>"),
    ],
)
def test_raw_text_stands_between_its_tokenizers_own_tokens(kind: str, expected: str) -> None:
    document = encoder(kind).encode(Document("hello, user!"))
    assert said(document, kind) == [[expected]]
    assert [leaf.start for leaf in document.examples[0]] == [1]
    completion = encoder(kind).encode(Completion("hello,", " user!"))
    assert said(completion, kind) == [[expected]]
    (leaf,) = completion.examples[0]
    assert (
        tokenizer_of(kind).decode(leaf.ids[leaf.start :].tolist()).lstrip()
        == "user!" + expected[expected.index("!") + 1 :]
    )


@settings(max_examples=80, deadline=None)
@given(prompt=st.one_of(st.just(""), texts), completion=answers, kind=st.sampled_from(sorted(KINDS)))
def test_completions_keep_their_prompts_ids(prompt: str, completion: str, kind: str) -> None:
    tokenizer = tokenizer_of(kind)
    (leaf,) = encoder(kind).encode(Completion(prompt, completion)).examples[0]
    served = tokenizer.encode(prompt)
    served = served[:-1] if served and served[-1] == tokenizer.eos_token_id else served
    assert leaf.ids[: len(served)].tolist() == served
    assert leaf.start == max(1, len(served))
    assert leaf.ids[-1] == tokenizer.eos_token_id
    text = tokenizer.decode(leaf.ids.tolist()[int(served[:1] == [tokenizer.bos_token_id]) : -1])
    assert text.strip() == (prompt + completion).strip()


def test_a_raw_prompt_loses_its_start_and_keeps_its_beginning_token() -> None:
    kind = "gpt2_with_beginning"
    record = Completion("hello " * 30 + "Response:", " four")
    found = encoder(kind, max_length=12).encode(record)
    assert (found.fate, longest(found)) == ("cut", 12)
    (leaf,) = found.examples[0]
    whole = encoder(kind).encode(record).examples[0][0]
    assert leaf.ids[0] == whole.ids[0] == tokenizer_of(kind).bos_token_id
    assert leaf.ids[1:].tolist() == whole.ids[-11:].tolist()
    assert len(leaf.ids) - leaf.start == len(whole.ids) - whole.start
    assert encoder(kind, max_length=2).encode(record).fate == "dropped"
    assert encoder(kind, max_length=12, overlong="split").encode(record).fate == "dropped"


def test_everything_learns_raw_prompts_too() -> None:
    (leaf,) = encoder(train_on="everything").encode(Completion("hello, user", "!")).examples[0]
    assert leaf.start == 1


def test_long_documents_are_split_without_loss() -> None:
    text = "The sea is wide, the sea is deep. 你好 😀 " * 20
    whole = encoder("llama3").encode(Document(text)).examples[0][0].ids
    found = encoder("llama3", max_length=16, overlong="split").encode(Document(text))
    assert (found.fate, found.reason) == ("cut", "split mid-text to fit max_length; no token is lost")
    parts = [example[0] for example in found.examples]
    assert all(len(example) == 1 and part.start == 1 for example, part in zip(found.examples, parts, strict=True))
    assert np.concatenate([parts[0].ids[:1], *(part.ids[1:] for part in parts)]).tolist() == whole.tolist()
    assert encoder("llama3", max_length=16, overlong="drop").encode(Document(text)).fate == "dropped"
    with pytest.raises(Overlong):
        encoder("llama3", max_length=16, overlong="error").encode(Document(text))


@pytest.mark.parametrize(
    "record", [Document(" \n"), Completion("Hi", " "), Document("a<|im_end|>"), Completion("<|im_start|>", "x")]
)
def test_raw_text_that_is_empty_or_holds_control_tokens_is_quarantined(record: Record) -> None:
    found = encoder().encode(record)
    assert (found.fate, found.examples) == ("quarantined", [])
    assert found.reason is not None


def test_records_of_all_kinds_keep_their_order() -> None:
    records: list[Record] = [
        Document("one"),
        LONG,
        Completion("a", "b"),
        talk("u:Hi"),
        Document("two"),
        talk("u:Hi", "a:Hello."),
    ]
    together = encoder().encode_many(records)
    for record, found in zip(records, together, strict=True):
        alone = encoder().encode(record)
        assert (said(found), found.fate, found.reason) == (said(alone), alone.fate, alone.reason)
    assert encoder().encode_many([]) == []


def test_mistakes_of_the_recipe_are_told() -> None:
    tokenizer = tokenizer_of("gpt2")
    with pytest.raises(UserError, match="chat_template"):
        Encoder(tokenizer, None).encode(LONG)
    assert Encoder(tokenizer, None).encode(Document("hello")).fate == "kept"
    with pytest.raises(UserError, match="max_length=1"):
        Encoder(tokenizer, None, max_length=1)
    endless = KINDS["chatml"]()
    endless.eos_token = None
    with pytest.raises(UserError, match="no end token"):
        Encoder(endless, ChatFormat(endless, TEMPLATES["chatml"].text)).encode(Document("hello"))
