"""Products as maps from bases to exponents, and the memos of simplified nodes.

Layer: must not know the order in which the graph is traversed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import reduce
from operator import mul

from gradcli.errors import GradError
from gradcli.expr import FOLD_BITS, ZERO, Expr, apply, const, constant, exact
from gradcli.expr.traversal import missing
from gradcli.limits.work import spend

Exponent = Fraction | Expr
Factors = frozenset[tuple[Expr, Exponent]]
"""A product without its coefficient: bases and exponents."""
Terms = dict[Factors, Fraction]
"""A sum: products and their coefficients."""

WIDE = 32
"""The most terms of a sum that is merged into a sum which uses it."""
E = constant("e")
ONCE = Fraction(1)
_NOTHING: Factors = frozenset()
_RATIOS = {"sin": ("cos", "tan", "cot"), "sinh": ("cosh", "tanh", "coth")}
"""The functions that quotients of two others are: sin/cos is tan, and cos/sin cot."""
_FACTOR = 16
"""Steps counted for each factor of a product."""


class Products:
    """Rules for products.

    ``compact``: write x**-2/y, which is shorter than 1/(x**2*y). ``quotients``: read sums as products. ``sums`` and
    ``products`` memoize the map of each node made here, ``measures`` its length and sort key, ``positives`` the nodes
    of products.
    """

    def __init__(self, compact: bool, quotients: bool) -> None:
        self.compact, self.quotients = compact, quotients
        self.sums: dict[Expr, Terms] = {}
        self.products: dict[Expr, tuple[Fraction, Factors]] = {}
        self.measures: dict[Expr, tuple[int, tuple[str, int]]] = {}
        self.positives: dict[tuple[Factors, Fraction], Expr] = {}

    def finished(self, terms: Terms) -> Expr:
        """The best form of a collected sum."""
        raise NotImplementedError

    # Measures: the length of a node written out as a tree, and a sort key by structure.

    def measure(self, root: Expr) -> tuple[int, tuple[str, int]]:
        for e in missing(root, self.measures):
            below = [self.measures[a] for a in e.args]
            word = str(e.value) if e.op in ("var", "constant", "const") else e.op
            text = f"{word} {' '.join([t[0] for _, t in below])}"[:48]
            self.measures[e] = 1 + sum([n for n, _ in below]), (text, e.digest)
        return self.measures[root]

    def size(self, e: Expr) -> int:
        return (self.measures.get(e) or self.measure(e))[0]

    def key(self, e: Expr) -> tuple[str, int]:
        return (self.measures.get(e) or self.measure(e))[1]

    # Nodes read as maps.

    def terms(self, e: Expr) -> Terms:
        """A simplified node as a sum of products."""
        known = self.sums.get(e)
        if known is not None and len(known) <= WIDE:
            return known
        coefficient, factors = self.factors(e)
        return {factors: coefficient} if coefficient else {}

    def factors(self, e: Expr) -> tuple[Fraction, Factors]:
        """A simplified node as a product: its coefficient and its factors."""
        known = self.products.get(e)
        if known is not None:
            return known
        number = exact(e)
        if number is not None:
            return number, _NOTHING
        if e.op == "neg":
            c, factors = self.factors(e.args[0])
            return -c, factors
        base, exponent = split(e)
        if base is None:
            return ONCE, frozenset({(e, ONCE)})
        if base in self.products and isinstance(exponent, Fraction) and exponent.denominator == 1:
            return self.to_the(base, exponent)
        return ONCE, frozenset({(base, exponent)})

    # Products.

    def merge(self, into: dict[Expr, Exponent], base: Expr, n: Exponent) -> None:
        """Multiply the product ``into`` by ``base**n``."""
        if base in into:
            m = into.pop(base)
            n = m + n if isinstance(m, Fraction) and isinstance(n, Fraction) else self.plus((m, 1), (n, 1))
        if n != 0:
            into[base] = n

    def plus(self, *scaled: tuple[Exponent, Fraction | int]) -> Exponent:
        """The sum of exponents, each times a number."""
        terms: Terms = {}
        for n, factor in scaled:
            for factors, c in self.terms(n if isinstance(n, Expr) else folded(n)).items():
                add(terms, factors, c * factor)
        total = self.finished(terms)
        number = exact(total)
        return total if number is None else number

    def multiplied(self, leaves: Iterable[tuple[Expr, int]]) -> Expr:
        """The product of ``leaves``, each to the power 1 or -1, its factors collected."""
        c = ONCE
        into: dict[Expr, Exponent] = {}
        for leaf, sign in leaves:
            k, factors = self.factors(leaf)
            if k != 1:
                c = short(c * k if sign > 0 else c / k)
            for base, n in sorted(factors, key=lambda f: self.key(f[0])) if len(factors) > 1 else factors:
                self.merge(into, base, n if sign > 0 else -n if isinstance(n, Fraction) else self.plus((n, -1)))
        return self.quotient(c, into)

    def quotient(self, c: Fraction, into: Mapping[Expr, Exponent]) -> Expr:
        """The shortest form of a collected product."""
        raise NotImplementedError

    def product(self, c: Fraction, into: Mapping[Expr, Exponent]) -> Expr:
        """The node of a collected product: constants folded, abs(x)**2 as x**2, sin/cos as tan."""
        spend(_FACTOR * (1 + len(into)))
        factors: dict[Expr, Exponent] = {}
        for base, n in into.items():
            whole = isinstance(n, Fraction) and n.denominator == 1
            number = exact(base)
            if whole and number is not None and abs(n) < FOLD_BITS:  # type: ignore[arg-type]
                c = short(c * powered(number, int(n)))  # type: ignore[arg-type]
            elif whole and base.op == "abs" and int(n) % 2 == 0:  # type: ignore[arg-type]
                self.merge(factors, base.args[0], n)
            else:
                self.merge(factors, base, n)
        for base in [b for b in factors if b.op in _RATIOS]:
            below, ratio, inverse = _RATIOS[base.op]
            other, n = apply(below, base.args[0]), factors[base]
            if isinstance(n, Fraction) and factors.get(other) == -n:
                del factors[base], factors[other]
                self.merge(factors, apply(ratio if n > 0 else inverse, base.args[0]), abs(n))
        if not c:
            return ZERO
        node = self.written(c, factors)
        if c > 0:
            self.positives[frozenset(factors.items()), c] = node
        if len(factors) != 1 or abs(c) != 1 or node not in self.sums:
            self.products[node] = c, frozenset(factors.items())
        return node

    def written(self, c: Fraction, factors: Mapping[Expr, Exponent]) -> Expr:
        """The node of c times the factors as one fraction: numerator, denominator, sign in front."""
        above, below = [], []
        for base, n in sorted(factors.items(), key=lambda f: (f[0].op != "var", self.key(f[0]))):
            if isinstance(n, Fraction) and n < 0 and base is not E:
                below.append((base, -n))
            else:
                above.append((base, n))
        p, q = abs(c.numerator), c.denominator
        if self.compact and p == q == 1 and not above and below:
            # x**-2 is shorter than 1/x**2.
            at = next((i for i, (_, n) in enumerate(below) if n != 1), None)
            if at is not None:
                base, n = below.pop(at)
                above.append((base, -n))
        top = [_power(base, n) for base, n in above]
        bottom = [_power(base, n) for base, n in below]
        # Style of coefficients: x/2 and x/3, but 0.1*x and 1.5*x.
        if q > 1 and p == 1 and top and (q % 5 or (q % 10 == 5 and q != 5)):
            bottom.insert(0, folded(Fraction(q)))
        elif p != q or not top:
            top.insert(0, folded(Fraction(-p if c < 0 else p, q)))
            c = abs(c)
        node = reduce(mul, top)
        if bottom:
            node = apply("div", node, reduce(mul, bottom))
        return apply("neg", node) if c < 0 else node

    def to_the(self, base: Expr, n: Fraction) -> tuple[Fraction, Factors]:
        """The product ``base`` to an integer power."""
        c, factors = self.factors(base)
        into = {b: m * n if isinstance(m, Fraction) else self.plus((m, n)) for b, m in factors}
        return powered(c, int(n)), frozenset(into.items())


def add(terms: Terms, factors: Factors, coefficient: Fraction) -> None:
    """Add a product to a sum; a coefficient that becomes 0 is removed."""
    total = terms.get(factors, 0) + coefficient
    if total:
        terms[factors] = short(Fraction(total))
    else:
        terms.pop(factors, None)


def bits(value: Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


def short(value: Fraction, most: int = 4 * FOLD_BITS) -> Fraction:
    """``value`` itself. Raises GradError above ``most`` bits: the caller then keeps the original node."""
    if bits(value) > most:
        raise GradError("a number too long to be folded")
    return value


def powered(value: Fraction, n: int) -> Fraction:
    """A coefficient to an integer power. Raises GradError, before computing it, if it would be too long."""
    if abs(value) != 1 and abs(n) * (bits(value) - 2) > 4 * FOLD_BITS:
        raise GradError("a number too long to be folded")
    return value**n


def folded(value: Fraction) -> Expr:
    return const(short(value, FOLD_BITS))


def split(e: Expr) -> tuple[Expr | None, Exponent]:
    """Base and exponent of a power, a root or an exponential; None for anything else."""
    if e.op == "power":
        number = exact(e.args[1])
        return e.args[0], e.args[1] if number is None else number
    if e.op == "sqrt":
        return e.args[0], Fraction(1, 2)
    if e.op == "exp":
        number = exact(e.args[0])
        return E, e.args[0] if number is None else number
    return (E, Fraction(1)) if e is E else (None, Fraction(1))


def _power(base: Expr, n: Exponent) -> Expr:
    if n == Fraction(1, 2) and base is not E:
        return apply("sqrt", base)
    return apply("power", base, n if isinstance(n, Expr) else const(n))
