"""Lambert's W over arrays: SciPy's iteration, and near the branch point a series without cancellation.

Layer: must not know programs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.backends.incomplete import product_error
from gradcli.compute.backends.special import scipy

Array = NDArray[np.float64]

_E_REST = 1.4456468917292502e-16
"""e minus its nearest double."""
_NEAR = 0.3
"""Largest |1 + W| that is computed by the series."""


def _near(x: Array, branch: int) -> Array:
    """Return 1 + W near the branch point: q with (q**2)/2 + (q**3)/3 + (q**4)/8 + ... = 1 + e*x, by Newton's method."""
    rise = (1 + math.e * x) + (product_error(np.full_like(x, math.e), x) + _E_REST * x)
    root = np.sqrt(2 * np.maximum(rise, 0.0))
    q = -root if branch else root
    q = q * (1 - q / 3 + 11 / 72 * q * q)
    for _ in range(4):
        total, slope = np.zeros_like(q), np.zeros_like(q)
        for k in range(20, 1, -1):
            total = total * q + (k - 1) / math.factorial(k)
            slope = slope * q + 1 / math.factorial(k - 2)
        step = (total * q * q - rise) / (slope * q)
        q = np.where(q == 0, q, q - step)
    return np.asarray(np.where(rise < 0, np.nan, q))


def above(branch: int, x: Array) -> Array:
    """Return 1 + W(x)."""
    w = scipy().lambertw(x, -branch)
    plain = np.where(np.abs(w.imag) > 1e-6, np.nan, w.real)
    plain = np.where((x > 0) | (x < -0.3679), np.nan, plain) if branch else np.where(x < -0.3679, np.nan, plain)
    close = (np.abs(plain + 1) < _NEAR) | (np.abs(x + 1 / math.e) < 1e-3)
    near = _near(np.where(close, x, -1 / math.e), branch)
    return np.where(close, near, 1 + np.where(np.isnan(x), x, plain))


def lambertw(branch: int, x: Array) -> Array:
    """Return W(x) on its upper (0) or lower (1) real branch; nan where it is not real."""
    q = above(branch, x)
    w = scipy().lambertw(x, -branch).real
    return np.where(np.isnan(q) | (np.abs(q) < _NEAR), q - 1, w)
