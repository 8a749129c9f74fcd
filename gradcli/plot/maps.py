"""From a request to a picture of surfaces: a map of colours or level lines, and gradients as arrows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcli.errors import GradError
from gradcli.expr import Expr
from gradcli.plot.contours import contours
from gradcli.plot.frame import Frame
from gradcli.plot.labels import labels, symbol
from gradcli.plot.layout import Canvas, Layout, arranged, axis_ticks
from gradcli.plot.legend import above, cut, flowed, spelled
from gradcli.plot.picture import Axis, Caption, Field, Panel, Picture
from gradcli.plot.request import Checked, Range
from gradcli.plot.surface import Raster, Surface, arrows, levels, value_limits
from gradcli.plot.ticks import ticks

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array

_ARROWS = 15
"""Arrows across a picture, by default."""
_CELL, _CHARACTER = 3, 2
"""Pixels of a cell of the map, and dots of a cell of a text: half as high as a character."""
_SIDE = 4
"""Pixels of a cell in which level lines are looked for."""
_EDGES = 41
"""Points across a surface, its edges included, that have a say in its limits."""
_LEVELS = 9
_CONTOUR_LEVELS = 14
"""Level lines on a map, and of a picture of lines alone, about."""


class _Surfaced(NamedTuple):
    """A surface with the limits of its values, over a raster."""

    label: str
    surface: Surface
    raster: Raster
    low: float
    high: float


def maps(checked: Checked, canvas: Canvas) -> Picture:
    """The picture of a job with two ranges, a panel for each output or derivative."""
    job = checked.job
    canvas = canvas.grown(len(checked.named))
    across, up = checked.ranges
    names = [n for n, _ in checked.named]
    ordinary = len(checked.request.variables) == 1
    known = labels(names, checked.wrt, ordinary)
    outputs = dict(checked.outputs)
    legend = flowed(
        [
            Caption("surface", None, n, label, cut(outputs[n]))
            for n, label in zip(names, known, strict=True)
            if n in outputs
        ],
        canvas,
    )
    xlabel = symbol(across.name) if job.xlabel is None else job.xlabel
    ylabel = symbol(up.name) if job.ylabel is None else job.ylabel
    titles = xlabel, ylabel
    lines = above(job, legend, canvas, xlabel)
    count = len(checked.named)
    rough = _layout(canvas, count, [], [], lines, titles)
    drawn = [
        _surfaced(e, label, checked, rough, _CHARACTER if canvas.form == "text" else _CELL)
        for (_, e), label in zip(checked.named, known, strict=True)
    ]
    up_ticks = axis_ticks(up.low, up.high, rough.height, canvas.up, False)
    scales = [t.label for d in drawn for t in ticks(d.low, d.high, max(rough.height // 40, 2))]
    layout = _layout(canvas, count, [t.label for t in up_ticks], scales, lines, titles)
    across_ticks = axis_ticks(across.low, across.high, layout.width, canvas.across, False)
    panels = []
    for each, name, top in zip(drawn, names, layout.tops, strict=True):
        own = (name, each.label) if len(drawn) > 1 else ("", "")
        frame = Frame(across.low, across.high, up.low, up.high, layout.width, layout.height)
        axes = Axis(xlabel, across_ticks), Axis(ylabel, up_ticks)
        panels.append(Panel(frame, layout.left, top, *axes, [], [], _field(each, checked, frame, canvas), *own))
    notes = [checked.request.note] if checked.request.note else []
    words = ", ".join([spelled(c, True) for line in legend for c in line])
    spans = " and ".join([f"{r.name} from {r.low:.6g} to {r.high:.6g}" for r in (across, up)])
    values = f"values from {drawn[0].low:.4g} to {drawn[0].high:.4g}"
    return Picture(job.title, f"{words} over {spans}; {values}", legend, panels, canvas.width, canvas.height, notes,
                   checked.request.read_as)  # fmt: skip


def _layout(
    canvas: Canvas, count: int, numbers: list[str], scales: list[str], lines: int, titles: tuple[str, str]
) -> Layout:  # fmt: skip
    # A text has the scale of colours in a line of its own below each panel.
    room = lines + (count if canvas.form == "text" else 0)
    layout = arranged(canvas, count, numbers, [], room, titles)
    if canvas.form == "text":
        tops = [top + k * canvas.line for k, top in enumerate(layout.tops)]
        return layout._replace(tops=tops)
    wide = max([len(text) for text in scales], default=6)
    return layout._replace(width=max(layout.width - round(wide * canvas.char) - 24, 16))


def _points(r: Range, size: int) -> Array:
    """The abscissas at the middles of cells, or as many as the range asks for, from end to end."""
    if r.points is not None:
        spaced = np.geomspace if r.log else np.linspace
        return np.asarray(spaced(r.low, r.high, r.points), np.float64)
    return r.low + (np.arange(size, dtype=np.float64) + 0.5) * ((r.high - r.low) / size)


def _surfaced(e: Expr, label: str, checked: Checked, layout: Layout, cell: int) -> _Surfaced:
    across, up = checked.ranges
    surface = Surface(e, [across.name, up.name])
    raster = surface.raster(_points(across, max(layout.width // cell, 8)), _points(up, max(layout.height // cell, 8)))
    # The middles of cells miss the edges, where extremes often are.
    edges = surface.raster(np.linspace(across.low, across.high, _EDGES), np.linspace(up.low, up.high, _EDGES))
    ends = checked.ylim or value_limits(np.concatenate([raster.values.ravel(), edges.values.ravel()]))
    if ends is None:
        what = cut(e)
        raise GradError(f"{what} has no value in {across.name}={across.text}, {up.name}={up.text}")
    return _Surfaced(label, surface, raster, *ends)


def _field(each: _Surfaced, checked: Checked, frame: Frame, canvas: Canvas) -> Field:
    job = checked.job
    heat = job.kind == "heat"
    if canvas.form == "text":
        return Field(each.raster, each.low, each.high, True, [], [])
    # Level lines go from edge to edge, and the middles of cells do not.
    x = np.linspace(frame.left, frame.right, max(frame.width // _SIDE, 8))
    y = np.linspace(frame.bottom, frame.top, max(frame.height // _SIDE, 8))
    found = contours(
        each.surface, each.surface.raster(x, y), levels(each.low, each.high, _LEVELS if heat else _CONTOUR_LEVELS)
    )
    count = _ARROWS if job.arrows is None else job.arrows
    return Field(each.raster, each.low, each.high, heat, found, arrows(each.surface, frame, count) if count else [])
