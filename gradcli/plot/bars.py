"""Bars: the ranges of values of a curve over intervals so narrow that they stand for what it does there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gradcli.plot.places import pieces

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.curve import Curve
    from gradcli.plot.frame import Frame

_MISS = 0.25
"""Pixels by which a bar may fall short of the curve."""
_FIRST = 4
"""Pieces of an interval in the first round."""
_VISITED = 16
"""Values of an interval that is not smooth."""
_ABOUT, _MOST_PARTS = 1024, 16
"""Pieces in a round, if they are few, and those of one."""
_BOXES = 100_000
"""Pieces that are looked at."""


def filled(curve: Curve, frame: Frame, x: Array, y: Array, places: NDArray[np.intp]) -> tuple[Array, Array]:
    """The ranges of values over the intervals ``x[k]`` to ``x[k + 1]`` for k in ``places``, to a quarter of a pixel.

    They are values of the curve over the interval and the bars beside it; its enclosures over all pieces prove that
    it goes nowhere beyond. Only where those do not come near enough within the work allowed, the ranges are the
    enclosures. What is above or below the frame is not told apart.
    """
    low, high = np.fmin(y[places], y[places + 1]), np.fmax(y[places], y[places + 1])
    miss = _MISS / frame.up
    a, b = pieces(x[places], x[places + 1], _FIRST)
    owner = np.repeat(np.arange(len(places)), _FIRST)
    apart = np.diff(places) > 1
    near_low, near_high = low, high
    boxes, affordable = 0, curve.affordable(_BOXES)
    while len(a):
        boxes += len(a)
        (least, most), _ = curve.range(a, b)
        value = curve.values(a)
        starts = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
        some = owner[starts]
        low[some] = np.fmin(low[some], np.fmin.reduceat(value, starts))
        high[some] = np.fmax(high[some], np.fmax.reduceat(value, starts))
        near_low, near_high = _beside(low, apart, np.fmin), _beside(high, apart, np.fmax)
        beyond = np.maximum(least, frame.bottom) < np.clip(near_low, frame.bottom, frame.top)[owner] - miss
        beyond |= np.minimum(most, frame.top) > np.clip(near_high, frame.bottom, frame.top)[owner] + miss
        narrow = b - a <= 4 * np.spacing(np.maximum(np.abs(a), np.abs(b)))
        open_ = beyond & ~narrow
        if boxes > affordable:
            np.fmin.at(near_low, owner[open_], least[open_])
            np.fmax.at(near_high, owner[open_], most[open_])
            break
        parts = min(max(_ABOUT // max(1, int(np.count_nonzero(open_))), 2), _MOST_PARTS)
        a, b = pieces(a[open_], b[open_], parts)
        owner = np.repeat(owner[open_], parts)
    return near_low, near_high


def visited(curve: Curve, x: Array, places: NDArray[np.intp]) -> tuple[Array, Array]:
    """The least and greatest of some values over the intervals ``x[k]`` to ``x[k + 1]`` for k in ``places``."""
    a, _ = pieces(x[places], x[places + 1], _VISITED)
    values = curve.values(np.append(a.reshape(-1, _VISITED), x[places + 1, None], axis=1).ravel())
    values = np.where(np.isfinite(values), values, np.nan).reshape(-1, _VISITED + 1)
    return np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)


def _beside(values: Array, apart: NDArray[np.bool_], f: np.ufunc) -> Array:
    """The least or greatest of each value and those of the intervals next to its own."""
    wider = values.copy()
    together = ~apart
    wider[1:][together] = f(wider[1:], values[:-1])[together]
    wider[:-1][together] = f(wider[:-1], values[1:])[together]
    return wider
