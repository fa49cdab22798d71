"""Formats besides the common ones: ShareGPT, Self-Instruct, comparisons, T0, flat dialogues; columns by other names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tutelage.data.columns import ColumnSettings, Renaming, TagSettings
from tutelage.data.dialogues import is_dialogue, turns_of
from tutelage.data.fields import BadRow
from tutelage.data.formats import FORMATS, detect
from tutelage.data.ledger import Ledger
from tutelage.data.load import load
from tutelage.data.settings import SourceSettings
from tutelage.errors import UserError
from tutelage.records import Completion, Conversation, Record


def texts(record: Record) -> list[tuple[str, str, bool | None]]:
    assert isinstance(record, Conversation)
    return [(one.role, "".join(part.text for part in one.content), one.train) for one in record.messages]


def loaded(path: Path, stage: str = "sft", **more: object) -> tuple[list[Record], dict[str, object]]:
    ledger = Ledger(None)
    records = []
    for origin, _, record in load(SourceSettings.model_validate({"path": path, **more}), stage, ledger):
        ledger.kept(origin, examples=1, tokens=1, supervised=1)
        records.append(record)
    (source,) = ledger.report()["sources"]
    return records, source


def test_sharegpt_names_and_its_system_column() -> None:
    row = {
        "conversations": [
            {"from": "Human", "value": "A"},
            {"from": "chatgpt", "value": "a", "train": False},
            {"role": "user", "content": "B"},
            {"role": "gpt", "content": "b", "weight": 1},
        ],
        "system": "S",
    }
    expected = [("system", "S", None), ("user", "A", None), ("assistant", "a", False)]
    expected += [("user", "B", None), ("assistant", "b", True)]
    assert texts(FORMATS["sharegpt"].convert(row, "sft")) == expected
    for bad, reason in (
        ({"from": "alien", "value": "A"}, "a message has an unknown role"),
        ({"from": "function_call", "value": "no"}, "a function call is not JSON"),
        ({"from": "human"}, "field `value` is missing"),
    ):
        with pytest.raises(BadRow, match=f"^{re.escape(reason)}$"):
            FORMATS["sharegpt"].convert({"conversations": [bad]}, "sft")


def test_each_of_self_instructs_instances_is_a_row(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Add.", "instances": [{"input": "2 3", "output": "5"}, {"input": "", "output": "0"}]},
        {"instruction": "Say.", "instances": []},
        {"instruction": "Say.", "instances": [{"input": "", "output": " "}]},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    records, source = loaded(path)
    assert [texts(record)[0][1] for record in records] == ["Add.\n2 3", "Add."]
    assert (source["format"], source["read"], source["kept"]) == ("self-instruct", 4, 2)
    assert source["quarantined"] == {"field `instances` is empty": 1, "the answer is empty": 1}


CHAT = [{"role": "user", "content": "A"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "B"}]
GOOD, WORSE = {"role": "assistant", "content": "good"}, {"role": "assistant", "content": "bad"}
LEARNT = [("user", "A", None), ("assistant", "a", False), ("user", "B", None), ("assistant", "good", True)]
FLAT = "\n\nHuman: A\n\nAssistant: a\n\nHuman: B\n\nAssistant: {}"


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": CHAT, "chosen": [GOOD], "rejected": [WORSE]},
        {"chosen": [*CHAT, GOOD], "rejected": [*CHAT, WORSE]},
        {"prompt": "B", "chosen": [*CHAT, GOOD], "rejected": [*CHAT, WORSE]},
        {"messages": CHAT, "chosen": GOOD, "rejected": WORSE},
        {"conversations": CHAT, "chosen": "good", "rejected": "bad"},
        {"chosen": FLAT.format("good"), "rejected": FLAT.format("bad")},
    ],
)
def test_the_chosen_side_of_every_shape_of_comparison(row: object) -> None:
    format = detect([row])
    assert format is not None
    assert format.name == "preference"
    assert texts(format.convert(row, "sft")) == LEARNT


def test_comparisons_of_plain_answers() -> None:
    read = FORMATS["preference"].read
    assert read({"prompt": "2 + 3 =", "chosen": " 5", "rejected": " 6"}) == Completion("2 + 3 =", " 5")
    row = {"instruction": "Add.", "input": "2 3", "chosen": "5", "rejected": "6"}
    assert texts(read(row)) == [("user", "Add.\n2 3", None), ("assistant", "5", None)]
    with pytest.raises(BadRow, match="does not begin with a turn"):
        read({"chosen": "5", "rejected": "6"})


def test_flat_dialogues_of_both_styles() -> None:
    guanaco = "### Human: Hi ### there?\nYou?### Assistant: Hello.\n\nHuman: is a word.### Human: Bye."
    assert [(one.role, one.content[0].text) for one in turns_of(guanaco)] == [
        ("user", "Hi ### there?\nYou?"),
        ("assistant", "Hello.\n\nHuman: is a word."),
        ("user", "Bye."),
    ]
    assert detect([{"text": FLAT}], "sft") is FORMATS["dialogue"]
    assert detect([{"text": FLAT}], "pretrain") is FORMATS["text"]
    assert texts(FORMATS["dialogue"].convert({"text": FLAT.format("b")}, "sft"))[-1] == ("assistant", "b", None)
    assert not is_dialogue("Human: nobody answers")
    assert not is_dialogue("Once, Human: a.\n\nAssistant: b.")


def test_t0s_empty_answers_name_their_template() -> None:
    row = {"template": "trec_1", "prompt": "P\n", "completion": "c"}
    assert detect([row]) is FORMATS["t0"]
    assert FORMATS["t0"].convert(row, "sft") == Completion("P\n", "c")
    with pytest.raises(BadRow, match=r"^the answer is empty \(template trec_1\)$"):
        FORMATS["t0"].convert({**row, "completion": ""}, "sft")


def test_columns_by_other_names(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"question": "Q", "answer": "a", "input": "not meant", "output": "neither"}))
    columns = {"instruction": "question", "output": "answer", "input": ""}
    records, source = loaded(path, columns=columns)
    assert texts(records[0]) == [("user", "Q", None), ("assistant", "a", None)]
    assert source["format"] == "alpaca"
    with pytest.raises(
        UserError, match=r"^columns\.output=anser: no row of .* has such a column; did you mean answer\?$"
    ):
        loaded(path, columns={**columns, "output": "anser"})


def test_columns_may_be_swapped() -> None:
    swap = Renaming(ColumnSettings(instruction="output", output="instruction"), None)
    assert swap({"instruction": "a", "output": "Q", "id": 1}) == {"id": 1, "instruction": "Q", "output": "a"}
    assert swap("a line") == "a line"


def test_messages_with_names_of_their_own() -> None:
    tags = TagSettings(role="who", content="what", user="U", assistant="A", system="S", tool="T", call="C")
    rename = Renaming(ColumnSettings(messages="talk", tools="offered"), tags)
    call = json.dumps({"name": "f", "arguments": {"x": 1}})
    talk = [("S", "s"), ("U", "u"), ("C", call), ("T", "t"), ("A", "a")]
    row = rename({"talk": [{"who": who, "what": what} for who, what in talk], "offered": [{"name": "f"}]})
    assert detect([row]) is FORMATS["sharegpt"]
    record = FORMATS["sharegpt"].convert(row, "sft")
    assert isinstance(record, Conversation)
    assert [one.role for one in record.messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert (record.messages[2].calls[0].arguments, len(record.tools)) == ('{"x": 1}', 1)


def test_placeholders_are_told_once_with_their_count_and_first_row(tmp_path: Path) -> None:
    rows = [{"instruction": "A", "output": text} for text in ("a", "I am {{name}}.", "{{ other }}", "f'{{1}}'", "{x}")]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    _, source = loaded(path)
    assert source["warnings"] == [
        f"2 rows hold placeholders such as {{{{name}}}}, first in row 2 of {path}: they are learnt as they stand; fill "
        "them in, if they are meant to be"
    ]
    assert source["kept"] == 5


REAL = {
    "sft/alpaca_en_demo.json": ("alpaca", 999, 999),
    "sft/alpaca_zh_demo.json": ("alpaca", 1000, 1000),
    "sft/identity.json": ("alpaca", 91, 91),
    "sft/glaive_toolcall_en_demo.json": ("sharegpt", 300, 300),
    "sft/self_instruct_seed_tasks.jsonl": ("self-instruct", 175, 175),
    "sft/user_oriented_instructions.jsonl": ("self-instruct", 252, 252),
    "preference/dpo_en_demo.json": ("preference", 300, 300),
    "preference/kto_en_demo.json": ("messages", 300, 150),
    "preference/hh_rlhf_harmless_test.jsonl.gz": ("preference", 2312, 2300),
    "t0/t0_train_50k.jsonl.gz": ("t0", 55_185, 53_785),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_recognised_and_read(shared_data: Path, name: str) -> None:
    _, source = loaded(shared_data / name)
    assert (source["format"], source["read"], source["kept"]) == REAL[name]
    assert bool(source["warnings"]) == (name in ("sft/identity.json", "preference/kto_en_demo.json"))


def test_a_real_table_without_a_header_says_what_to_do(shared_data: Path) -> None:
    path = shared_data / "cot" / "creak.tsv.gz"
    with pytest.raises(UserError, match=r"if its first line does not name the columns, say what they are by `header`$"):
        loaded(path)
    columns = {"instruction": "question", "output": "answer"}
    records, source = loaded(path, header=["question", "answer", "rationale"], quotes=False, columns=columns)
    assert (len(records), source["quarantined"]) == (6915, {})
