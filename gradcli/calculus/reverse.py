"""Reverse mode: adjoints of expressions in many variables, as expressions.

The gradient costs a small multiple of the value, however many variables there are (Griewank and Walther, Evaluating
Derivatives, ch. 4). An adjoint carries the condition under which it is alive. Where adjoints meet, each is selected by
its condition, so that an infinite slope in the branch that `where` did not take contributes 0, not nan.
Layer: must not know evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from gradcli.calculus.forward import minus, plus, times
from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, ONE, ZERO, Expr, apply, bit, const, exact, post_order, var, variables
from gradcli.expr.traversal import missing
from gradcli.functions import NONLOCAL, reduces, slopes, vanishes
from gradcli.functions.row import compared, vanishing

Alive = tuple[Expr | None, Expr]
"""The condition of an adjoint (None: always), and the adjoint, which is valid where the condition holds."""

_LARGE = Fraction(10) ** 300
COUNT = apply("sum", ONE)
"""The number of points."""


def _product(a: Expr, b: Expr) -> Expr | None:
    if vanishes(a) or vanishes(b):
        return times(a, b)
    for number, other in ((exact(a), b), (exact(b), a)):
        if number is not None and number in (1, -1):
            return other if number == 1 else apply("neg", other)
        if number and other.op == "mul" and (factor := exact(other.args[0])) is not None:
            # In derivative rules 4*(3*x) may become 12*x, though it rounds differently.
            merged = number * factor
            if 1 / _LARGE < abs(merged) < _LARGE:
                return apply("mul", const(merged), other.args[1])
    if b.op == "div" and b.args[1] is COUNT:
        a, b = b, a
    if a.op == "div" and a.args[1] is COUNT:
        # The factor 1/n of a mean comes last, as a textbook writes it.
        share = _product(a.args[0], b)
        return None if share is None else apply("div", share, COUNT)
    product = apply("mul", a, b)
    return None if product is ZERO else product


def _selected(adjoint: Alive) -> Expr:
    condition, value = adjoint
    return value if condition is None else apply("where", condition, value, ZERO)


def _both(a: Expr | None, b: Expr | None, op: str) -> Expr | None:
    if a is None or b is None:
        # None is "true": true and c is c, true or c is true.
        return (a or b) if op == "and" else None
    return a if a is b else apply(op, a, b)


class Varying:
    """A predicate of nodes: whether a node varies over the points, or is one number for all of them.

    ``single`` names the variables that are one number.
    """

    def __init__(self, single: Iterable[str] = ()) -> None:
        self.single = sum(bit(name) for name in set(single))
        self.known: dict[Expr, bool] = {}

    def __call__(self, root: Expr) -> bool:
        if not root.variables & ~self.single:
            return False
        for e in missing(root, self.known):
            local = e.variables & ~self.single and not reduces(e)
            self.known[e] = bool(local) and (not e.args or any(self.known[a] for a in e.args))
        return self.known[root]


def gradient(root: Expr, names: Sequence[str]) -> dict[str, Expr]:
    """d root / d name at each point, for each of ``names``; a derivative that is zero everywhere is missing."""
    return adjoints([(root, ONE)], names)


def adjoints(pairs: Sequence[tuple[Expr, Expr]], names: Sequence[str], single: Iterable[str] = ()) -> dict[str, Expr]:
    """The sum over ``pairs`` (root, cotangent) of the cotangent times d root / d name, for each of ``names``.

    The variables in ``single``, and nodes made of them and of reductions alone, are one number for all points, and
    their adjoints are sums over the points; all other nodes and adjoints have a value at each point. A derivative that
    is zero everywhere is missing. Raises GradError for the third derivative of a product over all points.
    """
    mask = sum(bit(name) for name in names)
    varies = Varying(single)
    adjoints: dict[Expr, Alive] = {}

    def add(e: Expr, condition: Expr | None, value: Expr | None, spread: bool = False) -> None:
        """Add ``value`` to the adjoint of ``e``; with ``spread`` it has a value at each point, though ``e`` may not."""
        if value is None or not e.variables & mask:
            return
        if spread and not varies(e):
            value = _total(_selected((condition, value)), varies)
            if condition is not None and varies(condition):
                # One number for all points is alive if it is alive at any point.
                condition = apply("gt", apply("max", apply("where", condition, ONE, ZERO)), ZERO)
        known = adjoints.get(e)
        if known is None:
            adjoints[e] = condition, value
        elif known[0] is condition:
            adjoints[e] = condition, plus(known[1], value) or value
        else:
            meeting = plus(_selected(known), _selected((condition, value))) or value
            adjoints[e] = _both(known[0], condition, "or"), meeting

    for root, cotangent in pairs:
        add(root, None, cotangent)
    results: dict[str, Expr] = {}
    # Ordered by structure, not by serial: sums of adjoints must round the same whatever else the process has made.
    nodes = post_order([root for root, _ in pairs])
    # Without reductions and single variables every node varies, and no adjoint is summed over the points.
    uneven = bool(varies.single) or any(e.op in _ALL_POINTS and _takes_all_points(e) for e in nodes)
    for e in reversed(nodes):
        if e not in adjoints or e.op in BOOLEANS:
            continue
        alive = adjoints.pop(e)
        condition, g = alive
        args = e.args
        op = e.op
        spread = uneven and varies(e)
        if op == "var":
            results[str(e.value)] = _selected(alive)
        elif op in ("add", "sub"):
            add(args[0], condition, g, spread)
            add(args[1], condition, g if op == "add" else minus(None, g), spread)
        elif op == "neg":
            add(args[0], condition, minus(None, g), spread)
        elif op == "mul":
            add(args[0], condition, _product(g, args[1]), spread)
            add(args[1], condition, _product(g, args[0]), spread)
        elif op == "div":
            share = g if vanishes(g) else apply("div", g, args[1])
            add(args[0], condition, share, spread)
            add(args[1], condition, g if vanishes(g) else apply("neg", apply("mul", share, e)), spread)
        elif op in ("where", "instead"):
            for u in compared(args[0]) if op == "where" else ():
                # To the variables at once: on its way a 0 would meet infinite slopes.
                zero = vanishing(u if condition is None else apply("where", condition, u, ZERO))
                for name in variables(u):
                    add(var(name), None, zero, spread)
            add(args[1], _both(condition, args[0], "and"), g, spread)
            add(args[2], _both(condition, apply("not", args[0]), "and"), g, spread)
        elif op == "defined":
            if vanishes(e):
                add(args[0], condition, e, spread)
            add(args[1], condition, apply("defined", args[0], g), spread)
        elif op in _ALL_POINTS and _takes_all_points(e):
            reduced = op not in NONLOCAL
            # The rules of NONLOCAL sum the adjoint over the points, so that it is selected by its condition first.
            w = g if reduced else _selected(alive) if spread else _share(_selected(alive))
            reached, value = _ALL_POINTS[op](e, w)
            add(args[0], _both(condition if reduced else None, reached, "and"), value, True)
        else:
            for a, slope in zip(args, slopes(e, mask), strict=True):
                if slope is not None and a.variables & mask:
                    add(a, condition, _product(g, slope), spread)
    return results


def _total(value: Expr, varies: Varying) -> Expr:
    """The sum of ``value`` over all points, in closed form if it does not vary."""
    if varies(value):
        return apply("sum", value)
    if value is COUNT.args[0]:
        return COUNT
    if value.op == "neg":
        return apply("neg", _total(value.args[0], varies))
    if value.op == "div" and value.args[1] is COUNT:
        return value.args[0]
    return apply("mul", value, COUNT)


def _share(g: Expr) -> Expr:
    """g/n, with n the number of points."""
    if vanishes(g):
        return g
    if g is COUNT:
        return ONE
    if g.op == "neg":
        return apply("neg", _share(g.args[0]))
    if g.op == "mul" and COUNT in g.args:
        return g.args[0] if g.args[1] is COUNT else g.args[1]
    return apply("div", g, COUNT)


def _takes_all_points(e: Expr) -> bool:
    """Whether an operation of _ALL_POINTS is the reduction over all points: max(x), but not max(x, y)."""
    return len(e.args) == 1 or e.op in NONLOCAL


# Reductions over all points. In a rule ``g`` is the adjoint of the node: one number for a reduction, a value at each
# point for the functions of NONLOCAL.

Contribution = tuple[Expr | None, Expr | None]
"""The condition and the adjoint at each point that a node contributes to its first argument."""


def _extreme(e: Expr, g: Expr) -> Contribution:
    """The adjoint of max or min over all points: ties share it equally."""
    beaten = apply("lt" if e.op == "max" else "gt", e.args[0], e)
    # If the extreme is nan, no element is beaten and every adjoint becomes nan.
    ties = apply("sum", apply("where", beaten, ZERO, ONE))
    return apply("not", beaten), apply("defined", e, apply("div", g, ties))


def _unit(e: Expr, g: Expr) -> Contribution:
    norm = apply("norm", e.args[0])
    along = apply("mul", e, apply("sum", apply("mul", g, e)))
    return apply("ne", norm, ZERO), apply("div", apply("sub", g, along), norm)


def _refused(e: Expr, g: Expr) -> Contribution:
    raise GradError("prod over all points can be differentiated twice, not three times")


_ALL_POINTS: dict[str, Callable[[Expr, Expr], Contribution]] = {
    "sum": lambda e, g: (None, g),
    "mean": lambda e, g: (None, _share(g)),
    "prod": lambda e, g: (None, _product(g, apply("cofactor", e.args[0]))),
    "norm": lambda e, g: (None, _product(g, apply("unit", e.args[0]))),
    "max": _extreme,
    "min": _extreme,
    "unit": _unit,
    "cofactor": lambda e, g: (None, apply("cofactor_along", e.args[0], g)),
    "cofactor_along": _refused,
}
