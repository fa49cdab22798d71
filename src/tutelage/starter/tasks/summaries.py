"""Summarisation: what a text is about, who it is about, what it says in short, what a summary leaves out.

Wrong titles and wrong summaries are of the same form as the right one; names and things stand in them so that no
option can be picked, or ruled out, without the text: either all three have different ones, each of which the text
knows, or they are three cells of the same square (right or wrong person, right or wrong thing).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from tutelage.starter.microworld import builders, states, stories
from tutelage.starter.microworld.claims import Telling
from tutelage.starter.microworld.contrast import outside
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.phrases import phrases
from tutelage.starter.microworld.relations import Fact, fact
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.wording import Language, Word, capital, join, pick
from tutelage.starter.tasks.making import Maker, Row

SENTENCES = 6  # a passage has no more, so that it stays short
IN_TITLES = frozenset({"thing", "place", "town", "food", "animal", "activity"})  # kinds of word that a title can name
Pair = tuple[Word, Word]


def _passage(scene: Scene, language: Language, draw: Draw) -> str | None:
    """The scene's text, None where it is too long or too short for a summary."""
    return scene.text(language, draw.chance) if 2 <= len(scene.told) <= SENTENCES else None


# --- titles ---

TITLED = ("portraits", "shopping", "errands", "day", "gifts", "visits", "search", "encounter", "week")


def title(draw: Draw, language: Language, _: int) -> Row | None:
    """Which title fits: a person and something of theirs; the wrong ones put together what does not belong together."""
    scene = builders.ALL[pick(draw.chance, TITLED)][0](draw)
    text = _passage(scene, language, draw)
    own = [
        (one.roles["who"], word, one.relation.roles[role][0])
        for one in scene.facts()
        for role, word in one.roles.items()
        if word.kind in IN_TITLES and "who" in one.roles
    ]
    if text is None or not own:
        return None
    who, thing, kind = pick(draw.chance, own)
    bound = _bound(scene)
    wrong = _elsewhere(draw, (who, thing), [(one, word) for one, word, _ in own], bound)
    wrong = wrong or _square(draw, scene, (who, thing), kind, bound)
    if len(wrong) < 2:
        return None
    line = pick(draw.chance, phrases()["title_of"][language][:4])  # the fifth, "How Tom came to …", fits few things
    options = [line.fill({"x": x.forms[language][""], "t": t.forms[language]["o"]}) for x, t in ((who, thing), *wrong)]
    return {"passage": text, "options": [capital(option) for option in options]}


def _bound(scene: Scene) -> set[tuple[str, str]]:
    """The keys of all people and words that a fact of the scene names together."""
    return {
        (one.key, other.key)
        for known in (*scene.facts(), *scene.implied, *scene.stale)
        for one in known.roles.values()
        for other in known.roles.values()
    }


def _elsewhere(draw: Draw, right: Pair, own: Sequence[Pair], bound: set[tuple[str, str]]) -> list[Pair]:
    """Two pairs of other people and things of the same text, which the text does not bring together."""
    found: list[Pair] = []
    used = {right[0].key, right[1].key}
    people, things = draw.some([who for who, _ in own], len(own)), draw.some([thing for _, thing in own], len(own))
    for who in people:
        for thing in things:
            free = who.key not in used and thing.key not in used and (who.key, thing.key) not in bound
            if free and len(found) < 2:
                found.append((who, thing))
                used |= {who.key, thing.key}
    return found if len(found) == 2 else []


def _square(draw: Draw, scene: Scene, right: Pair, kind: str, bound: set[tuple[str, str]]) -> list[Pair]:
    """Two of: the same person with another thing, another person with the same thing, both other."""
    who, thing = right
    others = [one for one in scene.people if (one.key, thing.key) not in bound and one is not who]
    other = pick(draw.chance, others) if others and draw.odds(0.5) else draw.person(who.tags["gender"])
    new = outside(thing, kind, scene.words(), 1, draw.chance)
    return draw.some([(who, new[0]), (other, thing), (other, new[0])], 2) if new else []


# --- the gist ---

GISTS = ("gifts", "encounter", "visits", "search", "errands", "day", "shopping")


def gist(draw: Draw, language: Language, _: int) -> Row | None:
    """Which sentence says in short what happened; the wrong ones change who did it, what it was, or both."""
    kind = draw.number(0, 9)
    if kind == 0:
        return _outcome(draw, language)
    scene = stories.mood(draw, asked=True) if kind == 1 else builders.ALL[pick(draw.chance, GISTS)][0](draw)
    text = _passage(scene, language, draw)
    one = scene.gist[0]
    role = pick(draw.chance, [name for name in one.asked_roles() if name != "who"])
    new = _another(draw, scene, one, role)
    others = [person for person in scene.people if all(person is not word for word in one.roles.values())]
    other = pick(draw.chance, others) if others else draw.person(one.roles["who"].tags["gender"])
    if text is None or new is None:
        return None
    cells = [one.having(role, new), one.having("who", other), one.having("who", other).having(role, new)]
    told = {known.key for known in (*scene.facts(), *scene.implied)}
    if any(cell.key in told for cell in cells) or new is other:
        return None
    wording = draw.number(0, one.wordings(language) - 1)
    options = [cell.sentence(language, draw.chance, wording=wording) for cell in (one, *draw.some(cells, 2))]
    return {"passage": text, "options": options}


def _another(draw: Draw, scene: Scene, one: Fact, role: str) -> Word | None:
    """Another word for that role: one of the text's own where there is one, else one it does not know."""
    kind, form = one.relation.roles[role]
    barred = {word.key for word in one.roles.values()}
    own = [
        word
        for known in scene.facts()
        for name, word in known.roles.items()
        if known.relation.roles[name][0] == kind and word.key not in barred and form in word.forms["en"]
    ]
    if own and kind != "feeling":
        return pick(draw.chance, own)
    found = outside(one.roles[role], kind, scene.words(), 1, draw.chance)
    return found[0] if found else None


def _outcome(draw: Draw, language: Language) -> Row | None:
    """A cause and what came of it; the wrong sentences are what came of other things."""
    scene = stories.mishap(draw, asked=True)
    text = scene.text(language, draw.chance)
    ask = next(one for one in scene.asks if one.kind == "then")
    facts = [one for one in (ask.answer, *ask.others[:2]) if isinstance(one, Fact)]
    if len(facts) < 3:
        return None
    return {"passage": text, "options": [one.sentence(language, draw.chance) for one in facts]}


# --- in a sentence ---

SHORTENED = ("gifts", "encounter", "visits", "mishap", "mood", "wish")


def short(draw: Draw, language: Language, _: int) -> Row | None:
    """The gist in a sentence of one's own; every wording of it is right, the plainest comes first."""
    name = pick(draw.chance, SHORTENED)
    asked = {"mishap": stories.mishap, "mood": stories.mood, "wish": stories.wish}
    scene = asked[name](draw, asked=True) if name in asked else builders.ALL[name][0](draw)
    text = _passage(scene, language, draw) if name not in asked else scene.text(language, draw.chance)
    if text is None:
        return None
    one = scene.gist[0]
    count = 1 if one.relation.time == "schema" else one.wordings(language)
    said = [one.sentence(language, draw.chance, wording=number) for number in range(count)]
    return {"passage": text, "answers": list(dict.fromkeys(said))}


# --- who, and what is missing ---

DOINGS: dict[str, tuple[str, str]] = {
    "went": ("where", "place"),
    "ate": ("what", "food"),
    "did": ("what", "activity"),
    "bought": ("what", "thing"),
    "took": ("what", "thing"),
}


def main_person(draw: Draw, language: Language, _: int) -> Row | None:
    """Whom a text is mainly about: of three people, one has three sentences; each is as often the first named."""
    who = draw.people(3)
    names = draw.some(list(DOINGS) if draw.odds(0.5) else [name for name in states.TRAITS if name != "age"], 3)
    told = [_doing(draw, who[0], name) for name in names]
    told += [_doing(draw, person, pick(draw.chance, names)) for person in who[1:]]
    first = draw.number(0, 2)
    opening = next(one for one in told if one.roles["who"] is who[first])
    rest = [one for one in told if one is not opening]
    draw.chance.shuffle(rest)
    scene = Scene("about", "home", tuple(who), tuple(map(Telling, (opening, *rest))), (told[0],))
    return {
        "passage": scene.text(language, draw.chance),
        "options": [person.forms[language][""] for person in who],
    }


def _doing(draw: Draw, who: Word, name: str) -> Fact:
    role, kind = DOINGS[name] if name in DOINGS else states.TRAITS[name][:2]
    return fact(name, **{"who": who, role: states.value(draw, who, kind)})


SUMMED = ("portraits", "room", "colours", "prices", "forecast", "week")


def left_out(draw: Draw, language: Language, _: int) -> Row | None:
    """Of whom, or of what, a summary says nothing: a fact about each of three or four, retold without one."""
    name = pick(draw.chance, SUMMED)
    scene = states.portraits(draw, draw.number(3, 4), 1) if name == "portraits" else builders.ALL[name][0](draw)
    facts = list(scene.facts())
    subjects = [next(iter(one.roles.values())) for one in facts]
    if not 3 <= len(facts) <= 4 or len({word.key for word in subjects}) < len(facts):
        return None
    gone = draw.number(0, len(facts) - 1)
    kept = [one for one in facts if one is not facts[gone]]
    if draw.odds(0.4):
        draw.chance.shuffle(kept)
    wrong = draw.some([word for word in subjects if word is not subjects[gone]], 2)
    summary = join([one.sentence(language, draw.chance) for one in kept], language)
    if (
        subjects[gone].forms[language][""].removeprefix("the ") in summary
    ):  # the bag is left out, but "in the bag" is not
        return None
    options = [word.forms[language][""] for word in (subjects[gone], *wrong)]
    if any(other.startswith(one) for one, other in permutations(options, 2)):  # the pan, the pancake
        return None
    text = scene.text(language, draw.chance, pronouns=False)
    return {"passage": text, "summary": summary, "options": options}


MAKERS: dict[str, Maker] = {
    "title": Maker(title, 3),
    "gist": Maker(gist, 3),
    "short": Maker(short),
    "main_person": Maker(main_person, 3),
    "left_out": Maker(left_out, 3),
}
