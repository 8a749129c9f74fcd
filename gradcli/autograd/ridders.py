"""Limits of difference quotients by extrapolation (C. Ridders, Advances in Engineering Software 4, 1982, 75-76)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.autograd.values import Array

_SHRINK = 1.4
"""The ratio of successive steps."""
_ROWS = 12
"""Rows of the extrapolation table."""
_STARTS = (1.0, 1e-2, 1e-4, 1e-6, 1e-8)
"""Largest steps to try, relative to a tenth of the argument: the length scale of the function is unknown."""


def limit(slope: Callable[[Any], Array], size: Any) -> tuple[Array, Array]:
    """The limit of ``slope(h)`` as h goes to 0, and an estimate of its error: the best of several step sequences.

    ``size``: the absolute value of the argument, or an array of those of many, which broadcasts to the slopes.
    """
    first, *smaller = [start * 0.1 * np.maximum(size, 0.1) for start in _STARTS]
    best, error = _extrapolated(slope, first)
    for step in smaller:
        if np.all(error <= 1e-11 * np.abs(best) + 1e-300):
            break
        other, estimate = _extrapolated(slope, step)
        better = estimate < error
        best, error = np.where(better, other, best), np.where(better, estimate, error)
    return best, error


def _extrapolated(slope: Callable[[Any], Array], h: Any) -> tuple[Array, Array]:
    """Ridders' method: the entry of the Neville table with the smallest difference from its neighbors, and this."""
    previous = [slope(h)]
    best, error = previous[0], np.full(np.shape(previous[0]), np.inf)
    with np.errstate(all="ignore"):
        for _ in range(1, _ROWS):
            h = h / _SHRINK
            row = [slope(h)]
            factor = 1.0
            for older in previous:
                factor *= _SHRINK**2
                row.append((factor * row[-1] - older) / (factor - 1))
                estimate = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - older))
                better = estimate < error
                best, error = np.where(better, row[-1], best), np.where(better, estimate, error)
            previous = row
    return best, error
