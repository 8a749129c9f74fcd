"""Special functions in elementary operations, as expressions of their argument; the order is a known integer.

Layer: must not know any language.
"""

from __future__ import annotations

import math
from fractions import Fraction

from gradcli.expr import ONE, TWO, ZERO, Expr, apply, const
from gradcli.functions.row import HALF, PI, abs_, and_, cos, eq, exp, gt, le, log, log1p, lt, rint, sin, sqrt, where

INF, NAN = const(math.inf), const(math.nan)


def dsinc(x: Expr, n: int) -> Expr:
    """The n-th derivative of sinc, by the recurrences of the scalar kernel: upward for large |x|, else downward.

    The downward recurrence starts so high that its start value does not matter.
    """
    t, whole = PI * x, rint(x)
    odd = gt(abs_(whole - TWO * rint(whole * HALF)), ZERO)
    turn = where(odd, -ONE, ONE)
    s, c = turn * sin(PI * (x - whole)), turn * cos(PI * (x - whole))
    waves = (s, c, -s, -c)
    down = ZERO
    for k in range(4 * n + 46, n, -1):
        down = (waves[k % 4] - t * down) / const(k)
    up = s / t
    for k in range(1, n + 1):
        up = (waves[k % 4] - const(k) * up) / t
    value = where(lt(abs_(t), const(n + 2)), down, up) * const(math.pi**n)
    return where(eq(abs_(x), INF), ZERO, value)


def polygamma(x: Expr, n: int) -> Expr:
    """polygamma(n, x): reflection for x < 0 (DLMF 5.15.6) and, near 0, the recurrence (DLMF 5.15.5).

    The same steps as in the scalar kernel.
    """
    from gradcli.compute.backends.polygamma import cotangent

    sign_, scale = const((-1) ** (n + 1)), const(math.factorial(n))
    near, part = lt(abs_(x), const(Fraction(1, 8))), x - rint(x)
    mirrored = apply("bare_polygamma", where(near, ONE + x, where(lt(x, ZERO), ONE - x, x)), value=n)
    angle = PI * where(apply("or", near, eq(part, ZERO)), const(Fraction(1, 4)), part)
    cot, turn, power = cos(angle) / sin(angle), ZERO, x
    for a in reversed(cotangent(n)):
        turn = turn * cot + const(a)
    for _ in range(n):
        power = power * x
    pole = (-INF if n == 0 else NAN) if n % 2 == 0 else INF
    far = where(lt(x, ZERO), -sign_ * mirrored - const(math.pi ** (n + 1)) * turn, mirrored)
    value = where(near, mirrored + sign_ * scale / power, far)
    return where(and_(le(x, ZERO), eq(part, ZERO)), pole if n else where(eq(x, ZERO), pole, NAN), value)


_BERNOULLI = tuple(
    Fraction(*pair)
    for pair in ((1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798))
)


def positive_polygamma(x: Expr, n: int) -> Expr:
    """polygamma(n, x) for x > 0: the recurrence (DLMF 5.15.5) up to where the asymptotic series (DLMF 5.15.8) is exact
    to rounding.
    """
    steps = 12 + n
    top = x + const(steps)
    size = const(math.factorial(n))

    def inverse(z: Expr) -> Expr:
        reciprocal = ONE / z
        value = reciprocal
        for _ in range(n):
            value = value * reciprocal
        return value

    square = ONE / (top * top)
    series = ZERO
    for k in range(len(_BERNOULLI), 0, -1):
        series = (
            series + const(_BERNOULLI[k - 1] * Fraction(math.factorial(2 * k + n - 1), math.factorial(2 * k)))
        ) * square
    lead, power = log(top), ONE
    if n:
        for _ in range(n):
            power = power / top
        lead = const(math.factorial(n - 1)) * power
        total = lead + (size * HALF * inverse(top) + power * series)
        for k in reversed(range(steps)):
            total = total + size * inverse(x + const(k))
        return total if n % 2 else -total
    lost = inverse(x)
    for k in range(1, steps):
        lost = lost + inverse(x + const(k))
    return where(gt(x, const(10**15)), log(x), (lead - (HALF * inverse(top) + series)) - lost)


def polygamma_gap(x: Expr, y: Expr, n: int) -> Expr:
    """polygamma(n, x + y) - polygamma(n, x), for x, y > 0 as in the array kernel: a sum of terms of one sign."""
    steps = 12 + n
    positive = and_(gt(x, ZERO), gt(y, ZERO))
    a, b = where(positive, x, ONE), where(positive, y, ONE)

    def fall(z: Expr, power: int) -> Expr:
        return -apply("expm1", -power * log1p(b / z)) / z**power

    top = a + const(steps)
    total = HALF * fall(top, n + 1) + (fall(top, n) / n if n else log1p(b / top))
    for k, bernoulli in enumerate(_BERNOULLI, 1):
        factor = bernoulli * Fraction(math.factorial(2 * k + n - 1), math.factorial(2 * k) * math.factorial(n))
        total = total + const(factor) * fall(top, 2 * k + n)
    for k in reversed(range(steps)):
        total = total + fall(a + const(k), n + 1)
    plain = apply("polygamma", x + y, value=n) - apply("polygamma", x, value=n)
    return where(positive, const((-1) ** n * math.factorial(n)) * total, plain)


def erfinv_gauss(x: Expr) -> Expr:
    """exp(erfinv(x)**2) as in the array kernel: a Newton step corrects for the rounding of the inverse."""
    size, scale = abs_(x), const(2**20)
    y = apply("erfinv", size)
    lead = rint(y * scale) / scale
    growth = exp(lead * lead) * exp((y - lead) * (y + lead))
    residual = where(gt(size, HALF), (ONE - size) - apply("erfc", y), apply("erf", y) - size)
    step = -residual * growth * (sqrt(PI) * HALF)
    fixed = growth * (ONE + TWO * y * step + (ONE + TWO * y * y) * step * step)
    return where(eq(size, ONE), INF, fixed)
