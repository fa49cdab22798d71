"""What a source's path means: files, folders, patterns, Parquet and Arrow, and data sets of the hub."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tutelage.data.ledger import Ledger
from tutelage.data.load import load
from tutelage.data.locating import on_hub, pieces
from tutelage.data.settings import SourceSettings
from tutelage.data.sources import read_rows
from tutelage.errors import UserError
from tutelage.records import Conversation

ROWS: list[dict[str, Any]] = [
    {"instruction": f"Say {number}.", "input": None, "output": f"{number}."} for number in range(6)
]
CALL = {"function": {"name": "f", "arguments": {"a": 1, "b": None}}}
TALKS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "U", "tool_calls": None}, {"role": "assistant", "content": "A"}]},
    {"messages": [{"role": "user", "content": "U"}, {"role": "assistant", "content": None, "tool_calls": [CALL]}]},
]


def loaded(path: Path | str, **more: object) -> tuple[list[str], list[dict[str, Any]]]:
    """The answers of a source, and its part of the report."""
    ledger = Ledger(None)
    answers = []
    for origin, _, record in load(SourceSettings.model_validate({"path": path, **more}), "sft", ledger):
        ledger.kept(origin, examples=1, tokens=1, supervised=1)
        assert isinstance(record, Conversation)
        answers.append(record.messages[-1].content[0].text)
    return answers, ledger.report()["sources"]


def refusal(path: Path | str, **more: object) -> str:
    with pytest.raises(UserError) as caught:
        loaded(path, **more)
    return str(caught.value)


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "\n".join(map(json.dumps, rows)).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def table(path: Path, rows: list[dict[str, Any]], **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = import_module("pyarrow").Table.from_pylist(rows)
    if path.suffix == ".parquet":
        import_module("pyarrow.parquet").write_table(made, path, **more)
    else:
        ipc = import_module("pyarrow.ipc")
        writers = {"stream": ipc.new_stream, "file": ipc.new_file}
        with writers[str(more["kind"])](path, made.schema) as writer:
            writer.write_table(made)
    return path


def test_parquet_and_arrow_give_the_rows_of_jsonl(tmp_path: Path) -> None:
    rows = ROWS * 500
    expected = [row.value for row in read_rows(jsonl(tmp_path / "a.jsonl", rows))]
    for path in (
        table(tmp_path / "a.parquet", rows, row_group_size=100),
        table(tmp_path / "a.arrow", rows, kind="stream"),
        table(tmp_path / "b.arrow", rows, kind="file"),
    ):
        found = list(read_rows(path))
        assert [row.value for row in found] == expected
        assert [row.number for row in found] == list(range(1, 3001))
        answers, (source,) = loaded(path, limit=1500)
        assert answers == [row["output"] for row in rows[:1500]]
        assert source["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_null_inside_a_table_is_absent(tmp_path: Path) -> None:
    (first, second) = (row.value for row in read_rows(table(tmp_path / "a.parquet", TALKS)))
    assert first == {"messages": [{"role": "user", "content": "U"}, {"role": "assistant", "content": "A"}]}
    ledger = Ledger(None)
    records = []
    for origin, _, record in load(SourceSettings(path=tmp_path / "a.parquet"), "sft", ledger):
        ledger.kept(origin, examples=1, tokens=1, supervised=1)
        records.append(record)
    last = records[1]
    assert isinstance(last, Conversation)
    assert last.messages[1].calls[0].arguments == '{"a": 1}'
    assert second is not None


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_a_damaged_table_is_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"not a table at all, whatever its name says")
    assert refusal(path).startswith(f"{path} cannot be read as {'Parquet' if name == 'a.parquet' else 'Arrow'}: ")
    whole = table(tmp_path / f"whole{path.suffix}", ROWS, **({} if path.suffix == ".parquet" else {"kind": "stream"}))
    path.write_bytes(whole.read_bytes()[:-40])
    if path.suffix == ".parquet":
        assert "cannot be read as" in refusal(path)


def test_a_folder_is_its_files_by_name_and_the_limit_is_over_all(tmp_path: Path) -> None:
    jsonl(tmp_path / "b.jsonl.gz", ROWS[2:4])
    jsonl(tmp_path / "a.jsonl", ROWS[:2])
    (tmp_path / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n# Rows\n")
    answers, sources = loaded(tmp_path)
    assert answers == ["0.", "1.", "2.", "3."]
    assert [(Path(source["path"]).name, source["read"]) for source in sources] == [("a.jsonl", 2), ("b.jsonl.gz", 2)]
    assert {source["licence"] for source in sources} == {"cc-by-4.0"}
    answers, sources = loaded(tmp_path, limit=3, licence="mit")
    assert answers == ["0.", "1.", "2."]
    assert [(source["read"], source["licence"]) for source in sources] == [(2, "mit"), (1, "mit")]
    assert len(loaded(tmp_path, limit=2)[1]) == 1


def test_a_pattern_is_the_files_that_match(tmp_path: Path) -> None:
    for name in ("x/a.jsonl", "x/b.jsonl", "y/a.jsonl"):
        jsonl(tmp_path / name, ROWS[:1])
    assert len(loaded(str(tmp_path / "*" / "a.jsonl"))[1]) == 2
    assert len(loaded(str(tmp_path / "**" / "*.jsonl"))[1]) == 3
    jsonl(tmp_path / "odd[1].jsonl", ROWS[:1])
    assert len(loaded(tmp_path / "odd[1].jsonl")[1]) == 1, "a file that is there is no pattern"
    assert (
        refusal(tmp_path / "*.csv")
        == f"no file matches {tmp_path}/*.csv: check the pattern, and the folder it starts in"
    )


def test_folders_as_datasets_and_the_hub_leave_them(tmp_path: Path) -> None:
    import datasets

    made = datasets.Dataset.from_list(ROWS)
    made.save_to_disk(tmp_path / "one")
    assert loaded(tmp_path / "one")[0] == [row["output"] for row in ROWS]
    datasets.DatasetDict({"train": made, "test": made.select([5])}).save_to_disk(tmp_path / "several")
    assert loaded(tmp_path / "several", split="test")[0] == ["5."]
    table(tmp_path / "snapshot" / "data" / "train-00000-of-00001.parquet", ROWS[:2])
    table(tmp_path / "snapshot" / "data" / "test-00000-of-00001.parquet", ROWS[2:])
    (tmp_path / "snapshot" / "README.md").write_text("---\nlicense:\n- mit\n- apache-2.0\n---\n")
    answers, (source,) = loaded(tmp_path / "snapshot")
    assert (answers, source["licence"]) == (["0.", "1."], "mit, apache-2.0")


def test_folders_that_cannot_be_read(tmp_path: Path) -> None:
    assert "holds no files of rows (.json, .jsonl, " in refusal(tmp_path)
    jsonl(tmp_path / "a.jsonl", ROWS)
    (tmp_path / "notes.txt").write_text("Notes.")
    assert refusal(tmp_path) == (
        f"{tmp_path} holds files of several kinds (.jsonl, .txt): say which, as {tmp_path}/*.jsonl"
    )


def test_tables_with_a_header_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('"Who?" she said.\tI.\nWhere?\tHere.\n')
    columns = {"instruction": "q", "output": "a"}
    assert loaded(path, header=["q", "a"], quotes=False, columns=columns)[0] == ["I.", "Here."]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A hub of one data set, which remembers what was asked of it."""
    import datasets
    import huggingface_hub

    asked: list[dict[str, Any]] = []

    def load_dataset(id: str, subset: str | None, **how: Any) -> Iterator[dict[str, Any]]:
        asked.append({"id": id, "subset": subset, **how})
        if id != "owner/talks":
            raise FileNotFoundError("no such\ndata set")
        return iter(ROWS)

    def dataset_info(self: object, id: str, revision: str | None) -> SimpleNamespace:
        return SimpleNamespace(sha="c0ffee", card_data=SimpleNamespace(license="cc-by-sa-4.0"))

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", dataset_info)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return asked


def test_a_data_set_of_the_hub_is_read_at_a_commit_with_its_licence(hub: list[dict[str, Any]]) -> None:
    answers, (source,) = loaded("owner/talks", subset="en", split="validation", stream=True, limit=4)
    assert answers == ["0.", "1.", "2.", "3."]
    assert (source["path"], source["licence"]) == ("owner/talks (en), validation", "cc-by-sa-4.0")
    assert source["sha256"] == hashlib.sha256(b"owner/talks\nen\nvalidation\n\nc0ffee").hexdigest()
    assert hub == [
        {
            "id": "owner/talks",
            "subset": "en",
            "data_dir": None,
            "split": "validation",
            "revision": "c0ffee",
            "streaming": True,
        }
    ]
    assert refusal("owner/walks") == (
        "the data set owner/walks can't be had from the hub (no such data set); check its name, subset and split, or "
        "name a file on this machine"
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [("owner/talks", True), ("owner/rows.jsonl", False), ("rows", False), ("a/b/c", False), ("./a", False)],
)
def test_which_paths_are_of_the_hub(path: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert on_hub(SourceSettings(path=Path(path))) == expected
    if path == "owner/talks":
        (tmp_path / "owner").mkdir()
        assert not on_hub(SourceSettings(path=Path(path))), "a folder of that name is here, so the file is misspelt"
        assert "there is no file owner/talks" in refusal(path)


def test_a_piece_knows_its_fingerprint(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", ROWS)
    (piece,) = pieces(SourceSettings(path=path))
    size = path.stat().st_size
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert piece.fingerprint() == {"file": "a.jsonl", "bytes": size, "sha256": digest}
