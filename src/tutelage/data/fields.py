"""One row's fields, read with their types checked; a row that cannot be used is a `BadRow`.

Reasons are short and name no content of the row, so that equal ones can be counted.
"""

from __future__ import annotations

_KINDS: dict[type, str] = {
    str: "text",
    list: "list",
    dict: "object",
    bool: "true or false",
    int: "number",
    float: "number",
    type(None): "null",
}


class BadRow(Exception):  # noqa: N818 (it is a row that is bad, not a program)
    """One row that cannot be used: `BadRow(reason)`. It is quarantined under this reason, and reading goes on."""


class UnwantedRow(BadRow):
    """A row that is good, and not to be learnt from: it is dropped under this reason, which is no fault of the data."""


def kind(value: object) -> str:
    """What a parsed value is, in a user's words: `kind([1])` is "list"."""
    return _KINDS.get(type(value), type(value).__name__)


def mapping(value: object, what: str) -> dict[str, object]:
    """The value as an object; `what` names it in the reason."""
    if not isinstance(value, dict):
        raise BadRow(f"{what} is {kind(value)}, expected object")
    return value


def required(row: dict[str, object], key: str) -> object:
    """The field's value, whatever it is."""
    if key not in row:
        raise BadRow(f"field `{key}` is missing")
    return row[key]


def text(row: dict[str, object], key: str) -> str:
    """A field that must be there and be text.

    >>> text({"output": "Paris"}, "output")
    'Paris'
    >>> text({"output": ["Paris"]}, "output")
    Traceback (most recent call last):
    tutelage.data.fields.BadRow: field `output` is list, expected text
    """
    return as_text(required(row, key), f"field `{key}`")


def optional_text(row: dict[str, object], key: str) -> str:
    """A field that may be missing or null, which reads as empty text."""
    return "" if row.get(key) is None else text(row, key)


def as_text(value: object, what: str) -> str:
    """The value as text that can be encoded; `what` names it in the reason."""
    if not isinstance(value, str):
        raise BadRow(f"{what} is {kind(value)}, expected text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadRow(f"{what} holds half a character (a lone surrogate)") from None
    return value


def as_list(value: object, what: str) -> list[object]:
    """The value as a list; `what` names it in the reason."""
    if not isinstance(value, list):
        raise BadRow(f"{what} is {kind(value)}, expected list")
    return value


def filled(value: str, what: str) -> str:
    """The text, unless there is nothing but white space in it."""
    if not value.strip():
        raise BadRow(f"{what} is empty")
    return value
