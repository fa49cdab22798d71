from __future__ import annotations

import re

import pytest

from tests.starter.tasks.blind import pieces
from tests.starter.tasks.rows import options, place, texts
from tests.starter.tasks.telling import read
from tutelage.starter.microworld.parts import part_of
from tutelage.starter.microworld.wording import LANGUAGES, Language
from tutelage.starter.tasks.making import rows_of

ENOUGH = 100  # of 200 test rows, those whose sentences the tests can read: the rest tell general facts


JOINED = {"en": r", and | and |, while |; |, but ", "zh": "，而|；|，但是|，"}
Told = set[frozenset[tuple[str, ...]]]


def told(text: str, language: Language) -> Told:
    """What a sentence can tell: a fact, or two side by side."""
    found: Told = {frozenset((fact,)) for fact in read(text, language)}
    for mark in re.finditer(JOINED[language], text):
        first, second = read(text[: mark.start()], language), read(text[mark.end() :], language)
        found |= {frozenset((one, other)) for one in first for other in second}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_mean_the_same_where_the_same_is_read_from_both(language: Language) -> None:
    checked = 0
    for row in rows_of("same_meaning", "test", language):
        first, second = told(str(row["first"]), language), told(str(row["second"]), language)
        if first and second:
            checked += 1
            assert bool(first & second) == (place(row) == 0), row
            assert row["first"] != row["second"]
            if place(row) == 1:
                assert named(first) & named(second), "both speak of the same people and things"
    assert checked >= ENOUGH


def named(read_of: Told) -> set[tuple[str, ...]]:
    """The people and things of each reading."""
    return {tuple(sorted(word.partition("=")[2] for one in facts for word in one[1:])) for facts in read_of}


@pytest.mark.parametrize("language", LANGUAGES)
def test_whether_all_words_come_again_says_nothing(language: Language) -> None:
    """The best that can be done by counting the words (characters) of the one sentence that are in the other."""
    rows = rows_of("same_meaning", "train", language)
    pairs = [[pieces(str(row[field]), language) for field in ("first", "second")] for row in rows]
    shared = [len(first & second) / len(first | second) for first, second in pairs]
    same = [place(row) == 0 for row in rows]
    at = sorted(set(shared))
    right = [sum((share >= least) == alike for share, alike in zip(shared, same, strict=True)) for least in at]
    assert max(right) / len(rows) < 0.58


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_option_tells_the_fact_of_the_sentence(language: Language) -> None:
    checked = 0
    for row in rows_of("which_means_the_same", "test", language):
        given, *offered = (read(text, language) for text in (str(row["sentence"]), *options(row)))
        if given and all(offered):
            checked += 1
            assert [number for number, option in enumerate(offered) if option & given] == [row["label"]], row
    assert checked >= ENOUGH * 0.6


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_options_tell_one_fact_and_the_answer_another(language: Language) -> None:
    checked = 0
    for row in rows_of("says_something_else", "test", language):
        offered = [read(text, language) for text in options(row)]
        if all(offered):
            checked += 1
            odd = offered.pop(place(row))
            same = offered[0] & offered[1]
            assert same, row
            assert not odd & same, row
    assert checked >= ENOUGH * 0.6


@pytest.mark.parametrize("language", LANGUAGES)
def test_renderings_are_other_words_for_the_fact(language: Language) -> None:
    for row in rows_of("other_words", "test", language):
        renderings = texts(row, "renderings")
        assert row["sentence"] not in renderings
        assert len(renderings) >= 3
        readings = [facts for text in (str(row["sentence"]), *renderings) if (facts := read(text, language))]
        assert not readings or set.intersection(*readings), row


def test_questions_that_ask_the_same_name_the_same() -> None:
    names = re.compile(r"\b[A-Z][a-z]+\b")
    ask_words = {
        "Who",
        "What",
        "Where",
        "Which",
        "How",
        "Whose",
        "Tell",
        "Do",
        "Can",
        "Does",
        "Could",
        "Please",
        "By",
        "To",
        "I",
        "In",
        "Whom",
    }
    for row in rows_of("same_question", "test", "en"):
        first, second = (set(names.findall(str(row[field]))) - ask_words for field in ("first", "second"))
        if place(row) == 0:
            assert first == second, row


def test_who_may_have_what_is_shared_out() -> None:
    pattern = re.compile(r"(\w+) (?:owns|wants|bought|has got) an? (?:\w+ )?([\w-]+)\.")
    for split, part in (("train", "tune"), ("test", "test")):
        rows = rows_of("other_words", split, "en")
        found = [match for row in rows if (match := pattern.fullmatch(str(row["sentence"])))]
        assert found
        assert sum(part_of(*match.groups()) == part for match in found) / len(found) > 0.8  # two-word things aside
