"""What becomes of a record with more tokens than `max_length`. Answers are never cut.

A conversation is a run of units: a user's message with all up to the next one; the system text stands before them.
Units go whole; only the last one's longest question is shortened, from its end, since an instruction stands at its
start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from tutelage.errors import UserError
from tutelage.records import Conversation, Message, Part
from tutelage.tokens.rendering import text_of

Length = Callable[[Conversation], int]
"""The tokens of a conversation's longest leaf, 0 where nothing of it is learnt."""


class Overlong(UserError):  # noqa: N818 (a verdict about a row)
    """`overlong: error` met a record of `length` tokens; the caller knows its row. place: in the batch given."""

    def __init__(self, length: int, max_length: int, place: int = 0) -> None:
        """Lengths in tokens."""
        super().__init__(
            f"An example has {length} tokens, more than max_length={max_length}: raise max_length, or choose overlong= "
            "truncate-prompt, split or drop."
        )
        self.length, self.max_length, self.place = length, max_length, place


def units(messages: Sequence[Message]) -> tuple[list[Message], list[list[Message]]]:
    """(the system messages at the start, the units after them).

    >>> talk = [Message(role, ()) for role in ("system", "user", "assistant", "user", "tool", "assistant")]
    >>> system, found = units(talk)
    >>> len(system), [len(unit) for unit in found]
    (1, [2, 3])
    """
    start = next((place for place, message in enumerate(messages) if message.role != "system"), len(messages))
    found: list[list[Message]] = []
    for message in messages[start:]:
        if message.role == "user" or not found:
            found.append([])
        found[-1].append(message)
    return list(messages[:start]), found


def truncate_prompt(conversation: Conversation, max_length: int, length: Length) -> Conversation | None:
    """The conversation without its oldest units, as few as need be, or with a shorter last question; None: no way.

    Its last message is one that is learnt.
    """
    system, rest = units(conversation.messages)

    def without(oldest: int) -> Conversation:
        return replace(conversation, messages=(*system, *(message for unit in rest[oldest:] for message in unit)))

    fewest = bisect_left(range(len(rest) - 1), True, key=lambda oldest: length(without(oldest)) <= max_length)
    candidate = without(fewest)
    return candidate if length(candidate) <= max_length else _shorten_question(candidate, max_length, length)


def _shorten_question(conversation: Conversation, max_length: int, length: Length) -> Conversation | None:
    messages = conversation.messages
    questions = [place for place, message in enumerate(messages) if message.role not in ("system", "assistant")]
    if not questions:
        return None
    longest = max(questions, key=lambda place: len(text_of(messages[place])))
    text = text_of(messages[longest])

    def of(characters: int) -> Conversation:
        shorter = replace(messages[longest], content=(Part(text[:characters].rstrip()),))
        return replace(conversation, messages=(*messages[:longest], shorter, *messages[longest + 1 :]))

    kept = bisect_right(range(len(text)), False, key=lambda characters: length(of(characters)) > max_length) - 1
    return of(kept) if kept > 0 and text[:kept].strip() else None


def split_turns(conversation: Conversation, max_length: int, length: Length) -> tuple[list[Conversation], int]:
    """(pieces that fit, units that do not): consecutive pieces as long as can be, each with the system text before it.

    Pieces of which nothing is learnt are left out, being nobody's history any more.
    """
    system, rest = units(conversation.messages)
    pieces: list[Conversation] = []
    too_long = 0
    start = 0

    def piece(end: int) -> Conversation:
        return replace(conversation, messages=(*system, *(message for unit in rest[start:end] for message in unit)))

    while start < len(rest):
        ends = range(start + 1, len(rest) + 1)
        fitting = bisect_left(ends, True, key=lambda end: length(piece(end)) > max_length)
        if fitting == 0:
            too_long += 1
            start += 1
            continue
        found = piece(ends[fitting - 1])
        if length(found) > 0:
            pieces.append(found)
        start = ends[fitting - 1]
    return pieces, too_long


def chunks(length: int, max_length: int) -> list[slice]:
    """Slices of a document's ids, each sharing its first token with the end of the one before.

    So every token but the document's first is predicted exactly once, and each chunk holds at most max_length tokens.

    >>> chunks(7, 4)
    [slice(0, 4, None), slice(3, 7, None)]
    """
    return [slice(start, min(start + max_length, length)) for start in range(0, max(length - 1, 1), max_length - 1)]
