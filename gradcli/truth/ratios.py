"""Rational functions of t, exact: pairs of polynomials beside the series, so that no term of them is ever lost."""

from __future__ import annotations

from flint import ctx, fmpq, fmpq_poly, fmpq_series

from gradcli.truth.budget import BITS, Budget
from gradcli.truth.numbers import Power

Ratio = tuple[fmpq_poly, fmpq_poly]
"""Numerator and denominator."""

_DEGREES = 120
"""The largest sum of degrees of two operands."""
_CALL = 16
"""Products of coefficients that take as long as an operation on two short ratios."""
_LENGTH = 40
"""The most terms of a series that become a polynomial, and the largest of their exponents is five times that."""


def combine(operation: str, x: Ratio, y: Ratio, budget: Budget) -> Ratio | None:
    """The sum, difference, product or quotient; None where it would be long, or the divisor is 0."""
    (a, b), (c, d) = x, y
    first, second = max(a.degree(), b.degree()), max(c.degree(), d.degree())
    if first + second > _DEGREES:
        return None
    words = 1 + (a.denom().bit_length() + c.denom().bit_length()) // 64
    budget.spend(first * second // 4 + (first + second) * words // 8 + _CALL)
    if operation == "mul":
        above, below = a * c, b * d
    elif operation == "div":
        if not c:
            return None
        above, below = a * d, b * c
    elif b == d:
        above, below = (a + c if operation == "add" else a - c), b
    else:
        above, below = (a * d + c * b if operation == "add" else a * d - c * b), b * d
    if not above:
        return above, fmpq_poly([1])
    if below.degree() > 0:
        common = above.gcd(below)
        if common.degree() > 0:
            above, below = above // common, below // common
    return above, below


def polynomial(terms: list[tuple[Power, fmpq]]) -> Ratio | None:
    """The sum of c*t**a over pairs (a, c); None where an exponent is not whole, or it is long."""
    if len(terms) > _LENGTH:
        return None
    powers = [a for a, _ in terms if isinstance(a, int)]
    if len(powers) < len(terms) or any(abs(a) > 5 * _LENGTH for a in powers):
        return None
    low, high = min([0, *powers]), max([0, *powers])
    factors = [fmpq(0)] * (high - low + 1)
    for a, (_, c) in zip(powers, terms, strict=True):
        factors[a - low] = c
    return fmpq_poly(factors), fmpq_poly([0] * -low + [1])


def _valuation(p: fmpq_poly) -> int:
    return next(i for i in range(p.degree() + 1) if p[i])


def expanded(ratio: Ratio, count: int) -> tuple[list[tuple[int, fmpq]], int | None]:
    """Terms (exponent, factor) of the Laurent series in t, as many as ``count``; the exponent of the O-term, if any."""
    above, below = ratio
    if not above:
        return [], None
    first, last = _valuation(above), _valuation(below)
    lead = below[last]
    if last == below.degree():
        return [(i - last, above[i] / lead) for i in range(first, above.degree() + 1) if above[i]], None
    length = count + 2
    before = ctx.cap
    ctx.cap = length
    try:
        series = _series(above, first, length) / _series(below, last, length)
    finally:
        ctx.cap = before
    start = first - last
    terms = [(i + start, series[i]) for i in range(length) if series[i]]
    return (terms, length + start) if len(terms) <= count else (terms[:count], terms[count][0])


def _series(p: fmpq_poly, first: int, length: int) -> fmpq_series:
    return fmpq_series([p[i] for i in range(first, min(p.degree(), first + length) + 1)], length)


def long(ratio: Ratio) -> bool:
    """Whether a factor is longer than BITS."""
    return any(c.height_bits() > BITS for p in ratio for c in p.coeffs())
