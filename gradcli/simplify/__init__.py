"""Expressions as a person would write them, for display only: what is evaluated stays as it was derived.

A sum is a table from products to coefficients, a product a table from bases to exponents; both are read off the
graph, tidied and built again. Every form equals the first wherever both are defined, though not to the last bit, and
none is longer. Sorted by structure, never by birth. Must not know derivatives or numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

from gradcli.cycles import unsought
from gradcli.expr import Expr, reachable, readable
from gradcli.simplify.rounds import Round
from gradcli.work import SpentError, within

_ROUNDS = 8
_STEPS = 4_000_000
"""A few seconds' work for all together, and half as much for each alone where that is not enough."""
_LARGE = 5000
"""Nodes from which on one round has to do."""


def simplified(roots: Iterable[Expr]) -> list[Expr]:
    """The same functions in the form a person would write, written out never longer than their textbook forms."""
    given = readable(roots)
    return [e if form is None else form for e, form in zip(given, attempted(given), strict=True)]


def attempted(given: list[Expr]) -> list[Expr | None]:
    """Textbook forms simplified; None for those that take more work than anybody would wait for.

    All at once; where that is too much, each alone.
    """
    with unsought():
        try:
            with within(_STEPS, 1 / 4):
                return [*_all(given)]
        except SpentError:
            with within(_STEPS / 2, 1 / 8):
                return [_alone(e) for e in given]


def _all(given: list[Expr]) -> list[Expr]:
    return [_best(e, s) for e, s in zip(given, _settled(given, False), strict=True)]


def _alone(e: Expr) -> Expr | None:
    try:
        with within(_STEPS / 16):
            return _all([e])[0]
    except SpentError:
        return None


def _best(e: Expr, s: Expr) -> Expr:
    if _no_longer(s, e):
        return s
    (s,) = _settled([e], True)
    return s if _no_longer(s, e) else e


def _no_longer(a: Expr, b: Expr) -> bool:
    """Whether ``a`` is no longer when written out, and does not lose what ``b`` shares."""
    if a is b:
        return True
    sizes: dict[Expr, int] = {}
    for e in reachable([a, b]):
        sizes[e] = 1 + sum([sizes[x] for x in e.args])
    if sizes[a] > sizes[b]:
        return False
    most = 2 * len(reachable([b]))
    return sizes[a] <= most or len(reachable([a])) <= most


def _settled(roots: list[Expr], compact: bool) -> list[Expr]:
    for _ in range(_ROUNDS if len(reachable(roots)) < _LARGE else 1):
        new = Round(roots, compact).run()
        if all(a is b for a, b in zip(roots, new, strict=True)):
            break
        roots = new
    return roots
