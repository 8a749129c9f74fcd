"""An expression along lines through a point: its value, the germs on both sides, mixed partials by polarisation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from flint import fmpq

from gradcli.expr import Expr
from gradcli.truth.budget import MoreTermsError, UndefinedError, UnknownError
from gradcli.truth.field import Field
from gradcli.truth.germs import distance, evaluate
from gradcli.truth.growth import Growth
from gradcli.truth.numbers import ZERO, Exact, add, mul, neg
from gradcli.truth.series import Germ, constant, minus
from gradcli.truth.series_functions import OSCILLATION, Limit, derivative, limit

Point = Mapping[str, "Expr | float"]
"""Closed expressions, which are exact, or doubles."""

_OF_A_VALUE = (1, 8, 32)
"""Terms kept for the value at a point: one, but in rows that are the n-th derivatives of others."""

DIRECTIONS = 12
"""Directions that must agree on a mixed partial derivative."""
_SCALES = ((1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2), (3, 1), (1, 3), (3, -1), (1, -3), (3, 2), (2, 3))
"""Factors of the axes whose sums are the directions: of the first variable, and of all others."""


class Side(NamedTuple):
    """The germ beside the point and the limits of its derivatives from order 0, in the direction of the line."""

    germ: Germ
    limits: list[Limit]


class Both(NamedTuple):
    """The value at the point, None if there is none, and the sides that there are."""

    value: Exact | None
    left: Side | None
    right: Side | None
    why: str


def numbers(point: Point, field: Field) -> dict[str, Exact]:
    """The coordinates as exact numbers. Raise UndefinedError at infinity and nan."""
    found: dict[str, Exact] = {}
    for name, value in point.items():
        number = value.value if isinstance(value, Expr) and value.op == "const" else value
        if isinstance(number, float):
            if not math.isfinite(number):
                raise UndefinedError(f"{name} is {number}")
            number = Fraction(number)
        if isinstance(number, Fraction):
            found[name] = fmpq(number.numerator, number.denominator)
        else:
            assert isinstance(number, Expr)
            field.budget.terms = 1
            germ = evaluate(number, {}, field)
            if germ.value is None:
                raise UnknownError(f"{name} is no number")
            found[name] = germ.value
    return found


class Lines:
    """An expression along lines through one point."""

    def __init__(self, root: Expr, at: Mapping[str, Exact], field: Field) -> None:
        self.root = root
        self.at = at
        self.field = field

    def value(self) -> Exact | None:
        """The value at the point."""
        names = {name: constant(self.field, a) for name, a in self.at.items()}
        for self.field.budget.terms in _OF_A_VALUE:
            try:
                return evaluate(self.root, names, self.field).value
            except UndefinedError:
                return None
            except MoreTermsError:
                continue
        raise UnknownError("a value that hides behind an O-term")

    def side(self, direction: Mapping[str, int], order: int, least: int = 6) -> Side:
        """The germ on one side. Raise UndefinedError where the function is not defined there."""
        budget = self.field.budget
        budget.terms, most = max(least, order + 3), max(4 * order + 24, 2 * least)
        while True:
            t = distance(self.field)
            names = {name: constant(self.field, a) for name, a in self.at.items()}
            for name, factor in direction.items():
                names[name] = names[name] + t * factor
            try:
                germ = evaluate(self.root, names, self.field)
                return Side(germ, _limits(germ, order))
            except MoreTermsError:
                if budget.terms >= most:
                    raise UnknownError(f"{most} terms cancel") from None
                budget.terms = min(2 * budget.terms, most)

    def both(self, direction: Mapping[str, int], order: int) -> Both:
        """The value and both sides, their derivatives in one direction."""
        sides: list[Side | None] = []
        why = ""
        value = self.value()
        for sign in (-1, 1):
            try:
                side = self.side({name: sign * factor for name, factor in direction.items()}, order)
            except UndefinedError as undefined:
                sides.append(None)
                why = str(undefined)
            else:
                sides.append(_turned(side) if sign < 0 else side)
        left, right = sides
        return Both(value, left, right, why)

    def smooth(self, direction: Mapping[str, int], order: int) -> list[Exact] | None:
        """The derivatives from order 0 along a line, None unless all of them exist."""
        value, left, right, _ = self.both(direction, order)
        sides = [side for side in (left, right) if side is not None]
        if value is None or not sides or not agree(Limit(value), sides[0].limits[0], self.field):
            return None
        first = sides[0].limits
        if not all(agree(x, y, self.field) for side in sides for x, y in zip(side.limits, first, strict=True)):
            return None
        values = [x.value for x in first if x.value is not None]
        return values if len(values) > order else None


def _limits(germ: Germ, order: int) -> list[Limit]:
    """The limits of the derivatives in t, from order 0."""
    limits = [limit(germ)]
    slope = germ
    for k in range(1, order + 1):
        if germ.oscillates:
            # The slope of an oscillation has no limit; its difference quotient may have one.
            value = limits[0].value
            if k == 1 and value is not None:
                difference = minus(germ, germ.number(value))
                limits.append(limit(difference.shifted(Growth((), -1, 0))))
            else:
                limits.append(OSCILLATION)
        else:
            slope = derivative(slope)
            limits.append(limit(slope))
    return limits


def _turned(side: Side) -> Side:
    """The derivatives against the direction as those in it."""
    limits = [
        x if k % 2 == 0 else Limit(neg(x.value)) if x.value is not None else Limit(None, -x.sign)
        for k, x in enumerate(side.limits)
    ]
    return Side(side.germ, limits)


def agree(a: Limit, b: Limit, field: Field) -> bool:
    if a.value is None or b.value is None:
        return a.value is b.value and a.sign == b.sign and not a.oscillates
    return field.compare(a.value, b.value) == 0


def polarised(lines: Lines, powers: Mapping[str, int]) -> float | None:
    """A mixed partial from derivatives along sums of axes; None where twelve directions do not agree.

    With D(b) for the n-th derivative along b, n = |a|, every scale s of the axes has
    s^a * d^a f = sum over 0 != b <= a of (-1)^(n - |b|) * prod(C(a_i, b_i)) * D(s*b)/n!.
    """
    names = [name for name, count in powers.items() if count]
    counts = [powers[name] for name in names]
    if not names:
        return None
    known: dict[tuple[int, ...], list[Exact] | None] = {}
    result: Exact | None = None
    for first, others in _SCALES[: 1 if len(names) == 1 else None]:
        scales = [first] + [others] * (len(names) - 1)
        total = _on_scale(lines, names, counts, scales, known)
        if total is None or (result is not None and lines.field.compare(total, result) != 0):
            return None
        result = total
        if len(known) >= DIRECTIONS and (first, others) != _SCALES[0]:
            break
    return None if result is None else lines.field.double(result)


def _on_scale(
    lines: Lines, names: Sequence[str], counts: Sequence[int], scales: Sequence[int],
    known: dict[tuple[int, ...], list[Exact] | None],
) -> Exact | None:  # fmt: skip
    order = sum(counts)
    total: Exact = ZERO
    for b in product(*[range(count + 1) for count in counts]):
        if not any(b):
            continue
        vector = [scale * k for scale, k in zip(scales, b, strict=True)]
        # D is homogeneous of degree n, so that a direction and its multiples are one.
        length = math.gcd(*vector) * (1 if next(filter(None, vector)) > 0 else -1)
        key = tuple(k // length for k in vector)
        along = _along(lines, names, key, order, known)
        if along is None:
            return None
        factor = (-1) ** (order - sum(b)) * math.prod(map(math.comb, counts, b)) * length**order
        total = add(total, mul(fmpq(factor, math.factorial(order)), along[order]))
    return mul(total, 1 / fmpq(math.prod(map(pow, scales, counts))))


def _along(
    lines: Lines, names: Sequence[str], vector: tuple[int, ...], order: int,
    known: dict[tuple[int, ...], list[Exact] | None],
) -> list[Exact] | None:  # fmt: skip
    """The derivatives along a direction; None where one does not exist, or the first is not linear in the direction."""
    if vector not in known:
        found = lines.smooth(dict(zip(names, vector, strict=True)), order)
        if found is not None and sum(map(bool, vector)) > 1:
            slope: Exact = ZERO
            for k, share in enumerate(vector):
                axis = tuple(int(j == k) for j in range(len(vector)))
                along = _along(lines, names, axis, order, known) if share else found
                if along is None:
                    found = None
                    break
                slope = add(slope, mul(fmpq(share), along[1]))
            if found is not None and lines.field.compare(slope, found[1]) != 0:
                found = None
        known[vector] = found
    return known[vector]
