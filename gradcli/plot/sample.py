"""Sampling of curves by proof: a segment is drawn straight only where that is right to half a pixel.

Intervals are halved until the second derivative over all of an interval bounds the distance of the curve from its
chord, max|f''|*h**2/8, below half a pixel, until nothing of it lies in the picture, or until it is narrower than a
quarter of a pixel: then a vertical bar over the range of values stands for it. Where a step is not smooth nothing is
bounded: such intervals are halved to a quarter of a pixel, and the places in them are located.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcli.plot.bars import filled, visited
from gradcli.plot.frame import Frame, check_range
from gradcli.plot.places import located, pieces
from gradcli.plot.segments import Hard, Sampled, joined, touched
from gradcli.plot.sides import beside

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array, Mask
    from gradcli.plot.curve import Curve

__all__ = ["Frame", "Sampled", "sampled"]

FLAT = 0.5
"""Pixels by which a chord may miss the curve."""
NARROW = 0.25
"""Pixels of the narrowest interval."""
FIRST = 64
"""Intervals at the beginning."""
BOXES = 200_000
"""Intervals that are looked at, at most."""
UNSEEN = 1e-3
"""Pixels by which values differ that do not matter."""
_FILLS = 0.25
"""The share of an enclosure that some values reach over if the curve is likely to fill it."""
_DENSE = 4
"""Points a pixel of a curve of which no ranges are known."""


_STRAIGHT, _OUTSIDE, _BAR = 0, 1, 2


def sampled(curve: Curve, frame: Frame) -> Sampled:
    """A curve as segments, each right to half a pixel of the frame. Raises GradError as `limits` does.

    >>> from gradcli.expr import var
    >>> from gradcli.plot.curve import Curve
    >>> parabola = sampled(Curve(var("x") ** 2, "x"), Frame(-1, 1, 0, 1, 800, 400))
    >>> len(parabola.x), parabola.complete
    (65, True)
    """
    check_range(frame.left, frame.right)
    if curve.sampled is not None:
        return _uniform(curve, frame)
    across, up = frame.across, frame.up
    edges = frame.left + (frame.right - frame.left) * np.linspace(0, 1, FIRST + 1)
    edges[-1] = frame.right
    a, b = edges[:-1], edges[1:]
    done: list[Array] = []
    boxes, affordable = 0, curve.affordable(BOXES)
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
        narrow = (h * across < NARROW) | (boxes > affordable)
        # Between neighbouring doubles there is nothing to halve.
        narrow |= h <= 2 * np.spacing(np.maximum(np.abs(a), np.abs(b)))
        state = np.where(outside, _OUTSIDE, np.where(straight, _STRAIGHT, np.where(narrow, _BAR, -1)))
        kept = state >= 0
        done.append(np.stack([a[kept], b[kept], state[kept], least[kept], most[kept], rough[kept]]))
        a, b = pieces(a[~kept], b[~kept], 2)
    found = np.concatenate(done, axis=1)
    found = found[:, np.argsort(found[0], kind="stable")]
    return _segments(curve, frame, found, boxes)


def _segments(curve: Curve, frame: Frame, found: Array, boxes: int) -> Sampled:
    left, right, state, least, most = found[:5]
    rough = found[5] != 0
    x = np.append(left, right[-1:])
    y, slope, _ = curve.at(x)
    bar = state == _BAR
    torn = bar & rough & _torn(frame, x, y, slope)
    # A kink is drawn by its two sides; only what wiggles within a quarter of a pixel is a bar.
    bar &= ~rough
    low, high = np.fmin(y[:-1], y[1:]), np.fmax(y[:-1], y[1:])
    ranges = np.flatnonzero(bar)
    if len(ranges):
        low[ranges], high[ranges] = filled(curve, frame, x, y, ranges)
    hard = _hard(curve, frame, *_suspected(curve, x, rough))
    settled = torn | (state != _BAR) | ~rough | touched(x, hard)
    places = np.flatnonzero(~settled)
    if len(places):
        # What is not smooth at more points than can be told apart is as high as its values: if they make a good part of
        # the enclosure, as high as that.
        low_, high_ = visited(curve, x, places)
        wide = (high_ - low_ > _FILLS * (most[places] - least[places])) & (most[places] > least[places])
        low_, high_ = np.where(wide, least[places], low_), np.where(wide, most[places], high_)
        more = (high_ - high[places] > FLAT / frame.up) | (low[places] - low_ > FLAT / frame.up)
        bar[places] = more
        low[places], high[places] = np.where(more, low_, low[places]), np.where(more, high_, high[places])
    segments = Sampled(x, y, state == _OUTSIDE, bar, low, high, rough, hard, boxes, boxes <= curve.affordable(BOXES))
    return joined(segments, frame, torn)


def _torn(frame: Frame, x: Array, y: Array, slope: Array) -> Mask:
    """Whether values differ by more than the slopes at the ends explain, which is all where a curve is continuous.

    Slopes of one sign, while the values differ by the other, tell of a pole between.
    """
    with np.errstate(all="ignore"):
        rise = np.diff(y) * frame.up
        explained = np.diff(x) * np.fmax(np.abs(slope[:-1]), np.abs(slope[1:])) * frame.up
        against = (slope[:-1] * slope[1:] > 0) & (rise * slope[:-1] < 0) & (np.abs(rise) > 2)
        return (np.abs(rise) > 3 * explained + 2) | ~np.isfinite(rise) | against


def _suspected(curve: Curve, x: Array, rough: Mask) -> tuple[Array, Array]:
    """The intervals that may have hard points: segments that are not smooth, and the neighbourhoods of other ends."""
    low, high = np.nextafter(x, -np.inf), np.nextafter(x, np.inf)
    covered = np.append(rough, False) | np.append(False, rough)
    alone = curve.rough(low, high) & ~covered
    a, b = np.append(x[:-1][rough], low[alone]), np.append(x[1:][rough], high[alone])
    order = np.argsort(a, kind="stable")
    return a[order], b[order]


def _hard(curve: Curve, frame: Frame, a: Array, b: Array) -> list[Hard]:
    reach = 1 / frame.across
    places = located(curve, a, b, max(abs(frame.left), abs(frame.right)), reach)
    return [
        Hard(place, *sides)
        for place, sides in zip(places, beside(curve, places, reach, UNSEEN / frame.up), strict=True)
    ]  # fmt: skip


def _uniform(curve: Curve, frame: Frame) -> Sampled:
    """A curve of which no ranges are known, at equal distances: nothing is proved."""
    x = frame.left + (frame.right - frame.left) * np.linspace(0, 1, _DENSE * frame.width + 1)
    x[-1] = frame.right
    y, slope, _ = curve.at(x)
    with np.errstate(all="ignore"):
        # From beyond one edge of the picture to beyond the other within a quarter of a pixel: a pole.
        beyond = (np.minimum(y[:-1], y[1:]) < frame.bottom) & (np.maximum(y[:-1], y[1:]) > frame.top)
    torn = _torn(frame, x, y, slope) | beyond
    none = np.zeros(len(torn), np.bool_)
    some = torn & (np.isfinite(y[:-1]) | np.isfinite(y[1:]))
    hard = _hard(curve, frame, x[:-1][some], x[1:][some])
    low, high = np.fmin(y[:-1], y[1:]), np.fmax(y[:-1], y[1:])
    return joined(Sampled(x, y, none, none, low, high, none, hard, len(x), True), frame, torn)
