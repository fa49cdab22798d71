"""Scenes of what happened: errands, gifts, outings, mishaps, feelings, wishes, searches, shopping, meetings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.claims import Ask, Telling
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.lexicon import use_by
from tutelage.starter.microworld.parts import part_of
from tutelage.starter.microworld.relations import Fact, fact
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.schemas import Schema, askable, causes, clashing, feelings
from tutelage.starter.microworld.wording import Word, pick


def errands(draw: Draw) -> Scene:
    """People go to places, take things, put them down and give them away; where everybody and everything is at the
    end follows.
    """
    who = draw.people(draw.number(1, 3))
    place: dict[str, Word] = {}
    holder: dict[str, Word] = {}
    lying: dict[str, Word] = {}
    things: dict[str, Word] = {}
    told: list[Fact] = []
    stale: list[Fact] = []
    for _ in range(draw.number(2, 6)):
        person = pick(draw.chance, who)
        mine = [things[key] for key, owner in holder.items() if owner is person]
        move = draw.number(0, 3)
        if move == 0 or (move > 1 and not mine):
            target = draw.word("place", person)
            if person.key in place:
                stale.append(fact("is_in", who=person, where=place[person.key]))
            place[person.key] = target
            told.append(fact("went", who=person, where=target))
        elif move == 1:
            thing = draw.word("thing", person)
            things[thing.key] = thing
            holder[thing.key] = person
            told.append(fact("took", who=person, what=thing))
        elif move == 2:
            thing = pick(draw.chance, mine)
            spot = draw.word("spot", person)
            del holder[thing.key]
            lying[thing.key] = spot
            stale.append(fact("holds", who=person, what=thing))
            told.append(fact("put", who=person, what=thing, where=spot))
        else:
            thing = pick(draw.chance, mine)
            others = [one for one in who if one is not person]
            whom = pick(draw.chance, others) if others else draw.person()
            if not others:
                who.append(whom)
            holder[thing.key] = whom
            stale.append(fact("holds", who=person, what=thing))
            told.append(fact("gave", who=person, what=thing, whom=whom))
    people = {person.key: person for person in who}
    implied = [fact("is_in", who=people[key], where=where) for key, where in place.items()]
    implied += [fact("holds", who=owner, what=things[key]) for key, owner in holder.items()]
    implied += [fact("lies", what=things[key], where=spot) for key, spot in lying.items()]
    return Scene(
        "errands",
        "home",
        tuple(who),
        tuple(_timed(draw, told)),
        (told[-1],),
        timed=True,
        implied=tuple(implied),
        asks=_order(draw, told),
        stale=tuple(stale),
        title=(who[0], _value(told[-1])),
    )


def _value(one: Fact) -> Word:
    return next((word for role, word in one.roles.items() if role in ("what", "where", "whom")), one.roles["who"])


def _timed(draw: Draw, told: Sequence[Fact]) -> list[Telling]:
    """The facts in order, some with a time of day or an hour that goes forward."""
    if len(told) > 5 or draw.odds(0.6):
        return [Telling(one) for one in told]
    names = "dayparts" if draw.odds(0.5) else "hours"
    words = lexicon.family(names)
    chosen = sorted(draw.some(range(len(words)), min(len(told), len(words))))
    return [
        Telling(one, when=words[chosen[number]] if number < len(chosen) and one.relation.name != "ate" else None)
        for number, one in enumerate(told)
    ]


def _order(draw: Draw, told: Sequence[Fact]) -> tuple[Ask, ...]:
    """Questions about what came first, last, before and after."""
    if len(told) < 2:
        return ()
    first, last = told[0], told[-1]
    asks = [
        Ask("first", first, tuple(told[:0:-1]), tuple(told), group="what_first"),
        Ask("last", last, tuple(told[:-1]), tuple(told), group="what_last"),
    ]
    number = draw.number(0, len(told) - 2)
    a, b = told[number], told[number + 1]
    rest = tuple(one for one in told if one is not a and one is not b)
    if rest:
        asks.append(Ask("after", b, rest, (a, b), group="after", slots=(("a", a),)))
        asks.append(Ask("before", a, rest, (a, b), group="before", slots=(("a", b),)))
    x, y = (a, b) if draw.odds(0.5) else (b, a)
    asks.append(Ask("earlier", a, (b,), (a, b), group="which_first", slots=(("x", x), ("y", y))))
    return tuple(asks)


def day(draw: Draw) -> Scene:
    """What people did in the course of a day, in places."""
    who = draw.people(draw.number(1, 3))
    told: list[Fact] = []
    for number in range(draw.number(2, 5)):
        person = who[number % len(who)]
        kind = draw.number(0, 4)
        if kind == 0:
            told.append(fact("went", who=person, where=draw.word("place", person)))
        elif kind == 1:
            told.append(fact("ate", who=person, what=draw.word("food", person)))
        elif kind == 2:
            told.append(fact("saw", who=person, what=draw.word("animal", person), where=draw.word("outdoor", person)))
        else:
            told.append(fact("did", who=person, what=draw.word("activity", person)))
    done = [one.roles["what"].tags["topic"] for one in told if one.relation.name == "did"]
    return Scene(
        "day",
        done[0] if done else "food" if told[0].relation.name == "ate" else "nature",
        tuple(who),
        tuple(_timed(draw, told)),
        (told[-1],),
        timed=True,
        asks=_order(draw, told),
        title=(who[0], _value(told[0])),
    )


def gifts(draw: Draw) -> Scene:
    """A thing goes from hand to hand; who has it at the end follows."""
    who = draw.people(draw.number(2, 4))
    thing = draw.word("thing", who[0])
    told = [fact(pick(draw.chance, ("bought", "took")), who=who[0], what=thing)]
    stale = []
    for giver, taker in pairwise(who):
        told.append(fact("gave", who=giver, what=thing, whom=taker))
        stale.append(fact("holds", who=giver, what=thing))
    return Scene(
        "gifts",
        "shopping",
        tuple(who),
        tuple(_timed(draw, told)),
        (told[-1],),
        timed=True,
        implied=(fact("holds", who=who[-1], what=thing),),
        asks=_order(draw, told),
        stale=tuple(stale),
        title=(who[-1], thing),
    )


def shopping(draw: Draw) -> Scene:
    """Who bought what, and what it cost."""
    who = draw.people(draw.number(1, 3))
    told: list[Fact] = [fact("went", who=who[0], where=_place(pick(draw.chance, ("market", "shop"))))]
    for person in who:
        thing = draw.word("thing", person)
        told.append(fact("bought", who=person, what=thing))
        if draw.odds(0.5):
            told.append(fact("costs", what=thing, number=draw.amount(2, 20, thing)))
    return Scene(
        "shopping",
        "shopping",
        tuple(who),
        tuple(Telling(one) for one in told),
        (told[1],),
        title=(who[0], told[1].roles["what"]),
    )


def _place(name: str) -> Word:
    return next(place for place in lexicon.places() if place.key == name)


def search(draw: Draw) -> Scene:
    """Somebody loses a thing, looks for it, and somebody finds it."""
    who = draw.people(2)
    thing = draw.word("thing", who[0])
    place, spot = draw.word("place", who[0]), draw.word("spot", who[1])
    loss = fact("lost", who=who[0], what=thing, where=place)
    told = [loss, fact("felt", who=who[0], how=_feeling(draw, ("sad", "worried", "unhappy")))]
    if draw.odds(0.5):
        told.append(fact("went", who=who[1], where=draw.word("place", who[1])))
    told.append(fact("found", who=who[1], what=thing, where=spot))
    told.append(fact("gave", who=who[1], what=thing, whom=who[0]))
    told.append(fact("felt", who=who[0], how=_feeling(draw, ("happy", "glad", "relieved", "thankful"))))
    del told[draw.number(4, len(told)) :]
    return Scene(
        "search",
        "home",
        tuple(who),
        tuple(Telling(one) for one in told),
        (loss, next(one for one in told if one.relation.name == "found")),
        timed=True,
        asks=_order(draw, told[:1] + told[2:]),
        title=(who[0], thing),
    )


def _feeling(draw: Draw, names: Sequence[str]) -> Word:
    name = pick(draw.chance, names)
    return next(word for word in lexicon.feelings() if word.key == name)


def visits(draw: Draw) -> Scene:
    """Journeys to towns, meetings, help and food for guests."""
    who = draw.people(3)
    town = draw.word("town", who[0])
    told = [fact("visited", who=who[0], whom=who[1], where=town)]
    extra = [
        fact("made", who=who[1], what=draw.word("food", who[1]), whom=who[0]),
        fact("helped", who=who[0], whom=who[1], what=draw.word("help with", who[0])),
        fact("met", who=who[0], whom=who[2], where=draw.word("outdoor", who[0])),
        fact("borrowed", who=who[0], what=draw.word("thing", who[0]), whom=who[1]),
        fact("broke", who=who[2], what=draw.word("thing", who[2])),
    ]
    told += draw.some(extra, draw.number(1, 4))
    return Scene(
        "visits",
        "travel",
        tuple(who),
        tuple(Telling(one) for one in told),
        (told[0],),
        timed=True,
        asks=_order(draw, told),
        title=(who[0], town),
    )


# --- stories that follow a schema ---


def _stage(draw: Draw, who: Word) -> list[Fact]:
    """What may be told before: where somebody was, or what was done."""
    options: tuple[Callable[[], Fact], ...] = (
        lambda: fact("went", who=who, where=draw.word("place", who)),
        lambda: fact("did", who=who, what=draw.word("activity", who)),
        lambda: fact("met", who=who, whom=draw.person(), where=draw.word("outdoor", who)),
        lambda: fact("ate", who=who, what=draw.word("food", who)),
    )
    return [pick(draw.chance, options)() for _ in range(draw.number(0, 2))]


def mishap(draw: Draw, asked: bool = False, schema: Schema | None = None) -> Scene:
    """A cause and its effect among other things; why, and what came of it, can be asked when `asked`."""
    schema = schema or pick(draw.chance, askable("causes", draw.part) if asked else causes())
    who = draw.person()
    roles = draw.fill(schema.name, schema.slots, who)
    assert schema.second is not None
    assert schema.after is not None
    cause, effect, after = Fact(schema.first, roles), Fact(schema.second, roles), Fact(schema.after, roles)
    before = _stage(draw, who)
    told = [*(Telling(one) for one in before), Telling(cause, effect=after, named=effect)]
    asks = why_asks(draw, schema, who, cause, effect) if asked or _mine(schema, draw) else ()
    return Scene(
        "mishap",
        schema.topic,
        (who, *(word for word in roles.values() if word.kind == "person" and word is not who)),
        tuple(told),
        (effect,),
        timed=bool(before),
        asks=asks,
        title=(who, _value(cause)),
    )


def _mine(schema: Schema, draw: Draw) -> bool:
    return schema.part == draw.part or (draw.part == "tune" and schema.part == "pretrain")


def why_asks(draw: Draw, schema: Schema, who: Word, cause: Fact, effect: Fact) -> tuple[Ask, ...]:
    """Why the effect came about, and what the cause led to; wrong answers from other schemas, of the same person."""
    wrong = [
        one
        for one in askable("causes", draw.part)
        if one.name not in clashing(schema.name) and one.topic != schema.topic
    ]
    causes_, effects = [], []
    for other in draw.some(wrong, 3):
        filled = draw.fill(other.name, other.slots, who)
        assert other.second is not None
        causes_.append(Fact(other.first, filled))
        effects.append(Fact(other.second, filled))
    return (
        Ask("why", cause, tuple(causes_), (cause, effect), group="why", slots=(("b", effect),)),
        Ask("then", effect, tuple(effects), (cause, effect), group="what_then", slots=(("a", cause),)),
    )


def mood(draw: Draw, asked: bool = False, schema: Schema | None = None, say: bool = True) -> Scene:
    """An event and the feeling that follows; `say=False` leaves the feeling to be inferred."""
    schema = schema or pick(draw.chance, askable("feelings", draw.part) if asked else feelings())
    who = draw.person()
    roles = draw.fill(schema.name, schema.slots, who)
    event = Fact(schema.first, roles)
    how = schema.feelings[0] if draw.odds(0.6) else pick(draw.chance, schema.feelings)
    felt = fact("felt", who=who, how=how)
    before = _stage(draw, who)
    told = [*(Telling(one) for one in before)]
    told += [Telling(event, effect=felt, named=felt)] if say and draw.odds(0.6) else [Telling(event)]
    if say and told[-1].effect is None:
        told.append(Telling(felt))
    asks = feeling_asks(draw, schema, felt, event) if _mine(schema, draw) else ()
    return Scene(
        "mood",
        schema.topic,
        tuple(word for word in roles.values() if word.kind == "person"),
        tuple(told),
        (felt,) if say else (event,),
        timed=bool(before),
        implied=() if say else (felt,),
        asks=asks,
        title=(who, _value(event)),
    )


def feeling_asks(draw: Draw, schema: Schema, felt: Fact, event: Fact) -> tuple[Ask, ...]:
    """Why somebody felt so; wrong answers are events that lead to feelings of the other tone."""
    tone = schema.feelings[0].tags["tone"]
    wrong = [one for one in askable("feelings", draw.part) if one.feelings[0].tags["tone"] != tone]
    others = []
    for other in draw.some(wrong, 3):
        others.append(Fact(other.first, draw.fill(other.name, other.slots, felt.roles["who"])))
    return (Ask("why", event, tuple(others), (event, felt), group="why", slots=(("b", felt),)),)


def wish(draw: Draw, asked: bool = False) -> Scene:
    """Somebody wants to do something and takes what one needs for it, or goes where one can do it."""
    who = draw.person()
    tool = draw.odds(0.6)
    group_name = "portable" if tool else "place"
    words = [word for word in group(group_name) if not asked or _asked_use(word, draw)]
    target = draw.fresh(words)
    use = use_by(lexicon.uses("thing" if tool else "place")[target.key], who.tags["gender"])
    want = fact("wished", who=who, what=use)
    dressed = draw.dress(target, 0.4) if tool else target
    act = fact("took", who=who, what=dressed) if tool else fact("went", who=who, where=target)
    told = [*(Telling(one) for one in _stage(draw, who))]
    told += [Telling(want, effect=act, named=act)] if draw.odds(0.6) else [Telling(want), Telling(act)]
    return Scene(
        "wish",
        "home" if tool else "travel",
        (who,),
        tuple(told),
        (want,),
        timed=len(told) > 2,
        asks=(Ask("why", want, (), (want, act), group="why", slots=(("b", act),)),),
        title=(who, target),
    )


def _asked_use(word: Word, draw: Draw) -> bool:
    return part_of("use", word.key) == draw.part


def encounter(draw: Draw) -> Scene:
    """Two people and something between them: a chain of meetings and favours."""
    gender = "m" if draw.odds(0.5) else "f"
    one, other = draw.people(2, gender if draw.odds(0.5) else "")
    told = [fact("met", who=one, whom=other, where=draw.word("place", one))]
    extra = [
        fact("borrowed", who=one, what=draw.word("thing", one), whom=other),
        fact("helped", who=other, whom=one, what=draw.word("help with", other)),
        fact("gave", who=other, what=draw.word("thing", other), whom=one),
        fact("made", who=one, what=draw.word("food", one), whom=other),
        fact("ate", who=one, what=draw.word("food", one)),
    ]
    told += draw.some(extra, draw.number(1, 3))
    return Scene(
        "encounter",
        "play",
        (one, other),
        tuple(_timed(draw, told)),
        (told[0],),
        timed=True,
        asks=_order(draw, told),
        title=(one, other),
    )
