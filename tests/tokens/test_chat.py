"""Conversations to leaves: prompts as served, stop tokens supervised, and the faults seen elsewhere impossible here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken
from transformers import PreTrainedTokenizerFast

from tutelage.errors import UserError
from tutelage.records import Conversation, Leaf, Message, Part
from tutelage.tokens.chat import ChatFormat, TrainOn, Turn, each_token_once, supervised_turns
from tutelage.tokens.rendering import Refused
from tutelage.tokens.templates import TEMPLATES

from .conversations_for_tests import chat_of, conversations, dictionaries, message, talk
from .tokenizers_for_tests import KINDS, tokenizer_of

TWO = talk("u:Hi", "a:Hello.", "u:Again", "a:Hello again.")

# Qwen3's way: the last answer carries (maybe empty) thinking, earlier ones lose theirs.
THINKING = """
{%- set last = namespace(user=-1) -%}
{%- for message in messages -%}
{%- if message.role == 'user' -%}{%- set last.user = loop.index0 -%}{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
{%- set pieces = message.content.split('</think>') -%}
{%- set answer = pieces[-1].lstrip('\\n') -%}
{%- set thought = pieces[0].split('<think>')[-1].strip('\\n') if pieces[1:] else '' -%}
{{- '<|im_start|>assistant\\n' -}}
{%- if loop.index0 > last.user -%}{{- '<think>\\n' + thought + '\\n</think>\\n\\n' -}}{%- endif -%}
{{- answer + '<|im_end|>\\n' -}}
{%- else -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""

# DeepSeek-R1's way: the generation prompt opens the thinking, a finished answer has none.
FORCED_THINKING = """
{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
{{- '<|im_start|>assistant\\n' + message.content.split('</think>')[-1] + '<|im_end|>\\n' -}}
{%- else -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n<think>\\n' -}}{%- endif -%}
"""

MARKED = """
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.role == 'assistant' -%}
{% generation %}{{- message.content + '<|im_end|>' -}}{% endgeneration %}
{%- else -%}{{- message.content + '<|im_end|>' -}}{%- endif -%}
{{- '\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""


def learnt(chat: ChatFormat, leaf: Leaf) -> str:
    """The text of what a leaf is to teach."""
    return str(chat.vocabulary.tokenizer.decode(leaf.ids[leaf.start :].tolist()))


# Promise 4


@settings(max_examples=250, deadline=None)
@given(conversation=conversations(), name=st.sampled_from(sorted(TEMPLATES)), kind=st.sampled_from(sorted(KINDS)))
def test_prompt_ids_at_training_equal_those_at_serving(conversation: Conversation, name: str, kind: str) -> None:
    tokenizer, chat = tokenizer_of(kind), chat_of(kind, name)
    found = chat.leaves(conversation)
    places = [place for place, one in enumerate(conversation.messages) if one.role == "assistant"]
    assert len(found) == len(places)
    turns = chat.turns(conversation.messages, "assistant")
    for leaf, place, turn in zip(found, places, turns, strict=True):
        before = dictionaries(conversation)[:place]
        served = tokenizer.apply_chat_template(
            before, chat_template=chat.template, add_generation_prompt=True, return_dict=False
        )
        assert chat.prompt_ids(conversation.messages[:place]) == served
        assert leaf.ids[: leaf.start].tolist() == served
        assert leaf.ids[-1] == chat.stop_id
        assert leaf.ids.dtype == np.int32
        _answer_is_whole(chat, leaf, turn)


def _answer_is_whole(chat: ChatFormat, leaf: Leaf, turn: Turn) -> None:
    """The ids between prompt and stop are those the answer has in its place, or, if that moves the prompt, its text."""
    tokenizer = chat.vocabulary.tokenizer
    prompt, answer = leaf.ids[: leaf.start].tolist(), leaf.ids[leaf.start : -1].tolist()
    in_place = tokenizer.encode(turn.prompt + turn.answer, add_special_tokens=False)
    if in_place[: len(prompt)] == prompt:
        assert [*prompt, *answer] == in_place
    elif not _swallows_blanks(tokenizer):
        assert tokenizer.decode([*prompt, *answer]) == tokenizer.decode(prompt) + turn.answer


def _swallows_blanks(tokenizer: PreTrainedTokenizerFast) -> bool:
    return any(token.rstrip or token.lstrip for token in tokenizer.added_tokens_decoder.values())


@settings(max_examples=60, deadline=None)
@given(batch=st.lists(conversations(), min_size=1, max_size=5), kind=st.sampled_from(sorted(KINDS)))
@pytest.mark.parametrize("name", ["chatml", "llama2", "alpaca"])
def test_a_batch_gives_what_each_gives_alone_and_without_a_fast_backend(
    name: str, batch: list[Conversation], kind: str
) -> None:
    chat = chat_of(kind, name)
    plain = chat_of(kind, name)
    plain.vocabulary._backend = None
    plain._chains, plain._header = False, ""
    together = chat.leaves_of_many(batch, "assistant")
    for conversation, found in zip(batch, together, strict=True):
        assert not isinstance(found, Refused)
        _same(found, chat.leaves(conversation))
        _same(found, plain.leaves(conversation))


def _same(some: list[Leaf], others: list[Leaf]) -> None:
    assert [(leaf.ids.tolist(), leaf.start) for leaf in some] == [(leaf.ids.tolist(), leaf.start) for leaf in others]


# The faults


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("kind", ["chatml", "gpt2_with_beginning"])
def test_padding_that_equals_the_stop_token_changes_nothing(kind: str, name: str) -> None:
    tokenizer = tokenizer_of(kind)
    assert tokenizer.pad_token == tokenizer.eos_token
    chat = chat_of(kind, name)
    found = chat.leaves(TWO)
    assert [leaf.ids[-1] for leaf in found] == [tokenizer.eos_token_id] * 2
    other = KINDS[kind]()
    other.pad_token = None
    _same(found, ChatFormat(other, chat.template).leaves(TWO))


def test_generation_marks_are_not_needed_and_change_nothing() -> None:
    marked, unmarked = ChatFormat(tokenizer_of("chatml"), MARKED), chat_of("chatml", "chatml")
    assert "{% generation %}" not in unmarked.template
    _same(marked.leaves(TWO), unmarked.leaves(TWO))
    assert [learnt(unmarked, leaf) for leaf in unmarked.leaves(TWO)] == ["Hello.<|im_end|>", "Hello again.<|im_end|>"]


def test_prompt_and_answer_that_melt_together_are_cut_where_serving_cuts() -> None:
    chat, tokenizer = chat_of("chatml", "chatml"), tokenizer_of("chatml")
    conversation = talk("u:Write a poem.", "a:\nThe sea is wide")
    prompt = chat.prompt_ids(conversation.messages[:1])
    together = tokenizer.encode(
        chat.render(conversation.messages, add_generation_prompt=False), add_special_tokens=False
    )
    assert together[: len(prompt)] != prompt, "the tokenizer must join the two line breaks, or nothing is tested"
    (leaf,) = chat.leaves(conversation)
    assert leaf.ids[: leaf.start].tolist() == prompt
    assert learnt(chat, leaf) == "\nThe sea is wide<|im_end|>"


@pytest.mark.parametrize("kind", ["llama2_first", "llama2_always", "llama2_normalizer", "phi3"])
def test_an_answer_gets_no_blank_that_its_tokenizer_puts_before_texts(kind: str) -> None:
    chat, tokenizer = chat_of(kind, "alpaca"), tokenizer_of(kind)
    (leaf,) = chat.leaves(talk("u:Hi", "a:hello"))
    assert tokenizer.convert_ids_to_tokens(leaf.ids[leaf.start :].tolist())[0][0] == "h"
    assert tokenizer.convert_ids_to_tokens(tokenizer.encode("hello", add_special_tokens=False))[0][0] == "▁"


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("kind", ["llama3", "llama2_first", "gpt2_with_beginning"])
def test_the_beginning_token_is_never_doubled(kind: str, name: str) -> None:
    tokenizer, chat = tokenizer_of(kind), chat_of(kind, name)
    assert tokenizer.encode("x")[0] == tokenizer.bos_token_id, "the tokenizer puts one itself, or nothing is tested"
    first, second = chat.leaves(TWO)
    turns = 2 if name == "llama2" else 1  # Llama 2 begins every pair of turns anew
    assert first.ids.tolist().count(tokenizer.bos_token_id) == 1
    assert second.ids.tolist().count(tokenizer.bos_token_id) == turns
    assert first.ids[0] == tokenizer.bos_token_id != first.ids[1]


def test_truncation_and_padding_in_a_tokenizers_file_do_not_cut() -> None:
    tokenizer = KINDS["chatml"]()
    chat = ChatFormat(tokenizer, TEMPLATES["chatml"].text)
    before = chat.leaves(TWO)
    tokenizer.backend_tokenizer.enable_truncation(3)
    tokenizer.backend_tokenizer.enable_padding(length=64)
    _same(before, chat.leaves(TWO))


# Paths and branches


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("chatml", "chatml"), ("chatml", "qwen"), ("llama3", "llama3"), ("phi3", "phi3"), ("gpt2", "zephyr")),
        *(("llama2_first", "llama2"), ("llama2_always", "mistral"), ("gpt2", "alpaca"), ("gpt2", "plain")),
        *(("gpt2_with_beginning", "vicuna"), ("llama2_normalizer", "vicuna")),
    ],
)
def test_leaves_of_an_ordinary_template_are_one_path(kind: str, name: str) -> None:
    first, second, third = chat_of(kind, name).leaves(
        talk("u:Hi", "a:Hello.", "u:你好", "a:天气 😀", "u:Bye", "a:Bye.")
    )
    assert second.ids[: len(first.ids)].tolist() == first.ids.tolist()
    assert third.ids[: len(second.ids)].tolist() == second.ids.tolist()


@pytest.mark.parametrize("name", ["chatml", "llama3", "gemma"])
def test_without_the_stop_token_all_but_the_stop_is_one_path(name: str) -> None:
    first, second = chat_of("gpt2", name).leaves(TWO)
    assert second.ids[: len(first.ids) - 1].tolist() == first.ids[:-1].tolist()
    assert first.ids[-1] == second.ids[-1] == tokenizer_of("gpt2").eos_token_id


def test_leaves_of_a_template_that_rewrites_history_branch() -> None:
    chat = ChatFormat(tokenizer_of("chatml"), THINKING)
    first, second = chat.leaves(talk("u:Hi", "a:<think>\nhm\n</think>\n\nHello.", "u:Again", "a:Hello again."))
    assert learnt(chat, first) == "<think>\nhm\n</think>\n\nHello.<|im_end|>"
    assert learnt(chat, second) == "<think>\n\n</think>\n\nHello again.<|im_end|>"
    prompt = chat.vocabulary.tokenizer.decode(second.ids[: second.start].tolist())
    assert "hm" not in prompt
    assert second.ids[: first.start].tolist() == first.ids[: first.start].tolist()
    assert second.ids[first.start] != first.ids[first.start]


def test_a_template_that_tidies_an_answer_teaches_the_tidy_one() -> None:
    chat = ChatFormat(tokenizer_of("chatml"), THINKING)
    (leaf,) = chat.leaves(talk("u:Hi", "a:<think>hm</think>Hello."))
    assert learnt(chat, leaf) == "<think>\nhm\n</think>\n\nHello.<|im_end|>"


def test_a_template_that_loses_part_of_an_answer_does_not_lose_it_here() -> None:
    loses = FORCED_THINKING.replace("assistant\\n<think>\\n'", "assistant\\n'")
    chat = ChatFormat(tokenizer_of("chatml"), loses)
    (leaf,) = chat.leaves(talk("u:Hi", "a:<think>hm</think>Hello."))
    assert learnt(chat, leaf) == "<think>hm</think>Hello.<|im_end|>"


def test_thinking_that_the_prompt_opens_is_not_opened_twice() -> None:
    chat = ChatFormat(tokenizer_of("chatml"), FORCED_THINKING)
    first, second = chat.leaves(talk("u:Hi", "a:<think>\nhm</think>Hello.", "u:Hi", "a:hm</think>Hi."))
    assert learnt(chat, first) == "hm</think>Hello.<|im_end|>"
    assert learnt(chat, second) == "hm</think>Hi.<|im_end|>"
    assert second.ids.tolist().count(chat.vocabulary.id_of("<think>")) == 1
    assert any("otherwise" in notice for notice in chat.notices)


def test_a_template_without_generation_prompt_teaches_its_header_too() -> None:
    chat = ChatFormat(tokenizer_of("chatml"), TEMPLATES["chatml"].text.replace("if add_generation_prompt", "if false"))
    (leaf,) = chat.leaves(talk("u:Hi", "a:Hello."))
    assert leaf.ids[: leaf.start].tolist() == chat.prompt_ids(talk("u:Hi").messages)
    assert learnt(chat, leaf) == "<|im_start|>assistant\nHello.<|im_end|>"
    assert any("no generation prompt" in notice for notice in chat.notices)


def test_an_ordinary_template_has_nothing_to_tell() -> None:
    assert chat_of("chatml", "chatml").notices == ()
    assert chat_of("llama2_first", "llama2").notices == ()
    dated = ChatFormat(tokenizer_of("chatml"), "{{ strftime_now('%Y') }}" + TEMPLATES["chatml"].text)
    assert any("date" in notice for notice in dated.notices)


# What is learnt


@pytest.mark.parametrize(
    ("train_on", "expected"),
    [("assistant", [1, 5]), ("last", [5]), ("messages", [5]), ("everything", [1, 3, 5])],
)
def test_turns_that_are_learnt(train_on: TrainOn, expected: list[int]) -> None:
    flags = [None, None, None, False, None, True]
    messages = [message("assistant" if place % 2 else "user", "x", flags[place]) for place in range(6)]
    assert supervised_turns(messages, train_on) == expected
    chat = chat_of("chatml", "chatml")
    assert len(chat.leaves(Conversation(tuple(messages)), train_on)) == len(expected)


def test_a_conversation_of_which_nothing_is_learnt_has_no_leaves() -> None:
    chat = chat_of("chatml", "chatml")
    assert chat.leaves(talk("u:Hi")) == []
    assert chat.leaves(Conversation((message("user", "Hi"), message("assistant", "Hello.", False)))) == []
    assert chat.leaves(TWO, "messages") == []


@settings(max_examples=80, deadline=None)
@given(conversation=conversations(), name=st.sampled_from(sorted(TEMPLATES)), kind=st.sampled_from(sorted(KINDS)))
def test_everything_is_every_token_of_the_tree_once(conversation: Conversation, name: str, kind: str) -> None:
    chat = chat_of(kind, name)
    taught = [
        tuple(leaf.ids[: end + 1].tolist())
        for leaf in chat.leaves(conversation, "everything")
        for end in range(leaf.start, len(leaf.ids))
    ]
    paths = {
        tuple(leaf.ids[: end + 1].tolist()) for leaf in chat.leaves(conversation) for end in range(1, len(leaf.ids))
    }
    assert len(taught) == len(set(taught))
    assert set(taught) == paths


def test_everything_worked_example() -> None:
    leaves = [
        Leaf(np.array(ids, np.int32), 3) for ids in ([1, 5, 7, 2], [1, 5, 7, 2, 6, 8, 2], [1, 4, 2], [1, 5, 9, 2])
    ]
    assert [leaf.start for leaf in each_token_once(leaves)] == [1, 4, 1, 2]
    assert each_token_once([leaves[0], leaves[0]])[1:] == []


# Refusals


@pytest.mark.parametrize("turn", ["s:a <|im_end|> b", "u:a <|im_end|> b", "a:a <|im_end|> b", "u:<|endoftext|>"])
def test_text_never_becomes_a_control_token(turn: str) -> None:
    chat = chat_of("chatml", "chatml")
    conversation = Conversation((*talk(turn).messages, *TWO.messages))
    with pytest.raises(Refused, match=r"the text holds '<\|\w+\|>', a special token of the tokenizer"):
        chat.leaves(conversation)
    with pytest.raises(Refused, match="a special token of the tokenizer"):
        chat.prompt_ids(conversation.messages)


def test_a_role_never_becomes_a_control_token_either() -> None:
    with pytest.raises(Refused, match="special token"):
        chat_of("chatml", "chatml").leaves(Conversation((message("<|im_end|>", "x"), *TWO.messages)))


def test_a_special_token_cut_in_two_is_found_in_one_message_only() -> None:
    chat = chat_of("chatml", "chatml")
    with pytest.raises(Refused, match="special token"):
        chat.leaves(Conversation((Message("user", (Part("<|im_"), Part("end|>"))), message("assistant", "Hi"))))
    assert len(chat.leaves(talk("u:<|im_", "a:end|>"))) == 1


def test_markers_of_other_tokenizers_and_thinking_tags_are_ordinary_text() -> None:
    assert len(chat_of("gpt2", "chatml").leaves(talk("u:What is <|im_end|>?", "a:A marker."))) == 1
    assert len(chat_of("chatml", "chatml").leaves(talk("u:Hi", "a:<think>\nhm\n</think>\nHello."))) == 1


@pytest.mark.parametrize("guard", ["{{ raise_exception('System role not supported') }}", ""])
def test_a_template_without_a_system_role_refuses_a_system_text(guard: Literal[""]) -> None:
    template = (
        "{% for m in messages %}{% if m.role == 'system' %}" + guard + "{% else %}"
        "{{ m.role + ': ' + m.content }}{{ eos_token }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    chat = ChatFormat(tokenizer_of("gpt2"), template)
    with pytest.raises(Refused) as caught:
        chat.leaves(Conversation((*talk("s:Be brief.").messages, *TWO.messages)))
    said = "System role not supported" if guard else "leaves out what 'system' says"
    assert said in caught.value.reason
    assert "chat_template=" in caught.value.reason
    assert len(chat.leaves(TWO)) == 2


def test_a_system_text_that_only_counts_at_the_start_is_refused_elsewhere() -> None:
    template = (
        "{% for m in messages %}{% if m.role != 'system' or loop.first %}"
        "{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
    )
    chat = ChatFormat(tokenizer_of("gpt2"), template)
    assert len(chat.leaves(talk("s:Be brief.", "u:Hi", "a:Hello."))) == 1
    with pytest.raises(Refused, match="leaves out"):
        chat.leaves(talk("u:Hi", "a:Hello.", "s:Be brief.", "u:Hi", "a:Hello."))


def test_an_empty_answer_is_refused_unless_it_is_not_learnt() -> None:
    chat = chat_of("chatml", "chatml")
    with pytest.raises(Refused, match="an answer is empty"):
        chat.leaves(talk("u:Hi", "a: \n"))
    silent = Conversation((message("user", "Hi"), message("assistant", "", False), *TWO.messages))
    assert len(chat.leaves(silent)) == 2


def test_a_conversation_may_begin_with_the_assistant_where_the_template_allows() -> None:
    chat = chat_of("chatml", "chatml")
    first, second = chat.leaves(talk("a:Hello, I am here.", "u:Hi", "a:Hello."))
    assert learnt(chat, first) == "Hello, I am here.<|im_end|>"
    assert second.ids[: len(first.ids)].tolist() == first.ids.tolist()
    (bare,) = chat_of("gpt2", "plain").leaves(talk("a:Hello"))
    assert bare.start == 1, "there is nothing to predict the first token from"


# Tokenizers


def test_runs_of_blanks_in_a_vocabulary_end_no_turn() -> None:
    tokenizer = KINDS["gpt2"]()
    tokenizer.add_tokens([AddedToken("\n\n", normalized=False)])
    template = (
        "{% for m in messages %}{{ m.role + ': ' + m.content + '\\n\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    chat = ChatFormat(tokenizer, template)
    assert chat.closing == "\n\n"
    assert chat.stop_ids == (tokenizer.eos_token_id,)
    assert [learnt(chat, leaf) for leaf in chat.leaves(TWO)] == ["Hello.<|endoftext|>", "Hello again.<|endoftext|>"]


def test_the_longest_of_two_tokens_that_begin_alike_ends_a_turn() -> None:
    tokenizer = KINDS["gpt2"]()
    tokenizer.add_special_tokens({"extra_special_tokens": ["<|im_end", "<|im_end|>"]})
    assert ChatFormat(tokenizer, TEMPLATES["chatml"].text).stop_id == tokenizer.convert_tokens_to_ids("<|im_end|>")


def test_markers_before_the_end_token_are_not_learnt_where_they_are_ordinary_text() -> None:
    closes_twice = TEMPLATES["phi3"].text + "{% if not add_generation_prompt %}{{ eos_token }}{% endif %}"
    chat = ChatFormat(tokenizer_of("gpt2"), closes_twice)
    assert chat.closing == "<|end|>\n<|endoftext|>"
    assert [learnt(chat, leaf) for leaf in chat.leaves(TWO)] == ["Hello.<|endoftext|>", "Hello again.<|endoftext|>"]
    published = ChatFormat(tokenizer_of("phi3"), closes_twice)
    assert learnt(published, published.leaves(TWO)[0]) == "Hello.<|end|>"


def test_a_tokenizer_without_any_end_is_told() -> None:
    tokenizer = KINDS["gpt2"]()
    tokenizer.eos_token = None
    with pytest.raises(UserError, match="no token to end a turn with"):
        ChatFormat(tokenizer, TEMPLATES["chatml"].text)


def test_a_special_token_of_the_template_ends_turns_without_an_end_token() -> None:
    tokenizer = KINDS["chatml"]()
    tokenizer.eos_token = None
    chat = ChatFormat(tokenizer, TEMPLATES["chatml"].text)
    assert chat.stop_ids == (tokenizer.convert_tokens_to_ids("<|im_end|>"),)


def test_a_template_that_wants_a_system_text_is_probed_with_one() -> None:
    template = (
        "{% if messages[0].role != 'system' %}{{ raise_exception('Say who you are') }}{% endif %}"
        + TEMPLATES["chatml"].text
    )
    chat = ChatFormat(tokenizer_of("chatml"), template)
    assert len(chat.leaves(talk("s:x", "u:Hi", "a:Hello."))) == 1
    with pytest.raises(Refused, match="Say who you are"):
        chat.leaves(TWO)


def test_alpaca_rows_of_the_shared_data_become_leaves(shared_data: Path) -> None:
    import json

    rows = json.loads((shared_data / "sft" / "alpaca_zh_demo.json").read_text(encoding="utf-8"))
    rows = [row for row in rows if row["output"].strip()][:100]
    chat = chat_of("chatml", "qwen")
    found = chat.leaves_of_many(
        [talk(f"u:{row['instruction']}\n{row['input']}", f"a:{row['output']}") for row in rows], "assistant"
    )
    for row, leaves in zip(rows, found, strict=True):
        assert not isinstance(leaves, Refused)
        assert learnt(chat, leaves[0]) == row["output"] + "<|im_end|>"
