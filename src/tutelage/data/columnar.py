"""Parquet and Arrow files to rows, batch by batch: a file of any size needs no more memory than a few batches of it.

In a table every row has the same fields, also inside its objects, so a field that a row has not is null there. What is
null inside an object or a list of objects is therefore taken to be absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from tutelage.errors import UserError

BATCH = 1024


def parquet(path: Path) -> Iterator[object]:
    """The rows of a Parquet file. Raises `UserError` where it is none, or is damaged."""
    with _told(path, "Parquet"), _pyarrow(".parquet").ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH):
            yield from _rows(batch)


def arrow(path: Path) -> Iterator[object]:
    """The rows of an Arrow file: a stream, as `datasets` writes them, or a file (Feather). Raises `UserError`."""
    ipc = _pyarrow(".ipc")
    with _told(path, "Arrow"), ExitStack() as open_:
        source = open_.enter_context(_pyarrow().memory_map(str(path)))
        try:
            file = open_.enter_context(ipc.open_file(source))
            batches: Any = (file.get_batch(number) for number in range(file.num_record_batches))
        except _pyarrow().ArrowInvalid:
            source.seek(0)
            batches = open_.enter_context(ipc.open_stream(source))
        for batch in batches:
            for start in range(0, batch.num_rows, BATCH):
                yield from _rows(batch.slice(start, BATCH))


def _pyarrow(part: str = "") -> Any:
    """Imported when a file needs it; it has no type hints."""
    return import_module(f"pyarrow{part}")


def _rows(batch: Any) -> Iterator[object]:
    for row in batch.to_pylist():
        yield {key: without_nulls(value) for key, value in row.items()}


def without_nulls(value: Any) -> Any:
    """The value without the fields that are null inside it.

    >>> without_nulls([{"role": "user", "content": "Hi", "tool_calls": None}])
    [{'role': 'user', 'content': 'Hi'}]
    """
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@contextmanager
def _told(path: Path, kind: str) -> Iterator[None]:
    """What pyarrow says of a file becomes a sentence."""
    try:
        yield
    except (_pyarrow().ArrowException, OSError) as error:
        why = " ".join(str(error).split())[:200]
        raise UserError(f"{path} cannot be read as {kind}: {why}") from None
