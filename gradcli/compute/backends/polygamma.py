"""polygamma over arrays, by SciPy's zeta and psi functions for positive arguments alone.

Layer: must not know programs.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.backends.special import scipy

Array = NDArray[np.float64]


@lru_cache
def cotangent(n: int) -> tuple[int, ...]:
    """Return the coefficients of the polynomial p with d^n/dt^n cot(t) = p(cot(t)).

    Differentiation maps p(c) to -(1 + c*c)*p'(c), since cot' = -(1 + cot**2).
    """
    coefficients = [0, 1]
    for _ in range(n):
        slope = [k * a for k, a in enumerate(coefficients)][1:]
        coefficients = [-a for a in slope] + [0, 0]
        for k, a in enumerate(slope):
            coefficients[k + 2] -= a
    return tuple(coefficients)


_STEEP = 40
"""Largest order computed by zeta and reflection.

For higher orders the poles nearest to x < 0 determine the value to the last bit, and n! may overflow.
"""


def _scaled(n: int, z: Array, factor: Array) -> Array:
    """Return n!/z**(n + 1) * factor for z > 0, with binary exponents apart, so that only the result can overflow."""
    factorial = math.factorial(n)
    m, e = np.frexp(z)
    low = m < math.sqrt(0.5)
    m, e = np.where(low, 2 * m, m), e - low
    lead = factorial / (1 << factorial.bit_length()) * factor / m ** (n + 1)
    return np.asarray(np.ldexp(lead, factorial.bit_length() - e * (n + 1)))


@lru_cache
def _bernoulli() -> tuple[float, ...]:
    """The Bernoulli numbers B_0 to B_18, cached because SciPy computes them anew in each call."""
    return tuple(scipy().bernoulli(18).tolist())


def _polygamma_far(n: int, z: Array) -> Array:
    """Return |polygamma(n, z)| for n > 0 and large z by its asymptotic expansion (DLMF 5.15.8)."""
    bernoulli = _bernoulli()
    total, term = 1 + n / (2 * z), np.ones_like(z)
    for k in range(2, 19, 2):
        term = term * ((n + k - 2) * (n + k - 1) / ((k - 1) * k)) / z / z
        total = total + bernoulli[k] * term
    return _scaled(n - 1, z, total)


def _steep_polygamma(n: int, x: Array) -> Array:
    """Return polygamma for n > _STEEP by its series, n! times the sum of 1/(x + k)**(n + 1) (DLMF 5.15.1)."""
    s = n + 1
    sign = (-1.0) ** s
    z = np.where(x > 0, x, 1 - x)
    far = z > 2 * s + 20
    near, total = np.where(far, 1.0, z), np.ones_like(z)
    for k in range(1, math.ceil((2 * s + 20) * (2 ** (56 / s) - 1))):
        total = total + np.exp(-s * np.log1p(k / near))
    above = np.where(far, _polygamma_far(n, np.where(far, z, 1e3 * s)), _scaled(n, near, total))
    # For x < 0 the terms of the nearest pole on each side suffice, unless they cancel, at half-integers for even n:
    # there the remaining terms are those of the reflected argument.
    fraction = x - np.rint(x)
    r = np.where(fraction == 0, 0.5, np.abs(fraction))
    log_ratio = s * np.log1p((2 * r - 1) / (1 - r))
    below = _scaled(n, r, 1 + np.exp(log_ratio) if s % 2 == 0 else -np.expm1(log_ratio))
    below = np.where((r == 0.5) & (s % 2 == 1), above, np.where(fraction < 0, sign, 1.0) * below)
    return np.asarray(sign * np.where(x > 0, above, below))


def polygamma(n: int, x: Array) -> Array:
    """Return the n-th derivative of digamma at each element of ``x``.

    Negative arguments use reflection (DLMF 5.15.6) with pi*x reduced exactly; arguments near 0 use the recurrence (DLMF
    5.15.5), since a power of the cotangent would overflow. SciPy's functions are used for positive arguments alone.
    At a pole the result is inf for odd n, where the limits from both sides agree, and nan for even n, except that
    digamma(0) is -inf.
    """
    special = scipy()
    x = np.asarray(x, dtype=np.float64)
    if n > _STEEP:
        with np.errstate(all="ignore"):
            value = _steep_polygamma(n, x)
            pole = x - np.rint(x) == 0
        return np.where((x <= 0) & pole, math.nan if n % 2 == 0 else math.inf, value)
    sign = (-1.0) ** (n + 1)
    scale = special.gamma(n + 1.0)

    def positive(z: Array) -> Array:
        if n == 0:
            return np.asarray(special.psi(z))
        # The asymptotic expansion serves where the zeta function underflows or equals its leading term.
        far = z > min(1e17, 10 ** (290 / n))
        return np.asarray(sign * np.where(far, _polygamma_far(n, z), scale * special.zeta(n + 1.0, z)))

    near = np.abs(x) < 0.125
    with np.errstate(all="ignore"):
        fraction = x - np.rint(x)
        mirrored = positive(np.where(near, 1 + x, np.where(x < 0, 1 - x, np.where(x == 0, 1.0, x))))
        cot = 1 / np.tan(np.pi * np.where((fraction == 0) | near, 0.25, fraction))
        cot = np.where(np.abs(fraction) == 0.5, 0.0, cot)
        cotangent_derivative = np.zeros_like(x)
        for a in reversed(cotangent(n)):
            cotangent_derivative = cotangent_derivative * cot + a
        recurred = mirrored + sign * scale / x ** (n + 1)
        reflected = -sign * mirrored - np.pi ** (n + 1) * cotangent_derivative
    value = np.where(near, recurred, np.where(x < 0, reflected, mirrored))
    pole = np.where(x == 0, -math.inf if n == 0 else math.nan, math.nan) if n % 2 == 0 else math.inf
    return np.where((x <= 0) & (fraction == 0), pole, value)
