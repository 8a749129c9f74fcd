"""The limits of a curve on either side of its hard points.

They are extrapolated from values and exact derivatives at distances that shrink by factors of 8.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcli.expr import const

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.curve import Curve
    from gradcli.plot.places import Place

_DISTANCES = 8
"""Distances from a place at which a side is looked at."""
_SHRINK = 8.0
"""How many times smaller each is than the one before."""
_LAST = 3
"""The distances that are next to a place."""
_GROWS = 0.99
"""The least ratio of successive steps of values that have no finite limit: those of a logarithm are equal."""
_CLOSE, _SHRUNK = 1e-6, 0.02
"""The share of a limit, and of the first differences, that approximations of it differ by at the end."""
_NOISE, _ROUNDED = 16.0, 1e-10
"""How many times its estimated error, and what part of its size, a difference must exceed to be one."""
_FAR = 1e12
"""How many times larger than what matters a limit is that counts as infinite."""
_JUDGED = 16
"""Places that are judged by germs, at most."""


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


def beside(curve: Curve, places: list[Place], reach: float, least: float) -> list[tuple[Side, Side]]:
    """The two sides of places, from values at most ``reach`` away and half as far as the next place.

    ``least``: a difference of values that does not matter. Where values near to a place contradict those farther away,
    since one or the other are rounding, and where none settle, germs decide (`truth.verdict`).
    """
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
    value, slope, bend = (column.reshape(points.shape) for column in curve.at(points.ravel()))
    with np.errstate(all="ignore"):
        step = np.concatenate([x, x])[:, None] - points
        limit, error = settled(value, value + step * (slope + step / 2 * bend), least, value[:, -_LAST:])
        slopes, slope_error = settled(slope, slope + step * bend, least / reach)
    there: list[bool] = np.equal(np.isnan(value[:, -_LAST:]).sum(axis=1), 0).tolist()
    columns = zip(there, limit.tolist(), error.tolist(), slopes.tolist(), slope_error.tolist(), strict=True)
    sides = [Side(*column) for column in columns]
    pairs = list(zip(sides[: len(places)], sides[len(places) :], strict=True))
    doubtful = [k for k, pair in enumerate(pairs) if any(s.there and math.isnan(s.limit) for s in pair)]
    for k in doubtful[:_JUDGED]:
        pairs[k] = _judged(curve, places[k], least) or pairs[k]
    return pairs


def _judged(curve: Curve, place: Place, least: float) -> tuple[Side, Side] | None:
    """The sides of a place by germs at its decimal; None where they do not tell, and on logarithmic axes."""
    if curve.judge is None:
        return None
    truth = curve.judge.along({curve.variable: const(Fraction(repr(place.x)))}, curve.variable)
    if truth.verdict in ("unknown", "undefined"):
        return None
    left, right = (
        Side(slopes is not None, _endless(limit, _FAR * least), 0.0, slopes[0] if slopes else math.nan, 0.0)
        for limit, slopes in ((truth.limit_left, truth.left), (truth.limit_right, truth.right))
    )
    if truth.verdict == "smooth" and abs(right.slope) * (place.high - place.low) > least and math.isfinite(right.limit):
        # The decimal is next to the place, and tells nothing of it.
        return None
    return left, right


def _endless(limit: float, most: float) -> float:
    """A limit; an infinite one for that of a decimal next to a pole."""
    return math.copysign(math.inf, limit) if abs(limit) > most else limit


def settled(value: Array, extrapolated: Array, least: float, witness: Array | None = None) -> tuple[Array, Array]:
    """Limits of rows of values at shrinking distances, and how far they may be off; nan where they do not settle.

    They settle where they differ by no more than ``least``, by their rounding, or ever less. Values that grow by ever
    more, or at least by as much as those of a logarithm, have an infinite limit. ``witness``: values next to the place,
    which belong to the limit, or are rounding, or tell of a pole that is not seen farther away.
    """
    limit, error, most = _first(extrapolated)
    plain, rest, moved = _first(value)
    better = ~(error <= rest)
    limit, error, most = (np.where(better, q, p) for p, q in ((limit, plain), (error, rest), (most, moved)))
    known = (error <= least) | (error <= _CLOSE * np.abs(limit)) | (error <= _SHRUNK * most)
    sure = known
    if witness is not None:
        contradicted = (np.abs(witness - limit[:, None]) > 1 / _SHRUNK * (least + error)[:, None]).any(axis=1)
        sure = known & ~contradicted & np.isfinite(witness).all(axis=1)
    steps = np.diff(value, axis=1)[:, -_LAST:]
    size, rises = np.abs(steps), np.sign(steps)
    grows = (size > _CLOSE * np.abs(value[:, -_LAST:])).all(axis=1) & (rises == rises[:, :1]).all(axis=1)
    grows &= (size[:, 1:] >= _GROWS * size[:, :-1]).all(axis=1)
    beyond = np.isinf(value[:, -1])
    endless = ~known & (grows | beyond)
    limit = np.where(endless, np.copysign(np.inf, np.where(beyond, value[:, -1], rises[:, -1])), limit)
    return np.where(endless | sure, limit, np.nan), error


def _first(rows: Array) -> tuple[Array, Array, Array]:
    """Of rows of approximations the best, how far it is off, and the greatest difference of those before it.

    Differences of successive ones shrink until rounding makes them grow: the best is the first after which they do.
    """
    steps = np.abs(np.diff(rows, axis=1))
    steps = np.where(np.isfinite(steps), steps, np.inf)
    grows = steps[:, 1:] >= steps[:, :-1]
    best = np.where(grows.any(axis=1), np.argmax(grows, axis=1), steps.shape[1] - 1)
    each = np.arange(len(rows))
    return (
        rows[each, best + 1],
        steps[each, best],
        steps.max(axis=1, where=np.arange(steps.shape[1]) <= best[:, None], initial=0.0),
    )


def differ(a: float, b: float, error: float) -> bool:
    """Whether two limits differ by more than the sum of what they may be off."""
    if np.isinf(a) or np.isinf(b):
        return bool(a != b)
    return bool(abs(a - b) > _NOISE * error + _ROUNDED * max(abs(a), abs(b)))
