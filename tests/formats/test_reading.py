"""Reading: the double nearest to the text from every path, the same table or the same words wherever pieces end."""

from __future__ import annotations

import gzip
import io
import json
import math
import os
import random
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import zstandard
from engines import bits_but_nan as bits
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.errors import GradError
from gradcli.formats import (
    FORMATS,
    Dialect,
    Kept,
    Style,
    compression,
    csv_arrow,
    csv_rows,
    input,
    open_table,
    parse_numbers,
)
from gradcli.formats.columns import Unnamed

Found = tuple[list[list[bytes]], list[list[str | None]], str]


class Pieces(io.RawIOBase):
    """A stream that gives so many bytes at a time."""

    def __init__(self, text: bytes, sizes: Sequence[int]) -> None:
        self.text, self.sizes = text, list(sizes)

    def read(self, size: int = -1) -> bytes:
        size = self.sizes.pop(0) if self.sizes else size
        found, self.text = self.text[:size], self.text[size:]
        return found


def table(stream: Any, wanted: Sequence[str], keep: Sequence[str] = (), **given: Any) -> Found:
    """All rows, up to the error and its words."""
    columns: list[list[bytes]] = [[] for _ in wanted]
    kept: list[list[str | None]] = [[] for _ in keep]
    rows = 0
    dialect = Dialect(**{field: given.pop(field) for field in Dialect._fields if field in given})
    try:
        for chunk in open_table("-", stream, dialect=dialect, **given).chunks(wanted, keep):
            assert chunk.start == rows
            rows += len((chunk.columns or chunk.kept)[0])
            assert {len(part) for part in [*chunk.columns, *chunk.kept]} == {rows - chunk.start} != {0}
            for column, part in zip(columns, chunk.columns, strict=True):
                assert part.dtype == np.float64
                column += bits(part)
            for texts, cells in zip(kept, chunk.kept, strict=True):
                texts += [None if cell is None else cell.decode() for cell in cells.cells]
    except GradError as error:
        assert error.exit_code == 2
        return columns, kept, str(error)
    return columns, kept, ""


def read(text: bytes, wanted: Sequence[str], keep: Sequence[str] = (), **given: Any) -> Found:
    return table(io.BytesIO(text), wanted, keep, **given)


def words(text: bytes, **given: Any) -> str:
    return read(text, ["x"], **given)[2]


# Text.


number_texts = st.one_of(
    st.floats().map(lambda v: repr(v) if math.isfinite(v) else {"nan": "nan", "inf": "inf", "-inf": "-inf"}[repr(v)]),
    st.integers(-(10**30), 10**30).map(str),
    st.from_regex(r"\A[+-]?([0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})([eE][+-]?[0-9]{1,2})?\Z").filter(str.isascii),
    st.sampled_from(["-0", "-0.0", "0", "+0", "007", " 1 ", "1.", ".5", "9007199254740993", "18446744073709551617"]),
)


@given(st.lists(st.tuples(number_texts, number_texts), min_size=1, max_size=8))
def test_numbers_are_rounded_correctly_from_every_text(rows: list[tuple[str, str]]) -> None:
    wanted = [bits(float(row[k]) for row in rows) for k in (0, 1)]
    for separator, form in ((",", "csv"), ("\t", "tsv")):
        lines = [separator.join(row) for row in [("x", "y"), *rows]]
        assert read("\n".join(lines).encode(), ["x", "y"], format=form) == (wanted, [], "")
        assert read("\r\n".join(lines).encode(), ["y"], format=form) == (wanted[1:], [], "")
        quoted = [separator.join(f'"{cell}"' for cell in row) for row in [("x", "y"), *rows]]
        assert read("\n".join(quoted).encode(), ["y", "x"], format=form) == (wanted[::-1], [], "")


@given(st.lists(st.text(st.sampled_from("0123456789+-.eE, \rnaif"), max_size=6), min_size=1, max_size=6), st.booleans())
def test_many_cells_at_once_are_as_one_by_one(texts: list[str], na: bool) -> None:
    joined = [cell.encode() for cell in ",".join(texts).split(",")]
    try:
        wanted = bits(parse_numbers.number(cell, na) for cell in joined)
    except parse_numbers.NotANumber:
        wanted = []
    at_once = parse_numbers.numbers(b",".join(joined), na)
    assert at_once is None or bits(at_once) == wanted


@pytest.mark.quick
def test_what_most_files_hold_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The paths that read cell by cell are for the rest."""
    for cells, na, wanted in (
        (b"1,2.5,-3e-7", False, [1, 2.5, -3e-7]),
        (b"-0,0,-0.0,1", False, [-0.0, 0, -0.0, 1]),
        (b"1, 2 ,nan", False, [1, 2, math.nan]),
        (b"1,,NA,N/A,NaN,null,2", True, [1, *[math.nan] * 5, 2]),
    ):
        found = parse_numbers.numbers(cells, na)
        assert found is not None and bits(found) == bits(wanted)
    for cells, na in ((b"1,,2", False), (b"1,NA", False), (b"1,null", False), (b" ", False), (b"1,1e400", False)):
        assert parse_numbers.numbers(cells, na) is None
    monkeypatch.setattr(csv_arrow, "LEAST", 0)
    monkeypatch.setattr(csv_arrow, "_CELL", 0)
    columns = csv_arrow.arrow_columns(b"1,a,2.5\n-0,b,1e300\n", b",", 3, [2, 0])
    assert columns is not None and [bits(column) for column in columns] == [bits([2.5, 1e300]), bits([1, -0.0])]


@pytest.mark.parametrize("arrow", [True, False])
def test_with_and_without_pyarrow(arrow: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).integers(0, 2**64, 30_000, dtype=np.uint64).view(np.float64)
    values = values[np.isfinite(values)]
    text = b"x\n" + "\n".join(map(repr, values.tolist())).encode()
    if not arrow:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert read(text, ["x"]) == ([bits(values)], [], "")
    broken = text + b"\n1_0\n"
    assert read(broken, ["x"]) == (
        [bits(values)],
        [],
        f"stdin:{len(values) + 2}:1: '1_0' in column 'x' is not a number",
    )


ODD = "0 -0 +1 1. .5 007 1e5 1E+05 1e400 1e-400 4.9e-324 2.5e-324 nan NaN NA inf Infinity -inf 0x10 1d5 1_0 1,5 true"
CELLS = st.one_of(
    st.floats().map(repr),
    st.sampled_from([*ODD.split(), "null", "1e", "1e+", ".", "-", "1f", "1" + chr(0x660), "9007199254740993"]),
    st.just("0.1000000000000000055511151231257827021181583404541015625"),
    st.text(st.sampled_from('0123456789+-.eE \r\tnaif"\0\n'), max_size=6),
)


@settings(max_examples=400)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4), st.sampled_from(",\t"), st.booleans())
def test_what_arrow_reads_is_what_is_read_without_it(rows: list[tuple[str, str]], separator: str, na: bool) -> None:
    text = "".join([separator.join(row) + "\n" for row in rows]).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_arrow, "LEAST", 0)
        patch.setattr(csv_arrow, "_CELL", 0)
        quick = csv_arrow.arrow_columns(text, separator.encode(), 2, [1, 0])
        patch.setattr(csv_arrow, "LEAST", 1 << 60)
        header = separator.join("xy").encode() + b"\n"
        columns, _, error = read(
            header + text, ["y", "x"], format="csv" if separator == "," else "tsv", na="nan" if na else "error"
        )
    if quick is not None:
        assert (columns, error) == ([bits(column) for column in quick], "")


TEXTS = [
    (b"x,t\n1,a\n-0,b\n.5,c\n", "csv"),
    (b'\xef\xbb\xbf"x",t\r\n1,"a,""b""\r\nc"\r\n"2",\xc3\xa9\r\n3,', "csv"),
    (b"x\tt\n1,5\ta\n", "tsv"),
    (b'x,t\n1,"a\nb"\n2,c"d\n3,"e"\n', "csv"),
    (b'x,t\n1,"a\nb\n2,c\n', "csv"),
    (b"x,t\n1,a\n2\n3,c\n", "csv"),
    (b"x,t\n1,a\n\n3,c\n", "csv"),
    (b"x,t\n1,\xff\nNA,b\n", "csv"),
    (b"x,t\n1,a\n2,b\rc\n", "csv"),
    (b'"x",t\r1,"a\rb\n"\r-0,c\r2,d\ne\r', "csv"),
    (b'{"x":1,"t":"a\\n"}\n{"t":1.50,"x":-0}\n{"x":1e2,"t":null}', "jsonl"),
    (b'{"x":1,"t":"a"}\n{"x":2,"x":3,"t":1}\n', "jsonl"),
    (b'{"x":1,"t":"a"}\n{"x":2}{"t":1}\n', "jsonl"),
    (b'{"x":1,"t":"a"},{"x":2,"t":1}\n{"x":2\n"t":1}\n', "jsonl"),
    (b'[{"x":1,"t":"a"},{"x":2,"t":true}]', "json"),
    (gzip.compress(b"x,t\n1,a\n2,b\n", mtime=0) + gzip.compress(b"3,c\n", mtime=0) + b"\0\0", "csv"),
    (zstandard.compress(b"x,t\n1,a\n2,b\n") + zstandard.compress(b"3,c\n"), "csv"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "form"), TEXTS)
def test_the_same_wherever_pieces_end(text: bytes, form: str) -> None:
    for keep in ([], ["t"]):
        once = read(text, ["x"], keep, format=form)
        assert table(Pieces(text, [1] * len(text)), ["x"], keep, format=form) == once
        for at in range(1, len(text)):
            assert table(Pieces(text, [at]), ["x"], keep, format=form) == once


@settings(max_examples=200)
@given(
    st.text(st.sampled_from('x1,\n"\r. a'), max_size=25).map(lambda t: "x,t\n" + t),
    st.lists(st.integers(1, 9), max_size=9),
)
def test_any_text_is_a_table_or_an_error_wherever_pieces_end(text: str, sizes: list[int]) -> None:
    raw = text.encode()
    assert table(Pieces(raw, sizes), ["x"], ["t"]) == read(raw, ["x"], ["t"])


@given(st.lists(st.tuples(st.floats(), st.text(max_size=6)), max_size=6))
def test_what_the_csv_module_writes_is_read(rows: list[tuple[float, str]]) -> None:
    import csv

    # A surrogate has no UTF-8.
    rows = [(v, t.encode("utf-8", "ignore").decode()) for v, t in rows]
    out = io.StringIO()
    csv.writer(out).writerows([("x", "t"), *rows])
    wanted = ([bits(v for v, _ in rows)], [[t for _, t in rows]], "")
    assert read(out.getvalue().encode(), ["x"], ["t"]) == wanted


def test_lines_that_end_in_carriage_returns() -> None:
    wanted = ([bits([1.0, 2.0])], [['a\rb"\n', "c"]], "")
    assert read(b'"x",t\r1,"a\rb""\n"\r2,c\r', ["x"], ["t"]) == wanted
    assert read(b'"x",t\r1,"a\rb""\n"\r2,c', ["x"], ["t"]) == wanted
    assert read(b"x\r", ["x"]) == ([[]], [], "")


def test_csv_is_strict() -> None:
    assert words(b"") == "stdin: the file is empty: a header is expected"
    assert words(b"\n1\n") == "stdin:1: the first line is empty: a header is expected"
    assert words(b"x\n") == ""
    assert words(b"x,x\n").startswith("stdin: columns 1 and 2 are both named 'x'")
    assert words(b"t,x,y,x\n").startswith("stdin: columns 2 and 4 are both named 'x'")
    assert words(b'"",""\n').startswith("stdin:1: no column has a name")
    assert words(b"1,2\n3,4\n") == "stdin:1: no header: the first line holds numbers\n  --columns a,b reads it"
    encoding = "give its --encoding: latin-1, cp1252 or another"
    assert words(b"\xff\n1\n") == f"stdin:1: the header is not UTF-8\n  {encoding}"
    assert words(b"x\n\xff\n") == f"stdin:2:1: in column 'x': not UTF-8\n  {encoding}"
    assert words(b"x,y\n1,2\n1\n") == "stdin:3:1: 1 cell where the header has 2"
    assert words(b"x,y\n1,2\n\n") == "stdin:3:1: an empty line where the header has 2 cells"
    assert words(b"x\n1,234\n") == "stdin:2:1: 2 cells where the header has 1"
    assert words(b'y,x\n1,"1,234"\n').startswith("stdin:2:3: '1,234' in column 'x' is not a number")
    assert words(b'x,y\n1,2\n3,"4\n5,6\n') == "stdin:3:3: a quote is opened here and never closed"
    assert words(b'x,y\n1,2\n3,4"5"\n').startswith("stdin:3:4: a quote inside a cell")
    assert words(b'x,y\n1,"2"3\n') == "stdin:2:6: text behind a closing quote"
    assert words(b"x\n1\r2\r").startswith("stdin:2:2: a carriage return inside a line")
    assert words(b"x\r1\n2\r").startswith("stdin:2:2: a carriage return inside a line")
    assert words(b"x\0\n\0").startswith("stdin:1: a NUL byte in the header: UTF-16")
    assert words(b'{\n "x": [1]}').startswith("stdin:1: JSON")
    assert words(b"[m/s],x\n2,1\n") == ""
    assert words(b"x\n1\0\n") == "stdin:2:1: '1\\x00' in column 'x' is not a number"
    assert words(b"x\n1e400\n") == "stdin:2:1: '1e400' in column 'x' is too large for a double"
    for text, form in ((b'{"x": [1]}', "json"), (b'[{"x": 1}]', "json"), (b'{"x": 1}\n{"x": 2}\n', "jsonl")):
        assert words(text) == f"stdin:1: JSON, not rows of cells\n  say what it is: --input-format {form}"
    assert words(b"\x93NUMPY\x01\0").startswith("stdin:1: not a text file")
    for cell in (b"1_000", "\u0661".encode(), b"0x10", b"1,5"[:1] + b" 5", b"Na", b"Infin", b"--1", b"1e", b"."):
        assert f"'{cell.decode()}' in column 'x' is not a number" in words(b"x\n1\n" + cell + b"\n")
    # Only what is asked for must be numbers.
    assert read(b"x,t\n1,z\n2,\n", ["x"])[0] == [bits([1, 2])]
    assert words(b"temp C,y\n1,2\n").startswith("stdin: there is no column 'x' (its columns are `temp C`, y)")
    assert "no column 'temp_C' (did you mean `temp C`?)" in read(b"temp C,y\n1,2\n", ["temp_C"])[2]


def test_na() -> None:
    text = b"x,y\n,1\nNA,2\nN/A,3\nnan,4\nNaN,5\nnull,6\n \t,7\n"
    assert read(text.replace(b" \t", b" "), ["x", "y"], na="nan") == (
        [[b"nan"] * 7, bits([1, 2, 3, 4, 5, 6, 7])], [], ""
    )  # fmt: skip
    hint = "--na nan reads it as nan, --na skip leaves its row out"
    assert words(b"x\n1\n\n") == f"stdin:3:1: an empty cell in column 'x'\n  {hint}"
    assert words(b"x\nNA\n") == f"stdin:2:1: 'NA' in column 'x' is not a number\n  {hint}"
    assert words(b"x\nnull\n").startswith("stdin:2:1: 'null' in column 'x' is not a number")
    assert words(b"x\nnone\n", na="nan") == "stdin:2:1: 'none' in column 'x' is not a number"
    assert read(b"x\nnan\ninf\n-inf\n", ["x"]) == ([bits([math.nan, math.inf, -math.inf])], [], "")
    assert words(b'{"x":null}', format="jsonl") == (
        "stdin:1:1: 'x': null where a number is expected (--na nan reads it as nan)"
    )
    for form, body in (("jsonl", b'{"x":null}'), ("json", b'{"x":[null]}'), ("json", b'[{"x":null}]')):
        assert read(body, ["x"], format=form, na="nan") == ([[b"nan"]], [], "")


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "LINE_LIMIT", 1000)
    assert words(b"x\n1\n" + b"1" * 2000) == "stdin:3:1: the line is too long: the limit is 1,000 bytes"
    assert words(b'x\n"' + b"1\n" * 1000).startswith("stdin:2:1: a quote is not closed, or the line is too long")
    assert "the line is too long" in words(b'{"x":' + b"1" * 2000, format="jsonl")


# JSON.


@pytest.mark.parametrize(
    ("text", "form", "found"),
    [
        (b"", "json", "the file is empty"),
        (b"", "jsonl", "the file is empty"),
        (b'{"x": [1, 2', "json", "stdin:1:12: unexpected end of the text"),
        (b'{"x":\n [1,, 2]}', "json", "stdin:2:5: "),
        (b'{"x": [1], "x": [2]}', "json", "duplicate key 'x'"),
        (b'[{"x": 1, "x": 2}]', "json", "duplicate key 'x'"),
        (b'{"x":1}\n{"x":1,"x":2}', "jsonl", "2: duplicate key 'x'"),
        (b'{"x": [NaN]}', "json", "NaN is no JSON"),
        (b'{"x":1}\n{"x":NaN}', "jsonl", "stdin:2: NaN is no JSON"),
        (b'{"x": [1e400]}', "json", "too large"),
        (b'{"x": 1e400}', "jsonl", "too large"),
        (b'{"x": ["1"]}', "json", "'x', value 1: the string '1' where a number"),
        (b'{"x": [true]}', "json", "true or false where a number"),
        (b'{"x": "1"}', "jsonl", "'x': the string '1'"),
        (b'{"x": true}', "jsonl", "true or false where"),
        (b'{"x": [1,2,3], "y": [1,2]}', "json", "'x' has 3 values, 'y' has 2"),
        (b'{"x": [1], "y": 1}', "json", "'y' is a number where a list"),
        (b'{"x": {"y": 1}}', "json", "'x' is an object where a list"),
        (b"[1]", "json", "record 1 is a number, not an object"),
        (b'[{"x":1},{"y":1}]', "json", "record 2 has no key 'x'"),
        (b'[{"x":1},{"x":1,"y":2}]', "json", "record 2 has keys"),
        (b'{"x":1}\n{"y":1}', "jsonl", "stdin:2:1: no key 'x'"),
        (b"1", "json", "a number where records"),
        (b"[" * 100000, "json", "too deep"),
        (b"[" * 100000, "jsonl", "too deep"),
        (b'"\xff"', "json", "stdin:1:2: not UTF-8"),
        (b'{"x":1}\n\n{"x":1}', "jsonl", "stdin:2:1: an empty line"),
        (b'{"x":1}\n{"x":\xff}', "jsonl", "stdin:2:1: not UTF-8"),
        (b'{"schema": "gradcli/2", "columns": {}}', "json", "not of the schema gradcli/1"),
        (b'{"x":1,\n"y":2}\n', "jsonl", "stdin:1:8: unexpected end"),
        (b"\xff\xfe1\0", "json", "a number where records"),
        (b"\xff\xfe1", "json", "stdin:1: not utf-16"),
    ],
)
def test_json_is_strict(text: bytes, form: str, found: str) -> None:
    assert found in words(text, format=form)


def test_json_in_all_its_shapes() -> None:
    wanted = ([bits([1, -0.0, 9007199254740992])], [["1.50", "\u00e9", None]], "")
    rows = [b'{"x": 1, "t": 1.50}', b'{"t": "\\u00e9", "x": -0}', b'{"x": 9007199254740993, "t": null}']
    assert read(b"[" + b",".join(rows) + b"]", ["x"], ["t"], format="json") == wanted
    assert read(b"\n".join(rows), ["x"], ["t"], format="jsonl") == wanted
    columns = b'{"x": [1, -0, 9007199254740993], "t": [1.50, "\\u00e9", null]}'
    assert read(columns, ["x"], ["t"], format="json") == wanted
    own = {"schema": "gradcli/1", "shape": [2, 2], "columns": {"x": [[1, 2], [3, 4]], "g": None}}
    assert read(json.dumps(own).encode(), ["x"], format="json") == ([bits([1, 2, 3, 4])], [], "")
    own["columns"] = {"x": 3.5}
    assert read(json.dumps(own).encode(), ["x"], format="json") == ([bits([3.5])], [], "")
    own = {"schema": "gradcli/1", "shape": [2], "columns": {"v": [[1], {}], "w": [[1, 2], []], "x": [1, 2]}}
    assert read(json.dumps(own).encode(), ["x"], format="json") == ([bits([1, 2])], [], "")
    assert "'w', value 1: a list" in read(json.dumps(own).encode(), ["w"], format="json")[2]
    assert read(b'{"x": []}', ["x"], format="json") == ([[]], [], "")
    assert read(b"[]", [], format="json")[2] == ""


def test_keys_without_a_name() -> None:
    wanted = ([bits([2])], [["a"]], "")
    assert read(b'[{"": "a", "x": 2}]', ["x"], ["column_1"], format="json")[2] != ""
    for text in (b'[{"": "a", "x": 2}]', b'{"": ["a"], "x": [2]}', b'{"": "a", "x": 2}'):
        assert read(text, ["x"], [Unnamed("column_1")], format="json") == wanted
    assert read(b'{"": "a", "x": 2}', ["x"], [Unnamed("column_1")], format="jsonl") == wanted


# Arrays.


def npy(array: Any, **given: Any) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(array), **given)
    return out.getvalue()


class Bomb:
    def __reduce__(self) -> Any:
        return os.mkdir, ("PWNED",)


def test_arrays_are_read_as_they_come() -> None:
    fields = np.array([(1, 2.5, 3), (-4, 5, 6)], dtype=[("x", "i2"), ("y", ">f4"), ("z", "u1")])
    assert read(npy(fields), ["y", "x"], ["z", "y"], format="npy") == (
        [bits([2.5, 5]), bits([1, -4])], [["3", "6"], ["2.5", "5.0"]], ""
    )  # fmt: skip
    flat = np.arange(5.0)
    assert read(npy(flat), [""], format="npy") == ([bits(flat)], [], "")
    assert read(npy(flat), ["q"], format="npy", columns=["q"]) == ([bits(flat)], [], "")
    for array in (np.arange(6.0).reshape(3, 2), np.asfortranarray(np.arange(6).reshape(3, 2))):
        assert read(npy(array), ["b", "a"], format="npy", columns=["a", "b"]) == (
            [bits([1, 3, 5]), bits([0, 2, 4])],
            [],
            "",
        )
    text = npy(np.asfortranarray(np.arange(6).reshape(3, 2)))[:-1]
    assert read(text, ["a"], format="npy", columns=["a", "b"])[2].endswith("truncated: it ends after 2 of 3 rows")
    named = np.zeros(2, dtype=[("\u00fc\u4e2d", "f8")])
    with pytest.warns(UserWarning):
        text = npy(named)
    assert read(text, ["\u00fc\u4e2d"], format="npy")[0] == [bits([0, 0])]
    assert open_table("-", io.BytesIO(npy(flat)), format="npy").rows == 5
    for at in range(1, len(npy(fields))):
        assert table(Pieces(npy(fields), [at]), ["y"], format="npy") == ([bits([2.5, 5])], [], "")
        assert "truncated" in read(npy(fields)[:at], ["y"], format="npy")[2] or at < 8
    big = open_table("-", io.BytesIO(npy(np.array([2**53 + 1, 1]))), format="npy")
    assert [bits(c.columns[0]) for c in big.chunks([""], [])] == [bits([2.0**53, 1])]
    assert big.notes == ["stdin: the column has integers beyond 2**53: they lose precision as doubles"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"", "empty"),
        (b"\x80\x04N.", "not a .npy file"),
        (npy(np.zeros(3))[:-1], "truncated: it ends after 2 of 3 rows"),
        (npy(np.zeros(3)) + b"1", "bytes behind the array"),
        (npy(np.array(["a"])), "dtype"),
        (npy(np.zeros(3, "c16")), "dtype"),
        (npy(np.zeros(3, "?")), "dtype"),
        (npy(np.zeros(3, "M8[s]")), "dtype"),
        (npy(np.zeros((2, 2, 2))), "dimensions"),
        (npy(np.zeros((2, 2))), "give --columns"),
        (npy(np.array(1.0)), "dimensions"),
        (b"\x93NUMPY\x09\x00aa", "version 9.0"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "beyond the limit"),
        (b"\x93NUMPY\x01\x00\x04\x00(((\n", "damaged"),
        (npy(np.array([Bomb()], dtype=object), allow_pickle=True), "object array"),
        (b"\x93NUM", "not a .npy file"),
    ],
)
def test_arrays_are_strict(text: bytes, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert found in read(text, [""], format="npy")[2]
    assert list(tmp_path.iterdir()) == []


def test_archives_of_arrays() -> None:
    out = io.BytesIO()
    np.savez_compressed(out, x=np.arange(6).reshape(2, 3), y=np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    assert read(out.getvalue(), ["y", "x"], ["x"], format="npz") == (
        [bits(range(6)), bits(range(6))], [["0", "1", "2", "3", "4", "5"]], ""
    )  # fmt: skip
    assert "too large" in read(out.getvalue(), ["x"], format="npz", max_bytes=50)[2]
    for at in range(0, len(out.getvalue()), 7):
        assert "not an .npz file" in read(out.getvalue()[:at], ["x"], format="npz")[2]
        broken = out.getvalue()[:at] + b"\xff" + out.getvalue()[at + 1 :]
        assert read(broken, ["x"], format="npz")[0] in ([[]], [bits(range(6))])
    out = io.BytesIO()
    np.savez(out, x=np.arange(6), y=np.arange(5))
    assert "'x' has the shape (6,), 'y' has (5,)" in read(out.getvalue(), ["x"], format="npz")[2]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy(np.zeros(1_000_000)))
    assert "too large" in read(out.getvalue(), ["x"], format="npz", max_bytes=1_000_000)[2]
    assert "too large" in read(out.getvalue()[:9000], ["x"], format="npz", max_bytes=1000)[2]


# Parquet.


def parquet(columns: dict[str, Any], **given: Any) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out, **given)
    return out.getvalue()


def test_parquet() -> None:
    text = parquet({"x": [1.5, None, math.nan], "i": [1, 2, 2**53 + 1], "t": ["a", None, "\u00e9"]}, row_group_size=2)
    assert read(text, ["i"], ["t", "x"], format="parquet") == (
        [bits([1, 2, 2.0**53])], [["a", None, "\u00e9"], ["1.5", None, "nan"]], ""
    )  # fmt: skip
    assert read(text, ["x"], format="parquet", na="nan")[0] == [bits([1.5, math.nan, math.nan])]
    assert read(text, ["x"], format="parquet")[0] == [bits([1.5])]
    assert "row 2: column 'x' is null" in read(text, ["x"], format="parquet")[2]
    assert "has the type string" in read(text, ["t"], format="parquet")[2]
    assert words(b"x\n1\n", format="parquet") == "stdin: not a parquet file"
    twice = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table([[1], [2]], names=["x", "x"]), twice)
    assert "both named 'x'" in words(twice.getvalue(), format="parquet")
    for at in range(4, len(text), 11):
        assert "parquet" in read(text[:at], ["i"], format="parquet")[2]


def test_without_the_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert "pip install 'gradcli[parquet]'" in words(b"PAR1", format="parquet")
    assert "pip install 'gradcli[zstd]'" in words(zstandard.compress(b"x\n1\n"))


# Packed.


def test_packed_files(tmp_path: Path) -> None:
    for packing, squeeze in (("gz", gzip.compress), ("zst", zstandard.compress)):
        path = tmp_path / f"a.tsv.{packing}"
        path.write_bytes(squeeze(b"x\ty\n1\t2\n"))
        chunk = next(open_table(str(path), None).chunks(["y"], []))
        assert chunk.columns[0].tolist() == [2.0]
        whole = squeeze(b"x\n" + b"1\n" * 1000)
        for at in range(1, len(whole)):
            assert "truncated" in words(whole[:at]) or at < 4
        path.write_bytes(b"x\ty\n1\t2\n")
        with pytest.raises(GradError, match=r"not a .* file"):
            open_table(str(path), None)
        path.write_bytes(b"")
        with pytest.raises(GradError, match="empty"):
            open_table(str(path), None)
        found = words(squeeze(b"0" * 5_000_000), max_bytes=1_000_000)
        assert "too large: it expands to more than the limit of 1,000,000 bytes" in found
    assert "damaged" in words(gzip.compress(b"x\n1\n", mtime=0)[:-8] + b"\0" * 8)
    assert "damaged" in words(gzip.compress(b"x\n1\n", mtime=0) + b"garbage")


def test_a_bomb_is_met_in_small_steps() -> None:
    bombs = {"gz": gzip.compress(bytes(200_000_000)), "zst": zstandard.compress(bytes(200_000_000))}
    for packing, bomb in bombs.items():
        sizes = [len(piece) for piece in compression.unpacked(iter([bomb]), packing, "bomb")]
        assert max(sizes) <= 1 << 24
        assert sum(sizes) == 200_000_000
    assert "too long" in words(bombs["gz"])


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_packing_has_the_same_bytes_whatever_the_pieces(packing: str) -> None:
    text = np.random.default_rng(0).integers(0, 30, 300_000, dtype=np.uint8).tobytes()
    found = set()
    for step in (1000, 77_777, 300_000):
        pieces: list[bytes] = []
        packer = compression.Packer(pieces.append, packing)
        for lo in range(0, len(text), step):
            packer(text[lo : lo + step])
        packer.close()
        found.add(b"".join(pieces))
    assert len(found) == 1
    once = found.pop()
    assert b"".join(compression.unpacked(iter([once]), packing, "x")) == text


# Files, streams and their failures.


def test_what_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.xyz").write_text("x\n1\n")
    for path, stream, found in (
        ("nope.csv", None, "nope.csv: No such file"),
        (".", None, ".: Is a directory"),
        ("a.xyz", None, "'.xyz': give --input-format"),
        ("| touch PWNED", None, "No such file"),
        ("-", None, "stdin is closed"),
        ("a\0b.csv", None, "null"),
    ):
        with pytest.raises(GradError, match="^[^\n]*" + found.replace(".", r"\.").replace("|", r"\|")) as caught:
            open_table(path, stream)
        assert caught.value.exit_code == 2
    with pytest.raises(GradError, match="cannot be read"):
        open_table("a.xyz", None, format="table")
    with pytest.raises(GradError, match="--columns is for csv, tsv, npy; this is jsonl"):
        open_table("a.xyz", None, format="jsonl", dialect=Dialect(columns=["x"]))
    assert next(open_table("a.xyz", None, format="csv").chunks(["x"], [])).columns[0].tolist() == [1.0]


class Failing(io.RawIOBase):
    """A stream whose n-th read fails."""

    def __init__(self, text: bytes, n: int) -> None:
        self.text, self.n = text, n

    def read(self, size: int = -1) -> bytes:
        self.n -= 1
        if self.n < 0:
            raise OSError(5, "Input/output error")
        found, self.text = self.text[:4], self.text[4:]
        return found


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "npy", "npz", "parquet"])
def test_a_failing_read_is_told(form: str) -> None:
    text = {
        "csv": b"x\n1\n2\n",
        "json": b'{"x": [1, 2]}',
        "jsonl": b'{"x":1}\n{"x":2}\n',
        "npy": npy(np.zeros(2, [("x", "f8")])),
        "npz": b"PK\x03\x04" + bytes(20),
        "parquet": parquet({"x": [1.0]}),
    }[form]
    for n in range(len(text) // 4 + 1):
        with pytest.raises(GradError, match="stdin: reading failed: Input/output error") as caught:
            list(open_table("-", Failing(text, n), format=form).chunks(["x"], []))  # type: ignore[arg-type]
        assert caught.value.exit_code == 3


@pytest.mark.parametrize("squeeze", [bytes, gzip.compress])
def test_a_slow_pipe_gives_each_row_as_it_comes(squeeze: Any) -> None:
    if squeeze is not bytes:
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        squeeze = lambda b: packer.compress(b) + packer.flush(2)
    for form, header, row in (("csv", b"x,t\n", b"%d,a\n"), ("jsonl", b"", b'{"x": %d}\n')):
        if squeeze is not bytes and form == "jsonl":
            continue
        there, here = os.pipe()
        with open(there, "rb") as stream:
            os.write(here, squeeze(header + row % 0))
            chunks = open_table("-", stream, format=form).chunks(["x"], [])
            assert next(chunks).columns[0].tolist() == [0.0]
            for k in range(1, 4):
                os.write(here, squeeze(row % k))
                assert next(chunks).columns[0].tolist() == [float(k)]
            os.close(here)
            if squeeze is bytes:
                assert list(chunks) == []


def test_what_is_fast_is_gathered() -> None:
    there, here = os.pipe()
    with open(there, "rb") as stream:
        for _ in range(10):
            os.write(here, b"1\n" * 100)
        os.close(here)
        assert [len(piece) for piece in input.pieces(stream, "x")] == [2000]


# There and back.


class Made:
    """What writers take, from columns that are there."""

    def __init__(self, columns: dict[str, Any], block: int = 100_000) -> None:
        self.names, self._columns, self._block = tuple(columns), list(columns.values()), block
        self.shape = (len(self._columns[0]),)
        self.expressions: dict[str, str] = {}
        self.variables: list[str] = []
        self.order, self.matrix, self.nonfinite = 1, False, dict[str, int]()
        self.members: dict[str, object] = {}
        self.read_as: str | None = None
        self.shapes: dict[str, tuple[int, ...]] | None = None
        self.empty: tuple[str, ...] = ()

    @property
    def nothing(self) -> list[Any]:
        return [column[:0] for column in self._columns]

    @property
    def blocks(self) -> Iterator[list[Any]]:
        for lo in range(0, self.shape[0], self._block):
            yield [c[lo : lo + self._block] for c in self._columns]

    def whole(self) -> list[Any]:
        return self._columns


def written(form: str, made: Made) -> bytes:
    pieces: list[bytes] = []
    FORMATS[form].write(made, pieces.append, Style())
    return b"".join(pieces)


READABLE = [name for name, row in FORMATS.items() if row.reader]


@pytest.mark.parametrize("form", READABLE)
@pytest.mark.parametrize("rows", [0, 1, 7])
def test_the_same_bytes_whatever_the_blocks(form: str, rows: int) -> None:
    columns = {"a b": np.arange(rows) / 3, "\u4e2d": np.arange(rows) * 1.0}
    once = written(form, Made(columns))
    assert {written(form, Made(columns, block)) for block in (1, 2, 3)} == {once}
    if rows or form != "jsonl":
        found = read(once, ["\u4e2d", "a b"], format=form)
        assert found == ([bits(range(rows)), bits(columns["a b"])], [], "")


ROWS = ["csv", "tsv", "jsonl", "json", "parquet"]


@settings(max_examples=30)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=5), min_size=1, max_size=5))
def test_text_is_carried_through(texts: list[str]) -> None:
    for first in ROWS:
        made = Made({"t": Kept([text.encode() for text in texts], True), "x": np.arange(len(texts)) * 1.0})
        chunks = list(open_table("-", io.BytesIO(written(first, made)), format=first).chunks(["x"], ["t"]))
        kept = Kept.joined([chunk.kept[0] for chunk in chunks])
        assert kept.cells == [text.encode() for text in texts]
        for form in ROWS:
            again = written(form, Made({"t": kept, "x": np.arange(len(texts)) * 1.0}, 2))
            assert read(again, ["x"], ["t"], format=form) == ([bits(range(len(texts)))], [texts], "")


def test_kept_numbers_keep_their_digits() -> None:
    text = b'x,n,t\n1,1.50,"1"\n2,007,\n3,nan,a b\n'
    _, kept, _ = read(text, ["x"], ["n", "t"])
    assert kept == [["1.50", "007", "nan"], ["1", "", "a b"]]
    chunk = next(open_table("-", io.BytesIO(text)).chunks(["x"], ["n", "t"]))
    made = Made({"n": chunk.kept[0], "t": chunk.kept[1], "f": chunk.columns[0]})
    assert written("csv", made) == b"n,t,f\n1.50,1,1.0\n007,,2.0\nnan,a b,3.0\n"
    assert written("jsonl", made) == (
        b'{"n": 1.50, "t": "1", "f": 1.0}\n{"n": "007", "t": "", "f": 2.0}\n{"n": null, "t": "a b", "f": 3.0}\n'
    )
    assert json.loads(written("json", made))["columns"] == {
        "n": [1.5, "007", None],
        "f": [1, 2, 3],
        "t": ["1", "", "a b"],
    }
    assert written("markdown", made).splitlines()[2] == b"| 1.50 | 1 | 1.0 |"
    assert written("table", made).decode().splitlines()[1].split() == ["1.50", "1", "1.0"]
    for form in ("npy", "npz"):
        with pytest.raises(GradError, match="column 't' holds text"):
            written(form, made)
    assert read(written("npy", Made({"n": chunk.kept[0]})), ["n"], format="npy")[0] == [bits([1.5, 7, math.nan])]


def test_parquet_keeps_types() -> None:
    text = parquet({"x": [1.0, 2.0], "i": [1, 2], "t": ["a", None]})
    chunk = next(open_table("-", io.BytesIO(text), format="parquet").chunks(["x"], ["i", "t"]))
    again = written("parquet", Made({"i": chunk.kept[0], "t": chunk.kept[1], "f": chunk.columns[0]}))
    found = pyarrow.parquet.read_table(io.BytesIO(again))
    assert found.to_pydict() == {"i": [1, 2], "t": ["a", None], "f": [1.0, 2.0]}
    assert found.schema.types == [pyarrow.int64(), pyarrow.string(), pyarrow.float64()]


def test_numpy_reads_what_is_written(tmp_path: Path) -> None:
    made = Made({"x": np.arange(6.0), "df/dx": np.arange(6) / 7})
    (tmp_path / "a.npy").write_bytes(written("npy", made))
    found = np.load(tmp_path / "a.npy")
    assert found.dtype.names == ("x", "df/dx")
    assert found["df/dx"].tolist() == (np.arange(6) / 7).tolist()
    made.shape = (2, 3)
    (tmp_path / "a.npz").write_bytes(written("npz", made))
    with np.load(tmp_path / "a.npz") as archive:
        assert list(archive) == ["x", "df/dx"]
        assert archive["x"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("form", READABLE)
def test_damaged_inputs_are_tables_or_errors(form: str) -> None:
    draw = random.Random(form)
    whole = written(form, Made({"x": np.arange(4) / 7, "t": np.arange(4.0)}))
    for _ in range(300):
        text = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            at, size = draw.randrange(len(text) + 1), draw.randint(0, 9)
            text[at : at + size] = draw.choice(
                [b"", b'"', b"\n", b"\r", b",", b"]", b"null", b"-0", bytes([draw.randrange(256)])]
            )
        columns, _, told = read(
            bytes(text), ["x"], ["t"], format=form, na=draw.choice(["error", "nan", "skip"]), max_bytes=10**6
        )
        assert len(columns[0]) <= 40
        assert told == "" or told.startswith("stdin")
