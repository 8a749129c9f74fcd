"""What every function of the table truly is: values and all partial derivatives by mpmath, and how far a double is off.

Each reference works on exact doubles with as many bits as the point needs, mostly as truncated power series from
closed forms or from the differential equation of the function; nothing is a finite difference. Every answer is
computed at two precisions and believed only where they agree. Must not know gradcli: a reference that imports what
it judges proves nothing.
"""

from __future__ import annotations

import itertools
import math
import random
import struct
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from mpmath import bernoulli, mp

Number = Any
"""An mpf: mpmath says little about its types."""
Series = list[Number]
"""Taylor coefficients c[0..k] around the point."""
Index = tuple[int, ...]
"""How often each argument is differentiated."""
Partials = dict[Index, Number]
"""Every partial derivative by index; None where there is none (the edge of a domain)."""
Point = tuple[float, ...]
Parameter = int | tuple[float, ...] | None
"""The integer parameter of a row, or leading arguments that are held constant."""
Interval = tuple[float, float]
"""Closed, in doubles."""

ORDER = 4
TOP = ORDER + 1  # the conditioning of an order needs the next one
LARGEST = math.nextafter(math.inf, 0)
LEAST = math.nextafter(0, 1)
DIGITS = 110  # bits that two precisions must share, about 33 decimal digits
NEAR = 8  # a zero is near within 1/8 of the length over which a function changes
GONE = -1300  # a number below 2**GONE is 0 as a double, whatever is done to it


def indices(arguments: int, order: int) -> list[Index]:
    """All multi-indices of one total order, lexicographic by argument: (2, 0), (1, 1), (0, 2)."""
    return sorted((k for k in itertools.product(range(order + 1), repeat=arguments) if sum(k) == order), reverse=True)


# Power series. fdot sums exactly and rounds once, so only true cancellation costs digits.


def _times(a: Series, b: Series) -> Series:
    return [mp.fdot(zip(a[: k + 1], b[k::-1], strict=True)) for k in range(len(a))]


def _over(a: Series, b: Series) -> Series:
    c: Series = []
    for k in range(len(a)):
        c.append((a[k] - mp.fdot((b[j], c[k - j]) for j in range(1, k + 1))) / b[0])
    return c


def _raised(u: Series, power: Number, head: Number) -> Series:
    """u**power, given its value."""
    c = [head]
    for k in range(1, len(u)):
        c.append(mp.fdot(((power * j - (k - j)) * u[j], c[k - j]) for j in range(1, k + 1)) / (k * u[0]))
    return c


def _exp(u: Series) -> Series:
    c = [mp.exp(u[0])]
    for k in range(1, len(u)):
        c.append(mp.fdot((j * u[j], c[k - j]) for j in range(1, k + 1)) / k)
    return c


def _integral(value: Number, slope: Series) -> Series:
    return [value, *[c / (k + 1) for k, c in enumerate(slope[:-1])]]


def _line(x: Number, step: Number = 1) -> Series:
    return [x, mp.mpf(step), *[mp.mpf(0)] * (TOP - 1)]


def _parabola(constant: Number, factor: int, x: Number) -> Series:
    """constant + factor*x**2, around x."""
    return [constant + factor * x * x, 2 * factor * x, mp.mpf(factor), *[mp.mpf(0)] * (TOP - 2)]


def _exp_line(head: Number, rate: Number) -> Series:
    """head * exp(rate*h)."""
    return [head * mp.mpf(rate) ** k / math.factorial(k) for k in range(TOP + 1)]


def _scaled(a: Series, factor: Number) -> Series:
    return [factor * c for c in a]


def _plus_one(a: Series) -> Series:
    return [1 + a[0], *a[1:]]


# Functions of one argument.


def _binomial(x: Number, power: Number, head: Number) -> Series:
    """(x+h)**power for a constant power."""
    c = [head]
    for k in range(1, TOP + 1):
        c.append(c[-1] * (power - k + 1) / k / x)
    return c


def _sqrt(x: Number) -> Series:
    return _binomial(x, mp.mpf(1) / 2, mp.sqrt(x))


def _cbrt(x: Number) -> Series:
    return _binomial(x, mp.mpf(1) / 3, mp.sign(x) * mp.cbrt(abs(x)))


def _logarithm(value: Number, x: Number, factor: Number) -> Series:
    return [value, *[-factor * (-1 / x) ** k / k for k in range(1, TOP + 1)]]


def _circle(x: Number, sine: bool) -> Series:
    s, c = mp.sin(x), mp.cos(x)
    turns = [s, c, -s, -c] if sine else [c, -s, -c, s]
    return [turns[k % 4] / math.factorial(k) for k in range(TOP + 1)]


def _circle_pi(x: Number, sine: bool) -> Series:
    """sin(pi*x) or cos(pi*x), exact at whole and half numbers."""
    s, c = mp.sinpi(x), mp.cospi(x)
    turns = [s, c, -s, -c] if sine else [c, -s, -c, s]
    return [turns[k % 4] * mp.pi**k / math.factorial(k) for k in range(TOP + 1)]


def _hyperbola(x: Number, sine: bool) -> Series:
    turns = [mp.sinh(x), mp.cosh(x)] if sine else [mp.cosh(x), mp.sinh(x)]
    return [turns[k % 2] / math.factorial(k) for k in range(TOP + 1)]


def _unit() -> Series:
    return [mp.mpf(1), *[mp.mpf(0)] * TOP]


def _mirrored(at: Callable[[Number], Series], odd: bool) -> Callable[[Number], Series]:
    """An odd or even function from its half x >= 0; its vanishing coefficients at 0 are exactly 0."""

    def series(x: Number) -> Series:
        c = at(abs(x))
        sign = [(-1) ** (k + odd) if x < 0 else 1 for k in range(len(c))]
        return [mp.mpf(0) if x == 0 and (k + odd) % 2 else s * v for k, (s, v) in enumerate(zip(sign, c, strict=True))]

    return series


def _tanh(x: Number) -> Series:
    v = _exp_line(mp.exp(-2 * x), -2)
    c = _scaled(_over(v, _plus_one(v)), -2)
    return [mp.tanh(x), *c[1:]]


def _coth(x: Number) -> Series:
    v = _exp_line(mp.exp(-2 * x), -2)
    c = _scaled(_over(v, _plus_one(_scaled(v, -1))), 2)
    return [1 / mp.tanh(x), *c[1:]]


def _sech(x: Number) -> Series:
    v = _exp_line(mp.exp(-x), -1)
    return _scaled(_over(v, _plus_one(_times(v, v))), 2)


def _csch(x: Number) -> Series:
    v = _exp_line(mp.exp(-x), -1)
    return _scaled(_over(v, _plus_one(_scaled(_times(v, v), -1))), 2)


def _inverse_root(constant: int, factor: int, x: Number) -> Series:
    u = _parabola(mp.mpf(constant), factor, x)
    return _raised(u, -mp.mpf(1) / 2, 1 / mp.sqrt(u[0]))


def _reciprocal_root(constant: int, factor: int, x: Number) -> Series:
    """1/(|x|*sqrt(constant + factor*x**2))"""
    return _scaled(_times(_binomial(x, mp.mpf(-1), 1 / x), _inverse_root(constant, factor, x)), mp.sign(x))


def _edge(value: Number, slope: Callable[[], Series]) -> Series:
    """A function whose slope is infinite where its domain ends: there only the value is known."""
    try:
        return _integral(value, slope())
    except ZeroDivisionError:
        return [value, *[None] * TOP]


def _sinc(x: Number) -> Series:
    if abs(x) > 4:
        return _over(_scaled(_circle_pi(x, True), 1 / mp.pi), _line(x))
    c = [mp.mpf(0)] * (TOP + 1)
    m, term = 0, mp.mpf(1)
    while m < 20 or abs(term) * abs(mp.mpf(4)) ** m > mp.ldexp(1, -mp.prec - 40):
        for k in range(min(m, TOP) + 1):
            c[k] += term * math.comb(m, k) * x ** (m - k)
        term *= -(mp.pi**2) / ((m + 2) * (m + 3))
        m += 2
    return c


def _sinhc(x: Number) -> Series:
    if abs(x) > 4:
        return _over(_hyperbola(x, True), _line(x))
    c = [mp.mpf(0)] * (TOP + 1)
    m, term = 0, mp.mpf(1)
    while m < 20 or term * mp.mpf(4) ** m > mp.ldexp(1, -mp.prec - 40):
        for k in range(min(m, TOP) + 1):
            c[k] += term * math.comb(m, k) * x ** (m - k)
        term /= (m + 2) * (m + 3)
        m += 2
    return c


def _sigmoid(x: Number) -> Series:
    v = _exp_line(mp.exp(-abs(x)), -1)
    c = _over(_unit(), _plus_one(v))
    if x == 0:
        c = [c[0], *[mp.mpf(0) if k % 2 == 0 else c[k] for k in range(1, TOP + 1)]]
    if x < 0:
        c = [v[0] * c[0], *[c[k] * (-1) ** (k + 1) for k in range(1, TOP + 1)]]
    return c


def _softplus(x: Number) -> Series:
    return _integral(max(x, mp.mpf(0)) + mp.log1p(mp.exp(-abs(x))), _sigmoid(x))


def _erf(x: Number, value: Number, sign: int) -> Series:
    u = _scaled(_parabola(mp.mpf(0), 1, x), -1)
    return _integral(value, _scaled(_exp(u), sign * 2 / mp.sqrt(mp.pi)))


def _erfc(x: Number) -> Number:
    # mpmath gives up on arguments where the result is far below every double: there its leading term will do.
    return mp.erfc(x) if x < 1e4 else mp.exp(-x * x) / (x * mp.sqrt(mp.pi))


def _erfcx(x: Number) -> Series:
    """Up to 100 from erfc and the differential equation y' = 2*x*y - 2/sqrt(pi); beyond, the asymptotic series."""
    if x < 100:
        with mp.workprec(mp.prec + 40 * TOP):
            c = [mp.exp(x * x) * mp.erfc(x)]
            for k in range(TOP):
                last = c[k - 1] if k else 1 / mp.sqrt(mp.pi) * -1
                c.append(2 * (x * c[k] + last) / (k + 1))
        return [+v for v in c]
    c = [mp.mpf(0)] * (TOP + 1)
    m, term = 0, 1 / (x * mp.sqrt(mp.pi))
    while not c[0] or abs(term) > c[0] * mp.ldexp(1, -mp.prec - 10):
        for k in range(TOP + 1):
            # x**-(2*m + 1) around x
            c[k] += term * math.comb(2 * m + k, k) * (-1 / x) ** k
        m += 1
        term *= -(2 * m - 1) / (2 * x * x)
    return c


def _normpdf(x: Number) -> Series:
    return _scaled(_exp(_scaled(_parabola(mp.mpf(0), 1, x), -mp.mpf(1) / 2)), 1 / mp.sqrt(2 * mp.pi))


def _normcdf(x: Number) -> Series:
    return _integral(_erfc(-x / mp.sqrt(2)) / 2, _normpdf(x))


def _exprel(x: Number) -> Series:
    if abs(x) > 4:
        return _over([mp.expm1(x), *_exp_line(mp.exp(x), 1)[1:]], _line(x))
    c = [mp.mpf(0)] * (TOP + 1)
    m, term = 0, mp.mpf(1)
    while m < 20 or term * mp.mpf(4) ** m > mp.ldexp(1, -mp.prec - 40):
        for k in range(min(m, TOP) + 1):
            c[k] += term * math.comb(m, k) * x ** (m - k)
        m += 1
        term /= m + 1
    return c


def _logit(x: Number) -> Series:
    slope = [(-1 / x) ** k / x + (1 / (1 - x)) ** (k + 1) for k in range(TOP + 1)]
    return _integral(mp.log(x) - mp.log1p(-x), slope)


def _log1mexp(x: Number) -> Series:
    grown = _exp_line(mp.exp(x), 1)
    value = mp.log(-mp.expm1(x)) if x > -1 else mp.log1p(-grown[0])
    return _integral(value, _over(grown, [mp.expm1(x), *grown[1:]]))


def _lambertw(x: Number) -> Series:
    c = [mp.re(mp.lambertw(x))]
    for k in range(TOP):
        padded = [*c, *[mp.mpf(0)] * (TOP + 1 - len(c))]
        c.append(_over(_exp(_scaled(padded, -1)), _plus_one(padded))[k] / (k + 1))
    return c


def _airy(second: bool, prime: bool) -> Callable[[Number], Series]:
    """From y'' = x*y."""

    def series(x: Number) -> Series:
        f = mp.airybi if second else mp.airyai
        c = [f(x), f(x, derivative=1)]
        for k in range(TOP):
            c.append((x * c[k] + (c[k - 1] if k else 0)) / ((k + 2) * (k + 1)))
        return [c[k + 1] * (k + 1) for k in range(TOP + 1)] if prime else c[: TOP + 1]

    return series


def _erfinv(x: Number) -> Series:
    y = mp.mpf(0)
    if x:
        # Newton on log-free ground: start in double, double the digits.
        with mp.workprec(53):
            y = x * mp.sqrt(mp.pi) / 2 if abs(x) < 1e-5 else _rough_erfinv(x)
        while True:
            step = (mp.erf(y) - x if abs(x) < 0.5 else mp.sign(x) * ((1 - abs(x)) - mp.erfc(abs(y)))) / (
                2 / mp.sqrt(mp.pi) * mp.exp(-y * y)
            )
            y -= step
            if abs(step) <= abs(y) * mp.ldexp(1, -(mp.prec // 2) - 8):
                break
    c = [y]
    for k in range(TOP):
        padded = [*c, *[mp.mpf(0)] * (TOP + 1 - len(c))]
        w = _exp(_times(padded, padded))[k]
        c.append(mp.sqrt(mp.pi) / 2 * w / (k + 1))
    return c


def _rough_erfinv(x: Number) -> Number:
    tail = mp.log((1 - abs(x)) * (1 + abs(x)))
    first = 2 / (mp.pi * mp.mpf("0.147")) + tail / 2
    return mp.sign(x) * mp.sqrt(mp.sqrt(first * first - tail / mp.mpf("0.147")) - first)


def _psi(x: Number, count: int) -> Series:
    """Taylor coefficients 0..count of digamma: by reflection, recurrence and the asymptotic series."""
    if x < -0.5:
        s, c = mp.sinpi(x), mp.cospi(x)
        turns = [mp.pi**k / math.factorial(k) for k in range(count + 1)]
        sine = [t * [s, c, -s, -c][k % 4] for k, t in enumerate(turns)]
        cosine = [t * [c, -s, -c, s][k % 4] for k, t in enumerate(turns)]
        other = _psi(1 - x, count)
        cot = _over(cosine, sine)
        return [(-1) ** k * other[k] - mp.pi * cot[k] for k in range(count + 1)]
    result = [mp.mpf(0)] * (count + 1)
    z = x
    while z < mp.prec / 8 + 10:
        power = 1 / z
        for k in range(count + 1):
            result[k] -= power
            power /= -z
        z += 1
    inverse = 1 / z
    result[0] += mp.log(z)
    for k in range(1, count + 1):
        result[k] -= (-inverse) ** k / k
    head = -inverse / 2
    for k in range(count + 1):
        result[k] += head
        head *= -inverse
    m = 1
    while True:
        head = -bernoulli(2 * m) / (2 * m) * inverse ** (2 * m)
        done = True
        for k in range(count + 1):
            term = head * math.comb(2 * m - 1 + k, k) * (-inverse) ** k
            result[k] += term
            done = done and abs(term) <= abs(result[k]) * mp.ldexp(1, -mp.prec - 10)
        if done:
            return result
        m += 1


def _gamma(x: Number) -> Series:
    psi = _psi(x, TOP)
    c = [mp.gamma(x)]
    for k in range(1, TOP + 1):
        c.append(mp.fdot((psi[j - 1], c[k - j]) for j in range(1, k + 1)) / k)
    return c


def _lgamma(x: Number) -> Series:
    value = mp.log(abs(mp.gamma(x))) if abs(x) < 1000 else mp.re(mp.loggamma(x))
    return _integral(value, _psi(x, TOP))


def _polygamma(n: int, x: Number) -> Series:
    psi = _psi(x, n + TOP)
    return [psi[n + k] * math.factorial(n + k) / math.factorial(k) for k in range(TOP + 1)]


def _log_beta(x: Number, y: Number) -> Partials:
    first, second, both = _psi(x, TOP), _psi(y, TOP), _psi(mp.fadd(x, y, exact=True), TOP)
    result: Partials = {(0, 0): mp.loggamma(x) + mp.loggamma(y) - mp.loggamma(mp.fadd(x, y, exact=True))}
    for n in range(1, TOP + 1):
        for i, j in indices(2, n):
            own = 0 if i and j else first[n - 1] if i else second[n - 1]
            result[i, j] = (own - both[n - 1]) * math.factorial(n - 1)
    return result


def _beta(x: Number, y: Number) -> Partials:
    log = _log_beta(x, y)
    result: Partials = {(0, 0): mp.exp(log[0, 0])}
    for n in range(1, TOP + 1):
        for i, j in indices(2, n):
            a, b = (i - 1, j) if i else (i, j - 1)
            result[i, j] = mp.fsum(
                math.comb(a, p) * math.comb(b, q) * log[p + i - a, q + j - b] * result[a - p, b - q]
                for p in range(a + 1)
                for q in range(b + 1)
            )
    return result


def _betainc(shape: tuple[float, float], x: Number) -> Series:
    a, b = map(mp.mpf, shape)
    left = _binomial(x, a - 1, x ** (a - 1))
    right = _binomial(1 - x, b - 1, (1 - x) ** (b - 1))
    density = _times(left, [(-1) ** k * c for k, c in enumerate(right)])
    return _integral(mp.betainc(a, b, 0, x, regularized=True), _scaled(density, 1 / mp.beta(a, b)))


def _gammainc(upper: bool) -> Callable[[tuple[float], Number], Series]:
    def series(shape: tuple[float], x: Number) -> Series:
        a = mp.mpf(shape[0])
        density = _times(_binomial(x, a - 1, x ** (a - 1)), _exp_line(mp.exp(-x), -1))
        value = mp.gammainc(a, x if upper else 0, mp.inf if upper else x, regularized=True)
        return _integral(value, _scaled(density, (-1 if upper else 1) / mp.gamma(a)))

    return series


# Bessel functions of whole order: power series near, Hankel's expansion far; all orders n-TOP .. n+TOP at once.


def _bessel_power(m: int, x: Number, sign: int) -> Number:
    """J_m (sign -1) or I_m (sign 1) for m >= 0."""
    half = x / 2
    term = half**m / math.factorial(m)
    total, k = term, 0
    while term and (abs(term) > abs(total) * mp.ldexp(1, -mp.prec - 10) or k < abs(x)):
        k += 1
        term *= sign * half * half / (k * (k + m))
        total += term
    return total


def _bessel_second(m: int, x: Number, sign: int) -> Number:
    """Y_m (sign -1) or K_m (sign 1) for m = 0 or 1, x > 0."""
    half = x / 2
    first = _bessel_power(m, x, sign)
    digamma = -2 * mp.euler + m
    term = half**m
    total, k = digamma * term, 0
    while abs(term * digamma) > abs(total) * mp.ldexp(1, -mp.prec - 10) or k < x + 5:
        k += 1
        term *= sign * half * half / (k * (k + m))
        digamma += mp.mpf(1) / k + mp.mpf(1) / (k + m)
        total += digamma * term
    head = 1 / half if m else mp.mpf(0)
    if sign < 0:
        return (2 * mp.log(half) * first - head - total) / mp.pi
    return head / 2 + (-1) ** (m + 1) * mp.log(half) * first + (-1) ** m * total / 2


def _hankel(m: int, x: Number, kind: str) -> Number:
    parts = [mp.mpf(0)] * 4  # sums of a_k / x**k by k mod 4
    term, k = mp.mpf(1), 0
    while k < 2 * m + 4 or abs(term) > mp.ldexp(1, -mp.prec - 10):
        parts[k % 4] += term
        k += 1
        term *= mp.mpf(4 * m * m - (2 * k - 1) ** 2) / (8 * k) / x
    a, b, c, d = parts
    if kind == "i":
        return mp.exp(x) / mp.sqrt(2 * mp.pi * x) * (a - b + c - d)
    if kind == "k":
        return mp.exp(-x) * mp.sqrt(mp.pi / (2 * x)) * (a + b + c + d)
    # cos and sin of x - m*pi/2 - pi/4, the quarter turns exact
    s, co = mp.sin(x), mp.cos(x)
    turns = [(co, s), (s, -co), (-co, -s), (-s, co)][m % 4]
    cosine, sine = (turns[0] + turns[1]) / mp.sqrt(2), (turns[1] - turns[0]) / mp.sqrt(2)
    even, odd = a - c, b - d
    scale = mp.sqrt(2 / (mp.pi * x))
    return scale * (cosine * even - sine * odd if kind == "j" else sine * even + cosine * odd)


def _bessel(kind: str) -> Callable[[int, Number], Series]:
    circular = kind in "jy"

    def series(n: int | tuple[float], x: Number) -> Series:
        if isinstance(n, tuple):
            return _real_bessel(kind, mp.mpf(n[0]), x)
        size = abs(x)
        top = abs(n) + TOP
        value: dict[int, Number] = {}
        with mp.workprec(mp.prec + 40 + (int(3 * size) if size < mp.prec else 0)):
            if size > 0.4 * mp.prec + top * top + 40:
                value = {m: _hankel(m, size, kind) for m in range(top + 1)}
            elif kind in "ji":
                value = {m: _bessel_power(m, size, -1 if circular else 1) for m in range(top + 1)}
            else:
                value = {m: _bessel_second(m, size, -1 if circular else 1) for m in (0, 1)}
                for m in range(1, top):
                    value[m + 1] = 2 * m / size * value[m] + (-1 if circular else 1) * value[m - 1]
            for m in range(1, top + 1):
                value[-m] = (-1) ** m * value[m] if circular else value[m]
            result = []
            for k in range(TOP + 1):
                terms = ((math.comb(k, i) * ((-1) ** i if circular else 1), value[n - k + 2 * i]) for i in range(k + 1))
                total = mp.fdot(terms) / (2**k * math.factorial(k)) * ((-1) ** k if kind == "k" else 1)
                result.append(total * ((-1) ** (n + k) if x < 0 else 1))
        return [+c for c in result]

    return series


def _real_power(order: Number, x: Number, sign: int) -> Number:
    """J (sign -1) or I (sign 1) of any order."""
    half = x / 2
    term = half**order * mp.rgamma(order + 1)
    total, k = term, 0
    while abs(term) > abs(total) * mp.ldexp(1, -mp.prec - 10) or k < abs(x) + abs(order) + 2:
        k += 1
        term *= sign * half * half / (k * (k + order))
        total += term
    return total


def _real_hankel(order: Number, x: Number, kind: str) -> Number:
    parts = [mp.mpf(0)] * 4
    term, k = mp.mpf(1), 0
    while term and (k < 2 * abs(order) + 4 or abs(term) > mp.ldexp(1, -mp.prec - 10)):
        parts[k % 4] += term
        k += 1
        term *= (4 * order * order - (2 * k - 1) ** 2) / (8 * k) / x
    a, b, c, d = parts
    if kind in "ik":
        grown = mp.exp(x) / mp.sqrt(2 * mp.pi * x) * (a - b + c - d)
        return grown if kind == "i" else mp.exp(-x) * mp.sqrt(mp.pi / (2 * x)) * (a + b + c + d)
    s, co = mp.sin(x), mp.cos(x)
    turn_s, turn_c = mp.sinpi(order / 2 + mp.mpf(1) / 4), mp.cospi(order / 2 + mp.mpf(1) / 4)
    cosine, sine = co * turn_c + s * turn_s, s * turn_c - co * turn_s
    scale = mp.sqrt(2 / (mp.pi * x))
    return scale * (cosine * (a - c) - sine * (b - d) if kind == "j" else sine * (a - c) + cosine * (b - d))


def _real_bessel(kind: str, order: Number, x: Number) -> Series:
    """Of an order that is not whole: from J and I of the order and its negative (DLMF 10.2.3, 10.27.4)."""
    if x <= 0:
        return [mp.nan if x else None] * (TOP + 1)
    sign = -1 if kind in "jy" else 1
    with mp.workprec(mp.prec + 60 + (int(4 * x) if x < mp.prec else 0)):
        value: dict[int, Number] = {}
        for m in range(-TOP, TOP + 1):
            at = order + m
            if x > 0.4 * mp.prec + (abs(order) + TOP) ** 2 + 40:
                value[m] = _real_hankel(at, x, kind)
            elif kind in "ji":
                value[m] = _real_power(at, x, sign)
            else:
                first, second = _real_power(at, x, sign), _real_power(-at, x, sign)
                turn = mp.sinpi(at)
                value[m] = (
                    (first * mp.cospi(at) - second) / turn if kind == "y" else mp.pi / 2 * (second - first) / turn
                )
        result = []
        for k in range(TOP + 1):
            terms = ((math.comb(k, i) * ((-1) ** i if sign < 0 else 1), value[2 * i - k]) for i in range(k + 1))
            result.append(mp.fdot(terms) / (2**k * math.factorial(k)) * ((-1) ** k if kind == "k" else 1))
    return [+c for c in result]


# Functions of several arguments: partials by index.


def _hypot(x: Number, y: Number) -> Partials:
    h = mp.hypot(x, y)
    c, s = x / h, y / h
    return {
        index: h ** (1 - sum(index)) * mp.fsum(f * c**i * s**j for (i, j), f in polynomial.items())
        for index, polynomial in _cosines().items()
    }


@cache
def _cosines() -> dict[Index, dict[Index, int]]:
    """d^(a+b) h / dx^a dy^b as a polynomial in c = x/h and s = y/h, over h**(a+b-1)."""
    found: dict[Index, dict[Index, int]] = {(0, 0): {(0, 0): 1}}
    for order in range(1, TOP + 1):
        for a, b in indices(2, order):
            m = order - 2
            new: dict[Index, int] = {}
            by_x = a > 0
            for (i, j), f in found[(a - 1, b) if by_x else (a, b - 1)].items():
                if by_x:
                    moves = (((i - 1, j + 2), i), ((i + 1, j), -j - m))
                else:
                    moves = (((i + 2, j - 1), j), ((i, j + 1), -i - m))
                for key, factor in moves:
                    if factor:
                        new[key] = new.get(key, 0) + f * factor
            found[a, b] = {key: f for key, f in new.items() if f}
    return found


def _atan2(y: Number, x: Number) -> Partials:
    """The imaginary part of log(x + i*y)."""
    result: Partials = {(0, 0): mp.atan2(y, x)}
    square = x * x + y * y
    for n in range(1, TOP + 1):
        # conj(z)**n = re + i*im
        terms = [math.comb(n, k) * x ** (n - k) * y**k for k in range(n + 1)]
        re = mp.fsum(t * (1, 0, -1, 0)[k % 4] for k, t in enumerate(terms))
        im = mp.fsum(t * (0, -1, 0, 1)[k % 4] for k, t in enumerate(terms))
        scale = (-1) ** (n - 1) * math.factorial(n - 1) / square**n
        for a, b in indices(2, n):
            result[a, b] = scale * (im, re, -im, -re)[a % 4]
    return result


def _logaddexp(x: Number, y: Number) -> Partials:
    d = mp.fsub(x, y, exact=True)
    forward, back = _sigmoid(d), _sigmoid(-d)
    result: Partials = {(0, 0): max(x, y) + mp.log1p(mp.exp(-abs(d)))}
    for n in range(1, TOP + 1):
        for a, b in indices(2, n):
            c = back[n - 1] if a == 0 else (-1) ** b * forward[n - 1]
            result[a, b] = c * math.factorial(n - 1)
    return result


def _power(x: Number, y: Number) -> Partials:
    """x**(y-a) * sum over j of C(b,j) * P_a^(j)(y) * log(x)**(b-j), P_a the falling factorial of degree a."""
    result: Partials = {}
    whole = y == mp.floor(y)
    size = abs(x) ** y
    log = mp.log(x) if x > 0 else None
    falling = _falling()
    for order in range(TOP + 1):
        for a, b in indices(2, order):
            if log is None and (b or not whole):
                result[a, b] = mp.nan
                continue
            total = mp.mpf(0)
            for j in range(b + 1):
                slope = mp.mpf(0)
                for c in _polynomial_slope(falling[a], j):
                    slope = slope * y + c
                total += math.comb(b, j) * slope * (log ** (b - j) if b > j else 1)
            sign = -1 if log is None and int(y) % 2 else 1
            result[a, b] = sign * size / x**a * total
    return result


@cache
def _falling() -> list[tuple[int, ...]]:
    """Coefficients, highest first, of 1, y, y*(y-1), ..."""
    rows = [(1,)]
    for a in range(TOP):
        last = rows[-1]
        rows.append(tuple(p - a * q for p, q in zip((*last, 0), (0, *last), strict=True)))
    return rows


@cache
def _polynomial_slope(p: tuple[int, ...], times: int) -> list[int]:
    row = list(p)
    for _ in range(times):
        row = [c * (len(row) - 1 - i) for i, c in enumerate(row[:-1])]
    return row or [0]


def _product(x: Number, y: Number) -> Partials:
    return {(0, 0): x * y, (1, 0): y, (0, 1): x, (1, 1): mp.mpf(1)}


def _quotient(x: Number, y: Number) -> Partials:
    result: Partials = {}
    for b in range(TOP + 1):
        head = (-1) ** b * math.factorial(b) / y ** (b + 1)
        result[0, b] = x * head
        result[1, b] = head
    return result


def _xlogy(x: Number, y: Number) -> Partials:
    log = _logarithm(mp.log(y), y, 1)
    result: Partials = {}
    for b in range(TOP + 1):
        result[1, b] = log[b] * math.factorial(b)
        result[0, b] = x * result[1, b]
    return result


def _modulo(floored: bool) -> Callable[[Number, Number], Partials]:
    def partials(x: Number, y: Number) -> Partials:
        p, q = Fraction(float(x)), Fraction(float(y))
        turns = math.floor(p / q) if floored else math.trunc(p / q)
        rest = p - turns * q
        return {(0, 0): mp.mpf(rest.numerator) / rest.denominator, (1, 0): mp.mpf(1), (0, 1): -mp.mpf(turns)}

    return partials


def _fma(x: Number, y: Number, z: Number) -> Partials:
    one = mp.mpf(1)
    total = mp.fadd(mp.fmul(x, y, exact=True), z, exact=True)
    return {(0, 0, 0): total, (1, 0, 0): y, (0, 1, 0): x, (0, 0, 1): one, (1, 1, 0): one}


def _picked(choose: Callable[..., int]) -> Callable[..., Partials]:
    """A function that returns one of its arguments."""

    def partials(*at: Number) -> Partials:
        k = choose(*at)
        return {tuple([0] * len(at)): at[k], tuple(int(i == k) for i in range(len(at))): mp.mpf(1)}

    return partials


def _flat(value: Callable[..., Number]) -> Callable[..., Partials]:
    return lambda *at: {tuple([0] * len(at)): mp.mpf(value(*at))}


def _round(x: Number) -> Number:
    return mp.mpf(round(Fraction(float(x))))


# The table.

POSITIVE = (LEAST, LARGEST)
MIDDLE = (1e-40, 1e40)
AIRY = (-1e10, 1e10)
REAL = (-LARGEST, LARGEST)
NONZERO = ((-LARGEST, -LEAST), POSITIVE)
BELOW, ABOVE = math.nextafter(1, 0), math.nextafter(1, 2)


class Reference(NamedTuple):
    """How one function is judged.

    ``domain`` holds one tuple of intervals per argument, ``busy`` the intervals where most of its life happens,
    ``parameters`` the whole numbers it is tried with, or tuples of leading arguments held constant, ``wide`` whether
    precision must cover the exponents of the point.
    """

    partials: Callable[..., Partials]
    domain: tuple[tuple[Interval, ...], ...]
    busy: tuple[Interval, ...] = ()
    parameters: tuple[Parameter, ...] = (None,)
    wide: bool = True
    admit: Callable[[Point], bool] | None = None


def _single(
    series: Callable[..., Series], *domain: Interval, busy: tuple[Interval, ...] = (), **more: Any
) -> Reference:
    def partials(*at: Number) -> Partials:
        return {(k,): None if c is None else c * math.factorial(k) for k, c in enumerate(series(*at))}

    return Reference(partials, (domain or (REAL,),), busy, **more)


def _pair(partials: Callable[..., Partials], first: Any = (REAL,), second: Any = (REAL,), **more: Any) -> Reference:
    return Reference(partials, (first, second), **more)


def _not_whole(at: Point) -> bool:
    return at[0] > 0 or at[0] != math.floor(at[0])


def _not_negative(at: Point) -> bool:
    return at[0] > -1 or at[0] != math.floor(at[0])


def _powerful(at: Point) -> bool:
    return at[0] > 0 or at[1] == math.floor(at[1])


def _distinct(at: Point) -> bool:
    return len(set(at)) == len(at)


BESSEL_ORDERS = (0, 1, 2, 5, (0.5,), (2.25,), (-0.75,), (10.5,))
SHAPES = ((0.5,), (1.0,), (2.5,), (30.0,), (1000.0,))
PAIRS = ((0.5, 0.5), (1.0, 3.0), (2.5, 0.75), (40.0, 12.5), (3.5, 300.0), (500.0, 700.0))
BRANCH = -0.36787944117144228
"""The least double that is not below -1/e."""
POWERS = ("2", "3", "4", "5", "7", "10", "100", "-1", "-2", "-3", "1/2", "-1/2", "3/2", "5/2", "1/3", "0.1", "-0.3")

REFERENCES: dict[str, Reference] = {
    "sqrt": _single(_sqrt, POSITIVE),
    "cbrt": _single(_cbrt, *NONZERO),
    "exp": _single(lambda x: _exp_line(mp.exp(x), 1), busy=((-746, 710),)),
    "exp2": _single(lambda x: _exp_line(mp.mpf(2) ** x, mp.ln2), busy=((-1075, 1024),)),
    "expm1": _single(lambda x: [mp.expm1(x), *_exp_line(mp.exp(x), 1)[1:]], busy=((-746, 710), (-1, 1))),
    "log": _single(lambda x: _logarithm(mp.log(x), x, 1), POSITIVE, busy=((0.5, 2),)),
    "log2": _single(lambda x: _logarithm(mp.log(x) / mp.ln2, x, 1 / mp.ln2), POSITIVE, busy=((0.5, 2),)),
    "log10": _single(lambda x: _logarithm(mp.log(x) / mp.ln10, x, 1 / mp.ln10), POSITIVE, busy=((0.5, 2),)),
    "log1p": _single(lambda x: _logarithm(mp.log1p(x), 1 + x, 1), (-BELOW, LARGEST), busy=((-1 + 2**-50, 1),)),
    "sin": _single(lambda x: _circle(x, True)),
    "cos": _single(lambda x: _circle(x, False)),
    "tan": _single(_mirrored(lambda x: _over(_circle(x, True), _circle(x, False)), True)),
    "sec": _single(_mirrored(lambda x: _over(_unit(), _circle(x, False)), False)),
    "csc": _single(lambda x: _over(_unit(), _circle(x, True)), *NONZERO),
    "cot": _single(lambda x: _over(_circle(x, False), _circle(x, True)), *NONZERO),
    "asin": _single(lambda x: _edge(mp.asin(x), lambda: _inverse_root(1, -1, x)), (-1, 1)),
    "acos": _single(lambda x: _edge(mp.acos(x), lambda: _scaled(_inverse_root(1, -1, x), -1)), (-1, 1)),
    "atan": _single(lambda x: _integral(mp.atan(x), _over(_unit(), _parabola(mp.mpf(1), 1, x)))),
    "acot": _single(
        lambda x: _integral(mp.atan(1 / x), _scaled(_over(_unit(), _parabola(mp.mpf(1), 1, x)), -1)), *NONZERO
    ),
    "asec": _single(lambda x: _edge(mp.acos(1 / x), lambda: _reciprocal_root(-1, 1, x)), (-LARGEST, -1), (1, LARGEST)),
    "acsc": _single(
        lambda x: _edge(mp.asin(1 / x), lambda: _scaled(_reciprocal_root(-1, 1, x), -1)), (-LARGEST, -1), (1, LARGEST)
    ),
    "sinh": _single(lambda x: _hyperbola(x, True), busy=((-711, 711),)),
    "cosh": _single(lambda x: _hyperbola(x, False), busy=((-711, 711),)),
    "tanh": _single(_mirrored(_tanh, True), busy=((-380, 380), (-20, 20))),
    "sech": _single(_mirrored(_sech, False), busy=((-750, 750), (-20, 20))),
    "csch": _single(_mirrored(_csch, True), *NONZERO, busy=((-750, 750), (-20, 20))),
    "coth": _single(_mirrored(_coth, True), *NONZERO, busy=((-380, 380), (-20, 20))),
    "asinh": _single(lambda x: _integral(mp.asinh(x), _inverse_root(1, 1, x))),
    "acosh": _single(lambda x: _edge(mp.acosh(x), lambda: _inverse_root(-1, 1, x)), (1, LARGEST), busy=((1, 2),)),
    "atanh": _single(
        lambda x: _integral(mp.atanh(x), _over(_unit(), _parabola(mp.mpf(1), -1, x))), (-BELOW, BELOW), busy=((-1, 1),)
    ),
    "acoth": _single(
        lambda x: _integral(mp.atanh(1 / x), _over(_unit(), _parabola(mp.mpf(1), -1, x))),
        (-LARGEST, -ABOVE),
        (ABOVE, LARGEST),
        busy=((1, 2),),
    ),
    "asech": _single(
        lambda x: _edge(mp.acosh(1 / x), lambda: _scaled(_reciprocal_root(1, -1, x), -1)), (LEAST, 1), busy=((0, 1),)
    ),
    "acsch": _single(lambda x: _integral(mp.asinh(1 / x), _scaled(_reciprocal_root(1, 1, x), -1)), *NONZERO),
    "sinc": _single(_mirrored(_sinc, False), busy=((-1, 1), (-6, 6))),
    "sinhc": _single(_mirrored(_sinhc, False), busy=((-3, 3), (-720, 720))),
    "sigmoid": _single(_sigmoid, busy=((-750, 750), (-40, 40))),
    "softplus": _single(_softplus, busy=((-750, 750), (-40, 40))),
    "erf": _single(lambda x: _erf(x, mp.erf(x), 1), busy=((-6, 6), (-28, 28))),
    "erfc": _single(lambda x: _erf(x, _erfc(x), -1), busy=((-6, 6), (-28, 28))),
    "erfcx": _single(_erfcx, busy=((-6, 6), (-27, 30))),
    "normcdf": _single(_normcdf, busy=((-6, 6), (-39, 9))),
    "normpdf": _single(_mirrored(_normpdf, False), busy=((-6, 6), (-39, 39))),
    "logit": _single(_logit, (LEAST, BELOW), busy=((0, 1), (0.4, 0.6))),
    "exprel": _single(_exprel, busy=((-3, 3), (-720, 720))),
    "log1mexp": _single(_log1mexp, (-LARGEST, -LEAST), busy=((-3, 0), (-750, 0))),
    "erfinv": _single(_erfinv, (-BELOW, BELOW), busy=((-1, 1),)),
    "gamma": _single(_gamma, *NONZERO, busy=((-185, 172), (-4, 4)), wide=False, admit=_not_whole),
    "lgamma": _single(_lgamma, *NONZERO, busy=((-20, 20), (0.5, 3)), wide=False, admit=_not_whole),
    "digamma": _single(lambda x: _psi(x, TOP), *NONZERO, busy=((-20, 20), (0.5, 3)), wide=False, admit=_not_whole),
    "polygamma": _single(
        _polygamma, *NONZERO, busy=((-20, 20),), wide=False, admit=_not_whole, parameters=(0, 1, 2, 3, 6)
    ),
    "besselj": _single(_bessel("j"), busy=((-50, 50),), wide=False, parameters=BESSEL_ORDERS),
    "bessely": _single(_bessel("y"), POSITIVE, busy=((0, 50),), wide=False, parameters=BESSEL_ORDERS),
    "besseli": _single(_bessel("i"), busy=((-50, 50), (-720, 720)), wide=False, parameters=BESSEL_ORDERS),
    "besselk": _single(_bessel("k"), POSITIVE, busy=((0, 50), (0, 750)), wide=False, parameters=BESSEL_ORDERS),
    "airyai": _single(_airy(False, False), AIRY, busy=((-15, 15), (-50, 105)), wide=False),
    "airyaiprime": _single(_airy(False, True), AIRY, busy=((-15, 15), (-50, 105)), wide=False),
    "airybi": _single(_airy(True, False), AIRY, busy=((-15, 15), (-50, 105)), wide=False),
    "airybiprime": _single(_airy(True, True), AIRY, busy=((-15, 15), (-50, 105)), wide=False),
    "lambertw": _single(_lambertw, (BRANCH, LARGEST), busy=((BRANCH, 1), (BRANCH, BRANCH + 1e-3))),
    "factorial": _single(
        lambda x: _gamma(mp.fadd(x, 1, exact=True)), busy=((-180, 171), (-4, 4)), wide=False, admit=_not_negative
    ),
    "beta": _pair(_beta, (MIDDLE,), (MIDDLE,), busy=((0, 20), (0, 700))),
    "betaln": _pair(_log_beta, (MIDDLE,), (MIDDLE,), busy=((0, 20), (0, 700))),
    "betainc": _single(_betainc, (LEAST, BELOW), busy=((0, 1), (0.3, 0.5)), wide=False, parameters=PAIRS),
    "gammainc": _single(_gammainc(False), POSITIVE, busy=((0, 50), (900, 1100)), wide=False, parameters=SHAPES),
    "gammaincc": _single(_gammainc(True), POSITIVE, busy=((0, 50), (900, 1100)), wide=False, parameters=SHAPES),
    "abs": _single(lambda x: [abs(x), mp.sign(x), *[mp.mpf(0)] * (TOP - 1)], *NONZERO),
    "relu": _single(lambda x: [max(x, mp.mpf(0)), mp.mpf(x > 0), *[mp.mpf(0)] * (TOP - 1)], *NONZERO),
    "neg": _single(lambda x: [-x, mp.mpf(-1), *[mp.mpf(0)] * (TOP - 1)]),
    "sign": Reference(_flat(mp.sign), ((REAL,),)),
    "floor": Reference(_flat(mp.floor), ((REAL,),)),
    "ceil": Reference(_flat(mp.ceil), ((REAL,),)),
    "trunc": Reference(_flat(lambda x: mp.sign(x) * mp.floor(abs(x))), ((REAL,),)),
    "round": Reference(_flat(_round), ((REAL,),)),
    "heaviside": _pair(_flat(lambda x, h: x > 0), NONZERO),
    "add": _pair(lambda x, y: {(0, 0): mp.fadd(x, y, exact=True), (1, 0): mp.mpf(1), (0, 1): mp.mpf(1)}),
    "sub": _pair(lambda x, y: {(0, 0): mp.fsub(x, y, exact=True), (1, 0): mp.mpf(1), (0, 1): mp.mpf(-1)}),
    "mul": _pair(_product),
    "div": _pair(_quotient, second=NONZERO),
    "power": _pair(_power, NONZERO, busy=((-20, 20),), admit=_powerful),
    "mod": _pair(_modulo(True), second=NONZERO),
    "fmod": _pair(_modulo(False), second=NONZERO),
    "atan2": _pair(_atan2, admit=any, wide=False),
    "hypot": _pair(_hypot, admit=any, wide=False),
    "logaddexp": _pair(_logaddexp, busy=((-40, 40),)),
    "xlogy": _pair(_xlogy, second=(POSITIVE,)),
    "copysign": _pair(lambda x, y: {(0, 0): abs(x) * mp.sign(y), (1, 0): mp.sign(x) * mp.sign(y)}, NONZERO, NONZERO),
    "max": Reference(_picked(lambda *at: at.index(max(at))), ((REAL,),) * 3, admit=_distinct),
    "min": Reference(_picked(lambda *at: at.index(min(at))), ((REAL,),) * 3, admit=_distinct),
    "clip": Reference(
        _picked(lambda x, low, high: 1 if x < low else 2 if x > high else 0),
        ((REAL,),) * 3,
        admit=lambda at: _distinct(at) and at[1] < at[2],
    ),
    "fma": Reference(_fma, ((REAL,),) * 3),
    # c > 0 stands for the condition
    "where": Reference(_picked(lambda c, a, b: 1 if c > 0 else 2), ((REAL,),) * 3),
}


def _fixed_power(exponent: Fraction) -> Reference:
    exponent = Fraction(float(exponent))  # constants are rounded once, then meant

    def series(x: Number) -> Series:
        power = mp.mpf(exponent.numerator) / exponent.denominator
        head = (mp.sign(x) if exponent % 2 else 1) * abs(x) ** power
        return _binomial(x, power, head)

    return _single(series, *(NONZERO if exponent.denominator == 1 else (POSITIVE,)), busy=((0.01, 100),))


FIXED_POWERS: dict[str, tuple[Fraction, Reference]] = {
    f"x**({p})": (Fraction(p), _fixed_power(Fraction(p))) for p in POWERS
}
"""Powers with a constant exponent take other ways than x**y: judged on their own."""


def reference(name: str) -> Reference:
    return FIXED_POWERS[name][1] if name in FIXED_POWERS else REFERENCES[name]


def _agreed(a: Number, b: Number) -> bool:
    if a is None or b is None:
        return a is b
    if a == b or (mp.isnan(a) and mp.isnan(b)):
        return True
    size = max(mp.mag(a), mp.mag(b)) if a and b else mp.mag(a or b)
    return size < GONE or (a != b and mp.mag(a - b) < size - DIGITS)


def truth(name: str, at: Point, parameter: Parameter = None) -> Partials:
    """The value and all partial derivatives up to order TOP at a point of doubles, to more than 30 digits.

    Zero partials of flat directions may be left out.
    """
    judge = reference(name)
    spread = max((abs(math.frexp(x)[1]) for x in at if x), default=0)
    bits = 170 + (2 * spread if judge.wide else 230)
    lead = () if parameter is None else (parameter,)
    before: Partials | None = None
    while bits < 40_000:
        with mp.workprec(bits):
            now = judge.partials(*lead, *[mp.mpf(x) for x in at])
            if before is not None and all(_agreed(before[k], now[k]) for k in now):
                return now
        bits += 70 if before is None else bits
        before = now
    raise ArithmeticError(f"{name} at {at}: no two precisions agree")


# How far off.


class Mark(NamedTuple):
    """A true number: the nearest double, how many ulp that is above it, the conditioning, whether a zero is near."""

    nearest: float
    above: float
    ulp: float
    conditioning: float
    crossing: bool


def _as_double(x: Number) -> float:
    """Correctly rounded; inf beyond the largest double."""
    if mp.isnan(x):
        return math.nan
    sign, man, exp, size = (+x)._mpf_ if x else (0, 0, 0, 0)
    if not man:
        return 0.0 if not x else (-math.inf if x < 0 else math.inf)
    if exp + size > 1025:
        return -math.inf if sign else math.inf
    if exp + size < -1080:
        return 0.0
    number = Fraction(int(man)) * Fraction(2) ** exp
    try:
        return float(-number if sign else number)
    except OverflowError:
        return -math.inf if sign else math.inf


def mark(true: Number, weight: Number, crossing: bool = False) -> Mark:
    """``weight`` is the sum of |x_i * dg/dx_i| (an mpf)."""
    nearest = _as_double(true)
    if math.isnan(nearest):
        return Mark(nearest, 0, 1, 0, False)
    if math.isinf(nearest):
        # Beyond the range: the next double that would be there stands for it.
        edge = math.ldexp(1.0, 971)
        return Mark(math.copysign(math.inf, nearest), 0, edge, _ratio(weight, abs(true)), False)
    ulp = math.ulp(nearest)
    above = float((mp.mpf(nearest) - true) / ulp)
    if true:
        conditioning = _ratio(weight, abs(true))
    else:
        conditioning = _ratio(weight * mp.ldexp(1, -52), mp.mpf(LEAST))
    return Mark(nearest, above, ulp, conditioning, crossing)


def _ratio(a: Number, b: Number) -> float:
    return _as_double(a / b)


def off(computed: float, true: Mark) -> float:
    """|computed - true| in ulp of the true number; inf where one is finite and the other cannot be."""
    if math.isnan(true.nearest) or math.isnan(computed):
        return 0.0 if math.isnan(true.nearest) and math.isnan(computed) else math.inf
    if math.isinf(true.nearest):
        if math.isinf(computed):
            return 0.0 if computed == true.nearest else math.inf
        return (2.0**53 - abs(computed) / true.ulp) if computed * true.nearest > 0 else math.inf
    if math.isinf(computed):
        # 2**1024 is what an infinity stands for just beyond the range.
        gap = 2.0**53 - abs(true.nearest) / math.ldexp(1.0, 971)
        return gap if computed * true.nearest > 0 and gap < 2**20 else math.inf
    if true.ulp == LEAST and abs(computed) <= LEAST and abs(true.nearest) <= LEAST and computed * true.nearest >= 0:
        return 0.0
    return abs((computed / true.ulp - true.nearest / true.ulp) + true.above)


def marks(name: str, at: Point, parameter: Parameter = None) -> dict[Index, Mark]:
    """Every partial up to ORDER with its conditioning sum |x_i * dg/dx_i| / |g|."""
    found = truth(name, at, parameter)
    spread = max((abs(math.frexp(x)[1]) for x in at if x), default=0)
    result = {}
    with mp.workprec(200 + spread):
        zero = mp.mpf(0)

        def further(index: Index, i: int, times: int) -> Number:
            slope = found.get((*index[:i], index[i] + times, *index[i + 1 :]), zero)
            return zero if slope is None or mp.isnan(slope) else abs(slope)

        for order in range(ORDER + 1):
            for index in indices(len(at), order):
                true = found.get(index, zero)
                if true is None:
                    continue
                slopes = [further(index, i, 1) for i in range(len(at))]
                weight = mp.fsum(abs(x) * slope for x, slope in zip(at, slopes, strict=True))
                crossing = order < 2 and any(
                    _near_zero(true, x, slopes[i], further(index, i, 2)) for i, x in enumerate(at)
                )
                result[index] = mark(true, weight, crossing)
    return result


def _near_zero(g: Number, x: float, slope: Number, bend: Number) -> bool:
    """Whether the tangent meets 0 well within the length over which x and the slope stay what they are."""
    if not slope or mp.isnan(g):
        return False
    return bool(NEAR * abs(g) < slope * (min(abs(mp.mpf(x)), slope / bend) if bend else abs(x)))


def allowance(error: float, order: int, true: Mark) -> float:
    """The ulp that a partial of this order may be off, ``error`` being allowed for values.

    The same for first derivatives; 32 times (1 + conditioning) for higher orders and near a zero.
    """
    return 32 * (1 + true.conditioning) if order >= 2 or true.crossing else unit(error, order)


def unit(error: float, order: int) -> float:
    """The allowance at a well conditioned point."""
    return 32 if order >= 2 else error


# Where to look.


def _ordinal(x: float) -> int:
    """Doubles in their order as whole numbers, -0.0 and 0.0 both 0."""
    bits: int = struct.unpack("<q", struct.pack("<d", abs(x)))[0]
    return -bits if x < 0 else bits


def _double(ordinal: int) -> float:
    size: float = struct.unpack("<d", struct.pack("<q", abs(ordinal)))[0]
    return -size if ordinal < 0 else size


_EDGES = [
    LEAST, 2.0**-1074 * 3, 2.2250738585072014e-308, math.nextafter(2.2250738585072014e-308, 0), 1e-308, 1e-200, 1e-154,
    1e-100, 1e-20, 1e-16, 1e-8, 1e-5, 1e-4, 1e-3, 0.1, 0.25, 0.5, 1 - 2**-52, BELOW, 1.0, ABOVE, 1 + 2**-51,
    1 + 1e-12, 1 - 1e-12, 1.5, 2.0, 2.5, 3.0, 20.0, 25.0, 40.0, 100.0, 400.0, 709.0, 745.0, 800.0, 1000.0, 1e5,
    2.0**53, 1e16, 1e22, 1e100, 1e154, 1.4e154, 1e200, 1e300, 1e308, LARGEST,
    *[k * math.pi / 2 for k in (0.5, 1, 1.5, 2, 3, 4, 5, 7, 11, 1e5, 33333)],
]  # fmt: skip


def _inside(x: float, intervals: Sequence[Interval]) -> bool:
    return any(low <= x <= high for low, high in intervals)


def _pattern(rng: random.Random, intervals: Sequence[Interval]) -> float:
    low, high = rng.choice(intervals)
    return _double(rng.randint(_ordinal(low), _ordinal(high)))


def _clamped(x: float, intervals: Sequence[Interval], rng: random.Random) -> float:
    for candidate in (x, -x):
        if _inside(candidate, intervals):
            return candidate
    return _pattern(rng, intervals)


def _ordinary(rng: random.Random, judge: Reference, intervals: Sequence[Interval]) -> float:
    choice = rng.random()
    sign = rng.choice((-1, 1))
    if judge.busy and choice < 0.6:
        low, high = rng.choice(judge.busy)
        return _clamped(rng.uniform(low, high), intervals, rng)
    if choice < 0.8:
        return _clamped(sign * rng.uniform(1e-3, 10 if choice < 0.7 else 1e3), intervals, rng)
    if choice < 0.9:
        low, high = rng.choice(intervals)
        if high - low < 1e6:
            # Towards an end of a bounded domain, at every scale.
            gap = (high - low) * 10 ** rng.uniform(-16, 0)
            return _clamped(high - gap if rng.random() < 0.5 else low + gap, intervals, rng)
    return _clamped(sign * 10 ** rng.uniform(-3, 3), intervals, rng)


def _edges(judge: Reference, argument: int) -> list[float]:
    intervals = judge.domain[argument]
    ends = [e for pair in intervals for e in pair]
    near = [math.nextafter(e, d) for e in ends for d in (-math.inf, math.inf) if abs(e) < LARGEST]
    whole = [s * e for e in _EDGES for s in (1, -1)]
    return [x for x in dict.fromkeys([0.0, *ends, *near, *whole]) if _inside(x, intervals)]


def _drawn(judge: Reference, rng: random.Random, edges: list[list[float]]) -> Point:
    draw = rng.random()
    count = len(judge.domain)
    if draw < 0.4:
        at = [_pattern(rng, d) for d in judge.domain]
    elif draw < 0.8 or count == 1:
        at = [_ordinary(rng, judge, d) for d in judge.domain]
    elif draw < 0.85:
        at = [rng.choice(e) for e in edges]
    else:
        # Arguments of like size, where sums and quotients live.
        first = _pattern(rng, judge.domain[0])
        at = [first]
        for d in judge.domain[1:]:
            scaled = first * 10 ** rng.uniform(-3, 3) * rng.choice((-1, 1))
            at.append(_clamped(scaled, d, rng) if math.isfinite(scaled) else _pattern(rng, d))
    return tuple(at)


def _power_points(rng: random.Random) -> Iterator[Point]:
    """x**y mostly overflows or underflows for random bits: y is drawn so that it does not."""
    while True:
        x = _pattern(rng, (POSITIVE,)) if rng.random() < 0.5 else 10 ** rng.uniform(-3, 3)
        scale = rng.uniform(-1070, 1020) if rng.random() < 0.5 else rng.uniform(-20, 20)
        log = math.log2(x)
        if log:
            yield x, scale / log
        yield -x, float(rng.randint(-12, 12))
        yield x, float(rng.randint(-6, 6)) / 2
        yield 10 ** rng.uniform(-2, 2), rng.uniform(-8, 8)


def points(name: str, count: int, seed: int = 1) -> list[tuple[Parameter, Point]]:
    """``count`` distinct points of the domain (with the parameter, where the function takes one), the same every time.

    The edges come first, for functions of one argument at most half of them edges.
    """
    judge = reference(name)
    rng = random.Random(f"{name} {seed}")
    edges = [_edges(judge, i) for i in range(len(judge.domain))]
    chosen: dict[tuple[Parameter, Point], None] = {}

    def take(at: Point) -> None:
        if judge.admit is None or judge.admit(at):
            chosen[rng.choice(judge.parameters), at] = None

    if len(judge.domain) == 1:
        few = edges[0] if len(edges[0]) <= count // 2 else rng.sample(edges[0], count // 2)
        for x in few:
            take((x,))
    more = _power_points(rng) if name == "power" else None
    while len(chosen) < count:
        take(next(more) if more is not None and rng.random() < 0.75 else _drawn(judge, rng, edges))
    return list(chosen)
