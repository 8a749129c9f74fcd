"""From a sampled curve to lines and bars that lie within the frame of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcli.plot.picture import Bars, Stroke

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array, Mask
    from gradcli.plot.frame import Frame
    from gradcli.plot.segments import Sampled

_BEYOND = 0.01
"""The share of its height by which a line leaves the frame before it is cut, so that its end is not seen."""


def strokes(sampled: Sampled, frame: Frame) -> list[Stroke]:
    """The lines of a sampled curve.

    >>> from gradcli.expr import apply, const, var
    >>> from gradcli.plot.curve import Curve
    >>> from gradcli.plot.frame import Frame
    >>> from gradcli.plot.sample import sampled
    >>> frame = Frame(-1, 1, -10, 10, 80, 40)
    >>> [(round(float(s.x[0]), 1), round(float(s.x[-1]), 1)) for s in strokes(sampled(Curve(
    ...     apply("div", const(1), var("x")), "x"), frame), frame)]
    [(-1.0, -0.1), (0.1, 1.0)]
    """
    return broken(sampled.x, sampled.y, ~(sampled.gap | sampled.bar), frame)


def broken(x: Array, y: Array, drawn: Mask, frame: Frame) -> list[Stroke]:
    """Lines through n points, of whose n - 1 segments those ``drawn``, cut at the lower and the upper edge."""
    margin = _BEYOND * (frame.top - frame.bottom)
    bottom, top = frame.bottom - margin, frame.top + margin
    a, b = y[:-1], y[1:]
    with np.errstate(all="ignore"):
        # The parts of each segment, from 0 to 1, at which it crosses an edge (Liang and Barsky 1984); halves, since
        # a difference of doubles may overflow.
        rise = b / 2 - a / 2
        cross_low, cross_high = (bottom / 2 - a / 2) / rise, (top / 2 - a / 2) / rise
        enter = np.where(a < bottom, cross_low, np.where(a > top, cross_high, 0.0))
        leave = np.where(b < bottom, cross_low, np.where(b > top, cross_high, 1.0))
        seen = drawn & (enter < leave) & ~((a < bottom) & (b < bottom)) & ~((a > top) & (b > top))
        step = np.diff(x)
        x0, x1 = x[:-1] + enter * step, np.where(leave == 1, x[1:], x[:-1] + leave * step)
        y0, y1 = np.clip(a, bottom, top), np.clip(b, bottom, top)
    found = np.flatnonzero(seen)
    if not len(found):
        return []
    # A line goes on where the next segment follows and neither end is cut.
    goes_on = (np.diff(found) == 1) & (leave[found[:-1]] == 1) & (enter[found[1:]] == 0)
    return [
        Stroke(np.append(x0[run[:1]], x1[run]), np.append(y0[run[:1]], y1[run]))
        for run in np.split(found, np.flatnonzero(~goes_on) + 1)
    ]


def bars(sampled: Sampled, frame: Frame) -> Bars | None:
    """The bars of a sampled curve, those of one column of pixels joined; None if there are none.

    A column's bars that follow each other make one: a curve without a gap has every value between.
    """
    some = np.flatnonzero(sampled.bar & ~sampled.gap)
    if not len(some):
        return None
    middle = sampled.x[some] + (sampled.x[some + 1] - sampled.x[some]) / 2
    with np.errstate(all="ignore"):
        low = np.clip(np.fmin(sampled.low[some], sampled.high[some]), frame.bottom, frame.top)
        high = np.clip(np.fmax(sampled.low[some], sampled.high[some]), frame.bottom, frame.top)
        inside = (sampled.high[some] >= frame.bottom) & (sampled.low[some] <= frame.top)
    some, middle, low, high = some[inside], middle[inside], low[inside], high[inside]
    if not len(some):
        return None
    column = np.floor((middle - frame.left) * frame.across).astype(np.int64)
    first = np.append(True, (np.diff(some) != 1) | (np.diff(column) != 0))
    starts = np.flatnonzero(first)
    counts = np.diff(np.append(starts, len(some)))
    x = np.add.reduceat(middle / np.repeat(counts, counts), starts)
    return Bars(x, np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts))
