"""Formats: one spelling of numbers, read back bit for bit; the same bytes whatever the blocks."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcli.caret import printable
from gradcli.errors import GradError
from gradcli.formats import FORMATS, Style, by_suffix, json_write, markdown, spell, table
from gradcli.formats.print_numbers import number_rows

pytestmark = pytest.mark.quick


class Made:
    """Columns that are there already."""

    def __init__(
        self,
        columns: dict[str, list[float]],
        shape: tuple[int, ...] | None = None,
        *,
        matrix: bool = False,
        arrays: bool = False,
        block: int = 3,
    ) -> None:
        self.names = tuple(columns)
        size = len(next(iter(columns.values())))
        self.shape = (size,) if shape is None else shape
        self.expressions, self.variables, self.order, self.matrix = {"f": "x**2"}, ["x"], 1, matrix
        self.members: dict[str, object] = {}
        self.read_as: str | None = None
        self.nonfinite = {n: k for n, c in columns.items() if (k := sum(not math.isfinite(v) for v in c))}
        self.columns: list[Any] = [np.array(c) if arrays else c for c in columns.values()]
        self.block = block
        self.shapes: dict[str, tuple[int, ...]] | None = None
        self.empty: tuple[str, ...] = ()

    @property
    def blocks(self) -> Iterator[list[Any]]:
        for lo in range(0, len(self.columns[0]), self.block):
            yield [c[lo : lo + self.block] for c in self.columns]

    def whole(self) -> list[Any]:
        return self.columns


class Told:
    def __init__(self) -> None:
        self.lines = [("t1", "exp(-`a|b`)"), ("y", "x*t1"), ("dy_dx", "t1 if x < 1 else 0, 2")]
        self.names = ("y", "dy_dx")
        self.derivatives: tuple[str, ...] = ("dy_dx",)
        self.unused: tuple[str, ...] = ()
        self.remarks: tuple[str, ...] = ()
        self.read_as: str | None = None
        self.expressions = {"y": "x*exp(-`a|b`)"}
        self.variables = ["x", "a|b"]
        self.order = 1


def packed(name: str, made: Made, style: Style | None = None) -> bytes:
    pieces: list[bytes] = []
    FORMATS[name].write(made, pieces.append, style or Style())
    return b"".join(pieces)


def written(name: str, made: Made, style: Style | None = None) -> str:
    return packed(name, made, style).decode()


def told(name: str, style: Style | None = None) -> str:
    pieces: list[bytes] = []
    FORMATS[name].tell(Told(), pieces.append, style or Style())
    return b"".join(pieces).decode()


def from_bits(pattern: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", pattern))[0]
    return value


def to_bits(value: float) -> bytes:
    return b"nan" if value != value else struct.pack("<d", value)


def python_spelling(value: float) -> str:
    """The canonical spelling from Python's own shortest digits."""
    if not math.isfinite(value):
        return "nan" if value != value else "inf" if value > 0 else "-inf"
    sign = "-" if math.copysign(1, value) < 0 else ""
    mantissa, _, power = repr(abs(value)).partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + part).lstrip("0")
    if not digits:
        return sign + "0.0"
    point = len(whole) + int(power or 0) if whole != "0" else int(power or 0) - (len(part) - len(part.lstrip("0")))
    digits = digits.rstrip("0")
    if -5 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if 0 < point <= 16:
        return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    return f"{sign}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{point - 1}"


numbers = st.integers(0, 2**64 - 1).map(from_bits) | st.floats() | st.integers(-(10**18), 10**18).map(float)


@given(numbers)
def test_one_spelling(value: float) -> None:
    assert spell(value) == python_spelling(value)
    assert to_bits(float(spell(value))) == to_bits(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"), (-0.0, "-0.0"), (0.1, "0.1"), (1e-5, "0.00001"), (1e-7, "1e-7"), (1.5e-7, "1.5e-7"),
        (1e15, "1000000000000000.0"), (1e16, "1e16"), (1.25e22, "1.25e22"), (5e-324, "5e-324"),
        (math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf"),
    ],
)  # fmt: skip
def test_spelling_by_example(value: float, text: str) -> None:
    assert spell(value) == text


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), st.integers(1, 20))
def test_every_format_has_the_same_bytes_from_lists_and_arrays_in_any_blocks(
    rows: list[tuple[float, float]], block: int
) -> None:
    columns = {"x": [r[0] for r in rows], "f": [r[1] for r in rows]}
    for name in FORMATS:
        once = packed(name, Made(columns, block=len(rows)))
        assert packed(name, Made(columns, block=block)) == once
        assert packed(name, Made(columns, block=block, arrays=True)) == once


@pytest.mark.parametrize("width", range(1, 10))
def test_rows_of_arrays_end_where_rows_of_lists_do(width: int) -> None:
    """Numbers of all lengths, the shortest too, so that a row ends at every place within a word of bytes."""
    values = [0.0, math.nan, 2.0, math.inf, -0.5, -math.inf, 10.25, 1e16, 123.125, -5e-324, -1.7976931348623157e308]
    columns = [[values[(r * r + k * r + k) % len(values)] for r in range(300)] for k in range(width)]
    for length in (1, 2, 3, 4, 300):
        lists = [column[:length] for column in columns]
        assert number_rows([np.array(column) for column in lists]) == number_rows(lists)
        assert number_rows([np.array(column) for column in lists], words=False) == number_rows(lists, words=False)


@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=9))
def test_csv_and_tsv_read_back_bit_for_bit(rows: list[tuple[float, ...]]) -> None:
    names = ["x", 'a,"b"\tc', "line\nbreak"]
    made = Made({n: [r[k] for r in rows] for k, n in enumerate(names)})
    for name, separator in (("csv", ","), ("tsv", "\t")):
        header, *found = csv.reader(io.StringIO(written(name, made)), delimiter=separator, strict=True)
        assert header == names
        assert [[to_bits(float(v)) for v in row] for row in found] == [[to_bits(v) for v in row] for row in rows]


@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize("shape", [(24,), (2, 3, 4), (24, 1), (1, 24)])
@pytest.mark.parametrize("chunk", [1, 5, 65536])
def test_json(shape: tuple[int, ...], arrays: bool, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_write, "_CHUNK", chunk)
    values = [k / 3 * 10.0**k for k in range(24)]
    values[5], values[7] = math.nan, -math.inf
    text = written("json", Made({"x": [0.5] * 24, "f": values}, shape, arrays=arrays))
    found = json.loads(text)
    assert list(found) == ["schema", "expressions", "variables", "order", "shape", "columns", "nonfinite"]
    assert found["schema"] == "gradcli/1"
    assert found["shape"] == list(shape)
    assert found["nonfinite"] == {"f": 2}
    wanted = np.array([v if math.isfinite(v) else None for v in values], dtype=object).reshape(shape).tolist()
    assert found["columns"] == {"x": np.full(shape, 0.5).tolist(), "f": wanted}


def test_json_of_a_point() -> None:
    found = json.loads(written("json", Made({"x": [3.0], "f": [9.0]}, ())))
    assert found["shape"] == []
    assert found["columns"] == {"x": 3.0, "f": 9.0}
    assert "nonfinite" not in found


def test_jsonl() -> None:
    text = written("jsonl", Made({"x": [1.0, 2.0], "100%": [math.inf, -0.0]}))
    assert text == '{"x": 1.0, "100%": null}\n{"x": 2.0, "100%": -0.0}\n'


def test_markdown() -> None:
    text = written("markdown", Made({"a|b": [1.0, 2.0], "f": [math.inf, 1e-7]}))
    assert text == "| a\\|b | f |\n| ---: | ---: |\n| 1.0 | inf |\n| 2.0 | 1e-7 |\n"


SIGN = re.compile(r"\\[!-/:-@\[-`{-~]|[^|]")
"""A character of a cell, or one escaped."""


def cells(row: bytes) -> list[list[str]]:
    """The cells of a row as GitHub splits it, in signs."""
    parts = re.findall(rf"(?:{SIGN.pattern})+", row.decode().removesuffix("\n")[1:-1])
    assert all(part[0] == part[-1] == " " for part in parts)
    return [SIGN.findall(part[1:-1]) for part in parts]


NASTY = [
    "a\\|b", "|", "\\", "||", "\\\\|", "<img src=x onerror=alert(1)>", "[c](javascript:x)", "![x](y)", "&lt;", "`<b>`",
    "``|``", "https://x.y<b>", "WWW.x.y<b>", "a\nb", "\x1b[1m\u202e", "\\|<&[`", "a`|\\|<i>",
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_markdown_shows_text_as_it_is(text: str) -> None:
    shown, end = cells(markdown._markdown_row([markdown.cell(text), "end"]))
    assert (not {*"<[&`"} & {*shown}, "".join(end)) == (True, "end")
    assert "".join([sign[-1] for sign in shown]) == printable(text)
    assert not re.search(r"(?<!\\):/|www\.", "".join(shown), re.IGNORECASE)


@pytest.mark.parametrize("text", NASTY)
def test_markdown_shows_expressions_as_they_are(text: str) -> None:
    shown, end = cells(markdown._markdown_row([markdown._code(text), "end"]))
    assert "".join(end) == "end"
    mark = re.match("`*", "".join(shown))
    assert mark is not None
    if mark[0]:
        inside = "".join(shown).removeprefix(mark[0]).removesuffix(mark[0])
        assert mark[0] not in re.findall("`+", inside)
        assert inside.replace("\\|", "|").strip() == printable(text)
    else:
        assert all(sign[0] == "\\" or sign.isalnum() for sign in shown)
        assert "".join([sign[-1] for sign in shown]) == printable(text)


def test_a_table_of_rows() -> None:
    made = Made({"x": [1.0, -22.5], "long name": [0.1, math.nan]})
    assert written("table", made) == "    x  long name\n  1.0        0.1\n-22.5        nan\n"
    assert written("table", made, Style(color=True)).startswith("\x1b[1m    x  long name\x1b[0m\n")
    assert written("table", Made({"a\x1b[2Jb": [1.0]})) == "a\\x1b[2Jb\n" + "1.0".rjust(9) + "\n"


def test_a_table_too_wide_is_a_record_a_block_with_every_digit() -> None:
    made = Made({"x": [1 / 3, 2 / 3], "100%": [1.0, 2.0]})
    assert written("table", made, Style(width=24)) == written("table", made)
    assert written("table", made, Style(width=23)) == (f"x     {1 / 3}\n100%  1.0\n\nx     {2 / 3}\n100%  2.0\n")


def test_digits_round_and_keep_the_spelling() -> None:
    columns = {"x": [1 / 3, 2e10 / 3, 123456.0, math.inf, 1e-9 / 7, -1068.9e7, 123.4, 12.0, 9.996e5, 1e300]}
    short = ["0.333", "6.67e9", "1.23e5", "inf", "1.43e-10", "-1.07e10", "123", "12.0", "1e6", "1e300"]
    assert written("table", Made(columns), Style(digits=3)).split() == ["x", *short]
    for name in ("csv", "tsv"):
        assert written(name, Made(columns), Style(digits=3)).split() == ["x", *short]
    assert written("markdown", Made(columns), Style(digits=3)).splitlines()[2:] == [f"| {cell} |" for cell in short]
    two = {"x": [1.23456, 10690000000.0], "f": [math.nan, 2.0]}
    assert written("tsv", Made(two), Style(digits=4)) == "x\tf\n1.235\tnan\n1.069e10\t2.0\n"


def test_numbers_of_a_column_align_at_the_decimal_point() -> None:
    made = Made({"x": [1.0, -22.5, 1e-9], "a name": [0.125, math.nan, 1e17]})
    assert written("table", made) == "     x  a name\n  1.0    0.125\n-22.5      nan\n  1e-9   1e17\n"
    matrix = Made({"x": [0.5, 10.25, math.inf, -3.0]}, (2, 2), matrix=True)
    assert written("table", matrix) == "x\n0.5  10.25\ninf  -3.0\n"


def test_a_screen_takes_as_many_lines_as_it_has() -> None:
    made = Made({"x": [float(k) for k in range(1500)]}, block=7)
    lines = written("table", made, Style(height=12)).splitlines()
    assert lines == ["     x", *[f"   {k}.0" for k in range(9)], "1,500 rows, 9 shown; --all"]
    few = Made({"x": [1.0, 2.0]}, block=1)
    assert written("table", few, Style(height=5)) == written("table", few)
    records = Made({"x": [1.0, 2.0, 3.0], "f": [1.0, 2.0, 3.0]})
    assert written("table", records, Style(width=4, height=9)) == (
        "x  1.0\nf  1.0\n\nx  2.0\nf  2.0\n3 rows, 2 shown; --all\n"
    )
    matrix = Made({"x": [float(k) for k in range(40)]}, (20, 2), matrix=True)
    assert written("table", matrix, Style(height=6)).splitlines()[-2:] == [" 4.0   5.0", "21 lines, 4 shown; --all"]


@pytest.mark.parametrize("block", [1, 2, 7, 100])
def test_widths_settle_after_a_fixed_number_of_rows(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_LOOK", 6)
    columns = {"x": [float(k) for k in range(8)], "f": [1.0] * 5 + [1000.0] * 3}
    lines = written("table", Made(columns, block=block)).splitlines()
    assert lines == ["  x    f", *[f"{k}.0  1.0" for k in range(5)], *[f"{k}.0  1000.0" for k in range(5, 8)]]


@pytest.mark.parametrize("chunk", [1, 4, 65536])
def test_matrices(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_CHUNK", chunk)
    columns = {"x": [float(k) for k in range(6)], "f": [10.0**k for k in range(6)]}
    assert written("table", Made(columns, (2, 3), matrix=True)) == (
        "x\n0.0  1.0  2.0\n3.0  4.0  5.0\n\nf\n   1.0     10.0     100.0\n1000.0  10000.0  100000.0\n"
    )
    assert written("table", Made({"f": columns["f"]}, (3, 2), matrix=True)) == (
        "f\n    1.0      10.0\n  100.0    1000.0\n10000.0  100000.0\n"
    )
    assert written("table", Made({"x": columns["x"]}, (6,), matrix=True)) == "x\n0.0  1.0  2.0  3.0  4.0  5.0\n"
    assert written("table", Made({"x": columns["x"]}, (2, 3, 1), matrix=True)) == (
        "x[0]\n0.0\n1.0\n2.0\n\nx[1]\n3.0\n4.0\n5.0\n"
    )
    assert written("table", Made({"x": columns["x"]}, (2, 3), matrix=True), Style(width=8)) == (
        "x, columns 0 to 1 of 3\n0.0  1.0\n3.0  4.0\n\nx, columns 2 to 2 of 3\n2.0\n5.0\n"
    )


def test_formulas() -> None:
    assert told("table") == "t1 = exp(-`a|b`)\ny = x*t1\ndy_dx = t1 if x < 1 else 0, 2\n"
    assert told("csv").splitlines()[::3] == ["name,expression", 'dy_dx,"t1 if x < 1 else 0, 2"']
    assert told("tsv").splitlines()[1] == "t1\texp(-`a|b`)"
    assert [json.loads(line) for line in told("jsonl").splitlines()] == [
        {"name": name, "expression": text} for name, text in Told().lines
    ]
    assert told("markdown").splitlines()[2:4] == ["| t1 | `` exp(-`a\\|b`) `` |", "| y | `x*t1` |"]
    assert json.loads(told("json")) == {
        "schema": "gradcli/1",
        "expressions": Told().expressions,
        "variables": Told().variables,
        "order": 1,
        "shared": {"t1": "exp(-`a|b`)"},
        "derivatives": {"dy_dx": "t1 if x < 1 else 0, 2"},
    }


def test_suffixes_are_told_apart() -> None:
    assert [by_suffix(n).name for n in ("a.csv", "A.JSON", "a.b.jsonl", "x.md", "x.tab")] == [
        "csv", "json", "jsonl", "markdown", "tsv",
    ]  # fmt: skip
    assert [by_suffix(n).name for n in ("a.csv.gz", "A.NPY.ZST", "a.npz", "a.pq")] == ["csv", "npy", "npz", "parquet"]
    suffixes = [s for row in FORMATS.values() for s in row.suffixes]
    assert len(suffixes) == len(set(suffixes))
    for name in ("npy", "npz", "parquet"):
        with pytest.raises(GradError, match="numbers alone"):
            told(name)
    with pytest.raises(GradError, match=r"no format goes with the name 'a\.xyz'"):
        by_suffix("a.xyz")
