"""Rows to records: a plain table of formats by name, detection, and formats from other packages.

Another package adds a format by an entry point in the group `tutelage.formats` that names a `Format`:

    [project.entry-points."tutelage.formats"]
    mine = "mypackage.formats:MINE"
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points

from tutelage.data import fields
from tutelage.data.alpaca import instances_of, read_alpaca
from tutelage.data.conversations import conversation, messages, refuse_unread, turn
from tutelage.data.dialogues import is_dialogue, turns_of
from tutelage.data.fields import BadRow
from tutelage.data.preferences import read_chosen
from tutelage.data.sharegpt import exchanged
from tutelage.errors import UserError
from tutelage.records import Completion, Conversation, Document, Message, Record


@dataclass(frozen=True)
class Format:
    """How one shape of row is told (`matches`) and read (`read`, which raises `BadRow`), and the stages it is for.

    `keys` are those that a row of it has; they are named where no format is recognised. `split` is for a format whose
    rows hold several each; they are read, and counted, one by one. It raises `BadRow` too.
    """

    name: str
    keys: tuple[str, ...]
    stages: tuple[str, ...]
    matches: Callable[[object], bool]
    read: Callable[[object], Record]
    split: Callable[[object], list[object]] | None = None

    def refusal(self, stage: str) -> str | None:
        """Why a stage does not take rows of this format, and what to do; None where it does."""
        if stage in self.stages:
            return None
        reason = _REFUSALS.get(stage, f"stage={stage} does not read them")
        return f"{reason}; use stage={self.stages[0]} for these rows"

    def convert(self, row: object, stage: str) -> Record:
        """The record of a row. Raises `BadRow` where the row, or its format in this stage, cannot be used."""
        refusal = self.refusal(stage)
        if refusal is not None:
            raise BadRow(refusal)
        return self.read(row)


_REFUSALS = {
    "pretrain": "stage=pretrain reads plain text (a field `text`, or the lines of a .txt file)",
    "sft": "stage=sft reads questions with answers, not plain text",
}


def read_messages(row: object) -> Conversation:
    """OpenAI's rows: `messages`, a list of {role, content}; a message may say `train: false` or `weight: 0`."""
    row = fields.mapping(row, "the row")
    return conversation(messages(fields.required(row, "messages"), "field `messages`"), row)


def read_sharegpt(row: object) -> Conversation:
    """ShareGPT's rows: `conversations`, a list of {from, value}, and LLaMA-Factory's `system` and `tools`."""
    row = fields.mapping(row, "the row")
    turns = exchanged(fields.required(row, "conversations"), "field `conversations`")
    system = fields.optional_text(row, "system")
    opening = [turn("system", system)] if system.strip() and (not turns or turns[0].role != "system") else []
    return conversation([*opening, *turns], row)


def read_completion(row: object) -> Completion | Conversation:
    """TRL's rows: `prompt` and `completion`, both text, or both lists of messages. What is learnt is the completion.

    >>> read_completion({"prompt": "2 + 3 =", "completion": " 5"})
    Completion(prompt='2 + 3 =', completion=' 5')
    """
    row = fields.mapping(row, "the row")
    refuse_unread(row)
    prompt, completion = fields.required(row, "prompt"), fields.required(row, "completion")
    if isinstance(prompt, list) and isinstance(completion, list):
        given = [_learnt(message, False) for message in messages(prompt, "field `prompt`")]
        answer = [_learnt(message, True) for message in messages(completion, "field `completion`")]
        if not answer:
            raise BadRow("the answer is empty")
        return conversation([*given, *answer], row)
    if isinstance(prompt, list) or isinstance(completion, list):
        raise BadRow("of `prompt` and `completion` one is a list and one is not")
    return Completion(
        fields.filled(fields.text(row, "prompt"), "the prompt"),
        fields.filled(fields.text(row, "completion"), "the answer"),
    )


def _learnt(message: Message, train: bool) -> Message:
    """An assistant's message that is learnt or not by its place, unless it says so itself."""
    return replace(message, train=train) if message.role == "assistant" and message.train is None else message


def read_t0(row: object) -> Completion | Conversation:
    """T0's rows (Sanh et al. 2022), prompts already rendered; of an empty answer the reason names the template."""
    row = fields.mapping(row, "the row")
    answer = row.get("completion")
    if isinstance(answer, str) and not answer.strip():
        raise BadRow(f"the answer is empty (template {fields.text(row, 'template'):.60})")
    return read_completion(row)


def read_dialogue(row: object) -> Conversation:
    """A conversation in one text of "Human: … Assistant: …"; see `dialogues`."""
    row = fields.mapping(row, "the row")
    return conversation(turns_of(fields.text(row, "text")), row)


def read_text(row: object) -> Document:
    """Plain text: a line, or a field `text`."""
    if isinstance(row, str):
        return Document(fields.filled(fields.as_text(row, "the text"), "the text"))
    return Document(fields.filled(fields.text(fields.mapping(row, "the row"), "text"), "the text"))


def _has(*keys: str) -> Callable[[object], bool]:
    return lambda row: isinstance(row, dict) and all(key in row for key in keys)


def _is_dialogue(row: object) -> bool:
    return isinstance(row, dict) and is_dialogue(row.get("text"))


def _is_text(row: object) -> bool:
    return isinstance(row, str) or (isinstance(row, dict) and "text" in row)


# Where rows fit two formats alike, the first is taken: Alpaca's own files carry a rendered `text` beside the fields.
FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        Format("alpaca", ("instruction", "output"), ("sft",), _has("instruction", "output"), read_alpaca),
        Format(
            "self-instruct",
            ("instruction", "instances"),
            ("sft",),
            _has("instruction", "instances"),
            read_alpaca,
            instances_of,
        ),
        Format("preference", ("chosen", "rejected"), ("sft",), _has("chosen", "rejected"), read_chosen),
        Format("messages", ("messages",), ("sft",), _has("messages"), read_messages),
        Format("sharegpt", ("conversations",), ("sft",), _has("conversations"), read_sharegpt),
        Format("t0", ("template", "prompt", "completion"), ("sft",), _has("template", "prompt", "completion"), read_t0),
        Format("completion", ("prompt", "completion"), ("sft",), _has("prompt", "completion"), read_completion),
        Format("dialogue", ("text of Human: … Assistant: …",), ("sft",), _is_dialogue, read_dialogue),
        Format("text", ("text",), ("pretrain",), _is_text, read_text),
    )
}

_NEAR_MISSES = {
    "conversation": "say columns.messages=conversation",
    "response": "say columns.output=response",
    "answer": "say columns.output=answer, and columns.instruction for the question",
    "content": "say columns.text=content",
    "target": "say columns.output=target, and columns.instruction for the question",
}


def find(name: str) -> Format:
    """The format of this name: from the table, else from another package's entry point.

    Raises `UserError` for a name that nobody has, with the nearest one, and for a package that does not deliver.
    """
    if name in FORMATS:
        return FORMATS[name]
    others = entry_points(group="tutelage.formats")
    if name not in others.names:
        known = [*FORMATS, *sorted(others.names)]
        near = difflib.get_close_matches(name, known, n=1)
        advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        raise UserError(f"there is no format {name!r}; {advice}")
    entry = others[name]
    try:
        format = entry.load()
    except Exception as error:  # whatever another package's module does when it is imported
        raise UserError(f"the format {name} cannot be had from {entry.value}: {error}") from error
    if not isinstance(format, Format):
        raise UserError(f"the format {name} at {entry.value} is no tutelage.data.formats.Format")
    return format


def detect(rows: Sequence[object], stage: str | None = None) -> Format | None:
    """The format of our table that most of the rows fit, or None where none fits any; of equals, the stage's.

    >>> detect([{"instruction": "Say hi.", "output": "Hi."}, {"instruction": "Say bye."}]).name
    'alpaca'
    """
    fits = {format.name: sum(map(format.matches, rows)) for format in FORMATS.values()}
    best = max(FORMATS.values(), key=lambda format: (fits[format.name], stage in format.stages))
    return best if fits[best.name] else None


def explain_unknown(rows: Sequence[object]) -> str:
    """A clause on rows that fit no format: the keys seen, the formats known with theirs, and a near miss."""
    keys = list(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))
    shown = ", ".join(f"`{key:.40}`" for key in keys[:10]) + (", …" if len(keys) > 10 else "")
    seen = f"rows with the keys {shown}" if keys else f"rows that are {fields.kind(rows[0])}, expected object"
    known = ", ".join(f"{format.name} ({', '.join(format.keys)})" for format in FORMATS.values())
    advice = next((advice for key, advice in _NEAR_MISSES.items() if key in keys), "name fields by `columns`")
    hint = f"; {advice}" if keys else ""
    return f"{seen}, which fit none of the formats {known}{hint}"
