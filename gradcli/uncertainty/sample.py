"""A sample of draws of a result: mean, standard deviation and coverage intervals (JCGM 101:2008, 7.6 and 7.7).

Layer: must not know how the draws were made.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_CHUNK = 1 << 16
"""Numbers that are summed at once: they fit into the cache, and the sum is the same on every run."""
_NAN = (math.nan, math.nan)


class Summary(NamedTuple):
    """What a sample tells, in its unit; nan where too few draws are finite.

    ``symmetric`` and ``shortest``: the limits of the probabilistically symmetric and of the shortest interval.
    ``nonfinite``: the draws that were left out because they are infinite or nan.
    """

    mean: float
    u: float
    symmetric: tuple[float, float]
    shortest: tuple[float, float]
    nonfinite: int


def places(count: int, coverage: Fraction) -> tuple[int, int]:
    """Return q and r: the interval from draw r to draw r + q in ascending order, counted from 1 (JCGM 101, 7.7.2)."""
    exact = coverage * count
    q = int(exact) if exact.denominator == 1 else math.floor(exact + Fraction(1, 2))
    return q, (count - q) // 2 if (count - q) % 2 == 0 else (count - q + 1) // 2


def summary(values: Array, coverage: Fraction) -> Summary:
    """Return what a sample tells. ``values`` are rearranged in place: no other memory of their size is taken."""
    count = _finite_first(values)
    lost = len(values) - count
    values = values[:count]
    q, r = places(count, coverage)
    if not 0 < q < count:
        mean, u = moments(values) if count > 1 else _NAN
        return Summary(mean, u, _NAN, _NAN, lost)
    mean, u = moments(values)
    low, high = _tails(values, q)
    with np.errstate(over="ignore"):
        widths = high - low
    # The first of the shortest ones.
    best = int(np.argmin(widths))
    symmetric, shortest = ((float(low[k]), float(high[k])) for k in (r - 1, best))
    return Summary(mean, u, symmetric, shortest, lost)


def moments(values: Array) -> tuple[float, float]:
    """Return the mean and the standard deviation, with n - 1 (JCGM 101, 7.6), of finite numbers, without overflow."""
    n = len(values)
    largest = max(float(values.max()), -float(values.min()))
    # A power of two, by which numbers are scaled exactly.
    size = math.ldexp(1.0, max(min(math.frexp(largest)[1], 1000), -1000)) if largest else 1.0
    parts = [values[k : k + _CHUNK] for k in range(0, n, _CHUNK)]
    mean = math.fsum([float(np.sum(part / size)) for part in parts]) / n
    squares = []
    for part in parts:
        gap = part / size
        gap -= mean
        squares.append(float(np.sum(np.square(gap, out=gap))))
    return mean * size, math.sqrt(math.fsum(squares) / (n - 1)) * size


def digit(u: float) -> float:
    """Return half a unit of the second significant digit of an uncertainty, JCGM 101's delta (7.9.2); 0 for 0.

    >>> digit(0.35), digit(0.0996)
    (0.005, 0.005)
    """
    if not 0 < u < math.inf:
        return 0.0 if u == 0 else math.nan
    return float(f"5e{int(f'{u:.1e}'.partition('e')[2]) - 2}")


def _finite_first(values: Array) -> int:
    """Move the finite numbers to the front, in their order, and return their count."""
    end = 0
    for k in range(0, len(values), _CHUNK):
        part = values[k : k + _CHUNK]
        known = np.isfinite(part)
        if end == k and known.all():
            end += len(part)
            continue
        part = part[known]
        values[end : end + len(part)] = part
        end += len(part)
    return end


def _tails(values: Array, q: int) -> tuple[Array, Array]:
    """Return the lower and the upper limit of every interval of q steps, in ascending order of both."""
    m = len(values) - q
    if m > q:
        values.sort()
    else:
        # Only the ends need to be sorted: both are short where the coverage is high.
        values.partition(sorted({m - 1, q}))
        values[:m].sort()
        values[q:].sort()
    low: Any = values[:m]
    return low, values[q:]
