"""A reward that is known to be true, for free answers to questions about the starter's world.

    question = next(questions(seed=7, part="tune", language="en"))
    score(question, "Tom has a red ball, of course.").total

Reward models are judged by how well they learn such a reward, and policies by how much of it they earn: where the truth
is known, one sees when a policy has learnt to please its reward model and not to answer (Gao et al. 2023, "Scaling Laws
for Reward Model Overoptimization").

- `asking.py`: questions with the facts behind them, a pure function of the seed.
- `lines.py`: every wording of the world as a line to be matched, and which words may stand in it.
- `reading.py`: what a clause of an answer says: statements, bare words, yes and no; without its frame ("I think that").
- `scoring.py`: the score in its parts.
"""

from __future__ import annotations

from tutelage.starter.reward.asking import Question, questions
from tutelage.starter.reward.scoring import Score, score

__all__ = ["Question", "Score", "questions", "score"]
