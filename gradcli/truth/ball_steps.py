"""Rules in ball arithmetic for what decides: comparisons, conditions, kinks, steps and remainders.

A derivative is never taken where a decision turns at the point itself: on a kink, a jump or a patched point.
Layer: must not know expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flint import arb, arb_series, fmpq

from gradcli.functions.plane import numerator, orders
from gradcli.truth.balls import Ball, BallError, Rule, head, kink, moves, nonzero, outside, pole, series, sign, unsure


class Tie(NamedTuple):
    """A condition that holds, or does not, at the point alone: beside it, it may be otherwise."""

    holds: bool


Truth = bool | Tie


def _compared(below: bool, equal: bool, above: bool) -> Rule:
    """The rule of a comparison, by what it says of a first operand that is less, equal or greater."""

    def rule(a: Ball, b: Ball) -> Truth:
        p, q = head(a), head(b)
        if p < q:
            return below
        if p > q:
            return above
        if p.is_exact() and q.is_exact() and p == q:
            return Tie(equal) if moves(a, b) else equal
        if below == equal and p <= q:
            return below
        if above == equal and p >= q:
            return above
        raise unsure()

    return rule


def negation(condition: Truth) -> Truth:
    return Tie(not condition.holds) if isinstance(condition, Tie) else not condition


def connected(stop: bool, conditions: Sequence[Truth | BallError]) -> Truth:
    """`or` (``stop`` is True) and `and` of conditions: one that decides is enough."""
    tie = False
    for condition in conditions:
        if condition is stop:
            return stop
        tie = tie or isinstance(condition, Tie)
    for condition in conditions:
        if isinstance(condition, BallError):
            raise condition.again()
    if tie:
        holds = [c.holds if isinstance(c, Tie) else c for c in conditions]
        return Tie(stop if stop in holds else not stop)
    return not stop


def chosen(condition: Truth | BallError, a: Ball | BallError, b: Ball | BallError) -> Ball:
    """The branch that the condition selects; the other may have no value."""
    if isinstance(condition, BallError):
        raise condition.again()
    if isinstance(condition, Tie):
        raise kink()
    branch = a if condition else b
    if isinstance(branch, BallError):
        raise branch.again()
    return branch


def absolute(u: Ball) -> Ball:
    if not isinstance(u, arb_series):
        return abs(u)
    s = sign(u[0])
    if s == 0:
        raise kink()
    return u if s > 0 else -u


def extreme(largest: bool) -> Rule:
    """The rule of max and min of several arguments. One that surely loses makes no tie."""

    def rule(*values: Ball) -> Ball:
        if len(values) == 1:
            raise BallError("undecided", True)
        if not moves(*values):
            best = values[0]
            for u in values[1:]:
                best = best.max(u) if largest else best.min(u)
            return best
        heads = [head(u) for u in values]
        kept = [k for k, a in enumerate(heads) if not any(b > a if largest else b < a for b in heads)]
        first = heads[kept[0]]
        if len(kept) == 1:
            return values[kept[0]]
        if all(heads[k].is_exact() and heads[k] == first for k in kept):
            if moves(*[values[k] for k in kept]):
                raise kink()
            return first
        raise unsure()

    return rule


largest, least = extreme(True), extreme(False)


def step(u: Ball) -> int:
    s = sign(head(u))
    if s == 0 and moves(u):
        raise kink()
    return s


def _heaviside(x: Ball, h: Ball) -> Ball:
    s = step(x)
    return h if s == 0 else arb(1 if s > 0 else 0)


def _copysign(a: Ball, b: Ball) -> Ball:
    return absolute(a) if step(b) >= 0 else -absolute(a)


def _copysign_signed(a: Ball, b: Ball) -> Ball:
    """Where a zero has a sign that balls do not know."""
    if head(b).is_zero():
        raise kink()
    return _copysign(a, b)


def floor(u: Ball) -> Ball:
    a = head(u)
    below = a.floor()
    if not below.is_exact():
        raise unsure()
    if moves(u) and a.contains_integer():
        raise kink() if a.is_exact() else unsure()
    return below


def _rounded(u: Ball) -> Ball:
    above = u + arb(fmpq(1, 2))
    whole = floor(above)
    tie = head(above).is_exact() and head(u).is_exact() and head(above) == whole
    return whole - 1 if tie and int(whole.unique_fmpz()) % 2 else whole


def _truncated(u: Ball) -> Ball:
    a = head(u)
    if abs(a) < 1:
        return arb(0)
    return floor(u) if a >= 0 else -floor(-u) if a < 0 else _undecided()


def _undecided() -> Ball:
    raise unsure()


def _kept(u: Ball) -> Ball:
    s = step(u)
    return u if s > 0 else arb(0)


def _ramp(u: Ball) -> Ball:
    return _kept(u) if moves(u) else u.max(arb(0))


def atan2(y: Ball, x: Ball) -> Ball:
    p, q = head(y), head(x)
    if p.is_zero() and q.is_zero():
        if moves(y, x):
            raise kink()
        return arb(0)
    if not (q > 0 or p > 0 or p < 0 or (p.is_zero() and q < 0)):
        raise unsure()
    at = arb.atan2(p, q)
    if not moves(y, x):
        return at
    if p.is_zero() and q < 0 and moves(y):
        raise kink()
    y, x = series(y), series(x)
    return ((x * y.derivative() - y * x.derivative()) / (x * x + y * y)).integral() + at


def _atan2_signed(y: Ball, x: Ball) -> Ball:
    """Where a zero has a sign that balls do not know, and that decides between the two sides of the cut."""
    if head(y).is_zero() and not head(x) > 0:
        raise kink()
    return atan2(y, x)


def hypot(a: Ball, b: Ball) -> Ball:
    square = a * a + b * b
    if moves(square):
        if head(square).is_zero():
            raise kink()
        if not head(square) > 0:
            raise unsure()
        return square.sqrt()
    return square.nonnegative_part().sqrt()


def _direction(x: Ball, y: Ball) -> Ball:
    size = hypot(x, y)
    return arb(0) if head(size).is_zero() else x / nonzero(size)


def _dhypot(x: Ball, y: Ball, n: int) -> Ball:
    """A homogeneous polynomial over a power of hypot."""
    a, b = orders(n)
    square = x * x + y * y
    if head(square).is_zero():
        if moves(square) or a + b > 2:
            raise pole()
        return arb(0)
    total = sum((x**i * y**j * factor for (i, j), factor in numerator(a, b).items()), arb(0))
    return total / (nonzero(square) ** (a + b - 1) * hypot(x, y))


def _inversion(imaginary: bool) -> Rule:
    """(x + i*y)**-n, by parts: (x - i*y)**n / (x**2 + y**2)**n."""

    def rule(x: Ball, y: Ball, n: int) -> Ball:
        square = x * x + y * y
        if head(square).is_zero():
            if moves(square) or n != 1:
                raise kink() if n == 1 else pole()
            return arb(0)
        p, q = x / nonzero(square), -y / square
        real, other = p, q
        for _ in range(n - 1):
            real, other = real * p - other * q, real * q + other * p
        return other if imaginary else real

    return rule


def _xlogy(a: Ball, b: Ball) -> Ball:
    if head(a).is_zero() and not moves(a):
        return arb(0)
    if head(b) > 0:
        return a * b.log()
    raise pole() if head(b).is_zero() else outside() if head(b) < 0 else unsure()


def _xdivy(a: Ball, b: Ball) -> Ball:
    return arb(0) if head(a).is_zero() and not moves(a) else a / nonzero(b)


RULES: dict[str, Rule] = {
    "lt": _compared(True, False, False),
    "le": _compared(True, True, False),
    "gt": _compared(False, False, True),
    "ge": _compared(False, True, True),
    "eq": _compared(False, True, False),
    "ne": _compared(True, False, True),
    "not": negation,
    "abs": absolute,
    "sign": lambda u: arb(step(u)),
    "floor": floor,
    "ceil": lambda u: -floor(-u),
    "round": _rounded,
    "trunc": _truncated,
    "min": least,
    "max": largest,
    "clip": lambda x, a, b: least(largest(x, a), b),
    "copysign": _copysign,
    "heaviside": _heaviside,
    "relu": _ramp,
    "mod": lambda a, b: a - b * floor(a / nonzero(b)),
    "fmod": lambda a, b: a - b * _truncated(a / nonzero(b)),
    "floordiv": lambda a, b: floor(a / nonzero(b)),
    "truncdiv": lambda a, b: _truncated(a / nonzero(b)),
    "atan2": atan2,
    "hypot": hypot,
    "direction": _direction,
    "dhypot": _dhypot,
    "inversion": _inversion(False),
    "inversion_im": _inversion(True),
    "xlogy": _xlogy,
    "xdivy": _xdivy,
    "defined": lambda y, slope: slope,
}
SIGNED: dict[str, Rule] = {"atan2": _atan2_signed, "copysign": _copysign_signed}
"""The rules of functions in which the sign of a zero counts, for points that are doubles."""
