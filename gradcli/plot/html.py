"""HTML: one file that works without a network, a picture in SVG with a script to zoom, pan and read values.

Data goes into the document as JSON that no parser of HTML takes for markup, and is read as data. A content security
policy forbids everything but the script of this file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.caret import printable
from gradcli.plot.picture import Panel, Picture, Series
from gradcli.plot.script import SCRIPT
from gradcli.plot.svg import svg, text

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array

_PAGE = """
:root{color-scheme:light dark}
body{margin:0;padding:12px;font:13px system-ui,sans-serif;background:#fff;color:#1f2328}
figure{margin:0;width:max-content;position:relative}
svg.gp{touch-action:none;cursor:crosshair;user-select:none}
.gp .view *{vector-effect:non-scaling-stroke}
.gp .cross{stroke:var(--axis);stroke-width:1;pointer-events:none}
output{display:block;min-height:3.2em;white-space:pre-wrap;font:12px ui-monospace,monospace}
figcaption{color:#59636e}
button{font:inherit}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}figcaption{color:#9198a1}}
"""


def html(picture: Picture) -> str:
    """The document of a picture laid out in pixels."""
    data = json.dumps({"panels": [_panel(panel) for panel in picture.panels]}, separators=(",", ":"), allow_nan=False)
    # In a script element only these characters could end it, or begin a comment.
    data = data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    seal = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{seal}'"
    title = picture.title or picture.description
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title>",
            f"<style>{_PAGE}</style>",
            "</head>",
            "<body>",
            "<figure>",
            svg(picture).rstrip("\n"),
            '<output aria-live="off"></output>',
            "<figcaption>Wheel: zoom. Drag: move. Double click: back. "
            '<button type="button">whole picture</button></figcaption>',
            "</figure>",
            f'<script type="application/json" id="gp-data">{data}</script>',
            f"<script>{SCRIPT}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _panel(panel: Panel) -> dict[str, Any]:
    frame = panel.frame
    answer: dict[str, Any] = {
        "left": panel.left, "top": panel.top, "width": frame.width, "height": frame.height,
        "x": [frame.left, frame.right], "y": [frame.bottom, frame.top], "logx": panel.x.log, "logy": panel.y.log,
        "name": printable(panel.x.label), "other": printable(panel.y.label),
        "curves": [_curve(series) for series in panel.series if series.table is not None and len(series.table.x)],
    }  # fmt: skip
    if panel.field is not None:
        raster = panel.field.raster
        answer["field"] = {
            "x": _numbers(raster.x[[0, -1]]), "y": _numbers(raster.y[[0, -1]]),
            "rows": [_numbers(row, 5) for row in _thinner(raster.values)],
        }  # fmt: skip
    return answer


_MOST = 60
"""Rows and columns of a surface that a cross-hair reads, at most."""


def _thinner(values: Array) -> Array:
    j, i = (np.unique(np.linspace(0, n - 1, min(n, _MOST)).round().astype(int)) for n in values.shape)
    thinner: Array = values[np.ix_(j, i)]
    return thinner


def _curve(series: Series) -> dict[str, Any]:
    table = series.table
    assert table is not None
    return {
        "name": printable(series.label or series.name), "color": series.color % 6, "x": _numbers(table.x, 8),
        "y": _numbers(table.y), "d": _numbers(table.slope),
    }  # fmt: skip


def _numbers(values: Array, digits: int = 6) -> list[float | None]:
    return [float(f"{v:.{digits}g}") if math.isfinite(v) else None for v in values.tolist()]
