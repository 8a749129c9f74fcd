"""Hard points of a curve: located to neighbouring doubles, with the limits on either side.

A place is located by bisection of the intervals over which an enclosure is not smooth. The limits are extrapolated from
values and exact derivatives at distances that shrink by factors of 8; where these do not settle nothing is claimed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.curve import Curve

_ABOUT = 128
"""About as many intervals are looked at in a round: so few take hardly longer than one."""
_MOST_PARTS = 32
"""Pieces into which one is cut, at most."""
_CROWDED = 24
"""Intervals of one group after a round, beyond which the curve is not smooth on more than a few points."""
_GROUPS = 2000
"""Groups that are located."""
_FINEST = 2.0**-60
"""Width of the narrowest interval in the size of all abscissas: next to 0 doubles are nearer to each other."""
_APART = 8
"""Spacings of doubles between two places."""
_DISTANCES = 8
"""Distances from a place at which a side is looked at."""
_SHRINK = 8.0
"""How many times smaller each is than the one before."""
_GROWS = 0.95
"""The least ratio of successive steps of values that have no finite limit: those of a logarithm are equal."""
_NOISE, _ROUNDED = 16.0, 1e-10
"""How many times its estimated error, and what part of its size, a difference must exceed to be one."""


class Place(NamedTuple):
    """The doubles between which a hard point lies, and the shortest decimal among them."""

    low: float
    high: float
    x: float


class Side(NamedTuple):
    """The limits of values and slopes on one side of a place.

    ``there``: whether the curve has values there. ``limit``, ``slope``: nan where none was found, infinite where the
    values grow without bound. ``error``, ``slope_error``: how far they may be off.
    """

    there: bool
    limit: float
    error: float
    slope: float
    slope_error: float


def pieces(a: Array, b: Array, parts: int) -> tuple[Array, Array]:
    """Each of the intervals in equal pieces, which follow each other."""
    cuts = a[:, None] + (b - a)[:, None] * np.linspace(0, 1, parts + 1)
    cuts[:, -1] = b
    return cuts[:, :-1].ravel(), cuts[:, 1:].ravel()


def located(curve: Curve, left: Array, right: Array, scale: float) -> list[Place]:
    """The hard points within intervals, in order; where they crowd, as at an oscillation, none.

    ``scale``: the size of the abscissas of the picture. Of a curve without enclosures it is the greatest difference of
    values that is followed.
    """
    if not len(left):
        return []
    if curve.sampled is not None:
        return _followed(curve, left, right, _FINEST * scale)
    a, b = left[:_GROUPS], right[:_GROUPS]
    group = np.arange(len(a))
    finest = _FINEST * scale
    while True:
        rough = _widened(curve, a, b)
        a, b, group = a[rough], b[rough], group[rough]
        kept = np.bincount(group, minlength=1)[group] <= _CROWDED if len(group) else np.zeros(0, np.bool_)
        a, b, group = a[kept], b[kept], group[kept]
        wide = b - a > 2 * np.maximum(np.spacing(np.maximum(np.abs(a), np.abs(b))), finest)
        if not np.any(wide):
            return _merged(a, b, finest)
        parts = min(max(_ABOUT // int(np.count_nonzero(wide)), 2), _MOST_PARTS)
        low, high = pieces(a[wide], b[wide], parts)
        a, b = np.concatenate([a[~wide], low]), np.concatenate([b[~wide], high])
        group = np.concatenate([group[~wide], np.repeat(group[wide], parts)])


def _followed(curve: Curve, left: Array, right: Array, finest: float) -> list[Place]:
    a, b = left[:_GROUPS], right[:_GROUPS]
    while True:
        narrow = b - a <= 2 * np.maximum(np.spacing(np.maximum(np.abs(a), np.abs(b))), finest)
        if np.all(narrow):
            return _merged(a, b, finest)
        middle = a + (b - a) / 2
        low, inner, high = (curve.values(x) for x in (a, middle, b))
        with np.errstate(all="ignore"):
            first, second = np.abs(inner - low), np.abs(high - inner)
            # What is not a number is farthest from all others.
            first, second = (np.where(np.isnan(d), np.inf, d) for d in (first, second))
        right_half = np.where(first == second, np.isfinite(low) & ~np.isfinite(high), second > first) & ~narrow
        a = np.where(right_half, middle, a)
        b = np.where(right_half | narrow, b, middle)


def _widened(curve: Curve, a: Array, b: Array) -> NDArray[np.bool_]:
    """Whether a curve is not smooth over intervals, each longer by a double on either side.

    A kink at the end of an interval is none of the interval.
    """
    return curve.rough(np.nextafter(a, -np.inf), np.nextafter(b, np.inf))


def _merged(a: Array, b: Array, finest: float) -> list[Place]:
    order = np.argsort(a, kind="stable")
    places: list[Place] = []
    low = high = np.nan
    for p, q in zip(a[order].tolist(), b[order].tolist(), strict=True):
        if p - high <= _APART * max(float(np.spacing(max(abs(p), abs(high)))), finest):
            high = max(high, q)
            continue
        if high == high:
            places.append(_place(low, high))
        low, high = p, q
    return [*places, _place(low, high)] if high == high else places


def _place(low: float, high: float) -> Place:
    low, high = float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf))
    return Place(low, high, shortest_between(low, high))


def shortest_between(low: float, high: float) -> float:
    """The number of the fewest decimals between two.

    >>> shortest_between(0.29999999999999993, 0.30000000000000004), shortest_between(-1e-20, 1e-20)
    (0.3, 0.0)
    """
    if low <= 0 <= high:
        return 0.0
    middle = low / 2 + high / 2
    for digits in range(17):
        decimal = float(f"{middle:.{digits}e}")
        if low <= decimal <= high:
            return decimal
    return middle


def beside(curve: Curve, places: list[Place], reach: float) -> list[tuple[Side, Side]]:
    """The two sides of places, from values at most ``reach`` away and half as far as the next place."""
    if not places:
        return []
    low, high = np.array([p.low for p in places]), np.array([p.high for p in places])
    x = np.array([p.x for p in places])
    apart = np.minimum((low[1:] - high[:-1]) / 2, reach)
    before, after = np.append(reach, apart), np.append(apart, reach)
    shrink = _SHRINK ** -np.arange(_DISTANCES)
    left = np.minimum(low[:, None] - before[:, None] * shrink, np.nextafter(low, -np.inf)[:, None])
    right = np.maximum(high[:, None] + after[:, None] * shrink, np.nextafter(high, np.inf)[:, None])
    points = np.concatenate([left, right])
    shape = points.shape
    value, slope, bend = (column.reshape(shape) for column in curve.at(points.ravel()))
    with np.errstate(all="ignore"):
        step = np.concatenate([x, x])[:, None] - points
        limits = _settled(value, value + step * (slope + step / 2 * bend))
        slopes = _settled(slope, slope + step * bend)
    there: list[bool] = np.equal(np.isnan(value[:, -3:]).sum(axis=1), 0).tolist()
    found = [
        Side(t, float(v), float(e), float(s), float(r)) for t, v, e, s, r in zip(there, *limits, *slopes, strict=True)
    ]
    return list(zip(found[: len(places)], found[len(places) :], strict=True))


def _settled(value: Array, extrapolated: Array) -> tuple[Array, Array]:
    """Limits of rows of values at shrinking distances, and how far they may be off; nan where they do not settle."""
    limit, error = _nearest(extrapolated)
    plain, rest = _nearest(value)
    better = ~(error <= rest)
    limit, error = np.where(better, plain, limit), np.where(better, rest, error)
    size = np.abs(value)
    steps = np.diff(size, axis=1)[:, -3:]
    grows = (steps > 0).all(1) & (steps[:, 1:] >= _GROWS * steps[:, :-1]).all(1)
    # Beyond the largest double values are infinite; those before grow.
    endless = np.isinf(value[:, -1]) | grows
    limit = np.where(endless, np.copysign(np.inf, value[:, -1]), limit)
    moves = np.nanmax(np.abs(np.diff(value, axis=1)), axis=1, initial=0.0)
    unsettled = ~endless & ~(error <= 0.02 * moves) & ~(error <= _ROUNDED * np.abs(limit))
    return np.where(unsettled, np.nan, limit), error


def _nearest(rows: Array) -> tuple[Array, Array]:
    """Of each row the number that differs least from the one before it, and that difference."""
    steps = np.abs(np.diff(rows, axis=1))
    steps = np.where(np.isfinite(steps), steps, np.inf)
    best = np.argmin(steps, axis=1)
    each = np.arange(len(rows))
    return rows[each, best + 1], steps[each, best]


def differ(a: float, b: float, error: float) -> bool:
    """Whether two limits differ by more than the sum of what they may be off."""
    if np.isinf(a) or np.isinf(b):
        return bool(a != b)
    return bool(abs(a - b) > _NOISE * error + _ROUNDED * max(abs(a), abs(b)))
