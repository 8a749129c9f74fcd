"""Ranges of quotients, powers, remainders and signs."""

from __future__ import annotations

import numpy as np

from gradcli.compute.backends.intervals.ranges import INF, Array, Mask, Ranges, Rule, even, product


def div(x: Ranges, y: Ranges) -> Ranges:
    across = (y.low <= 0) & (y.high >= 0)
    if not across.any():
        return Ranges(*product(x.low, x.high, 1 / y.high, 1 / y.low))
    low, high = product(x.low, x.high, np.where(across, 1, 1 / y.high), np.where(across, 1, 1 / y.low))
    # A divisor that is 0 at one end only keeps its sign, and so does the quotient of a dividend of one sign.
    positive, negative = across & (y.low == 0) & (y.high > 0), across & (y.high == 0) & (y.low < 0)
    above, below = x.low >= 0, x.high <= 0
    least = np.where(positive & above, x.low / y.high, np.where(negative & below, x.high / y.low, -INF))
    most = np.where(positive & below, x.high / y.high, np.where(negative & above, x.low / y.low, INF))
    return Ranges(np.where(across, least, low), np.where(across, most, high), across)


def inverse(rule: Rule) -> Rule:
    """1 over a function."""

    def inverted(x: Ranges) -> Ranges:
        one = np.ones(len(x.low))
        return div(Ranges(one, one), rule(x))

    return inverted


def power(x: Ranges, n: Ranges) -> Ranges:
    exponent = float(n.low[0])
    if np.all(n.low == exponent) and np.all(n.high == exponent) and exponent.is_integer():
        across = (x.low <= 0) & (x.high >= 0)
        u, v = np.power(x.low, exponent), np.power(x.high, exponent)
        if exponent < 0:
            odd = exponent % 2 == 1
            least = np.where(across, -INF if odd else np.minimum(u, v), np.minimum(u, v))
            return Ranges(least, np.where(across, INF, np.maximum(u, v)), across)
        if exponent % 2 == 1:
            return Ranges(u, v)
        return Ranges(np.where(across, 0.0, np.minimum(u, v)), np.maximum(u, v))
    low, high = product(np.log(np.maximum(x.low, 0)), np.log(np.maximum(x.high, 0)), n.low, n.high)
    outside = x.high < 0
    # The edge at 0 is none for a power that is smooth there; boxes that begin at it are rough all the same.
    return Ranges(np.where(outside, np.nan, np.exp(low)), np.where(outside, np.nan, np.exp(high)), x.low <= 0)


_WHOLE = 2.0**40
"""Quotients up to which whole multiples of a divisor are exact enough."""


def _whole(x: Ranges, y: Ranges, part: np.ufunc) -> tuple[Array, Array, Mask]:
    """x - k*y for the whole part k of x/y, over boxes in which that is one number: the last array tells."""
    corners = np.stack(np.broadcast_arrays(x.low / y.low, x.low / y.high, x.high / y.low, x.high / y.high))
    k = part(corners.min(0))
    same = ((y.low > 0) | (y.high < 0)) & (k == part(corners.max(0))) & (np.abs(k) < _WHOLE)
    low, high = product(k, k, y.low, y.high)
    return x.low - high, x.high - low, same


def mod(x: Ranges, y: Ranges) -> Ranges:
    """x - y*floor(x/y) over boxes without a jump; the whole range of remainders else."""
    least, most, same = _whole(x, y, np.floor)
    size = np.maximum(np.abs(y.low), np.abs(y.high))
    first, last = np.where(y.low > 0, 0.0, -size), np.where(y.high < 0, 0.0, size)
    low, high = np.where(same, np.maximum(least, first), first), np.where(same, np.minimum(most, last), last)
    return Ranges(low, high, ~same)


def fmod(x: Ranges, y: Ranges) -> Ranges:
    """x - y*trunc(x/y) over boxes without a jump; the whole range of remainders else."""
    least, most, same = _whole(x, y, np.trunc)
    size = np.minimum(np.maximum(np.abs(y.low), np.abs(y.high)), np.maximum(np.abs(x.low), np.abs(x.high)))
    low = np.where(same, np.maximum(least, -size), np.where(x.low >= 0, 0.0, -size))
    high = np.where(same, np.minimum(most, size), np.where(x.high <= 0, 0.0, size))
    return Ranges(low, high, ~same)


def absolute(x: Ranges) -> Ranges:
    made = even(x, np.abs, 0.0)
    return Ranges(made.low, made.high, (x.low < 0) & (x.high > 0))


def copysign(x: Ranges, y: Ranges) -> Ranges:
    size = even(x, np.abs, 0.0)
    zero = (y.low == 0) & (y.high == 0)
    across = (y.low <= 0) & (y.high >= 0) & ~zero
    above = np.where(zero, ~np.signbit(y.low), y.low > 0)
    low = np.where(across, -size.high, np.where(above, size.low, -size.high))
    high = np.where(across, size.high, np.where(above, size.high, -size.low))
    return Ranges(low, high, across | ((x.low < 0) & (x.high > 0)))


def square(x: Ranges) -> Ranges:
    """A factor times itself, which is never negative."""
    return even(x, np.square, 0.0)
