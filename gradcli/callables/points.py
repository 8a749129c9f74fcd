"""Points given to `check` by Python programs: numbers and texts as options take them, arrays as axes of a grid.

Layer: must not know expressions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from gradcli.errors import BadType, BadValue, GradError
from gradcli.expr import spell_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gradcli.compute.grid import Axis

    Array = NDArray[np.float64]

Given = str | Sequence[str] | Mapping[str, Any] | None


class Points(NamedTuple):
    """The texts of ``--at`` and ``--grid``, and the axes of the points whose coordinates are arrays."""

    at: list[str]
    grids: list[str]
    axes: list[Axis]


def points_of(at: Given, grid: Given) -> Points:
    """The points of the arguments ``at`` and ``grid`` of `check`. Raises TypeError or ValueError, each a GradError."""
    rows: dict[str, Array] = {}
    axes: list[Axis] = []
    at_texts, grid_texts = list[str](), list[str]()
    if isinstance(at, Mapping):
        for name, value in at.items():
            text = _single(value)
            if text is None:
                rows[_name(name, "at")] = array(value, f"at: the values of '{name}'", axes=1)
            else:
                at_texts.append(f"{spell_name(_name(name, 'at'))}={text}")
    else:
        at_texts += texts_of(at, "at")
    lengths = {name: len(values) for name, values in rows.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{n} of '{name}'" for name, n in lengths.items())
        value_error(f"at: the arrays are of different lengths: {told}", "for the product of them: grid={...}")
    if rows:
        axes.append(_axis(rows))
    if isinstance(grid, Mapping):
        for name, value in grid.items():
            if _name(name, "grid") in rows:
                value_error(f"'{name}' is given twice, in at and in grid")
            text = _single(value)
            if text is None:
                axes.append(_axis({name: array(value, f"grid: the values of '{name}'", axes=1)}))
            else:
                grid_texts.append(f"{spell_name(name)}={text}")
    else:
        grid_texts += texts_of(grid, "grid")
    return Points(at_texts, grid_texts, axes)


def texts_of(given: Given, what: str) -> list[str]:
    """The texts of an argument that is one text or several."""
    if given is None:
        return []
    if isinstance(given, str):
        return [given]
    if isinstance(given, Sequence) and all(isinstance(text, str) for text in given):
        return list(given)
    type_error(f"{what}: a text, a list of texts or a mapping of names is needed, not {type(given).__name__}")


def number_text(value: object) -> str | None:
    """The text of a single number, such as 0.1, which an expression reads as that decimal; None for anything else."""
    from decimal import Decimal
    from fractions import Fraction
    from numbers import Integral, Rational, Real

    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if isinstance(value, Integral):
        return _integer(int(value))
    if isinstance(value, Rational):
        fraction = Fraction(value)
        return f"{_integer(fraction.numerator)}/{_integer(fraction.denominator)}"
    if isinstance(value, Real | Decimal):
        return repr(float(value))
    item = getattr(value, "item", None)
    if getattr(value, "shape", None) == () and item is not None:
        return number_text(item())
    return None


def _integer(value: int) -> str:
    try:
        return str(value)
    except ValueError:
        value_error("an integer of so many digits is beyond the range of a double (about 1.8e308)")


def _single(value: object) -> str | None:
    """The text of a coordinate; None for an array."""
    return value if isinstance(value, str) else number_text(value)


def array(values: object, what: str, axes: int | None = None) -> Array:
    """The values as an array of float64, with so many ``axes`` if that is said.

    Raises TypeError for anything but real numbers, and ValueError for none of them, or for other axes.
    """
    import numpy as np

    if isinstance(values, str | bytes | Mapping) or values is None:
        type_error(f"{what}: numbers or a text are needed, not {type(values).__name__}")
    if np.ma.isMaskedArray(values):
        type_error(f"{what}: a masked array is not read; leave out its masked values, or fill them with nan")
    try:
        numbers = np.asarray(values)
        # bool, integer, floating; objects such as fractions and decimals.
        if numbers.dtype.kind not in "biufO":
            kind = "texts" if numbers.dtype.kind in "US" else numbers.dtype
            type_error(f"{what}: real numbers are needed, not {kind}")
        result = numbers.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, GradError):
            raise
        type_error(f"{what}: real numbers are needed ({error})")
    if axes is not None and result.ndim != axes:
        value_error(f"{what}: an array with one axis is needed, not with {result.ndim}")
    if not result.size:
        value_error(f"{what}: there are none")
    return result


def _axis(columns: Mapping[str, Array]) -> Axis:
    from gradcli.compute.grid import Axis, Held

    return Axis(list(columns), [Held(values) for values in columns.values()])


def _name(name: object, what: str) -> str:
    if not isinstance(name, str):
        type_error(f"{what}: the name of a variable is a text, not {type(name).__name__}")
    return name


def type_error(message: str, hint: str | None = None) -> NoReturn:
    """Raise GradError that is a TypeError, too."""
    raise BadType(message, hint=hint)


def value_error(message: str, hint: str | None = None) -> NoReturn:
    """Raise GradError that is a ValueError, too."""
    raise BadValue(message, hint=hint)
