"""Intervals of rational numbers: where to cut them, and which number stands for them.

Layer: must not know balls.
"""

from __future__ import annotations

import math
from fractions import Fraction

Interval = tuple[Fraction, Fraction]
_FAR = 2**6
"""How much the sizes of two ends differ that are cut between by size."""


def cut(low: Fraction, high: Fraction) -> Fraction:
    """A number between of few bits, since ends of few bits make balls that are not wider than their boxes: in the
    middle half, or by size where the ends differ much in size.
    """
    if high <= 0 and low < 0:
        return -cut(-high, -low)
    if low < 0:
        if max(-low, high) > _FAR * max(Fraction(1), min(-low, high)):
            return Fraction(0)
    elif high > _FAR * (low or Fraction(1)):
        return Fraction(2) ** ((_exponent(low or Fraction(1)) + _exponent(high)) // 2)
    step = Fraction(2) ** _exponent((high - low) / 4)
    return round((low + high) / 2 / step) * step


def _exponent(x: Fraction) -> int:
    """The logarithm to base 2, rounded down or one less."""
    return x.numerator.bit_length() - x.denominator.bit_length() - 1


def length(side: Interval, whole: Interval) -> Fraction:
    """A length as a share of the whole one, or of the numbers there if they are smaller."""
    low, high = side
    size = Fraction(1) if low <= 0 <= high else min(abs(low), abs(high))
    return (high - low) / min(whole[1] - whole[0], size) if high > low else Fraction(0)


def shortest(low: Fraction, high: Fraction) -> Fraction:
    """The decimal of fewest digits in an interval."""
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -shortest(-high, -low)
    if low == high:
        return low
    step = Fraction(10) ** (len(str(int(high))) - 1)
    while math.ceil(low / step) * step > high:
        step /= 10
    return math.ceil(low / step) * step
