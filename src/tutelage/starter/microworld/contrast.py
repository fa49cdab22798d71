"""Words and facts beside those that hold: what could stand there too, what is ruled out, what stays open."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.claims import Claim
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.relations import Fact, Relation, relations
from tutelage.starter.microworld.wording import Chance, Word, pick

OTHERS = 3


def exact(one: Fact) -> bool:
    """Whether all wordings of the fact mean the same, so that it can be claimed."""
    return one.relation.time != "schema" and not one.relation.loose


def excludes(right: Word, other: Word) -> bool:
    """Whether what is `right` cannot also be `other`: feelings must be of the other tone, and a thing in the box may
    well be on the table, but not in the bag.
    """
    if right.kind == "feeling":
        return right.tags["tone"] != other.tags["tone"]
    if right.kind != "spot":
        return True
    one, two = right.key.split(" ", 1), other.key.split(" ", 1)
    return (one[0] == two[0] and one[0] in ("in", "on", "under")) or (
        one[1] == two[1] and {one[0], two[0]} == {"on", "under"}
    )


def near(word: Word, answer: Word) -> bool:
    """Whether the two feelings mean nearly the same."""
    return word.kind == "feeling" and word.tags["group"] == answer.tags["group"]


def agree(one: Fact, other: Fact, roles: Sequence[str]) -> bool:
    """Whether the two have the same words in these roles."""
    return all(one.roles[name].key == other.roles[name].key for name in roles)


def distinct(words: Sequence[Word], answer: Word, barred: set[str]) -> list[Word]:
    """The words without the answer and those barred by key, each once."""
    found = {word.key: word for word in words if word.key != answer.key and word.key not in barred}
    return list(found.values())


def values_of(kind: str) -> tuple[Word, ...]:
    """All words that could stand in a role of this kind."""
    if kind == "number":
        return tuple(lexicon.number(value, "岁") for value in range(5, 61))
    if kind == "use":
        return tuple(word for word in lexicon.uses("thing").values() if "one's" not in word.forms["en"]["one"])
    return lexicon.names() if kind == "person" else group("portable" if kind in ("noun", "plural") else kind)


def outside(answer: Word, kind: str, seen: set[str], count: int, chance: Chance) -> list[Word]:
    """Words that could stand where `answer` stands, of which the scene says nothing; looking like it (a colour where
    it has one).
    """
    if answer.kind == "number":
        value = int(answer.key)
        near = [value + step for step in (1, -1, 2, -2, 3) if value + step > 1 and str(value + step) not in seen]
        return [lexicon.number(one, answer.tags["measure"]) for one in near[:count]]
    words = values_of(kind)
    if answer.kind == "feeling":
        words = tuple(word for word in words if word.tags["tone"] != answer.tags["tone"])
    found: dict[str, Word] = {}
    for _ in range(count * 4):
        word = pick(chance, words)
        if len(found) < count and word.key not in seen and word.key not in found:
            found[word.key] = word
    if answer.kind == "person":
        found = {key: word for key, word in found.items() if word.kind == "person"}
    return [_like(word, answer, chance) for word in found.values()]


def _like(word: Word, answer: Word, chance: Chance) -> Word:
    if word.kind != "thing" or "base" not in answer.tags:
        return word
    shade = pick(chance, lexicon.family("colours")) if answer.tags["colour"] else None
    look = pick(chance, lexicon.family("looks")) if answer.tags["look"] else None
    return lexicon.paint(word, shade, look)


def more_general(one: Fact) -> Claim | None:
    """ "Tom has a red ball" → "Tom has a ball", or "Tom has a toy"."""
    if one.relation.name not in ("has", "wants", "bought", "found", "borrowed", "pet", "saw"):
        return None
    word = one.roles["what"]
    if "base" in word.tags:
        plain = next(other for other in lexicon.objects() if other.key == word.tags["base"])
        return Claim(one.having("what", plain), False, "yes", (one,))
    kind = lexicon.classes()[word.tags["class"]]
    return Claim(one.having("what", kind), False, "yes", (one,))


def more_special(one: Fact, chance: Chance) -> Fact | None:
    """ "Tom has a ball" → "Tom has a red ball", which is open."""
    if one.relation.name not in ("has", "wants", "bought", "found", "borrowed"):
        return None
    word = one.roles["what"]
    if "base" in word.tags or word.kind != "thing":
        return None
    return one.having("what", lexicon.paint(word, pick(chance, lexicon.family("colours"))))


@cache
def open_relations() -> tuple[tuple[Relation, str, str], ...]:
    """Relations about which a story says nothing unless it says so: with the role of the value and its group."""
    chosen = {
        "likes": ("what", "food"),
        "works": ("what", "job"),
        "lives": ("where", "town"),
        "age": ("years", "number"),
        "likes_colour": ("what", "colour"),
        "fears": ("what", "beasts"),
        "plays": ("what", "instrument"),
        "sport": ("what", "sport"),
        "studies": ("what", "subject"),
        "travels": ("how", "ride"),
    }
    return tuple((relations()[name], role, kind) for name, (role, kind) in chosen.items())
