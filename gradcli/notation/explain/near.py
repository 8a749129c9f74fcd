"""The truth about an expression beside a point, in words: the limits and slopes of both sides, and their series.

Layer: must not know how it is found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.calculus.leibniz import derivative_name
from gradcli.expr import spell_name
from gradcli.notation.explain.reasons import shown

if TYPE_CHECKING:
    from gradcli.truth.verdict import Truth

_SIDES = ("left", "right")


class Near(NamedTuple):
    """An output beside a point along a variable: its truth to ``order``, and the series of the sides that there are.

    ``place`` is the point as text; ``series``: left and right, "" where there is none.
    """

    output: str
    wrt: str
    place: str
    order: int
    truth: Truth
    series: tuple[str, str]

    @property
    def lines(self) -> list[str]:
        """A headline with the verdict, a sentence, and the series: one where the point is smooth, else those of both
        sides.
        """
        left, right = self.series
        verdict = verdict_words(self.truth)
        lines = [f"{spell_name(self.output)} near {self.place}: {verdict}", f"  {sentence(self)}"]
        if self.truth.verdict == "smooth" and left == right:
            return [*lines, f"  {right}"] if right else lines
        return lines + [f"  {f'{side}:':6} {text}" for side, text in zip(_SIDES, self.series, strict=True) if text]

    def member(self) -> dict[str, Any]:
        """The same as names, texts and numbers; a number that is not finite is a text, None what is not there."""
        truth = self.truth
        sides = zip(_SIDES, (truth.limit_left, truth.limit_right), (truth.left, truth.right), self.series, strict=True)
        return {
            "verdict": truth.verdict, "breaks": truth.breaks, "proved": truth.proved, "text": sentence(self),
            "value": None if math.isnan(truth.value) else plain(truth.value),
            **{
                side: None if slopes is None else {
                    "limit": plain(limit), "derivatives": [plain(v) for v in slopes[:self.order]],
                    "series": series or None,
                }
                for side, limit, slopes, series in sides
            },
        }  # fmt: skip


_NEITHER = {
    "unknown": "this arithmetic cannot say what {f} does there",
    "undefined": "{f} is defined neither there nor beside it",
    "isolated": "{f} is {value} there, and not defined beside it",
}
"""What is said where no side is known."""


def plain(value: float) -> float | str:
    """A number of JSON; a text for what is not finite."""
    return value if math.isfinite(value) else shown(value)


def verdict_words(truth: Truth) -> str:
    """The verdict as a list: ``edge, removable, vertical``, with ``?`` where it is not proved."""
    return truth.verdict.replace("+", ", ") + ("" if truth.proved else "?")


def sentence(near: Near) -> str:
    """What the verdict says of this function, in words."""
    truth, f = near.truth, spell_name(near.output)
    words = truth.verdict.split("+")
    last = words[-1]
    if last in _NEITHER:
        text = _NEITHER[last].format(f=f, value=shown(truth.value))
        return text + (f": {truth.why}" if truth.why and last != "isolated" else "")
    parts = []
    if "edge" in words:
        parts.append(f"{f} is defined on the {'left' if truth.right is None else 'right'} side only")
    moved = "removable" in words or "misplaced" in words
    if moved:
        here = "has no value there" if math.isnan(truth.value) else f"is {shown(truth.value)} there"
        parts.append(f"{f} {here}, but {_of_sides(truth, 0)}")
    elif truth.breaks == 0:
        parts.append(f"{f} {_of_sides(truth, 0)}")
    k = _first(truth) if truth.breaks or moved else 0
    if k:
        parts.append(f"{'the slope' if k == 1 else f'derivative number {k}'} {_of_sides(truth, k)}")
    elif truth.breaks is None or moved:
        smooth = "with that value it is smooth" if moved else "it is smooth" if "edge" in words else "both sides agree"
        parts.append(f"{smooth} up to derivative number {near.order}")
    return "; ".join(parts)


def limits(truth: Truth, output: str, wrt: str, orders: Sequence[int]) -> str:
    """The one-sided limits of an output and of its derivatives, with the verdict, in one line.

    Such as ``from the right f -> 3, slope -inf (edge, removable, vertical)``; "" where nothing is known of a side.
    Derivatives are told where the output has a finite limit.
    """
    if truth.left is None and truth.right is None:
        return ""

    def told(limit: float, slopes: Sequence[float]) -> str:
        if math.isnan(limit):
            return f"{spell_name(output)} has no limit"
        parts = [f"{spell_name(output)} -> {shown(limit)}"]
        for k in orders if math.isfinite(limit) else ():
            name = "slope" if k == 1 else spell_name(derivative_name(output, [wrt], (0,) * k))
            parts.append(f"{name} {'has no limit' if math.isnan(slopes[k - 1]) else shown(slopes[k - 1])}")
        return ", ".join(parts)

    sides = [
        (f"from the {side} ", told(limit, slopes))
        for side, limit, slopes in zip(
            _SIDES, (truth.limit_left, truth.limit_right), (truth.left, truth.right), strict=True
        )
        if slopes is not None
    ]
    texts = {text for _, text in sides}
    words = f"from both sides {sides[0][1]}" if len(sides) > len(texts) else "; ".join(map("".join, sides))
    return f"{words} ({verdict_words(truth)})"


def _of_sides(truth: Truth, order: int) -> str:
    """The limit of the derivative of an order on either side, as a predicate; of one side if there is no other."""
    left, right = (
        None if slopes is None else (limit, *slopes)[order]
        for limit, slopes in ((truth.limit_left, truth.left), (truth.limit_right, truth.right))
    )
    if left is None or right is None:
        only = right if left is None else left
        return " ".join(_predicate(math.nan if only is None else only, order))
    if math.isnan(left) and math.isnan(right):
        return "has no limit on either side"
    (verb, number), (other, second) = _predicate(left, order), _predicate(right, order)
    if (verb, number) == (other, second):
        return f"{verb} {number} on both sides"
    again = "" if verb == other == "is" else "to " if verb == other else f"{other} "
    return f"{verb} {number} on the left, {again}{second} on the right"


def _predicate(value: float, order: int) -> tuple[str, str]:
    if math.isnan(value):
        return "has", "no limit"
    return "is" if order and math.isfinite(value) else "tends to", shown(value)


def _first(truth: Truth) -> int:
    """The order of the first derivative that is not one finite number; 0 if there is none."""
    left, right = truth.left or truth.right or (), truth.right or truth.left or ()
    bad = (k for k, (a, b) in enumerate(zip(left, right, strict=True), 1) if a != b or not math.isfinite(a))
    return next(bad, 0)
