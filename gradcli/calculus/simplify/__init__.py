"""`simplified`, expressions as a person would write them, for display only: what is evaluated stays as it was derived.

A sum is a map from products to coefficients, a product a map from bases to exponents; both are read off the graph,
collected and built again. Every form equals the original wherever both are defined, though not to the last bit, and
none is longer. Terms are ordered by structure, never by serial. Layer: must not know derivatives or numbers of points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from gradcli.calculus.simplify.chains import Round
from gradcli.expr import Expr, reachable, readable
from gradcli.expr.node import collector_paused
from gradcli.limits.work import SpentError, within

_ROUNDS = 8
"""The most passes over a graph: each may make the next one possible."""
_STEPS = 4_000_000
"""Steps for all expressions together, a few seconds; half as many again if each has to be simplified alone."""
_FACTORED, _SUMS = frozenset({"mul", "div", "power"}), frozenset({"add", "sub"})
_CANCELLING = frozenset({"div", "sqrt", "exp"})
_LARGE = 5000
"""Nodes from which a graph gets one pass only."""


def simplified(roots: Iterable[Expr]) -> list[Expr]:
    """The same functions in the form a person would write, never longer than their textbook forms."""
    forms = readable(roots)
    return [e if shorter is None else shorter for e, shorter in zip(forms, attempted(forms), strict=True)]


def attempted(forms: list[Expr]) -> list[Expr | None]:
    """Textbook forms simplified; None for those that take more steps than the limit.

    All of them share one pass; if that exceeds the limit, each is simplified alone.
    """
    with collector_paused():
        try:
            with within(_STEPS, 1 / 4):
                return [*_all(forms)]
        except SpentError:
            with within(_STEPS / 2, 1 / 8):
                return [_alone(e) for e in forms]


def _all(forms: list[Expr]) -> list[Expr]:
    plain = [_best(e, s) for e, s in zip(forms, _settled(forms), strict=True)]
    # Sums read as products may also lead away from the shortest form: they are tried on what is simple already.
    tried = [e for e in plain if _cancels(e)]
    shorter: dict[Expr, Expr] = {}
    with suppress(SpentError), within(part=1 / 2):
        shorter = {e: q for e, q in zip(tried, _settled(tried, quotients=True), strict=True) if _shorter(q, e)}
    return [shorter.get(e, e) for e in plain]


def _cancels(e: Expr) -> bool:
    """Whether a sum with quotients, roots or exponentials among its terms meets factors, or has two exponentials."""
    nodes = reachable([e])
    within_sums = {a for node in nodes if node.op in _SUMS for a in node.args}
    factors = {a for node in nodes if node.op in _FACTORED for a in node.args}
    for node in nodes:
        if node.op in _SUMS and node not in within_sums:
            found = _operations(node)
            if found["exp"] > 1 or (node in factors and not _CANCELLING.isdisjoint(found)):
                return True
    return False


def _operations(e: Expr) -> Counter[str]:
    """The operations of the terms of a sum and of their factors, counted."""
    found: Counter[str] = Counter()
    stack = [*e.args]
    while stack:
        node = stack.pop()
        found[node.op] += 1
        if node.op in _SUMS or node.op in ("neg", "mul", "div"):
            stack += node.args
    return found


def _alone(e: Expr) -> Expr | None:
    try:
        with within(_STEPS / 16):
            return _all([e])[0]
    except SpentError:
        return None


def _best(e: Expr, s: Expr) -> Expr:
    if _no_longer(s, e):
        return s
    (s,) = _settled([e], compact=True)
    return s if _no_longer(s, e) else e


def _no_longer(a: Expr, b: Expr) -> bool:
    """Whether ``a`` is at most as long as ``b`` when written out, and its graph at most about twice as large."""
    return a is b or _fits(a, b, 0)


def _shorter(a: Expr, b: Expr) -> bool:
    return a is not b and _fits(a, b, 1)


def _fits(a: Expr, b: Expr, less: int) -> bool:
    """Whether ``a`` is shorter than ``b`` by ``less`` nodes written out, and its graph at most about twice as large."""
    sizes: dict[Expr, int] = {}
    for e in reachable([a, b]):
        sizes[e] = 1 + sum([sizes[x] for x in e.args])
    if sizes[a] + less > sizes[b]:
        return False
    most = 2 * len(reachable([b]))
    return sizes[a] <= most or len(reachable([a])) <= most


def _settled(roots: list[Expr], *, compact: bool = False, quotients: bool = False, most: int = _ROUNDS) -> list[Expr]:
    """The roots after passes that are repeated until nothing changes, at most ``most`` times."""
    for _ in range(most if len(reachable(roots)) < _LARGE else 1):
        new = Round(roots, compact, quotients).run()
        if all(a is b for a, b in zip(roots, new, strict=True)):
            break
        roots = new
    return roots
