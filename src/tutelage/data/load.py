"""One source to records: rows read, their format found, the bad ones quarantined in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain, islice
from pathlib import Path

from tutelage.data.fields import BadRow
from tutelage.data.formats import Format, detect, explain_unknown, find
from tutelage.data.ledger import Ledger
from tutelage.data.settings import SourceSettings
from tutelage.data.sources import Row, read_rows
from tutelage.errors import UserError
from tutelage.records import Origin, Record

_SAMPLE = 20  # good rows that the format is detected from


def load(source: SourceSettings, stage: str, ledger: Ledger) -> Iterator[tuple[Origin, object, Record]]:
    """The good rows of a source: where each came from, its parsed value, its record.

    Counts every row as read and quarantines the bad ones; of each row that it yields, the caller must tell the ledger
    the fate (`kept`, `cut`, `dropped` or `quarantined`). `limit` counts rows read, bad ones too.

    Raises `UserError` for a file that cannot be read, holds no row, is of no known format, or of one for other stages.
    """
    with closing(read_rows(source.path)) as everything:
        rows = islice(everything, source.limit)
        head = _head(rows)
        format = _format(source, stage, head)
        ledger.opened(str(source.path), format.name, _sha256(source.path))
        yield from _records(source, stage, ledger, format, chain(head, rows))


def _records(
    source: SourceSettings, stage: str, ledger: Ledger, format: Format, rows: Iterable[Row]
) -> Iterator[tuple[Origin, object, Record]]:
    for row in rows:
        origin = Origin(str(source.path), row.number)
        ledger.read(origin)
        if row.fault is not None:
            ledger.quarantined(origin, row.fault, row.text)
            continue
        try:
            record = format.convert(row.value, stage)
        except BadRow as bad:
            ledger.quarantined(origin, str(bad), row.value)
            continue
        yield origin, row.value, record


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


def _format(source: SourceSettings, stage: str, head: list[Row]) -> Format:
    if not head:
        raise UserError(f"{source.path} holds no rows")
    format = find(source.format) if source.format else _recognised(source, stage, head)
    refusal = format.refusal(stage)
    if refusal is not None:
        raise UserError(f"{source.path} holds rows of the format {format.name}, but {refusal}")
    return format


def _recognised(source: SourceSettings, stage: str, head: list[Row]) -> Format:
    sample = [row.value for row in head if row.fault is None]
    if not sample:
        raise UserError(f"no row of {source.path} can be read; line {head[0].number} is {head[0].fault}")
    format = detect(sample, stage)
    if format is None:
        raise UserError(f"{source.path} holds {explain_unknown(sample)}")
    return format


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
