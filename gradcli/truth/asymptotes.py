"""Lines that an expression approaches as its variable goes to infinity: horizontal and oblique asymptotes.

Layer: must not know a range: they are about infinity.
"""

from __future__ import annotations

from typing import NamedTuple

from gradcli.expr import Expr
from gradcli.truth.balls import BallError, arithmetic
from gradcli.truth.budget import Budget, MoreTermsError, UndefinedError, UnknownError
from gradcli.truth.field import PRECISION, Field
from gradcli.truth.germs import distance, evaluate
from gradcli.truth.growth import UNIT, Growth, compare
from gradcli.truth.numbers import ZERO, Exact, neg
from gradcli.truth.places import Place
from gradcli.truth.spots import closed

_SLOPE = Growth((), -1, 0)
"""1/t, the variable itself."""


class Line(NamedTuple):
    """y = slope*x + intercept, approached for x -> -inf, inf or both: ``sides`` -1 and 1."""

    slope: Place
    intercept: Place
    sides: tuple[int, ...]


def lines(root: Expr, name: str, work: int = 100_000) -> tuple[list[Line], list[int]]:
    """The asymptotes, and the sides on which this arithmetic cannot say whether there is one."""
    found: list[Line] = []
    unknown: list[int] = []
    for side in (-1, 1):
        with arithmetic(PRECISION):
            try:
                line = _line(root, name, side, work)
            except UndefinedError:
                continue
            except (UnknownError, MoreTermsError, BallError):
                unknown.append(side)
                continue
        if line is None:
            continue
        same = next((k for k, old in enumerate(found) if _alike(old, line)), None)
        if same is None:
            found.append(line)
        else:
            found[same] = found[same]._replace(sides=(-1, 1))
    return found, unknown


def _line(root: Expr, name: str, side: int, work: int) -> Line | None:
    field = Field(Budget(6, work))
    t = distance(field)
    germ = evaluate(root, {name: t.number(side) / t}, field)
    slope: Exact = ZERO
    intercept: Exact = ZERO
    for growth, factor in germ.terms:
        if growth == _SLOPE:
            slope = factor if side > 0 else neg(factor)
        elif growth == UNIT:
            intercept = factor
        elif compare(field, growth, UNIT) > 0:
            return None
    if germ.rest is not None and compare(field, germ.rest, UNIT) >= 0:
        if germ.oscillates:
            return None
        raise MoreTermsError
    if field.budget.doubts:
        raise UnknownError("a sign")
    return Line(closed(field, slope), closed(field, intercept), (side,))


def _alike(a: Line, b: Line) -> bool:
    return all(
        (p.exact is q.exact) if p.exact is not None or q.exact is not None else p.meets(q)
        for p, q in ((a.slope, b.slope), (a.intercept, b.intercept))
    )
