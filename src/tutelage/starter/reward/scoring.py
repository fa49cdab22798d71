"""The score of an answer, in its parts: true, a sentence, polite, brief.

Truth comes first: an answer that says something false, or not the thing asked for, earns nothing at all, however well
it is put. So no form can stand in for an answer: listing all that it might be says false things, hedging is not
understood, and repeating, rambling and copying the passage take more room than an answer may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from tutelage.starter.microworld.relations import Fact, relations
from tutelage.starter.microworld.wording import Language
from tutelage.starter.reward import lines, reading
from tutelage.starter.reward.asking import Question, stated, world
from tutelage.starter.reward.frames import Verdict
from tutelage.starter.reward.lines import Statement
from tutelage.starter.reward.reading import Clause, Reading

# The shares of what a true answer earns: for being true, for being a sentence, for being polite.
TRUE, SENTENCE, POLITE = 0.6, 0.25, 0.15
BREVITY = 0.6  # the share of that which goes with being brief
ENDS = {"en": (".", "!"), "zh": ("。", "！")}
MOST_COURTESIES = 2
TOO_LONG = 2.5  # times the room of an honest answer, where nothing is left of being brief


@dataclass(frozen=True, slots=True)
class Score:
    """The parts of a score, each from 0 to 1.

    truth: 1 for the right answer and nothing false; less by half for each clause beside it that can't be understood.
    sentence: 1 for a whole sentence of the world's that says it, with a capital and a full stop; half without these.
    polite: 1 for a courtesy or two. brief: 1 up to the room of an honest answer, falling to 0 at `TOO_LONG` times that,
    and halved for each thing that is said again, that was not asked for, or that is one courtesy too many.
    """

    truth: float
    sentence: float
    polite: float
    brief: float

    @property
    def total(self) -> float:
        """All in one number from 0 to 1: `truth · (0.6 + 0.25 sentence + 0.15 polite) · (0.4 + 0.6 brief)`.

        >>> Score(truth=1, sentence=1, polite=0, brief=1).total
        0.85
        """
        return self.truth * (TRUE + SENTENCE * self.sentence + POLITE * self.polite) * (1 - BREVITY * (1 - self.brief))


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a clause comes to: the answer, in a whole sentence; something false; something true beside the question."""

    right: bool = False
    wrong: bool = False
    whole: bool = False
    beside: bool = False


def score(question: Question, answer: str) -> Score:
    """The true reward of an answer to this question."""
    read = reading.read(answer, question.language, lambda text: _says_something(question, text))
    judged = _judge_all(question, read)
    unclear = sum(not clause.understood for clause in read.clauses)
    right = [one for one in judged if one.right]
    truth = 0.0 if not right or any(one.wrong for one in judged) else 0.5**unclear
    whole = truth > 0 and any(one.whole for one in right)
    return Score(
        truth,
        0.0 if not whole else 1.0 if _well_formed(answer, question.language) else 0.5,
        float(0 < read.courtesies <= MOST_COURTESIES),
        _brevity(question, answer, read, sum(one.beside for one in judged)),
    )


def _well_formed(answer: str, language: Language) -> bool:
    text = answer.strip()
    return text.endswith(ENDS[language]) and (language == "zh" or text[:1] == text[:1].upper())


def _brevity(question: Question, answer: str, read: Reading, beside: int) -> float:
    if not read.clauses:
        return 0.0
    over = max(0.0, len(answer.strip()) / question.room - 1) / (TOO_LONG - 1)
    said = [(clause.statements, clause.bare) for clause in read.clauses if clause.statements or clause.bare]
    again = len(said) - len(set(said)) + max(0, sum(clause.verdict is not None for clause in read.clauses) - 1)
    flattery = max(0, read.courtesies - MOST_COURTESIES)
    return max(0.0, 1 - over) * 0.5 ** (again + beside + flattery)


# --- words and sentences by themselves ---


@cache
def _all_words(language: Language) -> frozenset[str]:
    """Everything that a word of the world can say by itself."""
    kinds = {
        kind for relation in relations().values() for kind, _ in relation.roles.values() if relation.time != "generic"
    }
    found = [word for kind in sorted(kinds) for word in lines.words_of_kind(kind)]
    found += [word for one in lines.world_facts() for word in one.roles.values()]
    return frozenset(text.lower() for word in found for text in word.forms[language].values())


def _says_something(question: Question, text: str) -> bool:
    return text in question.right_words or text in question.sentences or text in _all_words(question.language)


# --- judging ---


def _judge_all(question: Question, read: Reading) -> list[_Judged]:
    """Each clause; whoever was named before may be meant by "he" and "she"."""
    people = list(question.named)
    found = []
    for clause in read.clauses:
        statements = reading.resolved(clause.statements, people)
        found.append(_judge(question, clause, statements))
        people += _named(statements)
    return found


def _named(statements: Sequence[Statement]) -> list[tuple[str, str]]:
    genders = _genders()
    return [(key, genders[key]) for one in statements for _, key in one.roles if key in genders]


@cache
def _genders() -> dict[str, str]:
    return {word.key: "he" if word.tags["gender"] == "m" else "she" for word in lines.persons()}


def _judge(question: Question, clause: Clause, statements: Sequence[Statement]) -> _Judged:
    if clause.verdict is not None:
        return _of_verdict(question, _turned(clause.verdict) if clause.denied else clause.verdict)
    if clause.bare:
        return _of_word(question, clause)
    if not clause.understood or not clause.statements:
        return _Judged()
    readings = [_of_statement(question, replace(one, denied=one.denied != clause.denied)) for one in statements]
    # Of what a clause may mean, the best holds.
    return next((one for one in readings if one.right), None) or next(
        (one for one in readings if not one.wrong), _Judged(wrong=True)
    )


def _turned(verdict: Verdict) -> Verdict:
    return "no" if verdict == "yes" else "yes"


def _of_verdict(question: Question, verdict: Verdict) -> _Judged:
    """Yes or no: neither says anything to "Who …?"."""
    if question.verdict is None:
        return _Judged()
    return _Judged(right=verdict == question.verdict, wrong=verdict != question.verdict)


def _of_word(question: Question, clause: Clause) -> _Judged:
    if clause.bare in question.sentences:
        right = question.sentences[clause.bare] != clause.denied
        return _Judged(right=right and not clause.denied, wrong=not right, whole=True)
    right = clause.bare in question.right_words
    return _Judged(right=right and not clause.denied, wrong=right == clause.denied)


def _of_statement(question: Question, one: Statement) -> _Judged:
    if one.denied:
        ruled_out = _ruled_out(question, one)
        no = question.verdict == "no" and ruled_out and _is_claim(question, one)
        return _Judged(right=no, wrong=not ruled_out, whole=no, beside=ruled_out and not no)
    if stated(one, question.answers):
        told = question.ask is None or not question.ask.role or question.ask.role in dict(one.roles)
        return _Judged(right=told, whole=told)
    if stated(one, question.refuted):
        return _Judged(wrong=True)
    true = stated(one, question.holds) or stated(one, world())
    return _Judged(wrong=not true, beside=true and not stated(one, question.given))


def _is_claim(question: Question, one: Statement) -> bool:
    claim = question.claim
    return claim is not None and claim.fact.relation.name == one.relation and all(
        claim.fact.roles[role].key == key for role, key in one.roles
    )  # fmt: skip


def _ruled_out(question: Question, one: Statement) -> bool:
    """Whether it is surely not so: it was so and is no more, or only one value is possible, and another holds."""
    if stated(one, question.holds) or stated(one, world()):
        return False
    if _is_claim(question, one):
        return question.verdict == "no"
    if any(
        fact.relation.name == one.relation and dict(one.roles).items() <= _keys(fact).items() for fact in question.gone
    ):
        return True
    relation = relations().get(one.relation)
    if relation is None or not relation.unique:
        return False
    fixed = {(role, key) for role, key in one.roles if role in relation.unique}
    return any(fixed <= own for own in question.holds.get(one.relation, frozenset()))


def _keys(fact: Fact) -> dict[str, str]:
    return {role: word.key for role, word in fact.roles.items()}
