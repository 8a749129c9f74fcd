"""Taylor coefficients as expressions in the variables that are left, where they have no numbers.

Layer: purely symbolic; must not know any other point than the one of the series.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from math import factorial
from typing import Any

from gradcli.calculus.derive import expand
from gradcli.calculus.forward import partials
from gradcli.calculus.hazards import hazards
from gradcli.calculus.simplify import simplified
from gradcli.errors import GradError
from gradcli.expr import (
    ONE,
    ZERO,
    Expr,
    apply,
    bit,
    const,
    exact,
    reachable,
    readable,
    rebuild,
    rewrite,
    spell_name,
    substitute,
    text,
)

_LONG = 60
"""Characters of an expression in a message."""


def symbolic(root: Expr, wrt: str, at: Expr, order: int) -> list[Expr]:
    """The coefficients of (x - a)**k from k = 0 to ``order``, by derivatives, simplified.

    They hold wherever the function is smooth for the values of the other variables. Raises GradError where it is not
    for any of them: at a pole, a kink, or the end of a domain.

    >>> from gradcli.expr import apply, var
    >>> [text(e) for e in symbolic(apply("exp", var("a") * var("x")), "x", ZERO, 3)]
    ['1', 'a', 'a**2/2', 'a**3/6']
    """
    (root,) = expand([root])
    mask = bit(wrt)
    distances = [d for kind in hazards([root]) for d in kind if d.variables & mask]
    for distance, there in zip(distances, _at(distances, wrt, at), strict=True):
        if exact(there) == 0:
            raise GradError(
                f"there is no Taylor series at {spell_name(wrt)}={text(at, _LONG)}: "
                f"{text(distance, _LONG)} is 0 there, where the function is not smooth",
                hint="with values for all variables, by --at, the point is looked at closely",
            )
    known = partials([root], [wrt], order)[root] if order else {}
    derivatives = [root, *[known.get((0,) * k, ZERO) for k in range(1, order + 1)]]
    derivatives = readable(derivatives)
    if all(e.op != "where" for e in reachable([root])):
        # The rules of powers guard 0*log(0), which only values of other variables can meet.
        derivatives = rewrite(derivatives, lambda e, args: args[2] if e.op == "where" else rebuild(e, args))
    values = _at(derivatives, wrt, at)
    if any(_undefined(e) for e in reachable(values)):
        raise GradError(f"there is no value at {spell_name(wrt)}={text(at, _LONG)}")
    return simplified([apply("div", e, const(factorial(k))) for k, e in enumerate(values)])


def _at(roots: list[Expr], wrt: str, at: Expr) -> list[Expr]:
    """The expressions at a value of one variable, simplified."""
    return simplified(rewrite(substitute(roots, {wrt: at}), _folded))


def _folded(e: Expr, args: tuple[Expr, ...]) -> Expr:
    """A node without what a number among its arguments decides: 0*a is 0 for every number a, and 1**a is 1."""
    numbers = [_number(a) for a in args]
    if e.op in ("mul", "div") and numbers[0] == 0 and (e.op == "mul" or numbers[1] != 0):
        return ZERO
    if e.op == "mul" and numbers[1] == 0:
        return ZERO
    if e.op in ("add", "sub") and numbers[1] == 0:
        return args[0]
    if e.op in ("add", "sub") and numbers[0] == 0:
        return args[1] if e.op == "add" else -args[1]
    if e.op == "power" and numbers[0] == 1:
        return ONE
    if e.op in _COMPARED and None not in numbers:
        return const(int(_COMPARED[e.op](*numbers)))
    if e.op in ("and", "or") and None in numbers and numbers != [None, None]:
        known, other = (numbers[0], args[1]) if numbers[0] is not None else (numbers[1], args[0])
        return other if bool(known) is (e.op == "and") else const(int(e.op == "or"))
    if e.op == "where" and numbers[0] is not None:
        return args[1] if numbers[0] else args[2]
    return rebuild(e, args)


_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq, "ne": operator.ne,
}  # fmt: skip


def _number(e: Expr) -> Fraction | float | None:
    """The number of a constant, 0 for -0.0."""
    return e.value if e.op == "const" and isinstance(e.value, Fraction | float) else None


def _undefined(e: Expr) -> bool:
    """Whether a node has no value: a division by 0, or a written infinity or nan."""
    if e.op == "const":
        return isinstance(e.value, float) and e.value - e.value != 0
    return e.op == "div" and exact(e.args[1]) == 0
