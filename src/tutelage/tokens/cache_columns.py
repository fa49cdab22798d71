"""Columns of numbers that grow at their end: in memory, or as .npy files that a crash leaves whole up to a known place.

A file's header has room for any length (numpy pads it so); it says the length only when the column is finished. Until
then the lengths stand in a journal, and what a crash wrote behind them is cut off.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Lengths = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds: numbers of a type, or rows of so many. first: what it begins with."""

    dtype: str
    width: int = 0
    first: tuple[int, ...] = ()

    def shape(self, length: int) -> tuple[int, ...]:
        """Of so many entries."""
        return (length, self.width) if self.width else (length,)

    def header(self, length: int) -> bytes:
        """The beginning of its .npy file, as long for every length."""
        made = io.BytesIO()
        described = {"descr": np.dtype(self.dtype).str, "fortran_order": False, "shape": self.shape(length)}
        np.lib.format.write_array_header_1_0(made, described)
        return made.getvalue()

    def size(self, length: int) -> int:
        """Bytes of its file."""
        return len(self.header(length)) + length * max(1, self.width) * np.dtype(self.dtype).itemsize


class MemoryColumns:
    """Columns in memory."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = columns
        self._pieces: dict[str, list[Array]] = {
            name: [np.array(one.first, one.dtype)] if one.first else [] for name, one in columns.items()
        }
        self.lengths = {name: len(one.first) for name, one in columns.items()}

    def append(self, arrays: Mapping[str, Array]) -> None:
        """Adds to the end of every column."""
        for name, array in arrays.items():
            self._pieces[name].append(np.asarray(array, self._columns[name].dtype))
            self.lengths[name] += len(array)

    @classmethod
    def of(cls, columns: Mapping[str, Column], arrays: Mapping[str, Array]) -> MemoryColumns:
        """Columns that hold copies of what others hold."""
        made = cls(columns)
        made._pieces = {name: [np.array(array)] for name, array in arrays.items()}
        made.lengths = {name: len(array) for name, array in arrays.items()}
        return made

    def arrays(self) -> dict[str, Array]:
        """Everything."""
        for name, pieces in self._pieces.items():
            column = self._columns[name]
            self._pieces[name] = [np.concatenate([np.empty(column.shape(0), column.dtype), *pieces])]
        return {name: pieces[0] for name, pieces in self._pieces.items()}


class FileColumns:
    """Columns in a folder, NAME.npy each."""

    def __init__(self, folder: Path, columns: Mapping[str, Column], lengths: Lengths | None = None) -> None:
        """lengths: of columns that are there and go on; what is behind these lengths is cut off. None: new ones.

        Raises OSError: the disk is full, or a file is shorter than its length.
        """
        self.folder = folder
        self._columns = columns
        self.lengths = {name: len(one.first) for name, one in columns.items()} if lengths is None else dict(lengths)
        self._files: dict[str, io.FileIO] = {}
        try:
            for name in columns:
                self._open(name, new=lengths is None)
        except BaseException:
            self.close()
            raise

    def append(self, arrays: Mapping[str, Array]) -> None:
        """Adds to the end of every column. Raises OSError where the disk is full; `lengths` are then as before."""
        for name, array in arrays.items():
            _write(self._files[name], np.ascontiguousarray(array, self._columns[name].dtype).tobytes())
        for name, array in arrays.items():
            self.lengths[name] += len(array)

    def sync(self) -> None:
        """Everything so far outlives the machine's sudden end."""
        for file in self._files.values():
            os.fsync(file.fileno())

    def arrays(self) -> dict[str, Array]:
        """Everything so far, mapped."""
        for name in self._columns:
            self._cut(name)
        return mapped(self.folder, self._columns, self.lengths)

    def finish(self) -> None:
        """The headers get their lengths."""
        for name, file in self._files.items():
            file.seek(0)
            _write(file, self._columns[name].header(self.lengths[name]))
        self.sync()
        self.close()

    def close(self) -> None:
        """Closes the files."""
        for file in self._files.values():
            file.close()

    def _open(self, name: str, *, new: bool) -> None:
        file = self._files[name] = open(self.folder / f"{name}.npy", "wb" if new else "rb+", buffering=0)  # noqa: SIM115
        if new:
            column = self._columns[name]
            _write(file, column.header(0) + np.array(column.first, column.dtype).tobytes())
        else:
            self._cut(name)

    def _cut(self, name: str) -> None:
        wanted = self._columns[name].size(self.lengths[name])
        if os.fstat(self._files[name].fileno()).st_size < wanted:
            raise OSError(f"{name}.npy is shorter than it was")
        self._files[name].truncate(wanted)
        self._files[name].seek(wanted)


def mapped(folder: Path, columns: Mapping[str, Column], lengths: Lengths) -> dict[str, Array]:
    """The columns of a folder as mapped files; raises OSError or ValueError where one is not of its length."""
    found: dict[str, Array] = {}
    for name, column in columns.items():
        path, length = folder / f"{name}.npy", lengths[name]
        if path.stat().st_size != column.size(length):
            raise ValueError(f"{path} has not the {length} entries that it should")
        shape = column.shape(length)
        if length:
            offset = len(column.header(length))
            found[name] = np.memmap(path, column.dtype, "r", offset, shape)
        else:  # an empty file can't be mapped
            found[name] = np.empty(shape, column.dtype)
    return found


def _write(file: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = file.write(view)
        view = view[written or 0 :]
