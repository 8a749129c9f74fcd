"""`frame`, values and derivatives of an expression at the rows of a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradcli.callables.function import function
from gradcli.callables.recipe import Names, Text


def frame(
    df: Any,
    expression: Text | Sequence[Text] | Mapping[str, Text],
    order: int = 1,
    wrt: Names | None = None,
    keep: bool = True,
    *,
    at: Mapping[str, float] | None = None,
    na: str | None = None,
    kink: str = "derivative",
    careful: bool = False,
    exact: bool = False,
    engine: str = "auto",
    threads: int | None = None,
) -> Any:
    """A data frame with an expression and its partials up to an order as new columns, named as the shell names them.

    ``df``: a frame of pandas, polars or modin, or a table of pyarrow; the result is of the same kind, with the same
    index and rows in the same order. Of anything else with ``__arrow_c_stream__``, such as a relation of duckdb, a
    table of pyarrow is made. The variables are columns by their names, or have one value for all rows in ``at``.
    ``keep``: all columns of the frame come first, as they are; if not, the results come alone. The frame is not
    changed.

    Columns of integers, booleans, decimals and float32 are read as doubles; if all columns that are read are float32,
    so are the results, computed in double precision. nan is a number; a null (None, NA) is an error unless ``na`` is
    "nan". The other arguments are those of `function`. Results are in units of the expression per units of the
    variables.

    Raises GradError for a column that is missing, there twice, or not of real numbers, for a null, for a result that
    has the name of a column, and for a query that has no rows yet (collect it). Needs the extra ``frames``.

    >>> import pandas as pd
    >>> import gradcli
    >>> gradcli.frame(pd.DataFrame({"t": [0.0, 1.0], "run": ["a", "b"]}), "k*t**2", wrt="t", at={"k": 3})
         t run    f  df_dt
    0  0.0   a  0.0    0.0
    1  1.0   b  3.0    6.0
    """
    f = function(expression, wrt, kink=kink, careful=careful, exact=exact, engine=engine, threads=threads)
    return f.table(df, order, keep, at=at, na=na)
