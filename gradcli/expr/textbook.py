"""Internal operations (forms that lose no digits) rewritten as a textbook writes them, for display."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gradcli.errors import GradError
from gradcli.expr.graph import reachable, rebuild, rewrite
from gradcli.expr.node import Expr

FORMS: dict[str, Callable[..., Expr]] = {}
"""The textbook form of each internal operation that has one; the function table fills it."""
KINKS: set[str] = set()
"""Operations whose textbook form differs at kinks and where the function is not defined."""


def _textbook(e: Expr, args: tuple[Expr, ...]) -> Expr:
    form = FORMS.get(e.op)
    if form is None:
        return rebuild(e, args)
    try:
        return form(*args) if e.value is None else form(*args, e.value)
    except GradError:
        # A constant of the textbook form may leave the range of a double where the internal form has no such constant.
        return rebuild(e, args)


def readable(roots: Iterable[Expr], *, kinks: bool = False) -> list[Expr]:
    """The same functions with internal operations in textbook form.

    Both forms are equal wherever the function is defined. At kinks and near overflow or underflow the internal form,
    which is the one evaluated, is better. ``kinks``: keep the internal form where the two differ at kinks.
    """
    roots = list(roots)
    if all(e.op not in FORMS for e in reachable(roots)):
        return roots
    return rewrite(roots, lambda e, args: rebuild(e, args) if kinks and e.op in KINKS else _textbook(e, args))
