"""What a stretch of a source's rows came to, to be told to the ledger now, or by a later run that need not read them.

Readers tell it as they tell a ledger. It goes through JSON, for the token cache keeps it beside the tokens.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import orjson

from tutelage.data.ledger import Ledger
from tutelage.records import Origin

DEEP = "(nested too deeply to be written)"


class Tells(Protocol):
    """Who is told of rows: a ledger, or the facts that a ledger is told later."""

    def read(self, origin: Origin) -> None:
        """A row was read."""

    def dropped(self, origin: Origin, reason: str, row: object, detail: str = "") -> None:
        """It is good, and not used."""

    def quarantined(self, origin: Origin, reason: str, row: object) -> None:
        """It is bad."""


@dataclass(frozen=True)
class Unused:
    """A row that is not used. row: its value as JSON."""

    fate: str
    line: int
    reason: str
    detail: str
    row: str


@dataclass
class Facts:
    """Of rows of one file, in their order.

    kept, cut, examples, tokens, supervised: of the rows that are used. placeholders: how many rows hold one, the first
    of these, and the number of its row; None where none does.
    """

    rows: int = 0
    kept: int = 0
    cut: int = 0
    examples: int = 0
    tokens: int = 0
    supervised: int = 0
    unused: list[Unused] = field(default_factory=list)
    placeholders: tuple[int, str, int] | None = None

    def read(self, origin: Origin) -> None:
        """As a ledger is told."""
        self.rows += 1

    def dropped(self, origin: Origin, reason: str, row: object, detail: str = "") -> None:
        """As a ledger is told."""
        self.unused.append(Unused("dropped", origin.row, reason, detail, _as_json(row)))

    def quarantined(self, origin: Origin, reason: str, row: object) -> None:
        """As a ledger is told."""
        self.unused.append(Unused("quarantined", origin.row, reason, "", _as_json(row)))

    def used(self, fate: str, examples: int, tokens: int, supervised: int) -> None:
        """A row is kept or cut, as so many examples of so many tokens."""
        self.kept += fate == "kept"
        self.cut += fate == "cut"
        self.examples += examples
        self.tokens += tokens
        self.supervised += supervised

    def tell(self, ledger: Ledger, path: str) -> None:
        """Tells a ledger of all of it. path: what the file is called now."""
        ledger.used(
            path,
            read=self.rows,
            kept=self.kept,
            cut=self.cut,
            examples=self.examples,
            tokens=self.tokens,
            supervised=self.supervised,
        )
        for one in self.unused:
            origin, row = Origin(path, one.line), _from_json(one.row)
            if one.fate == "dropped":
                ledger.dropped(origin, one.reason, row, one.detail)
            else:
                ledger.quarantined(origin, one.reason, row)

    def plain(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Facts:
        """What `plain` gave."""
        held = plain["placeholders"]
        unused = [Unused(**one) for one in plain["unused"]]
        return cls(**{**plain, "unused": unused, "placeholders": None if held is None else (held[0], held[1], held[2])})


def placeholders_in(facts: Sequence[Facts]) -> tuple[int, str, int] | None:
    """Of stretches of one file that follow each other.

    >>> placeholders_in([Facts(), Facts(placeholders=(2, "{{x}}", 7)), Facts(placeholders=(1, "{{y}}", 9))])
    (3, '{{x}}', 7)
    """
    held = [one.placeholders for one in facts if one.placeholders is not None]
    return (sum(rows for rows, _, _ in held), *held[0][1:]) if held else None


def _as_json(row: object) -> str:
    try:
        return orjson.dumps(row).decode()
    except TypeError:  # half a surrogate pair, a huge integer
        pass
    try:
        return json.dumps(row, default=str)
    except RecursionError:
        return json.dumps(DEEP)


def _from_json(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
