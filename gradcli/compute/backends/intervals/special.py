"""Ranges of the gamma family, of Lambert's W, and of incomplete integrals: pieces that are monotone or convex."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from gradcli.compute.backends.intervals.arithmetic import div
from gradcli.compute.backends.intervals.ranges import INF, Array, Mask, Ranges, Rule, above, numbers, product, row

_BRANCH = -0.3678794411714423
"""The first double above the branch point of Lambert's W, -1/e."""


def _w(name: str, x: Array) -> Array:
    return np.where(x <= _BRANCH, -1.0, row(name)(np.maximum(x, _BRANCH)))


def _poles(x: Ranges) -> Mask:
    """Whether a box holds 0 or a negative integer."""
    return np.ceil(x.low) <= np.minimum(np.floor(x.high), 0)


def _unknown(low: Array, high: Array, pole: Mask) -> Ranges:
    return Ranges(np.where(pole, -INF, low), np.where(pole, INF, high), pole)


def _convex(x: Ranges, f: Callable[[Array], Array], slope: Callable[[Array], Array]) -> tuple[Array, Array]:
    """The range of a convex function: above, its values at the ends; below, where their tangents meet."""
    u, v, p, q = f(x.low), f(x.high), slope(x.low), slope(x.high)
    least = np.fmin(u, v)
    turns = (p < 0) & (q > 0)
    if turns.any():
        t = (u - v + q * (x.high - x.low)) / (q - p)
        least = np.where(turns, np.fmin(least, u + p * t), least)
    return least, np.fmax(u, v)


def polygamma(n: int, x: Ranges) -> Ranges:
    """Between poles it rises for an even n, and is convex for an odd one (DLMF 5.15.1)."""
    f, pole = row("polygamma", n) if n else row("digamma"), _poles(x)
    if n % 2 == 0:
        return _unknown(f(x.low), f(x.high), pole)
    return _unknown(*_convex(x, f, row("polygamma", n + 1)), pole)


def lgamma(x: Ranges) -> Ranges:
    """Between poles log|gamma(x)| is convex."""
    return _unknown(*_convex(x, row("lgamma"), row("digamma")), _poles(x))


def gamma(x: Ranges) -> Ranges:
    """Between poles |gamma(x)| is convex, as its logarithm is, and its sign alternates."""
    f, pole = row("gamma"), _poles(x)
    u, v = np.abs(f(x.low)), np.abs(f(x.high))
    least = np.fmin(np.fmin(u, v), np.exp(_convex(x, row("lgamma"), row("digamma"))[0]))
    most = np.fmax(u, v)
    negative = (x.high < 0) & (np.floor(x.low) % 2 == 1)
    return _unknown(np.where(negative, -most, least), np.where(negative, -least, most), pole)


def factorial(x: Ranges) -> Ranges:
    return gamma(Ranges(x.low + 1, x.high + 1))


def _beta(name: str) -> Rule:
    """The beta function or its logarithm, which fall in both arguments where these are positive."""

    def rule(x: Ranges, y: Ranges) -> Ranges:
        f = row(name, arity=2)
        low, high = f(x.high, y.high), f(x.low, y.low)
        other = (x.low <= 0) | (y.low <= 0)
        if not other.any():
            return Ranges(low, high)
        # Elsewhere it is made of gamma functions, whose poles in the divisor it has not.
        total = Ranges(x.low + y.low, x.high + y.high)
        if name == "beta":
            p, q = gamma(x), gamma(y)
            made = div(numbers(Ranges(*product(p.low, p.high, q.low, q.high))), numbers(gamma(total)))
        else:
            p, q, r = lgamma(x), lgamma(y), lgamma(total)
            made = Ranges(p.low + q.low - r.high, p.high + q.high - r.low)
        rough = _poles(x) | _poles(y) | _poles(total)
        lost = rough | np.isnan(made.low) | np.isnan(made.high)
        least, most = np.where(lost, -INF, made.low), np.where(lost, INF, made.high)
        return Ranges(np.where(other, least, low), np.where(other, most, high), rough)

    return rule


def _incomplete(name: str, falls: bool) -> Rule:
    """P(a, x) falls with a and rises with x; Q(a, x) does the reverse."""

    def rule(a: Ranges, x: Ranges) -> Ranges:
        outside = (x.high < 0) | (a.high <= 0)
        low, high = np.maximum(x.low, 0), np.maximum(x.high, 0)
        ends = row(name, arity=2)(a.high, low), row(name, arity=2)(a.low, high)
        least, most = ends[::-1] if falls else ends
        # Below 0 and for a that is not positive there are no values; 0 is the end of the domain.
        least, most = np.where(np.isnan(least), 0.0, least), np.where(np.isnan(most), 1.0, most)
        return Ranges(np.where(outside, np.nan, least), np.where(outside, np.nan, most), (x.low <= 0) | (a.low <= 0))

    return rule


def betainc(a: Ranges, b: Ranges, x: Ranges) -> Ranges:
    """I_x(a, b) falls with a, and rises with b and x (DLMF 8.17.1)."""
    outside = (x.high < 0) | (x.low > 1) | (a.high <= 0) | (b.high <= 0)
    f, low, high = row("betainc", arity=3), np.clip(x.low, 0, 1), np.clip(x.high, 0, 1)
    least, most = f(a.high, b.low, low), f(a.low, b.high, high)
    least, most = np.where(np.isnan(least), 0.0, least), np.where(np.isnan(most), 1.0, most)
    edge = (x.low <= 0) | (x.high >= 1) | (a.low <= 0) | (b.low <= 0)
    return Ranges(np.where(outside, np.nan, least), np.where(outside, np.nan, most), edge)


SPECIAL: dict[str, Rule] = {
    "gamma": gamma, "lgamma": lgamma, "factorial": factorial, "digamma": partial(polygamma, 0), "polygamma": polygamma,
    "beta": _beta("beta"), "betaln": _beta("betaln"),
    "gammainc": _incomplete("gammainc", False), "gammaincc": _incomplete("gammaincc", True), "betainc": betainc,
    "lambertw": above(partial(_w, "lambertw"), _BRANCH),
    "lambertw_low": above(partial(_w, "lambertw_low"), _BRANCH, 0, falling=True),
}  # fmt: skip
"""Rules of special functions but Bessel's and Airy's."""
