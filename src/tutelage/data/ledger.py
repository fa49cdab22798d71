"""What became of every row: kept, cut, dropped or quarantined, counted by source; unusable rows go to quarantine.jsonl.

The rule that the whole program keeps: read == kept + cut + dropped + quarantined.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from tutelage.errors import UserError
from tutelage.records import Origin

_FEW = 10  # so many bad rows never stop a run


@dataclass
class _Source:
    """The running counts of one file."""

    format: str
    sha256: str
    licence: str | None = None
    warnings: list[str] = field(default_factory=list)
    read: int = 0
    kept: int = 0
    cut: int = 0
    examples: int = 0
    tokens: int = 0
    supervised_tokens: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)

    @property
    def unused(self) -> Counter[str]:
        return self.dropped + self.quarantined


class Ledger:
    """Counts rows and writes those that are not used, each line at once, so that an abort leaves a readable file.

    `path` is the quarantine.jsonl to write, anew and empty at first; None counts only (a second rank, a dry check).
    """

    def __init__(self, path: Path | None) -> None:
        """Creates or empties the file."""
        self._path = path
        self._file: IO[bytes] | None = path.open("wb") if path else None
        self._sources: dict[str, _Source] = {}

    def __enter__(self) -> Ledger:
        """The ledger itself; leaving the block closes the file."""
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the file, whatever happened."""
        self.close()

    def close(self) -> None:
        """Closes quarantine.jsonl; counting, `report` and `check` stay possible."""
        if self._file:
            self._file.close()
            self._file = None

    def opened(self, path: str, format: str, sha256: str, licence: str | None = None) -> None:
        """A source begins. A file that is read a second time is counted on, under both formats if they differ."""
        source = self._sources.setdefault(path, _Source(format, sha256, licence))
        if format not in source.format.split(", "):
            source.format += f", {format}"

    def used(self, path: str, *, read: int, kept: int, cut: int, examples: int, tokens: int, supervised: int) -> None:
        """Many rows at once: so many read, of these so many kept or cut; the fates of the others are told besides."""
        source = self._sources[path]
        source.read += read
        source.kept += kept
        source.cut += cut
        self._used(source, examples, tokens, supervised)

    def withdrawn(
        self,
        origin: Origin,
        reason: str,
        row: object,
        detail: str,
        *,
        cut: bool,
        examples: int,
        tokens: int,
        supervised: int,
    ) -> None:
        """A row that was told as kept (or cut) is dropped after all; the figures are those that it was told with."""
        source = self._sources[origin.path]
        source.kept -= not cut
        source.cut -= cut
        self._used(source, -examples, -tokens, -supervised)
        self.dropped(origin, reason, row, detail)

    def warn(self, path: str, sentence: str) -> None:
        """Something of a source that a person should know, though its rows are used."""
        self._sources[path].warnings.append(sentence)

    def read(self, origin: Origin) -> None:
        """A row was read; one of the four fates must follow."""
        self._sources[origin.path].read += 1

    def kept(self, origin: Origin, *, examples: int, tokens: int, supervised: int) -> None:
        """The row is used whole: as so many examples of so many tokens in all, so many of them supervised."""
        self._sources[origin.path].kept += 1
        self._used(self._sources[origin.path], examples, tokens, supervised)

    def cut(self, origin: Origin, *, examples: int, tokens: int, supervised: int) -> None:
        """The row is used, truncated or split to fit; counts as for `kept`."""
        self._sources[origin.path].cut += 1
        self._used(self._sources[origin.path], examples, tokens, supervised)

    def dropped(self, origin: Origin, reason: str, row: object, detail: str = "") -> None:
        """The row is good and not used, because the recipe says so (`overlong: drop`).

        Rows are counted by reason; `detail`, which tells this row from others, is only written.
        """
        self._sources[origin.path].dropped[reason] += 1
        self._write(origin, "dropped", f"{reason}: {detail}" if detail else reason, row)

    def quarantined(self, origin: Origin, reason: str, row: object) -> None:
        """The row is bad; `row` is its parsed value, or its text where it could not be parsed."""
        self._sources[origin.path].quarantined[reason] += 1
        self._write(origin, "quarantined", reason, row)

    def report(self) -> dict[str, Any]:
        """The content of data_report.json: `sources`, a list, and `total`. Every row must have its fate by now."""
        sources = [
            {
                "path": path,
                "format": source.format,
                "sha256": source.sha256,
                "licence": source.licence,
                "warnings": source.warnings,
                **_counts([source]),
            }
            for path, source in self._sources.items()
        ]
        return {"sources": sources, "total": _counts(self._sources.values())}

    def check(self, max_quarantine: float) -> None:
        """Raises `UserError` where more than this share of all rows, and more than 10, are bad, or a whole source."""
        for path, source in self._sources.items():
            if source.read and source.read == source.unused.total():
                raise UserError(f"no row of {path} can be used: {_commonest(source.unused)}{self._whereabouts()}")
        read = sum(source.read for source in self._sources.values())
        bad = sum((source.quarantined for source in self._sources.values()), Counter[str]())
        if bad.total() > max(_FEW, max_quarantine * read):
            raise UserError(
                f"{bad.total():,} of {read:,} rows ({bad.total() / read:.1%}) are bad, and data.max_quarantine allows "
                f"{max_quarantine:.4g}: {_commonest(bad)}{self._whereabouts()}; mend them, or raise data.max_quarantine"
            )

    @staticmethod
    def _used(source: _Source, examples: int, tokens: int, supervised: int) -> None:
        source.examples += examples
        source.tokens += tokens
        source.supervised_tokens += supervised

    def _write(self, origin: Origin, fate: str, reason: str, row: object) -> None:
        if self._file:
            entry = {"file": origin.path, "line": origin.row, "fate": fate, "reason": reason, "row": row}
            self._file.write(_json_line(entry))
            self._file.flush()

    def _whereabouts(self) -> str:
        return f"; they are in {self._path}" if self._path else ""


def _counts(sources: Iterable[_Source]) -> dict[str, Any]:
    sources = list(sources)
    dropped = sum((source.dropped for source in sources), Counter[str]())
    quarantined = sum((source.quarantined for source in sources), Counter[str]())
    read, kept, cut = (sum(getattr(source, name) for source in sources) for name in ("read", "kept", "cut"))
    assert read == kept + cut + dropped.total() + quarantined.total(), "a row without a fate"
    return {
        "read": read,
        "kept": kept,
        "cut": cut,
        "dropped": dict(dropped.most_common()),
        "quarantined": dict(quarantined.most_common()),
        "examples": sum(source.examples for source in sources),
        "tokens": sum(source.tokens for source in sources),
        "supervised_tokens": sum(source.supervised_tokens for source in sources),
    }


def _commonest(reasons: Counter[str]) -> str:
    return ", ".join(f"{reason} ({count:,})" for reason, count in reasons.most_common(3))


def _json_line(entry: dict[str, object]) -> bytes:
    """The entry as a line of JSON, also where its row is what orjson refuses: half a surrogate pair, a huge integer."""
    try:
        return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        pass
    try:
        return json.dumps(entry, default=str).encode() + b"\n"
    except RecursionError:
        return json.dumps({**entry, "row": "(nested too deeply to be written)"}).encode() + b"\n"
