"""Axes joined into one: their outer product as a single axis, whose columns are never written out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradcli.grid import Axis, Column

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Array = NDArray[float64]


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
