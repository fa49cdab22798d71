"""Kinds of fact and how they are said: `Relation` holds wordings, `Fact` puts words into its roles.

The wordings come from `tables/states.yaml` (what is), `events.yaml` (what happened) and `generic.yaml` (what holds of
kinds). A fact can be told, denied, asked about (by role, or yes or no), said by the person it is about, and told of a
pronoun.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import yaml

from tutelage.starter.microworld.lexicon import FIRST_PERSON, PRONOUNS
from tutelage.starter.microworld.tables import TABLES
from tutelage.starter.microworld.wording import (
    LANGUAGES,
    Chance,
    Language,
    Roles,
    Word,
    Wording,
    compile_wordings,
    pick,
    question,
    sentence,
)

# An indirect question inside another sentence: English needs its own word order, Chinese does not.
EMBEDDED: dict[Language, tuple[str, ...]] = {
    "en": (
        "Do you know {q}?",
        "Can you tell me {q}?",
        "Tell me {q}.",
        "I wonder {q}.",
        "Could you say {q}?",
        "Please tell us {q}.",
        "Does anyone know {q}?",
        "I would like to know {q}.",
    ),
    "zh": (
        "你知道{q}吗？",
        "请问{q}？",
        "请告诉我{q}。",
        "我想知道{q}。",
        "能不能告诉我{q}？",
        "有人知道{q}吗？",
    ),
}
EMBEDDED_SHARE = 0.3
KINDS = ("generic", "class", "job")


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """A kind of fact.

    roles: role → (kind of word, form in which it answers). unique: the roles that fix the rest. time: "states",
    "events" or "generic". loose: its wordings do not all mean the same (lost, sold…), so it is good for stories but
    not for paraphrase. The rest: wordings by language, those of questions also by role.
    """

    name: str
    time: str
    roles: Mapping[str, tuple[str, str]]
    unique: tuple[str, ...]
    clause: Mapping[Language, tuple[Wording, ...]]
    deny: Mapping[Language, tuple[Wording, ...]]
    check: Mapping[Language, tuple[Wording, ...]]
    own: Mapping[Language, tuple[Wording, ...]]
    ask: Mapping[Language, Mapping[str, tuple[Wording, ...]]]
    embed: Mapping[Language, Mapping[str, tuple[Wording, ...]]]
    base: Mapping[Language, tuple[Wording, ...]]
    loose: bool = False

    def __repr__(self) -> str:
        """Its name."""
        return f"Relation({self.name})"


def _lines(entry: Mapping[str, Any], key: str, language: Language) -> tuple[Wording, ...]:
    return compile_wordings(entry[key], language) if entry.get(key) else ()


def _relation(name: str, time: str, entry: Mapping[str, Any]) -> Relation:
    roles = {role: (kind.partition(":")[0], kind.partition(":")[2]) for role, kind in entry["roles"].items()}
    by_language: dict[str, dict[Language, Any]] = {}
    for language in LANGUAGES:
        said = dict(entry[language])
        base = said.get("base", "")
        if base:
            who = "{who}"
            said["deny"] = f"{who} did not {base}" if language == "en" else f"{who}没有{base}\n{who}并没有{base}"
            said["check"] = (
                f"Did {who} {base}\nDid {who} really {base}"
                if language == "en"
                else f"{who}{base}了吗\n{who}有没有{base}\n{who}是不是{base}了"
            )
        for key in ("clause", "deny", "check", "say", "base"):
            by_language.setdefault(key, {})[language] = _lines(said, key, language)
        ask = {role: compile_wordings(text, language) for role, text in said["ask"].items()}
        embedded = {role: compile_wordings(text, language) for role, text in said.get("embed", {}).items()}
        by_language.setdefault("ask", {})[language] = ask
        by_language.setdefault("embed", {})[language] = embedded if language == "en" else ask
    return Relation(
        name,
        time,
        roles,
        tuple(entry.get("unique") or ()),
        by_language["clause"],
        by_language["deny"],
        by_language["check"],
        by_language["say"],
        by_language["ask"],
        by_language["embed"],
        by_language["base"],
        bool(entry.get("loose")),
    )


@cache
def relations() -> dict[str, Relation]:
    """All relations by name."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Relation] = {}
    for time in ("states", "events", "generic"):
        entries = yaml.load((TABLES / f"{time}.yaml").read_text(encoding="utf-8"), loader)
        found |= {name: _relation(name, time, entry) for name, entry in entries.items()}
    return found


def referring(roles: Roles, role: str = "who") -> Roles:
    """The same roles, with a pronoun for that person."""
    return {**roles, role: PRONOUNS[roles[role].tags["gender"]]}


@cache
def _of_pronoun(relation: Relation, language: Language) -> tuple[Wording, ...]:
    """The wordings in which a pronoun sounds right: "the job of Tom", but never "the job of him"."""
    lines = relation.clause[language]
    return tuple(line for line in lines if not _of_object(line)) or lines


def _of_object(line: Wording) -> bool:
    before = (line.head, *(after for _, _, after in line.slots))
    return any(text.endswith("of ") and form == "o" for text, (_, form, _) in zip(before, line.slots, strict=False))


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """A relation with words in its roles; two facts are the same when `key` is."""

    relation: Relation
    roles: Roles

    @property
    def key(self) -> tuple[str, ...]:
        """The relation's name and the words' keys."""
        return (self.relation.name, *(self.roles[role].key for role in self.relation.roles))

    def wordings(self, language: Language) -> int:
        """How many ways there are to tell it."""
        return len(self.relation.clause[language])

    def clause(self, language: Language, chance: Chance, pronoun: str = "", wording: int | None = None) -> str:
        """The fact told, without capital and full stop; `pronoun`: the role said as he or she; `wording`: which one."""
        lines = self.relation.clause[language] if not pronoun else _of_pronoun(self.relation, language)
        line = pick(chance, lines) if wording is None else lines[wording % len(lines)]
        return line.fill(referring(self.roles, pronoun) if pronoun else self.roles)

    def sentence(self, language: Language, chance: Chance, pronoun: str = "", wording: int | None = None) -> str:
        """The fact as a sentence."""
        return sentence(self.clause(language, chance, pronoun, wording), language)

    def denial(self, language: Language, chance: Chance) -> str:
        """The contrary, as a clause."""
        return pick(chance, self.relation.deny[language]).fill(self.roles)

    def mine(self, language: Language, chance: Chance, role: str = "who") -> str:
        """The fact as a clause said by the person in that role ("I have a ball")."""
        own = self.relation.own[language]
        lines = own or _of_pronoun(self.relation, language)
        return pick(chance, lines).fill({**self.roles, role: FIRST_PERSON})

    def ask(self, role: str, language: Language, chance: Chance) -> str:
        """A question for what stands in that role."""
        embedded = self.relation.embed[language].get(role)
        if embedded and chance.random() < EMBEDDED_SHARE:
            return pick(chance, EMBEDDED[language]).replace("{q}", pick(chance, embedded).fill(self.roles))
        return question(pick(chance, self.relation.ask[language][role]).fill(self.roles), language)

    def check(self, language: Language, chance: Chance) -> str:
        """A question for yes or no."""
        return question(pick(chance, self.relation.check[language]).fill(self.roles), language)

    def answer(self, role: str, language: Language) -> str:
        """The word in that role, in the form of a short answer ("in the kitchen")."""
        kind, form = self.relation.roles[role]
        # Kinds of things answer without a measure word in Chinese: 陀螺, not 一个陀螺.
        return self.roles[role].forms[language]["bare" if language == "zh" and kind in KINDS else form]

    def asked_roles(self, language: Language = "en") -> tuple[str, ...]:
        """The roles that can be asked for."""
        return tuple(self.relation.ask[language])

    def having(self, role: str, word: Word) -> Fact:
        """The same fact with another word in one role."""
        return replace(self, roles={**self.roles, role: word})

    def __repr__(self) -> str:
        """Its key."""
        return f"Fact{self.key}"


def fact(name: str, **roles: Word) -> Fact:
    """A fact of the relation of that name."""
    return Fact(relations()[name], roles)
