"""What `frame` refuses: frames, columns and names, each by one error that says what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gradcli
from gradcli.errors import BadType, BadValue

pytestmark = pytest.mark.quick


def told(call: Callable[[], Any]) -> str:
    with pytest.raises((BadType, BadValue)) as error:
        call()
    return str(error.value)


COLUMNS: list[tuple[Any, str]] = [
    (pd.Series(["a", "b"], dtype=object), "column 'x' holds a str in row 1, and real numbers are needed"),
    (pd.Series([1, "b"], dtype=object), "column 'x' holds a str in row 2, and real numbers are needed"),
    (pd.Series([1, object()], dtype=object), "column 'x' holds an object in row 2, and real numbers are needed"),
    (pd.Series([1, 10**400], dtype=object), "column 'x' has no value among the doubles in row 2"),
    (pd.Series([1, Decimal("sNaN")], dtype=object), "column 'x' has no value among the doubles in row 2"),
    (pd.Series(["a"], dtype="category"), "column 'x' is of type category, and real numbers are needed"),
    (pd.Series(["a"], dtype="string[pyarrow]"), "column 'x' is of type string, and real numbers are needed"),
    (pd.Series([1j]), "column 'x' is of type complex128, and real numbers are needed\n  for complex numbers: "),
    (pd.to_datetime(pd.Series(["2024-01-01"])), "column 'x' is of type datetime64["),
    (pd.Series([np.timedelta64(1, "ns")]), "column 'x' is of type timedelta64["),
    (pd.Series(pd.arrays.SparseArray([0.0])), "column 'x' is of type Sparse[float64"),
    (pl.Series(["a"]), "column 'x' is of type String, and real numbers are needed"),
    (pl.Series(["a"], dtype=pl.Categorical), "column 'x' is of type Categorical"),
    (pl.Series([object()], dtype=pl.Object), "column 'x' is of type Object"),
    (pl.Series([[1.0]]), "column 'x' is of type List(Float64)"),
    (pl.Series([{"a": 1}]), "column 'x' is of type Struct("),
    (pl.Series([b"a"]), "column 'x' is of type Binary"),
    (
        pl.Series(["2024-01-01"]).str.to_date(),
        "column 'x' is of type Date, and real numbers are needed\n  make numbers",
    ),
    (pa.array(["a"]), "column 'x' is of type string"),
    (pa.array([0], pa.timestamp("s")), "column 'x' is of type timestamp[s]"),
    (pa.array([0], pa.time32("s")), "column 'x' is of type time32[s]"),
    (pa.array([1.0]).dictionary_encode(), "column 'x' is of type dictionary<"),
    (pa.array([[1.0]]), "column 'x' is of type list<"),
    (pa.array([b"ab"], pa.binary(2)), "column 'x' is of type fixed_size_binary[2]"),
]


@pytest.mark.parametrize(("column", "message"), COLUMNS, ids=range(len(COLUMNS)))
def test_columns_that_are_no_numbers(column: Any, message: str) -> None:
    kind = (
        pd.DataFrame if isinstance(column, pd.Series) else pl.DataFrame if isinstance(column, pl.Series) else pa.table
    )
    df = kind({"x": column})
    assert told(lambda: gradcli.frame(df, "x**2")).startswith(message)
    # A null is no number there either.
    assert told(lambda: gradcli.frame(df, "x**2", na="nan")).startswith(message)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant == 52, reason="long doubles are doubles here")
def test_columns_that_are_wider_than_doubles() -> None:
    message = told(lambda: gradcli.frame(pd.DataFrame({"x": np.ones(1, np.longdouble)}), "x"))
    assert message.endswith('and numbers here are doubles\n  round it: df["x"].astype(float)')


class Failing:
    """A query that fails when its rows are fetched, as one of a database may."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        raise RuntimeError("no such table\nat line 1")


FRAMES: list[tuple[Callable[[], Any], str]] = [
    (lambda: {"x": [1.0]}, "a data frame is needed, not dict\n  for a dict of arrays: gradcli.function(...).partials("),
    (lambda: [1.0], "a data frame is needed, not list\n  a frame of pandas, polars, pyarrow, modin, or any with "),
    (lambda: None, "a data frame is needed, not NoneType"),
    (lambda: np.ones((2, 2)), "a data frame is needed, not ndarray"),
    (lambda: pd.Series([1.0], name="x"), "a data frame is needed, not Series"),
    (lambda: pl.Series("x", [1.0]), "a data frame is needed, not Series"),
    (lambda: pa.array([1.0]), "a data frame is needed, not DoubleArray"),
    (lambda: pl.LazyFrame({"x": [1.0]}), "LazyFrame is a query that has no rows yet\n  fetch them: df.collect()"),
    (Failing, "the rows of the Failing cannot be read: no such table"),
]


@pytest.mark.parametrize(("made", "message"), FRAMES, ids=range(len(FRAMES)))
def test_objects_that_are_no_frames(made: Callable[[], Any], message: str) -> None:
    assert told(lambda: gradcli.frame(made(), "x**2")).startswith(message)


CALLS: list[tuple[Callable[[Any], Any], str]] = [
    (lambda df: gradcli.frame(df, "tme**2"), "the frame has no column 'tme'\n  did you mean 'time'?"),
    (
        lambda df: gradcli.frame(df, "q*x"),
        "the frame has no column 'q'\n  its columns are x, time, e; for one value at all rows: at={'q': 1}",
    ),
    (
        lambda df: gradcli.frame(df, "k*x"),
        "the frame has no column 'k'\n  'k' is in the index, and made a column by df.reset_index()",
    ),
    (
        lambda df: gradcli.frame(df, "x = time**2"),
        "'x' would be both a column that is kept and a result\n  name the result: y = ...; or have the results alone: ",
    ),
    (
        lambda df: gradcli.frame(df.assign(df_dx=1), "x**2"),
        "'df_dx' would be both a column that is kept and a result",
    ),
    (
        lambda df: gradcli.frame(df, "e*x"),
        "'e' is a constant, and a column of the frame too\n  e*x\n  ^\n  for the column write `e` in backquotes",
    ),
    (lambda df: gradcli.frame(df, "x", at={"x": 1}), "'x' is a column of the frame, and given in at too"),
    (lambda df: gradcli.frame(df, "x", at={"y": 1}), "at: there is no variable 'y'\n  the variables are x"),
    (lambda df: gradcli.frame(df, "x*y", at={"y": [1]}), "at: 'y' is one number for all rows, not list"),
    (lambda df: gradcli.frame(df, "x*y", at=[1]), "at is a dict of numbers by the names of variables, not list"),
    (lambda df: gradcli.frame(df, "x", na="drop"), "na is \"nan\", which reads nulls as nan, or None, not 'drop'"),
    (lambda df: gradcli.frame(df, "x", True), "an order is a whole number, not True"),
    (lambda df: gradcli.frame(df, "x", -1), "the order must be at least 0"),
    (lambda df: gradcli.frame(df, "x", wrt="y"), "wrt: 'y' is not used in the expression"),
    (lambda df: gradcli.frame("x", df), "a data frame is needed, not str\n  the frame comes first"),
    (
        lambda df: gradcli.frame(df.set_axis([0, 1, 2], axis=1), "x"),
        "the frame has no column 'x'\n  its columns have no texts as names, but such as 0",
    ),
    (lambda df: gradcli.frame(df, "x +"), ""),
    (lambda df: gradcli.frame(df, "sum(x)"), "sum with one argument takes all points at once"),
]


@pytest.mark.parametrize(("call", "message"), CALLS, ids=range(len(CALLS)))
def test_names_and_options(call: Callable[[Any], Any], message: str) -> None:
    df = pd.DataFrame({"x": [1.0], "time": [2.0], "e": [3.0]}, index=pd.Index([5.0], name="k"))
    assert told(lambda: call(df)).startswith(message)


def test_what_is_not_refused() -> None:
    df = pd.DataFrame({"x": [2.0], "e": [3.0], "f": [1.0]})
    assert gradcli.frame(df, "`e`*x", 1, "x", keep=False).to_dict("list") == {"f": [6.0], "df_dx": [3.0]}
    assert gradcli.frame(df, "y = x**2", 0)["y"].tolist() == [4.0]


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_frames_without_rows(kind: Any) -> None:
    for data in ({"x": []}, {"x": np.zeros(0)}, {"x": np.zeros(0, np.int64)}):
        found = gradcli.frame(kind(data), "x**2")
        assert np.asarray(found["df_dx"]).shape == (0,)
        assert np.asarray(found["df_dx"]).dtype == np.float64
    assert len(np.asarray(gradcli.frame(kind({}), "2 + 3")["f"])) == 0


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_functions_without_columns(kind: Any) -> None:
    df = kind({"s": ["a", "b"]})
    assert np.asarray(gradcli.frame(df, "2 + 3")["f"]).tolist() == [5.0, 5.0]
    found = gradcli.frame(df, "k**2", at={"k": 3}, keep=False)
    assert np.asarray(found["df_dk"]).tolist() == [6.0, 6.0]
    rows = pd.DataFrame(index=["p", "q"])
    assert gradcli.frame(rows, "2 + 3")["f"].to_dict() == {"p": 5.0, "q": 5.0}


def test_relations_of_duckdb_become_tables() -> None:
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql("select 1.5::double as x, 'a' as s")
    try:
        pa.table(relation)
    except TypeError:
        pytest.skip("this pyarrow cannot read this duckdb")
    found = gradcli.frame(relation, "x**2")
    assert found.to_pydict() == {"x": [1.5], "s": ["a"], "f": [2.25], "df_dx": [3.0]}
    failing = duckdb.sql("select s::int as x from (values ('a')) t(s)")
    assert told(lambda: gradcli.frame(failing, "x**2")).startswith("the rows of the DuckDBPyRelation cannot be read: ")


def test_without_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    df = pd.DataFrame({"x": [1.0]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(gradcli.GradError) as error:
        gradcli.frame(Failing(), "x**2")
    assert str(error.value) == "a Failing is read by the package pyarrow\n  pip install 'gradcli[parquet]'"
    monkeypatch.setitem(sys.modules, "narwhals.stable.v2", None)
    with pytest.raises(gradcli.GradError) as error:
        gradcli.frame(df, "x**2")
    assert str(error.value) == "data frames need the package narwhals\n  pip install 'gradcli[frames]'"
