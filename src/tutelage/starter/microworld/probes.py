"""Held-out items that show what a base model can do before any tuning: a text that stops, the right end, and wrong
ends.

A model passes an item when the right end is likelier than every wrong one. There is no instruction in them: copying a
list, reading a fresh passage (cloze), recalling a person's facts, and saying what follows from what.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tutelage.starter.microworld import lexicon, people
from tutelage.starter.microworld.documents.knowing import known_ask
from tutelage.starter.microworld.documents.lists import KINDS, listable
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import Part
from tutelage.starter.microworld.phrases import phrase
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.schemas import askable, clashing
from tutelage.starter.microworld.states import portraits, prices, room
from tutelage.starter.microworld.wording import Language, Word, Wording, capital, pick


@dataclass(frozen=True, slots=True)
class Probe:
    """A text that stops, its right end, and wrong ends; `kind` says of what sort ("copy", "read has.what", …)."""

    kind: str
    prompt: str
    answer: str
    alternatives: tuple[str, ...]


# Traits whose cloze has one place to end: the relation and the role at its end.
READ = {
    "has": "what",
    "is_in": "where",
    "likes": "what",
    "works": "what",
    "lives": "where",
    "pet": "what",
    "fears": "what",
}


def copying(draw: Draw, language: Language) -> Probe:
    """A list, and the same list up to some item: the next item."""
    words = draw.some(listable(pick(draw.chance, KINDS)), draw.number(4, 8))
    items = list(dict.fromkeys(_noun(word, language) for word in words))
    between = ", " if language == "en" else "、"
    stop = draw.number(1, len(items) - 1)
    first = phrase("list_intro", language, draw.chance, l=between.join(items))
    again = phrase("list_again", language, draw.chance, l=between.join(items[:stop]))
    space = " " if language == "en" else ""
    prompt = f"{first}\n{again}{between.rstrip()}"
    return Probe("copy", prompt, space + items[stop], tuple(space + item for item in items if item != items[stop]))


def _noun(word: Word, language: Language) -> str:
    return word.forms[language].get("noun", word.forms[language][""])


def reading(draw: Draw, language: Language) -> Probe:
    """Two to six facts, then one of them told again in other words up to its last word.

    On a line of its own, as the world's text tells things again: within a passage nothing is ever told twice, and a
    model that has learnt this takes the right end for the least likely one.
    """
    style = draw.number(0, 3)
    scene = room(draw) if style == 0 else prices(draw) if style == 1 else _portraits(draw)
    while len(scene.facts()) < 2:
        scene = _portraits(draw)
    one = pick(draw.chance, scene.facts())
    role = {"lies": "where", "costs": "number"}.get(one.relation.name) or READ[one.relation.name]
    same = [other for other in scene.facts() if other.relation is one.relation and other is not one]
    return _cloze("read", scene.text(language, draw.chance, pronouns=False), one, role, same, language, draw)


def _portraits(draw: Draw) -> Scene:
    each = draw.number(1, 2)
    return portraits(draw, draw.number(2, 3 if each == 2 else 5), each, draw.some(list(READ), each))


def _ending(one: Fact, role: str, language: Language) -> list[Wording]:
    """The wordings of a fact in which every other word is said before the word in this role."""
    lines = one.relation.clause[language]
    return [line for line in lines if line.slots[-1][0] == role and [slot[0] for slot in line.slots].count(role) == 1]


def _cloze(kind: str, before: str, one: Fact, role: str, same: list[Fact], language: Language, draw: Draw) -> Probe:
    line = pick(draw.chance, _ending(one, role, language))
    form = line.slots[-1][1]
    answer = one.roles[role].forms[language][form]
    told = line.fill(one.roles)
    space = " " if language == "en" else ""
    said = capital(told[: len(told) - len(answer) - len(line.slots[-1][2])].rstrip())
    others = dict.fromkeys(other.roles[role].forms[language][form] for other in same)
    wrong = tuple(space + other for other in others if other != answer)
    return Probe(f"{kind} {one.relation.name}.{role}", f"{before}\n{said}".strip(), space + answer, wrong)


def recall(draw: Draw, language: Language) -> Probe:
    """A person or town, and the beginning of a known fact about it."""
    known = pick(draw.chance, people.everybody(draw.part))
    one = pick(draw.chance, [fact for fact in known.facts if _ending(fact, people.asked_role(fact), language)])
    role = people.asked_role(one)
    others = [one.having(role, word) for word in known_ask(draw, one).others if isinstance(word, Word)]
    return _cloze("recall", "", one, role, others, language, draw)


def following(draw: Draw, language: Language) -> Probe:
    """A cause of this part, and what comes of it."""
    schemas = [one for one in askable("causes", draw.part) if draw.part != "tune" or one.part == "tune"]
    schema = pick(draw.chance, schemas)
    who = draw.person()
    roles = draw.fill(schema.name, schema.slots, who)
    wrong = [one for one in schemas if one.name not in clashing(schema.name) and one.topic != schema.topic]
    assert schema.second is not None
    effects = [Fact(schema.second, roles)]
    for other in draw.some(wrong, 3):
        assert other.second is not None
        effects.append(Fact(other.second, draw.fill(other.name, other.slots, who)))
    texts = [effect.clause(language, draw.chance) for effect in effects]
    cause = Fact(schema.first, roles).clause(language, draw.chance)
    if language == "zh":
        return Probe("follow cause", f"因为{cause}，所以", texts[0], tuple(texts[1:]))
    return Probe("follow cause", capital(cause) + ", so", " " + texts[0], tuple(" " + text for text in texts[1:]))


def feeling(draw: Draw, language: Language) -> Probe:
    """An event of this part, and how somebody felt."""
    schemas = [one for one in askable("feelings", draw.part) if draw.part != "tune" or one.part == "tune"]
    schema = pick(draw.chance, schemas)
    who = draw.person()
    event = Fact(schema.first, draw.fill(schema.name, schema.slots, who)).clause(language, draw.chance)
    right = schema.feelings[0]
    wrong = [word for word in lexicon.feelings() if word.tags["tone"] != right.tags["tone"]]
    words = [right, *draw.some(wrong, 3)]
    said = [word.forms[language][""] for word in words]
    if language == "zh":
        return Probe("follow feeling", f"{event}，所以{who.forms['zh']['']}很", said[0], tuple(said[1:]))
    prompt = f"{capital(event)}, so {who.key} was"
    return Probe("follow feeling", prompt, " " + said[0], tuple(" " + one for one in said[1:]))


FAMILIES: dict[str, Callable[[Draw, Language], Probe]] = {
    "copy": copying,
    "read": reading,
    "recall": recall,
    "cause": following,
    "feeling": feeling,
}


def probes(family: str, count: int, seed: int = 0, language: Language = "en", part: Part = "test") -> Iterator[Probe]:
    """So many items of a family (`FAMILIES`), each with at least one wrong end; a pure function of the seed."""
    number = made = 0
    while made < count:
        chance = random.Random(f"probe/{family}/{seed}/{part}/{language}/{number}")
        probe = FAMILIES[family](Draw(chance, part), language)
        number += 1
        if probe.alternatives:
            made += 1
            yield probe
