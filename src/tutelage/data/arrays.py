"""A JSON array element by element, so that a file of any size needs no more memory than its largest elements.

Blocks of bytes are decoded and handed to Python's own scanner. An element that a block cuts in two is scanned again
with the next one, each longer than the last, so that the work stays linear.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator

BLOCK = 1 << 20
NOT_UTF8 = "not UTF-8"

_BLANKS = re.compile(r"[ \t\n\r]*")
# A mistake so near to the end of what was read may only be a text, a number or an escape that goes on behind it.
_NEAR = 16
# What may follow the scanned beginning of a number where a block ends: of `1.5e-3`, `.`, `e` and `e-` do.
_IN_NUMBERS = set(".eE+-")
_SCAN = json.JSONDecoder().raw_decode


class BrokenError(Exception):
    """Bytes that are not JSON: why, and where, counted from 1."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        self.reason, self.line, self.column = reason, line, column


def elements(read: Callable[[int], bytes], line: int = 1) -> Iterator[object]:
    """The elements of an array whose bytes `read(size)` gives, from its `[` on, which stands in the given line.

    >>> import io
    >>> list(elements(io.BytesIO(b'[{"a": 1}, "b"]').read))
    [{'a': 1}, 'b']

    Raises `BrokenError` where it is broken, after the elements before.
    """
    text = _Text(read, line)
    text.take("[")
    if text.peek() == "]":
        text.take("]")
    else:
        while True:
            yield text.value()
            if text.peek() == "]":
                text.take("]")
                break
            text.take(",")
            if text.peek() == "]":
                raise text.broken("not JSON: expecting value", text.place)
    if text.peek():
        raise text.broken("not JSON: extra data", text.place)


class _Text:
    """A window on the text: `held` from `place` on is not read yet."""

    def __init__(self, read: Callable[[int], bytes], line: int) -> None:
        self._read = read
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._ended = False
        self.held = ""
        self.place = 0
        self._line, self._column = line, 1  # of the first character that is held

    def peek(self) -> str:
        """The next character that is not blank, or nothing at the end."""
        while True:
            self.place = _BLANKS.match(self.held, self.place).end()  # type: ignore[union-attr]  # it matches nothing too
            if self.place < len(self.held):
                return self.held[self.place]
            if not self._more(BLOCK):
                return ""

    def take(self, character: str) -> None:
        """Pass over this character, which must come next."""
        if self.peek() != character:
            raise self.broken(f"not JSON: expecting '{character}' delimiter", self.place)
        self.place += 1

    def value(self) -> object:
        """The next value."""
        self.peek()
        size = BLOCK
        while True:
            try:
                found, end = _SCAN(self.held, self.place)
            except json.JSONDecodeError as error:
                unfinished = error.pos > len(self.held) - _NEAR or error.msg.startswith("Unterminated")
                if unfinished and self._more(size):
                    size *= 2
                    continue
                raise self.broken(said(error), error.pos) from None
            except RecursionError:
                raise self.broken("not JSON: nested too deeply", self.place) from None
            except ValueError:  # Python's guard against integers of more than 4300 digits
                raise self.broken("not JSON: a number with too many digits", self.place) from None
            if set(self.held[end : end + _NEAR]) <= _IN_NUMBERS and self._more(size):  # a number cut in two
                size *= 2
                continue
            self.place = end
            return found

    def broken(self, reason: str, place: int) -> BrokenError:
        """The error for what is wrong at a place of the window."""
        line, column = self._position(place)
        return BrokenError(reason, line, column)

    def _more(self, size: int) -> bool:
        """Reads on, forgetting what is behind; whether there was anything."""
        if self._ended:
            return False
        while not self._ended:
            data = self._read(size)
            self._ended = not data
            try:
                text = self._decoder.decode(data, final=self._ended)
            except UnicodeDecodeError as error:
                self.held += error.object[: error.start].decode()
                raise self.broken(NOT_UTF8, len(self.held)) from None
            if text:
                self._line, self._column = self._position(self.place)
                self.held = self.held[self.place :] + text
                self.place = 0
                return True
        return False

    def _position(self, place: int) -> tuple[int, int]:
        before = self.held[:place]
        lines = before.count("\n")
        column = len(before) - before.rfind("\n") if lines else self._column + len(before)
        return self._line + lines, column


def said(error: json.JSONDecodeError) -> str:
    """The same words for every row, to be counted: "Unterminated string starting at" -> "unterminated string"."""
    why = error.msg.split(":")[0].removesuffix(" at").removesuffix(" starting")
    return f"not JSON: {why[:1].lower()}{why[1:]}"
