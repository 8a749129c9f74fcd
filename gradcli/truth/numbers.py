"""Exact real numbers: an operation on numbers and a ball that encloses it, with a normal form made only when needed.

A rational number is an `fmpq`. Any other is a `Real`, whose normal form is a rational combination of products of atoms
(pi, e, primes, sines, logarithms ...) to rational powers. A number is proved different from 0 by a ball that excludes
0, and proved 0 where its normal form cancels; where neither decides at 2,048 bits, it is taken for 0 and a doubt noted.
The identity of such constants is not decidable in general (Richardson, J. Symb. Logic 33, 1968).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from fractions import Fraction
from typing import Literal

from flint import arb, ctx, fmpq

ZERO, ONE, HALF = fmpq(0), fmpq(1), fmpq(1, 2)


class Atom:
    """A number without a simpler form, such as pi, 2**(1/3) or sin(1): two atoms of a `Field` are never equal."""

    __slots__ = ("_balls", "argument", "enclose", "kind", "serial")

    def __init__(self, kind: str, argument: Hashable, enclose: Callable[[], arb], serial: int) -> None:
        self.kind = kind
        self.argument = argument
        self.enclose = enclose
        self.serial = serial
        self._balls: dict[int, arb] = {}

    def ball(self) -> arb:
        """An enclosure at the current precision."""
        known = self._balls.get(ctx.prec)
        if known is None:
            known = self._balls[ctx.prec] = self.enclose()
        return known


Power = int | Fraction
"""An exponent. Python's own numbers: integers, which nearly all are, have a fast hash."""
Monomial = tuple[tuple[Atom, Power], ...]
"""Atoms with their exponents, sorted by serial."""
Form = Mapping[Monomial, fmpq]
Operation = Literal["form", "add", "mul", "neg", "inv"]


class Real:
    """A real number that is not known to be rational: ``op`` on ``x`` and ``y``, or a normal form."""

    __slots__ = ("ball", "form", "op", "sign", "x", "y")

    def __init__(self, op: Operation, x: Exact = ZERO, y: Exact = ZERO, form: Form | None = None) -> None:
        self.op = op
        self.x = x
        self.y = y
        self.form = form
        self.ball: arb | None = None
        self.sign: int | None = None


Exact = fmpq | Real


def rational(power: Power) -> fmpq:
    return fmpq(power.numerator, power.denominator)


def as_power(r: fmpq) -> Power:
    return int(r.p) if r.q == 1 else Fraction(int(r.p), int(r.q))


def add(a: Exact, b: Exact) -> Exact:
    if isinstance(a, fmpq):
        if isinstance(b, fmpq):
            return a + b
        if not a:
            return b
    elif isinstance(b, fmpq) and not b:
        return a
    return Real("add", a, b)


def mul(a: Exact, b: Exact) -> Exact:
    if isinstance(a, fmpq):
        if isinstance(b, fmpq):
            return a * b
        if not a or a == 1:
            return b if a else ZERO
    elif isinstance(b, fmpq) and (not b or b == 1):
        return a if b else ZERO
    return Real("mul", a, b)


def neg(a: Exact) -> Exact:
    return -a if isinstance(a, fmpq) else Real("neg", a)


def inv(a: Exact) -> Exact:
    return 1 / a if isinstance(a, fmpq) else Real("inv", a)


def sub(a: Exact, b: Exact) -> Exact:
    return add(a, neg(b))


def div(a: Exact, b: Exact) -> Exact:
    return mul(a, inv(b))


def from_form(form: Form) -> Exact:
    """The number of a normal form."""
    kept = {m: c for m, c in form.items() if c}
    if not kept:
        return ZERO
    if len(kept) == 1 and () in kept:
        return kept[()]
    return Real("form", form=kept)


def form_of(a: Exact) -> Form:
    """The normal form of a number that has one."""
    if isinstance(a, fmpq):
        return {(): a} if a else {}
    assert a.form is not None
    return a.form


def ball_of_form(form: Form) -> arb:
    """The enclosure of a normal form at the current precision."""
    total = arb(0)
    for monomial, factor in form.items():
        product = arb(factor)
        for atom, power in monomial:
            product *= atom.ball() if power == 1 else atom.ball() ** arb(rational(power))
        total += product
    return total


def ball(a: Exact) -> arb:
    """The first enclosure of a number, kept with it. The precision is that of its first use, the field's."""
    if isinstance(a, fmpq):
        return arb(a)
    if a.ball is not None:
        return a.ball
    stack = [a]
    while stack:
        n = stack[-1]
        waiting = [k for k in (n.x, n.y) if isinstance(k, Real) and k.ball is None] if n.op != "form" else []
        if waiting:
            stack += waiting
            continue
        if n.ball is None:
            n.ball = _ball_of(n, ball)
        stack.pop()
    assert a.ball is not None
    return a.ball


def fresh_ball(a: Real) -> tuple[arb, int]:
    """The enclosure at the current precision, and the count of operations that it took."""
    balls: dict[Exact, arb] = {}

    def known(k: Exact) -> arb:
        return arb(k) if isinstance(k, fmpq) else balls[k]

    stack = [a]
    while stack:
        n = stack[-1]
        waiting = [k for k in (n.x, n.y) if isinstance(k, Real) and k not in balls] if n.op != "form" else []
        if waiting:
            stack += waiting
            continue
        if n not in balls:
            balls[n] = _ball_of(n, known)
        stack.pop()
    return balls[a], len(balls)


def _ball_of(n: Real, ball: Callable[[Exact], arb]) -> arb:
    if n.op == "form":
        return ball_of_form(form_of(n))
    x = ball(n.x)
    if n.op == "neg":
        return -x
    if n.op == "inv":
        return 1 / x
    return x + ball(n.y) if n.op == "add" else x * ball(n.y)


def rational_double(a: fmpq) -> float:
    """The double nearest to a rational, inf beyond their range."""
    try:
        return int(a.p) / int(a.q)
    except OverflowError:
        return math.inf if a > 0 else -math.inf


def one_double(enclosure: arb) -> float | None:
    """The double that all numbers of a ball round to."""
    if not enclosure.is_finite():
        return None
    low, high = float(enclosure.lower()), float(enclosure.upper())
    return low if low == high else None
