"""Reductions over all points, separated by level from the pointwise remainder of the expressions.

A reduction whose argument contains no other reduction has level 0; any other has the level after the highest inside
it. One pass over the points computes a level, given the results of the levels below, which stand in the expressions
as variables with names that cannot be typed. Layer: must not know how a pass is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from gradcli.expr import ONE, ZERO, Expr, apply, const, reachable, rebuild, rewrite, var
from gradcli.functions import NONLOCAL, reduces
from gradcli.functions.row import abs_, and_, eq, lt, where

_PREFIX = "\0r"


class Reduction(NamedTuple):
    """The variable ``name`` stands for ``op`` over all points of ``argument``, which contains no reduction."""

    name: str
    op: str
    argument: Expr


def number_name(word: str) -> str:
    """The name of a variable that stands for one number for all points, such as the result of a reduction."""
    return f"{_PREFIX}{word}"


def stands_for_number(name: str) -> bool:
    """Whether a variable is one number for all points: `number_name` made its name."""
    return name.startswith(_PREFIX)


def has_reductions(roots: Sequence[Expr]) -> bool:
    """Whether any node is a reduction over all points, or made of some."""
    return any(e.op in NONLOCAL or reduces(e) for e in reachable(roots))


def staged(roots: Sequence[Expr]) -> tuple[list[list[Reduction]], list[Expr]]:
    """The reductions by level, and the roots with variables in place of the reductions."""
    levels: list[list[Reduction]] = []
    new: dict[Expr, Expr] = {}
    depth: dict[Expr, int] = {}
    count = 0
    roots = rewrite(roots, lambda e, args: _FORMS[e.op](*args) if e.op in NONLOCAL else rebuild(e, args))
    for e in reachable(roots):
        args = tuple([new[a] for a in e.args])
        level = max([depth[a] for a in e.args], default=0)
        if reduces(e):
            name = number_name(str(count))
            count += 1
            if level == len(levels):
                levels.append([])
            levels[level].append(Reduction(name, e.op, args[0]))
            new[e], depth[e] = var(name), level + 1
        else:
            new[e], depth[e] = rebuild(e, args), level
    return levels, [new[r] for r in roots]


# The derivatives of norm and prod at a point, written in reductions of other expressions.


def _unit(x: Expr) -> Expr:
    lead, scale = apply("norm_lead", x), apply("norm_scale", x)
    return where(eq(lead, ZERO), ZERO, x * scale * scale / lead)


def _parts(x: Expr) -> tuple[Expr, Expr]:
    """The product of all nonzero elements as lead*scale**4, with lead and scale both at least or both at most 1."""
    return apply("prod_lead", x), apply("prod_scale", x)


def _with_scale(e: Expr, scale: Expr) -> Expr:
    # One factor after the other: scale**4 may overflow or underflow where the product does not.
    return e * scale * scale * scale * scale


def _others(lead: Expr, scale: Expr, x: Expr) -> Expr:
    """lead*scale**4/x in an order that stays in range where the result does; lead/x overflows for a subnormal x."""
    tiny, late = lt(abs_(x), const(Fraction(1, 2**900))), lt(const(Fraction(1, 2**50)), scale)
    up = where(tiny, const(Fraction(2**200)), ONE)
    value = lead / (x * up) * scale * where(late, ONE, up)
    return value * scale * scale * scale * where(late, up, ONE)


def _rest_times(x: Expr, v: Expr) -> Expr:
    """The product of all nonzero elements but x, times v, in an order that stays in range where the result does."""
    lead, scale = _parts(x)
    opposite = apply("ne", lt(abs_(v), ONE), lt(abs_(x), ONE))
    at_once = _with_scale(v / x * lead, scale)
    by_halves = (v * scale * scale) * (lead * scale / x * scale)
    return where(and_(opposite, apply("ne", v, ZERO)), by_halves, at_once)


def _zeros(x: Expr) -> tuple[Expr, Expr]:
    """The condition that x is 0 here, and the number of points where it is."""
    zero = eq(x, ZERO)
    return zero, apply("sum", where(zero, ONE, ZERO))


def _cofactor(x: Expr) -> Expr:
    """The derivative of prod in the element x: the product of all other elements."""
    lead, scale = _parts(x)
    zero, zeros = _zeros(x)
    # With one zero elsewhere the product of the others is 0, or nan if another element than x is infinite or nan.
    odd = where(eq(x - x, ZERO), ZERO, ONE)
    others = where(eq(apply("sum", odd), odd), ZERO, const(math.nan))
    return where(
        eq(zeros, ZERO),
        _others(lead, scale, x),
        where(eq(zeros, ONE), where(zero, _with_scale(lead, scale), others), ZERO),
    )


def _cofactor_along(x: Expr, v: Expr) -> Expr:
    """The second derivative of prod in the element x, along v: the sum over all others of their cofactor times v."""
    lead, scale = _parts(x)
    none = lead - lead
    zero, zeros = _zeros(x)
    # A point's own term is subtracted from the sum, which cancels: `sum_lost` adds what rounding took from the sum.
    share, at_zeros = where(zero, ZERO, v / x), where(zero, v, ZERO)
    other_shares = (apply("sum", share) - share) + apply("sum_lost", share)
    other_zeros = (apply("sum", at_zeros) - v) + apply("sum_lost", at_zeros)
    one_less = where(eq(zeros, ONE), _rest_times(x, apply("sum", at_zeros)), none)
    two_less = where(eq(zeros, const(2)), _with_scale(lead * other_zeros, scale), none)
    return where(
        zero,
        where(eq(zeros, ONE), _with_scale(lead * apply("sum", share), scale), two_less),
        where(eq(zeros, ZERO), _rest_times(x, other_shares), one_less),
    )


_FORMS: dict[str, Callable[..., Expr]] = {"unit": _unit, "cofactor": _cofactor, "cofactor_along": _cofactor_along}
"""The functions of NONLOCAL, written out in reductions."""
