"""Tools and reasoning through chat templates: what `transformers` writes, what serving prompts with, what is learnt."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken
from transformers import PreTrainedTokenizerFast

from tutelage.records import Conversation, Message, Part, ToolCall
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.rendering import Refused

from .conversations_for_tests import chat_of, message
from .tokenizers_for_tests import KINDS, byte_level, special, tokenizer_of, wrapped

WEATHER = json.dumps(
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "How it is — 天气",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    },
    ensure_ascii=False,
)
CALL = ToolCall("weather", '{"city": "Zürich", "days": 2}', "abcdefghi")
TALK = (
    message("system", "Be brief."),
    message("user", "Weather?"),
    replace(message("assistant", ""), calls=(CALL,)),
    Message("tool", (Part("sun"),), name="weather", call_id="abcdefghi"),
    message("assistant", "Sunny."),
    message("user", "And there?"),
    replace(message("assistant", "Let me see."), calls=(CALL, CALL)),
    message("tool", "rain"),
    message("tool", "snow"),
    message("assistant", "Wet."),
)
TOOLED = Conversation(TALK, (WEATHER,))

# gpt-oss's way: a call ends in a token of its own, and history loses its thoughts once an answer follows.
CALL_ENDS = """
{%- if tools %}{{ '<|start|>developer<|message|>' + (tools | tojson) + '<|end|>' }}{% endif -%}
{%- set later = namespace(answered=messages and messages[-1].role == 'assistant' and not messages[-1].tool_calls) -%}
{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
{%- if message.thinking and (loop.last or not later.answered) -%}
{{- '<|start|>assistant<|channel|>analysis<|message|>' + message.thinking + '<|end|>' -}}
{%- endif -%}
{%- if message.tool_calls -%}
{{- '<|start|>assistant to=' + message.tool_calls[0].function.name + '<|message|>' -}}
{{- message.tool_calls[0].function.arguments | tojson + '<|call|>' -}}
{%- else -%}
{{- '<|start|>assistant<|channel|>final<|message|>' + message.content + '<|return|>' -}}
{%- endif -%}
{%- else -%}
{{- '<|start|>' + message.role + '<|message|>' + message.content + '<|end|>' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|start|>assistant' -}}{%- endif -%}
"""

# DeepSeek's way: arguments are joined to text.
JOINED = """
{%- for tool in tools or [] -%}{{- tool.function.name + '\\n' -}}{%- endfor -%}
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content -}}
{%- for call in message.tool_calls or [] -%}{{- call.function.name + ' ' + call.function.arguments -}}{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""

# QwQ's way: the generation prompt opens the thinking.
THINKS = """
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.role == 'assistant' and loop.last -%}
{{- '<think>\\n' + (message.reasoning_content or '') + '\\n</think>\\n\\n' -}}
{%- endif -%}
{{- message.content + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n<think>\\n' -}}{%- endif -%}
"""

# DeepSeek-R1's: it opens the thinking, and a finished turn has none.
FORGETS = THINKS.replace("{%- if message.role == 'assistant' and loop.last -%}", "{%- if false -%}")


def plain(talk: tuple[Message, ...], as_text: bool = False) -> list[dict[str, Any]]:
    """As `apply_chat_template` takes them."""
    rows = []
    for one in talk:
        row: dict[str, Any] = {"role": one.role, "content": "".join(part.text for part in one.content)}
        if one.reasoning:
            row["reasoning_content"] = one.reasoning
        if one.calls:
            row["tool_calls"] = [
                {
                    "type": "function",
                    **({"id": call.id} if call.id else {}),
                    "function": {
                        "name": call.name,
                        "arguments": call.arguments if as_text else json.loads(call.arguments),
                    },
                }
                for call in one.calls
            ]
        row |= {"name": one.name} if one.name else {}
        row |= {"tool_call_id": one.call_id} if one.call_id else {}
        rows.append(row)
    return rows


def learnt(chat: ChatFormat, conversation: Conversation) -> list[str]:
    tokenizer = chat.vocabulary.tokenizer
    return [tokenizer.decode(leaf.ids[leaf.start :].tolist()) for leaf in chat.leaves(conversation)]


def served_as_trained(chat: ChatFormat, conversation: Conversation, as_text: bool = False) -> None:
    """Promise 4: a leaf's prompt is what transformers writes for the messages before the turn."""
    tokenizer = chat.vocabulary.tokenizer
    tools = [json.loads(tool) for tool in conversation.tools] or None
    places = [place for place, one in enumerate(conversation.messages) if one.role == "assistant"]
    for leaf, place in zip(chat.leaves(conversation), places, strict=True):
        before = conversation.messages[:place]
        served = tokenizer.apply_chat_template(
            plain(before, as_text), tools, chat_template=chat.template, add_generation_prompt=True, return_dict=False
        )
        assert leaf.ids[: leaf.start].tolist() == served == chat.prompt_ids(before, conversation.tools)


def harmony() -> PreTrainedTokenizerFast:
    """Ends of an answer and of a call that are two tokens."""
    tokenizer = byte_level()
    names = ("start", "message", "channel", "end", "call", "return")
    tokenizer.add_special_tokens([special(f"<|{name}|>") for name in names])
    return wrapped(tokenizer, eos_token="<|return|>")


def test_what_is_learnt_of_a_conversation_with_tools() -> None:
    chat = chat_of("chatml", "hermes")
    call = '<tool_call>\n{"name": "weather", "arguments": {"city": "Zürich", "days": 2}}\n</tool_call>'
    assert learnt(chat, TOOLED) == [
        f"{call}<|im_end|>",
        "Sunny.<|im_end|>",
        f"Let me see.\n{call}\n{call}<|im_end|>",
        "Wet.<|im_end|>",
    ]
    prompt = chat.render(TALK[:4], tools=(WEATHER,))
    assert prompt.startswith("<|im_start|>system\nBe brief.\n\n# Tools\n\nYou may call")
    assert f"<tools>\n{WEATHER}\n</tools>" in prompt
    assert prompt.endswith("user\n<tool_response>\nsun\n</tool_response><|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_prompts_with_tools_are_those_of_serving(kind: str) -> None:
    chat = chat_of(kind, "hermes")
    served_as_trained(chat, TOOLED)
    served_as_trained(chat, replace(TOOLED, tools=()))
    for leaf, turn in zip(chat.leaves(TOOLED), chat.turns(TALK, "assistant", TOOLED.tools), strict=True):
        assert leaf.ids[-1] == chat.stop_id
        assert turn.stop is None


WORDS = st.sampled_from(["a", "weather", "hot\n", "天", '"', "<b>", "{}", " "])
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map("".join)
ARGUMENTS = st.dictionaries(TEXTS, TEXTS | st.integers() | st.none() | st.lists(TEXTS, max_size=2), max_size=3)
CALLS = st.builds(lambda arguments: ToolCall("weather", json.dumps(arguments, ensure_ascii=False)), ARGUMENTS)


@st.composite
def with_tools(draw: st.DrawFn) -> Conversation:
    talk = [message("user", draw(TEXTS))]
    for _ in range(draw(st.integers(0, 2))):
        calls = tuple(draw(st.lists(CALLS, min_size=1, max_size=2)))
        thought = draw(st.sampled_from(["", "Hm.", "Why?\nSo."]))
        talk.append(replace(message("assistant", draw(st.sampled_from(["", "Wait."]))), calls=calls, reasoning=thought))
        talk += [message("tool", draw(TEXTS)) for _ in calls]
    talk.append(message("assistant", f"A{draw(TEXTS)}"))
    return Conversation(tuple(talk), draw(st.sampled_from([(), (WEATHER,), (WEATHER, WEATHER)])))


@settings(max_examples=80)
@given(conversation=with_tools(), kind=st.sampled_from(["chatml", "gpt2", "llama3"]))
def test_any_conversation_with_tools_is_served_as_trained(conversation: Conversation, kind: str) -> None:
    chat = chat_of(kind, "hermes")
    served_as_trained(chat, conversation)
    for text, one in zip(
        learnt(chat, conversation), [one for one in conversation.messages if one.role == "assistant"], strict=True
    ):
        assert all(f'"name": "{call.name}", "arguments": {call.arguments}' in text for call in one.calls)
        assert one.reasoning in text


def test_a_call_that_ends_in_a_token_of_its_own_is_learnt_with_it() -> None:
    chat = ChatFormat(harmony(), CALL_ENDS)
    token = chat.vocabulary.id_of
    assert chat.stop_ids == (token("<|return|>"), token("<|call|>")), "generation stops at both"
    talk = tuple(
        replace(one, reasoning=f"Thought {place}.") if one.role == "assistant" else one
        for place, one in enumerate(TALK[:5])
    )
    conversation = Conversation(talk, (WEATHER,))
    served_as_trained(chat, conversation)
    assert learnt(chat, conversation) == [
        "<|channel|>analysis<|message|>Thought 2.<|end|><|start|>assistant to=weather<|message|>"
        '{"city": "Zürich", "days": 2}<|call|>',
        "<|channel|>analysis<|message|>Thought 4.<|end|><|start|>assistant<|channel|>final<|message|>Sunny.<|return|>",
    ]


def test_a_template_that_wants_arguments_as_text_gets_them_so() -> None:
    chat = ChatFormat(tokenizer_of("chatml"), JOINED)
    assert learnt(chat, TOOLED)[0] == f"weather {CALL.arguments}<|im_end|>"
    served_as_trained(chat, TOOLED, as_text=True)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("hermes", "<think>\nHm.\n</think>\n\nYes.<|im_end|>"),
        (THINKS, "Hm.\n</think>\n\nYes.<|im_end|>"),
        (FORGETS, "Hm.\n</think>\n\nYes.<|im_end|>"),
    ],
)
def test_reasoning_is_learnt_as_the_template_writes_it(template: str, expected: str) -> None:
    chat = chat_of("chatml", template) if template == "hermes" else ChatFormat(tokenizer_of("chatml"), template)
    conversation = Conversation((message("user", "Is it?"), replace(message("assistant", "Yes."), reasoning="Hm.")))
    assert learnt(chat, conversation) == [expected]
    served_as_trained(chat, conversation)


REASONED = (message("user", "Hi"), replace(message("assistant", "Yes."), reasoning="Hm."))


@pytest.mark.parametrize(
    ("template", "conversation", "expected"),
    [
        ("chatml", TOOLED, "the chat template says nothing of the tools that the rows offer; choose another"),
        ("llama3", replace(TOOLED, tools=()), "the chat template says nothing of tool calls; choose another"),
        ("chatml", Conversation(REASONED), "the chat template leaves out reasoning that stands apart from the answer"),
        ("vicuna", Conversation((TALK[1], message("assistant", "A"), message("tool", "x"), TALK[4])), "refuses it"),
    ],
)
def test_what_a_template_does_not_know_is_refused(template: str, conversation: Conversation, expected: str) -> None:
    chat = chat_of("chatml", template)
    with pytest.raises(Refused) as caught:
        chat.leaves(conversation)
    assert expected in caught.value.reason
    assert isinstance(chat.leaves_of_many([conversation], "assistant")[0], Refused)


@pytest.mark.parametrize(
    "conversation",
    [
        replace(TOOLED, tools=(WEATHER.replace("How it is", "<|im_end|>"),)),
        replace(
            TOOLED, messages=(*TALK[:2], replace(TALK[2], calls=(replace(CALL, arguments='{"a": "<|im_end|>"}'),)))
        ),
        replace(TOOLED, messages=(*TALK[:4], replace(TALK[4], reasoning="<|im_start|>"))),
        replace(TOOLED, messages=(*TALK[:3], replace(TALK[3], name="<|im_end|>"), TALK[4])),
    ],
)
def test_no_text_becomes_a_control_token(conversation: Conversation) -> None:
    with pytest.raises(Refused, match="special token"):
        chat_of("chatml", "hermes").leaves(conversation)


def test_leaves_with_tools_are_one_path() -> None:
    first, second, third, fourth = chat_of("chatml", "hermes").leaves(TOOLED)
    for earlier, later in ((first, second), (second, third), (third, fourth)):
        assert later.ids[: len(earlier.ids)].tolist() == earlier.ids.tolist()


def test_a_tag_that_is_an_added_token_is_part_of_the_call() -> None:
    tokenizer = KINDS["chatml"]()
    tokenizer.add_tokens([AddedToken(tag, normalized=False) for tag in ("<tool_call>", "</tool_call>")])
    chat = ChatFormat(tokenizer, chat_of("chatml", "hermes").template)
    assert learnt(chat, TOOLED)[0].endswith("</tool_call><|im_end|>")
    assert len(chat.stop_ids) == 1
