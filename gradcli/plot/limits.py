"""Limits of the values of a curve: proved least and greatest values, or the middle of them where there are poles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.curve import Curve

_FIRST = 256
_POINTS = 2001
_BOXES = 20_000
_ENOUGH = 0.002
"""The share of the range by which an extreme may be missed."""
_NEAR = 1e-13
"""The share of the range within which a curve that is not bounded has a pole."""
_QUANTILES, _WIDER = (5, 95), 1.5
"""The middle of the values of a curve with poles, and how much wider than it a picture is."""


def limits(curve: Curve, left: float, right: float) -> tuple[float, float] | None:
    """The least and the greatest value to show of a curve between two abscissas; None if nothing is finite there."""
    x = np.linspace(left, right, _POINTS)
    with np.errstate(all="ignore"):
        y = curve.at(x)[0]
    finite = y[np.isfinite(y)]
    ends = None if curve.sampled else _extremes(curve, left, right, finite)
    if ends is not None:
        return ends
    if not len(finite):
        return None
    return middle_limits(finite)


def middle_limits(values: Array) -> tuple[float, float]:
    """Limits 1.5 times as far apart as the quantiles of 5 and 95 % of finite values, and none of them beyond all."""
    low, high = (float(q) for q in np.percentile(values, _QUANTILES))
    least, most = float(values.min()), float(values.max())
    middle, half = low + (high - low) / 2, _WIDER * (high / 2 - low / 2)
    if half == 0:
        return least, most
    return max(middle - half, least), min(middle + half, most)


def _extremes(curve: Curve, left: float, right: float, values: Array) -> tuple[float, float] | None:
    """The extremes by bisection of the intervals whose ranges reach beyond what was found; None if one is unbounded.

    An interval that is narrower than the distance of neighbouring doubles counts as it was found.
    """
    edges = np.linspace(left, right, _FIRST + 1)
    a, b = edges[:-1], edges[1:]
    low, high = (float(values.min()), float(values.max())) if len(values) else (math.inf, -math.inf)
    boxes = 0
    while len(a) and boxes < _BOXES:
        boxes += len(a)
        ((least, most), _, _), _ = curve.over(a, b)
        middle = a + (b - a) / 2
        y = curve.at(middle)[0]
        y = y[np.isfinite(y)]
        if len(y):
            low, high = min(low, float(y.min())), max(high, float(y.max()))
        allowed = _ENOUGH * max(high - low, 0.0)
        with np.errstate(all="ignore"):
            wide = b - a > 4 * np.spacing(np.maximum(np.abs(a), np.abs(b)))
            open_ = (least < low - allowed) | (most > high + allowed)
        unbounded = ~(np.isfinite(least) & np.isfinite(most)) & ~np.isnan(least)
        if np.any(open_ & unbounded & (b - a < _NEAR * (right - left))):
            return None
        split = open_ & wide
        a, b, m = a[split], b[split], middle[split]
        a, b = np.concatenate([a, m]), np.concatenate([m, b])
    if len(a) or low > high:
        return None
    return low, high
