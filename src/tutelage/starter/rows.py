"""The starter's instruction rows and its held-out questions.

    python -m tutelage.starter.rows        writes instructions.jsonl, the rows that the project ships

A quarter of the world's secrets are held out: no row asks about them or answers with them, in any wording, direction or
language, though the pretraining text tells them as often as any other. A right answer to a question about one shows
that tuning taught the model to answer, while what it answers was learnt from plain text before. Every such fact is
asked twice: in a wording that the rows have, and in one that no row has.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from tutelage.starter.relations import render, tellings

SHIPPED = Path(__file__).parent / "instructions.jsonl"
SEED = 2026
HELD_OUT_SHARE = 0.25
WORDINGS_A_FACT = 4
CONVERSATION_SHARE = 0.25
LONGEST_HISTORY = 3

Secret = tuple[str, str]
Row = dict[str, str | list[list[str]]]


@dataclass(frozen=True, slots=True)
class Question:
    """A held-out question and its only right answer.

    opening: the answer up to its object, as plain text might begin it ("The dog lives in").
    """

    relation: str
    instruction: str
    answer: str
    opening: str
    fresh_wording: bool


def held_out_secrets(seed: int = SEED) -> frozenset[Secret]:
    """The secrets that no row may ask about: a quarter of each family's (`Fact.secret`)."""
    families: dict[str, dict[Secret, None]] = {}  # a dict keeps the order, which a set would not
    for _, fact in tellings():
        families.setdefault(fact.secret[0], {})[fact.secret] = None
    rng = random.Random(seed)
    return frozenset(
        secret
        for secrets in families.values()
        for secret in rng.sample(list(secrets), round(len(secrets) * HELD_OUT_SHARE))
    )


def instruction_rows(seed: int = SEED) -> list[Row]:
    """Alpaca rows: each fact that is not held out, asked in a few of its relation's wordings, shuffled.

    A quarter of them follow upon a `history` of one to three other questions with their answers, as in a chat.
    """
    secrets = held_out_secrets(seed)
    rng = random.Random(f"rows {seed}")
    rows: list[Row] = []
    for relation, fact in tellings():
        if fact.secret in secrets:
            continue
        for wording in rng.sample(relation.ask, min(WORDINGS_A_FACT, len(relation.ask))):
            instruction, _, text = render(wording, fact).partition("\n")
            rows.append({"instruction": instruction, "input": text, "output": render(relation.tell[0], fact)})
    rng.shuffle(rows)
    for row in rng.sample(rows, round(len(rows) * CONVERSATION_SHARE)):
        row["history"] = [_exchange(other) for other in rng.sample(rows, rng.randint(1, LONGEST_HISTORY))]
    return rows


def _exchange(row: Row) -> list[str]:
    return ["\n".join(filter(None, (str(row["instruction"]), str(row["input"])))), str(row["output"])]


def held_out_questions(seed: int = SEED) -> list[Question]:
    """Two questions about every held-out fact, shuffled."""
    secrets = held_out_secrets(seed)
    rng = random.Random(f"questions {seed}")
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


def row_lines(rows: list[Row]) -> str:
    """The rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


if __name__ == "__main__":
    SHIPPED.write_text(row_lines(instruction_rows()), encoding="utf-8")
