"""Every wording of the world as a line to be matched: fixed text, and between it words of a known kind.

Telling goes from facts to text; here the same wordings are read backwards. A line is tried only where its longest piece
of fixed text stands in the clause, and a slot holds only what some word says in the form that stands there, so a clause
is read in a few dozen microseconds, and never as something that the world could not have said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from tutelage.starter.microworld import knowledge, lexicon, people
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.lexicon import use_by
from tutelage.starter.microworld.relations import Fact, Relation, relations
from tutelage.starter.microworld.schemas import Schema, causes, feelings
from tutelage.starter.microworld.wording import Language, Word, Wording

Said = Mapping[str, tuple[str, ...]]  # text in small letters → the keys of the words that it may be
PRONOUN_FORMS = frozenset({"he", "him", "his"})
UNBOUND = ""  # a pronoun that repeats whom the line has named
NUMBERS = 100


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact as it is stated: keys of words by role ("he" and "she" for pronouns); some wordings leave a role out."""

    relation: str
    roles: tuple[tuple[str, str], ...]
    denied: bool = False

    def naming(self, pronoun: str, key: str) -> Statement:
        """The same of the person whom the pronoun means."""
        roles = tuple((role, key if word == pronoun else word) for role, word in self.roles)
        return Statement(self.relation, roles, self.denied)


@dataclass(frozen=True, slots=True)
class Line:
    """One wording. head: the text before the first slot; slots: role, its words, the text behind it; mark: the longest
    piece of fixed text.
    """

    relation: str
    denied: bool
    head: str
    slots: tuple[tuple[str, Said, str], ...]
    mark: str

    def read(self, text: str) -> Iterator[Statement]:
        """What the text (in small letters, without full stop) states if it is this line."""
        if not text.startswith(self.head):
            return
        for roles in self._fill(text, len(self.head), 0, {}):
            yield Statement(self.relation, tuple(sorted(roles.items())), self.denied)

    def _fill(self, text: str, at: int, number: int, roles: dict[str, str]) -> Iterator[dict[str, str]]:
        if number == len(self.slots):
            if at == len(text):
                yield roles
            return
        role, words, after = self.slots[number]
        last = number == len(self.slots) - 1
        for end in _ends(text, at, after, last):
            for key in words.get(text[at:end], ()):
                if key == UNBOUND or roles.get(role, key) == key:
                    bound = roles if key == UNBOUND else {**roles, role: key}
                    yield from self._fill(text, end + len(after), number + 1, bound)


def _ends(text: str, at: int, after: str, last: bool) -> Iterator[int]:
    """Where a word that begins at `at` may end, so that `after` follows."""
    if last:
        if text.endswith(after) and len(text) - len(after) > at:
            yield len(text) - len(after)
    elif after:
        end = text.find(after, at + 1)
        while end != -1:
            yield end
            end = text.find(after, end + 1)
    else:
        yield from range(at + 1, len(text) + 1)


# --- words ---


def surfaces(words: Iterable[Word], language: Language, form: str) -> dict[str, tuple[str, ...]]:
    """What these words say in that form, and which of them say it."""
    found: dict[str, dict[str, None]] = {}
    for word in words:
        text = word.forms[language].get(form)
        if text:
            found.setdefault(text.lower(), {})[word.key] = None
    return {text: tuple(keys) for text, keys in found.items()}


@cache
def things() -> tuple[Word, ...]:
    """All things, with and without a colour or a look, and the kinds of things."""
    shades = (*lexicon.family("colours"), *lexicon.family("looks"))
    plain = lexicon.objects()
    looks = lexicon.family("looks")
    painted = [lexicon.paint(one, None if shade in looks else shade, shade if shade in looks else None)
               for one in plain for shade in shades]  # fmt: skip
    return (*plain, *painted, *lexicon.classes().values())


@cache
def persons() -> tuple[Word, ...]:
    """Everybody who has a name, and the pronouns."""
    return (*lexicon.names(), *(known.word for known in people.people()), *lexicon.PRONOUNS.values())


@cache
def _numbers() -> tuple[Word, ...]:
    measures = {"个", "岁", *(one.tags["measure"] for one in (*lexicon.objects(), *lexicon.generic_foods()))}
    return tuple(lexicon.number(value, measure) for value in range(NUMBERS) for measure in sorted(measures))


@cache
def _uses() -> tuple[Word, ...]:
    return tuple(
        use_by(use, gender) for kind in ("thing", "place") for use in lexicon.uses(kind).values() for gender in "mf"
    )


@cache
def words_of_kind(kind: str) -> tuple[Word, ...]:
    """All words that may stand in a role of that kind."""
    if kind == "plural":
        return tuple(lexicon.many(one) for one in (*group("thing"), *lexicon.generic_foods()))
    if kind == "animal":
        return (*lexicon.animals(), *lexicon.classes().values())
    table = {"thing": things, "noun": things, "clothing": things, "person": persons, "number": _numbers, "use": _uses}
    return table[kind]() if kind in table else group(kind)


@cache
def _general_words(relation: str, role: str) -> tuple[Word, ...]:
    # By what they are, not by their keys: "right" is the opposite of "left" and of "wrong", two words in Chinese.
    found = {id(one.roles[role]): one.roles[role] for one in world_facts() if one.relation.name == relation}
    return tuple(found.values())


@cache
def world_facts() -> tuple[Fact, ...]:
    """What holds whatever a passage says: of kinds of things, and of the people and towns of the world."""
    general = {one.key: one for one in knowledge.facts()}
    general |= {step.conclusion.key: step.conclusion for step in knowledge.steps()}
    return (*general.values(), *(one for known in (*people.people(), *people.towns()) for one in known.facts))


@cache
def said(kind: str, form: str, language: Language) -> Said:
    """What a word of that kind can say in that form. In Chinese a number may have any measure word."""
    found = surfaces(words_of_kind(kind), language, form)
    return dict.fromkeys(found, (UNBOUND,)) if kind == "person" and form in PRONOUN_FORMS else found


# --- lines ---


def _line(relation: str, denied: bool, wording: Wording, words: Mapping[tuple[str, str], Said]) -> Line:
    slots = tuple((role, words[role, form], after.lower()) for role, form, after in wording.slots)
    mark = max((wording.head, *(after for _, _, after in wording.slots)), key=len).lower()
    return Line(relation, denied, wording.head.lower(), slots, mark)


def _relation_lines(relation: Relation, language: Language) -> Iterator[Line]:
    for denied, wordings in ((False, relation.clause[language]), (True, relation.deny[language])):
        for wording in wordings:
            words = {(role, form): _in_role(relation, role, form, language) for role, form, _ in wording.slots}
            yield _line(relation.name, denied, wording, words)


@cache
def _in_role(relation: Relation, role: str, form: str, language: Language) -> Said:
    kind = relation.roles[role][0]
    if kind == "person" or relation.time != "generic":
        found = said(kind, form, language)
        # Things are compared, too.
        return {**said("thing", form, language), **found} if relation.name == "compare" and kind == "person" else found
    return surfaces(_general_words(relation.name, role), language, form)


def _schema_lines(schema: Schema, language: Language) -> Iterator[Line]:
    groups = {"who": "person", **dict(schema.slots)}
    for relation in (schema.first, schema.second, schema.after):
        for wording in relation.clause[language] if relation is not None else ():
            words = {(role, form): _in_slot(groups[role], form, language) for role, form, _ in wording.slots}
            assert relation is not None
            yield _line(relation.name, False, wording, words)


@cache
def _in_slot(name: str, form: str, language: Language) -> Said:
    is_thing = name != "person" and group(name)[0].kind == "thing"
    return said("thing" if is_thing else name, form, language)


@cache
def lines(language: Language) -> tuple[Line, ...]:
    """All lines of a language, with every line once."""
    found = [line for relation in relations().values() for line in _relation_lines(relation, language)]
    found += [line for schema in (*causes(), *feelings()) for line in _schema_lines(schema, language)]
    once = {
        (line.relation, line.denied, line.head, tuple((r, id(w), a) for r, w, a in line.slots)): line for line in found
    }
    return tuple(once.values())


def read(text: str, language: Language) -> list[Statement]:
    """All that the clause (in small letters, without full stop) may state; empty where it is no line of the world.

    >>> read("tom has a red ball", "en")[0]
    Statement(relation='has', roles=(('what', 'red ball'), ('who', 'Tom')), denied=False)
    """
    found = (one for line in lines(language) if line.mark in text for one in line.read(text))
    return list(dict.fromkeys(found))
