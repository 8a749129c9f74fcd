"""Ranges of elementary functions whose turning points and poles have a rule of their own."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from gradcli.compute.backends.intervals.ranges import INF, Ranges, even, row


def tan(x: Ranges) -> Ranges:
    pole = np.floor(x.low / math.pi + 0.5) != np.floor(x.high / math.pi + 0.5)
    return Ranges(np.where(pole, -INF, np.tan(x.low)), np.where(pole, INF, np.tan(x.high)), pole)


def cot(x: Ranges) -> Ranges:
    pole = (np.floor(x.low / math.pi) != np.floor(x.high / math.pi)) | (x.low == 0)
    return Ranges(np.where(pole, -INF, 1 / np.tan(x.high)), np.where(pole, INF, 1 / np.tan(x.low)), pole)


def hypot(x: Ranges, y: Ranges) -> Ranges:
    a, b = even(x, np.abs, 0.0), even(y, np.abs, 0.0)
    low = np.hypot(a.low, b.low)
    return Ranges(low, np.hypot(a.high, b.high), low == 0)


def atan2(y: Ranges, x: Ranges) -> Ranges:
    """The angles of the corners of a box that the cut along the negative axis does not meet; else all angles."""
    cut = (y.low <= 0) & (y.high >= 0) & (x.low <= 0)
    corners = np.stack(np.broadcast_arrays(*[np.arctan2(v, u) for v in (y.low, y.high) for u in (x.low, x.high)]))
    return Ranges(np.where(cut, -math.pi, corners.min(0)), np.where(cut, math.pi, corners.max(0)), cut)


def gauss(x: Ranges) -> Ranges:
    return even(x, lambda v: np.exp(-np.square(v)), 1.0, top=True)


@lru_cache(32)
def hermite(n: int) -> tuple[float, ...]:
    """The zeros of the Hermite polynomial of degree n, at which the derivative of order n - 1 of exp(-x**2) turns."""
    return tuple(map(float, np.polynomial.hermite.hermroots([0] * n + [1])))


def dsinc(n: int, x: Ranges) -> Ranges:
    """The derivatives of sinc are bounded by pi**n/(n + 1), those of sin(t)/t by 1/(n + 1): the mean value form."""
    half = (x.high - x.low) / 2
    middle = row("dsinc", n)(x.low + half)
    bound, reach = math.pi**n / (n + 1), half * math.pi ** (n + 1) / (n + 2)
    low, high = np.fmax(middle - reach, -bound), np.fmin(middle + reach, bound)
    return Ranges(low, high)
