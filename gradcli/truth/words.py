"""The truth about an expression beside a point in words: its limits and slopes on both sides.

Layer: must not know how they are found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from gradcli.calculus.leibniz import derivative_name
from gradcli.expr import spell_name
from gradcli.formats import spell

SIDES = ("left", "right")
_PLACES = (
    ("unknown", ""), ("isolated", "an isolated point"), ("removable", "a hole"), ("misplaced", "a hole"),
    ("jump", "a jump"), ("pole", "a pole"), ("log", "a pole"), ("essential", "an essential singularity"),
    ("edge", "an edge"), ("vertical", "a vertical slope"), ("cusp", "a cusp"), ("kink", "a kink"),
    ("oscillating", "an oscillation"),
)  # fmt: skip
"""What a place is called in a sentence, by the first of these words that its verdict has."""
_SHOWN = 8
"""Variables of a point whose values are told."""
_NEITHER = {
    "unknown": "this arithmetic cannot say what {f} does there",
    "undefined": "{f} is defined neither there nor beside it",
    "isolated": "{f} is {value} there, and not defined beside it",
}
"""What is said where no side is known."""


class Beside(Protocol):
    """What is known of a point and of both sides of it along an axis; None is a side that is not there."""

    @property
    def verdict(self) -> str: ...
    @property
    def breaks(self) -> int | None: ...
    @property
    def proved(self) -> bool: ...
    @property
    def value(self) -> float: ...
    @property
    def limit_left(self) -> float: ...
    @property
    def limit_right(self) -> float: ...
    @property
    def left(self) -> Sequence[float] | None: ...
    @property
    def right(self) -> Sequence[float] | None: ...


def first_few(values: Sequence[str]) -> str:
    """The values of a point in a line, of many variables those of the first."""
    return ", ".join([*values[:_SHOWN], *(["..."] if len(values) > _SHOWN else [])])


def place(verdict: str) -> str:
    """What a place with this verdict is called: ``a kink``, ``a hole``; "" where it is unknown."""
    words = verdict.rstrip("?").split("+")
    return next((place for word, place in _PLACES if word in words), "")


def plain(value: float) -> float | str:
    """A number of JSON; a text for what is not finite."""
    return value if math.isfinite(value) else spell(value)


def verdict_words(truth: Beside) -> str:
    """The verdict as a list: ``edge, removable, vertical``, with ``?`` where it is not proved."""
    return truth.verdict.replace("+", ", ") + ("" if truth.proved else "?")


def sentence(truth: Beside, output: str, order: int | None = None) -> str:
    """What the verdict says of this output, in words; ``order``: that of the verdict, to tell up to where it is smooth.

    >>> from types import SimpleNamespace as Truth
    >>> kink = Truth(verdict="kink", breaks=1, value=0.0, limit_left=0.0, limit_right=0.0, left=[-1.0], right=[1.0])
    >>> sentence(kink, "f")
    'the slope is -1 on the left, 1 on the right'
    """
    f, words = spell_name(output), truth.verdict.split("+")
    if words[-1] in _NEITHER:
        return _NEITHER[words[-1]].format(f=f, value=_shown(truth.value))
    parts = []
    if "edge" in words:
        parts.append(f"{f} is defined on the {'left' if truth.right is None else 'right'} side only")
    moved = "removable" in words or "misplaced" in words
    if moved:
        here = "has no value there" if math.isnan(truth.value) else f"is {_shown(truth.value)} there"
        parts.append(f"{f} {here}, but {_of_sides(truth, 0)}")
    elif truth.breaks == 0:
        parts.append(f"{f} {_of_sides(truth, 0)}")
    k = _first(truth) if truth.breaks or moved else 0
    if k:
        parts.append(f"{'the slope' if k == 1 else f'derivative number {k}'} {_of_sides(truth, k)}")
    elif order is not None and (truth.breaks is None or moved):
        smooth = "with that value it is smooth" if moved else "it is smooth" if "edge" in words else "both sides agree"
        parts.append(f"{smooth} up to derivative number {order}")
    return "; ".join(parts)


def limits(truth: Beside, output: str, wrt: str, orders: Sequence[int]) -> str:
    """The one-sided limits of an output and of its derivatives, with the verdict, in one line.

    Such as ``from the right f -> 3, slope -inf (edge, removable, vertical)``; "" where nothing is known of a side.
    Derivatives are told where the output has a finite limit.
    """
    sides = [
        (side, _limits(limit, slopes, output, wrt, orders))
        for side, limit, slopes in zip(
            SIDES, (truth.limit_left, truth.limit_right), (truth.left, truth.right), strict=True
        )
        if slopes is not None
    ]
    if not sides:
        return ""
    words = "; ".join([f"from the {side} {text}" for side, text in sides])
    if len(sides) > len({text for _, text in sides}):
        none, text = math.isnan(truth.limit_left), sides[0][1]
        words = f"{text} from either side" if none else f"from both sides {text}"
    return f"{words} ({verdict_words(truth)})"


def _limits(limit: float, slopes: Sequence[float], output: str, wrt: str, orders: Sequence[int]) -> str:
    f = spell_name(output)
    if math.isnan(limit):
        return f"{f} has no limit"
    parts = [f"{f} -> {_shown(limit)}"]
    for k in orders if math.isfinite(limit) else ():
        name = "slope" if k == 1 else spell_name(derivative_name(output, [wrt], (0,) * k))
        parts.append(f"{name} {'has no limit' if math.isnan(slopes[k - 1]) else _shown(slopes[k - 1])}")
    return ", ".join(parts)


def _of_sides(truth: Beside, order: int) -> str:
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
    return "is" if order and math.isfinite(value) else "tends to", _shown(value)


def _first(truth: Beside) -> int:
    """The order of the first derivative that is not one finite number; 0 if there is none."""
    left, right = truth.left or truth.right or (), truth.right or truth.left or ()
    bad = (k for k, (a, b) in enumerate(zip(left, right, strict=True), 1) if a != b or not math.isfinite(a))
    return next(bad, 0)


def _shown(value: float) -> str:
    return spell(value).removesuffix(".0")
