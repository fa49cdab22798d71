"""The starter's small world as plain text for pretraining: short documents of true sentences, without any question.

A document is either a portrait (everything about one subject, in any order) or a list (one kind of fact for several
subjects). Before a sentence there may stand a line that leads up to it ("Now to the home of the dog."): a name that
comes back soon after is what teaches a model to look back and copy, without which no instruction can be followed. The
text is a pure function of the seed. To read some: `python -m tutelage.starter.world`.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Iterator

from tutelage.starter.relations import Telling, relations, render, tellings

LEAD_SHARE = 0.5
HEADING_SHARE = 0.5
LONGEST_LIST = 6
LEADS = (
    "This is about {t}.",
    "Now to {t}.",
    "Here we read of {t}.",
    "They spoke of {t}:",
    "{t}:",
    "My friend told me {t}.",
    "Let me say {t}.",
    "Look up {t}.",
    "Today we learn {t}.",
    "Nobody forgets {t}.",
)
LEADS_CHINESE = (
    "现在说{t}。",
    "这里说的是{t}。",
    "他们说到{t}：",
    "{t}：",
    "我们来看{t}。",
    "请看书里的{t}。",
    "朋友告诉我{t}。",
)


def write_documents(rounds: int, seed: int) -> Iterator[str]:
    """Documents in which every fact is told twice a round: once in a portrait and once in a list, in wordings drawn
    anew."""
    rng = random.Random(seed)
    for _ in range(rounds):
        documents = [*_portraits(rng), *_lists(rng)]
        rng.shuffle(documents)
        yield from documents


def _portraits(rng: random.Random) -> Iterator[str]:
    by_subject: dict[str, list[Telling]] = defaultdict(list)
    for telling in tellings():
        by_subject[telling[1].subject].append(telling)
    for subject, own in by_subject.items():
        lines = [_tell(telling, rng) for telling in rng.sample(own, len(own))]
        yield "\n".join([subject, *lines] if rng.random() < HEADING_SHARE else lines)


def _lists(rng: random.Random) -> Iterator[str]:
    for relation in relations():
        facts = rng.sample(relation.facts, len(relation.facts))
        for start in range(0, len(facts), LONGEST_LIST):
            yield "\n".join(_tell((relation, fact), rng) for fact in facts[start : start + LONGEST_LIST])


def _tell(telling: Telling, rng: random.Random) -> str:
    relation, fact = telling
    sentence = render(rng.choice(relation.tell), fact)
    if rng.random() >= LEAD_SHARE:
        return sentence
    topic = rng.choice(relation.about)
    lead = rng.choice(LEADS if topic.isascii() else LEADS_CHINESE)
    return render(lead.replace("{t}", topic), fact) + "\n" + sentence


if __name__ == "__main__":
    for document in write_documents(1, seed=0):
        sys.stdout.write(document + "\n\n")
