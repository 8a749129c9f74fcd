"""The rules of roots, exponentials, logarithms, trigonometric and hyperbolic functions; see `rules`."""

from __future__ import annotations

from typing import Any

from gradcli.compute.trust.rules import INF, UNKNOWN, Rule, U, own, zero

# Roots, exponentials and logarithms.


def _sqrt(o: Any, v: Any, a: Any, p: Any) -> Any:
    carried = o.rare(p * U > 0.25 * a, o.ratio(0.6 * p, abs(v)), lambda: o.sqrt(p * UNKNOWN))
    return carried + o.divided(v, v, a, p)


def _cbrt(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.where(p * U > 0.5 * abs(a), INF, o.ratio(p * abs(v), abs(a))) + zero(o, v, 8)


def _exp(o: Any, v: Any, a: Any, p: Any) -> Any:
    carried = o.where(p * U > 0.5, INF, 1.5 * v * p)
    return o.where((p == 0) & ((a == 0) | (a == -INF)), 0.0, carried + own(o, v, 2))


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
    return o.least(abs(slope) * p + p * p * U, 2 * UNKNOWN)


def _tan(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.where(abs(v) * p * U > 0.25, INF, 2 * (1 + v * v) * p + p * p * U) + zero(o, v, 3)


def _arc(o: Any, v: Any, a: Any, p: Any) -> Any:
    return _edge(o, (1 - abs(a)) * (1 + abs(a)), p) + zero(o, v, 2)


def _edge(o: Any, room: Any, p: Any) -> Any:
    """The change of a function whose slope is 1/sqrt(room)."""
    return o.rare(4 * p * U > room, o.ratio(1.5 * p, o.sqrt(room)), lambda: o.sqrt(2 * p * UNKNOWN))


def _atan(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.least(p / (1 + a * a) + p * p * U, p) + zero(o, v, 2)


def _atan2(o: Any, v: Any, y: Any, x: Any, p: Any, q: Any) -> Any:
    size = o.largest(abs(x), abs(y))
    near = ((p + q) * U > 0.5 * size) | ((x < 0) & (p > 0) & (abs(y) <= p * U))
    share = o.least(abs(x), size) * p + o.least(abs(y), size) * q
    return o.where(near, 7 * UNKNOWN, o.ratio(o.ratio(2 * share, size), size)) + zero(o, v, 2)


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


ELEMENTARY: dict[str, Rule] = {
    "sqrt": _sqrt, "cbrt_near": _cbrt, "exp": _exp, "exp2": _exp, "expm1": _expm1, "log": _logarithm(),
    "log2": _logarithm(1.4427), "log10": _logarithm(0.4343), "log1p": _logarithm(1.0, 1.0), "sin": _sin, "cos": _cos,
    "tan": _tan, "asin": _arc, "acos": _arc, "atan": _atan, "atan2": _atan2, "hypot": _hypot, "sinh": _sinh,
    "cosh": _cosh, "tanh": _tanh, "asinh": _asinh, "acosh": _acosh, "atanh": _atanh,
}  # fmt: skip
