"""Ranges of comparisons, choices and extremes: rough where a box does not decide them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcli.compute.backends.intervals.ranges import Array, Mask, Ranges, Rule


def _lost(x: Ranges, y: Ranges) -> Mask:
    """Whether one has no value: only "not equal" is true of it."""
    return np.isnan(x.low) | np.isnan(y.low)


def less(x: Ranges, y: Ranges, strict: bool) -> Ranges:
    yes = x.high < y.low if strict else x.high <= y.low
    no = (x.low >= y.high if strict else x.low > y.high) | _lost(x, y)
    return Ranges(np.where(yes, 1.0, 0.0), np.where(no, 0.0, 1.0), ~(yes | no))


def equal(x: Ranges, y: Ranges, same: bool) -> Ranges:
    apart = (x.high < y.low) | (x.low > y.high) | _lost(x, y)
    alike = (x.low == x.high) & (y.low == y.high) & (x.low == y.low)
    yes, no = (alike, apart) if same else (apart, alike)
    return Ranges(np.where(yes, 1.0, 0.0), np.where(no, 0.0, 1.0), ~(yes | no))


def where(c: Ranges, a: Ranges, b: Ranges) -> Ranges:
    low = np.where(c.low == 1, a.low, np.where(c.high == 0, b.low, np.fmin(a.low, b.low)))
    high = np.where(c.low == 1, a.high, np.where(c.high == 0, b.high, np.fmax(a.high, b.high)))
    return Ranges(low, high)


def selected(greatest: bool, same: bool) -> Rule:
    """Whether the first argument is the greatest, or the least, of all."""

    def rule(x: Ranges, *others: Ranges) -> Ranges:
        yes, no = np.ones(len(x.low), np.bool_), np.zeros(len(x.low), np.bool_)
        for y in others:
            yes &= (x.low > y.high) if greatest else (x.high < y.low)
            no |= (x.high < y.low) if greatest else (x.low > y.high)
        if not same:
            yes, no = no, yes
        return Ranges(np.where(yes, 1.0, 0.0), np.where(no, 0.0, 1.0), ~(yes | no))

    return rule


def extreme(f: Callable[..., Array], greatest: bool) -> Rule:
    """The greatest or least of several: rough where two of those that may be it overlap."""

    def rule(*args: Ranges) -> Ranges:
        made = args[0]
        for x in args[1:]:
            overlap = (made.low < x.high) & (x.low < made.high)
            rough = overlap if made.rough is None else made.rough | overlap
            # What was rough below is none of it where this one is surely beyond.
            beyond = (x.low >= made.high) if greatest else (x.high <= made.low)
            made = Ranges(f(made.low, x.low), f(made.high, x.high), rough & ~beyond)
        return made

    return lambda *args: rule(*[Ranges(a.low, a.high) for a in args])


GREATEST, LEAST = extreme(np.maximum, True), extreme(np.minimum, False)


def clip(x: Ranges, low: Ranges, high: Ranges) -> Ranges:
    clip = GREATEST(x, low)
    made = LEAST(clip, high)
    assert clip.rough is not None and made.rough is not None
    return Ranges(made.low, made.high, clip.rough | made.rough)


def heaviside(x: Ranges, y: Ranges) -> Ranges:
    across = (x.low <= 0) & (x.high >= 0)
    low = np.where(across, np.minimum(y.low, np.where(x.low < 0, 0.0, 1.0)), np.where(x.low > 0, 1.0, 0.0))
    high = np.where(across, np.maximum(y.high, np.where(x.high > 0, 1.0, 0.0)), np.where(x.low > 0, 1.0, 0.0))
    return Ranges(low, high, across)
