"""Rows to prompts: what is to be answered, written as training would write it.

A row's own answer (`output`, a last message of the assistant) is left out, so a file that was trained on, or held back
from training, can be answered as it is.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tutelage.data import fields
from tutelage.data.alpaca import read_alpaca
from tutelage.data.conversations import turn
from tutelage.data.fields import BadRow
from tutelage.data.formats import read_messages
from tutelage.data.sources import Row, read_rows
from tutelage.errors import UserError
from tutelage.records import Message

Prompt = tuple[Message, ...]

STAND_IN = "?"
"""An answer in the place of the one that is to come, so that training's own readers read the row."""


LINES_OF_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*\{")
ARRAY_OF_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*\[\s*([\[{\"\]]|$)")


def rows_of(path: Path) -> list[Row]:
    """All rows of a file. Raises UserError where it cannot be read or holds none."""
    rows = list(read_rows(path))
    if not rows:
        raise UserError(f"{path} holds no rows")
    return rows


def rows_of_stream(stream: BinaryIO) -> list[Row]:
    """All rows of standard input: JSON lines, a JSON array or, where it begins with neither, a prompt a line.

    Raises UserError where it holds none, or a broken array.
    """
    data = stream.read()
    if not data.strip():
        raise UserError("standard input is empty: write prompts into it, one a line")
    ending = ".jsonl" if LINES_OF_JSON.match(data) else ".json" if ARRAY_OF_JSON.match(data) else ".txt"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"input{ending}"
        path.write_bytes(data)
        try:
            return rows_of(path)
        except UserError as error:
            raise UserError(str(error).replace(str(path), "standard input")) from None


def prompt_of(value: object) -> Prompt:
    """The messages of a row, the user's last. Raises BadRow.

    >>> prompt_of({"instruction": "Add.", "input": "2 3"})[0].content[0].text
    'Add.\\n2 3'
    """
    if isinstance(value, str):
        return (turn("user", fields.filled(fields.as_text(value, "the prompt"), "the prompt")),)
    row = fields.mapping(value, "the row")
    for key, read in READERS.items():
        if key in row:
            return read(row)
    raise BadRow(f"the row has none of the fields {', '.join(f'`{key}`' for key in READERS)}")


def _messages(row: dict[str, object]) -> Prompt:
    if row.get("tools") or row.get("functions"):
        raise BadRow("offers tools, which are not handed to the model here yet")
    return read_messages({**row, "messages": _asked(row["messages"], "field `messages`")}).messages[:-1]


def _prompt(row: dict[str, object]) -> Prompt:
    if isinstance(row["prompt"], list):
        return _messages({**row, "messages": row["prompt"]})
    return (turn("user", fields.filled(fields.text(row, "prompt"), "the prompt")),)


def _instruction(row: dict[str, object]) -> Prompt:
    if "instances" in row:
        raise BadRow("field `instances` (Self-Instruct) is not read: write each as a row: `instruction`, `input`")
    return read_alpaca({**row, "output": STAND_IN}).messages[:-1]


def _asked(value: object, what: str) -> list[object]:
    """A list of messages whose last answer, if there is one, is a stand-in."""
    given = fields.as_list(value, what)
    answered = bool(given) and isinstance(given[-1], dict) and given[-1].get("role") == "assistant"
    return [*(given[:-1] if answered else given), {"role": "assistant", "content": STAND_IN}]


READERS: dict[str, Callable[[dict[str, object]], Prompt]] = {
    "messages": _messages,
    "prompt": _prompt,
    "instruction": _instruction,
}
