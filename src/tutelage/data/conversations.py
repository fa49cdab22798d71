"""Lists of messages as OpenAI's chat API has them, to a `Conversation`: content, roles and order checked.

Shape of a message: https://platform.openai.com/docs/api-reference/chat; `weight` as in its fine-tuning files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tutelage.data import fields
from tutelage.data.fields import BadRow
from tutelage.records import Conversation, Message, Part

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_TOOL_ROLES = {"tool": "holds a tool's answer", "function": "holds a tool's answer"}

# What a message may hold besides its content and what would be lost if it were passed over.
_UNREAD = {
    "tool_calls": "holds a tool call",
    "function_call": "holds a tool call",
    "reasoning_content": "holds reasoning apart from the answer",
    "audio": "holds audio",
}

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


def messages(value: object, what: str) -> tuple[Message, ...]:
    """The messages of a list, each read by itself; `what` names the list in the reason of a `BadRow`."""
    return tuple(_message(fields.mapping(item, "a message")) for item in fields.as_list(value, what))


def conversation(turns: Iterable[Message]) -> Conversation:
    """The messages as a conversation: a system message or none, then user and assistant in turn, the assistant last.

    Raises `BadRow` where the order is another one, and where a turn of the user or the assistant is empty.
    """
    turns = tuple(turns)
    _check_order([message.role for message in turns])
    for message in turns:
        if message.role != "system":
            what = "the answer" if message.role == "assistant" else "a user turn"
            fields.filled("".join(part.text for part in message.content), what)
    return Conversation(turns)


def turn(role: str, content: str) -> Message:
    """A message of one piece of text that says nothing of its own about being learnt."""
    return Message(role, (Part(content),))


def _check_order(roles: Sequence[str]) -> None:
    if not roles:
        raise BadRow("the conversation is empty")
    if "system" in roles[1:]:
        raise BadRow("a system message is not the first")
    if "user" not in roles:
        raise BadRow("there is no user turn")
    spoken = [role for role in roles if role != "system"]
    if any(role != ("user", "assistant")[place % 2] for place, role in enumerate(spoken)):
        raise BadRow("user and assistant do not alternate, the user first")
    if spoken[-1] != "assistant":
        raise BadRow("the conversation does not end with the assistant")


def _message(row: dict[str, object]) -> Message:
    for key, reason in _UNREAD.items():
        if row.get(key):
            raise BadRow(reason)
    role = fields.text(row, "role")
    if role in _TOOL_ROLES:
        raise BadRow(_TOOL_ROLES[role])
    if role not in _ROLES:
        raise BadRow("a message has an unknown role")
    return Message(_ROLES[role], _parts(fields.required(row, "content")), _train(row))


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


def _train(row: dict[str, object]) -> bool | None:
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
