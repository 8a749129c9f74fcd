"""A proved bound on the error of a polynomial over an interval.

Branch and bound on the difference of function and polynomial: over each part the difference is its Taylor polynomial
about the middle, with the last coefficient enclosed by a ball over the whole part, which is the Lagrange form of the
remainder (Moore, Kearfott and Cloud, Introduction to Interval Analysis, 2009, chapter 9). Where there is no such
series, as at a kink, or where the part is too wide for one, the difference of the two enclosures serves.
Layer: must not know how an interval was written.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import count
from typing import NamedTuple

from flint import arb, arb_poly

from gradcli.calculus.derive import expand
from gradcli.errors import GradError
from gradcli.expr import Expr, spell_name
from gradcli.truth.balls import Ball, BallError, arithmetic, number, with_terms
from gradcli.truth.boxes import between
from gradcli.truth.closed import Number
from gradcli.truth.intervals import cut
from gradcli.truth.jets import Jet
from gradcli.truth.taylor import Point, balls

_BITS = 320
_TERMS = 32
"""The most terms of the series over a part."""
_WORK, _LEAST, _MOST = 500_000, 100, 2000
"""Operations of one search, about a second, and the least and the most parts that it looks at."""
_CLOSE = 1.001
"""The ratio of what is proved to what is reached at which the search ends."""
_NOTHING = 1e-60
"""An error that ends the search: the bits of the balls allow no smaller one."""
_NARROW = Fraction(1, 2**40)
"""The share of the interval below which a part without an enclosure is not cut further."""


class Remainder(NamedTuple):
    """``bound``: a double that the error surely does not exceed; ``reached``: one that it surely reaches somewhere."""

    bound: float
    reached: float


class NoRemainderError(GradError):
    """No bound can be proved."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="leave that place out of the range", exit_code=1)


def remainder(
    root: Expr, point: Point, wrt: str, coefficients: Sequence[Number], low: Fraction, high: Fraction
) -> Remainder:
    """The bound of \\|f - p\\| over low..high, where p has these coefficients about the point.

    Coefficients that are doubles mean these doubles: it is the polynomial as printed that is bounded. Raises
    NoRemainderError where the function has no value, or no enclosure, in the interval.

    >>> from gradcli.expr import ZERO, apply, var
    >>> bound, reached = remainder(apply("exp", var("x")), {"x": ZERO}, "x", [Fraction(1), Fraction(1)],
    ...                            Fraction(0), Fraction(1, 10))
    >>> 0.00517 < reached <= bound < 0.0053  # exp(0.1) - 1.1 is 0.0051709...
    True
    """
    (root,) = expand([root])
    with arithmetic(_BITS):
        low_bound, high_bound = _Search(root, point, wrt, coefficients).run(low, high)
    return Remainder(high_bound, low_bound)


class _Search:
    def __init__(self, root: Expr, point: Point, wrt: str, coefficients: Sequence[Number]) -> None:
        self._jet = Jet(root, doubles=False)
        self._wrt = wrt
        self._at = balls(point)
        self._polynomial = arb_poly([_ball(c) for c in coefficients])
        self._direction = {wrt: 1} if wrt in self._jet.variables else {}
        self._terms = min(len(coefficients) + 1, _TERMS)
        self._keys = count()

    def _series(self, place: Ball, terms: int) -> list[Ball]:
        """The coefficients of the difference at a place, or over it."""
        point, key = {**self._at, self._wrt: place}, (next(self._keys),)
        direction = self._direction if terms > 1 else {}
        function = with_terms(terms, lambda: self._jet.run(point, key, direction))
        shift = place - self._at[self._wrt]
        if terms == 1:
            return [function[0] - self._polynomial(shift)]
        shifted = self._polynomial(arb_poly([shift, 1]))
        return [c - shifted[k] for k, c in enumerate(function)]

    def _enclosed(self, low: Fraction, high: Fraction) -> tuple[Ball, Ball | None]:
        """Balls: above all errors in a part, and the error in its middle, None if there is none."""
        middle = (low + high) / 2
        whole, half = between(number(low), number(high)), number(high - low) / 2
        m = self._terms
        try:
            last = self._series(whole, m + 1)[m]
            series = self._series(number(middle), m)
            bound, power = arb(0), arb(1)
            for c in [*series, last]:
                bound += abs(c) * power
                power *= half
            if bound.is_finite():
                upper = bound.upper()
                if abs(last).upper() * half**m > abs(series[0]):
                    # The part is wide for a series: plain enclosures may say more.
                    plain = abs(self._series(whole, 1)[0]).upper()
                    upper = plain if plain < upper else upper
                return upper, abs(series[0]).lower()
        except BallError:
            pass
        at = None
        try:
            at = abs(self._series(number(middle), 1)[0])
        except BallError as error:
            if error.why in ("domain", "pole"):
                raise
        return abs(self._series(whole, 1)[0]).upper(), None if at is None else at.lower()

    def run(self, low: Fraction, high: Fraction) -> tuple[float, float]:
        """Two doubles that the largest error lies between."""
        order, parts = count(), 0
        most = max(_LEAST, min(_MOST, _WORK // (self._jet.weight * self._terms)))
        reached = 0.0
        heap: list[tuple[float, int, Fraction, Fraction]] = []

        def push(a: Fraction, b: Fraction) -> None:
            nonlocal reached, parts
            parts += 1
            bound = math.inf
            try:
                upper, at = self._enclosed(a, b)
                bound = _up(upper)
                if at is not None and at.is_finite():
                    reached = max(reached, -_up(-at))
            except BallError as error:
                if (error.final and error.why in ("domain", "pole")) or b - a <= _NARROW * (high - low):
                    raise self._refusal(error, a, b) from None
            heapq.heappush(heap, (-bound, next(order), a, b))

        for end in (low, high):
            push(end, end)
        push(low, high)
        while True:
            bound, _, a, b = heapq.heappop(heap)
            close = -bound <= max(reached * _CLOSE, _NOTHING)
            if close or (parts >= most and bound > -math.inf) or a == b:
                return reached, -bound
            if parts >= 2 * most or b - a <= _NARROW * (high - low):
                raise self._refusal(None, a, b)
            middle = cut(a, b)
            push(a, middle)
            push(middle, b)

    def _refusal(self, error: BallError | None, low: Fraction, high: Fraction) -> NoRemainderError:
        place = f"{spell_name(self._wrt)}={float((low + high) / 2):.6g}"
        if error is not None and error.why in ("domain", "pole"):
            return NoRemainderError(f"the error has no bound: there is no value at {place}")
        return NoRemainderError(f"no bound of the error could be proved near {place}")


def _ball(coefficient: Number) -> Ball:
    if isinstance(coefficient, Fraction):
        return number(coefficient)
    if isinstance(coefficient, float):
        return arb(coefficient)
    return Jet(coefficient, doubles=False).run({}, (), {})[0]


def _up(x: Ball) -> float:
    """A double that is not below any number of a ball; infinite for one without bounds."""
    if not x.is_finite():
        return math.inf
    high = x.upper()
    value = float(high)
    return math.nextafter(value, math.inf) if arb(value) < high else value
