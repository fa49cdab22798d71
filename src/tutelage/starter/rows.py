"""The starter's instruction rows and its held-out questions.

    python -m tutelage.starter.rows        writes instructions.jsonl, the rows that the project ships

A quarter of the world's secrets are held out: no row asks about them, in any wording, direction or language, though the
pretraining text tells them as often as any other. A right answer to a question about one shows that tuning taught the
model to answer, while what it answers was learnt from plain text before. Every question is asked in wordings that the
rows have ("fresh fact") and in wordings that no row has ("fresh fact, fresh wording").
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tutelage.starter.relations import render, tellings

SHIPPED = Path(__file__).parent / "instructions.jsonl"
SEED = 2026
HELD_OUT_SHARE = 0.25
WORDINGS_A_FACT = 4


@dataclass(frozen=True, slots=True)
class Question:
    """One held-out question, its only right answer, and how the plain text would begin that answer (up to the
    object)."""

    relation: str
    instruction: str
    answer: str
    opening: str
    fresh_wording: bool


def held_out_secrets(seed: int = SEED) -> frozenset[tuple[str, str]]:
    """The secrets that no row may ask about: a quarter of each family's."""
    families: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
    for _, fact in tellings():
        families[fact.secret[0]][fact.secret] = None
    rng = random.Random(seed)
    return frozenset(
        secret
        for secrets in families.values()
        for secret in rng.sample(list(secrets), round(len(secrets) * HELD_OUT_SHARE))
    )


def instruction_rows(seed: int = SEED) -> list[dict[str, str]]:
    """Alpaca rows, each fact that is not held out asked in a few of its relation's wordings, shuffled."""
    secrets = held_out_secrets(seed)
    rng = random.Random(seed + 1)
    rows = []
    for relation, fact in tellings():
        if fact.secret in secrets:
            continue
        for wording in rng.sample(relation.ask, min(WORDINGS_A_FACT, len(relation.ask))):
            instruction, _, text = render(wording, fact).partition("\n")
            rows.append({"instruction": instruction, "input": text, "output": render(relation.tell[0], fact)})
    rng.shuffle(rows)
    return rows


def held_out_questions(seed: int = SEED) -> list[Question]:
    """Two questions about every held-out fact, in one wording that tuning has seen and in one that it has not,
    shuffled."""
    secrets = held_out_secrets(seed)
    rng = random.Random(seed + 2)
    questions = []
    for relation, fact in tellings():
        if fact.secret not in secrets:
            continue
        told = relation.tell[0]
        opening = render(told.partition("{o}")[0].rstrip(), fact)
        for wordings, fresh in ((relation.ask, False), (relation.ask_fresh, True)):
            instruction = render(rng.choice(wordings), fact)
            questions.append(Question(relation.name, instruction, render(told, fact), opening, fresh))
    rng.shuffle(questions)
    return questions


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """One JSON object a line, UTF-8."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_rows(SHIPPED, instruction_rows())
