"""One source to examples: from the token cache, or read anew, stretch by stretch, by this process and by others.

    pieces → shards, in order → the ledger is told → columns, in memory or in the cache → a store

What comes out is the same whichever way it went.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.data import world
from tutelage.data.facts import Facts, placeholders_in
from tutelage.data.formats import FORMATS
from tutelage.data.hub_rows import HubSplit
from tutelage.data.ledger import Ledger
from tutelage.data.load import FoundPlaceholders
from tutelage.data.locating import Piece, on_hub, pieces
from tutelage.data.settings import SourceSettings
from tutelage.data.sources import ending_of
from tutelage.errors import UserError
from tutelage.run.shard_worker import Job, ShardMaker, Wanted
from tutelage.run.shard_workers import ShardWorkers, WorkersLostError
from tutelage.run.shards import COLUMNS, STRETCH, Shard, behind, store_of
from tutelage.tasks.contamination import EvaluationRows
from tutelage.tokens.cache import Building, Entry, TokenCache, key_of, told_of
from tutelage.tokens.cache_columns import Array, MemoryColumns
from tutelage.tokens.cache_terms import Terms
from tutelage.tokens.encode import Encoder
from tutelage.tokens.store import LeafStore

# Seconds that a source is read by this process alone: starting others takes about as long.
PATIENCE = 3.0
_COMMIT = re.compile(r"[0-9a-f]{40}")


def warn(line: str) -> None:
    """Tells a person who has given no other way."""
    logging.getLogger("tutelage").warning("%s", line)


@dataclass(frozen=True)
class Ways:
    """How sources are read. cache: None: none. workers: processes besides this one; below 2: none.

    evaluation: rows that none of the sources may hold. tell: hears a line where something did not go as it should.
    """

    cache: TokenCache | None = None
    workers: int = 0
    evaluation: EvaluationRows | None = None
    tell: Callable[[str], None] = warn
    stretch: int = STRETCH


@dataclass(frozen=True)
class Read:
    """A source that is read. store: its examples. arrays: its columns. piece: int32, of each row that is used.

    names: of its pieces, as reports have them.
    """

    source: SourceSettings
    store: LeafStore
    arrays: dict[str, Array]
    piece: NDArray[np.int32]
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Stretch:
    """What is remembered of a shard when its columns are put away."""

    piece: int
    format: str
    taken: int
    ended: bool
    used: int
    highest: int
    facts: Facts

    @classmethod
    def of(cls, piece: int, shard: Shard) -> _Stretch:
        highest = int(shard.arrays["ids"].max(initial=0))
        return cls(piece, shard.format, shard.taken, shard.ended, len(shard.arrays["row"]), highest, shard.facts)

    def plain(self) -> dict[str, Any]:
        return {**vars(self), "facts": self.facts.plain()}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> _Stretch:
        return cls(**{**plain, "facts": Facts.from_plain(plain["facts"])})


def read_source(source: SourceSettings, stage: str, encoder: Encoder, ledger: Ledger, ways: Ways) -> Read:
    """Reads and encodes a source; the ledger knows the fate of each row afterwards.

    Raises `UserError` as `load` does, and where a row is too long and overlong=error.
    """
    return _Reading(source, stage, encoder, ledger, ways).read()


@dataclass
class _Reading:
    source: SourceSettings
    stage: str
    encoder: Encoder
    ledger: Ledger
    ways: Ways
    known: list[_Stretch] = field(default_factory=list)  # those that the ledger has been told of
    _fingerprints: dict[int, str] = field(default_factory=dict)

    def read(self) -> Read:
        key = self._key
        entry = self.ways.cache.entry(key) if self.ways.cache and key else None
        found = self._of_entry(entry)
        if found is not None:
            return found
        with closing(self._shards()) as made:
            first = next(made)
            shards = chain([first], made)
            if self.ways.cache is not None and key is not None and not first[1].error and not self._is_all(first):
                try:
                    return self._into_cache(self.ways.cache, key, shards)
                except OSError as error:
                    if self.known:  # it is no matter of the cache
                        raise
                    self.ways.tell(told_of(error, self.ways.cache.root))
            return self._in_memory(MemoryColumns(COLUMNS), shards)

    # Where the columns go

    def _in_memory(self, columns: MemoryColumns, shards: Iterator[tuple[int, Shard]]) -> Read:
        for piece, shard in shards:
            self._tell(_Stretch.of(piece, shard), shard.error)
            columns.append(behind(shard.arrays, columns.lengths))
        return self._read(columns.arrays())

    def _into_cache(self, cache: TokenCache, key: str, shards: Iterator[tuple[int, Shard]]) -> Read:
        """Raises OSError where the cache can't be written and nothing was told of yet."""
        with cache.locked(key, tell=self.ways.tell):
            entry = cache.entry(key)
            found = self._of_entry(entry)  # another run may have made it while we waited
            if found is not None:
                return found
            if entry is not None:  # but it is damaged
                entry.discard()
            building = Building(cache.root / key, COLUMNS)
            try:
                if not building.known:
                    return self._build(cache, building, shards)
                for plain in building.known:  # what an earlier run had made when it ended
                    self._tell(_Stretch.from_plain(plain))
                with closing(self._shards(tuple(self.known))) as others:
                    return self._build(cache, building, others)
            except UserError:  # these rows can't be used as they are
                building.delete()
                raise
            finally:
                building.close()

    def _build(self, cache: TokenCache, building: Building, shards: Iterator[tuple[int, Shard]]) -> Read:
        for piece, shard in shards:
            stretch = _Stretch.of(piece, shard)
            self._tell(stretch, shard.error)
            before = dict(building.columns.lengths)
            arrays = behind(shard.arrays, before)
            try:
                building.add(arrays, stretch.plain())
            except OSError as error:
                added = building.columns.lengths != before
                columns = self._rescued(cache, building, error)
                if not added:
                    columns.append(arrays)
                return self._in_memory(columns, shards)
        try:
            return self._read(building.finish(self._manifest()).arrays(COLUMNS))
        except OSError as error:
            return self._read(self._rescued(cache, building, error).arrays())

    def _rescued(self, cache: TokenCache, building: Building, error: OSError) -> MemoryColumns:
        """What was written so far, in memory; the disk is no longer troubled."""
        self.ways.tell(told_of(error, cache.root))
        columns = MemoryColumns.of(COLUMNS, building.columns.arrays())
        building.delete()
        return columns

    def _of_entry(self, entry: Entry | None) -> Read | None:
        if entry is None:
            return None
        try:
            arrays = entry.arrays(COLUMNS)
            stretches = [_Stretch.from_plain(plain) for plain in entry.facts()]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        for stretch in stretches:
            self._tell(stretch)
        entry.touch()
        return self._read(arrays)

    def _read(self, arrays: dict[str, Array]) -> Read:
        piece = np.repeat(np.array([one.piece for one in self.known], np.int32), [one.used for one in self.known])
        store = store_of(arrays, max((one.highest for one in self.known), default=0))
        return Read(self.source, store, arrays, piece, tuple(one.name for one in self._pieces))

    # The ledger

    def _tell(self, stretch: _Stretch, error: str | None = None) -> None:
        piece = self._pieces[stretch.piece]
        if not any(one.piece == stretch.piece for one in self.known[-1:]):
            licence = self.source.licence or piece.licence()
            self.ledger.opened(piece.name, stretch.format, self._fingerprint(stretch.piece), licence)
        self.known.append(stretch)
        stretch.facts.tell(self.ledger, piece.name)
        if error is not None:
            raise UserError(error)
        if stretch.ended:
            found = placeholders_in([one.facts for one in self.known if one.piece == stretch.piece])
            warning = FoundPlaceholders.of(found, piece.name).warning() if found else None
            if warning is not None:
                self.ledger.warn(piece.name, warning)

    # Shards

    def _shards(self, known: Sequence[_Stretch] = ()) -> Generator[tuple[int, Shard]]:
        """All that follow those that are known, each with the number of its piece."""
        taken = sum(one.taken for one in known)
        with closing(_Makers(self._job, self.encoder, self.ways)) as makers:
            for piece in range(len(self._pieces)):
                own = [one for one in known if one.piece == piece]
                limit = None if self.source.limit is None else self.source.limit - taken
                if own:
                    limit = None if limit is None else limit + sum(one.taken for one in own)
                if limit == 0 or (own and own[-1].ended) or (known and piece < known[-1].piece):
                    continue
                for shard in makers.shards(piece, limit, len(own)):
                    taken += shard.taken
                    yield piece, shard

    def _is_all(self, first: tuple[int, Shard]) -> bool:
        """Whether a source's first shard is its only one."""
        piece, shard = first
        return shard.ended and (piece == len(self._pieces) - 1 or shard.taken == self.source.limit)

    # What the source is

    @cached_property
    def _pieces(self) -> list[Piece]:
        return pieces(self.source)

    @cached_property
    def _job(self) -> Job:
        return Job(self.source, self.stage, Terms.of(self.encoder), self.ways.stretch)

    def _fingerprint(self, piece: int) -> str:
        if piece not in self._fingerprints:
            self._fingerprints[piece] = self._pieces[piece].fingerprint()["sha256"]
        return self._fingerprints[piece]

    def _manifest(self) -> dict[str, Any]:
        facts = [one.facts for one in self.known]
        return {
            "about": {
                "data": [one.name for one in self._pieces],
                "model": str(self.encoder.vocabulary.tokenizer.name_or_path),
                "max_length": self.encoder.max_length,
            },
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            **{name: sum(getattr(one, name) for one in facts) for name in ("rows", "examples", "tokens", "supervised")},
        }

    @cached_property
    def _key(self) -> str | None:
        """The name of the source's entry in the cache; None where it can't have one."""
        terms, source = self._job.terms, self.source
        if terms is None or (source.format is not None and source.format not in FORMATS) or not is_settled(source):
            return None
        try:
            read = [[ending_of(Path(piece.name)), self._fingerprint(place)] for place, piece in enumerate(self._pieces)]
        except (OSError, ValueError):  # reading says so in a better way
            return None
        shaping = {"format", "columns", "tags", "header", "quotes", "limit"}
        told = {
            "read": read,
            "source": source.model_dump(mode="json", include=shaping),
            "stage": self.stage,
            "terms": terms.key(),
            "stretch": self.ways.stretch,
            "evaluation": evaluation_digest(self.ways.evaluation),
            "world": world_digest() if source.path == Path(world.NAME) else None,
        }
        return key_of(told)


class _Makers:
    """Who makes the shards of a source: this process, and, where that takes long, others."""

    def __init__(self, job: Job, encoder: Encoder, ways: Ways) -> None:
        self._job = job
        self._ways = ways
        self._own = ShardMaker(job, encoder, ways.evaluation)
        self._workers: ShardWorkers | None = None
        self._may_share = ways.workers > 1 and job.terms is not None and ways.evaluation is None
        # Each worker reads the file for itself, which is fast for files, and slow for what is not.
        self._may_share &= job.source.path != Path(world.NAME) and not on_hub(job.source)
        self._began: float | None = None

    def shards(self, piece: int, limit: int | None, first: int) -> Iterator[Shard]:
        """Those of a piece, from the `first` on."""
        number = first
        while True:
            if self._shares():
                try:
                    for shard in self._others().shards(piece, limit, number):
                        yield shard
                        number += 1
                    return
                except WorkersLostError as lost:
                    self._may_share = False
                    self._ways.tell(f"the processes that read {self._job.source.path} ended ({lost}): going on in one")
            shard = self._own.make(Wanted(piece, limit, number))
            yield shard
            if shard.ended or shard.error:
                return
            number += 1

    def close(self) -> None:
        """Ends the other processes."""
        self._own.close()
        if self._workers is not None:
            self._workers.close()

    def _shares(self) -> bool:
        self._began = self._began or time.monotonic()
        return self._may_share and time.monotonic() - self._began >= PATIENCE

    def _others(self) -> ShardWorkers:
        if self._workers is None:
            self._own.close()
            self._workers = ShardWorkers(self._job, self._ways.workers)
        return self._workers


def is_settled(source: SourceSettings) -> bool:
    """Whether a source's fingerprint changes whenever its rows do: not so for what the hub has under a moving name."""
    if not on_hub(source):
        return True
    if source.revision is not None:
        return bool(_COMMIT.fullmatch(source.revision))
    data = HubSplit(source.path.as_posix(), source.subset, source.split, source.folder)
    unknown = "\n".join([data.id, data.subset or "", data.split, data.folder or "", ""])
    return bool(data.fingerprint()["sha256"] != hashlib.sha256(unknown.encode()).hexdigest())


def evaluation_digest(evaluation: EvaluationRows | None) -> str | None:
    """What tells evaluation rows from others."""
    if evaluation is None:
        return None
    digest = hashlib.sha256()
    for name, text in zip(evaluation.ids, evaluation.texts, strict=True):
        digest.update(f"{name}\0{text}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def world_digest() -> str:
    """Of the code and the tables that write the starter's world: its own fingerprint looks at some documents only."""
    digest = hashlib.sha256()
    folders = [resources.files("tutelage.starter.microworld")]
    while folders:
        for entry in sorted(folders.pop().iterdir(), key=lambda entry: entry.name):
            if entry.is_dir():
                folders.append(entry)
            elif not entry.name.endswith(".pyc"):
                digest.update(entry.name.encode() + b"\0" + entry.read_bytes())
    return digest.hexdigest()
