"""ShareGPT's lists of {from, value}, as Vicuna's data has them and LLaMA-Factory extends them with tools."""

from __future__ import annotations

from collections.abc import Mapping

from tutelage.data import fields
from tutelage.data.conversations import messages, said_of_training, turn
from tutelage.data.fields import BadRow
from tutelage.data.tool_calls import calls_in
from tutelage.records import Message, Part

FUNCTION_CALL = "function_call"

# The names of speakers that are found in such files.
_ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    FUNCTION_CALL: FUNCTION_CALL,
    "observation": "tool",
    "tool": "tool",
    "function_response": "tool",
}


def exchanged(value: object, what: str) -> tuple[Message, ...]:
    """The messages of a list of {from, value}, or of {role, content}; `what` names it in the reason of a `BadRow`.

    >>> call = {"from": "function_call", "value": '{"name": "add", "arguments": {"a": 2}}'}
    >>> [(one.role, one.calls[0].name) for one in exchanged([call], "the list")]
    [('assistant', 'add')]
    """
    found: list[Message] = []
    for item in fields.as_list(value, what):
        row = fields.mapping(item, "a message")
        found += [_said(row)] if "from" in row else messages([_by_role(row)], what)
    return tuple(found)


def _said(row: Mapping[str, object]) -> Message:
    speaker = fields.text(dict(row), "from").lower()
    if speaker not in _ROLES:
        raise BadRow("a message has an unknown role")
    text = fields.text(dict(row), "value")
    role = _ROLES[speaker]
    if role == FUNCTION_CALL:
        return Message("assistant", (Part(""),), said_of_training(row), calls=calls_in(text))
    said = turn(role, text)
    return Message(role, said.content, said_of_training(row))


def _by_role(row: dict[str, object]) -> dict[str, object]:
    """A message of OpenAI's shape whose roles may have ShareGPT's names."""
    role = row.get("role")
    known = _ROLES.get(role) if isinstance(role, str) else None
    if known == FUNCTION_CALL:
        return {**row, "role": "assistant", "tool_calls": row.get("content"), "content": ""}
    return row if known is None else {**row, "role": known}
