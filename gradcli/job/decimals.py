"""The exact values that the doubles of points stand for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from gradcli.caret import Source
from gradcli.compute.grid import Linear
from gradcli.expr import Expr, const
from gradcli.job.parse_at_grid_fill import PLAIN, Points, single


def reading(points: Points, name: str, value: float) -> Expr:
    """The exact value that a double of a variable stands for: the text as typed, else its shortest decimal."""
    text = points.texts.get((name, value))
    if text is not None and not PLAIN.fullmatch(text):
        return single(Source(text), "and here is a single number")[1]
    for grid, column in points.grids:
        if grid == name and isinstance(column, Linear) and column.start != column.stop:
            first, last = Fraction(repr(column.start)), Fraction(repr(column.stop))
            n = column.length - 1
            exact = first + (last - first) * round((Fraction(value) - first) * n / (last - first)) / n
            if float(exact) == value:
                return const(exact)
    return const(Fraction(text or repr(value)))


def exactly(points: Points, point: Mapping[str, float]) -> dict[str, Any]:
    """The exact values of a point, as `reading` gives them; what is not finite stays."""
    return {n: reading(points, n, v) if math.isfinite(v) else v for n, v in point.items()}


def shortest(points: Points) -> bool:
    """Whether every value typed is the shortest decimal of its double."""
    return all(
        PLAIN.fullmatch(text) and Fraction(text) == Fraction(repr(value)) for (_, value), text in points.texts.items()
    )
