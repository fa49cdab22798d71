"""Tools and reasoning in rows: every shape that data sets have gives one record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tutelage.data.fields import BadRow
from tutelage.data.formats import FORMATS
from tutelage.data.ledger import Ledger
from tutelage.data.load import load
from tutelage.data.settings import SourceSettings
from tutelage.records import Conversation, Message, Part, ToolCall

FUNCTION = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
TOOL = {"type": "function", "function": FUNCTION}
WHOLE = (json.dumps(TOOL),)
CALL = ToolCall("weather", '{"city": "Zürich"}')
ARGUMENTS: dict[str, object] = {"city": "Zürich"}


def said(role: str, text: str, **more: object) -> Message:
    return Message(role, (Part(text),), **more)  # type: ignore[arg-type]


EXPECTED = Conversation(
    (said("user", "Weather?"), said("assistant", "", calls=(CALL,)), said("tool", "sun"), said("assistant", "Sunny.")),
    WHOLE,
)


def chat(call: dict[str, object], answer: dict[str, object], tools: object = (TOOL,), key: str = "tools") -> object:
    given = [{"role": "user", "content": "Weather?"}, {"role": "assistant", **call}]
    given += [{"content": "sun", **answer}, {"role": "assistant", "content": "Sunny."}]
    return {"messages": given, key: list(tools) if isinstance(tools, tuple) else tools}


MODERN: dict[str, object] = {
    "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}}]
}
AS_TEXT: dict[str, object] = {
    "content": None,
    "tool_calls": [{"function": {"name": "weather", "arguments": json.dumps(ARGUMENTS)}}],
}
BARE: dict[str, object] = {"content": "", "tool_calls": json.dumps([{"name": "weather", "arguments": ARGUMENTS}])}
OLDER: dict[str, object] = {"content": None, "function_call": {"name": "weather", "arguments": json.dumps(ARGUMENTS)}}
ANSWER: dict[str, object] = {"role": "tool"}


@pytest.mark.parametrize(
    "row",
    [
        chat(MODERN, ANSWER),
        chat(AS_TEXT, ANSWER, json.dumps([TOOL])),
        chat(BARE, ANSWER, (FUNCTION,)),
        chat(BARE, ANSWER, (json.dumps(FUNCTION),)),
        chat(OLDER, {"role": "function"}, (FUNCTION,), "functions"),
        chat(MODERN, ANSWER, ({**TOOL, "function": {**FUNCTION, "parameters": json.dumps(FUNCTION["parameters"])}},)),
    ],
)
def test_every_shape_of_tools_and_calls_gives_the_same_record(row: object) -> None:
    assert FORMATS["messages"].convert(row, "sft") == EXPECTED


def test_sharegpt_with_tools_gives_the_same_record() -> None:
    value = [
        {"from": "human", "value": "Weather?"},
        {"from": "function_call", "value": json.dumps({"name": "weather", "arguments": ARGUMENTS})},
        {"from": "observation", "value": "sun"},
        {"from": "gpt", "value": "Sunny."},
    ]
    row = {"conversations": value, "tools": json.dumps([FUNCTION])}
    assert FORMATS["sharegpt"].convert(row, "sft") == EXPECTED
    several = json.dumps([{"name": "weather", "arguments": ARGUMENTS}] * 2)
    value[1]["value"] = several
    record = FORMATS["sharegpt"].convert(row, "sft")
    assert isinstance(record, Conversation)
    assert record.messages[1].calls == (CALL, CALL)


def test_names_ids_and_reasoning_are_kept() -> None:
    for key in ("reasoning_content", "thinking", "reasoning"):
        row = {
            "messages": [
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "weather"}}], key: "Ask."},
                {"role": "tool", "content": "sun", "name": "weather", "tool_call_id": "c1"},
                {"role": "assistant", "content": "Sunny.", key: "I see.", "train": True},
            ]
        }
        record = FORMATS["messages"].convert(row, "sft")
        assert isinstance(record, Conversation)
        call = ToolCall("weather", "{}", "c1")
        assert record.messages[1:] == (
            said("assistant", "", reasoning="Ask.", calls=(call,)),
            said("tool", "sun", name="weather", call_id="c1"),
            said("assistant", "Sunny.", train=True, reasoning="I see."),
        )
        assert record.tools == ()


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ("u c u a", "a tool call is not followed by its answer"),
        ("u c a", "a tool call is not followed by its answer"),
        ("u t a", "a tool's answer does not follow the assistant"),
        ("t u a", "a tool's answer does not follow the assistant"),
        ("u c t", "the conversation does not end with the assistant"),
        ("u c t u", "user and assistant do not alternate, the user first"),
        ("u c t t c t a u a t a", None),
        ("u c", None),
    ],
)
def test_the_order_of_turns_with_tools(roles: str, expected: str | None) -> None:
    turns: dict[str, dict[str, object]] = {
        "u": {"role": "user", "content": "U"},
        "a": {"role": "assistant", "content": "A"},
        "c": {"role": "assistant", **MODERN},
        "t": {"role": "tool", "content": "T"},
    }
    row = {"messages": [turns[role] for role in roles.split()]}
    if expected is None:
        FORMATS["messages"].convert(row, "sft")
        return
    with pytest.raises(BadRow) as caught:
        FORMATS["messages"].convert(row, "sft")
    assert str(caught.value) == expected


def test_real_rows_with_tools_are_all_kept(shared_data: Path) -> None:
    path = shared_data / "sft" / "glaive_toolcall_en_demo.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    ledger = Ledger(None)
    found = 0
    for row, (origin, _, record) in zip(rows, load(SourceSettings(path=path), "sft", ledger), strict=True):
        ledger.kept(origin, examples=1, tokens=1, supervised=1)
        assert isinstance(record, Conversation)
        assert [json.loads(tool)["function"] for tool in record.tools] == json.loads(row["tools"] or "[]")
        for message, given in zip(record.messages, row["conversations"], strict=True):
            assert message.role == {"human": "user", "observation": "tool"}.get(given["from"], "assistant")
            if given["from"] == "function_call":
                (call,) = message.calls
                assert {"name": call.name, "arguments": json.loads(call.arguments)} == json.loads(given["value"])
                found += 1
            else:
                assert message.content[0].text == given["value"]
    assert found == 211
