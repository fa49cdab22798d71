"""Readers that know no task: what they find out says whether labels can be had without reading, or only by reading."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from tests.starter.tasks.rows import place, texts
from tutelage.starter.microworld.wording import Language
from tutelage.starter.tasks import MAKERS
from tutelage.starter.tasks.making import Row, rows_of


def pieces(text: str, language: Language) -> set[str]:
    """Words, or in Chinese pairs of characters."""
    if language == "en":
        return set(re.findall(r"[\w'-]+", text.lower()))
    bare = re.sub(r"\W", "", text)
    return {bare[number : number + 2] for number in range(len(bare) - 1)}


def blind_accuracy(name: str, language: Language, key: str) -> float:
    """The share of test rows that naive Bayes gets right from one column alone, trained on the train rows."""
    options = key == "options"
    counts = [Counter[str]() for _ in range(2 if options else MAKERS[name].labels)]
    seen = [0] * len(counts)
    for row in rows_of(name, "train", language):
        for number, text in enumerate(texts(row, key)):
            label = int(number == place(row)) if options else place(row)
            seen[label] += 1
            counts[label].update(pieces(text, language))

    def scores(text: str) -> list[float]:
        found = pieces(text, language)
        return [
            sum(math.log((own[piece] + 1) / (number + 2)) for piece in found)
            for own, number in zip(counts, seen, strict=True)
        ]

    def guess(row: Row) -> int:
        if not options:
            return best(scores(texts(row, key)[0]))
        return best([wrong_right[1] - wrong_right[0] for wrong_right in map(scores, texts(row, key))])

    test = rows_of(name, "test", language)
    return sum(guess(row) == place(row) for row in test) / len(test)


def best(scores: Sequence[float]) -> int:
    return max(range(len(scores)), key=scores.__getitem__)


class Reader:
    """Finds the sentence of a passage that has most in common with a text; rare words count more."""

    def __init__(self, rows: Sequence[Row], language: Language) -> None:
        self.language = language
        self.told = Counter(piece for row in rows for piece in pieces(str(row["passage"]), language))
        self.rows = len(rows)

    def weight(self, found: set[str]) -> float:
        return sum(math.log(1 + self.rows / (1 + self.told[piece])) for piece in found)

    def overlap(self, text: str, other: str) -> float:
        """The share of the text's weight that stands in the other text."""
        found = pieces(text, self.language)
        return self.weight(found & pieces(other, self.language)) / max(self.weight(found), 1e-9)

    def support(self, text: str, passage: str) -> float:
        """How well one sentence of the passage covers the text."""
        return max(self.overlap(text, one) for one in sentences(passage))


def sentences(passage: str) -> list[str]:
    return [one for one in re.split(r"(?<=[.。])\s*", passage) if one]
