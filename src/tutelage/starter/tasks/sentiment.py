"""Sentiment: reviews and their tone, who would recommend something, how people feel, whose day was the better one.

Nearly all rows say what was good or bad without a word like "good"; where two people or two days are told of, one must
read whose is which. What is praised and which events a test asks about, nobody asked about in pretraining.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import Part
from tutelage.starter.microworld.phrases import phrase
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.reviews import Aspect, aspects, subject
from tutelage.starter.microworld.schemas import Schema
from tutelage.starter.microworld.wording import Language, Word, capital, join, pick, sentence
from tutelage.starter.tasks import surely
from tutelage.starter.tasks.commonsense import errands, feeling_and_other, in_mood
from tutelage.starter.tasks.making import Maker, Row, told_apart

SORTS = ("place", "thing", "show")
GOOD, BAD, MIXED = 0, 1, 2
TONES = ("good", "bad")
# How often a review says outright, first or last, that somebody liked it.
OUTRIGHT_SHARE = 0.35


# --- reviews ---


@cache
def asked_aspects(part: Part, sort: str) -> tuple[Aspect, ...]:
    """What is praised or blamed about a place, a thing or a show, as far as this part may ask about it."""
    return tuple(one for one in aspects() if one.sort == sort and one.part in surely.parts_asked(part))


def _sort(draw: Draw, least: int) -> str:
    return pick(draw.chance, [sort for sort in SORTS if len(asked_aspects(draw.part, sort)) >= least])


def _points(draw: Draw, sort: str, praised: Sequence[bool], language: Language) -> list[str]:
    """Sentences about different aspects, each praised or blamed."""
    chosen = draw.some(asked_aspects(draw.part, sort), len(praised))
    return [sentence(one.clause(good, language), language) for one, good in zip(chosen, praised, strict=True)]


def review(draw: Draw, language: Language, label: int) -> Row | None:
    """A review that is good (label 0) or bad (1)."""
    sort = _sort(draw, 2)
    count = draw.number(1, min(3, len(asked_aspects(draw.part, sort))))
    tone = TONES[label]
    name = subject(draw, sort).forms[language][""]
    opening = tone if draw.odds(OUTRIGHT_SHARE) else "plain"
    lines = [phrase(f"review_open_{opening}", language, draw.chance, t=name)]
    lines += _points(draw, sort, [label == GOOD] * count, language)
    if draw.odds(OUTRIGHT_SHARE):
        lines.append(phrase(f"review_close_{tone}", language, draw.chance))
    return {"review": join(lines, language)}


def review_mixed(draw: Draw, language: Language, label: int) -> Row | None:
    """A review that is good (0), bad (1) or partly so (2); each praises or blames two or three things."""
    sort = _sort(draw, 3)
    count = draw.number(2, 3)
    praised = [label == GOOD] * count
    if label == MIXED:
        praised = [True, False, draw.odds(0.5)][:count]
        draw.chance.shuffle(praised)
    name = subject(draw, sort).forms[language][""]
    opening = phrase("review_open_plain", language, draw.chance, t=name)
    return {"review": join([opening, *_points(draw, sort, praised, language)], language)}


OPINIONS: dict[Language, str] = {"en": "{a} and {b} tried {t}.", "zh": "{a}和{b}试了{t}。"}
SAID: dict[Language, tuple[str, ...]] = {
    "en": ('{who} said: "{s}"', '{who}: "{s}"', '"{s}" That was {who}.', '{who} wrote: "{s}"'),
    "zh": ("{who}说：“{s}”", "{who}：“{s}”", "“{s}”这是{who}说的。", "{who}写道：“{s}”"),
}


def recommend(draw: Draw, language: Language, label: int) -> Row | None:
    """Two people of opposite opinions about the same thing: would one of them recommend it (0) or not (1)?"""
    sort = _sort(draw, 2)
    asked, other = draw.people(2)
    liked = {asked.key: label == GOOD, other.key: label != GOOD}
    both = draw.some([asked, other], 2)
    names = [who.forms[language][""] for who in both]
    lines = [OPINIONS[language].format(a=names[0], b=names[1], t=subject(draw, sort).forms[language][""])]
    style = pick(draw.chance, SAID[language])
    for who in both:
        said = join(_points(draw, sort, [liked[who.key]] * draw.number(1, 2), language), language)
        lines.append(style.format(who=who.forms[language][""], s=said))
    return {"text": join(lines, language), "name": asked.forms[language][""]}


# --- feelings ---


def _event(draw: Draw, schema: Schema, who: Word) -> Fact:
    return Fact(schema.first, draw.fill(schema.name, schema.slots, who))


def feeling(draw: Draw, language: Language, label: int) -> Row | None:
    """What happened to somebody, or to two people; how one of them feels, and how the other does."""
    schema, other = feeling_and_other(draw)
    right, wrong = schema.feelings[0], other.feelings[0]
    said = [word.forms[language][""] for word in (right, wrong)]
    if right in other.feelings or wrong in schema.feelings or not told_apart(said):
        return None
    who, second = draw.people(2)
    told = [_event(draw, schema, who)]
    if draw.odds(0.5):
        told.append(_event(draw, other, second))
        draw.chance.shuffle(told)
    else:
        told[:0] = errands(draw, who, draw.number(0, 1))
    return {
        "text": join([one.sentence(language, draw.chance) for one in told], language),
        "name": who.forms[language][""],
        "options": said,
    }


def happier(draw: Draw, language: Language, label: int) -> Row | None:
    """Two pages of diaries: the first (label 0) or the second (1) is of the happier day."""
    goods = [label == 0, label != 0]
    first, second = (_page(draw, good, language) for good in goods)
    return {"first": first, "second": second}


def _page(draw: Draw, good: bool, language: Language) -> str:
    """A day as the one who writes it tells it, in two or three sentences."""
    who = draw.person()
    day = pick(draw.chance, lexicon.family("days")).forms[language][""]
    told = errands(draw, who, draw.number(0, 1))
    told.insert(
        draw.number(0, len(told)),
        _event(draw, pick(draw.chance, in_mood(draw.part, TONES[GOOD if good else BAD])), who),
    )
    lines = [sentence(one.mine(language, draw.chance), language) for one in told]
    return join([sentence(capital(day), language), *lines], language)


MAKERS: dict[str, Maker] = {
    "review": Maker(review, 2),
    "review_mixed": Maker(review_mixed, 3),
    "recommend": Maker(recommend, 2),
    "feeling": Maker(feeling, 2),
    "happier": Maker(happier, 2),
}
