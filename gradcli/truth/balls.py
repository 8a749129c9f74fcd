"""Balls: real numbers and Taylor series with proved error bounds, and the decisions that may be made on them.

A value is an `arb` (a midpoint and a radius) or an `arb_series`, the Taylor series of a value along a direction, whose
coefficient 0 is called its head. See Johansson, Arb: efficient arbitrary-precision midpoint-radius interval
arithmetic (IEEE Transactions on Computers 66, 2017).
Layer: must not know expressions.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from flint import arb, arb_series, ctx, fmpq

Ball = Any
"""An `arb` or an `arb_series`: flint's own types know no operators between the two."""
Rule = Callable[..., Any]


class BallError(Exception):
    """There is no value. ``final``: more bits do not help."""

    def __init__(self, why: str, final: bool) -> None:
        super().__init__(why)
        self.why = why
        self.final = final

    def again(self) -> BallError:
        """The same without traceback: an error that is kept would hold the frames that hold it."""
        return BallError(self.why, self.final)


def unsure() -> BallError:
    """The ball is too wide to decide."""
    return BallError("undecided", False)


def outside() -> BallError:
    return BallError("domain", True)


def pole() -> BallError:
    """A value or a derivative is infinite here, or defined on one side only."""
    return BallError("pole", True)


def kink() -> BallError:
    """A derivative would be taken across a kink or a jump."""
    return BallError("kink", True)


LOCK = threading.RLock()
"""Held wherever balls are computed: flint's precision is one for all threads."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=LOCK._at_fork_reinit)  # type: ignore[attr-defined]


@contextmanager
def arithmetic(bits: int = 128, terms: int = 1) -> Iterator[None]:
    """Compute balls with so many bits, and series with so many terms, inside the block; one thread at a time."""
    with LOCK:
        before = ctx.prec, ctx.cap
        ctx.prec, ctx.cap = bits, terms
        try:
            yield
        finally:
            ctx.prec, ctx.cap = before


def with_terms(terms: int, rule: Callable[[], Any]) -> Any:
    """``rule()`` with series of so many terms."""
    before, ctx.cap = ctx.cap, terms
    try:
        return rule()
    finally:
        ctx.cap = before


def number(value: Fraction) -> Ball:
    return arb(fmpq(value.numerator, value.denominator))


# Series.


def head(u: Ball) -> Ball:
    """The value itself, without what it does along the direction."""
    return u[0] if isinstance(u, arb_series) else u


def series(u: Ball) -> Ball:
    return u if isinstance(u, arb_series) else arb_series([u], ctx.cap)


def with_head(value: Ball, u: Ball) -> Ball:
    """The series with another head."""
    return arb_series([value, *u.coeffs()[1:]], ctx.cap)


def compose(coefficients: Sequence[Ball], u: Ball) -> Ball:
    """The series of f(u), from the Taylor coefficients of f at the head of ``u``."""
    length = u.length()
    if length < 2:
        return arb_series([coefficients[0]], ctx.cap)
    outer = arb_series(coefficients, ctx.cap)
    if length == 2 and u[1] == 1:
        return outer
    return outer(with_head(0, u))


def composed(coefficients: Callable[..., Sequence[Ball]]) -> Rule:
    """The rule of a function that tells its first Taylor coefficients at a ball, each to full relative precision."""

    def rule(u: Ball, *n: int) -> Ball:
        if not isinstance(u, arb_series):
            return coefficients(u, 1, *n)[0]
        return compose(coefficients(u[0], ctx.cap, *n), u)

    return rule


def family(coefficients: Callable[[Ball, int], Sequence[Ball]]) -> Rule:
    """The rule of the n-th derivative of such a function."""

    def higher(a: Ball, count: int, n: int) -> list[Ball]:
        found = coefficients(a, count + n)
        factor = 1
        for k in range(2, n + 1):
            factor *= k
        scaled = []
        for k in range(count):
            scaled.append(found[n + k] * factor)
            factor = factor * (n + k + 1) // (k + 1)
        return scaled

    return composed(higher)


def integral(value: Rule, slope: Rule) -> Rule:
    """The rule of a function with this slope: f(u) = f(head) + the integral of slope(u)*u'."""

    def rule(u: Ball) -> Ball:
        if not isinstance(u, arb_series):
            return value(u)
        return (slope(u) * u.derivative()).integral() + value(u[0])

    return rule


# Decisions. Each raises BallError where the ball leaves it open.


def sign(a: Ball) -> int:
    if a > 0:
        return 1
    if a < 0:
        return -1
    if a.is_zero():
        return 0
    raise unsure()


def within(u: Ball, low: int | None, high: int | None) -> Ball:
    """``u``, surely between the ends: at an end only where it is a number, since a series has one side there."""
    a = head(u)
    for direction, end in ((1, low), (-1, high)):
        if end is not None:
            distance = (a - end) * direction
            if distance < 0:
                raise outside()
            if not distance > 0 and (isinstance(u, arb_series) or not distance >= 0):
                raise pole() if distance.is_zero() else unsure()
    return u


def nonzero(u: Ball) -> Ball:
    a = head(u)
    if a.contains(0):
        raise pole() if a.is_zero() else unsure()
    return u


def moves(*values: Ball) -> bool:
    """Whether a value changes along the direction."""
    return any(isinstance(u, arb_series) for u in values)


def refuse_moving(*values: Ball) -> None:
    """Refuse a derivative in an argument in which it has no closed form."""
    if moves(*values):
        raise BallError("undecided", True)
