"""The picture below a study: the curve over its range, with dots at extrema and inflections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradcli.expr import spell_name
from gradcli.plot.compose import picture
from gradcli.plot.picture import Dot, Panel, Picture
from gradcli.plot.request import PlotJob

if TYPE_CHECKING:
    from gradcli.plot.layout import Canvas
    from gradcli.plot.study_request import Studied


def drawn(studied: Studied, grid: str, at: Sequence[str], canvas: Canvas) -> Picture:
    """The picture of a studied function. ``grid`` and ``at`` are those of its request.

    Raises GradError where it cannot be drawn: a range may be too narrow or too wide for doubles.
    """
    plain = ";" not in studied.text
    text = f"{spell_name(studied.name)} = {studied.text}" if plain else studied.text
    made = picture(PlotJob(expressions=[text], grids=[grid], at=at), canvas)
    return made._replace(panels=[_dotted(panel, studied) for panel in made.panels])


def _dotted(panel: Panel, studied: Studied) -> Panel:
    frame = panel.frame
    dots = tuple(
        [
            Dot(p.place.value, p.value.value, False)
            for p in [*studied.study.extrema, *studied.study.inflections]
            if frame.left <= p.place.value <= frame.right and frame.bottom <= p.value.value <= frame.top
        ]
    )
    first, *others = panel.series
    return panel._replace(series=[first._replace(dots=(*first.dots, *dots)), *others])
