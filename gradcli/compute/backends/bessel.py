"""Bessel functions J, Y, I and K over arrays; SciPy's for arguments of medium size alone.

Layer: must not know programs.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.backends.special import gamma, scipy
from gradcli.functions.bessel import REAL_ORDER

Array = NDArray[np.float64]

_SERIES = 2.0
"""Largest argument of the power series."""
_HANKEL = 25.0
"""Smallest argument of Hankel's expansion."""


def _power_series(order: int | Array, square: Array) -> Array:
    """Return the power series of J or I without its leading factor (DLMF 10.2.2, 10.25.2), for |square| <= 1."""
    term = np.ones_like(square)
    total = np.zeros_like(square)
    for k in range(1, 22):
        total = total + term
        term = term * square / (k * (order + k))
    return total


def _series(n: int, x: Array, sign: int) -> Array:
    """Return J (``sign`` -1) or I (``sign`` 1) of order n for |x| <= 2 by the power series."""
    half = x / 2
    total = _power_series(n, sign * half * half)
    with np.errstate(all="ignore"):
        return np.asarray(total * (np.power(half, n) / float(math.factorial(n)) if n <= 170 else 0.0 * x))


def _hankel_sums(order: float | Array, z: Array) -> tuple[Array, Array]:
    """Return the even and the odd sum of Hankel's expansion (DLMF 10.17.3), for z > 25 and z > order**2."""
    p, q, term = np.ones_like(z), np.zeros_like(z), np.ones_like(z)
    for k in range(1, 40):
        term = term * ((4 * order * order - (2 * k - 1) ** 2) / (8 * k)) / z
        sign = (1, 1, -1, -1)[k % 4]
        if k % 2:
            q = q + sign * term
        else:
            p = p + sign * term
        if np.max(np.abs(term), initial=0.0) < 1e-18:
            break
    return p, q


def _hankel(kind: str, n: int, z: Array) -> Array:
    """Return J or Y of order n for z > 25 and z > n*n by Hankel's expansion."""
    p, q = _hankel_sums(float(n), z)
    # Obtain cos and sin of z - (n/2 + 1/4)*pi from those of z, so that the phase is not rounded.
    s, c = np.sin(z), np.cos(z)
    cosine, sine = (c + s, s - c) if n % 2 == 0 else (s - c, -(c + s))
    quadrant_sign = 1.0 if n % 4 in (0, 1) else -1.0
    wave = p * cosine - q * sine if kind == "besselj" else p * sine + q * cosine
    return np.asarray(quadrant_sign * wave / math.sqrt(math.pi) / np.sqrt(z))


def _real_hankel(second: bool, order: Array, z: Array) -> Array:
    """Return J or Y of any order for z > 25 and z > order**2 by Hankel's expansion."""
    p, q = _hankel_sums(order, z)
    # The phase is z less (order/2 + 1/4)*pi, whose multiples of 2*pi are taken off exactly.
    turn = np.pi * (np.remainder(order / 2 + 1, 2) - 1 + 0.25)
    s, c = np.sin(z), np.cos(z)
    cosine, sine = c * np.cos(turn) + s * np.sin(turn), s * np.cos(turn) - c * np.sin(turn)
    wave = p * sine + q * cosine if second else p * cosine - q * sine
    return np.asarray(wave * np.sqrt(2 / np.pi / z))


def _real_series(order: Array, x: Array, sign: int) -> Array:
    """Return J (``sign`` -1) or I (``sign`` 1) of an order other than -1, -2 ... by the power series, for x <= 2."""
    total = _power_series(order, sign * x * x / 4)
    lead = np.power(x, order) * np.exp2(-order) * scipy().rgamma(order + 1)
    return np.asarray(np.where(lead == 0, 0.0, lead * total))


def _real(name: str) -> Callable[[None, Array, Array], Array]:
    """Return the kernel ``(None, order, x) -> array`` of any order; it is nan for x < 0, unless the order is whole."""
    special = scipy()

    def oscillating(order: Array, x: Array) -> Array:
        far = (x > np.maximum(_HANKEL, order * order)) & np.isfinite(x)
        value = getattr(special, name)(order, np.where(far, 1.0, x))
        value = np.where(far, _real_hankel(name == "yv", order, np.where(far, x, 1e9 + order**4)), value)
        return np.where(x == math.inf, 0.0, value)

    def first(order: Array, x: Array) -> Array:
        return np.where(x <= _SERIES, _real_series(order, np.minimum(x, _SERIES), -1), oscillating(order, x))

    def growing(order: Array, x: Array) -> Array:
        half = np.exp(np.minimum(x, 1e4) / 2)
        large = special.ive(order, np.clip(x, 0, 1e4)) * half * half
        value = np.where(x > 1e4, math.inf, np.where(x > 700, large, special.iv(order, x)))
        return np.where(x <= _SERIES, _real_series(order, np.minimum(x, _SERIES), 1), value)

    def decaying(order: Array, x: Array) -> Array:
        half = np.exp(-x / 2)
        value = np.where(x > 1e4, 0.0, special.kve(order, x) * half * half)
        # For x < 1e-20 both leading terms (DLMF 10.27.4, 10.30.2); near order 0 they cancel, and are not needed.
        lead = special.gamma(order) * np.exp2(order - 1) * np.power(x, -order)
        rest = special.gamma(-order) * np.exp2(-order - 1) * np.power(x, order)
        return np.where((x > 0) & (x < 1e-20) & (order > 0.01), lead + np.where(order < 1, rest, 0.0), value)

    compute = {"jv": first, "yv": oscillating, "iv": growing, "kv": decaying}[name]

    def run(value: None, order: Array, x: Array) -> Array:
        order, x = np.broadcast_arrays(np.asarray(order, dtype=np.float64), np.asarray(x, dtype=np.float64))
        with np.errstate(all="ignore"):
            # A whole order n < 0 is that of -n, and has values for x < 0: those for |x|. Y and K have none there.
            whole = order == np.rint(order)
            odd = whole & (np.remainder(order, 2) == 1)
            negative = (whole | (name == "kv")) & (order < 0)
            sign = np.where(odd & negative & (name in ("jv", "yv")), -1.0, 1.0)
            even = whole & (name in ("jv", "iv"))
            sign = np.where(odd & even & (x < 0), -sign, sign)
            result = sign * compute(np.where(negative, -order, order), np.where(even, np.abs(x), x))
            return np.where((x < 0) & ~even, np.nan, result)

    return run


def bessel(kind: str) -> Callable[..., Array]:
    """Return the kernel ``(n, x) -> array`` of besselj, bessely, besseli or besselk, for integer orders n >= 0.

    The kernel ``(None, order, x)`` of jv, yv, iv or kv is that of any order.
    """
    if kind not in REAL_ORDER:
        return _real(kind)
    special = scipy()

    def j(n: int, x: Array) -> Array:
        z = np.abs(x)
        far = (z > max(_HANKEL, n * n)) & np.isfinite(z)
        value = special.jv(n, np.where(far | (z <= _SERIES), _HANKEL, z))
        value = np.where(far, _hankel("besselj", n, np.where(far, z, 1e9 + n**4)), value)
        value = np.where(z <= _SERIES, _series(n, np.minimum(z, _SERIES), -1), value)
        value = np.where(np.isinf(z), 0.0, np.where(np.isnan(x), x, value))
        return np.where(x < 0, -value, value) if n % 2 else np.asarray(value)

    def y(n: int, x: Array) -> Array:
        far = (x > max(_HANKEL, n * n)) & np.isfinite(x)
        value = np.where(far, _hankel("bessely", n, np.where(far, x, 1e9 + n**4)), special.yn(n, np.where(far, 1.0, x)))
        # Early versions of SciPy give nan where Y overflows.
        value = np.where((x > 0) & np.isnan(value), -math.inf, value)
        return np.where(x == math.inf, 0.0, value)

    def i(n: int, x: Array) -> Array:
        z = np.abs(x)
        half = np.exp(np.minimum(z, 1e4) / 2)
        large = special.ive(n, np.minimum(z, 1e4)) * half * half
        value = np.where(
            z <= _SERIES, _series(n, np.minimum(z, _SERIES), 1), np.where(z > 700, large, special.iv(n, z))
        )
        value = np.where(z > 1e4, math.inf, np.where(np.isnan(x), x, value))
        return np.where(x < 0, -value, value) if n % 2 else np.asarray(value)

    def k(n: int, x: Array) -> Array:
        half = np.exp(-x / 2)
        value = special.kve(n, x) * half * half
        # For x < 1e-20 the leading term (DLMF 10.30.2, 10.31.2) equals the function to the last bit.
        tiny = (x > 0) & (x < 1e-20)
        lead = math.log(2) - np.euler_gamma - np.log(x) if n == 0 else gamma(n) / 2 * np.power(2 / x, n)
        return np.where(tiny, lead, np.where(x > 1e4, 0.0, value))

    kernel = {"besselj": j, "bessely": y, "besseli": i, "besselk": k}[kind]

    def run(n: int, x: Array) -> Array:
        with np.errstate(all="ignore"):
            return kernel(n, np.asarray(x, dtype=np.float64))

    return run
