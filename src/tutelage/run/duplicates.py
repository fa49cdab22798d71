"""Rows that say the same as an earlier row, or almost: found over all sources of a run, in their order.

Exact: everything in the record is the same. Near: of the texts' runs of five words the Jaccard similarity is 0.8 or
more, as MinHash estimates it (fingerprints.py). Candidates are rows that agree in one of 16 bands of 4 minima, which
all but 2 of 10,000 pairs of similarity 0.8 do (1 - (1 - 0.8^4)^16 = 0.9998) and 3 % of those of 0.2; of the rows that
agree in a band each is compared with the first. Memory: some 40 bytes a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.data.ledger import Ledger
from tutelage.data.locating import pieces
from tutelage.records import Origin
from tutelage.run.fingerprints import MINIMA
from tutelage.run.reading import Read
from tutelage.tokens.store import LeafStore

BANDS = 16
SIMILAR = 0.8
NONE, EXACT, NEAR = 0, 1, 2
REASONS = {EXACT: "it has the same text as an earlier row", NEAR: "it has almost the same text as an earlier row"}
DROPPED: dict[str, tuple[int, ...]] = {"keep": (), "drop-exact": (EXACT,), "drop-near": (EXACT, NEAR)}
_AT_ONCE = 1 << 16

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Duplicates:
    """Of R rows. kind: uint8 [R], NONE, EXACT or NEAR; first: int64 [R], the earlier row, or the row itself."""

    kind: NDArray[np.uint8]
    first: Places

    def counts(self) -> dict[str, int]:
        """As data_report.json has them."""
        return {"exact": int((self.kind == EXACT).sum()), "near": int((self.kind == NEAR).sum())}


def find_duplicates(text: NDArray[np.uint64], minima: Sequence[NDArray[np.uint16]]) -> Duplicates:
    """text: uint64 [R]; minima: uint16 […, 64], R rows in all, which may be mapped files."""
    count = len(text)
    kind, first = np.zeros(count, np.uint8), np.arange(count)
    _, begins, same = np.unique(text, return_index=True, return_inverse=True)
    earliest = begins[same.reshape(-1)]
    kind[earliest < np.arange(count)] = EXACT
    first[:] = earliest
    near = np.full(count, count)
    for band in range(BANDS if count else 0):
        _look_in(band, minima, kind, near)
    found = near < count
    kind[found], first[found] = NEAR, near[found]
    return Duplicates(kind, first)


def _look_in(band: int, minima: Sequence[NDArray[np.uint16]], kind: NDArray[np.uint8], near: Places) -> None:
    """Compares the rows that agree in a band with the first of them; `near` gets the earliest that is similar."""
    width = MINIMA // BANDS
    keys = np.concatenate(
        [np.ascontiguousarray(part[:, band * width : (band + 1) * width]).view(np.uint64)[:, 0] for part in minima]
    )
    rows = np.flatnonzero((keys != 0) & (kind != EXACT))  # a row too short for a run of words has zeros
    rows = rows[np.argsort(keys[rows], kind="stable")]
    keys = keys[rows]
    begins = np.flatnonzero(np.diff(keys, prepend=keys[:1] + np.uint64(1)) != 0)
    leads = np.repeat(rows[begins], np.diff(begins, append=len(rows)))
    pairs = np.flatnonzero((leads != rows) & (leads < near[rows]))
    for start in range(0, len(pairs), _AT_ONCE):
        chosen = pairs[start : start + _AT_ONCE]
        ours, theirs = rows[chosen], leads[chosen]
        similar = (_rows(minima, ours) == _rows(minima, theirs)).mean(1) >= SIMILAR
        near[ours[similar]] = theirs[similar]


def _rows(parts: Sequence[NDArray[np.uint16]], places: Places) -> NDArray[np.uint16]:
    found = np.empty((len(places), MINIMA), np.uint16)
    begin = 0
    for part in parts:
        own = (places >= begin) & (places < begin + len(part))
        found[own] = part[places[own] - begin]
        begin += len(part)
    return found


def duplicates_in(reads: Sequence[Read]) -> Duplicates:
    """Those in all rows of sources that are used."""
    text = np.concatenate([np.empty(0, np.uint64), *(read.arrays["row_text"] for read in reads)])
    return find_duplicates(text, [read.arrays["row_minima"] for read in reads])


def drop(reads: Sequence[Read], found: Duplicates, choice: str, ledger: Ledger) -> list[LeafStore]:
    """The stores of sources without the rows that `data.duplicates` names; the ledger is told of each of these."""
    stores = []
    ends = np.cumsum([0, *(len(read.piece) for read in reads)])
    names = [(place, begin, read) for place, (begin, read) in enumerate(zip(ends, reads, strict=False))]
    for place, begin, read in names:
        kinds = found.kind[begin : ends[place + 1]]
        out = np.flatnonzero(np.isin(kinds, DROPPED[choice]))
        if not len(out):
            stores.append(read.store)
            continue
        for row, value in zip(out.tolist(), _values(read, out), strict=True):
            earlier = int(found.first[begin + row])
            other = int(np.searchsorted(ends, earlier, side="right")) - 1
            detail = _named(reads[other], earlier - int(ends[other]))
            ledger.withdrawn(
                _origin(read, row),
                REASONS[int(kinds[row])],
                value,
                detail,
                cut=bool(read.arrays["row_cut"][row]),
                examples=int(read.arrays["row_examples"][row]),
                tokens=int(read.arrays["row_tokens"][row]),
                supervised=int(read.arrays["row_supervised"][row]),
            )
        kept = np.ones(len(kinds), bool)
        kept[out] = False
        stores.append(read.store.select(np.flatnonzero(np.repeat(kept, read.arrays["row_examples"]))))
    return stores


def _origin(read: Read, row: int) -> Origin:
    return Origin(read.names[int(read.piece[row])], int(read.arrays["row"][row]))


def _named(read: Read, row: int) -> str:
    origin = _origin(read, row)
    return f"{origin.path}, row {origin.row}"


def _values(read: Read, rows: Places) -> Iterator[object]:
    """What stands in these rows, which are ascending: read again, since nobody remembers them."""
    wanted: Mapping[int, Any] = {
        int(piece): read.arrays["row"][rows[read.piece[rows] == piece]].tolist()
        for piece in np.unique(read.piece[rows])
    }
    every = pieces(read.source)
    for piece, numbers in wanted.items():
        left = iter(numbers)
        number = next(left, None)
        source = every[piece].rows()
        try:
            for row in source:
                while number == row.number:  # a row may hold several
                    yield row.value
                    number = next(left, None)
                if number is None:
                    break
        finally:
            source.close()
