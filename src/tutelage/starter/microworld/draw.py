"""Drawing words for scenes: people, things, places of one part of the world, never the same twice in a scene."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.parts import Part, owned
from tutelage.starter.microworld.schemas import fillers
from tutelage.starter.microworld.wording import Item, Word, pick

COLOUR_SHARE = 0.5
LOOK_SHARE = 0.2
SHARED_OUT = ("thing", "place", "activity", "help with", "food", "animal", "spot", "job", "town", "beasts", "clothing")


@cache
def allowed(part: Part, name: str, kind: str) -> tuple[Word, ...]:
    """The words of this group that may meet this person in this part; small groups (colours, days) may meet
    everybody.
    """
    words = group(kind)
    return owned(part, name, words, [word.key for word in words]) if kind in SHARED_OUT else words


@dataclass(slots=True)
class Draw:
    """A source of words for one scene.

    chance: where it all comes from. part: whose combinations are drawn. used: the keys already drawn, so that nothing
    comes twice.
    """

    chance: random.Random
    part: Part = "pretrain"
    used: set[str] = field(default_factory=set)

    def fresh(self, items: Sequence[Word]) -> Word:
        """One of the words that was not drawn before (any, when all were)."""
        for _ in range(20):
            word = pick(self.chance, items)
            if word.key not in self.used:
                break
        self.used.add(word.key)
        return word

    def odds(self, share: float) -> bool:
        """True with this probability."""
        return self.chance.random() < share

    def number(self, low: int, high: int) -> int:
        """A whole number between the two, both included."""
        return low + int(self.chance.random() * (high - low + 1))

    def some(self, items: Sequence[Item], count: int) -> list[Item]:
        """So many different items, in any order."""
        return self.chance.sample(items, min(count, len(items)))

    def person(self, gender: str = "") -> Word:
        """Somebody new; `gender` "m" or "f" where it matters."""
        half = len(lexicon.names())
        people = lexicon.names()
        word = self.fresh(people)
        for _ in range(half):
            if not gender or word.tags["gender"] == gender:
                return word
            word = self.fresh(people)
        return word

    def people(self, count: int, gender: str = "") -> list[Word]:
        """Several."""
        return [self.person(gender) for _ in range(count)]

    def word(self, kind: str, owner: Word | None = None) -> Word:
        """A word of a group that may meet `owner`; things get a colour or a look half the time."""
        word = self.fresh(allowed(self.part, owner.key, kind) if owner else group(kind))
        return self.dress(word) if kind in ("thing", "toy", "clothing") else word

    def dress(self, word: Word, share: float = COLOUR_SHARE) -> Word:
        """The thing, perhaps with a colour or a look."""
        if not self.odds(share):
            return word
        if self.odds(LOOK_SHARE):
            return lexicon.paint(word, None, pick(self.chance, lexicon.family("looks")))
        return lexicon.paint(word, pick(self.chance, lexicon.family("colours")))

    def amount(self, low: int, high: int, noun: Word) -> Word:
        """A number of these, with the right measure word."""
        return lexicon.number(self.number(low, high), noun.tags["measure"])

    def fill(self, schema: str, slots: Sequence[tuple[str, str]], who: Word | None = None) -> dict[str, Word]:
        """Words for a schema's slots; people for slots of the group "person"."""
        roles = {} if who is None else {"who": who}
        for role, name in slots:
            if name == "person":
                roles[role] = self.person()
                continue
            word = self.fresh(fillers(schema, name, self.part))
            roles[role] = self.dress(word, 0.35) if word.kind == "thing" else word
        return roles
