"""How fast a term grows as t -> 0+: exp(P)*t**a*L**b with L = log(1/t), the monomials of the series, and their order.

The scale is that of exp-log functions of depth one (G. H. Hardy, Orders of Infinity, 1910).
"""

from __future__ import annotations

from typing import NamedTuple

from flint import fmpq

from gradcli.truth.field import Field
from gradcli.truth.numbers import ZERO, Exact, Power, add, mul, rational, sub

Exponent = tuple[tuple[Power, Power, Exact], ...]
"""P, a sum of terms c*t**a*L**b that are infinite at 0, the dominant first, as triples (a, b, c)."""


class Growth(NamedTuple):
    """exp(exponent) * t**power * L**logs."""

    exponent: Exponent
    power: Power
    logs: Power


UNIT = Growth((), 0, 0)
DISTANCE = Growth((), 1, 0)
"""t itself."""


def _compare_exponents(field: Field, p: Exponent, q: Exponent) -> int:
    if p == q:
        return 0
    difference: dict[tuple[Power, Power], Exact] = {(a, b): c for a, b, c in p}
    for a, b, c in q:
        difference[a, b] = sub(difference.get((a, b), ZERO), c)
    for key in sorted(difference, key=lambda k: (k[0], -k[1])):
        sign = field.sign(difference[key])
        if sign:
            return sign
    return 0


def compare(field: Field, x: Growth, y: Growth) -> int:
    """1 where x dominates y as t -> 0+, -1 where y does, 0 where they are equal."""
    if x.exponent or y.exponent:
        order = _compare_exponents(field, x.exponent, y.exponent)
        if order:
            return order
    if x.power != y.power:
        return 1 if x.power < y.power else -1
    return int(x.logs > y.logs) - int(x.logs < y.logs)


def times(field: Field, x: Growth, y: Growth) -> Growth:
    total = x.exponent or y.exponent
    if x.exponent and y.exponent:
        terms: dict[tuple[Power, Power], Exact] = {(a, b): c for a, b, c in x.exponent}
        for a, b, c in y.exponent:
            terms[a, b] = add(terms.get((a, b), ZERO), c)
        total = exponent(field, terms)
    return Growth(total, x.power + y.power, x.logs + y.logs)


def exponent(field: Field, terms: dict[tuple[Power, Power], Exact]) -> Exponent:
    """The exponent with these coefficients, each in normal form and one object for equal numbers."""
    plain = [(a, b, field.intern(c)) for (a, b), c in terms.items()]
    kept = [(a, b, c) for a, b, c in plain if not isinstance(c, fmpq) or c]
    return tuple(sorted(kept, key=lambda term: (term[0], -term[1])))


def inverse(field: Field, x: Growth) -> Growth:
    return to_power(field, x, -1)


def to_power(field: Field, x: Growth, r: Power) -> Growth:
    scaled = exponent(field, {(a, b): mul(c, rational(r)) for a, b, c in x.exponent}) if x.exponent else ()
    return Growth(scaled, x.power and x.power * r, x.logs and x.logs * r)
