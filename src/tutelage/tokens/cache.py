"""The token cache: what a source came to, in a folder named by everything that shaped it.

    ROOT/KEY/*.npy           columns of numbers, which grow while the source is read and are mapped afterwards
    ROOT/KEY/journal.jsonl   a line a stretch of rows: the columns' lengths after it, and the facts told of it
    ROOT/KEY/manifest.json   written last: the entry is whole
    ROOT/locks/KEY           held by the one run that makes the entry

A run that finds a journal without a manifest goes on behind its last line. An entry is never changed once it is whole,
so any number of runs may read it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tutelage.tokens.cache_columns import Array, Column, FileColumns, mapped

VERSION = 1
"""Of the entries' format, and of our own ways from a row to its ids: part of every key."""
VARIABLE = "TUTELAGE_CACHE"
DAY = 86_400
# Between two moments after which a crash of the machine loses nothing.
SECONDS_TO_LOSE = 2.0
_PLACES: dict[str, tuple[str, str]] = {  # the variable that names the folder of all caches, and where it is without
    "darwin": ("", "~/Library/Caches"),
    "win32": ("LOCALAPPDATA", "~/AppData/Local"),
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def cache_root() -> Path:
    """$TUTELAGE_CACHE, else a folder among the user's caches ($XDG_CACHE_HOME, ~/.cache, ~/Library/Caches, …)."""
    own = os.environ.get(VARIABLE)
    if own:
        return Path(own).expanduser()
    variable, usual = _PLACES.get(sys.platform, ("XDG_CACHE_HOME", "~/.cache"))
    return Path(os.environ.get(variable) or usual).expanduser() / "tutelage"


def key_of(told: Mapping[str, Any]) -> str:
    """The name of the entry that all this shaped: a SHA-256 in hexadecimal digits."""
    return hashlib.sha256(orjson.dumps({"version": VERSION, **told}, option=orjson.OPT_SORT_KEYS)).hexdigest()


def told_of(error: OSError, root: Path) -> str:
    """One line on a cache that can't be written."""
    why = "the disk is full" if error.errno in _FULL else (error.strerror or str(error))
    return f"no token cache is kept in {root}: {why}"


@dataclass(frozen=True)
class Entry:
    """One source's tokens. manifest: `about` (what it is of, in words), `lengths`, and whatever its maker told."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def key(self) -> str:
        """Its name."""
        return self.folder.name

    @property
    def bytes(self) -> int:
        """What it takes on disk."""
        return _bytes_in(self.folder)

    @property
    def used(self) -> float:
        """When a run last read it, in seconds since 1970."""
        with suppress(OSError):
            return (self.folder / "manifest.json").stat().st_mtime
        return 0.0

    def arrays(self, columns: Mapping[str, Column]) -> dict[str, Array]:
        """The columns, mapped. Raises OSError or ValueError where they are not whole."""
        return mapped(self.folder, columns, self.manifest["lengths"])

    def facts(self) -> Iterator[dict[str, Any]]:
        """What was told of each stretch, in their order."""
        return (line["facts"] for line in _journal(self.folder)[0])

    def discard(self) -> None:
        """Deletes it; for who holds its lock."""
        (self.folder / "manifest.json").unlink(missing_ok=True)  # first, so that no run begins to read it now
        shutil.rmtree(self.folder, ignore_errors=True)

    def touch(self) -> None:
        """It is used now."""
        with suppress(OSError):
            os.utime(self.folder / "manifest.json")


class Building:
    """An entry that is being made, by the run that holds its lock. known: the facts of stretches made before a crash.

    Raises OSError wherever the disk is full or fails.
    """

    def __init__(self, folder: Path, columns: Mapping[str, Column]) -> None:
        """Goes on with what is there."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        lines, size = _journal(folder)
        try:
            self.columns = FileColumns(folder, columns, lines[-1]["lengths"] if lines else None)
        except OSError as error:
            if error.errno in _FULL or not lines:
                raise
            lines, size = [], 0  # a journal without its columns: anew
            self.columns = FileColumns(folder, columns)
        self.known: list[dict[str, Any]] = [line["facts"] for line in lines]
        self._file = open(folder / "journal.jsonl", "rb+" if size else "wb", buffering=0)  # noqa: SIM115
        self._file.truncate(size)
        self._file.seek(size)
        self._waiting = b""
        self._synced = time.monotonic()

    def add(self, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
        """The next stretch."""
        self.columns.append(arrays)
        self._waiting += _line({"lengths": self.columns.lengths, "facts": facts})
        if time.monotonic() - self._synced > SECONDS_TO_LOSE:
            self.commit()

    def commit(self) -> None:
        """What was added so far outlives a crash."""
        self.columns.sync()
        waiting, self._waiting = self._waiting, b""
        self._file.write(waiting)
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def finish(self, manifest: Mapping[str, Any]) -> Entry:
        """The entry is whole."""
        self.commit()
        self.columns.finish()
        self._file.close()
        whole = {**manifest, "version": VERSION, "lengths": self.columns.lengths}
        aside = self.folder / "manifest.json.partial"
        with aside.open("wb") as file:
            file.write(orjson.dumps(whole))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.folder / "manifest.json")
        return Entry(self.folder, whole)

    def close(self) -> None:
        """What was added is kept for the next run, as far as it can be."""
        with suppress(OSError, ValueError):
            self.commit()
        self.columns.close()
        self._file.close()

    def delete(self) -> None:
        """Nothing of it is kept."""
        self.columns.close()
        self._file.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class TokenCache:
    """The entries under a folder."""

    def __init__(self, root: Path | None = None) -> None:
        """root: None: `cache_root`."""
        self.root = root or cache_root()

    def entry(self, key: str) -> Entry | None:
        """A whole entry."""
        folder = self.root / key
        try:
            return Entry(folder, orjson.loads((folder / "manifest.json").read_bytes()))
        except (OSError, ValueError):
            return None

    def entries(self) -> list[Entry]:
        """All whole ones, the latest used first."""
        found = [self.entry(folder.name) for folder in self._folders()]
        return sorted((one for one in found if one is not None), key=lambda one: -one.used)

    def unfinished(self) -> list[Path]:
        """Folders of entries that a run left half made, or is making."""
        return [folder for folder in self._folders() if not (folder / "manifest.json").exists()]

    @contextmanager
    def locked(self, key: str, wait: bool = True, tell: Callable[[str], None] = lambda line: None) -> Iterator[bool]:
        """Holds an entry's lock; false where another has it and we do not wait. `tell` hears that we wait.

        Raises OSError: the folder can't be written.
        """
        from filelock import FileLock, Timeout

        locks = self.root / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / key)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not wait:
                yield False
                return
            tell("another run is making the token cache of these rows: waiting for it")
            lock.acquire()
        except NotImplementedError as error:  # a file system without locks
            raise OSError(errno.ENOTSUP, str(error)) from None
        try:
            yield True
        finally:
            lock.release()

    def delete(self, key: str) -> bool:
        """Deletes an entry, whole or not; false where a run is making it. Runs that read it keep what they have."""
        with self.locked(key, wait=False) as ours:
            if ours:
                Entry(self.root / key, {}).discard()
        return ours

    def _folders(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        return [folder for folder in sorted(self.root.iterdir()) if len(folder.name) == 64 and folder.is_dir()]


def to_prune(entries: list[Entry], now: float, older_than: float | None, larger_than: int | None) -> list[Entry]:
    """Which of the entries, the latest used first, are pruned: all, or by age in days, or to keep so many bytes in all.

    With both limits an entry goes that fails one of them.
    """
    if older_than is None and larger_than is None:
        return list(entries)
    gone, kept = [], 0
    for entry in entries:
        old = older_than is not None and now - entry.used > older_than * DAY
        over = larger_than is not None and kept + entry.bytes > larger_than
        if old or over:
            gone.append(entry)
        else:
            kept += entry.bytes
    return gone


def _bytes_in(folder: Path) -> int:
    with suppress(OSError):
        return sum(file.stat().st_size for file in folder.iterdir())
    return 0


def _journal(folder: Path) -> tuple[list[dict[str, Any]], int]:
    """The whole lines of a journal, and the bytes that they take."""
    lines: list[dict[str, Any]] = []
    size = 0
    try:
        content = (folder / "journal.jsonl").read_bytes()
    except OSError:
        return [], 0
    for line in content.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break
        try:
            lines.append(_parsed(line))
        except ValueError:
            break
        size += len(line)
    return lines, size


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:  # half a surrogate pair in a reason
        found = json.loads(line)
    if not isinstance(found, dict) or not {"lengths", "facts"} <= found.keys():
        raise ValueError("no line of a journal")
    return found


def _line(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return json.dumps(value).encode() + b"\n"
