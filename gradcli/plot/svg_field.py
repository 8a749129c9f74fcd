"""Surfaces in SVG: a map of colours as one image, level lines, arrows, and the scale of colours beside it."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gradcli.plot import palette
from gradcli.plot.labels import written
from gradcli.plot.picture import Field, Panel
from gradcli.plot.ticks import ticks

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array

_COLORS = 255
"""Colours of a map; one more is clear."""
_WIDE = 12
"""Pixels of the scale of colours."""


class Scaled(Protocol):
    """What gives pixels for units of axes."""

    def x(self, value: Array) -> Array: ...
    def y(self, value: Array) -> Array: ...


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def field(panel: Panel, scale: Scaled) -> list[str]:
    """The elements of a surface."""
    shown = panel.field
    assert shown is not None
    frame = panel.frame
    lines = []
    if shown.heat:
        box = f'x="{panel.left}" y="{panel.top}" width="{frame.width}" height="{frame.height}"'
        data = base64.b64encode(image(shown)).decode()
        lines.append(f'<image {box} preserveAspectRatio="none" href="data:image/png;base64,{data}"/>')
    for contour in shown.contours:
        path = ""
        for xs, ys in contour.lines:
            px, py = scale.x(np.array(xs)).tolist(), scale.y(np.array(ys)).tolist()
            points = [f"{_number(x)},{_number(y)}" for x, y in zip(px, py, strict=True)]
            path += f"M{points[0]}L{' '.join(points[1:])}" if len(points) > 1 else ""
        part = _part(contour.level, shown)
        # On the map a line is light on dark colours and dark on light ones.
        color = ("#fff" if part < 0.5 else "#000") if shown.heat else palette.css(palette.surface(part))
        faint = ' opacity=".55"' if shown.heat else ""
        width = "" if shown.heat else ' style="stroke-width:1.8"'
        if path:
            lines.append(f'<path class="level" stroke="{color}"{faint}{width} d="{path}"/>')
    if shown.arrows:
        lines.append(f'<path class="arrow"{_arrow_style(shown)} d="{_arrows(shown, scale)}"/>')
    return lines


def _arrow_style(shown: Field) -> str:
    return ' style="stroke:#fff;opacity:.85"' if shown.heat else ""


def _arrows(shown: Field, scale: Scaled) -> str:
    """Arrows with heads of a quarter of their length, at most 5 pixels."""
    path = []
    starts = np.array([(a.x, a.y, a.tip_x, a.tip_y) for a in shown.arrows])
    x0, y0, x1, y1 = scale.x(starts[:, 0]), scale.y(starts[:, 1]), scale.x(starts[:, 2]), scale.y(starts[:, 3])
    dx, dy = x1 - x0, y1 - y0
    length = np.hypot(dx, dy)
    with np.errstate(all="ignore"):
        head = np.minimum(length / 3, 5) / length
    for a, b, c, d, u, v, h in zip(*(column.tolist() for column in (x0, y0, x1, y1, dx, dy, head)), strict=True):
        back_x, back_y, side_x, side_y = c - h * u, d - h * v, 0.6 * h * v, -0.6 * h * u
        tip = f"L{_number(c)},{_number(d)}"
        path.append(
            f"M{_number(a)},{_number(b)}{tip}M{_number(back_x + side_x)},{_number(back_y + side_y)}{tip} "
            f"{_number(back_x - side_x)},{_number(back_y - side_y)}"
        )
    return "".join(path)


def _part(value: float, shown: Field) -> float:
    span = shown.high / 2 - shown.low / 2
    return min(max((value / 2 - shown.low / 2) / span, 0.0), 1.0) if span > 0 else 0.5


def parts(shown: Field) -> Array:
    """The values of a surface as parts of the range of its colours, nan where there is none."""
    span = shown.high / 2 - shown.low / 2
    with np.errstate(all="ignore"):
        part = (shown.raster.values / 2 - shown.low / 2) / span if span > 0 else shown.raster.values * 0 + 0.5
    return np.clip(part, 0, 1)


def image(shown: Field) -> bytes:
    """The map of colours as PNG with a palette, its first row at the top; clear where there is no value."""
    part = parts(shown)[::-1]
    with np.errstate(all="ignore"):
        index = np.where(np.isnan(part), _COLORS, np.rint(part * (_COLORS - 1))).astype(np.uint8)
    colors = [palette.surface(k / (_COLORS - 1)) for k in range(_COLORS)] + [(255, 255, 255)]
    return png(index, bytes([c for color in colors for c in color]), bytes([255] * _COLORS + [0]))


def png(index: np.ndarray[tuple[int, int], np.dtype[np.uint8]], colors: bytes, alpha: bytes) -> bytes:
    """A PNG of rows of indices into a palette (PNG specification, 3rd edition, W3C 2025)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = index.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = index
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), chunk(b"PLTE", colors), chunk(b"tRNS", alpha),
         chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)), chunk(b"IEND", b"")]
    )  # fmt: skip


def scale(panel: Panel) -> list[str]:
    """The scale of colours right of a panel, with its numbers."""
    shown, frame = panel.field, panel.frame
    assert shown is not None
    x, top, height = panel.left + frame.width + 14, panel.top, frame.height
    steps = 32
    lines = [
        f'<rect x="{x}" y="{_number(top + height - (k + 1) * height / steps)}" width="{_WIDE}" '
        f'height="{_number(height / steps + 0.6)}" fill="{palette.css(palette.surface((k + 0.5) / steps))}"/>'
        for k in range(steps)
    ]
    for tick in ticks(shown.low, shown.high, max(height // 40, 2)):
        y = top + height * (1 - _part(tick.place, shown))
        lines.append(f'<path class="axis" d="M{x + _WIDE},{_number(y)}h4"/>')
        lines.append(f'<text class="num" x="{x + _WIDE + 7}" y="{_number(y + 4)}">{written(tick.label)}</text>')
    return lines
