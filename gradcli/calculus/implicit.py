"""Derivatives of y where an equation F(x, y) = 0 defines it, as expressions in the variables of the equation.

The first is -F_x/F_y (the implicit function theorem); each further one is the derivative of the one before, in which y
moves with x: d/dx + (dy/dx)*d/dy.
Layer: purely symbolic; must not know any point.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

from gradcli.calculus.derive import derivatives, expand
from gradcli.calculus.forward import Partial, plus, times
from gradcli.calculus.simplify import simplified
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, apply


def implicit(equation: Expr, xs: Sequence[str], y: str, order: int) -> dict[Partial, Expr]:
    """The partial derivatives of y in ``xs`` of total order 1 to ``order``, simplified; ``equation`` is F of F = 0.

    Raises GradError where F does not depend on y.

    >>> from gradcli.expr import text, var
    >>> slopes = implicit(var("x")**2 + var("y")**2 - 25, ["x"], "y", 2)
    >>> [text(e) for e in slopes.values()]
    ['-x/y', '-1/y - x**2/y**3']
    """
    (equation,) = expand([equation])
    first = derivatives(equation, [*xs, y], 1)
    below = first.get((len(xs),))
    if below is None:
        raise GradError(f"the equation does not depend on '{y}'", hint="then it defines no such function")
    found: dict[Partial, Expr] = {}
    for k in range(len(xs)):
        above = first.get((k,))
        found[k,] = ZERO if above is None else simplified([-apply("div", above, below)])[0]
    slopes = [found[k,] for k in range(len(xs))]
    for total in range(2, order + 1):
        for partial in combinations_with_replacement(range(len(xs)), total):
            k = partial[-1]
            e = found[partial[:-1]]
            changes = derivatives(e, [xs[k], y], 1)
            whole = plus(changes.get((0,)), times(changes.get((1,)), slopes[k]))
            found[partial] = ZERO if whole is None else simplified([whole])[0]
    return found
