"""Reviews: what is praised or blamed about a place, a thing or a show, with an exact tone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.parts import Part, shares
from tutelage.starter.microworld.phrases import phrase
from tutelage.starter.microworld.tables import pair, table
from tutelage.starter.microworld.wording import Chance, Language, Word, join, pick, sentence

Tone = Literal["good", "bad", "mixed"]
PLACES = ("hotel", "restaurant", "cafe", "zoo", "museum", "castle", "pool", "campsite", "island", "farm")
SHOWS = (
    ("the film", "电影"),
    ("the play", "话剧"),
    ("the concert", "音乐会"),
    ("the circus", "马戏"),
    ("the puppet show", "木偶戏"),
)


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing to praise or blame; `part`: who may ask for the tone of it."""

    sort: str
    name: tuple[str, str]
    good: tuple[str, str]
    bad: tuple[str, str]
    part: Part

    def clause(self, good: bool, language: Language) -> str:
        """ "the service was friendly"."""
        number = 0 if language == "en" else 1
        said = self.good if good else self.bad
        return f"{self.name[number]} {said[number]}" if language == "en" else f"{self.name[1]}{said[1]}"


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """A review: its subject, what it says (aspect, praised?), its tone, and the tone of its first and last words."""

    subject: Word
    points: tuple[tuple[Aspect, bool], ...]
    tone: Tone
    open: str
    close: str

    def text(self, language: Language, chance: Chance) -> str:
        """The review."""
        lines = []
        name = self.subject.forms[language][""]
        if self.open:
            lines.append(phrase(f"review_open_{self.open}", language, chance, t=name))
        clauses = [aspect.clause(good, language) for aspect, good in self.points]
        while clauses:
            first = clauses.pop(0)
            tones = self.points[-len(clauses) - 1][1], self.points[-len(clauses)][1] if clauses else None
            if clauses and chance.random() < 0.5:
                second = clauses.pop(0)
                if tones[0] == tones[1]:
                    both = f"{first} and {second}" if language == "en" else f"{first}，{second}"
                    lines.append(sentence(both, language))
                else:
                    lines.append(phrase("but_link", language, chance, a=first, b=second))
            else:
                lines.append(sentence(first, language))
        if self.close:
            lines.append(phrase(f"review_close_{self.close}", language, chance))
        return join(lines, language)


@cache
def aspects() -> tuple[Aspect, ...]:
    """All aspects."""
    rows = table("aspects")
    parts = shares("aspects", (f"{row[0]} {row[1]}" for row in rows))
    return tuple(
        Aspect(sort, pair(name), (good, good_zh), (bad, bad_zh), parts[f"{sort} {name}"])
        for sort, name, good, good_zh, bad, bad_zh in rows
    )


@cache
def _aspects(sort: str, part: Part | None) -> tuple[Aspect, ...]:
    return tuple(one for one in aspects() if one.sort == sort and (part is None or one.part == part))


def subject(draw: Draw, sort: str) -> Word:
    """Something to write a review about."""
    town = draw.word("town")
    if sort == "show":
        english, chinese = pick(draw.chance, SHOWS)
        return lexicon.simple(f"{english} in {town.key}", "subject", town.forms["zh"][""] + "的" + chinese)
    if sort == "place":
        name = pick(draw.chance, PLACES)
        place = next(word for word in lexicon.places() if word.key == name)
        return lexicon.simple(
            f"the {place.key} in {town.key}", "subject", town.forms["zh"][""] + "的" + place.tags["zh"]
        )
    thing = draw.dress(draw.fresh(group("thing")))
    return lexicon.simple(f"the {thing.forms['en']['noun']}", "subject", thing.forms["zh"][""])


def review(draw: Draw, tone: Tone, asked: bool = False, sort: str = "", said: bool = True) -> Review:
    """A review of that tone. asked: only with aspects that this part may ask about; said: with a first or last
    sentence that says the tone outright (a mixed one never does).
    """
    part = draw.part if asked else None
    sort = sort or pick(draw.chance, [name for name in ("place", "thing", "show") if len(_aspects(name, part)) > 1])
    own = _aspects(sort, part)
    count = min(len(own), draw.number(2, 4) if tone == "mixed" else draw.number(1, 4))
    chosen = draw.some(own, count)
    goods = [tone == "good"] * count
    if tone == "mixed":
        goods = [number % 2 == 0 for number in range(count)]
        draw.chance.shuffle(goods)
    word = tone if tone != "mixed" and said else ""
    opening = word if word and draw.odds(0.5) else "plain"
    return Review(
        subject(draw, sort), tuple(zip(chosen, goods, strict=True)), tone, opening, word if draw.odds(0.6) else ""
    )
