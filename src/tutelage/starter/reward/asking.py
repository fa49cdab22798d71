"""Questions about the world with the facts behind them: a passage to read, or what everybody knows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from tutelage.starter.microworld import knowledge, lexicon, people, states, stories
from tutelage.starter.microworld.claims import Ask, Claim
from tutelage.starter.microworld.documents.knowing import general_role_ask, known_ask
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import Part
from tutelage.starter.microworld.phrases import phrases
from tutelage.starter.microworld.relations import Fact, relations
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.wording import Language, Word, pick, sentence
from tutelage.starter.reward.frames import Verdict
from tutelage.starter.reward.lines import PRONOUN_FORMS, Statement, world_facts
from tutelage.starter.tasks.passages import one_of, short_scene
from tutelage.starter.tasks.reading import SCENES, order_ask

State = frozenset[tuple[str, str]]  # the words' keys by role
# What is so when this is so: to have a thing and to hold it are told apart by the world, not by those who answer.
ALSO = {"has": "holds", "holds": "has", "feels": "felt", "felt": "feels"}
GENERAL = frozenset({"has", "holds", "wants", "bought", "found", "borrowed", "pet", "saw", "took", "broke", "lost"})
COURTESY: Mapping[Language, int] = {"en": 26, "zh": 10}  # characters that politeness may take
ROOM = 1.25


@dataclass(frozen=True, eq=False)
class Question:
    """A question, and everything that is needed to judge any answer to it.

    kind: a key of KINDS. passage: the text that tells, "" where it is asked from memory. question: in words. answer:
    the shortest right one. full: one that is a whole sentence. ask: the question as the world has it; claim instead,
    where it asks for yes or no. known: what holds; gone: what held before and holds no more.
    """

    kind: str
    language: Language
    passage: str
    question: str
    answer: str
    full: str
    ask: Ask | None
    known: tuple[Fact, ...]
    gone: tuple[Fact, ...] = ()
    claim: Claim | None = None
    right: tuple[Fact, ...] = field(default=())

    @property
    def prompt(self) -> str:
        """The passage and the question, as a model is asked."""
        return f"{self.passage}\n{self.question}" if self.passage else self.question

    @property
    def verdict(self) -> Verdict | None:
        """The right yes or no."""
        return None if self.claim is None else "yes" if self.claim.truth == "yes" else "no"

    # --- what holds ---

    @cached_property
    def holds(self) -> Mapping[str, frozenset[State]]:
        """What the passage lets one say, by relation; also in less exact words."""
        return _index(self.known)

    @cached_property
    def answers(self) -> Mapping[str, frozenset[State]]:
        """The statements that answer the question."""
        return _index(self.right, self._ambiguous())

    def _ambiguous(self) -> frozenset[str]:
        """Things of which others are among the wrong answers: "a ball" is no answer where there are two."""
        others = () if self.ask is None else self.ask.others
        return frozenset(word.tags["base"] for word in others if isinstance(word, Word) and "base" in word.tags)

    @cached_property
    def given(self) -> Mapping[str, frozenset[State]]:
        """What the question itself says, which an answer may say again: "It broke because …"."""
        slots = () if self.ask is None else self.ask.slots
        return _index([value for _, value in slots if isinstance(value, Fact)])

    @cached_property
    def refuted(self) -> Mapping[str, frozenset[State]]:
        """The wrong answers that are facts: events that were not the first."""
        others = () if self.ask is None else self.ask.others
        return _index([other for other in others if isinstance(other, Fact)])

    # --- words ---

    @cached_property
    def right_words(self) -> frozenset[str]:
        """The right answer as a word, in all its forms, in small letters; none where the answer is a fact."""
        if self.ask is None or not isinstance(self.ask.answer, Word):
            return frozenset()
        values = [one.roles[self.ask.role] for one in self.right if self.ask.role in one.roles] or [self.ask.answer]
        return frozenset(text for word in values for text in self._texts(word))

    def _texts(self, word: Word) -> Iterator[str]:
        yield from _texts(word, self.language)
        base = word.tags.get("base", "")
        if base and base not in self._ambiguous():
            yield from _texts(_things()[base], self.language)

    @cached_property
    def sentences(self) -> Mapping[str, bool]:
        """Sentences of the question's own, "together they have six apples": do they say the right answer?"""
        if self.ask is None or not self.ask.full_group or self.ask.about is not None:
            return {}
        ask, found = self.ask, {}
        wrong = [word for word in ask.others if isinstance(word, Word)]
        for word in (*wrong, ask.answer):
            own = replace(ask, answer=word)
            texts = {name: _slot(value, name, self.language) for name, value in ask.slots}
            short = own.short(self.language, random.Random(0))
            for line in phrases()[ask.full_group][self.language]:
                found[line.fill({**texts, "n": short}).lower()] = word is ask.answer
        return found

    @cached_property
    def named(self) -> tuple[tuple[str, str], ...]:
        """The people whom the question names, each with the key of "he" or "she"."""
        told = {word for one in (*self.known, *self.gone) for word in one.roles.values() if word.kind == "person"}
        named = [word for word in told if word.forms[self.language][""] in self.question]
        return tuple((word.key, "he" if word.tags["gender"] == "m" else "she") for word in named)

    @cached_property
    def room(self) -> int:
        """The characters that an honest answer may take."""
        wordings = [len(line.fill(one.roles)) for one in self.right[:1] for line in one.relation.clause[self.language]]
        return round(ROOM * max([len(self.full), *wordings])) + COURTESY[self.language]


def _slot(value: Fact | Word | str, name: str, language: Language) -> str:
    assert isinstance(value, Word)
    return value.forms[language].get(name, value.forms[language][""])


@cache
def _things() -> Mapping[str, Word]:
    return {word.key: word for word in lexicon.objects()}


def _texts(word: Word, language: Language) -> Iterator[str]:
    """All its forms, but not "he": that names nobody."""
    for form, text in word.forms[language].items():
        if form not in PRONOUN_FORMS:
            yield text.lower()


def state(one: Fact) -> State:
    """The fact's words by role."""
    return frozenset((role, word.key) for role, word in one.roles.items())


def _index(facts: Iterable[Fact], ambiguous: frozenset[str] = frozenset()) -> dict[str, frozenset[State]]:
    found: dict[str, set[State]] = {}
    for one in facts:
        for name in filter(None, (one.relation.name, ALSO.get(one.relation.name))):
            found.setdefault(name, set()).update(_less_exact(one, ambiguous))
    return {name: frozenset(own) for name, own in found.items()}


def _less_exact(one: Fact, ambiguous: frozenset[str]) -> Iterator[State]:
    """The fact, and the same of "a ball" for a red ball."""
    yield state(one)
    what = one.roles.get("what")
    base = what.tags.get("base", "") if what is not None else ""
    if base and base not in ambiguous and one.relation.name in GENERAL:
        yield frozenset((role, base if role == "what" else word.key) for role, word in one.roles.items())


@cache
def world() -> Mapping[str, frozenset[State]]:
    """What holds of kinds of things, and of the people and towns of the world."""
    return _index(world_facts())


def stated(one: Statement, index: Mapping[str, frozenset[State]]) -> bool:
    """Whether a statement is one of these; a wording that leaves a role out may mean any."""
    found = index.get(one.relation, frozenset())
    roles = frozenset(one.roles)
    if roles in found:
        return True
    relation = relations().get(one.relation)  # schemas have none of that name
    return (relation is None or len(roles) < len(relation.roles)) and any(roles <= own for own in found)


# --- making them ---


def _asked(kind: str, scene: Scene, ask: Ask, draw: Draw, language: Language, right: tuple[Fact, ...]) -> Question:
    return Question(
        kind,
        language,
        scene.text(language, draw.chance),
        ask.text(language, draw.chance),
        ask.short(language, draw.chance),
        ask.full(language, draw.chance),
        ask,
        tuple(scene.known()),
        scene.stale,
        right=right,
    )


def _reading(draw: Draw, language: Language) -> Question | None:
    """Who, what, where, how? A role of a fact that the passage tells."""
    scene = states.portraits(draw, 3, 2) if draw.odds(0.35) else short_scene(draw, SCENES)
    asks = [] if scene is None else [ask for one in scene.known() for ask in scene.about(one, draw.chance)]
    ask = one_of(draw, asks)
    if scene is None or ask is None or ask.about is None:
        return None
    return _asked("reading", scene, ask, draw, language, (ask.about,))


def _counting(draw: Draw, language: Language) -> Question | None:
    """Who is the tallest, how many are there together, how many are left?"""
    scene = pick(draw.chance, (states.amounts, states.prices, states.ranking))(draw)
    ask = one_of(draw, [ask for ask in scene.asks if ask.full_group])
    if ask is None:
        return None
    return _asked("counting", scene, ask, draw, language, () if ask.about is None else (ask.about,))


def _order(draw: Draw, language: Language) -> Question | None:
    """What happened first, last, before, after?"""
    made = order_ask(draw)
    if made is None:
        return None
    scene, ask = made
    assert isinstance(ask.answer, Fact)
    return _asked("order", scene, ask, draw, language, (ask.answer,))


def _why(draw: Draw, language: Language) -> Question | None:
    """Why did it come about, or what came of it?"""
    scene = (stories.mishap if draw.odds(0.6) else stories.mood)(draw, asked=True)
    ask = one_of(draw, scene.asks)
    if ask is None or not isinstance(ask.answer, Fact):
        return None
    return _asked("why", scene, ask, draw, language, (ask.answer,))


def _checking(draw: Draw, language: Language) -> Question | None:
    """Yes or no?"""
    scene = short_scene(draw, SCENES)
    if scene is None:
        return None
    yes = draw.odds(0.5)
    claims = scene.true_claims(draw.chance) if yes else scene.false_claims(draw.chance)
    plain = [one for one in claims if one.later is None and not one.denied and one.fact.relation.check[language]]
    claim = one_of(draw, plain)
    if claim is None:
        return None
    word = pick(draw.chance, phrases()["yes_word" if yes else "no_word"][language][:1]).head
    comma = ", " if language == "en" else "，"
    right = (claim.fact,) if yes else claim.why
    return Question(
        "checking",
        language,
        scene.text(language, draw.chance),
        claim.fact.check(language, draw.chance),
        word,
        sentence(word + comma + right[0].clause(language, draw.chance), language),
        None,
        tuple(scene.known()),
        scene.stale,
        claim,
        right,
    )


def _from_memory(kind: str, ask: Ask, draw: Draw, language: Language) -> Question:
    """A question without a passage; whatever else stands in that role is right as well."""
    about = ask.about
    assert about is not None
    right = [one for one in world_facts() if one.relation is about.relation and _alike(one, about, ask.role)]
    texts = ask.text(language, draw.chance), ask.short(language, draw.chance), ask.full(language, draw.chance)
    return Question(kind, language, "", *texts, ask, (about,), right=(about, *right))


def _alike(one: Fact, other: Fact, role: str) -> bool:
    return all(word.key == other.roles[name].key for name, word in one.roles.items() if name != role)


def _people(draw: Draw, language: Language) -> Question:
    """What is known about somebody, or a town."""
    known = pick(draw.chance, people.everybody(draw.part))
    return _from_memory("people", known_ask(draw, pick(draw.chance, known.facts)), draw, language)


def _knowing(draw: Draw, language: Language) -> Question:
    """What holds of kinds of things."""
    one = pick(draw.chance, [fact for fact in knowledge.asked(draw.part) if fact.relation.name != "trait"])
    return _from_memory("knowing", general_role_ask(draw, one, "y"), draw, language)


# kind → how it is made, and how often
KINDS: Mapping[str, tuple[Callable[[Draw, Language], Question | None], int]] = {
    "reading": (_reading, 6),
    "counting": (_counting, 2),
    "order": (_order, 2),
    "why": (_why, 2),
    "checking": (_checking, 3),
    "people": (_people, 2),
    "knowing": (_knowing, 2),
}


def questions(seed: int | str, part: Part, language: Language, count: int | None = None) -> Iterator[Question]:
    """So many questions (without end where no count is given), a pure function of the seed.

    part: "tune" or "test", whose combinations of words, schemas and people are asked about: none is in both, and what
    is asked in one stands in no pretraining text as a question.
    """
    names = [name for name, (_, weight) in KINDS.items() for _ in range(weight)]
    number = made = 0
    while count is None or made < count:
        chance = random.Random(f"reward/{seed}/{part}/{language}/{number}")
        number += 1
        one = KINDS[pick(chance, names)][0](Draw(chance, part), language)
        if one is not None:
            made += 1
            yield one
