"""LLaMA-Factory's registry: a made-up one with every key, and the real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tutelage.data.ledger import Ledger
from tutelage.data.load import load
from tutelage.data.registry import FILE
from tutelage.data.settings import DataSettings, SourceSettings
from tutelage.errors import UserError
from tutelage.records import Conversation


def source(registry: Path, name: str, **more: object) -> SourceSettings:
    return DataSettings.model_validate({"registry": registry, "sources": [{"path": name, **more}]}).sources[0]


def written(folder: Path, entry: dict[str, Any]) -> Path:
    path = folder / FILE
    path.write_text(json.dumps({"mine": entry}))
    return path


def test_an_entry_without_columns_is_alpaca_beside_the_registry(tmp_path: Path) -> None:
    found = source(written(tmp_path, {"file_name": "a.json"}), "mine", limit=3)
    assert found.model_dump(exclude_defaults=True) == {
        "path": tmp_path / "a.json",
        "format": "alpaca",
        "columns": {},
        "limit": 3,
    }
    assert source(tmp_path, "mine").path == tmp_path / "a.json", "the folder of a registry will do"


def test_columns_and_tags_are_read_and_what_is_not_named_is_not(tmp_path: Path) -> None:
    entry = {
        "hf_hub_url": "owner/talks",
        "ms_hub_url": "Owner/talks",
        "formatting": "sharegpt",
        "subset": "en",
        "split": "train_sft",
        "folder": "x",
        "num_samples": 7,
        "columns": {"messages": "talk", "tools": "offered"},
        "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"},
    }
    found = source(written(tmp_path, entry), "mine")
    assert found.path == Path("owner/talks")
    assert (found.subset, found.split, found.folder, found.limit) == ("en", "train_sft", "x", 7)
    assert found.columns is not None
    assert found.columns.model_dump(exclude_none=True) == {
        "messages": "talk",
        "tools": "offered",
        "system": "",
        "label": "",
    }
    assert found.tags is not None
    assert (found.tags.role, found.tags.user, found.tags.tool) == ("role", "user", "observation")


def test_only_the_columns_of_an_alpaca_entry_are_read(tmp_path: Path) -> None:
    entry = {"file_name": "a.jsonl", "columns": {"prompt": "content", "response": "summary"}}
    row = {"content": "Q", "summary": "a", "input": "not meant", "system": "nor this"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    ledger = Ledger(None)
    ((_, _, record),) = load(source(written(tmp_path, entry), "mine"), "sft", ledger)
    assert isinstance(record, Conversation)
    assert [one.content[0].text for one in record.messages] == ["Q", "a"]


@pytest.mark.parametrize(
    ("entry", "format"),
    [
        ({"columns": {"prompt": "text"}}, "text"),
        ({"ranking": True, "columns": {"prompt": "q", "chosen": "c", "rejected": "r"}}, "preference"),
        ({"formatting": "sharegpt", "ranking": True}, "preference"),
        ({"formatting": "openai", "columns": {"messages": "messages"}}, "sharegpt"),
    ],
)
def test_what_an_entry_is_for(tmp_path: Path, entry: dict[str, Any], format: str) -> None:
    assert source(written(tmp_path, {"file_name": "a.json", **entry}), "mine").format == format


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"ms_hub_url": "a/b"}, "lies on ModelScope only, which is not read"),
        ({"script_url": "a"}, "is a loading script, and code of others is not run"),
        ({"cloud_file_name": "s3://a"}, "lies in cloud storage"),
        ({}, "says neither `file_name` nor `hf_hub_url`"),
        (
            {"file_name": "a.json", "formatting": "alpacca"},
            "has the formatting 'alpacca': alpaca, sharegpt, openai are",
        ),
        ({"file_name": "a.json", "columns": {"images": "i"}}, "holds images, and only text is learnt yet"),
        ({"file_name": "a.json", "columns": {"promt": "i"}}, "unknown column promt; did you mean prompt?"),
        ({"file_name": "a.json", "rankin": True}, "unknown key rankin; did you mean ranking?"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path, entry: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError) as caught:
        source(written(tmp_path, entry), "mine")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_name_and_a_wrong_registry(tmp_path: Path) -> None:
    registry = written(tmp_path, {"file_name": "a.json"})
    with pytest.raises(UserError, match=r"has no data set mien: did you mean mine\?$"):
        source(registry, "mien")
    with pytest.raises(UserError, match=r"none\.json cannot be read: No such file"):
        source(tmp_path / "none.json", "mine")
    registry.write_text("{")
    with pytest.raises(UserError, match="is not JSON"):
        source(registry, "mine")
    for path in ("folder/a.json", "a.json", "owner/talks"):
        assert source(registry, path).path == Path(path), "a path is no name"


def test_the_real_registry(shared_data: Path) -> None:
    registry = shared_data / "sft" / FILE
    refusals = []
    for name in json.loads(registry.read_text(encoding="utf-8")):
        try:
            source(registry, name)
        except UserError as error:
            refusals.append(str(error))
    assert len(refusals) == 14
    assert all("only text is learnt yet" in one or "lies on ModelScope only" in one for one in refusals)
    for name, rows in (("alpaca_en_demo", 999), ("identity", 91), ("glaive_toolcall_en_demo", 300)):
        ledger = Ledger(None)
        for origin, _, _ in load(source(registry, name), "sft", ledger):
            ledger.kept(origin, examples=1, tokens=1, supervised=1)
        assert ledger.report()["total"]["kept"] == rows
