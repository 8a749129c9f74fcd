"""Exact values and Taylor series of expressions of rational numbers: what no ball can prove, a zero or a tie.

Elementary functions are among them where their series are rational: exp about 0, log about 1.

Layer: must not know balls.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from flint import ctx, fmpq, fmpq_series

from gradcli.expr import Expr, exact, reachable

_RULES: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "neg": operator.neg,
    "div": operator.truediv,
}
_METHODS = frozenset(
    {"exp", "log", "sqrt", "sin", "cos", "tan", "asin", "atan", "sinh", "cosh", "tanh", "asinh", "atanh"}
)
"""Functions with rational coefficients about 0, or about 1 (log, sqrt)."""
_STEPS = 200
"""Operations of the longest expression that is computed exactly, and the largest exponent: digits double with each."""


def coefficients(
    root: Expr, point: Mapping[str, Fraction], direction: Mapping[str, int], count: int
) -> list[Any] | None:
    """The first Taylor coefficients as flint's fractions; None where the expression is not one of rational numbers."""
    nodes = reachable([root])
    if len(nodes) > _STEPS:
        return None
    before, ctx.cap = ctx.cap, count
    try:
        return _walk(nodes, point, direction, count)
    except (ValueError, ZeroDivisionError):
        return None
    finally:
        ctx.cap = before


def _walk(
    nodes: list[Expr], point: Mapping[str, Fraction], direction: Mapping[str, int], count: int
) -> list[Any] | None:
    values: dict[Expr, Any] = {}
    for e in nodes:
        q = exact(e)
        if q is not None:
            values[e] = fmpq_series([fmpq(q.numerator, q.denominator)], prec=count)
        elif e.op == "var":
            x = point[str(e.value)]
            step = direction.get(str(e.value), 0)
            values[e] = fmpq_series([fmpq(x.numerator, x.denominator), step], prec=count)
        elif e.op == "power":
            n = exact(e.args[1])
            if n is None or n.denominator > 1 or abs(n) > _STEPS:
                return None
            power = values[e.args[0]] ** abs(int(n))
            values[e] = 1 / power if n < 0 else power
        elif e.op in _RULES:
            values[e] = _RULES[e.op](*[values[a] for a in e.args])
        elif e.op == "lambertw":
            values[e] = _lambert(values[e.args[0]], count)
        elif e.op in _METHODS:
            # flint raises ValueError where the first coefficient is none of the few with a rational value.
            values[e] = getattr(values[e.args[0]], e.op)()
        else:
            return None
    y = values[nodes[-1]]
    return [y[k] for k in range(count)]


def _lambert(u: Any, count: int) -> Any:
    """W(u), where W is the inverse of x*exp(x). Raises ValueError where u does not begin at 0."""
    x = fmpq_series([0, 1], prec=max(count, 2))
    return (x * x.exp()).reversion()(u)
