"""Level lines by marching squares (Lorensen and Cline 1987), whose points lie on the level to rounding.

A line crosses the side of a cell where the values at its ends lie on both sides of the level. The crossing is found by
bisection with the surface's own values, to which a jump or a pole shows: there the values do not approach the level,
and no line is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array, Mask
    from gradcli.plot.surface import Raster, Surface

_STEPS, _MORE = 24, 60
"""Bisections of a side of a cell; those more to neighbouring doubles where the values do not approach the level."""
_JUMP = 1e-3
"""The share of the difference of values that may be left after the bisections."""


class Contour(NamedTuple):
    """The lines on which a surface has the value ``level``: each the abscissas and ordinates of its points in order.

    A closed line ends with its first point.
    """

    level: float
    lines: list[tuple[list[float], list[float]]]


def contours(surface: Surface, raster: Raster, levels: Sequence[float]) -> list[Contour]:
    """The contours of a surface at levels, to the cells of a raster of it.

    >>> from gradcli.expr import var
    >>> from gradcli.plot.surface import Surface
    >>> x, y = var("x"), var("y")
    >>> surface = Surface(x * x + y * y, ["x", "y"])
    >>> side = np.linspace(-2, 2, 9)
    >>> (circle,) = contours(surface, surface.raster(side, side), [1.5])
    >>> ((xs, ys),) = circle.lines
    >>> bool(np.allclose(np.hypot(xs, ys) ** 2, 1.5)), xs[0] == xs[-1]
    (True, True)
    """
    return [Contour(level, _lines(surface, raster, level)) for level in levels]


def _lines(surface: Surface, raster: Raster, level: float) -> list[tuple[list[float], list[float]]]:
    x, y, values = raster.x, raster.y, raster.values
    known = np.isfinite(values)
    above = values > level
    # Sides are numbered: first those along rows, from (j, i) to (j, i + 1), then those along columns.
    flat = np.argwhere((above[:, :-1] != above[:, 1:]) & known[:, :-1] & known[:, 1:])
    steep = np.argwhere((above[:-1] != above[1:]) & known[:-1] & known[1:])
    if not len(flat) + len(steep):
        return []
    j, i = np.concatenate([flat, steep]).T
    right, up = np.repeat([1, 0], [len(flat), len(steep)]), np.repeat([0, 1], [len(flat), len(steep)])
    start, stop = (x[i], y[j]), (x[i + right], y[j + up])
    px, py, found = _crossings(surface, level, start, stop, above[j, i], values[j + up, i + right] - values[j, i])
    across, along = len(x) - 1, len(y) * (len(x) - 1)
    numbers = np.where(up == 0, j * across + i, along + j * len(x) + i)
    points = {int(n): (float(a), float(b)) for n, a, b in zip(numbers[found], px[found], py[found], strict=True)}
    return _joined(points, _pairs(points, values, above, level))


def _crossings(
    surface: Surface, level: float, start: tuple[Array, Array], stop: tuple[Array, Array], above: Mask, apart: Array
) -> tuple[Array, Array, Mask]:
    """The points of sides at which the surface has the level; and whether it has it there."""
    low, high = np.zeros(len(above)), np.ones(len(above))
    (x, y), (dx, dy) = start, (stop[0] - start[0], stop[1] - start[1])

    def halve(part: NDArray[np.intp] | slice, times: int) -> None:
        a, b, over = low[part], high[part], above[part]
        for _ in range(times):
            t = (a + b) / 2
            same = (surface.at(x[part] + t * dx[part], y[part] + t * dy[part]) > level) == over
            a, b = np.where(same, t, a), np.where(same, b, t)
        low[part], high[part] = a, b

    def gap() -> Array:
        return np.abs(surface.at(x + high * dx, y + high * dy) - surface.at(x + low * dx, y + low * dy))

    halve(slice(None), _STEPS)
    with np.errstate(all="ignore"):
        doubtful = np.flatnonzero(~(gap() <= _JUMP * np.abs(apart)))
        if len(doubtful):
            halve(doubtful, _MORE)
        found = gap() <= _JUMP * np.abs(apart)
    return x + low * dx, y + low * dy, found


def _pairs(
    points: dict[int, tuple[float, float]], values: Array, above: Mask, level: float
) -> dict[int, list[int]]:  # fmt: skip
    """The crossings that a line joins within a cell: for each crossing its one or two neighbours."""
    rows, columns = values.shape
    across, along = columns - 1, rows * (columns - 1)
    beside: set[tuple[int, int]] = set()
    for n in points:
        j, i = divmod(n, across) if n < along else divmod(n - along, columns)
        beside |= {(j, i), (j - 1, i) if n < along else (j, i - 1)}
    cells = sorted((j, i) for j, i in beside if 0 <= j < rows - 1 and 0 <= i < columns - 1)
    joined: dict[int, list[int]] = {n: [] for n in points}
    for j, i in cells:
        bottom, top = j * across + i, (j + 1) * across + i
        left, right = along + j * columns + i, along + j * columns + i + 1
        sides = [n for n in (bottom, right, top, left) if n in points]
        if len(sides) == 4:
            a, b, c, d = (float(values[p]) for p in ((j, i), (j, i + 1), (j + 1, i + 1), (j + 1, i)))
            # The value where the lines of a bilinear surface cross tells which corners belong together (Nielson and
            # Hamann 1991).
            middle = (a * c - b * d) / (a + c - b - d)
            if (middle > level) == bool(above[j, i]):
                sides = [bottom, right, top, left]
            else:
                sides = [left, bottom, right, top]
        for p, q in zip(sides[::2], sides[1::2], strict=False):
            joined[p].append(q)
            joined[q].append(p)
    return joined


def _joined(
    points: dict[int, tuple[float, float]], joined: dict[int, list[int]]
) -> list[tuple[list[float], list[float]]]:
    """Lines, from the neighbours of every crossing: first those with ends, then those that are closed."""
    left = {n for n in joined if joined[n]}
    lines = []
    for start in [n for n in joined if len(joined[n]) == 1] + [n for n in joined if len(joined[n]) > 1]:
        if start not in left:
            continue
        line, n = [start], start
        left.discard(start)
        while nexts := [m for m in joined[n] if m in left]:
            n = nexts[0]
            left.discard(n)
            line.append(n)
        if len(line) > 2 and start in joined[n] and len(joined[start]) > 1:
            line.append(start)
        lines.append(([points[m][0] for m in line], [points[m][1] for m in line]))
    return lines
