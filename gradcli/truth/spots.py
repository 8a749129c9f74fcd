"""What an expression of one variable does at a place: its value, its limits on both sides, and what fails there.

Layer: must not know why a place is looked at.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from flint import fmpq

from gradcli.errors import GradError
from gradcli.expr import const
from gradcli.truth.balls import Ball, BallError, arithmetic, number
from gradcli.truth.budget import Budget, MoreTermsError, UndefinedError, UnknownError
from gradcli.truth.closed_forms import FINE, place, recognised
from gradcli.truth.field import PRECISION, Field
from gradcli.truth.lines import Both, Lines, Side, numbers
from gradcli.truth.numbers import Exact, sub
from gradcli.truth.places import Place, ends
from gradcli.truth.quotients import Quotient
from gradcli.truth.verdict import words

_TINY = 1e-30
"""The width of an enclosure that counts as one number where no exact one is known."""


class Reach(NamedTuple):
    """A limit on one side: a number, an infinite one of this ``sign``, or none: an oscillation."""

    limit: Place | None
    sign: int = 0


class Spot(NamedTuple):
    """``value``: None where there is none or it is not known. ``left`` and ``right``: None where there is no such side.

    ``kinds``: words of a verdict such as "pole", "jump", "removable", "edge", "kink"; "smooth", or "unknown".
    ``joins``: whether the value is the limit on the left, and on the right. ``bend``: the sign of the change of slope,
    0 of none, None where a slope is infinite or not known.
    """

    place: Place
    kinds: tuple[str, ...]
    value: Place | None
    left: Reach | None
    right: Reach | None
    joins: tuple[bool, bool]
    bend: int | None


def closed(field: Field, a: Exact) -> Place:
    """An exact number as a place, in closed form where it has a simple one."""
    a = field.normal(a)
    if isinstance(a, fmpq):
        q = Fraction(int(a.p), int(a.q))
        try:
            return place(const(q))
        except GradError:
            # Beyond the range of doubles.
            return Place(q, q)
    low, high = ends(field.enclosure(a, FINE))
    for guess in recognised(low, high):
        assert guess.exact is not None
        (value,) = numbers({"": guess.exact}, field).values()
        doubts = field.budget.doubts
        if not field.sign(sub(a, value)) and field.budget.doubts == doubts:
            return guess
    return Place(low, high)


def value_at(q: Quotient, where: Place) -> Place | None:
    """The value at a place, None where there is none that could be enclosed."""
    if where.exact is not None:
        with arithmetic(PRECISION):
            field = Field(Budget(1))
            try:
                exactly = Lines(q.root, numbers({q.name: where.exact}, field), field).value()
                return None if exactly is None else closed(field, exactly)
            except (UndefinedError, UnknownError, MoreTermsError, BallError):
                pass
    with arithmetic(FINE):
        try:
            return Place(*ends(q.value(where.ball())))
        except BallError:
            return None


def smooth(q: Quotient, where: Place) -> Spot:
    """A place at which the expression has a series."""
    value = value_at(q, where)
    reach = Reach(value)
    return Spot(where, ("smooth",), value, reach, reach, (True, True), 0)


def spot(q: Quotient, where: Place, sides: tuple[bool, bool]) -> Spot:
    """A place at which it may have none. ``sides``: whether it is defined beside the place."""
    if where.exact is not None:
        with arithmetic(PRECISION):
            field = Field(Budget(0))
            try:
                lines = Lines(q.root, numbers({q.name: where.exact}, field), field)
                return _exactly(where, lines.both({q.name: 1}, 1), field)
            except (UndefinedError, UnknownError, MoreTermsError, BallError):
                pass
    return _numerically(q, where, sides)


def _exactly(where: Place, both: Both, field: Field) -> Spot:
    word, _ = words(both, 1, field)
    value = None if both.value is None else closed(field, both.value)
    joins = [
        side is not None and both.value is not None and (limit := side.limits[0].value) is not None
        and not field.sign(sub(limit, both.value))
        for side in (both.left, both.right)
    ]  # fmt: skip
    return Spot(
        where, tuple(word.split("+")), value, _reach(both.left, field), _reach(both.right, field),
        (joins[0], joins[1]), _bend(both, field),
    )  # fmt: skip


def _reach(side: Side | None, field: Field) -> Reach | None:
    if side is None:
        return None
    limit = side.limits[0]
    return Reach(None if limit.value is None else closed(field, limit.value), limit.sign)


def _bend(both: Both, field: Field) -> int | None:
    if both.left is None or both.right is None:
        return None
    before, after = both.left.limits[1], both.right.limits[1]
    if before.value is None or after.value is None:
        return None
    return field.sign(sub(after.value, before.value))


def _numerically(q: Quotient, where: Place, sides: tuple[bool, bool]) -> Spot:
    """By enclosures, where the place has no closed form: poles are proved, the rest is judged to 30 digits."""
    with arithmetic(FINE):
        reaches = [Reach(None) if there else None for there in sides]
        poles = q.pole_signs(where)
        if poles is not None:
            reaches = [None if r is None else Reach(None, sign) for r, sign in zip(reaches, poles, strict=True)]
            return Spot(where, ("pole",), None, reaches[0], reaches[1], (False, False), None)
        step = (where.high - where.low) * 4 or where.high / 2**200
        beside = [x for x, there in zip((where.low - step, where.high + step), sides, strict=True) if there]
        values: list[Ball] = [_coefficient(q, number(x), 0) for x in beside]
        slopes: list[Ball] = [_coefficient(q, number(x), 1) for x in beside]
        if not values or None in values or abs(values[-1] - values[0]) > _TINY:
            return Spot(where, ("unknown",), None, reaches[0], reaches[1], (False, False), None)
        value = value_at(q, where)
        reaches = [None if r is None else Reach(value) for r in reaches]
        bend = None
        if None not in slopes and all(sides):
            change = slopes[1] - slopes[0]
            bend = 0 if abs(change) < _TINY else 1 if change > 0 else -1
        kind = "edge" if not all(sides) else "smooth" if bend == 0 else "kink"
        joins = value is not None and value.high - value.low < _TINY
        return Spot(where, (kind,), value, reaches[0], reaches[1], (joins and sides[0], joins and sides[1]), bend)


def _coefficient(q: Quotient, x: Ball, order: int) -> Ball | None:
    try:
        found = q.values(x, order + 1)[order]
    except BallError:
        return None
    return found if found.is_finite() else None
