"""Tangent lines and planes at a point, with exact numbers where they have a closed form.

Layer: must not know how a line is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gradcli.calculus.derive import expand
from gradcli.errors import GradError
from gradcli.expr import Expr, readable
from gradcli.truth.balls import arithmetic
from gradcli.truth.budget import Budget, UndefinedError, UnknownError
from gradcli.truth.closed import Number
from gradcli.truth.field import PRECISION, Field
from gradcli.truth.lines import Lines
from gradcli.truth.lines import numbers as coordinates
from gradcli.truth.numbers import ZERO, Exact, add, inv, mul, neg, sub
from gradcli.truth.taylor import WORK, Point, all_written, analytic, decided, series

_DIRECTIONS = ((1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2), (3, 1))
"""Factors of the first variable and of all others, along which slopes must agree with the plane."""


class Tangent(NamedTuple):
    """y = intercept + the sum of slopes*x, through the point.

    ``normal``: slope and intercept of the line at right angles to it, None where that is vertical, or in several
    variables. ``side`` and ``hole`` as in `taylor.Expansion`. ``proved``: no zero was taken for granted.
    """

    value: Number
    slopes: tuple[Number, ...]
    intercept: Number
    normal: tuple[Number, Number] | None
    side: int
    hole: bool
    proved: bool


class NoPlaneError(GradError):
    """The slopes along some directions are not those of a plane."""


@decided()
def tangent(root: Expr, point: Point, wrt: Sequence[str]) -> Tangent:
    """The tangent line in one variable, the tangent plane in several; further variables stay at the point.

    Raises NotSmoothError where there is no slope, and NoPlaneError where slopes make no plane.

    >>> from gradcli.expr import const, var
    >>> x = var("x")
    >>> line = tangent(x**3 - 3*x, {"x": const(2)}, ["x"])
    >>> str(line.slopes[0]), str(line.intercept)
    ('9', '-16')
    """
    (root,) = expand([root])
    with arithmetic(PRECISION):
        field = Field(Budget(2, WORK))
        smooth = analytic(root, point, list(wrt))
        found = [series(root, point, x, 1, field, smooth) for x in wrt]
        value = found[0].numbers[0]
        slopes = [s.numbers[1] for s in found]
        sides = {s.side for s in found} - {0}
        if len(wrt) > 1 and not smooth:
            if sides or any(s.hole for s in found):
                raise NoPlaneError("it has an edge or a hole there")
            _check_plane(root, point, wrt, slopes, field)
        at = coordinates(point, field)
        intercept = value
        for x, slope in zip(wrt, slopes, strict=True):
            intercept = sub(intercept, mul(slope, at[x]))
        first, second, *rest = all_written(field, [value, intercept, *slopes])
        normal = None
        if len(wrt) == 1 and field.sign(slopes[0]) != 0:
            back = inv(slopes[0])
            steep, start = all_written(field, [neg(back), add(value, mul(at[wrt[0]], back))])
            normal = (steep, start)
        proved = not field.budget.doubts and (smooth or len(wrt) == 1)
        return Tangent(first, tuple(rest), second, normal, min(sides, default=0), found[0].hole, proved)


def _check_plane(root: Expr, point: Point, wrt: Sequence[str], slopes: Sequence[Exact], field: Field) -> None:
    """Raise NoPlaneError unless the slope along each direction is the sum of those along the axes."""
    lines = Lines(readable([root])[0], coordinates(point, field), field)
    for first, others in _DIRECTIONS:
        scales = [first] + [others] * (len(wrt) - 1)
        total: Exact = ZERO
        for scale, slope in zip(scales, slopes, strict=True):
            total = add(total, mul(ZERO + scale, slope))
        try:
            along = lines.smooth(dict(zip(wrt, scales, strict=True)), 1)
        except (UndefinedError, UnknownError):
            along = None
        if along is None or field.compare(along[1], total) != 0:
            direction = ", ".join([f"{s} in {x}" for s, x in zip(scales, wrt, strict=True)])
            raise NoPlaneError(f"the slope along ({direction}) is not that of a plane")
