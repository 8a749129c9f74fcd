"""`exact_sign`, the sign of an expression at decimals, by rational arithmetic.

Layer: must not know where the decimals come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from gradcli.expr import Expr, exact, reachable

_NODES, _BITS = 256, 4096
"""The largest expression that is computed, and the longest number."""


def exact_sign(e: Expr, point: Mapping[str, Fraction]) -> int | None:
    """-1, 0 or 1 for an expression of rational operations, extremes, steps and choices; None for any other.

    None, too, where it is no number, or takes more than 256 operations or numbers of more than 4096 bits. Where a
    double has another sign than this, for a distance or one of its derivatives, `sides` decides wrong.

    >>> from gradcli.expr import const, var
    >>> x = var("x")
    >>> exact_sign(const(Fraction("0.1")) + x - const(Fraction("0.3")), {"x": Fraction("0.2")})
    0
    """
    nodes = reachable([e])
    if len(nodes) > _NODES:
        return None
    values: dict[Expr, Fraction | None] = {}
    for node in nodes:
        value = _value(node, [values[a] for a in node.args], point)
        if value is not None and value.numerator.bit_length() + value.denominator.bit_length() > _BITS:
            value = None
        values[node] = value
    total = values[e]
    return None if total is None else (total > 0) - (total < 0)


def _value(e: Expr, args: list[Fraction | None], point: Mapping[str, Fraction]) -> Fraction | None:
    if e.op == "var":
        return point.get(str(e.value))
    if e.op == "const":
        return exact(e)
    if e.op == "where":
        # The branch not taken may have no value.
        condition, yes, no = args
        return None if condition is None else yes if condition else no
    rule = _RULES.get(e.op)
    numbers = [a for a in args if a is not None]
    if rule is None or len(numbers) < len(args) or (len(args) == 1 and e.op in ("max", "min")):
        return None
    result = rule(*numbers)
    return None if result is None else Fraction(result)


def _power(x: Fraction, n: Fraction) -> Fraction | None:
    if n.denominator != 1 or (not x and n < 0):
        return None
    size = max(x.numerator.bit_length(), x.denominator.bit_length())
    return x ** int(n) if abs(n) * size <= _BITS else None


def _divided(rule: Callable[[Fraction, Fraction], Fraction]) -> Callable[[Fraction, Fraction], Fraction | None]:
    return lambda x, y: rule(x, y) if y else None


def _sign(x: Fraction) -> int:
    return (x > 0) - (x < 0)


_RULES: dict[str, Callable[..., Fraction | int | None]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": _divided(lambda x, y: x / y),
    "neg": lambda x: -x,
    "power": _power,
    "abs": abs,
    "sign": _sign,
    "relu": lambda x: x if x > 0 else Fraction(0),
    "heaviside": lambda x, h: h if x == 0 else int(x > 0),
    "copysign": lambda x, y: _sign(y) * abs(x) if y else None,
    "max": max,
    "min": min,
    "clip": lambda x, a, b: min(max(x, a), b),
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "round": round,
    "mod": _divided(lambda x, y: x - y * math.floor(x / y)),
    "fmod": _divided(lambda x, y: x - y * math.trunc(x / y)),
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "and": lambda x, y: x * y,
    "or": lambda x, y: x + y,
    "not": lambda x: not x,
}
