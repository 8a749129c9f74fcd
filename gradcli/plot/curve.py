"""Curves: an expression of one variable with its first two derivatives, at points and over intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradcli.calculus.derive import derivatives, expand
from gradcli.compute.backends import vector
from gradcli.compute.backends.intervals import Enclosing, without_rule
from gradcli.compute.program import build
from gradcli.expr import ZERO, Expr

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array, Mask

Interval = tuple["Array", "Array"]


class Curve:
    """The graph of an expression of one ``variable``.

    ``sampled``: the first function for which no ranges are known, so that nothing is proved; None if all are.
    """

    def __init__(self, e: Expr, variable: str) -> None:
        self.variable = variable
        (root,) = expand([e])
        partials = derivatives(root, [variable], 2)
        self.roots = [root, partials.get((0,), ZERO), partials.get((0, 0), ZERO)]
        self.program = build(self.roots, [[variable]])
        self._kernel = vector.kernel(self.program)
        self.sampled = without_rule(self.roots)
        self._enclosing = None if self.sampled else Enclosing(self.roots, [variable])

    def at(self, x: Array) -> list[Array]:
        """The values, first and second derivatives at points."""
        x = np.ascontiguousarray(x, np.float64)
        outs = [np.empty(len(x)) for _ in self.roots]
        if len(x):
            self._kernel([x[:] for _ in self.program.inputs], outs, (len(x),))
        return outs

    def over(self, low: Array, high: Array) -> tuple[Sequence[Interval], Mask]:
        """The ranges of values, first and second derivatives over intervals; and which intervals are not smooth.

        The range of values is that of the mean value form where that is narrower (Moore, Kearfott and Cloud, ch. 6).
        """
        assert self._enclosing is not None
        ranges, rough = self._enclosing([(low, high)])
        (least, most), (d_least, d_most), _ = ranges
        with np.errstate(all="ignore"):
            half = (high - low) / 2
            (middle, _, _) = self.at(low + half)
            reach = half * np.maximum(np.abs(d_least), np.abs(d_most))
            better = ~rough & (middle - reach > least)
            least = np.where(better, middle - reach, least)
            better = ~rough & (middle + reach < most)
            most = np.where(better, middle + reach, most)
        return [(least, most), *ranges[1:]], rough
