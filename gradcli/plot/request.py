"""Requests for pictures: the texts of a command line, checked before anything is computed.

Layer: must not know any writer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO, Literal, NamedTuple, cast

from gradcli.calculus.derive import Named, derive
from gradcli.caret import Source
from gradcli.errors import GradError, meant
from gradcli.expr import const, spell_name, substitute
from gradcli.formats import PLAIN, Dialect
from gradcli.job.parse_at_grid_fill import Points, number, read_name, split
from gradcli.job.request import Expressions, check_order
from gradcli.plot.curve import Log

PANELS = 8
"""Pictures of surfaces, one below the other, at most."""
CURVES = 24
POINTS = 100_000
"""Points of a range with a count, at most."""
RASTER = 4_000_000
"""Points of a surface by the counts of its two ranges, at most."""
ARROWS = 200
DEGREE = 30
"""The highest order of a Taylor polynomial."""
_WANTED = "plot needs a range"


class Range(NamedTuple):
    """The range of a variable; with ``points`` it is looked at in so many, else wherever needed.

    ``log``: the points have equal ratios.
    """

    name: str
    low: float
    high: float
    points: int | None = None
    log: bool = False
    text: str = ""


class Data(NamedTuple):
    """Files of points to draw, as typed on the command line."""

    paths: Sequence[str]
    format: str | None = None
    dialect: Dialect = PLAIN
    max_bytes: int | None = None
    stdin: BinaryIO | None = None


@dataclass(frozen=True, kw_only=True)
class PlotJob:
    """A request for a picture, checked when it is drawn. ``wrt`` None: derivatives in the variables of the ranges,
    or in ``every`` variable.

    ``tangents``: such as ``x=1``; ``taylors``: such as ``x=0:5``, about 0 to order 5. ``ylim``: such as ``-1:1``.
    ``kind``: of surfaces, ``heat`` or ``contour``. ``arrows``: gradients across a surface.
    """

    expressions: Sequence[str | Source]
    grids: Sequence[str]
    at: Sequence[str] = ()
    wrt: Sequence[str] | None = None
    every: bool = False
    order: int = 0
    tangents: Sequence[str] = ()
    taylors: Sequence[str] = ()
    data: Data | None = None
    ylim: str | None = None
    log: Log = ""
    style: Literal["line", "dots"] = "line"
    kind: Literal["heat", "contour"] = "heat"
    arrows: int | None = None
    title: str = ""
    xlabel: str | None = None
    ylabel: str | None = None


class Overlay(NamedTuple):
    """A tangent, of order 1, or a Taylor polynomial, to be drawn at a point."""

    place: float
    order: int
    tangent: bool


def words(wanted: Overlay, variable: str) -> str:
    """What an overlay is, in words."""
    at = at_text(wanted, variable)
    return f"tangent at {at}" if wanted.tangent else f"Taylor polynomial at {at}, order {wanted.order}"


def at_text(wanted: Overlay, variable: str) -> str:
    """The point of an overlay, such as ``x=1``."""
    return f"{variable}={wanted.place!r}".removesuffix(".0")


class Checked:
    """A job whose texts are read: ``ranges``, one or two, and what is drawn over them.

    ``outputs`` and ``named``: the expressions and what is drawn of each, its value first, in the variables of the
    ranges alone. ``wrt``: the variables of derivatives. Raises GradError, naming the option, for malformed text, and
    for a variable without a value.
    """

    def __init__(self, job: PlotJob) -> None:
        self.job = job
        self.ranges = [read_range(text) for text in job.grids]
        if len(self.ranges) > 2:
            raise GradError(f"a picture has one or two ranges, not {len(self.ranges)}",
                            hint="a value for each other variable: --at a=1")  # fmt: skip
        if (total := math.prod([r.points or 1 for r in self.ranges])) > RASTER:
            raise GradError(f"--grid: {total:,} points are too many for a surface: the limit is {RASTER:,}",
                            hint="or as many as the picture has: leave out the counts")  # fmt: skip
        names = [r.name for r in self.ranges]
        if len(set(names)) < len(names):
            raise GradError(f"--grid: '{names[0]}' is given twice")
        points = Points(job.at)
        for name in names:
            if name in points.at:
                raise GradError(f"'{name}' has a range and a value: leave out one of --grid and --at")
        self.request = Expressions(job.expressions, [*points.at, *names])
        for parsed in self.request.parsed:
            parsed.pointwise("and a picture is of each point alone")
        self._check_variables(names, points)
        self.outputs = self.request.outputs
        self.wrt = list(job.wrt) if job.wrt is not None else self.request.variables if job.every else names
        self.request.check_names(self.wrt, "--wrt: ")
        self.request.unused([n for n in self.wrt if n not in names], "--wrt: ", allowed=False)
        check_order(job.order, len(self.wrt), len(self.outputs))
        values = {n: const(Fraction(v) if math.isfinite(v) else v) for n, v in points.at.items()}
        derived = derive(self.outputs, self.wrt, job.order)
        self.named: Named = list(
            zip([n for n, _ in derived], substitute([e for _, e in derived], values), strict=True)
        )  # fmt: skip
        limit = CURVES if len(self.ranges) == 1 else PANELS
        if len(self.named) > limit:
            raise GradError(
                f"{len(self.named)} outputs and derivatives are too many for a picture: the limit is {limit}"
            )
        self.ylim = None if job.ylim is None else _pair(job.ylim, "--ylim", "LOW:HIGH, such as -1:1")
        self._check_kind()
        self.overlays = [
            *(self._overlay(t, False) for t in job.taylors),
            *(self._overlay(t, True) for t in job.tangents),
        ]

    def _check_variables(self, names: list[str], points: Points) -> None:
        variables = self.request.variables
        free = [n for n in variables if n not in points.at and n not in names]
        if not self.ranges:
            name = spell_name((free or variables or ["x"])[0])
            raise GradError(f"{_WANTED}: --grid {name}=-5:5")
        if free:
            several = len(free) > 1
            quoted = (
                " and ".join([", ".join([f"'{n}'" for n in free[:-1]]), f"'{free[-1]}'"]) if several else f"'{free[0]}'"
            )
            values = ",".join([f"{spell_name(n)}=1" for n in free])
            hint = f"such as --at {values}"
            if len(self.ranges) == 1 and not several:
                hint += f"; or a second range: --grid {values[:-1]}-5:5"
            raise GradError(
                f"variable{'s' if several else ''} {quoted} {'have' if several else 'has'} no value", hint=hint
            )
        for name in [*names, *points.at]:
            if name not in variables and (variables or name in points.at):
                raise GradError(f"'{name}' is not used in the expression", hint=self.request.meant(name))

    def _overlay(self, text: str, tangent: bool) -> Overlay:
        option = "--tangent" if tangent else "--taylor"
        wanted = "NAME=VALUE, such as x=1" if tangent else "NAME=VALUE:ORDER, such as x=0:5"
        name, equals, rest = text.partition("=")
        pieces = split(rest, ":")
        if not equals or len(pieces) != (1 if tangent else 2):
            raise GradError(f"{option} needs {wanted}, not '{text}'")
        name = read_name(name.strip(), option)
        if name != self.ranges[0].name or len(self.ranges) > 1:
            across = spell_name(self.ranges[0].name)
            raise GradError(f"{option} {text}: it is drawn over '{across}'", hint=f"such as {option} {across}={rest}")
        place = number(pieces[0], option, f"the value of '{name}'")
        if not math.isfinite(place):
            raise GradError(f"{option} {text}: the value must be finite")
        if tangent:
            return Overlay(place, 1, True)
        order = number(pieces[1], option, "the order")
        if not 0 <= order <= DEGREE or order != int(order):
            raise GradError(f"{option} {text}: the order is a whole number from 0 to {DEGREE}")
        return Overlay(place, int(order), False)

    def _check_kind(self) -> None:
        job, two = self.job, len(self.ranges) == 2
        curves = {"--tangent": job.tangents, "--taylor": job.taylors, "--data": job.data, "--log": job.log,
                  "--style dots": job.style == "dots"}  # fmt: skip
        given = next((option for option, value in curves.items() if value), None)
        if two and given:
            raise GradError(f"{given} is for a curve, and two ranges make a surface", hint="leave out one --grid")
        if not two and (job.kind != "heat" or job.arrows is not None):
            option = "--arrows" if job.arrows is not None else f"--kind {job.kind}"
            raise GradError(f"{option} is for surfaces", hint="which have a second range: --grid y=-5:5")
        if job.arrows is not None and not 0 <= job.arrows <= ARROWS:
            raise GradError(f"--arrows: a number from 0 to {ARROWS}, not {job.arrows}")
        across = self.ranges[0]
        if ("x" in job.log or across.log) and across.low <= 0:
            raise GradError(f"--grid {spell_name(across.name)}={across.text}: a logarithmic axis needs a range above 0")
        if "y" in job.log and self.ylim is not None and self.ylim[0] <= 0:
            raise GradError(f"--ylim {job.ylim}: a logarithmic axis needs a range above 0")


def read_range(text: str) -> Range:
    """The range of ``--grid``, such as ``x=-5:5`` or ``x=log:1:1000:50``. Raises GradError for malformed text."""
    text = text.strip()
    name, equals, rest = text.partition("=")
    if not equals or not name:
        raise GradError(f"--grid needs NAME=START:STOP, such as x=-5:5, not '{text}'")
    name = read_name(name.strip(), "--grid")
    option = f"--grid {text}"
    parts = split(rest, ":")
    log = len(parts) > 2 and parts[0] == "log"
    parts = parts[1:] if log else parts
    if len(parts) == 1:
        raise GradError(f"{option}: {_WANTED}: --grid {spell_name(name)}=-5:5",
                        hint=f"one value goes with --at {text}" if len(split(rest, ",")) == 1 else None)  # fmt: skip
    if len(parts) > 3 or len(split(rest, ",")) > 1:
        raise GradError(f"{option}: a range is START:STOP or START:STOP:COUNT")
    low, high = (_end(part, option) for part in parts[:2])
    shown = f"{spell_name(name)}={parts[0]}:{parts[1]}"
    if low == high:
        raise GradError(f"{option}: the range has one point, and a picture needs more")
    if low > high:
        raise GradError(f"{option}: the range ends before it begins",
                        hint=f"the other way: --grid {spell_name(name)}={parts[1]}:{parts[0]}")  # fmt: skip
    if not math.isfinite(high - low):
        raise GradError(f"{option}: the range is wider than the largest double")
    count = None
    if len(parts) == 3:
        value = number(parts[2], option, "the count")
        if not 2 <= value <= POINTS or value != int(value):
            raise GradError(
                f"{option}: the count is a whole number from 2 to {POINTS}", hint=f"or by need: --grid {shown}"
            )
        count = int(value)
    if (high - low) <= 1e-13 * max(abs(low), abs(high)):
        raise GradError(f"{option}: the range is too narrow: doubles are not near enough to each other")
    return Range(name, low, high, count, log, f"{parts[0]}:{parts[1]}")


def _end(text: str, option: str) -> float:
    value = number(text, option, "an end")
    if not math.isfinite(value):
        raise GradError(f"{option}: the ends must be finite")
    return value


def _pair(text: str, option: str, wanted: str) -> tuple[float, float]:
    parts = split(text, ":")
    if len(parts) != 2:
        raise GradError(f"{option} needs {wanted}, not '{text}'")
    low, high = (_end(part, f"{option} {text}") for part in parts)
    if not low < high:
        wrong = "has one point" if low == high else "ends before it begins"
        raise GradError(f"{option} {text}: the range {wrong}")
    if not math.isfinite(high - low):
        raise GradError(f"{option} {text}: the range is wider than the largest double")
    return low, high


def checked_log(text: str) -> Log:
    """The logarithmic axes of ``--log``. Raises GradError for others than x, y and xy."""
    if text not in ("x", "y", "xy"):
        raise GradError(f"--log: '{text}' is no choice of axes ({meant(text, ['x', 'y', 'xy'], 'there are')})")
    return cast(Log, text)
