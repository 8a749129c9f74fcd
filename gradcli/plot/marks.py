"""Marks: the places of a curve that are hard points, and what stands on either side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from gradcli.plot.curve import Curve
    from gradcli.plot.sample import Frame, Sampled

Kind = Literal["hole", "jump", "kink", "asymptote", "end"]


class Mark(NamedTuple):
    """A hard point of a curve.

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
    """The hard points of a curve within a frame, from left to right."""
    return []


def note(marks: list[Mark], variable: str) -> str:
    """The jumps and poles in words, for stderr: ``3 jumps, 1 pole near x=1.5708``; "" without any."""
    return ""
