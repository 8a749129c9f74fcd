"""Grid: where to evaluate, as an outer product of axes that is never expanded.

Columns of values are handed out a slice at a time, the same doubles as lists and as arrays. How a grid is asked for is
said in `points`. Must not know what is computed at the points, nor how.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Array = NDArray[float64]


# Columns: the values of one variable along an axis.


class Column(Protocol):
    """``length`` values, of which ``floats(lo, hi)`` and ``array(lo, hi)`` give the half-open range."""

    @property
    def length(self) -> int: ...
    def floats(self, lo: int, hi: int) -> list[float]: ...
    def array(self, lo: int, hi: int) -> Array: ...


class Values:
    """Values given one by one."""

    def __init__(self, values: Sequence[float]) -> None:
        self.values = list(values)
        self.length = len(self.values)

    def floats(self, lo: int, hi: int) -> list[float]:
        return self.values[lo:hi]

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        return np.array(self.values[lo:hi], dtype=np.float64)


class Held:
    """Values of a one-dimensional array, which is not copied."""

    def __init__(self, values: Array) -> None:
        self.values, self.length = values, len(values)

    def floats(self, lo: int, hi: int) -> list[float]:
        found: list[float] = self.values[lo:hi].tolist()
        return found

    def array(self, lo: int, hi: int) -> Array:
        return self.values[lo:hi]


class Index:
    """0, 1, 2 ... ``length - 1``."""

    def __init__(self, length: int) -> None:
        self.length = length

    def floats(self, lo: int, hi: int) -> list[float]:
        return [float(k) for k in range(lo, hi)]

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        return np.arange(lo, hi, dtype=np.float64)


class Linear:
    """``length`` equally spaced values from ``start`` to ``stop``, both exactly met.

    Value k is (start*(n-k) + stop*k)/n with n = length-1: one rounding less than start + k*step, so that
    0:1:11 holds 0.3 itself.
    """

    def __init__(self, start: float, stop: float, length: int) -> None:
        self.start, self.stop, self.length = start, stop, length
        n = length - 1
        # Where the products overflow, weights between 0 and 1 serve.
        self.scaled = math.isinf(start * n) or math.isinf(stop * n)

    def floats(self, lo: int, hi: int) -> list[float]:
        start, stop, n = self.start, self.stop, float(self.length - 1)
        if self.scaled:
            values = [start * ((n - k) / n) + stop * (k / n) for k in map(float, range(lo, hi))]
        else:
            values = [(start * (n - k) + stop * k) / (n or 1.0) for k in map(float, range(lo, hi))]
        self._meet_ends(values, lo, hi)
        return values

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        start, stop, n = self.start, self.stop, float(self.length - 1)
        k = np.arange(lo, hi, dtype=np.float64)
        if self.scaled:
            values: Array = start * ((n - k) / n) + stop * (k / n)
        else:
            values = (start * (n - k) + stop * k) / (n or 1.0)
        self._meet_ends(values, lo, hi)
        return values

    def _meet_ends(self, values: list[float] | Array, lo: int, hi: int) -> None:
        if lo < hi and lo == 0:
            values[0] = self.start
        if lo < hi == self.length:
            values[-1] = self.stop


class Log:
    """``length`` values from ``start`` to ``stop``, both > 0 and exactly met, with equally spaced logarithms."""

    def __init__(self, start: float, stop: float, length: int) -> None:
        self.ends = start, stop
        self.powers = Linear(math.log10(start), math.log10(stop), length)
        self.length = length

    def floats(self, lo: int, hi: int) -> list[float]:
        low, high = min(self.ends), max(self.ends)
        # Rounded logarithms may step over an end by an ulp, at the largest double into infinity.
        values = [min(max(_ten_to(p), low), high) for p in self.powers.floats(lo, hi)]
        self._meet_ends(values, lo, hi)
        return values

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        # Through the same function of the C library, one by one: NumPy's own power may differ in the last digit.
        powers = self.powers.array(lo, hi).tolist()
        try:
            values = np.fromiter(map(math.pow, [10.0] * len(powers), powers), np.float64, len(powers))
        except OverflowError:
            # Beyond the largest double, by an ulp of the last logarithms.
            values = np.array(list(map(_ten_to, powers)), dtype=np.float64)
        np.clip(values, min(self.ends), max(self.ends), out=values)
        self._meet_ends(values, lo, hi)
        return values

    def _meet_ends(self, values: list[float] | Array, lo: int, hi: int) -> None:
        if lo < hi and lo == 0:
            values[0] = self.ends[0]
        if lo < hi == self.length:
            values[-1] = self.ends[1]


def _ten_to(power: float) -> float:
    try:
        return math.pow(10.0, power)
    except OverflowError:
        return math.inf


class Axis:
    """One direction of a grid, along which one or more named columns run together.

    ``fixed``: a single point that is no dimension of the result, as ``--at`` makes.
    """

    def __init__(self, names: Sequence[str], columns: Sequence[Column], *, fixed: bool = False) -> None:
        self.names, self.columns, self.fixed = tuple(names), tuple(columns), fixed
        self.length = self.columns[0].length


Ranges = tuple[tuple[int, int], ...]


class Grid:
    """Outer product of axes, the first one slowest."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self.axes = tuple(axes)
        self.shape = tuple([a.length for a in self.axes if not a.fixed])
        self.size = math.prod(self.shape)

    def blocks(self, target: int) -> Iterator[Ranges]:
        """The grid in order, cut into blocks of at most ``target`` points: one half-open range per axis.

        Each block is contiguous in C order: leading axes at one point, one axis in pieces of equal length, the
        axes after it whole.
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
        for place in product(*map(range, lengths[:cut])):
            for lo in range(0, lengths[cut], step):
                yield (*[(k, k + 1) for k in place], (lo, min(lo + step, lengths[cut])), *whole[cut + 1 :])


# Axes joined into one: their outer product as a single axis, whose columns are never written out.


class Repeated:
    """A column of one axis along a joined one: each value ``each`` times over, and all of them again and again."""

    def __init__(self, column: Column, each: int, length: int) -> None:
        self.column, self.each, self.length = column, each, length

    def _needed(self, lo: int, hi: int) -> list[tuple[int, int]]:
        """Ranges of the column that follow one another between two places of the joined axis."""
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
        places = np.arange(lo, hi) // self.each - first
        if len(places) and int(places[-1]) >= n:
            # All of the column, more than once.
            found: Array = self.column.array(0, n)[(places + first) % n]
            return found
        return np.concatenate([self.column.array(a, b) for a, b in self._needed(lo, hi)])[places]


def joined(axes: Sequence[Axis], names: Sequence[str] = (), columns: Sequence[Column] = ()) -> Axis:
    """The outer product of axes, the first slowest, as one axis; ``names`` and ``columns`` run along it besides."""
    length = math.prod(axis.length for axis in axes)
    all_names, all_columns = list(names), list(columns)
    inner = length
    for axis in axes:
        inner //= axis.length
        for name, column in zip(axis.names, axis.columns, strict=True):
            all_names.append(name)
            all_columns.append(Repeated(column, inner, length))
    return Axis(all_names, all_columns)
