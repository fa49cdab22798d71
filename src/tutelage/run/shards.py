"""A stretch of a source's rows as columns of numbers: leaves, what each row came to, what tells a row from others.

The stretches of a file follow from their size alone, so it does not matter which process makes which.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.data.facts import Facts
from tutelage.data.load import FoundPlaceholders, Loaded, PieceReader
from tutelage.errors import UserError
from tutelage.records import Completion, Conversation, Message, Record
from tutelage.run.fingerprints import MINIMA, RowPrints, row_prints
from tutelage.run.mixture import OVERLAPS
from tutelage.tasks.contamination import EvaluationRows, Overlap
from tutelage.tokens.cache_columns import Array, Column
from tutelage.tokens.encode import Encoded, Encoder
from tutelage.tokens.forest import laid_out
from tutelage.tokens.overlong import Overlong
from tutelage.tokens.store import LeafStore, StoreBuilder

# Rows that are read at once, bad ones too.
STRETCH = 4096
# Rows that go to the tokenizer together.
TOGETHER = 512

COLUMNS: dict[str, Column] = {
    "ids": Column("<i4"),
    "begin": Column("<i8"),
    "size": Column("<i4"),
    "start": Column("<i4"),
    "first_leaf": Column("<i8", first=(0,)),
    "fed": Column("<i4"),
    # Of each row that is used:
    "row": Column("<i8"),
    "row_cut": Column("u1"),
    "row_examples": Column("<i4"),
    "row_tokens": Column("<i4"),
    "row_supervised": Column("<i4"),
    "row_text": Column("<u8"),
    "row_minima": Column("<u2", MINIMA),
}


@dataclass
class Shard:
    """A stretch's columns, counted from its own beginning, and the facts of its rows.

    format: of the file's rows. taken: the rows that were read, which `limit` counts; in some formats a row holds
    several. ended: the file has no more rows. error: what made it end too early, for the person.
    """

    format: str
    facts: Facts
    arrays: dict[str, Array]
    taken: int
    ended: bool = False
    error: str | None = None


def read_shard(reader: PieceReader, rows: int, encoder: Encoder, evaluation: EvaluationRows | None = None) -> Shard:
    """Reads and encodes the next rows. evaluation: rows that none of these may hold."""
    facts, placeholders = Facts(), FoundPlaceholders()
    collected = _Collected()
    before, error = reader.rows, None
    with _no_collector():
        loaded = reader.take(rows, facts, placeholders)
        try:
            while batch := list(islice(loaded, TOGETHER)):
                overlaps = overlaps_in([record for _, _, record in batch], evaluation)
                for place, overlap in overlaps.items():
                    origin, value, _ = batch[place]
                    reason, detail = f"{OVERLAPS} ({overlap.kind})", f"{overlap.evaluation_id}, {overlap.detail}"
                    facts.dropped(origin, reason, value, detail)
                _encode(encoder, [row for place, row in enumerate(batch) if place not in overlaps], facts, collected)
        except UserError as refused:
            error = str(refused)
    facts.placeholders = placeholders.found
    taken = reader.rows - before
    return Shard(reader.format.name, facts, collected.arrays(), taken, taken < rows, error)


class _Collected:
    """The rows of a stretch that are used."""

    def __init__(self) -> None:
        self.builder = StoreBuilder()
        self.prints: list[RowPrints] = []
        self.figures = {name: array("q") for name in ("row", "row_cut", "row_examples", "row_tokens", "row_supervised")}

    def arrays(self) -> dict[str, Array]:
        """As columns."""
        store = self.builder.finish()
        found: dict[str, Array] = {
            "ids": store.parts[0],
            "begin": store.begin,
            "size": store.size,
            "start": store.start,
            "first_leaf": store.first_leaf[1:],
            "fed": store.fed,
        }
        found |= {name: np.array(values, COLUMNS[name].dtype) for name, values in self.figures.items()}
        found["row_text"] = np.concatenate([np.empty(0, np.uint64), *(one.text for one in self.prints)])
        found["row_minima"] = np.concatenate([np.empty((0, MINIMA), np.uint16), *(one.minima for one in self.prints)])
        return found


def behind(arrays: Mapping[str, Array], lengths: Mapping[str, int]) -> dict[str, Array]:
    """A stretch's columns as they are added behind columns of these lengths: its places are counted on."""
    moved = dict(arrays)
    moved["begin"] = arrays["begin"] + lengths["ids"]
    moved["first_leaf"] = arrays["first_leaf"] + lengths["begin"]
    return moved


def store_of(arrays: Mapping[str, Array], highest: int) -> LeafStore:
    """The examples in columns."""
    return LeafStore(
        (arrays["ids"],),
        arrays["begin"],
        arrays["size"],
        arrays["start"],
        arrays["first_leaf"],
        arrays["fed"],
        highest,
    )


def overlaps_in(records: Sequence[Record], evaluation: EvaluationRows | None) -> dict[int, Overlap]:
    """The places of the records that hold an evaluation row in one of their texts, with one that each holds."""
    if evaluation is None:
        return {}
    texts = ((str(place), text) for place, record in enumerate(records) for text in texts_of(record))
    return {int(overlap.training_id): overlap for overlap in evaluation.overlaps(texts)}


def texts_of(record: Record) -> list[str]:
    """All that is said in a record."""
    if isinstance(record, Conversation):
        return [text for message in record.messages for text in _said(message) if text]
    return [record.prompt, record.completion] if isinstance(record, Completion) else [record.text]


def _said(message: Message) -> list[str]:
    return [
        "".join(part.text for part in message.content),
        message.reasoning,
        *(one.arguments for one in message.calls),
    ]


def _encode(encoder: Encoder, batch: Sequence[Loaded], facts: Facts, collected: _Collected) -> None:
    try:
        found = encoder.encode_many([record for _, _, record in batch])
    except Overlong as long:
        origin = batch[long.place][0]
        raise UserError(
            f"{origin.path}, row {origin.row}: {long.length} tokens are more than max_length={long.max_length}, and "
            f"overlong=error; raise max_length, or set overlong to truncate-prompt, split or drop"
        ) from None
    used: list[Record] = []
    for (origin, value, record), encoded in zip(batch, found, strict=True):
        if encoded.fate in ("kept", "cut"):
            _use(origin.row, encoded, facts, collected)
            used.append(record)
        elif encoded.fate == "dropped":
            facts.dropped(origin, encoded.reason or "", value)
        else:
            facts.quarantined(origin, encoded.reason or "", value)
    if used:
        collected.prints.append(row_prints([(record, "\n".join(texts_of(record))) for record in used]))


def _use(row: int, encoded: Encoded, facts: Facts, collected: _Collected) -> None:
    tokens = sum(_tokens([leaf.ids for leaf in example]) for example in encoded.examples)
    supervised = sum(len(leaf.ids) - leaf.start for example in encoded.examples for leaf in example)
    facts.used(encoded.fate, len(encoded.examples), tokens, supervised)
    for leaves in encoded.examples:
        collected.builder.add(leaves)
    figures = (row, encoded.fate == "cut", len(encoded.examples), tokens, supervised)
    for values, figure in zip(collected.figures.values(), figures, strict=True):
        values.append(figure)


def _tokens(ids: Sequence[NDArray[Any]]) -> int:
    return len(ids[0]) if len(ids) == 1 else laid_out(ids)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Without the search for cycles, of which records have none: it would take a tenth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
