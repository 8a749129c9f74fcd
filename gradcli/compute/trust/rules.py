"""The rules of the running error bound, one a kernel: the error of a result from the errors of its arguments.

A running error analysis (Wilkinson; Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., ch. 3): an error
is an absolute bound in units of U = 2**-53, 0 for an exact number and inf where nothing is known. A rule is called as
``rule(o, v, *arguments, *errors)``, of a row with an integer parameter with that last. It is written once: ``o`` are
the operations of floats (here), of arrays (`arrays`) or of the lanes of vector code (native.errors).
An infinity or nan with a finite error is surely one: a pole, or a point outside the domain.
Layer: must not know programs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

U = 2.0**-53
"""The unit roundoff of doubles."""
INF = math.inf
TINY = 2.0**-1022
"""Half of the smallest subnormal number, in units of U: the rounding error of a result that underflows."""
LOW = 2.0**-960
"""Size of a product below which its residual may underflow."""
UNKNOWN = 1 / U

Rule = Callable[..., Any]


class Floats:
    """The operations that rules need, on single numbers; none divides by zero."""

    @staticmethod
    def where(c: Any, a: Any, b: Any) -> Any:
        return a if c else b

    @staticmethod
    def lazily(c: Any, usual: Any, otherwise: Callable[[], Any]) -> Any:
        """``usual``, but where ``c`` holds the other, which is computed only if it is needed."""
        return otherwise() if c else usual

    rare = lazily
    """As `lazily`, for what is so rare that it may take long."""

    largest = staticmethod(max)
    least = staticmethod(min)
    sin = staticmethod(math.sin)
    cos = staticmethod(math.cos)
    rint = staticmethod(round)

    @staticmethod
    def ratio(p: float, a: float) -> float:
        """p/a, which is 0 for p = 0 and else inf for a = 0."""
        return 0.0 if p == 0 else p / a if a else INF

    @staticmethod
    def sqrt(a: float) -> float:
        return math.sqrt(a) if a >= 0 else math.nan

    @staticmethod
    def exp(a: float) -> float:
        return math.exp(a) if a < 700 else INF

    @staticmethod
    def log(a: float) -> float:
        return math.log(a) if a > 0 else -INF

    @staticmethod
    def kernel(name: str, value: int, *x: float) -> float:
        """A function that SciPy has."""
        from gradcli.compute.backends.scipy_kernels import scipy_kernel

        return float(scipy_kernel(name)(value, *x))

    @staticmethod
    def summed(v: float, a: float, b: float, s: float) -> float:
        """The error of v = a + b, where ``s`` is that of a and b: of exact ones the rounding itself (Knuth)."""
        if s:
            return s + abs(v)
        t = v - a
        return abs((a - (v - t)) + (b - t)) * UNKNOWN

    @staticmethod
    def rounded(v: float, a: float, b: float, s: float) -> float:
        """The rounding error of v = a*b, where a and b have the errors ``s`` together: 0 if exact ones lose nothing."""
        size = abs(v)
        if s:
            return size + TINY
        if size > LOW:
            # Of exact factors the rounding itself (Dekker 1971); nan where a step overflows.
            lost = residual(a, b, v) * UNKNOWN
            return lost if lost <= size else size
        return 0.0 if a == 0 or b == 0 else size + TINY

    @staticmethod
    def divided(v: float, b: float, a: float, s: float) -> float:
        """The rounding error of v = a/b, 0 where exact ones lose nothing; a root is v = a/v."""
        if s == 0 and (a == 0 or abs(b) == INF or (abs(a) > LOW and residual(v, b, a) == 0)):
            return 0.0
        return abs(v) + TINY


def residual(a: Any, b: Any, v: Any) -> Any:
    """|a*b - v| for a double v next to a*b, exactly (Dekker 1971)."""
    t = 134217729.0 * a
    lead = t - (t - a)
    t = 134217729.0 * b
    other = t - (t - b)
    rest, less = a - lead, b - other
    return abs(((lead * other - v) + lead * less + rest * other) + rest * less)


def own(o: Any, v: Any, c: float) -> Any:
    """The rounding error of ``c`` times half an ulp of a result."""
    return c * abs(v) + TINY


def zero(o: Any, v: Any, c: float) -> Any:
    """As `own`, for a function that is 0 only where it is so exactly."""
    return o.where(v == 0, 0.0, c * abs(v) + TINY)


# Arithmetic.


def _add(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    return o.summed(v, a, b, p + q)


def _sub(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    return o.summed(v, a, -b, p + q)


def _mul(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    return abs(a) * q + abs(b) * p + p * q * U + o.rounded(v, a, b, p + q)


def _div(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    size, divisor = abs(v), abs(b)
    share = o.ratio(q, divisor)
    carried = (o.ratio(p, divisor) + size * share) * 1.4
    return o.where(share > 0.25 * UNKNOWN, INF, carried) + o.divided(v, b, a, p + q)


def _same(o: Any, v: Any, a: Any, p: Any) -> Any:
    return p


def _power(o: Any, v: Any, x: Any, n: Any, p: Any, q: Any) -> Any:
    def exact() -> Any:
        # The square of an integer to n = m/2 is an integer, that of v another one unless v is exact.
        counted = (o.rint(n) == n) | ((o.rint(2 * n) == 2 * n) & (v * v < 2.0**52))
        whole = (o.rint(v) == v) & (abs(v) < 2.0**53) & (o.rint(x) == x) & (n > 0) & counted
        return o.where(whole | (x == 0) | (x == 1) | (n == 1) | (n == 0), 0.0, own(o, v, 2))

    return o.lazily(p + q == 0, _grown(o, v, x, n, p, q) + own(o, v, 2), exact)


def _grown(o: Any, v: Any, x: Any, n: Any, p: Any, q: Any) -> Any:
    """The change of x**n: relative to the result, where it is below a quarter of that."""
    change = o.ratio(abs(n) * p, abs(x)) + o.lazily(q > 0, 0.0, lambda: abs(o.log(abs(x))) * q)
    return o.where(change * U > 0.25, INF, 2 * abs(v) * change)


def _power_residual(o: Any, v: Any, x: Any, n: Any, lost: Any, p: Any, q: Any, r: Any) -> Any:
    step = o.where(x == 0, 0.0, o.log(abs(x)))
    rest = abs(v) * (abs(step) * r + (lost * step) ** 2 * UNKNOWN)
    exact = (p + q + r == 0) & ((x == 1) | (x == 0))
    return o.where(exact, 0.0, _grown(o, v, x, n, p, q) + rest + own(o, v, 4))


def _mod(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    size = abs(b)
    lost = p + o.ratio(abs(v - a) * q, size)
    near = (lost > 0) & (o.least(abs(v), size - abs(v)) <= lost * U)
    whole = (p + q == 0) & (o.rint(a) == a) & (o.rint(b) == b) & (abs(a) + size < 2.0**53)
    error = o.where(near, size * UNKNOWN, 0.0) + lost + o.where(whole, 0.0, abs(v))
    return o.where(q * U > 0.25 * size, INF, error)


# Conditions and selections: errors are 0 where the outcome is sure, else inf.


def _compared(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    lost = p + q
    return o.where((lost == 0) | (abs(a - b) > lost * U), 0.0, INF)


def _and(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    return o.where(a, o.where(b, p + q, q), o.where(b, p, o.least(p, q)))


def _or(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    return o.where(a, o.where(b, o.least(p, q), p), o.where(b, q, p + q))


def _where(o: Any, v: Any, c: Any, a: Any, b: Any, r: Any, p: Any, q: Any) -> Any:
    apart = abs(a - b) * UNKNOWN + o.largest(p, q)
    return o.where(r == 0, o.where(c, p, q), o.where(apart == apart, apart, INF))


def _refined(o: Any, v: Any, c: Any, better: Any, y: Any, r: Any, p: Any, q: Any) -> Any:
    # The error of the first value bounds that of its correction; the steps of the correction say nothing of the whole.
    return o.ratio(abs(v) * q, abs(y)) + o.where(v == 0, 0.0, TINY)


def _defined(o: Any, v: Any, y: Any, slope: Any, p: Any, q: Any) -> Any:
    return o.where(y == y, q, p)


def _chosen(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    close = abs(a - b) <= (p + q) * U
    return o.where(v == v, o.where(close, o.largest(p, q), o.where(v == a, p, q)), p + q)


def _sign(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.where((p > 0) & (abs(a) <= p * U), 2 * UNKNOWN, v - v)


def _copysign(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    return p + o.where((q > 0) & (abs(b) <= q * U), 2 * abs(a) * UNKNOWN, b - b)


def _step(shift: float) -> Rule:
    """The rule of an integer part that jumps at the integers and ``shift``."""

    def rule(o: Any, v: Any, a: Any, p: Any) -> Any:
        away = a - shift
        return o.where((p > 0) & (abs(away - o.rint(away)) <= p * U), UNKNOWN + p, v - v)

    return rule


_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
ARITHMETIC: dict[str, Rule] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "neg": _same, "abs": _same, "not": _same, "power": _power,
    "power_residual": _power_residual, "mod": _mod, "fmod": _mod, **dict.fromkeys(_COMPARISONS, _compared), "and": _and,
    "or": _or, "where": _where, "refined": _refined, "defined": _defined, "min": _chosen, "max": _chosen, "sign": _sign,
    "copysign": _copysign, "floor": _step(0.0), "ceil": _step(0.0), "trunc": _step(0.0), "round": _step(0.5),
}  # fmt: skip
"""The rules of arithmetic, of conditions and of what has kinks."""
