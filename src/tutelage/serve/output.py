"""The file that answers go to: a line a row, on disk as soon as it is there, and gone on with after an interruption."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from tutelage.data.sources import Row
from tutelage.errors import UserError
from tutelage.serve.bulk import RESULT, fields_of


def line_of(record: dict[str, object]) -> bytes:
    """A record as a line of JSON in UTF-8; half a character (a lone surrogate) stays the escape that it was."""
    try:
        return json.dumps(record, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(record).encode() + b"\n"


def refuse_existing(path: Path) -> None:
    """Raises UserError where the file is there already."""
    if path.exists():
        raise UserError(f"{path} is there already: --resume goes on with it, --overwrite replaces it")


def done_before(path: Path, rows: Iterable[Row]) -> tuple[frozenset[int], int]:
    """The numbers of the rows that the file holds answers to, and its length in bytes without a line cut by a crash.

    Raises UserError where it holds something else, or answers to other rows than these.
    """
    if not path.exists():
        return frozenset(), 0
    text = path.read_bytes()
    length = text.rfind(b"\n") + 1
    lines = text[:length].split(b"\n")[:-1]
    done = dict(_numbered(path, number, line) for number, line in enumerate(lines, start=1))
    for row in rows:
        if row.number in done and done[row.number] != json.loads(line_of(fields_of(row))):
            raise UserError(f"{path} answers another row {row.number} than this input's: --overwrite replaces it")
    return frozenset(done), length


def open_output(path: Path, length: int = 0) -> BinaryIO:
    """The file, to be written on from its first `length` bytes. Raises UserError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
        file.truncate(length)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from None
    return file


def _numbered(path: Path, line_number: int, line: bytes) -> tuple[int, dict[str, object]]:
    try:
        record = json.loads(line)
        return int(record["row"]), {key: value for key, value in record.items() if key not in RESULT}
    except (KeyError, TypeError, ValueError):
        raise UserError(
            f"{path} cannot be gone on with: line {line_number} is no answer of ours; --overwrite replaces the file"
        ) from None
