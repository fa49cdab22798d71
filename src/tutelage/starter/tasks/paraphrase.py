"""Paraphrase: whether two sentences or questions mean the same, which one does, and saying it in other words.

Two sentences of one meaning never stand in the same wording. Those of different meaning have other wordings too, and
differ in one thing: another word, two people or two things in each other's place, or something else said of the same.
"""

from __future__ import annotations

from collections.abc import Callable

from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import part_of
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.wording import Language, pick
from tutelage.starter.tasks.changing import (
    FACTS,
    INSTEAD,
    TURNED,
    Both,
    alike,
    changed,
    crossed,
    different,
    drawn,
    instead,
    of_person,
    retold,
    retold_together,
    said,
    sentences,
    turned,
)
from tutelage.starter.tasks.making import Maker, Row

# Facts of a person and one more thing, whose questions no other relation asks in the same words.
ASKED = (
    "lives", "works", "age", "likes", "likes_colour", "sport", "travels", "fears", "studies", "feels", "is_in", "doing",
    "went", "took", "bought", "broke", "ate",
)  # fmt: skip
# How often a question asks for the person. A third of the pairs that differ ask for both the person and the thing, a
# third may ask for either and a third asks for things: 1/3 · 1/2 + 1/3 · 1/4 is the same quarter.
WHO_SHARE = 0.25


def same_meaning(draw: Draw, language: Language, label: int) -> Row | None:
    """Do two sentences mean the same? 0: yes, 1: no.

    They speak of the same people and things either way, so that it is not enough to see whether all words come again:
    where they differ, two people have changed places or two things their owners, or the same is said in another sense.
    """
    made = pick(draw.chance, SAME_WORDS)(draw)
    if made is None:
        return None
    told, other = made
    first, second = retold_together(draw, told, told if label == 0 else other, language)
    return {"first": first, "second": second}


def _turned_round(draw: Draw) -> Both:
    """Who gave what to whom, and the other way round."""
    one = of_person(draw, draw.person(), pick(draw.chance, tuple(TURNED)))
    other = turned(one)
    assert other is not None
    return (one,), (other,)


def _in_another_sense(draw: Draw) -> Both:
    """Who has a thing, and who wants it."""
    one = of_person(draw, draw.person(), pick(draw.chance, tuple(INSTEAD)))
    return (one,), (pick(draw.chance, instead(one)),)


SAME_WORDS: tuple[Callable[[Draw], Both | None], ...] = (
    *(crossed, crossed, crossed, crossed),
    *(_turned_round, _turned_round, _turned_round),
    _in_another_sense,
)


def which_means_the_same(draw: Draw, language: Language, label: int) -> Row | None:
    """Which of three sentences means the same as this one? They differ in one and the same thing."""
    one = drawn(draw)
    sentence, options = retold(draw, one, [one, *alike(draw, one, 2)], language)
    return {"sentence": sentence, "options": options} if len({sentence, *options}) == 4 else None


def says_something_else(draw: Draw, language: Language, label: int) -> Row | None:
    """Two of three sentences mean the same: which is the other?"""
    one = drawn(draw)
    options = [said(draw, different(draw, one), language), *sentences(draw, one, language)[:2]]
    return {"options": options} if len(set(options)) == 3 else None


def same_question(draw: Draw, language: Language, label: int) -> Row | None:
    """Do two questions ask the same? 0: yes, 1: no (of another person or thing, for the other of the two, or for
    something else of the same person).
    """
    kind = draw.number(0, 2) if label else -1
    for_who = kind < 2 and draw.odds(0.5 if kind == 0 else WHO_SHARE)
    one = _asked(draw, for_who)
    value = next(iter(FACTS[one.relation.name]))
    role = "who" if for_who else value
    other, asked = one, role
    if kind == 0:
        asked = value if for_who else "who"
    elif kind == 1:
        other = changed(draw, one, value if for_who else "who")
    elif kind == 2:
        name = pick(draw.chance, [name for name in ASKED if name != one.relation.name])
        other, asked = of_person(draw, one.roles["who"], name), next(iter(FACTS[name]))
    first, second = one.ask(role, language, draw.chance), other.ask(asked, language, draw.chance)
    return None if first == second else {"first": first, "second": second}


def _asked(draw: Draw, for_who: bool) -> Fact:
    """A fact to ask about. A question for the person names nobody, so it is shared out by what it does name."""
    while True:
        name = pick(draw.chance, ASKED)
        one = of_person(draw, draw.person(), name)
        if not for_who or part_of("asked", *one.key[:1], *one.key[2:]) == draw.part:
            return one


def other_words(draw: Draw, language: Language, label: int) -> Row | None:
    """The sentence in other words: every other way to tell the fact is right."""
    sentence, *renderings = sentences(draw, drawn(draw), language)
    return {"sentence": sentence, "renderings": renderings}


MAKERS: dict[str, Maker] = {
    "same_meaning": Maker(same_meaning, 2),
    "which_means_the_same": Maker(which_means_the_same, 3),
    "says_something_else": Maker(says_something_else, 3),
    "same_question": Maker(same_question, 2),
    "other_words": Maker(other_words),
}
