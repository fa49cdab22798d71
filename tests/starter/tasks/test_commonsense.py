from __future__ import annotations

import random
import re

import pytest

from tests.starter.tasks.blind import blind_accuracy
from tests.starter.tasks.rows import options, right, text, wrong
from tests.starter.tasks.telling import matching
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.schemas import causes, clashing, feelings
from tutelage.starter.microworld.tables import table
from tutelage.starter.microworld.wording import LANGUAGES, Language
from tutelage.starter.tasks.commonsense import MAKERS, cause_and_other, feeling_and_other, wish
from tutelage.starter.tasks.making import rows_of

CASES = [(name, language) for name in MAKERS for language in LANGUAGES]
CAUSE, EFFECT, EVENT = ({"en": 3, "zh": 5}, {"en": 4, "zh": 6}, {"en": 3, "zh": 4})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["effect", "cause"])
def test_cause_and_effect_stand_in_one_line_of_the_table(name: str, language: Language) -> None:
    """Found again from the sentences alone; and no line of the test is one of training."""
    parts = {one.name: one.part for one in causes()}
    given, asked = (CAUSE, EFFECT) if name == "effect" else (EFFECT, CAUSE)
    found = 0
    for split in ("train", "test"):
        for row in rows_of(name, split, language):
            lines = matching("causes", given[language], text(row, "premise"))
            if name == "cause" and (not lines or matching("feelings_from", EVENT[language], right(row))):
                continue  # how somebody felt
            found += 1
            assert lines & matching("causes", asked[language], right(row)), row
            assert not lines & matching("causes", asked[language], wrong(row)[0]), row
            assert any((parts[line] == "test") == (split == "test") for line in lines)
    assert found == 1400 or (name == "cause" and found > 700)


@pytest.mark.parametrize("language", LANGUAGES)
def test_feelings_come_of_what_leads_to_them(language: Language) -> None:
    first = {one.name: one.feelings[0].forms[language][""] for one in feelings()}
    tones = {one.name: one.feelings[0].tags["tone"] for one in feelings()}
    checked = 0
    for split in ("train", "test"):
        for row in rows_of("cause", split, language):
            lines = matching("feelings_from", EVENT[language], right(row))
            others = matching("feelings_from", EVENT[language], wrong(row)[0])
            if lines and others and not matching("causes", EFFECT[language], text(row, "premise")):
                checked += 1
                assert any(first[line] in text(row, "premise") for line in lines), row
                assert not {tones[line] for line in lines} & {tones[line] for line in others}
    assert checked > 400


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_story_goes_on_as_its_last_sentence_lets_expect(language: Language) -> None:
    """Uses of things and places, read off the tables: what the wish names is what the right sentence speaks of."""
    uses: dict[str, set[str]] = {}
    for name, column in (("objects", 6), ("places", 5)):
        for line in table(name):
            use = line[column].split("=")[LANGUAGES.index(language)].replace("one's ", "")
            uses.setdefault(use, set()).add(line[LANGUAGES.index(language)])
    checked = 0
    for row in rows_of("next_sentence", "train", language):
        last = re.split(r"(?<=[.。]) ?", text(row, "passage").strip())[-2]
        if matching("causes", CAUSE[language], last) or matching("feelings_from", EVENT[language], last):
            continue
        last = re.sub(r" (his|her) ", " ", last)
        wanted = [name for use, names in uses.items() if last.rstrip(".。").endswith(use) for name in names]
        checked += 1
        assert any(name in right(row) for name in wanted), row
    assert checked > 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_the_right_thing_or_place_is_of_use(language: Language) -> None:
    column = LANGUAGES.index(language)
    uses: dict[str, str] = {}
    space = " " if language == "en" else ""
    for name, use in (("objects", 6), ("places", 5)):
        uses |= {row[column]: space + row[use].split("=")[column].replace("one's ", "") for row in table(name)}
    for split in ("train", "test"):
        for row in rows_of("needed", split, language):
            situation = re.sub(r" (his|her) ", " ", text(row, "situation")).rstrip(".。")
            bare = [re.sub(r"^(an?|the) ", "", option) for option in (right(row), *wrong(row))]
            assert situation.endswith(uses[bare[0]]), row
            assert not any(situation.endswith(uses[name]) for name in bare[1:]), row


def test_things_are_kept_where_the_table_says() -> None:
    rooms = {row[7] or row[0] + "s": row[5] for row in table("objects")} | {row[0]: row[5] for row in table("objects")}
    checked = 0
    for row in rows_of("find", "train", "en"):
        thing = re.sub(
            r"^(Where (are|do people keep|is the place for|should I look for)) (an? )?", "", text(row, "question")
        )
        thing = thing.rstrip("?.").removesuffix(" kept")
        if thing in rooms:
            checked += 1
            assert rooms[thing] in right(row)
            assert not any(rooms[thing] in option for option in wrong(row))
    assert checked > 100


def test_wrong_effects_never_clash_and_speak_of_the_same_things() -> None:
    same = 0
    for number in range(400):
        schema, other, roles, others = cause_and_other(Draw(random.Random(number), "tune"))
        assert other.name not in clashing(schema.name)
        assert schema.topic != other.topic
        assert roles["who"] is others["who"]
        same += any(role != "who" and word is others.get(role) for role, word in roles.items())
    assert same > 50


def test_feelings_differ_in_tone_and_wishes_have_one_answer() -> None:
    for number in range(200):
        draw = Draw(random.Random(number), "test")
        one, other = feeling_and_other(draw)
        assert {one.feelings[0].tags["tone"], other.feelings[0].tags["tone"]} == {"good", "bad"}
        assert one.part == other.part == "test"
        wanted, words = wish(draw, draw.person(), "thing", 3)
        assert wanted.roles["what"].tags["of"] == words[0].key
        assert len({word.tags["use"] for word in words}) == 3


@pytest.mark.parametrize("name", MAKERS)
def test_options_alone_say_nothing(name: str) -> None:
    chance = 1 / MAKERS[name].labels
    assert blind_accuracy(name, "en", "options") < chance + 0.13
    assert all(len(options(row)) == MAKERS[name].labels for row in rows_of(name, "test", "en"))
