"""Rules in ball arithmetic for arithmetic, powers and roots.

Layer: must not know expressions.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction

from flint import arb, arb_series, ctx

from gradcli.truth.balls import (
    Ball,
    BallError,
    Rule,
    composed,
    head,
    moves,
    nonzero,
    number,
    outside,
    pole,
    series,
    sign,
    unsure,
)

_SMALL = 64
"""The largest exponent to which a series is raised by multiplication."""


def _method(name: str) -> Rule:
    """The method of this name of both kinds of values."""
    return operator.methodcaller(name)


# Powers.


def _binomial(start: Ball, a: Ball, exponent: Ball, count: int) -> list[Ball]:
    """Taylor coefficients of x**exponent at a ball without 0, from the value there."""
    coefficients = [start]
    for k in range(1, count):
        coefficients.append(coefficients[-1] * (exponent - (k - 1)) / (k * a))
    return coefficients


def _raised(u: Ball, start: Callable[[Ball], Ball], exponent: Ball) -> Ball:
    if not isinstance(u, arb_series):
        return start(u)
    return composed(lambda a, count: _binomial(start(a), a, exponent, count))(u)


def _whole_power(x: Ball, n: int) -> Ball:
    if n < 0:
        nonzero(x)
    if not isinstance(x, arb_series):
        # flint has no power of a ball whose midpoint is 0.
        y = arb(0, x.upper() ** n) if n > 0 and x.mid().is_zero() and not x.is_exact() else x**n
        return y if n % 2 or x > 0 or x < 0 else y.nonnegative_part()
    if 0 <= n <= _SMALL or not nonzero_head(x):
        return x**n
    if n in (-1, -2):
        return 1 / x if n == -1 else 1 / (x * x)
    return _raised(x, lambda a: a**n, arb(n))


def nonzero_head(x: Ball) -> bool:
    return not head(x).contains(0)


_LONGEST = 2**62
"""Exponents beyond are left alone: flint's own loop over their bits ends at a word."""


def constant_power(q: Fraction) -> Rule:
    """The rule of x**q, which is exact in 0 and below for whole exponents."""
    if q == 2:
        return _square
    if q == Fraction(1, 2):
        return sqrt
    if q.denominator > 1:
        return lambda x: _positive_power(x, head(x), number(q))
    n = int(q)
    return _beyond if abs(n) > _LONGEST else lambda x: _whole_power(x, n)


def _square(x: Ball) -> Ball:
    return x * x if isinstance(x, arb_series) else (x * x).nonnegative_part()


def _beyond(x: Ball) -> Ball:
    raise BallError("undecided", True)


def _positive_power(x: Ball, a: Ball, n: Ball) -> Ball:
    """x**n for an exponent that does not move and is no whole number."""
    if a > 0:
        return _raised(x, lambda b: b**n, n)
    if a.is_zero():
        if not moves(x):
            if n > 0:
                return arb(0)
            raise pole() if n < 0 else unsure()
        if n > ctx.cap - 1:
            return arb_series([0], ctx.cap)
        raise pole()
    if a >= 0 and n > 0 and not moves(x):
        return arb(0).union(a.upper() ** n).nonnegative_part()
    raise outside() if a < 0 else unsure()


def power(x: Ball, n: Ball) -> Ball:
    a = head(x)
    if moves(n):
        if a > 0:
            return (series(x).log() * n).exp()
        raise outside() if a < 0 else pole() if a.is_zero() else unsure()
    if n.is_exact() and n.is_integer() and abs(n) < 2**1024:
        whole = int(n.unique_fmpz())
        if abs(whole) < _LONGEST:
            return _whole_power(x, whole)
        if a < 0:
            size = _positive_power(-x, -a, n)
            return -size if whole % 2 else size
    return _positive_power(x, a, n)


def sqrt(u: Ball) -> Ball:
    a = head(u)
    if a > 0:
        return u.sqrt()
    if a >= 0:
        if moves(u):
            raise pole() if a.is_zero() else unsure()
        return u.sqrt()
    raise outside() if a < 0 else unsure()


def _cbrt(u: Ball) -> Ball:
    s = sign(head(u))
    if s == 0:
        if moves(u):
            raise pole()
        return arb(0)
    root = _raised(u if s > 0 else -u, lambda a: a.root(3), number(Fraction(1, 3)))
    return root if s > 0 else -root


def _dcbrt(u: Ball, n: int) -> Ball:
    """x**(1/3 - n) times the product of 1/3 - k for k below n."""
    s = sign(head(nonzero(u)))
    exponent = Fraction(1, 3) - n
    factor = math.prod([Fraction(1, 3) - k for k in range(n)], start=Fraction(1))
    value = _raised(u if s > 0 else -u, lambda a: a.root(3) / a**n, number(exponent)) * number(factor)
    return value if n % 2 or s > 0 else -value


RULES: dict[str, Rule] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "neg": operator.neg,
    "div": lambda a, b: a / nonzero(b),
    "fma": lambda a, b, c: a * b + c,
    "power": power,
    "sqrt": sqrt,
    "cbrt": _cbrt,
    "dcbrt": _dcbrt,
}
