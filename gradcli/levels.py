"""Reductions taken apart: expressions -> levels of single numbers, each from all points, and what is left at a point.

A reduction whose argument holds no other reduction is of the first level; one that holds some, of the level after
theirs. The numbers of a level can be found in one pass over the points, once those of the levels before it are known;
they then stand for the reductions as variables nobody can type. Must not know how a pass is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gradcli.expr import ONE, ZERO, Expr, apply, const, reachable, rebuild, var
from gradcli.functions import NONLOCAL, reduces

_PREFIX = "\0r"


class Reduction(NamedTuple):
    """``name`` stands for ``op`` over all points of ``argument``, which holds no reduction."""

    name: str
    op: str
    argument: Expr


def stands_for_number(name: str) -> bool:
    """Whether a variable stands for a reduction."""
    return name.startswith(_PREFIX)


def has_reductions(roots: Sequence[Expr]) -> bool:
    """Whether any node takes all points at once."""
    return any(e.op in NONLOCAL or reduces(e) for e in reachable(roots))


def staged(roots: Sequence[Expr]) -> tuple[list[list[Reduction]], list[Expr]]:
    """The reductions by level, and the roots with variables in their place."""
    levels: list[list[Reduction]] = []
    new: dict[Expr, Expr] = {}
    depth: dict[Expr, int] = {}
    count = 0
    roots = _pointwise(roots)
    for e in reachable(roots):
        args = tuple([new[a] for a in e.args])
        level = max([depth[a] for a in e.args], default=0)
        if reduces(e):
            name = f"{_PREFIX}{count}"
            count += 1
            if level == len(levels):
                levels.append([])
            levels[level].append(Reduction(name, e.op, args[0]))
            new[e], depth[e] = var(name), level + 1
        else:
            new[e], depth[e] = rebuild(e, args), level
    return levels, [new[r] for r in roots]


# What the slopes of reductions are, at a point, in reductions of other expressions.


def _number(op: str, x: Expr) -> Expr:
    return apply(op, x)


def _equal(a: Expr, b: Expr) -> Expr:
    return apply("eq", a, b)


def _where(condition: Expr, a: Expr, b: Expr) -> Expr:
    return apply("where", condition, a, b)


def _unit(x: Expr) -> Expr:
    lead, scale = _number("norm_lead", x), _number("norm_scale", x)
    return _where(_equal(lead, ZERO), ZERO, x * scale * scale / lead)


def _others(x: Expr) -> tuple[Expr, Expr, Expr]:
    """Of the factors that are not 0: their product, the same without x, and a 0 that is nan where one is not finite."""
    lead, scale = _number("prod_lead", x), _number("prod_scale", x)
    part = lead * scale
    # Step by step: the powers alone may leave the range of a double where the product does not.
    return part * scale * scale * scale, part / x * scale * scale * scale, lead - lead


def _zeros(x: Expr) -> tuple[Expr, Expr]:
    """Whether x is 0, and at how many points it is."""
    zero = _equal(x, ZERO)
    return zero, _number("sum", _where(zero, ONE, ZERO))


def _cofactor(x: Expr) -> Expr:
    every, rest, none = _others(x)
    zero, zeros = _zeros(x)
    return _where(zero, _where(_equal(zeros, ONE), every, none), _where(_equal(zeros, ZERO), rest, none))


def _cofactor_along(x: Expr, v: Expr) -> Expr:
    every, rest, none = _others(x)
    zero, zeros = _zeros(x)
    # What a point itself adds to a sum is taken back from it, so the sum is needed to twice the digits.
    share, at_zeros = _where(zero, ZERO, v / x), _where(zero, v, ZERO)
    other_shares = (_number("sum", share) - share) + _number("sum_lost", share)
    other_zeros = (_number("sum", at_zeros) - v) + _number("sum_lost", at_zeros)
    one_less = _where(_equal(zeros, ONE), rest * _number("sum", at_zeros), none)
    two_less = _where(_equal(zeros, const(2)), every * other_zeros, none)
    return _where(
        zero,
        _where(_equal(zeros, ONE), every * _number("sum", share), two_less),
        _where(_equal(zeros, ZERO), rest * other_shares, one_less),
    )


_FORMS: dict[str, Callable[..., Expr]] = {"unit": _unit, "cofactor": _cofactor, "cofactor_along": _cofactor_along}


def _pointwise(roots: Sequence[Expr]) -> list[Expr]:
    """The roots with rows of NONLOCAL as what they are made of."""
    new: dict[Expr, Expr] = {}
    for e in reachable(roots):
        args = tuple([new[a] for a in e.args])
        new[e] = _FORMS[e.op](*args) if e.op in NONLOCAL else rebuild(e, args)
    return [new[r] for r in roots]
