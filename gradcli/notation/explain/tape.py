"""The evaluation trace of an expression at a point: every intermediate with its value, and its derivative or adjoint.

(Griewank and Walther, Evaluating Derivatives, ch. 3.) Values and forward derivatives are those that gradcli computes.
Adjoints are accumulated as numbers by the same rules as in `reverse`: a structural zero is never multiplied, and the
branch not taken gets no contribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gradcli.calculus.derive import derivatives, expand
from gradcli.calculus.forward import partials
from gradcli.compute.backends.scalar import at_point
from gradcli.expr import BOOLEANS, ONE, ZERO, Expr, apply, post_order, variables
from gradcli.functions import slopes, vanishes
from gradcli.notation.explain.texts import Texts

Value = float | bool


class ForwardRow(NamedTuple):
    """``derivative`` is the derivative of the intermediate in the variable; None for a condition."""

    name: str
    expression: str
    value: Value
    derivative: float | None


class ReverseRow(NamedTuple):
    """``adjoint`` is the derivative of the result in the intermediate, None for a condition.

    ``formula`` is the sum of the contributions of its users.
    """

    name: str
    expression: str
    value: Value
    adjoint: float | None
    formula: str


def forward_table(e: Expr, x: str, point: Mapping[str, float]) -> list[ForwardRow]:
    """The rows in order of evaluation; the last row is the result and its derivative in ``x``."""
    (e,) = expand([e])
    nodes = _tape(e)
    jets = partials([n for n in nodes if n.op not in BOOLEANS], [x], 1)
    slope = {n: jets[n].get((0,), ZERO) for n in jets}
    values = evaluated([*nodes, *slope.values()], point)
    names, written = _written(nodes, [])
    return [ForwardRow(names[n], written(n), values[n], float(values[slope[n]]) if n in slope else None) for n in nodes]


def reverse_table(e: Expr, names: Sequence[str], point: Mapping[str, float]) -> list[ReverseRow]:
    """The rows in order of evaluation; the adjoints of the variables ``names`` are the derivatives of the result."""
    (e,) = expand([e])
    nodes = _tape(e)
    rules = {n: _local(n) for n in nodes if n.op not in BOOLEANS}
    local = [s for rule in rules.values() for _, s in rule if s is not None]
    gradient = derivatives(e, names, 1)
    values = evaluated([*nodes, *local, *gradient.values()], point)
    called, written = _written(nodes, local)
    adjoint: dict[Expr, float] = {e: 1.0}
    formula: dict[Expr, list[str]] = {e: ["1"]}
    for n in reversed(nodes):
        if n not in adjoint or n.op in BOOLEANS:
            continue
        own, name, rule = adjoint[n], f"a{called[n][1:]}", rules[n]
        if n.op in ("where", "instead"):
            rule = rule[:1] if values[n.args[0]] else rule[1:]
        for a, s in rule:
            if s is None or a not in called:
                continue
            adjoint[a] = adjoint.get(a, 0.0) + (own if s is ONE else own * float(values[s]))
            formula.setdefault(a, []).append(_contribution(name, s, written))
    # The adjoints of the variables are those of `derivatives`, whose form stays finite at more kinks.
    for (i,), d in gradient.items():
        variable = next((n for n in nodes if n.op == "var" and n.value == names[i]), None)
        if variable is not None:
            adjoint[variable] = float(values[d])
    return [
        ReverseRow(called[n], written(n), values[n], None, "")
        if n.op in BOOLEANS
        else ReverseRow(called[n], written(n), values[n], adjoint.get(n, 0.0), _sum(formula.get(n, [])))
        for n in nodes
    ]


def evaluated(roots: Sequence[Expr], point: Mapping[str, float]) -> dict[Expr, Value]:
    """The values at a point. Raises GradError for a variable without one."""
    roots = list(dict.fromkeys(roots))
    return dict(zip(roots, at_point(roots, point), strict=True))


def _tape(e: Expr) -> list[Expr]:
    """The nodes that get a row: variables, then operations in post-order. Constants are written where they are used."""
    order = [n for n in post_order([e]) if n is e or n.op not in ("const", "constant")]
    return sorted(order, key=lambda n: n.op != "var")


def _written(nodes: Sequence[Expr], more: Sequence[Expr]) -> tuple[dict[Expr, str], Texts]:
    taken = {name for n in nodes if n.op == "var" for name in variables(n)}
    letter = next(c for c in "vwzrsvpq" if not any(f"{c}{i + 1}" in taken for i in range(len(nodes))))
    names = {n: f"{letter}{i + 1}" for i, n in enumerate(nodes)}
    return names, Texts(more, names)


def _local(n: Expr) -> list[tuple[Expr, Expr | None]]:
    """Each argument with the slope in it (None: a structural zero); both branches of a choice have slope 1."""
    op, args = n.op, n.args
    if op in ("add", "sub"):
        return [(args[0], ONE), (args[1], ONE if op == "add" else apply("neg", ONE))]
    if op == "neg":
        return [(args[0], apply("neg", ONE))]
    if op == "mul":
        return [(args[0], args[1]), (args[1], args[0])]
    if op == "div":
        return [(args[0], 1 / args[1]), (args[1], apply("neg", n / args[1]))]
    if op in ("where", "instead"):
        return [(args[1], ONE), (args[2], ONE)]
    if op == "defined":
        return [(args[1], ONE)]
    if not args:
        return []
    return [(a, None if s is None or vanishes(s) else s) for a, s in zip(args, slopes(n), strict=True)]


def _contribution(name: str, s: Expr, written: Texts) -> str:
    form = written.form.get(s, s)
    if s is ONE:
        return name
    if s is apply("neg", ONE):
        return f"-{name}"
    if written.name(s):
        return f"{name}*{written.name(s)}"
    body = written(s)
    if form.op == "div" and form.args[0] is ONE:
        return f"{name}{body[1:]}"
    if form.op == "neg":
        return f"-{name}*{body[1:]}"
    return f"{name}*({body})" if form.op in ("add", "sub") else f"{name}*{body}"


def _sum(parts: Sequence[str]) -> str:
    shown = [*parts[:4], "..."] if len(parts) > 5 else parts
    return " + ".join(shown).replace("+ -", "- ") or "0"
