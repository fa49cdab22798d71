"""Rows to prompts: the same text as in training, a row's own answer left out, and reasons for rows that are none."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from tutelage.data.alpaca import read_alpaca
from tutelage.data.fields import BadRow
from tutelage.data.formats import read_messages
from tutelage.errors import UserError
from tutelage.serve.prompts import prompt_of, rows_of, rows_of_stream
from tutelage.tokens.rendering import text_of

QUESTION = {"role": "user", "content": "Add 2 and 3."}
ANSWER = {"role": "assistant", "content": "5"}
SYSTEM = {"role": "system", "content": "Be short."}


def read(value: object) -> list[tuple[str, str]]:
    return [(message.role, text_of(message)) for message in prompt_of(value)]


def test_kinds_of_rows() -> None:
    assert read("你好") == [("user", "你好")]
    assert read({"prompt": "Hi"}) == [("user", "Hi")]
    assert read({"prompt": [SYSTEM, QUESTION]}) == [("system", "Be short."), ("user", "Add 2 and 3.")]
    assert read({"instruction": "Add.", "input": "2 3"}) == [("user", "Add.\n2 3")]
    assert read({"messages": [SYSTEM, QUESTION]}) == [("system", "Be short."), ("user", "Add 2 and 3.")]


def test_a_training_row_is_asked_as_it_was_trained_on() -> None:
    alpaca: dict[str, Any] = {
        "instruction": "Add.",
        "input": "2 3",
        "output": "5",
        "system": "Be short.",
        "history": [["Hi", "Hello"]],
    }
    assert prompt_of(alpaca) == read_alpaca(alpaca).messages[:-1]
    chat = {"messages": [SYSTEM, QUESTION, ANSWER, QUESTION, ANSWER]}
    assert prompt_of(chat) == read_messages(chat).messages[:-1]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (3, "the row is number, expected object"),
        ({"question": "Hi"}, "none of the fields `messages`, `prompt`, `instruction`"),
        ({"prompt": " "}, "the prompt is empty"),
        ({"prompt": 3}, "field `prompt` is number"),
        ({"prompt": "\ud800"}, "half a character"),
        ({"instruction": ""}, "the instruction is empty"),
        ({"messages": []}, "there is no user turn"),
        ({"messages": [SYSTEM]}, "there is no user turn"),
        ({"messages": [ANSWER]}, "there is no user turn"),
        ({"messages": [QUESTION, QUESTION]}, "do not alternate"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "holds an image"),
        ({"messages": "Hi"}, "field `messages` is text, expected list"),
        ({"messages": ["Hi"]}, "a message is text, expected object"),
        ({"messages": [QUESTION], "tools": ["add"]}, "offers tools"),
        ({"instruction": "Add.", "instances": [{"input": "2 3"}]}, "Self-Instruct"),
    ],
)
def test_reasons(row: object, reason: str) -> None:
    with pytest.raises(BadRow, match=reason):
        prompt_of(row)


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"One\n\nTwo\r\n", ["One", "Two"]),
        (b'\xef\xbb\xbf{"prompt": "One"}\n{"prompt": "Two"}\n', [{"prompt": "One"}, {"prompt": "Two"}]),
        (b'\n [{"prompt":\n "One"}]', [{"prompt": "One"}]),
        (b'["One", "Two"]', ["One", "Two"]),
        (b"[INST] One", ["[INST] One"]),
    ],
)
def test_standard_input_is_told_by_how_it_begins(data: bytes, values: list[object]) -> None:
    assert [row.value for row in rows_of_stream(io.BytesIO(data))] == values


def test_standard_input_is_called_so() -> None:
    with pytest.raises(UserError, match=r"^standard input is empty"):
        rows_of_stream(io.BytesIO(b" \n"))
    with pytest.raises(UserError, match=r"^standard input is broken at line 1"):
        rows_of_stream(io.BytesIO(b'[{"prompt": ]'))


def test_a_file_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("\n \n")
    with pytest.raises(UserError, match=r"prompts\.txt holds no rows"):
        rows_of(path)
