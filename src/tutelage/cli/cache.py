"""`tutelage data cache`: what the token cache holds, and how it is made smaller."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutelage.cli.terminal import console, put, text
from tutelage.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from tutelage.tokens.cache import Entry

UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
AGES = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
QUIET = "bright_black"


def cache(
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete entries: all, or those that the other options name.")
    ] = False,
    older_than: Annotated[
        float | None, typer.Option(metavar="DAYS", min=0, help="With --prune: those not used for so many days.")
    ] = None,
    larger_than: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="With --prune: the longest unused, till all take at most this (20GB)."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object an entry and line, for machines.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """The token ids of large sources, which runs keep to start from: size, rows, tokens, when used, of what.

    tutelage data cache --prune --older-than 30

    They lie in $TUTELAGE_CACHE, else in the user's cache folder; data.cache=false makes none. A run makes again what
    it misses.
    """
    from tutelage.tokens.cache import TokenCache, to_prune

    if not prune and (older_than is not None or larger_than is not None):
        raise UserError("--older-than and --larger-than say what --prune deletes: give it too")
    limit = None if larger_than is None else bytes_of(larger_than)
    found = TokenCache()
    entries = found.entries()
    half_made = [folder.name for folder in found.unfinished()]
    if not prune:
        _show(found.root, entries, len(half_made), json=json)
        return
    chosen = to_prune(entries, time.time(), older_than, limit)
    everything = older_than is None and limit is None
    sizes = {entry.key: entry.bytes for entry in chosen}
    deleted = [key for key in [*sizes, *(half_made if everything else ())] if found.delete(key)]
    size = shown_size(sum(sizes.get(key, 0) for key in deleted))
    put(console(), text(f"deleted {_counted(len(deleted), 'entry', 'entries')}, {size}"))


def bytes_of(words: str) -> int:
    """`20GB` → 20,000,000,000. Raises UserError where it is no size.

    >>> bytes_of("1.5 MB")
    1500000
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)", words.strip().lower())
    if match is None or match[2] not in UNITS:
        raise UserError(f"--larger-than={words} is no size: say 20GB or 500MB, for one")
    return int(float(match[1]) * UNITS[match[2]])


def shown_size(size: int) -> str:
    """Bytes as a person reads them: `shown_size(1500000) == "1.5 MB"`."""
    for unit, factor in reversed(UNITS.items()):
        if factor > 1 and size >= factor:
            return f"{size / factor:.1f} {unit.upper().replace('KB', 'kB')}"
    return f"{size} bytes"


def shown_age(seconds: float) -> str:
    """How long ago something was: `shown_age(7300) == "2 hours ago"`."""
    for factor, name in AGES:
        if seconds >= factor:
            return f"{_counted(int(seconds // factor), name, f'{name}s')} ago"
    return "just now"


def _show(root: Path, entries: Sequence[Entry], half_made: int, *, json: bool) -> None:
    if json:
        import orjson

        for entry in entries:
            sys.stdout.write(orjson.dumps(_plain(entry), option=orjson.OPT_APPEND_NEWLINE).decode())
        return
    screen = console()
    total = shown_size(sum(entry.bytes for entry in entries))
    put(screen, text(f"{root}: {_counted(len(entries), 'entry', 'entries')}, {total}"))
    if entries:
        put(screen, _table(entries))
    if half_made:
        put(screen, text(f"{half_made} more half made: a run is making it, or the next one goes on with it", QUIET))


def _plain(entry: Entry) -> dict[str, Any]:
    told = entry.manifest
    about = told.get("about", {})
    return {
        "key": entry.key,
        "bytes": entry.bytes,
        "rows": told.get("rows"),
        "tokens": told.get("tokens"),
        "made": told.get("made"),
        "used": entry.used,
        **{name: about.get(name) for name in ("data", "model", "max_length")},
    }


def _table(entries: Sequence[Entry]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("size", "rows", "tokens", "used", "data", "model"):
        table.add_column(name, justify="right" if name in ("size", "rows", "tokens") else "left")
    for entry in entries:
        told = _plain(entry)
        names = told["data"] or ["?"]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        cells = (
            shown_size(told["bytes"]),
            f"{told['rows'] or 0:,}",
            f"{told['tokens'] or 0:,}",
            shown_age(time.time() - entry.used),
            f"{names[0]}{more}",
            told["model"] or "?",
        )
        table.add_row(*(text(cell) for cell in cells))
    return table


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
