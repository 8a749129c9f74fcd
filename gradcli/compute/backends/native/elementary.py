"""Elementary functions and erf in vector code.

They need fused multiply-add and have the results of the C library at 0, infinity and nan. Sine, cosine and logarithm
follow the method of fdlibm (Sun Microsystems, 1993), with its polynomials.
Layer: must not know programs or how code is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from gradcli.compute.backends import erf as erf_numbers
from gradcli.compute.backends.native.emit import Emitter, Value

_INF = math.inf
_NAN = math.nan
_MAGIC = 1.5 * 2.0**52
"""Adding it to a number below 2**51 in size rounds that to an integer, which is then in the low bits of the sum."""


def polynomial(b: Emitter, x: Value, coefficients: Sequence[float]) -> Value:
    """Return the sum of coefficients[k]*x**k by Estrin's scheme, whose operations are independent of each other."""
    terms: list[Value | float] = list(coefficients)
    power = x
    while len(terms) > 1:
        pairs: list[Value | float] = []
        for k in range(0, len(terms) - 1, 2):
            pairs.append(b.fma(terms[k + 1], power, terms[k]))
        if len(terms) % 2:
            pairs.append(terms[-1])
        terms = pairs
        if len(terms) > 1:
            power = power * power
    return b.number(terms[0])


def _integer(b: Emitter, x: Value) -> tuple[Value, Value]:
    """Return x rounded to an integer, and the number with that integer in its low bits."""
    shifted = x + _MAGIC
    return shifted - _MAGIC, shifted


# Exponentials.

_LOG2E = 1.4426950408889634
_LN2 = (float.fromhex("0x1.62e42fefa39efp-1"), float.fromhex("0x1.abc9e3b39803fp-56"))
_EXP = (
    0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326141, 0.0013888888888883752, 0.00019841269874800493,
    2.4801587325533363e-05, 2.75572554257457e-06, 2.755727366134811e-07, 2.5105206374263736e-08, 2.091467937680297e-09,
)  # fmt: skip
"""Interpolates (exp(r) - 1 - r)/r**2 for |r| <= log(2)/2 at Chebyshev points; the truncation error is below 2e-18."""


def clamped(b: Emitter, x: Value, low: float | None, high: float | None) -> Value:
    """Return x limited to the bounds; nan is kept."""
    if high is not None:
        x = b.select(x.above(high), high, x)
    return x if low is None else b.select(x.below(low), low, x)


def _power_of_two(b: Emitter, shifted: Value) -> Value:
    """Return 2**n for the integer n in the low bits of ``shifted``, -1023 < n < 1024."""
    return b.from_bits((b.bits(shifted) << 52) + b.number_bits(1.0))


def _scaled(b: Emitter, x: Value, n: Value) -> Value:
    """Return x * 2**n with a single rounding, even if the result is subnormal."""
    if b.target.avx512:
        return b.scaled(x, n)
    half, shifted = _integer(b, n * 0.5)
    rest = (n - half) + _MAGIC
    return x * _power_of_two(b, shifted) * _power_of_two(b, rest)


def _exp_parts(b: Emitter, x: Value, correction: Value | None = None) -> tuple[Value, Value]:
    """Return n and exp(r) - 1 with x + correction = n*log(2) + r (argument reduction of Cody and Waite)."""
    n, _ = _integer(b, x * _LOG2E)
    r = b.fma(n, -_LN2[1], b.fma(n, -_LN2[0], x))
    if correction is not None:
        r = r + correction
    return n, b.fma(r * r, polynomial(b, r, _EXP), r)


def exp(b: Emitter, x: Value) -> Value:
    n, less = _exp_parts(b, clamped(b, x, -1000.0, 1000.0))
    return _scaled(b, less + 1.0, n)


def _half_exp(b: Emitter, x: Value) -> Value:
    """Return exp(x)/2, which is finite where cosh(x) is."""
    n, less = _exp_parts(b, clamped(b, x, -1000.0, 1000.0))
    return _scaled(b, less + 1.0, n - 1.0)


def gauss(b: Emitter, x: Value) -> Value:
    """Return exp(-x**2); the rounding error of the square, from a fused multiply-add, corrects the exponent."""
    # For |x| > 28 the result is 0.
    size = clamped(b, b.intrinsic("fabs", x), None, 28.0)
    square = size * size
    n, less = _exp_parts(b, -square, -b.fma(size, size, -square))
    return _scaled(b, less + 1.0, n)


def expm1(b: Emitter, x: Value) -> Value:
    n, less = _exp_parts(b, clamped(b, x, -60.0, 1000.0))
    half, shifted = _integer(b, n * 0.5)
    rest = n - half
    up = _power_of_two(b, rest + _MAGIC)
    # Compute 2**n * (1 + less) - 1 with the factor 2**half last, so that 2**n does not overflow before the result does.
    value = b.fma(up, less, up - _power_of_two(b, b.number(_MAGIC) - half)) * _power_of_two(b, shifted)
    return b.select(x.same(0.0), x, value)


def tanh(b: Emitter, x: Value) -> Value:
    size = clamped(b, b.intrinsic("fabs", x), None, 22.0)
    less = expm1(b, size + size)
    return b.intrinsic("copysign", less / (less + 2.0), x)


def cosh(b: Emitter, x: Value) -> Value:
    half = _half_exp(b, b.intrinsic("fabs", x))
    return half + 0.25 / half


def sinh(b: Emitter, x: Value) -> Value:
    size = b.intrinsic("fabs", x)
    half = _half_exp(b, size)
    less = expm1(b, b.select(size.above(2.0), 2.0, size))
    small = 0.5 * (less + less / (less + 1.0))
    return b.intrinsic("copysign", b.select(size.below(2.0), small, half - 0.25 / half), x)


# Logarithm.

_LOG = (
    0.6666666666666735130, 0.3999999999940941908, 0.2857142874366239149, 0.2222219843214978396, 0.1818357216161805012,
    0.1531383769920937332, 0.1479819860511658591,
)  # fmt: skip
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ROOT_HALF = 0x3FE6A09E667F3BCD


def log(b: Emitter, x: Value) -> Value:
    normal, value = _log(b, x, 1023)
    return b.rarely(~normal, value, lambda: _log_everywhere(b, x))


def _log(b: Emitter, x: Value, bias: int) -> tuple[Value, Value]:
    """Return whether x is positive, finite and normal, and for such x the value log(x) - (bias - 1023)*log(2)."""
    bits = b.bits(x)
    normal = b.below_unsigned(bits - b.number_bits(2.0**-1022), b.number_bits(_INF) - b.number_bits(2.0**-1022))
    bits = bits + (b.number_bits(1.0) - _ROOT_HALF)
    exponent = b.from_bits((bits >> 52) | b.number_bits(2.0**52)) - (2.0**52 + bias)
    f = b.from_bits((bits & 0x000FFFFFFFFFFFFF) + _ROOT_HALF) - 1.0
    s = f / (f + 2.0)
    z = s * s
    half = (0.5 * f) * f
    rest = b.fma(s, b.fma(z, polynomial(b, z, _LOG), half), exponent * _LN2_LOW)
    return normal, b.fma(exponent, _LN2_HIGH, f - (half - rest))


def _log_everywhere(b: Emitter, x: Value) -> Value:
    """Return log(x) for every x, subnormal, zero, negative, infinite and nan included."""
    value = b.select(x.below(2.0**-1022), _log(b, x * 2.0**54, 1077)[1], _log(b, x, 1023)[1])
    value = b.select(x.same(_INF), x, value)
    value = b.select(x.at_least(0.0), value, _NAN)
    return b.select(x.same(0.0), -_INF, value)


# Sine and cosine.

_HALF_PI = tuple(map(float.fromhex, ("0x1.921fb54442d18p+0", "0x1.1a62633145c07p-54", "-0x1.f1976b7ed8fbcp-110")))
_FAR = 1e9
_SIN = (
    -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06,
    -2.50507602534068634195e-08, 1.58969099521155010221e-10,
)  # fmt: skip
_COS = (
    4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05, -2.75573143513906633035e-07,
    2.08757232129817482790e-09, -1.13596475577881948265e-11,
)  # fmt: skip


def _reduced(b: Emitter, x: Value) -> tuple[Value, Value, Value, Value]:
    """Return x divided by pi/2: the quotient in low bits, the remainder as two numbers, and whether x is too large."""
    n, shifted = _integer(b, x * (2 / math.pi))
    # The fused multiply-add is exact: r is a multiple of the last bit of x or of n*pi/2.
    r = b.fma(n, -_HALF_PI[0], x)
    lead = b.fma(n, -_HALF_PI[1], r)
    lost = b.fma(n, -_HALF_PI[2], b.fma(n, -_HALF_PI[1], r - lead))
    return shifted, lead, lost, b.intrinsic("fabs", x).at_least(_FAR)


def _sin_cos_parts(b: Emitter, r: Value, lost: Value) -> tuple[tuple[Value, Value], tuple[Value, Value]]:
    """Return sin and cos of r + lost for |r| <= pi/4: the pairs (s, t) with sin = s - t and (c, d) with cos = c + d."""
    z = r * r
    tail = polynomial(b, z, _SIN[1:])
    less = b.fma(z, b.fma(-(z * r), tail, 0.5 * lost), -lost) - (z * r) * _SIN[0]
    half = 0.5 * z
    w = 1.0 - half
    correction = ((1.0 - w) - half) + b.fma(z * z, polynomial(b, z, _COS), -(r * lost))
    return (r, less), (w, correction)


def _sin_or_cos(b: Emitter, x: Value, name: str) -> Value:
    shifted, r, lost, far = _reduced(b, x)
    (s, s_less), (c, c_more) = _sin_cos_parts(b, r, lost)
    quadrant, sine, cosine = b.bits(shifted), s - s_less, c + c_more
    odd = b.nonzero(quadrant & 1)
    if name == "sin":
        value = b.select(odd, cosine, sine)
    else:
        value, quadrant = b.select(odd, sine, cosine), quadrant + 1
    value = b.from_bits(b.binary("xor", b.bits(value), (quadrant & 2) << 62))
    return b.rarely(far, value, lambda: b.library(name, x))


def tan(b: Emitter, x: Value) -> Value:
    shifted, r, lost, far = _reduced(b, x)
    (s, s_less), (c, c_more) = _sin_cos_parts(b, r, lost)
    sine, cosine = s - s_less, c + c_more
    s_lost, c_lost = (s - sine) - s_less, (c - cosine) + c_more
    odd = b.nonzero(b.bits(shifted) & 1)
    up, up_lost = b.select(odd, -cosine, sine), b.select(odd, -c_lost, s_lost)
    down, down_lost = b.select(odd, sine, cosine), b.select(odd, s_lost, c_lost)
    # Correct the quotient by the rounding errors of numerator and denominator, to little more than half an ulp.
    inverse = 1.0 / down
    value = up * inverse
    corrected = b.fma(b.fma(-value, down, up) + (up_lost - value * down_lost), inverse, value)
    value = b.select(x.same(0.0), x, corrected)
    return b.rarely(far, value, lambda: b.library("tan", x))


def sin(b: Emitter, x: Value) -> Value:
    return _sin_or_cos(b, x, "sin")


def cos(b: Emitter, x: Value) -> Value:
    return _sin_or_cos(b, x, "cos")


# Error function.


def erf(b: Emitter, x: Value) -> Value:
    size = b.intrinsic("fabs", x)
    low = clamped(b, size, None, 1.0)
    high = clamped(b, size, 1.0, 6.0)
    near = b.fma(polynomial(b, low * low, erf_numbers.P), low, low)
    u = (erf_numbers.M - high) / (high + 3.0)
    # The derivative of erf, often evaluated too, shares this exponential.
    far = 1.0 - gauss(b, x) * polynomial(b, u, erf_numbers.R)
    return b.intrinsic("copysign", b.select(size.below(1.0), near, far), x)
