"""One source to records: rows read, their format found, the bad ones quarantined in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain, islice

from tutelage.data.columns import Renaming
from tutelage.data.facts import Tells
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
        with closing(PieceReader(source, stage, piece, left)) as reader:
            ledger.opened(piece.name, reader.format.name, piece.fingerprint()["sha256"], reader.licence)
            placeholders = FoundPlaceholders()
            yield from reader.take(None, ledger, placeholders)
            warning = placeholders.warning()
            if warning is not None:
                ledger.warn(piece.name, warning)
        left = None if left is None else left - reader.rows
        if left == 0:
            return


class FoundPlaceholders(Placeholders):
    """Placeholders that are found stretch by stretch: what one has found can be told to another."""

    @property
    def found(self) -> tuple[int, str, int] | None:
        """How many rows hold one, the first of these, the number of its row."""
        return None if self._first is None else (self._rows, self._first[0], self._first[1].row)

    @classmethod
    def of(cls, found: tuple[int, str, int], path: str) -> FoundPlaceholders:
        """What `found` told, of a file that is called so now."""
        made = cls()
        made._rows, shown, row = found
        made._first = (shown, Origin(path, row))
        return made


class PieceReader:
    """One file, or one split of a data set of the hub, stretch by stretch.

    limit: rows that are read at most; None: all. rows: those taken or passed over so far. format: of all rows.
    """

    def __init__(self, source: SourceSettings, stage: str, piece: Piece, limit: int | None = None) -> None:
        """Reads as much as tells the format. Raises `UserError` as `load` does."""
        self.piece = piece
        self.rows = 0
        self._source = source
        self._stage = stage
        self._renaming = Renaming(source.columns, source.tags)
        self._everything = piece.rows()
        try:
            rows = islice(self._everything, limit)
            head = _head(rows)
            self._renaming.check([row.value for row in head if row.fault is None], piece.name)
            renamed = [self._renaming(row.value) for row in head if row.fault is None]
            self.format = self._format(head, renamed)
        except BaseException:
            self.close()
            raise
        self._rows = chain(head, rows)

    @property
    def licence(self) -> str | None:
        """What the recipe says, or else the data set's own card."""
        return self._source.licence or self.piece.licence()

    def close(self) -> None:
        """Closes the file."""
        self._everything.close()

    def skip(self, rows: int) -> None:
        """Passes over so many rows."""
        self.rows += sum(1 for _ in islice(self._rows, rows))

    def take(self, rows: int | None, told: Tells, placeholders: Placeholders) -> Iterator[Loaded]:
        """The good ones of the next rows, so many or all; `told` is told of each row and of the bad ones' fate."""
        for whole in islice(self._rows, rows):
            self.rows += 1
            origin = Origin(self.piece.name, whole.number)
            for row in _split(self.format, self._renaming, whole):
                told.read(origin)
                if row.fault is not None:
                    told.quarantined(origin, row.fault, row.text if row.value is None else row.value)
                    continue
                try:
                    record = self.format.convert(self._renaming(row.value), self._stage)
                except UnwantedRow as unwanted:
                    told.dropped(origin, str(unwanted), row.value)
                except BadRow as bad:
                    told.quarantined(origin, str(bad), row.value)
                else:
                    placeholders.look(record, origin)
                    yield origin, row.value, record

    def _format(self, head: list[Row], sample: list[object]) -> Format:
        name = self.piece.name
        if not head:
            raise UserError(f"{name} holds no rows")
        format = find(self._source.format) if self._source.format else self._recognised(head, sample)
        refusal = format.refusal(self._stage)
        if refusal is not None:
            raise UserError(f"{name} holds rows of the format {format.name}, but {refusal}")
        return format

    def _recognised(self, head: list[Row], sample: list[object]) -> Format:
        name = self.piece.name
        if not sample:
            raise UserError(f"no row of {name} can be read; line {head[0].number} is {head[0].fault}")
        format = detect(sample, self._stage)
        if format is None:
            table = name.lower().removesuffix(".gz").endswith((".csv", ".tsv")) and not self._source.header
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
