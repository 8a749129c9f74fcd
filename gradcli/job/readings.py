"""Numbers that hang on digits of a decimal which its double does not hold: 0.1 is no double, and 1/(0.3 - x) at 0.1.

Balls give the number at the doubles. Where that at the decimals as typed differs from the sixth digit on, it is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from gradcli.expr import Expr, exact, reachable, variables
from gradcli.job.decimals import reading

if TYPE_CHECKING:
    from gradcli.job.hard_points import HardPoints, Target
    from gradcli.truth.digits import Digits

_COSTLY = 1e-11
"""The relative difference that is told: five digits of sixteen."""
_MOST = 1000
"""Numbers of a job that are looked at."""
_DIGITS = 17
"""Digits that tell a double."""


class Readings:
    """The numbers of a job whose decimals and doubles differ much."""

    def __init__(self, hard: HardPoints) -> None:
        self.hard, self.seen = hard, 0
        self._digits: dict[int, Digits] = {}
        self._literal = [_has_decimals(root) for root in hard.roots]

    def look(self, point: Mapping[str, float], target: Target, value: float) -> None:
        """Compare the number at the decimals with ``value``, that at the doubles."""
        hard = self.hard
        if self.seen >= _MOST or not math.isfinite(value):
            return
        used = variables(hard.roots[target.output])
        exactly = {name: reading(hard.typed, name, point[name]) for name in used}
        if not self._literal[target.output] and all(exact(e) == Fraction(point[name]) for name, e in exactly.items()):
            return
        self.seen += 1
        if target.output not in self._digits:
            from gradcli.truth.digits import Digits

            self._digits[target.output] = Digits(hard.roots[target.output], hard.order)
        text = self._digits[target.output].texts([exactly], [target.powers], _DIGITS)[0][0]
        if text is None:
            return
        number = float(text)
        apart = abs(number - value)
        if apart > _COSTLY * abs(value):
            agree = 0 if apart >= abs(value) else int(-math.log10(apart / abs(value)))
            hard.apart.add(agree, point, target.name)


def _has_decimals(root: Expr) -> bool:
    """Whether an expression has a literal or a constant that is no double."""
    leaves: Sequence[Expr] = [e for e in reachable([root]) if e.op in ("const", "constant")]
    return any((number := exact(e)) is None or Fraction(float(number)) != number for e in leaves)
