"""Ranges of values over many intervals, and the common forms of rules that give them.

A rule takes the ranges of a function's arguments over boxes, and gives that of its values: R. E. Moore, R. B. Kearfott
and M. J. Cloud, Introduction to Interval Analysis (2009), ch. 5. Ranges are not rounded outward.
Layer: must not know expressions but those of a single function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.backends import vector
from gradcli.compute.program import build
from gradcli.expr import apply, var

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

INF = math.inf
_LARGEST, _LEAST = math.nextafter(INF, 0), math.nextafter(0, 1)


class Ranges(NamedTuple):
    """Least and greatest values over boxes, and where the step that made them is not smooth."""

    low: Array
    high: Array
    rough: Mask | None = None


Rule = Callable[..., Ranges]


def numbers(made: Ranges) -> Ranges:
    """Ranges of numbers: what overflows is beyond the largest double, and no infinity."""
    return Ranges(np.minimum(made.low, _LARGEST), np.maximum(made.high, -_LARGEST), made.rough)


def rising(f: Callable[[Array], Array]) -> Rule:
    """A function that rises everywhere."""
    return lambda x: Ranges(f(x.low), f(x.high))


def positive(f: Callable[[Array], Array]) -> Rule:
    """A function that rises everywhere from 0, which it does not reach: what underflows is above 0."""
    return lambda x: Ranges(f(x.low), np.maximum(f(x.high), _LEAST))


def above(f: Callable[[Array], Array], least: float, most: float = INF, falling: bool = False) -> Rule:
    """A monotone function with the domain ``least`` to ``most``: over the part of a box that lies in it."""

    def rule(x: Ranges) -> Ranges:
        low, high = f(np.clip(x.low, least, most)), f(np.clip(x.high, least, most))
        outside = (x.high < least) | (x.low > most)
        a, b = (high, low) if falling else (low, high)
        return Ranges(np.where(outside, np.nan, a), np.where(outside, np.nan, b), (x.low <= least) | (x.high >= most))

    return rule


def even(x: Ranges, f: Callable[[Array], Array], bottom: float, top: bool = False) -> Ranges:
    """A function that is even, and rises from ``bottom`` at 0, or with ``top`` falls from it."""
    across = (x.low <= 0) & (x.high >= 0)
    u, v = f(x.low), f(x.high)
    if top:
        return Ranges(np.minimum(u, v), np.where(across, bottom, np.maximum(u, v)))
    return Ranges(np.where(across, bottom, np.minimum(u, v)), np.maximum(u, v))


def stepped(f: Callable[[Array], Array]) -> Rule:
    """A function that is constant between its jumps, and rises."""

    def rule(x: Ranges) -> Ranges:
        low, high = f(x.low), f(x.high)
        return Ranges(low, high, low != high)

    return rule


def product(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array]:
    """The ranges of products of numbers from a to b with numbers from c to d."""
    p, q, r, s = a * c, a * d, b * c, b * d
    low, high = np.minimum(np.minimum(p, q), np.minimum(r, s)), np.maximum(np.maximum(p, q), np.maximum(r, s))
    if not np.isnan(low).any():
        return low, high
    # 0 times infinity: the factor that is 0 is exactly 0, while the other one only grows without bound.
    corners = np.stack(np.broadcast_arrays(p, q, r, s))
    corners[np.isnan(corners)] = 0.0
    lost = np.isnan(a) | np.isnan(c)
    return np.where(lost, np.nan, corners.min(0)), np.where(lost, np.nan, corners.max(0))


def wave(x: Ranges, peak: float) -> Ranges:
    """cos(x - peak), which is 1 at ``peak``."""
    a, b, turn = x.low - peak, x.high - peak, 2 * math.pi
    wide = ~(b - a < turn)
    top = np.ceil(a / turn) * turn <= b
    bottom = np.ceil((a - math.pi) / turn) * turn + math.pi <= b
    f = np.cos if peak == 0 else np.sin
    u, v = f(x.low), f(x.high)
    return Ranges(np.where(bottom | wide, -1.0, np.fmin(u, v)), np.where(top | wide, 1.0, np.fmax(u, v)))


@lru_cache(64)
def row(name: str, value: int | None = None, arity: int = 1) -> Callable[..., Array]:
    """A function of the table, with the parameter ``value``, on arrays."""
    names = [f"x{k}" for k in range(arity)]
    e = apply(name, *[var(n) for n in names], value=value)
    return vector.function(build([e], [[n] for n in names]), names)


def late(name: str) -> Callable[[Array], Array]:
    """As `row`, made at its first use."""

    def function(x: Array) -> Array:
        values: Array = row(name)(x)
        return values

    return function


def monotone(name: str, falling: bool = False) -> Rule:
    """A function of the table that rises or falls everywhere."""

    def rule(x: Ranges) -> Ranges:
        low, high = row(name)(x.low), row(name)(x.high)
        return Ranges(high, low) if falling else Ranges(low, high)

    return rule


def turning(name: str, turns: Callable[[int], Sequence[float]]) -> Rule:
    """A function of the table with a parameter n that turns at the points ``turns(n)`` alone."""

    def rule(n: int, x: Ranges) -> Ranges:
        f = row(name, n)
        u, v = f(x.low), f(x.high)
        low, high = np.minimum(u, v), np.maximum(u, v)
        for point in turns(n):
            inside = (x.low < point) & (point < x.high)
            (y,) = f(np.array([point]))
            low, high = np.where(inside, np.minimum(low, y), low), np.where(inside, np.maximum(high, y), high)
        return Ranges(low, high)

    return rule
