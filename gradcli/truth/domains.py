"""Ends of domains that a box reaches: sqrt(1 - x**2) has a value at x = 1, where a ball of 1 - x**2 is too wide.

Where the argument is proved to stay inside, what the ball has outside is cut off.
Layer: must not know what is searched for in a box.
"""

from __future__ import annotations

from collections.abc import Callable

from gradcli.expr import Expr, exact
from gradcli.truth.balls import Ball


def _above(a: Ball, end: int) -> Ball:
    return (a - end).nonnegative_part() + end


def _below(a: Ball, end: int) -> Ball:
    return -_above(-a, -end)


def _within_one(a: Ball) -> Ball:
    return _below(_above(a, -1), 1)


_ENDS: dict[str, tuple[Callable[[Expr], list[Expr]], Callable[[Ball], Ball]]] = {
    "sqrt": (lambda x: [x], lambda a: _above(a, 0)),
    "power": (lambda x: [x], lambda a: _above(a, 0)),
    "power_shift": (lambda x: [x], lambda a: _above(a, 0)),
    "asin": (lambda x: [1 - x, 1 + x], _within_one),
    "acos": (lambda x: [1 - x, 1 + x], _within_one),
    "acosh": (lambda x: [x - 1], lambda a: _above(a, 1)),
}
"""What must not be negative, and the part of a ball that is inside."""


def margins(e: Expr) -> list[Expr]:
    """What must not be negative for the expression to have a value; nothing where it always has one."""
    if e.op not in _ENDS or (e.op.startswith("power") and ((n := exact(e.args[1])) is None or n.denominator == 1)):
        return []
    return _ENDS[e.op][0](e.args[0])


def inside(e: Expr, a: Ball) -> Ball:
    """The part of a ball, which holds the argument of ``e``, that is in the domain."""
    return _ENDS[e.op][1](a)
