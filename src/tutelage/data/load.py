"""One source to records: rows read, their format found, the bad ones quarantined in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, islice

from tutelage.data.columns import Renaming
from tutelage.data.fields import BadRow, UnwantedRow
from tutelage.data.formats import Format, detect, explain_unknown, find
from tutelage.data.ledger import Ledger
from tutelage.data.locating import Piece, pieces
from tutelage.data.placeholders import Placeholders
from tutelage.data.settings import SourceSettings
from tutelage.data.sources import Row
from tutelage.errors import UserError
from tutelage.records import Origin, Record

_SAMPLE = 20  # good rows that the format is detected from
Loaded = tuple[Origin, object, Record]


def load(source: SourceSettings, stage: str, ledger: Ledger) -> Iterator[Loaded]:
    """The good rows of a source: where each came from, its parsed value, its record.

    Counts every row as read and quarantines the bad ones; of each row that it yields, the caller must tell the ledger
    the fate (`kept`, `cut`, `dropped` or `quarantined`). `limit` counts rows read, bad ones too. Of a row that holds
    several (Self-Instruct's instances) each counts as one. No more than one batch of rows is held at a time.

    Raises `UserError` for a file that cannot be read, holds no row, is of no known format, or of one for other stages.
    """
    left = source.limit
    for piece in pieces(source):
        reading = _Reading(source, stage, ledger, piece, left)
        yield from reading.records()
        left = None if left is None else left - reading.read
        if left == 0:
            return


@dataclass
class _Reading:
    """One file, or one split of a data set of the hub. read: rows so far, of at most `limit`."""

    source: SourceSettings
    stage: str
    ledger: Ledger
    piece: Piece
    limit: int | None
    read: int = 0

    def records(self) -> Iterator[Loaded]:
        """The good rows."""
        renaming = Renaming(self.source.columns, self.source.tags)
        with closing(self.piece.rows()) as everything:
            rows = self._counted(islice(everything, self.limit))
            head = _head(rows)
            renaming.check([row.value for row in head if row.fault is None], self.piece.name)
            renamed = [renaming(row.value) for row in head if row.fault is None]
            format = self._format(head, renamed)
            licence = self.source.licence or self.piece.licence()
            self.ledger.opened(self.piece.name, format.name, self.piece.fingerprint()["sha256"], licence)
            yield from self._converted(format, renaming, chain(head, rows))

    def _counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self.read += 1
            yield row

    def _converted(self, format: Format, renaming: Renaming, rows: Iterable[Row]) -> Iterator[Loaded]:
        placeholders = Placeholders()
        for whole in rows:
            origin = Origin(self.piece.name, whole.number)
            for row in _split(format, renaming, whole):
                self.ledger.read(origin)
                if row.fault is not None:
                    self.ledger.quarantined(origin, row.fault, row.text if row.value is None else row.value)
                    continue
                try:
                    record = format.convert(renaming(row.value), self.stage)
                except UnwantedRow as unwanted:
                    self.ledger.dropped(origin, str(unwanted), row.value)
                except BadRow as bad:
                    self.ledger.quarantined(origin, str(bad), row.value)
                else:
                    placeholders.look(record, origin)
                    yield origin, row.value, record
        warning = placeholders.warning()
        if warning is not None:
            self.ledger.warn(self.piece.name, warning)

    def _format(self, head: list[Row], sample: list[object]) -> Format:
        name = self.piece.name
        if not head:
            raise UserError(f"{name} holds no rows")
        format = find(self.source.format) if self.source.format else self._recognised(head, sample)
        refusal = format.refusal(self.stage)
        if refusal is not None:
            raise UserError(f"{name} holds rows of the format {format.name}, but {refusal}")
        return format

    def _recognised(self, head: list[Row], sample: list[object]) -> Format:
        name = self.piece.name
        if not sample:
            raise UserError(f"no row of {name} can be read; line {head[0].number} is {head[0].fault}")
        format = detect(sample, self.stage)
        if format is None:
            table = name.lower().removesuffix(".gz").endswith((".csv", ".tsv")) and not self.source.header
            header = "; if its first line does not name the columns, say what they are by `header`" if table else ""
            raise UserError(f"{name} holds {explain_unknown(sample)}{header}")
        return format


def _split(format: Format, renaming: Renaming, row: Row) -> list[Row]:
    """The rows in a row: itself, in most formats."""
    if format.split is None or row.fault is not None:
        return [row]
    try:
        return [replace(row, value=value, line=None) for value in format.split(renaming(row.value))]
    except BadRow as bad:
        return [replace(row, fault=str(bad))]


def _head(rows: Iterator[Row]) -> list[Row]:
    """The rows from the top, up to the last of the good ones that make the sample."""
    head: list[Row] = []
    good = 0
    for row in rows:
        head.append(row)
        good += row.fault is None
        if good == _SAMPLE:
            break
    return head
