from __future__ import annotations

import re

import pytest

from tests.starter.tasks.rows import options, right
from tutelage.starter.microworld.numerals import chinese_number, english_number
from tutelage.starter.microworld.wording import LANGUAGES, Language
from tutelage.starter.tasks.making import Row, rows_of
from tutelage.starter.tasks.operations import LAST, MAKERS, ORDERS, ORDINALS, SIDES

CASES = [(name, language) for name in MAKERS for language in LANGUAGES]
SEPARATOR = re.compile(r", | - |; | / |、|，|；")
NUMBERS: dict[Language, dict[str, int]] = {
    "en": {english_number(number): number for number in range(1, 60)},
    "zh": {chinese_number(number): number for number in range(1, 60)},
}


def items(row: Row, field: str = "items") -> list[str]:
    return SEPARATOR.split(str(row[field]))


def value(text: str, language: Language) -> int:
    return int(text) if text.isdigit() else NUMBERS[language][text]


@pytest.mark.parametrize(("name", "language"), CASES)
def test_no_list_of_the_test_is_in_training_in_any_order(name: str, language: Language) -> None:
    def key(row: Row) -> object:
        if name == "replace":
            return row["passage"]
        return frozenset(items(row)) if "items" in row else frozenset((*items(row, "one"), *items(row, "two")))

    seen = {key(row) for split in ("train", "dev") for row in rows_of(name, split, language)}
    assert seen.isdisjoint(key(row) for row in rows_of(name, "test", language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_items_by_their_place(language: Language) -> None:
    places = {LAST[language]: -1, **{word: number for number, word in enumerate(ORDINALS[language])}}
    for row in rows_of("item", "train", language):
        assert items(row)[places[str(row["place"])]] == row["answer"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_neighbours_stand_side_by_side(language: Language) -> None:
    for row in rows_of("neighbour", "train", language):
        line = items(row)
        step = 1 if row["side"] == SIDES[language][0] else -1
        assert line[line.index(str(row["known"])) + step] == right(row)
        assert set(options(row)) <= set(line) - {row["known"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_word_is_in_both_lists_and_each_wrong_one_in_one(language: Language) -> None:
    for row in rows_of("in_both", "train", language):
        one, two = set(items(row, "one")), set(items(row, "two"))
        assert one & two == {right(row)}
        wrong = set(options(row)) - {right(row)}
        assert len(wrong & one) == len(wrong & two) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_counts_are_right_in_words_and_figures(language: Language) -> None:
    for row in rows_of("count", "train", language):
        answers = row["answers"]
        assert isinstance(answers, list)
        assert [value(answer, language) for answer in answers[:2]] == [len(items(row))] * 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_lists_turned_round_and_shortened(language: Language) -> None:
    for row in rows_of("reverse", "train", language):
        assert SEPARATOR.split(str(row["answer"])) == items(row)[::-1]
    for row in rows_of("remove", "train", language):
        assert SEPARATOR.split(str(row["answer"])) == [one for one in items(row) if one != row["gone"]]
        assert row["gone"] in items(row)


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_sorted_and_written_as_figures(language: Language) -> None:
    for row in rows_of("sort", "train", language):
        numbers = [value(one, language) for one in SEPARATOR.split(str(row["answer"]))]
        assert numbers == sorted(numbers, reverse=row["order"] == ORDERS[language][1])
        assert sorted(SEPARATOR.split(str(row["answer"]))) == sorted(items(row))
    for row in rows_of("figures", "train", language):
        assert [str(value(one, language)) for one in items(row)] == SEPARATOR.split(str(row["answer"]))


def test_marked_lists_have_every_word_marked_and_no_other() -> None:
    for row in rows_of("marked", "train", "en"):
        assert right(row) == str(row["items"]).upper()
        loud = [option for option in options(row) if option.isupper()]
        same = [option for option in options(row) if option.upper() == str(row["items"]).upper()]
        assert len(loud) == len(same) == 2
    for row in rows_of("marked", "train", "zh"):
        assert right(row) == "、".join(f"“{one}”" for one in items(row))
        assert len({*map(len, options(row))}) <= 2  # another word may be longer, another mark is not
        assert sum("《" in option for option in options(row)) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_replaced_name_is_gone_and_the_rest_unchanged(language: Language) -> None:
    for row in rows_of("replace", "train", language):
        old, new = str(row["old"]), str(row["new"])
        answer = str(row["answer"])
        assert new not in str(row["passage"])
        assert answer.replace(new, old) == row["passage"]
        assert answer != row["passage"]
