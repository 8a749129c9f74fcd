"""Curves: an expression of one variable with its first two derivatives, at points and over intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from gradcli.calculus.derive import derivatives, expand
from gradcli.compute.backends import vector
from gradcli.compute.backends.intervals import Enclosing, without_rule
from gradcli.compute.program import build
from gradcli.expr import ZERO, Expr, apply, bit, const, reachable, substitute, var
from gradcli.functions import TABLE
from gradcli.job.once import once

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array, Mask
    from gradcli.truth.verdict import Judge

Interval = tuple["Array", "Array"]
Log = Literal["", "x", "y", "xy"]
"""The axes that are logarithmic."""
_LONG = 4000
"""Operations of an expression and its derivatives up to which they are enclosed, in some 20 ms for a few intervals."""
_STEPS, _FEW = 40_000_000, 4000
"""Operations on intervals that a picture may take, some 2 s, and intervals that are affordable always."""
_WORK = 20_000
"""Steps that germs may take at a point, 20 ms."""


def _no_slope(e: Expr, variable: str) -> bool:
    """Whether the derivative of a function in an argument with the variable has no closed form."""
    row = TABLE[e.op]
    mask = bit(variable)
    return any(n in row.unknown and a.variables & mask for n, a in zip(row.arguments, e.args, strict=False))


class Curve:
    """The graph of an expression of one ``variable``, in units of the picture.

    On logarithmic axes those are logarithms to base 10: with ``log`` "x" abscissas are t with the variable 10**t, with
    "y" ordinates are log10 of the values, "xy" is both. ``sampled``: the first function for which no ranges are known,
    so that nothing is proved, or that the expression is too long for it; None if all is well.

    >>> from gradcli.expr import var
    >>> curve = Curve(var("x") ** 3, "x", log="xy")
    >>> [round(float(column[0]), 9) for column in curve.at(np.array([2.0]))]
    [6.0, 3.0, 0.0]
    """

    def __init__(self, e: Expr, variable: str, log: Log = "") -> None:
        self.variable, self.log = variable, log
        (self.expression,) = expand([e])
        root = self.expression
        if "x" in log:
            (root,) = substitute([root], {variable: apply("power", const(10), var(variable))})
        if "y" in log:
            root = apply("log10", root)
        unknown = next((e.op for e in reachable([root]) if e.args and _no_slope(e, variable)), None)
        if unknown is None:
            partials = derivatives(root, [variable], 2)
            self.roots = [root, partials.get((0,), ZERO), partials.get((0, 0), ZERO)]
        else:
            self.roots = [root, const(math.nan), const(math.nan)]
        self.program = build(self.roots, [[variable]])
        self._kernel = vector.kernel(self.program)
        self._values = vector.function(build([root], [[variable]]), [variable])
        unknown = unknown or without_rule(self.roots)
        self.sampled = unknown and (TABLE[unknown].word or unknown)
        self._enclosing = None if self.sampled else Enclosing(self.roots, [variable])
        self._length = 0 if self._enclosing is None else len(self._enclosing.steps)
        if self._length > _LONG:
            self.sampled, self._enclosing = f"an expression of {self._length} operations", None

    def affordable(self, boxes: int) -> int:
        """How many intervals may be looked at: at most so many, and fewer of a long expression."""
        return min(boxes, max(_FEW, _STEPS // max(self._length, 1)))

    @once
    def judge(self) -> Judge | None:
        """Who tells what lies at a point of the expression itself; None on logarithmic axes."""
        from gradcli.truth.repair import available

        if self.log or not available():
            return None
        from gradcli.truth.verdict import Judge

        return Judge(self.expression, 1, _WORK)

    def at(self, x: Array) -> list[Array]:
        """The values, first and second derivatives at points."""
        x = np.ascontiguousarray(x, np.float64)
        outs = [np.empty(len(x)) for _ in self.roots]
        if len(x):
            self._kernel([x[:] for _ in self.program.inputs], outs, (len(x),))
        return outs

    def values(self, x: Array) -> Array:
        """The values at points."""
        with np.errstate(all="ignore"):
            return np.broadcast_to(self._values(x), np.shape(x))

    def over(self, low: Array, high: Array) -> tuple[Sequence[Interval], Mask]:
        """The ranges of values, first and second derivatives over intervals; and which intervals are not smooth."""
        assert self._enclosing is not None
        (values, slopes, bends), rough = self._enclosing([(low, high)])
        return [self._narrowed(low, high, values, slopes, rough), slopes, bends], rough

    def range(self, low: Array, high: Array) -> tuple[Interval, Mask]:
        """The ranges of values over intervals; and which intervals are not smooth."""
        assert self._enclosing is not None
        (values, slopes), rough = self._enclosing([(low, high)], 2)
        return self._narrowed(low, high, values, slopes, rough), rough

    def rough(self, low: Array, high: Array) -> Mask:
        """Which intervals are not smooth, of those that have values."""
        assert self._enclosing is not None
        ((least, _),), rough = self._enclosing([(low, high)], 1)
        return rough & ~np.isnan(least)

    def defined(self, x: Array) -> Mask:
        """Whether the values at points are numbers that no division by 0 gave: exp(-1/0) is 0 as doubles go."""
        known = np.isfinite(self.values(x))
        if self._enclosing is not None:
            ((least, most),), _ = self._enclosing([(x, x)], 1)
            known &= np.isfinite(least) & np.isfinite(most)
        return known

    def _narrowed(self, low: Array, high: Array, values: Interval, slopes: Interval, rough: Mask) -> Interval:
        """The ranges of values, by the mean value form where that is narrower (Moore, Kearfott and Cloud, ch. 6)."""
        (least, most), (d_least, d_most) = values, slopes
        with np.errstate(all="ignore"):
            half = (high - low) / 2
            middle = self.values(low + half)
            reach = half * np.maximum(np.abs(d_least), np.abs(d_most))
            least = np.where(~rough & (middle - reach > least), middle - reach, least)
            most = np.where(~rough & (middle + reach < most), middle + reach, most)
        return least, most
