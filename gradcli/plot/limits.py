"""Limits of the values of a curve: proved least and greatest values, or the middle of them where there are poles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gradcli.plot.frame import check_range
from gradcli.plot.places import located, pieces
from gradcli.plot.sides import beside

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.curve import Curve

_FIRST = 256
"""Intervals at the beginning, and about as many in each round."""
_POINTS = 2001
_BOXES = 12_000
_MOST_PARTS = 16
"""Pieces into which an interval is cut, at most."""
_ENOUGH = 0.002
"""The share of the range by which an extreme may be missed."""
_NEAR = 1e-13
"""The share of the abscissas within which what is not smooth is a place."""
_LEAST = 2.0**-1060
"""A difference of values, that of subnormal numbers."""
_UNSEEN = 1e-5
"""The share of the range by which limits differ that are equal."""
_PLACES = 64
"""Places whose limits are asked for."""
_QUANTILES, _WIDER = (0.05, 0.95), 1.5
"""The middle of the values of a curve with poles, and how much wider than it a picture is."""
_MARGIN = 0.03
"""The share of the limits that is left free above and below."""
_SMALLEST = 1e-300
"""The least margin, and the least size of a constant."""
_CONSTANT = 2.0**-40
"""The share of values within which they are one value and rounding."""


def limits(curve: Curve, left: float, right: float) -> tuple[float, float] | None:
    """The least and the greatest value to show of a curve between two abscissas; None if nothing is finite there.

    They are the extremes to 0.2 % of their distance, proved by enclosures where there are any; of a curve with poles
    1.5 times the range of the middle 90 % of its values. Raises GradError for abscissas that are too near to each other
    or too far.
    """
    check_range(left, right)
    with np.errstate(all="ignore"):
        x = left + (right - left) * np.linspace(0, 1, _POINTS)
        y = curve.values(np.clip(x, left, right))
    finite = y[np.isfinite(y)]
    ends = None if curve.sampled else _extremes(curve, left, right, finite)
    if ends is not None:
        return ends
    return middle_limits(finite) if len(finite) else None


def middle_limits(values: Array) -> tuple[float, float]:
    """Limits 1.5 times as far apart as the quantiles of 5 and 95 % of finite values, and none of them beyond all."""
    ordered = np.sort(values)
    low, high = (_quantile(ordered, share) for share in _QUANTILES)
    least, most = float(ordered[0]), float(ordered[-1])
    middle, half = low / 2 + high / 2, _WIDER * (high / 2 - low / 2)
    if half == 0:
        return least, most
    return max(middle - half, least), min(middle + half, most)


def _quantile(ordered: Array, share: float) -> float:
    """The quantile between ascending values, linear between them; np.percentile would import numpy.ma, in 10 ms."""
    place = share * (len(ordered) - 1)
    k = min(int(place), len(ordered) - 2) if len(ordered) > 1 else 0
    low, high = float(ordered[k]), float(ordered[min(k + 1, len(ordered) - 1)])
    return low * (1 - (place - k)) + high * (place - k)


def padded(low: float, high: float) -> tuple[float, float]:
    """The lower and the upper edge of a picture of these values, with a margin; around a constant as far as its size.

    >>> padded(0, 1), padded(2.0, 2.0), padded(0, 0)
    ((-0.03, 1.03), (1.0, 3.0), (-1.0, 1.0))
    """
    size = max(abs(low), abs(high))
    if high / 2 - low / 2 <= _CONSTANT * size:
        margin = size / 2 if size > _SMALLEST else 1.0
    else:
        margin = max(2 * _MARGIN * (high / 2 - low / 2), _SMALLEST)
    # The height of a picture is a double, too.
    largest = float(np.finfo(np.float64).max) / (1.1 if low > 0 or high < 0 else 4)
    bottom, top = (float(np.clip(end, -largest, largest)) for end in (low - margin, high + margin))
    return (bottom, top) if bottom < top else (bottom - 0.1 * largest, top + 0.05 * largest)


def _extremes(curve: Curve, left: float, right: float, values: Array) -> tuple[float, float] | None:
    """The extremes by bisection of the intervals whose ranges reach beyond what was found; None if one is unbounded."""
    edges = left + (right - left) * np.linspace(0, 1, _FIRST + 1)
    edges[-1] = right
    a, b = edges[:-1], edges[1:]
    low, high = (float(values.min()), float(values.max())) if len(values) else (math.inf, -math.inf)
    # Values near to a pole are not those by which a difference is small.
    inner = middle_limits(values) if len(values) else (0.0, 0.0)
    unseen = _UNSEEN * (inner[1] - inner[0])
    boxes, affordable = 0, curve.affordable(_BOXES)
    while len(a) and boxes < affordable:
        boxes += len(a)
        (least, most), rough = curve.range(a, b)
        middle = a + (b - a) / 2
        y = curve.values(middle)
        y = y[np.isfinite(y)]
        if len(y):
            low, high = min(low, float(y.min())), max(high, float(y.max()))
        with np.errstate(all="ignore"):
            allowed = _ENOUGH * max(high - low, _LEAST)
            open_ = (least < low - allowed) | (most > high + allowed)
            spacing = 4 * np.spacing(np.maximum(np.abs(a), np.abs(b)))
        # A spike may be as narrow as doubles are apart; what is not smooth is looked at as a place before.
        near = open_ & rough & (b - a < np.maximum(_NEAR * (right - left), spacing))
        if np.any(near):
            sides = _beside(curve, a[near], b[near], left, right, unseen)
            if sides is None:
                return None
            low, high = min(low, sides[0]), max(high, sides[1])
        split = open_ & ~near & (b - a > spacing)
        parts = min(max(_FIRST // max(1, int(np.count_nonzero(split))), 2), _MOST_PARTS)
        a, b = pieces(a[split], b[split], parts)
    if len(a) or low > high:
        return None
    return low, high


def _beside(
    curve: Curve, a: Array, b: Array, left: float, right: float, least: float
) -> tuple[float, float] | None:  # fmt: skip
    """The least and greatest of the limits at places within intervals; None if one is unbounded or not known."""
    reach = (right - left) / _POINTS
    places = located(curve, a, b, max(abs(left), abs(right)), reach)
    if len(places) > _PLACES:
        return None
    found: list[float] = []
    for place, sides in zip(places, beside(curve, places, reach, least), strict=True):
        inner = [(sides[0], place.x > left), (sides[1], place.x < right)]
        found += [side.limit for side, inside in inner if side.there and inside and not math.isnan(side.limit)]
    if not all(map(math.isfinite, found)):
        return None
    return min(found, default=math.inf), max(found, default=-math.inf)
