"""Functions of single numbers that the C library and NumPy lack or compute inaccurately, and the door to SciPy.

SciPy is imported only if an expression needs it.
Layer: must not know programs.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from gradcli.errors import optional

_INF = math.inf
_NAN = math.nan


def gamma(x: float) -> float:
    """Return gamma(x) as the C library does: an infinity with the sign of x at 0, nan at the other poles."""
    if x == 0:
        return math.copysign(_INF, x)
    if x == -_INF or (x < 0 and x == math.floor(x)):
        return _NAN
    try:
        return math.gamma(x)
    except OverflowError:
        return _INF if x > 0 or math.floor(x) % 2 == 0 else -_INF


_ZETA = (
    0.3224670334241132, 0.0673523010531981, 0.020580808427784546, 0.007385551028673986, 0.0028905103307415234,
    0.001192753911703261, 0.0005096695247430425, 0.00022315475845357939, 9.945751278180853e-05, 4.492623673813314e-05,
    2.050721277567069e-05, 9.439488275268397e-06, 4.374866789907488e-06, 2.039215753801366e-06, 9.55141213040742e-07,
    4.492469198764566e-07, 2.1207184805554665e-07, 1.0043224823968099e-07, 4.7698101693639804e-08,
    2.2711094608943164e-08, 1.0838659214896955e-08, 5.183475041970047e-09, 2.4836745438024785e-09,
    1.1921401405860912e-09, 5.731367241678862e-10, 2.7595228851242334e-10, 1.330476437424449e-10, 6.4229645638381e-11,
    3.1044247747322276e-11, 1.5021384080754142e-11,
)  # fmt: skip
"""(zeta(k) - 1)/k for k = 2, 3, ..., the coefficients of DLMF 5.7.3."""


def _lgamma2p(z: float) -> float:
    """Return log(gamma(2 + z)) for |z| <= 1/2, accurate near its zero at z = 0 too (DLMF 5.7.3)."""
    total = 0.0
    for c in reversed(_ZETA):
        total = c - total * z
    return z * (0.42278433509846713 + z * total)


def lgamma(x: float) -> float:
    """Return log(|gamma(x)|), inf at the poles."""
    if math.isinf(x) or (x <= 0 and x == math.floor(x)):
        return _INF
    if 2.5 <= x < 6:
        steps_down = math.floor(x - 1.5)
        return _lgamma2p(x - steps_down - 2) + math.log(math.prod([x - k for k in range(1, steps_down + 1)]))
    if -20 < x < 2.5:
        # Shift x into [3/2, 5/2), around the zero at 2. For 0.5 < x < 1.5 the shift by 1 is exact, and log1p(x - 1)
        # keeps the accuracy near the zero at 1.
        steps = math.ceil(1.5 - x)
        shift = math.prod([x + k for k in range(steps)])
        near = _lgamma2p(x + (steps - 2))
        return near - (math.log1p(x - 1) if steps == 1 and x > 0.5 else math.log(abs(shift)))
    try:
        return math.lgamma(x)
    except OverflowError:
        return _INF


def fma(x: float, y: float, z: float) -> float:
    """Return x*y + z with one rounding (fused multiply-add)."""
    if sys.version_info >= (3, 13):
        try:
            return math.fma(x, y, z)
        except (OverflowError, ValueError):
            pass
    rounded = x * y + z
    if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(z)) or x == 0 or y == 0:
        return rounded
    from fractions import Fraction

    exact = Fraction(x) * Fraction(y) + Fraction(z)
    if not exact:
        return rounded
    try:
        return float(exact)
    except OverflowError:
        return _INF if exact > 0 else -_INF


def sinpi(x: float) -> tuple[float, float]:
    """Return sin(pi*x) and cos(pi*x), with exact argument reduction."""
    whole = round(x)
    fraction = x - whole
    sign = -1.0 if whole % 2 else 1.0
    return sign * math.sin(math.pi * fraction), sign * math.cos(math.pi * fraction)


def dsinc(n: int, x: float) -> float:
    """Return the n-th derivative of sinc(x) = sin(pi*x)/(pi*x).

    S(t) = sin(t)/t satisfies the recurrence t*S^(n) + n*S^(n-1) = sin^(n)(t). Forward recurrence in n is unstable for
    n > t, backward recurrence for n < t. Forward recurrence is used for large t, and backward recurrence for small t,
    from an order so high that its starting value has no effect (Miller's algorithm, DLMF 3.6(iii)).
    """
    if x != x:
        return x
    if math.isinf(x):
        return 0.0
    t = math.pi * x
    size = abs(t)
    s, c = sinpi(x)
    derivatives = (s, c, -s, -c)
    if math.isinf(size):
        return derivatives[n % 4] * math.pi ** (n - 1) / x
    if size < n + 2:
        value = 0.0
        for k in range(n + 40 + int(3 * size), n, -1):
            value = (derivatives[k % 4] - t * value) / k
    else:
        value = s / t
        for k in range(1, n + 1):
            value = (derivatives[k % 4] - k * value) / t
    try:
        return value * math.pi**n
    except OverflowError:
        return math.copysign(_INF, value) if value else 0.0


def scipy(name: str = "this function") -> Any:
    """Return the module scipy.special. Raise GradError, which says that ``name`` needs it, if it is not installed."""
    return optional("scipy.special", "special", f"{name} needs SciPy, which is not installed")


SCIPY = frozenset({
    "digamma", "polygamma", "polygamma_gap", "erfinv", "erfinv_gauss", "besselj", "bessely", "besseli", "besselk",
    "jv", "yv", "iv", "kv", "airyai", "airyaiprime", "airybi", "airybiprime", "beta", "betaln", "betainc", "betapdf",
    "gammainc", "gammaincc", "gammapdf", "lambertw", "lambertw_low", "lambertw_above",
})  # fmt: skip
"""Functions computed by `scipy_kernels`."""
LIFTED: dict[str, Callable[..., float]] = {
    "erf": math.erf, "erfc": math.erfc, "gamma": gamma, "lgamma": lgamma, "fma": fma,
}  # fmt: skip
"""Kernels on single numbers, for every engine; the array engines apply them number by number."""
FAMILIES: dict[str, Callable[[int, float], float]] = {"dsinc": dsinc}
"""Kernels of rows with an integer parameter, which comes first."""
