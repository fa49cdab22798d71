"""Closed-book questions: about the people and towns whom the world knows by name, about kinds of things, about words.

Nothing that answers them stands in the prompt; all of it was told in the text of pretraining. Whom and what a test asks
about was never asked about before (`people.Known.part`, `surely.asked`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tutelage.starter.microworld import knowledge, people
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import Part
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.wording import Language, pick, question, sentence
from tutelage.starter.tasks import surely
from tutelage.starter.tasks.making import Maker, Row, told_apart

THREE = 3


# --- people and towns ---


def known_fact(draw: Draw, relation: str = "") -> Fact:
    """A fact about somebody, or a town, whom this part may ask about; of that relation, where one is given."""
    part = pick(draw.chance, surely.parts_asked(draw.part))
    if relation:
        return pick(draw.chance, _known_facts(part, relation))
    return pick(draw.chance, pick(draw.chance, people.everybody(part)).facts)


@cache
def _known_facts(part: Part, relation: str) -> tuple[Fact, ...]:
    known = people.everybody(part)
    return tuple(fact for one in known for fact in one.facts if fact.relation.name == relation)


def people_answer(draw: Draw, language: Language, label: int) -> Row | None:
    """A question about somebody, answered freely."""
    one = known_fact(draw)
    role = people.asked_role(one)
    return {"question": one.ask(role, language, draw.chance), "answer": one.answer(role, language)}


def people_choice(draw: Draw, language: Language, label: int) -> Row | None:
    """A question about somebody with three possible answers, which hold of three people of this part."""
    one = known_fact(draw)
    role = people.asked_role(one)
    gender = one.roles[role].tags.get("gender", "")
    others = [known_fact(draw, one.relation.name) for _ in range(THREE - 1)]
    if any(other.roles[role].tags.get("gender", "") != gender for other in others):
        return None
    said = [other.answer(role, language) for other in (one, *others)]
    named = {word.key for word in one.roles.values()} - {one.roles[role].key}
    if not told_apart(said) or any(other.roles[role].key in named for other in others):
        return None
    return {"question": one.ask(role, language, draw.chance), "options": said}


# --- kinds of things ---

# How often each relation comes.
CLAIMED = (
    "isa", "isa", "mass_isa", "trait", "trait", "made_of", "made_of", "tastes", "can", "eats", "home_of", "job_does",
)  # fmt: skip
POINTED_AT = (
    "isa", "isa", "isa", "made_of", "made_of", "used_for", "used_for", "place_for", "job_does", "can", "natural_colour",
)  # fmt: skip
TOLD_OF = ("made_of", "made_of", "used_for", "used_for", "isa", "job_does", "place_for", "home_of", "can")
DENIED_SHARE = 0.2


def general_true(draw: Draw, language: Language, label: int) -> Row | None:
    """A sentence about a kind of thing, animal, food or job: true (label 0) or false (1). Now and then it denies."""
    facts = general_facts(draw, CLAIMED, 2)
    if not facts:
        return None
    # The false sentence says of one thing what holds of another. False ones belong to parts as facts do.
    false = facts[0].having("y", facts[1].roles["y"])
    if knowledge.part(false) not in surely.parts_asked(draw.part):
        return None
    denied = draw.odds(DENIED_SHARE)
    told = facts[0] if (label == 0) != denied else false
    clause = told.denial(language, draw.chance) if denied else told.clause(language, draw.chance)
    return {"statement": sentence(clause, language)}


def which_one(draw: Draw, language: Language, label: int) -> Row | None:
    """Which of three things, animals, places or people of some job something holds of."""
    facts = general_facts(draw, POINTED_AT, THREE)
    if not facts:
        return None
    said = [one.answer("x", language) for one in facts]
    return {"question": _which(facts[0], language, draw), "options": said} if told_apart(said) else None


def made_for(draw: Draw, language: Language, label: int) -> Row | None:
    """What something is made of, what it is for, what kind of thing it is, what somebody of some job does."""
    return ask_general(draw, TOLD_OF, language)


def ask_general(draw: Draw, names: Sequence[str], language: Language, role: str = "y") -> Row | None:
    """A question for what stands in that role of a fact of one of these relations, with three answers."""
    facts = general_facts(draw, names, THREE)
    said = [one.answer(role, language) for one in facts]
    if not facts or not told_apart(said):
        return None
    return {"question": facts[0].ask(role, language, draw.chance), "options": said}


def general_facts(draw: Draw, names: Sequence[str], count: int) -> list[Fact]:
    """So many facts of this part, of one of these relations, that exclude each other; none where chance finds none."""
    return surely.exclusive(draw, surely.asked(pick(draw.chance, names), draw.part), count)


# Kinds have no question of their own for what belongs to them.
WHICH: dict[Language, tuple[str, ...]] = {
    "en": ("Which of these is {a}", "Which one is {a}", "What is {a}", "One of these is {a}: which one"),
    "zh": ("哪个是{a}", "下面哪个是{a}", "什么是{a}", "这里面哪个属于{a}"),
}


def _which(one: Fact, language: Language, draw: Draw) -> str:
    if one.relation.name != "isa":
        return one.ask("x", language, draw.chance)
    return question(pick(draw.chance, WHICH[language]).replace("{a}", one.answer("y", language)), language)


# --- words ---

# Words of one sort stand as options beside each other, so that their sort gives nothing away; the rest are adjectives.
SORTS = (
    "win lose buy sell push pull come go give take start stop laugh cry love hate remember forget arrive leave sit "
    "stand ask answer begin end finish shut close speak talk jump leap shout yell look watch",
    "up down left right inside outside near far first last always never",
    "day night summer winter friend enemy present gift street road",
)
# Words that come near each other in meaning: none of them is a wrong answer where another is right.
NEAR = (
    "small little short low narrow thin few shallow light",
    "big large long high wide thick many deep heavy",
    "bad wrong false cruel rude stupid ill sick dear",
    "good right true kind polite clever smart",
    "old aged",
    "new young clean",
    "hard difficult strong",
    "soft easy weak loose",
    "happy glad sweet",
    "sad unhappy bitter",
    "afraid scared timid weak",
    "brave strong",
    "pretty beautiful clean",
    "sharp clever smart",
    "blunt rude stupid",
    "bright light",
    "lazy slow tired weary",
    "busy fast quick",
    "wet soaked",
    "ill sick weak tired weary",
    "healthy strong",
    "angry mad",
    "quiet kind",
    "loud rude",
    "stop end finish",
    "start begin",
    "go leave",
    "come arrive",
    "shut close closed end",
    "speak talk ask answer",
    "shout yell cry",
    "love laugh",
    "take buy win",
    "give sell",
    "push leave",
    "start go",
    "up first",
    "down last",
    "rich wealthy dear",
    "poor cheap empty",
    "dark dirty",
    "rough hard",
    "expensive dear",
)


@cache
def _sort(word: str) -> int:
    return next((number for number, row in enumerate(SORTS) if word in row.split()), len(SORTS))


@cache
def _near(word: str) -> frozenset[str]:
    return frozenset({word}.union(*(row.split() for row in NEAR if word in row.split())))


def _unlike(one: Fact, other: Fact) -> bool:
    """Whether neither pair of opposites has a word that would do in the other, nor one of another sort."""
    x, y, a, b = (fact.roles[role].key for fact in (one, other) for role in ("x", "y"))
    return _sort(y) == _sort(b) and not {x, y} & (_near(a) | _near(b))


def opposites(draw: Draw, language: Language, label: int) -> Row | None:
    """The opposite of a word among three words that are opposites of something."""
    found: list[Fact] = []
    for one in draw.some(surely.asked("opposite_of", draw.part), 40):
        if len(found) < THREE and all(_unlike(one, other) for other in found):
            found.append(one)
    draw.chance.shuffle(found)
    said = [one.answer("y", language) for one in found]
    word = found[0].roles["x"].forms[language][""]
    if len(said) < THREE or not told_apart([word, *said]):
        return None
    return {"word": word, "options": said}


MAKERS: dict[str, Maker] = {
    "people_choice": Maker(people_choice, THREE),
    "people_answer": Maker(people_answer),
    "general_true": Maker(general_true, 2),
    "which_one": Maker(which_one, THREE),
    "made_for": Maker(made_for, THREE),
    "opposites": Maker(opposites, THREE),
}
