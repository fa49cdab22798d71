"""`tutelage.tokens.cache*`: columns that grow on disk, entries, what keys them."""

from __future__ import annotations

import pickle
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny import make_tokenizer
from tutelage.records import Conversation, Message, Part
from tutelage.tokens.cache import TokenCache, cache_root, key_of
from tutelage.tokens.cache_columns import Column, FileColumns, MemoryColumns, mapped
from tutelage.tokens.cache_terms import DatedChatFormat, Terms, tokenizer_digest
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.encode import Encoder

COLUMNS = {"one": Column("<i4"), "many": Column("<u2", 3), "ends": Column("<i8", first=(0,))}
DAY = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
PIECES = st.lists(st.integers(0, 5), max_size=5)


def piece(size: int) -> dict[str, Any]:
    return {"one": np.arange(size), "many": np.arange(3 * size).reshape(size, 3), "ends": np.arange(size) * 7}


@given(PIECES)
@settings(max_examples=30)
def test_files_hold_what_memory_holds(sizes: list[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, memory = FileColumns(folder, COLUMNS), MemoryColumns(COLUMNS)
        for size in sizes:
            files.append(piece(size))
            memory.append(piece(size))
        files.finish()
        assert files.lengths == memory.lengths
        found, expected = mapped(folder, COLUMNS, files.lengths), memory.arrays()
        for column in COLUMNS:
            loaded = np.load(folder / f"{column}.npy")  # numpy's own reading of the files
            for array in (found[column], loaded):
                assert array.dtype == expected[column].dtype
                assert np.array_equal(array, expected[column])
                assert array.shape == expected[column].shape


def test_columns_go_on_where_they_were(tmp_path: Path) -> None:
    files = FileColumns(tmp_path, COLUMNS)
    files.append(piece(4))
    lengths = dict(files.lengths)
    files.append(piece(2))
    files.close()
    again = FileColumns(tmp_path, COLUMNS, lengths)
    again.append(piece(3))
    again.finish()
    assert np.load(tmp_path / "one.npy").tolist() == [0, 1, 2, 3, 0, 1, 2]
    assert np.load(tmp_path / "ends.npy").tolist() == [0, 0, 7, 14, 21, 0, 7, 14]
    with pytest.raises(OSError, match="shorter"):
        FileColumns(tmp_path, COLUMNS, {**lengths, "one": 99})
    with pytest.raises(ValueError, match="entries"):
        mapped(tmp_path, COLUMNS, lengths)


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("TUTELAGE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_root() == Path("/home/someone/.cache/tutelage")
    monkeypatch.setenv("XDG_CACHE_HOME", "/fast")
    assert cache_root() == Path("/fast/tutelage")
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_root() == Path("/home/someone/Library/Caches/tutelage")
    monkeypatch.setenv("TUTELAGE_CACHE", "~/mine")
    assert cache_root() == Path("/home/someone/mine")


def test_a_key_hangs_on_all_that_is_told() -> None:
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1}) != key_of({"a": 1, "b": 3})
    assert len(key_of({})) == 64


def test_one_run_waits_for_another(tmp_path: Path) -> None:
    cache, key = TokenCache(tmp_path), key_of({})
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        with cache.locked(key, tell=lambda line: waiting.set()):
            order.append("second")

    with cache.locked(key) as ours:
        assert ours
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        with cache.locked(key, wait=False) as got:
            assert not got
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


# What keys an entry


def dated(template: str, day: datetime = DAY) -> Terms:
    terms = Terms.of(Encoder(tokenizer := make_tokenizer(), DatedChatFormat(tokenizer, template, day)))
    assert terms is not None
    return terms


def test_terms_make_the_same_encoder_elsewhere() -> None:
    template = make_tokenizer().chat_template + "{{ strftime_now('%d %B') if add_generation_prompt }}"
    terms = pickle.loads(pickle.dumps(dated(template)))
    said = Conversation((Message("user", (Part("Hi!"),)), Message("assistant", (Part("Hello."),))))
    ((leaf,),) = terms.encoder().encode(said).examples
    tokenizer = make_tokenizer()
    ((expected,),) = Encoder(tokenizer, DatedChatFormat(tokenizer, template, DAY)).encode(said).examples
    assert leaf.ids.tolist() == expected.ids.tolist()
    assert "04 March" in tokenizer.decode(leaf.ids)
    assert terms.key() == dated(template).key()


def test_a_date_counts_as_far_as_a_template_writes_it() -> None:
    template = make_tokenizer().chat_template
    later, tomorrow = DAY.replace(hour=23), DAY.replace(day=5)
    assert dated(template).key() == dated(template, tomorrow).key()
    asks = template + "{% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% endif %}"
    assert dated(asks).key()["date"] == ["04 Mar 2026"]
    assert dated(asks).key() == dated(asks, later).key() != dated(asks, tomorrow).key()
    unclear = template + "{% set form = '%d' %}{{ strftime_now(form) }}"
    assert dated(unclear).key() != dated(unclear, later).key()


def test_terms_that_can_not_be_told() -> None:
    tokenizer = make_tokenizer()
    asks = tokenizer.chat_template + "{{ strftime_now('%d') }}"
    assert Terms.of(Encoder(tokenizer, ChatFormat(tokenizer, asks, lambda: DAY))) is None
    plain = Terms.of(Encoder(tokenizer, ChatFormat(tokenizer, tokenizer.chat_template)))
    assert plain is not None
    assert Terms.of(Encoder(tokenizer, None)) != plain


def test_a_tokenizer_is_told_by_what_it_does() -> None:
    tokenizer = make_tokenizer()
    digest = tokenizer_digest(tokenizer)
    assert tokenizer_digest(make_tokenizer()) == digest
    tokenizer("some text", truncation=True, max_length=3, padding="max_length")
    assert tokenizer_digest(tokenizer) == digest, "cutting and padding are switched off by the encoder"
    assert tokenizer.backend_tokenizer.truncation is not None
    tokenizer.add_tokens(["<new>"])
    assert tokenizer_digest(tokenizer) != digest
    assert tokenizer_digest(make_tokenizer(size=300)) != digest
