import itertools
import random
import re

import pytest

from tests.starter.tasks.blind import Reader, blind_accuracy, sentences
from tests.starter.tasks.rows import place, texts
from tutelage.starter.microworld import knowledge, lexicon
from tutelage.starter.microworld.claims import Truth
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.tables import pairs, table
from tutelage.starter.microworld.wording import LANGUAGES, Language, plural
from tutelage.starter.tasks.inference import MAKERS, _compared, _following, _not_following, _told_of_others
from tutelage.starter.tasks.making import rows_of
from tutelage.starter.tasks.passages import short_scene

ORDER_OF_DAY = ("in the morning", "at noon", "in the afternoon", "in the evening", "at night")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("follows", "claim"),
        ("follows", "passage"),
        ("follows_or_open", "claim"),
        ("follows_or_open", "passage"),
        ("conclusion", "options"),
        ("which_follows", "options"),
        ("contradiction", "options"),
        ("before_after", "claim"),
        ("before_after", "passage"),
    ],
)
def test_a_claim_without_its_passage_gives_no_label_away(name: str, key: str, language: Language) -> None:
    maker = MAKERS[name]
    assert blind_accuracy(name, language, key) < 1 / maker.labels + 0.12


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_supports_the_right_option(language: Language) -> None:
    """A reader that only counts common words finds what follows, and what cannot be, far more often than by chance."""
    for name, pick, least in (("which_follows", max, 0.5), ("contradiction", min, 0.42)):
        rows = rows_of(name, "test", language)
        reader = Reader(rows, language)
        right = 0
        for row in rows:
            scores = [reader.support(one, str(row["passage"])) for one in texts(row, "options")]
            right += scores.index(pick(scores)) == place(row)
        assert right / len(rows) > least, name


def test_conclusions_follow_from_the_tables() -> None:
    """Only the right one is a trait of the thing's class or material, as the tables have them."""
    members = {}
    for name, _, _, kind, material, *_, many in table("objects"):
        members[many or plural(name)] = (kind, material)
    for name, _, _, kind, *_, many in table("animals"):
        members[many or plural(name)] = (kind, "")
    for one in lexicon.generic_foods():
        members[one.forms["en"]["s"]] = (one.tags["class"], "")
    for _, _, many, _, _ in table("classes"):
        members.setdefault(many, ("animal", ""))
    traits = {key: {english for english, _ in pairs(found)} for key, _, _, _, found in table("classes")}
    of_material = {key: {english for english, _ in pairs(found)} for key, _, _, found in table("materials")}
    every = {trait for found in (*traits.values(), *of_material.values()) for trait in found if trait}
    for row in rows_of("conclusion", "test", "en"):
        for number, option in enumerate(texts(row, "options")):
            trait = max((one for one in every if one in option), key=len)
            rest = option.replace(trait, "")
            # Of "apples" and "pineapples" the longer is meant.
            thing = max((one for one in members if re.search(rf"\b{one}\b", rest)), key=len)
            kind, material = members[thing]
            assert (trait in traits[kind] | of_material.get(material, set())) == (number == place(row)), option


@pytest.mark.parametrize("truth", ["yes", "no", "open"])
def test_who_is_taller_agrees_with_all_ways_to_stand_in_a_row(truth: Truth) -> None:
    for number in range(100):
        scene, claim = _compared(Draw(random.Random(number), "tune"), truth)
        told = [(one.roles["who"].key, one.roles["than"].key) for one in scene.facts()]
        names = sorted({name for pair in told for name in pair})
        rows = [row for row in itertools.permutations(names) if all(row.index(a) < row.index(b) for a, b in told)]
        a, b = claim.fact.roles["who"].key, claim.fact.roles["than"].key
        found = {row.index(a) < row.index(b) for row in rows}
        assert found == {"yes": {True}, "no": {False}, "open": {True, False}}[truth]


@pytest.mark.parametrize("truth", ["yes", "no", "open"])
def test_what_stays_open_is_told_of_others_only(truth: Truth) -> None:
    for number in range(300):
        made = _told_of_others(Draw(random.Random(number), "test"), truth)
        if made is None:
            continue
        scene, claim = made
        first, role = list(claim.fact.relation.roles)
        told = {
            one.roles[first].key: one.roles[role].key for one in scene.facts() if one.relation is claim.fact.relation
        }
        value = told.get(claim.fact.roles[first].key)
        same = value == claim.fact.roles[role].key
        assert claim.fact.roles[role].key in told.values()
        assert truth == ("open" if value is None else "yes" if same != claim.denied else "no")


def test_what_does_not_follow_is_nowhere_told() -> None:
    checked = 0
    for number in range(400):
        draw = Draw(random.Random(number), "tune")
        scene = short_scene(draw, ("portraits", "errands", "gifts", "shopping", "room", "amounts"))
        if scene is None:
            continue
        known = {one.key for one in scene.known()}
        for claim in _not_following(scene, draw):
            checked += 1
            assert claim.denied or claim.fact.key not in known
            assert not claim.denied or claim.truth == "open" or claim.fact.key in known
        for claim in _following(scene, draw):
            assert not claim.denied or claim.fact.key not in known
    assert checked > 3000


def test_the_order_of_events_is_found_by_reading() -> None:
    """Events matched by their words and put in order by the hour, else by place, agree with the label nearly always."""
    rows = rows_of("before_after", "test", "en")
    reader = Reader(rows, "en")
    by_the_clock = right = 0
    for row in rows:
        told = sentences(str(row["passage"]))
        hours = [_hour(one) for one in told]
        if -1 not in hours:
            by_the_clock += hours != sorted(hours)
            told = [one for _, one in sorted(zip(hours, told, strict=True))]
        claim = str(row["claim"])[:-1]
        link = next(link for link in (", and only then ", ", then ", " before ", " after ") if link in claim)
        first, _, second = claim.partition(link)
        if link == " after ":
            first, second = second, first
        places = [max(range(len(told)), key=lambda n: reader.overlap(one, told[n])) for one in (first, second)]
        right += (places[0] < places[1]) == (place(row) == 0)
    assert right / len(rows) > 0.85
    assert by_the_clock > 10


def _hour(text: str) -> int:
    words = [(found.key, number) for number, found in enumerate(lexicon.family("hours"))]
    words += [(word, number) for number, word in enumerate(ORDER_OF_DAY)]
    found = [number for word, number in words if re.search(rf"\b{word}\b", text.lower())]
    return found[0] if found else -1


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_passage_tells_what_closed_book_questions_of_the_test_ask(language: Language) -> None:
    """Inference is trained on where closed-book questions are held out."""
    asked = knowledge.asked("test")
    chance = random.Random(0)
    told = [one.sentence(language, chance, wording=number) for one in asked for number in range(one.wordings(language))]
    passages = {one for row in rows_of("conclusion", "train", language) for one in sentences(str(row["passage"]))}
    assert len(asked) > 100
    assert [sentence for sentence in told if sentence in passages] == []
