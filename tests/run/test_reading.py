"""`tutelage.run.reading`: the same examples and report, whether read, gone on with, shared out or from the cache."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tiny import make_tokenizer
from tutelage.data.ledger import Ledger
from tutelage.data.settings import SourceSettings
from tutelage.errors import UserError
from tutelage.run import reading
from tutelage.run.reading import Read, Ways, read_source
from tutelage.run.shard_worker import ShardMaker
from tutelage.tokens import cache as cache_module
from tutelage.tokens.cache import TokenCache
from tutelage.tokens.cache_columns import FileColumns
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.encode import Encoder

COUNT = 50
STRETCH = 8


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    tokenizer = make_tokenizer()
    return Encoder(tokenizer, ChatFormat(tokenizer, tokenizer.chat_template), max_length=200, overlong="split")


def rows(count: int = COUNT) -> list[Any]:
    """Good ones, one of several examples, one with a placeholder; one that is bad, one that is dropped."""
    made: list[Any] = [
        {"instruction": f"Say {number}.", "input": "", "output": f"{number} is said."} for number in range(count)
    ]
    made[3] = {"instruction": "x", "output": ""}
    made[20] = "{no json"
    made[30]["history"] = [[f"Question {number}?", "The cat sat on the mat."] for number in range(9)]
    made[33]["instruction"] = "Hello {{name}}"
    made[40]["output"] = "half a pair: \ud800"
    made[41]["output"] = "a <|im_end|> b"
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in rows()))
    return file


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TokenCache:
    monkeypatch.setattr(cache_module, "SECONDS_TO_LOSE", 0.0)
    return TokenCache(tmp_path / "cache")


Found = tuple[list[list[tuple[list[int], int]]], str, bytes]


def seen(path: Path, encoder: Encoder, ways: Ways, **source: Any) -> tuple[Read, Found]:
    """What is read, and all that there is to compare: the examples, the report, quarantine.jsonl."""
    quarantine = path.parent / "quarantine.jsonl"
    with Ledger(quarantine) as ledger:
        read = read_source(SourceSettings(path=path, **source), "sft", encoder, ledger, ways)
        report = json.dumps(ledger.report())
    examples = [
        [(leaf.ids.tolist(), leaf.start) for leaf in read.store.leaves(number)] for number in range(len(read.store))
    ]
    return read, (examples, report, quarantine.read_bytes())


def told(lines: list[str], **ways: Any) -> Ways:
    return Ways(tell=lines.append, stretch=STRETCH, **ways)


class StoppedError(Exception):
    """Somebody pulled the plug."""


def stop_after(monkeypatch: pytest.MonkeyPatch, shards: int) -> list[int]:
    """Lets a process make so many shards; the numbers of those made."""
    made: list[int] = []
    make = ShardMaker.make

    def counted(self: ShardMaker, wanted: Any) -> Any:
        if len(made) == shards:
            raise StoppedError
        made.append(wanted.number)
        return make(self, wanted)

    monkeypatch.setattr(ShardMaker, "make", counted)
    return made


def test_what_a_stretch_is_changes_nothing(path: Path, encoder: Encoder) -> None:
    _, whole = seen(path, encoder, Ways())
    for stretch in (1, 7, 49, 50, 51):
        found = seen(path, encoder, Ways(stretch=stretch))[1]
        assert found[:2] == whole[:2], stretch
        assert sorted(found[2].splitlines()) == sorted(whole[2].splitlines()), stretch
    report = json.loads(whole[1])["total"]
    assert (report["read"], report["kept"], report["cut"], sum(report["quarantined"].values())) == (50, 45, 1, 4)
    assert report["examples"] == len(whole[0]) > 46
    assert report["supervised_tokens"] == sum(len(ids) - start for one in whole[0] for ids, start in one)


def test_the_cache_gives_what_reading_gives(
    path: Path, encoder: Encoder, cache: TokenCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, fresh = seen(path, encoder, told([]))
    assert seen(path, encoder, told([], cache=cache))[1] == fresh
    stop_after(monkeypatch, 0)
    read, found = seen(path, encoder, told([], cache=cache))
    assert found == fresh
    assert "half a pair" in fresh[2].decode()
    assert read.store.highest == plain.store.highest == max(id for one in fresh[0] for ids, _ in one for id in ids)
    assert isinstance(read.arrays["ids"], np.memmap), "the ids stay on disk"
    for name, array in plain.arrays.items():
        assert np.array_equal(array, read.arrays[name]), name
    (entry,) = cache.entries()
    assert entry.manifest["rows"] == COUNT
    assert entry.manifest["about"]["data"] == [str(path)]
    assert cache.unfinished() == []


@pytest.mark.parametrize("shards", [0, 1, 2, 5, 6])
def test_a_run_that_was_stopped_is_gone_on_with(
    path: Path, encoder: Encoder, cache: TokenCache, shards: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, fresh = seen(path, encoder, told([]))
    with monkeypatch.context() as patch:
        stop_after(patch, shards)
        with pytest.raises(StoppedError):
            seen(path, encoder, told([], cache=cache))
    assert cache.entries() == []
    made = stop_after(monkeypatch, 99)
    assert seen(path, encoder, told([], cache=cache))[1] == fresh
    assert made == [0, *range(max(1, shards), 7)], "but for the first, nothing is made twice"
    assert len(cache.entries()) == 1


def test_what_a_crash_left_half_written_is_cut_off(
    path: Path, encoder: Encoder, cache: TokenCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, fresh = seen(path, encoder, told([]))
    with monkeypatch.context() as patch:
        stop_after(patch, 4)
        with pytest.raises(StoppedError):
            seen(path, encoder, told([], cache=cache))
    (folder,) = cache.unfinished()
    for name, end in (("journal.jsonl", b'{"lengths": {"ids'), ("ids.npy", b"12345"), ("row.npy", b"1")):
        with (folder / name).open("ab") as file:
            file.write(end)
    assert seen(path, encoder, told([], cache=cache))[1] == fresh


@pytest.mark.parametrize("name", ["ids.npy", "row_minima.npy", "first_leaf.npy"])
def test_a_damaged_entry_is_made_anew(path: Path, encoder: Encoder, cache: TokenCache, name: str) -> None:
    fresh = seen(path, encoder, told([], cache=cache))[1]
    (entry,) = cache.entries()
    file = entry.folder / name
    file.write_bytes(file.read_bytes()[:-1])
    assert seen(path, encoder, told([], cache=cache))[1] == fresh
    assert len(cache.entries()) == 1
    assert np.load(file).shape[0] == entry.manifest["lengths"][name.removesuffix(".npy")]


@pytest.mark.parametrize("after", [0, 1, 3, 6])
def test_a_full_disk_costs_the_cache_and_nothing_else(
    path: Path, encoder: Encoder, cache: TokenCache, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, fresh = seen(path, encoder, told([]))
    append, calls = FileColumns.append, []

    def full(self: FileColumns, arrays: Any) -> None:
        calls.append(1)
        if len(calls) > after:
            self._files["ids"].write(b"1234567")
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, arrays)

    monkeypatch.setattr(FileColumns, "append", full)
    lines: list[str] = []
    assert seen(path, encoder, told(lines, cache=cache))[1] == fresh
    assert lines == [f"no token cache is kept in {cache.root}: the disk is full"]
    assert (cache.entries(), cache.unfinished()) == ([], [])


def test_a_cache_that_can_not_be_written_is_done_without(path: Path, encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lines: list[str] = []
    _, fresh = seen(path, encoder, told([]))
    assert seen(path, encoder, told(lines, cache=TokenCache(tmp_path / "file" / "cache")))[1] == fresh
    assert len(lines) == 1
    assert lines[0].startswith(f"no token cache is kept in {tmp_path / 'file' / 'cache'}: ")


def test_small_sources_are_not_kept(path: Path, encoder: Encoder, cache: TokenCache) -> None:
    seen(path, encoder, Ways(cache=cache))
    seen(path, encoder, told([], cache=cache), limit=STRETCH - 1)
    assert (cache.entries(), cache.unfinished()) == ([], [])


def test_rows_that_can_not_be_used_leave_nothing(path: Path, cache: TokenCache) -> None:
    tokenizer = make_tokenizer()
    chat = ChatFormat(tokenizer, tokenizer.chat_template)
    strict = Encoder(tokenizer, chat, max_length=60, overlong="error")
    for ways in (told([]), told([], cache=cache)):
        with pytest.raises(UserError, match=r"rows\.jsonl, row 31: \d+ tokens are more than max_length=60"):
            seen(path, strict, ways)
        assert len((path.parent / "quarantine.jsonl").read_bytes().splitlines()) == 2, "those before it"
    assert (cache.entries(), cache.unfinished()) == ([], [])


def test_limits_and_several_files(tmp_path: Path, encoder: Encoder, cache: TokenCache) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, count in (("a", 20), ("b", 8), ("c", 30)):
        lines = [json.dumps({"instruction": f"{name} {number}", "output": "yes"}) for number in range(count)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    for limit in (None, 8, 20, 28, 29, 58):
        whole = seen(folder, encoder, Ways(), limit=limit)[1]
        assert json.loads(whole[1])["total"]["read"] == min(limit or 58, 58)
        for _ in range(2):
            assert seen(folder, encoder, told([], cache=cache), limit=limit)[1] == whole, limit


def test_an_interrupted_reading_of_several_files(
    tmp_path: Path, encoder: Encoder, cache: TokenCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in "abc":
        lines = [json.dumps({"instruction": f"{name} {number} {{{{x}}}}", "output": "y"}) for number in range(20)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    whole = seen(folder, encoder, told([]), limit=50)[1]
    for shards in range(1, 8):
        with monkeypatch.context() as patch:
            stop_after(patch, shards)
            with pytest.raises(StoppedError):
                seen(folder, encoder, told([], cache=cache), limit=50)
        made = stop_after(monkeypatch, 99)
        assert seen(folder, encoder, told([], cache=cache), limit=50)[1] == whole
        assert len(made) == 8 - shards + 1
        cache.delete(cache.entries()[0].key)


def test_what_shapes_the_ids_is_in_the_key(path: Path, encoder: Encoder, cache: TokenCache) -> None:
    def entries(**changed: Any) -> int:
        given: dict[str, Any] = {"train_on": "assistant", "max_length": 200, "overlong": "split"} | changed
        tokenizer = given.pop("tokenizer", None) or make_tokenizer()
        template = given.pop("template", tokenizer.chat_template)
        source = given.pop("source", {})
        seen(path, Encoder(tokenizer, ChatFormat(tokenizer, template), **given), told([], cache=cache), **source)
        return len(cache.entries())

    assert [entries(), entries()] == [1, 1]
    assert entries(max_length=199) == 2
    assert entries(train_on="last") == 3
    assert entries(overlong="drop") == 4
    assert entries(tokenizer=make_tokenizer(size=300)) == 5
    assert entries(template=make_tokenizer().chat_template + " ") == 6
    assert entries(source={"limit": 40}) == 7
    assert entries(source={"format": "alpaca"}) == 8
    tokenizer = make_tokenizer()
    tokenizer.name_or_path = "elsewhere"
    assert entries(tokenizer=tokenizer, source={"licence": "mit", "rate": 2}) == 8, "these shape no ids"
    path.write_text(path.read_text().replace("Say 7.", "Say 8."))
    assert entries() == 9


def test_a_file_that_moved_is_still_known(
    path: Path, encoder: Encoder, cache: TokenCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen(path, encoder, told([], cache=cache))
    moved = path.rename(path.with_name("moved.jsonl"))
    stop_after(monkeypatch, 0)
    report, quarantine = seen(moved, encoder, told([], cache=cache))[1][1:]
    assert "moved.jsonl" in report
    assert "rows.jsonl" not in report + quarantine.decode()


# Other processes


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PATIENCE", 0.0)


@pytest.mark.usefixtures("hasty")
def test_several_processes_make_what_one_makes(
    path: Path, encoder: Encoder, cache: TokenCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, fresh = seen(path, encoder, told([]))
    stop_after(monkeypatch, 0)
    lines: list[str] = []
    assert seen(path, encoder, told(lines, workers=2, cache=cache))[1] == fresh
    assert seen(path, encoder, told(lines, cache=cache))[1] == fresh
    assert lines == []


@pytest.mark.usefixtures("hasty")
def test_processes_that_end_are_done_without(
    path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, cache: TokenCache
) -> None:
    _, fresh = seen(path, encoder, told([]))
    monkeypatch.setattr("sys.executable", "/bin/false")
    lines: list[str] = []
    assert seen(path, encoder, told(lines, workers=2, cache=cache))[1] == fresh
    assert len(lines) == 1
    assert lines[0].startswith(f"the processes that read {path} ended")


@pytest.mark.usefixtures("hasty")
def test_a_refusal_in_another_process_is_the_same(path: Path, cache: TokenCache) -> None:
    tokenizer = make_tokenizer()
    strict = Encoder(tokenizer, ChatFormat(tokenizer, tokenizer.chat_template), max_length=60, overlong="error")
    with pytest.raises(UserError, match=r"rows\.jsonl, row 31: \d+ tokens are more than max_length=60"):
        seen(path, strict, told([], workers=2, cache=cache))
    assert len((path.parent / "quarantine.jsonl").read_bytes().splitlines()) == 2
