"""Rows of the function table as germs: elementary functions, also where their arguments are infinite.

A row without a formula of its own is its Taylor series in a regular point (`row_regular`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flint import arb, fmpq

from gradcli.truth import elementary_numbers as exact
from gradcli.truth.budget import UndefinedError
from gradcli.truth.elementary_numbers import current
from gradcli.truth.field import Field
from gradcli.truth.numbers import HALF, ONE, ZERO, Exact, inv, mul, neg
from gradcli.truth.series import Germ, compose, constant, plus
from gradcli.truth.series_functions import (
    derivative,
    exp,
    finite_limit,
    integral,
    limit,
    log,
    power,
    sine_and_cosine,
    sqrt,
)

Row = Callable[..., Germ]


def inside(u: Germ, low: int | None, high: int | None) -> None:
    """Raise UndefinedError where the germ lies below ``low`` or above ``high``."""
    if (low is not None and (u - low).sign < 0) or (high is not None and (u - high).sign > 0):
        raise UndefinedError("outside the domain")


def by_slope(
    value: Callable[[Field, Exact], Exact], slope: Callable[[Germ], Germ], at_infinity: Row | None = None
) -> Row:
    """f(u) = f(u0) + the integral of slope(u)*u'."""

    def row(u: Germ) -> Germ:
        found = limit(u)
        if found.value is None and at_infinity is not None and found.sign:
            return at_infinity(u, found.sign)
        start = finite_limit(u)
        assert start is not None
        du = derivative(u)
        first = constant(u.field, value(u.field, start))
        return first if du.zero else plus(first, integral(slope(u) * du))

    return row


def _named(name: str, enclose: Callable[[arb], arb], known: Mapping[fmpq, fmpq]) -> Callable[[Field, Exact], Exact]:
    """The value of an odd function at a number; ``known``: values at rationals >= 0, in units of pi."""

    def value(field: Field, at: Exact) -> Exact:
        at = field.normal(at)
        if isinstance(at, fmpq):
            if at < 0:
                return neg(value(field, -at))
            for argument, share in known.items():
                if argument == at:
                    return mul(share, field.pi)
        return field.number(name, field.identity(at), lambda: enclose(current(at)))

    return value


def _right_angle(field: Field, sign: int = 1) -> Exact:
    return mul(fmpq(sign, 2), field.pi)


def _far_atan(u: Germ, sign: int) -> Germ:
    # atan(u) = +-pi/2 - atan(1/u)
    return constant(u.field, _right_angle(u.field, sign)) - atan(1 / u)


atan: Row = by_slope(
    _named("atan", arb.atan, {ZERO: ZERO, ONE: fmpq(1, 4)}), lambda u: 1 / (1 + u * u), _far_atan,
)  # fmt: skip
_asin: Row = by_slope(
    _named("asin", arb.asin, {ZERO: ZERO, ONE: HALF, HALF: fmpq(1, 6)}), lambda u: 1 / sqrt((1 - u) * (1 + u)),
)  # fmt: skip


def asin(u: Germ) -> Germ:
    inside(u, -1, 1)
    return _asin(u)


def acos(u: Germ) -> Germ:
    return constant(u.field, _right_angle(u.field)) - asin(u)


def absolute(x: Germ) -> Germ:
    if x.oscillates and not x.terms:
        return Germ(x.field, [], x.rest, True)
    return -x if x.sign < 0 else x


def cbrt(x: Germ) -> Germ:
    sign = x.sign
    root = power(-x if sign < 0 else x, fmpq(1, 3))
    return -root if sign < 0 else root


def general_power(x: Germ, n: Germ) -> Germ:
    """x**n with x**0 = 1, whole and rational powers exact, else exp(n*log(x))."""
    exponent = n.value
    if exponent is not None:
        exponent = x.field.normal(exponent)
        if isinstance(exponent, fmpq):
            return power(x, exponent)
    if x.zero:
        if n.sign > 0:
            return x
        raise UndefinedError("0 to a negative power", nan=False)
    if x.sign < 0:
        raise UndefinedError("a power of a negative number")
    return exp(n * log(x))


def expm1(u: Germ) -> Germ:
    return exp(u) - 1


def log1p(u: Germ) -> Germ:
    return log(1 + u)


def in_base(base: int) -> Row:
    def row(x: Germ) -> Germ:
        return log(x).scaled(inv(exact.log(x.field, fmpq(base))))

    return row


def exp2(x: Germ) -> Germ:
    return exp(x.scaled(exact.log(x.field, fmpq(2))))


def logaddexp(x: Germ, y: Germ) -> Germ:
    low, high = (x, y) if (x - y).sign <= 0 else (y, x)
    return high + log1p(exp(low - high))


def xlogy(x: Germ, y: Germ) -> Germ:
    return x if x.zero else x * log(y)


def xdivy(x: Germ, y: Germ) -> Germ:
    return x if x.zero else x / y


# Trigonometric and hyperbolic functions, and their inverses.


def _of_circle(form: Callable[[Germ, Germ], Germ]) -> Row:
    return lambda x: form(*sine_and_cosine(x))


def _of_hyperbola(form: Callable[[Germ, Germ], Germ]) -> Row:
    """A form of sinh and cosh; the smaller exponential is the reciprocal of the larger."""

    def row(u: Germ) -> Germ:
        grown = exp(u)
        shrunk = exp(-u)
        return form((grown - shrunk).scaled(HALF), (grown + shrunk).scaled(HALF))

    return row


def _far_asinh(u: Germ, sign: int) -> Germ:
    size = -u if sign < 0 else u
    found = log(size + sqrt(size * size + 1))
    return -found if sign < 0 else found


_near_asinh: Row = by_slope(lambda field, at: ZERO, lambda u: power(1 + u * u, fmpq(-1, 2)), _far_asinh)
_near_acosh: Row = by_slope(lambda field, at: ZERO, lambda u: 1 / sqrt((u - 1) * (u + 1)))
_near_atanh: Row = by_slope(lambda field, at: ZERO, lambda u: 1 / (1 - u * u))


def asinh(u: Germ) -> Germ:
    found = limit(u)
    if found.value is not None and u.field.sign(found.value) == 0:
        return _near_asinh(u)
    return _far_asinh(u, u.sign)


def acosh(u: Germ) -> Germ:
    inside(u, 1, None)
    found = limit(u)
    if found.value is not None and u.field.compare(found.value, ONE) == 0:
        return _near_acosh(u)
    return log(u + sqrt((u - 1) * (u + 1)))


def atanh(u: Germ) -> Germ:
    inside(u, -1, 1)
    if u.field.sign(finite_limit(u) or ZERO) == 0:
        return _near_atanh(u)
    return (log(1 + u) - log(1 - u)).scaled(HALF)


def hypot(x: Germ, y: Germ) -> Germ:
    if y.zero:
        return absolute(x)
    return absolute(y) if x.zero else sqrt(x * x + y * y)


def atan2(y: Germ, x: Germ) -> Germ:
    above, right = y.sign, x.sign
    if not above and not right:
        return y
    quarter = constant(y.field, _right_angle(y.field))
    first = absolute(y), absolute(x)
    angle = quarter if not right else y if not above else atan(first[0] / first[1])
    if right < 0:
        angle = quarter + quarter - angle
    return -angle if above < 0 else angle


# Functions of machine learning and statistics that are elementary.


def sigmoid(x: Germ) -> Germ:
    if x.sign >= 0:
        return 1 / (1 + exp(-x))
    grown = exp(x)
    return grown / (1 + grown)


def softplus(x: Germ) -> Germ:
    return log1p(exp(x)) if x.sign <= 0 else x + log1p(exp(-x))


def log1mexp(x: Germ) -> Germ:
    return log(-expm1(x))


def logit(x: Germ) -> Germ:
    return log(x) - log(1 - x)


def _with_hole(series: Callable[[int], Exact], far: Row) -> Row:
    """A quotient with the value 1 at 0, by its power series there and by its formula elsewhere."""

    def row(u: Germ) -> Germ:
        found = limit(u)
        if found.value is not None and u.field.sign(found.value) == 0:
            return compose(series, u)
        return far(u)

    return row


def _over_factorial(j: int) -> fmpq:
    """1/(j + 1)!"""
    result = ONE
    for k in range(2, j + 2):
        result /= k
    return result


sinhc: Row = _with_hole(lambda j: ZERO if j % 2 else _over_factorial(j), lambda u: (exp(u) - exp(-u)).scaled(HALF) / u)
exprel: Row = _with_hole(_over_factorial, lambda u: expm1(u) / u)
_sinc: Row = _with_hole(
    lambda j: ZERO if j % 2 else (-1) ** (j // 2) * _over_factorial(j), lambda u: sine_and_cosine(u)[0] / u
)


def sinc(x: Germ) -> Germ:
    return _sinc(x.scaled(x.field.pi))


ELEMENTARY: Mapping[str, Row] = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "div": lambda x, y: x / y,
    "neg": lambda x: -x, "power": general_power, "fma": lambda x, y, z: x * y + z,
    "sqrt": sqrt, "cbrt": cbrt, "exp": exp, "exp2": exp2, "expm1": expm1, "log": log, "log2": in_base(2),
    "log10": in_base(10), "log1p": log1p, "log1mexp": log1mexp, "logaddexp": logaddexp, "xlogy": xlogy, "xdivy": xdivy,
    "softmax": lambda x, y: sigmoid(x - y),
    "sin": _of_circle(lambda s, c: s), "cos": _of_circle(lambda s, c: c), "tan": _of_circle(lambda s, c: s / c),
    "sec": _of_circle(lambda s, c: 1 / c), "csc": _of_circle(lambda s, c: 1 / s), "cot": _of_circle(lambda s, c: c / s),
    "asin": asin, "acos": acos, "atan": atan, "atan2": atan2, "hypot": hypot,
    "asec": lambda x: acos(1 / x), "acsc": lambda x: asin(1 / x), "acot": lambda x: atan(1 / x),
    "sinh": _of_hyperbola(lambda s, c: s), "cosh": _of_hyperbola(lambda s, c: c),
    "tanh": _of_hyperbola(lambda s, c: s / c), "sech": _of_hyperbola(lambda s, c: 1 / c),
    "csch": _of_hyperbola(lambda s, c: 1 / s), "coth": _of_hyperbola(lambda s, c: c / s),
    "asinh": asinh, "acosh": acosh, "atanh": atanh, "asech": lambda x: acosh(1 / x), "acsch": lambda x: asinh(1 / x),
    "acoth": lambda x: atanh(1 / x),
    "sigmoid": sigmoid, "softplus": softplus, "logit": logit, "sinc": sinc, "sinhc": sinhc, "exprel": exprel,
}  # fmt: skip
