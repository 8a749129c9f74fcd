"""Roots, exponentials, logarithms, trigonometric and hyperbolic functions, and the internal rows of their slopes."""

from __future__ import annotations

import math
from fractions import Fraction

from gradcli.expr import ONE, ZERO, Expr, apply, const
from gradcli.functions.row import (
    HALF,
    abs_,
    and_,
    atan2,
    copysign,
    cos,
    define,
    defined,
    eq,
    exp,
    ge,
    gt,
    log,
    log1p,
    lt,
    maximum,
    named,
    polynomial,
    sin,
    sqrt,
    where,
)

(tan, csc, cot, acos, asin, sinh, cosh, tanh, sech, csch, coth) = map(
    named, ["tan", "csc", "cot", "acos", "asin", "sinh", "cosh", "tanh", "sech", "csch", "coth"]
)
(asinh, acosh, atanh, sigmoid, hypot, direction, softmax, xdivy, expm1) = map(
    named, ["asinh", "acosh", "atanh", "sigmoid", "hypot", "direction", "softmax", "xdivy", "expm1"]
)
QUARTER = const(Fraction(1, 4))


def origin(x: Expr, y: Expr) -> list[Expr]:
    """0 at the point (0, 0) alone."""
    return [maximum(abs_(x), abs_(y))]


# Roots, exponentials, logarithms.


def _halves(x: Expr) -> tuple[Expr, Expr]:
    """x as a sum of two numbers of 26 bits, whose products are exact (Veltkamp)."""
    wide = x * const(2**27 + 1)
    lead = wide - (wide - x)
    return lead, x - lead


def _cbrt(x: Expr) -> Expr:
    # The C library's cbrt is up to 3.7 ulp off; one Newton step on the exact residual y**3 - x leaves 0.5 ulp.
    size = abs_(x)
    up, down = lt(size, const(Fraction(1, 2**600))), gt(size, const(Fraction(2) ** 600))
    x1 = x * where(up, const(Fraction(2) ** 450), where(down, const(Fraction(1, 2**450)), ONE))
    y = apply("cbrt_near", x1)
    a, b = _halves(y)
    square = y * y
    low = ((a * a - square) + 2 * (a * b)) + b * b
    c, d = _halves(square)
    cube = square * y
    lost = ((c * a - cube) + (c * b + d * a)) + d * b
    better = y - ((cube - x1) + (lost + low * y)) / (3 * square)
    back = where(up, const(Fraction(1, 2**150)), where(down, const(Fraction(2) ** 150), ONE))
    return where(and_(lt(ZERO, size), lt(size, const(float("inf")))), better * back, y)


def _cbrt_factor(n: int) -> Expr:
    return const(math.prod(Fraction(1, 3) - k for k in range(n)))


def _dcbrt(x: Expr, n: int) -> Expr:
    # One division after the other: y**(1 - 3*n) may overflow where its product with the factor does not.
    value = _cbrt_factor(n) * apply("cbrt", x) ** -2
    for _ in range(n - 1):
        value = value / x
    return value


define(
    "sqrt", "square root", lambda y, x: HALF / y, domain="x >= 0", notes="slope inf at 0",
    nonnegative=True, at={0: 0, 1: 1}, edges=lambda x: [x], numpy="sqrt", libm="sqrt",
)  # fmt: skip
define(
    "cbrt", "cube root, also of negative numbers", lambda y, x: apply("dcbrt", x, value=1), synonyms="cuberoot",
    expansion=_cbrt, notes="slope inf at 0", parity="odd", at={0: 0, 1: 1}, edges=lambda x: [x], numpy="cbrt",
)  # fmt: skip
define(
    "dcbrt", "n-th derivative of cbrt", lambda y, x, n: apply("dcbrt", x, value=n + 1), expansion=_dcbrt,
    parameter=True, internal=True, readable=lambda x, n: _cbrt_factor(n) * apply("cbrt", x) ** (1 - 3 * n),
)  # fmt: skip
define(
    "exp", "exponential", lambda y, x: y,
    nonnegative=True, nonzero=True, shrinks=True, at={0: 1}, numpy="exp", libm="exp",
)  # fmt: skip
define(
    "exp2", "power of two", lambda y, x: log(const(2)) * y,
    nonnegative=True, nonzero=True, shrinks=True, at={0: 1}, numpy="exp2", libm="exp2",
)  # fmt: skip
define("expm1", "exp(x) - 1 without cancellation", lambda y, x: exp(x), at={0: 0}, numpy="expm1", libm="expm1")
define(
    "log", "natural logarithm", lambda y, x: defined(y, 1 / x, x), domain="x > 0", synonyms="ln",
    notes="log(0) = -inf, slope inf at 0; nan below",
    at={1: 0}, poles=lambda x: [x], numpy="log", libm="log", math="ln",
)  # fmt: skip
define(
    "log2", "binary logarithm", lambda y, x: defined(y, 1 / log(const(2)) / x, x), domain="x > 0", synonyms="lb",
    at={1: 0}, poles=lambda x: [x], numpy="log2", libm="log2", math="log 2",
)  # fmt: skip
define(
    "log10", "decimal logarithm", lambda y, x: defined(y, 1 / log(const(10)) / x, x), domain="x > 0", synonyms="lg",
    at={1: 0}, poles=lambda x: [x], numpy="log10", libm="log10", math="log 10",
)  # fmt: skip
define(
    "log1p", "log(1 + x) without cancellation", lambda y, x: defined(y, 1 / (1 + x), x), domain="x > -1",
    at={0: 0}, poles=lambda x: [x + 1], numpy="log1p", libm="log1p",
)  # fmt: skip
define(
    # The slope exp(x)/(exp(x) - 1) is negative, so that no term of a higher derivative takes away from another.
    "log1mexp", "log(1 - exp(x)) without cancellation", lambda y, x: defined(y, exp(x) / expm1(x)), domain="x < 0",
    expansion=lambda x: where(gt(x, const(-math.log(2))), log(-expm1(x)), log1p(-exp(x))),
    shrinks=True, poles=lambda x: [x],
)  # fmt: skip
define(
    "logaddexp", "log(exp(x) + exp(y))", lambda z, x, y: softmax(x, y), lambda z, x, y: softmax(y, x),
    expansion=lambda x, y: where(eq(x, y), x + log(const(2)), maximum(x, y) + log1p(exp(-abs_(x - y)))),
    commutes=True, numpy="logaddexp",
)  # fmt: skip


def _difference_error(x: Expr, y: Expr) -> tuple[Expr, Expr]:
    """x - y and what its rounding lost (Knuth's two-sum), the loss 0 where the difference is not finite."""
    d = x - y
    back = d + y
    lost = (x - back) - (y - (back - d))
    return d, where(lt(abs_(d), const(Fraction(10) ** 300)), lost, ZERO)


def _softmax(x: Expr, y: Expr) -> Expr:
    d, lost = _difference_error(x, y)
    e = exp(-abs_(d)) * (ONE - where(ge(d, ZERO), lost, -lost))
    return where(ge(d, ZERO), ONE, e) / (ONE + e) + (d - d)


def _sech_half(x: Expr, y: Expr) -> Expr:
    return QUARTER * sech((x - y) / 2) ** 2


define(
    "softmax", "exp(x)/(exp(x) + exp(y)), the slope of logaddexp",
    lambda z, x, y: _sech_half(x, y), lambda z, x, y: -_sech_half(x, y), internal=True,
    expansion=lambda x, y: where(eq(abs_(x - y), const(float("inf"))), where(gt(x, y), ONE, ZERO), _softmax(x, y)),
    nonnegative=True, nonzero=True, readable=lambda x, y: sigmoid(x - y),
)  # fmt: skip
define(
    "xlogy", "x*log(y), 0 where x = 0", lambda z, x, y: log(y), lambda z, x, y: defined(z, xdivy(x, y), y),
    domain="y > 0", notes="0 at (0, 0), where the slope in x is -inf and in y 0",
    expansion=lambda x, y: where(and_(eq(x, ZERO), eq(y, y)), ZERO, x * log(y)), edges=lambda x, y: [x, y],
    singular=lambda x, y: [y, where(lt(y, ZERO), x, ONE)],
)  # fmt: skip
define(
    "xdivy", "x/y, 0 where x = 0", lambda z, x, y: 1 / y, lambda z, x, y: -xdivy(x, y) / y, internal=True,
    expansion=lambda x, y: where(and_(eq(x, ZERO), eq(y, y)), ZERO, x / y),
    readable=lambda x, y: x / y, kinks=True, singular=lambda x, y: [y],
)  # fmt: skip

# Trigonometric.
define(
    "sin", "sine (radians)", lambda y, x: cos(x),
    parity="odd", at={0: 0}, turns=True, numpy="sin", libm="sin", power_on_name=True, pythagorean=("cos", 1),
)  # fmt: skip
define(
    "cos", "cosine (radians)", lambda y, x: -sin(x),
    parity="even", at={0: 1}, turns=True, numpy="cos", libm="cos", power_on_name=True, pythagorean=("sin", 1),
)  # fmt: skip
define(
    "tan", "tangent (radians)", lambda y, x: 1 + y**2, synonyms="tg",
    parity="odd", at={0: 0}, turns=True, poles=lambda x: [cos(x)], numpy="tan", libm="tan", power_on_name=True,
)  # fmt: skip
define(
    "sec", "1/cos(x)", lambda y, x: y * tan(x), expansion=lambda x: 1 / cos(x),
    parity="even", at={0: 1}, turns=True, nonzero=True, poles=lambda x: [cos(x)], power_on_name=True,
)  # fmt: skip
define(
    "csc", "1/sin(x)", lambda y, x: -y * cot(x), expansion=lambda x: 1 / sin(x), synonyms="cosec", domain="x != 0",
    nonzero=True,
    parity="odd", turns=True, poles=lambda x: [sin(x)], power_on_name=True,
)  # fmt: skip
define(
    "cot", "1/tan(x)", lambda y, x: -(csc(x) ** 2), expansion=lambda x: 1 / tan(x), synonyms="ctg cotan",
    domain="x != 0", parity="odd", turns=True, poles=lambda x: [sin(x)], power_on_name=True,
)  # fmt: skip
define(
    "asin", "inverse sine", lambda y, x: 1 / sqrt(1 - x**2), domain="-1 <= x <= 1", synonyms="arcsin",
    parity="odd", at={0: 0}, edges=lambda x: [x - 1, x + 1], numpy="arcsin", libm="asin", math="arcsin",
)  # fmt: skip
define(
    "acos", "inverse cosine", lambda y, x: -1 / sqrt(1 - x**2), domain="-1 <= x <= 1", synonyms="arccos",
    at={1: 0}, edges=lambda x: [x - 1, x + 1], numpy="arccos", libm="acos", math="arccos",
)  # fmt: skip
define(
    "atan", "inverse tangent", lambda y, x: inversion(ONE, x), synonyms="arctan arctg",
    parity="odd", at={0: 0}, numpy="arctan", libm="atan", math="arctan",
)  # fmt: skip
define(
    "atan2", "angle of the point (x, y), y first",
    lambda z, y, x: inversion(x, y), lambda z, y, x: apply("inversion_im", x, y, value=1), synonyms="arctan2",
    notes="slopes 0 at (0, 0)", arguments="y x", numpy="arctan2", libm="atan2",
    singular=lambda y, x: [maximum(abs_(y), x)],
)  # fmt: skip
define(
    "hypot", "sqrt(x**2 + y**2) without overflow",
    lambda z, x, y: direction(x, y), lambda z, x, y: direction(y, x), notes="slopes 0 at (0, 0)",
    commutes=True, nonnegative=True, singular=origin, numpy="hypot", libm="hypot",
)  # fmt: skip

_UP, _DOWN = const(Fraction(2) ** 600), const(Fraction(1, 2**600))


def _direction(x: Expr, y: Expr) -> Expr:
    # Scale only where hypot would overflow or lose digits, by a factor that keeps the smaller argument normal.
    size = maximum(abs_(x), abs_(y))
    power = where(gt(size, const(Fraction(2) ** 1022)), QUARTER, where(lt(size, const(Fraction(1, 2**900))), _UP, ONE))
    p, q = x * power, y * power
    return where(eq(size, ZERO), ZERO, p / hypot(p, q))


# `plane` is loaded where a derivative needs it alone: a point loads few files.


def _dhypot(x: Expr, y: Expr, a: int, b: int) -> Expr:
    """The derivative of hypot of order a in x and b in y."""
    from gradcli.functions.plane import number

    return apply("dhypot", x, y, value=number(a, b))


def _dhypot_slopes(d: Expr, x: Expr, y: Expr, n: int) -> list[Expr | None]:
    from gradcli.functions.plane import orders

    a, b = orders(n)
    return [_dhypot(x, y, a + 1, b), _dhypot(x, y, a, b + 1)]


def _dhypot_form(x: Expr, y: Expr, n: int) -> Expr:
    from gradcli.functions.plane import hypot_partial

    return hypot_partial(x, y, n)


def _dhypot_quotient(x: Expr, y: Expr, n: int) -> Expr:
    from gradcli.functions.plane import hypot_quotient

    return hypot_quotient(x, y, n)


def _inversion_form(x: Expr, y: Expr, n: int, real: bool) -> Expr:
    from gradcli.functions.plane import inversion_part

    return inversion_part(x, y, n, real)


def inversion(x: Expr, y: Expr) -> Expr:
    return apply("inversion", x, y, value=1)


def _inverted(x: Expr, y: Expr, n: int, imaginary: bool) -> Expr:
    """Real or imaginary part of (x + i*y)**-n as a quotient of polynomials."""
    above = polynomial(
        (-math.comb(n, k) if (k + imaginary) // 2 % 2 else math.comb(n, k), x ** (n - k) * y**k)
        for k in range(int(imaginary), n + 1, 2)
    )
    return above / (x**2 + y**2) ** n


define(
    "direction", "x/hypot(x, y), the direction cosine; 0 at (0, 0)",
    lambda c, x, y: _dhypot(x, y, 2, 0), lambda c, x, y: _dhypot(x, y, 1, 1),
    expansion=_direction, internal=True, singular=origin,
    readable=lambda x, y: ONE / sqrt(y**2 + ONE) if x is ONE else x / hypot(x, y), kinks=True,
)  # fmt: skip
define(
    "dhypot", "partial derivative of hypot of number n; 0 at (0, 0) for order 2",
    every=_dhypot_slopes, arity=(2, 2), parameter=True, internal=True, expansion=_dhypot_form, singular=origin,
    readable=_dhypot_quotient, kinks=True,
)  # fmt: skip
define(
    # d/dx z**-n = -n*z**-(n+1) and d/dy z**-n = -i*n*z**-(n+1): each slope is a row of the same family.
    "inversion", "real part of (x + i*y)**-n; x/(x**2 + y**2) for n = 1, then 0 at (0, 0)",
    lambda p, x, y, n: -n * apply("inversion", x, y, value=n + 1),
    lambda p, x, y, n: n * apply("inversion_im", x, y, value=n + 1),
    expansion=lambda x, y, n: _inversion_form(x, y, n, True), parameter=True, internal=True, singular=origin,
    readable=lambda x, y, n: _inverted(x, y, n, False), kinks=True,
)  # fmt: skip
define(
    "inversion_im", "imaginary part of (x + i*y)**-n; -y/(x**2 + y**2) for n = 1, then 0 at (0, 0)",
    lambda p, x, y, n: -n * apply("inversion_im", x, y, value=n + 1),
    lambda p, x, y, n: -n * apply("inversion", x, y, value=n + 1),
    expansion=lambda x, y, n: -_inversion_form(x, y, n, False), parameter=True, internal=True, singular=origin,
    readable=lambda x, y, n: _inverted(x, y, n, True), kinks=True,
)  # fmt: skip


def _root(x: Expr) -> Expr:
    """sqrt(x**2 - 1) for x >= 1, without cancellation or overflow."""
    return sqrt(x - 1) * sqrt(x + 1)


def _asec_slope(x: Expr) -> Expr:
    return 1 / abs_(x) / _root(abs_(x))


_OUTSIDE = "|x| >= 1"
define(
    "asec", "inverse secant, acos(1/x)", lambda y, x: _asec_slope(x), domain=_OUTSIDE, synonyms="arcsec",
    expansion=lambda x: where(lt(abs_(x), const(2)), atan2(_root(abs_(x)), copysign(ONE, x)), acos(1 / x)),
    at={1: 0}, edges=lambda x: [x - 1, x + 1], math="arcsec",
)  # fmt: skip
define(
    "acsc", "inverse cosecant, asin(1/x)", lambda y, x: -_asec_slope(x), domain=_OUTSIDE, synonyms="arccsc",
    expansion=lambda x: where(lt(abs_(x), const(2)), copysign(atan2(ONE, _root(abs_(x))), x), asin(1 / x)),
    parity="odd", edges=lambda x: [x - 1, x + 1], math="arccsc",
)  # fmt: skip
define(
    "acot", "inverse cotangent, atan(1/x)", lambda y, x: -inversion(ONE, x), synonyms="arccot arcctg",
    expansion=lambda x: apply("atan", 1 / x), notes="odd: jumps from -pi/2 to pi/2 at 0",
    parity="odd", edges=lambda x: [x], math="arccot",
)  # fmt: skip

# Hyperbolic.
define(
    "sinh", "hyperbolic sine", lambda y, x: cosh(x), synonyms="sh",
    parity="odd", at={0: 0}, numpy="sinh", libm="sinh", power_on_name=True,
)  # fmt: skip
define(
    "cosh", "hyperbolic cosine", lambda y, x: sinh(x), synonyms="ch",
    parity="even", at={0: 1}, nonnegative=True, nonzero=True, numpy="cosh", libm="cosh", power_on_name=True,
    pythagorean=("sinh", -1),
)  # fmt: skip
define(
    "tanh", "hyperbolic tangent", lambda y, x: sech(x) ** 2, synonyms="th",
    parity="odd", at={0: 0}, numpy="tanh", libm="tanh", power_on_name=True,
)  # fmt: skip


def _sech(x: Expr) -> Expr:
    e = exp(-abs_(x))
    return 2 * e / (1 + e * e)


def _csch(x: Expr) -> Expr:
    return where(lt(abs_(x), const(20)), 1 / sinh(x), copysign(2 * exp(-abs_(x)), x))


def _near_zero(x: Expr, near: Expr, far: Expr) -> Expr:
    # Below 1e-9 both forms round to the same double; ``near`` has one term that overflows, ``far`` two that cancel.
    return apply("instead", lt(abs_(x), const(Fraction(1, 10**9))), near, far)


def sech_squared(x: Expr) -> Expr:
    """sech(x)**2 with one rounding error of an exponential instead of two."""
    e = exp(-2 * abs_(x))
    return 4 * e / ((1 + e) * (1 + e))


def csch_squared(x: Expr) -> Expr:
    """csch(x)**2 with one rounding error of an exponential instead of two."""
    less = expm1(-2 * abs_(x))
    return 4 * exp(-2 * abs_(x)) / (less * less)


define(
    "sech", "1/cosh(x)", lambda y, x: -y * tanh(x), expansion=_sech,
    parity="even", at={0: 1}, nonnegative=True, nonzero=True, shrinks=True, power_on_name=True,
)  # fmt: skip
define(
    "csch", "1/sinh(x)", lambda y, x: -y * coth(x), expansion=_csch, domain="x != 0",
    parity="odd", shrinks=True, nonzero=True, poles=lambda x: [x], power_on_name=True,
)  # fmt: skip
define(
    "coth", "1/tanh(x)", lambda y, x: -(csch(x) ** 2), expansion=lambda x: 1 / tanh(x), domain="x != 0",
    parity="odd", nonzero=True, poles=lambda x: [x], power_on_name=True,
)  # fmt: skip
define(
    "asinh", "inverse hyperbolic sine", lambda y, x: direction(ONE, x), synonyms="arcsinh arsinh",
    parity="odd", at={0: 0}, numpy="arcsinh", libm="asinh", math="arsinh",
)  # fmt: skip
define(
    "acosh", "inverse hyperbolic cosine", lambda y, x: 1 / _root(x), domain="x >= 1", synonyms="arccosh arcosh",
    at={1: 0}, nonnegative=True, edges=lambda x: [x - 1], numpy="arccosh", libm="acosh", math="arcosh",
)  # fmt: skip
define(
    "atanh", "inverse hyperbolic tangent", lambda y, x: defined(y, 1 / (1 - x**2)), domain="-1 <= x <= 1",
    synonyms="arctanh artanh",
    parity="odd", at={0: 0}, poles=lambda x: [x - 1, x + 1], numpy="arctanh", libm="atanh", math="artanh",
)  # fmt: skip
define(
    "asech", "inverse hyperbolic secant, acosh(1/x)",
    lambda y, x: defined(y, _near_zero(x, -1 / x, -1 / (x * sqrt(1 - x**2)))),
    domain="0 <= x <= 1", synonyms="arcsech arsech",
    expansion=lambda x: where(
        lt(x, const(Fraction(1, 10**8))), log(const(2)) - log(x),
        where(lt(x, HALF), acosh(1 / x), 2 * atanh(sqrt((1 - x) / (1 + x)))),
    ),
    at={1: 0}, nonnegative=True, edges=lambda x: [x, x - 1], poles=lambda x: [x], math="arsech",
)  # fmt: skip
define(
    "acsch", "inverse hyperbolic cosecant, asinh(1/x)",
    lambda y, x: _near_zero(x, -1 / abs_(x), -direction(ONE, x) / abs_(x)),
    domain="x != 0", synonyms="arccsch arcsch",
    expansion=lambda x: where(
        lt(abs_(x), const(Fraction(1, 10**8))), copysign(log(const(2)) - log(abs_(x)), x), asinh(1 / x)
    ),
    parity="odd", poles=lambda x: [x], math="arcsch",
)  # fmt: skip
define(
    "acoth", "inverse hyperbolic cotangent, atanh(1/x)", lambda y, x: defined(y, 1 / (1 - x) / (1 + x)),
    domain=_OUTSIDE, synonyms="arccoth arcoth",
    expansion=lambda x: copysign(HALF * log1p(2 / (abs_(x) - 1)), x),
    parity="odd", poles=lambda x: [x - 1, x + 1], math="arcoth",
)  # fmt: skip


def _sigmoid(x: Expr) -> Expr:
    e = exp(-abs_(x))
    return where(lt(x, ZERO), e, ONE) / (1 + e)


define(
    "sigmoid", "1/(1 + exp(-x))", lambda y, x: QUARTER * sech(x / 2) ** 2, expansion=_sigmoid,
    synonyms="logistic expit", at={0: Fraction(1, 2)}, nonnegative=True, nonzero=True, math="sigma",
)  # fmt: skip
define(
    "softplus", "log(1 + exp(x)) without overflow", lambda y, x: sigmoid(x),
    expansion=lambda x: maximum(x, ZERO) + log1p(exp(-abs_(x))), nonnegative=True, nonzero=True,
)  # fmt: skip
define(
    "logit", "log(x/(1 - x)), inverse of sigmoid", lambda y, x: defined(y, 1 / x + 1 / (1 - x)), domain="0 < x < 1",
    expansion=lambda x: where(lt(abs_(x - HALF), QUARTER), 2 * atanh(2 * x - 1), log(x / (1 - x))),
    poles=lambda x: [x, x - 1],
)  # fmt: skip
