"""An output at a point: its value, its uncertainty and the budget of its sources, as numbers.

Layer: must not know how they come about.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gradcli.uncertainty.coverage import Expanded


class BudgetLine(NamedTuple):
    """A line of a budget: an input, and what its uncertainty makes of the result (JCGM 100, 5.1.3 and H.1, table H.1).

    ``sensitivity`` is the partial derivative, ``contribution`` its size times ``u``, in the unit of the result, and
    ``share`` the squared contribution as a fraction of the variance: with correlations shares need not add to 1.
    """

    name: str
    value: float
    u: float
    sensitivity: float
    contribution: float
    share: float


@dataclass(frozen=True)
class Outcome:
    """An output at a point: its value, its standard uncertainty in the same unit, and the ``budget`` by input.

    ``plus`` and ``minus`` where an input is two-sided; ``second``: value, uncertainty and the quotient of both
    uncertainties to second order, where it was computed. ``expanded``: the expanded uncertainty, where it was asked
    for.
    """

    name: str
    value: float
    u: float
    budget: Mapping[str, BudgetLine]
    plus: float | None = None
    minus: float | None = None
    second: tuple[float, float, float] | None = None
    expanded: Expanded | None = None

    @property
    def relative(self) -> float:
        """The relative standard uncertainty, u/abs(value); inf or nan where the value is 0."""
        if self.value == 0:
            return math.inf if self.u > 0 else math.nan
        return self.u / abs(self.value)

    @property
    def sources(self) -> list[BudgetLine]:
        """The lines of the budget, the largest contribution first."""
        return sorted(self.budget.values(), key=lambda line: -line.contribution if line.contribution >= 0 else math.inf)
