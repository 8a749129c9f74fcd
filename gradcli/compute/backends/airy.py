"""Airy functions over arrays: SciPy's for arguments of medium size, asymptotic expansions beyond (DLMF 9.7).

Layer: must not know programs.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.backends.incomplete import product_error
from gradcli.compute.backends.special import scipy

Array = NDArray[np.float64]

_FAR = 10.0
"""Smallest |x| of the expansions."""
_SCALED = 3.0
"""Smallest x at which Ai is SciPy's scaled function times an exponential whose exponent is not rounded."""
_TERMS = 30


def _coefficients() -> tuple[list[float], list[float]]:
    """Return u_k and v_k of DLMF 9.7.2."""
    u = [Fraction(1)]
    for k in range(1, _TERMS):
        u.append(u[-1] * (6 * k - 5) * (6 * k - 3) * (6 * k - 1) / (216 * k * (2 * k - 1)))
    v = [value * (6 * k + 1) / (1 - 6 * k) for k, value in enumerate(u)]
    return [float(value) for value in u], [float(value) for value in v]


_U, _V = _coefficients()


def _phase(z: Array) -> tuple[Array, Array]:
    """Return 2/3*z**(3/2) as a sum of two doubles."""
    root = np.sqrt(z)
    rest = (z - root * root - product_error(root, root)) / (2 * root)
    product = z * root
    lost = product_error(z, root) + z * rest
    third = product * 2 / 3
    return third, (product * 2 - 3 * third + 2 * lost) / 3 - product_error(np.full_like(third, 3.0), third) / 3


def _series(coefficients: list[float], inverse: Array, signs: tuple[int, ...], start: int) -> Array:
    """Return the sum of sign*c_k*inverse**k over every len(signs)-th pattern of k from ``start`` in steps of 1 or 2."""
    step = 2 if len(signs) == 4 else 1
    total = np.zeros_like(inverse)
    for k in range(start + (_TERMS - 1 - start) // step * step, start - 1, -step):
        total = total * inverse**step + signs[k % len(signs)] * coefficients[k]
    return np.asarray(total * inverse**start)


def airy(name: str, x: Array) -> Array:
    """Return airyai, airyaiprime, airybi or airybiprime."""
    prime, second = name.endswith("prime"), "bi" in name
    position = 2 * second + prime
    far = np.abs(x) >= _FAR
    scaled = (x > _SCALED) & ~far & (not second)
    z = np.where(far | scaled, np.minimum(np.abs(x), 1e150), _FAR)
    lead, rest = _phase(z)
    size = np.power(z, 0.25 if prime else -0.25) / math.sqrt(math.pi)
    c = _V if prime else _U
    inverse = 1 / np.where(far, lead, _FAR)
    # Growing or decaying, in two halves, since the exponential alone leaves the range of a double.
    growth = np.where(lead > 2000, 2000.0, lead) if second else np.where(lead > 2000, -2000.0, -lead)
    half = np.exp(growth / 2)
    correction = np.exp(np.where(lead > 2000, 0.0, rest if second else -rest))
    sum_ = _series(c, inverse, (1, 1) if second else (1, -1), 0) * size
    sum_ = sum_ if second else (-sum_ if prime else sum_) / 2
    special = scipy()
    sum_ = np.where(far, sum_, special.airye(np.where(scaled, x, 1.0))[position])
    above = half * sum_ * correction * half
    # Oscillating: sine and cosine of the phase less pi/4, without rounding it.
    s, k = np.sin(lead), np.cos(lead)
    s, k = s * np.cos(rest) + k * np.sin(rest), k * np.cos(rest) - s * np.sin(rest)
    cosine, sine = (k + s) / math.sqrt(2), (s - k) / math.sqrt(2)
    even, odd = _series(c, inverse, (1, 0, -1, 0), 0), _series(c, inverse, (0, 1, 0, -1), 1)
    if prime:
        below = size * (cosine * even + sine * odd if second else sine * even - cosine * odd)
    else:
        below = size * (-sine * even + cosine * odd if second else cosine * even + sine * odd)
    near = special.airy(np.where(far, 0.0, x))[position]
    value = np.where((far & (x > 0)) | scaled, above, np.where(far, below, near))
    ends = (math.inf if second else 0.0, math.nan if prime else 0.0)
    value = np.where(np.isinf(x), np.where(x > 0, *ends), value)
    return np.where(np.isnan(x), x, value)
