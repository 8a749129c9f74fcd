"""Bounds on the rounding error of an expression, as expressions over the same graph.

A running error analysis (Wilkinson; Higham, Accuracy and Stability of Numerical Algorithms, ch. 3): each operation adds
its own rounding error to the propagated errors of its arguments. Any engine computes the bounds beside the values. A
bound is infinite or nan where the analysis gives none: a condition that the error may change, or a pole or the end of
a domain within the error. Layer: must not know what the bounds are used for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, COMPARISONS, CONSTANTS, ZERO, Expr, apply, const, exact, reachable
from gradcli.functions import TABLE

_ROUNDING = const(Fraction(1, 2**53))
"""The unit roundoff of doubles."""
_ULP = Fraction(1, 2**52)
_TINY = const(Fraction(1, 2**1074))
"""The smallest subnormal double: the error of an underflow."""
_TWO = const(2)
_QUARTER = const(Fraction(1, 4))
_INFINITE = const(float("inf"))


def bounds(roots: Iterable[Expr]) -> list[Expr]:
    """For each root an absolute bound on |computed - exact| in double arithmetic, its variables taken as exact.

    The bound is the node ZERO for an exact root. For a condition it is 0 where the condition is certain, else infinite.
    """
    roots = list(roots)
    bound: dict[Expr, Expr] = {}
    for e in reachable(roots):
        try:
            bound[e] = _rule(e)(e, [bound[a] for a in e.args])
        except GradError:
            # A constant of the bound left the range of a double.
            bound[e] = _INFINITE
    return [bound[r] for r in roots]


_Bound = Callable[[Expr, Sequence[Expr]], Expr]
"""The bound of a node, from the node and the bounds of its arguments."""


def _rule(e: Expr) -> _Bound:
    if e.op in COMPARISONS:
        return _comparison
    if e.op in BOOLEANS or ((row := TABLE.get(e.op)) is not None and row.selects):
        return _greatest
    return _RULES.get(e.op, _function)


def _size(e: Expr) -> Expr:
    return apply("abs", e)


def _sum(terms: Iterable[Expr]) -> Expr:
    total = ZERO
    for term in terms:
        # Bounds are not negative, so that 0 + x is x; for IEEE numbers it is not (-0.0).
        total = term if total is ZERO else total if term is ZERO else total + term
    return total


def _times(a: Expr, bound: Expr) -> Expr:
    return ZERO if bound is ZERO else _size(a) * bound


def _own(e: Expr, unit: Expr = _ROUNDING) -> Expr:
    """The error that the operation itself adds, relative to its result."""
    return _size(e) * unit


def _leaf(e: Expr, inner: Sequence[Expr]) -> Expr:
    number = exact(e)
    if e.op == "constant":
        return const(Fraction(CONSTANTS[str(e.value)]) / 2**53)
    return ZERO if number is None or Fraction(float(number)) == number else const(abs(number) / 2**53)


def _addition(e: Expr, inner: Sequence[Expr]) -> Expr:
    if e.op == "sub" and e.args[0] is e.args[1]:
        return ZERO
    return _sum([*inner, _own(e)])


def _product(e: Expr, inner: Sequence[Expr]) -> Expr:
    a, b = e.args
    p, q = inner
    second_order = ZERO if p is ZERO or q is ZERO else p * q
    number = exact(a)
    own = ZERO if number is not None and _power_of_two(number) else _own(e)
    return _sum([_times(a, q), _times(b, p), second_order, own, _TINY])


def _power_of_two(number: Fraction) -> bool:
    top, bottom = abs(number.numerator), number.denominator
    return top > 0 and top & (top - 1) == 0 and bottom & (bottom - 1) == 0


def _quotient(e: Expr, inner: Sequence[Expr]) -> Expr:
    b = _size(e.args[1])
    p, q = inner
    if q is not ZERO:
        # A denominator that may be 0 within its error makes the bound infinite.
        b = apply("where", apply("gt", b, q), b - q, ZERO)
    carried = _sum([p, _times(e, q)])
    return _sum([ZERO if carried is ZERO else carried / b, _own(e), _TINY])


def _comparison(e: Expr, inner: Sequence[Expr]) -> Expr:
    reach = _sum(inner)
    if reach is ZERO:
        return ZERO
    a, b = e.args
    return apply("where", apply("gt", _size(a - b), reach), ZERO, _INFINITE)


def _greatest(e: Expr, inner: Sequence[Expr]) -> Expr:
    most = ZERO
    for bound in inner:
        most = bound if most is ZERO else most if bound is ZERO else apply("max", most, bound)
    return most


def _selection(e: Expr, inner: Sequence[Expr]) -> Expr:
    chosen = inner[1] if inner[1] is inner[2] else apply("where", e.args[0], inner[1], inner[2])
    # `instead` chooses between two forms of the same function: a wrong choice is no error.
    return chosen if e.op == "instead" else _sum([chosen, inner[0]])


def _function(e: Expr, inner: Sequence[Expr]) -> Expr:
    """The propagated error: the change of the function when each argument moves by twice its bound, in both directions.

    Two values do not bound the change in between: the bound is infinite for a function that turns (`Function.turns`)
    unless the error is below 1/4, and wherever a pole lies within the step.
    """
    row = TABLE[e.op]
    terms = []
    for k, bound in enumerate(inner):
        if bound is not ZERO:
            changes = []
            for direction in ("add", "sub"):
                moved = [*e.args]
                moved[k] = apply(direction, e.args[k], _TWO * bound)
                changes.append(_size(apply(e.op, *moved, value=e.value if isinstance(e.value, int) else None) - e))
            change = apply("max", *changes)
            if row.turns:
                change = apply("where", apply("lt", bound, _QUARTER), change, _INFINITE)
            for distance in row.poles(*e.args) if row.poles else ():
                # A pole between the two arguments shows in neither value.
                change = apply("where", apply("gt", _size(distance), _TWO * bound), change, _INFINITE)
            terms.append(change)
    if row.exact:
        return _sum(terms)
    unit = const(row.error * _ULP)
    own = _own(e, unit)
    if isinstance(e.value, int):
        # The n-th member of a family is a product of n factors; near a zero of one, the error stays relative to the
        # size of the others.
        size = apply("hypot", *e.args) ** -e.value if e.op in ("inversion", "inversion_im") else _size(e)
        own = size * unit * const(1 + abs(e.value))
    return _sum([*terms, own, _TINY])


_RULES: dict[str, _Bound] = {
    "const": _leaf,
    "constant": _leaf,
    "var": lambda e, inner: ZERO,
    "add": _addition,
    "sub": _addition,
    "mul": _product,
    "div": _quotient,
    "neg": lambda e, inner: inner[0],
    "abs": lambda e, inner: inner[0],
    "where": _selection,
    "instead": _selection,
    "defined": lambda e, inner: inner[1],
}
