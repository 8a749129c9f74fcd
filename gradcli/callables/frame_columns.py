"""Columns of data frames as arrays of real numbers, without a copy where the column is one of contiguous numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradcli.callables.arguments import number
from gradcli.callables.frame_kinds import narwhals
from gradcli.errors import BadType, BadValue

if TYPE_CHECKING:
    from numpy.typing import NDArray


def numbers(series: Any, name: str, na: str | None) -> NDArray[Any]:
    """The numbers of a column, a series of narwhals, as an array of a real dtype.

    ``na``: "nan" reads nulls as nan. NumPy's columns of pandas have no nulls: nan is a number there, as everywhere.
    Raises BadValue for a null else, and BadType for a column that holds other things than real numbers.
    """
    import numpy as np

    native = series.to_native()
    implementation = series.implementation
    if isinstance(getattr(native, "dtype", None), np.dtype) and (
        implementation.is_pandas() or implementation.is_modin()
    ):
        if native.dtype.kind == "O":
            return _objects(series, name, na)
        return _real(native.to_numpy(), name)
    nw, nulls = narwhals(), int(series.null_count())
    # narwhals does not know every width of Arrow's numbers, nor a type for columns of nulls alone.
    text = str(native.dtype if hasattr(native, "dtype") else native.type)
    decimal = text.lower().startswith("decimal")
    kind = nw.Decimal() if decimal else series.dtype
    nothing = kind == nw.Unknown and nulls == len(series)
    if not (kind.is_numeric() or kind == nw.Boolean or nothing or text == "halffloat"):
        raise _refused(name, text, kind.is_temporal())
    if nulls and na is None:
        raise _null(name, int(_is_null(series).argmax()))
    present = series.drop_nulls() if nulls else series
    if nothing:
        values = np.empty(0)
    elif decimal and not implementation.is_pandas_like():
        # The text gives the nearest double, the cast of decimals to doubles not always.
        values = present.cast(nw.String).cast(nw.Float64).to_numpy()
    elif decimal or kind in (nw.Int128, nw.UInt128):
        values = np.fromiter(map(float, present.to_list()), np.float64, len(present))
    else:
        values = np.asarray(present.to_numpy(), np.bool_ if kind == nw.Boolean else None)
    if not nulls:
        return values
    full = np.full(len(series), np.nan, np.float32 if values.dtype == np.float32 else np.float64)
    full[~_is_null(series)] = values
    return full


def _is_null(series: Any) -> NDArray[Any]:
    import numpy as np

    return np.asarray(series.is_null().to_numpy(), np.bool_)


def _objects(series: Any, name: str, na: str | None) -> NDArray[Any]:
    """The numbers of a column of Python objects: integers of any size, decimals, fractions, booleans, None."""
    import numpy as np

    values: Sequence[Any] = series.to_native().tolist()
    full = np.empty(len(values))
    null: NDArray[Any] | None = None
    for row, value in enumerate(values):
        try:
            x = number(value, name)
        except ValueError:  # beyond their range, or a signaling NaN
            raise BadValue(f"column '{name}' has no value among the doubles in row {row + 1}") from None
        if x is None:
            null = _is_null(series) if null is None else null
            if not null[row]:
                raise BadType(
                    f"column '{name}' holds {_article(type(value).__name__)} in row {row + 1}, and real numbers are "
                    "needed"
                )
            if na is None:
                raise _null(name, row)
            x = float("nan")
        full[row] = x
    return full


def _real(values: NDArray[Any], name: str) -> NDArray[Any]:
    """The array itself. Raises BadType unless its numbers are real, and integers or no wider than doubles."""
    import numpy as np

    if values.dtype.kind not in "fiub":
        raise _refused(name, str(values.dtype), values.dtype.kind in "mM")
    if values.dtype.kind == "f" and np.finfo(values.dtype).nmant > 52:
        raise BadType(
            f"column '{name}' is of type {values.dtype}, and numbers here are doubles",
            hint=f'round it: df["{name}"].astype(float)',
        )
    return values


def _null(name: str, row: int) -> BadValue:
    return BadValue(f"column '{name}' is null in row {row + 1}", hint='na="nan" reads nulls as nan')


def _refused(name: str, kind: str, temporal: bool) -> BadType:
    """The error for a column of a type that is no real number."""
    hint = None
    if temporal:
        hint = "make numbers of it first, such as days since a date"
    elif "complex" in kind:
        hint = "for complex numbers: gradcli.tensor"
    return BadType(f"column '{name}' is of type {kind}, and real numbers are needed", hint=hint)


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
