"""Reading comprehension: look it up, answer freely, yes or no, count, say what came first, point to the sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.claims import Ask, Telling
from tutelage.starter.microworld.draw import Draw, allowed
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.relations import Fact, fact
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.states import TRAITS, portraits
from tutelage.starter.microworld.wording import Language, Word, Wording, compile_wording, join, pick, question
from tutelage.starter.tasks.making import Maker, Row
from tutelage.starter.tasks.passages import OF_THINGS, gapped, one_of, short_scene

YES = 0
SCENES = (
    "portraits", "room", "colours", "prices", "week", "amounts", "forecast", "family", "seats", "ranking",
    "errands", "day", "gifts", "shopping", "search", "visits", "encounter",
)  # fmt: skip
ORDERED = ("errands", "day", "visits", "encounter")
UNTIED = ("visits", "encounter")  # what happens in them may happen in any order
CHECKED = ("portraits", "room", "colours", "prices", "amounts", "forecast", "errands", "gifts", "encounter", "visits")


def _scene(draw: Draw) -> Scene | None:
    """A scene to ask about, every third time one of several people with the same traits."""
    if draw.odds(0.35):
        return portraits(draw, *pick(draw.chance, ((2, 2), (3, 1), (3, 2), (4, 1))))
    return short_scene(draw, SCENES)


# --- looking up ---


def lookup(draw: Draw, language: Language, label: int) -> Row | None:
    """Who, what, where, when, how many? All three options stand in the passage."""
    scene = _scene(draw)
    if scene is None:
        return None
    words = {word.key for one in scene.facts() for word in one.roles.values()}
    asks = [ask for ask in scene.questions(draw.chance) if len(_inside(ask, words)) > 1]
    ask = one_of(draw, asks)
    if ask is None:
        return None
    wrong = draw.some(_inside(ask, words), 2)
    options = [ask.said(option, language, draw.chance) for option in (ask.answer, *wrong)]
    return {
        "passage": scene.text(language, draw.chance),
        "question": ask.text(language, draw.chance),
        "options": list(options),
    }


def _inside(ask: Ask, words: set[str]) -> list[Word]:
    """The wrong answers that the passage names, where it names the right one too."""
    if not isinstance(ask.answer, Word) or ask.answer.key not in words:
        return []
    return [word for word in ask.others if isinstance(word, Word) and word.key in words]


def reading_answer(draw: Draw, language: Language, label: int) -> Row | None:
    """A question to be answered with words of the passage."""
    scene = _scene(draw)
    if scene is None:
        return None
    asks = [ask for ask in scene.questions(draw.chance) if isinstance(ask.answer, Word)]
    text = scene.text(language, draw.chance)
    for ask in asks:
        answer = ask.short(language, draw.chance)
        if answer.casefold() in text.casefold():
            return {"passage": text, "question": ask.text(language, draw.chance), "answer": answer}
    return None


# --- yes or no ---


def passage_yes_no(draw: Draw, language: Language, label: int) -> Row | None:
    """A question for yes or no; what it asks is told, or ruled out by what is told."""
    scene = short_scene(draw, CHECKED)
    if scene is None:
        return None
    yes = _by_relation(one for one in scene.known() if one.relation.check["en"])
    no = _by_relation(_ruled_out(scene, draw))
    name = one_of(draw, sorted(yes.keys() & no.keys()))
    if name is None:
        return None
    asked = pick(draw.chance, (yes if label == YES else no)[name])
    return {"passage": scene.text(language, draw.chance), "question": asked.check(language, draw.chance)}


def _ruled_out(scene: Scene, draw: Draw) -> list[Fact]:
    """False facts in words of the scene: another value than the one told, and what was so before."""
    words, known = scene.words(), {one.key for one in scene.known()}
    claims = [one for one in scene.false_claims(draw.chance) if one.later is None and not one.denied]
    found = [one.fact for one in claims if all(word.key in words for word in one.fact.roles.values())]
    return found + [one for one in scene.stale if one.key not in known | {other.key for other in scene.implied}]


def _by_relation(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = {}
    for one in facts:
        found.setdefault(one.relation.name, []).append(one)
    return found


def answerable(draw: Draw, language: Language, label: int) -> Row | None:
    """Does the passage tell? A trait of three people or things, left out of one."""
    gap = gapped(draw)
    asked = pick(draw.chance, gap.told) if label == YES else gap.missing
    return {"passage": gap.scene.text(language, draw.chance), "question": asked.ask(gap.role, language, draw.chance)}


# --- counting ---

# relation → how many share a value, in English and in Chinese.
COUNTED: Mapping[str, tuple[str, str]] = {
    "is_in": ("how many people are {where:in}", "有几个人{where:in}"),
    "likes": ("how many people like {what:mass}", "有几个人喜欢{what}"),
    "pet": ("how many people have {what:a}", "有几个人养{what:bare}"),
    "wears": ("how many people wear {what:a}", "有几个人穿戴着{what:bare}"),
    "has": ("how many people have {what:a}", "有几个人有{what:bare}"),
    "wants": ("how many people want {what:a}", "有几个人想要{what:bare}"),
    "plays": ("how many people play {what}", "有几个人演奏{what}"),
    "sport": ("how many people play {what}", "有几个人玩{what}"),
    "studies": ("how many people like {what} best", "有几个人最喜欢{what}课"),
    "lives": ("how many people live in {where}", "有几个人住在{where}"),
    "works": ("how many people work as {what:a}", "有几个人当{what:bare}"),
    "fears": ("how many people fear {what}", "有几个人怕{what}"),
    "likes_colour": ("how many people like {what} best", "有几个人最喜欢{what}"),
    "travels": ("how many people go to work {how}", "有几个人{how}去上班"),
    "doing": ("how many people are {what:ing}", "有几个人在{what}"),
    "is_coloured": ("how many things are {colour}", "有几样东西是{colour}的"),
    "lies": ("how many things are {where:in}", "有几样东西{where:in}"),
}


@cache
def _counting(name: str, language: Language) -> Wording:
    return compile_wording(COUNTED[name][0 if language == "en" else 1], language)


def how_many(draw: Draw, language: Language, label: int) -> Row | None:
    """One of five or six people or things each; how many of them share a value: one to four."""
    name = pick(draw.chance, tuple(COUNTED))
    kind = "thing" if name in OF_THINGS else "person"
    role, values = _values(draw, name)
    count = draw.number(5, 6)
    # The rest shares values too, so that the value told most often need not be the one asked about.
    told = [values[0]] * (label + 1)
    told += [pick(draw.chance, values[1:]) for _ in range(count - len(told))]
    draw.chance.shuffle(told)
    facts = []
    for word in told:
        owner = draw.fresh(group("thing")) if kind == "thing" else _who(draw, word, name)
        facts.append(fact(name, **{"what" if kind == "thing" else "who": owner, role: word}))
    text = join([one.sentence(language, draw.chance) for one in facts], language)
    asked = question(_counting(name, language).fill({role: values[0]}), language)
    return {"passage": text, "question": asked}


def _values(draw: Draw, name: str) -> tuple[str, list[Word]]:
    if name in OF_THINGS:
        return OF_THINGS[name], draw.some(lexicon.family("colours") if name == "is_coloured" else group("spot"), 3)
    role, kind, _ = TRAITS[name]
    return role, draw.some(group(kind), 3)


def _who(draw: Draw, word: Word, name: str) -> Word:
    """Somebody new who may meet this word in this part."""
    kind = TRAITS[name][1]
    for _ in range(60):
        person = draw.person()
        if any(word is own for own in allowed(draw.part, person.key, kind)):
            return person
    return person


# --- order, and the sentence that tells ---


def order_ask(draw: Draw) -> tuple[Scene, Ask] | None:
    """What happened first, last, before or after, of three things that happened? None where this draw gives none.

    The three are drawn first, then which of them is right, then a question that it answers: so no event is right for
    being what a story begins or ends with. No two speak of one thing, which must be taken before it is given away.
    """
    scene = short_scene(draw, ORDERED, 4, 6)
    if scene is None:
        return None
    scene = _in_any_order(scene, draw) if scene.kind in UNTIED else scene
    told = [telling.fact for telling in scene.told]
    asks = [[_order_asks(number, trio, told) for number in trio] for trio in combinations(range(len(told)), 3)]
    three = one_of(draw, [own for own in asks if all(own)])
    return None if three is None else (scene, pick(draw.chance, pick(draw.chance, three)))


def first_last(draw: Draw, language: Language, label: int) -> Row | None:
    """What happened first, last, before or after? All three options happened."""
    made = order_ask(draw)
    if made is None:
        return None
    scene, ask = made
    options = [ask.said(option, language, draw.chance) for option in (ask.answer, *ask.others)]
    return {
        "passage": scene.text(language, draw.chance),
        "question": ask.text(language, draw.chance),
        "options": list(options),
    }


def _in_any_order(scene: Scene, draw: Draw) -> Scene:
    """The scene's events in another order, which is then the order in which they happened; the hours stay."""
    facts = draw.some([telling.fact for telling in scene.told], len(scene.told))
    hours = [telling.when for telling in scene.told]
    told = [
        # A lunch is told with its hour.
        Telling(one, when=None if one.relation.name == "ate" else hour)
        for one, hour in zip(facts, hours, strict=True)
    ]
    return replace(scene, told=tuple(told), asks=())


def _order_asks(place: int, trio: tuple[int, ...], told: Sequence[Fact]) -> list[Ask]:
    """The questions about the order of events to which, of these three, the one at this place is the answer."""
    one, others = told[place], tuple(told[number] for number in trio if number != place)
    if any(_same_thing(a, b) for a, b in combinations((one, *others), 2)):
        return []
    found = []
    if place == 0:
        found.append(Ask("first", one, others, tuple(told), group="what_first"))
    if place == len(told) - 1:
        found.append(Ask("last", one, others, tuple(told), group="what_last"))
    for kind, next_to in (("after", place - 1), ("before", place + 1)):
        if 0 <= next_to < len(told) and next_to not in trio and not _same_thing(one, told[next_to]):
            found.append(Ask(kind, one, others, (one, told[next_to]), group=kind, slots=(("a", told[next_to]),)))
    return found


def _same_thing(one: Fact, other: Fact) -> bool:
    things = [fact.roles["what"].key for fact in (one, other) if "what" in fact.roles]
    return len(things) == 2 and things[0] == things[1]


def find_sentence(draw: Draw, language: Language, label: int) -> Row | None:
    """Which of three sentences of the passage answers the question?"""
    scene = _scene(draw)
    if scene is None or len(scene.told) < 3:
        return None
    known = {one.key for one in scene.known()}
    places = [place for place, one in enumerate(scene.told) if one.fact.key in known]
    asks = [(place, ask) for place in places for ask in scene.about(scene.told[place].fact, draw.chance)]
    chosen = one_of(draw, asks)
    if chosen is None:
        return None
    place, ask = chosen
    lines = scene.sentences(language, draw.chance, pronouns=False)
    others = draw.some([line for number, line in enumerate(lines) if number != place], 2)
    return {
        "passage": join(lines, language),
        "question": ask.text(language, draw.chance),
        "options": [lines[place], *others],
    }


MAKERS: dict[str, Maker] = {
    "lookup": Maker(lookup, 3),
    "reading_answer": Maker(reading_answer),
    "passage_yes_no": Maker(passage_yes_no, 2),
    "answerable": Maker(answerable, 2),
    "how_many": Maker(how_many, 4),
    "first_last": Maker(first_last, 3),
    "find_sentence": Maker(find_sentence, 3),
}
