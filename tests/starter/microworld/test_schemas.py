"""What the tables of schemas promise: enough of them for the test, none of which ever changes its part."""

from __future__ import annotations

import random

import pytest

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.groups import ALONE, group
from tutelage.starter.microworld.schemas import askable, askable_pronouns, thing_pronouns
from tutelage.starter.microworld.stories import encounter, visits

# The schemas of the test before others were added: a schema that moved would have been seen in training.
FIRST_OF_THE_TEST = {
    "causes": """oven_forgot wrong_bus rain_river cold_coat train_sport onion cage_open barn_fox key_lost save_money
        bulb speed pump bridge_down""",
    "feelings": """friend_came missed_train lost_forest storm pet_ill pet_well pet_gone visited_ill letter_from dentist
        stage applause chance""",
    "people": "ask ask2 sell sell2 trust knock offer read",
    "things": "swap swap2",
}
ENOUGH = {"causes": 20, "feelings": 20, "people": 14, "things": 6}


@pytest.mark.parametrize("kind", list(ENOUGH))
def test_there_are_enough_for_the_test_and_the_first_ones_stay_there(kind: str) -> None:
    asked = askable if kind in ("causes", "feelings") else askable_pronouns
    names = {one.name for one in asked(kind, "test")}
    assert len(names) >= ENOUGH[kind]
    assert set(FIRST_OF_THE_TEST[kind].split()) <= names
    assert not names & {one.name for one in asked(kind, "tune")}


def test_the_test_has_good_and_bad_feelings_and_both_who_are_named() -> None:
    tones = [one.feelings[0].tags["tone"] for one in askable("feelings", "test")]
    assert abs(tones.count("good") - tones.count("bad")) <= 3
    for kind, sides in (("people", "ab"), ("things", "xy")):
        means = [one.means for one in askable_pronouns(kind, "test")]
        assert min(means.count(side) for side in sides) >= len(means) * 0.35


def test_for_each_thing_that_it_means_the_other_is_meant_as_often() -> None:
    """In the same words, so that neither what is named nor which word it is tells what "it" means."""
    families = {one.family for one in thing_pronouns()}
    for family in families:
        own = [one for one in thing_pronouns() if one.family == family]
        assert [one.means for one in own].count("x") * 2 == len(own), family
        assert len({one.part for one in own}) == 1
        assert len({one.slots for one in own}) == 1


def test_nobody_is_helped_to_do_what_one_does_alone() -> None:
    assert {one.key for one in lexicon.activities()} > ALONE
    assert {one.key for one in group("help with")} == {one.key for one in lexicon.activities()} - ALONE
    helped = 0
    for number in range(200):
        for build in (visits, encounter):
            for one in build(Draw(random.Random(number), "tune")).facts():
                if one.relation.name == "helped":
                    helped += 1
                    assert one.roles["what"].key not in ALONE
    assert helped > 50
