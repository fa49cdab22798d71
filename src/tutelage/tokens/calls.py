"""Turns that call tools, as text: what of a message a template may write, and where the text of a call ends."""

from __future__ import annotations

from collections.abc import Iterator

from tutelage.records import Message
from tutelage.tokens.rendering import text_of
from tutelage.tokens.vocabulary import Vocabulary


def texts_of(message: Message) -> Iterator[str]:
    """All of a message that a template may write."""
    yield from (message.role, text_of(message), message.reasoning, message.name or "", message.call_id or "")
    for call in message.calls:
        yield from (call.name, call.arguments, call.id or "")


def holds(text: str, said: str) -> bool:
    """Whether a text holds another, though a template may write its blanks otherwise.

    >>> holds("<think>\\nWhy?\\n\\nSo.\\n</think>", "Why?\\nSo."), holds("Yes.", "No.")
    (True, False)
    """
    return said.strip() in text or "".join(said.split()) in "".join(text.split())


def ending_of_call(full: str, stop: str | None, closing: str, vocabulary: Vocabulary) -> tuple[str, str | None]:
    """(the text before the stop token, that token) of a conversation that ends in a call of a tool.

    stop, closing: the usual stop token, None where the template's is ordinary text, and what follows an answer. The
    token is None where it is the usual one.
    """
    if stop is None:
        return full.removesuffix(closing), None
    found = list(vocabulary.stops.finditer(full))
    if not found or full[found[-1].end() :].strip():
        return full, None
    last = found[-1]
    if last.group() == stop:
        return full[: last.start()], None
    # A `</tool_call>` that is no special token belongs to the call.
    special = vocabulary.special_in(last.group()) is not None
    return (full[: last.start()], last.group()) if special else (full, None)
