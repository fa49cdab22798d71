"""`tutelage.data.formats`, `conversations` and `fields`: rows to records, and the reason for each that is none."""

from __future__ import annotations

import doctest
import sys
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tutelage.data.fields import BadRow
from tutelage.data.formats import FORMATS, Format, detect, explain_unknown, find
from tutelage.data.settings import SourceSettings
from tutelage.errors import UserError
from tutelage.records import Completion, Conversation, Document, Message, Part, Record


def convert(name: str, row: object) -> Record:
    return FORMATS[name].convert(row, FORMATS[name].stages[0])


def said(record: Record) -> list[tuple[str, str, bool | None]]:
    assert isinstance(record, Conversation)
    return [(one.role, "".join(part.text for part in one.content), one.train) for one in record.messages]


def reason(name: str, row: object) -> str:
    with pytest.raises(BadRow) as caught:
        convert(name, row)
    return str(caught.value)


def chat(*turns: str) -> dict[str, object]:
    """`chat("user: hi", "assistant: hello")` as an OpenAI row."""
    return {"messages": [dict(zip(("role", "content"), turn.split(": "), strict=True)) for turn in turns]}


@pytest.mark.parametrize("name", ["fields", "formats"])
def test_the_examples_in_the_docstrings_hold(name: str) -> None:
    result = doctest.testmod(import_module(f"tutelage.data.{name}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_alpaca_joins_instruction_and_input_by_a_newline() -> None:
    row = {"instruction": "Translate. ", "input": " 你好", "output": "Hello\n"}
    assert convert("alpaca", row) == Conversation(
        (Message("user", (Part("Translate. \n 你好"),)), Message("assistant", (Part("Hello\n"),)))
    )


@pytest.mark.parametrize(
    "rest", [{}, {"input": ""}, {"input": None}, {"input": " \n"}, {"system": None, "history": None}]
)
def test_alpaca_without_input_is_the_instruction_alone(rest: dict[str, object]) -> None:
    record = convert("alpaca", {"instruction": "Say hi.", "output": "Hi.", **rest})
    assert said(record) == [("user", "Say hi.", None), ("assistant", "Hi.", None)]


def test_alpaca_has_system_and_history() -> None:
    row = {"instruction": "C", "output": "c", "system": "S", "history": [["A", "a"], ["B", "b"]]}
    assert said(convert("alpaca", row)) == [
        ("system", "S", None),
        ("user", "A", None),
        ("assistant", "a", None),
        ("user", "B", None),
        ("assistant", "b", None),
        ("user", "C", None),
        ("assistant", "c", None),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"output": "\n\u3000"}, "the answer is empty"),
        ({"output": ["5"]}, "field `output` is list, expected text"),
        ({"output": None}, "field `output` is null, expected text"),
        ({"output": 5}, "field `output` is number, expected text"),
        ({"output": {"text": "5"}}, "field `output` is object, expected text"),
        ({"output": "\ud83d"}, "field `output` holds half a character (a lone surrogate)"),
        ({"instruction": " "}, "the instruction is empty"),
        ({"instruction": True}, "field `instruction` is true or false, expected text"),
        ({"input": float("nan")}, "field `input` is number, expected text"),
        ({"system": 1}, "field `system` is number, expected text"),
        ({"history": "A"}, "field `history` is text, expected list"),
        ({"history": ["A"]}, "a turn in `history` is text, expected list"),
        ({"history": [["A", "a", "B"]]}, "a turn in `history` is not [question, answer]"),
        ({"history": [["A", None]]}, "a turn in `history` is null, expected text"),
        ({"history": [["A", ""]]}, "the answer is empty"),
        ({"history": [["", "a"]]}, "a user turn is empty"),
    ],
)
def test_alpaca_rows_that_cannot_be_used(change: dict[str, object], expected: str) -> None:
    assert reason("alpaca", {"instruction": "Add.", "input": "2 3", "output": "5", **change}) == expected


@pytest.mark.parametrize("key", ["instruction", "output"])
def test_a_missing_field_is_named(key: str) -> None:
    row = {"instruction": "Add.", "output": "5"}
    del row[key]
    assert reason("alpaca", row) == f"field `{key}` is missing"


@pytest.mark.parametrize("name", ["alpaca", "messages", "completion"])
def test_a_row_must_be_an_object(name: str) -> None:
    assert reason(name, [1]) == "the row is list, expected object"
    assert reason(name, "hello") == "the row is text, expected object"
    assert reason("text", 7) == "the row is number, expected object"


def test_messages_keep_their_parts_and_what_they_say_of_being_learnt() -> None:
    row = {
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "2 + "}, {"type": "text", "text": "3?"}],
                "name": "A",
            },
            {"role": "assistant", "content": "5", "train": False, "tool_calls": []},
            {"role": "user", "content": "And 4?", "weight": None},
            {"role": "assistant", "content": "9", "weight": 1},
            {"role": "user", "content": "And 1?"},
            {"role": "assistant", "content": "10", "weight": 0, "train": False},
        ],
        "tools": None,
    }
    record = convert("messages", row)
    assert said(record) == [
        ("system", "Be brief.", None),
        ("user", "2 + 3?", None),
        ("assistant", "5", False),
        ("user", "And 4?", None),
        ("assistant", "9", True),
        ("user", "And 1?", None),
        ("assistant", "10", False),
    ]
    assert isinstance(record, Conversation)
    assert record.messages[1].content == (Part("2 + "), Part("3?"))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, "field `messages` is missing"),
        ({"messages": "hi"}, "field `messages` is text, expected list"),
        ({"messages": []}, "the conversation is empty"),
        ({"messages": ["hi"]}, "a message is text, expected object"),
        (chat("system: S"), "there is no user turn"),
        (chat("assistant: a"), "there is no user turn"),
        (chat("user: A"), "the conversation does not end with the assistant"),
        (chat("user: A", "assistant: a", "user: B"), "the conversation does not end with the assistant"),
        (chat("assistant: a", "user: A", "assistant: b"), "user and assistant do not alternate, the user first"),
        (chat("user: A", "user: B", "assistant: b"), "user and assistant do not alternate, the user first"),
        (chat("user: A", "assistant: a", "assistant: b"), "user and assistant do not alternate, the user first"),
        (chat("user: A", "system: S", "assistant: a"), "a system message is not the first"),
        (chat("system: S", "developer: S", "user: A", "assistant: a"), "a system message is not the first"),
        (chat("user: A", "assistant:  "), "the answer is empty"),
        (chat("user: A", "assistant:  ", "user: B", "assistant: b"), "the answer is empty"),
        (chat("user:  ", "assistant: a"), "a user turn is empty"),
        (chat("user: A", "tool: 5", "assistant: a"), "a tool's answer does not follow the assistant"),
        (chat("user: A", "function: 5", "assistant: a"), "a tool's answer does not follow the assistant"),
        (chat("user: A", "assistant: a", "tool: 5"), "the conversation does not end with the assistant"),
        (chat("human: A", "gpt: a"), "a message has an unknown role"),
        ({**chat("user: A", "assistant: a"), "tools": [{"nam": "f"}]}, "a tool has no name"),
        ({**chat("user: A", "assistant: a"), "tools": "[{]"}, "field `tools` is not JSON"),
        ({**chat("user: A", "assistant: a"), "tools": 7}, "field `tools` is number, expected list"),
        ({**chat("user: A", "assistant: a"), "images": ["a.png"]}, "holds an image"),
        ({**chat("user: A", "assistant: a"), "audios": ["a.wav"]}, "holds audio"),
        ({**chat("user: A", "assistant: a"), "label": False}, "field `label` is false: an answer marked as bad"),
    ],
)
def test_conversations_that_cannot_be_used(row: object, expected: str) -> None:
    assert reason("messages", row) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"role": None}, "field `role` is null, expected text"),
        ({"content": None}, "field `content` is null, expected text"),
        ({"content": {"type": "text"}}, "field `content` is object, expected text"),
        ({"content": []}, "the answer is empty"),
        ({"content": ["a"]}, "a part of the content is text, expected object"),
        ({"content": [{"text": "a"}]}, "field `type` is missing"),
        ({"content": [{"type": "text"}]}, "field `text` is missing"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}]}, "holds an image"),
        ({"content": [{"type": "image"}]}, "holds an image"),
        ({"content": [{"type": "input_audio"}]}, "holds audio"),
        ({"content": [{"type": "video"}]}, "holds a video"),
        ({"content": [{"type": "smell"}]}, "holds a part of an unknown type"),
        ({"tool_calls": [{"id": "1"}], "content": None}, "a tool call has no name"),
        ({"tool_calls": [{"name": "f", "arguments": "{"}]}, "a tool call's arguments is not JSON"),
        ({"tool_calls": [{"name": "f", "arguments": [1]}]}, "a tool call's arguments is list, expected object"),
        ({"reasoning_content": 7}, "the reasoning is number, expected text"),
        ({"reasoning_content": "Hm.", "content": ""}, "the answer is empty"),
        ({"train": 1}, "field `train` is number, expected true or false"),
        ({"weight": 0.5}, "field `weight` is neither 0 nor 1"),
        ({"weight": [1]}, "field `weight` is neither 0 nor 1"),
        ({"weight": 0, "train": True}, "fields `train` and `weight` disagree"),
    ],
)
def test_messages_that_cannot_be_used(change: dict[str, object], expected: str) -> None:
    answer = {"role": "assistant", "content": "a", **change}
    assert reason("messages", {"messages": [{"role": "user", "content": "A"}, answer]}) == expected


def test_a_message_without_content_is_named() -> None:
    assert reason("messages", {"messages": [{"role": "user"}]}) == "field `content` is missing"
    assert reason("messages", {"messages": [{"content": "A"}]}) == "field `role` is missing"


def test_completion_of_text_stays_as_it_is() -> None:
    assert convert("completion", {"prompt": " 2 + 3 =", "completion": " 5\n"}) == Completion(" 2 + 3 =", " 5\n")


def test_completion_of_messages_is_a_conversation_that_learns_the_completion() -> None:
    row = {
        "prompt": chat("system: S", "user: A", "assistant: a", "user: B")["messages"],
        "completion": chat("assistant: b")["messages"],
    }
    assert said(convert("completion", row)) == [
        ("system", "S", None),
        ("user", "A", None),
        ("assistant", "a", False),
        ("user", "B", None),
        ("assistant", "b", True),
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"prompt": "A"}, "field `completion` is missing"),
        ({"completion": "A"}, "field `prompt` is missing"),
        ({"prompt": "A", "completion": " "}, "the answer is empty"),
        ({"prompt": "", "completion": "a"}, "the prompt is empty"),
        ({"prompt": "A", "completion": 1}, "field `completion` is number, expected text"),
        ({"prompt": "A", "completion": []}, "of `prompt` and `completion` one is a list and one is not"),
        ({"prompt": chat("user: A")["messages"], "completion": []}, "the answer is empty"),
        ({"prompt": "A", "completion": "a", "label": False}, "field `label` is false: an answer marked as bad"),
    ],
)
def test_completions_that_cannot_be_used(row: object, expected: str) -> None:
    assert reason("completion", row) == expected


def test_text_is_a_field_or_a_line() -> None:
    assert convert("text", " a\x00b ") == convert("text", {"text": " a\x00b ", "url": 1}) == Document(" a\x00b ")
    assert reason("text", {"text": " "}) == reason("text", " ") == "the text is empty"
    assert reason("text", "\ud83d") == "the text holds half a character (a lone surrogate)"
    assert reason("text", {"texts": "a"}) == "field `text` is missing"


@pytest.mark.parametrize("name", ["alpaca", "messages", "completion"])
def test_pretraining_reads_plain_text_only(name: str) -> None:
    with pytest.raises(BadRow) as caught:
        FORMATS[name].convert({}, "pretrain")
    assert str(caught.value) == (
        "stage=pretrain reads plain text (a field `text`, or the lines of a .txt file); use stage=sft for these rows"
    )


def test_tuning_reads_no_plain_text() -> None:
    expected = "stage=sft reads questions with answers, not plain text; use stage=pretrain for these rows"
    assert FORMATS["text"].refusal("sft") == expected
    assert FORMATS["text"].refusal("pretrain") is None
    assert FORMATS["alpaca"].refusal("dpo") == "stage=dpo does not read them; use stage=sft for these rows"


@pytest.mark.parametrize(
    ("rows", "stage", "name"),
    [
        ([{"instruction": "A", "output": "a"}], "sft", "alpaca"),
        ([{"instruction": "A", "output": "a", "text": "A a"}], "sft", "alpaca"),
        ([{"instruction": "A", "output": "a", "text": "A a"}], "pretrain", "text"),
        ([{"instruction": "A", "output": "a"}], "pretrain", "alpaca"),
        ([{"prompt": "A", "messages": []}], "sft", "messages"),
        ([{"prompt": "A", "completion": "a"}, {"text": "b"}, {"prompt": "C", "completion": "c"}], "sft", "completion"),
        (["a line"], "pretrain", "text"),
        ([{"instruction": "A"}, 7, None, [], {"instruction": "B", "output": "b"}], "sft", "alpaca"),
        ([{"text": "a"}, {"text": "b"}, {"messages": []}], "sft", "text"),
    ],
)
def test_the_format_that_most_rows_fit_is_detected(rows: list[object], stage: str, name: str) -> None:
    found = detect(rows, stage)
    assert found is not None
    assert found.name == name


KNOWN = (
    "which fit none of the formats alpaca (instruction, output), self-instruct (instruction, instances), "
    "preference (chosen, rejected), messages (messages), sharegpt (conversations), "
    "t0 (template, prompt, completion), completion (prompt, completion), "
    "dialogue (text of Human: … Assistant: …), text (text)"
)
OWN = "; name fields by `columns`"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"a": 1}, {"b": 2, "a": 3}], f"rows with the keys `a`, `b`, {KNOWN}{OWN}"),
        (
            [{"conversation": [], "tools": ""}],
            f"rows with the keys `conversation`, `tools`, {KNOWN}; say columns.messages=conversation",
        ),
        (
            [{"instruction": "A", "response": "a"}],
            f"rows with the keys `instruction`, `response`, {KNOWN}; say columns.output=response",
        ),
        ([[1], 2], f"rows that are list, expected object, {KNOWN}"),
        (
            [{str(n): n for n in range(12)}],
            f"rows with the keys {', '.join(f'`{n}`' for n in range(10))}, …, {KNOWN}{OWN}",
        ),
    ],
)
def test_unknown_rows_are_explained(rows: list[object], expected: str) -> None:
    assert detect(rows) is None
    assert explain_unknown(rows) == expected


def test_formats_are_found_by_name() -> None:
    assert {name: find(name).name for name in FORMATS} == {name: name for name in FORMATS}
    with pytest.raises(UserError, match=r"^there is no format 'alpacca'; did you mean alpaca\?$"):
        find("alpacca")
    with pytest.raises(
        UserError, match=r"^there is no format 'xyz'; known are alpaca, self-instruct, preference, messages, .*text$"
    ):
        find("xyz")


def test_settings_refuse_an_unknown_format_at_once() -> None:
    assert SourceSettings(path=Path("a.json"), format="alpaca").format == "alpaca"
    with pytest.raises(ValidationError, match=r"there is no format 'alpacca'; did you mean alpaca\?"):
        SourceSettings(path=Path("a.json"), format="alpacca")


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, code: str, target: str) -> None:
    """A package with an entry point `shout`, as pip would have left it in `folder`."""
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[tutelage.formats]\nshout = {module}:{target}\n")
    monkeypatch.syspath_prepend(folder)


def test_another_package_can_add_a_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "from tutelage.data.formats import Format\nfrom tutelage.records import Document\n"
        "SHOUT = Format('shout', ('cry',), ('pretrain',), lambda row: 'cry' in row, lambda row: Document(row['cry']))\n"
    )
    install(tmp_path, monkeypatch, "shouting", code, "SHOUT")
    assert "shouting" not in sys.modules
    assert isinstance(find("shout"), Format)
    assert find("shout").convert({"cry": "hey"}, "pretrain") == Document("hey")
    assert SourceSettings(path=Path("a.json"), format="shout").format == "shout"
    with pytest.raises(UserError, match=r"did you mean shout\?"):
        find("shoutt")


@pytest.mark.parametrize(
    ("code", "target", "message"),
    [
        ("SHOUT = 7", "SHOUT", "the format shout at broken0:SHOUT is no tutelage.data.formats.Format"),
        ("import nothing_of_that_name", "SHOUT", "the format shout cannot be had from broken1:SHOUT: No module named"),
        ("1 / 0", "SHOUT", "the format shout cannot be had from broken2:SHOUT: division by zero"),
    ],
)
def test_a_package_that_does_not_deliver_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, target: str, message: str
) -> None:
    install(tmp_path, monkeypatch, message.split(":")[0].split()[-1], code, target)
    with pytest.raises(UserError) as caught:
        find("shout")
    assert str(caught.value).startswith(message)


OPEN_AI_KEYS = ["messages", "role", "content", "train", "weight", "type", "text", "label"]
KEYS = st.sampled_from(["instruction", "input", "output", "system", "history", "prompt", "completion", *OPEN_AI_KEYS])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", " ", "user", "assistant", "text", "\ud83d"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(row=VALUES, name=st.sampled_from(sorted(FORMATS)))
def test_any_row_is_a_record_or_a_bad_row(row: object, name: str) -> None:
    detect([row])
    try:
        result: object = convert(name, row)
    except BadRow as bad:
        result = str(bad)
    assert isinstance(result, Conversation | Completion | Document) or 5 < len(str(result)) < 80


@settings(deadline=None)
@given(
    name=st.sampled_from(["alpaca", "messages"]),
    turns=st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=4),
)
def test_a_conversation_keeps_every_character(name: str, turns: list[tuple[str, str]]) -> None:
    turns = [(f"Q{question}", f"A{answer}") for question, answer in turns]
    expected = [message for pair in turns for message in zip(("user", "assistant"), pair, strict=True)]
    if name == "alpaca":
        question, answer = turns[-1]
        row: dict[str, object] = {
            "instruction": question,
            "output": answer,
            "history": [list(pair) for pair in turns[:-1]],
        }
    else:
        row = {"messages": [{"role": role, "content": content} for role, content in expected]}
    assert [(role, content) for role, content, _ in said(convert(name, row))] == expected
