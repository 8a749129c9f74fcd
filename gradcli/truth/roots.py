"""All zeros of a function over an interval, isolated and proved by the interval Newton method on balls.

An interval is left where an enclosure of the values excludes 0. Where the slope excludes 0 there is at most one zero,
which Newton's operator m - f(m)/f'(X) proves by mapping an interval into its own interior, or excludes (Moore, Kearfott
and Cloud, Introduction to Interval Analysis, 2009, ch. 8). Where the first m - 1 derivatives may be 0 and the m-th is
not, there are at most m zeros: they are one zero of multiplicity m where a number in closed form is proved to be it.
Layer: must not know where a function comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from gradcli.truth.balls import Ball, BallError, arithmetic, number
from gradcli.truth.closed_forms import FINE, recognised
from gradcli.truth.intervals import Interval
from gradcli.truth.places import Place, box, ends

Taylor = Callable[[Ball, int], Sequence[Ball]]
"""The first Taylor coefficients of a function, as many as told, at all points of a ball. Raises BallError."""

WORK = 3000
"""Intervals that one search looks at, at most: a second or two."""
MOST = 200
"""Zeros that are found between two places, at most; what is beyond the last one stays undecided."""
_BITS = 128
_NARROW = Fraction(1, 2**36)
"""The share of the whole interval below which intervals are not cut further, and stay undecided."""
_GAP = Fraction(1, 2**60)
"""The share of the whole interval beside its ends that is left to what is known of the function there."""
_OFF = Fraction(33, 64)
"""Where intervals are cut: zeros like to be in the middle."""
_TERMS = 12
"""The highest multiplicity, and one more."""
_STEPS = 60
_EVERY = 8
"""Cuts after which a zero that is not simple is looked for."""


class Zeros(NamedTuple):
    """The zeros between two numbers, in order, and intervals where zeros are neither proved nor excluded.

    ``flat``: intervals over which the function is 0. ``gaps``: the parts beside the left and the right end, of a length
    of 2**-60 of the interval's at most, where the enclosures exclude no zero; None where they do.
    """

    places: list[Place]
    undecided: list[Interval]
    flat: list[Interval]
    gaps: tuple[Interval | None, Interval | None]


class Search:
    """The search for the zeros of one function. ``multiplicity`` of a number in closed form, 0 where it is no zero, and
    ``known`` zeros, whose multiplicity is right wherever they are zeros of this function, decide what is not simple.
    """

    def __init__(self, taylor: Taylor, multiplicity: Callable[[Place], int], known: Iterable[Place] = (),
                 work: int = WORK, cost: int = 1) -> None:  # fmt: skip
        """``work``: how many intervals may be looked at, each of which counts ``cost`` times."""
        self._taylor = taylor
        self._multiplicity = multiplicity
        self._known = list(known)
        self.left, self._cost = work, cost

    def over(self, low: Fraction, high: Fraction) -> Zeros:
        """All zeros between two numbers, ends included."""
        with arithmetic(_BITS):
            return self._over(low, high)

    def _over(self, low: Fraction, high: Fraction) -> Zeros:
        whole = high - low
        places: list[Place] = []
        cleared: list[Interval] = []
        undecided: list[Interval] = []
        flat: list[Interval] = []
        gaps: list[Interval | None] = [None, None]
        stack = [(low, high, 1)]
        while stack:
            a, b, depth = stack.pop()
            if any(c <= a and b <= d for c, d in cleared):
                continue
            self.left -= self._cost
            verdict = self._looked(a, b)
            if verdict == "open" and depth % _EVERY == 0:
                verdict = self._multiple(a, b, cleared)
            if isinstance(verdict, Place):
                if not places or not verdict.meets(places[-1]):
                    places.append(verdict)
            elif verdict == "flat":
                flat.append((a, b))
            elif verdict == "open":
                near = min(a - low, high - b)
                if self.left < 0 or len(places) >= MOST or (near and b - a < _NARROW * min(whole, 16 * near)):
                    undecided.append((a, b))
                elif not near and b - a < _GAP * whole:
                    gaps[a != low] = a, b
                else:
                    middle = _cut(a, b, a == low, b == high)
                    stack += [(middle, b, depth + 1), (a, middle, depth + 1)]
        inside = [p for p in places if p.low <= high and p.high >= low]
        undecided = [u for u in undecided if not any(c <= u[0] and u[1] <= d for c, d in cleared)]
        return Zeros(sorted(inside, key=lambda p: p.low), joined(undecided), joined(flat), (gaps[0], gaps[1]))

    def _coefficients(self, x: Ball, terms: int) -> Sequence[Ball] | None:
        """None where there are none, or they are not bounded."""
        try:
            found = self._taylor(x, terms)
        except BallError:
            return None
        return found if all(c.is_finite() for c in found) else None

    def _looked(self, a: Fraction, b: Fraction) -> Place | str:
        """The zero of an interval, "none", "flat" where all of it is 0, or "open"."""
        x = box(a, b)
        found = self._coefficients(x, 3)
        if found is None:
            # The value may be bounded where the slope is not.
            value = self._coefficients(x, 1)
            return "none" if value is not None and not value[0].contains(0) else "open"
        value, slope, bend = found
        if not value.contains(0):
            return "none"
        if value.is_zero() and slope.is_zero():
            return "flat"
        at = self._coefficients(number((a + b) / 2), 2)
        if at is not None:
            step = x - number((a + b) / 2)
            if not (at[0] + slope * step).contains(0) or not (at[0] + step * (at[1] + bend * step)).contains(0):
                return "none"
            if slope.contains(0):
                slope = at[1] + 2 * bend * step
        if slope.contains(0):
            return "open"
        return self._newton(a, b) or "open"

    def _newton(self, a: Fraction, b: Fraction) -> Place | str | None:
        """The zero in a slightly wider interval, if the slope has one sign there; "none"; None where neither is proved.

        Wider, since a zero at an end is never in the interior.
        """
        low, high = a - (b - a) / 16, b + (b - a) / 16
        for _ in range(_STEPS):
            image = self._image(low, high)
            if image is None:
                return None
            first, last = image
            if last < low or first > high:
                return "none"
            if low < first and last < high:
                place = self._refined(first, last)
                return place if place is None or place.meets(Place(a, b)) else "none"
            before = high - low
            low, high = max(low, first), min(high, last)
            if high < a or low > b:
                return "none"
            if high - low > before * Fraction(3, 4):
                return None
        return None

    def _image(self, low: Fraction, high: Fraction) -> Interval | None:
        """Newton's operator of an interval."""
        middle = number((low + high) / 2)
        x = box(low, high)
        found, at = self._coefficients(x, 3), self._coefficients(middle, 2)
        if found is None or at is None:
            return None
        slope = found[1]
        if slope.contains(0):
            slope = at[1] + 2 * found[2] * (x - middle)
            if slope.contains(0):
                return None
        image = middle - at[0] / slope
        return ends(image) if image.is_finite() else None

    def _refined(self, low: Fraction, high: Fraction) -> Place | None:
        """The simple zero that an interval holds, as narrow as the bits allow, in closed form where that is proved."""
        with arithmetic(FINE):
            for _ in range(_STEPS):
                image = self._image(low, high)
                if image is None:
                    break
                first, last = max(low, image[0]), min(high, image[1])
                if first > last:
                    return None
                done = (last - first) * 10 > (high - low) * 9 or first == last
                low, high = first, last
                if done:
                    break
        for guess in recognised(low, high):
            if self._multiplicity(guess) == 1:
                return guess._replace(multiplicity=1)
        return Place(low, high, None, 1)

    def _multiple(self, a: Fraction, b: Fraction, cleared: list[Interval]) -> Place | str:
        """The only zero in and around an interval, of whatever multiplicity, or "open". ``cleared`` gets the interval
        in which it is the only one.
        """
        low, high = a - (b - a), b + (b - a)
        found = self._coefficients(box(low, high), _TERMS)
        order = 0 if found is None else next((k for k, c in enumerate(found) if not c.contains(0)), 0)
        if not order:
            return "open"
        known = [p for p in self._known if low <= p.low and p.high <= high and p.multiplicity == order]
        guesses = (
            p._replace(multiplicity=order) for p in recognised(low, high)
            if low <= p.low and p.high <= high and self._multiplicity(p) == order
        )  # fmt: skip
        place = known[0] if known else next(guesses, None)
        if place is None:
            return "open"
        cleared.append((low, high))
        return place


def _cut(a: Fraction, b: Fraction, first: bool, last: bool) -> Fraction:
    """Where an interval is cut: near an end of the whole one, beside which the function may have no series."""
    width = b - a
    at = a + width / 8 if first and not last else b - width / 8 if last and not first else a + width * _OFF
    # Of few bits, since balls of long ends are wider than their intervals.
    step = Fraction(2) ** ((width / 64).numerator.bit_length() - (width / 64).denominator.bit_length())
    return round(at / step) * step


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Intervals in order, those that touch as one."""
    made: list[Interval] = []
    for a, b in sorted(intervals):
        if made and a <= made[-1][1]:
            made[-1] = made[-1][0], max(b, made[-1][1])
        else:
            made.append((a, b))
    return made
