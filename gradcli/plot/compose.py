"""From a request to a picture of curves: what is sampled, in which panel, with which marks and overlays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.plot.curve import Curve
from gradcli.plot.frame import Frame
from gradcli.plot.labels import labels, symbol
from gradcli.plot.layout import Canvas, arranged, axis_ticks
from gradcli.plot.legend import above, cut, flowed
from gradcli.plot.limits import limits, padded
from gradcli.plot.picture import Axis, Caption, Kind, Panel, Picture, Series
from gradcli.plot.request import Checked, PlotJob, Range, words
from gradcli.plot.traced import Drawn, Limits, Tracer

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.measured import Columns

_SCALES = 20
"""How many times wider than another curve's the values of a curve may be, to be drawn in the same panel."""
_PANELS = 8
_DOTTED = 8
"""Pixels, or dots of braille, between the points of a dotted curve."""


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


class _Curves:
    """The picture of a job over one range; ``left`` and ``right`` are its ends in units of the axis."""

    def __init__(self, checked: Checked, canvas: Canvas) -> None:
        self.checked, self.job, self.canvas = checked, checked.job, canvas
        self.range: Range = checked.ranges[0]
        self.notes = [checked.request.note] if checked.request.note else []
        ends = self.range.low, self.range.high
        self.left, self.right = (float(np.log10(end)) if "x" in self.job.log else end for end in ends)
        self.points = self._points()
        self.tracer = Tracer(checked, canvas, self.points, self.notes)

    def picture(self) -> Picture:
        drawn = self._drawn()
        groups = self._groups(drawn)
        job, canvas = self.job, self.canvas.grown(len(groups))
        legend = flowed(self._legend(drawn), canvas)
        xlabel = symbol(self.range.name) if job.xlabel is None else job.xlabel
        titles = xlabel, job.ylabel or ""
        lines = above(job, legend, canvas, xlabel)
        names = [d.label for d in drawn]
        rough = arranged(canvas, len(groups), [], names, lines, titles)
        limits_of = [self._limits(group) for group in groups]
        logs = ["y" in job.log] * len(groups)
        up = [
            axis_ticks(low, high, rough.height, canvas.up, log)
            for (low, high), log in zip(limits_of, logs, strict=True)
        ]  # fmt: skip
        several = names if len(drawn) > 1 or canvas.form == "pixels" else []
        layout = arranged(canvas, len(groups), [t.label for ts in up for t in ts], several, lines, titles)
        across = axis_ticks(self.left, self.right, layout.width, canvas.across, "x" in job.log)
        panels = []
        for group, (low, high), top, y_ticks in zip(groups, limits_of, layout.tops, up, strict=True):
            frame = Frame(self.left, self.right, low, high, layout.width, layout.height)
            series: list[Series] = []
            poles: list[tuple[float, int]] = []
            for each in group:
                drawn_series, asymptotes = self.tracer.series(each, frame)
                series += drawn_series
                poles += [(x, each.place) for x in asymptotes]
            axes = Axis(xlabel, across, "x" in job.log), Axis(job.ylabel or "", y_ticks, "y" in job.log)
            panels.append(Panel(frame, layout.left, top, *axes, series, poles))
        return Picture(job.title, self._description(drawn), legend, panels, canvas.width, canvas.height, self.notes,
                       self.checked.request.read_as)  # fmt: skip

    def _points(self) -> Array | None:
        """The abscissas of a range with a count, or of dots, in units of the axis; None if they are by need."""
        count = self.range.points
        if count is None:
            if self.job.style == "line":
                return None
            count = max(2, self.canvas.width // _DOTTED)
        if self.range.log and "x" not in self.job.log:
            return np.clip(np.geomspace(self.left, self.right, count), self.left, self.right)
        return np.linspace(self.left, self.right, count)

    def _drawn(self) -> list[Drawn]:
        job, checked, name = self.job, self.checked, self.range.name
        columns: dict[str, Columns] = {}
        outputs = dict(checked.outputs)
        if job.data is not None:
            from gradcli.plot.measured import logarithmic, read

            found = read(job.data, name, list(outputs), self.notes)
            columns = {n: logarithmic(c, job.log) for n, c in found.items()}
        ordinary = len(checked.request.variables) <= 1
        known = labels([n for n, _ in checked.named], checked.wrt, ordinary)
        drawn = []
        for place, ((n, e), label) in enumerate(zip(checked.named, known, strict=True)):
            curve = Curve(e, name, job.log)
            own = columns.get(n)
            text = cut(outputs[n]) if n in outputs else ""
            drawn.append(Drawn(place, n, label, text, curve, self._extent(curve, own), own))
        empty = [d for d in drawn if d.limits is None]
        if len(empty) == len(drawn) or any(d.name in outputs for d in empty):
            what = empty[0].text or empty[0].name
            above = " above 0" if "y" in job.log else ""
            raise GradError(f"{what} has no value{above} in {self.range.text}")
        self.notes += [f"{d.name} has no value in {self.range.text}" for d in empty]
        return [d for d in drawn if d.limits is not None]

    def _extent(self, curve: Curve, columns: Columns | None) -> Limits | None:
        if self.points is None:
            own = limits(curve, self.left, self.right)
        else:
            y = curve.values(self.points)
            y = y[np.isfinite(y)]
            own = (float(y.min()), float(y.max())) if len(y) else None
        data = None if columns is None else columns.extent(self.left, self.right)
        both = [ends for ends in (own, data) if ends is not None]
        return (min(low for low, _ in both), max(high for _, high in both)) if both else None

    def _groups(self, drawn: Sequence[Drawn]) -> list[list[Drawn]]:
        """The curves of each panel: those whose values are of one scale, all of them with limits or logarithms."""
        if self.checked.ylim is not None or "y" in self.job.log:
            return [list(drawn)]
        groups: list[list[Drawn]] = []
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

    def _limits(self, group: Sequence[Drawn]) -> Limits:
        if self.checked.ylim is not None:
            low, high = self.checked.ylim
            return (float(np.log10(low)), float(np.log10(high))) if "y" in self.job.log else (low, high)
        return padded(min(d.limits[0] for d in group if d.limits), max(d.limits[1] for d in group if d.limits))

    def _legend(self, drawn: Sequence[Drawn]) -> list[Caption]:
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

    def _description(self, drawn: Sequence[Drawn]) -> str:
        curves = ", ".join([f"{d.name} = {d.text}" if d.text else d.name for d in drawn[:4]])
        more = f" and {len(drawn) - 4} more" if len(drawn) > 4 else ""
        low = min(d.limits[0] for d in drawn if d.limits)
        high = max(d.limits[1] for d in drawn if d.limits)
        if "y" in self.job.log:
            low, high = 10.0**low, 10.0**high
        span = f"{self.range.name} from {self.range.low:.6g} to {self.range.high:.6g}"
        words = f"{curves}{more} over {span}; values from {low:.4g} to {high:.4g}"
        return "; ".join([words, *self.tracer.said])


def _span(ends: Limits | None) -> float:
    if ends is None:
        return 0.0
    span = ends[1] / 2 - ends[0] / 2
    return 2 * span if span > 2.0**-40 * max(abs(ends[0]), abs(ends[1])) else 0.0
