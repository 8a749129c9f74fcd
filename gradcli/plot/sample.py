"""Sampling of curves by proof: a segment is drawn straight only where that is right to half a pixel.

Intervals are halved until the second derivative over all of an interval bounds the distance of the curve from its
chord, max|f''|*h**2/8, below half a pixel, until nothing of it lies in the picture, or until it is narrower than a
quarter of a pixel: then a vertical bar over the range of values stands for it. Where a step is not smooth nothing is
bounded: such intervals are halved to a quarter of a pixel, and are gaps where the curve jumps or has a pole.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array, Mask
    from gradcli.plot.curve import Curve

FLAT = 0.5
"""Pixels by which a chord may miss the curve."""
NARROW = 0.25
"""Pixels of the narrowest interval."""
FIRST = 64
"""Intervals at the beginning."""
BOXES = 200_000
"""Intervals that are looked at, at most."""
_PARTS = 8
"""Pieces of an interval whose ranges make a bar."""
_MANY = 2000
"""Bars that are made finer."""
_DENSE = 4
"""Points a pixel of a curve of which no ranges are known."""


class Frame(NamedTuple):
    """The part of the plane that a picture shows, and its size in pixels."""

    left: float
    right: float
    bottom: float
    top: float
    width: int
    height: int

    @property
    def across(self) -> float:
        """Pixels per unit of x."""
        return self.width / (self.right - self.left)

    @property
    def up(self) -> float:
        """Pixels per unit of y."""
        return self.height / (self.top - self.bottom)


class Sampled(NamedTuple):
    """A curve as points and what is between them.

    ``x``, ``y``: n points. Of the n - 1 segments between them: ``gap``: nothing is drawn; ``bar``: a vertical bar from
    ``low`` to ``high`` is; the others are straight. ``rough``: segments over which the curve is not smooth. ``steep``:
    those at which it is not bounded. ``boxes``: how many intervals were looked at; ``complete``: whether all ended.
    """

    x: Array
    y: Array
    gap: Mask
    bar: Mask
    low: Array
    high: Array
    rough: Mask
    steep: Mask
    boxes: int
    complete: bool


_STRAIGHT, _OUTSIDE, _BAR = 0, 1, 2


def sampled(curve: Curve, frame: Frame) -> Sampled:
    """A curve as segments, each right to half a pixel of the frame."""
    if curve.sampled is not None:
        return _uniform(curve, frame)
    across, up = frame.across, frame.up
    edges = np.linspace(frame.left, frame.right, FIRST + 1)
    a, b = edges[:-1], edges[1:]
    done: list[Array] = []
    boxes = 0
    while len(a):
        boxes += len(a)
        ((least, most), (d_least, d_most), (c_least, c_most)), rough = curve.over(a, b)
        h = b - a
        with np.errstate(all="ignore"):
            bend = np.maximum(np.abs(c_least), np.abs(c_most)) * h * h / 8 * up
            slope = np.where(
                (d_least <= 0) & (d_most >= 0), 0.0, np.minimum(np.abs(d_least), np.abs(d_most))
            ) * (up / across)  # fmt: skip
            # The distance from a steep chord is less than the vertical one.
            straight = ~rough & (bend / np.sqrt(1 + slope * slope) < FLAT)
            straight |= ~rough & ((most - least) * up < FLAT)
        outside = (least > frame.top) | (most < frame.bottom) | np.isnan(least)
        narrow = (h * across < NARROW) | (boxes > BOXES)
        state = np.where(straight, _STRAIGHT, np.where(outside, _OUTSIDE, np.where(narrow, _BAR, -1)))
        kept = state >= 0
        done.append(np.stack([a[kept], b[kept], state[kept], least[kept], most[kept], rough[kept]]))
        left, right = a[~kept], b[~kept]
        middle = left + (right - left) / 2
        a, b = np.concatenate([left, middle]), np.concatenate([middle, right])
    found = np.concatenate(done, axis=1)
    found = found[:, np.argsort(found[0], kind="stable")]
    return _segments(curve, frame, found, boxes)


def _segments(curve: Curve, frame: Frame, found: Array, boxes: int) -> Sampled:
    left, right, state, least, most = found[:5]
    rough = found[5] != 0
    x = np.append(left, right[-1:])
    y, slope, _ = curve.at(x)
    bar = state == _BAR
    with np.errstate(all="ignore"):
        jump = np.abs(np.diff(y)) * frame.up
        # What the slopes at the ends explain of the difference, which is all of it where the curve is continuous.
        explained = (right - left) * np.fmax(np.abs(slope[:-1]), np.abs(slope[1:])) * frame.up
        across = (least == -math.inf) & (most == math.inf) & (np.sign(y[:-1]) != np.sign(y[1:]))
        broken = bar & rough & ((jump > 3 * explained + 2) | ~np.isfinite(jump) | across)
    gap = broken | (state == _OUTSIDE)
    steep = bar & rough & ~(np.isfinite(least) & np.isfinite(most))
    # A kink is drawn by its two sides; only what wiggles within a quarter of a pixel is a bar.
    bar &= ~rough
    low, high = least.copy(), most.copy()
    places = np.flatnonzero(bar)
    if len(places):
        low[places], high[places] = _narrowed(curve, left[places], right[places], _PARTS)
        # Ranges that are wider than the curve, as those of differences are, get finer parts.
        ends = np.abs(y[places + 1] - y[places])
        wide = places[(high[places] - low[places] - ends) * frame.up > FLAT]
        if 0 < len(wide) <= _MANY:
            low[wide], high[wide] = _narrowed(curve, left[wide], right[wide], 8 * _PARTS)
    return Sampled(x, y, gap, bar, low, high, rough, steep, boxes, boxes <= BOXES)


def _narrowed(curve: Curve, left: Array, right: Array, parts: int) -> tuple[Array, Array]:
    """The ranges of values over narrow intervals, from those of their parts."""
    width = (right - left) / parts
    a = (left[:, None] + width[:, None] * np.arange(parts)).ravel()
    ((low, high), _, _), _ = curve.over(a, a + np.repeat(width, parts))
    return low.reshape(-1, parts).min(1), high.reshape(-1, parts).max(1)


def _uniform(curve: Curve, frame: Frame) -> Sampled:
    """A curve of which no ranges are known, at equal distances: nothing is proved."""
    x = np.linspace(frame.left, frame.right, _DENSE * frame.width + 1)
    y, slope, _ = curve.at(x)
    with np.errstate(all="ignore"):
        jump = np.abs(np.diff(y)) * frame.up
        explained = np.diff(x) * np.fmax(np.abs(slope[:-1]), np.abs(slope[1:])) * frame.up
        gap = ~np.isfinite(jump) | (jump > 3 * explained + 2)
        # From beyond one edge of the picture to beyond the other within a quarter of a pixel: a pole.
        gap |= (np.minimum(y[:-1], y[1:]) < frame.bottom) & (np.maximum(y[:-1], y[1:]) > frame.top)
    none = np.zeros(len(gap), np.bool_)
    return Sampled(x, y, gap, none, y[:-1], y[:-1], none, none, len(x), True)
