"""Places: zeros and other points of an axis, each enclosed, and in closed form where it has a simple one.

Layer: must not know what happens at a place.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from gradcli.expr import Expr
from gradcli.truth.balls import Ball, number, unsure
from gradcli.truth.boxes import between

_FAR = 4000
"""The largest exponent of 2 of an end."""


class Place(NamedTuple):
    """A point between two rationals, ends included, or at both where they are equal.

    ``exact``: the number in closed form, None if none is known. ``multiplicity``: that of the zero which it is, 0 if
    that is not known. ``proved``: the point is surely there.
    """

    low: Fraction
    high: Fraction
    exact: Expr | None = None
    multiplicity: int = 0
    proved: bool = True

    @property
    def value(self) -> float:
        """The double nearest to the middle of the enclosure, infinite beyond their range."""
        middle = (self.low + self.high) / 2
        try:
            return float(middle)
        except OverflowError:
            return math.inf if middle > 0 else -math.inf

    @property
    def radius(self) -> float:
        """How far the point is from `value` at most, rounded up; infinite where the value is."""
        if math.isinf(self.value):
            return math.inf
        middle = Fraction(self.value)
        distance = max(abs(self.high - middle), abs(self.low - middle))
        radius = float(distance)
        return radius if Fraction(radius) >= distance else math.nextafter(radius, math.inf)

    def meets(self, other: Place) -> bool:
        """Whether the enclosures have a number in common."""
        return self.low <= other.high and other.low <= self.high

    def ball(self) -> Ball:
        """The enclosure as a ball at the current precision."""
        return box(self.low, self.high)


def box(low: Fraction, high: Fraction) -> Ball:
    """A ball around two numbers and all between them."""
    return number(low) if low == high else between(number(low).lower(), number(high).upper())


def ends(a: Ball) -> tuple[Fraction, Fraction]:
    """The ends of a finite ball, rounded outward. Raises BallError for numbers far beyond the doubles."""
    return _rounded(a.lower(), -1), _rounded(a.upper(), 1)


def _rounded(a: Ball, side: int) -> Fraction:
    if not a.is_finite():
        raise unsure()
    mantissa, exponent = a.man_exp()
    m, n = int(mantissa), int(exponent)
    size = m.bit_length() + n
    if m and size < -_FAR:
        # As a fraction it would have that many digits.
        return Fraction(side, 1 << _FAR) if (m > 0) == (side > 0) else Fraction(0)
    if size > _FAR:
        raise unsure()
    return Fraction(m << n) if n >= 0 else Fraction(m, 1 << -n)


def simplest(low: Fraction, high: Fraction, most: int) -> Fraction | None:
    """The rational of least denominator between two numbers, by continued fractions (Graham, Knuth and Patashnik,
    Concrete Mathematics, 4.5); None if it or its size is larger than ``most``.

    >>> simplest(Fraction(314, 100), Fraction(315, 100), 100)
    Fraction(22, 7)
    """
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        opposite = simplest(-high, -low, most)
        return None if opposite is None else -opposite
    a, b = low.as_integer_ratio()
    c, d = high.as_integer_ratio()
    above, below = (0, 1), (1, 0)
    while True:
        first = -(-a // b)
        last = first * d <= c
        term = first if last else a // b
        above, below = (above[1], term * above[1] + above[0]), (below[1], term * below[1] + below[0])
        if above[1] > most or below[1] > most:
            return None
        if last:
            return Fraction(above[1], below[1])
        a, b, c, d = d, c - term * d, b, a - term * b
