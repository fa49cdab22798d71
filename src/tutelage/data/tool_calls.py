"""Tools in rows: those on offer and the calls of them, in the shapes that data sets have, to one shape.

OpenAI's chat API gives `tools` as a list of {"type": "function", "function": {"name", "description", "parameters"}} and
calls with arguments as JSON text; many files have the tools as JSON text, bare functions without the outer object, or
arguments as an object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import orjson

from tutelage.data import fields
from tutelage.data.fields import BadRow
from tutelage.records import ToolCall


def tools_of(row: Mapping[str, object]) -> tuple[str, ...]:
    """What a row offers in `tools`, or in OpenAI's older `functions`, as `Conversation.tools` has it.

    >>> tools_of({"tools": '[{"name": "add", "parameters": {}}]'})
    ('{"type": "function", "function": {"name": "add", "parameters": {}}}',)
    """
    given = row.get("tools") or row.get("functions")
    if isinstance(given, str):
        given = _parsed(given, "field `tools`") if given.strip() else None
    if isinstance(given, dict):
        given = [given]
    return tuple(_tool(tool) for tool in fields.as_list(given or [], "field `tools`"))


def calls_of(row: Mapping[str, object]) -> tuple[ToolCall, ...]:
    """What a message calls in `tool_calls`, or in OpenAI's older `function_call`."""
    given = row.get("tool_calls")
    if isinstance(given, str):
        given = _parsed(given, "field `tool_calls`") if given.strip() else None
    if isinstance(given, dict):
        given = [given]
    listed = fields.as_list(given or [], "field `tool_calls`")
    older = row.get("function_call")
    return tuple(_call(call) for call in (listed or ([older] if older else [])))


def calls_in(text: str) -> tuple[ToolCall, ...]:
    """ShareGPT's `function_call`: one call, or a list of them, as JSON text.

    >>> calls_in('{"name": "add", "arguments": {"a": 2}}')
    (ToolCall(name='add', arguments='{"a": 2}', id=None),)
    """
    given = _parsed(text, "a function call")
    found = tuple(_call(call) for call in (given if isinstance(given, list) else [given]))
    if not found:
        raise BadRow("a function call is empty")
    return found


def _tool(value: object) -> str:
    if isinstance(value, str):
        value = _parsed(value, "a tool")
    tool = fields.mapping(value, "a tool")
    whole = tool if "function" in tool else {"type": "function", "function": tool}
    function = fields.mapping(whole["function"], "a tool")
    if not isinstance(function.get("name"), str):
        raise BadRow("a tool has no name")
    parameters = function.get("parameters")
    if isinstance(parameters, str):  # so that tables keep them: a column's objects have the same fields in all rows
        parameters = _parsed(parameters, "a tool's parameters") if parameters.strip() else {}
        whole = {**whole, "function": {**function, "parameters": parameters}}
    return fields.as_text(_text(whole), "a tool")


def _call(value: object) -> ToolCall:
    call = fields.mapping(value, "a tool call")
    function = fields.mapping(call["function"], "a tool call") if "function" in call else call
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise BadRow("a tool call has no name")
    id = call.get("id")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        arguments = _parsed(arguments, "a tool call's arguments") if arguments.strip() else {}
    text = _text(fields.mapping(arguments or {}, "a tool call's arguments"))
    return ToolCall(
        fields.as_text(name, "a tool call"),
        fields.as_text(text, "a tool call's arguments"),
        None if id is None else fields.as_text(id, "a tool call's id"),
    )


def _text(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        raise BadRow("a tool is nested too deeply") from None


def _parsed(text: str, what: str) -> object:
    try:
        return orjson.loads(fields.as_text(text, what))
    except orjson.JSONDecodeError:
        raise BadRow(f"{what} is not JSON") from None
