"""`plain`, whether the doubles of a distance decide as its decimals do.

Layer: purely symbolic; must not know any point.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from gradcli.expr import BOOLEANS, Expr, exact
from gradcli.functions.row import HALF

_SEARCHED = 64
"""The most nodes of a distance that are looked at: of longer ones nothing is said."""
_CHOICES = BOOLEANS | {"neg", "abs", "min", "max", "clip", "where", "sign", "relu", "copysign", "heaviside", "floor",
                       "ceil", "trunc", "round"}  # fmt: skip
"""Operations that commute with the rounding of decimals to doubles."""


def plain(distance: Expr) -> bool:
    """Whether the double of a distance is 0.0 exactly where it is 0 in decimals, and else has the sign of that.

    This is so for points that are the shortest decimals of their doubles: between those, rounding keeps the order and
    makes no two alike, and whole and half numbers keep their place among them.
    """
    if distance.op not in ("add", "sub"):
        return _faithful(distance.args if distance.op == "abs" else [distance])
    a, b = distance.args
    if b is HALF and a.op == "abs" and a.args[0].op == "sub":
        # The distance of `round`, |x - round(x)| - 1/2, whose difference is exact.
        x, whole = a.args[0].args
        if whole.op == "round" and whole.args[0] is x:
            return _faithful([x])
    if a.op == "div" and b.op == "round" and b.args[0] is a:
        # No other double than a whole multiple of a whole number has a quotient that is rounded to a whole one.
        divisor = exact(a.args[1])
        return divisor is not None and divisor.denominator == 1 and _faithful([a.args[0]])
    return _faithful([a, b])


def _faithful(nodes: Iterable[Expr]) -> bool:
    """Whether the doubles of nodes are those of their decimals, which are their shortest."""
    seen = set(nodes)
    stack = [*seen]
    while stack:
        e = stack.pop()
        if e.op == "const":
            number = exact(e)
            if number is None or Fraction(repr(float(number))) != number:
                return False
        elif e.op != "var" and e.op not in _CHOICES:
            return False
        inner = [a for a in e.args if a not in seen]
        seen.update(inner)
        if len(seen) > _SEARCHED:
            return False
        stack += inner
    return True
