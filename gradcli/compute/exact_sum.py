"""Exact sums of doubles: integers in units of 2**-1074, rounded once at the end. Must not know what is summed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Array = NDArray[float64]

PLACES = 1074
"""Exact sums are integers that count units of 2**-1074, the least double."""


def quotient(above: int, below: int) -> float:
    """above/below rounded once, infinite beyond the range of a double."""
    try:
        return above / below
    except OverflowError:
        return math.inf if above > 0 else -math.inf


class Exact(NamedTuple):
    """A sum of doubles: of the finite ones in units of 2**-PLACES, and how many were inf, -inf and nan."""

    units: int
    odd: tuple[int, int, int] = (0, 0, 0)

    def plus(self, other: Exact) -> Exact:
        up, down, none = (a + b for a, b in zip(self.odd, other.odd, strict=True))
        return Exact(self.units + other.units, (up, down, none))

    def not_finite(self) -> float | None:
        """What the sum is where it is not finite."""
        up, down, none = self.odd
        if none or (up and down):
            return math.nan
        return math.inf if up else -math.inf if down else None

    def rounded(self, times: int = 1) -> float:
        """The sum, every value having been met ``times`` times."""
        odd = self.not_finite()
        return quotient(self.units * times, 1 << PLACES) if odd is None else odd


def exact_sum(values: Any) -> Exact:
    """The sum of a list or an array, nothing lost."""
    return _sum_list(values) if isinstance(values, list) else _sum_array(values)


def _sum_list(values: Sequence[float]) -> Exact:
    bins: dict[int, int] = {}
    up = down = none = 0
    for v in values:
        m, e = math.frexp(v)
        if m - m == 0:
            bins[e] = bins.get(e, 0) + int(m * 2.0**53)
        elif v != v:
            none += 1
        else:
            up, down = up + (v > 0), down + (v < 0)
    # The least exponent of a double, -1073, with 53 more bits below it.
    units = sum(count << (e + 1073) for e, count in bins.items())
    return Exact(units >> 52, (up, down, none))


_CHUNK = 8192
_SPARE = 14
"""One bit more than log2 of the chunk: its sum of rounded parts stays within the digits of a double."""
_HUGE = 2.0**900


def _sum_array(values: Array) -> Exact:
    total = Exact(0)
    for lo in range(0, len(values), _CHUNK):
        total = total.plus(_sum_chunk(values[lo : lo + _CHUNK]))
    return total


def _sum_chunk(values: Array) -> Exact:
    import numpy as np

    top = max(float(values.max()), -float(values.min()))
    if not math.isfinite(top):
        finite = np.isfinite(values)
        none = int(np.isnan(values).sum())
        up = int((values == np.inf).sum())
        found = Exact(0, (up, len(values) - int(finite.sum()) - none - up, none))
        return found.plus(_sum_chunk(np.where(finite, values, 0.0)))
    if top > _HUGE:
        large = np.abs(values) > _HUGE / 2**200
        rest = _sum_chunk(np.where(large, 0.0, values))
        return Exact((_sum_chunk(np.where(large, values, 0.0) * 2.0**-200).units << 200) + rest.units)
    units = 0
    while top:
        # Added to a number of the right size a value is rounded to its leading bits, and those parts add up exactly.
        e = math.frexp(top)[1]
        if e + _SPARE - 52 <= -PLACES:
            return Exact(units + in_units(float(values.sum())))
        size = math.ldexp(1.5, e + _SPARE)
        part = values + size
        part -= size
        units += in_units(float(part.sum()))
        values = values - part
        top = max(float(values.max()), -float(values.min()))
    return Exact(units)


def in_units(value: float) -> int:
    above, below = value.as_integer_ratio()
    return above << (PLACES + 1 - below.bit_length())


def scaled(whole: int, exponent: int) -> float:
    """whole * 2**exponent rounded once."""
    return quotient(whole << exponent, 1) if exponent >= 0 else quotient(whole, 1 << -exponent)
