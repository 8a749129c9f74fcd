"""Flags: where a linear propagation of uncertainties does not tell the truth, found without being asked.

Layer: must not know how flags are shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gradcli.expr import Expr, spell_name
from gradcli.uncertainty.formula import Propagated
from gradcli.uncertainty.places import Line, hard_places

NOT_LINEAR = 0.05
"""How far the uncertainties of first and second order may lie apart, as a fraction, before it is told."""


class Flag(NamedTuple):
    """A reason for doubt: its ``kind``, not-linear, edge, kink, jump or no-effect, and a sentence for people."""

    kind: str
    text: str


def not_linear(ratio: float) -> bool:
    """Whether a quotient of the uncertainties of second and first order says that first order is not enough.

    nan says so: the variance of second order is negative, or not a number.
    """
    return not abs(ratio - 1) <= NOT_LINEAR


def flags(
    formulas: Sequence[Propagated], point: Mapping[str, float], u: Mapping[str, float],
    numbers: Mapping[str, Mapping[str, float]],
) -> Iterator[Flag]:  # fmt: skip
    """Yield the flags of results at a point.

    ``point``: values by variable. ``u``: the standard uncertainties of the inputs, in their units. ``numbers``: by
    output, ``u``, with second order ``u_second`` and ``linear``, and the sensitivity to each input as ``c NAME``.
    """
    for f in formulas:
        known = numbers[f.name]
        if "linear" in known and math.isfinite(known["u"]) and not_linear(known["linear"]):
            yield Flag("not-linear", _bent(f.name, known))
    yield from _places([(f.name, f.y) for f in formulas], point, u)
    for name, width in u.items():
        if width > 0 and all(numbers[f.name][f"c {name}"] == 0 for f in formulas):
            what = "any result" if len(formulas) > 1 else spell_name(formulas[0].name)
            yield Flag("no-effect", f"the uncertainty of {spell_name(name)} has no effect on {what} to first order")


def _bent(name: str, known: Mapping[str, float]) -> str:
    name = spell_name(name)
    first, second = known["u"], known["u_second"]
    if math.isnan(second):
        return f"{name} is not linear enough: to second order its variance is negative; a simulation tells: --mc 1e6"
    if first == 0:
        return (
            f"{name} is not linear enough: its uncertainty is 0 to first order and {second:.3g} to second order: "
            "--second-order"
        )
    return (
        f"{name} is not linear enough: to second order its uncertainty is {second:.3g}, not {first:.3g} "
        f"({100 * (known['linear'] - 1):+.3g} %): --second-order"
    )


_WORDS = {"edge": "an edge of its domain or a pole", "kink": "a kink", "jump": "a jump"}


def _places(
    outputs: Sequence[tuple[str, Expr]], point: Mapping[str, float], u: Mapping[str, float]
) -> Iterator[Flag]:  # fmt: skip
    for name, e in outputs:
        nearest: dict[str, tuple[float, Line]] = {}
        for kind, steps, line in hard_places(e, point, u):
            if kind not in nearest or abs(steps) < abs(nearest[kind][0]):
                nearest[kind] = steps, line
        for kind, (steps, line) in nearest.items():
            there = ", ".join([f"{spell_name(x)}={v:.6g}" for x, v in line.at(steps).items() if v != point[x]][:3])
            away = f"{abs(steps):.2g} u away, at {there}" if there else "at the point itself"
            yield Flag(kind, f"{spell_name(name)} has {_WORDS[kind]} within 2 u, {away}: linear "
                             "propagation does not see it")  # fmt: skip
