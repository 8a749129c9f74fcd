"""Kernels that neither the C library nor NumPy has, on single numbers and on arrays.

SciPy's are imported only when an expression needs them. Must not know programs.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gradcli.errors import GradError, missing

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


_ZETA = (
    0.3224670334241132,
    0.0673523010531981,
    0.020580808427784546,
    0.007385551028673986,
    0.0028905103307415234,
    0.001192753911703261,
    0.0005096695247430425,
    0.00022315475845357939,
    9.945751278180853e-05,
    4.492623673813314e-05,
    2.050721277567069e-05,
    9.439488275268397e-06,
    4.374866789907488e-06,
    2.039215753801366e-06,
    9.55141213040742e-07,
    4.492469198764566e-07,
    2.1207184805554665e-07,
    1.0043224823968099e-07,
    4.7698101693639804e-08,
    2.2711094608943164e-08,
    1.0838659214896955e-08,
    5.183475041970047e-09,
    2.4836745438024785e-09,
    1.1921401405860912e-09,
    5.731367241678862e-10,
    2.7595228851242334e-10,
    1.330476437424449e-10,
    6.4229645638381e-11,
    3.1044247747322276e-11,
    1.5021384080754142e-11,
)
"""(zeta(k) - 1)/k for k = 2, 3, ..."""


def _lgamma2p(z: float) -> float:
    """log gamma(2 + z) for |z| <= 1/2, to the last digit also at its zero (DLMF 5.7.3)."""
    total = 0.0
    for c in reversed(_ZETA):
        total = c - total * z
    return z * (0.42278433509846713 + z * total)


def lgamma(x: float) -> float:
    """log |gamma(x)|, inf at the poles."""
    if math.isinf(x) or (x <= 0 and x == math.floor(x)):
        return _INF
    if 2.5 <= x < 6:
        down = math.floor(x - 1.5)
        return _lgamma2p(x - down - 2) + math.log(math.prod([x - k for k in range(1, down + 1)]))
    if -20 < x < 2.5:
        # Into [3/2, 5/2), where the zero at 2 is; one exact step takes its distance from there.
        steps = math.ceil(1.5 - x)
        shift = math.prod([x + k for k in range(steps)])
        near = _lgamma2p(x + (steps - 2))
        return near - (math.log1p(x - 1) if steps == 1 and x > 0.5 else math.log(abs(shift)))
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
    if math.isinf(size):
        return waves[n % 4] * math.pi ** (n - 1) / x
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


def scipy(name: str = "this function") -> Any:
    """The scipy.special module, or a clear refusal that says what needs it."""
    try:
        import scipy.special
    except ImportError as error:
        if not missing(error, "scipy"):
            raise
        raise GradError(f"{name} needs SciPy, which is not installed", hint="pip install 'gradcli[special]'") from None
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


_STEEP = 40
"""Orders of polygamma above which the nearest poles are all there is for x < 0, and n! leaves the doubles."""


def _scaled(n: int, z: Array, factor: Array) -> Array:
    """n!/z**(n + 1) * factor for z > 0, infinite or 0 only where that is: powers of two are kept apart."""
    import numpy as np

    top = math.factorial(n)
    m, e = np.frexp(z)
    low = m < math.sqrt(0.5)
    m, e = np.where(low, 2 * m, m), e - low
    lead = top / (1 << top.bit_length()) * factor / m ** (n + 1)
    return np.asarray(np.ldexp(lead, top.bit_length() - e * (n + 1)))


def _polygamma_far(n: int, z: Array) -> Array:
    """The expansion for large z (DLMF 5.15.8), n > 0, without its sign."""
    import numpy as np

    bernoulli = scipy().bernoulli(18)
    total, term = 1 + n / (2 * z), np.ones_like(z)
    for k in range(2, 19, 2):
        term = term * ((n + k - 2) * (n + k - 1) / ((k - 1) * k)) / z / z
        total = total + bernoulli[k] * term
    return _scaled(n - 1, z, total)


def _steep_polygamma(n: int, x: Array) -> Array:
    """polygamma for n > _STEEP: n! times a sum of 1/(x + k)**(n + 1), in which few terms count (DLMF 5.15.1)."""
    import numpy as np

    s = n + 1
    sign = (-1.0) ** s
    z = np.where(x > 0, x, 1 - x)
    far = z > 2 * s + 20
    near, total = np.where(far, 1.0, z), np.ones_like(z)
    for k in range(1, math.ceil((2 * s + 20) * (2 ** (56 / s) - 1))):
        total = total + np.exp(-s * np.log1p(k / near))
    above = np.where(far, _polygamma_far(n, np.where(far, z, 1e3 * s)), _scaled(n, near, total))
    # Below 0 the nearest pole on each side is all there is, unless they cancel: then it is what lies beyond.
    part = x - np.rint(x)
    r = np.where(part == 0, 0.5, np.abs(part))
    ratio = s * np.log1p((2 * r - 1) / (1 - r))
    below = _scaled(n, r, 1 + np.exp(ratio) if s % 2 == 0 else -np.expm1(ratio))
    below = np.where((r == 0.5) & (s % 2 == 1), above, np.where(part < 0, sign, 1.0) * below)
    return np.asarray(sign * np.where(x > 0, above, below))


def polygamma(n: int, x: Array) -> Array:
    """n-th derivative of digamma at an array.

    Negative arguments by reflection (DLMF 5.15.6), with pi*x reduced exactly; near 0 by the recurrence (5.15.5),
    where a power of the cotangent would overflow. SciPy's own functions are used for positive arguments alone.
    """
    import numpy as np

    special = scipy()
    x = np.asarray(x, dtype=np.float64)
    if n > _STEEP:
        with np.errstate(all="ignore"):
            value = _steep_polygamma(n, x)
            # At a pole of odd order both sides agree on the infinity; of even order there is none to give.
            pole = x - np.rint(x) == 0
        return np.where((x <= 0) & pole, _NAN if n % 2 == 0 else _INF, value)
    sign = (-1.0) ** (n + 1)
    scale = special.gamma(n + 1.0)

    def positive(z: Array) -> Array:
        if n == 0:
            return np.asarray(special.psi(z))
        # Where the zeta function underflows, or is its leading term alone.
        far = z > min(1e17, 10 ** (290 / n))
        return np.asarray(sign * np.where(far, _polygamma_far(n, z), scale * special.zeta(n + 1.0, z)))

    near = np.abs(x) < 0.125
    with np.errstate(all="ignore"):
        part = x - np.rint(x)
        mirrored = positive(np.where(near, 1 + x, np.where(x < 0, 1 - x, np.where(x == 0, 1.0, x))))
        cot = 1 / np.tan(np.pi * np.where((part == 0) | near, 0.25, part))
        cot = np.where(np.abs(part) == 0.5, 0.0, cot)
        turn = np.zeros_like(x)
        for a in reversed(_cotangent(n)):
            turn = turn * cot + a
        recurred = mirrored + sign * scale / x ** (n + 1)
        reflected = -sign * mirrored - np.pi ** (n + 1) * turn
    value = np.where(near, recurred, np.where(x < 0, reflected, mirrored))
    # At a pole of odd order both sides agree on the infinity; of even order there is none to give but digamma's at 0.
    pole = np.where(x == 0, -_INF if n == 0 else _NAN, _NAN) if n % 2 == 0 else _INF
    return np.where((x <= 0) & (part == 0), pole, value)


def erfinv_gauss(x: Array) -> Array:
    """exp(erfinv(x)**2) to full accuracy, though erfinv(x) itself is rounded.

    Where y is rounded, exp(y*y) is off by 2*y*y ulp. One Newton residual gives what y lacks: with r = erf(y) - x the
    true inverse is y - r*exp(y*y)*sqrt(pi)/2, and the correction enters to second order.
    """
    import numpy as np

    special = scipy()
    x = np.asarray(x, dtype=np.float64)
    size = np.abs(x)
    y = special.erfinv(size)
    # The C library's erfc: its relative error enters the result undiminished.
    erfc = np.frompyfunc(math.erfc, 1, 1)
    with np.errstate(all="ignore"):
        lead = np.rint(y * 2.0**20) / 2.0**20
        growth = np.exp(lead * lead) * np.exp((y - lead) * (y + lead))
        residual = np.where(size > 0.5, (1 - size) - np.asarray(erfc(y), dtype=np.float64), special.erf(y) - size)
        step = -residual * growth * (math.sqrt(math.pi) / 2)
        fixed = growth * (1 + 2 * y * step + (1 + 2 * y * y) * step * step)
    return np.where(size == 1, _INF, fixed)


_SERIES = 2.0
_HANKEL = 25.0


def _series(n: int, x: Array, sign: int) -> Array:
    """J (sign -1) or I (sign 1) for |x| <= 2 (DLMF 10.2.2, 10.25.2)."""
    import numpy as np

    half = x / 2
    square = sign * half * half
    term = np.ones_like(x)
    total = np.zeros_like(x)
    for k in range(1, 22):
        total = total + term
        term = term * square / (k * (n + k))
    with np.errstate(all="ignore"):
        return np.asarray(total * (np.power(half, n) / float(math.factorial(n)) if n <= 170 else 0.0 * x))


def _hankel(kind: str, n: int, z: Array) -> Array:
    """J or Y for z > 25 and z > n*n (DLMF 10.17.3)."""
    import numpy as np

    p, q, term = np.ones_like(z), np.zeros_like(z), np.ones_like(z)
    for k in range(1, 40):
        term = term * ((4.0 * n * n - (2 * k - 1) ** 2) / (8 * k)) / z
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
    return np.asarray(turn * wave / math.sqrt(math.pi) / np.sqrt(z))


def bessel(kind: str) -> Callable[[int, Array], Array]:
    """J, Y, I or K of integer order n >= 0; SciPy's in the middle range alone."""
    import numpy as np

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
        return np.where(x == _INF, 0.0, value)

    def i(n: int, x: Array) -> Array:
        z = np.abs(x)
        half = np.exp(np.minimum(z, 1e4) / 2)
        large = special.ive(n, np.minimum(z, 1e4)) * half * half
        value = np.where(
            z <= _SERIES, _series(n, np.minimum(z, _SERIES), 1), np.where(z > 700, large, special.iv(n, z))
        )
        value = np.where(z > 1e4, _INF, np.where(np.isnan(x), x, value))
        return np.where(x < 0, -value, value) if n % 2 else np.asarray(value)

    def k(n: int, x: Array) -> Array:
        half = np.exp(-x / 2)
        value = special.kve(n, x) * half * half
        # The leading term is all there is, to the last digit, long before its power overflows.
        tiny = (x > 0) & (x < 1e-20)
        lead = math.log(2) - np.euler_gamma - np.log(x) if n == 0 else gamma(n) / 2 * np.power(2 / x, n)
        return np.where(tiny, lead, np.where(x > 1e4, 0.0, value))

    chosen = {"besselj": j, "bessely": y, "besseli": i, "besselk": k}[kind]

    def run(n: int, x: Array) -> Array:
        with np.errstate(all="ignore"):
            return chosen(n, np.asarray(x, dtype=np.float64))

    return run


def scipy_kernel(name: str) -> Callable[..., Array]:
    """(value, x) -> array for a function that comes from SciPy; ``value`` is the row's integer parameter."""
    special = scipy(name)
    if name == "digamma":
        return lambda value, x: polygamma(0, x)
    if name == "erfinv":
        return lambda value, x: special.erfinv(x)
    if name == "polygamma":
        return polygamma
    if name == "erfinv_gauss":
        return lambda value, x: erfinv_gauss(x)
    return bessel(name)


SCIPY = frozenset({"digamma", "polygamma", "erfinv", "erfinv_gauss", "besselj", "bessely", "besseli", "besselk"})
LIFTED: dict[str, Callable[..., float]] = {
    "erf": math.erf, "erfc": math.erfc, "gamma": gamma, "lgamma": lgamma, "fma": fma,
}  # fmt: skip
"""Kernels on single numbers that every engine uses, the array engines number by number."""
FAMILIES: dict[str, Callable[[int, float], float]] = {"dsinc": dsinc}
"""The same for rows with an integer parameter, which comes first."""
