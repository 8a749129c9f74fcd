"""The steps of a program in vector code, one row each: what the processor has, what is worked out here, and what the
C library does.

The functions worked out here need fused multiply-add and follow the C library's at 0, infinity and nan. Sine, cosine
and logarithm follow the method of fdlibm (Sun Microsystems, 1993), with its polynomials. Must not know programs or how
code is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gradcli.compute.backends import erf as erf_numbers
from gradcli.compute.backends.native.emit import Emitter, Value
from gradcli.functions import TABLE

Row = Callable[..., Value]

_INF = math.inf
_NAN = math.nan
_MAGIC = 1.5 * 2.0**52
"""Added to a number below 2**51 it rounds that to an integer, which then stands in the low bits."""


def polynomial(b: Emitter, x: Value, coefficients: Sequence[float]) -> Value:
    """sum of coefficients[k] * x**k, pairs first (Estrin): a short chain, for processors that start many at once."""
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
    """x rounded to an integer, and the number in whose low bits it stands."""
    shifted = x + _MAGIC
    return shifted - _MAGIC, shifted


# Exponentials.

_LOG2E = 1.4426950408889634
_LN2 = (float.fromhex("0x1.62e42fefa39efp-1"), float.fromhex("0x1.abc9e3b39803fp-56"))
_EXP = (
    0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326141, 0.0013888888888883752, 0.00019841269874800493,
    2.4801587325533363e-05, 2.75572554257457e-06, 2.755727366134811e-07, 2.5105206374263736e-08, 2.091467937680297e-09,
)  # fmt: skip
"""(exp(r) - 1 - r)/r**2 for |r| <= log(2)/2 at Chebyshev points, computed with 60 digits; left out: below 2e-18."""


def _clamped(b: Emitter, x: Value, low: float | None, high: float | None) -> Value:
    """x between bounds; nan stays."""
    if high is not None:
        x = b.select(x.above(high), high, x)
    return x if low is None else b.select(x.below(low), low, x)


def _power_of_two(b: Emitter, shifted: Value) -> Value:
    """2**n for the integer n in the low bits, -1023 < n < 1024."""
    return b.from_bits((b.bits(shifted) << 52) + b.number_bits(1.0))


def _scaled(b: Emitter, x: Value, n: Value) -> Value:
    """x * 2**n with one rounding, also where the result is subnormal."""
    if b.machine.avx512:
        return b.scaled(x, n)
    half, shifted = _integer(b, n * 0.5)
    rest = (n - half) + _MAGIC
    return x * _power_of_two(b, shifted) * _power_of_two(b, rest)


def _exp_parts(b: Emitter, x: Value, more: Value | None = None) -> tuple[Value, Value]:
    """n and exp(r) - 1 with x + more = n*log(2) + r."""
    n, _ = _integer(b, x * _LOG2E)
    r = b.fma(n, -_LN2[1], b.fma(n, -_LN2[0], x))
    if more is not None:
        r = r + more
    return n, b.fma(r * r, polynomial(b, r, _EXP), r)


def exp(b: Emitter, x: Value) -> Value:
    n, less = _exp_parts(b, _clamped(b, x, -1000.0, 1000.0))
    return _scaled(b, less + 1.0, n)


def _half_exp(b: Emitter, x: Value) -> Value:
    """exp(x)/2, which is finite where cosh is."""
    n, less = _exp_parts(b, _clamped(b, x, -1000.0, 1000.0))
    return _scaled(b, less + 1.0, n - 1.0)


def gauss(b: Emitter, x: Value) -> Value:
    """exp(-x**2), the square with all its digits."""
    # Beyond 28 the result is 0.
    size = _clamped(b, b.intrinsic("fabs", x), None, 28.0)
    square = size * size
    n, less = _exp_parts(b, -square, -b.fma(size, size, -square))
    return _scaled(b, less + 1.0, n)


def expm1(b: Emitter, x: Value) -> Value:
    n, less = _exp_parts(b, _clamped(b, x, -60.0, 1000.0))
    half, shifted = _integer(b, n * 0.5)
    rest = n - half
    up = _power_of_two(b, rest + _MAGIC)
    # 2**n * (1 + less) - 1, two to the power of half at the end, lest it overflow first.
    value = b.fma(up, less, up - _power_of_two(b, b.number(_MAGIC) - half)) * _power_of_two(b, shifted)
    return b.select(x.same(0.0), x, value)


def tanh(b: Emitter, x: Value) -> Value:
    size = _clamped(b, b.intrinsic("fabs", x), None, 22.0)
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
    """Whether x is positive, finite and not subnormal, and then log(x) - (1023 - bias)*log(2)."""
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


def _turned(b: Emitter, x: Value) -> tuple[Value, Value, Value, Value]:
    """The quarter turns in x (in the low bits), and the rest r in two parts; whether x is too large for that."""
    n, shifted = _integer(b, x * (2 / math.pi))
    # Exact: r is a multiple of the last place of pi/2, or of x's.
    r = b.fma(n, -_HALF_PI[0], x)
    lead = b.fma(n, -_HALF_PI[1], r)
    lost = b.fma(n, -_HALF_PI[2], b.fma(n, -_HALF_PI[1], r - lead))
    return shifted, lead, lost, b.intrinsic("fabs", x).at_least(_FAR)


def _waves(b: Emitter, r: Value, lost: Value) -> tuple[tuple[Value, Value], tuple[Value, Value]]:
    """sin and cos of r + lost for |r| <= pi/4, each as two numbers yet to be subtracted, and added."""
    z = r * r
    tail = polynomial(b, z, _SIN[1:])
    less = b.fma(z, b.fma(-(z * r), tail, 0.5 * lost), -lost) - (z * r) * _SIN[0]
    half = 0.5 * z
    w = 1.0 - half
    more = ((1.0 - w) - half) + b.fma(z * z, polynomial(b, z, _COS), -(r * lost))
    return (r, less), (w, more)


def _wave(b: Emitter, x: Value, name: str) -> Value:
    shifted, r, lost, far = _turned(b, x)
    (s, s_less), (c, c_more) = _waves(b, r, lost)
    quarters, sine, cosine = b.bits(shifted), s - s_less, c + c_more
    odd = b.nonzero(quarters & 1)
    if name == "sin":
        value = b.select(odd, cosine, sine)
    else:
        value, quarters = b.select(odd, sine, cosine), quarters + 1
    value = b.from_bits(b.two("xor", b.bits(value), (quarters & 2) << 62))
    return b.rarely(far, value, lambda: b.library(name, x))


def tan(b: Emitter, x: Value) -> Value:
    shifted, r, lost, far = _turned(b, x)
    (s, s_less), (c, c_more) = _waves(b, r, lost)
    sine, cosine = s - s_less, c + c_more
    s_lost, c_lost = (s - sine) - s_less, (c - cosine) + c_more
    odd = b.nonzero(b.bits(shifted) & 1)
    up, up_lost = b.select(odd, -cosine, sine), b.select(odd, -c_lost, s_lost)
    down, down_lost = b.select(odd, sine, cosine), b.select(odd, s_lost, c_lost)
    # A quotient with what was lost above and below: one correction leaves little more than half an ulp.
    inverse = 1.0 / down
    value = up * inverse
    better = b.fma(b.fma(-value, down, up) + (up_lost - value * down_lost), inverse, value)
    value = b.select(x.same(0.0), x, better)
    return b.rarely(far, value, lambda: b.library("tan", x))


def sin(b: Emitter, x: Value) -> Value:
    return _wave(b, x, "sin")


def cos(b: Emitter, x: Value) -> Value:
    return _wave(b, x, "cos")


# Error function.


def erf(b: Emitter, x: Value) -> Value:
    size = b.intrinsic("fabs", x)
    low = _clamped(b, size, None, 1.0)
    high = _clamped(b, size, 1.0, 6.0)
    near = b.fma(polynomial(b, low * low, erf_numbers.P), low, low)
    u = (erf_numbers.M - high) / (high + 3.0)
    # The slope of erf, which is often wanted too, has the same exponential.
    far = 1.0 - gauss(b, x) * polynomial(b, u, erf_numbers.R)
    return b.intrinsic("copysign", b.select(size.below(1.0), near, far), x)


# What the processor has, and what follows from it.


def _where(b: Emitter, c: Value, x: Value, y: Value) -> Value:
    if x.kind != y.kind:
        x, y = b.stored(x), b.stored(y)
    return b.select(b.truth(c), x, y)


def _maximum(b: Emitter, x: Value, y: Value) -> Value:
    # Of equal ones the second, as processors do it; nan if either is.
    return b.select(x.is_nan(), x, b.select(x.above(y), x, y))


def _minimum(b: Emitter, x: Value, y: Value) -> Value:
    return b.select(x.is_nan(), x, b.select(x.below(y), x, y))


def _sign(b: Emitter, x: Value) -> Value:
    return b.select(x.above(0.0), 1.0, b.select(x.below(0.0), -1.0, b.intrinsic("fabs", x)))


def _copysign(b: Emitter, x: Value, y: Value) -> Value:
    # The sign of a nan depends on who made it.
    return b.select(y.is_nan(), y, b.intrinsic("copysign", x, y))


def _mod(b: Emitter, x: Value, y: Value) -> Value:
    """The remainder with the sign of y, as Python has it."""
    r = b.library("fmod", x, y)
    crossed = b.two("xor", r.below(0.0), y.below(0.0))
    value = b.select(crossed & b.compare("une", r, 0.0), r + y, r)
    return b.select(r.same(0.0), b.intrinsic("copysign", b.number(0.0), y), value)


def _power_residual(b: Emitter, x: Value, n: Value, lost: Value) -> Value:
    # As the vector engine does it, which says why.
    y = ROWS["power"](b, x, n)
    step = ROWS["log"](b, b.intrinsic("fabs", x)) * lost
    both = b.intrinsic("fabs", step).below(_INF) & b.intrinsic("fabs", y).below(_INF)
    value = b.select(both, step * y, 0.0) + y
    size = b.intrinsic("fabs", lost)

    def whole() -> Value:
        flip = b.select(_mod(b, lost, b.number(2.0)).same(1.0), b.intrinsic("copysign", b.number(1.0), x), 1.0)
        finite = b.intrinsic("fabs", y).below(_INF) & b.intrinsic("fabs", x).below(_INF) & b.compare("une", y, 0.0)
        return b.select(finite, y * ROWS["power"](b, x, lost), y * flip)

    return b.rarely(size.at_least(1.0), value, whole)


def _two(operation: str) -> Row:
    return lambda b, x, y: b.two(operation, x, y)


def _compared(how: str) -> Row:
    return lambda b, x, y: b.compare(how, x, y)


def _intrinsic(name: str) -> Row:
    return lambda b, *x: b.intrinsic(name, *x)


def _library(name: str) -> Row:
    return lambda b, *x: b.library(name, *x)


def _gauss_in_parts(b: Emitter, x: Value) -> Value:
    # As the scalar engine does it, which says why.
    size = _clamped(b, b.intrinsic("fabs", x), None, 40.0)
    lead = b.intrinsic("rint", size * 2.0**20) * 2.0**-20
    return ROWS["exp"](b, -(lead * lead)) * ROWS["exp"](b, -((size - lead) * (size + lead)))


def _worked_out(row: Row) -> Row:
    """``row`` where the processor rounds a product and a sum at once, else the C library's of single numbers."""

    def emit(b: Emitter, x: Value) -> Value:
        if b.machine.fma:
            return row(b, x)
        return _gauss_in_parts(b, x) if row is gauss else b.each(row.__name__, x)

    return emit


_BY_ARRAYS = {"gamma", "lgamma", "fma"}
"""Rows whose own kernels are right where the C library's functions are not."""

ROWS: dict[str, Row] = {
    "cbrt_near": _library("cbrt"),
    **{row.name: _library(row.libm) for row in TABLE.values() if row.libm and row.name not in _BY_ARRAYS},
    "add": _two("fadd"), "sub": _two("fsub"), "mul": _two("fmul"), "div": _two("fdiv"), "neg": lambda b, x: -x,
    "lt": _compared("olt"), "le": _compared("ole"), "gt": _compared("ogt"), "ge": _compared("oge"),
    "eq": _compared("oeq"), "ne": _compared("une"),
    "and": lambda b, x, y: b.truth(x) & b.truth(y), "or": lambda b, x, y: b.truth(x) | b.truth(y),
    "not": lambda b, x: ~b.truth(x),
    "where": _where, "defined": lambda b, y, slope: b.select(y.is_nan(), _NAN, slope),
    "min": _minimum, "max": _maximum, "sign": _sign, "copysign": _copysign,
    "abs": _intrinsic("fabs"), "sqrt": _intrinsic("sqrt"), "floor": _intrinsic("floor"), "ceil": _intrinsic("ceil"),
    "round": _intrinsic("rint"), "trunc": _intrinsic("trunc"),
    "mod": _mod, "power_residual": _power_residual,
    **{row.__name__: _worked_out(row) for row in (exp, expm1, tanh, cosh, sinh, gauss, log, sin, cos, tan, erf)},
}  # fmt: skip
"""What each step is, from an emitter and its operands. What is missing here is done by the vector engine's arrays."""


class Called(NamedTuple):
    """The function called for a row: its name, what is in it, how many results it has, and which is the row's."""

    name: str
    make: Callable[..., tuple[Value, ...]]
    results: int
    place: int


def _alone(name: str) -> Called:
    return Called(name, lambda b, *x: (ROWS[name](b, *x),), 1, 0)


def _both(b: Emitter, x: Value) -> tuple[Value, Value]:
    return ROWS["sin"](b, x), ROWS["cos"](b, x)


CALLED: dict[str, Called] = {
    **{name: _alone(name) for name in (
        "exp", "expm1", "tanh", "cosh", "sinh", "gauss", "log", "tan", "erf", "mod", "power_residual",
    )},
    "sin": Called("turn", _both, 2, 0), "cos": Called("turn", _both, 2, 1),
}  # fmt: skip
"""Rows of many instructions, for which long programs call a function."""
