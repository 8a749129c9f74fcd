"""Taylor coefficients of an expression in several variables at a point, from its partial derivatives.

Layer: must not know how a polynomial is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import factorial, prod

from flint import fmpq

from gradcli.calculus.derive import derivatives, expand
from gradcli.calculus.forward import Partial
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, readable
from gradcli.truth.balls import arithmetic
from gradcli.truth.budget import Budget, UndefinedError, UnknownError
from gradcli.truth.closed import Number
from gradcli.truth.field import PRECISION, Field
from gradcli.truth.lines import Lines
from gradcli.truth.lines import numbers as coordinates
from gradcli.truth.numbers import mul
from gradcli.truth.taylor import WORK, Point, all_written, analytic, decided, series


@decided()
def coefficients(root: Expr, point: Point, wrt: Sequence[str], order: int) -> dict[Partial, Number]:
    """The coefficients up to a total order, by the positions of their variables: (0, 0, 1) is that of x**2*y.

    Raises NotSmoothError where the expression is not analytic along an axis, GradError where it cannot be proved to be
    analytic at all.

    >>> from gradcli.expr import ZERO, apply, var
    >>> terms = coefficients(apply("exp", var("x") * var("y")), {"x": ZERO, "y": ZERO}, ["x", "y"], 4)
    >>> {k: str(c) for k, c in terms.items() if c}
    {(): '1', (0, 1): '1', (0, 0, 1, 1): '1/2'}
    """
    (root,) = expand([root])
    with arithmetic(PRECISION):
        field = Field(Budget(1, WORK))
        if not analytic(root, point, list(wrt)):
            for x in wrt:
                series(root, point, x, max(order, 1), field, False)
            raise GradError("it cannot be proved that the function is smooth there in all directions")
        partials: dict[Partial, Expr] = {(): root, **(derivatives(root, wrt, order) if order else {})}
        at, numbers, keys = coordinates(point, field), [], []
        for total in range(order + 1):
            for key in combinations_with_replacement(range(len(wrt)), total):
                e = readable([partials.get(key, ZERO)])[0]
                try:
                    value = Lines(e, at, field).value()
                except (UndefinedError, UnknownError):
                    value = None
                if value is None:
                    raise GradError(f"order {order} takes more work than the limit", hint="a lower order")
                numbers.append(mul(1 / fmpq(prod([factorial(key.count(k)) for k in set(key)])), value))
                keys.append(key)
        return dict(zip(keys, all_written(field, numbers), strict=True))
