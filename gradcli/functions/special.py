"""sinc, sinhc and exprel, the error function and the normal distribution, the gamma and the beta family."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import count

from gradcli.expr import ONE, ZERO, Expr, apply, const
from gradcli.functions.row import (
    HALF,
    PI,
    abs_,
    define,
    eq,
    exp,
    gt,
    log,
    log1p,
    lt,
    minimum,
    polynomial,
    rint,
    sin,
    sqrt,
    where,
)

STEEP = 8192
"""The ulp of functions whose exponent is of any size: each unit of it costs an ulp."""


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
    parity="even", at={0: 1}, nonnegative=True, nonzero=True,
)  # fmt: skip
define(
    "dsinhc", "n-th derivative of sinhc", lambda y, x, n: apply("dsinhc", x, value=n + 1), parameter=True,
    expansion=_dsinhc, internal=True, math="sinhc",
)  # fmt: skip


# exprel: its n-th derivative is the integral of t**n*exp(x*t) for t from 0 to 1, positive everywhere.
def _exprel(x: Expr) -> Expr:
    a = minimum(x, const(1000))
    far = where(lt(a, const(700)), apply("expm1", x) / x, _times_exp(ONE / a, a))
    return where(eq(x, ZERO), ONE, far)


def _dexprel(x: Expr, n: int) -> Expr:
    """Near 0 one power series on each side, whose terms have one sign; beyond, x*E^(n) + n*E^(n-1) = exp(x), upward.

    For x > 0 the recurrence runs on E*exp(-x), for x < 0 on E.
    """
    a, size = minimum(x, const(1000)), abs_(x)
    near = _horner(_exprel_series(n, 1), a)
    less = exp(-size)
    near_below = less * _horner(_exprel_series(n, -1), size)
    value, below = (ONE - less) / a, -apply("expm1", -size) / size
    for k in range(1, n + 1):
        value, below = (ONE - k * value) / a, (k * below - less) / size
    far = where(lt(x, ZERO), below, _times_exp(value, a))
    return where(lt(size, const(n + 2)), where(lt(x, ZERO), near_below, near), far)


@lru_cache
def _exprel_series(n: int, sign: int) -> list[float]:
    """Factors of |x|**k in the n-th derivative, times exp(|x|) for x < 0, as many as |x| < n + 2 needs."""
    if sign > 0:
        return _enough((1 / (math.factorial(k) * (n + k + 1)) for k in count()), n + 2)
    return _enough((math.factorial(n) / math.factorial(n + k + 1) for k in count()), n + 2)


define(
    "exprel", "(exp(x) - 1)/x, 1 at 0", lambda y, x: apply("dexprel", x, value=1), expansion=_exprel,
    at={0: 1}, nonnegative=True, nonzero=True,
)  # fmt: skip
define(
    "dexprel", "n-th derivative of exprel", lambda y, x, n: apply("dexprel", x, value=n + 1), parameter=True,
    expansion=_dexprel, internal=True, nonnegative=True, nonzero=True, math="exprel",
)  # fmt: skip

# Error function, gamma family.


def exact_square(x: Expr) -> tuple[Expr, Expr]:
    """x**2, for |x| > 40 that of 40, as a sum: the square of the 25 leading bits, which is exact, and a small rest."""
    scale = const(2**20)
    size = minimum(abs_(x), const(40))
    lead = rint(size * scale) / scale
    return lead * lead, (size - lead) * (size + lead)


def _vanished(x: Expr) -> Expr:
    """0 where |x| is large, infinite too, and nan for nan."""
    return ZERO * minimum(abs_(x), const(40))


def _dgauss(x: Expr, n: int) -> Expr:
    if n == 0:
        return apply("gauss", x)
    square, rest = exact_square(x)
    return _hermite_times_exp(x, n, square / 2, rest, 2)


def _hermite_times_exp(x: Expr, n: int, half: Expr, rest: Expr, rate: int) -> Expr:
    """The n-th derivative of exp(-rate*x**2/2), the exponent given as the sum 2*half + rest."""
    before, hermite = ONE, -rate * x
    for k in range(1, n):
        before, hermite = hermite, -rate * (x * hermite + k * before)
    # Multiply by the exponential in two halves: alone it underflows where the product with the polynomial does not.
    growth = exp(-half)
    return where(lt(abs_(x), const(40)), hermite * growth * growth * exp(-rest), _vanished(x))


def _hermite(x: Expr, n: int, rate: int = 2) -> Expr:
    """The factor of exp(-rate*x**2/2) in its n-th derivative."""
    before, factors = [0], [1]
    for k in range(n):
        lifted = [0, *[-rate * c for c in factors]]
        for i, c in enumerate(before):
            lifted[i] -= rate * k * c
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


# The normal distribution.


def _root_of_tau() -> Expr:
    return sqrt(2 * PI)


def _normpdf(x: Expr) -> Expr:
    square, rest = exact_square(x)
    return where(lt(abs_(x), const(40)), exp(-(square / 2)) * exp(-(rest / 2)) / _root_of_tau(), _vanished(x))


def _dnormpdf(x: Expr, n: int) -> Expr:
    square, rest = exact_square(x)
    return _hermite_times_exp(x, n, square / 4, rest / 2, 1) / _root_of_tau()


def _normcdf(x: Expr) -> Expr:
    # Below -1, erfc(-x/sqrt(2)) would amplify the rounding of its argument; erfcx does not.
    root = const(math.sqrt(0.5))
    square, rest = exact_square(x)
    tail = HALF * apply("erfcx", minimum(-x, const(40)) * root) * exp(-(square / 2)) * exp(-(rest / 2))
    return where(lt(x, -ONE), where(gt(x, const(-40)), tail, ZERO), HALF * apply("erfc", -x * root))


define(
    "normcdf", "standard normal distribution, erfc(-x/sqrt(2))/2", lambda y, x: apply("normpdf", x),
    expansion=_normcdf, error=8, nonnegative=True, nonzero=True, shrinks=True, at={0: Fraction(1, 2)}, math="Phi",
)  # fmt: skip
define(
    "normpdf", "standard normal density, exp(-x**2/2)/sqrt(2*pi)", lambda y, x: apply("dnormpdf", x, value=1),
    expansion=_normpdf, error=8, parity="even", nonnegative=True, nonzero=True, shrinks=True, math="phi",
)  # fmt: skip
define(
    "dnormpdf", "n-th derivative of normpdf", lambda y, x, n: apply("dnormpdf", x, value=n + 1), parameter=True,
    expansion=_dnormpdf, internal=True, shrinks=True, math="phi",
    readable=lambda x, n: _hermite(x, n, 1) * apply("normpdf", x),
)  # fmt: skip
define("erf", "Gauss error function", lambda y, x: 2 / sqrt(PI) * gauss(x), parity="odd", at={0: 0}, libm="erf")
define(
    "erfc", "1 - erf(x) without cancellation", lambda y, x: -2 / sqrt(PI) * gauss(x),
    at={0: 1}, nonnegative=True, nonzero=True, shrinks=True, libm="erfc",
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
    expansion=_erfcx, at={0: 1}, nonnegative=True, nonzero=True,
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
    at={1: 1}, turns=True, nonzero=True, poles=_gamma_poles, error=16, libm="tgamma", math="Gamma",
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


def _factorial(x: Expr) -> Expr:
    # Above 1 x + 1 may be rounded, and gamma is steep.
    return where(gt(x, ONE), x * apply("gamma", x), apply("gamma", x + 1))


define(
    "factorial", "gamma(x + 1)",
    lambda y, x: apply("instead", gt(x, const(Fraction("170.6243769563027"))), y, y * apply("digamma", x + 1)),
    domain="x > -1; x < -1 off the integers", expansion=_factorial,
    at={0: 1, 1: 1, 2: 2}, turns=True, poles=lambda x: _gamma_poles(x + 1), error=16,
)  # fmt: skip


# Beta function: digamma(x) - digamma(x + y) cancels, and is a row of its own. Positive for x, y > 0.
def _gap(x: Expr, y: Expr, n: int = 0) -> Expr:
    return apply("polygamma_gap", x, y, value=n)


define(
    "polygamma_gap", "polygamma(n, x + y) - polygamma(n, x)",
    lambda d, x, y, n: _gap(x, y, n + 1), lambda d, x, y, n: apply("polygamma", x + y, value=n + 1), parameter=True,
    internal=True, needs="scipy", error=16, domain="x, y > 0",
    singular=lambda x, y: [*_gamma_poles(x), *_gamma_poles(x + y)],
    readable=lambda x, y, n: _psi(x + y, n) - _psi(x, n),
)  # fmt: skip


def _psi(x: Expr, n: int) -> Expr:
    return apply("polygamma", x, value=n) if n else apply("digamma", x)


define(
    "beta", "beta function, gamma(x)*gamma(y)/gamma(x + y)",
    lambda b, x, y: -b * _gap(x, y), lambda b, x, y: -b * _gap(y, x), needs="scipy", error=32, commutes=True,
    domain="x, y > 0; below 0 off the integers, with fewer digits", turns=True, shrinks=True,
    poles=lambda x, y: [*_gamma_poles(x), *_gamma_poles(y)], math="B",
)  # fmt: skip
define(
    "betaln", "log |beta(x, y)|", lambda b, x, y: -_gap(x, y), lambda b, x, y: -_gap(y, x), needs="scipy", error=64,
    commutes=True, domain="x, y > 0; below 0 off the integers, with fewer digits", turns=True, synonyms="lbeta",
    poles=lambda x, y: [*_gamma_poles(x), *_gamma_poles(y)],
    singular=lambda x, y: [*_gamma_poles(x), *_gamma_poles(y), *_gamma_poles(x + y)],
)  # fmt: skip
define(
    "betainc", "regularized incomplete beta function I_x(a, b)", None, None,
    lambda y, a, b, x: apply("betapdf", a, b, x, value=0), unknown=("a", "b"), arguments="a b x", needs="scipy",
    error=STEEP, domain="a, b > 0, 0 <= x <= 1", nonnegative=True, shrinks=True, edges=lambda a, b, x: [x, x - 1, a, b],
)  # fmt: skip


def _in_shape(y: Expr, log: Expr, distance: Expr, n: int) -> Expr:
    """The slope of the n-th derivative of a density in a parameter that its logarithm has as a factor of ``log``.

    The derivatives of ``log`` are those of log(distance).
    """
    total = y * log
    for k in range(1, n + 1):
        lower = apply(y.op, *y.args, value=n - k)
        step = const((-1) ** (k - 1) * math.comb(n, k) * math.factorial(k - 1)) / distance**k
        total = total + step * lower
    return total


def betapdf(a: Expr, b: Expr, x: Expr, n: int) -> Expr:
    if n == 0:
        return x ** (a - 1) * (1 - x) ** (b - 1) / apply("beta", a, b)
    k = n - 1
    first = (a - (1 + k) - (a + b - (2 + 2 * k)) * x) * betapdf(a, b, x, k)
    return (first - k * (a + b - (1 + k)) * betapdf(a, b, x, k - 1) if k else first) / (x * (1 - x))


def gammapdf(a: Expr, x: Expr, n: int) -> Expr:
    if n == 0:
        return x ** (a - 1) * exp(-x) / apply("gamma", a)
    k = n - 1
    first = (a - (1 + k) - x) * gammapdf(a, x, k)
    return (first - k * gammapdf(a, x, k - 1) if k else first) / x


define(
    "betapdf", "n-th derivative of x**(a - 1)*(1 - x)**(b - 1)/beta(a, b), the slope of betainc in x",
    lambda y, a, b, x, n: _in_shape(y, log(x) + _gap(a, b), x, n),
    lambda y, a, b, x, n: _in_shape(y, log1p(-x) + _gap(b, a), x - 1, n),
    lambda y, a, b, x, n: apply("betapdf", a, b, x, value=n + 1),
    arguments="a b x", parameter=True, needs="scipy", error=STEEP, internal=True, domain="a, b > 0, 0 <= x <= 1",
    readable=betapdf, singular=lambda a, b, x: [x, x - 1, *_gamma_poles(a), *_gamma_poles(b)],
)  # fmt: skip
for _name, _doc, _math in (
    ("gammainc", "regularized lower incomplete gamma function P(a, x)", "P"),
    ("gammaincc", "regularized upper incomplete gamma function Q(a, x)", "Q"),
):
    define(
        _name, _doc, None,
        lambda y, a, x: (ONE if y.op == "gammainc" else -ONE) * apply("gammapdf", a, x, value=0),
        unknown=("a",), arguments="a x", needs="scipy", error=STEEP, domain="a > 0, x >= 0", nonnegative=True,
        shrinks=True, edges=lambda a, x: [x, a], math=_math,
    )  # fmt: skip
define(
    "gammapdf", "n-th derivative of x**(a - 1)*exp(-x)/gamma(a), the slope of gammainc in x",
    lambda y, a, x, n: _in_shape(y, log(x) - apply("digamma", a), x, n),
    lambda y, a, x, n: apply("gammapdf", a, x, value=n + 1),
    arguments="a x", parameter=True, needs="scipy", error=STEEP, internal=True, domain="a > 0, x >= 0",
    readable=gammapdf, singular=lambda a, x: [x, *_gamma_poles(a)],
)  # fmt: skip
