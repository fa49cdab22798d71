"""Facts and schemas found again from sentences alone, by patterns made of the tables."""

from __future__ import annotations

import re
from functools import cache

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.relations import relations
from tutelage.starter.microworld.tables import table
from tutelage.starter.microworld.wording import Language
from tutelage.starter.tasks.changing import FACTS


def read(text: str, language: Language) -> set[tuple[str, ...]]:
    """The facts that a sentence can tell, as (relation, role=word …): found again from the words alone."""
    found = set()
    text = text.rstrip(".。").lower()
    for name, roles in FACTS.items():
        for pattern, slots in patterns(name, language):
            match = pattern.fullmatch(text)
            words = match and _words(match.groups(), slots, {"who": "person", **roles}, language)
            if words:
                found.add((name, *sorted(f"{role}={word}" for role, word in words.items())))
    return found


@cache
def patterns(name: str, language: Language) -> list[tuple[re.Pattern[str], tuple[tuple[str, str], ...]]]:
    found = []
    for line in relations()[name].clause[language]:
        text = re.escape(line.head.lower())
        for _, _, after in line.slots:
            text += "(.+?)" + re.escape(after.lower())
        found.append((re.compile(text), tuple((role, form) for role, form, _ in line.slots)))
    return found


def _words(
    texts: tuple[str, ...], slots: tuple[tuple[str, str], ...], roles: dict[str, str], language: Language
) -> dict[str, str] | None:
    """The word in each role; None where a text is no word of the kind, or a role has two."""
    words: dict[str, str] = {}
    for text, (role, form) in zip(texts, slots, strict=True):
        if form in ("his", "him", "he"):
            continue
        word = _word(text, roles[role], form, language)
        if word is None or words.setdefault(role, word) != word:
            return None
    return words


def _word(text: str, kind: str, form: str, language: Language) -> str | None:
    words = things(form, language) if kind in ("thing", "clothing") else vocabulary(kind, form, language)
    return words.get(text)


@cache
def things(form: str, language: Language) -> dict[str, str]:
    """Things with and without a colour or look."""
    shades = (None, *lexicon.family("colours"), *lexicon.family("looks"))
    words = [lexicon.paint(thing, shade) for thing in lexicon.objects() for shade in shades]
    looks = [lexicon.paint(thing, None, look) for thing in lexicon.objects() for look in lexicon.family("looks")]
    return {word.forms[language][form].lower(): word.key for word in (*words, *looks)}


@cache
def vocabulary(kind: str, form: str, language: Language) -> dict[str, str]:
    numbers, people = [lexicon.number(years, "岁") for years in range(1, 70)], lexicon.names()
    words = {"years": numbers, "person": people}.get(kind) or group(kind)
    return {word.forms[language][form].lower(): word.key for word in words if form in word.forms[language]}


@cache
def schemas(name: str, column: int) -> dict[str, re.Pattern[str]]:
    """The id of each line of a table, and a pattern of the clause in that column: straight from the table."""
    found = {}
    for row in table(name):
        pieces = [re.escape(piece) for piece in re.split(r"\{[^}]*\}", row[column])]
        found[row[0]] = re.compile(".+?".join(pieces) + "[.。]", re.IGNORECASE)
    return found


def matching(name: str, column: int, sentence: str) -> set[str]:
    """The lines of the table that the sentence may have been made from."""
    return {key for key, pattern in schemas(name, column).items() if pattern.fullmatch(sentence)}
