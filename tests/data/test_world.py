from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from tutelage.data.ledger import Ledger
from tutelage.data.load import load
from tutelage.data.settings import SourceSettings
from tutelage.data.world import NAME, documents, fingerprint
from tutelage.errors import UserError
from tutelage.records import Document


def test_it_is_read_as_text() -> None:
    with Ledger(None) as ledger:
        read = [record for _, _, record in load(SourceSettings(path=Path(NAME), limit=30), "pretrain", ledger)]
    assert read == [Document(text) for text in documents(30)]
    assert len(set(read)) == 30


def test_every_second_document_is_what_two_processes_share() -> None:
    both = [list(documents(40, first, 2)) for first in (0, 1)]
    assert [text for pair in zip(*both, strict=True) for text in pair] == list(documents(40))


def test_it_begins_with_copying_and_looking_up() -> None:
    """The first twentieth of a long text holds the kinds of the first stage alone: few different words."""
    first = " ".join(islice(documents(10_000), 300)).split()
    last = " ".join(documents(10_000, 9_700)).split()
    assert len(set(first)) / len(first) < 0.9 * len(set(last)) / len(last)


def test_it_has_no_end() -> None:
    with pytest.raises(UserError, match=r"^starter:text has no end: say how many documents by limit"):
        documents(None)


def test_a_fingerprint_tells_texts_apart() -> None:
    assert fingerprint(200) == fingerprint(200)
    assert fingerprint(200)["sha256"] != fingerprint(201)["sha256"]
