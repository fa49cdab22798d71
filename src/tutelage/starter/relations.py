"""Kinds of fact in the starter's world: which words they tie together, and how they are told and asked.

A relation ties subjects to objects (the dog to "woof"). The words come from `facts.py`, the sentences from
`wordings.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from tutelage.starter import facts


@dataclass(frozen=True, slots=True)
class Fact:
    """One truth. Facts that give each other away (a pair of opposites, both ways, in both languages) share `secret`."""

    subject: str
    object: str
    secret: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Relation:
    """A kind of fact, with wordings in which `{s}` stands for the subject and `{o}` for the object.

    about: names for what a sentence of this kind is about. tell: sentences of plain text; the first is also the right
    answer to every question. ask: questions of the instruction rows; a line break divides instruction and input.
    ask_fresh: questions that no row has.
    """

    name: str
    facts: tuple[Fact, ...]
    about: tuple[str, ...]
    tell: tuple[str, ...]
    ask: tuple[str, ...]
    ask_fresh: tuple[str, ...]


Telling = tuple[Relation, Fact]

VOCABULARY = facts.ANIMALS + facts.THINGS + facts.COUNTRIES + facts.NUMBERS + facts.OPPOSITES


def _columns(family: str, table: str, subject: int, obj: int) -> tuple[Fact, ...]:
    """The facts that tie column `subject` to column `obj`, where neither is `-`."""
    rows = facts.parse_table(table)
    return tuple(
        Fact(row[subject], row[obj], (family, row[0])) for row in rows if row[subject] != "-" and row[obj] != "-"
    )


_FACTS: dict[str, tuple[Fact, ...]] = {
    "sound": _columns("sound", facts.ANIMALS, 0, 2),
    "young": _columns("young", facts.ANIMALS, 0, 3),
    "home": _columns("home", facts.ANIMALS, 0, 4),
    "food": _columns("food", facts.ANIMALS, 0, 5),
    "colour": _columns("colour", facts.THINGS, 0, 2),
    "purpose": _columns("purpose", facts.TOOLS, 0, 1),
    "material": _columns("material", facts.TOOLS, 0, 2),
    "task": _columns("task", facts.JOBS, 0, 1),
    "place": _columns("place", facts.JOBS, 0, 2),
    "tool": _columns("tool", facts.JOBS, 0, 3),
    "capital": _columns("capital", facts.COUNTRIES, 0, 2),
    "language": _columns("language", facts.COUNTRIES, 0, 4),
    "opposite": _columns("opposite", facts.OPPOSITES, 0, 2) + _columns("opposite", facts.OPPOSITES, 2, 0),
    "to Chinese": _columns("translation", VOCABULARY, 0, 1) + _columns("translation", facts.OPPOSITES, 2, 3),
    "to English": _columns("translation", VOCABULARY, 1, 0) + _columns("translation", facts.OPPOSITES, 3, 2),
    "colour in Chinese": _columns("colour", facts.THINGS, 1, 3),
    "capital in Chinese": _columns("capital", facts.COUNTRIES, 1, 3),
    "opposite in Chinese": _columns("opposite", facts.OPPOSITES, 1, 3) + _columns("opposite", facts.OPPOSITES, 3, 1),
}


@cache
def relations() -> tuple[Relation, ...]:
    """Every kind of fact, in the order of `wordings.yaml`."""
    text = files("tutelage.starter").joinpath("wordings.yaml").read_text(encoding="utf-8")
    wordings: dict[str, dict[str, list[str]]] = yaml.safe_load(text)
    return tuple(
        Relation(
            name,
            _FACTS[name],
            about=tuple(wording["about"]),
            tell=tuple(wording["tell"]),
            ask=tuple(wording["ask"]),
            ask_fresh=tuple(wording["ask_fresh"]),
        )
        for name, wording in wordings.items()
    )


@cache
def tellings() -> tuple[Telling, ...]:
    """Every fact of the world with its relation, in a fixed order."""
    return tuple((relation, fact) for relation in relations() for fact in relation.facts)


def render(wording: str, fact: Fact) -> str:
    """The wording with the fact's words in it, beginning with a capital letter where the script has them.

    >>> render("{o} is the capital of {s}.", Fact("France", "Paris", ("capital", "France")))
    'Paris is the capital of France.'
    """
    text = wording.replace("{s}", fact.subject).replace("{o}", fact.object)
    return text[:1].upper() + text[1:]
