"""Rules in ball arithmetic for Bessel and Airy functions and Lambert's W.

Layer: must not know expressions.
"""

from __future__ import annotations

import math

from flint import arb

from gradcli.truth.balls import (
    Ball,
    Rule,
    composed,
    head,
    moves,
    nonzero,
    outside,
    pole,
    refuse_moving,
    unsure,
    within,
)


def _bessel_coefficients(kind: str, a: Ball, order: Ball | int, count: int) -> list[Ball]:
    """From the values of neighbouring orders (DLMF 10.6.7, 10.29.5)."""
    known: dict[int, Ball] = {}

    def at(shift: int) -> Ball:
        if shift not in known:
            known[shift] = getattr(a, kind)(order + shift)
        return known[shift]

    alternates = kind in ("bessel_j", "bessel_y")
    coefficients = []
    for k in range(count):
        terms = (math.comb(k, j) * (-1 if alternates and j % 2 else 1) * at(2 * j - k) for j in range(k + 1))
        total = sum(terms, arb(0)) / (2**k * math.factorial(k))
        coefficients.append(-total if kind == "bessel_k" and k % 2 else total)
    return coefficients


def _bessel(kind: str, *, positive: bool = False) -> Rule:
    """Of a whole order."""

    def coefficients(a: Ball, count: int, n: int) -> list[Ball]:
        return _bessel_coefficients(kind, nonzero(within(a, 0, None)) if positive else a, n, count)

    return composed(coefficients)


def _real_bessel(kind: str) -> Rule:
    """Of a real order, for x > 0; at 0 the value alone, where it is finite."""

    def rule(order: Ball, x: Ball) -> Ball:
        refuse_moving(order)
        a = head(within(x, 0, None))
        if a.is_zero():
            if kind in ("bessel_j", "bessel_i") and not moves(x) and (order > 0 or order.is_zero()):
                return arb(1 if order.is_zero() else 0)
            raise pole()
        nonzero(a)
        return composed(lambda b, count: _bessel_coefficients(kind, b, order, count))(x)

    return rule


def _airy(name: str) -> Rule:
    def rule(u: Ball) -> Ball:
        base, slope = name.removesuffix("prime"), name.endswith("prime")
        if moves(u):
            return getattr(u, f"airy_{base}_prime" if slope else f"airy_{base}")()
        return getattr(u, f"airy_{base}")(derivative=int(slope))

    return rule


def _lambert(u: Ball, branch: int = 0) -> Ball:
    """W on the branch 0 or 1, the lower: from -1/e, its branch point, to 0 for the lower."""
    a = head(u)
    above = a + (-arb(1)).exp()
    if not above > 0:
        raise outside() if above < 0 else unsure()
    if branch and not a < 0:
        raise pole() if a.is_zero() else outside() if a > 0 else unsure()
    return u.lambertw(-branch)


RULES: dict[str, Rule] = {
    "besselj": _bessel("bessel_j"),
    "bessely": _bessel("bessel_y", positive=True),
    "besseli": _bessel("bessel_i"),
    "besselk": _bessel("bessel_k", positive=True),
    "jv": _real_bessel("bessel_j"),
    "yv": _real_bessel("bessel_y"),
    "iv": _real_bessel("bessel_i"),
    "kv": _real_bessel("bessel_k"),
    "airyai": _airy("ai"),
    "airyaiprime": _airy("aiprime"),
    "airybi": _airy("bi"),
    "airybiprime": _airy("biprime"),
    "lambertw": _lambert,
    "lambertw_low": lambda u: _lambert(u, 1),
    "lambertw_above": lambda u, n: 1 + _lambert(u, n),
    "lambertw_ratio": lambda u, n: (-_lambert(u, n)).exp(),
}
