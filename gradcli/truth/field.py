"""The field of the numbers of one point: its atoms, normal forms, signs and doubles, within a budget.

Layer: knows numbers, not functions of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping

from flint import arb, ctx, fmpq

from gradcli.truth.budget import BITS, Budget, UnknownError
from gradcli.truth.numbers import (
    ONE,
    ZERO,
    Atom,
    Exact,
    Form,
    Monomial,
    Power,
    Real,
    ball,
    ball_of_form,
    form_of,
    fresh_ball,
    from_form,
    one_double,
    rational_double,
    sub,
)

PRECISION = 128
"""Bits of the first ball of a number."""
_NORMAL = 4000
"""Products that the normal form of one number may take."""
_MANY = 60
"""Atoms above which all have their balls made in the order in which they were made."""
_SMALL = 1e-200
"""The radius of a ball around 0 that is taken for 0."""
HARDER = (256, 1024, 2048)
"""Bits of the balls that follow where the first one contains 0."""


class Field:
    """The atoms of the numbers of one point, each once; normal forms, signs and doubles, within a budget."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.atoms: dict[tuple[str, Hashable], Atom] = {}
        self.interned: dict[Hashable, Exact] = {}

    def atom(self, kind: str, argument: Hashable, enclose: Callable[[], arb]) -> Atom:
        """The atom of this kind and argument. ``enclose`` gives its ball at the precision of the moment."""
        known = self.atoms.get((kind, argument))
        if known is None:
            known = self.atoms[kind, argument] = Atom(kind, argument, enclose, len(self.atoms))
        return known

    def number(self, kind: str, argument: Hashable, enclose: Callable[[], arb]) -> Exact:
        return Real("form", form={((self.atom(kind, argument, enclose), 1),): ONE})

    @property
    def pi(self) -> Exact:
        return self.number("pi", None, arb.pi)

    @property
    def e(self) -> Exact:
        return self.number("e", None, arb.const_e)

    def identity(self, a: Exact) -> Hashable:
        """What equal numbers in normal form have in common."""
        return (a.p, a.q) if isinstance(a, fmpq) else frozenset(form_of(a).items())

    def intern(self, a: Exact) -> Exact:
        """The same number in normal form, one object for equal forms."""
        plain = self.normal(a)
        return self.interned.setdefault(self.identity(plain), plain)

    def normal(self, a: Exact) -> Exact:
        """The number in normal form: a rational or a `Real` with ``form``."""
        if isinstance(a, fmpq):
            return a
        stack = [a]
        while stack:
            n = stack[-1]
            if n.form is None:
                if waiting := [k for k in (n.x, n.y) if isinstance(k, Real) and k.form is None]:
                    stack += waiting
                    continue
                n.form = form_of(self._formed(n))
            stack.pop()
        return from_form(form_of(a))

    def _formed(self, n: Real) -> Exact:
        x, y = form_of(n.x), form_of(n.y)
        self.budget.spend(len(x) * (len(y) if n.op == "mul" else 1) + len(y) + 1)
        if n.op == "neg":
            return from_form({m: -c for m, c in x.items()})
        if n.op == "inv":
            return self._inverse(x)
        if n.op == "mul":
            return self._product(x, y)
        total = dict(x)
        for m, c in y.items():
            total[m] = total.get(m, ZERO) + c
        return from_form(total)

    def _inverse(self, form: Form) -> Exact:
        if len(form) == 1:
            ((monomial, factor),) = form.items()
            more, inverse = self.monomial({atom: -power for atom, power in monomial})
            return from_form({inverse: more / factor})
        if not form:
            raise ZeroDivisionError
        return self.number("inverse", frozenset(form.items()), lambda: 1 / ball_of_form(form))

    def monomial(self, powers: Mapping[Atom, Power]) -> tuple[fmpq, Monomial]:
        """A rational factor and a monomial: whole powers of primes are taken out."""
        factor = ONE
        kept = []
        for atom, power in powers.items():
            if atom.kind == "prime":
                whole = power.numerator // power.denominator
                if whole:
                    factor *= fmpq(atom.argument) ** whole  # type: ignore[call-overload]
                    power -= whole
            if power:
                kept.append((atom, power))
        kept.sort(key=lambda pair: pair[0].serial)
        return factor, tuple(kept)

    def _product(self, a: Form, b: Form) -> Exact:
        total: dict[Monomial, fmpq] = {}
        for m, c in a.items():
            for n, d in b.items():
                powers = dict(m)
                for atom, power in n:
                    powers[atom] = powers.get(atom, 0) + power
                factor, monomial = self.monomial(powers)
                total[monomial] = total.get(monomial, ZERO) + factor * c * d
        return from_form(self._pythagoras(total))

    def _pythagoras(self, form: dict[Monomial, fmpq]) -> dict[Monomial, fmpq]:
        """sin(a)**2 becomes 1 - cos(a)**2."""
        while any(atom.kind == "sin" and power >= 2 for m in form for atom, power in m):
            self.budget.spend(len(form))
            total: dict[Monomial, fmpq] = {}
            for m, c in form.items():
                sine = next((atom for atom, power in m if atom.kind == "sin" and power >= 2), None)
                parts = [(m, c)]
                if sine is not None:
                    powers = dict(m)
                    powers[sine] -= 2
                    cosine = self.atoms["cos", sine.argument]
                    parts = [(self.monomial(powers)[1], c)]
                    powers[cosine] = powers.get(cosine, 0) + 2
                    parts.append((self.monomial(powers)[1], -c))
                for monomial, factor in parts:
                    total[monomial] = total.get(monomial, ZERO) + factor
            form = {m: c for m, c in total.items() if c}
        return form

    def short(self, a: Exact) -> Exact:
        """The number, a rational longer than BITS as a ball."""
        if isinstance(a, fmpq) and a.height_bits() > BITS:
            return self.number("long", (a.p, a.q), lambda: arb(a))
        return a

    def sign(self, a: Exact) -> int:
        """-1, 0 or 1; 0 is a doubt where neither a ball nor the normal form decides."""
        if isinstance(a, fmpq):
            return (a > 0) - (a < 0)
        if a.sign is None:
            enclosure = ball(a)
            a.sign = 1 if enclosure > 0 else -1 if enclosure < 0 else self._hard_sign(a)
        return a.sign

    def _hard_sign(self, a: Real) -> int:
        number: Exact = a
        for bits in HARDER:
            enclosure = self.enclosure(number, bits)
            if enclosure > 0 or enclosure < 0:
                return 1 if enclosure > 0 else -1
            if bits == HARDER[0]:
                number = self._cheap_normal(a)
                if isinstance(number, fmpq):
                    return self.sign(number)
        if enclosure.is_zero():
            return 0
        if not enclosure.is_finite() or not enclosure.rad() < _SMALL:
            raise UnknownError("a number that no narrow ball encloses")
        self.budget.doubts += 1
        return 0

    def enclosure(self, a: Exact, bits: int) -> arb:
        """A ball with so many bits."""
        if isinstance(a, fmpq):
            return arb(a)
        before, ctx.prec = ctx.prec, bits
        try:
            if len(self.atoms) > _MANY:
                # Those made first are inside those made later: no atom nests deeply in the stack of calls.
                self.budget.spend(len(self.atoms))
                for atom in [*self.atoms.values()]:
                    atom.ball()
            found, count = fresh_ball(a)
        finally:
            ctx.prec = before
        self.budget.spend(count * (1 + bits // 512))
        return found

    def _cheap_normal(self, a: Real) -> Exact:
        """The number in normal form, as it is where that takes much work."""
        budget = self.budget
        kept = max(budget.left - _NORMAL, 0)
        budget.left -= kept
        try:
            return self.normal(a)
        except UnknownError:
            budget.left = 0
            return a
        finally:
            budget.left += kept

    def compare(self, a: Exact, b: Exact) -> int:
        return self.sign(sub(a, b))

    def double(self, a: Exact) -> float:
        """The nearest double."""
        if isinstance(a, fmpq):
            return rational_double(a)
        near = one_double(ball(a))
        number: Exact = a
        for bits in HARDER if near is None else ():
            enclosure = self.enclosure(number, bits)
            near = one_double(enclosure)
            if near is not None:
                break
            if bits == HARDER[0]:
                number = self._cheap_normal(a)
                if isinstance(number, fmpq):
                    return rational_double(number)
        if near is not None:
            return near
        self.budget.doubts += 1
        return float(enclosure) if enclosure.is_finite() else math.nan
