"""What an answer says, clause by clause: statements, bare words, yes or no; courtesies; what can't be understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tutelage.starter.microworld.wording import Language
from tutelage.starter.reward import lines
from tutelage.starter.reward.frames import Verdict, unframed, verdicts
from tutelage.starter.reward.lines import Statement

# Where a sentence ends; "Snowy!" may be called out within one.
STOPS = re.compile(r"[.!?;]+(?=\s|$)|[。！？；]+(?!”)|\n+")
QUOTES = (('"', '"'), ("“", "”"), ("(", ")"), ("（", "）"))
# Where a sentence may hold two clauses, and a list two items.
JOINTS = {
    "en": re.compile(r",? (?:and|but|so|because|or|while|since|then|and so|not) |, |: | - "),
    "zh": re.compile(r"，(?:而|但是|所以|因为|结果|于是|不是|后来)?|、|和|或者|或|还是|但是|因为|所以|：|,\s*"),
}
NEGATED_JOINTS = ("not", "不是")
LONGEST = 400  # characters of a sentence, and
MOST = 12  # clauses of an answer, beyond which it is not read: no honest one has so many


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of an answer.

    statements: what it may state (one of these; empty where it is no sentence). bare: the text, where it is a word by
    itself. verdict: the yes or no it says. denied: it is put in the negative. understood: False where it is none of
    these.
    """

    statements: tuple[Statement, ...] = ()
    bare: str = ""
    verdict: Verdict | None = None
    denied: bool = False
    understood: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer, read: its clauses in order, and how many courtesies it has."""

    clauses: tuple[Clause, ...]
    courtesies: int


Known = Callable[[str], bool]  # is this text a word by itself, or a sentence that this question knows?


@lru_cache(maxsize=8192)
def _statements(text: str, language: Language) -> tuple[Statement, ...]:
    return tuple(lines.read(text, language))


def read(answer: str, language: Language, known: Known) -> Reading:
    """The answer, read with the world's wordings. known: the bare words (in small letters) that say something here."""
    clauses: list[Clause] = []
    courtesies = 0
    for part in STOPS.split(answer):
        if len(clauses) > MOST:
            return Reading((*clauses, Clause(understood=False)), courtesies)
        text = _unquoted(part.strip(" ,，")).lower()
        if not text:
            continue
        found, polite = _sentence(text[: LONGEST + 1], language, known)
        courtesies += polite
        clauses += found
    return Reading(tuple(clauses), courtesies)


def _unquoted(text: str) -> str:
    for before, after in QUOTES:
        inner = text.removeprefix(before).removesuffix(after)
        if len(inner) == len(text) - 2 and before not in inner and after not in inner:
            return inner
    return text


def _sentence(text: str, language: Language, known: Known) -> tuple[list[Clause], int]:
    """Its clauses, and its courtesies; one clause that is not understood where it can't be read to the end."""
    found = _whole(text, language, known) if len(text) <= LONGEST else None
    if found is not None:
        return found
    for joint in JOINTS[language].finditer(text):
        first = _whole(text[: joint.start()], language, known)
        if first is None:
            continue
        rest, polite = _sentence(text[joint.end() :].strip(), language, known)
        if all(clause.understood for clause in rest):
            if any(word in joint.group() for word in NEGATED_JOINTS):
                rest = [replace(rest[0], denied=not rest[0].denied), *rest[1:]] if rest else rest
            return first[0] + rest, first[1] + polite
    return [Clause(understood=False)], 0


def _whole(text: str, language: Language, known: Known) -> tuple[list[Clause], int] | None:
    """The text as one clause in its frames; None where it is not one."""
    polite, denied = 0, False
    verdict: Verdict | None = None
    while True:
        text = text.strip(" ,，:：")
        if not text:
            return ([Clause(verdict=verdict)] if verdict else []), polite
        if text in verdicts(language):
            return [Clause(verdict=verdicts(language)[text], denied=denied)], polite
        if known(text):
            return _with(verdict, Clause(bare=text, denied=denied)), polite
        statements = _statements(text, language)
        if statements:
            return _with(verdict, Clause(statements=statements, denied=denied)), polite
        framed = unframed(text, language)
        if framed is None:
            return None
        text = framed.rest
        if framed.sense == "polite":
            polite += 1
        elif framed.sense == "not":
            denied = not denied
        elif framed.sense != "plain":
            verdict = framed.sense


def _with(verdict: Verdict | None, clause: Clause) -> list[Clause]:
    return [Clause(verdict=verdict), clause] if verdict else [clause]


def resolved(statements: Sequence[Statement], people: Sequence[tuple[str, str]]) -> list[Statement]:
    """The statements with each "he" and "she" read as everybody whom it may mean. people: key, and pronoun's key."""
    found = list(statements)
    for pronoun in ("he", "she"):
        meant = [key for key, own in people if own == pronoun]
        found = [
            other
            for one in found
            for other in (
                [one.naming(pronoun, key) for key in meant] if any(word == pronoun for _, word in one.roles) else [one]
            )
        ]
    return found
