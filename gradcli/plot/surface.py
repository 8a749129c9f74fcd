"""Surfaces: an expression of two variables with its gradient on a raster, its level lines and its arrows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcli.calculus.derive import derivatives, expand
from gradcli.compute import engine
from gradcli.compute.backends import vector
from gradcli.compute.execute import whole
from gradcli.compute.grid import Axis, Grid, Held
from gradcli.compute.program import build
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr
from gradcli.plot.limits import middle_limits

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.frame import Frame

_OUTLYING = 50
"""How many times wider than the middle of the values their whole range may be, to be shown."""
_REACH, _FULL = 0.9, 0.9
"""Length of the longest arrow, in distances between arrows, and the quantile of gradients from which one is so long."""


class Raster(NamedTuple):
    """The values and the gradient of a surface over a raster.

    ``x``, ``y``: the m abscissas and n ordinates, ascending. ``values``, ``dx``, ``dy``: arrays of n rows, one for each
    ordinate, and m columns. nan where there is no value.
    """

    x: Array
    y: Array
    values: Array
    dx: Array
    dy: Array


class Arrow(NamedTuple):
    """A gradient: the point at which it is taken, its components, and the tip of the arrow, in units of the axes."""

    x: float
    y: float
    dx: float
    dy: float
    tip_x: float
    tip_y: float


class Surface:
    """The graph of an expression of the two variables ``names``, the first along the horizontal axis."""

    def __init__(self, e: Expr, names: Sequence[str]) -> None:
        if len(names) != 2 or names[0] == names[1]:
            raise GradError(f"a surface has two variables, not {', '.join(names) or 'none'}")
        self.names = (names[0], names[1])
        (root,) = expand([e])
        partials = derivatives(root, self.names, 1)
        self.roots = [root, partials.get((0,), ZERO), partials.get((1,), ZERO)]
        self._values = vector.function(build([root], [self.names]), self.names)

    def at(self, x: Array, y: Array) -> Array:
        """The values at points, which broadcast."""
        with np.errstate(all="ignore"):
            return np.broadcast_to(self._values(x, y), np.broadcast_shapes(np.shape(x), np.shape(y)))

    def raster(self, x: Array, y: Array) -> Raster:
        """The values and the gradient over the outer product of abscissas and ordinates, by compute's engines.

        >>> from gradcli.expr import var
        >>> x, y = var("x"), var("y")
        >>> raster = Surface(x * x - y, ["x", "y"]).raster(np.array([0.0, 1.0, 2.0]), np.array([5.0, 6.0]))
        >>> raster.values.tolist(), raster.dx[0].tolist()
        ([[-5.0, -4.0, -1.0], [-6.0, -5.0, -2.0]], [0.0, 2.0, 4.0])
        """
        across, up = self.names
        program = build(self.roots, [[up], [across]])
        grid = Grid([Axis([up], [Held(np.asarray(y, np.float64))]), Axis([across], [Held(np.asarray(x, np.float64))])])
        steps = sum(len(stratum.steps) for stratum in program.strata)
        load = steps * grid.size
        name, _ = engine.chosen("auto", max(load, engine.FEW_STEPS + 1), steps)
        work = engine.work(program, grid, name)
        outs = [np.empty(grid.size) for _ in self.roots]
        threads = engine.threads(None, load, name)
        for _ in whole(work, target=engine.block_points(program, name, threads), threads=threads, outs=outs):
            pass
        shape = (len(y), len(x))
        values, dx, dy = (column.reshape(shape) for column in outs)
        for column in (values, dx, dy):
            column[~np.isfinite(column)] = np.nan
        return Raster(x, y, values, dx, dy)


def value_limits(values: Array) -> tuple[float, float] | None:
    """The least and the greatest value to show: all, or the middle where few lie far out; None if none is finite."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    low, high = float(finite.min()), float(finite.max())
    inner = middle_limits(finite)
    return inner if high / _OUTLYING - low / _OUTLYING > inner[1] - inner[0] > 0 else (low, high)


def levels(low: float, high: float, count: int = 8) -> list[float]:
    """About ``count`` round values strictly between two: multiples of 1, 2 or 5 times a power of 10.

    >>> levels(-1, 1, 4)
    [-0.5, 0.0, 0.5]
    """
    span = high - low
    if not 0 < span < np.inf:
        return []
    rough = span / count
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * min((k for k in (1, 2, 5, 10) if k * power >= rough), default=10)
    if not step > 0:
        return []
    first = np.floor(low / step) + 1
    # Twelve digits write a multiple of the step as the decimal that it stands for.
    return [float(f"{k * step:.12g}") for k in np.arange(first, np.ceil(high / step)) if low < k * step < high]


def arrows(surface: Surface, frame: Frame, count: int = 15) -> list[Arrow]:
    """``count`` arrows across and as many up as are as far apart in pixels: gradients in the middles of equal cells.

    Lengths grow with the square root of the gradient, so that the small ones are seen, up to nine tenths of the
    distance between arrows, which one in ten reaches. Directions are those of the vector in units of the axes.
    """
    rows = max(1, round(count * frame.height / frame.width))
    x = frame.left + (np.arange(count, dtype=np.float64) + 0.5) * ((frame.right - frame.left) / count)
    y = frame.bottom + (np.arange(rows, dtype=np.float64) + 0.5) * ((frame.top - frame.bottom) / rows)
    found = surface.raster(x, y)
    with np.errstate(all="ignore"):
        size = np.hypot(found.dx * frame.across, found.dy * frame.up)
        known = np.sort(size[np.isfinite(size) & (size > 0)])
        # Those next to a pole are no measure of the others.
        full = known[int(_FULL * (len(known) - 1))] if len(known) else 1.0
        scale = _REACH * (frame.width / count) * np.minimum(np.sqrt(size / full), 1) / size
    return [
        Arrow(float(x[i]), float(y[j]), float(dx), float(dy), float(x[i] + s * dx), float(y[j] + s * dy))
        for (j, i), s in np.ndenumerate(scale)
        if np.isfinite(s) and np.isfinite(dx := found.dx[j, i]) and np.isfinite(dy := found.dy[j, i]) and s > 0
    ]
