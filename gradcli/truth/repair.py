"""The correctly rounded double of a value or a partial derivative at a point.

Layer: must not know which numbers are to be repaired, nor how many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.expr import Expr

if TYPE_CHECKING:
    from gradcli.truth.partials import Partials

BUDGET = 100_000
"""Work for one number, as `partials.Effort` counts it: some 10 ms."""
FIRST, LAST = 128, 16_384
"""Bits of the first pass, which is made whatever it costs, and of the last."""
_TINIEST, _LEAST = 2.0**-1022, 2.0**-1074
"""The smallest normal double, and the smallest of all."""


class Number(NamedTuple):
    """A correctly rounded double, or why there is none.

    ``why`` is "", "kink", "pole" or "domain" (more bits do not help: what a double says there is a convention),
    "undecided" (an identity, or a tie of rounding) or "work".
    """

    value: float | None
    why: str = ""


def available() -> bool:
    """Whether python-flint is installed; nothing else here can be used without it."""
    return find_spec("flint") is not None


def _double(end: Any) -> float:
    """The nearest double of an exact ball; flint's own conversion rounds a subnormal number twice."""
    value = float(end)
    if abs(value) > _TINIEST:
        return value
    if abs(2 * end) <= _LEAST:
        return math.copysign(0.0, value)
    mantissa, exponent = end.man_exp()
    return int(mantissa) / (1 << -int(exponent))


def nearest(ball: Any) -> float | None:
    """The double that every number of a ball is rounded to; None where there are several."""
    if not ball.is_finite():
        return None
    low, high = _double(ball.lower()), _double(ball.upper())
    if low != high:
        return None
    return low if low or ball > 0 or ball < 0 else 0.0


class Repair:
    """The numbers of one expression. ``order``: series are made to it at least, so that columns of a point share them.

    What a number answers depends on the expression, the point, the powers, the budget and the highest order of a call
    alone; points and literals mean their doubles, and so do pi, e and tau.
    """

    def __init__(self, root: Expr, order: int = 0) -> None:
        self._root = root
        self._order = order
        self._partials: Partials | None = None

    def number(
        self, point: Mapping[str, float], powers: Mapping[str, int], budget: int = BUDGET, least: int = FIRST
    ) -> Number:
        """The partial derivative of these powers (none: the value) at a point."""
        return self.numbers([point], [powers], budget, least)[0][0]

    def numbers(
        self,
        points: Iterable[Mapping[str, float]],
        powers: Sequence[Mapping[str, int]],
        budget: int = BUDGET,
        least: int = FIRST,
    ) -> list[list[Number]]:
        """For each point the numbers of all ``powers``, which share their series. ``budget`` is that of a number."""
        from flint import arb

        from gradcli.truth.balls import BallError, arithmetic
        from gradcli.truth.partials import Effort, Partials, Place

        rows = []
        with arithmetic():
            if self._partials is None:
                self._partials = Partials(self._root, self._order, doubles=True)
            names = self._partials.jet.variables
            columns = [self._partials.column(p) for p in powers]
            effort = Effort(least, LAST, budget)
            for point in points:
                place = tuple([point[name] for name in names])
                if not all(map(math.isfinite, place)):
                    rows.append([Number(None, "domain")] * len(columns))
                    continue
                balls = {name: arb(x) for name, x in zip(names, place, strict=True)}
                solved = self._partials.solve(Place(place, balls.copy), columns, nearest, effort)
                rows.append([Number(None, x.why) if isinstance(x, BallError) else Number(x) for x in solved])
        return rows
