"""The text of the starter's world as a source of rows: `data=starter:text`, with `limit` saying how much of it.

It is written as it is read, so a pretraining needs no file. What a document is about follows from its number alone, and
how hard it is from its place among `limit`: first little but copying and looking up, then everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from tutelage.errors import UserError

NAME = "starter:text"
LICENCE = "Apache-2.0"
# So many documents tell one version of the world from another.
LOOKED_AT = 500


def documents(limit: int | None, first: int = 0, step: int = 1) -> Iterator[str]:
    """The texts of a world of `limit` documents, every `step`-th from `first` on.

    Raises:
        UserError: no limit is given, and the text has no end.
    """
    from tutelage.starter.microworld.mixture import documents as written

    if limit is None:
        raise UserError(f"{NAME} has no end: say how many documents by limit, as in data.sources.0.limit=300000")
    return written(0, count=limit, stage=lambda number: number / limit, first=first, step=step)


def fingerprint(limit: int | None) -> dict[str, Any]:
    """What tells this text from that of another version: documents, and the SHA-256 of some, evenly spaced."""
    digest = hashlib.sha256()
    for text in documents(limit, step=max(1, (limit or 0) // LOOKED_AT)):
        digest.update(text.encode())
    return {"file": NAME, "documents": limit, "sha256": digest.hexdigest()}
