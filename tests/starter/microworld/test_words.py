import doctest
from collections import Counter
from collections.abc import Callable
from types import ModuleType

import pytest

from tutelage.starter.microworld import groups, lexicon, numerals, parts, phrases, wording
from tutelage.starter.microworld.lexicon import paint
from tutelage.starter.microworld.numerals import english_number
from tutelage.starter.microworld.tables import table
from tutelage.starter.microworld.wording import LANGUAGES, Language, Word, article, compile_wording


@pytest.mark.parametrize("module", [numerals, parts, phrases, wording])
def test_the_examples_in_the_docstrings_hold(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed


def test_there_are_as_many_words_as_promised() -> None:
    assert len(lexicon.names()) >= 400
    assert len(lexicon.animals()) >= 60
    assert len(lexicon.objects()) >= 200
    assert len(lexicon.places()) >= 60
    assert len(lexicon.jobs()) >= 40
    assert len(lexicon.foods()) >= 40
    assert len(lexicon.feelings()) >= 25


@pytest.mark.parametrize("words", [lexicon.names, lexicon.objects, lexicon.animals, lexicon.foods, lexicon.towns])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_words_of_a_kind_look_alike(words: Callable[[], tuple[Word, ...]], language: Language) -> None:
    counts = Counter(word.say(language) for word in words())
    assert [name for name, count in counts.items() if count > 1] == []


def test_every_word_has_the_same_forms_in_both_languages() -> None:
    words = [*lexicon.vocabulary(), *lexicon.names(), *lexicon.activities(), *lexicon.spots(), *lexicon.grades()]
    for word in words:
        assert set(word.forms["en"]) <= set(word.forms["zh"]) | {"p", "he", "him", "his"}, word


def test_tables_speak_of_each_other_s_words() -> None:
    rooms = {place.key for place in lexicon.places()}
    objects = {one.key for one in lexicon.objects()}
    assert {one.tags["room"] for one in lexicon.objects()} <= rooms
    assert {job.tags["place"] for job in lexicon.jobs()} <= rooms
    assert {job.tags["tool"] for job in lexicon.jobs()} <= objects
    assert {one.tags["place"] for one in lexicon.activities()} <= rooms
    assert {one.tags["material"] for one in lexicon.objects()} <= set(lexicon.materials())
    kinds = {one.tags["class"] for one in (*lexicon.objects(), *lexicon.animals(), *lexicon.foods())}
    assert kinds <= set(lexicon.classes())
    for row in table("groups"):
        if row[0] != "big":
            assert len(groups.group(row[0])) == len(row[1].split())


def test_a_painted_thing_reads_right_in_both_languages() -> None:
    ball = next(one for one in lexicon.objects() if one.key == "ball")
    colours = {word.key: word for word in lexicon.family("colours")}
    looks = {word.key: word for word in lexicon.family("looks")}
    orange = paint(ball, colours["orange"])
    assert orange.say("en", "a") == "an orange ball"
    assert orange.say("zh", "a") == "一个橙色的球"
    assert paint(ball, colours["red"], looks["old"]).say("zh") == "旧的红色的球"
    assert paint(ball, None) is ball


def test_plurals_and_people_of_jobs() -> None:
    plurals = {one.key: one.say("en", "s") for one in (*lexicon.objects(), *lexicon.animals(), *lexicon.jobs())}
    assert plurals["knife"] == "knives"
    assert plurals["mouse"] == "mice"
    assert plurals["policeman"] == "policemen"
    assert plurals["watch"] == "watches"


def test_numbers_count_up() -> None:
    assert [english_number(value) for value in (0, 11, 20, 21, 99)] == [
        "zero",
        "eleven",
        "twenty",
        "twenty-one",
        "ninety-nine",
    ]
    assert lexicon.number(2, "只").say("zh", "m") == "两只"


def test_a_wording_without_slots_is_its_text() -> None:
    assert compile_wording("nothing here", "en").fill({}) == "nothing here"


def test_parts_are_cut_as_promised() -> None:
    shares = parts.shares("some family", [str(number) for number in range(200)])
    counts = Counter(shares.values())
    assert counts == {"pretrain": 140, "tune": 30, "test": 30}
    drawn = Counter(parts.part_of("Tom", str(number)) for number in range(10_000))
    assert 6800 < drawn["pretrain"] < 7200
    assert 1350 < drawn["test"] < 1650


def test_articles_follow_the_sound() -> None:
    for noun in [one.key for one in (*lexicon.objects(), *lexicon.animals(), *lexicon.jobs())]:
        assert article(noun).split()[0] == ("an" if noun[0] in "aeiou" else "a")


def test_pronouns_know_their_forms() -> None:
    he, she = lexicon.PRONOUNS["m"], lexicon.PRONOUNS["f"]
    assert [he.say("en", form) for form in ("", "o", "p")] == ["he", "him", "his"]
    assert [she.say("en", form) for form in ("", "o", "p")] == ["she", "her", "her"]
    assert isinstance(he, Word)
    assert she.say("zh", "p") == "她的"
