"""Taylor coefficients of an expression at a point, exact where they have a closed form, else correctly rounded.

The coefficients come from germs, whose arithmetic on truncated series takes O(n**2) products for n terms (Griewank and
Walther, Evaluating Derivatives, 2008, chapter 13), never from n derivatives. Where exact numbers grow too long, the
same series in ball arithmetic gives the nearest doubles.
Layer: must not know how a polynomial is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from flint import arb, ctx, fmpq

from gradcli.calculus.derive import expand
from gradcli.calculus.hazards import hazards
from gradcli.errors import GradError
from gradcli.expr import Expr, bit, exact, readable, variables
from gradcli.truth.balls import Ball, BallError, arithmetic, number, with_terms
from gradcli.truth.budget import Budget, MoreTermsError, UndefinedError, UnknownError
from gradcli.truth.closed import Number, finite, written
from gradcli.truth.exact_jets import coefficients
from gradcli.truth.field import PRECISION, Field
from gradcli.truth.growth import Growth, compare
from gradcli.truth.jets import Jet
from gradcli.truth.lines import Lines, agree
from gradcli.truth.lines import numbers as coordinates
from gradcli.truth.numbers import ZERO, Exact, neg
from gradcli.truth.series import Germ
from gradcli.truth.series_functions import Limit
from gradcli.truth.verdict import Judge, Truth

WORK = 2_000_000
"""Products of exact coefficients that one expansion may take, about two seconds."""
_FIRST = 10
"""The order from which only series that begin with exact coefficients are computed exactly."""
_TRIES = 4
"""Series with more and more terms, where terms cancel."""
_JUDGED = 12
"""The highest derivative that a verdict looks at."""

Point = Mapping[str, Expr]
"""The coordinates as closed expressions, which are exact."""


class Expansion(NamedTuple):
    """The coefficients of (x - a)**k from k = 0.

    ``side``: 1 or -1 where the function is defined on one side of the point alone, else 0. ``hole``: it has no value,
    or another one, at the point itself, and the series is that beside it. ``proved``: no zero was taken for granted.
    """

    coefficients: tuple[Number, ...]
    side: int = 0
    hole: bool = False
    proved: bool = True


class Series(NamedTuple):
    """The same coefficients as exact numbers of a field, inside `balls.arithmetic`."""

    numbers: list[Exact]
    side: int = 0
    hole: bool = False


class NotSmoothError(GradError):
    """The function has no Taylor series at the point; ``truth`` is the verdict along ``wrt``."""

    def __init__(self, truth: Truth, wrt: str) -> None:
        super().__init__("there is no Taylor series")
        self.truth = truth
        self.wrt = wrt


@contextmanager
def decided() -> Iterator[None]:
    """Raise GradError where this arithmetic cannot say more, inside the block or the function that this decorates."""
    try:
        yield
    except (UndefinedError, UnknownError, MoreTermsError):
        raise GradError("the numbers there are beyond what this arithmetic can tell") from None


@decided()
def expansion(root: Expr, point: Point, wrt: str, order: int) -> Expansion:
    """The Taylor coefficients of an expression in one variable, up to an order.

    Raises NotSmoothError where there is no such series: at kinks, jumps, poles and branch points.

    >>> from gradcli.expr import ZERO, apply, var
    >>> [str(c) for c in expansion(apply("sin", var("x")), {"x": ZERO}, "x", 5).coefficients]
    ['0', '1', '0', '-1/6', '0', '1/120']
    """
    (root,) = expand([root])
    with arithmetic(PRECISION):
        field = Field(Budget(order + 1, WORK))
        numbers, side, hole = series(root, point, wrt, order, field, analytic(root, point, [wrt]))
        return Expansion(tuple(all_written(field, numbers)), side, hole, not field.budget.doubts)


def series(root: Expr, point: Point, wrt: str, order: int, field: Field, smooth: bool) -> Series:
    """The coefficients in a field, by balls where exact numbers take too much work. ``smooth``: as `analytic` says.

    Call it inside `balls.arithmetic`. Raises NotSmoothError.
    """
    rational = _rational(root, point, wrt, order) if smooth else None
    if rational is not None:
        return Series(rational)
    try:
        # The first terms tell whether all can be exact.
        first = _exact(root, point, wrt, min(order, _FIRST), field, smooth)
        if order <= _FIRST:
            return first
        if not smooth or not any(isinstance(written(field, c), float | None) for c in first.numbers):
            return _exact(root, point, wrt, order, field, smooth)
        start = first.numbers
    except (UndefinedError, UnknownError):
        if not smooth:
            raise refusal(root, point, wrt, order) from None
        start = []
    field.budget = Budget(order + 1, WORK)
    jet = Jet(root, doubles=False)
    direction = {wrt: 1} if wrt in jet.variables else {}

    def balls_of() -> list[Ball]:
        at, key = balls(point), (ctx.prec,)
        return list(with_terms(order + 1, lambda: jet.run(at, key, direction)))

    try:
        rounded = enclosed(field, (root, wrt), balls_of)
    except UnknownError:
        raise refusal(root, point, wrt, order) from None
    return Series([a if isinstance(a, fmpq) else b for a, b in zip(start, rounded, strict=False)]
                  + rounded[len(start) :])  # fmt: skip


def all_written(field: Field, numbers: list[Exact]) -> list[Number]:
    """The numbers as `written`; closed forms only where all are exact: beside doubles they make no sum exact.

    Raises GradError for a number beyond the range of doubles.
    """
    forms = [written(field, c) for c in numbers]
    if any(isinstance(c, float | None) for c in forms):
        forms = [finite(field.double(n)) if isinstance(c, Expr) else c for c, n in zip(forms, numbers, strict=True)]
    kept = [c for c in forms if c is not None]
    if len(kept) < len(forms):
        raise GradError("a number is beyond the range of a double (about 1.8e308), or no ball encloses it")
    return kept


def analytic(root: Expr, point: Point, wrt: list[str]) -> bool:
    """Whether an expression is proved to be analytic in some variables: it has a value, and no hazard is near.

    Call it inside `balls.arithmetic`.
    """
    mask = sum(map(bit, wrt))
    distances = [d for kind in hazards([root]) for d in kind if d.variables & mask]
    try:
        with arithmetic(2 * PRECISION):
            at = balls(point)
            for e in [root, *distances]:
                value = Jet(e, doubles=False).run(at, (), {})[0]
                if not value.is_finite() or (e is not root and value.contains(0)):
                    return False
    except BallError:
        return False
    return True


def balls(point: Point) -> dict[str, Ball]:
    """The coordinates as balls of the current precision."""
    found = {}
    for name, e in point.items():
        q = exact(e)
        found[name] = number(q) if q is not None else Jet(e, doubles=False).run({}, (), {})[0]
    return found


def refusal(root: Expr, point: Point, wrt: str, order: int) -> NotSmoothError:
    """The error of a point at which there is no series, with the verdict on it."""
    place = {name: point[name] for name in {*variables(root), wrt}}
    return NotSmoothError(Judge(root, max(1, min(order, _JUDGED))).along(place, wrt), wrt)


def _rational(root: Expr, point: Point, wrt: str, order: int) -> list[Exact] | None:
    """The coefficients by flint's series of fractions, the fastest; None where one operation leaves the fractions."""
    place = {name: q for name, e in point.items() if (q := exact(e)) is not None}
    if len(place) < len(point):
        return None
    return coefficients(readable([root])[0], place, {wrt: 1}, order + 1)


def _exact(root: Expr, point: Point, wrt: str, order: int, field: Field, smooth: bool) -> Series:
    lines = Lines(readable([root])[0], coordinates(point, field), field)
    if smooth:
        return Series(_power_series(lines, {wrt: 1}, order))
    value = lines.value()
    sides: list[list[Exact] | None] = []
    for sign in (1, -1):
        try:
            sides.append(_power_series(lines, {wrt: sign}, order))
        except UndefinedError:
            sides.append(None)
    right, left = sides
    if left is not None:
        left = [neg(c) if k % 2 else c for k, c in enumerate(left)]
    both = right if right is not None else left
    if both is None:
        raise UndefinedError("defined on no side")
    if right is not None and left is not None:
        for a, b in zip(right, left, strict=True):
            if field.compare(a, b) != 0:
                raise UnknownError("the two sides differ")
    hole = value is None or not agree(Limit(value), Limit(both[0]), field)
    return Series(both, 0 if right is not None and left is not None else 1 if right is not None else -1, hole)


def _power_series(lines: Lines, direction: Mapping[str, int], order: int) -> list[Exact]:
    """The coefficients of the germ on one side.

    Raise UndefinedError where the function is not defined there, UnknownError where it is no power series.
    """
    terms, last = order + 1, Growth((), order, 0)
    for _ in range(_TRIES):
        germ = lines.side(direction, 0, terms).germ
        if germ.rest is None or compare(lines.field, germ.rest, last) < 0:
            return power_coefficients(germ, order)
        if germ.oscillates:
            raise UnknownError("an oscillation")
        terms += order + 2 - math.floor(germ.rest.power)
    raise UnknownError("terms cancel")


def power_coefficients(germ: Germ, order: int) -> list[Exact]:
    """The coefficients of t**k. Raise UnknownError for terms that are as large as t**order and no such power."""
    coefficients: list[Exact] = [ZERO] * (order + 1)
    last = Growth((), order, 0)
    for growth, factor in germ.terms:
        if compare(germ.field, growth, last) < 0:
            break
        if growth.exponent or growth.logs or growth.power < 0 or growth.power.denominator > 1:
            raise UnknownError("no power series")
        coefficients[int(growth.power)] = factor
    return coefficients


def enclosed(field: Field, kind: Hashable, balls_of: Callable[[], list[Ball]]) -> list[Exact]:
    """Numbers that only balls enclose, as atoms of a field; ZERO where a ball is just that.

    ``balls_of``: the balls of all numbers at the precision of the moment; BallError where they are not decided.
    """
    known: dict[int, list[Ball]] = {}

    def at_precision() -> list[Ball]:
        if ctx.prec not in known:
            known[ctx.prec] = balls_of()
        return known[ctx.prec]

    def ball_of(k: int) -> Ball:
        try:
            return at_precision()[k]
        except BallError:
            return arb("nan")

    with arithmetic(2 * PRECISION):
        try:
            first = at_precision()
        except BallError as error:
            raise UnknownError(error.why) from None
    return [
        ZERO if b.is_zero() else field.number("enclosed", (kind, k), partial(ball_of, k)) for k, b in enumerate(first)
    ]
