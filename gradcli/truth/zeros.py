"""All zeros of an expression of one variable over a range: of polynomials by factors, of others by search.

A product is 0 where a factor is; between places at which the expression has no series the factors are searched one by
one. `hazard_places` are these places: the zeros of the distances that `calculus.hazards` reads from the function table.
Layer: must not know what a zero means.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from gradcli.calculus.hazards import hazards, passes_sign
from gradcli.errors import GradError
from gradcli.expr import ONE, Expr, apply, const, exact, post_order, readable
from gradcli.functions import TABLE
from gradcli.truth.balls import BallError, arithmetic, number
from gradcli.truth.boxes import Boxes
from gradcli.truth.closed_forms import FINE
from gradcli.truth.field import PRECISION
from gradcli.truth.intervals import Interval
from gradcli.truth.places import Place, box
from gradcli.truth.polynomials import ratio, real_zeros
from gradcli.truth.quotients import Quotient
from gradcli.truth.roots import WORK, Search, joined

_LEVELS = 2000
"""Steps of a rounding function in a range, at most."""
_STEP = Fraction(1, 2**80)
"""The share of an interval beside a place without closed form at which its nearer end is looked at."""
_LEAST = 300
"""Intervals that are looked at in each part, at least."""
_PLACES = 10_000
"""Hard places, at most, each counted by the operations that are searched beside it: some seconds."""
_HIGHEST = 12
"""The highest multiplicity of a zero of a numerator at a pole or a hole around which a search is spared."""
_BEYOND = Fraction(1, 512)
"""The share of its length by which a search goes beyond an end of the range, so that no zero is at its own end."""

Wanted = Callable[[Fraction], bool]


class Found(NamedTuple):
    """Zeros in order, intervals that are undecided, and intervals over which the expression is 0."""

    places: list[Place]
    undecided: list[Interval]
    flat: list[Interval]


class Range(NamedTuple):
    """The range of a variable between two places, ends included."""

    name: str
    left: Place
    right: Place

    def holds(self, place: Place) -> bool:
        """Whether a place is in the range: one that cannot be told from an end is that end."""
        return place.high >= self.left.low and place.low <= self.right.high


def merged(places: Sequence[Place]) -> list[Place]:
    """Places in order, those that cannot be told apart as one, whose multiplicity is the sum."""
    made: list[Place] = []
    for place in sorted(places, key=lambda p: p.low):
        if made and made[-1].meets(place):
            last = made[-1]
            same = last.exact is not None and place.exact is not None
            total = last.multiplicity + place.multiplicity if same else 0
            keep = last if last.exact is not None else place
            made[-1] = keep._replace(multiplicity=total)
        else:
            made.append(place)
    return made


def factors(e: Expr) -> list[tuple[Expr, int]]:
    """Expressions and whole exponents whose product has the zeros of an expression.

    >>> from gradcli.expr import text, var
    >>> [(text(f), n) for f, n in factors((var("x") - 1) ** 3 * -var("x"))]
    [('x - 1', 3), ('x', 1)]
    """
    found: dict[Expr, int] = {}
    stack = [(e, 1)]
    while stack:
        node, times = stack.pop()
        if node.op == "mul":
            stack += [(a, times) for a in node.args]
        elif node.op == "power" and (n := exact(node.args[1])) is not None and n.denominator == 1 and n > 0:
            stack.append((node.args[0], times * int(n)))
        elif node.op in ("neg", "abs", "sqrt") or passes_sign(TABLE.get(node.op)):
            stack.append((node.args[0], times))
        elif node.variables:
            found[node] = found.get(node, 0) + times
    return [*found.items()]


def zeros(e: Expr, over: Range, splits: Sequence[Place] = (), wanted: Wanted | None = None) -> Found:
    """The zeros of an expression of a range, which is cut at ``splits``, the places at which it may have no series.

    ``wanted``: whether a part between two of them is looked at, by a number of it.
    """
    places: list[Place] = []
    undecided: list[Interval] = []
    flat: list[Interval] = []
    for factor, times in factors(e):
        found = _of_factor(factor, over, splits, wanted) if any(hazards([factor])) else _of_factor(factor, over)
        places += [p._replace(multiplicity=p.multiplicity * times) for p in found.places if over.holds(p)]
        undecided += found.undecided
        flat += found.flat
    return Found(merged(places), sorted(undecided), joined(flat))


def _of_factor(e: Expr, over: Range, splits: Sequence[Place] = (), wanted: Wanted | None = None) -> Found:
    rational = ratio(e)
    if rational is not None:
        if not rational[0]:
            return Found([], [], [(over.left.low, over.right.high)])
        return Found(real_zeros(rational[0]), [], [])
    levels = _levels(e, over)
    if levels is not None:
        return levels
    chosen = _chosen(e, over, splits)
    if chosen is not None:
        return chosen
    return searched(Quotient(e, over.name), 0, over, splits, (), wanted)


def searched(q: Quotient, order: int, over: Range, splits: Sequence[Place], known: Sequence[Place] = (),
             wanted: Wanted | None = None) -> Found:  # fmt: skip
    """The zeros of a derivative between the splits, where ``wanted`` says so of a number of the part."""
    places: list[Place] = []
    undecided: list[Interval] = []
    flat: list[Interval] = []
    between = parts(over, splits)
    work = WORK
    for k, (left, right) in enumerate(between):
        low, high = left.high, right.low
        if low >= high or (wanted is not None and not wanted(inner(low, high))):
            continue
        vanishes = q.vanishes(order, low, high)
        if vanishes is not False:
            (flat if vanishes else undecided).append((low, high))
            continue
        share = max(work // (len(between) - k), _LEAST)
        search = Search(q.numerator(order), lambda p: q.multiplicity(order, p), known, share, q.cost)
        ends = [
            _away(q, order, place, side, high - low) if place in splits else -side * (high - low) * _BEYOND
            for side, place in ((1, left), (-1, right))
        ]  # fmt: skip
        found = search.over(low + ends[0], high + ends[1])
        work -= share - max(search.left, 0)
        places += [p for p in found.places if not any(p.meets(s) for s in splits)]
        undecided += [(max(a, low), min(b, high)) for a, b in found.undecided if b > low and a < high]
        for side, gap, place in ((1, found.gaps[0], left), (-1, found.gaps[1], right)):
            if gap is not None and place in splits and not _clear(q, order, place, side, gap):
                undecided.append(gap)
    return Found(places, undecided, flat)


def _away(q: Quotient, order: int, place: Place, side: int, length: Fraction) -> Fraction:
    """How far from a place, with the sign of the side, the numerator of a derivative has surely no zero but the place.

    Where its Taylor coefficient of the order of its zero there excludes 0 all around, there is no other.
    """
    exactly = None if place.exact is None else q.numerator_multiplicity(order, place, side)
    if exactly is None or exactly >= _HIGHEST:
        return Fraction(0)
    for k in range(1, 4):
        reach = length * Fraction(1, 8**k)
        with suppress(BallError), arithmetic(PRECISION):
            found = q.numerator(order)(box(place.low - reach, place.high + reach), exactly + 1)
            if all(c.is_finite() for c in found) and not found[exactly].contains(0):
                return reach if side > 0 else -reach
    return Fraction(0)


def _clear(q: Quotient, order: int, place: Place, side: int, gap: Interval) -> bool:
    """Whether a derivative is not 0 beside a place: by its series, else by its values at both ends of the interval."""
    if place.exact is not None:
        with arithmetic(PRECISION):
            germ = q.germ(place.exact, side, order)
        return germ is not None and bool(germ.terms)
    near = place.high + _STEP * (gap[1] - gap[0]) if side > 0 else place.low - _STEP * (gap[1] - gap[0])
    far = gap[1] if side > 0 else gap[0]
    with suppress(BallError), arithmetic(FINE):
        (a,), (b,) = [q.numerator(order)(number(x), 1) for x in (near, far)]
        return bool(a > 0 and b > 0) or bool(a < 0 and b < 0)
    return False


def parts(over: Range, splits: Sequence[Place]) -> list[tuple[Place, Place]]:
    """The parts of a range between places."""
    inside = [s for s in splits if over.holds(s)]
    edges = [*([] if inside and inside[0].meets(over.left) else [over.left]), *inside]
    edges += [] if inside and inside[-1].meets(over.right) else [over.right]
    return [*pairwise(edges)]


def inner(low: Fraction, high: Fraction) -> Fraction:
    """A number of few bits near the middle."""
    step = (high - low) / 16
    unit = Fraction(2) ** (step.numerator.bit_length() - step.denominator.bit_length())
    return round((low + high) / 2 / unit) * unit


def _levels(e: Expr, over: Range) -> Found | None:
    """The distances of rounding functions, u - round(u) and abs(u - round(u)) - 1/2: where u is whole, or half."""
    half = Fraction(0)
    if e.op == "sub" and exact(e.args[1]) == Fraction(1, 2) and e.args[0].op == "abs":
        e, half = e.args[0].args[0], Fraction(1, 2)
    if e.op != "sub" or e.args[1].op != "round" or e.args[1].args != e.args[:1]:
        return None
    u = e.args[0]
    whole = (over.left.low, over.right.high)
    with arithmetic(PRECISION):
        (range_,) = Boxes([u]).values({over.name: box(*whole)})
        if isinstance(range_, BallError) or not range_.is_finite() or not range_.rad() < _LEVELS / 2:
            return Found([], [whole], [])
        low, high = math.floor(float(range_.lower())) - 1, math.ceil(float(range_.upper())) + 1
    found = [zeros(apply("sub", u, const(n + half)), over) for n in range(low, high + 1)]
    return Found(
        merged([p for f in found for p in f.places]), joined([i for f in found for i in f.undecided]),
        joined([i for f in found for i in f.flat]),
    )  # fmt: skip


def _chosen(e: Expr, over: Range, splits: Sequence[Place]) -> Found | None:
    """The zeros of where(condition, distance, 1): those of the distance at which the condition may hold."""
    if e.op != "where" or e.args[2] is not ONE:
        return None
    condition, distance, _ = e.args
    found = zeros(distance, over, splits)
    told = apply("where", condition, const(1), const(0))
    with arithmetic(PRECISION):
        boxes = Boxes([told])
        values = [boxes.values({over.name: p.ball()})[0] for p in found.places]
    kept = [p for p, v in zip(found.places, values, strict=True) if isinstance(v, BallError) or not v.is_zero()]
    return Found(kept, found.undecided, found.flat)


def hazard_places(e: Expr, over: Range) -> Found:
    """The places in a range at which an expression without ``diff`` inside may have no series.

    Raises GradError where they are too many to look at what holds between them.
    """
    found = hazards([e])
    places: list[Place] = []
    undecided: list[Interval] = []
    size, work = len(post_order([e])), 0
    for distance in sorted([*found.ties, *found.singular], key=lambda d: d.serial):
        (plain,) = readable([distance])
        more = zeros(plain, over, places)
        places = merged([p._replace(multiplicity=0) for p in [*places, *more.places]])
        undecided += more.undecided
        work += len(places) * len(post_order([plain]))
        if work + len(places) * size > _PLACES:
            raise GradError("poles, jumps and kinks are too many for the length of the expression",
                            hint="a narrower range, or parts of the expression one by one")  # fmt: skip
    return Found(places, joined(undecided), [])
