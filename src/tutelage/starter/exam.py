"""The held-out questions as an exam: what counts as right, and how much of it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tutelage.starter.rows import Question


@dataclass(frozen=True, slots=True)
class Score:
    """So many right of so many asked."""

    right: int
    asked: int

    def __str__(self) -> str:
        """`str(Score(134, 149)) == "134 of 149 (90 %)"`."""
        return f"{self.right} of {self.asked} ({round(100 * self.right / max(self.asked, 1))} %)"


@dataclass(frozen=True, slots=True)
class Marks:
    """An exam's result.

    seen_wording, fresh_wording: answers that are exactly the right sentence, and nothing else. mentioned: answers of
    both kinds that contain the right sentence, whatever stands around it.
    """

    seen_wording: Score
    fresh_wording: Score
    mentioned: Score


def mark(questions: Sequence[Question], answers: Sequence[str]) -> Marks:
    """The marks for these answers, in the order of the questions."""
    exact = [question.answer == answer.strip() for question, answer in zip(questions, answers, strict=True)]
    return Marks(
        seen_wording=_score(exact, [not question.fresh_wording for question in questions]),
        fresh_wording=_score(exact, [question.fresh_wording for question in questions]),
        mentioned=_score([q.answer in answer for q, answer in zip(questions, answers, strict=True)]),
    )


def mark_openings(questions: Sequence[Question], continuations: Sequence[str]) -> Score:
    """How many openings ("The dog lives in") were continued as the world's text tells it (" a kennel.")."""
    pairs = zip(questions, continuations, strict=True)
    return _score([(question.opening + text).startswith(question.answer) for question, text in pairs])


def _score(right: Sequence[bool], counts: Sequence[bool] | None = None) -> Score:
    kept = [one for one, wanted in zip(right, counts or [True] * len(right), strict=True) if wanted]
    return Score(sum(kept), len(kept))
