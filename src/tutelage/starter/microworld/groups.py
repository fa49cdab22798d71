"""Groups of words that schemas and scenes choose from: what is fragile, what one can carry, what floats…"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.tables import table
from tutelage.starter.microworld.wording import Word

PARTS_OF_CLOTHES = ("button", "ribbon")
# What one does for oneself or for fun: nobody helps another to do it.
ALONE = frozenset(
    (
        "sleep", "rest", "take a bath", "take medicine", "see the doctor", "do exercises", "drink tea", "have lunch",
        "order a pizza", "run a race", "swim", "dance", "sing a song", "beat a drum", "throw a ball", "play football",
        "play tennis", "play chess", "play hide and seek", "tell jokes", "listen to the radio", "watch the monkeys",
        "watch the stars", "watch a film", "wait for the train", "look at a map",
    )
)  # fmt: skip


@cache
def listed(name: str) -> tuple[str, ...]:
    """The keys that `tables/groups.txt` gives for a group; raises KeyError for an unknown one."""
    return {row[0]: tuple(row[1].split()) for row in table("groups")}[name]


def _named(words: tuple[Word, ...], names: tuple[str, ...]) -> tuple[Word, ...]:
    by_key = {word.key: word for word in words}
    return tuple(by_key[name] for name in names)


def _made(*materials: str) -> tuple[Word, ...]:
    return tuple(one for one in portable() if one.tags["material"] in materials)


@cache
def portable() -> tuple[Word, ...]:
    """Things that a person can carry, own, lose and give away."""
    wanted = ("furniture", "vehicle")
    return tuple(
        one
        for one in lexicon.objects()
        if one.key not in (*listed("big"), *PARTS_OF_CLOTHES)
        and one.tags["class"] not in wanted
        and one.tags["material"] != "stone"
    )


@cache
def clothing() -> tuple[Word, ...]:
    """What one wears."""
    return tuple(
        one for one in lexicon.objects() if one.tags["class"] == "clothing" and one.key not in PARTS_OF_CLOTHES
    )


@cache
def group(name: str) -> tuple[Word, ...]:
    """The words of a group; raises KeyError for an unknown name."""
    by_class = {"toy": "toy", "container_all": "container", "drinks": "drink"}
    table: dict[str, Callable[[], tuple[Word, ...]]] = {
        "thing": portable,
        "portable": portable,
        "clothing": clothing,
        "fragile": lambda: tuple(o for o in _made("glass", "clay") if o.key not in ("marble", "brick", "television")),
        "burnable": lambda: tuple(o for o in _made("paper", "cloth", "wood") if o.key not in ("match", "candle")),
        "papery": lambda: tuple(o for o in _made("paper") if o.tags["class"] == "paper"),
        "wool": lambda: tuple(o for o in clothing() if o.tags["material"] == "wool"),
        "toy": lambda: tuple(o for o in portable() if o.tags["class"] == by_class["toy"]),
        "food": lexicon.foods,
        "eatable": lambda: tuple(o for o in lexicon.foods() if o.tags["class"] != "drink"),
        "salty": lambda: tuple(o for o in lexicon.foods() if o.tags["taste"].startswith("salty")),
        "meat": lambda: tuple(o for o in lexicon.foods() if o.tags["class"] == "meat"),
        "building": lambda: tuple(o for o in lexicon.places() if o.tags["sort"] == "building"),
        "indoor": lambda: tuple(o for o in lexicon.places() if o.tags["sort"] == "room"),
        "outdoor": lambda: tuple(o for o in lexicon.places() if o.tags["sort"] == "outdoor"),
        "place": lexicon.places,
        "subject": lambda: lexicon.family("subjects"),
        "instrument": lambda: lexicon.family("instruments"),
        "sport": lambda: lexicon.family("sports"),
        "job": lexicon.jobs,
        "town": lexicon.towns,
        "spot": lexicon.spots,
        "animal": lexicon.animals,
        "beasts": lexicon.animal_plurals,
        "activity": lexicon.activities,
        "help with": lambda: tuple(one for one in lexicon.activities() if one.key not in ALONE),
        "feeling": lexicon.feelings,
        "colour": lambda: lexicon.family("colours"),
        "day": lambda: lexicon.family("days"),
        "ride": lambda: lexicon.family("rides"),
        "weather": lambda: lexicon.family("weather"),
        "bird": lambda: group("caged"),
        "grade": lexicon.grades,
        "kin": lambda: lexicon.family("kin"),
        "petname": lexicon.pet_names,
    }
    if name in table:
        return table[name]()
    source = {"baked": "food", "fresh": "food", "plant": "food", "fun": "place"}.get(name)
    pet_like = ("pet", "caged", "beast")
    words = lexicon.animals() if name in pet_like else group(source) if source else lexicon.objects()
    return _named(words, listed(name))
