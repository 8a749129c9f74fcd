"""Data frames of several libraries behind one interface: names, columns, and a frame with results beside them.

narwhals tells the libraries apart and reads their columns. What it cannot do, since it needs unique names and knows no
index, is done by the frame's own methods: appending to frames of pandas, modin and cuDF, and to tables of pyarrow.
Layer: must not know functions, only columns and arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcli.errors import BadType, BadValue, optional

if TYPE_CHECKING:
    from numpy.typing import NDArray


def narwhals() -> Any:
    """The module narwhals, of a version whose interface is fixed. Raises GradError if it is not installed."""
    return optional("narwhals.stable.v2", "frames", "data frames need the package narwhals")


class Frame:
    """A data frame that holds its rows in memory, of polars or of a library that narwhals knows by a plugin.

    ``names``: those of all columns in order; frames of pandas and tables of Arrow may have a name twice, and the names
    of pandas may be any objects. ``rows``: the number of rows.
    """

    def __init__(self, native: Any, names: Sequence[Any], rows: int) -> None:
        self.native, self.names, self.rows = native, list(names), rows

    def native_column(self, name: str) -> Any:
        """The column of a name that is there once, as the library's own object."""
        return self.native[name]

    def column(self, name: str) -> Any:
        """The column of a name as a series of narwhals. Raises BadValue for a name that is there twice."""
        if self.names.count(name) > 1:
            raise BadValue(f"the frame has {self.names.count(name)} columns '{name}'", hint="rename all but one")
        return narwhals().from_native(self.native_column(name), series_only=True)

    def index_names(self) -> list[Any]:
        """The names of the index, which is none of the columns."""
        return []

    def with_results(self, results: Mapping[str, NDArray[Any]], keep: bool) -> Any:
        """A frame of the same library with the results behind all columns, or alone.

        The frame itself is not changed, and its columns are not converted.
        """
        nw = narwhals()
        frame = nw.from_native(self.native)
        added = nw.from_dict(dict(results), backend=frame.implementation)
        return (nw.concat([frame, added], how="horizontal") if keep else added).to_native()


class _Pandas(Frame):
    """A frame of pandas, or of a library with its interface; the results have its index."""

    def index_names(self) -> list[Any]:
        return list(self.native.index.names)

    def with_results(self, results: Mapping[str, NDArray[Any]], keep: bool) -> Any:
        pandas, columns = narwhals().get_native_namespace(self.native), self.native.columns
        added = pandas.DataFrame(dict(results), index=self.native.index, copy=False)
        if columns.nlevels > 1:
            padding = [""] * (columns.nlevels - 1)
            added.columns = pandas.MultiIndex.from_tuples([(name, *padding) for name in results])
        added.columns.names = columns.names
        if not keep:
            return added
        whole = pandas.concat([self.native, added], axis=1)
        if self.native.attrs:
            whole.attrs = dict(self.native.attrs)
        return whole


class _Arrow(Frame):
    """A table of pyarrow."""

    def native_column(self, name: str) -> Any:
        return self.native.column(self.names.index(name))

    def with_results(self, results: Mapping[str, NDArray[Any]], keep: bool) -> Any:
        added = narwhals().from_dict(dict(results), backend="pyarrow").to_native()
        if not keep:
            return added
        table = self.native
        for name in results:
            table = table.append_column(added.schema.field(name), added.column(name))
        return table


def opened(df: Any) -> Frame:
    """A data frame behind the common interface.

    What narwhals does not know, or knows as a query without rows, is read through the Arrow PyCapsule interface, as a
    table of pyarrow. Raises BadType for an object that is no data frame, and for one that holds no rows yet.
    """
    nw = narwhals()
    known = nw.dependencies
    if known.is_pandas_like_dataframe(df):
        return _Pandas(df, df.columns, len(df))
    if known.is_pyarrow_table(df):
        return _Arrow(df, df.column_names, df.num_rows)
    frame = nw.from_native(df, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        return Frame(df, frame.columns, len(frame))
    kind = type(df).__name__
    if hasattr(df, "__arrow_c_stream__") and not known.is_into_series(df):
        table = _streamed(df, kind)
        return _Arrow(table, table.column_names, table.num_rows)
    if isinstance(frame, nw.LazyFrame):
        raise BadType(f"{kind} is a query that has no rows yet", hint="fetch them: df.collect(), or df.compute()")
    hint = "a frame of pandas, polars, pyarrow, modin, or any with __arrow_c_stream__"
    if isinstance(df, Mapping):
        hint = "for a dict of arrays: gradcli.function(...).partials(**columns)"
    elif isinstance(df, str):
        hint = "the frame comes first: gradcli.frame(df, text); a file is read by its own library"
    raise BadType(f"a data frame is needed, not {kind}", hint=hint)


def _streamed(df: Any, kind: str) -> Any:
    """The table of pyarrow that an object streams. Raises BadValue if it fails to, or streams a column alone."""
    arrow = optional("pyarrow", "parquet", f"a {kind} is read by the package pyarrow")
    try:
        return arrow.table(df)
    except MemoryError:
        raise
    except Exception as error:  # a query is run by this, and a library may raise what it likes
        message = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadValue(f"the rows of the {kind} cannot be read: {message}") from None
