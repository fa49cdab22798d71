"""What a document is written with: chance, a part of the world, a language; and the ways to put a question on the
page.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tutelage.starter.microworld import builders
from tutelage.starter.microworld.claims import Ask, Claim
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import Part
from tutelage.starter.microworld.phrases import Phrase, phrase, phrases
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.wording import Item, Language, Word, capital, pick, sentence

STORIES = tuple(builders.STORIES)
STATES = tuple(builders.STATES)
ALL = tuple(builders.ALL)
# Questions whose answer is a clause that may be led up to: "Because …".
ANSWERED = {"why": "because", "then": "happened"}
SHORT_REPLY, BARE_REPLY, FULL_REPLY = 0, 1, 2


@dataclass(slots=True)
class Page:
    """A sheet to write one document on.

    layout: how questions and answers stand on it, chosen once. reply: whether answers are short, bare, or sentences.
    """

    chance: random.Random
    language: Language = "en"
    part: Part = "pretrain"
    layout: Phrase = field(init=False)
    reply: int = field(init=False)

    def __post_init__(self) -> None:
        """Chooses the layout."""
        self.layout = pick(self.chance, phrases()["qa"][self.language])
        self.reply = pick(self.chance, (SHORT_REPLY, SHORT_REPLY, BARE_REPLY, FULL_REPLY))

    # --- chance ---

    def odds(self, share: float) -> bool:
        """True with this probability."""
        return self.chance.random() < share

    def number(self, low: int, high: int) -> int:
        """A whole number between the two, both included."""
        return low + int(self.chance.random() * (high - low + 1))

    def one(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return pick(self.chance, items)

    def some(self, items: Sequence[Item], count: int) -> list[Item]:
        """Several of them, in any order."""
        return self.chance.sample(items, min(count, len(items)))

    def draw(self) -> Draw:
        """A fresh source of words."""
        return Draw(self.chance, self.part)

    def scene(self, names: tuple[str, ...] = ALL) -> Scene:
        """A scene of one of these kinds."""
        return builders.build(self.chance, self.part, names)

    # --- words ---

    def say(self, name: str, **texts: str) -> str:
        """A phrase of that group."""
        return phrase(name, self.language, self.chance, **texts)

    def word(self, word: Word, form: str = "") -> str:
        """The word in this page's language."""
        return word.forms[self.language][form]

    def tell(self, one: Fact) -> str:
        """The fact as a sentence."""
        return one.sentence(self.language, self.chance)

    def clause(self, one: Fact) -> str:
        """The fact as a clause."""
        return one.clause(self.language, self.chance)

    def ended(self, text: str) -> str:
        """The text with a capital and a full stop."""
        return sentence(text, self.language)

    def joined(self, lines: Sequence[str], new_lines: bool = False) -> str:
        """Sentences in a row, or a line each."""
        return ("\n" if new_lines else " " if self.language == "en" else "").join(lines)

    # --- questions ---

    def answer(self, ask: Ask) -> str:
        """The answer, as this page gives answers."""
        if ask.kind in ANSWERED and self.odds(0.7):
            clause = ask.short(self.language, self.chance)
            return self.say(ANSWERED[ask.kind], a=clause, b=clause)
        if self.reply == FULL_REPLY:
            return ask.full(self.language, self.chance)
        short = capital(ask.short(self.language, self.chance))
        return short + self.stop() if self.reply == SHORT_REPLY else short

    def stop(self) -> str:
        """A full stop."""
        return "." if self.language == "en" else "。"

    def exchange(self, question: str, answer: str) -> str:
        """A question and its answer in this page's layout."""
        return self.layout.fill({"q": question, "a": answer})

    def asked(self, ask: Ask) -> str:
        """A question with its answer."""
        return self.exchange(ask.text(self.language, self.chance), self.answer(ask))

    def chosen(self, ask: Ask) -> str:
        """A question that names two or three possible answers, with the right one; plain where there is no other."""
        question = ask.text(self.language, self.chance)
        count = 3 if len(ask.others) > 1 and self.odds(0.35) else 2
        options = ask.options(self.language, self.chance, count)
        if len(options) < 2 or isinstance(ask.answer, Fact):
            return self.asked(ask)
        shown = list(options)
        self.chance.shuffle(shown)
        name = "either" if len(shown) == 2 else "either_three"
        full = self.say(name, q=question, **dict(zip("xyz", shown, strict=False)))
        reply = self.say("not_but", a=options[0], b=options[1]) if self.reply == FULL_REPLY else self.answer(ask)
        return self.exchange(full, reply)

    def judged(self, claim: Claim) -> str:
        """A claim put as a question, with the verdict and often its reason."""
        clause = claim.clause(self.language, self.chance)
        if not claim.denied and self.odds(0.4) and claim.fact.relation.check[self.language]:
            question = claim.fact.check(self.language, self.chance)
        else:
            question = self.say("claim_intro", c=clause)
        return self.exchange(question, self.verdict(claim))

    def verdict(self, claim: Claim) -> str:
        """Yes, no, or that it is open; with the deciding fact in half of the cases."""
        if claim.truth == "open" or not claim.why or self.odds(0.5):
            return self.say(claim.truth)
        word = self.say(f"{claim.truth}_word")
        return self.say("judged", w=word, r=claim.why[0].clause(self.language, self.chance))

    def between(self) -> str:
        """What stands between exchanges."""
        return "\n" if "\n" not in self.layout.fill({"q": "q", "a": "a"}) or self.odds(0.7) else "\n\n"

    def title_or_none(self, scene: Scene) -> str:
        """A heading, now and then."""
        return scene.heading(self.language, self.chance) + "\n" if self.odds(0.15) else ""
