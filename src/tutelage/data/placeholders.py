"""Placeholders that nobody filled in: `{{name}}` in a row is learnt as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tutelage.records import Completion, Conversation, Origin, Record

_PLACEHOLDER = re.compile(r"\{\{\s*[A-Za-z_][\w.-]{0,40}\s*\}\}")


class Placeholders:
    """Counts the rows of a source that hold one, and remembers the first."""

    def __init__(self) -> None:
        self._rows = 0
        self._first: tuple[str, Origin] | None = None

    def look(self, record: Record, origin: Origin) -> None:
        """Look at the texts of one row."""
        found = next((found for text in _texts(record) if "{{" in text and (found := _PLACEHOLDER.search(text))), None)
        if found is not None:
            self._rows += 1
            self._first = self._first or (found.group(), origin)

    def warning(self) -> str | None:
        """The sentence about the source, if there is one."""
        if self._first is None:
            return None
        shown, origin = self._first
        rows = "1 row holds" if self._rows == 1 else f"{self._rows:,} rows hold"
        return (
            f"{rows} placeholders such as {shown}, first in row {origin.row} of {origin.path}: they are learnt as they "
            "stand; fill them in, if they are meant to be"
        )


def _texts(record: Record) -> Iterator[str]:
    if isinstance(record, Conversation):
        yield from (part.text for message in record.messages for part in message.content)
    elif isinstance(record, Completion):
        yield from (record.prompt, record.completion)
    else:
        yield record.text
