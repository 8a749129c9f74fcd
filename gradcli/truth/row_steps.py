"""Rows of the function table as germs: absolute values, signs, integer parts, extremes and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

from flint import fmpq

from gradcli.truth import elementary_numbers as exact
from gradcli.truth.budget import UnknownError
from gradcli.truth.growth import UNIT
from gradcli.truth.numbers import HALF, Exact, add
from gradcli.truth.row_limits import Row, absolute
from gradcli.truth.series import Germ, build, constant
from gradcli.truth.series_functions import finite_limit


def _whole(x: Germ, value: Exact) -> int:
    whole = exact.floor(x.field, value)
    if whole is None:
        raise UnknownError("an integer part that cannot be told")
    return whole


def floor(x: Germ) -> Germ:
    if x.oscillates:
        raise UnknownError("the integer part of an oscillation")
    value = finite_limit(x)
    if value is None:  # floor(u) is u less a sawtooth in [0, 1)
        return build(x.field, dict(x.terms), UNIT, True)
    whole = _whole(x, value)
    if x.field.compare(value, fmpq(whole)) == 0 and (x - x.number(value)).sign < 0:
        whole -= 1
    return x.number(whole)


def ceil(x: Germ) -> Germ:
    return -floor(-x)


def trunc(x: Germ) -> Germ:
    return floor(x) if x.sign >= 0 else ceil(x)


def nearest(x: Germ) -> Germ:
    """The nearest integer, halves to even."""
    value = finite_limit(x)
    if value is None:
        return build(x.field, dict(x.terms), UNIT, True)
    shifted = add(value, HALF)
    whole = _whole(x, shifted)
    if x.field.compare(shifted, fmpq(whole)) == 0:
        side = (x - x.number(value)).sign
        if side < 0 or (side == 0 and whole % 2):
            whole -= 1
    return x.number(whole)


def greater(x: Germ, y: Germ) -> Germ:
    return x if (x - y).sign >= 0 else y


def smaller(x: Germ, y: Germ) -> Germ:
    return x if (x - y).sign <= 0 else y


def _of_many(pair: Callable[[Germ, Germ], Germ]) -> Row:
    return lambda *x: reduce(pair, x)


def heaviside(x: Germ, h: Germ) -> Germ:
    sign = x.sign
    return h if not sign else x.number(int(sign > 0))


def copysign(x: Germ, y: Germ) -> Germ:
    """|x| with the sign of y; +0 counts as positive, and a written -0.0 is seen by the caller."""
    return -absolute(x) if y.sign < 0 else absolute(x)


def relu(x: Germ) -> Germ:
    return constant(x.field, fmpq(0)) if x.sign <= 0 else x


STEPS: Mapping[str, Row] = {
    "abs": absolute, "sign": lambda x: x.number(x.sign), "floor": floor, "ceil": ceil, "trunc": trunc, "round": nearest,
    "min": _of_many(smaller), "max": _of_many(greater), "clip": lambda x, a, b: smaller(greater(x, a), b),
    "heaviside": heaviside, "copysign": copysign, "relu": relu,
    "mod": lambda x, y: x - y * floor(x / y), "fmod": lambda x, y: x - y * trunc(x / y),
    "floordiv": lambda x, y: floor(x / y), "truncdiv": lambda x, y: trunc(x / y),
}  # fmt: skip

COMPARISONS: Mapping[str, Callable[[int], bool]] = {
    "lt": lambda sign: sign < 0, "le": lambda sign: sign <= 0, "gt": lambda sign: sign > 0,
    "ge": lambda sign: sign >= 0, "eq": lambda sign: sign == 0, "ne": lambda sign: sign != 0,
}  # fmt: skip
"""Comparisons of x and y by the sign of x - y."""
