"""Parquet: types, text that repeats, long rows, and damage; npz's limits and damage."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Shell

from gradcli.errors import GradError
from gradcli.formats import open_table

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def made(columns: dict[str, Any], name: str = "t.parquet", **given: Any) -> Any:
    table = pa.table(columns)
    parquet.write_table(table, name, **given)
    return table


def never(*_: object) -> None:
    raise AssertionError


TYPES = {
    "d": [Decimal("0.50"), Decimal("12.30"), None],
    "i": [2**53 + 1, 2, 3],
    "b": [True, False, True],
    "c": ["u", "v", None],
    "k": [7, 8, 7],
    "n": [1, None, 3],
    "v": [[1.0, None], [], None],
    "p": [{"x": 1.5, "t": ['"q"']}, None, {"x": float("nan"), "t": []}],
    "m": [[("a", 1)], [], None],
    "big": [Decimal("12345678901234567890.123"), Decimal("-1E-3"), Decimal(0)],
}
KINDS = {
    "d": pa.decimal128(6, 2), "i": pa.int64(), "b": pa.bool_(), "c": pa.dictionary(pa.int32(), pa.string()),
    "k": pa.dictionary(pa.int32(), pa.int64()), "n": pa.int32(), "v": pa.list_(pa.float64()),
    "p": pa.struct({"x": pa.float64(), "t": pa.list_(pa.string())}), "m": pa.map_(pa.string(), pa.int32()),
    "big": pa.decimal128(38, 3),
}  # fmt: skip


@pytest.fixture
def types(empty_folder: Path) -> Any:
    return made({name: pa.array(TYPES[name], kind) for name, kind in KINDS.items()})


def test_every_number_is_a_variable(shell: Shell, types: Any) -> None:
    words = ["eval", "d + b + k + n", "--na", "nan", "-i", "t.parquet", "--csv"]
    assert shell(*words)[1] == "d,b,k,n,f\n0.5,1.0,7.0,1.0,9.5\n12.3,0.0,8.0,nan,nan\nnan,1.0,7.0,3.0,nan\n"
    code, out, err = shell(*words[:2], *words[4:])
    assert (code, out) == (2, "d,b,k,n,f\n0.5,1.0,7.0,1.0,9.5\n")
    assert err.startswith("gradcli: error: t.parquet: row 2: column 'n' is null where a number is expected")
    # A decimal is the nearest double, as its text is.
    assert shell("eval", "big", "-i", "t.parquet", "--csv")[1].splitlines()[1].split(",")[0] == "1.2345678901234567e19"
    for name, kind in (("c", "dictionary<values=string"), ("v", "list<"), ("p", "struct<"), ("m", "map<")):
        code, out, err = shell("eval", name, "-i", "t.parquet")
        assert (code, out) == (2, "") and f"column '{name}' of the parquet file has the type {kind}" in err


def test_decimals_are_the_nearest_doubles(shell: Shell, empty_folder: Path) -> None:
    draw = np.random.default_rng(7)
    texts = [f"{a}.{b:018d}" for a, b in zip(draw.integers(0, 10**9, 500), draw.integers(0, 10**18, 500), strict=True)]
    made({"x": pa.array([Decimal(text) for text in texts], pa.decimal128(38, 18))})
    (column,) = next(open_table("t.parquet", None).chunks(["x"], [])).columns
    assert column.tolist() == [float(text) for text in texts]


def test_kept_types_become_json_where_the_format_has_text(shell: Shell, types: Any) -> None:
    words = ["eval", "g = b", "-i", "t.parquet", "--keep"]
    lines = [json.loads(line, parse_float=str) for line in shell(*words, "--jsonl")[1].splitlines()]
    assert lines[0] == {
        "d": "0.50", "i": 2**53 + 1, "b": True, "c": "u", "k": 7, "n": 1, "v": ["1.0", None],
        "p": {"x": "1.5", "t": ['"q"']}, "m": [["a", 1]], "big": "12345678901234567890.123", "g": "1.0",
    }  # fmt: skip
    assert lines[2]["p"] == {"x": None, "t": []} and lines[2]["v"] is None and lines[1]["v"] == []
    assert json.loads(shell(*words, "--json")[1])["columns"]["p"][0] == {"x": 1.5, "t": ['"q"']}
    assert shell(*words, "--csv")[1].splitlines()[:2] == [
        "d,i,b,c,k,n,v,p,m,big,g",
        '0.50,9007199254740993,true,u,7,1,"[1.0, null]","{""x"": 1.5, ""t"": [""\\""q\\""""]}","[[""a"", 1]]",'
        "12345678901234567890.123,1.0",
    ]


def test_kept_types_stay_in_parquet_and_are_never_text(
    shell: Shell, types: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradcli.formats.parquet_read.Parquet._cells", never)
    assert shell("eval", "g = b + k", "-i", "t.parquet", "--keep", "-o", "o.parquet") == (0, "", "")
    found, given = parquet.read_table("o.parquet"), parquet.read_table("t.parquet")
    assert found.column("g").to_pylist() == [8, 8, 8]
    assert found.drop(["g"]).schema.equals(given.schema) and given.schema.field("c").type == KINDS["c"]
    # As text, since p holds a nan.
    assert str(found.drop(["g"]).to_pydict()) == str(given.to_pydict())


def test_kept_numbers_of_parquet_are_doubles_in_arrays(
    shell: Shell, types: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["eval", "g = b", "-i", "t.parquet", "--keep", "--drop"]
    assert "column 'c' holds text" in shell(*words, "v,p,m", "-o", "o.npy")[2]
    monkeypatch.setattr("gradcli.formats.parquet_read.Parquet._cells", never)
    assert shell(*words, "c,v,p,m", "-o", "o.npy") == (0, "", "")
    found = np.load("o.npy")
    assert {name: found[name].tolist() for name in ("b", "k", "i", "big")} == {
        "b": [1, 0, 1], "k": [7, 8, 7], "i": [2.0**53, 2, 3], "big": [12345678901234567890.123, -0.001, 0],
    }  # fmt: skip
    np.testing.assert_array_equal(found["d"], [0.5, 12.3, np.nan])
    np.testing.assert_array_equal(found["n"], [1, np.nan, 3])


def test_fields_of_structs_are_variables(shell: Shell, empty_folder: Path) -> None:
    rows = [{"x": 1, "q": {"y": 2.5, "t": "a"}}, {"x": 3, "q": None}, None]
    kind = pa.struct({"x": pa.int64(), "q": pa.struct({"y": pa.float64(), "t": pa.string()})})
    made({"p": pa.array(rows, kind), "p.z": [7.0, 8.0, 9.0]}, "s.parquet")
    words = ["-i", "s.parquet", "--na", "nan", "--csv"]
    assert shell("diff", "`p.x`*`p.z`", "--wrt", "`p.x`", *words)[1] == (
        "p.x,p.z,f,df_dp.x\n1.0,7.0,7.0,7.0\n3.0,8.0,24.0,8.0\nnan,9.0,nan,9.0\n"
    )
    assert shell("eval", "`p.q.y`", *words, "--select", "f")[1] == "f\n2.5\nnan\nnan\n"
    assert shell("eval", "2*`p.x`", *words, "--keep")[1].splitlines()[:2] == [
        "p,p.z,p.x,f", '"{""x"": 1, ""q"": {""y"": 2.5, ""t"": ""a""}}",7.0,1.0,2.0',
    ]  # fmt: skip
    code, _, err = shell("eval", "p", *words)
    assert code == 2 and "not a number\n  its parts are `p.x`, `p.q`, `p.q.y`, `p.q.t`\n" in err
    assert "column 'p.q.t' of the parquet file has the type string" in shell("eval", "`p.q.t`", *words)[2]
    assert "row 3: column 'p.x' is null" in shell("eval", "`p.x`", "-i", "s.parquet", "--csv")[2]
    assert "there is no column 'p.w'" in shell("eval", "`p.w`", *words)[2]


def test_columns_without_a_name_are_carried(shell: Shell, empty_folder: Path) -> None:
    arrays = [pa.array(["a"]), pa.array([1.0]), pa.array([{"y": 2}])]
    parquet.write_table(pa.Table.from_arrays(arrays, names=["", "x", ""]), "u.parquet")
    assert shell("eval", "x", "-i", "u.parquet", "--csv")[1] == "x,f\n1.0,1.0\n"
    assert shell("eval", "x", "-i", "u.parquet", "--keep", "--jsonl")[1] == (
        '{"column_1": "a", "x": 1.0, "column_3": {"y": 2}, "f": 1.0}\n'
    )


def test_times_with_nanoseconds_are_carried(shell: Shell, empty_folder: Path) -> None:
    made({"t": pa.array([1], pa.time64("ns")), "s": pa.array([1], pa.timestamp("ns")), "x": [1.0]})
    assert shell("eval", "x", "-i", "t.parquet", "--keep", "--csv")[1] == (
        "t,s,x,f\n00:00:00.000000001,1970-01-01 00:00:00.000000001,1.0,1.0\n"
    )


def test_lists_are_values_in_json_lines(shell: Shell, empty_folder: Path) -> None:
    made({"v": pa.array([[1.0, 2.0], [3.0]]), "x": [1.0, 2.0]}, "l.parquet")
    assert shell("eval", "x", "--input", "l.parquet", "--keep", "--jsonl")[1] == (
        '{"v": [1.0, 2.0], "x": 1.0, "f": 1.0}\n{"v": [3.0], "x": 2.0, "f": 2.0}\n'
    )
    made({"p": pa.array([{"x": 1.0, "y": 2.0}]), "z": [1.0]}, "s.parquet")
    assert shell("eval", "z", "--input", "s.parquet", "--keep", "--csv")[1] == (
        'p,z,f\n"{""x"": 1.0, ""y"": 2.0}",1.0,1.0\n'
    )


def repeated(texts: Any, rows: int, name: str = "text.parquet") -> None:
    """Write a column of texts, each many times, that takes no more than one of them in the file."""
    column = pa.DictionaryArray.from_arrays(pa.array(np.arange(rows) % len(texts), pa.int32()), texts)
    made({"x": np.arange(rows) * 1.0, "t": column}, name, store_schema=False)


@pytest.mark.parametrize("nested", [False, True])
def test_text_that_repeats_is_read_in_batches_of_bounded_size(empty_folder: Path, nested: bool) -> None:
    texts = pa.array(["a" * 100_000, "b" * 100_000])
    repeated(pa.array([["c"], [texts[0].as_py()]]) if nested else texts, 30_000) if not nested else made(
        {"x": np.arange(3000.0), "t": pa.array([[texts[0].as_py()] * 2] * 3000)}, "text.parquet", store_schema=False
    )
    assert Path("text.parquet").stat().st_size < 1 << 20
    rows, chunks = 0, open_table("text.parquet", None).chunks(["x"], ["t"])
    for chunk in chunks:
        assert chunk.kept[0].array.nbytes < 1 << 27
        assert chunk.start == rows
        rows += len(chunk.columns[0])
    assert rows == (3000 if nested else 30_000)


@pytest.mark.parametrize("typed", [False, True])
def test_text_that_repeats_is_counted_where_all_rows_are_held(
    shell: Shell, empty_folder: Path, monkeypatch: pytest.MonkeyPatch, typed: bool
) -> None:
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(3000), pa.int32()), pa.array(["a" * 100_000]))
    made({"x": np.arange(3000.0), "t": column}, store_schema=typed)
    monkeypatch.setattr("gradcli.limits.memory.limit", lambda: 100_000_000)
    for words in (["x", "--json"], ["x - mean(x)", "--csv"]):
        code, out, err = shell("eval", *words, "-i", "t.parquet", "--keep")
        assert (code, out) == (2, "") and "rows" in err and "of memory, and the limit is 0.1 GB here" in err
        assert shell("eval", *words, "-i", "t.parquet")[0] == 0


def test_row_groups_of_long_rows_are_short_whatever_the_blocks(shell: Shell, empty_folder: Path) -> None:
    repeated(pa.array(["a" * 100_000, "b" * 50_000]), 3000)
    assert shell("eval", "x", "-i", "text.parquet", "--keep", "-o", "o.parquet") == (0, "", "")
    first = Path("o.parquet").read_bytes()
    metadata = parquet.read_metadata("o.parquet")
    assert [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)] == [894, 894, 894, 318]
    assert parquet.read_table("o.parquet", columns=["t"]).equals(parquet.read_table("text.parquet", columns=["t"]))
    made({"x": [7.0], "t": pa.array(["c"])}, "one.parquet")
    words = ["eval", "x", "--keep", "-o", "o.parquet", "-i", "o.parquet", "--drop", "f"]
    assert shell(*words) == (0, "", "")
    assert shell(*words, "--threads", "2") == (0, "", "")
    assert Path("o.parquet").read_bytes() == first


def test_max_bytes_counts_all_of_a_file_as_unpacked(shell: Shell, empty_folder: Path) -> None:
    repeated(pa.array(["a" * 100_000]), 1000)
    np.savez_compressed("a.npz", x=np.zeros(1000), y=np.zeros(1000), z=np.zeros(1000))
    zeros = pa.array(np.zeros(100_000))
    made({"x": zeros, "y": zeros}, "zeros.parquet", use_dictionary=False, compression="gzip")
    assert Path("zeros.parquet").stat().st_size < 100_000
    for name, words, limit in (
        ("text.parquet", ["--keep"], 20_000_000), ("a.npz", [], 20_000), ("a.npz", ["--keep"], 20_000),
        ("zeros.parquet", [], 1_000_000),
    ):  # fmt: skip
        code, _, err = shell("eval", "x", "-i", name, *words, "--csv", "--max-bytes", str(limit))
        assert code == 2 and f"{name}: too large" in err and "raise it by --max-bytes" in err
        assert shell("eval", "sum(x)", "-i", name, "--max-bytes", str(limit * 20))[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no /dev/zero")
@pytest.mark.parametrize("form", ["npz", "parquet", "json"])
def test_a_device_is_no_file_to_seek_in(shell: Shell, form: str) -> None:
    code, out, err = shell("eval", "x", "-i", "/dev/zero", "--input-format", form, "--max-bytes", "1e7")
    assert (code, out) == (2, "") and "/dev/zero: too large: " in err and "10,000,000 bytes" in err


def flipped(path: str, values: Any) -> None:
    """Flip a bit in the place of some values in a file."""
    data = bytearray(Path(path).read_bytes())
    at = bytes(data).index(np.asarray(values).tobytes())
    data[at + 2] ^= 1
    Path(path).write_bytes(data)


def test_a_flipped_bit_is_found_and_the_column_named(shell: Shell, empty_folder: Path) -> None:
    draw = np.random.default_rng(3)
    columns = {"x": draw.normal(size=3000), "y": draw.normal(size=3000), "t": ["a", "b", "c"] * 1000}
    made(columns, "in.parquet", compression="none", use_dictionary=False, write_page_checksum=True)
    np.savez("in.npz", x=columns["x"], y=columns["y"])
    # What gradcli writes has checksums, too.
    assert shell("eval", "x", "-i", "in.parquet", "--keep", "-o", "own.parquet") == (0, "", "")
    for name in ("in.parquet", "in.npz"):
        flipped(name, columns["y"][:40])
        for words in (["y"], ["x + y"], ["x", "--keep"]):
            code, out, err = shell("eval", *words, "-i", name, "--csv")
            assert (code, out) == (2, "") and f"{name}: column 'y' " in err and "damaged" in err
        assert shell("eval", "x", "-i", name, "--csv")[0] == 0
    data = bytearray(Path("own.parquet").read_bytes())
    offset = parquet.read_metadata("own.parquet").row_group(0).column(2).data_page_offset
    data[offset + 100] ^= 1
    Path("own.parquet").write_bytes(data)
    code, out, err = shell("eval", "x", "-i", "own.parquet", "--keep", "--drop", "f", "--csv")
    assert (code, out) == (2, "") and "own.parquet: column 't' of the parquet file is damaged" in err
    assert shell("eval", "x + y", "-i", "own.parquet", "--csv")[0] == 0


def test_a_zip_that_promises_less_than_it_holds_is_damaged(empty_folder: Path) -> None:
    np.savez_compressed("a.npz", x=np.zeros(1000))
    with zipfile.ZipFile("a.npz") as archive:
        directory = archive.start_dir
    data = bytearray(Path("a.npz").read_bytes())
    data[directory + 24 : directory + 28] = (128 + 80).to_bytes(4, "little")
    with pytest.raises(GradError, match=r"damaged|truncated"):
        list(open_table("-", io.BytesIO(bytes(data)), format="npz").chunks(["x"], []))
