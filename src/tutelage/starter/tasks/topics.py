"""What a text is about: sentences of one topic, all that could be taken for another left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from tutelage.starter.microworld import lexicon, states
from tutelage.starter.microworld.claims import Telling
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import part_of
from tutelage.starter.microworld.relations import Fact, fact
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.schemas import askable
from tutelage.starter.microworld.stories import mishap, mood
from tutelage.starter.microworld.wording import Language, Word, pick
from tutelage.starter.tasks.kinds import mutually_apart, near
from tutelage.starter.tasks.making import Row

# What is surely about a topic, besides what people do (`activities`) and the schemas of the topic.
TOPIC_FACTS: dict[str, tuple[str, ...]] = {
    "food": ("ate", "likes", "made"),
    "animals": ("pet", "fears"),
    "music": ("plays",),
    "sport": ("sport",),
    "travel": ("travels", "visited"),
    "shopping": ("bought", "costs"),
    "work": ("works",),
    "school": ("studies",),
    "weather": ("weather",),
}

OTHER_SUBJECTS = ("music", "sport")  # subjects of school that are topics of their own

NO_SCHEMAS = ("home", "play", "work", "health")  # what happens there is too often about something else

NEAR_TOPICS = near(
    "food + home + shopping",
    "sport + play",
    "sport + health",
    "nature + animals",
    "nature + weather",
    "nature + travel",
    "school + home + play",
    "work + home",
    "work + shopping",
    "health + home",
    "travel + sport",
    "travel + weather",
    "travel + shopping",
    "animals + food",
)


def topic(draw: Draw, language: Language, _: int) -> Row | None:
    """What a text of two or three sentences is about."""
    names = mutually_apart(draw, list(lexicon.topics()), NEAR_TOPICS, 3)
    right = names[0]
    found: list[Telling] = []
    while len(found) < 2:  # no topic may be dropped more often than another
        told = [_schema(draw, right)] if draw.odds(0.3) else []
        told += [_about(draw, right) for _ in range(draw.number(1 if told else 2, 3 if not told else 2))]
        found = [one for one in told if one is not None]
    draw.chance.shuffle(found)
    scene = Scene("topic", right, (), tuple(found), (found[0].fact,))
    return {
        "passage": scene.text(language, draw.chance),
        "options": [lexicon.topics()[name].forms[language][""] for name in names],
    }


def _schema(draw: Draw, name: str) -> Telling | None:
    """A cause with its effect, or an event, of that topic: one that this part may ask about."""
    if name in NO_SCHEMAS:
        return None
    found = [one for kind in ("causes", "feelings") for one in askable(kind, draw.part) if one.topic == name]
    if not found:
        return None
    schema = pick(draw.chance, found)
    scene = mood(draw, schema=schema, say=False) if schema.feelings else mishap(draw, schema=schema)
    return scene.told[-1]


def _about(draw: Draw, name: str) -> Telling | None:
    doings = _activities(name)
    relations = (*TOPIC_FACTS.get(name, ()), *(("did",) * (2 if doings else 0)))
    relation = pick(draw.chance, relations)
    one = _did(draw, doings) if relation == "did" else fact_of(draw, relation)
    return None if one is None else Telling(one)


@cache
def _activities(name: str) -> tuple[Word, ...]:
    return tuple(one for one in lexicon.activities() if one.tags["topic"] == name)


def _did(draw: Draw, doings: Sequence[Word]) -> Fact | None:
    """Somebody did one of these, whom this part lets do it."""
    what = draw.fresh(doings)
    for _ in range(30):
        who = draw.person()
        if part_of(who.key, what.key) == draw.part:
            return fact("did", who=who, what=what)
    return None


def fact_of(draw: Draw, name: str) -> Fact | None:
    """A fact of that relation about somebody new."""
    who = draw.person()
    made: dict[str, Callable[[], Fact]] = {
        "ate": lambda: fact("ate", who=who, what=draw.word("food", who)),
        "made": lambda: fact("made", who=who, what=draw.word("food", who), whom=draw.person()),
        "visited": lambda: fact("visited", who=who, whom=draw.person(), where=draw.word("town", who)),
        "bought": lambda: fact("bought", who=who, what=draw.word("thing", who)),
        "took": lambda: fact("took", who=who, what=draw.word("thing", who)),
        "went": lambda: fact("went", who=who, where=draw.word("place", who)),
        "did": lambda: fact("did", who=who, what=draw.word("activity", who)),
        "met": lambda: fact("met", who=who, whom=draw.person(), where=draw.word("place", who)),
        "gave": lambda: fact("gave", who=who, what=draw.word("thing", who), whom=draw.person()),
        "put": lambda: fact("put", who=who, what=draw.word("thing", who), where=draw.word("spot", who)),
        "saw": lambda: fact("saw", who=who, what=draw.word("animal", who), where=draw.word("outdoor", who)),
        "felt": lambda: fact("felt", who=who, how=draw.word("feeling")),
        "lies": lambda: fact("lies", what=draw.word("thing"), where=draw.word("spot")),
        "costs": lambda: _costs(draw),
        "weather": lambda: fact("weather", where=draw.word("town"), how=draw.word("weather")),
        "is_coloured": lambda: fact("is_coloured", what=draw.fresh(lexicon.objects()), colour=draw.word("colour")),
        "counts": lambda: _counts(draw, who),
        "plan": lambda: fact("plan", who=who, what=draw.word("activity", who), when=draw.word("day")),
        "kin": lambda: fact("kin", who=who, whom=draw.person(), how=_kin(draw, who)),
        "studies": lambda: fact("studies", who=who, what=_subject(draw)),
    }
    if name in made:
        return made[name]()
    role, kind, _ = states.TRAITS[name]
    return fact(name, **{"who": who, role: states.value(draw, who, kind)})


def _costs(draw: Draw) -> Fact:
    thing = draw.word("thing")
    return fact("costs", what=thing, number=lexicon.number(draw.number(2, 30)))


def _counts(draw: Draw, who: Word) -> Fact:
    what = lexicon.many(draw.word("thing", who))
    return fact("counts", who=who, number=draw.amount(2, 12, what), what=what)


def _kin(draw: Draw, who: Word) -> Word:
    names = states.KIN_OF[who.tags["gender"]] + states.KIN_ANY
    return pick(draw.chance, [one for one in lexicon.family("kin") if one.key in names])


def _subject(draw: Draw) -> Word:
    return draw.fresh([one for one in lexicon.family("subjects") if one.key not in OTHER_SUBJECTS])
