"""Exact sums of doubles: integers in units of 2**-1074, rounded once at the end.

Layer: must not know what is summed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Array = NDArray[float64]

PLACES = 1074
"""The unit of exact sums is 2**-PLACES, the smallest positive double."""


def quotient(numerator: int, denominator: int) -> float:
    """Return numerator/denominator rounded once; infinite if it overflows."""
    try:
        return numerator / denominator
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf


class Exact(NamedTuple):
    """A sum of doubles: the finite ones in ``units`` of 2**-PLACES, and the numbers of inf, -inf and nan."""

    units: int
    nonfinite: tuple[int, int, int] = (0, 0, 0)

    def plus(self, other: Exact) -> Exact:
        up, down, nans = (a + b for a, b in zip(self.nonfinite, other.nonfinite, strict=True))
        return Exact(self.units + other.units, (up, down, nans))

    def not_finite(self) -> float | None:
        """Return the value of a sum with an infinite or nan summand, else None."""
        up, down, nans = self.nonfinite
        if nans or (up and down):
            return math.nan
        return math.inf if up else -math.inf if down else None

    def rounded(self, times: int = 1) -> float:
        """Return the sum, each summand counted ``times`` times, rounded once."""
        nonfinite = self.not_finite()
        return quotient(self.units * times, 1 << PLACES) if nonfinite is None else nonfinite


def exact_sum(values: Any) -> Exact:
    """Return the sum of a list of floats or of a one-dimensional float64 array, without rounding."""
    if isinstance(values, list):
        return _sum_list(values)
    total = Exact(0)
    for lo in range(0, len(values), _CHUNK):
        total = total.plus(_sum_chunk(values[lo : lo + _CHUNK]))
    return total


def _sum_list(values: Sequence[float]) -> Exact:
    bins: dict[int, int] = {}
    up = down = nans = 0
    for v in values:
        m, e = math.frexp(v)
        if m - m == 0:
            bins[e] = bins.get(e, 0) + int(m * 2.0**53)
        elif v != v:
            nans += 1
        else:
            up, down = up + (v > 0), down + (v < 0)
    # -1073 is the smallest exponent that frexp returns; the shift by 52 drops bits that are zero for every double.
    units = sum(count << (e + 1073) for e, count in bins.items())
    return Exact(units >> 52, (up, down, nans))


_CHUNK = 8192
_HEADROOM = 14
"""log2(_CHUNK) + 1 bits of headroom, with which the sum of the leading parts of a chunk is exact in a double."""
_HUGE = 2.0**900


def _sum_chunk(values: Array) -> Exact:
    import numpy as np

    top = max(float(values.max()), -float(values.min()))
    if not math.isfinite(top):
        finite = np.isfinite(values)
        nans = int(np.isnan(values).sum())
        up = int((values == np.inf).sum())
        specials = Exact(0, (up, len(values) - int(finite.sum()) - nans - up, nans))
        return specials.plus(_sum_chunk(np.where(finite, values, 0.0)))
    if top > _HUGE:
        large = np.abs(values) > _HUGE / 2**200
        rest = _sum_chunk(np.where(large, 0.0, values))
        return Exact((_sum_chunk(np.where(large, values, 0.0) * 2.0**-200).units << 200) + rest.units)
    units = 0
    while top:
        # Adding and subtracting 1.5*2**k rounds each value to a multiple of 2**(k - 52); the sum of these leading
        # parts is exact (Rump, Ogita and Oishi 2008, error-free vector transformation).
        e = math.frexp(top)[1]
        if e + _HEADROOM - 52 <= -PLACES:
            return Exact(units + in_units(float(values.sum())))
        size = math.ldexp(1.5, e + _HEADROOM)
        part = values + size
        part -= size
        units += in_units(float(part.sum()))
        values = values - part
        top = max(float(values.max()), -float(values.min()))
    return Exact(units)


def in_units(value: float) -> int:
    """Return a finite double as an integer in units of 2**-PLACES."""
    numerator, denominator = value.as_integer_ratio()
    return numerator << (PLACES + 1 - denominator.bit_length())


def scaled(whole: int, exponent: int) -> float:
    """Return whole * 2**exponent rounded once; infinite if it overflows."""
    return quotient(whole << exponent, 1) if exponent >= 0 else quotient(whole, 1 << -exponent)
