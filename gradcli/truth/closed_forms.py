"""Numbers in closed form, as a textbook writes them: 3/4, sqrt(2)/2, (1 + sqrt(5))/2, 3*pi/4, log(2).

Layer: must not know what a number stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

from flint import arb, fmpz

from gradcli.expr import ONE, ZERO, Expr, apply, const, constant, exact
from gradcli.truth.balls import Ball, BallError, arithmetic, number
from gradcli.truth.jets import Jet
from gradcli.truth.places import Place, box, ends, simplest

FINE = 320
"""Bits at which a number is refined and recognised."""
_SHORT = 2**24
"""The largest numerator and denominator of a number that is recognised."""
_TRIAL = 1000
"""Primes up to here are taken out of a root."""


def ball(e: Expr) -> Ball:
    """The enclosure of a closed expression at the current precision. Raises BallError where it has no value."""
    q = exact(e)
    if q is not None:
        return number(q)
    (value,) = Jet(e, doubles=False).run({}, (), {})
    return value


def place(e: Expr, multiplicity: int = 0) -> Place:
    """The place of a number in closed form."""
    q = exact(e)
    if q is not None:
        return Place(q, q, e, multiplicity)
    with arithmetic(FINE):
        return Place(*ends(ball(e)), e, multiplicity)


def times(q: Fraction, e: Expr) -> Expr:
    """A rational multiple of a number, such as 3*pi/4."""
    if q == 0:
        return ZERO
    product = apply("mul", const(q.numerator), e)
    return product if q.denominator == 1 else apply("div", product, const(q.denominator))


def negative(e: Expr) -> Expr:
    """The opposite number, the sign at its first factor: -3*pi/4."""
    if e.op in ("div", "mul"):
        return apply(e.op, negative(e.args[0]), e.args[1])
    q = exact(e)
    return apply("neg", e) if q is None else const(-q)


def root(q: Fraction, n: int) -> Expr:
    """The n-th root of a positive rational, square and cube roots in the numerator alone: sqrt(3)/2 for 3/4."""
    inner, outer = q.numerator * q.denominator ** (n - 1), 1
    for p, e in fmpz(inner).factor(trial_limit=_TRIAL):
        base = int(p)
        if base > _TRIAL**2 and int(fmpz(base).root(n)) ** n == base:
            base, e = int(fmpz(base).root(n)), int(e) * n
        outer *= base ** (int(e) // n)
    inner //= outer**n
    factor = Fraction(outer, q.denominator)
    if inner == 1:
        return const(factor)
    if n > 3:
        return apply("power", const(q), const(Fraction(1, n)))
    return times(factor, apply("sqrt" if n == 2 else "cbrt", const(inner)))


def quadratic(p: Fraction, square: Fraction, sign: int) -> Expr:
    """p + sign*sqrt(square) for ``square`` > 0, over one denominator: (1 + sqrt(5))/2."""
    surd = root(square, 2)
    q = exact(surd)
    if q is not None:
        return const(p + sign * q)
    if p == 0:
        return surd if sign > 0 else negative(surd)
    whole = surd.args[0] if surd.op == "div" else surd
    below = exact(surd.args[1]) if surd.op == "div" else Fraction(1)
    assert below is not None
    common = Fraction(_lcm(below.numerator, p.denominator))
    scaled = times(common / below, ONE)
    part = whole if scaled is ONE else _scaled(whole, common / below)
    above = apply("add" if sign > 0 else "sub", const(p * common), part)
    return above if common == 1 else apply("div", above, const(common))


def _scaled(surd: Expr, factor: Fraction) -> Expr:
    """A whole multiple of sqrt(k) or m*sqrt(k)."""
    if surd.op == "mul":
        first = exact(surd.args[0])
        assert first is not None
        return times(first * factor, surd.args[1])
    return times(factor, surd)


def _lcm(a: int, b: int) -> int:
    return int(fmpz(a).lcm(fmpz(b)))


def recognised(low: Fraction, high: Fraction) -> Iterator[Place]:
    """Numbers in closed form between two rationals, the plainest first: they are guesses, to be proved.

    Rationals, multiples of pi, square and cube roots, logarithms and powers of e.
    """
    with arithmetic(FINE):
        x = box(low, high)
        for guess in [*_guesses(x)]:
            try:
                found = place(guess)
            except BallError:
                continue
            if found.low <= high and found.high >= low:
                yield found


def _guesses(x: Ball) -> Iterator[Expr]:
    yield from _from(x, const)
    yield from _from(x / arb.pi(), lambda q: times(q, constant("pi")))
    size = abs(x)
    if not size > 0:
        return
    below = bool(x < 0)
    for n in (2, 3):
        for surd in _from(size**n, partial(root, n=n), positive=True):
            yield negative(surd) if below else surd
    if size < 64:
        yield from _from(x.exp(), lambda q: apply("log", const(q)), positive=True)
    for power in _from(size.log(), _exponential):
        yield negative(power) if below else power
    pi, e = constant("pi"), constant("e")
    yield from _from(x * arb.pi(), partial(_over, e=pi))
    yield from _from(x * arb.const_e(), partial(_over, e=e))
    yield from _from(x / arb.const_e(), lambda q: times(q, e))
    yield from _from(x * arb.const_e() ** 2, partial(_over, e=apply("power", e, const(2))))


def _over(q: Fraction, e: Expr) -> Expr:
    """q/e, such as 3/(2*pi)."""
    below = e if q.denominator == 1 else apply("mul", const(q.denominator), e)
    return apply("div", const(q.numerator), below)


def _exponential(q: Fraction) -> Expr:
    if abs(q) == 1:
        return constant("e") if q > 0 else apply("div", ONE, constant("e"))
    return apply("exp", const(q))


def _from(x: Ball, form: Callable[[Fraction], Expr], positive: bool = False) -> Iterator[Expr]:
    """The form of the simplest rational in a ball, if it is short, and ``positive`` where it must be."""
    if x.is_finite():
        q = simplest(*ends(x), _SHORT)
        if q is not None and (q > 0 or not positive):
            yield form(q)
