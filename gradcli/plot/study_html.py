"""Studies as one HTML document that needs nothing else: no script, no network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from gradcli.caret import printable
from gradcli.plot.study_request import Studied
from gradcli.plot.study_text import heading, sections

_STYLE = """
:root { color-scheme: light dark; }
body { background: #fff; color: #1f2328; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 56rem; padding: 0 1rem; }
h1 { font-size: 1.25rem; font-weight: 600; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .35rem .75rem; }
th { font-weight: 600; text-align: left; vertical-align: top; width: 8rem; }
td { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
svg { height: auto; max-width: 100%; }
"""


def document(studies: Sequence[Studied], pictures: Sequence[str] = ()) -> str:
    """A document with a table for each study, and below it its picture, an SVG; "" for none."""
    title = ", ".join([heading(s) for s in studies])
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(title)}</title>",
        f"<style>{_STYLE}</style></head>",
        "<body>",
    ]
    for k, studied in enumerate(studies):
        parts += [f"<section><h1>{_text(heading(studied))}</h1>", *_table(studied)]
        if k < len(pictures) and pictures[k]:
            # What names a picture has to be one in the document.
            picture = pictures[k].replace("gp-title", f"gp-title-{k}").replace("gp-desc", f"gp-desc-{k}")
            parts.append(f"<figure>{picture}</figure>")
        parts.append("</section>")
    return "\n".join([*parts, "</body>", "</html>", ""])


def _table(studied: Studied) -> list[str]:
    rows = []
    for row in sections(studied.study, studied.name):
        items = (", " if row.joined else "<br>").join(map(_text, row.items))
        rows.append(f'<tr><th scope="row">{_text(row.name)}</th><td>{items}</td></tr>')
    return ["<table>", *rows, "</table>"]


def _text(words: str) -> str:
    return escape(printable(words))
