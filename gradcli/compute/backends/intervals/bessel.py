"""Ranges of Bessel and Airy functions.

Where they oscillate, Taylor's formula of the second order about the middle of a box, with bounds that hold over all of
it: Nicholson's integral, by which J**2 + Y**2 falls with x > 0 (DLMF 10.9.30), and its counterpart, by which
Ai**2 + Bi**2 rises with x (DLMF 9.11.4). Elsewhere they are monotone.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from gradcli.compute.backends.intervals.ranges import INF, Array, Ranges, Rule, even, row


def _taylor(x: Ranges, value: Array, slope: Array, bound: Array | float, bend: Array) -> Ranges:
    """The range of a function from its value and slope in the middle, with bounds of it and its second derivative."""
    half = (x.high - x.low) / 2
    reach = half * (np.abs(slope) + half / 2 * bend)
    low, high = np.fmax(value - reach, -bound), np.fmin(value + reach, bound)
    return Ranges(np.where(np.isnan(value), -bound, low), np.where(np.isnan(value), bound, high))


def _middle(x: Ranges) -> Array:
    return x.low + (x.high - x.low) / 2


# Bessel functions of an order: a whole number n, or a real number v.


def _order(name: str, v: float, x: Array) -> Array:
    """J or Y of any real order at x."""
    if v == math.floor(v) and abs(v) <= 1000:
        whole = {"jv": "besselj", "yv": "bessely"}[name]
        sign = -1.0 if v < 0 and v % 2 == 1 else 1.0
        return sign * row(whole, int(abs(v)))(x)
    return row(name, arity=2)(np.full_like(x, v), x)


def _modulus(v: float, x: Array) -> Array:
    """A bound of |J| and |Y| of an order at all points beyond x, which is infinite at 0."""
    with np.errstate(all="ignore"):
        positive = np.maximum(x, 0)
        size = np.hypot(_order("jv", v, positive), _order("yv", v, positive))
        return np.where(np.isnan(size), INF, size)


def _oscillating(name: str, v: float, x: Ranges) -> Ranges:
    m = _middle(x)
    value = _order(name, v, m)
    slope = (_order(name, v - 1, m) - _order(name, v + 1, m)) / 2
    # Derivatives are means of functions of neighbouring orders (DLMF 10.6.7).
    bound, below, above_ = (_modulus(k, x.low) for k in (v, v - 2, v + 2))
    bend = (below + 2 * bound + above_) / 4
    if name == "jv" and (v == math.floor(v) or v >= 2):
        bound, bend = np.minimum(bound, 1.0), np.minimum(bend, 1.0)
    elif name == "jv" and v >= 0:
        bound = np.minimum(bound, 1.0)
    return _taylor(x, value, slope, bound, bend)


def _besselj(n: int, x: Ranges) -> Ranges:
    """All derivatives of J of a whole order lie between -1 and 1, by its integral (DLMF 10.9.2)."""
    f, m = row("besselj", n), _middle(x)
    slope = (_order("jv", n - 1, m) - row("besselj", n + 1)(m)) / 2
    return _taylor(x, f(m), slope, 1.0, np.ones(len(m)))


def _bessely(n: float, x: Ranges) -> Ranges:
    made = _oscillating("yv", n, Ranges(np.maximum(x.low, 0), np.maximum(x.high, 0)))
    low = np.where(x.high < 0, np.nan, np.where(x.low <= 0, -INF, made.low))
    return Ranges(low, np.where(x.high < 0, np.nan, np.where(x.low <= 0, INF, made.high)), x.low <= 0)


def _besseli(n: int, x: Ranges) -> Ranges:
    f = row("besseli", n)
    return Ranges(f(x.low), f(x.high)) if n % 2 else even(x, f, 0.0 if n else 1.0)


def _besselk(n: float, x: Ranges) -> Ranges:
    """It falls, and is positive."""
    f = partial(row("kv", arity=2), float(n))
    low, high = f(np.maximum(x.high, 0)), f(np.maximum(x.low, 0))
    outside = x.high < 0
    high = np.where(x.low <= 0, INF, high)
    return Ranges(np.where(outside, np.nan, low), np.where(outside, np.nan, high), x.low <= 0)


def _fixed(rule: Rule) -> Rule:
    """A rule for one order, for boxes of the same; of other boxes nothing is known."""

    def of_order(order: Ranges, x: Ranges) -> Ranges:
        v = float(order.low[0])
        if np.all(order.low == v) and np.all(order.high == v):
            return rule(v, x)
        return Ranges(np.full(len(x.low), -INF), np.full(len(x.low), INF), np.ones(len(x.low), np.bool_))

    return of_order


def _jv(v: float, x: Ranges) -> Ranges:
    made = _oscillating("jv", v, Ranges(np.maximum(x.low, 0), np.maximum(x.high, 0)))
    outside = x.high < 0
    return Ranges(np.where(outside, np.nan, made.low), np.where(outside, np.nan, made.high), x.low <= 0)


def _iv(v: float, x: Ranges) -> Ranges:
    """It rises for an order that is not negative; of a negative one it is that of -v and a multiple of K."""
    low, high = np.maximum(x.low, 0), np.maximum(x.high, 0)
    f = partial(row("iv", arity=2), abs(v))
    least, most = f(low), f(high)
    if v < 0:
        factor = 2 / math.pi * math.sin(-v * math.pi)
        k = _besselk(-v, x)
        ends = (factor * k.low, factor * k.high) if factor >= 0 else (factor * k.high, factor * k.low)
        least, most = least + ends[0], most + ends[1]
    outside = x.high < 0
    return Ranges(np.where(outside, np.nan, least), np.where(outside, np.nan, most), x.low <= 0)


# Airy functions.


def _airy(name: str, x: Ranges) -> Ranges:
    """Left of 0 Taylor's formula; right of it Ai falls, and Bi and the slopes of both rise."""
    f, prime, kind = row(name), name.endswith("prime"), name.removesuffix("prime")
    left = Ranges(np.minimum(x.low, 0), np.minimum(x.high, 0))
    m = _middle(left)
    size = np.hypot(row("airyai")(left.high), row("airybi")(left.high))
    steep = np.hypot(row("airyaiprime")(left.low), row("airybiprime")(left.low))
    if prime:
        made = _taylor(left, f(m), m * row(kind)(m), steep, size - left.low * steep)
    else:
        made = _taylor(left, f(m), row(f"{name}prime")(m), size, -left.low * size)
    u, v = f(np.maximum(x.low, 0)), f(np.maximum(x.high, 0))
    right = (v, u) if name == "airyai" else (u, v)
    below, above_ = x.high <= 0, x.low >= 0
    low = np.where(below, made.low, np.where(above_, right[0], np.minimum(made.low, right[0])))
    return Ranges(low, np.where(below, made.high, np.where(above_, right[1], np.maximum(made.high, right[1]))))


BESSEL: dict[str, Rule] = {
    "besselj": _besselj, "bessely": _bessely, "besseli": _besseli, "besselk": _besselk,
    "jv": _fixed(_jv), "yv": _fixed(_bessely), "iv": _fixed(_iv), "kv": _fixed(_besselk),
    **{name: partial(_airy, name) for name in ("airyai", "airyaiprime", "airybi", "airybiprime")},
}  # fmt: skip
"""Rules of Bessel and Airy functions."""
