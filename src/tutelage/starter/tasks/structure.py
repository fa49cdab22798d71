"""Structure to text: records and notes into sentences, sentences into records, and whether the two agree.

Wrong values are always in the record as well, with another person: that a word occurs there decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.claims import Telling
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.records import LABELS, NAME, fields, record, table
from tutelage.starter.microworld.records import label as label_of
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.wording import Chance, Language, Word, join, pick
from tutelage.starter.tasks.changing import FACTS, of_person
from tutelage.starter.tasks.making import Maker, Row

# What a record says of a person: in a single word, and named by a label.
TRAITS = tuple(name for name in FACTS if name in LABELS)
EVENTS = ("went", "took", "put", "bought", "found", "saw", "ate", "did", "gave", "met", "helped", "visited")
RENDERINGS = 8


def _people(draw: Draw, count: int, names: Sequence[str]) -> list[list[Fact]]:
    """The same traits of several people, no value twice: nobody's record fits another."""
    return [[of_person(draw, who, name) for name in names] for who in draw.people(count)]


def _shown(draw: Draw, people: Sequence[Sequence[Fact]], language: Language) -> str:
    """The records of these people, as a table or one after the other, in one layout."""
    names = [facts[0].roles["who"].forms[language][""] for facts in people]
    if len(people) > 1 and draw.odds(0.5):
        return table(names, people, language, draw.chance)
    seed = draw.chance.random()
    return "\n".join(record(name, facts, language, Random(seed)) for name, facts in zip(names, people, strict=True))


def _texts(facts: Sequence[Fact], language: Language, chance: Chance, timed: bool = False) -> list[str]:
    """Several ways of telling the facts in this order, all different."""
    who = dict.fromkeys(one.roles["who"] for one in facts)
    scene = Scene("record", "home", tuple(who), tuple(map(Telling, facts)), (), timed=timed)
    return list(dict.fromkeys(scene.text(language, chance) for _ in range(RENDERINGS)))


def record_to_text(draw: Draw, language: Language, label: int) -> Row | None:
    """A record of somebody as one to three sentences; several tellings are right."""
    facts = _people(draw, 1, draw.some(TRAITS, draw.number(1, 3)))[0]
    return {"record": _shown(draw, [facts], language), "renderings": _texts(facts, language, draw.chance)}


def record_says(draw: Draw, language: Language, label: int) -> Row | None:
    """Which of three sentences agrees with the records of three people? They differ in the person or in the value."""
    people = _people(draw, 3, draw.some(TRAITS, draw.number(1, 2)))
    place, which = draw.number(0, 2), draw.number(0, len(people[0]) - 1)
    one = people[place][which]
    role = next(iter(FACTS[one.relation.name])) if draw.odds(0.5) else "who"
    others = [facts[which].roles[role] for number, facts in enumerate(people) if number != place]
    claims = [one, *(one.having(role, other) for other in others)]
    options = [claim.sentence(language, draw.chance) for claim in claims]
    return {"record": _shown(draw, people, language), "options": options} if len(set(options)) == 3 else None


def record_agrees(draw: Draw, language: Language, label: int) -> Row | None:
    """Does the text agree with the records of two people? 0: yes, 1: no, one value is the other's."""
    people = _people(draw, 2, draw.some(TRAITS, 2))
    # Of each kind of fact at most one: the same said of both people would give the wrong one away.
    told = draw.some([pick(draw.chance, both) for both in zip(*people, strict=True)], draw.number(1, 2))
    if label == 1:
        place = draw.number(0, len(told) - 1)
        wrong = told[place]
        role = next(iter(FACTS[wrong.relation.name]))
        other = next(one for facts in people for one in facts if one.relation is wrong.relation and one is not wrong)
        told[place] = wrong.having(role, other.roles[role])
    text = join([one.sentence(language, draw.chance) for one in told], language)
    return {"record": _shown(draw, people, language), "text": text}


def text_to_record(draw: Draw, language: Language, label: int) -> Row | None:
    """A text about one or two people, and the labels of a record; the line with the values of one of them."""
    count = draw.number(1, 2)
    people = _people(draw, count, draw.some(TRAITS, 2 if count > 1 else draw.number(2, 3)))
    told = [one for facts in people for one in facts]
    draw.chance.shuffle(told)
    own = draw.some(people[0], len(people[0]))
    colon, comma = (": ", ", ") if language == "en" else ("：", "，")
    name = people[0][0].roles["who"].forms[language][""]
    rows = [(NAME[language], name), *fields(own, language)]
    return {
        "text": _texts(told, language, draw.chance)[0],
        "name": name,
        "labels": comma.join([NAME[language], *(label_of(one, language) for one in own)]),
        "record": comma.join(key + colon + value for key, value in rows),
    }


def notes_to_text(draw: Draw, language: Language, label: int) -> Row | None:
    """Notes of what people did, or plan for the week, as a text; several tellings are right."""
    who = draw.people(draw.number(1, 2))
    count = draw.number(2, 3)
    if draw.odds(0.3):
        days = [lexicon.family("days")[day] for day in sorted(draw.some(range(7), count))]
        facts = [of_person(draw, pick(draw.chance, who), "plan").having("when", day) for day in days]
        notes = [_plan(one, language) for one in facts]
    else:
        facts = [of_person(draw, pick(draw.chance, who), pick(draw.chance, EVENTS)) for _ in range(count)]
        notes = [_note(one, language) for one in facts]
    mark = pick(draw.chance, ("- ", "", "* "))
    renderings = _texts(facts, language, draw.chance, timed=facts[0].relation.time == "events")
    return {"notes": "\n".join(mark + note for note in notes), "renderings": renderings}


def _plan(one: Fact, language: Language) -> str:
    day, who, what = (one.roles[role] for role in ("when", "who", "what"))
    return f"{_plain(day, language)} | {_plain(who, language)} | {what.forms[language]['base']}"


def _note(one: Fact, language: Language) -> str:
    done = one.relation.base[language][0].fill(one.roles)
    return _plain(one.roles["who"], language) + (": " if language == "en" else "：") + done


def _plain(word: Word, language: Language) -> str:
    return word.forms[language][""]


MAKERS: dict[str, Maker] = {
    "record_to_text": Maker(record_to_text),
    "record_says": Maker(record_says, 3),
    "record_agrees": Maker(record_agrees, 2),
    "text_to_record": Maker(text_to_record),
    "notes_to_text": Maker(notes_to_text),
}
