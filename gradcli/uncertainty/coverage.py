"""Expanded uncertainty: effective degrees of freedom, and coverage factors from Student's t (JCGM 100:2008, annex G).

Layer: must not know expressions or options.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from statistics import NormalDist
from typing import NamedTuple

from gradcli.errors import GradError
from gradcli.expr import spell_name

SMALLEST = 1e-100
"""The smallest probability inside or outside an interval: the squares of its limits are doubles."""
_NORMAL = 1e25
"""Degrees of freedom from which Student's t is the normal distribution to a double's digits."""
_NEAR = 3.0
"""Squares of t up to which the power series is used, and beyond which the continued fraction."""
_RATIO = (1, -1 / 8, 1 / 128, 5 / 1024, -21 / 32768, -399 / 262144, 869 / 4194304, 39325 / 33554432)
"""gamma(a + 1/2)/(gamma(a)*sqrt(a)) in powers of 1/a (DLMF 5.11.13)."""


class Expanded(NamedTuple):
    """An expanded uncertainty ``U`` = k*u, in the unit of the result (JCGM 100, 6.2.1 and G.3.2).

    ``coverage``: the probability of the interval, between 0 and 1; None if the factor ``k`` was given.
    ``degrees_of_freedom``: the exact effective ones, which give ``k`` (the interpolation of G.4.1). ``k_truncated``:
    the factor from them truncated to an integer, as G.4.1 permits too.
    """

    k: float
    degrees_of_freedom: float
    coverage: float | None
    U: float
    k_truncated: float | None = None


def expanded(u: float, df: float, coverage: Fraction | None = None, k: float | None = None) -> Expanded:
    """Return the expanded uncertainty for a coverage probability, or for a factor ``k``: one of both.

    ``u``: the standard uncertainty, ``df`` its degrees of freedom. Raises GradError as `factor` does.

    >>> result = expanded(0.0103, 18.99, Fraction(95, 100))
    >>> round(result.k, 2), round(result.U, 4), round(result.k_truncated, 2)
    (2.09, 0.0216, 2.1)
    """
    if coverage is None:
        assert k is not None
        return Expanded(k, df, None, k * u)
    found = factor(coverage, df)
    whole = df if math.isinf(df) else math.floor(df)
    return Expanded(found, df, float(coverage), found * u, factor(coverage, whole))


def effective(
    shares: Mapping[str, float], df: Mapping[str, float], correlated: Iterable[Collection[str]] = ()
) -> float:
    """Return the effective degrees of freedom by Welch and Satterthwaite (JCGM 100, G.4.1, formula G.2b).

    ``shares``: the squared contribution of each input as a fraction of the variance. ``df``: the degrees of freedom of
    inputs; those of others are infinite. ``correlated``: pairs of names. Raises GradError where an input with finite
    degrees of freedom is correlated: the formula holds for independent estimates.

    >>> effective({"a": 0.5, "b": 0.5}, {"a": 4, "b": 4})
    8.0
    """
    among = {name for pair in correlated for name in pair}
    total = 0.0
    for name, share in shares.items():
        known = df.get(name, math.inf)
        if math.isinf(known) or share == 0:
            continue
        if name in among:
            raise GradError(
                f"{spell_name(name)} is correlated and has finite degrees of freedom: the effective ones of a result, "
                "which --coverage takes, are known for independent inputs alone (JCGM 100, G.4.1)",
                hint=f"a coverage factor of your own, such as -k 2, or no --df {spell_name(name)}",
            )
        total += share * share / known
    # Of independent estimates they are no fewer than the fewest of one, which are at least 1.
    return max(1 / total, 1.0) if total else math.inf


def probability(text: str, option: str) -> Fraction:
    """Return the coverage probability that a text gives in percent, exactly: 95 is 19/20.

    Raises GradError, which names ``option``, unless it is a decimal number between 0 and 100.

    >>> probability("99.73 %", "--coverage")
    Fraction(9973, 10000)
    """
    plain = text.strip().removesuffix("%").strip()
    try:
        if len(plain) > 100 or "_" in plain or not plain.isascii() or not 0 < float(plain) <= 100:
            raise ValueError
        percent = Fraction(plain)
    except (ValueError, OverflowError, ZeroDivisionError):
        raise GradError(
            f"{option}: the coverage probability is a number of percent between 0 and 100, not '{text.strip()[:100]}'",
            hint=f"such as {option} 95",
        ) from None
    if not min(float(percent / 100), float(1 - percent / 100)) >= SMALLEST:
        raise GradError(
            f"{option} {text.strip()}: no interval has this coverage probability",
            hint=f"more than 0 and less than 100, such as {option} 99.73",
        )
    if 0 < percent < 1:
        raise GradError(f"{option} {text.strip()}: that is less than one percent",
                        hint=f"the probability is in percent: {option} {float(100 * percent):g}")  # fmt: skip
    return percent / 100


def factor(coverage: Fraction | float, df: float) -> float:
    """Return k with P(-k < T < k) = ``coverage`` for Student's t with ``df`` degrees of freedom (JCGM 100, G.3.2).

    ``df`` is real, at least 1, or infinite for the normal distribution; nan gives nan. The relative error is some
    1e-15. Raises GradError for another ``df``, and for a probability inside or outside the interval below `SMALLEST`.

    >>> print(f"{factor(Fraction(95, 100), 19):.12f} {factor(Fraction(9545, 10000), math.inf):.12f}")
    2.093024054408 2.000002443900
    """
    if math.isnan(df):
        return math.nan
    if not df >= 1:
        raise GradError(f"degrees of freedom are at least 1, not {df!r}")
    exact = Fraction(coverage)
    inside, outside = float(exact), float(1 - exact)
    if not min(inside, outside) >= SMALLEST:
        raise GradError(f"a coverage probability lies between 0 and 1, and this is {inside!r}")
    # Newton's method on logarithms: log(outside) is concave in log(t), so that the first step leads beyond the root
    # and the others down to it. The normal distribution has the smaller quantile.
    low = inside < outside
    t = NormalDist().inv_cdf(0.5 + inside / 2) if low else -NormalDist().inv_cdf(outside / 2)
    t = t or inside
    for _ in range(60):
        p, q, slope = _probabilities(t, df)
        step = math.log(p / inside) * p / (-t * slope) if low else math.log(q / outside) * q / (t * slope)
        t *= math.exp(step)
        if abs(step) < 1e-15:
            break
    return t


def _probabilities(t: float, df: float) -> tuple[float, float, float]:
    """Return the probabilities inside and outside -t and t > 0, and the derivative of the first in t."""
    if df >= _NORMAL:
        slope = math.sqrt(2 / math.pi) * math.exp(-t * t / 2)
        return math.erf(t / math.sqrt(2)), math.erfc(t / math.sqrt(2)), slope
    a, square = df / 2, t * t
    # With x = df/(df + t**2) both forms of the incomplete beta function begin with x**a*sqrt(1 - x)/B(a, 1/2).
    front = _gamma_ratio(a) / math.sqrt(math.pi) * math.exp(-a * math.log1p(square / df)) * t / math.sqrt(df + square)
    slope = 2 * front / t
    if square <= _NEAR:
        inside = _series(a, square / (df + square)) * 2 * front
        return inside, 1 - inside, slope
    outside = front / _fraction(a, df / (df + square), square / (df + square))
    return 1 - outside, outside, slope


def _gamma_ratio(a: float) -> float:
    """Return gamma(a + 1/2)/gamma(a) for a >= 1/2."""
    if a < 100:
        return math.gamma(a + 0.5) / math.gamma(a)
    total = 0.0
    for c in reversed(_RATIO):
        total = total / a + c
    return math.sqrt(a) * total


def _series(a: float, y: float) -> float:
    """Return the sum of (a + 1/2)_n/(3/2)_n*y**n, whose terms are positive (DLMF 8.17.8)."""
    total = term = 1.0
    n = 0
    while term > 1e-17 * total:
        term *= y * (a + 0.5 + n) / (1.5 + n)
        total += term
        n += 1
    return total


def _fraction(a: float, x: float, y: float) -> float:
    """Return the continued fraction by which x**a*y**b/B(a, b) is divided to give I_x(a, b), for b = 1/2, y = 1 - x.

    It is the even part of DLMF 8.17.22, in which nothing cancels for large a; its limit is that of erfc (DLMF 7.9.2).
    It is evaluated by Lentz' method as Thompson and Barnett changed it.
    """
    b = 0.5

    def whole(m: int) -> float:
        even = m + m * (b - m) * x / (a + 2 * m - 1) if m else 0.0
        return even + (a + m) / (a + 2 * m + 1) * (a * y - b * x + 1 + m * (1 + y))

    value = c = whole(0)
    d = 0.0
    for m in range(1, 10_000):
        part = m * (b - m) * ((a + m - 1) / (a + 2 * m - 1)) * ((a + b + m - 1) / (a + 2 * m - 1)) * x * x
        d = 1 / (whole(m) + part * d)
        c = whole(m) + part / c
        value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return value
