"""Whole files or none, and a full disk in a sentence."""

from __future__ import annotations

import errno
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from tutelage.errors import UserError
from tutelage.run.files import json_bytes, told_in_words, write_atomically


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_disk_that_fills_up_leaves_the_old_file_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, b"old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError) as refused:
        write_atomically(path, b"new")
    assert (
        str(refused.value) == f"The disk that holds {tmp_path} is full: free some space and continue with resume=true."
    )
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=r"can't be written \(Permission denied\): choose another output\.$"),
        told_in_words(tmp_path),
    ):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), told_in_words(tmp_path):
        raise FileNotFoundError(errno.ENOENT, "gone")


def test_json_takes_numpy_and_not_a_number() -> None:
    value = {"a": np.float32(0.5), "b": math.nan, "c": Path("x"), "d": "字", 1: np.arange(2)}
    assert json.loads(json_bytes(value)) == {"a": 0.5, "b": None, "c": "x", "d": "字", "1": [0, 1]}
    assert json_bytes({"d": "字"}, indent=False) == '{"d":"字"}\n'.encode()
    assert json_bytes({"a": 1}) == b'{\n  "a": 1\n}\n'
