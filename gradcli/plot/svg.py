"""SVG: a picture as one document with a title and a description, for light and dark paper.

``prefers-color-scheme`` decides which. Every text from outside is escaped; nothing in the document is fetched or run.
"""

from __future__ import annotations

from zlib import crc32

from gradcli.caret import display_width, printable
from gradcli.plot import palette
from gradcli.plot.legend import spelled
from gradcli.plot.picture import Caption, Picture
from gradcli.plot.svg_field import scale
from gradcli.plot.svg_panel import drawn

_STYLE = """
svg.gp{background:var(--paper);font:12px system-ui,sans-serif;%s}
.gp text{fill:var(--ink)}
.gp .num{font-size:11px}
.gp .math{font:italic 14px "STIX Two Math","Cambria Math",Georgia,serif}
.gp .title{font-size:15px;font-weight:600}
.gp .paper{fill:var(--paper)}
.gp .grid{stroke:var(--grid)}
.gp .axis{stroke:var(--axis)}
.gp .curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.gp .bars{fill:none;stroke-width:1.5}
.gp .tangent{fill:none;stroke-width:1.5;stroke-dasharray:7 4}
.gp .taylor{fill:none;stroke-width:1.5;stroke-dasharray:2 3}
.gp .pole{fill:none;stroke-width:1;stroke-dasharray:4 4;opacity:.7}
.gp .dots{fill:none;stroke-width:5;stroke-linecap:round}
.gp .err{fill:none;stroke-width:1}
.gp .open{fill:var(--paper)!important;stroke-width:1.7}
.gp .level{fill:none;stroke-width:1}
.gp .arrow{fill:none;stroke:var(--ink);stroke-width:1;opacity:.75}
"""
_PAPER = {
    "light": "--paper:#fff;--ink:#1f2328;--grid:#e7eaee;--axis:#8c959f",
    "dark": "--paper:#0d1117;--ink:#e6edf3;--grid:#21262d;--axis:#6e7681",
}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_SAMPLE = 20
"""Pixels of a line in the legend."""


def style(prefix: str = "svg.gp") -> str:
    """The style sheet: colours as variables, dark ones where the reader's screen is."""

    def colors(mode: str) -> str:
        curves = palette.DARK if mode == "dark" else palette.LIGHT
        return ";".join([_PAPER[mode], *[f"--c{k}:{color}" for k, color in enumerate(curves)]])

    classes = "".join(
        [f".gp .c{k}{{stroke:var(--c{k})}}.gp .f{k}{{fill:var(--c{k})}}" for k in range(len(palette.LIGHT))]
    )
    dark = f"@media(prefers-color-scheme:dark){{{prefix}{{{colors('dark')}}}}}"
    return _STYLE % colors("light") + f"{classes}\n{dark}\n"


def text(words: str) -> str:
    """Words as they may stand in a document."""
    return printable(words).translate(_ESCAPES)


def svg(picture: Picture) -> str:
    """The document of a picture laid out in pixels."""
    names = ", ".join([spelled(c, True) for line in picture.legend for c in line]) or picture.description
    # Identifiers of one page must differ where several pictures stand in it.
    mark = f"gp{crc32(repr((picture.description, picture.title, picture.width, picture.height)).encode()):08x}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="gp" viewBox="0 0 {picture.width} {picture.height}" '
        f'width="{picture.width}" height="{picture.height}" role="img" aria-labelledby="{mark}-title {mark}-desc">',
        f'<title id="{mark}-title">{text(picture.title or names)}</title>',
        f'<desc id="{mark}-desc">{text(picture.description)}</desc>',
        f"<style>{style()}</style>",
        f'<rect class="paper" width="{picture.width}" height="{picture.height}"/>',
        *_head(picture),
    ]
    for number, panel in enumerate(picture.panels):
        lines += drawn(panel, f"{mark}-{number}", number == len(picture.panels) - 1, text)
        if panel.field is not None:
            lines += scale(panel)
    return "\n".join([*lines, "</svg>", ""])


def _head(picture: Picture) -> list[str]:
    """The title and the legend."""
    left, top = picture.panels[0].left, 22
    lines = []
    if picture.title:
        lines.append(f'<text class="title" x="{left}" y="{top}">{text(picture.title)}</text>')
        top += 20
    for captions in picture.legend:
        x = left
        for caption in captions:
            lines += _caption(caption, x, top)
            x += _SAMPLE + 8 + round(display_width(spelled(caption, False)) * 6.6) + 18
        top += 18
    return lines


def _caption(caption: Caption, x: int, y: int) -> list[str]:
    color = "" if caption.color is None else f" c{caption.color % len(palette.LIGHT)}"
    plain = ' style="stroke:var(--ink)"' if caption.color is None else ""
    number = caption.color or 0
    dashes = f' stroke-dasharray="{palette.dash(number)}"' if palette.dash(number) else ""
    where = f"M{x},{y - 4}h{_SAMPLE}" if caption.kind not in ("data", "dots") else f"M{x + _SAMPLE / 2:g},{y - 4}h0"
    kind = "dots" if caption.kind == "data" else caption.kind
    name = f'<tspan class="math">{text(caption.label)}</tspan>' if caption.label else ""
    words = text(f" = {caption.text}" if name and caption.text else caption.text)
    if caption.kind == "surface":
        return [f'<text x="{x}" y="{y}">{name}{words}</text>']
    sample = f'<path class="{kind}{color}"{plain}{dashes} d="{where}"/>'
    return [sample, f'<text x="{x + _SAMPLE + 8}" y="{y}">{name}{words}</text>']
