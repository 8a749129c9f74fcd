"""Sums as maps from products to coefficients: collected, factored, put over a common denominator, built."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from gradcli.calculus.simplify.products import ONCE, E, Exponent, Factors, Products, Terms, add
from gradcli.expr import ONE, ZERO, Expr, apply
from gradcli.functions import TABLE
from gradcli.limits.work import spend

_FACTORED, _TOGETHER, _EXPANDED = 64, 16, 64
"""The most terms of a sum that is searched for common factors, that gets a common denominator, and that an expanded
product may have.
"""
_SQUARES = {row.name: row.pythagorean for row in TABLE.values() if row.pythagorean is not None}


class Sums(Products):
    """Rules for sums: of several forms of a sum, the shortest is chosen."""

    def sum(self, leaves: Iterable[tuple[Expr, int]], settled: Expr | None = None) -> Expr:
        """The shortest form of the sum of ``leaves``, each with the sign 1 or -1.

        ``settled`` is the form without quotients, if that is known.
        """
        plain: Terms = {}
        nested = False
        for leaf, sign in leaves:
            for factors, c in self.terms(leaf).items():
                spend(1 + len(factors))
                add(plain, factors, c if sign > 0 else -c)
                nested = nested or any(base in self.sums for base, _ in factors)
        others: list[Terms | None] = []
        if settled is None:
            best = self.finished(plain)
        else:
            best = settled
            self.sums.setdefault(settled, plain)
            if len([1 for factors in plain for base, n in factors if base is E and isinstance(n, Expr)]) > 1:
                others = [plain]
        if nested and settled is None:
            # Expand: 2*(x + 1) + 3 is 2*x + 5, and x*(x + 1) - x**2 is x.
            whole: Terms = {}
            for factors, c in plain.items():
                base, n = next(iter(factors)) if len(factors) == 1 else (ONE, Fraction(0))
                inner = self.terms(base) if n == 1 and base in self.sums else {factors: ONCE}
                for product, k in inner.items():
                    add(whole, product, c * k)
            others = [whole, self.expanded(whole, {})]
        below = self.denominator(plain)
        for terms in others:
            if terms is not None:
                best = min(best, self.finished(terms), key=self.size)
        above = self.expanded(plain, below) if below else None
        while above is not None:
            c, factors = self.factors(self.finished(above))
            into = dict(factors)
            for base, n in below.items():
                self.merge(into, base, -n)
            best = min(best, self.quotient(c, into), key=self.size)
            # Roots that were multiplied may be sums again.
            above = self.expanded(above, {}) if self.quotients else None
        return best

    def denominator(self, terms: Terms) -> dict[Expr, Fraction]:
        """The common denominator of a sum of at most _TOGETHER terms, as bases and exponents."""
        below: dict[Expr, Fraction] = {}
        if 1 < len(terms) <= _TOGETHER:
            for factors in terms:
                for base, n in factors:
                    if isinstance(n, Fraction) and n < 0 and base is not E:
                        below[base] = max(below.get(base, n), -n)
        return below

    def expanded(self, terms: Terms, times: Mapping[Expr, Fraction]) -> Terms | None:
        """``terms`` times ``times`` with products of sums multiplied out; None if there are none, or too many terms."""
        if len(terms) > _TOGETHER:
            return None
        expansion: Terms = {}
        any_sum = False
        for factors, c in terms.items():
            into = dict(factors)
            for base, power in times.items():
                self.merge(into, base, power)
            sums: list[Terms] = []
            rest: dict[Expr, Exponent] = {}
            for base, n in into.items():
                if isinstance(n, Fraction) and n in (1, 2, 3) and base in self.sums and len(self.terms(base)) > 1:
                    sums += [self.terms(base)] * int(n)
                else:
                    rest[base] = n
            any_sum = any_sum or bool(sums)
            products: list[tuple[Fraction, dict[Expr, Exponent]]] = [(c, rest)]
            for inner in sums:
                if len(products) * len(inner) > _EXPANDED:
                    return None
                products = [(c * k, self.joined(p, more)) for c, p in products for more, k in inner.items()]
            for k, p in products:
                add(expansion, frozenset(p.items()), k)
        return expansion if any_sum or times else None

    def joined(self, a: Mapping[Expr, Exponent], b: Factors) -> dict[Expr, Exponent]:
        """The product of ``a`` and ``b``."""
        into = dict(a)
        spend(len(a) + len(b))
        for base, n in b:
            self.merge(into, base, n)
        return into

    def finished(self, terms: Terms) -> Expr:
        """The best form of a collected sum."""
        terms = dict(terms)
        self.squares(terms)
        if self.quotients:
            self.hyperbolics(terms)
        if 1 < len(terms) <= _FACTORED:
            while self.factor(terms):
                pass
        return self.total(terms)

    def squares(self, terms: Terms) -> None:
        """Apply sin**2 + cos**2 = 1, 1 - sin**2 = cos**2 and cosh**2 - sinh**2 = 1, in place."""
        waiting = [f for f in terms if any(b.op in _SQUARES and isinstance(n, Fraction) and n >= 2 for b, n in f)]
        for factors in waiting:
            for base, n in factors:
                if factors not in terms or base.op not in _SQUARES or not isinstance(n, Fraction) or n < 2:
                    continue
                partner, sign = _SQUARES[base.op]
                rest = dict(factors)
                self.merge(rest, base, Fraction(-2))
                unit = frozenset(rest.items())
                self.merge(rest, apply(partner, base.args[0]), Fraction(2))
                other, c = frozenset(rest.items()), terms[factors]
                if terms.get(other) == sign * c:
                    del terms[factors], terms[other]
                    add(terms, unit, c)
                elif terms.get(unit) == -c:
                    del terms[factors], terms[unit]
                    add(terms, other, -sign * c)

    def hyperbolics(self, terms: Terms) -> None:
        """Apply E**u + E**-u = 2*cosh(u) and E**u - E**-u = 2*sinh(u), in place."""
        waiting = [f for f in terms if any(b is E and isinstance(n, Expr) for b, n in f)]
        for factors in waiting if len(waiting) > 1 else ():
            if factors not in terms:
                continue
            rest, m = self.exponential(factors)
            mirrored = self.plus((m, -1))
            partner, c = rest | {(E, mirrored)}, terms[factors]
            if abs(terms.get(partner, 0)) == abs(c) and (half := self.halved(m, mirrored)) is not None:
                sign, node = self.hyperbolic_of(half, even=terms[partner] == c)
                del terms[factors], terms[partner]
                into = dict(rest)
                self.merge(into, node, Fraction(1))
                add(terms, frozenset(into.items()), 2 * c * sign)

    def exponential(self, factors: Factors) -> tuple[Factors, Exponent]:
        """A product without its power of E, and the exponent of that."""
        for base, n in factors:
            if base is E:
                return factors - {(base, n)}, n
        return factors, Fraction(0)

    def halved(self, m: Exponent, n: Exponent) -> Expr | None:
        """Half of the difference of two exponents; None if it is a number."""
        half = self.plus((m, Fraction(1, 2)), (n, Fraction(-1, 2)))
        return half if isinstance(half, Expr) else None

    def hyperbolic_of(self, u: Expr, *, even: bool) -> tuple[int, Expr]:
        """cosh or sinh of ``u``, without the minus of its argument, and the sign that this leaves."""
        c, factors = self.factors(u)
        if c < 0 and u not in self.sums:
            return 1 if even else -1, apply("cosh" if even else "sinh", self.product(-c, dict(factors)))
        return 1, apply("cosh" if even else "sinh", u)

    def factor(self, terms: Terms) -> bool:
        """Factor out, in place, the factor that most terms share if the sum gets shorter; return whether it did."""
        for members, common in self.shared(terms):
            inside: Terms = {}
            content = _content([terms[f] for f in members])
            if not common and abs(content) == 1:
                continue
            for f in members:
                rest = dict(f)
                for base, n in common.items():
                    self.merge(rest, base, -n if isinstance(n, Fraction) else self.plus((n, -1)))
                add(inside, frozenset(rest.items()), terms[f] / content)
            inner = self.finished(inside)
            k, factors = self.factors(inner)
            factored = self.product(content * k, self.joined(common, factors))
            if self.size(factored) < self.length({f: terms[f] for f in members}):
                for f in members:
                    del terms[f]
                c, new = self.factors(factored)
                add(terms, new, c)
                return True
        return False

    def shared(self, terms: Terms) -> Iterator[tuple[list[Factors], dict[Expr, Exponent]]]:
        """Groups of terms with their common factors, the largest group first."""
        holders: dict[object, list[Factors]] = {}
        names: dict[object, tuple[str, int]] = {}
        for f in terms:
            for base, n in f:
                kind = (base, n > 0) if isinstance(n, Fraction) else (base, n)
                holders.setdefault(kind, []).append(f)
                names[kind] = self.key(base)
        tried: set[frozenset[Factors]] = set()
        order = sorted(holders, key=lambda kind: (-len(holders[kind]), names[kind]))
        for members in [*[holders[kind] for kind in order][:_FACTORED], list(terms)]:
            if len(members) > 1 and (group := frozenset(members)) not in tried:
                tried.add(group)
                spend(sum(map(len, members)))
                alike = len(members) < len(terms)
                common = dict(members[0])
                for f in members[1:]:
                    other = dict(f)
                    common = {
                        b: least for b, n in common.items() if (least := _least(n, other.get(b), alike)) is not None
                    }
                yield members, common

    def length(self, terms: Terms) -> int:
        """The size of the node of a sum, without building it where a term is positive."""
        if all(c < 0 for c in terms.values()):
            return self.size(self.total(terms))
        return sum([self.size(self.part(f, abs(c))) for f, c in terms.items()]) + len(terms) - 1

    def part(self, factors: Factors, c: Fraction) -> Expr:
        """The node of a product with a positive coefficient."""
        return self.positives.get((factors, c)) or self.product(c, dict(factors))

    def total(self, terms: Terms) -> Expr:
        """The node of a sum without further rules: highest powers first, numbers last."""

        def rank(item: tuple[Factors, Fraction]) -> tuple[int, Fraction, list[tuple[str, int]]]:
            factors = item[0]
            degree = Fraction(0)
            for base, n in factors:
                degree += n if isinstance(n, Fraction) and base.op == "var" else 0
            plain = all(base.op == "var" for base, _ in factors)
            group = 3 if not factors else 1 if not plain else 0 if degree > 1 else 2
            return group, -degree, sorted(self.key(base) for base, _ in factors)

        spend(sum(map(len, terms)))
        ordered = sorted(terms.items(), key=rank)
        if not ordered:
            return ZERO
        parts = [(self.part(f, abs(c)), c > 0) for f, c in ordered]
        if len(parts) == 1:
            return parts[0][0] if parts[0][1] else apply("neg", parts[0][0])
        first = next((i for i, (_, plus) in enumerate(parts) if plus), 0)
        parts.insert(0, parts.pop(first))
        node = _summed(parts)
        if node is None:
            # `apply` would reorder a - b + c to c + (a - b): put the positive terms first.
            node = _summed(sorted(parts, key=lambda part: not part[1]), anyway=True)
        assert node is not None
        if node not in self.products:
            self.sums[node] = dict(terms)
        return node


def _summed(parts: list[tuple[Expr, bool]], anyway: bool = False) -> Expr | None:
    """The terms added from left to right; None if `apply` would reorder them, unless ``anyway``."""
    first, plus = parts[0]
    node = first if plus else apply("neg", first)
    for part, plus in parts[1:]:
        before, node = node, apply("add" if plus else "sub", node, part)
        if not anyway and before.op == "sub" and node.op == "add" and node.args[0] is not before:
            return None
    return node


def _content(numbers: list[Fraction]) -> Fraction:
    """The content of the coefficients: their gcd if they are integers, with their sign if they share one.

    Of fractions it is their common absolute value, else 1.
    """
    sign = -1 if all(c < 0 for c in numbers) else 1
    if any(c.denominator != 1 for c in numbers):
        size = abs(numbers[0])
        return sign * size if all(abs(c) == size for c in numbers) else Fraction(sign)
    return Fraction(sign * math.gcd(*[c.numerator for c in numbers]))


def _least(a: Exponent, b: Exponent | None, alike: bool) -> Exponent | None:
    """The exponent that two powers of one base have in common, or None.

    ``alike``: only equal exponents count, since x**2 + 2*x + 1 is better than x*(x + 2) + 1.
    """
    if isinstance(a, Fraction) and isinstance(b, Fraction) and not alike:
        return (min(a, b) if a > 0 else max(a, b)) if (a > 0) == (b > 0) else None
    return a if a == b else None
