"""sinc, the error function, the gamma family, Bessel functions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from gradcli.expr import ONE, ZERO, Expr, apply, const
from gradcli.functions.row import (
    HALF,
    PI,
    abs_,
    beside_integers,
    define,
    digamma,
    eq,
    exp,
    gt,
    lt,
    minimum,
    polynomial,
    rint,
    sin,
    sqrt,
    where,
)


# sinc and its derivatives: each is its own row's kernel, since any formula in sin and cos cancels near 0.
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
    "dsinc",
    "n-th derivative of sinc",
    lambda y, x, n: apply("dsinc", x, value=n + 1),
    parameter=True,
    internal=True,
    math="sinc",
)

# Error function, gamma family.


def _dgauss(x: Expr, n: int) -> Expr:
    if n == 0:
        return apply("gauss", x)
    # x*x is exact for the 25 leading bits of x; the rest enters to first order. Beyond 40 the result is 0.
    scale = const(2**20)
    size = minimum(abs_(x), const(40))
    lead = rint(size * scale) / scale
    rest = exp(-((size - lead) * (size + lead)))
    before, hermite = ONE, -2 * x
    for k in range(1, n):
        before, hermite = hermite, -2 * (x * hermite + k * before)
    # Half of the exponential at a time: the polynomial lifts what would underflow alone.
    half = exp(-(lead * lead / 2))
    return where(lt(abs_(x), const(40)), hermite * half * half * rest, ZERO * x)


def _hermite(x: Expr, n: int) -> Expr:
    """The polynomial before exp(-x**2) in its n-th derivative."""
    before, factors = [0], [1]
    for k in range(n):
        lifted = [0, *[-2 * c for c in factors]]
        for i, c in enumerate(before):
            lifted[i] -= 2 * k * c
        before, factors = factors, lifted
    return polynomial((factors[k], x**k) for k in range(n, -1, -1))


define(
    "dgauss", "n-th derivative of exp(-x**2)", lambda y, x, n: apply("dgauss", x, value=n + 1), parameter=True,
    expansion=_dgauss, internal=True,
    shrinks=True, readable=lambda x, n: _hermite(x, n) * exp(-(x**2)),
)  # fmt: skip


def gauss(x: Expr) -> Expr:
    return apply("dgauss", x, value=0)


def _gamma_poles(x: Expr) -> list[Expr]:
    return [where(lt(x, HALF), x - rint(x), ONE)]


define("erf", "Gauss error function", lambda y, x: 2 / sqrt(PI) * gauss(x), parity="odd", at={0: 0}, libm="erf")
define(
    "erfc", "1 - erf(x) without cancellation", lambda y, x: -2 / sqrt(PI) * gauss(x),
    at={0: 1}, nonnegative=True, shrinks=True, libm="erfc",
)  # fmt: skip
define(
    "erfinv", "inverse of erf", lambda y, x: sqrt(PI) / 2 * exp(y**2), domain="-1 <= x <= 1", synonyms="inverf",
    needs="scipy",
    parity="odd", at={0: 0}, edges=lambda x: [x - 1, x + 1], poles=lambda x: [x - 1, x + 1],
)  # fmt: skip
define(
    # Past its last finite value all is infinite, and the terms of the higher derivatives are so with both signs.
    "gamma",
    "gamma function",
    lambda y, x: apply("instead", gt(x, const(Fraction("171.6243769563027"))), y, y * digamma(x)),
    domain="x > 0; x < 0 off the integers",
    synonyms="tgamma",
    at={1: 1}, turns=True, edges=beside_integers, poles=_gamma_poles, libm="tgamma", math="Gamma",
)  # fmt: skip
define(
    "lgamma", "log |gamma(x)|", lambda y, x: digamma(x), synonyms="gammaln loggamma", notes="inf at 0, -1, -2 ...",
    at={1: 0}, turns=True, edges=beside_integers, poles=_gamma_poles, libm="lgamma",
)  # fmt: skip
define(
    "digamma", "slope of lgamma", lambda y, x: apply("polygamma", x, value=1), synonyms="psi",
    domain="x > 0; x < 0 off the integers", needs="scipy",
    turns=True, edges=beside_integers, poles=_gamma_poles, math="psi",
)  # fmt: skip
define(
    "polygamma", "n-th derivative of digamma", lambda y, x, n: apply("polygamma", x, value=n + 1),
    parameter=True, domain="x > 0; x < 0 off the integers", needs="scipy",
    turns=True, edges=beside_integers, poles=_gamma_poles, math="psi",
)  # fmt: skip


# Bessel functions of integer order (DLMF 10.6.1, 10.29.1).
def _order(kind: str, n: int, x: Expr) -> Expr:
    if n >= 0:
        return apply(kind, x, value=n)
    reflected = apply(kind, x, value=-n)
    return -reflected if kind in ("besselj", "bessely") and n % 2 else reflected


def _neighbours(kind: str, below: int, above: int) -> Callable[..., Expr]:
    def slope(y: Expr, x: Expr, n: int) -> Expr:
        low, high = _order(kind, n - 1, x), _order(kind, n + 1, x)
        if n == 0:
            return high if above > 0 else -high
        total = low + high if below == above else low - high
        return total / 2 if below > 0 else -total / 2

    return slope


def _zero(x: Expr) -> list[Expr]:
    return [x]


for _kind, _doc, _below, _above, _where, _ends in (
    ("besselj", "Bessel function J of order n", 1, -1, "all x", None),
    ("bessely", "Bessel function Y of order n", 1, -1, "x > 0", _zero),
    ("besseli", "modified Bessel function I of order n", 1, 1, "all x", None),
    ("besselk", "modified Bessel function K of order n", -1, -1, "x > 0", _zero),
):
    define(
        _kind, _doc, _neighbours(_kind, _below, _above), parameter=True, domain=_where, needs="scipy",
        turns=_kind in ("besselj", "bessely"), edges=_ends, poles=_ends,
    )  # fmt: skip
