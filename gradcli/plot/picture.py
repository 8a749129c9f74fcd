"""Pictures: what is drawn, in units of the axes.

A writer turns a picture into text, SVG, HTML, PNG or PDF, and knows no curve; what draws knows no writer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from gradcli.plot.ticks import Tick

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.contours import Contour
    from gradcli.plot.frame import Frame
    from gradcli.plot.surface import Arrow, Raster

Kind = Literal["curve", "dots", "tangent", "taylor", "data", "surface"]


class Stroke(NamedTuple):
    """A line through n points, all of them within the frame or on its edge."""

    x: Array
    y: Array


class Bars(NamedTuple):
    """Vertical bars at n abscissas, for what a curve does within the width of a pixel."""

    x: Array
    low: Array
    high: Array


class Dot(NamedTuple):
    """A point of a curve that is marked; ``open``: one that the curve comes near to and does not have."""

    x: float
    y: float
    open: bool


class Measured(NamedTuple):
    """Points of data, thinned to pixels, with the half widths of their bars, nan where there are none.

    ``total``: how many there were.
    """

    x: Array
    y: Array
    ux: Array
    uy: Array
    total: int


class Caption(NamedTuple):
    """A line of the legend: what a colour stands for; ``color`` None where several have it.

    ``name``: as typed, ``label``: as mathematics, both "" where ``text`` says all.
    """

    kind: Kind
    color: int | None
    name: str
    label: str
    text: str


class Table(NamedTuple):
    """Abscissas, values and slopes of a curve, from which a cross-hair reads."""

    x: Array
    y: Array
    slope: Array


class Series(NamedTuple):
    """What is drawn in one colour, number ``color`` of the palette.

    ``name``: that of the output or derivative, such as ``df_dx``. ``label``: the name as mathematics, such as
    ``df/dx``. ``text``: what it is, in words or as an expression; "" if the name says it.
    """

    kind: Kind
    name: str
    label: str
    text: str
    color: int
    strokes: list[Stroke]
    bars: Bars | None = None
    dots: tuple[Dot, ...] = ()
    measured: Measured | None = None
    table: Table | None = None


class Axis(NamedTuple):
    """An axis with its ticks, in logarithms if ``log``."""

    label: str
    ticks: list[Tick]
    log: bool = False


class Field(NamedTuple):
    """A surface: colours from ``low`` to ``high`` if ``heat``, level lines, and gradients as arrows."""

    raster: Raster
    low: float
    high: float
    heat: bool
    contours: list[Contour]
    arrows: list[Arrow]


class Panel(NamedTuple):
    """One system of axes.

    ``frame`` is its part of the plane and its size, ``left`` and ``top`` where it begins in the picture, in pixels or
    dots. ``asymptotes``: abscissas of dashed vertical lines, each with the colour of its curve. ``name`` and ``label``:
    those of the one of several surfaces that it shows.
    """

    frame: Frame
    left: int
    top: int
    x: Axis
    y: Axis
    series: list[Series]
    asymptotes: list[tuple[float, int]]
    field: Field | None = None
    name: str = ""
    label: str = ""


class Picture(NamedTuple):
    """Panels one below the other, over the same abscissas.

    ``title``: "" for none. ``legend``: its lines, above a picture and below a text. ``description``: what is to be
    seen, in a sentence, for those who do not see it. ``notes``: what a person should know of how it was drawn.
    ``read_as``: the strict texts of natural notation, where they differ from those that were typed.
    """

    title: str
    description: str
    legend: list[list[Caption]]
    panels: list[Panel]
    width: int
    height: int
    notes: list[str]
    read_as: str | None = None
