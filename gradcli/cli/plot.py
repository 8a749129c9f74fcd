"""The command plot: curves and surfaces in the terminal, as SVG, HTML, PNG and PDF."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Literal, cast

import click

from gradcli.cli import options, stderr
from gradcli.cli.inputs import dialect, names, sources
from gradcli.cli.options import CommandLine
from gradcli.cli.stderr import colored, screen
from gradcli.errors import GradError

if TYPE_CHECKING:
    from gradcli.cli.output import Output
    from gradcli.plot.layout import Canvas
    from gradcli.plot.picture import Picture
    from gradcli.plot.request import Data

FORMS = {".svg": "svg", ".html": "html", ".htm": "html", ".png": "png", ".pdf": "pdf", ".txt": "text"}
"""The forms of a picture by the suffix of its file."""

_PIPE = (72, 18)
"""Characters of a text that no terminal shows."""
_PIXELS, _SQUARE = (800, 500), (640, 560)
_PANEL, _LINES = 220, 8
"""Height that each panel beyond the first adds, in pixels and in lines of a text in a pipe."""
_FINE = 4
"""How many times finer curves are sampled that can be zoomed."""


@options.command(
    "plot",
    examples=(
        'gradcli plot "exp(-x)*sin(5*x)" --grid x=0:4 --order 1',
        'gradcli plot "x**2 - 2" "cos(x)" --grid x=-2:2 -o curves.svg',
        'gradcli plot "q = A*exp(-k*t)" --at A=2,k=1 --grid t=0:5 --data runs.csv --taylor t=0:2',
        'gradcli plot "exp(-x*x - y*y)" --grid x=-2:2 --grid y=-2:2 -o map.html',
    ),
    help="A picture of curves and their derivatives, or of a surface: in the terminal, or as .svg, .html, .png, .pdf. "
    "What is drawn is proved: no spike is missed, and no pole is bridged.",
    params=options.named(f"expr file natural curve_order curve_wrt at range {options.PICTURE} {options.DIALECT} "
                         "max_bytes picture picture_format"),
)  # fmt: skip
def plot(ctx: click.Context, line: CommandLine) -> None:
    draw(ctx, line)


def draw(ctx: click.Context, line: CommandLine, *, every: bool = False) -> None:
    """Draw the expressions of a command line; ``every``: with derivatives in all variables, as ``diff`` has them."""
    from gradcli.plot.compose import picture
    from gradcli.plot.request import PlotJob, checked_log

    form = _form(line)
    output = ctx.obj.to(line.path, line)
    if form in ("png", "pdf") and output.terminal:
        raise GradError(f"{form} is not for a terminal", hint=f"write it to a file: -o FILE.{form}")
    job = PlotJob(
        expressions=sources(line), grids=line.grid, at=line.at, wrt=names(line.wrt), every=every, order=line.order,
        tangents=line.tangent, taylors=line.taylor, data=_data(line), ylim=line.ylim,
        log=checked_log(line.log) if line.log else "", style=cast(Literal["line", "dots"], line.style),
        kind=cast(Literal["heat", "contour"], line.kind), arrows=line.arrows, title=line.title or "",
        xlabel=line.xlabel, ylabel=line.ylabel,
    )  # fmt: skip
    drawn = picture(job, canvas(line, form, output))
    data = _bytes(drawn, form, line)
    with output:
        output(data)
    stderr.read_as(drawn.read_as, line)
    for note in drawn.notes:
        if note and not line.quiet:
            stderr.note(note, line.color)


def _form(line: CommandLine) -> str:
    """The form by --format, else by the file's suffix. Raises GradError for an unknown suffix."""
    if line.format is not None and line.format in FORMS.values():
        return line.format
    if line.path is None:
        return "text"
    suffix = os.path.splitext(line.path)[1]
    if suffix.lower() not in FORMS:
        what = f"the suffix '{suffix}'" if suffix else "a name without suffix"
        raise GradError(f"{line.path}: no picture goes with {what}", hint=f"there are {', '.join(FORMS)}")
    return FORMS[suffix.lower()]


def _data(line: CommandLine) -> Data | None:
    from gradcli.plot.request import Data

    if not line.data:
        for name in (*options.DIALECT.split(), "max_bytes"):
            if getattr(line, name):
                raise GradError(f"--{name.replace('_', '-')} goes with --data", hint="name what to read: --data FILE")
        return None
    if "-" in line.data:
        if sys.stdin is None:
            raise GradError("cannot read stdin: it is closed")
        if not line.quiet:
            stderr.waiting("rows", line.color)
    return Data(
        line.data, line.input_format, dialect(line), line.max_bytes,
        # Unbuffered, as the rows of --input.
        open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) if "-" in line.data else None,
    )  # fmt: skip


def canvas(line: CommandLine, form: str, output: Output) -> Canvas:
    from gradcli.plot.layout import pixel_canvas, text_canvas

    text = form == "text"
    width, height = _size(line, text) or (None, None)
    if text:
        more = 0
        if width is None or height is None:
            (width, height), more = _PIPE, _LINES
            if output.terminal:
                columns, lines = screen(output.fd)
                width, height, more = columns, lines - 2, 0
        return text_canvas(*_bounded(width, height, text), more)
    fine, more = (_FINE if form == "html" else 1), 0
    if width is None or height is None:
        width, height = _SQUARE if len(line.grid) == 2 else _PIXELS
        more = height if len(line.grid) == 2 else _PANEL
    return pixel_canvas(width, height, fine, more)


def _bounded(width: int, height: int, text: bool) -> tuple[int, int]:
    """A size within what is drawn: a terminal may be of any size."""
    from gradcli.plot import layout

    least = (layout.LEAST_COLUMNS, layout.LEAST_ROWS) if text else (layout.LEAST_WIDTH, layout.LEAST_HEIGHT)
    most = (layout.MOST_COLUMNS, layout.MOST_ROWS) if text else (layout.MOST_PIXELS, layout.MOST_PIXELS)
    return min(max(width, least[0]), most[0]), min(max(height, least[1]), most[1])


def _size(line: CommandLine, text: bool) -> tuple[int, int] | None:
    """The width and height of --size, in characters of a text, else in pixels."""
    if line.size is None:
        return None
    what, such = ("characters", "72x18") if text else ("pixels", "800x500")
    match = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", line.size.strip())
    if match is None:
        raise GradError(f"--size needs WxH in {what}, such as {such}, not '{line.size}'")
    size = int(match[1]), int(match[2])
    least, most = _bounded(0, 0, text), _bounded(10**6, 10**6, text)
    if _bounded(*size, text) != size:
        raise GradError(f"--size {line.size}: from {least[0]}x{least[1]} to {most[0]}x{most[1]} {what}")
    return size


def _bytes(drawn: Picture, form: str, line: CommandLine) -> bytes:
    if form == "svg":
        from gradcli.plot.svg import svg

        return svg(drawn).encode()
    if form == "html":
        from gradcli.plot.html import html

        return html(drawn).encode()
    if form == "png" or form == "pdf":
        from gradcli.plot.raster import rastered

        return rastered(drawn, "png" if form == "png" else "pdf")
    from gradcli.plot.braille import written

    color = line.path is None and colored(sys.stdout, line.color)
    return written(drawn, ascii_=line.ascii or not utf8(), color=color).encode()


def utf8() -> bool:
    """Whether texts here are UTF-8, as LC_ALL, LC_CTYPE or LANG says, in this order; without any they are."""
    place = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or ""
    language = os.environ.get("LANG", "")
    if place == "C.UTF-8" and language and not os.environ.get("LC_ALL"):
        # Python sets LC_CTYPE so where LANG is C (PEP 538).
        place = language
    place = (place or language).lower()
    return not place or "utf-8" in place or "utf8" in place
