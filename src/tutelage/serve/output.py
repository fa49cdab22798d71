"""The file that answers go to: a line a row, on disk as soon as it is there, and gone on with after an interruption."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import orjson

from tutelage.data.sources import Row
from tutelage.errors import UserError
from tutelage.serve.bulk import RESULT, fields_of


def line_of(record: dict[str, object]) -> bytes:
    """A record as a line of JSON in UTF-8."""
    return orjson.dumps(record, option=orjson.OPT_NON_STR_KEYS) + b"\n"


def open_output(path: Path, *, overwrite: bool) -> BinaryIO:
    """The file, to be written from its start. Raises UserError where it is there already, or cannot be written."""
    if path.exists() and not overwrite:
        raise UserError(f"{path} is there already: --resume goes on with it, --overwrite replaces it")
    return _opened(path, "wb")


def resume_output(path: Path, rows: Iterable[Row]) -> tuple[BinaryIO, frozenset[int]]:
    """The file, to be gone on with after its last whole line, and the numbers of the rows that it holds.

    Raises UserError where it holds answers to other rows than these.
    """
    if not path.exists():
        return _opened(path, "wb"), frozenset()
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]  # a last line without its end was cut by a crash
    done = {}
    for number, line in enumerate(whole.splitlines(), start=1):
        done.update([_numbered(path, number, line)])
    for row in rows:
        if row.number in done and done[row.number] != _as_written(row):
            raise UserError(f"{path} answers another row {row.number} than this file's: --overwrite replaces it")
    file = _opened(path, "r+b")
    file.truncate(len(whole))
    file.seek(len(whole))
    return file, frozenset(done)


def _numbered(path: Path, line_number: int, line: bytes) -> tuple[int, dict[str, object]]:
    try:
        record = orjson.loads(line)
        return int(record["row"]), {key: value for key, value in record.items() if key not in RESULT}
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise UserError(
            f"{path} cannot be gone on with: line {line_number} is no answer of ours; --overwrite replaces the file"
        ) from None


def _as_written(row: Row) -> object:
    return orjson.loads(line_of(fields_of(row)))


def _opened(path: Path, mode: str) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open(mode)  # type: ignore[return-value]
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from None
