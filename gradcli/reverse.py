"""Reverse mode: adjoints of one expression in many variables, as expressions.

The gradient costs a small multiple of the value, however many variables there are (Griewank and Walther,
Evaluating Derivatives, chapter 4). An adjoint carries the condition under which it is alive; what is multiplied on
its way down is selected by it wherever adjoints meet, so an infinite slope in the branch that `where` did not take
never leaks. Must not know evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.expr import BOOLEANS, ONE, ZERO, Expr, apply, bit, exact, reachable
from gradcli.functions import slopes

Alive = tuple[Expr | None, Expr]
"""Condition (None: always) and the adjoint where it holds."""


def _product(a: Expr, b: Expr) -> Expr | None:
    for number, other in ((exact(a), b), (exact(b), a)):
        if number is not None and number in (1, -1):
            return other if number == 1 else apply("neg", other)
    product = apply("mul", a, b)
    return None if product is ZERO else product


def _selected(adjoint: Alive) -> Expr:
    condition, value = adjoint
    return value if condition is None else apply("where", condition, value, ZERO)


def _both(a: Expr | None, b: Expr | None, op: str) -> Expr | None:
    if a is None or b is None:
        # Always and c is c; always or c is always.
        return (a or b) if op == "and" else None
    return a if a is b else apply(op, a, b)


def gradient(root: Expr, names: Sequence[str]) -> dict[str, Expr]:
    """d root / d name for each of ``names``; one that is zero everywhere is missing."""
    mask = sum(bit(name) for name in names)
    adjoints: dict[Expr, Alive] = {root: (None, ONE)} if root.variables & mask else {}

    def add(e: Expr, condition: Expr | None, value: Expr | None) -> None:
        if value is None or not e.variables & mask:
            return
        known = adjoints.get(e)
        if known is None:
            adjoints[e] = condition, value
        elif known[0] is condition:
            adjoints[e] = condition, apply("add", known[1], value)
        else:
            meeting = apply("add", _selected(known), _selected((condition, value)))
            adjoints[e] = _both(known[0], condition, "or"), meeting

    found: dict[str, Expr] = {}
    for e in reversed(reachable([root])):
        if e not in adjoints or e.op in BOOLEANS:
            continue
        alive = adjoints.pop(e)
        condition, g = alive
        args = e.args
        op = e.op
        if op == "var":
            found[str(e.value)] = _selected(alive)
        elif op in ("add", "sub"):
            add(args[0], condition, g)
            add(args[1], condition, g if op == "add" else apply("neg", g))
        elif op == "neg":
            add(args[0], condition, apply("neg", g))
        elif op == "mul":
            add(args[0], condition, _product(g, args[1]))
            add(args[1], condition, _product(g, args[0]))
        elif op == "div":
            share = apply("div", g, args[1])
            add(args[0], condition, share)
            add(args[1], condition, apply("neg", apply("mul", share, e)))
        elif op in ("where", "instead"):
            add(args[1], _both(condition, args[0], "and"), g)
            add(args[2], _both(condition, apply("not", args[0]), "and"), g)
        elif op == "defined":
            add(args[1], condition, apply("defined", args[0], g))
        else:
            for a, slope in zip(args, slopes(e), strict=True):
                if slope is not None and a.variables & mask:
                    add(a, condition, _product(g, slope))
    return found
