"""What is known of a run before its first step, so that a person can look before anything is spent.

The record here is told as part of the `Planned` event, drawn by the command line, and kept for the report. It is plain
values all through, so that it can be written as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tutelage.tokens.store import LeafStore

# Bars of the histogram of lengths.
BARS = 24
# Examples that are shown, and tokens of each at most.
SHOWN, SHOWN_TOKENS = 2, 160
FATES = ("kept", "cut", "dropped", "quarantined")


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long the examples of an epoch are, in tokens as the model reads them.

    edges: of the bars, one more than bars; counts: examples in each.
    """

    shortest: int
    median: int
    longest: int
    edges: tuple[int, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes at the peak of a run, by what holds them.

    held: before anything is computed (weights, and on a CPU the process with its libraries and data). activations: what
    the largest forest leaves behind for the backward pass. overhead: what was found beyond these when a forest was
    computed (kernels' scratch memory, what the allocator can't give out again). together: a step has several forests,
    so that the gradients of one are there while the next is computed. limit: what there is.
    """

    held: int
    gradients: int
    optimizer: int
    activations: int
    head: int
    overhead: int
    together: bool
    limit: int | None = None

    @property
    def total(self) -> int:
        """The peak.

        With one forest a step, activations are given back while gradients come in their place:

            >>> Memory(100, 40, 80, 30, 5, 0, together=True).total
            255
            >>> Memory(100, 40, 80, 30, 5, 0, together=False).total
            220
        """
        return self.held + self.optimizer + self.passing + self.overhead

    @property
    def passing(self) -> int:
        """What comes and goes in a step."""
        work = self.activations + self.head
        return self.gradients + work if self.together else max(self.gradients, work)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of a whole run: its steps and validations in seconds, a step's seconds, its memory. None: not measured."""

    seconds: float | None
    step_seconds: float | None
    memory: Memory


@dataclass(frozen=True, slots=True)
class Shown:
    """An example as the model sees it: (text, learnt) of stretches of tokens that are learnt, or are not.

    left_out: tokens at its start that are not shown, and at its end.
    """

    stretches: tuple[tuple[str, bool], ...]
    tokens: int
    learnt: int
    left_out: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a person should see before a run spends anything, besides what it is planned to be.

    rows: how many were read and met each fate, over all sources. manner: how the weights are trained ("all weights",
    "LoRA of rank 16"). epochs: passes over the examples. duplicates: rows of files that have the text of an
    earlier one, `exact`, or almost the same, `near`. cautions: sentences, each with its cure.
    """

    rows: Mapping[str, int]
    lengths: Lengths
    shown: tuple[Shown, ...]
    manner: str
    epochs: float
    learning_rate: float
    estimate: Estimate
    cautions: tuple[str, ...] = ()
    duplicates: Mapping[str, int] = field(default_factory=dict)


def rows_of(report: Mapping[str, Any]) -> dict[str, int]:
    """The fates of all rows in numbers, from data_report.json.

    >>> rows_of({"total": {"read": 9, "kept": 7, "cut": 0, "dropped": {"too long": 1}, "quarantined": {"empty": 1}}})
    {'read': 9, 'kept': 7, 'cut': 0, 'dropped': 1, 'quarantined': 1}
    """
    total = report.get("total", {})
    counts = {name: total.get(name, 0) for name in ("read", *FATES)}
    return {name: sum(count.values()) if isinstance(count, Mapping) else count for name, count in counts.items()}


def lengths_of(tokens: Sequence[int]) -> Lengths:
    """The histogram of some lengths, in bars of equal width.

    >>> lengths_of([1, 1, 2, 4])
    Lengths(shortest=1, median=1, longest=4, edges=(1, 2, 3, 4, 5), counts=(2, 1, 0, 1))
    """
    values = np.asarray(tokens, np.int64)
    low, high = int(values.min()), int(values.max())
    width = -(-(high - low + 1) // BARS)
    bars = -(-(high - low + 1) // width)
    edges = low + width * np.arange(bars + 1)
    counts = np.bincount((values - low) // width, minlength=bars)
    median = int(np.sort(values)[(len(values) - 1) // 2])
    return Lengths(low, median, high, tuple(edges.tolist()), tuple(counts.tolist()))


def shown_example(store: LeafStore, example: int, tokenizer: Any) -> Shown:
    """One example; of several leaves, the longest. Where it is long, what surrounds its first learnt token."""
    from tutelage.tokens.inspection import UNFINISHED, token_texts

    leaf = max(store.leaves(example), key=lambda leaf: len(leaf.ids))
    size = len(leaf.ids)
    first = max(0, min(leaf.start - SHOWN_TOKENS // 2, size - SHOWN_TOKENS))
    last = min(size, first + SHOWN_TOKENS)
    texts = token_texts([int(id) for id in leaf.ids[first:last]], tokenizer)
    if last < size:  # what is shown may end inside a character
        texts[-1] = texts[-1].rstrip(UNFINISHED)
    learnt_from = leaf.start - first
    parts = (("".join(texts[:learnt_from]), False), ("".join(texts[learnt_from:]), True))
    learnt = size - leaf.start
    return Shown(tuple(part for part in parts if part[0]), size, learnt, (first, size - last))
