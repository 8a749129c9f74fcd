"""Pictures as text: curves in braille, 2x4 dots a character, or in ASCII; axes with round numbers, a legend below.

The same picture is the same text everywhere; colours are added for terminals alone.
"""

from __future__ import annotations

import string

import numpy as np

from gradcli.caret import display_width, printable
from gradcli.plot import palette
from gradcli.plot.blocks import blocks, scale_line
from gradcli.plot.dots import Raster, column, covered, row
from gradcli.plot.layout import DOTS_ACROSS, DOTS_UP, ends_axis
from gradcli.plot.legend import spelled
from gradcli.plot.picture import Caption, Panel, Picture, Series
from gradcli.plot.ticks import Tick

_BITS = np.array([[1, 8], [2, 16], [4, 32], [64, 128]])
"""The bits of the dots of a character from the top (Unicode, chapter 21.1)."""
_BLANK = 0x2800


class Signs:
    """The characters of a text, in Unicode or in ASCII."""

    def __init__(self, ascii_: bool) -> None:
        self.ascii = ascii_
        self.vertical, self.tick, self.corner, self.horizontal, self.tick_below = "|++-+" if ascii_ else "│┤└─┬"
        self.pole, self.open, self.filled = (":", "o", "@") if ascii_ else ("┊", "○", "●")


Cell = tuple[str, int | None]
"""A character and the number of its colour."""


def written(picture: Picture, *, ascii_: bool = False, color: bool = False) -> str:
    """The text of a picture laid out in dots: lines that end in a newline, none with blanks at its end."""
    signs = Signs(ascii_)
    several = len({s.color for panel in picture.panels for s in panel.series}) > 1
    lines: list[list[Cell]] = []
    if picture.title:
        left = picture.panels[0].left // DOTS_ACROSS
        wide = picture.panels[0].frame.width // DOTS_ACROSS
        lines.append(
            _plain(" " * (left + max(0, (wide - display_width(picture.title)) // 2)) + _encoded(picture.title, ascii_))
        )
    for number, panel in enumerate(picture.panels):
        lines += _panel(panel, signs, several, number == len(picture.panels) - 1, color)
    lines += [_legend(captions, several, ascii_) for captions in picture.legend]
    return "".join([f"{_joined(line, color)}\n" for line in lines])


def _encoded(text: str, ascii_: bool) -> str:
    text = printable(text)
    return text.encode("ascii", "backslashreplace").decode() if ascii_ else text


def _plain(text: str) -> list[Cell]:
    return [(c, None) for c in text]


def _joined(line: list[Cell], color: bool) -> str:
    while line and line[-1][0] == " ":
        line = line[:-1]
    if not color:
        return "".join([c for c, _ in line])
    pieces: list[str] = []
    last: int | None = None
    for c, own in line:
        if own != last and c != " ":
            pieces.append("\x1b[0m" if own is None else f"\x1b[38;5;{own}m")
            last = own
        pieces.append(c)
    return "".join(pieces) + ("\x1b[0m" if last is not None else "")


def letter(number: int) -> str:
    """The letter of a curve."""
    return string.ascii_lowercase[number % 26]


def _panel(panel: Panel, signs: Signs, several: bool, last: bool, color: bool) -> list[list[Cell]]:
    left = panel.left // DOTS_ACROSS
    wide, high = panel.frame.width // DOTS_ACROSS, panel.frame.height // DOTS_UP
    if panel.field is not None:
        return _surface(panel, signs, last, color)
    body = _body(panel, signs, several)
    marks = {_line_of(t.place, panel, high): t.label for t in panel.y.ticks}
    lines = []
    if panel.y.label:
        lines.append(_plain(_encoded(panel.y.label, signs.ascii)))
    for k, cells in enumerate(body):
        text = marks.get(k, "")
        edge = signs.tick if k in marks else signs.vertical
        lines.append([*_plain(f"{text:>{left - 2}} {edge}"), *cells])
    return [*lines, *_below(panel, signs, left, wide, last)]


def _line_of(y: float, panel: Panel, high: int) -> int:
    up = int(min(max(float(row(np.array([y]), panel.frame)[0]), 0), panel.frame.height - 1))
    return high - 1 - up // DOTS_UP


def _body(panel: Panel, signs: Signs, several: bool) -> list[list[Cell]]:
    """The characters between the axes, and the letters of curves right of them."""
    frame = panel.frame
    wide, high = frame.width // DOTS_ACROSS, frame.height // DOTS_UP
    cells: list[list[Cell]] = [[(" ", None)] * wide for _ in range(high)]
    for x, number in panel.asymptotes:
        at = min(int(column(np.array([x]), frame)[0]) // DOTS_ACROSS, wide - 1)
        for line in cells:
            line[at] = (signs.pole, palette.TERMINAL[number % 6])
    total = np.zeros((high, wide), np.int64)
    for series in panel.series:
        bits = characters(covered(series, frame))
        shade = palette.TERMINAL[series.color % 6]
        for j, i in np.argwhere(bits).tolist():
            if signs.ascii:
                known = letter(series.color) if several else "*"
                cells[j][i] = (
                    known if series.kind in ("curve", "dots") else "+" if series.kind == "data" else ".",
                    shade,
                )
            else:
                total[j, i] |= bits[j, i]
                cells[j][i] = (chr(_BLANK + int(total[j, i])), shade)
    for series in panel.series:
        for dot in series.dots:
            i = min(int(column(np.array([dot.x]), frame)[0]) // DOTS_ACROSS, wide - 1)
            j = _line_of(dot.y, panel, high)
            cells[j][i] = (signs.open if dot.open else signs.filled, palette.TERMINAL[series.color % 6])
    if several:
        ends = sorted(
            (-e, high - 1 - int(e) // DOTS_UP, s.color)
            for s in panel.series
            if s.label and (e := _last(s, panel)) is not None
        )
        used: set[int] = set()
        for _, height, number in ends:
            free = min([(abs(k - height), k) for k in range(high) if k not in used], default=(0, 0))[1]
            used.add(free)
            cells[free] += [(" ", None), (letter(number), palette.TERMINAL[number % 6])]
    return cells


def _last(series: Series, panel: Panel) -> float | None:
    """The height in dots at which a curve ends on the right; None if nothing of it is seen."""
    dots = covered(series, panel.frame)
    columns = np.flatnonzero(dots.any(axis=0))
    return float(np.flatnonzero(dots[:, columns[-1]]).mean()) if len(columns) else None


def characters(raster: Raster) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """The bits of each character from a raster of dots, whose first row is the lowest; the first line is the top.

    >>> characters(np.array([[1, 0], [0, 0], [0, 0], [0, 1]]) > 0).tolist()
    [[72]]
    """
    height, width = raster.shape
    dots = np.flipud(raster).reshape(height // DOTS_UP, DOTS_UP, width // DOTS_ACROSS, DOTS_ACROSS)
    bits: np.ndarray[tuple[int, int], np.dtype[np.int64]] = np.einsum("jaib,ab->ji", dots.astype(np.int64), _BITS)
    return bits


def _below(panel: Panel, signs: Signs, left: int, wide: int, last: bool) -> list[list[Cell]]:
    """The horizontal axis and, below the last panel, its numbers and title."""
    places = [
        (min(int(column(np.array([t.place]), panel.frame)[0]) // DOTS_ACROSS, wide - 1), t) for t in panel.x.ticks
    ]
    axis = [signs.horizontal] * wide
    for place, _ in places:
        axis[place] = signs.tick_below
    lines = [_plain(" " * (left - 1) + signs.corner + "".join(axis))]
    if last:
        name = _encoded(panel.x.label, signs.ascii)
        ends = ends_axis(name)
        lines.append(_plain(_numbers(places, left, wide, name if ends else "")))
        lines += [] if ends else [_plain(" " * (left + max(0, (wide - display_width(name)) // 2)) + name)]
    return lines


def _numbers(places: list[tuple[int, Tick]], left: int, wide: int, name: str) -> str:
    """Numbers below their ticks, those that would touch left out, and the name of the axis at its end."""
    line = ""
    for place, tick in places:
        start = min(left + place - (len(tick.label) - 1) // 2, left + wide - len(tick.label))
        start = max(start, 0)
        if not line or start > len(line):
            line = line.ljust(start) + tick.label
    return f"{line.ljust(left + wide)} {name}" if name else line


def _legend(captions: list[Caption], several: bool, ascii_: bool) -> list[Cell]:
    line: list[Cell] = _plain("")
    for caption in captions:
        shade = None if caption.color is None else palette.TERMINAL[caption.color % 6]
        if line:
            line += _plain("   ")
        if caption.kind in ("tangent", "taylor", "data"):
            sign = "+ " if caption.kind == "data" and ascii_ else ""
            line += [(c, shade) for c in sign + _encoded(spelled(caption, True), ascii_)]
            continue
        if several and caption.color is not None and caption.color >= 0:
            line += [(c, shade) for c in f"{letter(caption.color)}  "]
        line += [(c, shade) for c in _encoded(spelled(caption, True), ascii_)]
    return line


def _surface(panel: Panel, signs: Signs, last: bool, color: bool) -> list[list[Cell]]:
    left, wide = panel.left // DOTS_ACROSS, panel.frame.width // DOTS_ACROSS
    high = panel.frame.height // DOTS_UP
    marks = {_line_of(t.place, panel, high): t.label for t in panel.y.ticks}
    lines = []
    for k, cells in enumerate(blocks(panel, signs.ascii, color)):
        edge = signs.tick if k in marks else signs.vertical
        lines.append([*_plain(f"{marks.get(k, ''):>{left - 2}} {edge}"), *cells])
    return [*lines, *_below(panel, signs, left, wide, last), scale_line(panel, signs.ascii, color)]
