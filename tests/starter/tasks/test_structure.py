from __future__ import annotations

import re

import pytest

from tests.starter.tasks.rows import options, place, texts
from tests.starter.tasks.telling import read, things, vocabulary
from tutelage.starter.microworld.relations import KINDS, relations
from tutelage.starter.microworld.wording import LANGUAGES, Language
from tutelage.starter.tasks.changing import FACTS
from tutelage.starter.tasks.making import Row, rows_of

ENOUGH = 80  # of 200 test rows, those whose sentences the tests can read


def values(record: str, language: Language) -> dict[str, set[str]]:
    """What stands in a record behind each person's name, in any layout."""
    names = vocabulary("person", "", language)
    found: dict[str, set[str]] = {}
    who = ""
    for cell in re.split(r"[\n|,，;=:：\[\]]", record.lower()):
        text = cell.strip(" -")
        who = names.get(text, who)
        found.setdefault(who, set()).add(text)
    return found


def holds(told: set[tuple[str, ...]], record: str, language: Language) -> bool:
    """Whether the record says one of these facts."""
    known = values(record, language)
    for name, *words in told:
        keys = dict(word.split("=") for word in words)
        (role, kind), *_ = FACTS[name].items()
        kind_of, form = relations()[name].roles[role]
        form = "bare" if language == "zh" and kind_of in KINDS else form
        surfaces = things(form, language) if kind in ("thing", "clothing") else vocabulary(kind, form, language)
        if any(key == keys[role] and surface in known.get(keys["who"], ()) for surface, key in surfaces.items()):
            return True
    return False


def sentences(text: str, language: Language) -> list[str]:
    return re.split(r"(?<=\.) " if language == "en" else "(?<=。)(?=.)", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_agrees_where_every_sentence_stands_in_the_record(language: Language) -> None:
    checked = 0
    for row in rows_of("record_agrees", "test", language):
        told = [read(text, language) for text in sentences(str(row["text"]), language)]
        if all(told):
            checked += 1
            true = all(holds(facts, str(row["record"]), language) for facts in told)
            assert true == (place(row) == 0), row
    assert checked >= ENOUGH


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_option_stands_in_the_record(language: Language) -> None:
    checked = 0
    for row in rows_of("record_says", "test", language):
        offered = [read(text, language) for text in options(row)]
        if all(offered):
            checked += 1
            right = [holds(facts, str(row["record"]), language) for facts in offered]
            assert [number for number, true in enumerate(right) if true] == [row["label"]], row
    assert checked >= ENOUGH


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["record_to_text", "text_to_record"])
def test_texts_and_records_say_the_same(name: str, language: Language) -> None:
    checked = 0
    for row in rows_of(name, "test", language):
        for text in texts(row, "renderings" if "renderings" in row else "text"):
            for facts in (read(one, language) for one in sentences(text, language)):
                # Of the other person in the text the record says nothing; a sentence with a pronoun can't be read.
                if facts and _of_the_person(facts, row, language):
                    checked += 1
                    assert holds(facts, str(row["record"]), language), (text, row)
    assert checked >= ENOUGH


def _of_the_person(facts: set[tuple[str, ...]], row: Row, language: Language) -> bool:
    people = vocabulary("person", "", language)
    return "name" not in row or any(f"who={people[str(row['name']).lower()]}" in one for one in facts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_record_has_the_labels_in_their_order(language: Language) -> None:
    colon, comma = (": ", ", ") if language == "en" else ("：", "，")
    for row in rows_of("text_to_record", "test", language):
        pairs = [pair.split(colon) for pair in str(row["record"]).split(comma)]
        assert comma.join(label for label, _ in pairs) == row["labels"]
        assert pairs[0][1] == row["name"]
        assert 3 <= len(pairs) <= 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_notes_and_texts_name_the_same_people(language: Language) -> None:
    names = sorted(vocabulary("person", "", language), key=len, reverse=True)
    people = re.compile("|".join(rf"\b{name}\b" if language == "en" else name for name in names))
    for row in rows_of("notes_to_text", "test", language):
        wanted = set(people.findall(str(row["notes"]).lower()))
        assert len(str(row["notes"]).splitlines()) in (2, 3)
        for text in texts(row, "renderings"):
            assert set(people.findall(text.lower())) == wanted, row
