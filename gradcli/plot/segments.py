"""A sampled curve: its points and what is between them, with the limits at hard points put in their places."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gradcli.plot.places import Place
from gradcli.plot.sides import Side

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array, Mask
    from gradcli.plot.frame import Frame

_T = TypeVar("_T", bound=np.generic)

_SAME = 0.05
"""Pixels by which two limits differ that are drawn as one point."""


class Hard(NamedTuple):
    """A place where a curve is not smooth, and its two sides."""

    place: Place
    left: Side
    right: Side


class Sampled(NamedTuple):
    """A curve as points and what is between them.

    ``x``, ``y``: n points. Of the n - 1 segments between them: ``gap``: nothing is drawn; ``bar``: a vertical bar from
    ``low`` to ``high`` is; the others are straight. ``rough``: segments over which the curve is not smooth. ``hard``:
    the places of it. ``boxes``: how many intervals were looked at; ``complete``: whether all ended.
    """

    x: Array
    y: Array
    gap: Mask
    bar: Mask
    low: Array
    high: Array
    rough: Mask
    hard: list[Hard]
    boxes: int
    complete: bool


def joined(segments: Sampled, frame: Frame, torn: Mask) -> Sampled:
    """Segments with the limits at hard points as points of their own: gaps begin and end there, and only there.

    ``torn``: segments that are gaps unless their hard points are known.
    """
    x, y = segments.x, segments.y
    resolved = [hard for hard in segments.hard if known(hard)]
    low, high = np.array([h.place.low for h in resolved]), np.array([h.place.high for h in resolved])
    # Of each place the segments that it touches, and the points that its limits replace.
    first, last = np.searchsorted(x, low) - 1, np.searchsorted(x, high, side="right") - 1
    kept, gap = np.ones(len(x), np.bool_), torn.copy()
    for i, j in zip(first.tolist(), last.tolist(), strict=True):
        gap[max(i, 0) : j + 1] = False
        kept[i + 1 : j + 1] = False
    gap |= segments.gap
    new: list[tuple[float, float, int, bool]] = []
    y = y.copy()
    for hard, j in zip(resolved, last.tolist(), strict=True):
        ends = [(p, q, j, cut) for p, q, cut in _ends(hard, frame) if frame.left <= p <= frame.right]
        new += ends
        for k in () if ends else (0, -1):
            if hard.place.low <= x[k] <= hard.place.high:
                # A pole at an edge of the picture leaves the edge, and nothing there.
                kept[k], y[k] = True, np.nan
    new_x, new_y = np.array([n[0] for n in new]), np.array([n[1] for n in new])
    source = np.clip(np.array([n[2] for n in new], dtype=np.intp), 0, len(gap) - 1)
    cut = np.array([n[3] for n in new], dtype=np.bool_)
    xs = np.concatenate([x[kept], new_x])
    order = np.argsort(xs, kind="stable")
    xs, ys = xs[order], np.concatenate([y[kept], new_y])[order]

    def owned(column: NDArray[_T], of_new: NDArray[_T]) -> NDArray[_T]:
        """A column of the segments, each of which belongs to its left point."""
        return np.concatenate([np.append(column, column[-1:])[kept], of_new])[order][:-1]

    gaps = owned(gap, cut | segments.gap[source])
    # What leads to a pole, or to the outside of the domain, is a gap.
    before = np.searchsorted(xs, low) - 1
    open_ = np.array([math.isinf(h.left.limit) or not h.left.there for h in resolved], dtype=np.bool_)
    gaps[before[open_ & (before >= 0) & (before < len(gaps))]] = True
    gaps |= ~(np.isfinite(ys[:-1]) & np.isfinite(ys[1:]))
    bar = owned(segments.bar, segments.bar[source] & ~cut) & ~gaps
    return segments._replace(
        x=xs, y=ys, gap=gaps, bar=bar, rough=owned(segments.rough, segments.rough[source]),
        low=owned(segments.low, segments.low[source]), high=owned(segments.high, segments.high[source]),
    )  # fmt: skip


def touched(x: Array, hard: list[Hard]) -> Mask:
    """The segments between points in which a hard point with known limits lies."""
    near = np.zeros(len(x) - 1, np.bool_)
    for place, _, _ in filter(known, hard):
        near[max(int(np.searchsorted(x, place.low)) - 1, 0) : int(np.searchsorted(x, place.high, side="right"))] = True
    return near


def known(hard: Hard) -> bool:
    """Whether the limits of a place are known on every side that is there."""
    sides = [side for side in (hard.left, hard.right) if side.there]
    return bool(sides) and not any(math.isnan(side.limit) for side in sides)


def _ends(hard: Hard, frame: Frame) -> list[tuple[float, float, bool]]:
    """The points that finite limits make, each with whether a gap follows it."""
    place, left, right = hard
    a, b = (side.limit if side.there and math.isfinite(side.limit) else math.nan for side in (left, right))
    if abs(a - b) * frame.up < _SAME:
        return [(place.x, a / 2 + b / 2, False)]
    ends = [] if math.isnan(a) else [(place.low, a, True)]
    return ends if math.isnan(b) else [*ends, (place.high, b, False)]
