"""Expressions as a person would write them, for display only: what is evaluated stays as it was derived.

A sum is a table from products to coefficients, a product a table from bases to exponents; both are read off the
graph, tidied and built again. Every form equals the first wherever both are defined, though not to the last bit, and
none is longer. Sorted by structure, never by birth. Must not know derivatives or numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

from gradcli.expr import Expr, reachable, readable
from gradcli.simplify.rounds import Round

_ROUNDS = 8
_LARGE = 5000
"""Nodes from which on one round has to do."""


def simplified(roots: Iterable[Expr]) -> list[Expr]:
    """The same functions in the form a person would write, never with more nodes than their textbook forms."""
    given = readable(roots)
    found = []
    for e, s in zip(given, _settled(given, compact=False), strict=True):
        if not _shorter(s, e):
            (s,) = _settled([e], compact=True)
        found.append(s if _shorter(s, e) else e)
    return found


def _shorter(a: Expr, b: Expr) -> bool:
    """Whether ``a`` is no longer when written out, and is not written out where ``b`` shares its parts."""
    if a is b:
        return True
    sizes: dict[Expr, int] = {}
    for e in reachable([a, b]):
        sizes[e] = 1 + sum(sizes[x] for x in e.args)
    return sizes[a] <= sizes[b] and len(reachable([a])) <= 2 * len(reachable([b]))


def _settled(roots: list[Expr], compact: bool) -> list[Expr]:
    for _ in range(_ROUNDS if len(reachable(roots)) < _LARGE else 1):
        new = Round(roots, compact).run()
        if all(a is b for a, b in zip(roots, new, strict=True)):
            break
        roots = new
    return roots
