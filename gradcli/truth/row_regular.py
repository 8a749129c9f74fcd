"""Rows of the function table as Taylor series in a regular point, with coefficients that are balls by `jets`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from flint import arb, arb_series, ctx

from gradcli.truth.balls import Ball, BallError, Rule, with_terms
from gradcli.truth.budget import Budget, UndefinedError, UnknownError
from gradcli.truth.elementary_numbers import current
from gradcli.truth.jets import RULES
from gradcli.truth.numbers import ZERO, Exact
from gradcli.truth.row_limits import Row
from gradcli.truth.series import Germ, compose, constant
from gradcli.truth.series_functions import finite_limit


def finite(u: Germ) -> Exact:
    """The limit of an argument. Raise UnknownError at infinity."""
    at = finite_limit(u)
    if at is None:
        raise UnknownError("a function without limits at infinity")
    return at


def taylor(name: Hashable, rule: Rule, known: Callable[[Exact], Exact | None] | None = None) -> Row:
    """The Taylor series of a function at the limit of its argument, by its row in ball arithmetic.

    ``known``: values that are exact, or named otherwise, at some numbers.
    """

    def row(u: Germ) -> Germ:
        field = u.field
        point = field.normal(finite(u))
        value = None if known is None else known(point)
        series = _Series(rule, point, field.budget)

        def factor(j: int) -> Exact:
            if not j and value is not None:
                return value
            return field.number("taylor", (name, field.identity(point), j), lambda: series.coefficient(j))

        return compose(factor, u - u.number(point))

    return row


def regular(op: str, parameter: int | None, values: Sequence[Germ]) -> Germ:
    """Any row with a rule in ball arithmetic, as its Taylor series in the one argument that moves."""
    rule = RULES.get(op)
    moving = [k for k, value in enumerate(values) if value.value is None]
    if rule is None or len(moving) > 1:
        raise UnknownError(f"{op} has no series")
    field = values[0].field
    k = moving[0] if moving else 0
    at = [field.normal(finite(value) if j == k else value.value or ZERO) for j, value in enumerate(values)]
    more = () if parameter is None else (parameter,)

    def along(u: Ball) -> Ball:
        return rule(*[u if j == k else current(number) for j, number in enumerate(at)], *more)

    def value(point: Exact) -> Exact:
        key = (op, parameter, *map(field.identity, at))
        return field.number("row", key, lambda: _bounded(lambda: along(current(point))))

    if not moving:
        return constant(field, value(at[k]))
    return taylor((op, parameter, k, *[field.identity(n) for j, n in enumerate(at) if j != k]), along, value)(values[k])


def _bounded(rule: Callable[[], Ball]) -> Ball:
    """A value in ball arithmetic; a ball without bounds where it is not decided."""
    try:
        return rule()
    except BallError as error:
        if error.why == "domain":
            raise UndefinedError("outside the domain") from None
        return arb("nan")


class _Series:
    """The Taylor coefficients of a row at a number: as many as were asked for, at each precision."""

    def __init__(self, rule: Rule, point: Exact, budget: Budget) -> None:
        self.rule = rule
        self.point = point
        self.budget = budget
        self.known: dict[int, list[arb]] = {}

    def coefficient(self, j: int) -> arb:
        """The ball of a coefficient; one without bounds where the row has none."""
        series = self.known.get(ctx.prec, [])
        if j >= len(series):
            count = max(_FIRST, 2 * j)
            self.budget.spend(_WORK * count * ctx.prec // 128)
            found = _bounded(lambda: with_terms(count, lambda: self.rule(arb_series([current(self.point), 1], count))))
            series = self.known[ctx.prec] = [found[k] for k in range(count)] if isinstance(found, arb_series) else []
            if not series:
                return arb("nan")
        return series[j]


_WORK = 32
"""Products of coefficients that take as long as a coefficient of a special function at 128 bits."""
_FIRST = 6
"""Coefficients that are computed at once."""
