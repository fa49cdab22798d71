from __future__ import annotations

import re

import pytest

from tests.starter.tasks.rows import options, place, texts
from tests.starter.tasks.telling import read
from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.documents.translating import chinese, dictionary, english
from tutelage.starter.microworld.numerals import NUMBERS, chinese_number
from tutelage.starter.microworld.parts import part_of
from tutelage.starter.microworld.wording import Language
from tutelage.starter.tasks.making import rows_of

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENOUGH = 90  # of 200 test rows, those whose sentences the tests can read


@pytest.mark.parametrize(
    ("name", "source", "target"), [("sentence_to_chinese", "en", "zh"), ("sentence_to_english", "zh", "en")]
)
def test_every_rendering_tells_the_fact_in_the_other_language(name: str, source: Language, target: Language) -> None:
    checked = 0
    for row in rows_of(name, "test", "en"):
        renderings = texts(row, "renderings")
        assert bool(CHINESE.search(str(row["sentence"]))) == (source == "zh")
        assert all(bool(CHINESE.search(text)) == (target == "zh") for text in renderings)
        told = [read(str(row["sentence"]), source), *(read(text, target) for text in renderings)]
        if told[0] and any(told[1:]):
            checked += 1
            assert set.intersection(*(facts for facts in told if facts)), row
    assert checked >= ENOUGH


def test_the_right_option_tells_the_fact() -> None:
    checked = 0
    for row in rows_of("right_translation", "test", "en"):
        told, offered = read(str(row["sentence"]), "zh"), [read(text, "en") for text in options(row)]
        if told and all(offered):
            checked += 1
            assert [number for number, option in enumerate(offered) if option & told] == [row["label"]], row
    assert checked >= ENOUGH * 0.6


def test_a_translation_tells_the_same_fact() -> None:
    checked = 0
    for row in rows_of("is_translation", "test", "en"):
        first, second = read(str(row["english"]), "en"), read(str(row["chinese"]), "zh")
        if first and second:
            checked += 1
            assert bool(first & second) == (place(row) == 0), row
    assert checked >= ENOUGH


@pytest.mark.parametrize(("split", "part"), [("train", "tune"), ("test", "test")])
def test_words_are_those_of_the_dictionary_and_of_the_part(split: str, part: str) -> None:
    known = {english(word): word for word in dictionary()}
    shades = {colour.key: colour for colour in lexicon.family("colours")}
    for row in rows_of("word_to_chinese", split, "en"):
        word = str(row["word"])
        shade, _, noun = word.partition(" ")
        coloured = shade in shades and noun in known
        meant = known[noun if coloured else word]
        assert part_of("translation", meant.kind, meant.key) == part
        right = options(row)[place(row)]
        assert right == (shades[shade].forms["zh"]["of"] if coloured else "") + chinese(meant)


def test_numbers_and_colours_of_things() -> None:
    rows = {str(row["words"]): texts(row, "renderings") for row in rows_of("words_to_english", "train", "en")}
    counted = [
        (words, texts[0]) for words, texts in rows.items() if texts[0].split()[0] in NUMBERS[2:13] and " " in texts[0]
    ]
    assert len(counted) > 100
    for words, text in counted:
        number = NUMBERS.index(text.split()[0])
        assert words.startswith("两" if number == 2 else chinese_number(number))
        assert text.endswith(("s", "men", "fish", "knives", "scissors", "feet"))
