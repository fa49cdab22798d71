"""A scene: what is so and what happened, with everything that can be asked about it.

A `Scene` is a structure, not a text. `told` is what its text will say, `implied` what follows from it; both are
`Fact`s, so every question, judgement, paraphrase and summary comes with an exact label. `text` renders it in either
language, `questions` asks it, `claims` gives statements that are true, false or open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.claims import Ask, Claim, Telling
from tutelage.starter.microworld.contrast import (
    OTHERS,
    agree,
    distinct,
    exact,
    excludes,
    more_general,
    more_special,
    near,
    open_relations,
    outside,
    values_of,
)
from tutelage.starter.microworld.phrases import phrase
from tutelage.starter.microworld.relations import KINDS, Fact
from tutelage.starter.microworld.wording import Chance, Language, Word, capital, pick, sentence

PRONOUN_SHARE = 0.6
LINK_SHARE = 0.45


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What happened, who took part, what can be asked.

    kind: the builder's name. topic: what it is about (a key of `lexicon.topics`). timed: the order of telling is the
    order of events. implied: what follows and is not told. gist: what a summary says. asks: questions beyond those
    about single facts.
    """

    kind: str
    topic: str
    people: tuple[Word, ...]
    told: tuple[Telling, ...]
    gist: tuple[Fact, ...]
    timed: bool = False
    implied: tuple[Fact, ...] = ()
    asks: tuple[Ask, ...] = ()
    stale: tuple[Fact, ...] = ()
    title: tuple[Word, Word] | None = None

    def facts(self) -> tuple[Fact, ...]:
        """All facts that the text tells."""
        return tuple(one for telling in self.told for one in telling.facts())

    # --- text ---

    def sentences(self, language: Language, chance: Chance, pronouns: bool = True) -> list[str]:
        """The text, sentence by sentence."""
        lines: list[str] = []
        before: Word | None = None
        last = len(self.told) - 1
        for number, telling in enumerate(self.told):
            who = telling.fact.roles.get("who")
            again = (
                pronouns and before is not None and who is before and telling.fact.relation.name not in NEVER_PRONOUN
            )
            role = "who" if again and chance.random() < PRONOUN_SHARE else ""
            place = "first" if number == 0 else "last" if number == last else "then"
            lines.append(self._sentence(telling, language, chance, role, place))
            before = who if who is not None and who.kind == "person" and _alone(telling.fact, who) else None
        return lines

    def _sentence(self, telling: Telling, language: Language, chance: Chance, role: str, place: str) -> str:
        clause = telling.fact.clause(language, chance, role)
        if telling.effect is not None and telling.named is not None:
            # "She had left the door open" needs a name before it: the effect, told first, must have said it.
            named = _names(telling.named, "who", language)
            return phrase(
                "so",
                language,
                chance,
                a=clause,
                b=telling.effect.clause(language, chance),
                e=telling.named.clause(language, chance, role),
                x=telling.fact.clause(language, chance, "who" if named else ""),
            )
        if telling.when is not None:
            return phrase("at_time", language, chance, a=clause, t=telling.when.forms[language][""])
        if self.timed and len(self.told) > 2 and chance.random() < LINK_SHARE * (0.4 if place == "first" else 1):
            return phrase(place, language, chance, a=clause)
        return sentence(clause, language)

    def text(self, language: Language, chance: Chance, pronouns: bool = True) -> str:
        """The scene as a paragraph."""
        return (" " if language == "en" else "").join(self.sentences(language, chance, pronouns))

    def summary(self, language: Language, chance: Chance) -> str:
        """The gist in a sentence or two."""
        return (" " if language == "en" else "").join(one.sentence(language, chance) for one in self.gist)

    def heading(self, language: Language, chance: Chance) -> str:
        """A title."""
        if self.title is None:
            return capital(lexicon.topics()[self.topic].forms[language][""])
        if self.title[0] is self.title[1]:
            return capital(lexicon.topics()[self.topic].forms[language][""])
        who, thing = (word.forms[language][form] for word, form in zip(self.title, ("", "o"), strict=True))
        return phrase("title_of", language, chance, x=who, t=thing)

    def replaced(self, old: Word, new: Word) -> Scene:
        """The same scene with another word for `old`; it keeps no questions of its own.

        Under the same chance it is told in the same wordings, if both are people of one gender, or neither is a person.
        """

        def change(one: Fact) -> Fact:
            return Fact(one.relation, {role: new if word is old else word for role, word in one.roles.items()})

        told = tuple(
            replace(
                telling,
                fact=change(telling.fact),
                effect=telling.effect and change(telling.effect),
                named=telling.named and change(telling.named),
            )
            for telling in self.told
        )
        people = tuple(new if person is old else person for person in self.people)
        implied, stale = tuple(map(change, self.implied)), tuple(map(change, self.stale))
        gist = tuple(map(change, self.gist))
        return replace(self, told=told, people=people, implied=implied, stale=stale, gist=gist, asks=(), title=None)

    # --- asking ---

    def questions(self, chance: Chance) -> list[Ask]:
        """Every question that the told facts answer, and the scene's own, in no order that gives anything away."""
        found = list(self.asks)
        found += [ask for one in self.known() for ask in self.about(one, chance)]
        for number in range(len(found) - 1, 0, -1):
            other = int(chance.random() * (number + 1))
            found[number], found[other] = found[other], found[number]
        return found

    def about(self, one: Fact, chance: Chance) -> list[Ask]:
        """The questions about one fact that have a single answer in this scene."""
        return [ask for role in one.asked_roles() if (ask := self._role_ask(one, role, chance)) is not None]

    def known(self) -> list[Fact]:
        """What holds at the end: told or implied, without what later events undid."""
        gone = {one.key for one in self.stale}
        return [one for one in (*self.facts(), *self.implied) if one.key not in gone]

    def words(self) -> set[str]:
        """The keys of all words in it, things also without their colour."""
        known = [*self.facts(), *self.implied, *self.stale]
        return {key for one in known for word in one.roles.values() for key in (word.key, word.tags.get("base", ""))}

    def _role_ask(self, one: Fact, role: str, chance: Chance) -> Ask | None:
        answer = one.roles[role]
        relation = one.relation
        rest = [name for name in relation.roles if name != role]
        known = [other for other in self.known() if other.relation is relation]
        together = all if relation.name in ALL_ROLES_SAID else any
        for other in known:
            shares = together(other.roles[name].key == one.roles[name].key for name in rest)
            if shares and other.roles[role].key != answer.key:
                return None
        wrong = [other.roles[role] for other in (*known, *self.stale) if other.relation is relation]
        if relation.name == "compare" and answer.kind != "person":
            return None
        if answer.kind == "person":
            wrong += self.people
        barred = {one.roles[name].key for name in rest}
        others = [word for word in distinct(wrong, answer, barred) if not near(word, answer)]
        if len(others) < OTHERS:
            others += outside(answer, relation.roles[role][0], self.words(), OTHERS - len(others), chance)
        kind, form = relation.roles[role]
        return Ask(
            f"{relation.name}.{role}",
            answer,
            tuple(others),
            (one,),
            about=one,
            role=role,
            form=form,
            form_zh="bare" if kind in KINDS else form,
        )

    # --- claims ---

    def true_claims(self, chance: Chance) -> list[Claim]:
        """Statements that hold: told facts (in other words), what follows, things said more generally."""
        known = self.known()
        found = [Claim(one, False, "yes", (one,)) for one in known if exact(one)]
        found += [claim for one in known if (claim := more_general(one)) is not None]
        found += [Claim(wrong, True, "yes", (one,)) for one in known for wrong in self._contradictions(one, chance)]
        found += [Claim(a, False, "yes", (a, b), b) for a, b in self._ordered(chance)]
        return found

    def false_claims(self, chance: Chance) -> list[Claim]:
        """Statements that cannot hold: another value where only one is possible, and denials of what is told."""
        known = [one for one in self.known() if exact(one)]
        found = [Claim(wrong, False, "no", (one,)) for one in known for wrong in self._contradictions(one, chance)]
        found += [Claim(one, True, "no", (one,)) for one in known if one.relation.deny["en"]]
        found += [Claim(b, False, "no", (a, b), a) for a, b in self._ordered(chance)]
        return found

    def open_claims(self, chance: Chance) -> list[Claim]:
        """Statements about which the text says nothing, though they speak of the same people or things."""
        told = {(one.relation.name, one.roles["who"].key) for one in self.facts() if "who" in one.roles}
        told |= {(one.relation.name, one.roles["who"].key) for one in self.implied if "who" in one.roles}
        found = []
        for person in self.people:
            relation, role, kind = pick(chance, open_relations())
            if (relation.name, person.key) in told:
                continue
            value = pick(chance, values_of(kind))
            one = Fact(relation, {"who": person, role: value})
            found += [Claim(one, False, "open", ()), Claim(one, True, "open", ())]
        seen = self.words()
        for one in self.facts():
            first = next(iter(one.relation.roles))
            if one.relation.name in ABOUT_THINGS:
                new = outside(one.roles[first], one.relation.roles[first][0], seen, 1, chance)
                found += [Claim(one.having(first, word), False, "open", (one,)) for word in new]
            special = more_special(one, chance)
            if special is not None:
                found.append(Claim(special, False, "open", (one,)))
        return found

    def _ordered(self, chance: Chance) -> list[tuple[Fact, Fact]]:
        """Pairs of facts of which the first came before the second."""
        told = [telling.fact for telling in self.told if telling.fact.relation.time == "events"]
        if not self.timed or len(told) < 2:
            return []
        first = int(chance.random() * (len(told) - 1))
        second = first + 1 + int(chance.random() * (len(told) - 1 - first))
        return [(told[first], told[second])]

    def _contradictions(self, one: Fact, chance: Chance) -> list[Fact]:
        unique = one.relation.unique
        if one.relation.name in TURNED_ROUND:
            a, b = TURNED_ROUND[one.relation.name]
            turned = one.having(a, one.roles[b]).having(b, one.roles[a])
            # A chain may come back: then both are true.
            return [] if turned.key in {other.key for other in self.facts()} else [turned]
        if not unique:
            return []
        role = next(name for name in one.relation.roles if name not in unique)
        known = self.known()
        values = [other.roles[role] for other in known if other.relation is one.relation]
        values = distinct(values, one.roles[role], set())
        if not values:
            values = outside(one.roles[role], one.relation.roles[role][0], self.words(), OTHERS, chance)
        values = [value for value in values if excludes(one.roles[role], value)]
        right = {
            other.roles[role].key
            for other in known
            if other.relation is one.relation and agree(other, one, list(unique))
        }
        return [one.having(role, value) for value in values if value.key not in right][:2]


# Relations that are false when two roles change places: who gave is not who got.
TURNED_ROUND = {
    "gave": ("who", "whom"),
    "borrowed": ("who", "whom"),
    "made": ("who", "whom"),
    "compare": ("who", "than"),
}
ABOUT_THINGS = frozenset({"lies", "costs", "is_coloured", "weather"})
NEVER_PRONOUN = frozenset({"kin", "compare", "sits"})
# Relations whose questions name every other role; the questions of the rest may name only some, so that two facts
# which share one of them make a question ambiguous.
ALL_ROLES_SAID = frozenset({"kin", "compare", "plan", "counts"})


def _alone(one: Fact, who: Word) -> bool:
    """Whether "he" or "she" after this fact can mean nobody but `who`."""
    others = [word for word in one.roles.values() if word.kind == "person" and word is not who]
    return all(other.tags["gender"] != who.tags["gender"] for other in others)


def _names(one: Fact, role: str, language: Language) -> bool:
    """Whether every wording of the fact names the word in this role."""
    return all(any(slot[0] == role for slot in line.slots) for line in one.relation.clause[language])
