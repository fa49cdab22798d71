"""The starter's small world as plain text for pretraining: short paragraphs, never a question, never an instruction.

A paragraph is either a portrait (everything about one subject, in any order) or a list (one kind of fact for several subjects).
The text is a pure function of the seed. To read some of it: `python -m tutelage.starter.world`.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Iterator

from tutelage.starter.relations import RELATIONS, Fact, Relation, render

Telling = tuple[Relation, Fact]


def all_facts() -> list[Telling]:
    """Every fact of the world with its relation, in a fixed order."""
    return [(relation, fact) for relation in RELATIONS for fact in relation.facts]


def write_paragraphs(count: int, seed: int) -> Iterator[str]:
    """`count` paragraphs. Within a round every fact is told twice, once in a portrait and once in a list; then a new round."""
    rng = random.Random(seed)
    written = 0
    while written < count:
        for tellings in _one_round(rng):
            if written == count:
                return
            yield _paragraph(tellings, rng)
            written += 1


def _one_round(rng: random.Random) -> list[list[Telling]]:
    groups = _portraits(rng) + _lists(rng)
    rng.shuffle(groups)
    return groups


def _portraits(rng: random.Random) -> list[list[Telling]]:
    by_subject: dict[str, list[Telling]] = defaultdict(list)
    for relation, fact in all_facts():
        by_subject[fact.subject].append((relation, fact))
    return [rng.sample(tellings, len(tellings)) for tellings in by_subject.values()]


def _lists(rng: random.Random, longest: int = 6) -> list[list[Telling]]:
    lists = []
    for relation in RELATIONS:
        tellings = [(relation, fact) for fact in relation.facts]
        rng.shuffle(tellings)
        lists += [tellings[start : start + longest] for start in range(0, len(tellings), longest)]
    return lists


LEADS = (
    "This is about {t}.",
    "Now to {t}.",
    "Here we read of {t}.",
    "They spoke of {t}:",
    "{t}:",
    "My friend told me {t}.",
    "Let me say {t}.",
    "In the book there is a page on {t}.",
    "Today the children learn {t}.",
    "Nobody forgets {t}.",
)
LEADS_ZH = (
    "现在说{t}。",
    "这里说的是{t}。",
    "他们说到{t}：",
    "{t}：",
    "我们来看{t}。",
    "请看书里的{t}。",
    "朋友告诉我{t}。",
)
HEADING_SHARE = 0.5
import os
LEAD_SHARE = float(os.environ.get('LEAD','0.5'))


def _paragraph(tellings: list[Telling], rng: random.Random) -> str:
    lines = [_tell(relation, fact, rng) for relation, fact in tellings]
    subjects = {fact.subject for _, fact in tellings}
    if len(subjects) == 1 and rng.random() < HEADING_SHARE:
        lines = [*subjects, *lines]
    return "\n".join(lines)


def _tell(relation: Relation, fact: Fact, rng: random.Random) -> str:
    sentence = render(rng.choice(relation.statements), fact)
    if rng.random() >= LEAD_SHARE:
        return sentence
    topic = rng.choice(relation.topics)
    lead = rng.choice(LEADS if topic.isascii() else LEADS_ZH).replace("{t}", topic)
    return f"{render(lead, fact)}\n{sentence}"


if __name__ == "__main__":
    for paragraph in write_paragraphs(20, seed=0):
        sys.stdout.write(paragraph + "\n")
