from __future__ import annotations

import random
from collections import Counter
from functools import cache
from itertools import permutations

import pytest

from tests.starter.tasks.blind import blind_accuracy
from tests.starter.tasks.rows import options, place, right, text, wrong
from tutelage.starter.microworld import knowledge as known
from tutelage.starter.microworld import people, tables
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import Part
from tutelage.starter.microworld.people import Known
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.wording import LANGUAGES, Language, sentence
from tutelage.starter.tasks import surely
from tutelage.starter.tasks.knowledge import CLAIMED, MAKERS
from tutelage.starter.tasks.making import Row, rows_of, told_apart

CASES = [(name, language) for name in MAKERS for language in LANGUAGES]


def asked_about(row: Row, language: Language) -> Known:
    """Who is named in the question: the longest name, as "Ann Hill" may stand within another."""
    everybody = (*people.people(), *people.towns())
    named = [one for one in everybody if one.word.forms[language][""] in text(row, "question")]
    return max(named, key=lambda one: len(one.word.forms[language][""]))


def words_about(one: Known, language: Language) -> dict[str, str]:
    return {fact.relation.name: fact.answer(people.asked_role(fact), language) for fact in one.facts}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["people_choice", "people_answer"])
def test_what_is_asked_of_people_holds_of_them_alone(name: str, language: Language) -> None:
    asked: dict[str, set[str]] = {}
    for split in ("train", "test"):
        asked[split] = set()
        for row in rows_of(name, split, language):
            one = asked_about(row, language)
            asked[split].add(one.word.key)
            assert (one.part == "test") == (split == "test")
            told = words_about(one, language)
            answer = right(row) if name == "people_choice" else text(row, "answer")
            names = [relation for relation, word in told.items() if word == answer]
            assert names
            if name == "people_choice":
                assert any(told[relation] not in wrong(row) for relation in names)
    assert not asked["train"] & asked["test"]
    assert len(asked["test"]) > 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_true_sentences_are_told_and_false_ones_never(language: Language) -> None:
    told, denied = set(), set()
    for name in dict.fromkeys(CLAIMED):
        for fact in surely.general(name):
            told |= {sentence(line.fill(fact.roles), language) for line in fact.relation.clause[language]}
            denied |= {sentence(line.fill(fact.roles), language) for line in fact.relation.deny[language]}
    found = 0
    for split in ("train", "test"):
        for row in rows_of("general_true", split, language):
            statement = text(row, "statement")
            assert statement not in (denied if place(row) == 0 else told), statement
            found += statement in (told if place(row) == 0 else denied)
    # The rest are denials of what is false, and false sentences.
    assert 0.4 < found / 1400 < 0.65


@cache
def table(name: str, column: int) -> dict[str, str]:
    """Name → cell, straight from a table of the world."""
    return {row[0]: row[column] for row in tables.table(name)}


def things(row: Row) -> list[str]:
    """The options without their article, the right one first."""
    return [option.split(" ", 1)[-1] for option in (right(row), *wrong(row))]


def test_which_thing_is_of_the_material_or_kind() -> None:
    materials, kinds = table("objects", 4), table("objects", 3)
    made = sorted_ = 0
    for split in ("train", "test"):
        for row in rows_of("which_one", split, "en"):
            words = things(row)
            if " made of " in text(row, "question") and words[0] in materials:
                made += 1
                material = text(row, "question").rstrip("?.").rsplit(" ", 1)[-1]
                assert materials[words[0]] == material
                assert all(materials[word] != material for word in words[1:])
            elif text(row, "question").startswith("Which one is a ") and words[0] in kinds:
                sorted_ += 1
                assert all(kinds.get(word) != kinds[words[0]] for word in words[1:])
    assert made > 100
    assert sorted_ > 10


def test_what_a_thing_is_for() -> None:
    uses = {row[0]: row[6].partition("=")[0].replace("one's", "your") for row in tables.table("objects")}
    checked = 0
    for row in rows_of("made_for", "train", "en"):
        question = text(row, "question")
        thing = question.rstrip("?.").removeprefix("What can you do with ").split(" ", 1)[-1]
        if question.startswith("What can you do with ") and thing in uses:
            checked += 1
            assert uses[thing] == right(row)
            assert uses[thing] not in wrong(row)
    assert checked > 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_opposites_stand_in_one_line_of_the_table(language: Language) -> None:
    column = LANGUAGES.index(language)
    pairs = {frozenset((row.split()[column], row.split()[2 + column])) for (row,) in tables.table("opposites")}
    for split in ("train", "test"):
        for row in rows_of("opposites", split, language):
            assert {text(row, "word"), right(row)} in pairs
            assert not any({text(row, "word"), option} in pairs for option in wrong(row))


def test_the_facts_asked_about_in_test_are_not_those_of_training() -> None:
    for name in surely.IMPOSSIBLE:
        tune, test = surely.asked(name, "tune"), surely.asked(name, "test")
        assert not {one.key for one in tune} & {one.key for one in test}
    pairs = {
        split: {(text(r, "word"), right(r)) for r in rows_of("opposites", split, "en")} for split in ("train", "test")
    }
    assert not pairs["train"] & pairs["test"]


def fact_of(name: str, x: str) -> Fact:
    return next(one for one in surely.general(name) if one.roles["x"].key == x)


def impossible(name: str, x: str) -> set[str]:
    """The words of that relation which surely do not hold of x."""
    one = fact_of(name, x).roles["x"]
    values = {fact.roles["y"].key: fact.roles["y"] for fact in surely.general(name)}
    return {key for key, word in values.items() if surely.IMPOSSIBLE[name](one, word)}


def test_what_surely_is_not() -> None:
    assert impossible("isa", "hammer") == {"clothing", "jewel"}
    assert impossible("isa", "duck") == {"mammal", "fish", "insect", "reptile"}
    assert {"roar", "spin a web"} <= impossible("can", "duck")
    assert not {"fly", "swim", "run", "sing"} & impossible("can", "hen")
    assert not {"plastic", "metal", "wood"} & impossible("made_of", "bottle")
    assert impossible("eats", "lion") >= {"grass", "hay"}
    assert impossible("eats", "bear") == set()


@pytest.mark.parametrize("part", ["tune", "test"])
@pytest.mark.parametrize("name", ["isa", "made_of", "used_for", "can", "job_does", "kept_in", "place_for"])
def test_exclusive_facts_are_of_the_part_and_hold_of_their_own_x_alone(name: str, part: Part) -> None:
    told = {(one.roles["x"].key, one.roles["y"].key) for one in surely.general(name)}
    firsts = Counter[int]()
    found = 0
    for number in range(150):
        facts = surely.exclusive(Draw(random.Random(number), part), surely.asked(name, part), 3)
        found += bool(facts)
        assert all(known.part(one) == "test" for one in facts) or part != "test"
        for one, other in permutations(facts, 2):
            assert (one.roles["x"].key, other.roles["y"].key) not in told
            assert surely.IMPOSSIBLE[name](one.roles["x"], other.roles["y"])
        firsts.update([sorted(one.key for one in facts).index(facts[0].key)] if facts else [])
    assert found > 20
    # Each of the three is as likely as the others to be the one that is asked for: 3.5 standard deviations.
    assert all(abs(firsts[place] - found / 3) < 3.5 * (found * 2 / 9) ** 0.5 for place in range(3))


def test_no_facts_where_none_exclude_each_other() -> None:
    foods = [one for one in surely.general("tastes") if one.roles["y"].key in ("sweet", "sour")]
    assert surely.exclusive(Draw(random.Random(0)), foods, 2) == []
    assert surely.exclusive(Draw(random.Random(0)), (), 2) == []


def test_options_alone_say_nothing() -> None:
    for name in ("people_choice", "which_one", "made_for", "opposites"):
        assert blind_accuracy(name, "en", "options") < 0.45
    assert blind_accuracy("general_true", "en", "statement") < 0.6


def test_options_are_told_apart() -> None:
    assert told_apart(["a pen", "a cup"])
    assert not told_apart(["a pen", "a cup", "a pencil"])
    assert not told_apart(["a pen", "a pen"])


def test_people_choices_are_words_that_hold_of_others() -> None:
    words = {
        fact.answer(people.asked_role(fact), "en") for one in (*people.people(), *people.towns()) for fact in one.facts
    }
    assert all(set(options(row)) <= words for row in rows_of("people_choice", "test", "en"))
