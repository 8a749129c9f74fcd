"""The least and the greatest value of an expression over a box, proved.

Interval branch and bound with the mean value form and the monotony test (Hansen and Walster, Global optimization using
interval analysis, 2004, chapters 7 and 12).
Layer: must not know how a box was written.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import count
from typing import NamedTuple

from flint import arb

from gradcli.calculus.derive import derivatives, expand
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr
from gradcli.truth.balls import Ball, BallError, arithmetic, number
from gradcli.truth.boxes import Boxes

WORK = 2_000_000
"""Operations of one search; then the enclosure is as narrow as it has become."""
_BITS = 128
_NARROW = Fraction(1, 2**40)
"""The share of a box below which a part without a value is not cut further."""

Interval = tuple[Fraction, Fraction]


class Enclosure(NamedTuple):
    """Two doubles that an extreme surely lies between."""

    low: float
    high: float


def bounds(
    root: Expr, box: Mapping[str, Interval], powers: Mapping[str, int], tol: float
) -> tuple[Enclosure, Enclosure]:
    """The least and the greatest value over the box of the partial derivative of these powers (none: of the value).

    Each is enclosed to ``tol``, relative where it is larger than 1, if the work allows it. Points and literals mean
    their exact decimals. Raises GradError where the expression has no value, or is not bounded, in a part of the box.
    """
    with arithmetic(_BITS):
        search = _Search(root, box, powers, tol)
        low, high = search.least(1), search.least(-1)
        return Enclosure(_below(low[0]), _above(low[1])), Enclosure(_below(-high[1]), _above(-high[0]))


def _below(x: Ball) -> float:
    value = float(x.lower())
    return math.nextafter(value, -math.inf) if arb(value) > x.lower() else value + 0.0


def _above(x: Ball) -> float:
    return 0.0 - _below(-x)


def _partial(root: Expr, names: list[str], powers: Mapping[str, int]) -> Expr:
    order = sum(powers.values())
    if not order:
        return root
    index = tuple([k for k, name in enumerate(names) for _ in range(powers.get(name, 0))])
    return derivatives(root, names, order).get(index, ZERO)


def _ball(low: Fraction, high: Fraction, whole: Interval) -> Ball:
    """A ball around an interval, not wider at an end of the whole box, which may be the end of a domain."""
    if low == high:
        return number(low)
    half = number((high - low) / 2)
    wide = arb(half, half).nonnegative_part()
    return number(high) - wide if high == whole[1] and low != whole[0] else number(low) + wide


def _cut(low: Fraction, high: Fraction) -> Fraction:
    """A number of few bits in the middle half: ends of few bits make balls that are not wider than their boxes."""
    width = (high - low) / 4
    step = Fraction(2) ** (width.numerator.bit_length() - width.denominator.bit_length() - 1)
    return round((low + high) / 2 / step) * step


class _Search:
    def __init__(self, root: Expr, box: Mapping[str, Interval], powers: Mapping[str, int], tol: float) -> None:
        (root,) = expand([root])
        self._names = list(box)
        target = _partial(root, self._names, powers)
        slopes = derivatives(target, self._names, 1)
        self._boxes = Boxes([target, *[slopes.get((k,), ZERO) for k in range(len(self._names))]])
        self._value = Boxes([target])
        self._whole = tuple(box.values())
        self._tol = arb(tol)

    def _at(self, place: tuple[Fraction, ...], sign: int) -> Ball | None:
        """The value at a point; None where there is none."""
        (value,) = self._value.values({n: number(x) for n, x in zip(self._names, place, strict=True)})
        return None if isinstance(value, BallError) or not value.is_finite() else value * sign

    def _lower(
        self, box: tuple[Interval, ...], sign: int
    ) -> tuple[Ball | None, tuple[Interval, ...], BallError | None]:
        """A lower bound in the box, None if there is none, and the part of the box that has the least value."""
        sides = zip(self._names, box, self._whole, strict=True)
        balls = {n: _ball(*side, whole) for n, side, whole in sides}
        value, *slopes = self._boxes.values(balls)
        if isinstance(value, BallError):
            return None, box, value
        if not value.is_finite():
            return None, box, None
        low = (value * sign).lower()
        bounded: list[Ball] = [None if isinstance(s, BallError) or not s.is_finite() else s * sign for s in slopes]
        if self._boxes.jumps or None in bounded:
            return low, box, None
        middle = tuple([(a + b) / 2 for a, b in box])
        at = self._at(middle, sign)
        if at is not None:
            change = sum(
                (s * (balls[n] - number(m)) for s, n, m in zip(bounded, self._names, middle, strict=True)), arb(0)
            )
            low = low.max((at + change).lower())
        part = tuple(
            [(a, a) if s >= 0 else (b, b) if s <= 0 else (a, b) for s, (a, b) in zip(bounded, box, strict=True)]
        )
        if part != box and all(a == b for a, b in part):
            end = self._at(tuple([a for a, _ in part]), sign)
            low = low if end is None else low.max(end.lower())
        return low, part, None

    def least(self, sign: int) -> tuple[Ball, Ball]:
        """Balls below and above the least value of sign times the expression."""
        order, work = count(), 0
        best: Ball | None = None
        heap: list[tuple[float, int, Ball | None, tuple[Interval, ...]]] = []

        def push(box: tuple[Interval, ...]) -> None:
            nonlocal best
            low, part, error = self._lower(box, sign)
            if error is not None and error.final:
                raise self._refusal(box)
            value = self._at(tuple([(a + b) / 2 for a, b in part]), sign)
            if value is not None and (best is None or value.upper() < best):
                best = value.upper()
            heapq.heappush(heap, (-math.inf if low is None else _below(low), next(order), low, part))

        push(self._whole)
        while True:
            _, _, low, box = heapq.heappop(heap)
            if low is not None and best is not None:
                if best - low <= self._tol * abs(best).max(arb(1)) or work > WORK:
                    return low.min(best), best
            elif work > WORK:
                raise self._refusal(box)
            sides = [
                (b - a) / (d - c) if d > c else Fraction(0) for (a, b), (c, d) in zip(box, self._whole, strict=True)
            ]
            widest = max(range(len(box)), key=sides.__getitem__)
            if sides[widest] < _NARROW:
                if low is None or best is None:
                    raise self._refusal(box)
                return low.min(best), best
            a, b = box[widest]
            middle = _cut(a, b)
            for side in ((a, middle), (middle, b)):
                push((*box[:widest], side, *box[widest + 1 :]))
            work += 4 * self._boxes.work

    def _refusal(self, box: tuple[Interval, ...]) -> GradError:
        place = ", ".join(f"{n}={float((a + b) / 2):.6g}" for n, (a, b) in zip(self._names, box, strict=True))
        return GradError(
            f"the expression has no value, or no bound, near {place}", hint="leave that place out of the box"
        )
