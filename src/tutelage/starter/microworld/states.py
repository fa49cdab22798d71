"""Scenes of what is so: portraits, rooms, prices, rankings, plans, amounts, weather, families."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.claims import Ask, Telling
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.relations import Fact, fact
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.wording import Word

# relation → (role of the value, group of words); `topic` of a portrait in which it comes first.
TRAITS: dict[str, tuple[str, str, str]] = {
    "has": ("what", "thing", "home"),
    "is_in": ("where", "place", "home"),
    "likes": ("what", "food", "food"),
    "feels": ("how", "feeling", "health"),
    "doing": ("what", "activity", "play"),
    "works": ("what", "job", "work"),
    "lives": ("where", "town", "travel"),
    "age": ("years", "age", "home"),
    "wears": ("what", "clothing", "shopping"),
    "pet": ("what", "pet", "animals"),
    "wants": ("what", "thing", "shopping"),
    "likes_colour": ("what", "colour", "play"),
    "fears": ("what", "beasts", "animals"),
    "plays": ("what", "instrument", "music"),
    "sport": ("what", "sport", "sport"),
    "studies": ("what", "subject", "school"),
    "travels": ("how", "ride", "travel"),
}


def value(draw: Draw, who: Word, kind: str) -> Word:
    """A value for a trait of this person."""
    if kind == "age":
        word = lexicon.number(draw.number(5, 60), "岁")
        if word.key in draw.used:
            word = lexicon.number(draw.number(5, 60), "岁")
        draw.used.add(word.key)
        return word
    return draw.word(kind, who)


def portraits(draw: Draw, people: int = 0, each: int = 0, traits: Sequence[str] = ()) -> Scene:
    """Several people, each with the same kinds of trait, told person by person, trait by trait, or mixed."""
    people = people or draw.number(1, 4)
    each = each or draw.number(1, 5 if people == 1 else 3)
    names = list(traits) or draw.some(list(TRAITS), max(each, 3 if people == 1 else 1))
    who = draw.people(people)
    told = [_trait(draw, person, name) for person in who for name in names]
    gist = tuple(told[:1])
    order = draw.number(0, 2)
    if order == 1:
        told = [told[person * len(names) + trait] for trait in range(len(names)) for person in range(people)]
    if order == 2 or draw.odds(0.3):
        draw.chance.shuffle(told)
    drop = 1 if len(told) > 3 and draw.odds(0.3) else 0
    topic = TRAITS[names[0]][2]
    return Scene(
        "portraits",
        topic,
        tuple(who),
        tuple(Telling(one) for one in told[: len(told) - drop]),
        gist if not drop or gist[0] is not told[-1] else (told[0],),
        title=(who[0], next(word for word in told[0].roles.values() if word not in who)),
    )


def _trait(draw: Draw, who: Word, name: str) -> Fact:
    role, kind, _ = TRAITS[name]
    return fact(name, **{"who": who, role: value(draw, who, kind)})


def room(draw: Draw) -> Scene:
    """Things in a room: where each lies, and perhaps its colour."""
    count = draw.number(2, 6)
    things = [draw.fresh(group("thing")) for _ in range(count)]
    spots = [draw.word("spot", thing) for thing in things]
    told = [fact("lies", what=draw.dress(thing, 0.7), where=spot) for thing, spot in zip(things, spots, strict=True)]
    return Scene(
        "room",
        "home",
        (),
        tuple(Telling(one) for one in told),
        tuple(told[:1]),
    )


def colours(draw: Draw) -> Scene:
    """Things with their colours."""
    things = [draw.fresh(group("thing")) for _ in range(draw.number(2, 5))]
    shades = draw.some(lexicon.family("colours"), len(things))
    told = [fact("is_coloured", what=thing, colour=shade) for thing, shade in zip(things, shades, strict=True)]
    return Scene("colours", "home", (), tuple(map(Telling, told)), tuple(told[:1]))


def prices(draw: Draw) -> Scene:
    """A shop: what things cost, and what is dearest and cheapest."""
    count = draw.number(2, 5)
    things = [draw.dress(draw.fresh(group("thing")), 0.6) for _ in range(count)]
    amounts = draw.some(range(2, 60 if draw.odds(0.3) else 20), count)
    told = [
        fact("costs", what=thing, number=lexicon.number(amount)) for thing, amount in zip(things, amounts, strict=True)
    ]
    ranked = [thing for _, thing in sorted(zip(amounts, things, strict=True), key=lambda pair: pair[0])]
    asks = [_extreme("dear", ranked[::-1], told), _extreme("cheap", ranked, told)] if count > 2 else []
    implied = [_compare(a, b, "dear") for a, b in zip(ranked[1:], ranked, strict=False)]
    return Scene(
        "prices",
        "shopping",
        (),
        tuple(Telling(one) for one in told),
        tuple(told[:1]),
        implied=tuple(implied),
        asks=tuple(asks),
    )


def _grade(base: str, of: str) -> Word:
    return next(word for word in lexicon.grades() if word.key == f"{base} {of}")


def _compare(more: Word, less: Word, base: str) -> Fact:
    return fact("compare", who=more, than=less, grade=_grade(base, "person" if more.kind == "person" else "thing"))


def _extreme(base: str, ranked: Sequence[Word], support: Sequence[Fact]) -> Ask:
    """Who or what is the most so, of `ranked` from most to least."""
    grade = _grade(base, "person" if ranked[0].kind == "person" else "thing")
    slots: tuple[tuple[str, Fact | Word | str], ...] = (("est", grade), ("er", grade), ("z", grade))
    name = "superlative" if ranked[0].kind == "person" else "superlative_thing"
    others = tuple(ranked[:0:-1])
    return Ask("superlative", ranked[0], others, tuple(support), group=name, full_group="superlative_fact", slots=slots)


def ranking(draw: Draw) -> Scene:
    """People or things in a row: each compared with the next; who is first follows."""
    count = draw.number(2, 4)
    grade = draw.fresh(lexicon.grades())
    base, _, of = grade.key.partition(" ")
    words = draw.people(count) if of == "person" else [draw.dress(draw.fresh(group("thing"))) for _ in range(count)]
    told = []
    for more, less in pairwise(words):
        if draw.odds(0.25):
            # The same said from the other end: Ben is shorter than Tom.
            told.append(
                _compare(less, more, grade.tags["opposite"].partition(" ")[0])
                if _has(grade)
                else _compare(more, less, base)
            )
        else:
            told.append(_compare(more, less, base))
    draw.chance.shuffle(told)
    implied = [_compare(a, c, base) for i, a in enumerate(words) for c in words[i + 1 :]]
    if _has(grade):
        contrary = grade.tags["opposite"].partition(" ")[0]
        implied += [_compare(c, a, contrary) for i, a in enumerate(words) for c in words[i + 1 :]]
    keys = {one.key for one in told}
    implied = [one for one in implied if one.key not in keys]
    asks = []
    if count > 2:
        asks.append(_extreme(base, words, told))
        if _has(grade):
            asks.append(_extreme(grade.tags["opposite"].partition(" ")[0], words[::-1], told))
    return Scene(
        "ranking",
        "sport" if of == "person" else "shopping",
        tuple(words) if of == "person" else (),
        tuple(Telling(one) for one in told),
        tuple(told[:1]),
        implied=tuple(implied),
        asks=tuple(asks),
    )


def _has(grade: Word) -> bool:
    """Whether its opposite is in the table too."""
    return any(word.key == grade.tags["opposite"] for word in lexicon.grades())


def week(draw: Draw) -> Scene:
    """Plans for days of the week, of one person or several."""
    count = draw.number(2, 5)
    days = sorted(draw.some(range(7), count)) if draw.odds(0.6) else draw.some(range(7), count)
    who = draw.people(1 if draw.odds(0.4) else min(count, draw.number(2, 3)))
    told = []
    for number, day in enumerate(days):
        person = who[number % len(who)]
        told.append(fact("plan", who=person, what=draw.word("activity", person), when=lexicon.family("days")[day]))
    return Scene(
        "week",
        "play",
        tuple(who),
        tuple(Telling(one) for one in told),
        tuple(told[:1]),
        title=(who[0], told[0].roles["what"]),
    )


def amounts(draw: Draw) -> Scene:
    """Who has how many, what is given and lost, how many that makes."""
    noun = draw.fresh((*group("thing"), *lexicon.generic_foods()))
    what = lexicon.many(noun)
    who = draw.people(draw.number(2, 3))
    first = [draw.number(2, 9) for _ in who]
    have = list(first)
    told = [Telling(_counts(person, value_, what)) for person, value_ in zip(who, have, strict=True)]
    changes = draw.number(0, 2)
    changed: set[int] = set()
    for _ in range(changes):
        giver = draw.number(0, len(who) - 1)
        if giver in changed or have[giver] < 4:
            continue
        count = draw.number(2, have[giver] - 2)
        kind = draw.number(0, 2)
        amount = lexicon.number(count, what.tags["measure"])
        if kind == 0:
            taker = (giver + 1) % len(who)
            told.append(Telling(fact("gave_some", who=who[giver], number=amount, what=what, whom=who[taker])))
            have[giver] -= count
            have[taker] += count
            changed |= {giver, taker}
        else:
            name = "lost_some" if kind == 1 else "got_some"
            told.append(Telling(fact(name, who=who[giver], number=amount, what=what)))
            have[giver] += count if kind == 2 else -count
            changed.add(giver)
    return _amounts(who, what, first, have, changed, tuple(told))


def _counts(who: Word, value_: int, what: Word) -> Fact:
    return fact("counts", who=who, number=lexicon.number(value_, what.tags["measure"]), what=what)


def _amounts(
    who: Sequence[Word],
    what: Word,
    first: Sequence[int],
    have: Sequence[int],
    changed: set[int],
    told: tuple[Telling, ...],
) -> Scene:
    support = tuple(telling.fact for telling in told)
    total, measure = sum(have), what.tags["measure"]
    wrong = [lexicon.number(value_, measure) for value_ in {total - 1, total + 1, total + 2, *have} if value_ != total]
    asks = [_ask_number("total", "total", total, wrong, what, support, {})]
    if len(set(have)) == len(have):
        top = max(range(len(who)), key=lambda number: have[number])
        others = tuple(person for number, person in enumerate(who) if number != top)
        if len(who) == 2:
            slots: tuple[tuple[str, Fact | Word | str], ...] = (("what", what), ("x", who[0]), ("y", who[1]))
            asks.append(Ask("more", who[top], others, support, group="who_more", slots=slots))
    for number in changed:
        options = {first[number], have[number] + 1, have[number] + 2, have[number] - 1} - {have[number], 0, 1}
        wrong = [lexicon.number(value_, measure) for value_ in sorted(options)]
        ask = _ask_number("left", "left", have[number], wrong, what, support, {"who": who[number]})
        asks.append(replace(ask, about=_counts(who[number], have[number], what)))
    stale = tuple(_counts(who[number], first[number], what) for number in changed)
    implied = tuple(_counts(who[number], have[number], what) for number in changed)
    return Scene(
        "amounts",
        "shopping",
        tuple(who),
        told,
        (told[-1].fact,),
        timed=len(told) > len(who),
        implied=implied,
        asks=tuple(asks),
        stale=stale,
        title=(who[0], what),
    )


def _ask_number(
    kind: str,
    name: str,
    value_: int,
    wrong: Sequence[Word],
    what: Word,
    support: tuple[Fact, ...],
    more: dict[str, Word],
) -> Ask:
    slots: tuple[tuple[str, Fact | Word | str], ...] = (("what", what), *more.items())
    return Ask(
        kind,
        lexicon.number(value_, what.tags["measure"]),
        tuple(wrong),
        support,
        form="m",
        group=name,
        full_group="total_fact",
        slots=slots,
    )


def forecast(draw: Draw) -> Scene:
    """The weather in several towns."""
    count = draw.number(2, 5)
    weather = draw.some(lexicon.family("weather"), count)
    told = [fact("weather", where=draw.fresh(lexicon.towns()), how=how) for how in weather]
    return Scene("forecast", "weather", (), tuple(Telling(one) for one in told), tuple(told[:1]))


KIN_OF = {"m": ("brother", "father", "uncle"), "f": ("sister", "mother", "aunt")}
KIN_ANY = ("friend", "neighbour", "cousin", "teacher")


def family(draw: Draw) -> Scene:
    """Who is whose brother, mother, friend, and a trait of each."""
    centre = draw.person()
    others = draw.people(draw.number(1, 3))
    told = []
    used: set[str] = set()
    by_key = {word.key: word for word in lexicon.family("kin")}
    for other in others:
        kinds = [kin for kin in (*KIN_OF[other.tags["gender"]], *KIN_ANY) if kin not in used]
        kin = kinds[draw.number(0, len(kinds) - 1)]
        used.add(kin)
        told.append(fact("kin", who=other, whom=centre, how=by_key[kin]))
    name = draw.some([one for one in TRAITS if one not in ("feels", "age")], 1)[0]  # nobody is older than a parent
    traits = [_trait(draw, person, name) for person in (centre, *others)]
    facts = [*told, *traits]
    if draw.odds(0.5):
        draw.chance.shuffle(facts)
    return Scene(
        "family",
        "home",
        (centre, *others),
        tuple(Telling(one) for one in facts),
        (told[0],),
        title=(centre, told[0].roles["who"]),
    )


def seats(draw: Draw) -> Scene:
    """Pairs on benches, and what they have."""
    pairs = draw.number(1, 2)
    who = draw.people(2 * pairs)
    told = [fact("sits", who=who[2 * n], whom=who[2 * n + 1]) for n in range(pairs)]
    name = draw.some(["wears", "has", "age", "studies", "likes"], 1)[0]
    facts = [*told, *(_trait(draw, person, name) for person in who)]
    return Scene(
        "seats", "school", tuple(who), tuple(Telling(one) for one in facts), (told[0],), title=(who[0], who[1])
    )
