"""Forms of the derivatives of atan2 and hypot: powers of 1/(x + i*y), and homogeneous quotients over powers of hypot.

All are evaluated with the point scaled by a power of two towards the unit circle. The power comes back one factor
after the other, so that nothing overflows or underflows where the result does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from functools import cache

from gradcli.expr import ONE, ZERO, Expr, apply, const
from gradcli.functions.row import abs_, eq, gt, lt, maximum, polynomial, sqrt, where

_STEPS = (256, 128, 64, 32)
_COSINES = {Fraction(1, 3): 0.5, Fraction(2, 3): -0.5}
"""cos(pi*t) where it is a double."""


def _towards_one(size: Expr) -> Expr:
    """A power of two whose square takes a size below 1 to [2**-114, 1] and one above 1 to [1, 2**64]."""
    root = ONE
    for step in _STEPS:
        now = size * root * root
        up, down = lt(now, const(Fraction(1, 4**step))), gt(now, const(Fraction(4**step)))
        root = root * where(up, const(Fraction(2**step)), where(down, const(Fraction(1, 2**step)), ONE))
    return root


def _size(x: Expr, y: Expr) -> Expr:
    return maximum(abs_(x), abs_(y))


def inversion_first(x: Expr, y: Expr, above: Expr) -> Expr:
    """x or y, whichever is ``above``, over x**2 + y**2; 0 at the origin."""
    size = _size(x, y)
    far, near = gt(size, const(Fraction(2) ** 500)), lt(size, const(Fraction(1, 2**500)))
    power = where(far, const(Fraction(1, 2**600)), where(near, const(Fraction(2) ** 600), ONE))
    p, q = x * power, y * power
    return where(eq(size, ZERO), ZERO, (p if above is x else q) / (p * p + q * q) * power)


def inversion_part(x: Expr, y: Expr, n: int, real: bool) -> Expr:
    """The real part of (x + i*y)**-n, or the negative imaginary part."""
    return inversion_product(x, y, n, int(real)) if n > 1 else inversion_first(x, y, x if real else y)


def inversion_product(x: Expr, y: Expr, n: int, phase: int) -> Expr:
    """r**-n * sin(n*a + phase*pi/2) for the point (x, y) = r*(cos a, sin a) and n > 1.

    A product, from sin(n*a + b) = 2**(n-1) * prod_k sin(a + (b + k*pi)/n), whose factors for the angles t and pi - t
    are taken together: 4*sin(a + t)*sin(a + pi - t) = 4*sin(t)**2*cos(a)**2 - 4*cos(t)**2*sin(a)**2. Unlike the sum of
    powers it cancels at its own zeros alone.
    """
    root = _towards_one(_size(x, y))
    power = root * root
    p, q = x * power, y * power
    square = p * p + q * q
    fourth = square * square
    angles = [t for k in range(n) if (t := Fraction(phase + 2 * k, n)) <= 1]
    paired = [t for t in angles if 0 < t < 1]
    value: Expr = const(Fraction(2) ** (n - 1 - 2 * len(paired)))
    for t in paired:
        value = value * (_pair(p, q, t) / fourth)
    singles = _by_size(*[p if t else q for t in angles if t in (0, 1)])
    for _ in singles:
        value = value / square
    value = _product(value, singles)
    return _product(value, [power] * n)


def _by_size(*factors: Expr) -> list[Expr]:
    """At most two factors, the larger first: a subnormal product must not grow again."""
    if len(factors) < 2:
        return list(factors)
    p, q = factors
    swapped = lt(abs_(p), abs_(q))
    return [where(swapped, q, p), where(swapped, p, q)]


def _product(e: Expr, factors: Iterable[Expr]) -> Expr:
    """One factor after the other."""
    for factor in factors:
        e = e * factor
    return e


def _pair(p: Expr, q: Expr, t: Fraction) -> Expr:
    """4*sin(t)**2*p**2 - 4*cos(t)**2*q**2 for t in quarter turns."""
    if t == Fraction(1, 2):
        return 2 * ((p - q) * (p + q))
    cosine = _COSINES.get(t, math.cos(math.pi * t))
    return const(2 - 2 * cosine) * (p * p) - const(2 + 2 * cosine) * (q * q)


# Partial derivatives of hypot of order m: x**i * y**j * M / r**(2*m - 1), M a homogeneous polynomial of the squares.


@cache
def numerator(a: int, b: int) -> dict[tuple[int, int], int]:
    """The polynomial N with d^(a+b) r / dx^a dy^b = N / r**(2*(a + b) - 1), by exponents."""
    if a + b == 0:
        return {(0, 0): 1}
    by_x = a > 0
    order = a + b - 1
    if order == 0:
        return {(1, 0) if by_x else (0, 1): 1}
    found: dict[tuple[int, int], int] = {}
    for (i, j), factor in (numerator(a - 1, b) if by_x else numerator(a, b - 1)).items():
        # (dN/dx)*(x**2 + y**2) - (2*order - 1)*x*N
        exponent, other = (i, j) if by_x else (j, i)
        same, moved = (exponent - (2 * order - 1)) * factor, exponent * factor
        for key, term in (((exponent + 1, other), same), ((exponent - 1, other + 2), moved)):
            if term:
                place = key if by_x else key[::-1]
                found[place] = found.get(place, 0) + term
    return {key: factor for key, factor in found.items() if factor}


def orders(n: int) -> tuple[int, int]:
    """How often the derivative of number n is taken in x and in y: they are numbered by their total, then by y."""
    total = (math.isqrt(8 * n + 1) - 1) // 2
    b = n - total * (total + 1) // 2
    return total - b, b


def number(a: int, b: int) -> int:
    """The number of a derivative: the inverse of `orders`."""
    return (a + b) * (a + b + 1) // 2 + b


def hypot_partial(x: Expr, y: Expr, n: int) -> Expr:
    """The derivative of number n of hypot, of order 2 or more; 0 at the origin for order 2."""
    a, b = orders(n)
    terms = numerator(a, b)
    first, second = (min(key[k] for key in terms) for k in (0, 1))
    degree = (a + b - first - second) // 2
    size = _size(x, y)
    root = _towards_one(size)
    power = root * root
    p, q = x * power, y * power
    square = p * p + q * q
    h = sqrt(square)
    value = _homogeneous({(i - first) // 2: f for (i, _), f in terms.items()}, degree, p * p, q * q, square)
    growth = a + b - 1

    def divisor(count: int) -> Expr:
        """h**count."""
        whole = _power(square, count // 2)
        return whole * h if count % 2 else whole

    if 2 not in (first, second):
        singles = _by_size(*[p] * first, *[q] * second)
        value = _product(value / divisor(growth + len(singles)), singles)
        value = _product(value, [power] * growth)
        return where(eq(size, ZERO), ZERO, value) if growth == 1 else value
    # The square of the smaller argument may underflow: each of its factors takes its share of the powers of r.
    tiny, others = (p, [q] * second) if first == 2 else (q, [p] * first)
    value = _product(value, [other / h for other in others])
    half, odd = divmod(growth, 2)
    for count in (1 + half + odd, 1 + half):
        value = value * _product(tiny / divisor(count), [power] * half + [root] * odd)
    return where(eq(size, ZERO), ZERO, value) if growth == 1 else value


def _homogeneous(factors: dict[int, int], degree: int, p: Expr, q: Expr, square: Expr) -> Expr:
    """A form of this degree in the squares, divided by square**degree."""
    if degree < 2:
        total = polynomial((f, (p if k else q) if degree else ONE) for k, f in sorted(factors.items()))
        return total / square if degree else total
    p, q = p / square, q / square
    return polynomial((f, _power(p, k) * _power(q, degree - k)) for k, f in sorted(factors.items()))


def _power(e: Expr, n: int) -> Expr:
    return e**n if n else ONE


def hypot_quotient(x: Expr, y: Expr, n: int) -> Expr:
    """The textbook form of `hypot_partial`."""
    a, b = orders(n)
    terms = sorted(numerator(a, b).items(), reverse=True)
    above = polynomial((f, _power(x, i) * _power(y, j)) for (i, j), f in terms)
    return above / apply("hypot", x, y) ** (2 * (a + b) - 1)
