"""`tutelage data cache` as it is typed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from tutelage.cli.cache import bytes_of, shown_age, shown_size
from tutelage.cli.main import run
from tutelage.errors import UserError
from tutelage.tokens.cache import Building, TokenCache, key_of
from tutelage.tokens.cache_columns import Column

IDS = {"ids": Column("<i4")}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TokenCache:
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    return TokenCache()


def make(cache: TokenCache, name: str, tokens: int, days: float = 0.0) -> str:
    key = key_of({"name": name})
    building = Building(cache.root / key, IDS)
    building.add({"ids": np.arange(tokens)}, {})
    about = {"data": [f"{name}.jsonl", "more.jsonl"], "model": "tiny", "max_length": 64}
    entry = building.finish({"about": about, "rows": 3, "tokens": tokens, "made": "2026-01-01T00:00:00+00:00"})
    then = time.time() - days * 86_400
    os.utime(entry.folder / "manifest.json", (then, then))
    return key


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert run(["data", "cache", *words]) == code
    shown = capsys.readouterr()
    return shown.err if code else shown.out


def test_nothing_is_there(cache: TokenCache, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys) == f"{cache.root}: 0 entries, 0 bytes\n"
    assert said(capsys, "--prune") == "deleted 0 entries, 0 bytes\n"
    assert not cache.root.exists()


def test_entries_are_listed_the_latest_used_first(cache: TokenCache, capsys: pytest.CaptureFixture[str]) -> None:
    make(cache, "old", 1000, days=3.2)
    key = make(cache, "new", 250_000)
    Building(cache.root / key_of({"name": "half"}), IDS).close()
    lines = said(capsys).splitlines()
    assert lines[0].startswith(f"{cache.root}: 2 entries, 1.0 MB")
    assert lines[1].split() == ["size", "rows", "tokens", "used", "data", "model"]
    assert lines[2].split() == ["1.0", "MB", "3", "250,000", "just", "now", "new.jsonl", "and", "1", "more", "tiny"]
    assert "3 days ago" in lines[3]
    assert lines[4].startswith("1 more half made")
    first = json.loads(said(capsys, "--json").splitlines()[0])
    assert first["key"] == key
    assert (first["rows"], first["tokens"], first["data"][0], first["max_length"]) == (3, 250_000, "new.jsonl", 64)


def test_prune_by_age_by_size_and_all(cache: TokenCache, capsys: pytest.CaptureFixture[str]) -> None:
    keys = [make(cache, f"of {days} days", 25_000, days) for days in (1, 2, 3, 40)]
    Building(cache.root / key_of({"name": "half"}), IDS).close()
    assert said(capsys, "--prune", "--older-than", "30").startswith("deleted 1 entry, 100.")
    assert [entry.key for entry in cache.entries()] == keys[:3]
    assert said(capsys, "--prune", "--larger-than", "250kB").startswith("deleted 1 entry")
    assert [entry.key for entry in cache.entries()] == keys[:2], "the longest unused goes"
    assert len(cache.unfinished()) == 1
    assert said(capsys, "--prune").startswith("deleted 3 entries, 200.")
    assert (cache.entries(), cache.unfinished()) == ([], [])


def test_what_a_run_is_making_is_left(cache: TokenCache, capsys: pytest.CaptureFixture[str]) -> None:
    key = make(cache, "one", 10)
    with cache.locked(key):
        assert said(capsys, "--prune").startswith("deleted 0 entries")
    assert len(cache.entries()) == 1


def test_limits_without_prune_and_bad_sizes(cache: TokenCache, capsys: pytest.CaptureFixture[str]) -> None:
    assert "give it too" in said(capsys, "--older-than", "3", code=2)
    assert "--larger-than=much is no size" in said(capsys, "--prune", "--larger-than", "much", code=2)
    with pytest.raises(UserError):
        bytes_of("3 PB")


def test_sizes_and_ages_in_words() -> None:
    assert [bytes_of(size) for size in ("12", "20GB", "1.5 mb", "3kB")] == [12, 20 * 10**9, 1_500_000, 3000]
    assert [shown_size(size) for size in (999, 1000, 1_500_000, 2 * 10**12)] == [
        "999 bytes",
        "1.0 kB",
        "1.5 MB",
        "2.0 TB",
    ]
    assert [shown_age(age) for age in (3, 60, 7300, 90_000, 900_000)] == [
        "just now",
        "1 minute ago",
        "2 hours ago",
        "1 day ago",
        "10 days ago",
    ]
