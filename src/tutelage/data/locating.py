"""What a source's path means: a file, all files of a folder, those that a pattern matches, a data set of the hub, or
the starter's world.
"""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tutelage.data import hub_rows, world
from tutelage.data.settings import SourceSettings
from tutelage.data.sources import ENDINGS, Row, ending_of, read_rows
from tutelage.data.tables import TableForm
from tutelage.errors import UserError

_PATTERN = re.compile(r"[*?\[]")
# What `datasets.save_to_disk` writes beside its rows.
_BESIDE = ("dataset_info.json", "state.json", "dataset_dict.json")


@dataclass(frozen=True)
class Piece:
    """One file, or one split of a data set of the hub. `name` stands in reports; licence: None where nobody says."""

    name: str
    rows: Callable[[], Generator[Row]]
    fingerprint: Callable[[], dict[str, Any]]
    licence: Callable[[], str | None]


def pieces(source: SourceSettings) -> list[Piece]:
    """What a source is made of, in the order of the names. Raises `UserError` where there is nothing of it."""
    if source.path == Path(world.NAME):
        return [_world(source.limit)]
    if on_hub(source):
        return [_split(source)]
    form = TableForm(columns=source.header, quoting=source.quotes)
    return [
        Piece(
            str(path), partial(read_rows, path, None, form), partial(fingerprint, path), partial(_licence, path.parent)
        )
        for path in files(source)
    ]


def on_hub(source: SourceSettings) -> bool:
    """Whether the path is the id of a data set of the hub, `owner/name`: no such file, and no such folder for one."""
    path = source.path
    named = re.fullmatch(r"[\w.-]+/[\w.-]+", path.as_posix())
    return bool(named) and not (_exists(path) or _exists(path.parent) or ending_of(path) in ENDINGS)


def files(source: SourceSettings) -> list[Path]:
    """The files of a source that is none of the hub, none for the world. Raises `UserError` where one is not there."""
    path = source.path
    if path == Path(world.NAME):
        return []
    if _exists(path) and path.is_dir():
        return _in_folder(path, source.split)
    if not _exists(path) and _PATTERN.search(str(path)):
        found = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
        found = [each for each in found if each.is_file()]
        if not found:
            raise UserError(f"no file matches {path}: check the pattern, and the folder it starts in")
        return found
    return [path]


def fingerprint(path: Path) -> dict[str, Any]:
    """A file's name without its folder, its size in bytes, and its SHA-256."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": digest}


def _in_folder(folder: Path, split: str) -> list[Path]:
    """Row files at its top; else in its folder of the split; else those of the split in its folder `data`."""
    for place, pattern in ((folder, "*"), (folder / split, "*"), (folder / "data", f"{split}[-.]*")):
        found = [each for each in sorted(place.glob(pattern)) if each.is_file() and ending_of(each) in ENDINGS]
        found = [each for each in found if each.name not in _BESIDE]
        if found:
            return _alike(place, found)
    raise UserError(f"{folder} holds no files of rows ({', '.join(ENDINGS)}): name the right folder")


def _alike(folder: Path, found: list[Path]) -> list[Path]:
    endings = sorted({ending_of(each) for each in found})
    if len(endings) > 1:
        raise UserError(
            f"{folder} holds files of several kinds ({', '.join(endings)}): say which, as {folder}/*{endings[0]}"
        )
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a NUL in it: `read_rows` says so
        return False


def _licence(folder: Path) -> str | None:
    """What the data set's card beside a file says, as the hub's README.md have it at their beginning."""
    card = folder / "README.md"
    card = card if _exists(card) else folder.parent / "README.md" if folder.name == "data" else card
    try:
        text = card.read_text("utf-8")
        front = yaml.safe_load(text.split("---\n")[1]) if text.startswith("---\n") else None
    except (OSError, ValueError, yaml.YAMLError, IndexError):
        return None
    return hub_rows.licence_in(front)


def _world(limit: int | None) -> Piece:
    def rows() -> Generator[Row]:
        for number, text in enumerate(world.documents(limit), start=1):
            yield Row(number, {"text": text})

    return Piece(world.NAME, rows, partial(world.fingerprint, limit), lambda: world.LICENCE)


def _split(source: SourceSettings) -> Piece:
    data = hub_rows.HubSplit(
        source.path.as_posix(), source.subset, source.split, source.folder, source.revision, source.stream
    )

    def rows() -> Generator[Row]:
        for number, value in enumerate(data.rows(), start=1):
            yield Row(number, value)

    return Piece(data.name, rows, data.fingerprint, lambda: data.licence)
