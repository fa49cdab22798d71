"""What surely does not hold of kinds of things: the wrong answers of questions about the world's general knowledge.

The world's tables say what is so: owls see in the dark, a hammer is there to hit nails. That owls can't swim
and hammers are no kitchen things does not follow from that, so wrong answers come only from what is listed here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from tutelage.starter.microworld import knowledge, lexicon
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import Part
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.tables import pair
from tutelage.starter.microworld.wording import Word, pick

# Kind → kinds that none of its members belongs to, by any stretch.
OTHER_KINDS: dict[str, str] = {
    "mammal": "bird, fish, insect, reptile",
    "bird": "mammal, fish, insect, reptile",
    "fish": "mammal, bird, insect, reptile",
    "insect": "mammal, bird, fish, reptile",
    "reptile": "mammal, bird, fish, insect",
    "small animal": "mammal, bird, fish, reptile",
    "toy": "dish, container",
    "instrument": "clothing, container, dish, vehicle",
    "tool": "jewel, clothing",
    "clothing": "dish, container, vehicle, machine, furniture",
    "furniture": "clothing, vehicle, instrument, jewel",
    "dish": "clothing, vehicle, jewel, instrument",
    "container": "clothing, vehicle, jewel, instrument",
    "machine": "clothing, fruit, jewel",
    "paper": "clothing, vehicle, dish, jewel",
    "vehicle": "clothing, dish, furniture, jewel, instrument",
    "jewel": "vehicle, dish, machine, furniture",
    "fruit": "vegetable, meat, drink",
    "vegetable": "meat, drink, sweet",
    "drink": "meat, vegetable, fruit",
    "sweet": "meat, vegetable",
    "meal": "fruit, jewel",
    "basic food": "drink, meat",
    "meat": "fruit, vegetable, drink, sweet",
}
# Kinds whose name fits more things than the world counts among them: a mouse is a small animal too.
WIDE_KINDS = ("small animal", "basic food")
# Materials of which the same thing may well be made.
ALIKE = (
    {"wood", "metal", "plastic", "stone", "clay", "glass", "gold", "silver"},
    {"cloth", "wool", "leather", "feather", "rope"},
    {"paper", "wood", "plastic", "cloth", "leather"},
    {"rubber", "plastic", "leather"},
    {"wax", "plastic", "stone"},
)
# Material → what things of it do not do.
NOT_OF_MATERIAL: dict[str, str] = {
    "wood": "sink in water, let light through, keep you warm",
    "metal": "burn in a fire, tear easily, float on water, melt in the sun, keep you warm",
    "glass": "bounce, burn in a fire, keep you warm, tear easily, feel soft",
    "paper": "stay hard, get hot in a fire, cost a lot, bounce, break when they fall",
    "cloth": "break when they fall, stay hard, bounce",
    "leather": "break when they fall, let light through, melt in the sun",
    "plastic": "keep you warm, cost a lot, get soft in water",
    "clay": "bounce, burn in a fire, keep you warm, tear easily, feel soft",
    "stone": "bounce, burn in a fire, keep you warm, tear easily, float on water",
    "wool": "break when they fall, stay hard, bounce, let light through",
    "rubber": "break when they fall, let light through, stay hard",
    "wax": "bounce, keep you warm, stay hard",
    "gold": "float on water, burn in a fire, tear easily",
    "silver": "float on water, burn in a fire, tear easily",
}
# Taste → tastes that nobody would take for it.
OTHER_TASTES: dict[str, str] = {
    "sweet": "salty, hot, bitter",
    "sour": "salty, hot",
    "salty": "sweet, sour, bitter",
    "hot": "sweet, sour",
    "bitter": "salty, sour",
    "mild": "sour, hot, bitter",
}
# Abilities of few animals → besides those for which the tables say so, who might have them.
RARE_SKILLS: dict[str, str] = {
    "bark": "fox, wolf, seal, deer, squirrel",
    "give milk": "sheep, goat, camel, horse, donkey, deer, zebra",
    "give wool": "goat, camel, rabbit",
    "roar": "tiger, bear, seal, elephant, crocodile, deer",
    "make honey": "ant",
    "spin a web": "worm, butterfly, beetle",
    "talk": "crow, dolphin, canary",
    "carry its house": "turtle, crab",
    "hide in its shell": "snail, crab",
    "lift logs": "horse, bear, ant",
    "pull a cart": "donkey, cow, camel, goat, dog, elephant, zebra, deer, sheep",
    "roll into a ball": "hamster, snake, mouse, squirrel, worm, cat",
    "hop": "kangaroo, sparrow, robin, crow, canary, mouse, hamster, squirrel, pigeon, parrot",
    "howl": "dog, fox, monkey, seal",
    "climb rocks": "sheep, bear, lizard, snake, crab, cat, monkey, snail, tiger, fox, penguin, seal, ant, fly",
}
MEAT_EATERS = "lion, tiger, wolf, shark, owl, eagle, snake, crocodile, seal, penguin, spider, dolphin, bat"
PLANT_EATERS = (
    "cow, horse, sheep, goat, rabbit, giraffe, zebra, camel, deer, donkey, kangaroo, elephant, butterfly, bee, panda"
)
PLANTS = "grass, hay, leaves, bamboo, dry grass, carrots, nuts, nectar, corn"
FLESH = "meat, mice, rabbits, deer, fish, small fish, flies"
# Home → besides those for which the tables say so, who might be met there.
RARE_HOMES: dict[str, str] = {
    "the sea": "seal, crab, turtle, penguin, salmon, eel, snake, trout, crocodile, worm",
    "a hive": "ant, fly, butterfly, beetle, spider, mouse",
    "a kennel": "cat, fly, spider, mouse, rat, hedgehog, hen",
    "a bowl": "turtle, trout, eel, crab, snail",
    "a web": "fly, butterfly, bee, beetle, ant",
    "the ice": "seal, bear, fox, wolf, whale, cod, dolphin, fly",
    "the desert": "fox, ostrich, ant, beetle, spider, turtle, fly, rat, mouse, hedgehog, bat, owl, eagle, worm, donkey",
    "the jungle": "elephant, bat, snake, lizard, eagle, ant, fly, butterfly, beetle, spider, bee, crocodile, deer, "
    "pig, worm, snail, owl, bear, turtle, panda, mouse, rat, squirrel, robin, canary, crow",
    "a stable": "donkey, cat, mouse, rat, fly, spider, dog, cow, goat, sheep, pig, camel, zebra, hen, bat, sparrow",
}
JOBS_ALIKE = (
    {"doctor", "nurse", "vet", "dentist", "scientist"},
    {"farmer", "gardener", "shepherd", "miller", "florist", "vet"},
    {"cook", "waiter", "baker", "butcher", "miller"},
    {"singer", "actor", "dancer", "musician", "painter", "photographer"},
    {"writer", "reporter", "clerk", "librarian", "banker", "judge", "photographer", "teacher", "scientist"},
    {"driver", "pilot", "sailor", "fisherman", "postman", "mechanic", "guide", "miner"},
    {"builder", "carpenter", "mechanic", "tailor", "jeweller", "painter", "miner"},
    {"policeman", "soldier", "judge", "hunter", "fireman", "guide"},
    {"grocer", "butcher", "florist", "jeweller", "baker", "tailor"},
    {"teacher", "coach", "musician", "guide"},
    {"cleaner", "waiter", "nurse", "gardener"},
    {"hunter", "fisherman", "shepherd", "farmer", "vet"},
)
# Kind of thing and the room where it is kept → rooms in which nobody would look for it.
OTHER_ROOMS: dict[str, str] = {
    "dish kitchen": "bathroom, bedroom, garage, music room, study, airport, harbour, workshop",
    "clothing bedroom": "kitchen, garage, workshop, music room, airport, harbour, study, playroom",
    "clothing hall": "kitchen, garage, workshop, music room, airport, harbour, study, playroom",
    "jewel bedroom": "kitchen, garage, workshop, music room, airport, harbour, study, playroom",
    "paper study": "kitchen, bathroom, garage, music room, harbour",
    "vehicle garage": "kitchen, bathroom, bedroom, study, music room, hall",
    "vehicle harbour": "kitchen, bathroom, bedroom, study, music room, garage, playroom, workshop, hall",
    "vehicle airport": "kitchen, bathroom, bedroom, study, music room, garage, playroom, workshop, hall",
    "instrument music room": "kitchen, bathroom, garage, airport, harbour, workshop",
    "tool bathroom": "garage, music room, study, airport, harbour, workshop, playroom",
    "tool workshop": "bedroom, bathroom, music room, airport, harbour, playroom",
    "toy playroom": "kitchen, bathroom, airport, harbour, music room, workshop",
}
# Colours that things of nature may have besides the one that the table gives.
OTHER_COLOURS: dict[str, str] = {
    "the sky": "grey white black orange red golden pink",
    "the sun": "golden orange red white",
    "the sea": "green grey black",
    "the night": "blue grey",
    "a leaf": "yellow red brown orange golden purple",
    "grass": "yellow brown",
    "snow": "grey",
    "ash": "white black",
    "mud": "grey black",
    "a cherry": "black yellow pink purple",
    "gold": "yellow orange",
    "salt": "grey pink",
    "a canary": "orange golden white",
    "a frog": "brown yellow",
    "a carrot": "red purple yellow",
    "a swan": "black grey",
    "a crow": "grey",
    "coal": "grey brown",
    "blood": "brown",
    "milk": "yellow",
}
PATIENCE = 120  # draws for facts that exclude each other
COMMON_WORDS = frozenset(("the", "a", "one's", "your", "to", "in", "with", "on", "for", "of", "at", "up", "and"))


@cache
def listed(text: str) -> frozenset[str]:
    """The names in a row of one of these tables."""
    return frozenset(text.split(", "))


def _kind(x: Word, y: Word) -> bool:
    own = x.tags.get("class", "")
    turned = y.key not in WIDE_KINDS and own in listed(OTHER_KINDS.get(y.key, ""))
    return turned or y.key in listed(OTHER_KINDS.get(own, ""))


def _material(x: Word, y: Word) -> bool:
    return not any({x.tags["material"], y.key} <= alike for alike in ALIKE)


def _trait(x: Word, y: Word) -> bool:
    if x.kind == "thing":
        return y.key in listed(NOT_OF_MATERIAL.get(x.tags["material"], ""))
    return y.key in _foreign_traits(x)


@cache
def _foreign_traits(x: Word) -> frozenset[str]:
    return frozenset(word.key for word in knowledge.wrong_traits(x))


def _taste(x: Word, y: Word) -> bool:
    return y.key in listed(OTHER_TASTES[x.tags["taste"].partition("=")[0]])


def _skill(x: Word, y: Word) -> bool:
    return y.key in RARE_SKILLS and x.key not in listed(RARE_SKILLS[y.key])


def _feed(x: Word, y: Word) -> bool:
    return (x.key in listed(MEAT_EATERS) and y.key in listed(PLANTS)) or (
        x.key in listed(PLANT_EATERS) and y.key in listed(FLESH)
    )


def _home(x: Word, y: Word) -> bool:
    return y.key in RARE_HOMES and x.key not in listed(RARE_HOMES[y.key])


def _colour(x: Word, y: Word) -> bool:
    return y.key not in OTHER_COLOURS.get(x.key, "").split()


def _use(x: Word, y: Word) -> bool:
    """A thing of another kind, kept elsewhere, for something that sounds quite different."""
    owner = _things()[y.tags["of"]]
    apart = owner.tags["class"] != x.tags["class"] and owner.tags["room"] != x.tags["room"]
    return apart and not _said_alike(x.tags["use"], owner.tags["use"])


def _said_alike(one: str, other: str) -> bool:
    (a, a_zh), (b, b_zh) = pair(one), pair(other)
    return bool(set(a.split()) & set(b.split()) - COMMON_WORDS) or bool(set(a_zh) & set(b_zh))


def _purpose(x: Word, y: Word) -> bool:
    owner = _places()[y.tags["of"]]
    return owner.tags["sort"] != x.tags["sort"] and not _said_alike(x.tags["use"], owner.tags["use"])


def _room(x: Word, y: Word) -> bool:
    return y.key in listed(OTHER_ROOMS.get(f"{x.tags['class']} {x.tags['room']}", ""))


def _work(x: Word, y: Word) -> bool:
    """What only people of quite another job do."""
    others = knowledge.true_subjects("job_does", y.key)
    return not any({x.key, other} <= alike for alike in JOBS_ALIKE for other in others)


def _workplace(x: Word, y: Word) -> bool:
    others = knowledge.true_subjects("job_place", y.key)
    return bool(others) and not any({x.key, other} <= alike for alike in JOBS_ALIKE for other in others)


IMPOSSIBLE: dict[str, Callable[[Word, Word], bool]] = {
    "isa": _kind,
    "mass_isa": _kind,
    "made_of": _material,
    "trait": _trait,
    "tastes": _taste,
    "can": _skill,
    "eats": _feed,
    "home_of": _home,
    "natural_colour": _colour,
    "used_for": _use,
    "place_for": _purpose,
    "kept_in": _room,
    "job_does": _work,
    "job_place": _workplace,
}


@cache
def _things() -> dict[str, Word]:
    return {word.key: word for word in lexicon.objects()}


@cache
def _places() -> dict[str, Word]:
    return {word.key: word for word in lexicon.places()}


@cache
def general(name: str) -> tuple[Fact, ...]:
    """All facts of a relation; what single things and animals inherit from their kind where it is "trait"."""
    if name == "trait":
        return tuple({step.conclusion.key: step.conclusion for step in knowledge.steps()}.values())
    return knowledge.same_relation(name)


@cache
def asked(name: str, part: Part) -> tuple[Fact, ...]:
    """Those of them that this part may ask about (tuning also those of pretraining)."""
    wanted = parts_asked(part)
    if name == "trait":
        own = {step.conclusion.key for step in knowledge.steps() if step.part in wanted}
        return tuple(one for one in general(name) if one.key in own)
    return tuple(one for one in general(name) if knowledge.part(one) in wanted)


def parts_asked(part: Part) -> tuple[Part, ...]:
    """The parts whose schemas, kinds and words a part may ask about: tuning also those of pretraining."""
    return ("pretrain", "tune") if part == "tune" else (part,)


@cache
def _by_words(name: str) -> dict[tuple[str, str], Fact]:
    return {(one.roles["x"].key, one.roles["y"].key): one for one in general(name)}


def exclusive(draw: Draw, facts: Sequence[Fact], count: int) -> list[Fact]:
    """So many facts of one relation, of which none holds of another's x; an empty list where chance finds none.

    Each of them is as likely as the rest to stand first: whoever sees the words, but does not know what holds of which,
    can't tell the right one.
    """
    found: list[Fact] = []
    for _ in range(PATIENCE if facts else 0):
        if len(found) == count:
            draw.chance.shuffle(found)
            return found
        one = pick(draw.chance, facts)
        if all(_excludes(one, other) for other in found):
            found.append(one)
    return []


def _excludes(one: Fact, other: Fact) -> bool:
    return _false_of(one, other) and _false_of(other, one)


def _false_of(one: Fact, other: Fact) -> bool:
    """Whether what holds of the other's x can't hold of this one's."""
    name, x, y = one.relation.name, one.roles["x"], other.roles["y"]
    return (x.key, y.key) not in _by_words(name) and IMPOSSIBLE[name](x, y)
