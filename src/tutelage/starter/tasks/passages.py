"""What tasks about a passage share: short scenes, scenes with a gap, and facts that a scene tells of somebody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.builders import build
from tutelage.starter.microworld.claims import Telling
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.relations import Fact, fact
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.states import TRAITS, value
from tutelage.starter.microworld.wording import Item, Word, pick

# Traits of which a person has one at a time, so that another value is false.
SINGLE = ("is_in", "feels", "doing", "works", "lives", "age", "likes_colour")
# What is said of things: relation → role of the value; of the first two a thing has one only.
OF_THINGS = {"is_coloured": "colour", "costs": "number", "lies": "where"}
SINGLE_OF_THINGS = ("is_coloured", "costs")
# A sister's brother is no sister, and who is not taller may be shorter: no word changes place there.
UNSWAPPED = frozenset({"kin", "compare"})
SHUFFLES = 0.5


def short_scene(draw: Draw, kinds: tuple[str, ...], least: int = 2, most: int = 6) -> Scene | None:
    """A scene of one of these kinds; None where it is told in fewer or more sentences than wanted."""
    scene = build(draw.chance, draw.part, kinds)
    return scene if least <= len(scene.told) <= most else None


def one_of(draw: Draw, items: Sequence[Item]) -> Item | None:
    """One of the items, None where there are none."""
    return pick(draw.chance, items) if items else None


def plain_facts(scene: Scene) -> list[Fact]:
    """What holds at the end of a scene, without effects of schemas and facts told loosely."""
    return [one for one in scene.known() if one.relation.time != "schema" and not one.relation.loose]


def swapped(one: Fact, role: str, other: Fact) -> Fact | None:
    """`one` with the other's word in this role; None where that could be true, or says nothing new.

    Tom has a ball, Ann has a kite; role what → Tom has a kite
    """
    word, old = other.roles[role], one.roles[role]
    if one.relation is not other.relation or one.relation.name in UNSWAPPED or word.key == old.key:
        return None
    if any(word.key == own.key for own in one.roles.values()):
        return None
    if word.kind == "feeling" and word.tags["tone"] == old.tags["tone"]:
        return None
    return one.having(role, word)


def swaps(scene: Scene) -> Iterator[tuple[Fact, Fact]]:
    """Facts with a word of another fact of the scene, which the scene does not tell; each with the fact changed."""
    known = plain_facts(scene)
    keys = {one.key for one in known}
    for one in known:
        for other in known:
            for role in one.relation.roles:
                changed = swapped(one, role, other) if one.relation is other.relation else None
                if changed is not None and changed.key not in keys:
                    yield changed, one


@dataclass(frozen=True)
class Gap:
    """Three people (or things), all with a trait except one: `missing` is the fact that the text leaves out.

    told: the facts of that trait that the text tells. role: the role of the value.
    """

    scene: Scene
    missing: Fact
    told: tuple[Fact, ...]
    role: str


def gapped(draw: Draw) -> Gap:
    """A passage of five sentences in which one of three is said to have no value of a trait that the others have."""
    role, traits, others = _of_people(draw) if draw.odds(0.65) else _of_things(draw)
    missing = pick(draw.chance, traits)
    told = [one for one in traits if one is not missing]
    facts = [*told, *others]
    if draw.odds(SHUFFLES):
        draw.chance.shuffle(facts)
    else:
        first = next(iter(missing.relation.roles))
        names = [one.roles[first].key for one in traits]
        facts.sort(key=lambda one: names.index(one.roles[first].key))
    who = tuple(one.roles["who"] for one in traits if "who" in one.roles)
    scene = Scene("gapped", "home", who, tuple(map(Telling, facts)), (facts[0],))
    return Gap(scene, missing, tuple(told), role)


def _of_people(draw: Draw) -> tuple[str, list[Fact], list[Fact]]:
    people = draw.people(3)
    name = pick(draw.chance, SINGLE)
    other = pick(draw.chance, [one for one in TRAITS if one not in (name, "feels", "age")])
    return TRAITS[name][0], [trait(draw, one, name) for one in people], [trait(draw, one, other) for one in people]


def trait(draw: Draw, who: Word, name: str) -> Fact:
    """A fact of this person, with a value that may meet it in this part."""
    role, kind, _ = TRAITS[name]
    return fact(name, **{"who": who, role: value(draw, who, kind)})


def _of_things(draw: Draw) -> tuple[str, list[Fact], list[Fact]]:
    things = [draw.fresh(group("thing")) for _ in range(3)]
    name = pick(draw.chance, SINGLE_OF_THINGS)
    other = pick(draw.chance, [one for one in OF_THINGS if one != name])
    return OF_THINGS[name], _said(draw, things, name), _said(draw, things, other)


def _said(draw: Draw, things: Sequence[Word], name: str) -> list[Fact]:
    values: Sequence[Word] = {
        "is_coloured": lambda: draw.some(lexicon.family("colours"), 3),
        "costs": lambda: [lexicon.number(number) for number in draw.some(range(2, 20), 3)],
        "lies": lambda: draw.some(group("spot"), 3),
    }[name]()
    return [fact(name, **{"what": thing, OF_THINGS[name]: word}) for thing, word in zip(things, values, strict=True)]
