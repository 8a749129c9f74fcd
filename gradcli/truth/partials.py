"""Values and partial derivatives of an expression at a point, to as many bits as a number needs.

A partial derivative is read from Taylor series along directions, with d^a for the derivative of powers a = (a_1 ...):
d^a f = sum over 0 != b <= a of (-1)**|a - b| * prod C(a_i, b_i) * [t**|a|] f(p + t*b).
(Griewank, Utke and Walther, Evaluating higher derivative tensors by forward propagation of univariate Taylor series,
Mathematics of Computation 69, 2000; these weights are those of a finite difference, which is exact for the terms of
order |a|.)
Layer: must not know what a ball is rounded to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple, TypeVar

from gradcli.expr import Expr
from gradcli.truth.balls import Ball, BallError, arithmetic, with_terms
from gradcli.truth.jets import Jet

T = TypeVar("T")

_WORD = 64
Steps = tuple[tuple[str, int], ...]
"""A direction: how far each variable moves."""
Powers = Mapping[str, int]


class Term(NamedTuple):
    """A term of the formula above."""

    weight: int
    steps: Steps


class Column(NamedTuple):
    """A number asked for: its order, its terms, and its work at 64 bits."""

    order: int
    terms: tuple[Term, ...]
    work: int


class Place(NamedTuple):
    """A point: what stands for it, and its coordinates as balls of the bits that are set."""

    key: tuple[Any, ...]
    balls: Callable[[], Mapping[str, Ball]]


class Effort(NamedTuple):
    """How much a number may cost: the bits of the first pass, which is always made, and of the last; and the work of
    each pass after the first, in operations times terms times words times directions.
    """

    first: int
    last: int
    budget: int


def terms(powers: Powers) -> tuple[Term, ...]:
    """The terms of a partial derivative; the steps of a direction have no common factor."""
    powers = {name: n for name, n in powers.items() if n}
    order = sum(powers.values())
    if len(powers) < 2:
        return (Term(math.factorial(order), tuple([(name, 1) for name in powers])),)
    weights: dict[Steps, int] = {}
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
    return tuple([Term(weight, steps) for steps, weight in weights.items() if weight])


class Partials:
    """The numbers of one expression at one point after another. ``doubles`` as for `Jet`.

    ``order``: series are made to it at least, so that the numbers of a point share them. What a number answers depends
    on the expression, the point, the powers, the effort and ``order`` alone.
    """

    def __init__(self, root: Expr, order: int, *, doubles: bool) -> None:
        self.jet = Jet(root, doubles=doubles)
        self._order = order
        self._columns: dict[Steps, Column] = {}
        self._series: dict[tuple[Steps, int, int], list[Ball] | BallError] = {}
        self._at: tuple[Any, ...] | None = None

    def column(self, powers: Powers) -> Column:
        key = tuple([(name, n) for name, n in powers.items() if n])
        column = self._columns.get(key)
        if column is None:
            order = sum(n for _, n in key)
            parts = terms(powers)
            column = self._columns[key] = Column(order, parts, self.jet.weight * (order + 1) * len(parts))
        return column

    def solve(
        self, place: Place, columns: Sequence[Column], accept: Callable[[Ball], T | None], effort: Effort
    ) -> list[T | BallError]:
        """For each column what ``accept`` makes of its ball, as soon as it is not None; else why there is none.

        A BallError of the reason "work" says that the budget is too small. Called inside `balls.arithmetic`.
        """
        if place.key != self._at:
            self._at, self._series = place.key, {}
        order = max([self._order, *[column.order for column in columns]])
        pure = [column.terms[0].steps for column in columns if column.order and len(column.terms) == 1]
        if pure:
            # A value is the head of a series that is needed anyway.
            columns = [c if c.order else c._replace(terms=(Term(1, pure[0]),)) for c in columns]
        return [self._number(place, column, order, accept, effort) for column in columns]

    def _number(
        self, place: Place, column: Column, order: int, accept: Callable[[Ball], T | None], effort: Effort
    ) -> T | BallError:
        bits = effort.first
        while True:
            try:
                with arithmetic(bits):
                    accepted = accept(self._total(place, column, order, bits))
                if accepted is not None:
                    return accepted
            except BallError as error:
                if error.final:
                    return error.again()
            bits *= 2
            if bits > effort.last:
                return BallError("undecided", True)
            if column.work * (bits // _WORD) > effort.budget:
                return BallError("work", True)

    def _total(self, place: Place, column: Column, order: int, bits: int) -> Ball:
        total: Ball = 0
        for weight, steps in column.terms:
            total += self._coefficient(place, steps, column.order, order, bits) * weight
        return total

    def _coefficient(self, place: Place, steps: Steps, own: int, order: int, bits: int) -> Ball:
        """The coefficient of the order ``own``, of a series to ``order``, else, where that has no value, to its own."""
        key = steps, order if steps else 0, bits
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = self._expanded(place, steps, key[1])
        if isinstance(series, BallError):
            if own == key[1]:
                raise series.again()
            return self._coefficient(place, steps if own else (), own, own, bits)
        return series[own]

    def _expanded(self, place: Place, steps: Steps, order: int) -> list[Ball] | BallError:
        try:
            return list(with_terms(order + 1, lambda: self.jet.run(place.balls(), place.key, dict(steps))))
        except BallError as error:
            return error.again()
