"""Lists of messages as OpenAI's chat API has them, to a `Conversation`: content, roles and order checked.

Shape of a message: https://platform.openai.com/docs/api-reference/chat; `weight` as in its fine-tuning files; reasoning
apart from the answer as `reasoning_content` (vLLM, DeepSeek), `thinking` (gpt-oss) or `reasoning` (OpenRouter).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tutelage.data import fields
from tutelage.data.fields import BadRow, UnwantedRow
from tutelage.data.tool_calls import calls_of, tools_of
from tutelage.records import Conversation, Message, Part

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_REASONING = ("reasoning_content", "thinking", "reasoning")

_UNREAD_PARTS = {
    "image": "holds an image",
    "image_url": "holds an image",
    "input_image": "holds an image",
    "audio": "holds audio",
    "audio_url": "holds audio",
    "input_audio": "holds audio",
    "video": "holds a video",
    "video_url": "holds a video",
    "file": "holds a file",
}
# Columns beside the messages that hold what they speak of.
_UNREAD_COLUMNS = {
    "image": "holds an image",
    "images": "holds an image",
    "audio": "holds audio",
    "audios": "holds audio",
    "video": "holds a video",
    "videos": "holds a video",
}

# Which roles may follow which; "calling" is an assistant's turn that calls tools.
_FOLLOWS: Mapping[str, tuple[str, ...]] = {
    "system": ("user",),
    "user": ("assistant", "calling"),
    "assistant": ("user", "tool"),
    "calling": ("tool",),
    "tool": ("tool", "assistant", "calling"),
}


def messages(value: object, what: str) -> tuple[Message, ...]:
    """The messages of a list, each read by itself; `what` names the list in the reason of a `BadRow`."""
    return tuple(_message(fields.mapping(item, "a message")) for item in fields.as_list(value, what))


def conversation(turns: Iterable[Message], row: Mapping[str, object] | None = None) -> Conversation:
    """The messages as a conversation: a system message or none, then user and assistant in turn, the assistant last.

    row: that they are of, whose other fields say which tools are offered, and may say that it can't be learnt. After an
    assistant's turn, tools may answer before it goes on.

    Raises `BadRow` where the order is another one, and where a turn of the user or the assistant is empty.
    """
    turns = tuple(turns)
    _check_order(turns)
    for message in turns:
        if message.role in ("user", "assistant") and not message.calls:
            what = "the answer" if message.role == "assistant" else "a user turn"
            fields.filled("".join(part.text for part in message.content), what)
    refuse_unread(row or {})
    return Conversation(turns, tools_of(row or {}))


def turn(role: str, content: str) -> Message:
    """A message of one piece of text that says nothing of its own about being learnt."""
    return Message(role, (Part(content),))


def refuse_unread(row: Mapping[str, object]) -> None:
    """What changes a row's meaning and is not read must not be passed over. Raises `BadRow`."""
    for key, reason in _UNREAD_COLUMNS.items():
        if row.get(key):
            raise BadRow(reason)
    if row.get("label") is False:
        raise UnwantedRow("field `label` is false: an answer marked as bad")


def _check_order(turns: tuple[Message, ...]) -> None:
    roles = [message.role for message in turns]
    if not roles:
        raise BadRow("the conversation is empty")
    if "system" in roles[1:]:
        raise BadRow("a system message is not the first")
    if "user" not in roles:
        raise BadRow("there is no user turn")
    before = "system"
    for message in turns[roles[0] == "system" :]:
        now = "calling" if message.calls else message.role
        if now not in _FOLLOWS[before]:
            raise BadRow(_misplaced(before, now))
        before = now
    if roles[-1] != "assistant":
        raise BadRow("the conversation does not end with the assistant")


def _misplaced(before: str, now: str) -> str:
    if before == "calling":
        return "a tool call is not followed by its answer"
    if now == "tool":
        return "a tool's answer does not follow the assistant"
    return "user and assistant do not alternate, the user first"


def _message(row: dict[str, object]) -> Message:
    if row.get("audio"):
        raise BadRow("holds audio")
    role = fields.text(row, "role")
    if role not in _ROLES:
        raise BadRow("a message has an unknown role")
    role = _ROLES[role]
    calls = calls_of(row)
    if calls and role != "assistant":
        raise BadRow("a tool is called by somebody else than the assistant")
    content = row.get("content") if calls else fields.required(row, "content")
    return Message(
        role,
        _parts("" if calls and content is None else content),
        said_of_training(row),
        reasoning=_reasoning(row) if role == "assistant" else "",
        calls=calls,
        name=_named(row, "name") if role == "tool" else None,
        call_id=_named(row, "tool_call_id") if role == "tool" else None,
    )


def _reasoning(row: Mapping[str, object]) -> str:
    given = next((row[key] for key in _REASONING if row.get(key)), "")
    return fields.as_text(given, "the reasoning")


def _named(row: Mapping[str, object], key: str) -> str | None:
    return None if row.get(key) is None else fields.as_text(row[key], f"field `{key}`")


def _parts(content: object) -> tuple[Part, ...]:
    if not isinstance(content, list):
        return (Part(fields.as_text(content, "field `content`")),)
    return tuple(_part(fields.mapping(item, "a part of the content")) for item in content)


def _part(row: dict[str, object]) -> Part:
    name = fields.text(row, "type")
    if name in _UNREAD_PARTS:
        raise BadRow(_UNREAD_PARTS[name])
    if name != "text":
        raise BadRow("holds a part of an unknown type")
    return Part(fields.text(row, "text"))


def said_of_training(row: Mapping[str, object]) -> bool | None:
    """What the message says of being learnt: `train` as true or false, or `weight` as 1 or 0; null is as absent."""
    train, weight = row.get("train"), row.get("weight")
    if train is not None and not isinstance(train, bool):
        raise BadRow(f"field `train` is {fields.kind(train)}, expected true or false")
    if weight is None:
        return train
    if weight not in (0, 1):
        raise BadRow("field `weight` is neither 0 nor 1")
    if train is not None and train != bool(weight):
        raise BadRow("fields `train` and `weight` disagree")
    return bool(weight)
