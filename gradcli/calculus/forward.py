"""Forward mode: truncated multivariate Taylor series ("jets") of expressions, as expressions.

All partial derivatives up to a total order, in any variables. A jet holds derivatives, not Taylor coefficients: the
product rule then has binomials instead of factorials, which stay in range at any order and keep formulas readable. A
structural zero is None, never a node, so that no 0*inf arises from a path that does not exist.

For y = f(u), with w = f'(u) as an expression of its own, the derivative of index a (one index per variable, a_i > 0) is
    y_a = sum over b <= a - e_i of C(a - e_i, b) * u_(b + e_i) * w_(a - e_i - b),
which needs w to one degree less than y: the recursion ends, even where w contains y
(Griewank and Walther, Evaluating Derivatives, ch. 13). Layer: must not know evaluation.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, product
from math import comb, prod

from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, LARGEST, ONE, ZERO, Expr, apply, bit, const, exact, reachable
from gradcli.functions import TABLE, guarded, slopes, vanishes
from gradcli.functions.row import compared, vanishing
from gradcli.limits.work import spend

Index = tuple[int, ...]
"""A multi-index, used inside this file: the order in each variable, (2, 1) for d3/dx2dy."""

Partial = tuple[int, ...]
"""A partial derivative, used everywhere else: the positions of its variables, ascending and repeated, (0, 0, 1) for
d3/dx2dy. Its length is the total order, however many variables there are.
"""

TERM_LIMIT = 500_000
"""Products that a request for an order above 2 may take: about ten seconds."""
_PASSED = 16
"""Partials per step of work that are found to be zero because a variable is missing."""
_LARGE = Fraction(10) ** 300
"""Merged constants stay below it, and their reciprocals above its reciprocal: far from overflow and underflow."""
_DIRECT = {"var", *(name for name, row in TABLE.items() if row.direct), *BOOLEANS}
"""Operations with a rule of their own in `partials`: their slopes are not needed."""


def scaled(factor: Fraction | int, e: Expr) -> Expr:
    """factor*e with constants merged: in derivative rules 3*(2*x) may become 6*x, though it rounds differently."""
    if factor == 1 or vanishes(e):
        return e
    if e.op == "neg":
        return scaled(-factor, e.args[0])
    if (number := exact(e)) is not None:
        # 200!, a derivative of x**200, is beyond the range of a double: infinite, as a computed result would be.
        product = number * factor
        return const(product) if abs(product) < LARGEST else const(math.inf if product > 0 else -math.inf)
    if e.op in ("mul", "div") and (number := exact(e.args[0])) is not None:
        product = number * factor
        if abs(product) < _LARGE and (e.op == "mul" or abs(product) > 1 / _LARGE):
            return apply(e.op, const(product), e.args[1])
    if e.op == "div" and (below := exact(e.args[1])):
        return scaled(factor / below, e.args[0])
    return apply("mul", const(factor), e)


def times(a: Expr | None, b: Expr | None) -> Expr | None:
    """The product of two derivatives; None is a structural zero."""
    if a is None or b is None:
        return None
    if vanishes(a) or vanishes(b):
        return a if not vanishes(b) else guarded(b, a) if vanishes(a) else b
    for number, other in ((exact(a), b), (exact(b), a)):
        if number is not None:
            # A 0 in the user's formula is a number: 0*sqrt(x) has no derivative at 0. Only 0 times a constant vanishes.
            product = scaled(number, other) if number else apply("mul", a, b)
            return None if product is ZERO else product
    if a.op == b.op == "mul" and exact(a.args[0]) is not None and (number := exact(b.args[0])) is not None:
        return apply("mul", scaled(number, a), b.args[1])
    return apply("mul", a, b)


def plus(a: Expr | None, b: Expr | None) -> Expr | None:
    """The sum of two derivatives; None is a structural zero."""
    if a is None or b is None:
        return b if a is None else a
    if vanishes(a) or vanishes(b):
        return guarded(a, b) if vanishes(b) else guarded(b, a)
    return apply("add", a, b)


def minus(a: Expr | None, b: Expr | None) -> Expr | None:
    """The difference of two derivatives; None is a structural zero."""
    if b is None or (a is None and vanishes(b)):
        return a or b
    if a is None or vanishes(a):
        return apply("neg", b) if a is None else guarded(b if vanishes(b) else apply("neg", b), a)
    return guarded(a, b) if vanishes(b) else apply("sub", a, b)


def _split(a: Index) -> list[tuple[int, Index, Index]]:
    """(C(a, b), b, a - b) for every multi-index b <= a."""
    below = product(*[range(n + 1) for n in a])
    return [(prod(map(comb, a, b)), b, tuple([m - n for m, n in zip(a, b, strict=True)])) for b in below]


def _needed(roots: Iterable[Expr], order: int, mask: int) -> tuple[dict[Expr, int], dict[Expr, Sequence[Expr | None]]]:
    """The highest order of derivatives that is needed of each node, and the slopes of the nodes that need them.

    Raises GradError if an order above 2 takes more than TERM_LIMIT products.
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
                s if s is not None and a.variables & mask else None
                for s, a in zip(slopes(e, mask), e.args, strict=True)
            ]
        for slope in rules[e]:
            if slope is not None:
                ask(slope, degree - 1)
    # One product per pair of multi-indices b <= a with |a| <= degree, counted before any is made.
    terms = sum(comb(degree + 2 * (n := (e.variables & mask).bit_count()), 2 * n) for e, degree in need.items())
    if order > 2 and terms > TERM_LIMIT:
        raise GradError(
            f"order {order} of this expression takes {terms} products, the limit is {TERM_LIMIT}",
            hint="a lower order, or fewer variables at a time",
        )
    return need, rules


def _square(e: Expr) -> Expr | None:
    """u if e is u**2 or u*u, else None."""
    if e.op == "power" and exact(e.args[1]) == 2:
        return e.args[0]
    return e.args[0] if e.op == "mul" and e.args[0] is e.args[1] else None


def _among(condition: Expr, conditions: Collection[Expr]) -> bool:
    """Whether a condition is one of ``conditions``, or made of them."""
    made = condition.op in ("and", "or", "not") and all(_among(a, conditions) for a in condition.args)
    return made or condition in conditions


def partials(
    roots: Sequence[Expr], names: Sequence[str], order: int, written: Sequence[Expr] = ()
) -> dict[Expr, dict[Partial, Expr]]:
    """Every partial derivative of each root, of total order 1 to ``order`` in the variables ``names``.

    A partial that is zero everywhere is missing. Where a comparison meets nan, the `where` that asks it is constant,
    but its derivatives in the variables compared are nan: this is so for those in the expressions ``written`` by the
    user (the roots themselves if not given), not for those in slopes.
    """
    masks = [bit(name) for name in names]
    need, rules = _needed(roots, order, sum(masks))
    asked = {e.args[0] for e in reachable(written or roots) if e.op == "where"}
    jets: dict[Expr, dict[Index, Expr]] = {e: {(0,) * len(names): e} for e in need}
    ordered = sorted(need, key=lambda e: e.serial)
    split = cache(_split)

    def part(e: Expr, a: Index) -> Expr | None:
        jet = jets.get(e)
        if jet is not None:
            return jet.get(a)
        return None if any(a) else e

    def leibniz(u: Expr, v: Expr, terms: Iterable[tuple[int, Index, Index]], total: Expr | None = None) -> Expr | None:
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
            return above if above is None or vanishes(above) else apply("div", above, args[1])
        if op in ("where", "instead"):
            yes, no = part(args[1], a), part(args[2], a)
            chosen = None if yes is no is None else apply(op, args[0], yes or ZERO, no or ZERO)
            touched = sum(masks[i] for i, n in enumerate(a) if n)
            for u in compared(args[0]) if op == "where" and _among(args[0], asked) else ():
                if u.variables & touched:
                    chosen = plus(chosen, vanishing(u))
            return chosen
        if op == "defined":
            slope = part(args[1], a)
            if slope is None and vanishes(e):
                return e
            return None if slope is None else apply("defined", args[0], slope)
        return chain(e, a)

    def chain(e: Expr, a: Index) -> Expr | None:
        # Peel off the variable of lowest order: this leaves the fewest terms. A power is differentiated through its
        # base first: the derivatives of log(x) in log(x)*x**y overflow where those of x**y do not.
        avoid = e.op == "power" and exact(e.args[1]) is None
        i = min((avoid and not e.args[0].variables & masks[i], n, i) for i, n in enumerate(a) if n)[2]
        rest = split(tuple([n - (j == i) for j, n in enumerate(a)]))
        terms = [(count, tuple([n + (j == i) for j, n in enumerate(b)]), c) for count, b, c in rest]
        total: Expr | None = None
        for u, w in zip(e.args, rules[e], strict=True):
            if w is None:
                continue
            # Each index that is made has an entry for every variable.
            spend(4 + len(a) / 16)
            total = leibniz(u, w, terms, total)
        return total

    dense: dict[Partial, Index] = {}
    for degree in range(1, order + 1):
        positions = range(len(names))
        multi_indices = {p: tuple(map(p.count, positions)) for p in combinations_with_replacement(positions, degree)}
        dense.update(multi_indices)
        # Each with the bits of its variables: most partials of most nodes are structural zeros, skipped by one test.
        at_degree = [(a, sum({i: masks[i] for i in p}.values())) for p, a in multi_indices.items()]
        for e in ordered:
            if need[e] < degree or e.op in BOOLEANS:
                continue
            absent = ~e.variables
            spend(len(at_degree) / _PASSED)
            for a, touched in at_degree:
                if touched & absent:
                    continue
                spend(2)
                d = derivative(e, a)
                if d is not None:
                    jets[e][a] = d
    return {e: {p: jets[e][a] for p, a in dense.items() if a in jets[e]} if e in jets else {} for e in roots}
