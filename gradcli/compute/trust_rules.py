"""The rules of the running error bound, one a kernel: the error of a result from the errors of its arguments.

A running error analysis (Wilkinson; Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., ch. 3): an error is
an absolute bound in units of U = 2**-53, 0 for an exact number and inf where nothing is known. A rule is called as
``rule(o, v, *arguments, *errors)``, of a row with an integer parameter with that last. It is written once: ``o`` are the
operations of floats (here), of arrays (`trust_arrays`) or of the lanes of vector code (native.errors).
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
_LOW = 2.0**-960
"""Size of a product below which its residual may underflow."""
_UNKNOWN = 1 / U

Rule = Callable[..., Any]


class Floats:
    """The operations that rules need, on single numbers; none divides by zero."""

    @staticmethod
    def where(c: Any, a: Any, b: Any) -> Any:
        return a if c else b

    largest = staticmethod(max)
    least = staticmethod(min)

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

    sin, cos, rint, floor = map(staticmethod, (math.sin, math.cos, round, math.floor))  # type: ignore[assignment]

    @staticmethod
    def kernel(name: str, value: int, *x: float) -> float:
        """A function that SciPy has."""
        from gradcli.compute.backends.scipy_kernels import scipy_kernel

        return float(scipy_kernel(name)(value, *x))

    @staticmethod
    def product_lost(a: float, b: float, v: float) -> float:
        """|a*b - v| for a double v next to a*b, exactly (Dekker 1971); nan where a step overflows."""
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
    # The rounding error itself, which is exact (Knuth's two-sum).
    t = v - a
    return p + q + abs((a - (v - t)) + (b - t)) * _UNKNOWN


def _sub(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    t = v - a
    return p + q + abs((a - (v - t)) - (b + t)) * _UNKNOWN


def _mul(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    size = abs(v)
    lost = o.product_lost(a, b, v) * _UNKNOWN
    nothing = ((a == 0) & (p == 0)) | ((b == 0) & (q == 0))
    # Where the residual underflows or a step of it overflows, half an ulp.
    lost = o.where((size > _LOW) & (lost <= size), lost, o.where(nothing, 0.0, size + TINY))
    return abs(a) * q + abs(b) * p + p * q * U + lost


def _div(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    size, divisor = abs(v), abs(b)
    exact = ((o.product_lost(v, b, a) == 0) & (abs(a) > _LOW)) | ((a == 0) & (p == 0))
    carried = o.ratio((p + size * q) * 1.4, divisor)
    return o.where(q * U > 0.25 * divisor, INF, carried) + o.where(exact, 0.0, size + TINY)


def _same(o: Any, v: Any, a: Any, p: Any) -> Any:
    return p


def _power(o: Any, v: Any, x: Any, n: Any, p: Any, q: Any) -> Any:
    whole = (o.rint(v) == v) & (abs(v) < 2.0**53) & (o.rint(x) == x) & (n > 0)
    exact = (p + q == 0) & (whole | (x == 0) | (x == 1) | (n == 1) | (n == 0))
    return o.where(exact, 0.0, _grown(o, v, x, n, p, q) + own(o, v, 2))


def _grown(o: Any, v: Any, x: Any, n: Any, p: Any, q: Any) -> Any:
    """The change of x**n: relative to the result, where it is below a quarter of that."""
    change = o.ratio(abs(n) * p, abs(x)) + o.where(q == 0, 0.0, abs(o.log(abs(x))) * q)
    return o.where(change * U > 0.25, INF, 2 * abs(v) * change)


def _power_residual(o: Any, v: Any, x: Any, n: Any, lost: Any, p: Any, q: Any, r: Any) -> Any:
    step = o.where(x == 0, 0.0, o.log(abs(x)))
    rest = abs(v) * (abs(step) * r + (lost * step) ** 2 * _UNKNOWN)
    exact = (p + q + r == 0) & ((x == 1) | (x == 0))
    return o.where(exact, 0.0, _grown(o, v, x, n, p, q) + rest + own(o, v, 4))


def _mod(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    size = abs(b)
    lost = p + o.ratio(abs(v - a) * q, size)
    near = (lost > 0) & (o.least(abs(v), size - abs(v)) <= lost * U)
    whole = (p + q == 0) & (o.rint(a) == a) & (o.rint(b) == b)
    error = o.where(near, size * _UNKNOWN, 0.0) + lost + o.where(whole, 0.0, abs(v))
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
    apart = abs(a - b) * _UNKNOWN + o.largest(p, q)
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
    return o.where((p > 0) & (abs(a) <= p * U), 2 * _UNKNOWN, v - v)


def _copysign(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    return p + o.where((q > 0) & (abs(b) <= q * U), 2 * abs(a) * _UNKNOWN, b - b)


def _step(shift: float) -> Rule:
    """The rule of an integer part that jumps at the integers and ``shift``."""

    def rule(o: Any, v: Any, a: Any, p: Any) -> Any:
        away = a - shift
        return o.where((p > 0) & (abs(away - o.rint(away)) <= p * U), _UNKNOWN + p, v - v)

    return rule


# Roots, exponentials and logarithms.


def _sqrt(o: Any, v: Any, a: Any, p: Any) -> Any:
    carried = o.where(p * U > 0.25 * a, o.sqrt(p * _UNKNOWN), o.ratio(0.6 * p, v))
    exact = (o.product_lost(v, v, a) == 0) & ((a > _LOW) | (a == 0))
    return carried + o.where(exact, 0.0, own(o, v, 1))


def _cbrt(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.where(p * U > 0.5 * abs(a), INF, o.ratio(p * abs(v), abs(a))) + zero(o, v, 8)


def _exp(o: Any, v: Any, a: Any, p: Any) -> Any:
    carried = o.where(p * U > 0.5, INF, 1.5 * v * p)
    return o.where((p == 0) & (a == 0), 0.0, carried + own(o, v, 2))


def _expm1(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.where(p * U > 0.5, INF, 1.5 * (v + 1) * p) + zero(o, v, 2)


def _logarithm(factor: float = 1.0, shift: float = 0.0) -> Rule:
    def rule(o: Any, v: Any, a: Any, p: Any) -> Any:
        b = a + shift
        return o.where(p * U > 0.5 * b, INF, o.ratio(1.5 * factor * p, b)) + zero(o, v, 2)

    return rule


# Trigonometric and hyperbolic functions.


def _sin(o: Any, v: Any, a: Any, p: Any) -> Any:
    return _turned(o, o.cos(a), p) + zero(o, v, 2)


def _cos(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.where((p == 0) & (a == 0), 0.0, _turned(o, o.sin(a), p) + own(o, v, 2))


def _turned(o: Any, slope: Any, p: Any) -> Any:
    return o.least(abs(slope) * p + p * p * U, 2 * _UNKNOWN)


def _tan(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.where(abs(v) * p * U > 0.25, INF, 2 * (1 + v * v) * p + p * p * U) + zero(o, v, 3)


def _arc(o: Any, v: Any, a: Any, p: Any) -> Any:
    return _edge(o, (1 - abs(a)) * (1 + abs(a)), p) + zero(o, v, 2)


def _edge(o: Any, room: Any, p: Any) -> Any:
    """The change of a function whose slope is 1/sqrt(room)."""
    return o.where(4 * p * U > room, o.sqrt(2 * p * _UNKNOWN), o.ratio(1.5 * p, o.sqrt(room)))


def _atan(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.least(p / (1 + a * a) + p * p * U, p) + zero(o, v, 2)


def _atan2(o: Any, v: Any, y: Any, x: Any, p: Any, q: Any) -> Any:
    size = o.largest(abs(x), abs(y))
    near = ((p + q) * U > 0.5 * size) | ((x < 0) & (p > 0) & (abs(y) <= p * U))
    share = o.least(abs(x), size) * p + o.least(abs(y), size) * q
    return o.where(near, 7 * _UNKNOWN, o.ratio(o.ratio(2 * share, size), size)) + zero(o, v, 2)


def _hypot(o: Any, v: Any, a: Any, b: Any, p: Any, q: Any) -> Any:
    return p + q + o.where((a == 0) | (b == 0), 0.0, own(o, v, 2))


def _sinh(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.where(p * U > 0.5, INF, 1.5 * (1 + abs(v)) * p) + zero(o, v, 3)


def _cosh(o: Any, v: Any, a: Any, p: Any) -> Any:
    slope = 1.5 * o.sqrt((v - 1) * (v + 1)) + p * U
    return o.where((p == 0) & (a == 0), 0.0, o.where(p * U > 0.5, INF, slope * p) + own(o, v, 3))


def _tanh(o: Any, v: Any, a: Any, p: Any) -> Any:
    return ((1 - abs(v)) * (1 + abs(v)) + p * U) * p + zero(o, v, 3)


def _asinh(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.least(1.5 * p / (1 + abs(a)) + p * p * U, p) + zero(o, v, 3)


def _acosh(o: Any, v: Any, a: Any, p: Any) -> Any:
    return _edge(o, (a - 1) * (a + 1), p) + zero(o, v, 3)


def _atanh(o: Any, v: Any, a: Any, p: Any) -> Any:
    room = (1 - abs(a)) * (1 + abs(a))
    return o.where(4 * p * U > room, INF, o.ratio(2 * p, room)) + zero(o, v, 3)


_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
PLAIN: dict[str, Rule] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "neg": _same, "abs": _same, "not": _same, "power": _power,
    "power_residual": _power_residual, "mod": _mod, "fmod": _mod,
    **dict.fromkeys(_COMPARISONS, _compared), "and": _and, "or": _or, "where": _where, "refined": _refined,
    "defined": _defined, "min": _chosen, "max": _chosen, "sign": _sign, "copysign": _copysign,
    "floor": _step(0.0), "ceil": _step(0.0), "trunc": _step(0.0), "round": _step(0.5),
    "sqrt": _sqrt, "cbrt_near": _cbrt, "exp": _exp, "exp2": _exp, "expm1": _expm1, "log": _logarithm(),
    "log2": _logarithm(1.4427), "log10": _logarithm(0.4343), "log1p": _logarithm(1.0, 1.0), "sin": _sin, "cos": _cos,
    "tan": _tan, "asin": _arc, "acos": _arc, "atan": _atan, "atan2": _atan2, "hypot": _hypot, "sinh": _sinh,
    "cosh": _cosh, "tanh": _tanh, "asinh": _asinh, "acosh": _acosh, "atanh": _atanh,
}  # fmt: skip
"""The rules of arithmetic and of the elementary functions."""
