"""From a request to a picture of curves: what is sampled, in which panel, with which marks and overlays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.plot import measured
from gradcli.plot.curve import Curve
from gradcli.plot.frame import Frame
from gradcli.plot.labels import labels, symbol
from gradcli.plot.layout import Canvas, arranged, axis_ticks
from gradcli.plot.legend import cut, flowed
from gradcli.plot.limits import limits, padded
from gradcli.plot.marks import Mark, marks, note
from gradcli.plot.overlays import overlay, words
from gradcli.plot.picture import Axis, Caption, Dot, Kind, Measured, Panel, Picture, Series, Table
from gradcli.plot.request import Checked, PlotJob, Range
from gradcli.plot.sample import sampled
from gradcli.plot.strokes import bars, broken, strokes

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array

_SCALES = 20
"""How many times wider than another curve's the values of a curve may be, to be drawn in the same panel."""
_PANELS = 8
_DOTTED = 8
"""Pixels, or dots of braille, between the points of a dotted curve."""
_CROWDED = 10
"""Pixels between marks of a curve, below which they are left out."""
_READ = 4000
"""Points from which a cross-hair reads, at most."""

Limits = tuple[float, float]


class _Drawn(NamedTuple):
    """A curve to draw: its place among all of them, and the limits of its values."""

    place: int
    name: str
    label: str
    text: str
    curve: Curve
    limits: Limits | None
    columns: measured.Columns | None


def picture(job: PlotJob, canvas: Canvas) -> Picture:
    """The picture that a job asks for, laid out on a canvas. Raises GradError for an invalid job.

    >>> from gradcli.plot.layout import pixel_canvas
    >>> drawn = picture(PlotJob(expressions=["x**2"], grids=["x=-1:1"]), pixel_canvas(640, 400))
    >>> drawn.description, len(drawn.panels)
    ('f = x**2 over x from -1 to 1; values from 0 to 1', 1)
    """
    checked = Checked(job)
    if len(checked.ranges) == 2:
        from gradcli.plot.maps import maps

        return maps(checked, canvas)
    return _Curves(checked, canvas).picture()


def above(job: PlotJob, legend: Sequence[object], canvas: Canvas) -> int:
    """Lines of the title, of the legend and, in a text, of the titles of axes."""
    titles = [job.title] if canvas.form == "pixels" else [job.title, job.xlabel, job.ylabel]
    return len([title for title in titles if title]) + len(legend)


class _Curves:
    def __init__(self, checked: Checked, canvas: Canvas) -> None:
        self.checked, self.job, self.canvas = checked, checked.job, canvas
        self.range: Range = checked.ranges[0]
        self.notes = [checked.request.note] if checked.request.note else []
        ends = self.range.low, self.range.high
        self.left, self.right = np.log10(ends).tolist() if "x" in self.job.log else ends
        self.points = self._points()
        self.said: list[str] = []

    def picture(self) -> Picture:
        drawn = self._drawn()
        groups = self._groups(drawn)
        job, canvas = self.job, self.canvas
        legend = flowed(self._legend(drawn), canvas)
        lines = above(job, legend, canvas)
        names = [d.label for d in drawn]
        rough = arranged(canvas, len(groups), [], names, lines, bool(job.ylabel))
        limits_of = [self._limits(group) for group in groups]
        logs = ["y" in job.log] * len(groups)
        up = [
            axis_ticks(low, high, rough.height, canvas.up, log)
            for (low, high), log in zip(limits_of, logs, strict=True)
        ]  # fmt: skip
        several = names if len(drawn) > 1 or canvas.form == "pixels" else []
        layout = arranged(canvas, len(groups), [t.label for ts in up for t in ts], several, lines, bool(job.ylabel))
        across = axis_ticks(self.left, self.right, layout.width, canvas.across, "x" in job.log)
        xlabel = symbol(self.range.name) if job.xlabel is None else job.xlabel
        panels = []
        for group, (low, high), top, y_ticks in zip(groups, limits_of, layout.tops, up, strict=True):
            frame = Frame(self.left, self.right, low, high, layout.width, layout.height)
            series: list[Series] = []
            poles: list[tuple[float, int]] = []
            for each in group:
                drawn_series, asymptotes = self._series(each, frame)
                series += drawn_series
                poles += [(x, each.place) for x in asymptotes]
            axes = Axis(xlabel, across, "x" in job.log), Axis(job.ylabel or "", y_ticks, "y" in job.log)
            panels.append(Panel(frame, layout.left, top, *axes, series, poles))
        return Picture(job.title, self._description(drawn), legend, panels, canvas.width, canvas.height, self.notes)

    def _points(self) -> Array | None:
        """The abscissas of a range with a count, or of dots, in units of the axis; None if they are by need."""
        count = self.range.count
        if count is None:
            if self.job.style == "line":
                return None
            count = max(2, self.canvas.width // _DOTTED)
        if self.range.log and "x" not in self.job.log:
            return np.clip(np.geomspace(self.left, self.right, count), self.left, self.right)
        return np.linspace(self.left, self.right, count)

    def _drawn(self) -> list[_Drawn]:
        job, checked, name = self.job, self.checked, self.range.name
        columns: dict[str, measured.Columns] = {}
        outputs = dict(checked.outputs)
        if job.data is not None:
            found = measured.read(job.data, name, list(outputs), self.notes)
            columns = {n: measured.logarithmic(c, job.log) for n, c in found.items()}
        ordinary = len(checked.request.variables) <= 1
        known = labels([n for n, _ in checked.named], checked.wrt, ordinary)
        drawn = []
        for place, ((n, e), label) in enumerate(zip(checked.named, known, strict=True)):
            curve = Curve(e, name, job.log)
            own = columns.get(n)
            text = cut(outputs[n]) if n in outputs else ""
            drawn.append(_Drawn(place, n, label, text, curve, self._extent(curve, own), own))
        empty = [d for d in drawn if d.limits is None]
        if len(empty) == len(drawn) or any(d.name in outputs for d in empty):
            what = empty[0].text or empty[0].name
            above = " above 0" if "y" in job.log else ""
            raise GradError(f"{what} has no value{above} in {self.range.text}")
        self.notes += [f"{d.name} has no value in {self.range.text}" for d in empty]
        return [d for d in drawn if d.limits is not None]

    def _extent(self, curve: Curve, columns: measured.Columns | None) -> Limits | None:
        if self.points is None:
            own = limits(curve, self.left, self.right)
        else:
            y = curve.values(self.points)
            y = y[np.isfinite(y)]
            own = (float(y.min()), float(y.max())) if len(y) else None
        data = None if columns is None else measured.extent(columns, self.left, self.right)
        both = [ends for ends in (own, data) if ends is not None]
        return (min(low for low, _ in both), max(high for _, high in both)) if both else None

    def _groups(self, drawn: Sequence[_Drawn]) -> list[list[_Drawn]]:
        """The curves of each panel: those whose values are of one scale, all of them with limits or logarithms."""
        if self.checked.ylim is not None or "y" in self.job.log:
            return [list(drawn)]
        groups: list[list[_Drawn]] = []
        for each in drawn:
            for group in groups:
                spans = [span for d in (*group, each) if (span := _span(d.limits)) > 0]
                low = min(d.limits[0] for d in (*group, each) if d.limits)
                high = max(d.limits[1] for d in (*group, each) if d.limits)
                if not spans or high / _SCALES - low / _SCALES <= min(spans):
                    group.append(each)
                    break
            else:
                groups.append([each])
        if len(groups) > _PANELS:
            groups[_PANELS - 1 :] = [[d for group in groups[_PANELS - 1 :] for d in group]]
        return groups

    def _limits(self, group: Sequence[_Drawn]) -> Limits:
        if self.checked.ylim is not None:
            low, high = self.checked.ylim
            return (float(np.log10(low)), float(np.log10(high))) if "y" in self.job.log else (low, high)
        return padded(min(d.limits[0] for d in group if d.limits), max(d.limits[1] for d in group if d.limits))

    def _legend(self, drawn: Sequence[_Drawn]) -> list[Caption]:
        dotted = self.job.style == "dots"
        captions = [Caption("dots" if dotted else "curve", d.place, d.name, d.label, d.text) for d in drawn]
        outputs = dict(self.checked.outputs)
        one = [d.place for d in drawn if d.name in outputs]
        color = one[0] if len(one) == 1 else None
        for each in self.checked.overlays:
            kind: Kind = "tangent" if each.tangent else "taylor"
            captions.append(Caption(kind, color, "", "", words(each, spell_name(self.range.name))))
        points = [d for d in drawn if d.columns is not None]
        if points:
            captions.append(Caption("data", points[0].place if len(points) == 1 else None, "", "", "data"))
        return captions

    def _series(self, drawn: _Drawn, frame: Frame) -> tuple[list[Series], list[float]]:
        """What is drawn of a curve: itself, its data and overlays; and the abscissas of its asymptotes."""
        series: list[Series] = []
        poles: list[float] = []
        base = Series("curve", drawn.name, drawn.label, drawn.text, drawn.place, [])
        if drawn.columns is not None:
            points = measured.thinned(drawn.columns, frame)
            if points.count > len(points.x):
                self.notes.append(
                    f"{points.count:,} points of data, {len(points.x):,} drawn: one where several fall on a spot"
                )
            series.append(base._replace(kind="data", measured=points))
        if self.points is not None:
            series.append(self._pointwise(base, drawn.curve, frame))
        else:
            curve, poles = self._proved(base, drawn, frame)
            series.append(curve)
        if drawn.name in dict(self.checked.outputs):
            for each in self.checked.overlays:
                e = overlay(drawn.curve, each, spell_name(self.range.name))
                other = Curve(e, self.range.name, self.job.log)
                fine = self._fine(frame)
                dots = _touched(each.place, drawn.curve, self.job.log)
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

    def _proved(self, base: Series, drawn: _Drawn, frame: Frame) -> tuple[Series, list[float]]:
        fine = self._fine(frame)
        curve = drawn.curve
        found = sampled(curve, fine)
        if curve.sampled is not None:
            self.notes.append(
                f"{drawn.name}: no ranges are known of {curve.sampled}; 4 points a pixel, nothing is proved"
            )
        elif not found.complete:
            self.notes.append(f"{drawn.name}: more details than could be looked at")
        hard = marks(curve, fine, found)
        said = note(hard, spell_name(self.range.name), "x" in self.job.log)
        if said:
            self.said.append(said)
            self.notes.append(f"{drawn.name}: {said}" if len(self.checked.named) > 1 else said)
        shown, poles = _marked(hard, frame)
        table = self._table(curve, found.x, found.y) if self.canvas.fine > 1 else None
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

    def _table(self, curve: Curve, x: Array, y: Array) -> Table:
        """What a cross-hair reads: slopes are those of the expression, not of logarithms."""
        step = len(x) // _READ + 1
        x, y = x[::step], y[::step]
        plain = curve if not self.job.log else Curve(curve.expression, curve.variable)
        with np.errstate(all="ignore"):
            slope = plain.at(10.0**x if "x" in self.job.log else x)[1]
        return Table(x, y, slope)

    def _description(self, drawn: Sequence[_Drawn]) -> str:
        curves = ", ".join([f"{d.name} = {d.text}" if d.text else d.name for d in drawn[:4]])
        more = f" and {len(drawn) - 4} more" if len(drawn) > 4 else ""
        low = min(d.limits[0] for d in drawn if d.limits)
        high = max(d.limits[1] for d in drawn if d.limits)
        if "y" in self.job.log:
            low, high = 10.0**low, 10.0**high
        words = f"{curves}{more} over {self.range.name} from {self.range.low:.6g} to {self.range.high:.6g}; values from {low:.4g} to {high:.4g}"
        return "; ".join([words, *self.said])


def _span(ends: Limits | None) -> float:
    if ends is None:
        return 0.0
    span = ends[1] / 2 - ends[0] / 2
    return 2 * span if span > 2.0**-40 * max(abs(ends[0]), abs(ends[1])) else 0.0


def _touched(place: float, curve: Curve, log: str) -> tuple[Dot, ...]:
    """The point at which an overlay meets its curve."""
    (value,) = Curve(curve.expression, curve.variable).values(np.array([place])).tolist()
    with np.errstate(all="ignore"):
        x = float(np.log10(place)) if "x" in log else place
        y = float(np.log10(value)) if "y" in log else value
    return (Dot(x, y, False),) if np.isfinite(x) and np.isfinite(y) else ()


def _marked(hard: Sequence[Mark], frame: Frame) -> tuple[tuple[Dot, ...], list[float]]:
    """The dots and asymptotes of marks; none of a kind where they would crowd."""
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
            for y in dict.fromkeys((mark.left, mark.right)):
                if np.isfinite(y):
                    dots.append(Dot(mark.x, y, y != mark.value))
            if np.isfinite(mark.value) and mark.value not in (mark.left, mark.right):
                dots.append(Dot(mark.x, mark.value, False))
    return tuple([d for d in dots if frame.bottom <= d.y <= frame.top]), poles
