from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.starter.tasks.rows import options, right
from tutelage.starter.microworld.wording import LANGUAGES, Language
from tutelage.starter.tasks.making import rows_of
from tutelage.starter.tasks.summaries import MAKERS

CASES = [(name, language) for name in MAKERS for language in LANGUAGES]


@pytest.mark.parametrize(("name", "language"), CASES)
def test_no_passage_of_the_test_is_in_training(name: str, language: Language) -> None:
    seen = {row["passage"] for row in (*rows_of(name, "train", language), *rows_of(name, "dev", language))}
    assert not seen & {row["passage"] for row in rows_of(name, "test", language)}


@pytest.mark.parametrize(("name", "language"), CASES)
def test_passages_are_short(name: str, language: Language) -> None:
    for row in rows_of(name, "train", language):
        text = str(row["passage"]) + str(row.get("summary", ""))
        assert len(text.split() if language == "en" else text) <= (90 if language == "en" else 200)


def words(text: str, language: Language) -> list[str]:
    return re.findall(r"[a-z'-]+", text.lower()) if language == "en" else list(text)


@pytest.mark.parametrize(("name", "language"), [(name, one) for name in ("title", "gist") for one in LANGUAGES])
def test_the_options_alone_give_nothing_away(name: str, language: Language) -> None:
    """Neither the option that shares most with the others nor the longest one is the right one more often."""
    made = rows_of(name, "train", language)
    shared = longest = 0.0
    for row in made:
        texts = [Counter(words(option, language)) for option in options(row)]
        common = [sum(sum((one & other).values()) for other in texts) for one in texts]
        lengths = [len(option) for option in options(row)]
        for scores in (common, lengths):
            best = [place for place, score in enumerate(scores) if score == max(scores)]
            share = (row["label"] in best) / len(best)
            shared, longest = (shared + share, longest) if scores is common else (shared, longest + share)
    assert 0.23 <= shared / len(made) <= 0.43
    assert 0.23 <= longest / len(made) <= 0.43


def test_a_title_names_who_is_in_the_text() -> None:
    for row in rows_of("title", "train", "en"):
        names = set(re.findall(r"\b[A-Z][a-z]+\b", right(row))) - {"About", "The"}
        assert all(name in str(row["passage"]) for name in names)
        assert names


def test_an_independent_count_finds_the_main_person() -> None:
    """Where no pronoun is used, the main person's name stands three times, the others' once."""
    checked = 0
    for row in rows_of("main_person", "train", "en"):
        text = str(row["passage"])
        if re.search(r"\b(he|she|his|her|him)\b", text, re.IGNORECASE):
            continue
        counts = {name: len(re.findall(rf"\b{name}\b", text)) for name in options(row)}
        assert sorted(counts.values()) == [1, 1, 3]
        assert max(counts, key=lambda name: counts[name]) == right(row)
        checked += 1
    assert checked > 200


def test_the_main_person_is_named_first_in_a_third() -> None:
    made = rows_of("main_person", "train", "en")
    first = sum(min(options(row), key=lambda name: str(row["passage"]).find(name)) == right(row) for row in made)
    assert 0.27 <= first / len(made) <= 0.4


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_left_out_is_in_the_text_and_not_in_the_summary(language: Language) -> None:
    for row in rows_of("left_out", "train", language):
        nouns = {option: re.sub(r"^the ", "", option) for option in options(row)}
        assert all(noun in str(row["passage"]) for noun in nouns.values())
        assert [option for option, noun in nouns.items() if noun not in str(row["summary"])] == [right(row)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_short_version_is_one_sentence_of_known_words(language: Language) -> None:
    for row in rows_of("short", "train", language):
        answers = row["answers"]
        assert isinstance(answers, list)
        assert len(set(answers)) == len(answers) >= 1
        assert all(answer.count("." if language == "en" else "。") == 1 for answer in answers)
        if language == "en":  # names in the answer are names of the text
            names = set(re.findall(r"(?<=\w )[A-Z][a-z]+", answers[0]))
            assert all(name in str(row["passage"]) for name in names)
