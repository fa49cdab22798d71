"""`tutelage.data.load`: whole files, made up, arbitrary and real, to records and counts."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import IO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.data.ledger import Ledger
from tutelage.data.load import load
from tutelage.data.settings import SourceSettings
from tutelage.errors import UserError
from tutelage.records import Completion, Conversation, Document, Origin, Record


def read(
    path: Path, stage: str = "sft", **more: object
) -> tuple[list[tuple[Origin, object, Record]], dict[str, object]]:
    """All records of a file, and the total of the report with each of them kept."""
    ledger = Ledger(None)
    good = []
    for origin, row, record in load(SourceSettings.model_validate({"path": path, **more}), stage, ledger):
        ledger.kept(origin, examples=1, tokens=2, supervised=1)
        good.append((origin, row, record))
    total = ledger.report()["total"]
    assert isinstance(total, dict)
    return good, total


def refusal(path: Path, stage: str = "sft", **more: object) -> str:
    with pytest.raises(UserError) as caught:
        read(path, stage, **more)
    return str(caught.value)


def write(folder: Path, name: str, data: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def alpaca(number: int, **change: object) -> str:
    return json.dumps({"instruction": f"Say {number}.", "input": "", "output": f"{number}.", **change})


def test_bad_rows_are_quarantined_and_the_good_ones_go_on(tmp_path: Path) -> None:
    lines = [alpaca(1), '{"instruction": ', "", alpaca(4, output=" "), '"hello"', alpaca(6, output=None), alpaca(7)]
    path = write(tmp_path, "a.jsonl", "\r\n".join(lines))
    with Ledger(tmp_path / "quarantine.jsonl") as ledger:
        good = []
        for origin, row, record in load(SourceSettings(path=path), "sft", ledger):
            assert isinstance(record, Conversation)
            good.append((origin, row))
            ledger.kept(origin, examples=1, tokens=9, supervised=3)
    assert good == [(Origin(str(path), 1), json.loads(lines[0])), (Origin(str(path), 7), json.loads(lines[6]))]
    quarantine = [json.loads(line) for line in (tmp_path / "quarantine.jsonl").read_text().splitlines()]
    assert [(entry["file"], entry["line"], entry["fate"], entry["reason"], entry["row"]) for entry in quarantine] == [
        (str(path), 2, "quarantined", "not JSON: expecting value", '{"instruction":'),
        (str(path), 4, "quarantined", "the answer is empty", json.loads(lines[3])),
        (str(path), 5, "quarantined", "the row is text, expected object", "hello"),
        (str(path), 6, "quarantined", "field `output` is null, expected text", json.loads(lines[5])),
    ]
    report = ledger.report()
    assert isinstance(report["sources"], list)
    (source,) = report["sources"]
    assert source["path"] == str(path)
    assert source["format"] == "alpaca"
    assert source["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (source["read"], source["kept"]) == (6, 2)


def test_the_limit_counts_rows_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", "\n".join([alpaca(1), "broken", alpaca(3), alpaca(4)]))
    good, total = read(path, limit=3)
    assert [origin.row for origin, _, _ in good] == [1, 3]
    assert (total["read"], total["quarantined"]) == (3, {"not JSON: expecting value": 1})
    good, total = read(write(tmp_path, "long.jsonl", "\n".join(map(alpaca, range(100)))), limit=50)
    assert (len(good), total["read"]) == (50, 50)


def test_the_format_is_detected_from_good_rows_only(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", "\n".join(["broken"] * 50 + [alpaca(51)]))
    good, total = read(path)
    assert [origin.row for origin, _, _ in good] == [51]
    assert total["read"] == 51


def test_a_format_that_is_given_is_not_detected(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", json.dumps({"prompt": "A", "completion": "a", "messages": [], "text": "b"}))
    assert read(path, format="completion")[0][0][2] == Completion("A", "a")
    assert read(path, stage="pretrain", format="text")[0][0][2] == Document("b")
    _, total = read(path, format="alpaca")
    assert total["quarantined"] == {"field `output` is missing": 1}


@pytest.mark.parametrize(
    ("name", "data", "stage", "message"),
    [
        ("a.json", "[]", "sft", "holds no rows"),
        ("a.jsonl", "\ufeff\r\n \n", "sft", "holds no rows"),
        ("a.txt", "\n\n", "pretrain", "holds no rows"),
        ("a.jsonl", "", "sft", "is empty"),
        (
            "a.json",
            f"[{alpaca(1)}]",
            "pretrain",
            "holds rows of the format alpaca, but stage=pretrain reads plain text "
            "(a field `text`, or the lines of a .txt file); use stage=sft for these rows",
        ),
        (
            "a.txt",
            "A line.",
            "sft",
            "holds rows of the format text, but stage=sft reads questions with answers, not plain text; "
            "use stage=pretrain for these rows",
        ),
        (
            "a.json",
            '[{"a": 1}]',
            "sft",
            "holds rows with the keys `a`, which fit none of the formats alpaca (instruction, output), "
            "self-instruct (instruction, instances), preference (chosen, rejected), messages (messages), "
            "sharegpt (conversations), t0 (template, prompt, completion), completion (prompt, completion), "
            "dialogue (text of Human: … Assistant: …), text (text); name fields by `columns`",
        ),
    ],
)
def test_whole_files_that_are_refused(tmp_path: Path, name: str, data: str, stage: str, message: str) -> None:
    path = write(tmp_path, name, data)
    assert refusal(path, stage) == f"{path} {message}"


def test_a_file_of_nothing_but_broken_lines_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", "\nhello\nworld\n")
    assert refusal(path) == f"no row of {path} can be read; line 2 is not JSON: expecting value"


def test_an_abort_leaves_a_readable_quarantine(tmp_path: Path) -> None:
    data = gzip.compress("\n".join([alpaca(1), "broken", *map(alpaca, range(2000))]).encode())
    path = write(tmp_path, "a.jsonl.gz", data[:-200])
    with Ledger(tmp_path / "quarantine.jsonl") as ledger, pytest.raises(UserError, match="cut short or damaged"):
        list(load(SourceSettings(path=path), "sft", ledger))
    (entry,) = map(json.loads, (tmp_path / "quarantine.jsonl").read_text().splitlines())
    assert (entry["line"], entry["row"]) == (2, "broken")


def test_strange_rows_do_not_crash(tmp_path: Path) -> None:
    deep = "[" * 900 + "]" * 900
    lines = [
        alpaca(1),
        alpaca(2, output="\ud83d"),
        alpaca(3, output="a\x00b"),
        alpaca(4, size=10**30, score=float("nan")),
        f'{{"instruction": "A", "output": "a", "more": {deep}}}',
        f'{{"instruction": "A", "output": {deep}}}',
        '{"instruction": "A", "output": "first", "output": "last"}',
        deep,
        "null",
    ]
    path = write(tmp_path, "a.jsonl", "\n".join(lines))
    with Ledger(tmp_path / "quarantine.jsonl") as ledger:
        good = {origin.row: record for origin, _, record in load(SourceSettings(path=path), "sft", ledger)}
    assert list(good) == [1, 3, 4, 5, 7]
    last = good[7]
    assert isinstance(last, Conversation)
    assert last.messages[-1].content[0].text == "last"
    written = [json.loads(line) for line in (tmp_path / "quarantine.jsonl").read_text().splitlines()]
    assert [(entry["line"], entry["reason"]) for entry in written] == [
        (2, "field `output` holds half a character (a lone surrogate)"),
        (6, "field `output` is list, expected text"),
        (8, "the row is list, expected object"),
        (9, "the row is null, expected object"),
    ]


def test_files_are_closed_after_a_limit_and_after_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[IO[bytes]] = []
    really_open = Path.open

    def remembered(path: Path, mode: str, **more: object) -> IO[bytes]:
        files.append(cast(IO[bytes], really_open(path, mode)))
        return files[-1]

    path = write(tmp_path, "a.jsonl", "\n".join(map(alpaca, range(100))))
    monkeypatch.setattr(Path, "open", remembered)
    rows = load(SourceSettings(path=path, limit=50), "sft", Ledger(None))
    assert len(list(rows)) == 50
    refused = load(SourceSettings(path=path), "pretrain", Ledger(None))
    with pytest.raises(UserError) as caught:
        next(refused)
    assert "use stage=sft" in str(caught.value)  # and its traceback keeps every frame alive
    assert len(files) == 3
    assert all(file.closed for file in files)


FRAGMENTS = st.sampled_from(
    [
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\x1f\x8b",
        b"[",
        b"]",
        b",",
        b"\n",
        b"\r\n",
        b"\xff",
        b"\0",
        b"{",
        b"}",
        b'"',
        b'{"text": "a"}',
        b'{"instruction": "A", "output": "a"}',
        b'{"text": "\\ud83d"}',
        b"NaN",
        b"1e999",
        b"null",
        b'"a"',
    ]
)
ANY_BYTES = st.lists(FRAGMENTS | st.binary(max_size=8), max_size=12).map(b"".join)


@settings(deadline=None, max_examples=400)
@given(
    data=ANY_BYTES,
    name=st.sampled_from(["a.json", "a.jsonl", "a.txt", "a.json.gz", "a.jsonl.gz", "a.txt.gz"]),
    stage=st.sampled_from(["sft", "pretrain"]),
    format=st.sampled_from([None, "alpaca", "messages", "completion", "text"]),
    pack=st.booleans(),
)
def test_any_bytes_are_rows_with_fates_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str, stage: str, format: str | None, pack: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = write(folder, name, gzip.compress(data) if pack else data)
    fates, sentence = 0, "a sentence, if any"
    with Ledger(folder / "quarantine.jsonl") as ledger:
        try:
            for origin, _, _ in load(SourceSettings(path=path, format=format), stage, ledger):
                ledger.kept(origin, examples=1, tokens=2, supervised=1)
                fates += 1
            ledger.check(0.01)
        except UserError as error:
            sentence = str(error)
    assert 10 < len(sentence) < 600
    assert "\n" not in sentence
    report = ledger.report()  # asserts that every row read has one fate
    total = report["total"]
    assert isinstance(total, dict)
    written = [json.loads(line) for line in (folder / "quarantine.jsonl").read_bytes().splitlines()]
    assert total["kept"] == fates
    assert total["read"] == fates + len(written)


ROWS = st.fixed_dictionaries(
    {},
    optional={
        "instruction": st.text(max_size=5) | st.integers(),
        "input": st.none() | st.text(max_size=5),
        "output": st.text(max_size=5) | st.lists(st.text(max_size=2), max_size=2),
    },
)


@settings(deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=8))
def test_every_kind_of_file_gives_the_same_records(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("kinds")
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    files = {
        "array.json": json.dumps(rows).encode(),
        "lines.jsonl": "\n".join(lines).encode(),
        "lines.jsonl.gz": gzip.compress("\n".join(lines).encode()),
        "marked.jsonl": "\r\n".join(lines).encode("utf-8-sig"),
    }
    results = []
    for name, data in files.items():
        good, total = read(write(folder, name, data), format="alpaca")
        results.append(([(origin.row, record) for origin, _, record in good], total))
    assert all(result == results[0] for result in results)
    assert results[0][1]["read"] == len(rows)


def first_turns(path: Path) -> dict[int, list[str]]:
    return {
        origin.row: [part.text for message in record.messages for part in message.content]
        for origin, _, record in read(path)[0]
        if isinstance(record, Conversation)
    }


@pytest.mark.parametrize(("name", "rows"), [("alpaca_en_demo", 999), ("alpaca_zh_demo", 1000), ("identity", 91)])
def test_real_instruction_rows_are_all_kept_as_they_are(shared_data: Path, name: str, rows: int) -> None:
    path = shared_data / "sft" / f"{name}.json"
    turns = first_turns(path)
    assert list(turns) == list(range(1, rows + 1))
    for number, row in enumerate(json.loads(path.read_text(encoding="utf-8")), start=1):
        question = row["instruction"] + ("\n" + row["input"] if row["input"] else "")
        assert turns[number] == [question, row["output"]]


def test_real_chinese_is_chinese(shared_data: Path) -> None:
    turns = first_turns(shared_data / "sft" / "alpaca_zh_demo.json")
    assert turns[1][0] == "识别并解释给定列表中的两个科学理论：细胞理论和日心说。"


@pytest.mark.parametrize(("name", "rows"), [("wiki_demo.txt", 30), ("c4_demo.jsonl", 300)])
def test_real_documents_are_all_kept(shared_data: Path, name: str, rows: int) -> None:
    path = shared_data / "pretrain" / name
    good, total = read(path, stage="pretrain")
    assert (len(good), total["read"]) == (rows, rows)
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    expected = lines if name.endswith(".txt") else [json.loads(line)["text"] for line in lines]
    assert [record for _, _, record in good] == [Document(text) for text in expected]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sft/dataset_info.json", "holds one JSON value over several lines"),
        ("bias/crows_pairs.csv", "holds rows with the keys ``, `sent_more`, `sent_less`"),
    ],
)
def test_real_files_of_other_shapes_are_explained(shared_data: Path, name: str, hint: str) -> None:
    assert hint in refusal(shared_data / name)


def test_real_thumbs_down_are_not_learnt(shared_data: Path) -> None:
    path = shared_data / "preference" / "kto_en_demo.json"
    labels = [row["label"] for row in json.loads(path.read_text(encoding="utf-8"))]
    good, total = read(path)
    assert len(good) == sum(labels) < len(labels)
    assert total["quarantined"] == {}
    assert total["dropped"] == {"field `label` is false: an answer marked as bad": len(labels) - sum(labels)}


def test_real_prompts_and_completions(shared_data: Path) -> None:
    good, total = read(shared_data / "t0" / "t0_train_50k.jsonl.gz", limit=2000)
    assert total["read"] == 2000
    assert len(good) > 1900
    assert all(isinstance(record, Completion) for _, _, record in good)
