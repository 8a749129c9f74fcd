"""Kernels that neither the C library nor NumPy has, on single numbers and on arrays.

SciPy's are imported only when an expression needs them. Must not know programs.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gradcli.errors import GradError

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Array = NDArray[float64]

_INF = math.inf
_NAN = math.nan


def gamma(x: float) -> float:
    """Gamma by the C library's conventions: inf at 0 with its sign, nan at the other poles."""
    if x == 0:
        return math.copysign(_INF, x)
    if x == -_INF or (x < 0 and x == math.floor(x)):
        return _NAN
    try:
        return math.gamma(x)
    except OverflowError:
        return _INF if x > 0 or math.floor(x) % 2 == 0 else -_INF


def lgamma(x: float) -> float:
    """log |gamma(x)|, inf at the poles."""
    if math.isinf(x) or (x <= 0 and x == math.floor(x)):
        return _INF
    try:
        return math.lgamma(x)
    except OverflowError:
        return _INF


def fma(x: float, y: float, z: float) -> float:
    """x*y + z with one rounding."""
    if sys.version_info >= (3, 13):
        try:
            return math.fma(x, y, z)
        except (OverflowError, ValueError):
            pass
    plain = x * y + z
    if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(z)) or x == 0 or y == 0:
        return plain
    from fractions import Fraction

    exact = Fraction(x) * Fraction(y) + Fraction(z)
    if not exact:
        return plain
    try:
        return float(exact)
    except OverflowError:
        return _INF if exact > 0 else -_INF


def sinpi(x: float) -> tuple[float, float]:
    """sin(pi*x), cos(pi*x), by exact reduction."""
    whole = round(x)
    part = x - whole
    sign = -1.0 if whole % 2 else 1.0
    return sign * math.sin(math.pi * part), sign * math.cos(math.pi * part)


def dsinc(n: int, x: float) -> float:
    """n-th derivative of sin(pi*x)/(pi*x).

    With S(t) = sin(t)/t: t*S^(n) + n*S^(n-1) = sin^(n)(t). Upward in n this loses digits for n > t, downward for n < t;
    so upward is used for large t, and downward, from far enough that the start no longer matters, for small.
    """
    if x != x:
        return x
    if math.isinf(x):
        return 0.0
    t = math.pi * x
    size = abs(t)
    s, c = sinpi(x)
    waves = (s, c, -s, -c)
    if size < n + 2:
        value = 0.0
        for k in range(n + 40 + int(3 * size), n, -1):
            value = (waves[k % 4] - t * value) / k
    else:
        value = s / t
        for k in range(1, n + 1):
            value = (waves[k % 4] - k * value) / t
    try:
        return value * math.pi**n
    except OverflowError:
        return math.copysign(_INF, value) if value else 0.0


def scipy() -> Any:
    """The scipy.special module, or a clear refusal."""
    try:
        import scipy.special  # noqa: PLC0415
    except ImportError:
        raise GradError(
            "this function needs SciPy, which is not installed", hint="pip install 'gradcli[special]'"
        ) from None
    return scipy.special


@lru_cache
def _cotangent(n: int) -> tuple[int, ...]:
    """Coefficients of the polynomial p with d^n/dt^n cot(t) = p(cot t): p' * -(1 + c*c)."""
    coefficients = [0, 1]
    for _ in range(n):
        slope = [k * a for k, a in enumerate(coefficients)][1:]
        coefficients = [-a for a in slope] + [0, 0]
        for k, a in enumerate(slope):
            coefficients[k + 2] -= a
    return tuple(coefficients)


def polygamma(n: int, x: Array) -> Array:
    """n-th derivative of digamma at an array, negative arguments by reflection (DLMF 5.15.6)."""
    import numpy as np

    special = scipy()
    x = np.asarray(x, dtype=np.float64)
    if n == 0:
        return np.asarray(special.psi(x))
    mirrored = np.where(x < 0.5, 1 - x, x)
    positive = (-1) ** (n + 1) * special.gamma(n + 1.0) * special.zeta(n + 1.0, mirrored)
    part = x - np.rint(x)
    cot = 1 / np.tan(np.pi * part)
    turn = np.zeros_like(x)
    for a in reversed(_cotangent(n)):
        turn = turn * cot + a
    reflected = (-1) ** n * positive - np.pi ** (n + 1) * turn
    small = np.where(x > 0, (-1) ** (n + 1) * special.gamma(n + 1.0) * special.zeta(n + 1.0, np.abs(x)), reflected)
    pole = (x <= 0) & (part == 0)
    value = np.where(x < 0.5, small, positive)
    # At a pole of even order both sides agree on the infinity; of odd order there is none to give but at 0.
    return np.where(pole, _INF if n % 2 else _NAN, value)


def erfinv_gauss(x: Array) -> Array:
    """exp(erfinv(x)**2) to full accuracy, though erfinv(x) itself is rounded.

    Where y is rounded, exp(y*y) is off by 2*y*y ulp. One Newton residual gives what y lacks: with r = erf(y) - x the true
    inverse is y - r*exp(y*y)*sqrt(pi)/2, and the correction enters to second order.
    """
    import numpy as np

    special = scipy()
    x = np.asarray(x, dtype=np.float64)
    size = np.abs(x)
    y = special.erfinv(size)
    lead = np.rint(y * 2.0**20) / 2.0**20
    growth = np.exp(lead * lead) * np.exp((y - lead) * (y + lead))
    residual = np.where(size > 0.5, (1 - size) - special.erfc(y), special.erf(y) - size)
    step = -residual * growth * (math.sqrt(math.pi) / 2)
    fixed = growth * (1 + 2 * y * step + (1 + 2 * y * y) * step * step)
    return np.where(size == 1, _INF, fixed)


_HANKEL = 25


def bessel(kind: str) -> Callable[[int, Array], Array]:
    """J, Y, I or K of integer order; large arguments of J and Y by Hankel's expansion (DLMF 10.17.3)."""
    import numpy as np

    special = scipy()
    plain = {"besselj": special.jv, "bessely": special.yn, "besseli": special.iv, "besselk": special.kn}[kind]

    def ordinary(n: int, x: Array) -> Array:
        return np.asarray(plain(n, np.asarray(x, dtype=np.float64)))

    def oscillating(n: int, x: Array) -> Array:
        x = np.asarray(x, dtype=np.float64)
        size = np.abs(x)
        far = size > max(_HANKEL, n * n)
        value = ordinary(n, np.where(far, 1.0, x))
        if not far.any():
            return value
        z = np.where(far & np.isfinite(size), size, 1e3)
        p, q, term = np.ones_like(z), np.zeros_like(z), np.ones_like(z)
        mu = 4.0 * n * n
        for k in range(1, 40):
            term = term * (mu - (2 * k - 1) ** 2) / (k * 8 * z)
            sign = (1, 1, -1, -1)[k % 4]
            if k % 2:
                q = q + sign * term
            else:
                p = p + sign * term
            if np.max(np.abs(term)) < 1e-18:
                break
        # cos and sin of z - (n/2 + 1/4)*pi from those of z: the phase is never rounded.
        s, c = np.sin(z), np.cos(z)
        cosine, sine = (c + s, s - c) if n % 2 == 0 else (s - c, -(c + s))
        turn = 1.0 if n % 4 in (0, 1) else -1.0
        wave = p * cosine - q * sine if kind == "besselj" else p * sine + q * cosine
        wave = turn * wave / math.sqrt(math.pi) / np.sqrt(z)
        if kind == "besselj" and n % 2:
            wave = np.where(x < 0, -wave, wave)
        elif kind == "bessely":
            wave = np.where(x < 0, _NAN, wave)
        return np.where(far, np.where(np.isinf(size), np.where((x < 0) & (kind == "bessely"), _NAN, 0.0), wave), value)

    return oscillating if kind in ("besselj", "bessely") else ordinary


def scipy_kernel(name: str) -> Callable[..., Array]:
    """(value, x) -> array for a function that comes from SciPy; ``value`` is the row's integer parameter."""
    special = scipy()
    if name == "digamma":
        return lambda value, x: special.psi(x)  # type: ignore[no-any-return]
    if name == "erfinv":
        return lambda value, x: special.erfinv(x)  # type: ignore[no-any-return]
    if name == "polygamma":
        return polygamma
    if name == "erfinv_gauss":
        return lambda value, x: erfinv_gauss(x)
    return bessel(name)


SCIPY = frozenset(
    {"digamma", "polygamma", "erfinv", "erfinv_gauss", "besselj", "bessely", "besseli", "besselk"}
)
LIFTED: dict[str, Callable[..., float]] = {
    "erf": math.erf, "erfc": math.erfc, "gamma": gamma, "lgamma": lgamma, "fma": fma,
}  # fmt: skip
