"""Exact numbers as they are written: a fraction, or a short closed expression such as sqrt(2)/2 or 3*pi/4.

Layer: knows numbers, not functions of them.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from fractions import Fraction

from flint import fmpq

from gradcli.errors import GradError
from gradcli.expr import Expr, apply, const, constant, text
from gradcli.functions import TABLE
from gradcli.truth.balls import BallError, arithmetic
from gradcli.truth.budget import UnknownError
from gradcli.truth.field import Field
from gradcli.truth.jets import Jet
from gradcli.truth.numbers import Atom, Exact, Form, Monomial, Power, as_power, form_of

Number = Fraction | Expr | float
"""A number of a result: exact as a fraction or a closed expression, or the double it is rounded to."""

_TERMS, _DEPTH, _LONG = 2, 3, 36
"""The most terms of a sum, expressions inside each other, and characters of an expression that is still short."""
_NORMAL = 4000
"""Products that the normal form of one number may take."""
_BITS = 256
_LARGEST = 10**300
"""Numerators and denominators beyond are out of the range of a literal."""


def written(field: Field, number: Exact) -> Number | None:
    """The number as a fraction, a short expression or else its nearest double; None where no ball tells that.

    Call it inside `balls.arithmetic`.
    """
    plain = _normal(field, number)
    if plain is not None:
        form = form_of(plain)
        if not form:
            return Fraction(0)
        if len(form) == 1 and () in form:
            rational = fraction(Fraction(int(form[()].p), int(form[()].q)))
            return finite(rational) if isinstance(rational, float) else rational
        closed = _closed(form)
        if closed is not None:
            return closed
    return finite(field.double(number))


def finite(double: float) -> float | None:
    """The double itself, None for infinities and nan."""
    return double if math.isfinite(double) else None


def fraction(number: Fraction) -> Number:
    """The fraction; its double where its parts are beyond the range of literals."""
    if max(abs(number.numerator), number.denominator) > _LARGEST:
        try:
            return float(number)
        except OverflowError:
            return float("inf") if number > 0 else float("-inf")
    return number


def double(number: Number) -> float | None:
    """The nearest double of a number; None beyond the range of doubles, and where an expression has no value."""
    if isinstance(number, Expr):
        try:
            with arithmetic(_BITS):
                return finite(float(Jet(number, doubles=False).run({}, (), {})[0].mid()))
        except BallError:
            return None
    try:
        return float(number)
    except OverflowError:
        return None


def _normal(field: Field, number: Exact) -> Exact | None:
    """The normal form, None where it takes much work."""
    budget = field.budget
    kept = max(budget.left - _NORMAL, 0)
    budget.left -= kept
    try:
        return field.normal(number)
    except (UnknownError, ZeroDivisionError):
        budget.left = 0
        return None
    finally:
        budget.left += kept


def _closed(form: Form) -> Expr | None:
    try:
        e = _sum(form, _DEPTH)
        if e is not None and len(text(e, _LONG + 1)) <= _LONG:
            return e
    except GradError:
        # A constant beyond the range of a double.
        pass
    return None


def _sum(form: Form, depth: int) -> Expr | None:
    if not 0 < len(form) <= _TERMS or not depth:
        return None
    total: Expr | None = None
    for monomial, factor in sorted(form.items(), key=lambda item: len(item[0])):
        share = Fraction(int(factor.p), int(factor.q))
        product = _product(monomial, share if total is None else abs(share), depth)
        if product is None:
            return None
        total = product if total is None else total - product if share < 0 else total + product
    return total


def _product(monomial: Monomial, factor: Fraction, depth: int) -> Expr | None:
    above, below = const(factor.numerator), const(factor.denominator)
    roots: dict[Power, int] = {}
    for atom, power in monomial:
        if atom.kind == "prime":
            assert isinstance(atom.argument, int)
            roots[power] = roots.get(power, 1) * atom.argument
            continue
        base = _atom(atom, power, depth)
        if base is None:
            return None
        part, exponent = base
        if exponent < 0:
            below = below * _raised(part, -exponent)
        else:
            above = above * _raised(part, exponent)
    for power, base_number in roots.items():
        above = above * _raised(const(base_number), power)
    return above / below


def _raised(base: Expr, power: Power) -> Expr:
    if power == Fraction(1, 2):
        return apply("sqrt", base)
    return apply("power", base, const(power))


def _atom(atom: Atom, power: Power, depth: int) -> tuple[Expr, Power] | None:
    """The expression of an atom and the power that is left to take of it."""
    kind, argument = atom.kind, atom.argument
    if kind == "pi":
        return constant("pi"), power
    if kind == "e":
        return (constant("e"), power) if power == 1 else (apply("exp", const(power)), 1)
    if kind == "log prime":
        assert isinstance(argument, int)
        return apply("log", const(argument)), power
    if kind == "exp":
        assert isinstance(argument, tuple)
        inner = _product(argument, abs(Fraction(power)), depth - 1) if depth > 1 else None
        return None if inner is None else (apply("exp", -inner if power < 0 else inner), 1)
    if kind == "power":
        assert isinstance(argument, tuple)
        of, p, q = argument
        base = _identity(of, depth - 1)
        return None if base is None else (_raised(base, as_power(fmpq(p, q))), power)
    if kind == "row":
        assert isinstance(argument, tuple)
        return _call(str(argument[0]), argument[1], argument[2:], power, depth)
    return _call(kind, None, (argument,), power, depth)


def _call(
    op: str, parameter: object, arguments: Iterable[Hashable], power: Power, depth: int
) -> tuple[Expr, Power] | None:
    row = TABLE.get(op)
    if row is None or row.internal:
        return None
    inner = [_identity(a, depth - 1) for a in arguments]
    args = [a for a in inner if a is not None]
    if len(args) < len(inner) or len(args) != row.arity[0]:
        return None
    return apply(op, *args, value=parameter if isinstance(parameter, int) else None), power


def _identity(of: Hashable, depth: int) -> Expr | None:
    """The expression of a number by its identity, see `Field.identity`."""
    if isinstance(of, tuple) and len(of) == 2:
        p, q = map(int, of)
        return const(Fraction(p, q))
    if isinstance(of, frozenset):
        return _sum(dict(of), depth)
    return None
