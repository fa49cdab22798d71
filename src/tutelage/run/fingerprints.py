"""What tells a row from others: a hash of all it says, and the minima of its runs of words.

Minima are MinHash's (Broder 1997): after each of 64 fixed mixings of the hashes of a text's runs of five words, the
least of them. Two texts agree in a minimum with the probability of the Jaccard similarity of their sets of runs, so the
share of minima in which they agree estimates it, with a standard error of 0.05 at 0.8. Of each only 16 bits are
kept, which agree by accident once in 65,536.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from tutelage.records import Conversation, Record
from tutelage.tasks.grams import Block, WordHashes
from tutelage.tasks.words import split_words

MINIMA = 64
SHINGLE = 5
# Rows, and about as many words, whose runs are hashed together.
ROWS_AT_ONCE = 1024
WORDS_AT_ONCE = 1 << 18
_WORDS = WordHashes()  # the same words come again and again
_MIXERS = np.random.default_rng(5).integers(1 << 31, size=(MINIMA, 2), dtype=np.uint32)


@dataclass(frozen=True)
class RowPrints:
    """Of R rows. text: uint64 [R]; minima: uint16 [R, 64], those of a row of fewer than five words all zero."""

    text: NDArray[np.uint64]
    minima: NDArray[np.uint16]


def row_prints(rows: Sequence[tuple[Record, str]]) -> RowPrints:
    """Of records, and all that is said in each as one text."""
    text = np.fromiter((_hash(record) for record, _ in rows), np.uint64, len(rows))
    minima = np.zeros((len(rows), MINIMA), np.uint16)
    for first, block in _blocks([said for _, said in rows]):
        members, owners = block.sets(SHINGLE)
        if len(members):
            present, starts = np.unique(owners, return_index=True)
            minima[first + present] = _minima(members, starts)
    return RowPrints(text, minima)


def _blocks(texts: Sequence[str]) -> Iterator[tuple[int, Block]]:
    """The words of texts, so many together as are fast, with the place of the first text of each block."""
    first = 0
    while first < len(texts):
        words: list[list[str]] = []
        size = 0
        while size < WORDS_AT_ONCE and first + len(words) < len(texts) and len(words) < ROWS_AT_ONCE:
            words.append(split_words(texts[first + len(words)]))
            size += len(words[-1])
        hashes = np.fromiter(map(_WORDS.__getitem__, chain.from_iterable(words)), np.uint64, size)
        yield first, Block([""] * len(words), words, hashes)
        first += len(words)


def _hash(record: Record) -> int:
    """64 bits of everything in a record. Ten million rows without duplicates agree in none, but in 3 of 10^6 cases."""
    told = "\0".join(_said(record)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "little")


def _said(record: Record) -> Iterator[str]:
    if not isinstance(record, Conversation):
        yield repr(record)
        return
    for message in record.messages:
        yield f"{message.role} {message.train} {message.name} {message.call_id} {message.calls} {message.reasoning}"
        for part in message.content:
            yield part.kind
            yield part.text
    yield from record.tools


def _minima(members: NDArray[np.uint64], starts: NDArray[np.int64]) -> NDArray[np.uint16]:
    """members: hashes below 2^52, those of a row together from its start on."""
    short = (members >> np.uint64(20)).astype(np.uint32)
    mixed = np.empty_like(short)
    found = np.empty((MINIMA, len(starts)), np.uint16)
    for number, (factor, term) in enumerate(_MIXERS):
        # An odd factor and a term permute the numbers below 2^32; what the minimum's low bits hold is as random.
        np.multiply(short, factor | np.uint32(1), out=mixed)
        np.add(mixed, term, out=mixed)
        found[number] = np.minimum.reduceat(mixed, starts).astype(np.uint16)
    return found.T
