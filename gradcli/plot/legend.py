"""Legends: the texts of expressions, cut, and how many lines they take."""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.caret import display_width, printable
from gradcli.expr import Expr, reachable
from gradcli.job.request import as_text
from gradcli.plot.layout import Canvas, ends_axis
from gradcli.plot.picture import Caption
from gradcli.plot.request import PlotJob

_LONGEST = 60
"""Characters of an expression that are shown."""
_NODES = 1000
"""Steps of an expression that is written out at all."""
_LINES = 5
"""Lines of captions, at most."""
SAMPLE = 4
"""Characters that the sample of a line takes in front of its caption."""
APART = 3
"""Characters between captions."""


def cut(e: Expr) -> str:
    """The text of an expression, of which the beginning is shown if it is long."""
    return shortened(as_text(e)) if len(reachable([e])) <= _NODES else "..."


def shortened(text: str, longest: int = _LONGEST) -> str:
    """The beginning of a text.

    >>> shortened("x**2 + x", 6)
    'x**...'
    """
    return text if len(text) <= longest else f"{text[: longest - 3].rstrip()}..."


def spelled(caption: Caption, plain: bool) -> str:
    """A caption in one line, with the name as typed if ``plain``, else as mathematics."""
    name = caption.name if plain else caption.label
    return printable(f"{name} = {caption.text}" if name and caption.text else name or caption.text)


def flowed(captions: Sequence[Caption], canvas: Canvas) -> list[list[Caption]]:
    """The captions in lines as wide as a canvas."""
    plain = canvas.form == "text"
    width = canvas.width / canvas.char - (0 if plain else 6)
    lines: list[list[Caption]] = []
    used = width + 1
    for caption in captions:
        wide = display_width(spelled(caption, plain)) + SAMPLE
        if used + APART + wide > width:
            lines.append([])
            used = -APART
        lines[-1].append(caption)
        used += APART + wide
    return lines[:_LINES]


def above(job: PlotJob, legend: Sequence[object], canvas: Canvas, xlabel: str) -> int:
    """Lines of the title and the legend and, in a text, of the titles of axes."""
    titles = [job.title] if canvas.form == "pixels" else [job.title, job.ylabel, "" if ends_axis(xlabel) else xlabel]
    return len([title for title in titles if title]) + len(legend)
