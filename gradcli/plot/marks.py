"""Marks: the hard points of a curve, and what stands on either side.

Kinks, jumps, poles, holes and ends of the domain, where a curve is not smooth.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from gradcli.plot.sides import Side, differ

if TYPE_CHECKING:
    from gradcli.plot.curve import Curve
    from gradcli.plot.frame import Frame
    from gradcli.plot.places import Place
    from gradcli.plot.segments import Sampled

Kind = Literal["hole", "jump", "kink", "asymptote", "end"]

_WORDS: dict[Kind, str] = {"jump": "jump", "asymptote": "pole", "hole": "hole"}
_ROUNDING = 1e-9
"""Pixels by which limits differ that are equal."""


class Mark(NamedTuple):
    """A hard point of a curve, in the units of the picture: logarithms on logarithmic axes.

    ``x``: its abscissa. ``left``, ``right``: the limits of the values there, infinite at a pole, nan where the curve
    has no such side or no limit. ``value``: that of the expression at ``x``, nan where it has none.

    A hole: the limits agree, but not with the value. A jump: they differ. A kink: the slopes differ, the values do
    not. An asymptote: a limit is infinite. An end: the domain ends, and there is one side only.
    """

    kind: Kind
    x: float
    left: float
    right: float
    value: float


def marks(curve: Curve, frame: Frame, sampled: Sampled) -> list[Mark]:
    """The hard points of a curve within a frame, from left to right.

    Of a curve without enclosures those that its gaps show. A kink is one whatever its angle; holes and jumps count
    even where they are too small to be seen.

    >>> from gradcli.expr import apply, var
    >>> from gradcli.plot.curve import Curve
    >>> from gradcli.plot.sample import Frame, sampled
    >>> curve, frame = Curve(apply("abs", var("x")) + 1, "x"), Frame(-1, 2, 0, 3, 300, 200)
    >>> marks(curve, frame, sampled(curve, frame))
    [Mark(kind='kink', x=0.0, left=1.0, right=1.0, value=1.0)]
    """
    if not sampled.hard:
        return []
    x = np.array([hard.place.x for hard in sampled.hard])
    values = np.where(curve.defined(x), curve.values(x), np.nan).tolist()
    found = [
        _mark(hard.place, hard.left, hard.right, value, _ROUNDING / frame.up)
        for hard, value in zip(sampled.hard, values, strict=True)
    ]
    return [m for m in found if m is not None and _within(m, frame)]


def _within(mark: Mark, frame: Frame) -> bool:
    """Whether a mark is one of the picture; at its edge a jump or a kink shows one side only."""
    if mark.kind in ("jump", "kink"):
        return frame.left < mark.x < frame.right
    return frame.left <= mark.x <= frame.right


def _mark(place: Place, left: Side, right: Side, value: float, least: float) -> Mark | None:
    """What a place is, from its sides; differences of values up to ``least`` are rounding."""
    a, b = _limit(left, value), _limit(right, value)
    if math.isinf(a) or math.isinf(b):
        return Mark("asymptote", place.x, a, b, value)
    if not left.there or not right.there:
        known = not (math.isnan(a) and math.isnan(b))
        return Mark("end", place.x, a, b, value) if known else None
    if math.isnan(a) or math.isnan(b):
        return None
    # A place between two doubles is off by up to their distance, and so are limits on slopes.
    steep = max((abs(s.slope) for s in (left, right) if math.isfinite(s.slope)), default=0.0)
    error = left.error + right.error + least + steep * (place.high - place.low)
    if differ(a, b, error):
        return Mark("jump", place.x, a, b, value)
    if not math.isfinite(value) or differ(value, a, error):
        return Mark("hole", place.x, a / 2 + b / 2, a / 2 + b / 2, value)
    if differ(left.slope, right.slope, left.slope_error + right.slope_error):
        return Mark("kink", place.x, value, value, value)
    return None


def _limit(side: Side, value: float) -> float:
    """The limit on a side: the value itself where that is not told apart from it."""
    if not side.there:
        return math.nan
    near = math.isfinite(value) and math.isfinite(side.limit) and not differ(value, side.limit, side.error)
    return value if near else side.limit


def note(marks: Sequence[Mark], variable: str, log: bool = False) -> str:
    """The jumps, poles and holes in words, for stderr; "" without any. ``log``: abscissas are logarithms.

    >>> note([Mark("jump", k, k - 1, k, k) for k in (0.0, 1.0)] + [Mark("asymptote", 1.5708, 1, 1, 1)], "x")
    '2 jumps, 1 pole near x=1.5708'
    """
    counts = Counter(m.kind for m in marks if m.kind in _WORDS)
    parts = []
    for kind, word in _WORDS.items():
        if counts[kind] == 1:
            (x,) = (m.x for m in marks if m.kind == kind)
            parts.append(f"1 {word} near {variable}={10.0**x if log else x:.5g}")
        elif counts[kind]:
            parts.append(f"{counts[kind]} {word}s")
    return ", ".join(parts)
