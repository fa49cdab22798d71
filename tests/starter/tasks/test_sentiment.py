from __future__ import annotations

import re
from functools import cache

import pytest

from tests.starter.tasks.blind import blind_accuracy
from tests.starter.tasks.rows import place, right, text, wrong
from tests.starter.tasks.telling import matching
from tutelage.starter.microworld.reviews import aspects
from tutelage.starter.microworld.schemas import feelings
from tutelage.starter.microworld.tables import table
from tutelage.starter.microworld.wording import LANGUAGES, Language
from tutelage.starter.tasks.making import rows_of
from tutelage.starter.tasks.sentiment import MAKERS, asked_aspects

CASES = [(name, language) for name in MAKERS for language in LANGUAGES]
EVENT = {"en": 3, "zh": 4}


@cache
def judged(language: Language) -> dict[str, tuple[bool, set[str]]]:
    """The sentence of each praise and blame, straight from the table: praised? and in which parts it is asked."""
    number = LANGUAGES.index(language)
    parts = {(one.sort, one.name[0]): one.part for one in aspects()}
    found: dict[str, tuple[bool, set[str]]] = {}
    for row in table("aspects"):
        name = row[1].split("=")
        for praised, cell in ((True, row[2 + number]), (False, row[4 + number])):
            said = f"{name[0]} {cell}" if language == "en" else name[1] + cell
            found.setdefault(said[0].upper() + said[1:], (praised, set()))[1].add(parts[row[0], name[0]])
    return found


def points(passage: str, language: Language) -> list[tuple[bool, set[str]]]:
    known = judged(language)
    return [known[piece] for piece in re.split(r"[.。!！?？] ?", passage) if piece in known]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["review", "review_mixed"])
def test_the_label_is_what_the_points_come_to(name: str, language: Language) -> None:
    for split in ("train", "test"):
        for row in rows_of(name, split, language):
            found = points(text(row, "review"), language)
            assert len(found) >= (1 if name == "review" else 2)
            tones = {praised for praised, _ in found}
            assert (2 if len(tones) > 1 else 0 if tones == {True} else 1) == place(row), row
            if split == "test":
                assert all("test" in parts for _, parts in found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_would_recommend_it_is_who_praised_it(language: Language) -> None:
    for split in ("train", "test"):
        for row in rows_of("recommend", split, language):
            name, passage = text(row, "name"), text(row, "text")
            quotes = re.findall(r'"([^"]+)"|“([^”]+)”', passage)
            said = [one or other for one, other in quotes]
            # Who is named first has the first quotation.
            head = re.split(r" and |和| tried |试了", passage)
            mine = said[0] if head[0] == name else said[1]
            theirs = said[1] if head[0] == name else said[0]
            assert {praised for praised, _ in points(mine, language)} == {place(row) == 0}, row
            assert {praised for praised, _ in points(theirs, language)} == {place(row) == 1}, row


def events(passage: str, language: Language) -> list[tuple[str, set[str]]]:
    """Each sentence that tells an event of the table, with the lines that it may come from."""
    pieces = re.findall(r"[^.。]+[.。]", passage)
    return [
        (piece.strip(), lines)
        for piece in pieces
        if (lines := matching("feelings_from", EVENT[language], piece.strip()))
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_feelings_are_those_of_the_one_who_is_asked_about(language: Language) -> None:
    schemas = {one.name: one for one in feelings()}
    both = 0
    for split in ("train", "test"):
        for row in rows_of("feeling", split, language):
            found = events(text(row, "text"), language)
            assert found, row
            mine = [lines for piece, lines in found if text(row, "name") in piece]
            assert any(
                right(row) == schemas[line].feelings[0].forms[language][""] for lines in mine for line in lines
            ), row
            if len(found) == 2:
                both += 1
                other = [lines for piece, lines in found if lines not in mine]
                words = {schemas[line].feelings[0].forms[language][""] for lines in other for line in lines}
                assert not other or wrong(row)[0] in words, row
            if split == "test":
                assert all(any(schemas[line].part == "test" for line in lines) for lines in mine)
    assert both > 500


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_happier_day_is_the_one_with_the_good_event(language: Language) -> None:
    tones = {one.name: one.feelings[0].tags["tone"] for one in feelings()}
    mine = {one.name: mine_of(one.name, language) for one in feelings()}
    checked = 0
    for row in rows_of("happier", "train", language):
        found = []
        for page in (text(row, "first"), text(row, "second")):
            lines = {
                key
                for piece in re.findall(r"[^.。]+[.。]", page)
                for key, one in mine.items()
                if one.fullmatch(piece.strip())
            }
            found.append({tones[line] for line in lines})
        checked += all(len(one) == 1 for one in found)
        assert "good" in found[place(row)], row
        assert "bad" in found[1 - place(row)], row
    assert checked > 1150


@cache
def mine_of(name: str, language: Language) -> re.Pattern[str]:
    """The event as its writer tells it: any words where the table has one for the person."""
    row = next(row for row in table("feelings_from") if row[0] == name)
    pieces = [re.escape(piece) for piece in re.split(r"\{[^}]*\}", row[EVENT[language]])]
    return re.compile(".+?".join(pieces) + "[.。]", re.IGNORECASE)


def test_what_a_test_review_speaks_of_is_in_no_training_review() -> None:
    for sort in ("place", "thing", "show"):
        assert not {one.name for one in asked_aspects("tune", sort)} & {one.name for one in asked_aspects("test", sort)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_alone_do_not_say_who_liked_it_or_how_somebody_feels(language: Language) -> None:
    assert blind_accuracy("recommend", language, "text") < 0.62
    assert blind_accuracy("feeling", language, "options") < 0.63
