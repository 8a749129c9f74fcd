"""Germs: a function of t for t -> 0+ as a sum of c*exp(P)*t**a*log(1/t)**b, the dominant terms, with an O-term.

Such series with exponentials and logarithms are transseries (G. A. Edgar, Transseries for Beginners, 2009), here of
exponential depth one. The O-term is what truncation left off, or an oscillation of that size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cmp_to_key
from typing import NamedTuple

from flint import fmpq

from gradcli.truth import ratios
from gradcli.truth.budget import MoreTermsError, UndefinedError, UnknownError
from gradcli.truth.field import Field
from gradcli.truth.growth import UNIT, Growth, compare, inverse, times
from gradcli.truth.numbers import ONE, ZERO, Exact, add, div, inv, mul, neg, sub

Term = tuple[Growth, Exact]


class Germ:
    """Terms, the dominant first, the leading one surely not 0; ``rest`` is the growth of the O-term, None: no O-term.

    ``oscillates``: the O-term is an oscillation such as sin(1/t), not a truncation. ``ratio``: the same function as an
    exact quotient of polynomials, where it is one.
    """

    __slots__ = ("field", "oscillates", "ratio", "rest", "terms")

    def __init__(
        self, field: Field, terms: list[Term], rest: Growth | None = None, oscillates: bool = False,
        ratio: ratios.Ratio | None = None,
    ) -> None:  # fmt: skip
        self.field = field
        self.terms = terms
        self.rest = rest
        self.oscillates = oscillates
        self.ratio = ratio

    def __add__(self, other: Germ | int) -> Germ:
        return _arithmetic("add", self, self.number(other), plus)

    def __sub__(self, other: Germ | int) -> Germ:
        return _arithmetic("sub", self, self.number(other), minus)

    def __mul__(self, other: Germ | int) -> Germ:
        return _arithmetic("mul", self, self.number(other), product)

    def __truediv__(self, other: Germ | int) -> Germ:
        divisor = self.number(other)
        if divisor.zero:
            raise UndefinedError("0/0" if self.zero else "division by 0", nan=self.zero)
        return _arithmetic("div", self, divisor, quotient)

    def __radd__(self, other: int) -> Germ:
        return self + other

    def __rmul__(self, other: int) -> Germ:
        return self * other

    def __rsub__(self, other: int) -> Germ:
        return self.number(other) - self

    def __rtruediv__(self, other: int) -> Germ:
        return self.number(other) / self

    def __neg__(self) -> Germ:
        return self.scaled(fmpq(-1))

    def number(self, value: Germ | int | Exact) -> Germ:
        """A constant germ of the same field; a germ as it is."""
        if isinstance(value, Germ):
            return value
        return constant(self.field, fmpq(value) if isinstance(value, int) else value)

    @property
    def zero(self) -> bool:
        """Whether it is 0 identically."""
        return not self.terms and self.rest is None

    @property
    def value(self) -> Exact | None:
        """The number that it is for all t, None if it is no constant."""
        if self.rest is None and len(self.terms) <= 1:
            if not self.terms:
                return ZERO
            if self.terms[0][0] == UNIT:
                return self.terms[0][1]
        return None

    @property
    def sign(self) -> int:
        """The sign for small t > 0."""
        return 0 if self.zero else self.field.sign(leading(self)[1])

    def scaled(self, factor: Exact) -> Germ:
        if isinstance(factor, fmpq) and not factor:
            return Germ(self.field, [])
        self.field.budget.spend(len(self.terms))
        ratio = self.ratio
        if ratio is not None:
            ratio = (ratio[0] * factor, ratio[1]) if isinstance(factor, fmpq) else None
        return Germ(self.field, [(g, mul(factor, c)) for g, c in self.terms], self.rest, self.oscillates, ratio)

    def shifted(self, by: Growth) -> Germ:
        """The product with a growth."""
        rest = None if self.rest is None else times(self.field, by, self.rest)
        return Germ(self.field, [(times(self.field, by, g), c) for g, c in self.terms], rest, self.oscillates)


def constant(field: Field, value: Exact) -> Germ:
    return Germ(field, [(UNIT, value)] if field.sign(value) else [])


_CALL = 16
"""Products of coefficients that take as long as what every operation on germs does beside them."""


def build(field: Field, factors: dict[Growth, Exact], rest: Growth | None, oscillates: bool = False) -> Germ:
    """The germ of these terms: sorted, without those below the O-term, and as many as the budget keeps."""
    field.budget.spend(_CALL + len(factors))
    kept = [g for g, c in factors.items() if not isinstance(c, fmpq) or c]
    if rest is not None:
        kept = [g for g in kept if compare(field, g, rest) > 0]
    if any(g.exponent for g in kept):

        def descending(x: Growth, y: Growth) -> int:
            return -compare(field, x, y)

        kept.sort(key=cmp_to_key(descending))
    else:
        kept.sort(key=lambda g: (g.power, -g.logs))
    first = 0
    while first < len(kept) and not field.sign(factors[kept[first]]):
        first += 1
    most = first + field.budget.terms
    if len(kept) > most and (rest is None or not oscillates):
        rest, oscillates = kept[most], False
    return Germ(field, [(g, field.short(factors[g])) for g in kept[first:most]], rest, oscillates)


def larger(field: Field, x: Growth | None, y: Growth | None) -> Growth | None:
    if x is None or y is None:
        return x or y
    return x if compare(field, x, y) > 0 else y


class _Rest(NamedTuple):
    growth: Growth | None
    oscillates: bool


def _rests(x: Germ, y: Germ, first: Growth | None, second: Growth | None) -> _Rest:
    """The O-term of a result, of those that the two operands leave in it."""
    rest = larger(x.field, first, second)
    if rest is None:
        return _Rest(None, False)
    waves = [
        g for germ, g in ((x, first), (y, second)) if germ.oscillates and g and compare(x.field, g, rest) >= 0
    ]  # fmt: skip
    return _Rest(rest, bool(waves))


def plus(x: Germ, y: Germ) -> Germ:
    x.field.budget.spend(len(x.terms) + len(y.terms))
    total = dict(x.terms)
    for g, c in y.terms:
        total[g] = add(total[g], c) if g in total else c
    return build(x.field, total, *_rests(x, y, x.rest, y.rest))


def minus(x: Germ, y: Germ) -> Germ:
    return plus(x, Germ(y.field, [(g, neg(c)) for g, c in y.terms], y.rest, y.oscillates))


def product(x: Germ, y: Germ) -> Germ:
    for a, b in ((x, y), (y, x)):
        value = a.value
        if value is not None:
            return b.scaled(value)
    field = x.field
    rest, oscillates = _rests(
        x, y, None if x.rest is None else times(field, x.rest, lead(y)),
        None if y.rest is None else times(field, y.rest, lead(x)),
    )  # fmt: skip
    total: dict[Growth, Exact] = {}
    plain = rest is not None and not rest.exponent
    for g, c in x.terms:
        field.budget.spend(len(y.terms))
        for h, d in y.terms:
            growth = times(field, g, h)
            if rest is not None:
                if plain and not growth.exponent:
                    if growth.power > rest.power:
                        break
                elif compare(field, growth, rest) <= 0:
                    continue
            term = mul(c, d)
            total[growth] = add(total[growth], term) if growth in total else term
    return build(field, total, rest, oscillates)


def quotient(x: Germ, y: Germ) -> Germ:
    return product(x, reciprocal(y))


def lead(x: Germ) -> Growth:
    """The growth of the leading term, or of the O-term where there is no other."""
    if x.terms:
        return x.terms[0][0]
    assert x.rest is not None
    return x.rest


def leading(x: Germ) -> Term:
    """The leading term of a germ that is not 0."""
    if x.terms:
        return x.terms[0]
    if x.oscillates:
        raise UnknownError("an oscillation has no sign")
    raise MoreTermsError


def factored(x: Germ) -> tuple[Growth, Exact, Germ]:
    """x = c*growth*(1 + u): growth, c and u, which is infinitesimal."""
    growth, c = leading(x)
    back = inverse(x.field, growth)
    rest = None if x.rest is None else times(x.field, back, x.rest)
    return growth, c, Germ(x.field, [(times(x.field, back, g), div(d, c)) for g, d in x.terms[1:]], rest, x.oscillates)


def compose(factors: Callable[[int], Exact], u: Germ) -> Germ:
    """The sum of factors(j)*u**j for an infinitesimal u."""
    field = u.field
    total = constant(field, factors(0))
    if u.zero:
        return total
    power = constant(field, ONE)
    for j in range(1, field.budget.terms + 2):
        power = product(power, u)
        factor = factors(j)
        if not isinstance(factor, fmpq) or factor:
            total = plus(total, power.scaled(factor))
        if not power.terms or (total.rest is not None and compare(field, power.terms[0][0], total.rest) <= 0):
            return total
    rest = larger(field, total.rest, lead(product(power, u)))
    return build(field, dict(total.terms), rest, total.oscillates and rest == total.rest)


def reciprocal(x: Germ) -> Germ:
    if x.zero:
        raise UndefinedError("division by 0", nan=False)
    if x.oscillates and not x.terms:
        raise UnknownError("division by an oscillation")
    growth, c, u = factored(x)
    series = compose(lambda j: fmpq((-1) ** j), u)
    return series.scaled(inv(c)).shifted(inverse(x.field, growth))


def _ratio_of(x: Germ) -> ratios.Ratio | None:
    if x.ratio is None and x.rest is None:
        terms = [(g.power, c) for g, c in x.terms if isinstance(c, fmpq) and not g.exponent and not g.logs]
        if len(terms) == len(x.terms):
            x.ratio = ratios.polynomial(terms)
    return x.ratio


_OF_NUMBERS: Mapping[str, Callable[[Exact, Exact], Exact]] = {"add": add, "sub": sub, "mul": mul, "div": div}


def _arithmetic(operation: str, x: Germ, y: Germ, truncated: Callable[[Germ, Germ], Germ]) -> Germ:
    """By exact rational functions where both operands are, else by the truncated series."""
    first, second = x.value, y.value
    if first is not None and second is not None:
        x.field.budget.spend(_CALL)
        return constant(x.field, x.field.short(_OF_NUMBERS[operation](first, second)))
    a, b = _ratio_of(x), _ratio_of(y)
    if a is None or b is None:
        return truncated(x, y)
    ratio = ratios.combine(operation, a, b, x.field.budget)
    if ratio is None or ratios.long(ratio):
        return truncated(x, y)
    terms, rest = ratios.expanded(ratio, x.field.budget.terms)
    return Germ(x.field, list(_powers(terms)), None if rest is None else _power(rest), False, ratio)


def _power(a: int) -> Growth:
    return Growth((), a, 0)


def _powers(terms: Iterable[tuple[int, fmpq]]) -> Iterable[Term]:
    return ((_power(a), c) for a, c in terms)
