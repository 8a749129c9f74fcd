"""Sums read as products: over their common denominator, and pairs of exponentials as hyperbolic functions.

Each form is another product, which pays where its factors meet others: (E**x - 1)/(E**x + 1) is tanh(x/2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from gradcli.calculus.simplify.products import E, Exponent, Factors, Terms
from gradcli.calculus.simplify.sums import Sums
from gradcli.expr import Expr

Product = tuple[Fraction, Factors]


class Quotients(Sums):
    """Rules for products of sums: of several forms of a product, the shortest is chosen."""

    def __init__(self, compact: bool, quotients: bool) -> None:
        super().__init__(compact, quotients)
        self.joint: dict[Expr, Product | None] = {}
        self.hyperbolic: dict[Expr, Product | None] = {}

    def quotient(self, c: Fraction, into: Mapping[Expr, Exponent]) -> Expr:
        """The shortest node of c times the factors, with their sums as they are or read as products."""
        best = self.product(c, into)
        for form in self.forms(c, into) if self.quotients else ():
            best = min(best, self.product(*form), key=self.size)
        return best

    def forms(self, c: Fraction, into: Mapping[Expr, Exponent]) -> Iterator[tuple[Fraction, Mapping[Expr, Exponent]]]:
        """The product with its sums over their common denominators, and with pairs of exponentials replaced."""
        sums = [b for b, n in into.items() if b in self.sums and isinstance(n, Fraction) and n.denominator == 1]
        if not sums:
            return
        for read, known in ((self.over_denominator, self.joint), (self.of_exponentials, self.hyperbolic)):
            replaced: dict[Expr, Product] = {}
            for base in sums:
                if base not in known:
                    known[base] = read(self.sums[base])
                if (product := known[base]) is not None:
                    replaced[base] = product
            if replaced:
                yield self.replaced(c, into, replaced)
        yield from self.distributed(c, into)

    def distributed(
        self, c: Fraction, into: Mapping[Expr, Exponent]
    ) -> Iterator[tuple[Fraction, Mapping[Expr, Exponent]]]:
        """The product with a sum divided by a denominator that is a factor of one of its terms."""
        sums = [b for b, n in into.items() if n == 1 and b in self.sums]
        for base in sums:
            terms = self.sums[base]
            below = {
                b: n for b, n in into.items() if isinstance(n, Fraction) and n < 0 and b.op not in ("var", "const")
            }
            for b, n in below.items():
                if any((b, -n) in factors for factors in terms):
                    divided = {
                        frozenset(self.joined(dict(f), frozenset({(b, n)})).items()): k for f, k in terms.items()
                    }
                    k, factors = self.factors(self.finished(divided))
                    rest = {a: m for a, m in into.items() if a is not base and a is not b}
                    yield c * k, self.joined(rest, factors)

    def replaced(
        self, c: Fraction, into: Mapping[Expr, Exponent], products: Mapping[Expr, Product]
    ) -> tuple[Fraction, Mapping[Expr, Exponent]]:
        """A product with some of its bases replaced by products, each to the same integer power."""
        factors = {base: n for base, n in into.items() if base not in products}
        for base, (k, inner) in products.items():
            n = into[base]
            assert isinstance(n, Fraction)
            c *= k ** int(n)
            for b, m in sorted(inner, key=lambda f: self.key(f[0])):
                self.merge(factors, b, m * n if isinstance(m, Fraction) else self.plus((m, n)))
        return c, factors

    def over_denominator(self, terms: Terms) -> Product | None:
        """A sum as its numerator times the powers of its denominators; None if it has none."""
        below = self.denominator(terms)
        above = self.expanded(terms, below) if below else None
        if above is None:
            return None
        k, factors = self.factors(self.finished(above))
        into = dict(factors)
        for base, n in below.items():
            self.merge(into, base, -n)
        return k, frozenset(into.items())

    def of_exponentials(self, terms: Terms) -> Product | None:
        """c*(E**m + E**n) as 2*c*E**((m + n)/2)*cosh((m - n)/2), the difference with sinh; None for other sums."""
        if len(terms) != 2:
            return None
        (first, c), (second, k) = terms.items()
        (rest, m), (other, n) = self.exponential(first), self.exponential(second)
        half = self.halved(m, n) if rest == other and abs(c) == abs(k) else None
        if half is None:
            return None
        factors = dict(rest)
        self.merge(factors, E, self.plus((m, Fraction(1, 2)), (n, Fraction(1, 2))))
        sign, node = self.hyperbolic_of(half, even=c == k)
        self.merge(factors, node, Fraction(1))
        return 2 * c * sign, frozenset(factors.items())
