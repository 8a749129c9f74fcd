"""`steps`, the rules of calculus by name, from the outermost operation inward.

The derivatives themselves come from `forward`, the statements for functions from the slopes of the function table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gradcli.calculus.derive import expand
from gradcli.calculus.forward import partials
from gradcli.calculus.simplify import simplified
from gradcli.expr import BOOLEANS, ZERO, Expr, apply, bit, exact, reachable, spell_name, var
from gradcli.functions import slopes, vanishes
from gradcli.notation.explain.texts import Texts

STEP_LIMIT = 1000
"""The most subexpressions that are explained."""
_SHOWN = 6
"""Terms of a sum that are written out."""
_READ = 2000
"""Nodes, and characters, of a derivative up to which a simplified form is looked for and shown."""


class ExplainStep(NamedTuple):
    """``statement`` is the rule and the meaning of its letters; ``result`` the derivative of ``expression``."""

    number: int
    rule: str
    statement: str
    expression: str
    result: str


class _Rule(NamedTuple):
    name: str
    statement: str
    parts: Sequence[Expr]
    """The subexpressions that its letters stand for, including constant ones."""


def steps(e: Expr, x: str) -> list[ExplainStep]:
    """The steps of differentiating ``e`` in ``x``: each subexpression once, the derivative last.

    Raises GradError for a reduction, which has no derivative at a point.
    """
    (e,) = expand([e])
    order, omitted = _outside_in(e, x)
    jets = partials(order, [x], 1)
    derivative = {node: jets[node].get((0,), ZERO) for node in order}
    result = derivative[e]
    texts = Texts([*order, *derivative.values()], within=e)
    number = {node: i + 1 for i, node in enumerate(order)}
    letters = _letters(e)
    listed = []
    for node in order:
        rule = _rule(node, x, letters)
        with_ = [_part(letters, i, part, x, texts, number) for i, part in enumerate(rule.parts[:_SHOWN])]
        more = [f"{len(rule.parts) - _SHOWN} more"] if len(rule.parts) > _SHOWN else []
        statement = rule.statement + (f"  with {', '.join(with_ + more)}" if with_ else "")
        name = texts.name(node)
        whole = f"{name} = {texts(node)}" if name else texts(node)
        listed.append(ExplainStep(number[node], rule.name, statement, whole, texts(derivative[node])))
    if omitted:
        listed.append(ExplainStep(len(listed) + 1, "and so on", f"parts left out: {omitted}", "", ""))
    listed.append(ExplainStep(len(listed) + 1, "result", "put together", texts(e), texts(result)))
    if len(reachable([result])) <= _READ:
        (short,) = simplified([result])
        both = Texts([short, result])
        # Skip the simplified form if both texts are cut at the display limit.
        length = len(both(result, _READ))
        if both(short, _READ) != both(result, _READ) and len(both(short, _READ)) <= min(length, _READ - 1):
            listed.append(ExplainStep(len(listed) + 1, "simplified", "the same, shorter", texts(e), both(short)))
    return listed


def _outside_in(e: Expr, x: str) -> tuple[list[Expr], int]:
    """The subexpressions to explain, outer before inner, and the number of those beyond STEP_LIMIT."""
    mask = bit(x)
    order: dict[Expr, None] = {}
    stack = [e]
    while stack:
        node = stack.pop()
        if node in order or (node is not e and (node.op == "var" or not node.variables & mask)):
            continue
        order[node] = None
        if node.variables & mask:
            stack.extend(reversed([p for p in _parts(node) if p.op not in BOOLEANS]))
    return list(order)[:STEP_LIMIT], max(0, len(order) - STEP_LIMIT)


def _parts(node: Expr) -> Sequence[Expr]:
    """The operands of a rule: the arguments of an operation, but all terms of a chain of + and -."""
    if node.op not in ("add", "sub"):
        return node.args
    terms, stack = [], [node]
    while stack:
        e = stack.pop()
        if e.op in ("add", "sub"):
            stack.extend(reversed(e.args))
        else:
            terms.append(e)
    return list(dict.fromkeys(terms))


def _letters(e: Expr) -> list[str]:
    """u, v, w ... without the variables of the expression."""
    free = [letter for letter in "uvwabcdghkmnpqrst" if not e.variables & bit(letter)]
    return [*free, *[f"u{i}" for i in range(1, 2 * _SHOWN)]]


def _part(letters: list[str], i: int, part: Expr, x: str, texts: Texts, number: dict[Expr, int]) -> str:
    equation = f"{letters[i]} = {texts.short(part)}"
    if part.op in BOOLEANS or part.op == "const":
        return equation
    if not part.variables & bit(x):
        return f"{equation} (constant)"
    return f"{equation} (step {number[part]})" if part in number else equation


def _rule(e: Expr, x: str, letters: list[str]) -> _Rule:
    mask = bit(x)
    op, args = e.op, e.args
    u, v, w = letters[:3]
    if op == "var" and e.variables & mask:
        return _Rule("variable", f"{spell_name(x)}' = 1", ())
    if not e.variables & mask:
        return _Rule("constant", "c' = 0", ())
    if op in ("add", "sub"):
        terms = _parts(e)
        signs = f"({u} + {v} - ...)' = {u}' + {v}' - ..."
        if len(terms) == 2:
            sign = "+" if op == "add" else "-"
            signs = f"({u} {sign} {v})' = {u}' {sign} {v}'"
        return _Rule("sum rule", signs, terms)
    if op == "neg":
        return _Rule("constant factor", f"(-{u})' = -{u}'", args)
    moving = [bool(a.variables & mask) for a in args]
    if op == "mul":
        if args[0] is args[1]:
            return _Rule("power rule", f"({u}**2)' = 2*{u}*{u}'", args[:1])
        if not all(moving):
            c, f = (u, v) if moving[1] else (v, u)
            return _Rule("constant factor", f"({u}*{v})' = " + (f"{c}*{f}'" if moving[1] else f"{f}'*{c}"), args)
        return _Rule("product rule", f"({u}*{v})' = {u}'*{v} + {u}*{v}'", args)
    if op == "div":
        if not moving[1]:
            return _Rule("constant factor", f"({u}/{v})' = {u}'/{v}", args)
        if not moving[0]:
            return _Rule("quotient rule", f"({u}/{v})' = -{u}*{v}'/{v}**2 for a constant {u}", args)
        return _Rule("quotient rule", f"({u}/{v})' = ({u}'*{v} - {u}*{v}')/{v}**2 = ({u}' - {u}/{v}*{v}')/{v}", args)
    if op == "power":
        return _power(e, moving, letters)
    if op in ("where", "instead"):
        return _Rule("branches (where)", f"where({u}, {v}, {w})' = where({u}, {v}', {w}')", args)
    if op == "defined":
        return _Rule("where defined", f"{v}' where {u} is defined", args)
    return _function(e, moving, letters)


def _power(e: Expr, moving: list[bool], letters: list[str]) -> _Rule:
    u, v = letters[:2]
    base, exponent = e.args
    if moving[1]:
        if not moving[0]:
            return _Rule("exponential rule", f"({u}**{v})' = {u}**{v}*log({u})*{v}'", e.args)
        whole = f"({u}**{v})' = {v}*{u}**({v} - 1)*{u}' + {u}**{v}*log({u})*{v}'"
        return _Rule("power with a variable exponent", whole, e.args)
    if base.op == "var":
        return _Rule("power rule", f"({u}**{v})' = {v}*{u}**({v} - 1)", e.args)
    name = "chain rule with a square" if exact(exponent) == 2 else "chain rule with a power"
    return _Rule(name, f"({u}**{v})' = {v}*{u}**({v} - 1)*{u}'", e.args)


def _function(e: Expr, moving: list[bool], letters: list[str]) -> _Rule:
    """The chain rule of a function: its slope in each argument, from the table, times the argument's derivative."""
    names = [*letters, *[f"u{i}" for i in range(9, len(e.args) + 9)]][: len(e.args)]
    placeholders = [var(name) for name in names]
    generic = apply(e.op, *placeholders, value=e.value if isinstance(e.value, int) else None)
    factors = [
        (n, s)
        for n, s, m in zip(names, slopes(generic), moving, strict=True)
        if m and s is not None and not vanishes(s)
    ]
    texts = Texts([generic, *[s for _, s in factors]])
    head = texts(generic) if texts(generic).endswith(")") else f"({texts(generic)})"
    if not factors:
        return _Rule(f"derivative of {e.op}", f"{head}' = 0 wherever it has a derivative", e.args)
    if len(e.args) == 1 and e.args[0].op == "var":
        return _Rule(f"derivative of {e.op}", f"{head}' = {texts(factors[0][1])}", e.args)
    terms = " + ".join([_times(texts, slope, f"{name}'") for name, slope in factors[:_SHOWN]])
    return _Rule(f"chain rule with {e.op}", f"{head}' = {terms}", e.args)


def _times(texts: Texts, slope: Expr, name: str) -> str:
    number = exact(slope)
    if number is not None and abs(number) == 1:
        return name if number > 0 else f"-{name}"
    form = texts.form[slope]
    return f"({texts(slope)})*{name}" if form.op in ("add", "sub", "neg") else f"{texts(slope)}*{name}"
