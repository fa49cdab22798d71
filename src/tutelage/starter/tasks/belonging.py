"""What belongs together: the odd one out, and the group of a word."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import permutations

from tutelage.starter.microworld import knowledge, lexicon
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import Part, part_of
from tutelage.starter.microworld.wording import Language, Word, pick
from tutelage.starter.tasks.kinds import apart, mutually_apart, near
from tutelage.starter.tasks.making import Row

FAMILIES = {
    "colours": ("colours", "颜色"),
    "days": ("days", "日子"),
    "months": ("months", "月份"),
    "sports": ("sports", "运动"),
    "jobs": ("jobs", "工作"),
    "feelings": ("feelings", "心情"),
    "towns": ("towns", "城市"),
}

NEAR_GROUPS = near(
    "dish + container + tool + machine + furniture",
    "tool + paper + toy",
    "toy + vehicle + instrument + sports",
    "machine + vehicle + furniture + instrument",
    "meat + meal + basic food + sweet + fruit + vegetable + drink",
    "mammal + fish + bird + insect + reptile + small animal + meat",
    "clothing + jewel",
    "days + months",
)

ASKING: tuple[Part, ...] = ("tune", "test")

SMALLEST = 5  # words; a smaller group would come to the same three again and again


@cache
def _groups(language: Language) -> dict[str, tuple[tuple[str, str], ...]]:
    """The words of every group as (key, text); a word that is in two groups is in none."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in (*lexicon.objects(), *lexicon.animals(), *lexicon.foods()):
        forms = one.forms[language]  # "carrot", not "carrots", or its ending would tell food from things
        found.setdefault(one.tags["class"], []).append((one.key, forms.get("single", forms["noun"])))
    found |= {name: [(one.key, one.forms[language]["noun"]) for one in _family(name)] for name in FAMILIES}
    texts = [text for words in found.values() for _, text in words]
    once = {name: tuple((key, text) for key, text in words if texts.count(text) == 1) for name, words in found.items()}
    return {name: words for name, words in once.items() if len(words) >= SMALLEST}


def _family(name: str) -> Sequence[Word]:
    own = {"jobs": lexicon.jobs, "feelings": lexicon.feelings, "towns": lexicon.towns}
    return own[name]() if name in own else lexicon.family(name)


def _group_name(name: str, language: Language) -> str:
    if name in FAMILIES:
        return FAMILIES[name][language == "zh"]
    return lexicon.classes()[name].forms[language]["s"]


def odd_one(draw: Draw, language: Language, _: int) -> Row | None:
    """Three words of one group and one of another: which does not belong."""
    groups = _groups(language)
    name = pick(draw.chance, list(groups))
    # A word with a capital letter would stand out among others, whatever it means.
    alike = [one for one in groups if _capital(groups[one]) == _capital(groups[name])]
    other = apart(draw, name, alike, NEAR_GROUPS, 1)[0]
    own = [text for key, text in groups[other] if part_of("odd", name, key) == draw.part]
    if not own:
        return None
    options = [pick(draw.chance, own), *(text for _, text in draw.some(groups[name], 3))]
    if any(other.startswith(one) for one, other in permutations(options, 2)):  # "pan" and "pancake"
        return None
    return {"words": (", " if language == "en" else "、").join(draw.some(options, 4)), "options": options}


def _capital(words: Sequence[tuple[str, str]]) -> bool:
    return words[0][1][0].isupper()


@cache
def _members(language: Language, part: Part) -> dict[str, tuple[str, ...]]:
    """The words of which this part may ask to what group they belong; tuning also asks what pretraining may."""
    parts = ("pretrain", "tune") if part == "tune" else (part,)
    asked = {
        (one.roles["y"].key, one.roles["x"].key)
        for one in (*knowledge.same_relation("isa"), *knowledge.same_relation("mass_isa"))
        if knowledge.part(one) in parts
    }
    return {
        name: tuple(
            text
            for key, text in words
            if (name, key) in asked or (name in FAMILIES and part_of("general", "family", key) in parts)
        )
        for name, words in _groups(language).items()
    }


@cache
def _asked_groups(language: Language) -> tuple[str, ...]:
    """The groups of which tuning and test both have words: no other is offered, for it would never be right."""
    return tuple(name for name in _groups(language) if all(_members(language, part)[name] for part in ASKING))


def group(draw: Draw, language: Language, _: int) -> Row | None:
    """To which of four groups a word belongs."""
    members = _members(language, draw.part)
    names = mutually_apart(draw, _asked_groups(language), NEAR_GROUPS, 4)
    return {
        "word": pick(draw.chance, members[names[0]]),
        "options": [_group_name(one, language) for one in names],
    }
