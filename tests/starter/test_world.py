"""The world's text: the same for a seed, every fact in it, no question in it, nothing ambiguous."""

from __future__ import annotations

import doctest

import pytest

from tutelage.starter import facts, relations
from tutelage.starter.relations import Telling, render, tellings
from tutelage.starter.rows import held_out_questions, instruction_rows
from tutelage.starter.world import write_documents


@pytest.mark.parametrize("module", [facts, relations])
def test_worked_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_text_is_a_function_of_the_seed() -> None:
    assert list(write_documents(2, seed=3)) == list(write_documents(2, seed=3))
    assert list(write_documents(2, seed=3)) != list(write_documents(2, seed=4))


def test_more_rounds_only_add_to_the_text() -> None:
    short, long = list(write_documents(1, seed=0)), list(write_documents(2, seed=0))
    assert long[: len(short)] == short
    assert len(long) > 1.9 * len(short)


def test_a_round_tells_every_fact_twice() -> None:
    (text,) = ["\n" + "\n".join(write_documents(1, seed=0)) + "\n"]
    for relation, fact in tellings():
        told = sum(text.count(f"\n{render(wording, fact)}\n") for wording in set(relation.tell))
        assert told >= 2, (relation.name, fact)


def test_all_rounds_together_tell_a_fact_in_all_wordings() -> None:
    lines = set("\n".join(write_documents(36, seed=0)).splitlines())
    told = [render(wording, fact) in lines for relation, fact in tellings() for wording in relation.tell]
    assert sum(told) > 0.99 * len(told)


def test_the_text_holds_no_question() -> None:
    documents = list(write_documents(3, seed=0))
    lines = {line for document in documents for line in document.splitlines()}
    assert not [line for line in lines if "?" in line or "？" in line]
    asked = {str(row["instruction"]) for row in instruction_rows()}
    asked |= {question.instruction for question in held_out_questions()}
    assert not asked & lines


def test_wordings_are_whole_and_differ() -> None:
    for relation in relations.relations():
        ways = (*relation.ask, *relation.ask_fresh)
        assert len(set(ways)) == len(ways)
        assert len(relation.ask_fresh) >= 2
        assert all("{s}" in wording and "{o}" in wording for wording in relation.tell)
        assert all("{s}" in wording and "{o}" not in wording for wording in (*ways, *relation.about))


def test_a_question_has_one_answer() -> None:
    subjects = [(relation.name, fact.subject) for relation, fact in tellings()]
    assert len(set(subjects)) == len(subjects)
    asked: dict[str, Telling] = {}
    for relation, fact in tellings():
        for wording in (*relation.ask, *relation.ask_fresh):
            assert asked.setdefault(render(wording, fact), (relation, fact)) == (relation, fact)
