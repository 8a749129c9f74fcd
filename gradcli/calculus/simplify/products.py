"""Products as tables from bases to exponents, and what is known of each new node.

Must not know in which order the graph is gone through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from gradcli.errors import GradError
from gradcli.expr import FOLD_BITS, ZERO, Expr, apply, const, constant, exact
from gradcli.limits.work import spend

Exponent = Fraction | Expr
Factors = frozenset[tuple[Expr, Exponent]]
"""A product without its coefficient: bases and exponents."""
Terms = dict[Factors, Fraction]
"""A sum: products and their coefficients."""

WIDE = 32
"""Terms that a sum standing elsewhere, too, may have and still be merged into its users."""
E = constant("e")
ONCE = Fraction(1)
_NOTHING: Factors = frozenset()
_FACTOR = 16
"""Steps that a factor of a product takes."""


class Products:
    """``compact``: x**-2/y where 1/(x**2*y) would be longer.

    ``sums`` and ``products`` say how the nodes made here read as tables.
    """

    def __init__(self, compact: bool) -> None:
        self.compact = compact
        self.sums: dict[Expr, Terms] = {}
        self.products: dict[Expr, tuple[Fraction, Factors]] = {}
        self.measures: dict[Expr, tuple[int, tuple[str, int]]] = {}
        self.positives: dict[tuple[Factors, Fraction], Expr] = {}

    def finished(self, terms: Terms) -> Expr:
        """The best form of a collected sum."""
        raise NotImplementedError

    # Measures: the length of a node as a tree, and a text to sort by.

    def measure(self, root: Expr) -> tuple[int, tuple[str, int]]:
        stack = [root]
        while stack:
            e = stack[-1]
            if e in self.measures:
                stack.pop()
                continue
            missing = [a for a in e.args if a not in self.measures]
            if missing:
                stack.extend(missing)
                continue
            below = [self.measures[a] for a in e.args]
            word = str(e.value) if e.op in ("var", "constant", "const") else e.op
            text = f"{word} {' '.join([t[0] for _, t in below])}"[:48]
            self.measures[stack.pop()] = 1 + sum([n for n, _ in below]), (text, e.digest)
        return self.measures[root]

    def size(self, e: Expr) -> int:
        return (self.measures.get(e) or self.measure(e))[0]

    def key(self, e: Expr) -> tuple[str, int]:
        return (self.measures.get(e) or self.measure(e))[1]

    # Nodes read as tables.

    def terms(self, e: Expr) -> Terms:
        """A new node as a sum."""
        known = self.sums.get(e)
        if known is not None and len(known) <= WIDE:
            return known
        coefficient, factors = self.factors(e)
        return {factors: coefficient} if coefficient else {}

    def factors(self, e: Expr) -> tuple[Fraction, Factors]:
        """A new node as a product."""
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
        if base in into:
            m = into.pop(base)
            n = m + n if isinstance(m, Fraction) and isinstance(n, Fraction) else self.plus((m, 1), (n, 1))
        if n != 0:
            into[base] = n

    def plus(self, *scaled: tuple[Exponent, Fraction | int]) -> Exponent:
        """A sum of exponents times numbers."""
        terms: Terms = {}
        for n, factor in scaled:
            for factors, c in self.terms(n if isinstance(n, Expr) else folded(n)).items():
                add(terms, factors, c * factor)
        total = self.finished(terms)
        number = exact(total)
        return total if number is None else number

    def multiplied(self, leaves: Iterable[tuple[Expr, int]]) -> Expr:
        c = ONCE
        into: dict[Expr, Exponent] = {}
        for leaf, sign in leaves:
            k, factors = self.factors(leaf)
            if k != 1:
                c = short(c * k if sign > 0 else c / k)
            for base, n in sorted(factors, key=lambda f: self.key(f[0])) if len(factors) > 1 else factors:
                self.merge(into, base, n if sign > 0 else -n if isinstance(n, Fraction) else self.plus((n, -1)))
        return self.product(c, into)

    def product(self, c: Fraction, into: Mapping[Expr, Exponent]) -> Expr:
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
        for base in [b for b in factors if b.op == "sin"]:
            other, n = apply("cos", base.args[0]), factors[base]
            if isinstance(n, Fraction) and factors.get(other) == -n:
                del factors[base], factors[other]
                self.merge(factors, apply("tan" if n > 0 else "cot", base.args[0]), abs(n))
        if not c:
            return ZERO
        made = self.written(c, factors)
        if c > 0:
            self.positives[frozenset(factors.items()), c] = made
        if len(factors) != 1 or abs(c) != 1 or made not in self.sums:
            self.products[made] = c, frozenset(factors.items())
        return made

    def written(self, c: Fraction, factors: Mapping[Expr, Exponent]) -> Expr:
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
        # x/2 and x/3, but 0.1*x, and 1.5*x.
        if q > 1 and p == 1 and top and (q % 5 or (q % 10 == 5 and q != 5)):
            bottom.insert(0, folded(Fraction(q)))
        elif p != q or not top:
            top.insert(0, folded(Fraction(-p if c < 0 else p, q)))
            c = abs(c)
        made = _chain("mul", top)
        if bottom:
            made = apply("div", made, _chain("mul", bottom))
        return apply("neg", made) if c < 0 else made

    def to_the(self, base: Expr, n: Fraction) -> tuple[Fraction, Factors]:
        """A product to a whole power."""
        c, factors = self.factors(base)
        into = {b: m * n if isinstance(m, Fraction) else self.plus((m, n)) for b, m in factors}
        return powered(c, int(n)), frozenset(into.items())


def add(terms: Terms, factors: Factors, coefficient: Fraction) -> None:
    total = terms.get(factors, 0) + coefficient
    if total:
        terms[factors] = short(Fraction(total))
    else:
        terms.pop(factors, None)


def bits(value: Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


def short(value: Fraction, most: int = 4 * FOLD_BITS) -> Fraction:
    """A coefficient on its way. Raises GradError where it is too long: the caller leaves the node as it is."""
    if bits(value) > most:
        raise GradError("a number too long to be folded")
    return value


def powered(value: Fraction, n: int) -> Fraction:
    """A coefficient to a whole power. Raises GradError before one is made that is too long."""
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


def _chain(op: str, parts: list[Expr]) -> Expr:
    made = parts[0]
    for part in parts[1:]:
        made = apply(op, made, part)
    return made
