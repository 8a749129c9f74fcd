"""What an expression truly is at a point: an evaluator by mpmath and exact fractions, keyed by the names of the rows.

Rational steps stay exact fractions, so that ties are seen; everything else is an mpf of the working precision. A step
that has no value there raises Undefined; a step that this precision cannot decide raises Unsure. Must not know
gradcli: a node is anything with `op`, `args` and `value`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from mpmath import bernoulli, mp
from mpmath.libmp import NoConvergence, to_rational

Number = Any
"""A Fraction, exact; or an mpf of the working precision."""
FRACTION_BITS = 40_000
"""The longest exact fraction; longer ones become mpf."""


class Undefined(Exception):
    """There is no real value."""


class Unsure(Exception):
    """The working precision does not tell."""


def real(x: Number) -> Number:
    """The mpf of a number."""
    return mp.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else x


def short(x: Fraction) -> Number:
    """The fraction itself, or its mpf if it is too long."""
    return x if x.numerator.bit_length() + x.denominator.bit_length() < FRACTION_BITS else real(x)


def sign(x: Number) -> int:
    """Raises Unsure for an inexact number that is all but 0."""
    if isinstance(x, Fraction):
        return (x > 0) - (x < 0)
    if mp.isnan(x):
        raise Undefined
    if x == 0:
        raise Unsure
    return 1 if x > 0 else -1


def compare(a: Number, b: Number) -> int:
    """The sign of a - b. Raises Unsure where they agree to three quarters of the digits and are not both exact."""
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return (a > b) - (a < b)
    a, b = real(a), real(b)
    d = a - b
    if d == 0 or mp.mag(d) < max(mp.mag(a) if a else -mp.inf, mp.mag(b) if b else -mp.inf) - 0.75 * mp.prec:
        raise Unsure
    return 1 if d > 0 else -1


def add(a: Number, b: Number) -> Number:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return short(a + b)
    return real(a) + real(b)


def subtract(a: Number, b: Number) -> Number:
    return add(a, -b)


def multiply(a: Number, b: Number) -> Number:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return short(a * b)
    if (isinstance(a, Fraction) and a == 0) or (isinstance(b, Fraction) and b == 0):
        return Fraction(0)
    return real(a) * real(b)


def divide(a: Number, b: Number) -> Number:
    if sign(b) == 0:
        raise Undefined
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return short(a / b)
    return Fraction(0) if isinstance(a, Fraction) and a == 0 else real(a) / real(b)


def exponential(x: Number) -> Number:
    if isinstance(x, Fraction) and x == 0:
        return Fraction(1)
    x = real(x)
    if mp.mag(x) > 4000:
        raise Unsure  # a number whose exponent does not fit in memory
    return mp.exp(x)


def logarithm(x: Number) -> Number:
    if sign(x) <= 0:
        raise Undefined
    return Fraction(0) if isinstance(x, Fraction) and x == 1 else mp.log(real(x))


def root(x: Fraction, degree: int) -> Fraction | None:
    """The exact root of a fraction >= 0 if there is one."""
    parts = []
    for n in (x.numerator, x.denominator):
        guess = math.isqrt(n) if degree == 2 else _whole_root(n, degree)
        if guess**degree != n:
            return None
        parts.append(guess)
    return Fraction(*parts)


def _whole_root(n: int, degree: int) -> int:
    low, high = 0, 1 << -(-n.bit_length() // degree)
    while low < high:
        middle = (low + high + 1) // 2
        if middle**degree <= n:
            low = middle
        else:
            high = middle - 1
    return low


def square_root(x: Number) -> Number:
    if sign(x) < 0:
        raise Undefined
    if isinstance(x, Fraction):
        exact = root(x, 2)
        if exact is not None:
            return exact
    return mp.sqrt(real(x))


def cube_root(x: Number) -> Number:
    s = sign(x)
    if isinstance(x, Fraction):
        exact = root(abs(x), 3)
        if exact is not None:
            return s * exact
    return s * mp.cbrt(abs(real(x)))


def power(x: Number, y: Number) -> Number:
    if isinstance(y, Fraction) and y.denominator == 1:
        return _whole_power(x, int(y))
    s = sign(x)
    if s == 0:
        if sign(y) > 0:
            return Fraction(0)
        raise Undefined
    if s < 0:
        # An inexact exponent may be a whole number.
        if isinstance(y, Fraction) or compare(y, mp.nint(y)):
            raise Undefined
        raise Unsure
    if isinstance(x, Fraction) and isinstance(y, Fraction) and y.denominator < 8 and abs(y.numerator) < 100:
        exact = root(x, y.denominator)
        if exact is not None:
            return short(exact**y.numerator)
    if isinstance(x, Fraction) and x == 1:
        return Fraction(1)
    return exponential(real(y) * mp.log(real(x)))


def _whole_power(x: Number, n: int) -> Number:
    if n == 0:
        return Fraction(1)
    if sign(x) == 0 and n < 0:
        raise Undefined
    if isinstance(x, Fraction):
        if max(x.numerator.bit_length(), x.denominator.bit_length()) * abs(n) < FRACTION_BITS:
            return x**n
        x = real(x)
    if abs(n) * abs(mp.mag(x)) > 1 << 4000:
        raise Unsure
    return x**n


def whole(x: Number, towards: Callable[[Number], Number]) -> Number:
    """floor, ceil or the like. Raises Unsure beside a whole number that is perhaps met."""
    if isinstance(x, Fraction):
        return Fraction(towards(x))
    if mp.mag(x) > 0.7 * mp.prec:
        raise Unsure
    if x == 0:
        raise Unsure
    near = mp.nint(x)
    if near:
        compare(x, near)
    near = mp.nint(2 * x)
    if near:
        compare(2 * x, near)  # the halves of round
    return Fraction(towards(Fraction(*to_rational(x._mpf_))))


def floor(x: Number) -> Number:
    return whole(x, math.floor)


def ceil(x: Number) -> Number:
    return whole(x, math.ceil)


def nearest(x: Number) -> Number:
    return whole(x, round)


def truncated(x: Number) -> Number:
    return whole(x, math.trunc)


def absolute(x: Number) -> Number:
    return abs(x)


def copysign(x: Number, y: Number) -> Number:
    s = sign(y)
    if s == 0:
        raise Unsure  # the sign of a zero
    return s * abs(x)


def heaviside(x: Number, h: Number) -> Number:
    return (Fraction(0), h, Fraction(1))[sign(x) + 1]


def greatest(*x: Number) -> Number:
    return _extreme(x, 1)


def least(*x: Number) -> Number:
    return _extreme(x, -1)


def _extreme(x: tuple[Number, ...], way: int) -> Number:
    """The greatest (way 1) or least. Numbers that nearly tie are the same for it, since its value is continuous."""
    best = x[0]
    for y in x[1:]:
        try:
            if compare(y, best) * way > 0:
                best = y
        except Unsure:
            pass
    return best


def hypotenuse(x: Number, y: Number) -> Number:
    return square_root(add(multiply(x, x), multiply(y, y)))


def angle(y: Number, x: Number) -> Number:
    t, s = sign(y), sign(x)
    if t == s == 0:
        raise Unsure  # a convention, no value
    if t == 0:
        return Fraction(0) if s > 0 else +mp.pi
    return mp.atan2(real(y), real(x))


def smooth(f: Callable[[Number], Number], **exact: int) -> Callable[[Number], Number]:
    """A function that is defined everywhere; ``zero``: its exact value at 0, ``one``: at 1."""

    def value(x: Number) -> Number:
        if isinstance(x, Fraction):
            if x == 0 and "zero" in exact:
                return Fraction(exact["zero"])
            if x == 1 and "one" in exact:
                return Fraction(exact["one"])
        return f(real(x))

    return value


def circular(f: Callable[[Number], Number], at_zero: int) -> Callable[[Number], Number]:
    def value(x: Number) -> Number:
        if isinstance(x, Fraction) and x == 0:
            return Fraction(at_zero)
        x = real(x)
        if mp.mag(x) > 0.5 * mp.prec:
            raise Unsure  # no digit of the angle is left
        return f(x)

    return value


def hyperbolic(f: Callable[[Number], Number], at_zero: int) -> Callable[[Number], Number]:
    def value(x: Number) -> Number:
        if isinstance(x, Fraction) and x == 0:
            return Fraction(at_zero)
        x = real(x)
        if mp.mag(x) > 4000:
            raise Unsure
        return f(x)

    return value


def _tanh(x: Number) -> Number:
    if abs(x) > mp.prec:
        return mp.sign(x) * (1 - 2 * mp.exp(-2 * abs(x)))
    return mp.tanh(x)


SIN, COS = circular(mp.sin, 0), circular(mp.cos, 1)
SINH, COSH, TANH = hyperbolic(mp.sinh, 0), hyperbolic(mp.cosh, 1), hyperbolic(_tanh, 0)


def over(f: Callable[[Number], Number]) -> Callable[[Number], Number]:
    """1/f."""
    return lambda x: divide(Fraction(1), f(x))


def quotient(f: Callable[[Number], Number], g: Callable[[Number], Number]) -> Callable[[Number], Number]:
    return lambda x: divide(f(x), g(x))


def of_inverse(f: Callable[[Number], Number]) -> Callable[[Number], Number]:
    """f(1/x)."""
    return lambda x: f(divide(Fraction(1), x))


def within(
    f: Callable[[Number], Number], low: int | None, high: int | None, strict: bool = False, **exact: int
) -> Callable[[Number], Number]:
    """A function of an interval, its ends included unless ``strict``."""
    inner = smooth(f, **exact)

    def value(x: Number) -> Number:
        for end, way in ((low, 1), (high, -1)):
            if end is not None:
                side = way * (sign(x) if end == 0 else compare(x, Fraction(end)))
                if side < 0 or (strict and side == 0):
                    raise Undefined
        return inner(x)

    return value


def softplus(x: Number) -> Number:
    x = real(x)
    if abs(x) > 2 * mp.prec:
        return max(x, mp.mpf(0)) + exponential(-abs(x))
    return mp.log1p(mp.exp(-abs(x))) + max(x, mp.mpf(0))


def sigmoid(x: Number) -> Number:
    if isinstance(x, Fraction) and x == 0:
        return Fraction(1, 2)
    return divide(Fraction(1), add(Fraction(1), exponential(-x)))


def logaddexp(x: Number, y: Number) -> Number:
    return add(y, softplus(subtract(x, y)))


def xlogy(x: Number, y: Number) -> Number:
    if sign(x) == 0:
        if sign(y) < 0:
            raise Unsure
        return Fraction(0)
    return multiply(x, logarithm(y))


def patched(f: Callable[[Number], Number]) -> Callable[[Number], Number]:
    """1 at 0."""
    return lambda x: Fraction(1) if sign(x) == 0 else f(x)


def sine_over(x: Number) -> Number:
    """sin(pi*x)/(pi*x), exactly 0 at whole numbers."""
    if isinstance(x, Fraction) and x.denominator == 1:
        return Fraction(0)
    if mp.mag(real(x)) > 0.5 * mp.prec:
        raise Unsure
    return mp.sinpi(real(x)) / (mp.pi * real(x))


def guarded_expm1(x: Number) -> Number:
    if isinstance(x, Fraction) and x == 0:
        return x
    x = real(x)
    if mp.mag(x) > 4000:
        raise Unsure
    return mp.expm1(x) if x > -mp.prec else -1 + mp.exp(x)


def log1mexp(x: Number) -> Number:
    if sign(x) >= 0:
        raise Undefined
    x = real(x)
    return mp.log(-guarded_expm1(x)) if x > -1 else mp.log1p(-exponential(x))


def logit(x: Number) -> Number:
    if sign(x) <= 0 or compare(x, Fraction(1)) >= 0:
        raise Undefined
    if isinstance(x, Fraction) and x == Fraction(1, 2):
        return Fraction(0)
    return mp.log(real(x)) - mp.log(real(1 - x))


def _scaled_tail(x: Number) -> Number:
    """exp(x**2)*erfc(x) for large x: DLMF 7.12.1."""
    total, term, m = mp.mpf(0), 1 / (x * mp.sqrt(mp.pi)), 0
    while mp.mag(term) > mp.mag(total or term) - mp.prec - 10 or not m:
        total += term
        m += 1
        term *= -(2 * m - 1) / (2 * x * x)
    return total


def erfc(x: Number) -> Number:
    if isinstance(x, Fraction) and x == 0:
        return Fraction(1)
    x = real(x)
    if x < -mp.prec:
        return 2 - erfc(-x)
    return exponential(-x * x) * _scaled_tail(x) if x > mp.prec else mp.erfc(x)


def erf(x: Number) -> Number:
    if isinstance(x, Fraction) and x == 0:
        return x
    x = real(x)
    return mp.sign(x) * (1 - erfc(abs(x))) if abs(x) > mp.prec else mp.erf(x)


def erfcx(x: Number) -> Number:
    if isinstance(x, Fraction) and x == 0:
        return Fraction(1)
    x = real(x)
    return _scaled_tail(x) if x > mp.prec else exponential(x * x) * erfc(x)


def erfinv(x: Number) -> Number:
    if compare(abs(x), Fraction(1)) >= 0:
        raise Undefined
    if isinstance(x, Fraction) and x == 0:
        return x
    x = real(x)
    if 1 - abs(x) < mp.mpf(10) ** -40:
        raise Unsure
    prec = mp.prec
    with mp.workprec(60):
        y = mp.erfinv(+x) if mp.mag(x) > -40 else x * mp.sqrt(mp.pi) / 2
    digits = 40
    while digits < 2 * prec + 80:
        # Newton doubles the digits of each round.
        digits *= 2
        with mp.workprec(min(digits, prec) + 40):
            y -= (mp.erf(y) - x) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
    return +y


def normcdf(x: Number) -> Number:
    return Fraction(1, 2) if isinstance(x, Fraction) and x == 0 else erfc(-real(x) / mp.sqrt(2)) / 2


def normpdf(x: Number) -> Number:
    x = real(x)
    return exponential(-x * x / 2) / mp.sqrt(2 * mp.pi)


def moderate(x: Number, bound: int = 1000) -> Number:
    """The mpf of an argument that mpmath's series bear."""
    x = real(x)
    if abs(x) > bound:
        raise Unsure
    return x


def no_pole(x: Number) -> Number:
    """The argument of gamma, which has poles at 0, -1, -2 ..."""
    if isinstance(x, Fraction):
        if x <= 0 and x.denominator == 1:
            raise Undefined
    elif x < mp.mpf("0.5"):
        near = mp.nint(x)
        if (near and compare(x, near) == 0) or x == 0:
            raise Unsure
    return moderate(x, 300)


def factor(x: Number) -> Number:
    """gamma, by Stirling's series after the recurrence, by reflection below 1/2 (DLMF 5.5.3): near a pole the
    distance to it stays exact.
    """
    if isinstance(x, Fraction) and x.denominator == 1 and 0 < x < 100:
        return Fraction(math.factorial(int(x) - 1))
    no_pole(x)
    if real(x) < 0.5:
        near = math.floor(x) if isinstance(x, Fraction) else int(mp.floor(x))
        turn = mp.sin(mp.pi * real(x - near)) * (-1) ** near
        return mp.pi / (turn * mp.gamma(real(1 - x)))
    return mp.gamma(real(x))


def lgamma(x: Number) -> Number:
    if isinstance(x, Fraction) and x in (1, 2):
        return Fraction(0)
    return mp.log(abs(real(factor(x))))


def polygamma(n: int, x: Number) -> Number:
    """By the recurrence and the asymptotic series (DLMF 5.15.8), by reflection of digamma alone."""
    z = no_pole(x)
    if z < 0.5 and n == 0:
        near = math.floor(x) if isinstance(x, Fraction) else int(mp.floor(x))
        return polygamma(0, 1 - x) - mp.pi / mp.tan(mp.pi * real(x - near))
    total = mp.mpf(0)
    while z < mp.prec / 8 + 10:
        total += mp.log(z) * 0 - 1 / z if n == 0 else (-1) ** (n + 1) * mp.factorial(n) / z ** (n + 1)
        z += 1
    if n == 0:
        total += mp.log(z) - 1 / (2 * z)
    else:
        total += (-1) ** (n + 1) * (mp.factorial(n - 1) / z**n + mp.factorial(n) / (2 * z ** (n + 1)))
    m = 1
    while True:
        term = bernoulli(2 * m) * mp.factorial(2 * m + n - 1) / (mp.factorial(2 * m) * z ** (2 * m + n))
        total += (-1) ** (n + 1) * term if n else -term
        if mp.mag(term) < mp.mag(total) - mp.prec - 10:
            return total
        m += 1


def beta(x: Number, y: Number) -> Number:
    if sign(x) <= 0 or sign(y) <= 0:
        raise Unsure
    return divide(multiply(factor(x), factor(y)), factor(add(x, y)))


def betaln(x: Number, y: Number) -> Number:
    return logarithm(beta(x, y))


def betainc(a: Number, b: Number, x: Number) -> Number:
    if sign(a) <= 0 or sign(b) <= 0 or sign(x) < 0 or compare(x, Fraction(1)) > 0:
        raise Undefined
    if isinstance(x, Fraction) and x in (0, 1):
        return x
    return mp.betainc(moderate(a, 50), moderate(b, 50), 0, real(x), regularized=True)


def lower_gamma(a: Number, x: Number) -> Number:
    """P(a, x), by DLMF 8.7.1."""
    if sign(a) <= 0 or sign(x) < 0:
        raise Undefined
    if sign(x) == 0:
        return Fraction(0)
    a, x = moderate(a, 100), moderate(x, 1000)
    total = term = 1 / a
    m = 0
    while mp.mag(term) > mp.mag(total) - mp.prec - 10:
        m += 1
        term *= x / (a + m)
        total += term
    return exponential(a * mp.log(x) - x) * total / mp.gamma(a)


def upper_gamma(a: Number, x: Number) -> Number:
    if sign(a) <= 0 or sign(x) < 0:
        raise Undefined
    if isinstance(a, Fraction) and a.denominator == 1 and a < 100:
        # DLMF 8.4.8
        rest, term = mp.mpf(1), mp.mpf(1)
        for k in range(1, int(a)):
            term *= real(x) / k
            rest += term
        return rest * exponential(-real(x))
    with mp.workprec(mp.prec + (int(3 * real(x)) if real(x) < 1000 else 0)):
        return subtract(Fraction(1), lower_gamma(a, x))


def bessel(kind: str) -> Callable[[int | Number, Number], Number]:
    function = {"j": mp.besselj, "y": mp.bessely, "i": mp.besseli, "k": mp.besselk}[kind]

    def value(n: Number, x: Number) -> Number:
        n = Fraction(n) if not isinstance(n, Fraction) else n
        fractional = n.denominator != 1
        s = sign(x)
        if (kind in "yk" and s <= 0) or (fractional and s < 0):
            raise Undefined
        if s == 0:
            if n < 0 and fractional:
                raise Undefined
            return Fraction(1 if n == 0 else 0)
        return function(real(n) if fractional else int(n), moderate(x, 1000))

    return value


def airy(second: bool, derivative: int) -> Callable[[Number], Number]:
    function = mp.airybi if second else mp.airyai
    return lambda x: function(moderate(x, 100), derivative=derivative) if derivative else function(moderate(x, 100))


def lambertw(branch: int) -> Callable[[Number], Number]:
    def value(x: Number) -> Number:
        if branch and sign(x) >= 0:
            raise Undefined
        if isinstance(x, Fraction) and x == 0:
            return x
        if compare(x, -mp.exp(-1)) < 0:
            raise Undefined
        if mp.mag(real(x)) < -200 and not branch:
            # mpmath's start is poor there; a fixed point of w = x*exp(-w) converges by the digits of x a round
            w = real(x)
            for _ in range(mp.prec // 200 + 3):
                w = real(x) * mp.exp(-w)
            return w
        return mp.re(mp.lambertw(moderate(x, 10**6), branch))

    return value


ROWS: dict[str, Callable[..., Number]] = {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "div": divide,
    "neg": lambda x: -x,
    "power": power,
    "mod": lambda x, y: subtract(x, multiply(y, floor(divide(x, y)))),
    "fmod": lambda x, y: subtract(x, multiply(y, truncated(divide(x, y)))),
    "floordiv": lambda x, y: floor(divide(x, y)),
    "truncdiv": lambda x, y: truncated(divide(x, y)),
    "defined": lambda x, y: y,
    "sqrt": square_root,
    "cbrt": cube_root,
    "exp": exponential,
    "exp2": lambda x: power(Fraction(2), x),
    "expm1": guarded_expm1,
    "log": logarithm,
    "log2": lambda x: divide(logarithm(x), +mp.ln2),
    "log10": lambda x: divide(logarithm(x), +mp.ln10),
    "log1p": within(mp.log1p, -1, None, strict=True, zero=0),
    "log1mexp": log1mexp,
    "logaddexp": logaddexp,
    "softmax": lambda x, y: sigmoid(subtract(x, y)),
    "xlogy": xlogy,
    "xdivy": lambda x, y: Fraction(0) if sign(x) == 0 else divide(x, y),
    "sin": SIN,
    "cos": COS,
    "tan": quotient(SIN, COS),
    "sec": over(COS),
    "csc": over(SIN),
    "cot": quotient(COS, SIN),
    "asin": within(mp.asin, -1, 1, zero=0),
    "acos": within(mp.acos, -1, 1, one=0),
    "atan": smooth(mp.atan, zero=0),
    "atan2": angle,
    "hypot": hypotenuse,
    "direction": lambda x, y: divide(x, hypotenuse(x, y)),
    "asec": of_inverse(within(mp.acos, -1, 1, one=0)),
    "acsc": of_inverse(within(mp.asin, -1, 1, zero=0)),
    "acot": of_inverse(smooth(mp.atan, zero=0)),
    "sinh": SINH,
    "cosh": COSH,
    "tanh": TANH,
    "sech": over(COSH),
    "csch": over(SINH),
    "coth": over(TANH),
    "asinh": smooth(lambda x: mp.sign(x) * mp.asinh(abs(x)), zero=0),
    "acosh": within(mp.acosh, 1, None, one=0),
    "atanh": within(mp.atanh, -1, 1, strict=True, zero=0),
    "asech": of_inverse(within(mp.acosh, 1, None, one=0)),
    "acsch": of_inverse(smooth(lambda x: mp.sign(x) * mp.asinh(abs(x)), zero=0)),
    "acoth": of_inverse(within(mp.atanh, -1, 1, strict=True, zero=0)),
    "sigmoid": sigmoid,
    "softplus": softplus,
    "logit": logit,
    "abs": absolute,
    "sign": lambda x: Fraction(sign(x)),
    "floor": floor,
    "ceil": ceil,
    "round": nearest,
    "trunc": truncated,
    "min": least,
    "max": greatest,
    "clip": lambda x, a, b: least(greatest(x, a), b),
    "copysign": copysign,
    "fma": lambda x, y, z: add(multiply(x, y), z),
    "heaviside": heaviside,
    "relu": lambda x: greatest(x, Fraction(0)),
    "sinc": patched(sine_over),
    "sinhc": patched(quotient(SINH, lambda x: x)),
    "exprel": patched(quotient(guarded_expm1, lambda x: x)),
    "normcdf": normcdf,
    "normpdf": normpdf,
    "erf": erf,
    "erfc": erfc,
    "erfcx": erfcx,
    "erfinv": erfinv,
    "gamma": factor,
    "lgamma": lgamma,
    "digamma": lambda x: polygamma(0, x),
    "factorial": lambda x: factor(add(x, Fraction(1))),
    "beta": beta,
    "betaln": betaln,
    "betainc": betainc,
    "gammainc": lower_gamma,
    "gammaincc": upper_gamma,
    "jv": bessel("j"),
    "yv": bessel("y"),
    "iv": bessel("i"),
    "kv": bessel("k"),
    "airyai": airy(False, 0),
    "airyaiprime": airy(False, 1),
    "airybi": airy(True, 0),
    "airybiprime": airy(True, 1),
    "lambertw": lambertw(0),
    "lambertw_low": lambertw(-1),
}
FAMILIES: dict[str, Callable[..., Number]] = {
    "polygamma": polygamma,
    "besselj": bessel("j"),
    "bessely": bessel("y"),
    "besseli": bessel("i"),
    "besselk": bessel("k"),
}
"""Rows with an integer parameter, which comes first."""
COMPARED: dict[str, Callable[[int], bool]] = {
    "lt": lambda s: s < 0,
    "le": lambda s: s <= 0,
    "gt": lambda s: s > 0,
    "ge": lambda s: s >= 0,
    "eq": lambda s: s == 0,
    "ne": lambda s: s != 0,
}
CONSTANTS = {"pi": lambda: +mp.pi, "e": lambda: +mp.e, "tau": lambda: 2 * mp.pi}
HEAVY = frozenset({
    *FAMILIES, "jv", "yv", "iv", "kv", "airyai", "airyaiprime", "airybi", "airybiprime", "lambertw", "lambertw_low",
    "gamma", "lgamma", "digamma", "factorial", "beta", "betaln", "betainc", "gammainc", "gammaincc", "erf", "erfc",
    "erfcx", "erfinv", "normcdf",
})  # fmt: skip
"""Rows whose values take long at a thousand digits."""
FAST = frozenset({"sin", "cos", "tan", "sec", "csc", "cot", "sinc", "floor", "ceil", "round", "trunc", "mod", "fmod"})
"""Rows that may change without end towards a point where their argument is infinite."""


class Evaluator:
    """Values of one expression at the working precision; ``wild`` once a row of FAST met a large argument."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.wild = False

    def at(self, point: Mapping[str, Number]) -> Number:
        """Raises Undefined or Unsure."""
        try:
            value = self._value(self.root, point, {})
        except (NoConvergence, OverflowError, MemoryError, ZeroDivisionError, ValueError, RecursionError) as error:
            raise Unsure from error
        if isinstance(value, bool) or (not isinstance(value, Fraction) and not mp.isfinite(value)):
            raise Unsure
        return value

    def _value(self, e: Any, point: Mapping[str, Number], memo: dict[Any, Any]) -> Any:
        if e in memo:
            return memo[e]
        memo[e] = value = self._step(e, point, memo)
        return value

    def _step(self, e: Any, point: Mapping[str, Number], memo: dict[Any, Any]) -> Any:
        if e.op == "var":
            return point[e.value]
        if e.op == "const":
            if isinstance(e.value, Fraction):
                return e.value
            raise Unsure  # inf, nan, -0.0
        if e.op == "constant":
            return CONSTANTS[e.value]()
        if e.op in ("where", "and", "or"):
            first = self._value(e.args[0], point, memo)
            if e.op == "where":
                return self._value(e.args[1 if first else 2], point, memo)
            return self._value(e.args[1], point, memo) if first is (e.op == "and") else first
        if e.op in COMPARED:
            try:
                args = [self._value(a, point, memo) for a in e.args]
            except Undefined as error:
                raise Unsure from error  # what a comparison of nothing answers is a convention
            return COMPARED[e.op](0 if e.args[0] is e.args[1] else compare(*args))
        args = [self._value(a, point, memo) for a in e.args]
        if e.op == "not":
            return not args[0]
        if e.op in FAST:
            reach = real(args[0])
            if e.op in ("mod", "fmod") and sign(args[1]):
                reach /= real(args[1])
            self.wild = self.wild or bool(abs(reach) > 20)
        if e.op in FAMILIES:
            return FAMILIES[e.op](e.value, *args)
        if e.op not in ROWS:
            raise Unsure
        value = ROWS[e.op](*args)
        if isinstance(value, mp.mpc):
            raise Unsure
        return value
