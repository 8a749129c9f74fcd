"""The beta function, the incomplete gamma and beta functions and their densities over arrays, with SciPy's help.

Layer: must not know programs.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.backends.polygamma import polygamma
from gradcli.compute.backends.special import scipy

Array = NDArray[np.float64]

_TEN = 10.0
"""Smallest argument of Stirling's series."""
_BERNOULLI = (
    Fraction(1, 6), Fraction(-1, 30), Fraction(1, 42), Fraction(-1, 30), Fraction(5, 66), Fraction(-691, 2730),
    Fraction(7, 6), Fraction(-3617, 510), Fraction(43867, 798), Fraction(-174611, 330),
)  # fmt: skip
"""B_2, B_4 ..."""


def _stirling(z: Array) -> Array:
    """Return log(gamma(z)) - (z - 1/2)*log(z) + z - log(2*pi)/2 for z >= 10 (DLMF 5.11.1)."""
    square = 1 / (z * z)
    total = np.zeros_like(z)
    for k in range(len(_BERNOULLI), 0, -1):
        total = total * square + float(_BERNOULLI[k - 1] / (2 * k * (2 * k - 1)))
    return np.asarray(total / z)


def log1p_less(u: Array) -> Array:
    """Return log(1 + u) - u, accurate near 0 too, where it is -u**2/2."""
    near = np.abs(u) < 0.5
    small = np.where(near, u, 0.0)
    ratio = small / (2 + small)
    square = ratio * ratio
    total = np.zeros_like(u)
    for k in range(22, -1, -1):
        total = total * square + 1 / (2 * k + 3)
    return np.where(near, ratio * (2 * square * total - small), np.log1p(u) - u)


def _halves(x: Array) -> tuple[Array, Array]:
    wide = x * (2.0**27 + 1)
    lead = wide - (wide - x)
    return lead, x - lead


def product_error(x: Array, y: Array) -> Array:
    """Return x*y minus its rounded value, exactly unless a part over- or underflows (Dekker)."""
    (a, b), (c, d) = _halves(x), _halves(y)
    return np.asarray(((a * c - x * y) + (a * d + b * c)) + b * d)


def _share_power(x: Array, y: Array) -> Array:
    """Return (x/(x + y))**x, corrected for the rounding of the base."""
    total = x + y
    back = total - x
    lost = (x - (total - back)) + (y - back)
    base = x / total
    rest = -product_error(base, total) - base * lost
    # What is left of x after the rounded base times the exact sum, which is exact by Sterbenz' lemma.
    rest = (x - base * total) + rest
    power = np.power(base, x)
    return np.where(power == 0, 0.0, power * np.exp(rest))


def _positive_beta(x: Array, y: Array) -> Array:
    """Return beta(x, y) for x, y > 0."""
    special = scipy()
    a, b = np.maximum(x, y), np.minimum(x, y)
    total = a + b
    safe = np.minimum(a, _TEN)
    small = special.gamma(safe) / special.gamma(safe + b) * special.gamma(b)
    large = np.maximum(a, _TEN)
    # Gamma(a)/Gamma(a + b) by Stirling's series, with one argument of each size.
    shift = _stirling(large) - _stirling(large + b)
    mixed = np.exp(shift - large * log1p_less(b / large)) * np.sqrt(1 + b / large) * np.power(large + b, -b)
    mixed = mixed * special.gamma(np.minimum(b, _TEN))
    least = np.maximum(b, _TEN)
    both = _share_power(large, least) * _share_power(least, large)
    both = both * np.sqrt(2 * math.pi / large * ((large + least) / least)) * np.exp(
        _stirling(large) + _stirling(least) - _stirling(large + least)
    )  # fmt: skip
    value = np.where(a < _TEN, small, np.where(b < _TEN, mixed, both))
    return np.where(np.isnan(total), total, value)


def beta(x: Array, y: Array) -> Array:
    positive = (x > 0) & (y > 0) & np.isfinite(x + y)
    value = _positive_beta(np.where(positive, x, 1.0), np.where(positive, y, 1.0))
    return np.where(positive, value, scipy().beta(x, y))


def betaln(x: Array, y: Array) -> Array:
    positive = (x > 0) & (y > 0) & np.isfinite(x + y)
    p, q = np.where(positive, x, 1.0), np.where(positive, y, 1.0)
    a, b = np.maximum(p, q), np.minimum(p, q)
    value = _positive_beta(a, b)
    plain = np.log(value)
    # Beyond the range of a double: a tiny argument, or two large ones.
    steep = -np.log(b) + np.log1p(b / a)
    large, least = np.maximum(a, _TEN), np.maximum(b, _TEN)
    slow = -large * np.log1p(least / large) - least * np.log1p(large / least)
    slow = slow + np.log(2 * math.pi / large * ((large + least) / least)) / 2
    slow = slow + _stirling(large) + _stirling(least) - _stirling(large + least)
    mixed = scipy().gammaln(np.minimum(b, _TEN)) - b * np.log(large)
    slow = np.where(b < _TEN, mixed, slow)
    value = np.where(value > 1e300, steep, np.where(value < 1e-300, slow, plain))
    return np.where(positive, value, scipy().betaln(x, y))


def polygamma_gap(n: int, x: Array, y: Array) -> Array:
    """Return polygamma(n, x + y) - polygamma(n, x): for x, y > 0 a sum of terms of one sign (DLMF 5.15.1, 5.15.8)."""
    positive = (x > 0) & (y > 0)
    a, b = np.where(positive, x, 1.0), np.where(positive, y, 1.0)
    steps = 20 + n

    def fall(z: Array, power: int) -> Array:
        """z**-power - (z + b)**-power, divided by n!."""
        return np.asarray(-np.expm1(-power * np.log1p(b / z)) * np.power(z, -power))

    total = np.zeros_like(a)
    top = a + steps
    for k in range(len(_BERNOULLI), 0, -1):
        factor = _BERNOULLI[k - 1] * Fraction(math.factorial(2 * k + n - 1), math.factorial(2 * k) * math.factorial(n))
        total = total + float(factor) * fall(top, 2 * k + n)
    total = total + fall(top, n + 1) / 2 + (fall(top, n) / n if n else np.log1p(b / top))
    for k in range(steps - 1, -1, -1):
        total = total + fall(a + k, n + 1)
    value = float((-1) ** n * math.factorial(n)) * total
    plain = polygamma(n, np.where(positive, 1.0, x + y)) - polygamma(n, np.where(positive, 1.0, x))
    return np.where(positive, value, plain)


def _falling(x: Array, n: int) -> Array:
    """Return x*(x - 1)*...*(x - n + 1)."""
    value = np.ones_like(x)
    for k in range(n):
        value = value * (x - k)
    return value


def _added(total: Array, factor: Array, power: Array) -> Array:
    """Return the sum with factor*power, 0 where the factor is; an infinite term is larger than all before it."""
    term = np.where(factor == 0, 0.0, factor * power)
    return np.where(np.isinf(term), term, total + term)


def _gamma_density(a: Array, x: Array) -> Array:
    low = np.minimum(a, 100.0)
    # In two halves, since the factors alone leave the range of a double.
    z = np.minimum(x, 1e4)
    half = np.power(z, (low - 1) / 2) * np.exp(-z / 2)
    near = half / scipy().gamma(low) * half
    high = np.maximum(a, 100.0)
    far = np.exp(high * log1p_less((x - high) / high) - _stirling(high)) * np.sqrt(high / (2 * math.pi))
    return np.where(a < 100.0, near, np.where((far == 0) | np.isinf(x), 0.0, far / x))


def gammapdf(n: int, a: Array, x: Array) -> Array:
    """Return the n-th derivative of f = x**(a - 1)*exp(-x)/gamma(a) in x.

    From x*f' = (a - 1 - x)*f a recurrence follows, which cancels near 0: there Leibniz' rule serves.
    """
    f = _gamma_density(a, x)
    before = np.zeros_like(f)
    for k in range(n):
        before, f = f, ((a - 1 - k - x) * f - k * before) / x
    near = np.zeros_like(f)
    for k in range(n + 1):
        near = _added(near, (-1) ** (n - k) * math.comb(n, k) * _falling(a - 1, k), np.power(x, a - 1 - k))
    small = (x < 1) & (a < 170) if n else np.zeros(np.shape(f), dtype=bool)
    value = np.where(small, near * np.exp(-x) / scipy().gamma(np.minimum(a, 170.0)), np.where(np.isinf(x), 0.0, f))
    return np.where((a > 0) & (x >= 0), value, np.nan)


def _rest_power(x: Array, exponent: Array) -> Array:
    """Return (1 - x)**exponent, corrected for the rounding of 1 - x."""
    rest = 1 - x
    correction = np.where(rest == 0, 0.0, exponent * (((1 - rest) - x) / rest))
    return np.asarray(np.power(rest, exponent) * np.exp(correction))


def _beta_density(a: Array, b: Array, x: Array, scale: Array) -> Array:
    half = np.power(x, (a - 1) / 2) * _rest_power(x, (b - 1) / 2)
    low = half / scale * half
    gap = x * b - (1 - x) * a
    exponent = a * log1p_less(gap / a) + b * log1p_less(-gap / b)
    large, least = np.maximum(a, _TEN), np.maximum(b, _TEN)
    correction = _stirling(large + least) - _stirling(large) - _stirling(least)
    high = np.exp(exponent + correction) * np.sqrt(a / (a + b) * b / (2 * math.pi))
    high = np.where(high == 0, 0.0, high / x / (1 - x))
    return np.where((np.minimum(a, b) < _TEN) | (np.maximum(a, b) < 100.0), low, high)


def betapdf(n: int, a: Array, b: Array, x: Array) -> Array:
    """Return the n-th derivative of f = x**(a - 1)*(1 - x)**(b - 1)/beta(a, b) in x.

    From x*(1 - x)*f' = (a - 1 - (a + b - 2)*x)*f a recurrence follows, which cancels near 0 and 1: there Leibniz' rule
    serves.
    """
    inside = (a > 0) & (b > 0) & (x >= 0) & (x <= 1)
    p, q = np.where(inside, a, 1.0), np.where(inside, b, 1.0)
    scale = _positive_beta(p, q)
    f = _beta_density(p, q, x, scale)
    before = np.zeros_like(f)
    for k in range(n):
        step = p - 1 - k - (p + q - 2 - 2 * k) * x
        before, f = f, (step * f - k * (p + q - 1 - k) * before) / (x * (1 - x))
    near = np.zeros_like(f)
    # The dominant term last: that of the highest power of 1/x near 0, of 1/(1 - x) near 1.
    for order in (range(n + 1), range(n, -1, -1)):
        total = np.zeros_like(f)
        for k in order:
            factor = (-1) ** (n - k) * math.comb(n, k) * _falling(p - 1, k) * _falling(q - 1, n - k)
            total = _added(total, factor, np.power(x, p - 1 - k) * _rest_power(x, q - 1 - (n - k)))
        near = np.where((x < 0.5) == (order.step == 1), total, near)
    close = ((q * x < 1) | (p * (1 - x) < 1)) & (scale > 1e-290) if n else np.zeros(np.shape(f), dtype=bool)
    return np.where(inside, np.where(close, near / scale, f), np.nan)
