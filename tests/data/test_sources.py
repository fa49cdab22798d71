"""`tutelage.data.sources`: every kind of file, and every way that one is broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.data.sources import Row, read_rows
from tutelage.errors import UserError

ENDINGS = ".json, .jsonl, .csv, .tsv, .txt, each also with .gz after it, .parquet and .arrow"

# Chinese, an emoji of two UTF-16 units, U+2028 and NEL (str.splitlines would split there), a bare carriage return, NUL.
TEXTS = ["水的沸点是 100 °C。", "🙂", "a\u2028b\u0085c", "a\rb", "a\x00b", ""]


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def values(path: Path) -> list[object]:
    rows = list(read_rows(path))
    assert [row.fault for row in rows] == [None] * len(rows)
    return [row.value for row in rows]


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        list(read_rows(path))
    return str(caught.value)


def jsonl(rows: list[object], end: str = "\n") -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + end for row in rows).encode()


@pytest.mark.parametrize("pack", ["", ".gz"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_json_array_counts_its_elements(tmp_path: Path, mark: bytes, pack: str) -> None:
    path = write(tmp_path, f"a.json{pack}", mark + b'\r\n [ {"a": 1},\r\n "b", null ]\r\n')
    assert list(read_rows(path)) == [Row(1, {"a": 1}), Row(2, "b"), Row(3, None)]
    assert [row.text for row in read_rows(path)] == ['{"a": 1}', '"b"', "null"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.json", "a.json.gz", "A.JSONL"])
def test_jsonl_numbers_lines_and_passes_over_blank_ones(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, b'\n{"a": 1}\r\n  \t\r\n{"b": 2}')
    assert [(row.number, row.value, row.text) for row in read_rows(path)] == [
        (2, {"a": 1}, '{"a": 1}'),
        (4, {"b": 2}, '{"b": 2}'),
    ]


def test_text_has_one_document_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "  first\u2028still first\r\n\r\n \u3000\nsecond\rstill second\n".encode())
    assert [(row.number, row.value) for row in read_rows(path)] == [
        (1, "  first\u2028still first"),
        (4, "second\rstill second"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json.gz"])
def test_encodings_and_line_ends_change_nothing(tmp_path: Path, name: str, encoding: str, end: str) -> None:
    rows: list[object] = [{"text": text} for text in TEXTS]
    assert values(write(tmp_path, name, jsonl(rows, end).decode().encode(encoding))) == rows


def test_utf16_in_either_order_of_bytes(tmp_path: Path) -> None:
    little = write(tmp_path, "little.txt", b"\xff\xfe" + "一\n二".encode("utf-16-le"))
    big = write(tmp_path, "big.txt", b"\xfe\xff" + "一\n二".encode("utf-16-be"))
    assert values(little) == values(big) == ["一", "二"]


def test_broken_utf16_breaks_only_its_line(tmp_path: Path) -> None:
    half = "\ud83d".encode("utf-16-le", "surrogatepass")
    data = b"\xff\xfe" + "one\n".encode("utf-16-le") + half + "\nthree".encode("utf-16-le") + b"!"
    assert [(row.number, row.fault) for row in read_rows(write(tmp_path, "a.txt", data))] == [
        (1, None),
        (2, "not UTF-8"),
        (3, "not UTF-8"),
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"a": 1', "not JSON: expecting ',' delimiter"),
        (b'{"a": "1}', "not JSON: unterminated string"),
        (b'{"a": "\t"}', "not JSON: invalid control character"),
        (b'{"a": "\\q"}', "not JSON: invalid \\escape"),
        (b"hello", "not JSON: expecting value"),
        (b"{} {}", "not JSON: extra data"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "not JSON: nested too deeply"),
        (b"7" * 5_000, "not JSON: a number with too many digits"),
    ],
)
def test_a_broken_line_is_a_row_with_a_fault(tmp_path: Path, line: bytes, fault: str) -> None:
    rows = list(read_rows(write(tmp_path, "a.jsonl", b'{"a": 1}\n' + line + b'\r\n{"a": 3}\n')))
    assert [(row.number, row.value, row.fault) for row in rows] == [
        (1, {"a": 1}, None),
        (2, None, fault),
        (3, {"a": 3}, None),
    ]
    assert rows[1].text == line.decode(errors="backslashreplace")


def test_a_line_of_text_that_is_not_utf8_is_a_row_with_a_fault(tmp_path: Path) -> None:
    rows = list(read_rows(write(tmp_path, "a.txt", b"one\n" + "二".encode("gbk") + b"\nthree\n")))
    assert [(row.number, row.value, row.fault) for row in rows] == [
        (1, "one", None),
        (2, None, "not UTF-8"),
        (3, "three", None),
    ]
    assert rows[1].text == "\\xb6\\xfe"


def test_what_python_writes_as_json_is_read_by_line_and_in_an_array(tmp_path: Path) -> None:
    rows: list[object] = [{"text": "\ud83d"}, {"score": float("inf")}, {"a": 1, "n": 10**30}]
    lines = write(tmp_path, "a.jsonl", "\n".join(json.dumps(row) for row in rows).encode())
    array = write(tmp_path, "a.json", json.dumps(rows).encode())
    assert values(array) == rows
    assert values(lines) == [*rows[:2], {"a": 1, "n": 1e30}]
    assert [row.text for row in read_rows(array)] == [
        '{"text": "\\ud83d"}',
        '{"score": Infinity}',
        f'{{"a": 1, "n": {10**30}}}',
    ]


def test_of_equal_keys_the_last_counts(tmp_path: Path) -> None:
    assert values(write(tmp_path, "a.jsonl", b'{"a": 1, "a": 2}')) == [{"a": 2}]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'[{"a": 1},\n {"b": }]', "is broken at line 2, column 8: not JSON: expecting value; mend it there"),
        (b'[{"a": 1},\n {"b": 2}', "is broken at line 2, column 10: not JSON: expecting ',' delimiter; mend it there"),
        ('["好",\n "好'.encode() + b'\xff"]', "is broken at line 2, column 4: not UTF-8; mend it there"),
        (b"[" * 100_000, "is broken at line 1, column 2: not JSON: nested too deeply; mend it there"),
        (
            b'{\n  "a": {"b": 1}\n}\n',
            "holds one JSON value over several lines; write an array of rows, or one object a line",
        ),
        (b"", "is empty"),
    ],
)
def test_a_broken_json_file_is_refused_with_the_place(tmp_path: Path, data: bytes, message: str) -> None:
    path = write(tmp_path, "a.json", data)
    assert refusal(path) == f"{path} {message}"


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.txt"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, b"")
    assert refusal(path) == f"{path} is empty"


def test_a_missing_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, "alpaca.json", b"[]")
    assert refusal(tmp_path / "alpca.json") == (
        f"there is no file {tmp_path}/alpca.json; the nearest name in that folder is alpaca.json"
    )
    assert refusal(tmp_path / "x.txt") == f"there is no file {tmp_path}/x.txt; check the path"
    assert refusal(tmp_path / "no" / "x.txt") == (
        f"there is no file {tmp_path}/no/x.txt; nor is there a folder {tmp_path}/no"
    )


def test_a_folder_is_refused_with_a_file_in_it(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} is a folder; name a file in it"
    write(tmp_path, "notes.md", b"")
    write(tmp_path, "rows.jsonl.gz", b"{}")
    assert refusal(tmp_path) == f"{tmp_path} is a folder; name a file in it, such as {tmp_path}/rows.jsonl.gz"


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet.gz", "a", "a.gz", ".json"])
def test_an_unknown_ending_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, b"{}")
    assert refusal(path) == f"{path} has an ending that is not known; rows are read from {ENDINGS}"


def test_a_name_that_the_system_refuses_is_a_sentence(tmp_path: Path) -> None:
    assert "cannot be the path of a file: " in refusal(tmp_path / ("x" * 300))
    assert refusal(tmp_path / "a\0.json")


def test_refusals_do_not_wait_for_the_first_row(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        read_rows(tmp_path / "none.json")


def test_a_damaged_gz_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(jsonl([{"a": number} for number in range(1000)]))
    path = tmp_path / "a.jsonl.gz"
    spoiled = whole[:60] + bytes(byte ^ 0xFF for byte in whole[60:90]) + whole[90:]
    for data in (whole[: len(whole) // 2], whole[:5], whole[:-8] + b"\0" * 8, spoiled):
        path.write_bytes(data)
        assert refusal(path) == f"{path} is cut short or damaged, as its .gz checks say; fetch it again"


def test_packing_is_told_by_the_bytes_not_by_the_name(tmp_path: Path) -> None:
    (tmp_path / "packed.jsonl").write_bytes(gzip.compress(b'{"a": 1}'))
    (tmp_path / "plain.jsonl.gz").write_bytes(b'{"a": 1}')
    assert values(tmp_path / "packed.jsonl") == values(tmp_path / "plain.jsonl.gz") == [{"a": 1}]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(rows=st.lists(st.dictionaries(st.text(), JSON_VALUES, max_size=3), min_size=1, max_size=6))
def test_every_kind_of_file_gives_the_same_rows(tmp_path_factory: pytest.TempPathFactory, rows: list[object]) -> None:
    folder = tmp_path_factory.mktemp("same")
    lines, array = jsonl(rows), json.dumps(rows, ensure_ascii=False, indent=1).encode()
    files = {
        "a.jsonl": lines,
        "a.jsonl.gz": lines,
        "b.jsonl": b"\xef\xbb\xbf" + jsonl(rows, "\r\n"),
        "c.jsonl": lines.decode().encode("utf-16"),
        "l.json": lines,
        "a.json": array,
        "a.json.gz": array,
        "b.json": b"\xef\xbb\xbf" + array.replace(b"\n", b"\r\n"),
        "c.json": array.decode().encode("utf-16"),
    }
    for name, data in files.items():
        assert values(write(folder, name, data)) == rows, name
