"""What holds of every task: its rows, their options, its ten ways of asking."""

from __future__ import annotations

import re
from collections import Counter
from itertools import permutations

import pytest

from tests.starter.tasks.rows import item, options, place, right, said, task, texts
from tutelage.starter.microworld.wording import LANGUAGES, Language
from tutelage.starter.tasks import MAKERS, MODULES
from tutelage.starter.tasks.making import COUNTS, Row, rows_of
from tutelage.tasks.answers import extract
from tutelage.tasks.rendering import render

Case = tuple[str, Language]
CASES: list[Case] = [(name, language) for name in MAKERS for language in LANGUAGES]
LONGEST = {"en": 120, "zh": 240}  # words of a prompt, or characters
SHOWN = 12  # test rows that are rendered in each template
LATIN_IN_CHINESE = ("translation",)  # clusters whose Chinese prompts hold English


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(case))
def case(request: pytest.FixtureRequest) -> Case:
    """A task, for all tests one after the other: its rows are made once."""
    found: Case = request.param
    return found


def test_rows(case: Case) -> None:
    """As many as there should be, no row twice, each label as often, nothing left open; training and test apart."""
    name, language = case
    labels = MAKERS[name].labels
    rows = {split: rows_of(name, split, language) for split in COUNTS}
    for split, found in rows.items():
        assert len({repr(row) for row in found}) == len(found) == COUNTS[split]
        assert all("{" not in one and one.strip() for row in found for field in row for one in texts(row, field))
        if labels:
            counts = Counter(map(place, found))
            assert set(counts) == set(range(labels))
            assert max(counts.values()) - min(counts.values()) <= 1
    seen = {said(row) for split in ("train", "dev") for row in rows[split]}
    assert not seen & {said(row) for row in rows["test"]}
    if "passage" in rows["test"][0]:
        assert len({row["passage"] for row in rows["test"]} & {row["passage"] for row in rows["train"]}) <= 2
    if "options" in rows["test"][0]:
        check_options(name, [*rows["train"], *rows["test"]])


def check_options(name: str, rows: list[Row]) -> None:
    """Distinct, alike in length, and the longest is right no more often than by chance."""
    labels, ratios, longest = MAKERS[name].labels, [], 0.0
    for row in rows:
        found = options(row)
        assert len(set(found)) == len(found) == labels
        assert not any(one.startswith(other) for one, other in permutations(found, 2))
        lengths = [len(one) for one in found]
        ratios.append(max(lengths) / min(lengths))
        longest += (len(right(row)) == max(lengths)) / lengths.count(max(lengths))
    assert sum(ratios) / len(ratios) <= 2.5
    assert abs(longest / len(rows) - 1 / labels) < 0.08


def test_ten_ways_of_asking(case: Case) -> None:
    """Different and short, in the task's language; what a template teaches is read back from it."""
    name, language = case
    asked = task(name, language)
    templates = asked.templates
    assert asked.name == f"starter_{name}" + ("_zh" if language == "zh" else "")
    assert asked.language == language
    assert len({template.prompt for template in templates}) == len(templates) == 10
    assert len(asked.plain) == 1
    assert {template.language for template in (*templates, *asked.plain)} == {language}
    assert sum(template.options == "letters" for template in templates) <= 2
    assert sum(template.turned for template in templates) <= 2
    if MAKERS[name].labels:
        assert {template.options for template in templates} >= {"letters", "none"}
    for row in rows_of(name, "test", language)[:SHOWN]:
        one = item(asked, row)
        for template in (*templates, *asked.plain):
            shown = render(template, one)
            assert len(shown.prompt.split() if language == "en" else shown.prompt) <= LONGEST[language], template.id
            assert not any(a.startswith(b) for a, b in permutations(shown.options, 2)), template.id
            if language == "zh" and asked.clusters[0] not in LATIN_IN_CHINESE:
                assert not re.search(r"[a-z]{2}", shown.prompt), template.id
            if template.turned:
                continue
            if MAKERS[name].labels:
                assert len(shown.options) == MAKERS[name].labels
                assert shown.options[place(row)] == shown.target
            else:
                assert extract(shown.target, asked.extract) in one.references


def test_each_module_is_a_cluster_of_its_own() -> None:
    clusters = [{task(name, language).clusters[0] for name in own.MAKERS for language in LANGUAGES} for own in MODULES]
    assert all(len(own) == 1 for own in clusters)
    assert len(set.union(*clusters)) == len(MODULES) == 12
