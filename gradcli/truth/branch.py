"""The branch y(x) of a curve F(x, y) = 0 through a point: its derivatives there, exact where they have a closed form.

By the implicit function theorem there is one branch where F is analytic and dF/dy is not 0; its series comes from
Newton's iteration on power series, which doubles the terms that are right (Brent and Kung, Fast algorithms for
manipulating formal power series, J. ACM 25, 1978).
Layer: must not know equations as texts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple

from flint import arb, arb_series, ctx, fmpq

from gradcli.calculus.derive import derivatives, expand
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, readable
from gradcli.truth.balls import Ball, BallError, arithmetic, unsure
from gradcli.truth.budget import Budget, MoreTermsError, UndefinedError, UnknownError
from gradcli.truth.closed import Number, finite
from gradcli.truth.field import PRECISION, Field
from gradcli.truth.germs import distance, evaluate
from gradcli.truth.growth import Growth, compare
from gradcli.truth.jets import Jet
from gradcli.truth.lines import Lines
from gradcli.truth.lines import numbers as coordinates
from gradcli.truth.numbers import Exact, mul, neg
from gradcli.truth.series import Germ, constant
from gradcli.truth.taylor import (
    WORK,
    Point,
    all_written,
    analytic,
    balls,
    decided,
    enclosed,
    power_coefficients,
    refusal,
    series,
)

_ROUNDED = 4
"""How many ulp of its coordinates a point may be off the curve, as coordinates rounded to doubles are."""
_NEWTON, _CLOSE = 60, 1e-12
"""Steps towards the curve, and how little the last of them moves, relatively."""


class Contact(NamedTuple):
    """How a point lies to the curve: F and its slopes there, the slope in y last, as doubles.

    ``exact``: F is exactly 0. ``on``: it is 0 to the rounding of the point's coordinates. ``flat``: dF/dy is 0.
    ``proved``: no zero among these was taken for granted.
    """

    value: float
    slopes: tuple[float, ...]
    exact: bool
    on: bool
    flat: bool
    proved: bool

    @property
    def off(self) -> float:
        """About how far y is from the curve."""
        return abs(self.value / self.slopes[-1]) if self.slopes[-1] else math.inf


@decided()
def contact(equation: Expr, point: Point, xs: Sequence[str], y: str) -> Contact:
    """How a point lies to the curve F = 0. Raises NotSmoothError where F is not analytic there."""
    (equation,) = expand([equation])
    names = [*xs, y]
    with arithmetic(PRECISION):
        field = Field(Budget(2, WORK))
        if not analytic(equation, point, names):
            for x in (y, *xs):
                series(equation, point, x, 1, field, False)
            raise refusal(equation, point, y, 1)
        along = [series(equation, point, x, 1, field, True).numbers for x in names]
        value = along[-1][0]
        slopes = [numbers[1] for numbers in along]
        doubles = [field.double(s) for s in slopes]
        size, zero = field.double(value), field.sign(value) == 0
        at = coordinates(point, field)
        reach = sum([abs(s) * math.ulp(field.double(at[x])) for s, x in zip(doubles, names, strict=True)])
        flat = field.sign(slopes[-1]) == 0
        on = zero or abs(size) <= _ROUNDED * reach
        return Contact(size, tuple(doubles), zero, on, flat, not field.budget.doubts)


def nearest(equation: Expr, point: Point, y: str) -> float | None:
    """A value of y near that of the point for which F = 0, by Newton's iteration; None where that does not settle."""
    (equation,) = expand([equation])
    jet = Jet(equation, doubles=False)
    with arithmetic(PRECISION, 2):
        at = balls(point)
        place = at[y]
        for _ in range(_NEWTON):
            try:
                value, slope = jet.run({**at, y: place}, (place,), {y: 1})
            except BallError:
                return None
            step = value / slope
            if not step.is_finite():
                return None
            place = (place - step).mid()
            if abs(float(step)) <= _CLOSE * abs(float(place)):
                return finite(float(place))
    return None


@decided()
def branch(
    equation: Expr, point: Point, x: str, y: str, order: int, *, exact: bool = True
) -> tuple[list[Number], bool]:
    """The derivatives of y in x from order 1, and whether no zero was taken for granted.

    F is analytic at the point and dF/dy not 0, as `contact` tells. Unless F is ``exact``-ly 0 there, the derivatives
    are those at the point of the curve with the same x and the y nearby, proved by an interval Newton step.

    >>> from gradcli.expr import const, var
    >>> x, y = var("x"), var("y")
    >>> [str(d) for d in branch(x**2 + y**2 - 25, {"x": const(3), "y": const(4)}, "x", "y", 3)[0]]
    ['-3/4', '-25/64', '-225/1024']
    """
    (equation,) = expand([equation])
    slope = derivatives(equation, [y], 1).get((0,), ZERO)
    roots = readable([equation, slope])
    with arithmetic(PRECISION):
        field = Field(Budget(order + 3, WORK))
        try:
            if not exact:
                raise UnknownError("the point is not on the curve")
            coefficients = _by_germs(roots, coordinates(point, field), x, y, order, field)
            if field.budget.doubts:
                # Terms that cancel by construction may be no provable zeros: balls need no such proof.
                raise UnknownError("a zero that is not proved")
        except (UndefinedError, UnknownError, MoreTermsError):
            field.budget = Budget(order + 3, WORK)
            jets = [Jet(e, doubles=False) for e in (equation, slope)]

            def balls_of() -> list[Ball]:
                at = balls(point)
                return _by_balls(jets, at if exact else {**at, y: _root(jets, at, y)}, x, y, order)

            coefficients = _enclosed(field, (x, y), balls_of)
        factors = [mul(fmpq(math.factorial(k)), c) for k, c in enumerate(coefficients)]
        return all_written(field, factors[1:]), not field.budget.doubts


@decided()
def at_point(
    equation: Expr, expressions: Sequence[Expr], point: Point, y: str, *, exact: bool = True
) -> tuple[list[Number], bool]:
    """The values of expressions at a point of the curve, as `branch` takes it, such as those of partial derivatives."""
    equation, *expressions = expand([equation, *expressions])
    with arithmetic(PRECISION):
        field = Field(Budget(1, WORK))
        numbers: list[Exact] = []
        try:
            at = coordinates(point, field)
            for e in readable(expressions) if exact else ():
                value = Lines(e, at, field).value()
                if value is None:
                    raise UnknownError("no value")
                numbers.append(value)
        except (UndefinedError, UnknownError):
            numbers = []
        if not numbers:
            field.budget = Budget(1, WORK)
            jets = [Jet(e, doubles=False) for e in expressions]
            curve = [Jet(e, doubles=False) for e in (equation, derivatives(equation, [y], 1).get((0,), ZERO))]

            def balls_of() -> list[Ball]:
                place = balls(point)
                if not exact:
                    place[y] = _root(curve, place, y)
                return [jet.run(place, (ctx.prec,), {})[0] for jet in jets]

            numbers = _enclosed(field, y, balls_of)
        return all_written(field, numbers), not field.budget.doubts


def _enclosed(field: Field, kind: Hashable, balls_of: Callable[[], list[Ball]]) -> list[Exact]:
    try:
        return enclosed(field, kind, balls_of)
    except UnknownError:
        raise GradError("no arithmetic here can enclose the derivatives of the curve at this point") from None


def _by_germs(
    roots: Sequence[Expr], at: Mapping[str, Exact], x: str, y: str, order: int, field: Field
) -> list[Exact]:  # fmt: skip
    coefficients, right = [at[y]], 1
    names = {name: constant(field, a) for name, a in at.items()}
    names[x] = names[x] + distance(field)
    while right <= order:
        terms = min(2 * right, order + 1)
        field.budget.terms = terms + 3
        names[y] = Germ(field, [(Growth((), k, 0), c) for k, c in enumerate(coefficients) if field.sign(c)])
        value, slope = [evaluate(e, names, field) for e in roots]
        last = Growth((), terms - 1, 0)
        if any(g.rest is not None and compare(field, g.rest, last) >= 0 for g in (value, slope)):
            raise UnknownError("terms cancel")
        known = [(g, c) for g, c in value.terms if right <= g.power < terms]
        step = power_coefficients(Germ(field, known, Growth((), terms, 0)) / slope, terms - 1)
        coefficients += [field.intern(neg(c)) for c in step[right:]]
        right = terms
    return coefficients


def _root(jets: Sequence[Jet], at: Mapping[str, Ball], y: str) -> Ball:
    """A ball in which the curve surely has one point near the given one: an interval Newton step maps it into itself
    (Moore, Kearfott and Cloud, Introduction to Interval Analysis, 2009, section 8.1).
    """
    place = at[y].mid()

    def newton(over: Ball) -> Ball:
        value, slope = [
            jet.run({**at, y: where}, (where,), {})[0] for jet, where in zip(jets, (place, over), strict=True)
        ]  # fmt: skip
        return place - value / slope

    for _ in range(_NEWTON):
        image = newton(place)
        step = abs(image - place).upper()
        if not image.is_finite():
            break
        over = arb(image.mid(), 2 * step + 2 * image.rad())
        if over.contains(newton(over)):
            return newton(over)
        place = image.mid()
    raise unsure()


def _by_balls(jets: Sequence[Jet], at: Mapping[str, Ball], x: str, y: str, order: int) -> list[Ball]:
    coefficients, right = [at[y]], 1
    while right <= order:
        terms = min(2 * right, order + 1)
        point = {**at, x: arb_series([at[x], 1], terms), y: arb_series(coefficients, terms)}
        key = (ctx.prec, right)
        before, ctx.cap = ctx.cap, terms
        try:
            value, slope = [jet.run(point, key, {}) for jet in jets]
            step = arb_series([arb(0)] * right + value[right:], terms) / arb_series(slope, terms)
            coefficients += [-step[k] for k in range(right, terms)]
        finally:
            ctx.cap = before
        right = terms
    return coefficients
