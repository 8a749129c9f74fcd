"""Mixed partial derivatives at marked points.

Layer: must not know columns and notes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gradcli.expr import ZERO, Expr, apply, bit
from gradcli.job.decimals import exactly
from gradcli.job.once import once

if TYPE_CHECKING:
    from gradcli.job.hard_points import HardPoints, Target
    from gradcli.job.repairs import Repairs
    from gradcli.truth.verdict import Judge
    from gradcli.truth.words import Beside

_SHARED = 40_000_000
"""Work of germs shared by the mixed derivatives of a point, about 10 s."""
_LEAST = 2500
"""A share of it that is smaller is not worth the trial."""


class Mixed:
    """The mixed partial derivatives of a job: from the terms of a sum in which all their variables meet."""

    def __init__(self, hard: HardPoints, balls: Repairs) -> None:
        self.hard, self.balls = hard, balls
        self._terms: dict[tuple[int, int], Expr] = {}
        self._judges: dict[Expr, Judge] = {}

    def number(
        self, point: Mapping[str, float], target: Target, truths: Mapping[str, Beside], before: float
    ) -> float | None:
        """The number of a column at a marked point; None: it stays as it is."""
        rule, order = self.hard.job.kink, sum(target.powers.values())
        breaks = [truths[name].breaks for name in target.powers if name in truths]
        # A derivative along an axis that breaks is one of those which make the mixed one.
        broken = any(first is not None and first <= order for first in breaks)
        nowhere = rule == "derivative" and not any(math.isfinite(t.value) for t in truths.values())
        if not broken and self.balls.exact and all(map(math.isfinite, point.values())):
            number = self._derivative(point, target)
            if number is None and not nowhere:
                self.hard.split.add(0, point, target.name)
            return number if number is not None or nowhere else math.nan
        smooth = all(t.verdict == "smooth" for t in truths.values())
        return math.nan if (broken and not nowhere) or (rule != "derivative" and not smooth) else None

    def _derivative(self, point: Mapping[str, float], target: Target) -> float | None:
        terms, root = self._meeting(target), self.hard.roots[target.output]
        if terms is ZERO:
            return 0.0
        number = self.balls.ball(point, target)
        # The kink of a term may be cancelled by one that is left out.
        for e in dict.fromkeys((terms, root)):
            if number is None and self._work >= _LEAST:
                number = self._judge(e).mixed(exactly(self.hard.typed, point), target.powers)
        return number

    def _judge(self, e: Expr) -> Judge:
        if e not in self._judges:
            from gradcli.truth.budget import BUDGET
            from gradcli.truth.verdict import Judge

            self._judges.setdefault(e, Judge(e, max(self.hard.order, 1), min(BUDGET, self._work)))
        return self._judges[e]

    @once
    def _work(self) -> int:
        """The work of a number along a line; what a point answers hangs on no other point."""
        from gradcli.truth.lines import DIRECTIONS

        mixed = [target for target in self.hard.targets if len(target.powers) > 1]
        return _SHARED // (DIRECTIONS * max(1, sum(self._meeting(target) is not ZERO for target in mixed)))

    def _meeting(self, target: Target) -> Expr:
        bits = 0
        for name in target.powers:
            bits |= bit(name)
        key = target.output, bits
        if key not in self._terms:
            self._terms[key] = meeting(self.hard.roots[target.output], bits)
        return self._terms[key]


def meeting(root: Expr, bits: int) -> Expr:
    """The sum of those terms of an expression that hang on all variables of ``bits``."""
    stack, found = [(root, False)], ZERO
    while stack:
        e, negative = stack.pop()
        if e.variables & bits != bits:
            continue
        if e.op in ("add", "sub"):
            stack += [(e.args[1], negative != (e.op == "sub")), (e.args[0], negative)]
        elif e.op == "neg":
            stack.append((e.args[0], not negative))
        elif found is ZERO:
            found = apply("neg", e) if negative else e
        else:
            found = apply("sub" if negative else "add", found, e)
    return found
