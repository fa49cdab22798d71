"""The shipped rows, and that what is held out is in none of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tutelage.starter.exam import Score, mark, mark_openings
from tutelage.starter.relations import render, tellings
from tutelage.starter.rows import (
    HELD_OUT_SHARE,
    SHIPPED,
    Row,
    held_out_questions,
    held_out_secrets,
    instruction_rows,
    row_lines,
)


def exchanges(row: Row) -> list[tuple[str, str]]:
    history = row.get("history", [])
    assert isinstance(history, list)
    own = "\n".join(filter(None, (str(row["instruction"]), str(row["input"]))))
    return [*((asked, answer) for asked, answer in history), (own, str(row["output"]))]


def test_the_shipped_file_is_what_the_generator_writes() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == row_lines(instruction_rows())


def test_rows_are_alpaca_and_none_is_bad(tmp_path: Path) -> None:
    from tutelage.data.ledger import Ledger
    from tutelage.data.load import load
    from tutelage.data.settings import SourceSettings
    from tutelage.records import Conversation

    with Ledger(tmp_path / "quarantine.jsonl") as ledger:
        loaded = list(load(SourceSettings(path=SHIPPED, format=None, limit=None), "sft", ledger))
    rows = instruction_rows()
    assert len(loaded) == len(rows) > 1500
    for (_, _, record), row in zip(loaded, rows, strict=True):
        assert isinstance(record, Conversation)
        texts = [part.text for message in record.messages for part in message.content]
        assert texts == [text for exchange in exchanges(row) for text in exchange]


@pytest.mark.parametrize("seed", [2026, 1, 2])
def test_what_is_held_out_is_in_no_row(seed: int) -> None:
    secrets = held_out_secrets(seed)
    rows = [exchange for row in instruction_rows(seed) for exchange in exchanges(row)]
    answers = {answer for _, answer in rows}
    asked = {question for question, _ in rows}
    for relation, fact in tellings():
        if fact.secret in secrets:
            assert not answers & {render(wording, fact) for wording in relation.tell}
            assert not asked & {render(wording, fact) for wording in (*relation.ask, *relation.ask_fresh)}
        else:
            assert render(relation.tell[0], fact) in answers


def test_a_held_out_pair_of_words_is_in_no_exchange() -> None:
    """Not only its sentences: English rows never hold the subject together with its object, whatever is asked."""
    secrets = held_out_secrets()
    rows = [" ".join(exchange) for row in instruction_rows() for exchange in exchanges(row)]
    words = [Counter(text.replace("?", " ").replace(".", " ").split()) for text in rows]
    checked = 0
    for _, fact in tellings():
        if fact.secret in secrets and fact.subject.isascii() and fact.object.isascii():
            pair = {fact.subject, *fact.object.split()} - {"a", "an", "the"}
            together = [text for text, held in zip(rows, words, strict=True) if pair <= held.keys()]
            assert not together, (fact, together)
            checked += 1
    assert checked > 60


def test_fresh_wordings_are_in_no_row() -> None:
    asked = {question for row in instruction_rows() for question, _ in exchanges(row)}
    fresh = {render(wording, fact) for relation, fact in tellings() for wording in relation.ask_fresh}
    assert not asked & fresh


def test_a_quarter_of_each_kind_is_held_out_and_asked_twice() -> None:
    questions = held_out_questions()
    held = held_out_secrets()
    facts = [fact for _, fact in tellings() if fact.secret in held]
    assert len(questions) == 2 * len(facts)
    assert Counter(question.fresh_wording for question in questions) == {False: len(facts), True: len(facts)}
    assert abs(len(facts) / len(tellings()) - HELD_OUT_SHARE) < 0.02
    assert {question.relation for question in questions} == {relation.name for relation, _ in tellings()}
    assert all(question.answer.startswith(question.opening) for question in questions)


def test_another_seed_holds_out_other_facts() -> None:
    assert held_out_secrets(1) != held_out_secrets(2)
    assert held_out_secrets(1) == held_out_secrets(1)


def test_marks() -> None:
    questions = held_out_questions()
    right = [question.answer for question in questions]
    half = len(questions) // 2
    assert mark(questions, right).seen_wording == Score(half, half)
    assert mark(questions, [f" {answer}\n" for answer in right]).fresh_wording == Score(half, half)
    rambling = mark(questions, [f"{answer} And so on." for answer in right])
    assert (rambling.seen_wording, rambling.mentioned) == (Score(0, half), Score(2 * half, 2 * half))
    assert mark(questions, ["", *right[1:]]).mentioned.right == 2 * half - 1
    assert str(Score(134, 149)) == "134 of 149 (90 %)"


def test_marks_of_openings() -> None:
    questions = held_out_questions()[:3]
    ends = [question.answer.removeprefix(question.opening) for question in questions]
    assert mark_openings(questions, [f"{end} More." for end in ends]) == Score(3, 3)
    assert mark_openings(questions, ["", *ends[1:]]) == Score(2, 3)


def test_lines_are_json_and_keep_chinese() -> None:
    text = row_lines(instruction_rows()[:50])
    assert len([json.loads(line) for line in text.splitlines()]) == 50
    assert "\\u" not in text
