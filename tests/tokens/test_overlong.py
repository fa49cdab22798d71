"""Too long conversations and documents: what is left out, in which order, and that nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.records import Conversation, Message, Part
from tutelage.tokens.overlong import chunks, split_turns, truncate_prompt, units
from tutelage.tokens.rendering import text_of

from .conversations_for_tests import message, talk

LONG = talk("s:Be brief.", "u:one one", "a:1", "u:two two two", "a:2", "u:three three", "a:3")


def characters(conversation: Conversation) -> int:
    """A length that one can count by hand: characters up to the last answer, 0 without one."""
    learnt = [place for place, one in enumerate(conversation.messages) if one.role == "assistant"]
    return sum(len(text_of(one)) for one in conversation.messages[: learnt[-1] + 1]) if learnt else 0


def written(conversation: Conversation | None) -> list[str]:
    assert conversation is not None
    return [text_of(one) for one in conversation.messages]


def test_tools_stay_with_every_part() -> None:
    talk = Conversation(LONG.messages, ("{}",))
    assert [piece.tools for piece in split_turns(talk, 25, characters)[0]] == [("{}",)] * 3
    for max_length in (41, 22, 16):
        shorter = truncate_prompt(talk, max_length, characters)
        assert shorter is not None
        assert shorter.tools == ("{}",)
        assert shorter != talk or max_length == 41
    answered = Conversation(
        (*LONG.messages[:3], Message("tool", (Part("x" * 50),), name="f", call_id="1"), LONG.messages[4])
    )
    shorter = truncate_prompt(answered, 30, characters)
    assert shorter is not None
    assert (shorter.messages[3].name, shorter.messages[3].call_id) == ("f", "1")


def test_units_worked_example() -> None:
    rows = [Message(role, ()) for role in ("system", "user", "assistant", "user", "tool", "assistant")]
    system, found = units(rows)
    assert (len(system), [len(unit) for unit in found]) == (1, [2, 3])
    assert [len(unit) for unit in units([Message("assistant", ()), *rows[1:]])[1]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("max_length", "expected"),
    [
        (1000, ["Be brief.", "one one", "1", "two two two", "2", "three three", "3"]),
        (41, ["Be brief.", "one one", "1", "two two two", "2", "three three", "3"]),
        (40, ["Be brief.", "two two two", "2", "three three", "3"]),
        (33, ["Be brief.", "two two two", "2", "three three", "3"]),
        (32, ["Be brief.", "three three", "3"]),
        (21, ["Be brief.", "three three", "3"]),
        (20, ["Be brief.", "three thre", "3"]),
        (16, ["Be brief.", "three", "3"]),
        (11, ["Be brief.", "t", "3"]),
    ],
)
def test_the_oldest_turns_go_first_then_the_end_of_the_question(max_length: int, expected: list[str]) -> None:
    assert written(truncate_prompt(LONG, max_length, characters)) == expected


def test_an_answer_is_never_cut() -> None:
    assert truncate_prompt(LONG, 10, characters) is None
    assert truncate_prompt(talk("u:hello", "a:a long answer"), 13, characters) is None
    assert truncate_prompt(talk("a:a long answer"), 12, characters) is None
    assert truncate_prompt(talk("u:     hello", "a:hi"), 7, characters) is None, "blanks are no question"


def test_the_longest_question_is_the_one_shortened() -> None:
    found = truncate_prompt(talk("u:find", "t:a long result of it", "a:done"), 14, characters)
    assert written(found) == ["find", "a long", "done"]


def test_flags_and_roles_are_kept() -> None:
    conversation = Conversation((message("user", "long question", False), message("assistant", "a", True)))
    found = truncate_prompt(conversation, 5, characters)
    assert found is not None
    assert [(one.role, one.train) for one in found.messages] == [("user", False), ("assistant", True)]


@given(
    lengths=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=6),
    system=st.integers(0, 3),
    max_length=st.integers(2, 40),
)
def test_truncation_keeps_the_end_and_fits(lengths: list[tuple[int, int]], system: int, max_length: int) -> None:
    turns = [turn for asked, said in lengths for turn in (f"u:{'q' * asked}", f"a:{'a' * said}")]
    conversation = talk(*(["s:" + "s" * system] if system else []), *turns)
    found = truncate_prompt(conversation, max_length, characters)
    last = lengths[-1][1] + system
    if found is None:
        assert last + 1 > max_length
        return
    texts = written(found)
    assert characters(found) <= max_length
    assert texts[-1] == "a" * lengths[-1][1]
    assert (texts[0] == "s" * system) == bool(system)
    whole = written(conversation)
    kept = len(texts) - bool(system)
    assert texts[-kept + 1 :] == whole[-kept + 1 :], "only the first kept question may differ"
    if kept < len(whole) - bool(system):
        longer = Conversation((*conversation.messages[: bool(system)], *conversation.messages[-kept - 2 :]))
        assert characters(longer) > max_length, "no more is left out than need be"


@pytest.mark.parametrize(
    ("max_length", "expected", "too_long"),
    [
        (1000, [written(LONG)], 0),
        (30, [["Be brief.", "one one", "1", "two two two", "2"], ["Be brief.", "three three", "3"]], 0),
        (21, [["Be brief.", "one one", "1"], ["Be brief.", "two two two", "2"], ["Be brief.", "three three", "3"]], 0),
        (20, [["Be brief.", "one one", "1"]], 2),
        (16, [], 3),
    ],
)
def test_split_at_turns(max_length: int, expected: list[list[str]], too_long: int) -> None:
    pieces, lost = split_turns(LONG, max_length, characters)
    assert [written(piece) for piece in pieces] == expected
    assert lost == too_long


def test_a_piece_of_which_nothing_is_learnt_is_no_example() -> None:
    pieces, lost = split_turns(talk("u:hello", "a:hi", "u:bye"), 6, characters)
    assert (pieces, lost) == ([], 1)


def test_chunks_worked_example() -> None:
    assert chunks(7, 4) == [slice(0, 4), slice(3, 7)]
    assert chunks(4, 4) == [slice(0, 4)]
    assert chunks(5, 4) == [slice(0, 4), slice(3, 5)]


@given(length=st.integers(2, 200), max_length=st.integers(2, 60))
def test_every_token_but_the_first_is_predicted_once(length: int, max_length: int) -> None:
    ids = list(range(length))
    parts = [ids[part] for part in chunks(length, max_length)]
    assert [token for part in parts for token in part[1:]] == ids[1:]
    assert all(2 <= len(part) <= max_length for part in parts)
