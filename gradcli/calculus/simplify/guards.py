"""`unguarded`, the removal of guards that matter at single points only.

The slopes of a power with an unknown exponent are 0 where the base is 0 and their formula has no value. A reader needs
the formula, and the points as a remark. Layer: must not know derivatives or numbers of points.
"""

from __future__ import annotations

from collections.abc import Iterable

from gradcli.expr import ZERO, Expr, reachable, rebuild, rewrite
from gradcli.functions import TABLE

_MOST = 8
"""The most guards that are removed: more remarks would be longer than the text that they shorten."""


def unguarded(roots: list[Expr], given: Iterable[Expr]) -> tuple[list[Expr], list[tuple[Expr, Expr]]]:
    """The roots without such guards, and the (condition, formula) of each, where the formula counts as 0.

    The choices in ``given``, the expressions as typed, stay.
    """
    choices = [e for e in reachable(roots) if e.op == "where" and e.args[0].op == "and" and e.args[1] is ZERO]
    if not 0 < len(choices) <= _MOST:
        return roots, []
    kept = {e.args[0] for e in reachable(given) if e.op == "where"}
    removed = {e for e in choices if e.args[0] not in kept and _at_points(e.args[0])}
    guards: dict[Expr, Expr] = {}

    def rule(e: Expr, args: tuple[Expr, ...]) -> Expr:
        if e not in removed:
            return rebuild(e, args)
        guards[args[0]] = args[2]
        return args[2]

    return rewrite(roots, rule), list(guards.items())


def _at_points(condition: Expr) -> bool:
    """Whether a condition asks that a base, or an exponent, is 0."""
    return any(c.op == "eq" and ZERO in c.args and all(map(_isolated, c.args)) for c in condition.args)


def _isolated(base: Expr) -> bool:
    """Whether no part of ``base`` selects or steps, which could make it 0 over an interval."""
    rows = [TABLE[e.op] for e in reachable([base]) if e.args]
    arithmetic = {"add", "sub", "mul", "div", "neg"}
    return all(r.name in arithmetic or not (r.direct or r.slopes is None or r.selects or r.exact) for r in rows)
