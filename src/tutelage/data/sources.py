"""Files to rows: JSON arrays, JSONL, CSV, TSV and text, each also as .gz, in UTF-8 (or UTF-16 with a byte-order mark);
Parquet and Arrow. Rows come one by one, and no file is held in memory, but for UTF-16 and broken JSON.

A line that cannot be read becomes a row with a fault, and reading goes on; a file that cannot be read is a `UserError`.
Lines end in a line feed, alone or after a carriage return; no other character ends one: U+2028 is text, and so is a
bare carriage return.
"""

from __future__ import annotations

import codecs
import difflib
import gzip
import io
import json
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, cast

import orjson

from tutelage.data.arrays import NOT_UTF8, BrokenError, elements, said
from tutelage.data.columnar import arrow, parquet
from tutelage.data.tables import SEPARATORS, TableForm, table
from tutelage.errors import UserError

PLAIN = TableForm()
_Reader = Callable[[Path], "Iterator[Row]"]
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` counts lines of a line-based file from 1 (blank ones too), else elements of the array from 1.

    `fault` says why the row could not be read; then `value` is None. `line` is its bytes where the file has lines.
    """

    number: int
    value: object | None
    fault: str | None = None
    line: bytes | None = None

    @property
    def text(self) -> str:
        """The row as it stands in the file; what is not UTF-8 shows as \\xff. Made when asked for."""
        if self.line is not None:
            return self.line.decode(errors="backslashreplace")
        return json.dumps(self.value, ensure_ascii=False, default=str).encode(errors="backslashreplace").decode()


def read_rows(path: Path, ending: str | None = None, form: TableForm = PLAIN) -> Generator[Row]:
    """The rows of a file, one by one; blank lines are passed over. Who stops before the end closes it.

    `ending` (".tsv") is taken in place of the file's own; `form` is how a table is written.

    Raises `UserError` at once for a path that is no such file, and while reading for a file that is empty, a broken
    JSON array, or a broken .gz.
    """
    try:
        reader = _reader(path, ending, form)
    except (OSError, ValueError) as error:  # a name too long, or with a NUL in it, is refused by the system itself
        raise UserError(f"{str(path)!r} cannot be the path of a file: {error}") from None
    return _guarded(path, reader)


def _reader(path: Path, ending: str | None, form: TableForm) -> _Reader:
    if path.is_dir():
        names = sorted(child.name for child in path.iterdir() if ending_of(child) in ENDINGS)
        raise UserError(f"{path} is a folder; name a file in it" + (f", such as {path / names[0]}" if names else ""))
    if not path.exists():
        raise UserError(f"there is no file {path}; {_nearest(path)}")
    ending = ending or ending_of(path)
    if ending in _COLUMNAR and path.suffix.lower() == ending:
        return partial(_columnar, read=_COLUMNAR[ending])
    if ending not in _READERS:
        raise UserError(f"{path} has an ending that is not known; rows are read from {_endings()}")
    read = partial(_table, separator=SEPARATORS[ending], form=form) if ending in SEPARATORS else _READERS[ending]
    return partial(_of_bytes, read=read)


def ending_of(path: Path) -> str:
    """What a file's name says that it holds: ".jsonl" of rows.jsonl.gz."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def _endings() -> str:
    return ", ".join(_READERS) + f", each also with .gz after it, {' and '.join(_COLUMNAR)}"


def _nearest(path: Path) -> str:
    if not path.parent.is_dir():
        return f"nor is there a folder {path.parent}"
    near = difflib.get_close_matches(path.name, [child.name for child in path.parent.iterdir()], n=1)
    return f"the nearest name in that folder is {near[0]}" if near else "check the path"


def _guarded(path: Path, reader: _Reader) -> Generator[Row]:
    try:
        yield from reader(path)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise UserError(f"{path} is cut short or damaged, as its .gz checks say; fetch it again") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None


def _columnar(path: Path, read: Callable[[Path], Iterator[object]]) -> Iterator[Row]:
    for number, value in enumerate(read(path), start=1):
        yield Row(number, value)


def _of_bytes(path: Path, read: Callable[[Path, IO[bytes]], Iterator[Row]]) -> Iterator[Row]:
    with path.open("rb") as file:
        # The first two bytes say what the name may not: downloads are often unpacked or packed under the same name.
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        stream: IO[bytes] = cast(IO[bytes], gzip.GzipFile(fileobj=file)) if packed else file
        yield from read(path, _in_utf8(path, stream))


def _in_utf8(path: Path, stream: IO[bytes]) -> IO[bytes]:
    """The file's bytes in UTF-8, without a byte-order mark."""
    first = stream.read(3)
    if not first:
        raise UserError(f"{path} is empty")
    if first == codecs.BOM_UTF8:
        return stream
    encoding = _UTF16.get(first[:2])
    if encoding:
        return io.BytesIO(b"".join(_recoded(first[2:] + stream.read(), encoding)))
    stream.seek(0)
    return stream


def _recoded(data: bytes, encoding: str) -> Iterator[bytes]:
    """UTF-16 as UTF-8; what was no valid UTF-16 is no valid UTF-8 either, so that its line gets a fault."""
    odd = len(data) % 2
    lines = data[: len(data) - odd].decode(encoding, "surrogatepass").split("\n")
    for line in lines[:-1]:
        yield line.encode("utf-8", "surrogatepass") + b"\n"
    yield lines[-1].encode("utf-8", "surrogatepass") + b"\xff" * odd


def _jsonl(path: Path, lines: Iterable[bytes], first: int = 1) -> Iterator[Row]:
    for number, line in enumerate(lines, start=first):
        bare = line.strip()
        if not bare:
            continue
        try:
            yield Row(number, _parse(bare), None, bare)
        except BrokenError as broken:
            yield Row(number, None, broken.reason, bare)


def _json(path: Path, stream: IO[bytes]) -> Iterator[Row]:
    """A JSON array; where the file does not begin with a `[`, one value a line."""
    blank = b""
    while (first := stream.read(1)).isspace():
        blank += first
    line = 1 + blank.count(b"\n")
    if first == b"[":
        yield from _array(path, _put_back(first, stream), line)
        return
    begun = first + stream.readline()
    if not _parses(begun):
        rest = stream.read()
        if rest.strip() and _parses(begun + rest):
            raise UserError(
                f"{path} holds one JSON value over several lines; write an array of rows, or one object a line"
            )
        stream = io.BytesIO(rest)
    yield from _jsonl(path, chain([begun], stream), line)


def _put_back(first: bytes, stream: IO[bytes]) -> Callable[[int], bytes]:
    """The stream's `read`, which begins with what was taken from it."""
    taken = [first]
    return lambda size: taken.pop() if taken else stream.read(size)


def _array(path: Path, read: Callable[[int], bytes], line: int) -> Iterator[Row]:
    try:
        for number, value in enumerate(elements(read, line), start=1):
            yield Row(number, value)
    except BrokenError as broken:
        where = f"line {broken.line}, column {broken.column}"
        raise UserError(f"{path} is broken at {where}: {broken.reason}; mend it there") from None


def _parses(data: bytes) -> bool:
    try:
        _parse(data)
    except BrokenError:
        return False
    return True


def _parse(data: bytes) -> object:
    """JSON as orjson reads it; what it refuses and Python's json takes (NaN, half a surrogate pair) is taken too.

    A field that is learnt may not hold these, and `fields` refuses it; elsewhere in a row they do no harm. So one such
    row does not make a whole array unreadable.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _parse_leniently(data)


def _parse_leniently(data: bytes) -> object:
    try:
        return json.loads(data.decode())
    except UnicodeDecodeError as error:
        start_of_line = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[start_of_line : error.start].decode()) + 1
        raise BrokenError(NOT_UTF8, data.count(b"\n", 0, error.start) + 1, column) from None
    except json.JSONDecodeError as error:
        raise BrokenError(said(error), error.lineno, error.colno) from None
    except RecursionError:
        raise BrokenError("not JSON: nested too deeply") from None
    except ValueError:  # Python's guard against integers of more than 4300 digits
        raise BrokenError("not JSON: a number with too many digits") from None


def _txt(path: Path, lines: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        bare = line.removesuffix(b"\n").removesuffix(b"\r")
        try:
            document = bare.decode()
        except UnicodeDecodeError:
            yield Row(number, None, NOT_UTF8, bare)
            continue
        if document.strip():
            yield Row(number, document, None, bare)


def _table(path: Path, lines: Iterable[bytes], separator: str = ",", form: TableForm = PLAIN) -> Iterator[Row]:
    for number, value, fault in table(str(path), iter(lines), separator, form):
        yield Row(number, value, fault)


_READERS: dict[str, Callable[[Path, IO[bytes]], Iterator[Row]]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".csv": _table,
    ".tsv": _table,
    ".txt": _txt,
}
_COLUMNAR: dict[str, Callable[[Path], Iterator[object]]] = {".parquet": parquet, ".arrow": arrow}
ENDINGS = (*_READERS, *_COLUMNAR)
"""The endings of files that rows are read from, before a .gz."""
