"""Exponentials, logarithms, powers, sines, derivatives, integrals and limits of germs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from flint import fmpq

from gradcli.truth import elementary_numbers as exact
from gradcli.truth.budget import MoreTermsError, UndefinedError, UnknownError
from gradcli.truth.field import Field
from gradcli.truth.growth import UNIT, Growth, compare, exponent, to_power
from gradcli.truth.numbers import ONE, ZERO, Exact, Power, add, as_power, mul, neg, rational
from gradcli.truth.series import Germ, build, compose, constant, factored, larger, lead, minus, plus, quotient


class Limit(NamedTuple):
    """A finite limit ``value``, an infinite one of this ``sign``, or none at all: an oscillation."""

    value: Exact | None
    sign: int = 0

    @property
    def oscillates(self) -> bool:
        return self.value is None and not self.sign


OSCILLATION = Limit(None)


def limit(x: Germ) -> Limit:
    """The limit at t -> 0+. Raise MoreTermsError where the O-term hides it."""
    order = compare(x.field, x.terms[0][0], UNIT) if x.terms else -1
    if order > 0:
        return Limit(None, x.field.sign(x.terms[0][1]))
    if x.rest is not None and compare(x.field, x.rest, UNIT) >= 0:
        if x.oscillates:
            return OSCILLATION
        raise MoreTermsError
    return Limit(ZERO if order else x.terms[0][1])


def finite_limit(x: Germ) -> Exact | None:
    """The limit, None where it is infinite."""
    found = limit(x)
    if found.oscillates:
        raise UnknownError("a function of an oscillation")
    return found.value


def _split(x: Germ) -> tuple[Germ, Exact, Germ]:
    """The infinite part, the constant and the infinitesimal part."""
    if x.rest is not None and compare(x.field, x.rest, UNIT) >= 0:
        if x.oscillates:
            raise UnknownError("a function of an oscillation")
        raise MoreTermsError
    infinite, small = [], []
    value: Exact = ZERO
    for g, c in x.terms:
        order = compare(x.field, g, UNIT)
        if order > 0:
            infinite.append((g, c))
        elif order < 0:
            small.append((g, c))
        else:
            value = c
    return Germ(x.field, infinite), value, Germ(x.field, small, x.rest, x.oscillates)


def exp(x: Germ) -> Germ:
    field = x.field
    infinite, value, u = _split(x)
    terms: dict[tuple[Power, Power], Exact] = {}
    power: Power = 0
    for g, c in infinite.terms:
        if g.exponent:
            raise UnknownError("an exponential of an exponential")
        if g.power:
            terms[g.power, g.logs] = c
        elif g.logs == 1:
            c = field.normal(c)
            if not isinstance(c, fmpq):
                raise UnknownError("an irrational power of the distance")
            power -= as_power(c)  # exp(c*log(1/t)) = t**-c
        else:
            raise UnknownError("an exponential of log**2")
    series = compose(lambda j: fmpq(1, math.factorial(j)), u).scaled(exact.exp(field, value))
    if not terms and not power:
        return series
    return series.shifted(Growth(exponent(field, terms), power, 0))


def log(x: Germ) -> Germ:
    sign = x.sign
    if sign <= 0:
        raise UndefinedError("log of a negative number" if sign else "log(0)", nan=bool(sign))
    field = x.field
    growth, c, u = factored(x)
    if growth.logs:
        raise UnknownError("a logarithm of a logarithm")
    terms: dict[Growth, Exact] = {Growth((), a, b): f for a, b, f in growth.exponent}
    if growth.power:
        terms[Growth((), 0, 1)] = rational(-growth.power)  # log(t) = -log(1/t)
    total = plus(build(field, terms, None), constant(field, exact.log(field, c)))
    return plus(total, compose(lambda j: fmpq((-1) ** (j + 1), j) if j else ZERO, u))


_BY_PRODUCTS = 4
"""Whole powers up to here are products, which stay exact where the binomial series would be cut."""


def power(x: Germ, r: fmpq) -> Germ:
    """x**r for a rational r; x < 0 only with a whole one."""
    field = x.field
    if not r:
        return constant(field, ONE)
    if x.zero:
        if r > 0:
            return x
        raise UndefinedError("0 to a negative power", nan=False)
    if r.q == 1 and 0 < r <= _BY_PRODUCTS:
        result = x
        for _ in range(int(r.p) - 1):
            result = result * x
        return result
    if not x.terms and x.oscillates and r.q == 1 and r > 0:
        return Germ(field, [], to_power(field, lead(x), as_power(r)), True)
    if r.q == 1 and -_BY_PRODUCTS <= r < 0 and not x.oscillates:
        return 1 / power(x, -r)
    growth, c, u = factored(x)
    if r.q != 1 and field.sign(c) < 0:
        raise UndefinedError("a fractional power of a negative number")
    series = compose(_binomial(r), u).scaled(exact.power(field, c, r))
    return series.shifted(to_power(field, growth, as_power(r)))


def _binomial(r: fmpq) -> Callable[[int], Exact]:
    known = [ONE]

    def factor(j: int) -> Exact:
        while len(known) <= j:
            n = len(known)
            known.append(known[-1] * (r - (n - 1)) / n)
        return known[j]

    return factor


def sqrt(x: Germ) -> Germ:
    return power(x, fmpq(1, 2))


def sine_and_cosine(x: Germ) -> tuple[Germ, Germ]:
    field = x.field
    wild = x.rest is not None and compare(field, x.rest, UNIT) >= 0
    if (x.terms and compare(field, x.terms[0][0], UNIT) > 0) or (wild and x.oscillates):
        wave = Germ(field, [], UNIT, True)
        return wave, wave
    if wild:
        raise MoreTermsError
    _, value, u = _split(x)
    s, c = exact.sine_and_cosine(field, value)
    sine = compose(lambda j: fmpq((-1) ** (j // 2), math.factorial(j)) if j % 2 else ZERO, u)
    if isinstance(value, fmpq) and not value:
        return sine, compose(lambda j: ZERO if j % 2 else fmpq((-1) ** (j // 2), math.factorial(j)), u)
    cosine = compose(lambda j: ZERO if j % 2 else fmpq((-1) ** (j // 2), math.factorial(j)), u)
    return plus(cosine.scaled(s), sine.scaled(c)), minus(cosine.scaled(c), sine.scaled(s))


class _Sum(dict[Growth, Exact]):
    """Terms that are added up."""

    def put(self, growth: Growth, factor: Exact) -> None:
        if not isinstance(factor, fmpq) or factor:
            self[growth] = add(self[growth], factor) if growth in self else factor


def derivative(x: Germ) -> Germ:
    """The derivative in t."""
    total = _Sum()
    x.field.budget.spend(len(x.terms))
    for (p, a, b), c in x.terms:
        if a:
            total.put(Growth(p, a - 1, b), mul(rational(a), c))
        if b:
            total.put(Growth(p, a - 1, b - 1), mul(rational(-b), c))
        for e, f, k in p:
            total.put(Growth(p, a + e - 1, b + f), mul(c, mul(rational(e), k)))
            if f:
                total.put(Growth(p, a + e - 1, b + f - 1), mul(c, mul(rational(-f), k)))
    rest = None
    if x.rest is not None:
        p, a, b = x.rest
        rest = Growth(p, a - 1 + (p[0][0] if p else 0), b + (p[0][1] if p else 0))
    return build(x.field, total, rest, x.oscillates)


def integral(x: Germ) -> Germ:
    """The integral in t that is 0 at 0, or has no constant term."""
    if x.oscillates:
        raise UnknownError("an integral of an oscillation")
    field = x.field
    total = _Sum()
    tails: list[Growth] = []
    for growth, c in x.terms:
        tail = _integrate_exponential(field, growth, c, total) if growth.exponent else _integrate(growth, c, total)
        if tail is not None:
            tails.append(tail)
    if x.rest is not None:
        p, a, b = x.rest
        if not p and a <= -1:
            raise MoreTermsError  # the constant would be lost
        tails.append(Growth(p, a + 1 - p[0][0], b - p[0][1]) if p else Growth(p, a + 1, b))
    rest = None
    for growth in tails:
        rest = larger(field, rest, growth)
    return build(field, total, rest)


def _integrate(growth: Growth, c: Exact, total: _Sum) -> Growth | None:
    """Integrate c*t**a*L**b by parts, which ends for whole b >= 0."""
    _, a, b = growth
    if a == -1:
        if b == -1:
            raise UnknownError("a logarithm of a logarithm")
        total.put(Growth((), 0, b + 1), mul(1 / rational(-b - 1), c))
        return None
    factor = c
    for _ in range(_PARTS):
        factor = mul(factor, 1 / rational(a + 1))
        total.put(Growth((), a + 1, b), factor)
        if not b:
            return None
        factor, b = mul(factor, rational(b)), b - 1
    return Growth((), a + 1, b)


_PARTS = 16
"""Steps of an asymptotic integration by parts."""


def _integrate_exponential(field: Field, growth: Growth, c: Exact, total: _Sum) -> Growth | None:
    """Integrate exp(P)*g asymptotically, as exp(P)*(g/P' - (g/P')'/P' + ...)."""
    p, a, b = growth
    slope = derivative(Germ(field, [(Growth((), e, f), k) for e, f, k in p]))
    g = Germ(field, [(Growth((), a, b), c)])
    lost: Growth | None = None
    for j in range(min(_PARTS, field.budget.terms)):
        g = quotient(g, slope)
        for h, k in g.terms:
            total.put(Growth(p, h.power, h.logs), neg(k) if j % 2 else k)
        lost = larger(field, lost, g.rest)
        g = derivative(g)
        if g.zero:
            break
    else:
        lost = larger(field, lost, lead(quotient(g, slope)))
    return None if lost is None else Growth(p, lost.power, lost.logs)


def in_argument(x: Germ, u: Germ) -> Germ:
    """dx/du of two germs in t."""
    return derivative(x) / derivative(u)
