"""environment.json: what it tells, and what it must not tell."""

from __future__ import annotations

import getpass
import hashlib
import json
import platform
from pathlib import Path

import pytest

import tutelage
from tutelage.data.locating import fingerprint
from tutelage.errors import UserError
from tutelage.run.environment import check_same_data, describe, revision


def test_what_a_run_stood_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    data = tmp_path / "行.jsonl"
    data.write_bytes(b"{}\n")
    found = describe(7, "cpu", [fingerprint(data)])
    assert found["tutelage"] == tutelage.__version__
    assert found["python"] == platform.python_version()
    assert {"torch", "transformers", "numpy"} <= set(found["versions"])
    assert found["variables"]["OMP_NUM_THREADS"] == "3"
    assert (found["seed"], found["device"]["name"]) == (7, "cpu")
    assert found["threads"]["torch"] >= 1
    assert found["data"] == [{"file": "行.jsonl", "bytes": 3, "sha256": hashlib.sha256(b"{}\n").hexdigest()}]


def test_no_names_of_people_or_machines(tmp_path: Path) -> None:
    data = tmp_path / "rows"
    data.write_bytes(b"")
    text = json.dumps(describe(0, "cpu", [fingerprint(data)]), ensure_ascii=False)
    assert str(tmp_path) not in text
    assert str(Path.cwd()) not in text
    words = text.replace('"', " ").replace("/", " ").split()
    assert platform.node() not in words
    assert getpass.getuser() not in words


def test_outside_git(tmp_path: Path) -> None:
    assert revision(tmp_path) is None
    assert revision(tmp_path / "not there") is None


def test_data_that_changed_is_refused_on_resume(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"one")
    then = {"data": [fingerprint(path)]}
    check_same_data(then, {"data": [fingerprint(path)]})
    path.write_bytes(b"three")
    with pytest.raises(
        UserError, match=r"^rows\.jsonl is not what this run began with \(3 bytes then, 5 now\): put the old"
    ):
        check_same_data(then, {"data": [fingerprint(path)]})
