"""sinc and sinhc, the error function, the gamma family."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import count

from gradcli.expr import ONE, ZERO, Expr, apply, const
from gradcli.functions.row import HALF, PI, abs_, define, eq, exp, gt, lt, minimum, polynomial, rint, sin, sqrt, where


# The derivatives of sinc are a family with a kernel: every formula in sin and cos cancels near 0.
def _sinc(x: Expr) -> Expr:
    whole = rint(x)
    part = x - whole
    odd = abs_(whole - 2 * rint(whole / 2))
    wave = sin(PI * part)
    return where(eq(x, ZERO), ONE, where(gt(odd, ZERO), -wave, wave) / PI / x)


define(
    "sinc", "sin(pi*x)/(pi*x), 1 at 0", lambda y, x: apply("dsinc", x, value=1), expansion=_sinc,
    parity="even", at={0: 1}, turns=True,
)  # fmt: skip
define(
    "dsinc", "n-th derivative of sinc", lambda y, x, n: apply("dsinc", x, value=n + 1), parameter=True,
    internal=True, math="sinc",
)  # fmt: skip


def _times_exp(value: Expr, a: Expr) -> Expr:
    """value*exp(a), in two halves where exp(a) alone would overflow."""
    fits = lt(a, const(700))
    growth = exp(where(fits, a, a / 2))
    return value * growth * where(fits, ONE, growth)


def _sinhc(x: Expr) -> Expr:
    a = minimum(abs_(x), const(1000))
    return where(eq(x, ZERO), ONE, where(lt(a, const(700)), apply("sinh", x) / x, _times_exp(HALF / a, a)))


def _dsinhc(x: Expr, n: int) -> Expr:
    """Near 0 the power series, whose terms all have one sign; beyond, x*S^(n) + n*S^(n-1) = sinh^(n)(x) upward in n.

    The recurrence runs on S*exp(-|x|). |x| counts as 1000 at most, where the result is infinite already.
    """
    a = minimum(abs_(x), const(1000))
    series = _horner(_sinhc_series(n), x * x)
    less = exp(-2 * a)
    value = (ONE - less) / (2 * a)
    for k in range(1, n + 1):
        value = ((ONE + less if k % 2 else ONE - less) / 2 - k * value) / a
    value = _times_exp(value, a)
    if n % 2:
        series, value = x * series, apply("copysign", value, x)
    return where(lt(abs_(x), const(n + 2)), series, value)


@lru_cache
def _sinhc_series(n: int) -> list[float]:
    """Factors of x**(2k + n%2) in the n-th derivative, as many as |x| < n + 2 needs."""
    return _enough((1 / (math.factorial(j) * (j + n + 1)) for j in count(n % 2, 2)), (n + 2) ** 2)


def _enough(factors: Iterator[float], size: float) -> list[float]:
    """Those of a series of one sign that count at ``size`` or nearer to 0."""
    chosen: list[float] = []
    total, power = 0.0, 1.0
    for factor in factors:
        if factor * power < 2**-60 * total:
            return chosen
        chosen.append(factor)
        total, power = total + factor * power, power * size
    return chosen


def _horner(factors: Iterable[float], x: Expr) -> Expr:
    first, *rest = reversed([*factors])
    value = const(first)
    for factor in rest:
        value = value * x + const(factor)
    return value


define(
    "sinhc", "sinh(x)/x, 1 at 0", lambda y, x: apply("dsinhc", x, value=1), expansion=_sinhc,
    parity="even", at={0: 1}, nonnegative=True,
)  # fmt: skip
define(
    "dsinhc", "n-th derivative of sinhc", lambda y, x, n: apply("dsinhc", x, value=n + 1), parameter=True,
    expansion=_dsinhc, internal=True, math="sinhc",
)  # fmt: skip

# Error function, gamma family.


def exact_square(x: Expr) -> tuple[Expr, Expr]:
    """x**2, for |x| > 40 that of 40, as a sum: the square of the 25 leading bits, which is exact, and a small rest."""
    scale = const(2**20)
    size = minimum(abs_(x), const(40))
    lead = rint(size * scale) / scale
    return lead * lead, (size - lead) * (size + lead)


def _dgauss(x: Expr, n: int) -> Expr:
    if n == 0:
        return apply("gauss", x)
    square, rest = exact_square(x)
    before, hermite = ONE, -2 * x
    for k in range(1, n):
        before, hermite = hermite, -2 * (x * hermite + k * before)
    # Multiply by the exponential in two halves: alone it underflows where the product with the polynomial does not.
    half = exp(-(square / 2))
    return where(lt(abs_(x), const(40)), hermite * half * half * exp(-rest), ZERO * x)


def _hermite(x: Expr, n: int) -> Expr:
    """The factor of exp(-x**2) in its n-th derivative."""
    before, factors = [0], [1]
    for k in range(n):
        lifted = [0, *[-2 * c for c in factors]]
        for i, c in enumerate(before):
            lifted[i] -= 2 * k * c
        before, factors = factors, lifted
    return polynomial((factors[k], x**k) for k in range(n, -1, -1))


define(
    "dgauss", "n-th derivative of exp(-x**2)", lambda y, x, n: apply("dgauss", x, value=n + 1), parameter=True,
    expansion=_dgauss, internal=True, shrinks=True, readable=lambda x, n: _hermite(x, n) * exp(-(x**2)),
)  # fmt: skip


def gauss(x: Expr) -> Expr:
    return apply("dgauss", x, value=0)


def _gamma_poles(x: Expr) -> list[Expr]:
    """0, -1, -2 ..."""
    return [where(lt(x, HALF), x - rint(x), ONE)]


define("erf", "Gauss error function", lambda y, x: 2 / sqrt(PI) * gauss(x), parity="odd", at={0: 0}, libm="erf")
define(
    "erfc", "1 - erf(x) without cancellation", lambda y, x: -2 / sqrt(PI) * gauss(x),
    at={0: 1}, nonnegative=True, shrinks=True, libm="erfc",
)  # fmt: skip


# exp(x**2)*erfc(x): its n-th derivative is (-2)**n*n!*exp(x**2) times the n-th repeated integral of erfc (DLMF 7.18.4),
# here (-1)**n/sqrt(pi) times a positive number, the scaled integral.
_MIDDLE = 2


def _scaled_integral(n: int, x: Expr) -> Expr:
    """For x >= 2, by the continued fraction of the ratios of neighbours (DLMF 7.18.13): all its terms are positive."""
    depth = 40 if n == 0 else 64 * (1 + n // 8)
    root = sqrt(x * x + 2 * depth)
    ratio = depth / (root + x) * (ONE - HALF / (root * root))
    value = ONE
    for k in range(depth - 1, 0, -1):
        ratio = const(Fraction(k, 2)) / (x + ratio)
        if k <= n:
            value = value * (2 * ratio)
    return value / (x + ratio)


@lru_cache
def _middle_integrals(most: int) -> list[Fraction]:
    """The scaled integrals 0 to ``most`` at _MIDDLE, to 200 bits."""
    one = 1 << 256
    ratio, ratios = 0, []
    for k in range(most + 600, 0, -1):
        ratio = (k * one * one // 2) // (_MIDDLE * one + ratio)
        ratios.append(Fraction(2 * ratio, one))
    values = [1 / (_MIDDLE + ratios[-1] / 2)]
    for k in range(most):
        values.append(Fraction(int(values[-1] * ratios[-1 - k] * one), one))
    return values


def _middle_series(n: int) -> list[float]:
    """Taylor coefficients of the n-th scaled integral in _MIDDLE - x, as many as x >= 0 needs."""
    integrals = _middle_integrals(n + 100)
    return _enough((float(v / math.factorial(k)) for k, v in enumerate(integrals[n:])), _MIDDLE)


def _erfcx(x: Expr) -> Expr:
    square, rest = exact_square(x)
    near = exp(square) * exp(rest) * apply("erfc", x)
    return where(lt(x, const(_MIDDLE)), near, _scaled_integral(0, x) / sqrt(PI))


def _derfcx(x: Expr, n: int) -> Expr:
    """The recurrence below 0, where its terms have one sign; above 0 it cancels, and the scaled integral is used."""
    series = _horner(_middle_series(n), const(_MIDDLE) - x)
    above = where(lt(x, const(_MIDDLE)), series, _scaled_integral(n, x)) / sqrt(PI)
    return where(lt(x, ZERO), _erfcx_recurrence(x, n), -above if n % 2 else above)


def _erfcx_recurrence(x: Expr, n: int) -> Expr:
    """From y' = 2*x*y - 2/sqrt(pi) and y^(k+1) = 2*x*y^(k) + 2*k*y^(k-1)."""
    before = apply("erfcx", x)
    value = 2 * x * before - 2 / sqrt(PI)
    for k in range(1, n):
        before, value = value, 2 * x * value + 2 * k * before
    return value


define(
    "erfcx", "exp(x**2)*erfc(x) without overflow or underflow", lambda y, x: apply("derfcx", x, value=1),
    expansion=_erfcx, at={0: 1}, nonnegative=True,
)  # fmt: skip
define(
    "derfcx", "n-th derivative of erfcx", lambda y, x, n: apply("derfcx", x, value=n + 1), parameter=True,
    expansion=_derfcx, internal=True, readable=_erfcx_recurrence, math="erfcx",
)  # fmt: skip
define(
    "erfinv", "inverse of erf", lambda y, x: sqrt(PI) / 2 * exp(y**2), domain="-1 <= x <= 1", synonyms="inverf",
    needs="scipy", parity="odd", at={0: 0}, poles=lambda x: [x - 1, x + 1],
)  # fmt: skip
define(
    # Beyond its last finite value the slope is y itself: terms of the higher derivatives are infinite with both signs.
    "gamma", "gamma function",
    lambda y, x: apply("instead", gt(x, const(Fraction("171.6243769563027"))), y, y * apply("digamma", x)),
    domain="x > 0; x < 0 off the integers", synonyms="tgamma",
    at={1: 1}, turns=True, poles=_gamma_poles, error=16, libm="tgamma", math="Gamma",
)  # fmt: skip
define(
    "lgamma", "log |gamma(x)|", lambda y, x: apply("digamma", x), synonyms="gammaln loggamma",
    notes="inf at 0, -1, -2 ...", at={1: 0}, turns=True, poles=_gamma_poles, error=16, libm="lgamma",
)  # fmt: skip
define(
    "digamma", "slope of lgamma", lambda y, x: apply("polygamma", x, value=1), synonyms="psi",
    domain="x > 0; x < 0 off the integers", needs="scipy",
    turns=True, poles=_gamma_poles, error=16, math="psi",
)  # fmt: skip
define(
    "polygamma", "n-th derivative of digamma", lambda y, x, n: apply("polygamma", x, value=n + 1),
    parameter=True, domain="x > 0; x < 0 off the integers", needs="scipy",
    turns=True, poles=_gamma_poles, error=16, math="psi",
)  # fmt: skip
