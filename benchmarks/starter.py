"""What the starter's base model can do before any tuning: the gates on the way to it.

    .venv/bin/python benchmarks/starter.py runs/starter-base --items 300     any model that read the world's text

Each item is a text of the held-out part of the world that stops, its right end and wrong ends (starter/microworld/
probes.py); an item is passed where the right end is the likeliest. There is no instruction in them. `copy` and `read`
are the first two gates: nothing else works before a model looks things up in the text before it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from tutelage.evaluate.statistics import Interval, chance, wilson
from tutelage.generate.options import OptionScorer, in_order
from tutelage.model.load import load_model
from tutelage.records import Leaf
from tutelage.starter.microworld.probes import FAMILIES, Probe, probes
from tutelage.starter.microworld.wording import LANGUAGES
from tutelage.tokens.vocabulary import Vocabulary


def leaves_of(probe: Probe, vocabulary: Vocabulary) -> list[Leaf]:
    """The right end first. What a token of the text and of the end together hold is counted as the end's."""
    texts = [probe.prompt + end for end in (probe.answer, *probe.alternatives)]
    prompt, *whole = vocabulary.raw_ids([probe.prompt, *texts])
    leaves = []
    for ids in whole:
        shared = next((k for k, pair in enumerate(zip(prompt, ids, strict=False)) if pair[0] != pair[1]), len(prompt))
        leaves.append(Leaf(np.array(ids, np.int32), max(1, min(shared, len(prompt)))))
    return leaves


def accuracy(scorer: OptionScorer, vocabulary: Vocabulary, items: Sequence[Probe]) -> tuple[float, Interval, float]:
    """The share of items passed, its 95 % interval (Wilson), and what guessing gives."""
    groups = [leaves_of(item, vocabulary) for item in items]
    scored = in_order(scorer.score(groups))
    passed = sum(one.log_probabilities[0] == max(one.log_probabilities) for one in scored)
    guessing = chance([(1, len(group)) for group in groups])
    return passed / len(items), wilson(passed, len(items)), guessing


def main() -> None:
    """Prints a table of the gates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a run, or a model folder")
    parser.add_argument("--items", type=int, default=300, help="of each family and language")
    parser.add_argument("--part", default="test", choices=("pretrain", "tune", "test"), help="of the world")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    loaded = load_model(arguments.model)
    scorer, vocabulary = OptionScorer(loaded), Vocabulary(loaded.tokenizer)
    print("| items | language | n | passed | 95 % interval | chance |\n| --- | --- | --- | --- | --- | --- |")
    for family in FAMILIES:
        for language in LANGUAGES:
            items = list(probes(family, arguments.items, arguments.seed, language, arguments.part))
            share, interval, guessing = accuracy(scorer, vocabulary, items)
            bounds = f"{interval.low:.3f} to {interval.high:.3f}"
            print(f"| {family} | {language} | {len(items)} | {share:.3f} | {bounds} | {guessing:.3f} |", flush=True)


if __name__ == "__main__":
    main()
