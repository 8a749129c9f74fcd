"""Rules in ball arithmetic for special functions: error function, the gamma and the beta family.

Layer: must not know expressions.
"""

from __future__ import annotations

import math
from fractions import Fraction

from flint import arb, arb_series, ctx

from gradcli.truth.ball_elementary import log
from gradcli.truth.ball_powers import power
from gradcli.truth.ball_steps import absolute
from gradcli.truth.balls import (
    Ball,
    Rule,
    compose,
    composed,
    family,
    head,
    integral,
    nonzero,
    number,
    outside,
    pole,
    refuse_moving,
    unsure,
    with_terms,
    within,
)


def _variable(a: Ball, count: int) -> Ball:
    return arb_series([a, 1], count)


# Functions that are entire, 0/0 at 0 as they are written: confluent hypergeometric functions, whose derivatives are
# functions of the same kind (DLMF 13.3.15, 16.3.1).


def _of_square(scale: Ball, a: Ball, count: int) -> list[Ball]:
    """Taylor coefficients at ``a`` of 0F1(; 3/2; scale*x**2): sinc and sinhc."""

    def found() -> list[Ball]:
        z = scale * _variable(a, count) * _variable(a, count)
        outer, factor = [], arb(1)
        for k in range(count):
            order = number(Fraction(2 * k + 3, 2))
            outer.append(z[0].hypgeom_0f1(order) * factor)
            factor = factor / (order * (k + 1))
        whole = compose(outer, z)
        return [whole[k] for k in range(count)]

    return list(with_terms(count, found))


def _sinc_coefficients(a: Ball, count: int) -> list[Ball]:
    return [a.sinc_pi()] if count == 1 else _of_square(-(arb.pi() ** 2) / 4, a, count)


def _sinhc_coefficients(a: Ball, count: int) -> list[Ball]:
    return _of_square(number(Fraction(1, 4)), a, count)


def _exprel_coefficients(a: Ball, count: int) -> list[Ball]:
    return [a.hypgeom_1f1(k + 1, k + 2) / math.factorial(k + 1) for k in range(count)]


# The error function and the normal distribution.


def _gauss_coefficients(a: Ball, count: int) -> list[Ball]:
    """Of exp(-x**2): c_(k+1) = -2*(a*c_k + c_(k-1))/(k + 1)."""
    below, c = arb(0), (-(a**2)).exp()
    coefficients = []
    for k in range(count):
        coefficients.append(c)
        below, c = c, -2 * (a * c + below) / (k + 1)
    return coefficients


def _normal_coefficients(a: Ball, count: int) -> list[Ball]:
    root = arb(2).sqrt()
    scale = 1 / (root * arb.const_sqrt_pi())
    return [c * scale / root**k for k, c in enumerate(_gauss_coefficients(a / root, count))]


def _normcdf(u: Ball) -> Ball:
    return (-u / arb(2).sqrt()).erfc() / 2


def _erfcx_coefficients(a: Ball, count: int) -> list[Ball]:
    """Beyond 2, (-1)**k*U((k + 1)/2, 1/2, x**2)/sqrt(pi), without cancellation (DLMF 7.18.11)."""
    if a > 2:
        scale, half = 1 / arb.const_sqrt_pi(), number(Fraction(1, 2))
        return [(-1) ** k * scale * (a * a).hypgeom_u(number(Fraction(k + 1, 2)), half) for k in range(count)]

    def found() -> list[Ball]:
        u = _variable(a, count)
        whole = (u * u).exp() * u.erfc()
        return [whole[k] for k in range(count)]

    return list(with_terms(count, found))


def _erfinv_coefficients(a: Ball, count: int) -> list[Ball]:
    """From y' = exp(y**2)*sqrt(pi)/2, a coefficient at a time."""

    def found() -> list[Ball]:
        y = arb_series([a.erfinv()], count)
        for _ in range(count - 1):
            y = ((y * y).exp() * (arb.const_sqrt_pi() / 2)).integral() + y[0]
        return [y[k] for k in range(count)]

    return list(with_terms(count, found))


_erfinv = composed(_erfinv_coefficients)


def _open(u: Ball) -> Ball:
    """``u`` between -1 and 1, which are poles."""
    a = head(u)
    if (abs(a) - 1).is_zero():
        raise pole()
    return within(u, -1, 1)


# The gamma and the beta family.


def _gamma_argument(u: Ball) -> Ball:
    a = head(u)
    if not a > 0 and a.contains_integer():
        raise pole() if a.is_exact() else unsure()
    return u


def _gamma(u: Ball) -> Ball:
    return _gamma_argument(u).gamma()


def _lgamma(u: Ball) -> Ball:
    return u.lgamma() if head(u) > 0 else absolute(_gamma(u)).log()


def _digamma_coefficients(a: Ball, count: int) -> list[Ball]:
    def found() -> list[Ball]:
        whole = _lgamma(_variable(a, count + 1)).derivative()
        return [whole[k] for k in range(count)]

    return list(with_terms(count + 1, found))


_polygamma = family(_digamma_coefficients)


def _beta(a: Ball, b: Ball) -> Ball:
    return _gamma(a) * _gamma(b) * (a + b).rgamma()


def _betaln(a: Ball, b: Ball) -> Ball:
    if head(a) > 0 and head(b) > 0:
        return a.lgamma() + b.lgamma() - (a + b).lgamma()
    return log(absolute(_beta(a, b)))


def _densities(first: Ball, step: Rule, n: int) -> Ball:
    """The n-th derivative of a density, from the recurrence that leads from two of them to the next."""
    below, value = arb(0), first
    for k in range(n):
        below, value = value, step(k, value, below)
    return value


def _gammapdf(a: Ball, x: Ball, n: int) -> Ball:
    first = power(x, a - 1) * (-x).exp() * a.rgamma()
    return _densities(first, lambda k, p, q: ((a - (1 + k) - x) * p - k * q) / nonzero(x), n)


def _betapdf(a: Ball, b: Ball, x: Ball, n: int) -> Ball:
    first = power(x, a - 1) * power(1 - x, b - 1) / _beta(a, b)

    def step(k: int, p: Ball, q: Ball) -> Ball:
        return ((a - (1 + k) - (a + b - (2 + 2 * k)) * x) * p - k * (a + b - (1 + k)) * q) / nonzero(x * (1 - x))

    return _densities(first, step, n)


def _shape(*values: Ball) -> None:
    refuse_moving(*values)
    for a in values:
        if not a > 0:
            raise pole() if a.is_zero() else outside() if a < 0 else unsure()


def _lower(a: Ball, x: Ball) -> Ball:
    """P(a, x). flint's own may take half a second for large a, where the sum of its upper companion is quick."""
    if 2 * x < a:
        # x**a*exp(-x)/gamma(a + 1) * sum of x**n/((a + 1)...(a + n)), whose terms at least halve (DLMF 8.11.4).
        term = total = arb(1)
        n = 0
        while term > arb(2) ** -ctx.prec:
            n += 1
            term = term * x / (a + n)
            total += term
        return (total + arb(0, term.upper())) * x**a * (-x).exp() * (a + 1).rgamma()
    bits = ctx.prec
    try:
        for more in (0, 64, 256, 1024):
            ctx.prec = bits + more
            value = 1 - x.gamma_upper(a, regularized=1)
            if value.rel_accuracy_bits() > bits - 32:
                break
    finally:
        ctx.prec = bits
    return value


def _gammainc(upper: bool) -> Rule:
    def rule(a: Ball, x: Ball) -> Ball:
        _shape(a)

        def value(b: Ball) -> Ball:
            if b.is_zero():
                return arb(1 if upper else 0)
            return b.gamma_upper(a, regularized=1) if upper else _lower(a, b)

        def slope(u: Ball) -> Ball:
            return -_gammapdf(a, u, 0) if upper else _gammapdf(a, u, 0)

        return integral(value, slope)(within(x, 0, None))

    return rule


def _betainc(a: Ball, b: Ball, x: Ball) -> Ball:
    _shape(a, b)

    def value(c: Ball) -> Ball:
        if c.is_zero() or c == 1:
            return c
        return c.beta_lower(a, b, regularized=1)

    return integral(value, lambda u: _betapdf(a, b, u, 0))(within(x, 0, 1))


RULES: dict[str, Rule] = {
    "sinc": composed(_sinc_coefficients),
    "dsinc": family(_sinc_coefficients),
    "sinhc": composed(_sinhc_coefficients),
    "dsinhc": family(_sinhc_coefficients),
    "exprel": composed(_exprel_coefficients),
    "dexprel": family(_exprel_coefficients),
    "dgauss": family(_gauss_coefficients),
    "normcdf": _normcdf,
    "normpdf": composed(_normal_coefficients),
    "dnormpdf": family(_normal_coefficients),
    "erf": lambda u: u.erf(),
    "erfc": lambda u: u.erfc(),
    "erfcx": composed(_erfcx_coefficients),
    "derfcx": family(_erfcx_coefficients),
    "erfinv": lambda u: _erfinv(_open(u)),
    "gamma": _gamma,
    "lgamma": _lgamma,
    "digamma": composed(_digamma_coefficients),
    "polygamma": _polygamma,
    "factorial": lambda u: _gamma(u + 1),
    "polygamma_gap": lambda a, b, n: _polygamma(a + b, n) - _polygamma(a, n),
    "beta": _beta,
    "betaln": _betaln,
    "betainc": _betainc,
    "betapdf": _betapdf,
    "gammainc": _gammainc(False),
    "gammaincc": _gammainc(True),
    "gammapdf": _gammapdf,
}
