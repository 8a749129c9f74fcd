"""The truth at a point along an axis, as both sides tell it, and what the rules of --kink make of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gradcli.truth.words import Beside

UNSURE = 1e-10
"""Relative difference below which two sides may be equal: exact arithmetic decides."""
CLOSE = 1e-9
"""Relative difference up to which a double stands for the same number."""


class Sided(NamedTuple):
    """The truth at a plain tie, from the doubles of both sides."""

    verdict: str
    breaks: int | None
    value: float
    limit_left: float
    limit_right: float
    left: Sequence[float]
    right: Sequence[float]
    proved: bool = True


class UndecidedError(Exception):
    """The doubles of the two sides do not say whether they are equal."""


def sided(value: float, left: Sequence[float], right: Sequence[float], errors: Sequence[float]) -> Sided:
    """The truth from the values and derivatives of either side. Raises UndecidedError where doubles cannot say.

    ``errors``: of the values and derivatives, the sum of those of both sides.
    """
    if not all(map(math.isfinite, (value, *left, *right))):
        raise UndecidedError
    pairs = zip((left[0], right[0], *left), (value, value, *right), (errors[0], errors[0], *errors), strict=True)
    for a, b, error in pairs:
        if a != b and not abs(a - b) > max(UNSURE * max(abs(a), abs(b)), error):
            raise UndecidedError
    if left[0] != right[0]:
        verdict: str = "jump"
        breaks: int | None = 0
    elif left[0] != value:
        # A value that differs from the common limit: what else breaks is told by germs.
        raise UndecidedError
    else:
        first = next((k for k, (a, b) in enumerate(zip(left, right, strict=True)) if a != b), None)
        verdict, breaks = ("smooth", None) if first is None else ("kink", first)
    # The limit of abs(x) from the left is 0.0, not the -0.0 of its formula there.
    limits = [value if limit == value else limit for limit in (left[0], right[0])]
    return Sided(verdict, breaks, value, limits[0], limits[1], left[1:], right[1:])


def derivative(truth: Beside, order: int) -> float | None:
    """The derivative of this order at the point; None where there is none."""
    if truth.verdict.startswith(("unknown", "undefined", "isolated")) or not math.isfinite(truth.value):
        return None
    sides = [s for s in (truth.left, truth.right) if s is not None]
    limits = [limit for limit, s in ((truth.limit_left, truth.left), (truth.limit_right, truth.right)) if s is not None]
    if not sides or any(limit != truth.value for limit in limits):
        return None
    for k in range(order):
        if any(s[k] != sides[0][k] for s in sides) or math.isnan(sides[0][k]):
            return None
        if math.isinf(sides[0][k]) and k < order - 1:
            return None
    return sides[0][order - 1] or sides[-1][order - 1]  # 0.0 where the other side has -0.0


def of_side(truth: Beside, order: int, sign: int) -> float:
    """The limit (order 0) or derivative of a side; nan where it is not there."""
    side = truth.left if sign < 0 else truth.right
    if side is None:
        return math.nan
    if not order:
        return truth.limit_left if sign < 0 else truth.limit_right
    return side[order - 1] if order <= len(side) else math.nan


def middle(a: float, b: float) -> float:
    """The mean of two numbers, whose sum may be beyond the largest double."""
    return a / 2 + b / 2 if abs(a) > 1 else (a + b) / 2


def ruled(truth: Beside, order: int, rule: str, before: float) -> float | None:
    """What a rule gives for the derivative of an order (0: the value) at a hard point; None: the double ``before``."""
    left, right = of_side(truth, order, -1), of_side(truth, order, 1)
    if rule == "left":
        return left
    if rule == "right":
        return right
    if rule in ("limit", "mean"):
        if truth.left is None or truth.right is None:
            return right if truth.left is None else left
        return middle(left, right) if rule == "mean" else left if left == right else math.nan
    if order:
        number = derivative(truth, order)
        if number is not None or rule == "nan":
            return math.nan if number is None else number
    elif math.isfinite(truth.value):
        return None if math.isfinite(before) else truth.value
    if math.isinf(before) and truth.verdict != "unknown" and truth.proved:
        # An infinity that neither side has, or where the sides of a value differ, would claim what is not there.
        sides = {value for value, side in ((left, truth.left), (right, truth.right)) if side is not None}
        if sides and (sides != {before} if math.isfinite(truth.value) else before not in sides):
            return math.nan
    return None
