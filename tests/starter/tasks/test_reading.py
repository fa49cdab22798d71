import random
import re
from collections import Counter

import pytest

from tests.starter.tasks.blind import Reader, blind_accuracy, sentences
from tests.starter.tasks.rows import options, place, texts
from tests.starter.tasks.telling import read
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.wording import LANGUAGES, Language
from tutelage.starter.tasks.making import rows_of
from tutelage.starter.tasks.passages import gapped, short_scene, swaps
from tutelage.starter.tasks.reading import COUNTED, MAKERS, order_ask


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("lookup", "options"),
        ("passage_yes_no", "question"),
        ("answerable", "question"),
        ("answerable", "passage"),
        ("how_many", "question"),
        ("how_many", "passage"),
        ("first_last", "options"),
        ("find_sentence", "options"),
    ],
)
def test_one_column_alone_gives_no_label_away(name: str, key: str, language: Language) -> None:
    maker = MAKERS[name]
    assert blind_accuracy(name, language, key) < 1 / maker.labels + 0.12


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_options_of_a_lookup_stand_in_the_passage(language: Language) -> None:
    rows = rows_of("lookup", "test", language)
    reader = Reader(rows, language)
    found = [reader.overlap(option, str(row["passage"])) for row in rows for option in texts(row, "options")]
    # "a red ball" may be told as "the red ball", 两个 as 两把: nearly all of each option is there.
    assert sum(found) / len(found) > 0.85


def test_lookups_are_answered_by_the_sentence_that_is_asked_about() -> None:
    """The option that shares a sentence with the question's rare words is the right one in most rows."""
    rows = rows_of("lookup", "test", "en")
    reader = Reader(rows, "en")
    right = 0
    for row in rows:
        told = sentences(str(row["passage"]))
        fits = [reader.overlap(str(row["question"]), one) for one in told]
        scores = [
            max(fit + reader.overlap(option, one) for fit, one in zip(fits, told, strict=True))
            for option in texts(row, "options")
        ]
        right += scores.index(max(scores)) == place(row)
    assert right / len(rows) > 0.6


@pytest.mark.parametrize("language", LANGUAGES)
def test_free_answers_stand_in_the_passage(language: Language) -> None:
    for row in rows_of("reading_answer", "test", language):
        assert str(row["answer"]).casefold() in str(row["passage"]).casefold()


def test_counts_are_right_when_counted_again() -> None:
    """In Chinese a value is told in the same characters as it is asked: its sentences can be counted."""
    patterns = [re.compile("^" + re.sub(r"\{\w+(:\w+)?\}", "(.+)", zh) + "？$") for _, zh in COUNTED.values()]
    for split in ("train", "test"):
        for row in rows_of("how_many", split, "zh"):
            marks = [pattern.match(str(row["question"])) for pattern in patterns]
            told = sentences(str(row["passage"]))
            counts = set()
            for mark in marks:
                if mark:
                    value = mark.group(1).removeprefix("在")
                    counts.add(sum(value in one for one in told))
            assert place(row) + 1 in counts, row


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_found_is_the_one_with_the_words_of_the_question(language: Language) -> None:
    rows = rows_of("find_sentence", "test", language)
    reader = Reader(rows, language)
    right = 0
    for row in rows:
        offered = texts(row, "options")
        assert all(option in str(row["passage"]) for option in offered)
        scores = [reader.overlap(str(row["question"]), option) for option in offered]
        right += scores.index(max(scores)) == place(row)
    assert right / len(rows) > 0.6


def test_first_and_last_agree_with_the_place_in_the_passage() -> None:
    rows = rows_of("first_last", "test", "en")
    reader = Reader(rows, "en")
    checked = right = 0
    for row in rows:
        question = str(row["question"])
        first = bool(re.search(r"\b(first|begin|beginning|start)\b", question))
        if not first and not re.search(r"\b(last|end)\b", question):
            continue
        told = sentences(str(row["passage"]))
        places = [
            max(range(len(told)), key=lambda number: reader.overlap(option, told[number]))
            for option in texts(row, "options")
        ]
        checked += 1
        right += places.index((min if first else max)(places)) == place(row)
    assert checked > 60
    assert right / checked > 0.85


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_kind_of_event_is_the_right_one_more_often_than_others(language: Language) -> None:
    """By what was done ("met", "went"), read off the options alone: a story does not begin with the same each time."""
    offered, correct = Counter[str](), Counter[str]()
    for row in rows_of("first_last", "train", language):
        for number, option in enumerate(options(row)):
            for name in {fact[0] for fact in read(option, language)}:
                offered[name] += 1
                correct[name] += number == place(row)
    assert len(offered) >= 8
    for name, count in offered.items():
        if count >= 150:
            assert 0.25 <= correct[name] / count <= 0.42, name


def test_options_of_an_order_are_of_three_things_and_each_may_be_right() -> None:
    kinds = Counter[str]()
    for number in range(300):
        made = order_ask(Draw(random.Random(number), "tune"))
        if made is None:
            continue
        scene, ask = made
        told = [telling.fact for telling in scene.told]
        kinds[ask.kind] += 1
        assert isinstance(ask.answer, Fact)
        at = told.index(ask.answer)
        asked_of = [told.index(value) for _, value in ask.slots if isinstance(value, Fact)]
        assert at == {"first": 0, "last": len(told) - 1}.get(ask.kind, at)
        assert ask.kind not in ("after", "before") or at - asked_of[0] == (1 if ask.kind == "after" else -1)
        keys = [fact.roles["what"].key for fact in (ask.answer, *ask.others) if "what" in fact.roles]  # type: ignore[union-attr]
        assert len(keys) == len(set(keys))
        assert {told.index(other) for other in ask.others}.isdisjoint({at, *asked_of})  # type: ignore[arg-type]
    assert min(kinds[kind] for kind in ("first", "last", "after", "before")) > 15


def test_a_gap_leaves_out_one_fact_of_three() -> None:
    for number in range(200):
        gap = gapped(Draw(random.Random(number), "tune"))
        told = {one.key for one in gap.scene.facts()}
        assert gap.missing.key not in told
        assert len(gap.told) == 2
        assert {one.key for one in gap.told} <= told
        assert len(told) == 5
        named = {word.key for one in gap.scene.facts() for word in one.roles.values()}
        assert next(iter(gap.missing.roles.values())).key in named


def test_swapped_facts_are_not_told_and_use_words_of_the_scene() -> None:
    found = 0
    for number in range(200):
        scene = short_scene(Draw(random.Random(number), "test"), ("portraits", "room", "errands", "day"))
        if scene is None:
            continue
        told = {one.key for one in scene.known()}
        words = scene.words()
        for changed, original in swaps(scene):
            found += 1
            assert changed.key not in told
            assert original.key in told
            assert sum(changed.roles[role].key != word.key for role, word in original.roles.items()) == 1
            assert {word.key for word in changed.roles.values()} <= words
    assert found > 500
