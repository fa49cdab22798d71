"""Common sense: what comes of something, why it came about, what one needs, where one finds it, how a story goes on.

The schemas that a test asks about (`schemas.askable`) were told in pretraining, but nobody asked about them, and the
things in them are others than in any text of pretraining.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.lexicon import use_by
from tutelage.starter.microworld.parts import Part, part_of
from tutelage.starter.microworld.relations import Fact, Relation, fact
from tutelage.starter.microworld.schemas import Schema, askable, clashing
from tutelage.starter.microworld.wording import Language, Word, join, pick
from tutelage.starter.tasks import surely
from tutelage.starter.tasks.knowledge import THREE, ask_general
from tutelage.starter.tasks.making import Maker, Row, told_apart

SAME_THING_SHARE = 0.7
REFILLS = 8  # tries to find a thing that both may be about


# --- causes and effects ---


def cause_and_other(draw: Draw) -> tuple[Schema, Schema, dict[str, Word], dict[str, Word]]:
    """A schema, another that has nothing to do with it, and the words of both: one person, the same things if any fit.

    So the right effect is not just the one that speaks of the thing which the cause speaks of. Either both causes name
    the person or neither does, so that their effects, too, speak of him or her in the same way.
    """
    schemas = askable("causes", draw.part)
    schema = pick(draw.chance, schemas)
    who = draw.person()
    roles = draw.fill(schema.name, schema.slots, who)
    others = [one for one in schemas if one.topic != schema.topic and one.name not in clashing(schema.name)]
    others = [one for one in others if _names_person(one.first) == _names_person(schema.first)]
    fitting = [one for one in others if one.slots and _shared(one, roles)]
    other = pick(draw.chance, fitting if fitting and draw.odds(SAME_THING_SHARE) else others)
    # Which of the two is asked about is open until here: no schema is right more often than it is wrong.
    if draw.odds(0.5):
        schema, other = other, schema
    for _ in range(REFILLS if other in fitting or schema in fitting else 1):
        roles = draw.fill(schema.name, schema.slots, who)
        if _shared(other, roles):
            break
    return schema, other, roles, draw.fill(other.name, other.slots, who) | _shared(other, roles)


def _names_person(relation: Relation) -> bool:
    return any(role == "who" and form != "o" for role, form, _ in relation.clause["en"][0].slots)


def _shared(schema: Schema, roles: dict[str, Word]) -> dict[str, Word]:
    """Those of the words that may fill this schema's slots as well."""
    return {role: roles[role] for role, name in schema.slots if role in roles and _base(roles[role]) in _keys(name)}


def _base(word: Word) -> str:
    return word.tags.get("base", word.key)


@cache
def _keys(name: str) -> frozenset[str]:
    return frozenset() if name == "person" else frozenset(word.key for word in group(name))


def effect(draw: Draw, language: Language, label: int) -> Row | None:
    """What happened, and two things that may have come of it."""
    schema, other, roles, others = cause_and_other(draw)
    assert schema.second is not None
    assert other.second is not None
    premise = Fact(schema.first, roles).sentence(language, draw.chance)
    options = [Fact(schema.second, roles), Fact(other.second, others)]
    return {"premise": premise, "options": [one.sentence(language, draw.chance) for one in options]}


def cause(draw: Draw, language: Language, label: int) -> Row | None:
    """What came about, or how somebody felt, and two things that may have led to it."""
    if draw.odds(0.4):
        return _cause_of_feeling(draw, language)
    schema, other, roles, others = cause_and_other(draw)
    assert schema.second is not None
    premise = Fact(schema.second, roles).sentence(language, draw.chance)
    options = [Fact(schema.first, roles), Fact(other.first, others)]
    return {"premise": premise, "options": [one.sentence(language, draw.chance) for one in options]}


def feeling_and_other(draw: Draw) -> tuple[Schema, Schema]:
    """An event, and one that leaves people in the other mood."""
    both = [pick(draw.chance, in_mood(draw.part, tone)) for tone in ("good", "bad")]
    draw.chance.shuffle(both)
    return both[0], both[1]


@cache
def in_mood(part: Part, tone: str) -> tuple[Schema, ...]:
    """The events that this part may ask about and that leave people in a good or a bad mood."""
    return tuple(one for one in askable("feelings", part) if one.feelings[0].tags["tone"] == tone)


def _cause_of_feeling(draw: Draw, language: Language) -> Row:
    schema, other = feeling_and_other(draw)
    who = draw.person()
    felt = fact("felt", who=who, how=schema.feelings[0])
    options = [Fact(one.first, draw.fill(one.name, one.slots, who)) for one in (schema, other)]
    said = [one.sentence(language, draw.chance) for one in options]
    return {"premise": felt.sentence(language, draw.chance), "options": said}


# --- how it goes on ---


def next_sentence(draw: Draw, language: Language, label: int) -> Row | None:
    """The beginning of a story, and two sentences that may come next, about the same person."""
    who = draw.person()
    kind = pick(draw.chance, ("effect", "effect", "feeling", "wish"))
    last, *endings = ENDINGS[kind](draw, who)
    begun = [one.sentence(language, draw.chance) for one in (*errands(draw, who, draw.number(0, 2)), last)]
    pronoun = "" if kind == "effect" else "who"
    options = [one.sentence(language, draw.chance, pronoun) for one in endings]
    return {"passage": join(begun, language), "options": options} if told_apart(options) else None


def errands(draw: Draw, who: Word, count: int) -> list[Fact]:
    """So many things that somebody did, neither good nor bad news, with nothing to come of them."""
    makers: tuple[Callable[[], Fact], ...] = (
        lambda: fact("went", who=who, where=draw.word("place", who)),
        lambda: fact("did", who=who, what=draw.word("activity", who)),
        lambda: fact("ate", who=who, what=draw.word("food", who)),
    )
    return [pick(draw.chance, makers)() for _ in range(count)]


def _effect_ending(draw: Draw, who: Word) -> tuple[Fact, Fact, Fact]:
    schema, other, roles, others = cause_and_other(draw)
    roles, others = {**roles, "who": who}, {**others, "who": who}
    assert schema.after is not None
    assert other.after is not None
    return Fact(schema.first, roles), Fact(schema.after, roles), Fact(other.after, others)


def _feeling_ending(draw: Draw, who: Word) -> tuple[Fact, Fact, Fact]:
    schema, other = feeling_and_other(draw)
    event = Fact(schema.first, draw.fill(schema.name, schema.slots, who))
    right, wrong = (fact("felt", who=who, how=one.feelings[0]) for one in (schema, other))
    return event, right, wrong


def _wish_ending(draw: Draw, who: Word) -> tuple[Fact, Fact, Fact]:
    kind = "thing" if draw.odds(0.6) else "place"
    wanted, words = wish(draw, who, kind, 2)
    did = [fact("took", who=who, what=word) if kind == "thing" else fact("went", who=who, where=word) for word in words]
    return wanted, did[0], did[1]


ENDINGS = {"effect": _effect_ending, "feeling": _feeling_ending, "wish": _wish_ending}


# --- what one needs, where one goes ---

RELATIONS = {"thing": "used_for", "place": "place_for"}


@cache
def wishes(part: Part, kind: str) -> tuple[Fact, ...]:
    """The uses of places, or of things that one can take along, that this part may ask about."""
    parts, words = surely.parts_asked(part), _keys("portable" if kind == "thing" else "place")
    found = [one for one in surely.general(RELATIONS[kind]) if one.roles["x"].key in words]
    return tuple(one for one in found if part_of("use", one.roles["x"].key) in parts)


def wish(draw: Draw, who: Word, kind: str, count: int) -> tuple[Fact, list[Word]]:
    """What somebody wanted to do, and so many things or places, of which only the first is of use for it."""
    facts: list[Fact] = []
    while not facts:
        facts = surely.exclusive(draw, wishes(draw.part, kind), count)
    use = use_by(lexicon.uses(kind)[facts[0].roles["x"].key], who.tags["gender"])
    return fact("wished", who=who, what=use), [one.roles["x"] for one in facts]


QUESTIONS: dict[str, dict[Language, tuple[str, ...]]] = {
    "thing": {
        "en": ("What should {p} take?", "Which thing helps {o}?", "What does {p} need?", "What is good for that?"),
        "zh": ("{p}该拿什么？", "什么东西能帮{p}？", "{p}需要什么？", "该用什么？"),
    },
    "place": {
        "en": (
            "Where should {p} go?",
            "Which is the right place?",
            "Where can {p} do that?",
            "To which place should {p} go?",
        ),
        "zh": ("{p}该去哪里？", "哪里最合适？", "在哪里可以这样做？", "{p}该去什么地方？"),
    },
}


def needed(draw: Draw, language: Language, label: int) -> Row | None:
    """What somebody wanted to do, and three things to take, or three places to go to."""
    kind = "thing" if draw.odds(0.6) else "place"
    who = draw.person()
    wanted, words = wish(draw, who, kind, THREE)
    form = "the" if kind == "place" else "a" if language == "en" else "bare"
    asked = pick(draw.chance, QUESTIONS[kind][language])
    pronouns = lexicon.PRONOUNS[who.tags["gender"]].forms[language]
    said = [word.forms[language][form] for word in words]
    if not told_apart(said):
        return None
    return {
        "situation": wanted.sentence(language, draw.chance),
        "question": asked.replace("{p}", pronouns[""]).replace("{o}", pronouns["o"]),
        "options": said,
    }


FOUND = ("kept_in", "kept_in", "kept_in", "home_of", "job_place")


def find(draw: Draw, language: Language, label: int) -> Row | None:
    """Where an animal lives, people of some job work, a thing is kept, or one can do something: three places."""
    if draw.odds(0.4):
        return ask_general(draw, ("place_for",), language, "x")
    return ask_general(draw, FOUND, language)


MAKERS: dict[str, Maker] = {
    "effect": Maker(effect, 2),
    "cause": Maker(cause, 2),
    "next_sentence": Maker(next_sentence, 2),
    "needed": Maker(needed, THREE),
    "find": Maker(find, THREE),
}
