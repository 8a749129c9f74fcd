"""What is drawn of a curve: its lines, bars and marks, its data, tangents and Taylor polynomials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcli.expr import spell_name
from gradcli.plot.curve import Curve
from gradcli.plot.frame import Frame
from gradcli.plot.layout import Canvas
from gradcli.plot.marks import Mark, marks, note
from gradcli.plot.picture import Dot, Kind, Measured, Series, Table
from gradcli.plot.request import Checked
from gradcli.plot.sample import sampled
from gradcli.plot.strokes import bars, broken, strokes

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.measured import Columns
    from gradcli.plot.segments import Sampled

_CROWDED = 10
"""Pixels between marks of a curve, below which they are left out."""
_WILD = 400
"""Bars of a curve that is not looked at more finely, to be zoomed: it would take seconds and show no more."""
_READ = 4000
"""Points from which a cross-hair reads, at most."""

Limits = tuple[float, float]


class Drawn(NamedTuple):
    """A curve to draw: its place among all of them, and the limits of its values."""

    place: int
    name: str
    label: str
    text: str
    curve: Curve
    limits: Limits | None
    columns: Columns | None


class Tracer:
    """Draws curves of a request on a canvas. ``points``: the abscissas to look at, None if wherever needed.

    ``notes`` and ``said`` receive what a person should know, and the hard points in words.
    """

    def __init__(self, checked: Checked, canvas: Canvas, points: Array | None, notes: list[str]) -> None:
        self.checked, self.job, self.canvas, self.points = checked, checked.job, canvas, points
        self.range = checked.ranges[0]
        self.notes, self.said = notes, list[str]()

    def series(self, drawn: Drawn, frame: Frame) -> tuple[list[Series], list[float]]:
        """What is drawn of a curve: itself, its data and overlays; and the abscissas of its asymptotes."""
        series: list[Series] = []
        poles: list[float] = []
        base = Series("curve", drawn.name, drawn.label, drawn.text, drawn.place, [])
        if drawn.columns is not None:
            points = drawn.columns.thinned(frame)
            if points.total > len(points.x):
                self.notes.append(
                    f"{points.total:,} points of data, {len(points.x):,} drawn: one where several fall on a spot"
                )
            series.append(base._replace(kind="data", measured=points))
        if self.points is not None:
            series.append(self._pointwise(base, drawn.curve, frame))
        else:
            curve, poles = self._proved(base, drawn, frame)
            series.append(curve)
        if self.checked.overlays and drawn.name in dict(self.checked.outputs):
            from gradcli.plot.overlays import overlay

            for each in self.checked.overlays:
                e = overlay(drawn.curve, each, spell_name(self.range.name))
                other = Curve(e, self.range.name, self.job.log)
                fine = self._fine(frame)
                dots = _touched(each.place, drawn.curve, self.job.log, frame)
                kind: Kind = "tangent" if each.tangent else "taylor"
                lines = strokes(sampled(other, fine), fine)
                series.append(base._replace(kind=kind, text="", label="", strokes=lines, dots=dots))
        return series, poles

    def _pointwise(self, base: Series, curve: Curve, frame: Frame) -> Series:
        """A curve at the points that were asked for, joined or as dots."""
        assert self.points is not None
        x, y = self.points, curve.values(self.points)
        if self.job.style == "dots":
            with np.errstate(all="ignore"):
                inside = (y >= frame.bottom) & (y <= frame.top)
            none = np.full(int(inside.sum()), np.nan)
            return base._replace(kind="dots", measured=Measured(x[inside], y[inside], none, none, len(none)))
        return base._replace(strokes=broken(x, y, np.isfinite(y[:-1]) & np.isfinite(y[1:]), frame))

    def _proved(self, base: Series, drawn: Drawn, frame: Frame) -> tuple[Series, list[float]]:
        fine, curve = frame, drawn.curve
        found = sampled(curve, frame)
        if self.canvas.fine > 1 and np.count_nonzero(found.bar) <= _WILD:
            fine = self._fine(frame)
            found = sampled(curve, fine)
        if curve.sampled is not None:
            self.notes.append(
                f"{drawn.name}: no ranges are known of {curve.sampled}; 4 points a pixel, nothing is proved"
            )
        elif not found.complete:
            self.notes.append(f"{drawn.name}: more details than could be looked at")
        hard = marks(curve, fine, found)
        # Logarithms tend to -inf where the curve itself is 0.
        told = [m for m in hard if "y" not in self.job.log or m.kind != "asymptote" or math.inf in (m.left, m.right)]
        said = note(told, spell_name(self.range.name), "x" in self.job.log)
        if said:
            self.said.append(said)
            self.notes.append(f"{drawn.name}: {said}" if len(self.checked.named) > 1 else said)
        shown, poles = _marked(hard, frame, drawn.name in dict(self.checked.outputs))
        table = self._table(curve, found) if self.canvas.fine > 1 else None
        return base._replace(strokes=strokes(found, fine), bars=bars(found, fine), dots=shown, table=table), poles

    def _fine(self, frame: Frame) -> Frame:
        """The frame for which curves are sampled: finer and higher than the picture, if that can be zoomed."""
        times = self.canvas.fine
        if times == 1:
            return frame
        low, high = frame.bottom, frame.top
        room = high / 2 - low / 2
        taller = Frame(frame.left, frame.right, low - room, high + room, frame.width * times, frame.height * times * 2)
        return taller if np.isfinite(taller.top - taller.bottom) else frame

    def _table(self, curve: Curve, found: Sampled) -> Table:
        """What a cross-hair reads: slopes are those of the expression, not of logarithms; nothing within gaps."""
        gaps = np.flatnonzero(found.gap)
        x = np.insert(found.x, gaps + 1, found.x[gaps] + np.diff(found.x)[gaps] / 2)
        y = np.insert(found.y, gaps + 1, np.nan)
        step = len(x) // _READ + 1
        x, y = x[::step], y[::step]
        plain = curve if not self.job.log else Curve(curve.expression, curve.variable)
        with np.errstate(all="ignore"):
            slope = plain.at(10.0**x if "x" in self.job.log else x)[1]
        return Table(x, y, slope)


def _touched(place: float, curve: Curve, log: str, frame: Frame) -> tuple[Dot, ...]:
    """The point at which an overlay meets its curve, if the picture shows it."""
    (value,) = Curve(curve.expression, curve.variable).values(np.array([place])).tolist()
    with np.errstate(all="ignore"):
        x = float(np.log10(place)) if "x" in log else place
        y = float(np.log10(value)) if "y" in log else value
    inside = frame.left <= x <= frame.right and frame.bottom <= y <= frame.top
    return (Dot(x, y, False),) if inside else ()


def _marked(hard: Sequence[Mark], frame: Frame, valued: bool) -> tuple[tuple[Dot, ...], list[float]]:
    """The dots and asymptotes of marks; none of a kind where they would crowd.

    ``valued``: whether the value at a jump or a hole counts. That of a derivative there is a convention.
    """
    dots: list[Dot] = []
    poles: list[float] = []
    for kind in ("hole", "jump", "kink", "end", "asymptote"):
        own = [m for m in hard if m.kind == kind]
        if len(own) * _CROWDED > frame.width:
            continue
        for mark in own:
            if kind == "asymptote":
                # The edge of the picture is an asymptote already.
                poles += [mark.x] if frame.left < mark.x < frame.right else []
            # A limit from outside the picture is none of it.
            sides = [
                y for y, inside in ((mark.left, mark.x > frame.left), (mark.right, mark.x < frame.right)) if inside
            ]
            for y in dict.fromkeys(sides):
                if np.isfinite(y):
                    dots.append(Dot(mark.x, y, y != mark.value))
            if valued and np.isfinite(mark.value) and mark.value not in sides:
                dots.append(Dot(mark.x, mark.value, False))
    return tuple([d for d in dots if frame.bottom <= d.y <= frame.top]), poles
