"""The true derivative where a double does not tell it: at hard points, and where rounding has taken its digits.

A hard point lies on a hazard of the expression. What is true there is decided on both sides of it, as everywhere else:
the derivative where there is one, else the convention of the formula.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from gradcli.calculus.hazards import hazards
from gradcli.expr import Expr, const
from gradcli.job.decimals import exactly
from gradcli.job.kink_rules import CLOSE, derivative
from gradcli.job.once import once
from gradcli.job.parse_at_grid_fill import Points
from gradcli.limits.work import spend

if TYPE_CHECKING:
    from gradcli.truth.digits import Digits
    from gradcli.truth.signs import Distances
    from gradcli.truth.verdict import Judge
    from gradcli.verify.claims import Claim

_WORK = 10_000
"""Products of coefficients for a hard point, some 50 ms."""
_STEPS = 1000
"""Steps that a number costs here."""
_FAILURES = 8
"""Points without an answer after which no more are tried."""
_DIGITS = 17


class Exact(NamedTuple):
    """The derivative at a point, and by how much a claim may differ from it beyond its own rounding."""

    value: float
    error: float


UNDECIDED = Exact(math.nan, math.inf)


class Truths:
    """The truths about the claims of a request, whose expressions have these variables.

    ``typed``: the points as they were typed. ``missing``: numbers that need python-flint, which is not installed.
    """

    def __init__(self, names: Sequence[str], typed: Points | None = None) -> None:
        self.names, self.typed = names, typed or Points()
        self.missing = 0
        self._judges: dict[tuple[Expr, int], Judge] = {}
        self._distances: dict[Expr, Distances] = {}
        self._digits: dict[tuple[Expr, int], Digits] = {}
        self._failures: Counter[tuple[str, str]] = Counter()

    @once
    def exact(self) -> bool:
        from gradcli.truth.repair import available

        return available()

    def regular(self, claim: Claim, point: Mapping[str, float]) -> bool:
        """Whether a point that seems hard is surely none: no distance to a hazard is 0 there."""
        if not self.exact or not all(map(math.isfinite, point.values())):
            return False
        if claim.root not in self._distances:
            from gradcli.truth.signs import Distances

            self._distances[claim.root] = Distances([d for group in hazards([claim.root]) for d in group])
        return self._distances[claim.root].apart(self._place(point))

    def _place(self, point: Mapping[str, float]) -> dict[str, Expr]:
        return exactly(self.typed, point)

    def hard(self, claim: Claim, point: Mapping[str, float], before: float) -> Exact | None:
        """The true derivative at a hard point, which is ``before`` itself where that double is right.

        None: there is no derivative, and the convention of the formula holds.
        """
        powers = self.wrt(claim)
        if not powers or not all(map(math.isfinite, point.values())):
            return None
        if not self.exact:
            self.missing += 1
            return None
        if self._given_up(claim, "hard"):
            return UNDECIDED
        spend(_STEPS)
        order = sum(powers.values())
        judge = self._judge(claim.root, order)
        place = self._place(point)
        truths = [judge.along(place, name) for name in powers]
        if any(t.verdict == "unknown" for t in truths):
            return self._undecided(claim, "hard")
        if len(powers) > 1:
            number = self._number(claim.root, powers, point)
            if number is None:
                number = judge.mixed(place, powers)
            if number is not None:
                return _exact(number, before, place, point)
            return UNDECIDED if all(t.verdict == "smooth" for t in truths) else None
        (truth,) = truths
        at_point = derivative(truth, order)
        if at_point is None:
            return None
        if truth.verdict == "smooth":
            if _close(before, at_point):
                return Exact(before, 0.0)
            number = self._number(claim.root, powers, point)
            if number is not None:
                return _exact(number, before, place, point)
        # A zero that was taken for granted proves no claim wrong.
        return _exact(at_point, before, place, point) if truth.proved else UNDECIDED

    def repaired(self, claim: Claim, point: Mapping[str, float]) -> Exact | None:
        """The derivative at the doubles of a point, literals read as decimals; None where that cannot be proved."""
        powers = self.wrt(claim)
        if not powers or not all(map(math.isfinite, point.values())) or not self.exact:
            return None
        if self._given_up(claim, "repaired"):
            return None
        spend(_STEPS)
        number = self._number(claim.root, powers, point)
        if number is None:
            self._undecided(claim, "repaired")
            return None
        return Exact(number, CLOSE * abs(number))

    def wrt(self, claim: Claim) -> dict[str, int]:
        """The variables of a claimed derivative, each with its order."""
        partial = claim.partial or ()
        return {self.names[k]: partial.count(k) for k in sorted({*partial})}

    def _judge(self, root: Expr, order: int) -> Judge:
        if (root, order) not in self._judges:
            from gradcli.truth.verdict import Judge

            self._judges[root, order] = Judge(root, order, _WORK)
        return self._judges[root, order]

    def _number(self, root: Expr, powers: Mapping[str, int], point: Mapping[str, float]) -> float | None:
        order = sum(powers.values())
        if (root, order) not in self._digits:
            from gradcli.truth.digits import Digits

            self._digits[root, order] = Digits(root, order)
        doubles = {name: const(Fraction(value)) for name, value in point.items()}
        text = self._digits[root, order].texts([doubles], [powers], _DIGITS)[0][0]
        return None if text is None else float(text)

    def _given_up(self, claim: Claim, what: str) -> bool:
        return self._failures[claim.name, what] >= _FAILURES

    def _undecided(self, claim: Claim, what: str) -> Exact:
        self._failures[claim.name, what] += 1
        return UNDECIDED


def _close(before: float, number: float) -> bool:
    """Whether a double stands for a number."""
    return before == number or (math.isfinite(number) and abs(before - number) <= CLOSE * abs(number))


def _exact(number: float, before: float, place: Mapping[str, Expr], point: Mapping[str, float]) -> Exact:
    if _close(before, number):
        return Exact(before, 0.0)
    # The number is that at the decimals; a claim is computed at the doubles.
    same = all(e.op == "const" and Fraction(point[name]) == e.value for name, e in place.items())
    return Exact(number, CLOSE * (abs(number) if same else abs(number) + 1))
