import re
from collections.abc import Callable, Iterator

import pytest

from tests.starter.tasks.blind import blind_accuracy
from tests.starter.tasks.rows import place, texts
from tutelage.starter.microworld.schemas import askable_pronouns
from tutelage.starter.microworld.tables import table
from tutelage.starter.microworld.wording import LANGUAGES, Language
from tutelage.starter.tasks.making import rows_of

HE = {"en": "(he|she|it)", "zh": "(他|她|它)"}
LINK = {"en": ",? (because|but|so|and) ", "zh": "，(因为|但是|所以|后来)"}


def schemas(language: Language) -> Iterator[tuple[str, re.Pattern[str], str]]:
    """The tables of pronouns as patterns: who or what stands first and second, and which of them is meant."""
    for row in (*table("pronouns"), *(row[:1] + row[2:] for row in table("thing_pronouns"))):
        name, main, _, clause, means, main_zh, clause_zh = row[:7]
        texts_ = (main, clause) if language == "en" else (main_zh, clause_zh)
        parts = (re.sub(r"\\\{([abxyp])(:\w+)?\\\}", _group(language), re.escape(text)) for text in texts_)
        pattern = LINK[language].join(parts)
        yield name, re.compile(pattern, re.I), means


def _group(language: Language) -> Callable[[re.Match[str]], str]:
    def replaced(mark: re.Match[str]) -> str:
        return HE[language] if mark.group(1) == "p" else f"(?P<{mark.group(1)}>[^.。，]+?)"

    return replaced


def meant(passage: str, language: Language) -> tuple[str, str]:
    """Name and meaning of the schema of the passage, found in the tables."""
    last = passage.rstrip(".。").rpartition(". " if language == "en" else "。")[2]
    for name, pattern, means in schemas(language):
        mark = pattern.fullmatch(last)
        if mark:
            return name, mark.group(means)
    raise AssertionError(passage)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("who_is_meant", "options"),
        ("what_it_means", "options"),
        ("who_did", "options"),
        ("same_person", "passage"),
        ("same_person", "name"),
        ("he_or_she", "options"),
    ],
)
def test_one_column_alone_gives_no_label_away(name: str, key: str, language: Language) -> None:
    assert blind_accuracy(name, language, key) < 0.62


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", ["train", "test"])
def test_labels_agree_with_the_tables(split: str, language: Language) -> None:
    for name in ("who_is_meant", "what_it_means", "who_did"):
        for row in rows_of(name, split, language)[:150]:
            _, who = meant(str(row["passage"]), language)
            assert texts(row, "options")[place(row)].lower() == who.lower(), row
    for row in rows_of("same_person", split, language)[:150]:
        assert (meant(str(row["passage"]), language)[1] == row["name"]) == (place(row) == 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_and_the_second_named_are_meant_equally_often(language: Language) -> None:
    for name in ("who_is_meant", "what_it_means"):
        rows = rows_of(name, "train", language)
        first = 0
        for row in rows:
            text = str(row["passage"]).rstrip(".。").rpartition(". " if language == "en" else "。")[2].lower()
            options = sorted((text.index(option.lower()), option) for option in texts(row, "options"))
            first += options[0][1] == texts(row, "options")[place(row)]
        assert abs(first / len(rows) - 0.5) < 0.06, name


def test_no_schema_is_in_train_and_test() -> None:
    for kind in ("people", "things"):
        train = {one.name for one in askable_pronouns(kind, "tune")}
        test = {one.name for one in askable_pronouns(kind, "test")}
        assert train
        assert test
        assert not train & test
    for name in ("who_is_meant", "who_did", "same_person", "name_for_pronoun"):
        found = [
            {meant(str(row["passage"]), "en")[0] for row in rows_of(name, split, "en")[:200]}
            for split in ("train", "test")
        ]
        assert not found[0] & found[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rewritten_sentence_differs_only_where_the_pronoun_stood(language: Language) -> None:
    for row in rows_of("name_for_pronoun", "test", language):
        passage, answer = str(row["passage"]), str(row["answer"])
        _, who = meant(passage, language)
        name = who[0].lower() + who[1:] if who.startswith("The ") else who
        pronoun = str(row["pronoun"])
        place_ = passage.rindex(f" {pronoun} " if language == "en" else pronoun) + (language == "en")
        assert answer == passage[:place_] + name + passage[place_ + len(pronoun) :]


def test_he_is_a_boy_and_she_a_girl() -> None:
    gender = ""
    of: dict[str, str] = {}
    for cells in table("names"):
        if cells[0] in ("boys", "girls"):
            gender = "he" if cells[0] == "boys" else "she"
        else:
            of |= {cell.split()[0]: gender for cell in cells}
    for row in rows_of("he_or_she", "test", "en"):
        options = texts(row, "options")
        assert of[options[place(row)]] == row["pronoun"] != of[options[1 - place(row)]]
        assert str(row["passage"]).endswith(str(row["sentence"]))
        assert all(option in str(row["passage"]) for option in options)
        assert not any(option in str(row["sentence"]) for option in options)
