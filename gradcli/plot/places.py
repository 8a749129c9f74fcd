"""Hard points of a curve: located to neighbouring doubles.

They are found by bisection of the intervals over which an enclosure is not smooth.
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
_TOGETHER = 1 / 16
"""The part of a reach within which they are one point."""
_GROUPS = 2000
"""Groups that are located."""
_FINEST = 2.0**-60
"""Width of the narrowest interval in the size of all abscissas: next to 0 doubles are nearer to each other."""
_APART = 8
"""Spacings of doubles between two places."""


class Place(NamedTuple):
    """The doubles between which a hard point lies, and the shortest decimal among them."""

    low: float
    high: float
    x: float


def pieces(a: Array, b: Array, parts: int) -> tuple[Array, Array]:
    """Each of the intervals in equal pieces, which follow each other."""
    cuts = a[:, None] + (b - a)[:, None] * np.linspace(0, 1, parts + 1)
    cuts[:, -1] = b
    return cuts[:, :-1].ravel(), cuts[:, 1:].ravel()


def located(curve: Curve, left: Array, right: Array, scale: float, reach: float) -> list[Place]:
    """The hard points within intervals, in order; where they crowd, as at an oscillation, none.

    Those that crowd within a small part of ``reach`` are one: rounding does not tell them apart. ``scale``: the size of
    the abscissas of the picture. Of a curve without enclosures it is the greatest difference of values that is
    followed.
    """
    if not len(left):
        return []
    if curve.sampled is not None:
        return _followed(curve, left, right, _FINEST * scale)
    a, b = left[:_GROUPS], right[:_GROUPS]
    group = np.arange(len(a))
    finest = _FINEST * scale
    together: list[Place] = []
    while True:
        rough = _widened(curve, a, b)
        a, b, group = a[rough], b[rough], group[rough]
        crowded = (np.bincount(group, minlength=len(left)) > _CROWDED)[group]
        if crowded.any():
            together += _crowds(a[crowded], b[crowded], group[crowded], _TOGETHER * reach)
            a, b, group = a[~crowded], b[~crowded], group[~crowded]
        wide = b - a > 2 * np.maximum(np.spacing(np.maximum(np.abs(a), np.abs(b))), finest)
        if not np.any(wide):
            return _apart(sorted([*together, *_merged(a, b, finest)]))
        parts = min(max(_ABOUT // int(np.count_nonzero(wide)), 2), _MOST_PARTS)
        lows, highs = pieces(a[wide], b[wide], parts)
        a, b = np.concatenate([a[~wide], lows]), np.concatenate([b[~wide], highs])
        group = np.concatenate([group[~wide], np.repeat(group[wide], parts)])


def _crowds(a: Array, b: Array, group: NDArray[np.intp], most: float) -> list[Place]:
    """The groups of intervals that reach over at most so much, as one place each."""
    order = np.argsort(group, kind="stable")
    a, b, group = a[order], b[order], group[order]
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    low, high = np.minimum.reduceat(a, starts), np.maximum.reduceat(b, starts)
    near = high - low <= most
    return [_place(p, q) for p, q in zip(low[near].tolist(), high[near].tolist(), strict=True)]


def _followed(curve: Curve, left: Array, right: Array, finest: float) -> list[Place]:
    a, b = left[:_GROUPS], right[:_GROUPS]
    while True:
        narrow = b - a <= 2 * np.maximum(np.spacing(np.maximum(np.abs(a), np.abs(b))), finest)
        if np.all(narrow):
            return _apart(_merged(a, b, finest))
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


def _apart(places: list[Place]) -> list[Place]:
    """Places in order, those that overlap as one."""
    found: list[Place] = []
    for place in places:
        if found and place.low <= found[-1].high:
            place = _place(found[-1].low, max(place.high, found.pop().high))
        found.append(place)
    return found


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
