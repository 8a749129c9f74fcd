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
from itertools import count, product
from typing import NamedTuple

from flint import arb

from gradcli.calculus.derive import derivatives, expand
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, const, exact, reachable, spell_name, substitute, variables
from gradcli.functions.row import positive
from gradcli.truth.balls import Ball, BallError, arithmetic, number
from gradcli.truth.boxes import Boxes
from gradcli.truth.domains import margins
from gradcli.truth.intervals import Interval, cut, length, shortest
from gradcli.truth.places import box as ball_of

WORK = 200_000
"""Operations of one search, about half a second; then the enclosure is as narrow as it has become."""
_BOX = 40
"""What a box costs beside its operations."""
_BITS = 128
_NARROW = Fraction(1, 2**40)
"""The length of sides below which a part without a value is not cut further."""
_NARROWEST = Fraction(1, 2**240)
"""The length below which no part is cut."""
_CORNERS = 64

Box = tuple[Interval, ...]


class Enclosure(NamedTuple):
    """Two doubles that an extreme surely lies between."""

    low: float
    high: float


class NoBoundError(GradError):
    """An expression has no value, or no bound that can be proved, in a part of a box."""


def bounds(
    root: Expr, box: Mapping[str, Interval], powers: Mapping[str, int], tol: float
) -> tuple[Enclosure, Enclosure]:
    """The least and the greatest value over the box of the partial derivative of these powers (none: of the value).

    Each is enclosed to ``tol``, relative where it is larger than 1, if the work allows it. Points and literals mean
    their exact decimals. Raises NoBoundError where the expression has no value, or is not bounded, in a part of the
    box.
    """
    (root,) = expand([root])
    order = sum(powers.values())
    return extremes(_partial(root, list(box), powers), box, tol, derivative=order > 0)


def extremes(
    e: Expr, box: Mapping[str, Interval], tol: float, *, derivative: bool = False, work: int = WORK
) -> tuple[Enclosure, Enclosure]:
    """`bounds` of an expression itself, which may be a ``derivative``, by at most so much ``work`` each."""
    with arithmetic(_BITS):
        search = _Search(e, box, tol, derivative, work)
        low, high = search.least(1), search.least(-1)
        return Enclosure(_below(low[0]), _above(low[1])), Enclosure(_below(-high[1]), _above(-high[0]))


def _below(x: Ball) -> float:
    value = float(x.lower())
    return math.nextafter(value, -math.inf) if arb(value) > x.lower() else value + 0.0


def _above(x: Ball) -> float:
    return 0.0 - _below(-x)


def _signed(x: Ball, sign: int) -> Ball:
    return x if sign > 0 else -x


def _partial(root: Expr, names: list[str], powers: Mapping[str, int]) -> Expr:
    order = sum(powers.values())
    if not order:
        return root
    index = tuple([k for k, name in enumerate(names) for _ in range(powers.get(name, 0))])
    return derivatives(root, names, order).get(index, ZERO)


def _never_negative(e: Expr, box: Mapping[str, Interval], work: int, inside: set[Expr]) -> bool:
    """Whether an expression is proved to be nowhere negative in a box."""
    if not e.variables:
        return False
    sides = {n: side for n, side in box.items() if n in variables(e)}
    try:
        low, _ = _Search(e, sides, 0.0, False, work, inside).least(1)
    except NoBoundError:
        return False
    return bool(low >= 0)


class _Search:
    def __init__(self, e: Expr, box: Mapping[str, Interval], tol: float, derivative: bool, work: int,
                 inside: set[Expr] | None = None) -> None:  # fmt: skip
        """``inside``: nodes whose arguments are in their domain. If they are told, whether the expression is nowhere
        negative is all that is asked.
        """
        self._names = list(box)
        found = derivatives(e, self._names, 1)
        slopes = [found.get((k,), ZERO) for k in range(len(self._names))]
        self._root = e
        self._boxes = Boxes([e, *slopes])
        self._value = Boxes([e])
        self._rising = [positive(slope) for slope in slopes]
        self._positive = positive(e)
        self._derivative, self._asked = derivative, inside is not None
        self._whole = tuple(box.values())
        # A little less, since the ends are rounded outwards.
        self._tol = arb(tol) * arb("0.999")
        self._work, self._limit = 0, work
        unproved = self._boxes.unproved() if inside is None else []
        inside = set() if inside is None else inside
        for part in (self._boxes, self._value):
            part.inside = inside
        for node in unproved:
            # Its argument comes before it, and what stands there is proved already.
            if all(_never_negative(margin, box, work // (4 * len(unproved)), inside) for margin in margins(node)):
                inside.add(node)

    def _at(self, place: tuple[Fraction, ...], sign: int) -> Ball | None:
        """The value at a point; None where there is none, or a convention."""
        point = {n: number(x) for n, x in zip(self._names, place, strict=True)}
        self._work += self._value.work
        (value,) = self._value.values(point)
        if isinstance(value, BallError) or not value.is_finite():
            return None
        if self._asked and not value.is_exact() and value.contains(0):
            constants: dict[str, Expr] = {n: const(x) for n, x in zip(self._names, place, strict=True)}
            rational = exact(substitute([self._root], constants)[0])
            value = value if rational is None else number(rational)
        if self._derivative and self._value.tied(point):
            return None
        return _signed(value, sign)

    def _lower(self, box: Box, sign: int) -> tuple[Ball | None, Box, BallError | None]:
        """A lower bound in the box, None if there is none, and the part of the box that has the least value."""
        self._work += self._boxes.work + _BOX
        balls = {n: ball_of(*side) for n, side in zip(self._names, box, strict=True)}
        value, *slopes = self._boxes.values(balls)
        if isinstance(value, BallError):
            return None, box, value
        if not value.is_finite():
            return None, box, None
        low = _signed(value, sign).lower()
        if self._positive and sign > 0:
            low = low.max(arb(0))
        if self._boxes.jumps:
            return low, box, None
        bounded: list[Ball] = [
            None if isinstance(s, BallError) or not s.is_finite() else _signed(s, sign) for s in slopes
        ]
        if None not in bounded:
            middle = tuple([(a + b) / 2 for a, b in box])
            at = self._at(middle, sign)
            if at is not None:
                steps = zip(bounded, self._names, middle, strict=True)
                low = low.max((at + sum((s * (balls[n] - number(m)) for s, n, m in steps), arb(0))).lower())
        part = tuple(
            [self._end(side, s, k, sign) for k, (side, s) in enumerate(zip(box, bounded, strict=True))],
        )
        if part != box and all(a == b for a, b in part):
            end = self._at(tuple([a for a, _ in part]), sign)
            low = low if end is None else low.max(end.lower())
        return low, part, None

    def _end(self, side: Interval, slope: Ball | None, k: int, sign: int) -> Interval:
        """The end of a side at which the expression is least, the whole side if that is not known."""
        a, b = side
        if self._rising[k]:
            return (a, a) if sign > 0 else (b, b)
        if slope is None:
            return side
        return (a, a) if slope >= 0 else (b, b) if slope <= 0 else side

    def _corners(self, sign: int) -> list[Ball]:
        """The values at corners of the whole box."""
        sides = [(a,) if a == b else (a, b) for a, b in self._whole]
        if math.prod(map(len, sides)) > _CORNERS:
            places = [tuple([side[end] for side in sides]) for end in (0, -1)]
        else:
            places = list(product(*sides))
        values = [self._at(place, sign) for place in places if self._work <= self._limit // 2]
        return [v for v in values if v is not None]

    def least(self, sign: int) -> tuple[Ball, Ball]:
        """Balls below and above the least value of sign times the expression."""
        self._work = 0
        order = count()
        best: Ball | None = None
        heap: list[tuple[float, int, Ball | None, Box]] = []

        def seen(value: Ball | None) -> None:
            nonlocal best
            if value is not None and (best is None or value.upper() < best):
                best = value.upper()

        def push(box: Box) -> None:
            low, part, error = self._lower(box, sign)
            if error is not None and error.final:
                raise self._refusal(box)
            seen(self._at(tuple([(a + b) / 2 for a, b in part]), sign))
            heapq.heappush(heap, (-math.inf if low is None else _below(low), next(order), low, part))

        for corner in self._corners(sign):
            seen(corner)
        push(self._whole)
        while True:
            _, _, low, box = heapq.heappop(heap)
            sides = [
                (b - a) / (d - c) if d > c else Fraction(0) for (a, b), (c, d) in zip(box, self._whole, strict=True)
            ]
            widest = max(range(len(box)), key=sides.__getitem__, default=0)
            share = max([length(*pair) for pair in zip(box, self._whole, strict=True)], default=Fraction(0))
            if low is not None and best is not None:
                close = best - low <= self._tol * abs(best).max(arb(1))
                if self._asked:
                    close = low >= 0 or best < 0
                if close or self._work > self._limit or share < _NARROWEST:
                    seen(self._at(tuple([shortest(a, b) for a, b in box]), sign))
                    return low.min(best), best
            elif share < _NARROW:
                raise self._refusal(box)
            elif self._work > self._limit:
                raise self._refusal(box, " within the limit of work")
            a, b = box[widest]
            middle = cut(a, b)
            for side in ((a, middle), (middle, b)):
                push((*box[:widest], side, *box[widest + 1 :]))

    def _refusal(self, box: Box, limit: str = "") -> NoBoundError:
        """Why there is no bound, and at which place of a small box."""
        place = [shortest(a, b) for a, b in box]
        values = zip(self._names, place, strict=True)
        where = ", ".join([f"{spell_name(n)}={repr(float(x)).removesuffix('.0')}" for n, x in values])
        (value,) = self._value.values({n: number(x) for n, x in zip(self._names, place, strict=True)})
        if isinstance(value, BallError) and value.why in ("domain", "pole"):
            return NoBoundError(f"no value at {where}", hint="leave that place out of the box")
        hint = "a smaller box may have bounds" if limit else "leave that place out of the box"
        if not isinstance(value, BallError) and any(e.op == "where" for e in reachable([self._root])):
            hint = (
                "a branch of `where` may have no value there; a function without a hole has bounds, "
                "such as sinc, exprel, expm1 and log1p"
            )
        return NoBoundError(f"no bound that could be proved near {where}{limit}", hint=hint)
