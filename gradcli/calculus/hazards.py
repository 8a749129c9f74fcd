"""`hazards`, the places where an expression is no single Taylor series, as expressions that are 0 exactly there.

They are read from the rows of the function table: ``ties``, where one smooth form passes into another, and
``singular``, poles, ends of domains and branch points. A distance that is 0 where a product is 0 is replaced by those
of the factors, which neither underflow nor need an order of vanishing; one that is surely not 0 is left out.
Layer: purely symbolic; must not know what is done at a hazard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import NamedTuple

from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, Expr, apply, const, exact
from gradcli.expr.traversal import missing
from gradcli.functions import TABLE, Function
from gradcli.limits.work import spend


class Hazards(NamedTuple):
    """Distances, expressions of the variables: a point is a hazard where one of them is 0."""

    ties: list[Expr]
    """Decisions: comparisons, extremes, absolute values, steps. Each side is an expression (see `sides`)."""
    singular: list[Expr]
    """Divisors, and arguments where a function has no Taylor series."""


def hazards(roots: Iterable[Expr]) -> Hazards:
    """The hazards of expressions without ``diff`` inside (see `derive.expand`), in time linear in their size.

    >>> from gradcli.expr import apply, text, var
    >>> ties, singular = hazards([apply("abs", var("x") - 1) / var("y")])
    >>> [text(d) for d in ties], [text(d) for d in singular]
    (['x - 1'], ['y'])
    """
    signs: Signs = {}
    ties, singular = _Distances(signs), _Distances(signs, alike=True)
    for e in _decided(roots):
        _add(e, ties, singular)
    return Hazards([*ties.zeros], [*singular.zeros])


def hazards_of_nodes(root: Expr) -> list[tuple[Expr, list[Expr]]]:
    """The nodes of an expression with the distances of their own hazards, arguments before users."""
    signs: Signs = {}
    found = []
    for e in _decided([root]):
        distances = _Distances(signs)
        _add(e, distances, distances)
        found.append((e, [*distances.zeros]))
    return found


def _add(e: Expr, ties: _Distances, singular: _Distances) -> None:
    row = TABLE[e.op]
    # A constant of a distance may leave the range of a double: two bounds that far apart never meet.
    with suppress(GradError):
        if row.ties is not None:
            ties.add(row.ties(*e.args))
    with suppress(GradError):
        rule = row.singular or (row.edges if row.ties is None else row.poles)
        if rule is not None:
            singular.add(rule(*e.args))


def _decided(roots: Iterable[Expr]) -> list[Expr]:
    """The nodes below ``roots`` that have hazards of their own, arguments before users.

    ``instead`` chooses between two forms of one function: of them the usual one is the function itself.
    """
    seen: set[Expr] = set()
    found = []
    stack = list(roots)
    while stack:
        e = stack.pop()
        if e.variables and e not in seen:
            seen.add(e)
            stack.extend(e.args[2:] if e.op == "instead" else e.args)
            row = TABLE.get(e.op)
            if row is not None and (row.ties or row.singular or row.edges):
                found.append(e)
    spend(len(seen))
    return sorted(found, key=lambda e: e.serial)


class _Distances:
    """Distances that may be 0, each once: products are replaced by their factors.

    ``alike``: so is that of a number from itself, which is 0 everywhere: sqrt(x - x).
    """

    def __init__(self, signs: Signs, alike: bool = False) -> None:
        self.alike = alike
        self.zeros: dict[Expr, None] = {}
        self.signs = signs
        self.seen: set[Expr] = set()

    def add(self, distances: Sequence[Expr]) -> None:
        stack = [*reversed(distances)]
        while stack:
            e = stack.pop()
            if e in self.seen or not e.variables:
                continue
            self.seen.add(e)
            if not possible_signs(e, self.signs) & NULL:
                continue
            factors = sign_factors(e)
            if factors is not None:
                stack.extend(reversed(factors[1][:1] if e.op == "div" else factors[1]))
            elif e.op != "sub" or e.args[0] is e.args[1]:
                if e.op != "sub" or self.alike:
                    self.zeros[e] = None
            elif apply("sub", *reversed(e.args)) not in self.zeros:
                self.zeros[e] = None


def sign_factors(e: Expr) -> tuple[int, Sequence[Expr]] | None:
    """A sign and simpler expressions, the product of whose signs is that of a node; None where there are none.

    The expressions are 0 exactly where the node is, but for the divisor of a quotient, and a power is taken as a
    number.
    """
    if e.op == "neg":
        return -1, e.args
    if e.op in ("mul", "div"):
        return 1, e.args
    if e.op == "abs":
        return 1, e.args * 2
    if e.op == "power":
        exponent = exact(e.args[1])
        return 1, e.args[:1] * (2 if exponent is not None and exponent % 2 == 0 else 1)
    if e.op == "sqrt" or passes_sign(TABLE.get(e.op)):
        return 1, e.args
    return _monic(e) if e.op in ("add", "sub") else None


_TERMS = 16
"""The most sums and multiples that are looked through for a linear form."""
_LINEAR = frozenset({"add", "sub", "neg", "mul", "div"})


def _monic(e: Expr) -> tuple[int, Sequence[Expr]] | None:
    """A linear form of one or two terms with the factors 1 and -1: x - 1/2 for 2*x - 1, x - 1 for x - (2 - x)."""
    if not any(a.op in _LINEAR or exact(a) == 0 for a in e.args):
        return None
    factors: dict[Expr, Fraction] = {}
    total = Fraction(0)
    stack = [(e, Fraction(1))]
    for _ in range(_TERMS):
        if not stack:
            break
        node, factor = stack.pop()
        left = exact(node.args[0]) if len(node.args) == 2 else None
        right = exact(node.args[1]) if len(node.args) == 2 else None
        number = exact(node)
        if number is not None:
            total += factor * number
        elif node.op in ("add", "sub"):
            stack += [(node.args[1], factor if node.op == "add" else -factor), (node.args[0], factor)]
        elif node.op == "neg":
            stack.append((node.args[0], -factor))
        elif node.op == "mul" and left is not None:
            stack.append((node.args[1], factor * left))
        elif node.op == "div" and right:
            stack.append((node.args[0], factor / right))
        else:
            factors[node] = factors.get(node, Fraction(0)) + factor
    terms = [(node, factor) for node, factor in factors.items() if factor]
    if stack or not terms or len(terms) > 2 - (total != 0) or len({abs(factor) for _, factor in terms}) > 1:
        return None
    (first, factor), *others = terms
    with suppress(GradError):
        form = first + const(total / factor) if total else first
        for other, same in others:
            form = apply("add" if same == factor else "sub", first, other)
        plainer = form is not e and not (e.op == "sub" and form is apply("sub", *reversed(e.args)))
        return (1 if factor > 0 else -1, [form]) if plainer else None
    return None


def passes_sign(row: Function | None) -> bool:
    """Whether a function has the sign of its argument everywhere: odd, increasing and 0 at 0 alone."""
    return row is not None and row.parity == "odd" and not row.turns and not row.exact and (0, 0) in row.at


# Possible signs: a set of bits.

NEGATIVE, NULL, POSITIVE = 1, 2, 4
ANY = NEGATIVE | NULL | POSITIVE
Signs = dict[Expr, int]
"""The signs that a node may have, where it is a number."""


def possible_signs(e: Expr, known: Signs) -> int:
    """The signs that a node may have, by a rule of signs for each operation; ``known`` is a memo."""
    for node in missing(e, known):
        known[node] = _signs(node, [known[a] for a in node.args])
    return known[e]


def _signs(e: Expr, signs: Sequence[int]) -> int:
    op = e.op
    if op == "const":
        assert isinstance(e.value, Fraction | float)
        return POSITIVE if e.value > 0 else NEGATIVE if e.value < 0 else NULL if e.value == 0 else ANY
    if op == "constant":
        return POSITIVE
    if op in ("add", "sub"):
        return _sum(signs[0], signs[1] if op == "add" else _flipped(signs[1]))
    if op in ("mul", "div"):
        # Of a quotient the divisor is not 0 where it is a number.
        product = _product(signs[0], signs[1] if op == "mul" else signs[1] & ~NULL)
        return product & ~NEGATIVE if e.args[0] is e.args[1] else product
    if op == "neg":
        return _flipped(signs[0])
    if op == "power":
        return _power(signs[0], exact(e.args[1]))
    if op in ("where", "instead"):
        return signs[1] | signs[2]
    if op == "defined":
        return signs[1]
    if op in ("max", "min"):
        return _extreme(signs, NEGATIVE if op == "max" else POSITIVE)
    row = TABLE.get(op)
    if row is None or op in BOOLEANS:
        return ANY
    if passes_sign(row):
        return signs[0]
    if op == "abs":
        return (signs[0] | _flipped(signs[0])) & ~NEGATIVE
    if op == "sqrt":
        return signs[0] & ~NEGATIVE
    return ANY & ~(NEGATIVE * row.nonnegative) & ~(NULL * row.nonzero)


def _flipped(signs: int) -> int:
    return (signs & NEGATIVE) << 2 | signs & NULL | signs >> 2


def _sum(a: int, b: int) -> int:
    opposite = a & _flipped(b) & (NEGATIVE | POSITIVE)
    return ANY if opposite else (a | b) & ~NULL | a & b & NULL


def _product(a: int, b: int) -> int:
    signs = (a | b) & NULL
    if b & POSITIVE:
        signs |= a & ~NULL
    if b & NEGATIVE:
        signs |= _flipped(a) & ~NULL
    return signs


def _power(base: int, exponent: Fraction | None) -> int:
    """Where it is a number: a negative base has whole exponents alone, and 0 none below 0."""
    if exponent is None:
        return ANY if base & NEGATIVE else base | POSITIVE
    signs = base & (POSITIVE if exponent < 0 else NULL | POSITIVE)
    if base & NEGATIVE and exponent.denominator == 1:
        signs |= NEGATIVE if exponent % 2 else POSITIVE
    return signs


def _extreme(signs: Sequence[int], beaten: int) -> int:
    """Of the greatest, where ``beaten`` is NEGATIVE: negative only where all are, positive where one is."""
    best = _flipped(beaten)
    total = 0
    for s in signs:
        total |= s
    if any(not s & beaten for s in signs):
        total &= ~beaten
    return best if best in signs else total
