"""Rows of the function table as germs: Bessel and Airy functions, Lambert's W, and rows with an integer parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce

from flint import arb, fmpq

from gradcli.truth import elementary_numbers as exact
from gradcli.truth.ball_bessel import RULES
from gradcli.truth.budget import UndefinedError, UnknownError
from gradcli.truth.growth import DISTANCE, to_power
from gradcli.truth.numbers import HALF, ONE, ZERO, Exact, Power, add, inv, mul
from gradcli.truth.row_limits import Row, exprel, sinc, sinhc
from gradcli.truth.row_regular import regular, taylor
from gradcli.truth.row_special import digamma, erfcx, fixed, normpdf
from gradcli.truth.series import Germ, compose, lead
from gradcli.truth.series_functions import derivative, exp, finite_limit, in_argument, limit, log, power

FamilyRow = Callable[..., Germ]
"""A row with an integer parameter, which comes first."""

# Bessel functions (DLMF 10).

_REAL_ORDER = {"besselj": "jv", "bessely": "yv", "besseli": "iv", "besselk": "kv"}


def _power_series(kind: str, order: fmpq, u: Germ) -> Germ:
    """J or I at 0, times (u/2)**order: DLMF 10.2.2 and 10.25.2."""
    if u.zero:
        return _at_zero(order, u)
    half = u.scaled(HALF)
    square = half * half
    first = _reciprocal_gamma(u, order + 1)
    sign = -1 if kind == "besselj" else 1

    def factor(j: int) -> Exact:
        rising = ONE
        for k in range(1, j + 1):
            rising *= k * (order + k)
        return fmpq(sign**j) / rising

    return compose(factor, square).scaled(first) * power(half, order)


def _at_zero(order: fmpq, u: Germ) -> Germ:
    if order == 0:
        return u.number(1)
    if order < 0 and order.q != 1:
        raise UndefinedError("a Bessel function of negative order at 0", nan=False)
    return u


def _reciprocal_gamma(u: Germ, at: fmpq) -> Exact:
    if at.q == 1:
        return inv(fmpq(math.factorial(int(at.p) - 1)))
    return u.field.number("1/gamma", (at.p, at.q), lambda: arb(at).rgamma())


def bessel(kind: str, order: fmpq, u: Germ) -> Germ:
    found = limit(u)
    if found.value is None:
        if kind in ("besselj", "bessely") and (found.sign > 0 or order.q == 1):
            # An oscillation that decays as u**(-1/2).
            return Germ(u.field, [], to_power(u.field, lead(u), Fraction(-1, 2)), True)
        raise UnknownError("a Bessel function at infinity")
    second = kind in ("bessely", "besselk")
    at_zero = u.field.sign(found.value) == 0
    if (second or order.q != 1) and (u.field.sign(found.value) < 0 or (at_zero and u.sign < 0)):
        raise UndefinedError("outside the domain")
    if not at_zero:
        rule = RULES[kind] if order.q == 1 else RULES[_REAL_ORDER[kind]]
        fixed = (lambda x: rule(x, int(order.p))) if order.q == 1 else (lambda x: rule(arb(order), x))
        return taylor(f"{kind} {order}", fixed)(u)
    if order.q == 1 and order < 0:
        sign = -1 if order.p % 2 and kind in ("besselj", "bessely") else 1
        return bessel(kind, -order, u).scaled(fmpq(sign))
    if not second:
        return _power_series(kind, order, u)
    if u.zero:
        raise UndefinedError("a Bessel function of the second kind at 0", nan=False)
    if order.q != 1:
        return _second_kind(kind, order, u)
    return _second_kind_whole(kind, int(order.p), u)


def _second_kind(kind: str, order: fmpq, u: Germ) -> Germ:
    """Y and K of an order that is not whole, by J and I of both signs (DLMF 10.2.3, 10.27.4)."""
    field = u.field
    sine, cosine = exact.sine_and_cosine(field, mul(order, field.pi))
    first = "besselj" if kind == "bessely" else "besseli"
    plus, minus = _power_series(first, order, u), _power_series(first, -order, u)
    if kind == "bessely":
        return (plus.scaled(cosine) - minus).scaled(inv(sine))
    return (minus - plus).scaled(mul(mul(HALF, field.pi), inv(sine)))


def _second_kind_whole(kind: str, n: int, u: Germ) -> Germ:
    """Y and K of a whole order at 0, where they have a logarithm (DLMF 10.8.1, 10.31.1)."""
    field = u.field
    sign = -1 if kind == "bessely" else 1
    half = u.scaled(HALF)
    square = half * half
    euler = field.number("euler", None, arb.const_euler)
    harmonic = [ZERO]

    def sum_of_psi(k: int) -> Exact:
        """psi(k + 1) + psi(n + k + 1)"""
        while len(harmonic) <= n + k:
            harmonic.append(harmonic[-1] + fmpq(1, len(harmonic)))
        return add(mul(fmpq(-2), euler), harmonic[k] + harmonic[n + k])

    def last(k: int) -> Exact:
        return mul(fmpq(sign**k, math.factorial(k) * math.factorial(n + k)), sum_of_psi(k))

    total = compose(last, square) * power(half, fmpq(n))
    finite = u.number(0)
    for k in range(n):
        finite = finite + power(square, fmpq(k)).scaled(
            fmpq((-sign) ** k * math.factorial(n - k - 1), math.factorial(k))
        )
    finite = finite / power(half, fmpq(n))
    logarithm = log(half) * _power_series("besselj" if kind == "bessely" else "besseli", fmpq(n), u)
    if kind == "bessely":
        return (logarithm.scaled(fmpq(2)) - finite - total).scaled(inv(field.pi))
    if n % 2:
        logarithm, total = -logarithm, -total
    return finite.scaled(HALF) - logarithm + total.scaled(HALF)


def _real_order(kind: str) -> Row:
    def row(order: Germ, u: Germ) -> Germ:
        number = fixed(order, kind)
        if not isinstance(number, fmpq):
            return regular(_REAL_ORDER[kind], None, [order, u])
        return bessel(kind, number, u)

    return row


# Airy functions and Lambert's W.


def _airy(name: str, decay: Power) -> Row:
    regular = taylor(name, RULES[name])

    def row(u: Germ) -> Germ:
        found = limit(u)
        if found.value is None and found.sign < 0:
            return Germ(u.field, [], to_power(u.field, lead(u), decay), True)
        return regular(u)

    return row


def _lambert(branch: int) -> Row:
    name = "lambertw_low" if branch else "lambertw"
    regular = taylor(name, RULES[name], lambda at: None if at or branch else ZERO)

    def row(u: Germ) -> Germ:
        field = u.field
        e = field.e
        found = limit(u)
        if branch and (u.sign > 0 or u.zero):
            raise UndefinedError("outside the domain", nan=not u.zero)
        if found.value is None:
            raise UnknownError("Lambert's W at infinity")
        above = u.scaled(e) + 1
        if above.sign < 0:
            raise UndefinedError("outside the domain")
        if branch and field.sign(found.value) == 0:
            raise UnknownError("the lower branch of Lambert's W at 0")
        if field.sign(limit(above).value or ZERO) == 0:
            return _branch_point(power(above.scaled(fmpq(2)), HALF), -1 if branch else 1)
        return regular(u)

    return row


def _branch_point(p: Germ, sign: int) -> Germ:
    """W = -1 + p - p**2/3 + 11/72*p**3 ... for p = +-sqrt(2*(e*x + 1)) (Corless et al., 1996, section 4)."""
    mu, alpha = [fmpq(-1), ONE], [fmpq(2), fmpq(-1)]

    def factor(j: int) -> Exact:
        while len(mu) <= j:
            k = len(mu)
            alpha.append(sum((mu[i] * mu[k + 1 - i] for i in range(2, k)), ZERO))
            mu.append(
                fmpq(k - 1, k + 1) * (mu[k - 2] / 2 + alpha[k - 2] / 4) - alpha[k] / 2 - mu[k - 1] / (k + 1)
            )  # fmt: skip
        return mu[j]

    return compose(factor, p.scaled(fmpq(sign)))


def _lambert_above(n: int, u: Germ) -> Germ:
    return 1 + _lambert(n)(u)


def _lambert_ratio(n: int, u: Germ) -> Germ:
    return exp(-_lambert(n)(u))


# The n-th derivative of a row, as a function of its argument.


def nth_derivative(row: Row) -> FamilyRow:
    def family(n: int, u: Germ) -> Germ:
        if not n:
            return row(u)
        field = u.field
        found = limit(u)
        if found.value is not None and derivative(u).zero:
            # Its value at a number is that of the series in a distance from it.
            near = row(u.number(found.value) + Germ(field, [(DISTANCE, ONE)]))
            near = reduce(lambda f, _: derivative(f), range(n), near)
            value = finite_limit(near)
            if value is None:
                raise UndefinedError("a pole", nan=False)
            return u.number(value)
        return reduce(lambda f, _: in_argument(f, u), range(n), row(u))

    return family


FAMILIES: Mapping[str, FamilyRow] = {
    "polygamma": nth_derivative(digamma), "dsinc": nth_derivative(sinc), "dsinhc": nth_derivative(sinhc),
    "dexprel": nth_derivative(exprel), "dgauss": nth_derivative(lambda u: exp(-(u * u))),
    "dnormpdf": nth_derivative(normpdf), "derfcx": nth_derivative(erfcx),
    "besselj": lambda n, u: bessel("besselj", fmpq(n), u), "bessely": lambda n, u: bessel("bessely", fmpq(n), u),
    "besseli": lambda n, u: bessel("besseli", fmpq(n), u), "besselk": lambda n, u: bessel("besselk", fmpq(n), u),
    "lambertw_above": _lambert_above, "lambertw_ratio": _lambert_ratio,
}  # fmt: skip

_QUARTER = Fraction(1, 4)
OTHERS: Mapping[str, Row] = {
    "jv": _real_order("besselj"), "yv": _real_order("bessely"), "iv": _real_order("besseli"),
    "kv": _real_order("besselk"), "lambertw": _lambert(0), "lambertw_low": _lambert(1),
    "airyai": _airy("airyai", -_QUARTER), "airybi": _airy("airybi", -_QUARTER),
    "airyaiprime": _airy("airyaiprime", _QUARTER),
    "airybiprime": _airy("airybiprime", _QUARTER),
}  # fmt: skip
