"""Other names for fields: a row's columns, its messages' keys and speakers, to the names that formats read."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from tutelage.errors import UserError, did_you_mean
from tutelage.settings import Settings


class ColumnSettings(Settings):
    """What the rows call a field; empty: the field is not read, though the rows have it."""

    instruction: str | None = Field(None, description="Alpaca's: what is to be done")
    input: str | None = Field(None, description="Alpaca's: what it is to be done with")
    output: str | None = Field(None, description="Alpaca's: the answer")
    history: str | None = Field(None, description="Alpaca's: the turns before, as [question, answer]")
    system: str | None = Field(None, description="the system text")
    tools: str | None = Field(None, description="the tools on offer")
    messages: str | None = Field(None, description="the list of messages")
    prompt: str | None = Field(None, description="what the completion, or the chosen answer, follows")
    completion: str | None = Field(None, description="what is learnt after the prompt")
    chosen: str | None = Field(None, description="the better answer")
    rejected: str | None = Field(None, description="the worse answer")
    label: str | None = Field(None, description="whether the answer is a good one, true or false")
    text: str | None = Field(None, description="plain text")


class TagSettings(Settings):
    """What the rows' messages call their parts and speakers, where neither `messages` nor ShareGPT's names are used."""

    role: str = Field("from", description="the key of the speaker")
    content: str = Field("value", description="the key of what is said")
    user: str = Field("human", description="the user")
    assistant: str = Field("gpt", description="the assistant")
    system: str = Field("system", description="the system text")
    tool: str = Field("observation", description="a tool's answer")
    call: str = Field("function_call", description="a call of a tool, as JSON")

    def renamed(self, message: object) -> object:
        """A message as {role, content}, its other keys kept; what is none is left to the format to refuse."""
        if not isinstance(message, dict) or self.role not in message:
            return message
        roles = {
            self.user: "user",
            self.assistant: "assistant",
            self.system: "system",
            self.tool: "tool",
            self.call: "function_call",
        }
        speaker = message[self.role]
        rest = {key: value for key, value in message.items() if key not in (self.role, self.content)}
        said = {"content": message[self.content]} if self.content in message else {}
        return {**rest, "role": roles.get(speaker, speaker) if isinstance(speaker, str) else speaker, **said}


_OF_MESSAGES = ("conversations", "messages", "prompt", "completion", "chosen", "rejected")


class Renaming:
    """The names of one source."""

    def __init__(self, columns: ColumnSettings | None, tags: TagSettings | None) -> None:
        named = columns.model_dump(exclude_none=True) if columns else {}
        self._theirs: dict[str, str] = {ours: theirs for ours, theirs in named.items() if theirs}
        self._unread = {ours for ours, theirs in named.items() if not theirs}
        self._tags = tags

    def __call__(self, row: object) -> object:
        """The row with our names.

        >>> Renaming(ColumnSettings(instruction="question", output="answer"), None)({"question": "2 + 2?", "answer": 4})
        {'instruction': '2 + 2?', 'output': 4}
        """
        if not isinstance(row, dict):
            return row
        taken = dict.fromkeys(self._theirs.values()) | dict.fromkeys(self._unread)
        found = {key: value for key, value in row.items() if key not in taken}
        found |= {ours: row[theirs] for ours, theirs in self._theirs.items() if theirs in row}
        return self._with_roles(found) if self._tags else found

    def check(self, rows: Sequence[object], name: str) -> None:
        """Raises `UserError` for a column that none of the rows has."""
        known = list(dict.fromkeys(str(key) for row in rows if isinstance(row, dict) for key in row))
        for ours, theirs in self._theirs.items():
            if known and theirs not in known:
                advice = did_you_mean(theirs, known, f"there are {', '.join(known[:10])}")
                raise UserError(f"columns.{ours}={theirs}: no row of {name} has such a column; {advice}")

    def _with_roles(self, row: dict[str, object]) -> dict[str, object]:
        assert self._tags is not None
        found = dict(row)
        for key in _OF_MESSAGES:
            value = found.get(key)
            if isinstance(value, list):
                found[key] = [self._tags.renamed(message) for message in value]
            elif isinstance(value, dict):
                found[key] = self._tags.renamed(value)
        if "messages" in found and "conversations" not in found:
            found["conversations"] = found.pop("messages")  # read by the reader that knows calls as messages
        return found
