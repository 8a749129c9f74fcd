"""Grids: the points of evaluation, as an outer product of axes that is never expanded.

Columns return their values in slices, with equal doubles as a list and as an array. The text of the options that
describe a grid is parsed by `job.parse_at_grid_fill`.
Layer: must not know what is computed at the points, nor how.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Array = NDArray[float64]


# Columns: the values of a variable along an axis.


class Column(Protocol):
    """``length`` values; ``floats(lo, hi)`` and ``array(lo, hi)`` return those of the half-open range."""

    @property
    def length(self) -> int: ...
    def floats(self, lo: int, hi: int) -> list[float]: ...
    def array(self, lo: int, hi: int) -> Array: ...


class Values:
    """A column of the values of a sequence, which is copied."""

    def __init__(self, values: Sequence[float]) -> None:
        self.values = list(values)
        self.length = len(self.values)

    def floats(self, lo: int, hi: int) -> list[float]:
        return self.values[lo:hi]

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        return np.array(self.values[lo:hi], dtype=np.float64)


class Held:
    """A column of the values of a one-dimensional float64 array, which is not copied."""

    def __init__(self, values: Array) -> None:
        self.values, self.length = values, len(values)

    def floats(self, lo: int, hi: int) -> list[float]:
        values: list[float] = self.values[lo:hi].tolist()
        return values

    def array(self, lo: int, hi: int) -> Array:
        return self.values[lo:hi]


class Index:
    """The column 0, 1, 2 ... ``length - 1``."""

    def __init__(self, length: int) -> None:
        self.length = length

    def floats(self, lo: int, hi: int) -> list[float]:
        return [float(k) for k in range(lo, hi)]

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        return np.arange(lo, hi, dtype=np.float64)


class Linear:
    """A column of ``length`` equally spaced values, the first exactly ``start`` and the last exactly ``stop``.

    Value k is (start*(n-k) + stop*k)/n with n = length-1, which has one rounding less than start + k*step, so that
    0:1:11 contains the double 0.3.
    """

    def __init__(self, start: float, stop: float, length: int) -> None:
        self.start, self.stop, self.length = start, stop, length
        n = length - 1
        # If the products overflow, use weights between 0 and 1 instead, at the cost of one more rounding.
        self.scaled = math.isinf(start * n) or math.isinf(stop * n)

    def floats(self, lo: int, hi: int) -> list[float]:
        values = [self._value(float(k)) for k in range(lo, hi)]
        _meet_ends(self, values, lo, hi)
        return values

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        values: Array = self._value(np.arange(lo, hi, dtype=np.float64))
        _meet_ends(self, values, lo, hi)
        return values

    def _value(self, k: Any) -> Any:
        # Value number k, or those of an array of numbers.
        n = self.length - 1.0
        if self.scaled:
            return self.start * ((n - k) / n) + self.stop * (k / n)
        return (self.start * (n - k) + self.stop * k) / (n or 1.0)


class Log:
    """A column of ``length`` values with equally spaced logarithms, from exactly ``start`` to exactly ``stop``.

    Both ends are positive.
    """

    def __init__(self, start: float, stop: float, length: int) -> None:
        self.start, self.stop, self.length = start, stop, length
        self.powers = Linear(math.log10(start), math.log10(stop), length)

    def floats(self, lo: int, hi: int) -> list[float]:
        low, high = sorted([self.start, self.stop])
        # Rounded logarithms may pass an end by an ulp, and the largest double into infinity.
        values = [min(max(_ten_to(p), low), high) for p in self.powers.floats(lo, hi)]
        _meet_ends(self, values, lo, hi)
        return values

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        # Call the C library's pow for each value, as ``floats`` does: NumPy's power may differ in the last bit.
        powers = self.powers.array(lo, hi).tolist()
        try:
            values = np.fromiter(map(math.pow, [10.0] * len(powers), powers), np.float64, len(powers))
        except OverflowError:
            # The last powers overflow, since the rounded logarithm is an ulp above that of the largest double.
            values = np.array(list(map(_ten_to, powers)), dtype=np.float64)
        np.clip(values, *sorted([self.start, self.stop]), out=values)
        _meet_ends(self, values, lo, hi)
        return values


def _meet_ends(column: Linear | Log, values: list[float] | Array, lo: int, hi: int) -> None:
    if lo < hi and lo == 0:
        values[0] = column.start
    if lo < hi == column.length:
        values[-1] = column.stop


def _ten_to(power: float) -> float:
    try:
        return math.pow(10.0, power)
    except OverflowError:
        return math.inf


class Axis:
    """A direction of a grid with one or more named columns of equal length.

    ``fixed`` marks a single point that is no dimension of the result, as made by ``--at``.
    """

    def __init__(self, names: Sequence[str], columns: Sequence[Column], *, fixed: bool = False) -> None:
        self.names, self.columns, self.fixed = tuple(names), tuple(columns), fixed
        self.length = self.columns[0].length


Ranges = tuple[tuple[int, int], ...]


class Grid:
    """The outer product of axes, the first of which varies slowest."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self.axes = tuple(axes)
        self.shape = tuple([a.length for a in self.axes if not a.fixed])
        self.size = math.prod(self.shape)

    def blocks(self, target: int) -> Iterator[Ranges]:
        """Yield the blocks of the grid in order, each of at most ``target`` points, as a half-open range per axis.

        Each block is contiguous in C order: a single point of each leading axis, a range of one axis, and the axes
        after it in full.
        """
        lengths = [a.length for a in self.axes]
        cut, inner = len(lengths), 1
        while cut and inner * lengths[cut - 1] <= target:
            cut -= 1
            inner *= lengths[cut]
        whole = [(0, n) for n in lengths]
        if not cut:
            yield tuple(whole)
            return
        cut -= 1
        pieces = -(-lengths[cut] // max(1, target // inner))
        step = -(-lengths[cut] // pieces)
        for point in product(*map(range, lengths[:cut])):
            for lo in range(0, lengths[cut], step):
                yield (*[(k, k + 1) for k in point], (lo, min(lo + step, lengths[cut])), *whole[cut + 1 :])


# Joined axes: an outer product as a single axis, whose columns are never expanded.


class Repeated:
    """A column of an axis along the joined axis: each value repeated ``each`` times, the whole cycled to ``length``."""

    def __init__(self, column: Column, each: int, length: int) -> None:
        self.column, self.each, self.length = column, each, length

    def _needed(self, lo: int, hi: int) -> list[tuple[int, int]]:
        """Return the consecutive ranges of the column that cover the range ``lo`` to ``hi`` of the joined axis."""
        n = self.column.length
        start, stop = lo // self.each, -(-hi // self.each)
        ranges = []
        while start < stop:
            end = min(stop, start - start % n + n)
            ranges.append((start % n, start % n + end - start))
            start = end
        return ranges

    def floats(self, lo: int, hi: int) -> list[float]:
        values = [v for a, b in self._needed(lo, hi) for v in self.column.floats(a, b)]
        first = lo // self.each
        return [values[k // self.each - first] for k in range(lo, hi)]

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        n = self.column.length
        first = lo // self.each
        indices = np.arange(lo, hi) // self.each - first
        if len(indices) and int(indices[-1]) >= n:
            # The range covers more than one cycle of the column.
            values: Array = self.column.array(0, n)[(indices + first) % n]
            return values
        return np.concatenate([self.column.array(a, b) for a, b in self._needed(lo, hi)])[indices]


def joined(axes: Sequence[Axis], names: Sequence[str] = (), columns: Sequence[Column] = ()) -> Axis:
    """Return the outer product of axes, the first slowest, as a single axis.

    ``names`` and ``columns`` are further columns of that axis.
    """
    length = math.prod(axis.length for axis in axes)
    all_names, all_columns = list(names), list(columns)
    inner = length
    for axis in axes:
        inner //= axis.length
        for name, column in zip(axis.names, axis.columns, strict=True):
            all_names.append(name)
            all_columns.append(Repeated(column, inner, length))
    return Axis(all_names, all_columns)
