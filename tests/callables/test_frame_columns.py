"""Columns of data frames read as doubles: types, nulls, and what is not copied."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gradcli
from gradcli.callables.frame_columns import numbers
from gradcli.callables.frame_kinds import opened

pytestmark = pytest.mark.quick

KINDS: dict[str, Callable[[Any], Any]] = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}


def told(call: Callable[[], Any]) -> str:
    with pytest.raises(gradcli.GradError) as error:
        call()
    return str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_of_doubles_is_not_copied(kind: str) -> None:
    df = KINDS[kind]({"s": ["a"] * 100, "x": np.arange(100.0)})
    first, second = (numbers(opened(df).column("x"), "x", None) for _ in range(2))
    assert np.shares_memory(first, second)
    assert first.dtype == np.float64


def same(found: Any, expected: list[float], dtype: Any = np.float64) -> None:
    array = np.asarray(found["f"])
    assert array.dtype == dtype
    assert np.array_equal(array, np.array(expected, dtype), equal_nan=True)


NAN = float("nan")
WIDE = [2**63 + 1025, 2**64 - 1]
NUMBERS: list[tuple[Any, list[float]]] = [
    (pd.Series([1, 2]), [1, 2]),
    (pd.Series(WIDE, dtype="uint64"), [float(v) for v in WIDE]),
    (pd.Series([True, False]), [1, 0]),
    (pd.Series([1, 2], dtype="Int8"), [1, 2]),
    (pd.Series([True, False], dtype="boolean"), [1, 0]),
    (pd.Series([0.1, NAN]), [0.1, NAN]),
    (pd.Series(np.array([0.1, 2], ">f8")), [0.1, 2]),
    (pd.Series(np.arange(4.0)[::-2]), [3, 1]),
    (pd.Series([Decimal("0.1"), Fraction(1, 3)], dtype=object), [0.1, 1 / 3]),
    (pd.Series([10**20, True], dtype=object), [1e20, 1]),
    (pd.Series([0.1, 2], dtype="double[pyarrow]"), [0.1, 2]),
    (pd.Series([Decimal("0.1"), Decimal("2.5")], dtype=pd.ArrowDtype(pa.decimal128(5, 2))), [0.1, 2.5]),
    (pd.Series([1, 2], index=["type", "dtype"], dtype="Int64"), [1, 2]),
    (pl.Series([1, 2], dtype=pl.Int8), [1, 2]),
    (pl.Series(WIDE, dtype=pl.UInt64), [float(v) for v in WIDE]),
    (pl.Series([True, False]), [1, 0]),
    (pl.Series([0.1, NAN]), [0.1, NAN]),
    (pl.Series([Decimal("0.1"), Decimal("2.5")], dtype=pl.Decimal(10, 1)), [0.1, 2.5]),
    (pa.chunked_array([[0.1], [], [2.0]]), [0.1, 2]),
    (pa.array([1, 2], pa.uint16()), [1, 2]),
    (pa.array([True, False]), [1, 0]),
    (pa.array(np.array([0.5, 2], np.float16)), [0.5, 2]),
    (pa.array([Decimal("0.1"), Decimal("2.5")], pa.decimal128(5, 1)), [0.1, 2.5]),
    (pa.array([Decimal("0.1"), Decimal("2.5")], pa.decimal256(60, 1)), [0.1, 2.5]),
    (pa.array([Decimal(123000), Decimal(-1000)], pa.decimal128(6, -3)), [123000, -1000]),
]


def holding(column: Any) -> Any:
    kind = (
        pd.DataFrame if isinstance(column, pd.Series) else pl.DataFrame if isinstance(column, pl.Series) else pa.table
    )
    return kind({"x": column})


@pytest.mark.parametrize(("column", "expected"), NUMBERS, ids=range(len(NUMBERS)))
def test_numbers_of_any_type_are_read_as_doubles(column: Any, expected: list[float]) -> None:
    same(gradcli.frame(holding(column), "x + 0", 0), expected)


@pytest.mark.skipif(not hasattr(pl, "Int128"), reason="this polars has no integers of 128 bits")
def test_integers_of_128_bits() -> None:
    df = pl.DataFrame({"x": pl.Series([10**30, None], dtype=pl.Int128)})
    same(gradcli.frame(df, "x + 0", 0, na="nan"), [1e30, NAN])


def test_decimals_are_read_as_the_nearest_doubles() -> None:
    chance = random.Random(20)
    decimals = [Decimal(chance.randrange(-(10**k), 10**k)).scaleb(-12) for k in range(1, 37) for _ in range(50)]
    expected = [float(value) for value in decimals]
    column = pa.array(decimals, pa.decimal128(38, 12))
    for df in (pa.table({"x": column}), pl.from_arrow(pa.table({"x": column})), pd.DataFrame({"x": decimals})):
        same(gradcli.frame(df, "x + 0", 0), expected)


FLOATS = [np.array([0.1, 2], np.float32), pd.Series([0.1, 2], dtype="Float32"), pl.Series([0.1, 2], dtype=pl.Float32)]


@pytest.mark.parametrize("column", [*map(pd.Series, FLOATS[:2]), FLOATS[2], pa.array(FLOATS[0])], ids=range(4))
def test_float32_alone_gives_float32(column: Any) -> None:
    df = holding(column)
    same(gradcli.frame(df, "x**2", 0), np.float32(0.1).astype(float) ** 2 * np.array([1, 0]) + [0, 4], np.float32)
    mixed = gradcli.frame(df, "x + 0*y", 0, at={"y": 1})
    same(mixed, [np.float32(0.1), 2], np.float32)
    wide = KINDS[type(df).__module__.partition(".")[0]]({"x": df["x"], "y": [1.0, 1.0]})
    same(gradcli.frame(wide, "x*y", 0), [float(np.float32(0.1)), 2])


NULLS = [
    pd.Series([1, None], dtype="Int64"),
    pd.Series([0.5, None], dtype="double[pyarrow]"),
    pd.Series([True, None], dtype="boolean"),
    pd.Series([1, None], dtype=object),
    pd.Series([1, pd.NA], dtype=object),
    pl.Series([0.5, None]),
    pl.Series([1, None]),
    pl.Series([True, None]),
    pl.Series([Decimal("0.5"), None]),
    pl.Series([0.5, None], dtype=pl.Float32),
    pa.array([0.5, None]),
    pa.array([2**53 + 1, None]),
    pa.chunked_array([[1], [None]]),
]


@pytest.mark.parametrize("column", NULLS, ids=range(len(NULLS)))
def test_nulls_are_nan_only_on_request(column: Any) -> None:
    df = holding(column)
    message = told(lambda: gradcli.frame(df, "2*x"))
    assert message == "column 'x' is null in row 2\n  na=\"nan\" reads nulls as nan"
    found = np.asarray(gradcli.frame(df, "2*x", 0, na="nan")["f"])
    assert found[0] > 0 and np.isnan(found[1])
    assert found.dtype == (np.float32 if "Float32" in str(getattr(column, "dtype", "")) else np.float64)


@pytest.mark.parametrize("column", [pl.Series([None, None]), pa.nulls(2), pd.Series([None, None])], ids=range(3))
def test_nulls_alone(column: Any) -> None:
    assert told(lambda: gradcli.frame(holding(column), "2*x")).startswith("column 'x' is null in row 1")
    same(gradcli.frame(holding(column), "2*x", 0, na="nan"), [NAN, NAN])


def test_polars_tells_nan_from_null() -> None:
    found = gradcli.frame(pl.DataFrame({"x": [1.0, None, NAN]}), "x**2", na="nan")
    assert found["x"].null_count() == 1 and found["f"].null_count() == 0
