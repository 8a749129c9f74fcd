"""Forms: operations that a language may lack, as expressions in other operations.

Each form serves every language. ``bare_f`` is the language's own f if that raises for some arguments or treats them
differently: the form around it passes only accepted arguments, so that it can be evaluated in a branch not taken.
Layer: must not know any language.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from gradcli.codegen.special import INF, NAN, dsinc, erfinv_gauss, polygamma, polygamma_gap, positive_polygamma
from gradcli.expr import ONE, TWO, ZERO, Expr, apply, const, exact
from gradcli.functions.row import (
    HALF,
    abs_,
    and_,
    atan2,
    cos,
    eq,
    exp,
    fmod,
    ge,
    gt,
    le,
    log,
    log1p,
    lt,
    maximum,
    minimum,
    named,
    rint,
    sin,
    sqrt,
    where,
)
from gradcli.functions.special import betapdf, exact_square, gammapdf

_WHOLE = const(2**52)
_LARGE = const(10**8)


_expm1, _fma, _or, _ne, _floor = map(named, ["expm1", "fma", "or", "ne", "floor"])
_signed = named("bare_copysign")
"""copysign for a y that is not nan."""


def _finite(x: Expr) -> Expr:
    return lt(abs_(x), INF)


def _guard(
    op: str, accepted: Callable[[Expr], Expr], otherwise: Callable[[Expr], Expr] = lambda x: NAN
) -> Callable[[Expr], Expr]:
    """The form of an ``op`` that raises unless ``accepted`` holds; every such op accepts 1."""

    def form(x: Expr) -> Expr:
        good = accepted(x)
        return where(good, apply(f"bare_{op}", where(good, x, ONE)), otherwise(x))

    return form


def _logarithm(op: str) -> Callable[[Expr], Expr]:
    return _guard(op, lambda x: gt(x, ZERO), lambda x: where(eq(x, ZERO), -INF, NAN))


def _div(a: Expr, b: Expr) -> Expr:
    none = eq(b, ZERO)
    return where(none, a * _signed(INF, b), apply("bare_div", a, where(none, ONE, b)))


def _exp(x: Expr) -> Expr:
    fits = and_(gt(x, const(-745.133219101941)), lt(x, const(709.782712893384)))
    return where(fits, apply("bare_exp", where(fits, x, ZERO)), where(gt(x, ZERO), INF, where(lt(x, ZERO), ZERO, x)))


def _odd(n: Expr) -> Expr:
    half = n * HALF
    return and_(eq(n, rint(n)), _ne(half, rint(half)))


def _power(x: Expr, n: Expr) -> Expr:
    good = _or(gt(x, ZERO), and_(lt(x, ZERO), eq(n, rint(n))))
    pole = where(lt(n, ZERO), INF, where(gt(n, ZERO), ZERO, ONE))
    edge = where(eq(n, ZERO), ONE, where(eq(x, ZERO), where(_odd(n), _signed(pole, x), pole), NAN))
    return where(good, apply("bare_power", where(good, x, ONE), where(good, n, ONE)), edge)


def _power_residual(x: Expr, n: Expr, lost: Expr) -> Expr:
    y = apply("power", x, n)
    shifted, whole = y + y * (lost * log(abs_(x))), y
    number = exact(lost)
    if number is None:
        # Above 2**53 the lost part of the exponent is an integer, and an odd one changes the sign.
        shifted = where(ge(abs_(lost), ONE), y * apply("power", x, lost), shifted)
        whole = where(_odd(lost), y * _signed(ONE, x), y)
    usual = and_(and_(_ne(x, ZERO), _finite(x)), and_(_ne(y, ZERO), _finite(y)))
    return where(usual if number is not None else and_(usual, _finite(lost)), shifted, whole)


def _gauss(x: Expr) -> Expr:
    square, rest = exact_square(x)
    return exp(-square) * exp(-rest)


def _kahan_expm1(x: Expr) -> Expr:
    u = exp(x)
    ratio = (u - ONE) * (x / log(u))
    return where(eq(u, ONE), x, where(lt(x, const(-40)), -ONE, where(gt(x, const(40)), u, ratio)))


def _kahan_log1p(x: Expr) -> Expr:
    u = ONE + x
    return where(eq(u, ONE), x, where(lt(u, INF), log(u) * (x / (u - ONE)), u))


def _sinh(x: Expr) -> Expr:
    a = abs_(x)
    t, half = _expm1(a), exp(HALF * a)
    return _signed(where(lt(a, const(700)), HALF * (t + t / (t + ONE)), HALF * half * half), x)


def _cosh(x: Expr) -> Expr:
    a = abs_(x)
    e, half = exp(a), exp(HALF * a)
    return where(lt(a, const(700)), HALF * e + HALF / e, HALF * half * half)


def _tanh(x: Expr) -> Expr:
    t = _expm1(const(-2) * abs_(x))
    return _signed(-t / (t + TWO), x)


def _asinh(x: Expr) -> Expr:
    a = abs_(x)
    square = a * a
    near = log1p(a + square / (ONE + sqrt(square + ONE)))
    return _signed(where(gt(a, _LARGE), log(a) + log(TWO), near), x)


def _acosh(x: Expr) -> Expr:
    t = x - ONE
    near = where(ge(x, ONE), log1p(t + sqrt(TWO * t + t * t)), NAN)
    return where(gt(x, _LARGE), log(x) + log(TWO), near)


def _atanh(x: Expr) -> Expr:
    a = abs_(x)
    return _signed(HALF * log1p(TWO * a / (ONE - a)), x)


def _hypot(x: Expr, y: Expr) -> Expr:
    a, b = abs_(x), abs_(y)
    most = maximum(a, b)
    ratio = minimum(a, b) / most
    straight = where(eq(most, ZERO), most, most * sqrt(ratio * ratio + ONE))
    return where(_or(eq(a, INF), eq(b, INF)), INF, straight)


def _round(x: Expr) -> Expr:
    # Adding 2**52 leaves no bits for a fraction: the sum is rounded to an integer, ties to even.
    a = abs_(x)
    return where(lt(a, _WHOLE), _signed((a + _WHOLE) - _WHOLE, x), x)


def _rounded_down(x: Expr) -> Expr:
    near = rint(x)
    return where(gt(near, x), near - ONE, near)


def _split(x: Expr) -> tuple[Expr, Expr]:
    """x as a sum of two numbers of 26 bits, whose products are exact (Veltkamp and Dekker, 1971)."""
    number = exact(x)
    if number is not None:
        # In doubles: the arithmetic of constants is exact, and would leave nothing for the second number.
        value = float(number)
        top = value * (2**27 + 1)
        top -= top - value
        return const(top), const(value - top)
    wide = x * const(2**27 + 1)
    lead = wide - (wide - x)
    return lead, x - lead


def _dekker_fma(x: Expr, y: Expr, z: Expr) -> Expr:
    (a, b), (c, d) = _split(x), _split(y)
    p = x * y
    lost = ((a * c - p) + (a * d + b * c)) + b * d
    total = p + z
    back = total - p
    more = (p - (total - back)) + (z - back)
    fits = lt(maximum(maximum(abs_(x), abs_(y)), abs_(total)), const(10**290))
    return where(fits, total + (more + lost), total)


def _fmod(x: Expr, y: Expr) -> Expr:
    # A step is exact for quotients below 2**53; the first reduces quotients below 2**100 to that. Beyond it is nan.
    a, b = abs_(x), abs_(y)
    most = const(10**270)
    near = and_(_finite(x), _or(gt(b, most), lt(a, minimum(b, most) * const(2**100))))
    rest = where(and_(near, ge(a, b)), a, b)
    for _ in range(2):
        rest = _fma(-_floor(rest / b), b, rest)
    rest = where(lt(rest, ZERO), rest + b, where(ge(rest, b), rest - b, rest))
    sound = and_(near, and_(ge(rest, ZERO), lt(rest, b)))
    return where(lt(a, b), x, where(sound, _signed(rest, x), NAN))


def _mod(x: Expr, y: Expr) -> Expr:
    rest = fmod(x, y)
    apart = _or(and_(lt(rest, ZERO), gt(y, ZERO)), and_(gt(rest, ZERO), lt(y, ZERO)))
    return where(eq(rest, ZERO), _signed(ZERO, y), where(apart, rest + y, rest))


def _beta(x: Expr, y: Expr) -> Expr:
    fits = lt(maximum(maximum(x, y), x + y), const(170))
    product = apply("gamma", x) * apply("gamma", y) / apply("gamma", x + y)
    return where(fits, product, exp(apply("betaln", x, y)))


FORMS: dict[str, Callable[..., Expr]] = {
    "defined": lambda y, slope: where(eq(y, y), slope, NAN),
    "gt": lambda a, b: lt(b, a),
    "ge": lambda a, b: le(b, a),
    "min": lambda a, b: where(_or(lt(a, b), _ne(a, a)), a, b),
    "max": lambda a, b: where(_or(gt(a, b), _ne(a, a)), a, b),
    "abs": lambda x: where(lt(x, ZERO), -x, x + ZERO),
    "sign": lambda x: where(gt(x, ZERO), ONE, where(lt(x, ZERO), -ONE, abs_(x))),
    # atan2 distinguishes -0.0 from 0.0, which compare equal.
    "bare_copysign": lambda x, y: where(lt(atan2(y, -ONE), ZERO), -abs_(x), abs_(x)),
    # nan for a y of nan: its sign bit differs between machines and libraries.
    "copysign": lambda x, y: where(eq(y, y), _signed(x, y), NAN),
    "div": _div, "power": _power, "power_residual": _power_residual, "gauss": _gauss, "exp": _exp,
    "sqrt": _guard("sqrt", lambda x: ge(x, ZERO)),
    "log": _logarithm("log"), "log10": _logarithm("log10"),
    "bare_log10": lambda x: log(x) / log(const(10)),
    "log2": lambda x: log(x) / log(TWO),
    "sin": _guard("sin", _finite), "cos": _guard("cos", _finite), "tan": lambda x: sin(x) / cos(x),
    "asin": lambda x: atan2(x, sqrt((ONE - x) * (ONE + x))),
    "acos": lambda x: atan2(sqrt((ONE - x) * (ONE + x)), x),
    "atan": lambda x: atan2(x, ONE),
    "exp2": lambda x: apply("power", TWO, x),
    "expm1": _kahan_expm1, "log1p": _kahan_log1p,
    "sinh": _sinh, "cosh": _cosh, "tanh": _tanh, "asinh": _asinh, "acosh": _acosh, "atanh": _atanh,
    "cbrt_near": lambda x: _signed(apply("power", abs_(x), const(Fraction(1, 3))), x),
    "hypot": _hypot, "round": _round, "floor": _rounded_down,
    "ceil": lambda x: -_floor(-x),
    "trunc": lambda x: _signed(_floor(abs_(x)), x),
    "fma": _dekker_fma, "fmod": _fmod, "mod": _mod, "dsinc": dsinc,
    "beta": _beta, "betaln": lambda x, y: apply("lgamma", x) + apply("lgamma", y) - apply("lgamma", x + y),
    "betapdf": betapdf, "gammapdf": gammapdf,
    "polygamma_gap": polygamma_gap,
    "lambertw_above": lambda x, branch: ONE + apply("lambertw_low" if branch else "lambertw", x),
    "digamma": lambda x: apply("polygamma", x, value=0),
    "polygamma": polygamma, "bare_polygamma": positive_polygamma, "erfinv_gauss": erfinv_gauss,
}  # fmt: skip
"""The form of each operation; an integer parameter is its last argument."""
