"""`frame` and `Function.table`: the rows of data frames of pandas, polars, pyarrow and others."""

from __future__ import annotations

import csv
import doctest
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from command import environment

import gradcli
from gradcli.callables.function import Function

pytestmark = pytest.mark.quick

KINDS: dict[str, Callable[[Any], Any]] = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}


class Streamed:
    """An object of no known library that streams Arrow's columns."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


def names(df: Any) -> list[Any]:
    return df.column_names if isinstance(df, pa.Table) else list(df.columns)


def values(df: Any, name: str) -> list[float]:
    found: list[float] = df[name].to_pylist() if isinstance(df, pa.Table) else df[name].to_list()
    return found


def told(call: Callable[[], Any]) -> str:
    with pytest.raises(gradcli.GradError) as error:
        call()
    assert isinstance(error.value, (TypeError, ValueError))
    return str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_kind_comes_out_with_the_results_behind_all_columns(kind: str) -> None:
    data = {"s": ["a", "b", "c"], "y": [2, 3, 4], "x": [1.5, 2.5, float("inf")], "unused": [1, 2, 3]}
    df = KINDS[kind](data)
    found = gradcli.frame(df, "x**2*y", wrt="x")
    assert type(found) is type(df)
    assert names(found) == [*data, "f", "df_dx"]
    assert values(found, "f") == [4.5, 18.75, float("inf")]
    assert values(found, "df_dx") == [6.0, 15.0, float("inf")]
    alone = gradcli.frame(df, "x**2*y", 2, "x", keep=False)
    assert type(alone) is type(df)
    assert names(alone) == ["f", "df_dx", "d2f_dx2"]
    assert values(alone, "d2f_dx2") == [4.0, 6.0, 8.0]
    assert names(df) == [*data]
    for name, column in data.items():
        assert values(found, name) == values(df, name) == column


def test_columns_are_those_that_the_shell_writes(tmp_path: Any) -> None:
    (tmp_path / "runs.csv").write_text("run,t,note\n1,0.1,a\n2,0.7,b\n")
    words = [sys.executable, "-P", "-m", "gradcli", "diff", "u = t*run; v = sin(t)", "--order", "2"]
    words += ["--wrt", "t", "--input", "runs.csv", "--keep", "--csv"]
    done = subprocess.run(words, env=environment(), cwd=tmp_path, capture_output=True, text=True, check=True)
    header, *rows = csv.reader(done.stdout.splitlines())
    runs = pd.DataFrame({"run": [1, 2], "t": [0.1, 0.7], "note": ["a", "b"]})
    df = gradcli.frame(runs, "u = t*run; v = sin(t)", 2, "t")
    assert list(df.columns) == header
    for name, cells in zip(header, zip(*rows, strict=True), strict=True):
        assert df[name].tolist() == list(cells if name == "note" else map(float, cells))


# Columns and indices that are carried through.


INDICES = {
    "labels twice": pd.Index(["p", "p", "q"], name="k"),
    "levels": pd.MultiIndex.from_tuples([("p", 1), ("p", 1), ("q", 2)], names=["k", "x2"]),
    "dates": pd.to_datetime(["2024-01-02", "2024-01-01", "2024-01-01"]),
    "steps": pd.RangeIndex(10, 16, 2),
    "nan": pd.Index([float("nan"), float("nan"), 1.0]),
}


@pytest.mark.parametrize("label", INDICES)
@pytest.mark.parametrize("keep", [True, False])
def test_the_index_is_kept(label: str, keep: bool) -> None:
    df = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=INDICES[label])
    found = gradcli.frame(df, "x**2", keep=keep)
    assert found.index.equals(df.index) and type(found.index) is type(df.index)
    assert found.index.names == df.index.names
    assert found["df_dx"].tolist() == [2.0, 4.0, 6.0]


class Sub(pd.DataFrame):
    """A subclass, such as that of GeoPandas."""

    @property
    def _constructor(self) -> type[Sub]:
        return Sub


def test_other_columns_of_pandas_are_what_they_were() -> None:
    thing = object()
    df = Sub(
        {
            "x": [1.0, 2.0],
            "c": pd.Categorical(["u", "v"], ["v", "u"], ordered=True),
            "d": pd.to_datetime(["2024-01-01", "2024-01-02"]).tz_localize("Europe/Berlin"),
            "i": np.array([1, 2], np.int8),
            "n": pd.array([1, None], "Int64"),
            "o": [thing, [1]],
            "s": pd.array(["a", None], "string"),
            ("tuple", 1): [1j, 2j],
            7: [True, False],
        }
    )
    df.attrs["unit"], df.columns.name = "m", "names"
    found = gradcli.frame(df, "x**2")
    assert type(found) is Sub
    assert found.attrs == {"unit": "m"} and found.columns.name == "names"
    assert list(found.columns) == [*df.columns, "f", "df_dx"]
    pd.testing.assert_frame_equal(found[list(df.columns)], df)
    assert found["o"][0] is thing and found["o"][1] is df["o"][1]
    # Neither frame is changed through the other.
    found.loc[0, "x"] = 9.0
    assert df["x"].tolist() == [1.0, 2.0]


def test_other_columns_of_polars_and_pyarrow_are_what_they_were() -> None:
    df = pl.DataFrame({"x": [1.0, 2.0], "c": ["u", "v"], "l": [[1], []]}, schema_overrides={"c": pl.Categorical})
    found = gradcli.frame(df, "x**2")
    assert found.schema == {**df.schema, "f": pl.Float64, "df_dx": pl.Float64}
    assert found.select(df.columns).equals(df)
    table = df.to_arrow().replace_schema_metadata({"origin": "here"})
    added = gradcli.frame(table, "x**2")
    assert added.select(table.column_names).equals(table)
    assert added.schema.metadata == {b"origin": b"here"}
    assert [str(kind) for kind in added.schema.types[3:]] == ["double", "double"]


def test_names_twice_are_kept_and_not_read() -> None:
    table = pa.table([pa.array([1.0]), pa.array([2.0]), pa.array([3.0])], names=["a", "b", "a"])
    for df in (table, pd.DataFrame([[1.0, 2.0, 3.0]], columns=["a", "b", "a"]), Streamed(table)):
        assert names(gradcli.frame(df, "b**2")) == ["a", "b", "a", "f", "df_db"]
        message = told(lambda df=df: gradcli.frame(df, "a*b"))
        assert message == "the frame has 2 columns 'a'\n  rename all but one"


def test_levels_of_columns_are_kept() -> None:
    columns = pd.MultiIndex.from_tuples([("a", "b"), ("c", "d")], names=["p", "q"])
    found = gradcli.frame(pd.DataFrame([[1, 2]], columns=columns), "2 + 3")
    assert list(found.columns) == [("a", "b"), ("c", "d"), ("f", "")]
    assert list(found.columns.names) == ["p", "q"]


def test_many_results_are_no_fragments() -> None:
    df = pd.DataFrame({name: [1.0, 2.0] for name in "abcdxyzw"})
    found = gradcli.frame(df, "q = " + "*".join("abcdxyzw"), 3)
    assert found.shape == (2, 8 + 165)


# Hard points, blocks and threads are those of functions.


def test_hard_points_are_settled_as_elsewhere() -> None:
    df = pl.DataFrame({"x": [-1.0, 0.0, 1.0]})
    assert gradcli.frame(df, "abs(x)")["df_dx"].to_list() == [-1, 0, 1]
    assert np.isnan(gradcli.frame(df, "abs(x)", kink="nan")["df_dx"][1])
    assert gradcli.frame(df, "abs(x)", kink="right")["df_dx"].to_list() == [-1, 1, 1]
    assert gradcli.frame(df, "(1 - cos(1e-8*x))/(1e-8*x)**2", 0, exact=True)["f"][2] == 0.5
    with pytest.raises(gradcli.GradError, match=r"at x=0\.0: f has a kink"):
        gradcli.frame(df, "abs(x)", kink="error")


@pytest.mark.parametrize("kind", KINDS)
def test_several_blocks_of_rows(kind: str) -> None:
    x = np.arange(40_000.0)
    df = KINDS[kind]({"x": x})
    if kind == "pyarrow":
        df = pa.concat_tables([df.slice(0, 17), df.slice(17, 30_000), df.slice(30_017)])
    found = gradcli.frame(df, "abs(x - 30000) + k*x", wrt="x", at={"k": 2}, kink="nan")
    expected = np.where(x < 30000, 1.0, 3.0)
    expected[30000] = np.nan
    assert np.array_equal(np.asarray(found["df_dx"]), expected, equal_nan=True)


def test_a_table_from_several_threads() -> None:
    f = gradcli.function("a*exp(-b*t)", wrt="a,b")
    frames = [pl.DataFrame({"t": np.arange(50.0) + k, "b": np.full(50, 0.25)}) for k in range(4)]
    expected = [f.table(df, at={"a": 3}) for df in frames]
    with ThreadPoolExecutor(4) as pool:
        rounds = [list(pool.map(lambda df: f.table(df, at={"a": 3}), frames)) for _ in range(20)]
    assert all(a.equals(b) for found in rounds for a, b in zip(found, expected, strict=True))


# Doctests and imports.


@pytest.mark.parametrize("door", [gradcli.frame, Function.table])
def test_examples(door: Any) -> None:
    said: list[str] = []
    (test,) = doctest.DocTestFinder().find(door, door.__name__, module=False, globs={})
    assert not doctest.DocTestRunner(verbose=False).run(test, out=said.append).failed, said


def test_the_door_loads_no_library_of_frames() -> None:
    code = "import sys, gradcli; gradcli.frame; print({'narwhals', 'pandas', 'numpy'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
