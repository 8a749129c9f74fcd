"""The correctly rounded double of a value or a partial derivative at a point, by balls.

A partial derivative is read from Taylor series along directions, with d^a for the derivative of powers a = (a_1 ...):
d^a f = sum over 0 != b <= a of (-1)**|a - b| * prod C(a_i, b_i) * [t**|a|] f(p + t*b).
(Griewank, Utke and Walther, Evaluating higher derivative tensors by forward propagation of univariate Taylor series,
Mathematics of Computation 69, 2000, in the form of a finite difference, which is exact for the homogeneous part.)
Layer: must not know which numbers are to be repaired, nor how many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.expr import Expr

if TYPE_CHECKING:
    from gradcli.truth.jets import Jet

BUDGET = 100_000
"""Work for one number: operations times terms times words of precision times directions; 1e5 take some 10 ms."""
FIRST, LAST = 128, 16_384
"""Bits of the first pass, which is made whatever it costs, and of the last."""
_WORD = 64


class Number(NamedTuple):
    """A correctly rounded double, or why there is none.

    ``why`` is "", "kink", "pole" or "domain" (a double has no meaning of its own there), "undecided" or "work".
    """

    value: float | None
    why: str = ""


def available() -> bool:
    """Whether python-flint is installed; without it nothing else here can be used."""
    return find_spec("flint") is not None


class Direction(NamedTuple):
    """A term of the formula above: its weight, and the direction as (name, step) pairs."""

    weight: int
    steps: tuple[tuple[str, int], ...]


def directions(powers: Mapping[str, int]) -> list[Direction]:
    """The terms of a partial derivative of positive order; a direction's steps have no common factor."""
    powers = {name: n for name, n in powers.items() if n}
    order = sum(powers.values())
    if len(powers) == 1:
        ((name, n),) = powers.items()
        return [Direction(math.factorial(n), ((name, 1),))]
    weights: dict[tuple[tuple[str, int], ...], int] = {}
    for steps in product(*[range(n + 1) for n in powers.values()]):
        if not any(steps):
            continue
        weight = (-1) ** (order - sum(steps))
        for n, k in zip(powers.values(), steps, strict=True):
            weight *= math.comb(n, k)
        # The coefficient of order n along m*b is m**n times that along b.
        common = math.gcd(*steps)
        reduced = tuple([(name, k // common) for name, k in zip(powers, steps, strict=True) if k])
        weights[reduced] = weights.get(reduced, 0) + weight * common**order
    return [Direction(weight, steps) for steps, weight in weights.items() if weight]


def nearest(ball: Any) -> float | None:
    """The double that every number of a ball is rounded to; None where there are several."""
    low, high = float(ball.lower()), float(ball.upper())
    if low != high:
        return None
    return low if low or ball > 0 or ball < 0 else 0.0


class _Column(NamedTuple):
    """A number asked for: its order, its terms, and the work of a term at 128 bits."""

    order: int
    terms: tuple[Direction, ...]
    work: int


class Repair:
    """The numbers of one expression. ``order``: series are made to it at least, so that columns of a point share them.

    What a number answers depends on the expression, its point, powers, budget and ``order`` alone.
    """

    def __init__(self, root: Expr, order: int = 0) -> None:
        self._root = root
        self._order = order
        self._jet: Jet | None = None
        self._columns: dict[tuple[tuple[str, int], ...], _Column] = {}
        self._series: dict[tuple[object, ...], Any] = {}
        self._at: tuple[float, ...] | None = None

    def number(
        self, point: Mapping[str, float], powers: Mapping[str, int], budget: int = BUDGET, least: int = FIRST
    ) -> Number:
        """The partial derivative of these powers (none: the value) at a point, where decimals mean their doubles."""
        return self.numbers([point], [powers], budget, least)[0][0]

    def numbers(
        self,
        points: Iterable[Mapping[str, float]],
        powers: Sequence[Mapping[str, int]],
        budget: int = BUDGET,
        least: int = FIRST,
    ) -> list[list[Number]]:
        """For each point the numbers of all ``powers``, which share their series."""
        from gradcli.truth.balls import LOCK
        from gradcli.truth.jets import Jet

        with LOCK:
            if self._jet is None:
                self._jet = Jet(self._root)
            columns = [self._column(p) for p in powers]
            order = max([self._order, *[column.order for column in columns]])
            return [self._at_point(point, columns, order, budget, least) for point in points]

    def _column(self, powers: Mapping[str, int]) -> _Column:
        assert self._jet is not None
        key = tuple([(name, n) for name, n in powers.items() if n])
        column = self._columns.get(key)
        if column is None:
            order = sum(n for _, n in key)
            terms = tuple(directions(powers)) if order else (Direction(1, ()),)
            work = self._jet.weight * (order + 1) * len(terms)
            column = self._columns[key] = _Column(order, terms, work)
        return column

    def _at_point(
        self, point: Mapping[str, float], columns: Sequence[_Column], order: int, budget: int, least: int
    ) -> list[Number]:
        assert self._jet is not None
        place = tuple([point[name] for name in self._jet.variables])
        if not all(map(math.isfinite, place)):
            return [Number(None, "domain")] * len(columns)
        if place != self._at:
            self._at, self._series = place, {}
        return [self._solve(place, column, order, budget, least) for column in columns]

    def _solve(self, place: tuple[float, ...], column: _Column, order: int, budget: int, least: int) -> Number:
        from gradcli.truth.balls import BallError

        bits = least
        while True:
            try:
                value = self._value(place, column, order, bits)
            except BallError as error:
                if error.final:
                    return Number(None, error.why)
                value = None
            if value is not None:
                return Number(value)
            bits *= 2
            if bits > LAST:
                return Number(None, "undecided")
            if column.work * (bits // _WORD) > budget:
                return Number(None, "work")

    def _value(self, place: tuple[float, ...], column: _Column, order: int, bits: int) -> float | None:
        from gradcli.truth.balls import arithmetic

        with arithmetic(bits):
            total: Any = 0
            for weight, steps in column.terms:
                total += self._coefficient(place, steps, column.order, order, bits) * weight
            return nearest(total)

    def _coefficient(
        self, place: tuple[float, ...], steps: tuple[tuple[str, int], ...], own: int, order: int, bits: int
    ) -> Any:
        """The coefficient of the order ``own``, from a series to ``order``, else, where that has no value, its own."""
        from gradcli.truth.balls import BallError

        key = steps, order if steps else 0, bits
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = self._expanded(place, *key)
        if isinstance(found, BallError):
            if own == key[1]:
                raise found.with_traceback(None)
            return self._coefficient(place, steps, own, own, bits)
        return found[own]

    def _expanded(self, place: tuple[float, ...], steps: tuple[tuple[str, int], ...], order: int, bits: int) -> Any:
        from flint import arb

        from gradcli.truth.balls import BallError, with_terms

        jet = self._jet
        assert jet is not None
        point = {name: arb(x) for name, x in zip(jet.variables, place, strict=True)}
        try:
            return with_terms(order + 1, lambda: jet.run(point, place, dict(steps)))
        except BallError as error:
            return error
