"""How far rounding can carry a formula from what it means: an expression for the bound, made from the expression.

A running error analysis (Wilkinson; Higham, Accuracy and Stability of Numerical Algorithms, ch. 3): each operation adds
its own rounding to what its arguments' errors become. Bounds are expressions over the same shared graph, so any engine
computes them beside the values. Where nothing can be said (a branch that the error may turn, a pole or the end of a
domain within reach) a bound is infinite or nan. Must not know what is compared with what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, COMPARISONS, CONSTANTS, ZERO, Expr, apply, const, exact, reachable
from gradcli.functions import TABLE

_ROUNDING = const(Fraction(1, 2**53))
_ULP = Fraction(1, 2**52)
_TINY = const(Fraction(1, 2**1074))
_TWO = const(2)
_QUARTER = const(Fraction(1, 4))
_ENDLESS = const(float("inf"))


def bounds(roots: Iterable[Expr]) -> list[Expr]:
    """For each root a bound on |computed - meant| in double arithmetic, variables taken as exact; ZERO where exact.

    For a condition: 0 where it is sure, else infinite.
    """
    roots = list(roots)
    found: dict[Expr, Expr] = {}
    for e in reachable(roots):
        try:
            found[e] = _rule(e)(e, [found[a] for a in e.args])
        except GradError:
            # A constant of the bound left the range of a double.
            found[e] = _ENDLESS
    return [found[r] for r in roots]


_Bound = Callable[[Expr, Sequence[Expr]], Expr]


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
        # 0 + x is no law of IEEE arithmetic, but of bounds.
        total = term if total is ZERO else total if term is ZERO else total + term
    return total


def _times(a: Expr, bound: Expr) -> Expr:
    return ZERO if bound is ZERO else _size(a) * bound


def _own(e: Expr, unit: Expr = _ROUNDING) -> Expr:
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
    both = ZERO if p is ZERO or q is ZERO else p * q
    number = exact(a)
    own = ZERO if number is not None and _power_of_two(number) else _own(e)
    return _sum([_times(a, q), _times(b, p), both, own, _TINY])


def _power_of_two(number: Fraction) -> bool:
    top, bottom = abs(number.numerator), number.denominator
    return top > 0 and top & (top - 1) == 0 and bottom & (bottom - 1) == 0


def _quotient(e: Expr, inner: Sequence[Expr]) -> Expr:
    b = _size(e.args[1])
    p, q = inner
    if q is not ZERO:
        # A denominator that may be 0 within its error says nothing.
        b = apply("where", apply("gt", b, q), b - q, ZERO)
    carried = _sum([p, _times(e, q)])
    return _sum([ZERO if carried is ZERO else carried / b, _own(e), _TINY])


def _comparison(e: Expr, inner: Sequence[Expr]) -> Expr:
    reach = _sum(inner)
    if reach is ZERO:
        return ZERO
    a, b = e.args
    return apply("where", apply("gt", _size(a - b), reach), ZERO, _ENDLESS)


def _greatest(e: Expr, inner: Sequence[Expr]) -> Expr:
    found = ZERO
    for bound in inner:
        found = bound if found is ZERO else found if bound is ZERO else apply("max", found, bound)
    return found


def _selection(e: Expr, inner: Sequence[Expr]) -> Expr:
    chosen = inner[1] if inner[1] is inner[2] else apply("where", e.args[0], inner[1], inner[2])
    # Of two forms of one function either will do.
    return chosen if e.op == "instead" else _sum([chosen, inner[0]])


def _function(e: Expr, inner: Sequence[Expr]) -> Expr:
    """How far the function goes when each argument goes twice as far as it may, either way."""
    row = TABLE[e.op]
    terms = []
    for k, bound in enumerate(inner):
        if bound is not ZERO:
            ways = []
            for way in ("add", "sub"):
                moved = [*e.args]
                moved[k] = apply(way, e.args[k], _TWO * bound)
                ways.append(_size(apply(e.op, *moved, value=e.value if isinstance(e.value, int) else None) - e))
            far = apply("max", *ways)
            if row.turns:
                far = apply("where", apply("lt", bound, _QUARTER), far, _ENDLESS)
            for distance in row.poles(*e.args) if row.poles else ():
                # A pole between the two is seen by neither.
                far = apply("where", apply("gt", _size(distance), _TWO * bound), far, _ENDLESS)
            terms.append(far)
    if row.exact:
        return _sum(terms)
    unit = const(row.error * _ULP)
    own = _own(e, unit)
    if isinstance(e.value, int):
        # The n-th row of a family is made of n factors; near a zero of one of them it keeps the error of its size.
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
