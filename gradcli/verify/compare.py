"""One claim at single points: does it hold there, and if not, where is the simplest place it fails?

A claim and the truth may differ by what rounding can do to both formulas, and no further. Must not know how points
were found, nor how a verdict is told.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcli.calculus.error_bounds import bounds
from gradcli.compute.backends import scalar
from gradcli.compute.program import build
from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, ZERO, Expr, apply, const, reachable, text, variables
from gradcli.functions import TABLE
from gradcli.limits.work import NUMBERS, spend
from gradcli.verify.claims import Claim

if TYPE_CHECKING:
    from numpy.typing import NDArray

Point = tuple[float, ...]

SLACK = 2
"""Bounds are of first order: twice as much is allowed."""
_DATA = 16.0
"""What data may be off, in the truth's own bounds: nobody knows by which formula it was made."""
_DATA_ULPS = 8.0
_VAST = 2.0**50
_NEAR, _SIDES, _CLOSE = 2.0**-12, 12, 1e-9
_SMALL = 2.0**-30
_TRIES = 60
"""Points that are looked at closely on the way to the simplest."""
_ROOM = 1e-6
"""A comparison says something where what rounding may do is less than this part of the numbers."""


class Tolerance(NamedTuple):
    """How far apart may agree: by rounding where all are None, else as far as any one of them allows."""

    rtol: float | None = None
    atol: float | None = None
    max_ulp: float | None = None

    @property
    def given(self) -> bool:
        """Whether rounding has no say."""
        return any(limit is not None for limit in self)


class Compared(NamedTuple):
    """Claimed and true values at points, as arrays. ``verdict``: an entry of the constants below for each point.

    ``telling``: rounding could not have hidden a difference. ``zero``: one of the two is 0, without any rounding.
    """

    verdict: NDArray[np.int8]
    telling: NDArray[np.bool_]
    zero: NDArray[np.bool_]
    claimed: NDArray[np.float64]
    true: NDArray[np.float64]


AGREES, DIFFERS, INFINITE, OUTSIDE, UNSURE, HAZY = range(6)
"""INFINITE: the claim alone is not finite; OUTSIDE: the truth is not; UNSURE: nobody knows how far rounding went; HAZY:
something on the way to the claim is not finite, and its value is not the true one."""
WRONG = (DIFFERS, INFINITE)


WIDTH = 5


def columns(claim: Claim) -> list[Expr]:
    """What to compute for a claim: itself, the truth, how far rounding may have carried each, and the function."""
    return [claim.claimed, claim.truth, *bounds([claim.claimed, claim.truth]), claim.root]


def compared(claim: Claim, values: Sequence[Any], tolerance: Tolerance) -> Compared:
    """A claim against the truth, given the values of its `columns` at points."""
    claimed, true, own, other, value = (np.asarray(column, dtype=np.float64) for column in values)
    finite = np.isfinite(true) & np.isfinite(value)
    with np.errstate(all="ignore"):
        apart = np.abs(claimed - true)
        ulp = np.abs(np.spacing(true))
        if tolerance.given:
            allowed = (tolerance.atol or 0.0) + (tolerance.rtol or 0.0) * np.abs(true)
            allowed = np.maximum(allowed, (tolerance.max_ulp or 0.0) * ulp)
            telling, unsure = finite, np.zeros(len(true), dtype=bool)
            hazy = unsure
        else:
            allowed = _DATA * other + _DATA_ULPS * ulp if claim.column else SLACK * (own + other)
            telling = allowed <= _ROOM * np.maximum(np.abs(claimed), np.abs(true))
            unsure = ~np.isfinite(SLACK * other) | (np.isfinite(claimed) & ~np.isfinite(allowed))
            lost = unsure & np.isfinite(claimed) & np.isfinite(SLACK * other)
            hazy = lost & (apart > np.maximum(SLACK * other, _ROOM * np.maximum(np.abs(claimed), np.abs(true))))
        agrees = np.where(finite, apart <= allowed, (claimed == true) & np.isfinite(value))
    verdict = np.select(
        [~finite & ~agrees, finite & hazy, finite & unsure, ~np.isfinite(claimed) & finite, agrees],
        [OUTSIDE, HAZY, UNSURE, INFINITE, AGREES],
        DIFFERS,
    ).astype(np.int8)
    zero = ((true == 0) & (other == 0)) | ((claimed == 0) & (own == 0))
    return Compared(verdict, telling & finite, zero, claimed, true)


class Probe:
    """A claim as a function of single points. ``names`` are the variables that a point gives, columns of data too."""

    def __init__(self, claim: Claim, columns: Sequence[Expr], names: Sequence[str], tolerance: Tolerance) -> None:
        self.claim, self.names, self.tolerance = claim, names, tolerance
        told = {*variables(claim.claimed), *variables(claim.truth)}
        self.live = [k for k, name in enumerate(names) if name in told]
        self.whole = any(e.op == "power" and e.args[1].variables for e in reachable([claim.truth]))
        program = build(columns, [names])
        self.kernel, self.steps = scalar.kernel(program), program.operations / NUMBERS
        self.places = [names.index(name) for name, _ in program.inputs]

    def __call__(self, points: Sequence[Point]) -> Compared:
        spend(self.steps * len(points))
        outs = [[0.0] * len(points) for _ in range(WIDTH)]
        self.kernel([[point[k] for point in points] for k in self.places], outs, (len(points),))
        return compared(self.claim, outs, self.tolerance)

    def failure(self, point: Point) -> str:
        """differs, kink (it holds on a side of it), hole (the claim has no value there, beside it the right one),
        overflow (the claim leaves the range of a double) or "" where it does not fail."""
        here = self([point])
        if here.verdict[0] == HAZY:
            return "overflow" if self._excused(point) else "differs"
        if here.verdict[0] not in WRONG:
            return ""
        column = self.claim.column
        around = set() if column else set(self(_beside(point, self.live)).verdict.tolist())
        isolated = AGREES in around and not around & {*WRONG}
        if here.verdict[0] == INFINITE:
            return "hole" if isolated else "overflow" if self._excused(point) else "differs"
        if isolated or column:
            sides = [here.true[0], *self(_next(point, self.live)).true]
            finite = [side for side in sides if math.isfinite(side)]
            slack = _CLOSE * max(map(abs, finite))
            jumps = max(finite) - min(finite) > 4 * slack
            if jumps and min(finite) - slack <= here.claimed[0] <= max(finite) + slack:
                return "kink"
        return "differs"

    def _excused(self, point: Point) -> bool:
        """Whether the claim loses its value, there or on the way, only because doubles have no more room or digits."""
        if self.claim.column:
            return False
        # From here on every exponent is a whole number, and a power of what is negative has a value.
        if self.whole and any(abs(x) >= _VAST for x in point):
            return True
        nodes = [e for e in reachable([self.claim.claimed]) if e.op not in BOOLEANS]
        value = dict(zip(nodes, self._values(nodes, point), strict=True))
        for e in nodes:
            inside = [value[a] for a in e.args if a in value]
            if not all(map(math.isfinite, inside)):
                continue
            row = TABLE.get(e.op)
            if value[e] == 0 and row is not None and row.shrinks and inside and all(inside):
                return True
            if not math.isfinite(value[e]):
                has_pole = row is not None and row.poles is not None and (e.op != "div" or not inside[1])
                pole = e.op == "const" or value[e] != value[e] or has_pole
                return not pole or self._near_edge(e, point)
        return False

    def _near_edge(self, e: Expr, point: Point) -> bool:
        """Whether an operation has a value where its arguments are moved as far as rounding may have moved them."""
        moved = []
        for k, (a, bound) in enumerate(zip(e.args, bounds(e.args), strict=True)):
            for way in ("add", "sub"):
                args = [*e.args[:k], apply(way, a, SLACK * bound) if bound is not ZERO else a, *e.args[k + 1 :]]
                moved.append(apply(e.op, *args, value=e.value if isinstance(e.value, int) else None))
        return any(map(math.isfinite, self._values(moved, point)))

    def _values(self, nodes: Sequence[Expr], point: Point) -> list[float]:
        return scalar.at_point(nodes, dict(zip(self.names, point, strict=True)))

    def simplest(self, points: Sequence[Point]) -> Point:
        """The simplest point found where the claim is wrong, beginning from some where it is."""
        best = min(points, key=plainness)
        if self.claim.column:
            return best
        budget = _TRIES
        for _ in range(3):
            before = best
            for k in self.live:
                points = [(*best[:k], value, *best[k + 1 :]) for value in _simpler(best[k])]
                if points and budget > 0:
                    wrong = np.isin(self(points).verdict, WRONG).tolist()
                    for point in [p for p, is_wrong in zip(points, wrong, strict=True) if is_wrong][:3]:
                        budget -= 1
                        if self.failure(point) == "differs":
                            best = point
                            break
            if best == before:
                break
        return best


def _beside(point: Point, live: Sequence[int]) -> list[Point]:
    """Points a little away, and far less, in no special direction: what is so on a line alone is not so there."""
    found = []
    for k in range(_SIDES):
        draw = random.Random(k)
        moved = list(point)
        for axis in live:
            x = point[axis]
            # In parts of its own size, and in steps that leave the small behind.
            size = max(abs(x), 1.0) if k < _SIDES // 2 or abs(x) < _SMALL else abs(x)
            step = _NEAR * size * (0.5 + draw.random()) * (1.0 if k < 2 * _SIDES // 3 else _NEAR)
            down = (k if axis == live[0] else draw.getrandbits(1)) % 2
            near = x - step if down else x + step
            # Beyond the largest double there is one side only.
            moved[axis] = near if math.isfinite(near) else x * (1 - _NEAR * draw.random())
        found.append(tuple(moved))
    return found


def _next(point: Point, live: Sequence[int]) -> list[Point]:
    """The next doubles on both sides along every axis."""
    return [(*point[:k], math.nextafter(point[k], way), *point[k + 1 :]) for k in live for way in (-math.inf, math.inf)]


_PLAIN = (0.0, 1.0, 2.0, -1.0, 3.0, 0.5, -2.0, 4.0, 5.0, 10.0, 0.25, -0.5, -3.0, 100.0, 0.1)


def _simpler(x: float) -> list[float]:
    """Simpler numbers to try in a number's place, the simplest first."""
    rounded = [float(f"{x:.{digits}e}") for digits in range(6)] if math.isfinite(x) else []
    candidates = [*_PLAIN, *rounded]
    place = candidates.index(x) if x in candidates else len(candidates)
    return list(dict.fromkeys(candidates[:place]))


def plainness(point: Point) -> tuple[int, float]:
    """Orders points by how much there is to read, then by size."""
    return sum(len(repr(x).removesuffix(".0")) for x in point), sum(min(abs(x), 1e300) for x in point)


def pattern(pairs: Sequence[tuple[float, float]], others: Mapping[str, Sequence[float]]) -> str:
    """What (claimed, true) pairs have in common, in words: a factor, a difference, another derivative; "" if nothing.

    ``others``: the values of other derivatives at the same points.
    """
    if len(pairs) < 2:
        return ""
    if all(t and c for c, t in pairs) and _same(ratios := [c / t for c, t in pairs]):
        if abs(ratios[0] + 1) < _CLOSE:
            return "the sign is wrong"
        ratio = _short(ratios[0])
        return f"it is {ratio} times what it should be" if ratio != "1" else ""
    for name, values in others.items():
        if all(abs(c - v) <= _CLOSE * abs(v) for (c, _), v in zip(pairs, values, strict=True)):
            return f"it is {name}"
    if _same(apart := [c - t for c, t in pairs]):
        return f"it is {_short(abs(apart[0]))} too {'large' if apart[0] > 0 else 'small'} everywhere"
    return ""


def _same(numbers: Sequence[float]) -> bool:
    low, high = min(numbers), max(numbers)
    return math.isfinite(high - low) and high - low <= _CLOSE * max(abs(low), abs(high))


def _short(number: float) -> str:
    near = Fraction(number).limit_denominator(1000)
    if near and abs(number) < 1e15 and abs(float(near) - number) <= 1e-12 * abs(number):
        try:
            return text(const(near))
        except GradError:
            pass
    return f"{number:.13g}"
