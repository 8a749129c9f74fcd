"""Internal rows (forms that keep digits) as a textbook writes them, for display."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from gradcli.errors import GradError
from gradcli.expr.canonical import apply
from gradcli.expr.graph import reachable, rebuild, rewrite
from gradcli.expr.node import ONE, ZERO, Expr, const


def _polynomial(terms: Iterable[tuple[int, Expr]]) -> Expr:
    total: Expr | None = None
    for factor, power in terms:
        if factor:
            term = const(factor) * power
            total = term if total is None else total + term
    return ZERO if total is None else total


def _inverted(x: Expr, y: Expr, n: int, imaginary: bool) -> Expr:
    """Real or imaginary part of (x + i*y)**-n as a quotient of polynomials."""
    above = _polynomial(
        (-math.comb(n, k) if (k + imaginary) // 2 % 2 else math.comb(n, k), x ** (n - k) * y**k)
        for k in range(int(imaginary), n + 1, 2)
    )
    return above / (x**2 + y**2) ** n


def _hermite(x: Expr, n: int) -> Expr:
    """The polynomial before exp(-x**2) in its n-th derivative."""
    before, factors = [0], [1]
    for k in range(n):
        lifted = [0, *[-2 * c for c in factors]]
        for i, c in enumerate(before):
            lifted[i] -= 2 * k * c
        before, factors = factors, lifted
    return _polynomial((factors[k], x**k) for k in range(n, -1, -1))


_TEXTBOOK: dict[str, Callable[..., Expr]] = {
    "defined": lambda y, slope: slope,
    "instead": lambda condition, rare, usual: usual,
    "power_shift": lambda x, c, n: x ** (c - const(n)),
    "direction": lambda x, y: x / apply("hypot", x, y) if x is not ONE else ONE / apply("sqrt", y**2 + ONE),
    "inversion": lambda x, y, n: _inverted(x, y, n, False),
    "inversion_im": lambda x, y, n: _inverted(x, y, n, True),
    "softmax": lambda x, y: apply("sigmoid", x - y),
    "xdivy": lambda x, y: x / y,
    "floordiv": lambda x, y: apply("floor", x / y),
    "truncdiv": lambda x, y: apply("trunc", x / y),
    "dgauss": lambda x, n: _hermite(x, n) * apply("exp", -(x**2)),
}
"""What serves accuracy alone, as a textbook writes it."""


def _textbook(e: Expr, args: tuple[Expr, ...]) -> Expr:
    form = _TEXTBOOK.get(e.op)
    if form is None:
        return rebuild(e, args)
    try:
        return form(*args) if e.value is None else form(*args, e.value)
    except GradError:
        # A number of the textbook's form may leave the range of a double where the careful form has none.
        return rebuild(e, args)


_KINKS = frozenset({"defined", "instead", "direction", "inversion", "inversion_im", "xdivy"})
"""Rows whose textbook form is another function at kinks and where the function itself is not defined."""


def readable(roots: Iterable[Expr], *, kinks: bool = False) -> list[Expr]:
    """The same functions in textbook forms.

    Equal wherever the function itself is defined; at kinks and near the ends of the range of a double the careful form,
    which is the one evaluated, is better. ``kinks``: equal at kinks too.
    """
    roots = list(roots)
    if all(e.op not in _TEXTBOOK for e in reachable(roots)):
        return roots
    return rewrite(roots, lambda e, args: rebuild(e, args) if kinks and e.op in _KINKS else _textbook(e, args))
