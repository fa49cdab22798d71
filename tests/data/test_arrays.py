"""JSON arrays read element by element: the values and mistakes of reading them at once, in little memory."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.data import arrays
from tutelage.data.arrays import BrokenError, elements

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def small_blocks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(arrays, "BLOCK", size)


def read(stream: IO[bytes], step: int | None = None) -> list[object]:
    """All elements, in reads of at most so many bytes."""
    return list(elements(lambda size: stream.read(min(size, step or size))))


@given(rows=st.lists(VALUES, max_size=6), step=st.integers(1, 9), indent=st.sampled_from([None, 1]), raw=st.booleans())
def test_any_array_in_any_blocks_is_what_json_reads(
    rows: list[object], step: int, indent: int | None, raw: bool
) -> None:
    text = json.dumps(rows, indent=indent, ensure_ascii=raw)
    if not raw and any("\ud800" <= letter <= "\udfff" for letter in text):
        return
    assert read(io.BytesIO(text.encode()), step) == json.loads(text)


@given(
    text=st.lists(
        st.sampled_from(
            ['{"a": 1}', '"b"', ",", "[", "]", "{", "}", '"', "\n", " ", "12", "tru", "true", "\\", "é", ":"]
        ),
        max_size=12,
    ).map("".join),
    step=st.integers(1, 5),
)
def test_any_text_is_refused_where_json_refuses_it(text: str, step: int) -> None:
    text = f"[{text}"
    try:
        expected: object = json.loads(text)
    except json.JSONDecodeError:
        with pytest.raises(BrokenError) as caught:
            read(io.BytesIO(text.encode()), step)
        assert caught.value.reason.startswith("not JSON: ")
    else:
        assert read(io.BytesIO(text.encode()), step) == expected


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        ('["é", "b"\n "c"]', (2, 2), "expecting ',' delimiter"),
        ('[\n\n  {"a": nul}]', (3, 9), "expecting value"),
        ('["a", ]', (1, 7), "expecting value"),
        ('["a"] ]', (1, 7), "extra data"),
        ('["a", "b', (1, 7), "unterminated string"),
        ("", (1, 1), "expecting '[' delimiter"),
    ],
)
@pytest.mark.parametrize("step", [1, 3, 100])
def test_the_place_of_a_mistake_does_not_hang_on_the_blocks(
    data: str, place: tuple[int, int], reason: str, step: int
) -> None:
    with pytest.raises(BrokenError) as caught:
        read(io.BytesIO(data.encode()), step)
    assert (caught.value.line, caught.value.column) == place
    assert caught.value.reason == f"not JSON: {reason}"


@pytest.mark.parametrize("step", [1, 4, 100])
def test_the_place_of_bytes_that_are_no_text(step: int) -> None:
    with pytest.raises(BrokenError) as caught:
        read(io.BytesIO('["é",\n "é'.encode() + b'\xff"]'), step)
    assert (caught.value.line, caught.value.column, caught.value.reason) == (2, 4, "not UTF-8")


def test_elements_before_a_mistake_come_first() -> None:
    found = elements(io.BytesIO(b'[1, 2, {"a": }]').read)
    assert [next(found), next(found)] == [1, 2]
    with pytest.raises(BrokenError):
        next(found)


def test_a_large_array_in_one_line_is_never_held(monkeypatch: pytest.MonkeyPatch) -> None:
    small_blocks(monkeypatch, 1 << 12)
    element = json.dumps({"text": "word " * 50}).encode()
    data = b"[" + b", ".join([element] * 20_000) + b"]"
    stream = io.BytesIO(data)
    tracemalloc.start()
    count = sum(1 for _ in elements(stream.read))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 100_000 < len(data) / 50


def test_an_element_larger_than_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    small_blocks(monkeypatch, 16)
    rows = [{"text": "a" * 100_000}, [1.5e300] * 1_000, "b\\" * 1000]
    assert read(io.BytesIO(json.dumps(rows).encode())) == rows
