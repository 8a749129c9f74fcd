"""The rules of special functions; see `rules`.

Near a zero the error of a kernel is relative to the size of its wave, or of the terms that cancel, not to its value.
Layer: must not know programs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

from gradcli.compute.trust.rules import INF, TINY, Rule, U, own, zero

BRANCH = -0.3678794411714423
"""-1/e, where the two branches of Lambert's W meet."""


def _fma(o: Any, v: Any, a: Any, b: Any, c: Any, p: Any, q: Any, r: Any) -> Any:
    return abs(a) * q + abs(b) * p + p * q * U + r + own(o, v, 1)


# The error function and the normal distribution.


def _gauss(o: Any, v: Any, a: Any, p: Any) -> Any:
    carried = o.where(abs(a) * p * U > 0.25, INF, 3 * abs(a * v) * p + p * p * U)
    return o.where((p == 0) & (a == 0), 0.0, carried + own(o, v, 4))


def _bell(c: float) -> Rule:
    """The rule of a function whose slope is 2/sqrt(pi)*exp(-x**2)."""

    def rule(o: Any, v: Any, a: Any, p: Any) -> Any:
        return o.least(2 * o.exp(-a * a) * p + p * p * U, 1.2 * p) + zero(o, v, c)

    return rule


def _erfinv(o: Any, v: Any, a: Any, p: Any) -> Any:
    return o.where(4 * p * U > 1 - abs(a), INF, 2 * o.exp(v * v) * p) + zero(o, v, 8)


def _erfinv_gauss(o: Any, v: Any, a: Any, p: Any) -> Any:
    slope = 2 * v * v * o.sqrt(o.log(v))
    return o.where(4 * p * U > 1 - abs(a), INF, slope * p + p * p * U) + own(o, v, 20)


def _dsinc(o: Any, v: Any, a: Any, p: Any, n: int) -> Any:
    top = math.pi**n
    wave = o.where(abs(a) > 0.5, 8 * top / (1 + 3 * abs(a)), 0.0)
    return 3.2 * top * p + o.where(a == 0, 0.0, 20 * (abs(v) + top * TINY)) + wave


# The gamma family: every bound is in terms of the distance to the nearest pole.


def _distance(o: Any, a: Any) -> Any:
    return o.largest(abs(a - o.least(0.0, o.rint(a))), 1e-300)


def _steep(o: Any, a: Any) -> Any:
    """A bound of |digamma|."""
    return 1 / _distance(o, a) + o.log(abs(a) + 2) + 2


def _gamma(o: Any, v: Any, a: Any, p: Any) -> Any:
    s = _steep(o, a)
    return o.where(p * U * s > 0.5, INF, 2 * abs(v) * s * p) + own(o, v, 20)


def _lgamma(o: Any, v: Any, a: Any, p: Any) -> Any:
    s = _steep(o, a)
    rest = o.where(a > 0.5, 0.0, 8 + o.where(a < -20, 8 * abs(a) * o.log(abs(a) + 1), 0.0))
    exact = (p == 0) & ((a == 1) | (a == 2))
    return o.where(exact, 0.0, o.where(p * U * s > 0.5, INF, 2 * s * p) + own(o, v, 8) + rest)


def _digamma(o: Any, v: Any, a: Any, p: Any) -> Any:
    d = _distance(o, a)
    slope = 1 / (d * d) + 2 / d + 2
    return o.where(p * U > 0.25 * d, INF, 2 * slope * p) + 8 * (abs(v) + 1 + o.log(abs(a) + 1))


def _polygamma(o: Any, v: Any, a: Any, p: Any, n: int) -> Any:
    d = _distance(o, a)
    size = abs(v) + o.where(a < 0.5, math.factorial(min(n, 170)) * o.exp(-(n + 1) * o.log(d)), 0.0)
    return o.where(p * U * (n + 2) > 0.25 * d, INF, 4 * (n + 1) * (size / d) * p) + 50 * size + TINY


def _gap(o: Any, v: Any, x: Any, y: Any, p: Any, q: Any, n: int) -> Any:
    s = abs(x + y)
    slope = math.factorial(min(n + 1, 170)) * o.exp(-(n + 1) * o.log(s)) * (1 / s + 1)
    positive = (x > 0) & (y > 0) & (p * U * (n + 2) < 0.25 * x)
    carried = 4 * (n + 1) * abs(v) / abs(x) * p + 4 * slope * (p + q)
    return o.where(positive | (p + q == 0), o.where(p + q == 0, 0.0, carried), INF) + own(o, v, 64)


def _beta(o: Any, v: Any, x: Any, y: Any, p: Any, q: Any) -> Any:
    s = _steep(o, x) + _steep(o, y) + _steep(o, x + y)
    carried = o.where((p + q) * U * s > 0.5, INF, 2 * abs(v) * s * (p + q))
    return carried + own(o, v, 128) + o.where((x > 0) & (y > 0), 0.0, 2.0**20 * abs(v))


def _betaln(o: Any, v: Any, x: Any, y: Any, p: Any, q: Any) -> Any:
    s = _steep(o, x) + _steep(o, y) + _steep(o, x + y)
    carried = o.where((p + q) * U * s > 0.5, INF, 2 * s * (p + q))
    return carried + own(o, v, 128) + o.where((x > 0) & (y > 0), 32.0, 2.0**20 * (1 + abs(v)))


def _tail(c: float, slope: str, ends: int) -> Rule:
    """The rule of an incomplete integral, whose slope in its last argument is the density ``slope``.

    The density is a power and an exponential: each unit of its exponent costs an ulp.
    """

    def rule(o: Any, v: Any, *rest: Any) -> Any:
        count = len(rest) // 2
        x, errors = rest[:count], rest[count:]
        carried = 2 * o.kernel(slope, 0, *x) * errors[-1]
        shapes = reduce(o.largest, errors[:-1])
        distance = o.least(x[-1], 1 - x[-1]) if ends == 2 else x[-1]
        unsure = (shapes > 0) | (4 * errors[-1] * U * (1 + x[0]) > distance)
        carried = o.where(unsure & (shapes + errors[-1] > 0), INF, o.where(errors[-1] == 0, 0.0, carried))
        # SciPy loses digits of the small rest next to 1.
        rest_lost = o.where(1 - x[-1] < 1e-6, 2.0**20, 0.0) if ends == 2 else 0.0
        return carried + rest_lost + _spread(o, v, c, x)

    return rule


def _spread(o: Any, v: Any, c: float, x: Sequence[Any]) -> Any:
    """The error of a value whose logarithm is a sum of terms of the size of the shapes and of that logarithm."""
    return abs(v) * (c + 8 * abs(o.log(abs(v))) + sum(8 * abs(a) for a in x[:-1])) + TINY


def _density(ends: int) -> Rule:
    """The rule of the n-th derivative of a density, which cancels near a zero: relative to the density itself."""

    def rule(o: Any, v: Any, *rest: Any) -> Any:
        *rest, n = rest  # type: ignore[assignment]
        count = len(rest) // 2
        x, errors = rest[:count], rest[count:]
        size, total = abs(v), sum(errors)
        near = 1 / o.largest(abs(x[-1]), 1e-300) + (1 / o.largest(abs(1 - x[-1]), 1e-300) if ends == 2 else 1.0)
        steep = sum(abs(a) for a in x[:-1]) + 1
        if n:
            base = abs(o.kernel("betapdf" if ends == 2 else "gammapdf", 0, *x))
            size = size + base * o.exp(n * o.log(2 * steep * near))
        carried = 4 * (n + 1) * size * steep * near * errors[-1]
        return o.where(total == 0, 0.0, o.where(total > errors[-1], INF, carried)) + _spread(o, size, 64, x)

    return rule


# Bessel and Airy functions, Lambert's W.


def _bessel(kind: str, c: float) -> Rule:
    """The rule of a Bessel function of order n at a. J and Y wave: their error is relative to sqrt(2/(pi*a))."""

    def rule(o: Any, v: Any, a: Any, p: Any, n: Any) -> Any:
        order, size = abs(n), o.largest(abs(a), 1e-300)
        if kind in "jy":
            wave = o.sqrt(0.7 / size)
            if kind == "j":
                wave = o.least(1.0, wave)
            own_error = c * abs(v) + o.where(size > 0.5, c / 2 * wave * o.where(size > order, 1.0, 0.0), 0.0)
            # Y rises to the pole at 0 through zeros of its own at n < a < n + 2 only.
            slope = abs(v) * (order + 1) / size + wave * o.where(size > order / 2, 1.0, 0.0)
            slope = slope + (1 / size if kind == "y" else 0.0)
        else:
            own_error, slope = (c + abs(a) / 8) * abs(v), abs(v) * (1 + (order + 1) / size)
        far = p * U * (order + 1) > 0.25 * size if kind in "yk" else p * U > 0.25
        carried = o.where(far, INF, 2 * slope * p) + p * p * U
        return o.where(p == 0, 0.0, carried) + o.where(v == 0, o.where(a == 0, 0.0, TINY), own_error + TINY)

    return rule


def _real(kind: str) -> Rule:
    """The rule of a Bessel function of any real order: that in the order has no closed form."""
    inner = _bessel(kind, 2048.0)

    def rule(o: Any, v: Any, n: Any, a: Any, r: Any, p: Any) -> Any:
        return o.where(r > 0, INF, inner(o, v, a, p, n))

    return rule


def _airy(slope: int) -> Rule:
    """Left of 0 the waves have the size |x|**(-1/4) or, of the slope, |x|**(1/4); right of it the growth is steep."""

    def rule(o: Any, v: Any, a: Any, p: Any) -> Any:
        root = o.sqrt(abs(a) + 1)
        wave = o.sqrt(root) if slope else 1 / o.sqrt(root)
        wave = o.where(a < 1, wave, 0.0)
        steep = o.where(p * U * root > 0.25, INF, (abs(v) + wave) * root * (2.0 if slope == 0 else 3.0) * p)
        return steep + 256 * abs(v) + (64 + 8 * root) * wave + TINY

    return rule


def _lambertw(o: Any, v: Any, a: Any, p: Any) -> Any:
    above = abs(1 + v)
    carried = o.ratio(o.ratio(2 * abs(v) * p, abs(a)), above)
    near = 8 * p * U > a - BRANCH
    return o.where((p > 0) & near, INF, o.where(a == 0, 2 * p, carried)) + zero(o, v, 16)


def _above(o: Any, v: Any, a: Any, p: Any, n: int) -> Any:
    near = 8 * p * U > a - BRANCH
    slope = o.ratio(abs(v - 1) * 2 * p, o.largest(abs(a * v), 1e-300))
    return o.where((p > 0) & near, INF, o.where(a == 0, 2 * p, slope)) + own(o, v, 32)


SPECIAL: dict[str, Rule] = {
    "fma": _fma, "gauss": _gauss, "erf": _bell(3), "erfc": _bell(8), "erfinv": _erfinv, "erfinv_gauss": _erfinv_gauss,
    "dsinc": _dsinc, "gamma": _gamma, "lgamma": _lgamma, "digamma": _digamma, "polygamma": _polygamma,
    "polygamma_gap": _gap, "beta": _beta, "betaln": _betaln, "betainc": _tail(256, "betapdf", 2),
    "gammainc": _tail(256, "gammapdf", 1), "gammaincc": _tail(256, "gammapdf", 1), "betapdf": _density(2),
    "gammapdf": _density(1), **{f"bessel{kind}": _bessel(kind, 40.0) for kind in "jyik"},
    **{f"{kind}v": _real(kind) for kind in "jyik"}, "airyai": _airy(0), "airybi": _airy(0), "airyaiprime": _airy(1),
    "airybiprime": _airy(1), "lambertw": _lambertw, "lambertw_low": _lambertw, "lambertw_above": _above,
}  # fmt: skip
"""The rules of special functions; a function that is in none of the tables has no bound."""
