from __future__ import annotations

import random

import pytest

from tutelage.starter.microworld.builders import ALL, build
from tutelage.starter.microworld.relations import Fact, relations
from tutelage.starter.microworld.wording import LANGUAGES, Language
from tutelage.starter.reward import reading
from tutelage.starter.reward.frames import unframed
from tutelage.starter.reward.lines import Statement, read, world_facts


def is_read(text: str, one: Fact, language: Language, denied: bool = False) -> bool:
    return any(
        own.relation == one.relation.name
        and own.denied == denied
        and all(one.roles[role].key == key for role, key in own.roles)
        for own in read(text.lower(), language)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_scenes_can_say_is_read_again(language: Language) -> None:
    """Every wording of every fact of 200 scenes, told and denied."""
    met = set()
    for number in range(200):
        chance = random.Random(number)
        scene = build(chance, ("pretrain", "tune", "test")[number % 3], tuple(ALL))
        for one in (*scene.known(), *scene.stale):
            met.add(one.relation.name)
            for wording in range(one.wordings(language)):
                text = one.clause(language, chance, wording=wording)
                assert is_read(text, one, language), text
            for line in one.relation.deny[language]:
                assert is_read(line.fill(one.roles), one, language, denied=True), line.fill(one.roles)
    assert {one.name for one in relations().values() if one.time != "generic"} <= met


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_everybody_knows_is_read_again(language: Language) -> None:
    facts = random.Random(5).sample(world_facts(), 400)
    for one in facts:
        for wording in range(one.wordings(language)):
            text = one.clause(language, random, wording=wording)
            assert is_read(text, one, language), text


def test_pronouns_stand_for_who_was_named() -> None:
    (one,) = [found for found in read("she has a red ball", "en") if found.relation == "has"]
    assert reading.resolved([one], [("Ann", "she"), ("Tom", "he")]) == [
        Statement("has", (("what", "red ball"), ("who", "Ann")))
    ]
    assert reading.resolved([one], [("Tom", "he")]) == []


def test_what_no_wording_says_is_not_read() -> None:
    for text in ("tom has has a ball", "tom a ball", "the ball has tom", "tom has a a ball", "", "tom has a zzz"):
        assert read(text, "en") == [], text
    assert read("有一个球汤姆", "zh") == []


def test_a_role_named_twice_is_one_word() -> None:
    line = "tom set out and came to the park"
    assert read(line, "en")
    assert not any(one.relation == "went" for one in read("tom went to the park and the zoo", "en"))


def test_frames_are_taken_off_one_by_one() -> None:
    framed = unframed("well, of course, tom has a ball", "en")
    assert framed is not None
    assert (framed.rest, framed.sense) == ("of course, tom has a ball", "plain")
    assert unframed("tom has a ball", "en") is None
    behind = unframed("tom has a ball, of course", "en")
    assert behind is not None
    assert (behind.rest, behind.sense) == ("tom has a ball", "polite")


def test_clauses_of_an_answer() -> None:
    known = {"the park", "the zoo"}.__contains__
    told = reading.read("Of course: Tom has a ball, and Ann has a kite. Not the park.", "en", known)
    assert told.courtesies == 1
    assert [bool(one.statements) for one in told.clauses] == [True, True, False]
    assert (told.clauses[2].bare, told.clauses[2].denied) == ("the park", True)
    assert [one.bare for one in reading.read("the park, the zoo", "en", known).clauses] == ["the park", "the zoo"]
    assert not reading.read("Who knows?", "en", known).clauses[0].understood
    assert reading.read("No, the zoo!", "en", known).clauses[0].verdict == "no"
    # "No garden" says nothing of yes or no.
    assert reading.read("no zoo", "en", known).clauses[0].verdict is None


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    read_ = reading.read("the park. " * 10_000, "en", {"the park"}.__contains__)
    assert len(read_.clauses) <= reading.MOST + 2
    assert not read_.clauses[-1].understood
    assert not reading.read("a, " * 5_000, "en", {"the park"}.__contains__).clauses[0].understood
