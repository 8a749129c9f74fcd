"""PNG and PDF: a picture drawn by matplotlib, which the extra ``plot`` installs. The one door to matplotlib."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from gradcli.caret import printable
from gradcli.errors import optional
from gradcli.plot import palette
from gradcli.plot.labels import written
from gradcli.plot.legend import spelled
from gradcli.plot.picture import Field, Panel, Picture, Series
from gradcli.plot.svg_field import parts
from gradcli.plot.ticks import ticks

_DPI = 100
_POINT = 72 / _DPI
"""Points of a pixel."""
_INK, _GRID, _AXIS = "#1f2328", "#e7eaee", "#8c959f"
_LINES = {"tangent": (0, (6, 4)), "taylor": (0, (2, 3))}
_MAP = 256


def rastered(picture: Picture, form: Literal["png", "pdf"]) -> bytes:
    """The file of a picture laid out in pixels. Raises GradError if matplotlib is not installed."""
    # What matplotlib and its own libraries deprecate among them is nothing to tell the user of a picture.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figures = optional("matplotlib.figure", "plot", "png and pdf need the package matplotlib")
        return _drawn(figures.Figure, picture, form)


def _drawn(make: Callable[..., Any], picture: Picture, form: Literal["png", "pdf"]) -> bytes:
    figure = make(figsize=(picture.width / _DPI, picture.height / _DPI), dpi=_DPI, facecolor="white")
    for number, panel in enumerate(picture.panels):
        _panel(figure, picture, panel, number == len(picture.panels) - 1)
    _head(figure, picture)
    data = io.BytesIO()
    # Without a date and a version the same picture is the same bytes.
    metadata = {"Software": None} if form == "png" else {"CreationDate": None, "Producer": None, "Creator": None}
    figure.savefig(data, format=form, metadata=metadata)
    return data.getvalue()


def _plain(text: str) -> str:
    """A text in which matplotlib finds no formula."""
    return printable(text).replace("$", r"\$")


def _color(number: int) -> str:
    return palette.curve(number)


def _head(figure: Any, picture: Picture) -> None:
    x, y = picture.panels[0].left / picture.width, 1 - 20 / picture.height
    if picture.title:
        figure.text(x, y, _plain(picture.title), fontsize=15 * _POINT, fontweight="bold", color=_INK, va="baseline")
        y -= 20 / picture.height
    for line in picture.legend:
        at = x
        for caption in line:
            color = _INK if caption.color is None else _color(caption.color)
            words = _plain(spelled(caption, False))
            figure.text(at, y, words, fontsize=12 * _POINT, color=color, va="baseline")
            at += (len(words) * 6.4 + 18) / picture.width
        y -= 18 / picture.height


def _panel(figure: Any, picture: Picture, panel: Panel, last: bool) -> None:
    frame, width, height = panel.frame, picture.width, picture.height
    box = (panel.left / width, 1 - (panel.top + frame.height) / height, frame.width / width, frame.height / height)
    axes = figure.add_axes(box)
    axes.set_xlim(frame.left, frame.right)
    axes.set_ylim(frame.bottom, frame.top)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_AXIS)
    axes.set_axisbelow(True)
    if panel.field is None:
        axes.grid(True, color=_GRID, linewidth=1 * _POINT)
    across = panel.x.ticks
    axes.set_xticks([t.place for t in across], [written(t.label) for t in across] if last else [""] * len(across))
    axes.set_yticks([t.place for t in panel.y.ticks], [written(t.label) for t in panel.y.ticks])
    axes.tick_params(labelsize=11 * _POINT, length=0, colors=_INK)
    if last:
        axes.set_xlabel(_plain(panel.x.label), fontsize=13 * _POINT, fontstyle="italic", color=_INK)
    if panel.y.label:
        axes.set_ylabel(_plain(panel.y.label), fontsize=12 * _POINT, color=_INK)
    if panel.label:
        axes.set_title(_plain(panel.label), loc="right", fontsize=13 * _POINT, fontstyle="italic", color=_INK, pad=3)
    if panel.field is not None:
        _field(figure, axes, picture, panel, panel.field)
    for x, number in panel.asymptotes:
        axes.plot(
            [x, x],
            [frame.bottom, frame.top],
            color=_color(number),
            linewidth=1 * _POINT,
            linestyle=(0, (4, 4)),
            alpha=0.7,
        )
    for series in panel.series:
        _series(axes, panel, series)


def _series(axes: Any, panel: Panel, series: Series) -> None:
    color = _color(series.color)
    frame = panel.frame
    if series.bars is not None:
        axes.vlines(series.bars.x, series.bars.low, series.bars.high, color=color, linewidth=1.5 * _POINT)
    width = 2 if series.kind == "curve" else 1.5
    for stroke in series.strokes:
        axes.plot(stroke.x, stroke.y, color=color, linewidth=width * _POINT, linestyle=_LINES.get(series.kind, "-"),
                  solid_joinstyle="round")  # fmt: skip
    if series.measured is not None and len(series.measured.x):
        points = series.measured
        size = 5 if len(points.x) <= 400 else 2
        for u, key in ((points.uy, "yerr"), (points.ux, "xerr")):
            some = np.isfinite(u) & (u > 0)
            if some.any():
                axes.errorbar(points.x[some], points.y[some], fmt="none", ecolor=color, elinewidth=1 * _POINT,
                              capsize=3 * _POINT if len(points.x) <= 400 else 0, **{key: u[some]})  # fmt: skip
        axes.plot(points.x, points.y, "o", color=color, markersize=size * _POINT, markeredgewidth=0)
    for dot in series.dots:
        axes.plot([dot.x], [dot.y], "o", markersize=7 * _POINT, color=color, clip_on=False, zorder=5,
                  markerfacecolor="white" if dot.open else color, markeredgewidth=1.7 * _POINT)  # fmt: skip
    ends = [(float(s.x[-1]), float(s.y[-1])) for s in series.strokes]
    if series.label and ends:
        x, y = max(ends)
        y = min(max(y, frame.bottom), frame.top)
        axes.annotate(_plain(series.label), (x, y), xytext=(6 * _POINT, -3), textcoords="offset points", color=color,
                      fontsize=14 * _POINT, fontstyle="italic", annotation_clip=False)  # fmt: skip


def _field(figure: Any, axes: Any, picture: Picture, panel: Panel, shown: Field) -> None:
    colors = np.array([palette.surface(k / (_MAP - 1)) for k in range(_MAP)], np.uint8)
    frame = panel.frame
    if shown.heat:
        part = parts(shown)
        none = np.isnan(part)
        cells = np.dstack([colors[np.rint(np.where(none, 0, part) * (_MAP - 1)).astype(int)], np.where(none, 0, 255)])
        axes.imshow(cells.astype(np.uint8), extent=(frame.left, frame.right, frame.bottom, frame.top), origin="lower",
                    aspect="auto", interpolation="bilinear")  # fmt: skip
    span = shown.high - shown.low
    for contour in shown.contours:
        part_of = (contour.level - shown.low) / span if span > 0 else 0.5
        color = ("white" if part_of < 0.5 else "black") if shown.heat else palette.css(palette.surface(part_of))
        for xs, ys in contour.lines:
            axes.plot(
                xs, ys, color=color, linewidth=(1 if shown.heat else 1.8) * _POINT, alpha=0.55 if shown.heat else 1
            )
    color = "white" if shown.heat else _INK
    for a in shown.arrows:
        looks = {"arrowstyle": "->", "color": color, "linewidth": 0.8 * _POINT, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (a.tip_x, a.tip_y), (a.x, a.y), arrowprops={**looks, "mutation_scale": 6})
    width, height = picture.width, picture.height
    left = (panel.left + frame.width + 14) / width
    scale = figure.add_axes((left, 1 - (panel.top + frame.height) / height, 12 / width, frame.height / height))
    scale.imshow(colors[:, None], extent=(0, 1, shown.low, shown.high), origin="lower", aspect="auto")
    scale.set_xticks([])
    marks = ticks(shown.low, shown.high, max(frame.height // 40, 2))
    scale.yaxis.tick_right()
    scale.set_yticks([t.place for t in marks], [written(t.label) for t in marks])
    scale.tick_params(labelsize=11 * _POINT, length=2, colors=_INK)
