"""Forward mode: truncated Taylor series ("jets") of expressions, as expressions.

All partial derivatives up to a total order, in any variables, by loops only. What is kept are
derivatives, not Taylor coefficients: the product rule then has binomials instead of factorials, which stay
in range at any order and keep the formulas readable. A zero of calculus is None, never a node, so 0*inf
cannot arise from a path that is not there.

For y = f(u), with w = f'(u) as an expression of its own, the derivative of index a (one index per variable, a_i > 0) is
    y_a = sum over b <= a - e_i of C(a - e_i, b) * u_(b + e_i) * w_(a - e_i - b),
which needs w to one degree less than y: the recursion is grounded though w may mention y
(Griewank and Walther, Evaluating Derivatives, chapter 13). Must not know evaluation.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import comb, prod

from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, LARGEST, ONE, ZERO, Expr, apply, bit, const, exact
from gradcli.functions import having, slopes
from gradcli.limits.work import spend

Index = tuple[int, ...]
"""Within this room: how many derivatives in each variable, (2, 1) for d3/dx2dy."""

Partial = tuple[int, ...]
"""To the outside: the positions of the variables, each as often as it is differentiated in, (0, 0, 1) for d3/dx2dy.
A thousand variables cost nothing in it."""

TERM_LIMIT = 500_000
"""Products that a request for high orders may take: some ten seconds' work."""
_PASSED = 16
"""Partials that are found to be zero, since a variable is missing, in one step of work."""
_LARGE = Fraction(10) ** 300
_DIRECT = {"var", *having("direct"), *BOOLEANS}


def scaled(factor: Fraction | int, e: Expr) -> Expr:
    """factor*e, with constants merged: in a rule we write ourselves 3*(2*x) may be 6*x."""
    if factor == 1:
        return e
    if e.op == "neg":
        return scaled(-factor, e.args[0])
    if (number := exact(e)) is not None:
        # 200! is no double, and as the derivative of x**200 it is infinite like any other result.
        product = number * factor
        return const(product) if abs(product) < LARGEST else const(math.inf if product > 0 else -math.inf)
    if e.op in ("mul", "div") and (number := exact(e.args[0])) is not None:
        product = number * factor
        if abs(product) < _LARGE and (e.op == "mul" or abs(product) > 1 / _LARGE):
            return apply(e.op, const(product), e.args[1])
    if e.op == "div" and (below := exact(e.args[1])) is not None:
        return scaled(factor / below, e.args[0])
    return apply("mul", const(factor), e)


def times(a: Expr | None, b: Expr | None) -> Expr | None:
    """Product of two derivatives, None standing for zero."""
    if a is None or b is None:
        return None
    for number, other in ((exact(a), b), (exact(b), a)):
        if number is not None:
            # The 0 a user wrote is a number: 0*sqrt(x) has no slope at 0. Only 0 times a number is gone.
            product = scaled(number, other) if number else apply("mul", a, b)
            return None if product is ZERO else product
    if a.op == b.op == "mul" and exact(a.args[0]) is not None and (number := exact(b.args[0])) is not None:
        return apply("mul", scaled(number, a), b.args[1])
    return apply("mul", a, b)


def plus(a: Expr | None, b: Expr | None) -> Expr | None:
    """Sum of two derivatives, None standing for zero."""
    if a is None or b is None:
        return b if a is None else a
    return apply("add", a, b)


def minus(a: Expr | None, b: Expr | None) -> Expr | None:
    """Difference of two derivatives, None standing for zero."""
    if b is None:
        return a
    return apply("neg", b) if a is None else apply("sub", a, b)


def _dense(partial: Partial, count: int) -> Index:
    return tuple([partial.count(i) for i in range(count)])


def _split(a: Index) -> Iterator[tuple[int, Index, Index]]:
    """(C(a, b), b, a - b) for every b <= a."""
    for b in product(*[range(n + 1) for n in a]):
        yield prod(map(comb, a, b)), b, tuple([m - n for m, n in zip(a, b, strict=True)])


def _needed(roots: Iterable[Expr], order: int, mask: int) -> tuple[dict[Expr, int], dict[Expr, Sequence[Expr | None]]]:
    """To which degree each expression's derivatives are needed, and the slopes of those that have them.

    Raises GradError where that is beyond all patience.
    """
    need: dict[Expr, int] = {}
    rules: dict[Expr, Sequence[Expr | None]] = {}
    queue: list[tuple[int, Expr]] = []

    def ask(e: Expr, degree: int) -> None:
        if degree > need.get(e, 0) and e.variables & mask:
            need[e] = degree
            heapq.heappush(queue, (-e.serial, e))

    for e in roots:
        ask(e, order)
    while queue:
        _, e = heapq.heappop(queue)
        degree = need[e]
        for a in e.args:
            if a.op not in BOOLEANS:
                ask(a, degree)
        if e.op in _DIRECT or _square(e):
            continue
        if e not in rules:
            rules[e] = [
                s if s is not None and a.variables & mask else None for s, a in zip(slopes(e), e.args, strict=True)
            ]
        for slope in rules[e]:
            if slope is not None:
                ask(slope, degree - 1)
    # One term per pair of indices b <= a, |a| <= degree: counted before the first is made.
    terms = sum(comb(degree + 2 * (n := (e.variables & mask).bit_count()), 2 * n) for e, degree in need.items())
    if order > 2 and terms > TERM_LIMIT:
        raise GradError(
            f"order {order} of this expression takes {terms} products, the limit is {TERM_LIMIT}",
            hint="a lower order, or fewer variables at a time",
        )
    return need, rules


def _square(e: Expr) -> Expr | None:
    """u, where e is u**2 or u*u."""
    if e.op == "power" and exact(e.args[1]) == 2:
        return e.args[0]
    return e.args[0] if e.op == "mul" and e.args[0] is e.args[1] else None


def partials(roots: Sequence[Expr], names: Sequence[str], order: int) -> dict[Expr, dict[Partial, Expr]]:
    """Every partial derivative of each root, of total order 1 to ``order`` in the variables ``names``.

    A partial that is zero everywhere is missing.
    """
    masks = [bit(name) for name in names]
    need, rules = _needed(roots, order, sum(masks))
    jets: dict[Expr, dict[Index, Expr]] = {e: {(0,) * len(names): e} for e in need}
    ordered = sorted(need, key=lambda e: e.serial)
    splits: dict[Index, list[tuple[int, Index, Index]]] = {}

    def split(a: Index) -> list[tuple[int, Index, Index]]:
        if a not in splits:
            splits[a] = list(_split(a))
        return splits[a]

    def part(e: Expr, a: Index) -> Expr | None:
        found = jets.get(e)
        if found is not None:
            return found.get(a)
        return None if any(a) else e

    def leibniz(u: Expr, v: Expr, terms: Iterable[tuple[int, Index, Index]]) -> Expr | None:
        total: Expr | None = None
        for count, b, c in terms:
            term = times(part(u, b), part(v, c))
            if term is not None:
                total = plus(total, scaled(count, term))
        return total

    def derivative(e: Expr, a: Index) -> Expr | None:
        args = e.args
        op = e.op
        if op == "var":
            return ONE if sum(a) == 1 else None
        if op in ("add", "sub"):
            return (plus if op == "add" else minus)(part(args[0], a), part(args[1], a))
        if op == "neg":
            return minus(None, part(args[0], a))
        u = _square(e)
        if u is not None:
            terms = [(2 * count, b, c) if b < c else (count, b, c) for count, b, c in split(a) if b <= c]
            return leibniz(u, u, terms)
        if op == "mul":
            return leibniz(args[0], args[1], split(a))
        if op == "div":
            above = minus(part(args[0], a), leibniz(args[1], e, split(a)[1:]))
            return None if above is None else apply("div", above, args[1])
        if op in ("where", "instead"):
            yes, no = part(args[1], a), part(args[2], a)
            return None if yes is no is None else apply(op, args[0], yes or ZERO, no or ZERO)
        if op == "defined":
            slope = part(args[1], a)
            return None if slope is None else apply("defined", args[0], slope)
        return chain(e, a)

    def chain(e: Expr, a: Index) -> Expr | None:
        # Last in the variable with the smallest index: that leaves the fewest terms. But a power rather through its
        # base: the slopes of log(x) in log(x)*x**y leave the range of a double where those of x**y do not.
        avoid = e.op == "power" and exact(e.args[1]) is None
        i = min((avoid and not e.args[0].variables & masks[i], n, i) for i, n in enumerate(a) if n)[2]
        rest = tuple([n - (j == i) for j, n in enumerate(a)])
        total: Expr | None = None
        for u, w in zip(e.args, rules[e], strict=True):
            if w is None:
                continue
            # Each index that is made has an entry for every variable.
            spend(4 + len(a) / 16)
            for count, b, c in split(rest):
                term = times(part(u, tuple([n + (j == i) for j, n in enumerate(b)])), part(w, c))
                if term is not None:
                    total = plus(total, scaled(count, term))
        return total

    dense: dict[Partial, Index] = {}
    for degree in range(1, order + 1):
        these = {p: _dense(p, len(names)) for p in combinations_with_replacement(range(len(names)), degree)}
        dense.update(these)
        # Each with the bits of the variables it differentiates in: of most expressions most partials are zero.
        at_degree = [(a, sum({i: masks[i] for i in p}.values())) for p, a in these.items()]
        for e in ordered:
            if need[e] < degree or e.op in BOOLEANS:
                continue
            absent = ~e.variables
            spend(len(at_degree) / _PASSED)
            for a, touched in at_degree:
                if touched & absent:
                    continue
                spend(2)
                found = derivative(e, a)
                if found is not None:
                    jets[e][a] = found
    return {e: {p: jets[e][a] for p, a in dense.items() if a in jets[e]} if e in jets else {} for e in roots}
