"""Arguments of a function: bound to names, and read as floats or as float64 arrays that broadcast.

NumPy is imported for arrays alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.errors import BadType, BadValue, meant

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Array = NDArray[float64]


def bound(args: Sequence[Any], named: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """The arguments in the order of ``names``. Raises BadType as Python does, naming what is missing or unknown."""
    if len(args) > len(names):
        takes = f"{len(names)} argument{'s' * (len(names) != 1)}"
        raise BadType(f"the function takes {takes} ({', '.join(names)}), and {len(args)} are given")
    values = dict(zip(names, args, strict=False))
    for name, value in named.items():
        if name in values:
            raise BadType(f"argument '{name}' is given twice, by its position and by its name")
        if name not in names:
            hint = meant(name, names, "its arguments are") if names else "it has no arguments"
            raise BadType(f"the function has no argument '{name}'", hint=hint)
        values[name] = value
    if len(values) < len(names):
        missing = [name for name in names if name not in values]
        raise BadType(
            f"argument{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))} {'are' if len(missing) > 1 else 'is'} "
            "missing",
            hint=_one_for_all(args, named, names),
        )
    return [values[name] for name in names]


def _one_for_all(args: Sequence[Any], named: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The hint for a vector or a data frame that is given in place of all arguments."""
    if named or len(args) != 1:
        return None
    if hasattr(args[0], "columns"):
        return "for a data frame, whose columns are found by name: f.table(df)"
    try:
        count = len(args[0])
    except TypeError:
        return None
    return "for one vector, as the solvers of SciPy pass it: f.packed()" if count == len(names) else None


def number(value: Any, name: str) -> float | None:
    """A number as a float; None if it is not a single number. Raises BadValue for one beyond the doubles."""
    if not isinstance(value, (float, int)):
        if type(value).__module__ == "numpy":
            # A scalar of NumPy has a type of its own; those of float64 are floats.
            if hasattr(value, "__array_finalize__") or not hasattr(value, "item") or value.dtype.kind not in "fiub":
                return None
            value = value.item()
        if isinstance(value, complex) or not isinstance(value, (Real, Decimal)):
            return None
    try:
        return float(value)
    except OverflowError:
        raise BadValue(f"argument '{name}' is beyond the range of doubles") from None
    except ValueError as error:  # a signaling nan of Decimal
        raise BadValue(f"argument '{name}' is no number: {error}") from None


class Broadcast(NamedTuple):
    """Arguments that broadcast together.

    ``arrays``: of dtype float64, 0-d for numbers. ``shape``: the common shape. ``single``: every array is float32, and
    so are the results. ``whole``: each array is 0-d or has the common shape.
    """

    arrays: list[Array]
    shape: tuple[int, ...]
    single: bool
    whole: bool


def broadcast(args: Sequence[Any], names: Sequence[str]) -> Broadcast:
    """Arguments as arrays. Raises BadType for one that is no array of real numbers, BadValue for shapes that differ."""
    import numpy as np

    arrays = []
    shape: tuple[int, ...] = ()
    single, double, whole = False, False, True
    for value, name in zip(args, names, strict=True):
        if type(value) is float:
            arrays.append(np.array(value))
            continue
        if type(value) is not np.ndarray or value.dtype != np.float64:
            scalar = number(value, name)
            if scalar is not None:
                arrays.append(np.array(scalar))
                continue
            value, narrow = array(value, name)
        else:
            narrow = False
        single, double = single or narrow, double or not narrow
        if value.shape != shape:
            if shape and value.shape:
                whole = False
            elif value.shape:
                shape = value.shape
        arrays.append(value)
    if not whole:
        try:
            shape = np.broadcast_shapes(*[a.shape for a in arrays])
        except ValueError:
            raise _unequal(arrays, names) from None
    return Broadcast(arrays, shape, single and not double, whole)


def array(value: Any, name: str) -> tuple[Array, bool]:
    """A value as a float64 array, and whether it is one of float32. Raises BadType if it holds no real numbers."""
    import numpy as np

    if isinstance(value, np.ma.MaskedArray):
        raise BadType(
            f"argument '{name}' is a masked array",
            hint=f"fill it: {name}.filled(np.nan); or take the valid elements: {name}.compressed()",
        )
    try:
        read = np.asarray(value)
    except (TypeError, ValueError) as error:
        message = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadType(f"argument '{name}' is no array of numbers: {message}") from None
    if read.dtype.kind not in "fiub":
        raise BadType(
            f"argument '{name}' is of {_kind(value, read)}, and real numbers are needed",
            hint=_HINTS.get(read.dtype.kind),
        )
    if read.dtype.itemsize > 8 and read.dtype.kind == "f" and np.finfo(read.dtype).nmant > 52:
        raise BadType(
            f"argument '{name}' is of dtype {read.dtype}, and numbers here are doubles",
            hint=f"round it: {name}.astype(float)",
        )
    return read.astype(np.float64, copy=False), bool(read.dtype == np.float32)


_HINTS = {
    "c": "for complex numbers: gradcli.tensor",
    "M": "dates as numbers: (t - t[0]) / np.timedelta64(1, 's')",
    "m": "durations as numbers: t / np.timedelta64(1, 's')",
    "O": "as doubles: np.asarray(values, float)",
}


def _kind(value: Any, read: Any) -> str:
    if read.ndim == 0 and not hasattr(value, "dtype"):
        return f"type {type(value).__name__}"
    return f"dtype {read.dtype}"


def _unequal(arrays: Sequence[Array], names: Sequence[str]) -> BadValue:
    """The error for shapes that do not broadcast, which names two arguments that do not."""
    import numpy as np

    shaped = [(name, a.shape) for name, a in zip(names, arrays, strict=True) if a.shape]
    for k, (name, shape) in enumerate(shaped):
        for other, its in shaped[:k]:
            try:
                np.broadcast_shapes(shape, its)
            except ValueError:
                return BadValue(f"arguments '{other}' of shape {its} and '{name}' of shape {shape} do not broadcast")
    listed = ", ".join(f"'{name}' {shape}" for name, shape in shaped)
    return BadValue(f"the shapes of the arguments do not broadcast: {listed}")
