"""Surfaces as text: two values a character in colour, shades of grey without."""

from __future__ import annotations

import numpy as np

from gradcli.caret import printable
from gradcli.plot import palette
from gradcli.plot.layout import DOTS_ACROSS, DOTS_UP
from gradcli.plot.picture import Panel
from gradcli.plot.svg_field import parts

_SHADES, _ASCII = "·░▒▓█", ".:-=+*#%@"
"""Shades from the least value to the greatest; where there is none, a blank."""
_STEPS = 48
"""Colours of a map in a terminal."""
HALF = "▀"

Cell = tuple[str, int | None]


def _parts(panel: Panel, rows: int, columns: int) -> list[list[float]]:
    """The parts of the range of values at the middles of cells, from the top; nan where there is none.

    A cell of several values of the raster has their mean.
    """
    shown = panel.field
    assert shown is not None
    part = np.flipud(parts(shown))
    height, width = part.shape
    if height % rows == 0 and width % columns == 0:
        part = part.reshape(rows, height // rows, columns, width // columns).mean(axis=(1, 3))
    else:
        j = np.minimum((np.arange(rows) * 2 + 1) * height // (2 * rows), height - 1)
        i = np.minimum((np.arange(columns) * 2 + 1) * width // (2 * columns), width - 1)
        part = part[np.ix_(j, i)]
    found: list[list[float]] = part.tolist()
    return found


def blocks(panel: Panel, ascii_: bool, color: bool) -> list[list[Cell]]:
    """The lines of characters of a surface. In colour each stands for two values, one above the other."""
    wide, high = panel.frame.width // DOTS_ACROSS, panel.frame.height // DOTS_UP
    if not color or ascii_:
        shades = _ASCII if ascii_ else _SHADES
        return [[(_shade(part, shades), None) for part in line] for line in _parts(panel, high, wide)]
    lines = _parts(panel, 2 * high, wide)
    return [[_two(a, b) for a, b in zip(lines[2 * k], lines[2 * k + 1], strict=True)] for k in range(high)]


def _shade(part: float, shades: str) -> str:
    return " " if part != part else shades[min(int(part * len(shades)), len(shades) - 1)]


def _two(above: float, below: float) -> Cell:
    """Half a block: its own colour above, that of the background below."""
    first, second = _color(above), _color(below)
    if first is None and second is None:
        return " ", None
    sign = f"\x1b[48;5;{second}m{HALF}\x1b[49m" if second is not None else HALF
    return (sign, first) if first is not None else ("▄", second)


def _color(part: float) -> int | None:
    return None if part != part else palette.terminal(palette.surface(round(part * _STEPS) / _STEPS))


def scale_line(panel: Panel, ascii_: bool, color: bool) -> list[Cell]:
    """The scale of values in one line: the least, the shades or colours, the greatest."""
    shown = panel.field
    assert shown is not None
    name = printable(f"{panel.name}: " if panel.name else "")
    lead: list[Cell] = [(c, None) for c in " " * (panel.left // DOTS_ACROSS) + f"{name}{shown.low:.4g} "]
    if color and not ascii_:
        middle: list[Cell] = [("█", palette.terminal(palette.surface(k / 15))) for k in range(16)]
    else:
        middle = [(c * 2, None) for c in (_ASCII if ascii_ else _SHADES)]
    return [*lead, *middle, *[(c, None) for c in f" {shown.high:.4g}"]]
