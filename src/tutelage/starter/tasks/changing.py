"""Facts for tasks to ask about, and facts that differ from one in a single thing, all of the draw's own part.

A wrong answer that is made here looks like the right one: it speaks of the same kind of thing, in the same wordings,
and differs in one word, in who does it to whom, or in what is said of the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tutelage.starter.microworld import knowledge, lexicon
from tutelage.starter.microworld.draw import SHARED_OUT, Draw, allowed
from tutelage.starter.microworld.parts import Part, part_of
from tutelage.starter.microworld.phrases import phrase
from tutelage.starter.microworld.relations import Fact, fact, relations
from tutelage.starter.microworld.wording import Language, Word, pick, sentence

# relation of a person ("who") → group of words of each other role.
FACTS: dict[str, dict[str, str]] = {
    "has": {"what": "thing"},
    "is_in": {"where": "place"},
    "likes": {"what": "food"},
    "feels": {"how": "feeling"},
    "doing": {"what": "activity"},
    "works": {"what": "job"},
    "lives": {"where": "town"},
    "age": {"years": "years"},
    "wears": {"what": "clothing"},
    "pet": {"what": "pet"},
    "wants": {"what": "thing"},
    "likes_colour": {"what": "colour"},
    "fears": {"what": "beasts"},
    "plays": {"what": "instrument"},
    "sport": {"what": "sport"},
    "studies": {"what": "subject"},
    "travels": {"how": "ride"},
    "plan": {"what": "activity", "when": "day"},
    "compare": {"than": "person", "grade": "grade"},
    "sits": {"whom": "person"},
    "went": {"where": "place"},
    "took": {"what": "thing"},
    "put": {"what": "thing", "where": "spot"},
    "gave": {"what": "thing", "whom": "person"},
    "bought": {"what": "thing"},
    "found": {"what": "thing", "where": "spot"},
    "saw": {"what": "animal", "where": "outdoor"},
    "ate": {"what": "food"},
    "made": {"what": "food", "whom": "person"},
    "met": {"whom": "person", "where": "place"},
    "did": {"what": "activity"},
    "helped": {"whom": "person", "what": "help with"},
    "visited": {"whom": "person", "where": "town"},
    "borrowed": {"what": "thing", "whom": "person"},
    "broke": {"what": "thing"},
    "felt": {"how": "feeling"},
}
# Relations that say something else when these two change places.
TURNED = {
    "gave": ("who", "whom"),
    "borrowed": ("who", "whom"),
    "made": ("who", "whom"),
    "visited": ("who", "whom"),
    "compare": ("who", "than"),
}
# Relations that can say something else of the same words, none of which means nearly the same as another. Each stands
# for others as often as others for it: else "broke" would be the wrong one at sight.
INSTEAD = {
    "has": ("wants", "broke"),
    "wants": ("has", "broke"),
    "broke": ("has", "wants"),
    "likes": ("ate",),
    "ate": ("likes",),
    "gave": ("borrowed",),
    "borrowed": ("gave",),
}
TRICKY_SHARE = 0.6  # how often, of a fact of which another can be told in the very same words, such a one is
# Relations of a person and one thing, of which two people can have each other's.
CROSSED = tuple(
    name for name, roles in FACTS.items() if len(roles) == 1 and next(iter(roles.values())) not in ("person", "years")
)
Both = tuple[tuple[Fact, ...], tuple[Fact, ...]]  # what is told, and something else told of the same words
GENERAL = ("isa", "can", "eats", "home_of", "made_of", "used_for", "kept_in", "job_does", "job_place", "job_tool")
GENERAL_SHARE = 0.15
RIVALS = 3  # general facts that share their y, so that one can stand for another


def drawn(draw: Draw, names: Sequence[str] = tuple(FACTS), general: bool = True) -> Fact:
    """A fact: of a person, or now and then of a kind of thing."""
    if general and draw.odds(GENERAL_SHARE):
        return pick(draw.chance, pick(draw.chance, _general(draw.part)))
    return of_person(draw, draw.person(), pick(draw.chance, names))


def of_person(draw: Draw, who: Word, name: str) -> Fact:
    """A fact of that relation about that person."""
    return fact(name, who=who, **{role: value(draw, kind, who) for role, kind in FACTS[name].items()})


def value(draw: Draw, kind: str, who: Word) -> Word:
    """A word of that group which may meet this person, new in this draw."""
    if kind == "person":
        return draw.person()
    if kind == "years":
        return draw.fresh([lexicon.number(years, "岁") for years in range(5, 61)])
    if kind == "grade":
        return draw.fresh([grade for grade in lexicon.grades() if grade.tags["of"] == "person"])
    before = set(draw.used)
    word = draw.word(kind, who)
    while _base(word) in before:  # all that may meet this person have been drawn
        word = draw.word(kind)
    return word


@cache
def _general(part: Part) -> tuple[tuple[Fact, ...], ...]:
    """This part's general facts, those together that say the same of different things."""
    found: dict[tuple[str, str], list[Fact]] = {}
    for one in knowledge.asked(part):
        if one.relation.name in GENERAL:
            found.setdefault((one.relation.name, one.roles["y"].key), []).append(one)
    return tuple(tuple(rivals) for rivals in found.values() if len(rivals) >= RIVALS)


def changeable(one: Fact) -> tuple[str, ...]:
    """The roles in which another word can stand."""
    return ("x",) if one.relation.time == "generic" else tuple(one.relation.roles)


def changed(draw: Draw, one: Fact, role: str) -> Fact:
    """The fact with another word in that role, like the one before: a new one each time."""
    if one.relation.time == "generic":
        family = next(rivals for rivals in _general(draw.part) if any(one is rival for rival in rivals))
        draw.used.add(one.roles["x"].key)
        left = [rival for rival in family if rival.roles["x"].key not in draw.used]
        other = pick(draw.chance, left)
        draw.used.add(other.roles["x"].key)
        return other
    old = one.roles[role]
    if old.kind == "person":
        return one.having(role, _somebody(draw, one, old) if role == "who" else draw.person(old.tags["gender"]))
    new = value(draw, FACTS[one.relation.name][role], one.roles["who"])
    if old.kind == "feeling":
        while new.tags["group"] == old.tags["group"]:
            new = value(draw, "feeling", one.roles["who"])
    return one.having(role, _like(draw, new, old) if old.kind == "thing" else new)


def _somebody(draw: Draw, one: Fact, old: Word) -> Word:
    """Another person of whom this part may say it, if one is found soon."""
    kinds = FACTS[one.relation.name]
    shared = [_base(one.roles[role]) for role, kind in kinds.items() if kind in SHARED_OUT]
    for _ in range(12):
        new = draw.person(old.tags["gender"])
        if all(part_of(new.key, key) == draw.part for key in shared[:1]):
            break
    return new


def _base(word: Word) -> str:
    return word.tags.get("base", word.key)


def _like(draw: Draw, new: Word, old: Word) -> Word:
    """Another thing with the old one's colour or look, or (half the time) the old thing with another of these."""
    nouns = {noun.key: noun for noun in lexicon.objects()}
    if "base" not in old.tags:
        return nouns[_base(new)]
    family = lexicon.family("colours") if old.tags["colour"] else lexicon.family("looks")
    shade = next(word for word in family if word.key == (old.tags["colour"] or old.tags["look"]))
    if draw.odds(0.5):
        draw.used.add(f"shade {shade.key}")
        shade = next(word for word in draw.some(family, len(family)) if f"shade {word.key}" not in draw.used)
        draw.used.add(f"shade {shade.key}")
        new = old
    return lexicon.paint(nouns[_base(new)], *((shade, None) if old.tags["colour"] else (None, shade)))


def turned(one: Fact) -> Fact | None:
    """The fact with its two people in each other's place; None where that says the same, or nothing."""
    if one.relation.name not in TURNED:
        return None
    a, b = TURNED[one.relation.name]
    return one.having(a, one.roles[b]).having(b, one.roles[a])


def instead(one: Fact) -> list[Fact]:
    """Other things said of the same people and things."""
    return [Fact(relations()[name], one.roles) for name in INSTEAD.get(one.relation.name, ())]


def different(draw: Draw, one: Fact) -> Fact:
    """A fact that differs in one thing: turned round, another thing said of the same words, or with another word."""
    others = [*instead(one), *filter(None, [turned(one)])]
    if others and draw.odds(TRICKY_SHARE):
        return pick(draw.chance, others)
    return changed(draw, one, pick(draw.chance, changeable(one)))


def crossed(draw: Draw) -> Both | None:
    """Two people with a thing each, and the same with each other's: all four may meet in this part. None where the
    two people have not two such things in common.
    """
    name = pick(draw.chance, CROSSED)
    role, kind = next(iter(FACTS[name].items()))
    one, other = draw.people(2)
    both = [word for word in allowed(draw.part, one.key, kind) if word in allowed(draw.part, other.key, kind)]
    words = draw.some(both, 2)
    if len(words) < 2 or words[0].tags.get("group", "0") == words[1].tags.get("group", "1"):
        return None
    a, b = (draw.dress(word) if word.kind == "thing" else word for word in words)
    told = fact(name, **{"who": one, role: a}), fact(name, **{"who": other, role: b})
    return told, (told[0].having(role, b), told[1].having(role, a))


def alike(draw: Draw, one: Fact, count: int) -> list[Fact]:
    """So many facts that differ from it, and from each other, in one and the same thing."""
    others = instead(one)
    if len(others) >= count and draw.odds(0.4):
        return others[:count]
    role = pick(draw.chance, changeable(one))
    return [changed(draw, one, role) for _ in range(count)]


def sentences(draw: Draw, one: Fact, language: Language) -> list[str]:
    """All the ways to tell it, in any order, each as a sentence."""
    count = one.wordings(language)
    told = [one.sentence(language, draw.chance, wording=number) for number in draw.some(range(count), count)]
    return list(dict.fromkeys(told))


def said(draw: Draw, one: Fact, language: Language) -> str:
    """The fact as a sentence."""
    return one.sentence(language, draw.chance)


def retold(draw: Draw, one: Fact, others: Sequence[Fact], language: Language) -> tuple[str, list[str]]:
    """The fact in a wording, and each of the others (it may be among them) in any wording but that: so that to be
    worded alike never shows that something is another fact.
    """
    wording = pick(draw.chance, range(one.wordings(language)))
    told = [sentence(_worded_otherwise(draw, other, one, wording, language), language) for other in others]
    return one.sentence(language, draw.chance, wording=wording), told


def _worded_otherwise(draw: Draw, one: Fact, other: Fact, wording: int, language: Language) -> str:
    """The fact as a clause, in any wording but that in which the other one stands."""
    left = [n for n in range(one.wordings(language)) if n != wording or one.relation is not other.relation]
    return one.clause(language, draw.chance, wording=pick(draw.chance, left))


def retold_together(draw: Draw, told: Sequence[Fact], again: Sequence[Fact], language: Language) -> tuple[str, str]:
    """A fact or two in a sentence, and as many in another: of each person in another wording, in any order."""
    first, second = [], []
    for one, other in zip(told, again, strict=True):
        wording = pick(draw.chance, range(one.wordings(language)))
        first.append(one.clause(language, draw.chance, wording=wording))
        second.append(_worded_otherwise(draw, other, one, wording, language))
    return _together(first, language, draw), _together(draw.some(second, len(second)), language, draw)


def _together(clauses: Sequence[str], language: Language, draw: Draw) -> str:
    """One or two clauses as a sentence."""
    if len(clauses) == 1:
        return sentence(clauses[0], language)
    return phrase("and", language, draw.chance, a=clauses[0], b=clauses[1])
