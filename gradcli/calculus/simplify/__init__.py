"""Expressions as a person would write them, for display only: what is evaluated stays as it was derived.

A sum is a table from products to coefficients, a product a table from bases to exponents; both are read off the
graph, tidied and built again. Every form equals the first wherever both are defined, though not to the last bit, and
none is longer. Sorted by structure, never by birth. Must not know derivatives or numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

from gradcli.calculus.simplify.chains import Round
from gradcli.calculus.simplify.products import TooMuchError
from gradcli.expr import Expr, reachable, readable
from gradcli.expr.collector import collector_paused

_ROUNDS = 8
_WORK = 80_000
"""Factors of products that are looked at, a few seconds; what would take more stays as it is."""
_LARGE = 5000
"""Nodes from which on one round has to do."""


def simplified(roots: Iterable[Expr]) -> list[Expr]:
    """The same functions in the form a person would write, written out never longer than their textbook forms."""
    given = readable(roots)
    with collector_paused():
        try:
            return _all(given, _WORK)
        except TooMuchError:
            return [_alone(e) for e in given]


def _all(given: list[Expr], work: int) -> list[Expr]:
    left = [work]
    return [_best(e, s, left) for e, s in zip(given, _settled(given, False, left), strict=True)]


def _alone(e: Expr) -> Expr:
    try:
        return _all([e], _WORK // 16)[0]
    except TooMuchError:
        return e


def _best(e: Expr, s: Expr, left: list[int]) -> Expr:
    if _no_longer(s, e):
        return s
    (s,) = _settled([e], True, left)
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


def _settled(roots: list[Expr], compact: bool, left: list[int]) -> list[Expr]:
    for _ in range(_ROUNDS if len(reachable(roots)) < _LARGE else 1):
        new = Round(roots, compact, left).run()
        if all(a is b for a, b in zip(roots, new, strict=True)):
            break
        roots = new
    return roots
