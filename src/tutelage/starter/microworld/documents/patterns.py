"""Patterns that go on: pairs of a rule that are found again, looked up and written down once more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tutelage.starter.microworld import knowledge, lexicon
from tutelage.starter.microworld.documents.lists import listable, plain
from tutelage.starter.microworld.documents.page import Page
from tutelage.starter.microworld.wording import Word, article

Pairs = Sequence[tuple[str, str]]

PATTERN_LINES = (
    "{a} -> {b}",
    "{a}: {b}",
    "{a} = {b}",
    "{a} ({b})",
    "{a}, {b}",
    "{a} | {b}",
    "{a} - {b}",
    "from {a} to {b}",
)


@cache
def patterns(language: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Mappings by name: animal → class, thing → material, word → opposite…"""
    number = language == "zh"

    def said(word: Word, form: str = "noun") -> str:
        forms = word.forms["zh" if number else "en"]
        return forms.get(form, forms[""])

    facts = {
        name: knowledge.same_relation(name) for name in ("made_of", "kept_in", "job_place", "job_tool", "opposite_of")
    }
    classes = lexicon.classes()
    found = {
        "class": [(said(one), said(classes[one.tags["class"]])) for one in (*lexicon.animals(), *lexicon.objects())],
        "food kind": [(said(one), said(classes[one.tags["class"]])) for one in lexicon.foods()],
        "material": [(said(one.roles["x"]), said(one.roles["y"])) for one in facts["made_of"]],
        "room": [(said(one.roles["x"]), said(one.roles["y"])) for one in facts["kept_in"]],
        "job place": [(said(one.roles["x"]), said(one.roles["y"])) for one in facts["job_place"]],
        "job tool": [(said(one.roles["x"]), said(one.roles["y"])) for one in facts["job_tool"]],
        "opposite": [(said(one.roles["x"]), said(one.roles["y"])) for one in facts["opposite_of"]],
        "tone": [(said(one), _tone(one, number)) for one in lexicon.feelings()],
        "home": [(said(one.roles["x"]), said(one.roles["y"])) for one in knowledge.same_relation("home_of")],
        "eats": [(said(one.roles["x"]), said(one.roles["y"])) for one in knowledge.same_relation("eats")],
        "translation": [
            (one.forms["en"].get("noun", one.forms["en"][""]), one.forms["zh"][""]) for one in lexicon.vocabulary()
        ],
        "next number": [(said(lexicon.number(n), "digit"), said(lexicon.number(n + 1), "digit")) for n in range(1, 40)],
        "number before": [
            (said(lexicon.number(n + 1), "digit"), said(lexicon.number(n), "digit")) for n in range(1, 40)
        ],
        "figure": [(said(lexicon.number(n), "digit"), str(n)) for n in range(1, 60)],
        "person": [(said(one, ""), one.forms["zh" if number else "en"]["he"]) for one in lexicon.names()],
    }
    if not number:
        found |= {
            "plural": [(one.key, one.tags["plural"]) for one in (*lexicon.objects(), *lexicon.animals())],
            "article": [(one.key, article(one.key)) for one in (*lexicon.objects(), *lexicon.animals())],
            "past": [(one.forms["en"]["base"], one.forms["en"]["past"]) for one in lexicon.activities()],
            "capital": [(one.key, one.key.upper()) for one in (*lexicon.objects(), *lexicon.animals())],
            "first letter": [(one.key, one.key[0]) for one in (*lexicon.objects(), *lexicon.animals())],
            "same": [(one.key, one.key) for one in (*lexicon.objects(), *lexicon.names())],
            "comparative": [(one.forms["en"]["base"], one.forms["en"]["er"]) for one in lexicon.grades()],
        }
    return {name: tuple(dict(pairs).items()) for name, pairs in found.items()}


def _tone(word: Word, chinese: bool) -> str:
    return {"good": "好" if chinese else "good", "bad": "坏" if chinese else "bad"}[word.tags["tone"]]


def pattern(page: Page) -> str:
    """Pairs that all follow one rule, so that each next pair can be guessed from those before."""
    table = patterns(page.language)
    name = page.one(list(table))
    pairs = page.some(table[name], page.number(4, 10))
    line = page.one(PATTERN_LINES[: 7 if page.language == "zh" else 8])
    between = page.one(("\n", "\n", "; ", ". "))
    if page.odds(0.15):
        pairs = [(b, a) for a, b in pairs]
    return between.join(line.replace("{a}", a).replace("{b}", b) for a, b in pairs)


def mapping(page: Page) -> str:
    """A table of pairs that hold only here (who has which colour), then looked up in another order."""
    left = page.some(
        [plain(page, word) for word in listable(page.one(("names", "things", "towns", "animals")))], page.number(3, 7)
    )
    right = page.some(
        [plain(page, word) for word in listable(page.one(("colours", "numbers", "foods", "places", "jobs")))],
        len(left),
    )
    pairs = dict(zip(left, right, strict=False))
    line = page.one(PATTERN_LINES[:7])
    lines = [line.replace("{a}", a).replace("{b}", b) for a, b in pairs.items()]
    order = page.some(list(pairs.items()), len(pairs))
    if page.odds(0.3):
        order = [(b, a) for a, b in order]
    asked = page.one(("{a}? {b}" if page.language == "en" else "{a}？{b}", "{a}: {b}", "{a} - {b}", "{a} -> {b}"))
    again = [asked.replace("{a}", a).replace("{b}", b) for a, b in order]
    between = page.one(("\n", "; "))
    return between.join(lines) + "\n" + between.join(again)
