"""The dots of a picture on a raster: which of them lines, bars and points cover.

A dot covers the square around its centre; a line takes one dot a step along its longer direction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gradcli.plot.picture import Bars, Measured, Series, Stroke

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.frame import Frame

Raster = NDArray[np.bool_]
"""A dot by its row, from the bottom, and its column."""


def covered(series: Series, frame: Frame) -> Raster:
    """The dots of a series: n rows of m dots, m and n the width and the height of the frame."""
    raster = np.zeros((frame.height, frame.width), np.bool_)
    for stroke in series.strokes:
        _line(raster, stroke, frame)
    if series.bars is not None:
        _bars(raster, series.bars, frame)
    if series.measured is not None:
        _points(raster, series.measured, frame)
    return raster


def column(x: Array, frame: Frame) -> Array:
    """Abscissas in dots: the centre of dot k is k + 1/2."""
    return (x - frame.left) / (frame.right - frame.left) * frame.width


def row(y: Array, frame: Frame) -> Array:
    """Ordinates in dots from the bottom."""
    return (y / 2 - frame.bottom / 2) / (frame.top / 2 - frame.bottom / 2) * frame.height


def _set(raster: Raster, x: Array, y: Array) -> None:
    """Set the dots at places in dots; the upper and the right edge belong to the last ones."""
    height, width = raster.shape
    inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    i, j = np.floor(x[inside]).astype(np.intp), np.floor(y[inside]).astype(np.intp)
    raster[np.minimum(j, height - 1), np.minimum(i, width - 1)] = True


def _line(raster: Raster, stroke: Stroke, frame: Frame) -> None:
    x, y = column(stroke.x, frame), row(stroke.y, frame)
    steps = np.ceil(np.maximum(np.abs(np.diff(x)), np.abs(np.diff(y)))).astype(np.intp) + 1
    segment = np.repeat(np.arange(len(steps)), steps)
    first = np.cumsum(steps) - steps
    part = (np.arange(len(segment)) - first[segment]) / steps[segment]
    _set(raster, x[segment] + part * np.diff(x)[segment], y[segment] + part * np.diff(y)[segment])
    _set(raster, x[-1:], y[-1:])


def _bars(raster: Raster, bars: Bars, frame: Frame) -> None:
    columns = np.clip(np.floor(column(bars.x, frame)).astype(np.intp), 0, frame.width - 1)
    low = np.clip(np.floor(row(bars.low, frame)).astype(np.intp), 0, frame.height - 1)
    high = np.clip(np.floor(row(bars.high, frame)).astype(np.intp), 0, frame.height - 1)
    for i, a, b in zip(columns.tolist(), low.tolist(), high.tolist(), strict=True):
        raster[a : b + 1, i] = True


def _points(raster: Raster, points: Measured, frame: Frame) -> None:
    x, y = column(points.x, frame), row(points.y, frame)
    some = np.isfinite(points.uy) & (points.uy > 0)
    if some.any():
        with np.errstate(all="ignore"):
            low = np.clip(points.y[some] - points.uy[some], frame.bottom, frame.top)
            high = np.clip(points.y[some] + points.uy[some], frame.bottom, frame.top)
        _bars(raster, Bars(points.x[some], low, high), frame)
    _set(raster, x, y)
