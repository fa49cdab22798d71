"""What everybody knows: facts about kinds, drawn from the lexicon, and what follows when two of them are put together.

A duck is a bird and birds have feathers, so ducks have feathers: `inherited` gives such steps as (premises,
conclusion). Which of them are only told in parts (the two premises) and never together is decided by `part_of`: a
test asks for conclusions that no pretraining text draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.lexicon import simple
from tutelage.starter.microworld.parts import Part, part_of
from tutelage.starter.microworld.relations import Fact, fact
from tutelage.starter.microworld.tables import pair, pairs, table
from tutelage.starter.microworld.wording import Word


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A conclusion from two facts that are told; `part`: who may draw it."""

    member: Fact
    rule: Fact
    conclusion: Fact
    part: Part


@cache
def _trait(english: str, chinese: str) -> Word:
    return simple(english, "trait", chinese)


@cache
def _plain(english: str, chinese: str, kind: str) -> Word:
    return simple(english, kind, chinese)


def _members() -> list[Word]:
    return [*lexicon.animals(), *lexicon.objects(), *lexicon.generic_foods()]


@cache
def material_class(name: str) -> Word:
    """Things of a material as a kind: "things of glass"."""
    chinese = lexicon.materials()[name].forms["zh"][""]
    tags = {"traits": lexicon.materials()[name].tags["traits"]}
    return lexicon.counted(
        f"thing of {name}", f"things of {name}", f"{chinese}做的东西", "件", "class", f"of {name}", tags
    )


@cache
def class_traits() -> tuple[Fact, ...]:
    """What all members of a kind do: birds have feathers, things of glass break when they fall."""
    kinds = [*lexicon.classes().values(), *(material_class(name) for name in lexicon.materials())]
    return tuple(
        fact("trait", x=kind, y=_trait(*trait)) for kind in kinds for trait in pairs(kind.tags["traits"]) if trait[0]
    )


@cache
def kinds() -> tuple[Fact, ...]:
    """What each thing is: a duck is a bird, a hammer is a tool."""
    classes = lexicon.classes()
    found = [fact("isa", x=word, y=classes[word.tags["class"]]) for word in _members()]
    found += [
        fact("isa", x=classes[name], y=classes["animal"]) for name in ("mammal", "bird", "fish", "insect", "reptile")
    ]
    return tuple(found)


@cache
def foods() -> tuple[Fact, ...]:
    """What food that one can't count is, and how food tastes."""
    classes = lexicon.classes()
    found = [fact("tastes", x=one, y=_by_key("tastes", one.tags["taste"].partition("=")[0])) for one in lexicon.foods()]
    mass = [one for one in lexicon.foods() if not one.key.endswith("s")]
    return tuple(found + [fact("mass_isa", x=one, y=classes[one.tags["class"]]) for one in mass])


def _by_key(name: str, key: str) -> Word:
    return next(word for word in lexicon.family(name) if word.key == key)


@cache
def animals() -> tuple[Fact, ...]:
    """What animals can do, eat, and where they live."""
    found = []
    for one in lexicon.animals():
        found.append(fact("can", x=one, y=_plain(*pair(one.tags["ability"]), "ability")))
        found.append(fact("eats", x=one, y=_plain(*pair(one.tags["food"]), "feed")))
        found.append(fact("home_of", x=one, y=_plain(*pair(one.tags["home"]), "habitat")))
    return tuple(found)


@cache
def things() -> tuple[Fact, ...]:
    """What things are made of, what they are for, where they are kept."""
    rooms = {place.key: place for place in lexicon.places()}
    found = []
    for one in lexicon.objects():
        found.append(fact("made_of", x=one, y=lexicon.materials()[one.tags["material"]]))
        found.append(fact("used_for", x=one, y=lexicon.uses("thing")[one.key]))
        found.append(fact("kept_in", x=one, y=rooms[one.tags["room"]]))
    return tuple(found)


@cache
def places() -> tuple[Fact, ...]:
    """What one does in places."""
    return tuple(fact("place_for", x=one, y=lexicon.uses("place")[one.key]) for one in lexicon.places())


@cache
def jobs() -> tuple[Fact, ...]:
    """What people of each job do, where, with what."""
    rooms = {place.key: place for place in lexicon.places()}
    tools = {one.key: one for one in lexicon.objects()}
    found = []
    for one in lexicon.jobs():
        found.append(fact("job_does", x=one, y=_plain(*pair(one.tags["task"]), "task")))
        found.append(fact("job_place", x=one, y=rooms[one.tags["place"]]))
        found.append(fact("job_tool", x=one, y=tools[one.tags["tool"]]))
    return tuple(found)


@cache
def opposites() -> tuple[Fact, ...]:
    """Words and their opposites, both ways."""
    found = []
    for (row,) in table("opposites"):
        one, one_zh, other, other_zh = row.split()
        words = _plain(one, one_zh, "word"), _plain(other, other_zh, "word")
        found += [fact("opposite_of", x=words[0], y=words[1]), fact("opposite_of", x=words[1], y=words[0])]
    return tuple(found)


@cache
def synonyms() -> tuple[tuple[Word, Word], ...]:
    """Pairs of words that mean nearly the same."""
    rows = [row.split() for (row,) in table("synonyms")]
    return tuple((_plain(a, a_zh, "word"), _plain(b, b_zh, "word")) for a, a_zh, b, b_zh in rows)


@cache
def colours() -> tuple[Fact, ...]:
    """The colour of things of nature, and of food."""
    found = []
    for name, colour in table("colours_of"):
        found.append(fact("natural_colour", x=_plain(*pair(name), "nature"), y=_by_key("colours", colour)))
    return tuple(found)


FAMILIES = {
    "kinds": kinds,
    "traits": class_traits,
    "foods": foods,
    "animals": animals,
    "things": things,
    "places": places,
    "jobs": jobs,
    "opposites": opposites,
    "colours": colours,
}


@cache
def facts() -> tuple[Fact, ...]:
    """All general facts."""
    return tuple(one for family in FAMILIES.values() for one in family())


@cache
def _by_subject() -> dict[str, tuple[Fact, ...]]:
    found: dict[str, list[Fact]] = {}
    for one in facts():
        found.setdefault(one.roles["x"].key, []).append(one)
    return {key: tuple(own) for key, own in found.items()}


def about(x: str) -> tuple[Fact, ...]:
    """All general facts whose x has this key."""
    return _by_subject().get(x, ())


@cache
def same_relation(name: str) -> tuple[Fact, ...]:
    """All general facts of one relation."""
    return tuple(one for one in facts() if one.relation.name == name)


def part(one: Fact) -> Part:
    """The part that may ask about a general fact."""
    return part_of("general", *one.key)


@cache
def asked(part_wanted: Part) -> tuple[Fact, ...]:
    """The general facts that this part may ask about. All of them are told in pretraining text."""
    return tuple(one for one in facts() if part(one) == part_wanted)


@cache
def true_values(name: str, x: str) -> frozenset[str]:
    """The keys of every y that holds for this x in that relation: what may not serve as a wrong answer."""
    return frozenset(one.roles["y"].key for one in same_relation(name) if one.roles["x"].key == x)


@cache
def true_subjects(name: str, y: str) -> frozenset[str]:
    """The keys of every x for which this y holds in that relation."""
    return frozenset(one.roles["x"].key for one in same_relation(name) if one.roles["y"].key == y)


@cache
def steps() -> tuple[Step, ...]:
    """What members inherit from their kind or material."""
    rules: dict[str, list[Fact]] = {}
    for rule in class_traits():
        rules.setdefault(rule.roles["x"].key, []).append(rule)
    found = []
    for one in kinds():
        member = one.roles["x"]
        for rule in rules.get(one.roles["y"].key, []):
            found.append(_step(one, rule, member))
    for one in same_relation("made_of"):
        for rule in rules.get(f"of {one.roles['y'].key}", []):
            found.append(_step(one, rule, one.roles["x"]))
    return tuple(found)


def _step(member: Fact, rule: Fact, x: Word) -> Step:
    conclusion = fact("trait", x=x, y=rule.roles["y"])
    return Step(member, rule, conclusion, part_of("step", *conclusion.key))


@cache
def steps_of(part_wanted: Part) -> tuple[Step, ...]:
    """The steps that this part may draw."""
    return tuple(step for step in steps() if step.part == part_wanted)


def wrong_traits(x: Word) -> list[Word]:
    """Traits that are surely not those of x: what only kinds do that x does not belong to, and no material of its
    does.
    """
    own = {fact_.roles["y"].key for fact_ in _traits_of(x.key)}
    return [
        one.roles["y"] for one in class_traits() if one.roles["y"].key not in own and _contrary(one.roles["y"].key, x)
    ]


@cache
def _traits_of(x: str) -> tuple[Fact, ...]:
    return tuple(step.conclusion for step in steps() if step.conclusion.roles["x"].key == x)


# What a trait of one kind rules out: an animal's body is no thing's, and no other class's.
_BODY = {
    "mammal": {"have feathers", "have wings", "have six legs", "have scales", "have fins", "breathe in water"},
    "bird": {"have six legs", "have scales", "have fins", "breathe in water", "drink milk when they are young"},
    "fish": {"have feathers", "have wings", "have six legs", "have two legs", "have hair"},
    "insect": {"have feathers", "have two legs", "have hair", "have fins", "drink milk when they are young"},
    "reptile": {"have feathers", "have wings", "have six legs", "have hair", "have fins"},
}


def _contrary(trait: str, x: Word) -> bool:
    return trait in _BODY.get(x.tags.get("class", ""), ())
