"""Rows of the function table as germs: error functions, the normal distribution, the gamma and beta family.

In a regular point these are Taylor series, whose coefficients are balls by flint (Arb); near their poles they follow
from their functional equations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from flint import arb, arb_series, ctx, fmpq

from gradcli.truth import elementary_numbers as exact
from gradcli.truth.ball_special import RULES
from gradcli.truth.balls import BallError, Rule, with_terms
from gradcli.truth.budget import Budget, UndefinedError, UnknownError
from gradcli.truth.elementary_numbers import current
from gradcli.truth.field import Field
from gradcli.truth.numbers import HALF, ONE, ZERO, Exact, inv, mul
from gradcli.truth.row_limits import Row, absolute, by_slope, inside
from gradcli.truth.series import Germ, compose
from gradcli.truth.series_functions import derivative, exp, finite_limit, integral, log, power


def taylor(name: str, rule: Rule, known: Callable[[fmpq], fmpq | None] | None = None) -> Row:
    """The Taylor series of a function at the limit of its argument, by its row in ball arithmetic.

    ``known``: exact values at some rationals.
    """

    def row(u: Germ) -> Germ:
        at = finite_limit(u)
        if at is None:
            raise UnknownError(f"{name} at infinity")
        field = u.field
        point = field.normal(at)
        value = known(point) if known is not None and isinstance(point, fmpq) else None
        series = _Series(rule, point, field.budget)

        def factor(j: int) -> Exact:
            if not j and value is not None:
                return value
            return field.number("taylor", (name, field.identity(point), j), lambda: series.coefficient(j))

        return compose(factor, u - u.number(point))

    return row


class _Series:
    """The Taylor coefficients of a row at a number: as many as were asked for, at each precision."""

    def __init__(self, rule: Rule, point: Exact, budget: Budget) -> None:
        self.rule = rule
        self.point = point
        self.budget = budget
        self.known: dict[int, list[arb]] = {}

    def coefficient(self, j: int) -> arb:
        """The ball of a coefficient; one without bounds where the row has none."""
        series = self.known.get(ctx.prec, [])
        if j >= len(series):
            count = max(_FIRST, 2 * j)
            self.budget.spend(_WORK * count * ctx.prec // 128)
            try:
                at = current(self.point)
                found = with_terms(count, lambda: self.rule(arb_series([at, 1], count) if count > 1 else at))
                series = [found[k] for k in range(count)]
            except BallError:
                return arb("nan")
            self.known[ctx.prec] = series
        return series[j]


_WORK = 32
"""Products of coefficients that take as long as a coefficient of a special function at 128 bits."""
_FIRST = 6
"""Coefficients that are computed at once."""


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


def _known_gamma(at: fmpq) -> fmpq | None:
    return fmpq(math.factorial(int(at.p) - 1)) if at.q == 1 and 0 < at < _FACTORIALS else None


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
        exponent = a.field.normal(shape)
        if not isinstance(exponent, fmpq):
            raise UnknownError("an irrational power of the distance")
        density = power(u, exponent - 1) * exp(-u) / gamma(a)
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
        if not isinstance(first, fmpq) or not isinstance(second, fmpq):
            raise UnknownError("an irrational power of the distance")
        return power(u, first - 1) * power(1 - u, second - 1) / beta(a, b)

    return _incomplete(value, slope, x, None)


SPECIAL: Mapping[str, Row] = {
    "erf": erf, "erfc": erfc, "erfcx": erfcx, "normpdf": normpdf, "normcdf": _normcdf, "erfinv": erfinv,
    "gamma": gamma, "lgamma": lgamma, "digamma": digamma, "factorial": lambda u: gamma(u + 1), "beta": beta,
    "betaln": betaln, "gammainc": gammainc, "gammaincc": lambda a, x: gammainc(a, x, upper=True), "betainc": betainc,
}  # fmt: skip
