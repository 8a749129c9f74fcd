"""The panels of an SVG: axes with ticks and a grid, curves, bars, dots, data, and labels at the ends of curves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from gradcli.plot import palette
from gradcli.plot.labels import written
from gradcli.plot.picture import Bars, Dot, Measured, Panel, Series, Stroke
from gradcli.plot.svg_field import field

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.frame import Frame

_CAPS = 400
"""Points of data whose bars have caps, at most."""
_LINE = 15
"""Pixels between labels, at least."""
_NEAR = 12
"""Pixels from the right edge within which a curve ends at it."""

Text = Callable[[str], str]


class Scale:
    """Pixels of a panel from units of its axes."""

    def __init__(self, frame: Frame, left: int, top: int) -> None:
        self.frame, self.left, self.top = frame, left, top

    def x(self, value: Array) -> Array:
        frame = self.frame
        return self.left + (value - frame.left) / (frame.right - frame.left) * frame.width

    def y(self, value: Array) -> Array:
        frame = self.frame
        # Halves, since the difference of two doubles may overflow.
        part = (value / 2 - frame.bottom / 2) / (frame.top / 2 - frame.bottom / 2)
        return self.top + frame.height - part * frame.height

    def at(self, x: float, y: float) -> tuple[float, float]:
        return float(self.x(np.float64(x))), float(self.y(np.float64(y)))  # type: ignore[arg-type]


def number(value: float) -> str:
    """A coordinate to a hundredth of a pixel.

    >>> number(12.0), number(0.256)
    ('12', '0.26')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def drawn(panel: Panel, mark: str, last: bool, text: Text) -> list[str]:
    """The elements of a panel; the ``last`` one has the numbers of the horizontal axis.

    ``mark``: the identifier of its clip.
    """
    frame, left, top = panel.frame, panel.left, panel.top
    scale = Scale(frame, left, top)
    box = f'x="{left}" y="{top}" width="{frame.width}" height="{frame.height}"'
    lines = [f'<clipPath id="{mark}"><rect {box}/></clipPath>', *_axes(panel, scale, last, text)]
    lines.append(f'<g clip-path="url(#{mark})"><g class="view">')
    if panel.field is not None:
        lines += field(panel, scale)
    for x, color in panel.asymptotes:
        place = number(scale.at(x, frame.top)[0])
        lines.append(f'<path class="pole {_color(color)}" d="M{place},{top}v{frame.height}"/>')
    for series in panel.series:
        lines += _series(series, scale)
    lines.append("</g></g>")
    for series in panel.series:
        lines += [_dot(dot, series.color, scale) for dot in series.dots]
    return [*lines, *_labels(panel, scale, text)]


def _color(number: int) -> str:
    return f"c{number % len(palette.LIGHT)}"


def _axes(panel: Panel, scale: Scale, last: bool, text: Text) -> list[str]:
    frame, left, top = panel.frame, panel.left, panel.top
    right, bottom = left + frame.width, top + frame.height
    across = [(float(scale.x(np.float64(t.place))), t.label) for t in panel.x.ticks]  # type: ignore[arg-type]
    up = [(float(scale.y(np.float64(t.place))), t.label) for t in panel.y.ticks]  # type: ignore[arg-type]
    grid = "".join(
        [f"M{number(x)},{top}V{bottom}" for x, _ in across] + [f"M{left},{number(y)}H{right}" for y, _ in up]
    )
    lines = [
        f'<g class="axes"><path class="grid" d="{grid}"/>',
        f'<path class="axis" fill="none" d="M{left},{top}V{bottom}H{right}"/>',
    ]
    zero = [f"M{left},{number(y)}H{right}" for y, label in up if label == "0" and y < bottom - 1]
    zero += [f"M{number(x)},{top}V{bottom}" for x, label in across if label == "0" and x > left + 1]
    if zero and panel.field is None:
        lines.append(f'<path class="axis" opacity=".6" d="{"".join(zero)}"/>')
    lines += [
        f'<text class="num" x="{left - 6}" y="{number(y + 4)}" text-anchor="end">{written(label)}</text>'
        for y, label in up
    ]  # fmt: skip
    if last:
        lines += [
            f'<text class="num" x="{number(x)}" y="{bottom + 16}" text-anchor="middle">{written(label)}</text>'
            for x, label in across
        ]
    lines.append("</g>")
    if panel.label:
        lines.append(f'<text class="math" x="{right}" y="{top - 5}" text-anchor="end">{text(panel.label)}</text>')
    if last and panel.x.label:
        lines.append(
            f'<text class="math" x="{number((left + right) / 2)}" y="{bottom + 34}" text-anchor="middle">'
            f"{text(panel.x.label)}</text>"
        )
    if panel.y.label:
        x, y = 14, number((top + bottom) / 2)
        kind = ' class="math"' if panel.field is not None else ""
        turn = f' transform="rotate(-90 {x} {y})"'
        lines.append(f'<text{kind} x="{x}" y="{y}" text-anchor="middle"{turn}>{text(panel.y.label)}</text>')
    return lines


def _series(series: Series, scale: Scale) -> list[str]:
    color = _color(series.color)
    lines = []
    if series.bars is not None:
        lines.append(f'<path class="bars {color}" d="{_bars(series.bars, scale)}"/>')
    if series.strokes:
        dash = palette.dash(series.color) if series.kind == "curve" else ""
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        path = "".join([_stroke(stroke, scale) for stroke in series.strokes])
        lines.append(f'<path class="{series.kind} {color}"{dashes} d="{path}"/>')
    if series.measured is not None and len(series.measured.x):
        lines += _measured(series.measured, color, scale)
    return lines


def _stroke(stroke: Stroke, scale: Scale) -> str:
    points = [
        f"{number(x)},{number(y)}" for x, y in zip(scale.x(stroke.x).tolist(), scale.y(stroke.y).tolist(), strict=True)
    ]
    return f"M{points[0]}L{' '.join(points[1:])}"


def _bars(bars: Bars, scale: Scale) -> str:
    columns = zip(scale.x(bars.x).tolist(), scale.y(bars.low).tolist(), scale.y(bars.high).tolist(), strict=True)
    return "".join([f"M{number(x)},{number(low)}V{number(high)}" for x, low, high in columns])


def _measured(points: Measured, color: str, scale: Scale) -> list[str]:
    lines = []
    x, y = scale.x(points.x).tolist(), scale.y(points.y).tolist()
    with np.errstate(all="ignore"):
        half_x = (points.ux * scale.frame.across).tolist()
        half_y = (points.uy * scale.frame.up).tolist()
    cap = 3 if len(x) <= _CAPS else 0
    path = []
    for px, py, dx, dy in zip(x, y, half_x, half_y, strict=True):
        if 0 < dy < 1e5:
            caps = f"M{number(px - cap)},{number(py - dy)}h{2 * cap}m0,{number(2 * dy)}h{-2 * cap}" if cap else ""
            path.append(f"M{number(px)},{number(py - dy)}v{number(2 * dy)}{caps}")
        if 0 < dx < 1e5:
            caps = f"M{number(px - dx)},{number(py - cap)}v{2 * cap}m{number(2 * dx)},0v{-2 * cap}" if cap else ""
            path.append(f"M{number(px - dx)},{number(py)}h{number(2 * dx)}{caps}")
    if path:
        lines.append(f'<path class="err {color}" d="{"".join(path)}"/>')
    width = ' style="stroke-width:3"' if len(x) > _CAPS else ""
    dots = "".join([f"M{number(px)},{number(py)}h0" for px, py in zip(x, y, strict=True)])
    lines.append(f'<path class="dots {color}"{width} d="{dots}"/>')
    return lines


def _dot(dot: Dot, color: int, scale: Scale) -> str:
    x, y = scale.at(dot.x, dot.y)
    number_ = color % len(palette.LIGHT)
    kind = f"mark open {_color(color)}" if dot.open else f"mark f{number_} {_color(color)}"
    return f'<circle class="{kind}" cx="{number(x)}" cy="{number(y)}" r="3.5"/>'


def _labels(panel: Panel, scale: Scale, text: Text) -> list[str]:
    """The names of curves at their right ends, those at the edge of the panel apart from each other."""
    frame = panel.frame
    right, top, bottom = panel.left + frame.width, panel.top, panel.top + frame.height
    at_edge, inside = [], []
    for series in panel.series:
        end = _end(series, scale) if series.label else None
        if end is None:
            continue
        x, y = end
        element = (
            f'class="math f{series.color % len(palette.LIGHT)}" style="fill:var(--{_color(series.color)})"',
            text(series.label),
        )
        if x > right - _NEAR:
            at_edge.append((min(max(y, top + 8), bottom - 2), element))
        else:
            inside.append((min(x + 6, right - 6), min(max(y - 6, top + 12), bottom - 4), element))
    lines = [f'<text {a} x="{number(x)}" y="{number(y)}">{words}</text>' for x, y, (a, words) in inside]
    at_edge.sort()
    for y, (_, (a, words)) in zip(apart([y for y, _ in at_edge], _LINE, bottom), at_edge, strict=True):
        lines.append(f'<text {a} x="{right + 6}" y="{number(y + 4)}">{words}</text>')
    return lines


def _end(series: Series, scale: Scale) -> tuple[float, float] | None:
    ends = [(float(s.x[-1]), float(s.y[-1])) for s in series.strokes]
    if series.bars is not None:
        ends.append((float(series.bars.x[-1]), float(series.bars.high[-1])))
    if series.kind == "dots" and series.measured is not None and len(series.measured.x):
        last = int(np.argmax(series.measured.x))
        ends.append((float(series.measured.x[last]), float(series.measured.y[last])))
    return scale.at(*max(ends)) if ends else None


def apart(places: list[float], least: float, bottom: float) -> list[float]:
    """Ascending places moved so that they are ``least`` apart, none of them below ``bottom``.

    >>> apart([10, 12, 40], 15, 50)
    [10, 25, 40]
    """
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + least) if moved else place)
    limit = bottom
    for k in range(len(moved) - 1, -1, -1):
        moved[k] = min(moved[k], limit)
        limit = moved[k] - least
    return moved
