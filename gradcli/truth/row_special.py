"""Rows of the function table as germs: error functions, the normal distribution, the gamma and beta family.

In a regular point these are Taylor series (`row_regular`); near poles they follow from their functional equations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from flint import arb, fmpq

from gradcli.truth import elementary_numbers as exact
from gradcli.truth.budget import UndefinedError, UnknownError
from gradcli.truth.elementary_numbers import current
from gradcli.truth.field import Field
from gradcli.truth.jets import RULES
from gradcli.truth.numbers import HALF, ONE, ZERO, Exact, inv, mul
from gradcli.truth.row_limits import Row, absolute, by_slope, general_power, inside
from gradcli.truth.row_regular import taylor
from gradcli.truth.series import Germ
from gradcli.truth.series_functions import derivative, exp, finite_limit, integral, log

# Error functions.


def _erf_slope(u: Germ) -> Germ:
    field = u.field
    return exp(-(u * u)).scaled(mul(fmpq(2), inv(exact.power(field, field.pi, HALF))))


def _erf_value(field: Field, at: Exact) -> Exact:
    if field.sign(at) == 0:
        return ZERO
    point = field.normal(at)
    return field.number("erf", field.identity(point), lambda: current(point).erf())


def _far_erf(u: Germ, sign: int) -> Germ:
    return u.number(sign) + integral(_erf_slope(u) * derivative(u))


def _erfc_value(field: Field, at: Exact) -> Exact:
    if field.sign(at) == 0:
        return ONE
    point = field.normal(at)
    return field.number("erfc", field.identity(point), lambda: current(point).erfc())


def _far_erfc(u: Germ, sign: int) -> Germ:
    return u.number(1 - sign) - integral(_erf_slope(u) * derivative(u))


erf: Row = by_slope(_erf_value, _erf_slope, _far_erf)
erfc: Row = by_slope(_erfc_value, lambda u: -_erf_slope(u), _far_erfc)


def normpdf(x: Germ) -> Germ:
    field = x.field
    return exp((x * x).scaled(-HALF)).scaled(exact.power(field, mul(fmpq(2), field.pi), -HALF))


def _normcdf(x: Germ) -> Germ:
    return erfc(x.scaled(exact.power(x.field, fmpq(2), -HALF)) * -1).scaled(HALF)


def erfcx(x: Germ) -> Germ:
    return exp(x * x) * erfc(x)


_erfinv = taylor("erfinv", RULES["erfinv"], lambda at: None if at else ZERO)


def erfinv(u: Germ) -> Germ:
    inside(u, -1, 1)
    at = finite_limit(u)
    if at is not None and u.field.compare(mul(at, at), ONE) == 0:
        raise UnknownError("erfinv at the ends of its range")
    return _erfinv(u)


# The gamma and beta family.

_FACTORIALS = 60
_SHIFTS = 200
"""The most factors by which an argument below 0 is shifted up."""


def _known_gamma(at: Exact) -> Exact | None:
    if not isinstance(at, fmpq) or at.q != 1 or not 0 < at < _FACTORIALS:
        return None
    return fmpq(math.factorial(int(at.p) - 1))


_gamma = taylor("gamma", RULES["gamma"], _known_gamma)
_lgamma = taylor("lgamma", RULES["lgamma"], lambda at: ZERO if at in (1, 2) else None)


_digamma = taylor("digamma", RULES["digamma"])


def _shifts(u: Germ) -> int:
    """How many units raise the argument above 0."""
    at = finite_limit(u)
    if at is None:
        raise UnknownError("the gamma function at infinity")
    if u.field.sign(at) > 0:
        return 0
    whole = exact.floor(u.field, at)
    if whole is None or -whole > _SHIFTS:
        raise UnknownError("the gamma function far below 0")
    return 1 - whole


def _rising(u: Germ, count: int) -> Germ:
    product = u.number(1)
    for k in range(count):
        product = product * (u + k)
    return product


def _off_poles(u: Germ) -> Germ:
    """The argument; it must not be a pole identically."""
    at = u.value
    if at is not None and u.field.sign(at) <= 0:
        whole = exact.floor(u.field, at)
        if whole is not None and u.field.compare(at, fmpq(whole)) == 0:
            raise UndefinedError("a pole of the gamma function", nan=False)
    return u


def gamma(u: Germ) -> Germ:
    count = _shifts(_off_poles(u))
    value = _gamma(u + count)
    return value / _rising(u, count) if count else value


def lgamma(u: Germ) -> Germ:
    count = _shifts(_off_poles(u))
    value = _lgamma(u + count)
    return value - log(absolute(_rising(u, count))) if count else value


def digamma(u: Germ) -> Germ:
    count = _shifts(_off_poles(u))
    value = _digamma(u + count)
    for k in range(count):
        value = value - 1 / (u + k)
    return value


def beta(x: Germ, y: Germ) -> Germ:
    return gamma(x) * gamma(y) / gamma(x + y)


def betaln(x: Germ, y: Germ) -> Germ:
    return lgamma(x) + lgamma(y) - lgamma(x + y)


def fixed(u: Germ, name: str) -> Exact:
    """The number that an argument is; there is no closed derivative in it."""
    value = u.value
    if value is None:
        raise UnknownError(f"no derivative of {name} in this argument has a closed form")
    return u.field.normal(value)


def _incomplete(
    value: Callable[[Field, Exact], Exact], slope: Callable[[Germ], Germ], x: Germ, far: int | None
) -> Germ:
    def at_infinity(u: Germ, sign: int) -> Germ:
        if far is None or sign < 0:
            raise UndefinedError("outside the domain")
        return u.number(far) + integral(slope(u) * derivative(u))

    return by_slope(value, slope, at_infinity)(x)


def gammainc(a: Germ, x: Germ, upper: bool = False) -> Germ:
    inside(x, 0, None)
    shape = fixed(a, "gammainc")
    if x.field.sign(shape) <= 0:
        raise UndefinedError("outside the domain")

    def value(field: Field, at: Exact) -> Exact:
        point = field.normal(at)
        if field.sign(point) == 0:
            return ONE if upper else ZERO
        method = arb.gamma_upper if upper else arb.gamma_lower
        key = (upper, field.identity(shape), field.identity(point))
        return field.number("gammainc", key, lambda: method(current(point), current(shape), 1))

    def slope(u: Germ) -> Germ:
        density = general_power(u, a - 1) * exp(-u) / gamma(a)
        return -density if upper else density

    return _incomplete(value, slope, x, 0 if upper else 1)


def betainc(a: Germ, b: Germ, x: Germ) -> Germ:
    inside(x, 0, 1)
    first, second = fixed(a, "betainc"), fixed(b, "betainc")
    if x.field.sign(first) <= 0 or x.field.sign(second) <= 0:
        raise UndefinedError("outside the domain")

    def value(field: Field, at: Exact) -> Exact:
        point = field.normal(at)
        if isinstance(point, fmpq) and point in (0, 1):
            return point
        key = (field.identity(first), field.identity(second), field.identity(point))
        return field.number(
            "betainc", key, lambda: arb.beta_lower(current(point), current(first), current(second), 1)
        )  # fmt: skip

    def slope(u: Germ) -> Germ:
        return general_power(u, a - 1) * general_power(1 - u, b - 1) / beta(a, b)

    return _incomplete(value, slope, x, None)


SPECIAL: Mapping[str, Row] = {
    "erf": erf, "erfc": erfc, "erfcx": erfcx, "normpdf": normpdf, "normcdf": _normcdf, "erfinv": erfinv,
    "gamma": gamma, "lgamma": lgamma, "digamma": digamma, "factorial": lambda u: gamma(u + 1), "beta": beta,
    "betaln": betaln, "gammainc": gammainc, "gammaincc": lambda a, x: gammainc(a, x, upper=True), "betainc": betainc,
}  # fmt: skip
