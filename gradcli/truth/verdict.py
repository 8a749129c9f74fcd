"""Verdicts: limits and one-sided derivatives of an expression at a point, and what fails there first.

At an edge the one-sided derivative is the derivative. The point and the literals mean their exact decimals and
constants; a float in a point is the double itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from gradcli.calculus.derive import expand
from gradcli.expr import Expr, exact, readable, text
from gradcli.truth.balls import arithmetic
from gradcli.truth.budget import BUDGET, Budget, UndefinedError, UnknownError
from gradcli.truth.field import PRECISION, Field
from gradcli.truth.lines import DIRECTIONS, Both, Lines, Point, agree, numbers, polarised
from gradcli.truth.series import Germ, lead
from gradcli.truth.series_functions import Limit
from gradcli.truth.series_text import series_text

_FACTORS = ("constant", "mul", "div", "power", "sqrt", "exp", "log")
"""Operations whose text needs no brackets after a minus."""
_SHORT = 24
"""Characters of a coordinate that are written as such in a series."""
_REMEMBERED = 4096
"""Points whose truth a judge remembers."""


class Truth(NamedTuple):
    """What an expression does at a point along a line.

    ``breaks``: the order of the first derivative that fails, 0 for the value, None if none does. ``proved``: no zero
    was taken for granted. ``left`` and ``right``: the derivatives from order 1, each correctly rounded, None where
    there is no such side; nan where they have no limit. ``why``: the reason of "unknown" and "undefined".
    """

    verdict: str
    breaks: int | None
    proved: bool
    value: float
    limit_left: float
    limit_right: float
    left: tuple[float, ...] | None
    right: tuple[float, ...] | None
    why: str = ""


class Judge:
    """The truth about one expression, up to the derivatives of one order. Points are judged one by one."""

    def __init__(self, root: Expr, order: int, work: int = BUDGET) -> None:
        self.root = readable(expand([root]))[0]
        self.order = order
        self.work = work
        self._known: dict[object, Truth] = {}

    def along(self, point: Point, wrt: str) -> Truth:
        """The truth at a point along the axis of one variable."""
        key = (tuple(point.items()), wrt)
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            with arithmetic(PRECISION):
                self._known[key] = self._judged(point, wrt)
        return self._known[key]

    def mixed(self, point: Point, powers: Mapping[str, int]) -> float | None:
        """A mixed partial derivative, by polarisation along sums of axes; None where twelve directions do not agree."""
        with arithmetic(PRECISION):
            field = Field(Budget(self.order, self.work * DIRECTIONS))
            try:
                return polarised(Lines(self.root, numbers(point, field), field), powers)
            except (UndefinedError, UnknownError):
                return None

    def series(self, point: Point, wrt: str, side: int, terms: int) -> str:
        """The series on one side (1 right, -1 left), such as `1 - x**2/6 + O(x**4)`; "" where there is none."""
        with arithmetic(PRECISION):
            field = Field(Budget(terms, self.work))
            try:
                at = numbers(point, field)
                beside = Lines(self.root, at, field).side({wrt: side}, 0, terms)
                return series_text(beside.germ, wrt, at[wrt], side, terms, _written(point[wrt], field.sign(at[wrt])))
            except (UndefinedError, UnknownError):
                return ""

    def _judged(self, point: Point, wrt: str) -> Truth:
        field = Field(Budget(0, self.work))
        try:
            lines = Lines(self.root, numbers(point, field), field)
            found = lines.both({wrt: 1}, self.order)
            return _truth(found, self.order, field)
        except UndefinedError as undefined:
            return _nothing("undefined", str(undefined))
        except UnknownError as unknown:
            return _nothing("unknown", str(unknown))


def _written(value: Expr | float, sign: int) -> str:
    """The size of a coordinate as it is written: a decimal, or a short expression such as pi/2; "" of others.

    ``sign`` is that of the coordinate.
    """
    if not isinstance(value, Expr):
        return ""
    number = exact(value)
    if number is not None:
        decimal = repr(abs(float(number)))
        return decimal.removesuffix(".0") if Fraction(decimal) == abs(number) else ""
    size = value.args[0] if value.op == "neg" else value
    if size.op not in _FACTORS or (sign < 0 and size is value):
        return ""
    written = text(size, _SHORT)
    return written if len(written) <= _SHORT else ""


def _nothing(verdict: str, why: str) -> Truth:
    nan = math.nan
    return Truth(verdict, 0 if verdict == "undefined" else None, True, nan, nan, nan, None, None, why)


def _truth(found: Both, order: int, field: Field) -> Truth:
    verdict, breaks = words(found, order, field)
    value = found.value
    doubles = [
        None if side is None else [_double(x, field) for x in side.limits] for side in (found.left, found.right)
    ]  # fmt: skip
    left, right = doubles
    return Truth(
        verdict, breaks, not field.budget.doubts, math.nan if value is None else field.double(value),
        math.nan if left is None else left[0], math.nan if right is None else right[0],
        None if left is None else tuple(left[1:]), None if right is None else tuple(right[1:]), found.why,
    )  # fmt: skip


def _double(x: Limit, field: Field) -> float:
    if x.value is not None:
        return field.double(x.value)
    return math.inf * x.sign if x.sign else math.nan


def words(found: Both, order: int, field: Field) -> tuple[str, int | None]:
    """The verdict's words, joined by +, and the order of the first derivative that fails."""
    left, right = found.left or found.right, found.right or found.left
    if left is None or right is None:
        return ("undefined" if found.value is None else "isolated"), 0
    words = [] if found.left and found.right else ["edge"]
    first, second = left.limits[0], right.limits[0]
    breaks = None
    if first.oscillates or second.oscillates:
        return _joined(words, "oscillating"), 0
    growths = [_growth_word(side.germ) for side in (left, right) if side.limits[0].sign]
    if growths:
        return _joined(words, "essential" if "essential" in growths else growths[0]), 0
    if not agree(first, second, field):
        return _joined(words, "jump"), 0
    if found.value is None or not agree(Limit(found.value), first, field):
        words.append("removable" if found.value is None else "misplaced")
        breaks = 0
    for j in range(1, order + 1):
        word = _failure(left.limits[j], right.limits[j], field)
        if word:
            return _joined(words, word), j if breaks is None else breaks
    return _joined(words, "" if words else "smooth"), breaks


def _joined(words: list[str], last: str) -> str:
    return "+".join([*words, last] if last else words)


def _growth_word(germ: Germ) -> str:
    growth = lead(germ)
    return "essential" if growth.exponent else "pole" if growth.power else "log"


def _failure(left: Limit, right: Limit, field: Field) -> str:
    """The word for two limits of a derivative that are not one finite number."""
    if left.oscillates or right.oscillates:
        return "oscillating"
    if left.sign or right.sign:
        return "cusp" if left.sign and right.sign and left.sign != right.sign else "vertical"
    return "" if agree(left, right, field) else "kink"
