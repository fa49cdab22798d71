"""What a scene is told in, asked, and judged by: a telling, a question with its answer, a statement with its truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tutelage.starter.microworld.phrases import phrase, phrases
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.wording import Chance, Language, Word, pick, sentence

Truth = Literal["yes", "no", "open"]


@dataclass(frozen=True, slots=True, eq=False)
class Telling:
    """One sentence of a scene: a fact, or a cause and its effect.

    when: a word of time put before or behind. effect: with `fact` as its cause, joined by "so" or "because"; `named`
    is the same effect told on its own.
    """

    fact: Fact
    when: Word | None = None
    effect: Fact | None = None
    named: Fact | None = None

    def facts(self) -> tuple[Fact, ...]:
        """The facts it tells, each as it would stand alone."""
        return (self.fact,) if self.named is None else (self.fact, self.named)


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """A question with its answer.

    kind: "has.what", "why", "first", "superlative"… texts: the question in words, drawn by `text`. answer and others:
    facts (told as sentences) or words (said in `form`); `others` are wrong for certain. about: the fact asked about,
    for a full answer; role: what is asked of it. support: the facts one must read. group: the phrases to ask with
    when no role is asked; slots: what stands in them.
    """

    kind: str
    answer: Word | Fact
    others: tuple[Word | Fact, ...]
    support: tuple[Fact, ...]
    about: Fact | None = None
    role: str = ""
    form: str = ""
    form_zh: str = ""
    group: str = ""
    full_group: str = ""
    slots: tuple[tuple[str, Fact | Word | str], ...] = ()

    def text(self, language: Language, chance: Chance) -> str:
        """The question."""
        if self.role and self.about is not None:
            return self.about.ask(self.role, language, chance)
        return phrase(self.group, language, chance, **self._texts(language, chance))

    def _texts(self, language: Language, chance: Chance) -> dict[str, str]:
        return {name: _said(value, name, language, chance) for name, value in self.slots}

    def short(self, language: Language, chance: Chance) -> str:
        """The answer in a word or, for a fact, a clause."""
        return self.said(self.answer, language, chance)

    def said(self, option: Word | Fact, language: Language, chance: Chance) -> str:
        """An answer or wrong answer in the same form as `short`."""
        if isinstance(option, Fact):
            return option.clause(language, chance)
        form = self.form if language == "en" or not self.form_zh else self.form_zh
        return option.forms[language][form]

    def full(self, language: Language, chance: Chance) -> str:
        """The answer as a whole sentence."""
        if isinstance(self.answer, Fact):
            return sentence(self.answer.clause(language, chance), language)
        if self.about is not None:
            return self.about.sentence(language, chance)
        if self.full_group:
            texts = self._texts(language, chance)
            return sentence(
                phrase(self.full_group, language, chance, n=self.short(language, chance), **texts), language
            )
        return sentence(self.short(language, chance), language)

    def options(self, language: Language, chance: Chance, count: int) -> list[str]:
        """The answer first, then up to `count - 1` wrong ones, all in the same form."""
        return [self.said(option, language, chance) for option in (self.answer, *self.others[: count - 1])]


def _said(value: Fact | Word | str, name: str, language: Language, chance: Chance) -> str:
    if isinstance(value, Fact):
        return value.clause(language, chance)
    if isinstance(value, Word):
        return value.forms[language].get(name, value.forms[language][""])
    return value


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A statement about a scene: a fact, its denial, or that it was before another; and whether that is so.

    why: the facts that decide it.
    """

    fact: Fact
    denied: bool
    truth: Truth
    why: tuple[Fact, ...]
    later: Fact | None = None

    def clause(self, language: Language, chance: Chance) -> str:
        """The statement, without capital and full stop."""
        if self.later is not None:
            first, second = self.fact.clause(language, chance), self.later.clause(language, chance)
            return pick(chance, phrases()["order_claim"][language]).fill({"a": first, "b": second})
        return self.fact.denial(language, chance) if self.denied else self.fact.clause(language, chance)
