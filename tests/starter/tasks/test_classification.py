from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest

from tests.starter.tasks.rows import options, right
from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.parts import part_of
from tutelage.starter.microworld.wording import LANGUAGES, Language
from tutelage.starter.tasks.belonging import FAMILIES
from tutelage.starter.tasks.classification import ASKED, GENRES, MAKERS
from tutelage.starter.tasks.making import Row, rows_of
from tutelage.starter.tasks.topics import NEAR_TOPICS

CASES = [(name, language) for name in MAKERS for language in LANGUAGES]
OWN = [case for case in CASES if case[0] != "act"]


@pytest.mark.parametrize(("name", "language"), CASES)
def test_training_and_test_share_no_question(name: str, language: Language) -> None:
    def key(row: Row) -> object:
        return next(row[field] for field in ("passage", "question", "words", "word", "sentence") if field in row)

    seen = {key(row) for split in ("train", "dev") for row in rows_of(name, split, language)}
    asked = {key(row) for row in rows_of(name, "test", language)}
    assert not seen & asked


@pytest.mark.parametrize(("name", "language"), [case for case in OWN if case[0] not in ("odd_one",)])
def test_every_kind_is_the_right_one_about_as_often_as_it_is_offered(name: str, language: Language) -> None:
    made = rows_of(name, "train", language)
    offered = Counter(option for row in made for option in options(row))
    correct = Counter(right(row) for row in made)
    chance = 1 / MAKERS[name].labels
    for option, count in offered.items():
        if count >= 150:
            assert 0.5 * chance <= correct[option] / count <= 1.9 * chance, option


@pytest.mark.parametrize("language", LANGUAGES)
def test_topics_agree_with_the_activities_that_the_text_names(language: Language) -> None:
    topics = {one.forms[language][""]: key for key, one in lexicon.topics().items()}
    near = {frozenset((a, b)) for group in NEAR_TOPICS for a in group for b in group}
    checked = 0
    for row in rows_of("topic", "train", language):
        offered = [topics[option] for option in options(row)]
        assert not any(
            frozenset((topics[right(row)], other)) in near for other in offered if other != topics[right(row)]
        )
        for one in lexicon.activities():
            if one.key == "ride a bicycle":  # 骑自行车 is also how people go to work
                continue
            forms = one.forms[language]
            said = {forms["past"], forms["ing"]} if language == "en" else {forms[""]}
            if any(re.search(rf"\b{form}\b" if language == "en" else form, str(row["passage"])) for form in said):
                agrees = one.tags["topic"] == topics[right(row)]
                checked += agrees
                # Short words ("slept", 休息) stand in other sentences too.
                assert agrees or len(max(said, key=len)) < (9 if language == "en" else 3), (one.key, row)
    assert checked > 300


def test_kinds_of_text_show_their_marks() -> None:
    marks: dict[str, Callable[[str], bool]] = {
        "a letter": lambda text: text.count("\n") == 2,
        "a diary": lambda text: any(day.key in text.split("\n")[0] for day in lexicon.family("days")),
        "a talk": lambda text: all(": " in line for line in text.split("\n")),
    }
    assert {names[0] for names, _ in GENRES.values()} > set(marks)
    for row in rows_of("genre", "train", "en"):
        assert not any(option.removeprefix("a ") in str(row["passage"]).lower() for option in options(row))
        if right(row) in marks:
            assert marks[right(row)](str(row["passage"])), row


def test_an_independent_reading_of_questions_agrees() -> None:
    patterns = {
        "a person": r"\b(who|whom|whose)\b|called|name of|which (of them|person)",
        "a place": r"\b(where|town|place)\b",
        "an animal": r"\b(pet|animal)\b",
        "food": r"\b(food|lunch)\b",
        "a time": r"\b(when|day)\b",
        "a number": r"how (many|old|much)|\bage\b|price|number",
        "a feeling": r"\b(feel|feeling|mood|how is|how was|how did|how does|felt|how \w+ (feels|felt))\b",
        "a job": r"\b(job|living|work|trade)\b",
        "a colour": r"\bcolour\b|painted",
        "a reason": r"why|how come|reason|come about|came about|happened before|what made",
    }
    assert {names[0] for names, _ in ASKED.values()} == {*patterns, "a thing"}
    for row in rows_of("question_kind", "train", "en"):
        if right(row) != "a thing":
            assert re.search(patterns[right(row)], str(row["question"]), re.IGNORECASE), row


def group_of(text: str, language: Language) -> set[str]:
    """The names of the groups that have this word, looked up anew."""
    found = {
        lexicon.classes()[one.tags["class"]].forms[language]["s"]
        for one in (*lexicon.objects(), *lexicon.animals(), *lexicon.foods())
        if text in one.forms[language].values()
    }
    families = {"jobs": lexicon.jobs(), "feelings": lexicon.feelings(), "towns": lexicon.towns()}
    for name, names in FAMILIES.items():
        members = families.get(name) or lexicon.family(name)
        if any(text == one.forms[language]["noun"] for one in members):
            found.add(names[language == "zh"])
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_odd_one_is_of_another_group_and_the_rest_of_one(language: Language) -> None:
    for row in rows_of("odd_one", "train", language)[:200]:
        rest = [option for option in options(row) if option != right(row)]
        shared = set.intersection(*(group_of(option, language) for option in rest))
        assert shared
        assert not shared & group_of(right(row), language)
        assert sorted(str(row["words"]).split(", " if language == "en" else "、")) == sorted(options(row))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_belongs_to_its_group_and_to_no_other_that_is_offered(language: Language) -> None:
    for row in rows_of("group", "train", language)[:300]:
        own = group_of(str(row["word"]), language)
        assert [option for option in options(row) if option in own] == [right(row)]


def test_towns_asked_about_belong_to_the_part() -> None:
    for split, parts in (("train", ("pretrain", "tune")), ("test", ("test",))):
        asked = [str(row["word"]) for row in rows_of("group", split, "en") if right(row) == "towns"]
        assert asked
        assert all(part_of("general", "family", town) in parts for town in asked)


def test_sentences_that_ask_tell_and_deny() -> None:
    for row in rows_of("act", "train", "en"):
        text = str(row["sentence"])
        asks = text.endswith("?") or re.match(r"(Tell me|I wonder|Please tell us|I would like to know)", text)
        denies = re.search(r"\b(not|no|never|cannot|nowhere|nobody|nothing)\b|n't", text)
        assert bool(asks) == (row["label"] == 0), row
        if row["label"] == 1:
            assert not denies or "could not help" in text.lower(), row


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_part_decides_whether_a_word_may_be_odd_here(language: Language) -> None:
    pairs = {
        split: {
            (
                frozenset.intersection(*(frozenset(group_of(o, language)) for o in options(row) if o != right(row))),
                right(row),
            )
            for row in rows_of("odd_one", split, language)
        }
        for split in ("train", "test")
    }
    assert pairs["train"].isdisjoint(pairs["test"])
