"""Internal rows (forms that keep digits) as a textbook writes them, for display."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gradcli.errors import GradError
from gradcli.expr.graph import reachable, rebuild, rewrite
from gradcli.expr.node import Expr

FORMS: dict[str, Callable[..., Expr]] = {}
"""The textbook's form of each internal row that has one: the function table fills it."""
KINKS: set[str] = set()
"""Rows whose textbook form is another function at kinks and where the function itself is not defined."""


def _textbook(e: Expr, args: tuple[Expr, ...]) -> Expr:
    form = FORMS.get(e.op)
    if form is None:
        return rebuild(e, args)
    try:
        return form(*args) if e.value is None else form(*args, e.value)
    except GradError:
        # A number of the textbook's form may leave the range of a double where the careful form has none.
        return rebuild(e, args)


def readable(roots: Iterable[Expr], *, kinks: bool = False) -> list[Expr]:
    """The same functions in textbook forms.

    Equal wherever the function itself is defined; at kinks and near the ends of the range of a double the careful form,
    which is the one evaluated, is better. ``kinks``: equal at kinks too.
    """
    roots = list(roots)
    if all(e.op not in FORMS for e in reachable(roots)):
        return roots
    return rewrite(roots, lambda e, args: rebuild(e, args) if kinks and e.op in KINKS else _textbook(e, args))
