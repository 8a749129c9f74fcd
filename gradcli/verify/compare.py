"""Comparison of one claim with the truth at points, and the search for the simplest point where it fails.

The tolerance is a bound on the rounding errors of both formulas. Layer: must not know how points are chosen, nor how
verdicts are printed.
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
from gradcli.expr import BOOLEANS, ZERO, Expr, apply, const, reachable, rebuild, text, variables
from gradcli.functions import TABLE
from gradcli.limits.work import NUMBERS, spend
from gradcli.verify.claims import Claim

if TYPE_CHECKING:
    from numpy.typing import NDArray

Point = tuple[float, ...]

SLACK = 2
"""Factor on the error bounds, which neglect terms of second order."""
_DATA = 16.0
"""Tolerance for data, in error bounds of the truth: the formula that produced the data is unknown."""
_DATA_ULPS = 8.0
"""Tolerance for data, in ulp, in addition to `_DATA`."""
_VAST = 2.0**50
"""Size from which exponents count as integers, since all doubles of that size are multiples of 1/4."""
_STEP = 2.0**-12
"""Relative distance of neighbouring points."""
_NEIGHBOURS = 12
_CLOSE = 1e-9
"""Relative difference of numbers that count as equal."""
_SMALL = 2.0**-30
"""Size below which neighbours are never at a distance relative to the number."""
_TRIES = 60
"""The most points examined in the search for the simplest one."""
_CONCLUSIVE = 1e-6
"""A comparison is conclusive if the tolerance is less than this fraction of the values."""


class Tolerance(NamedTuple):
    """The tolerance: the larger of ``atol + rtol*|true|`` and ``max_ulp``; if all are None, the error bound."""

    rtol: float | None = None
    atol: float | None = None
    max_ulp: float | None = None

    @property
    def given(self) -> bool:
        """Whether a tolerance is given, which replaces the rounding error bound."""
        return any(limit is not None for limit in self)


class Compared(NamedTuple):
    """Claimed and true values at points, as arrays of one length. ``verdict``: one of the constants below per point.

    ``conclusive``: rounding cannot hide a difference. ``zero``: one of the two values is 0 without any rounding error.
    """

    verdict: NDArray[np.int8]
    conclusive: NDArray[np.bool_]
    zero: NDArray[np.bool_]
    claimed: NDArray[np.float64]
    true: NDArray[np.float64]


AGREES, DIFFERS, INFINITE, OUTSIDE, UNSURE, OVERFLOWS = range(6)
"""INFINITE: only the claim is not finite; OUTSIDE: the truth is not finite; UNSURE: the error bound is not finite;
OVERFLOWS: only that of the claim is not finite, as after an overflow, and its value differs from the truth."""
WRONG = (DIFFERS, INFINITE)
WIDTH = 5
"""The number of `columns`."""


def columns(claim: Claim) -> list[Expr]:
    """The expressions to evaluate for a claim: the claim, the truth, an error bound of each, and the function."""
    return [claim.claimed, claim.truth, *bounds([claim.claimed, claim.truth]), claim.root]


def compared(claim: Claim, values: Sequence[Any], tolerance: Tolerance) -> Compared:
    """Compare a claim with the truth, given the values of its `columns` at points as arrays."""
    claimed, true, own, other, value = (np.asarray(column, dtype=np.float64) for column in values)
    finite = np.isfinite(true) & np.isfinite(value)
    with np.errstate(all="ignore"):
        apart = np.abs(claimed - true)
        ulp = np.abs(np.spacing(true))
        if tolerance.given:
            allowed = (tolerance.atol or 0.0) + (tolerance.rtol or 0.0) * np.abs(true)
            allowed = np.maximum(allowed, (tolerance.max_ulp or 0.0) * ulp)
            conclusive, unsure = finite, np.zeros(len(true), dtype=bool)
            overflows = unsure
        else:
            allowed = _DATA * other + _DATA_ULPS * ulp if claim.column else SLACK * (own + other)
            conclusive = allowed <= _CONCLUSIVE * np.maximum(np.abs(claimed), np.abs(true))
            unsure = ~np.isfinite(SLACK * other) | (np.isfinite(claimed) & ~np.isfinite(allowed))
            lost = unsure & np.isfinite(claimed) & np.isfinite(SLACK * other)
            visible = np.maximum(SLACK * other, _CONCLUSIVE * np.maximum(np.abs(claimed), np.abs(true)))
            overflows = lost & (apart > visible)
        agrees = np.where(finite, apart <= allowed, (claimed == true) & np.isfinite(value))
    verdict = np.select(
        [~finite & ~agrees, finite & overflows, finite & unsure, ~np.isfinite(claimed) & finite, agrees],
        [OUTSIDE, OVERFLOWS, UNSURE, INFINITE, AGREES],
        DIFFERS,
    ).astype(np.int8)
    zero = ((true == 0) & (other == 0)) | ((claimed == 0) & (own == 0))
    return Compared(verdict, conclusive & finite, zero, claimed, true)


class Probe:
    """Evaluates and compares a claim at single points. ``names`` are the coordinates, data columns included."""

    def __init__(self, claim: Claim, columns: Sequence[Expr], names: Sequence[str], tolerance: Tolerance) -> None:
        self.claim, self.names, self.tolerance = claim, names, tolerance
        used = {*variables(claim.claimed), *variables(claim.truth)}
        self.axes = [k for k, name in enumerate(names) if name in used]
        self.variable_exponent = any(e.op == "power" and e.args[1].variables for e in reachable([claim.truth]))
        program = build(columns, [names])
        self.kernel, self.steps = scalar.kernel(program), program.operations / NUMBERS
        self.inputs = [names.index(name) for name, _ in program.inputs]

    def __call__(self, points: Sequence[Point]) -> Compared:
        spend(self.steps * len(points))
        values = [[0.0] * len(points) for _ in range(WIDTH)]
        self.kernel([[point[k] for point in points] for k in self.inputs], values, (len(points),))
        return compared(self.claim, values, self.tolerance)

    def failure(self, point: Point) -> str:
        """How the claim fails at a point; "" if it does not.

        ``differs``; ``kink``: its value is between the one-sided limits of a jump; ``hole``: it has no value there and
        agrees around it; ``overflow``: it leaves the range or the precision of a double.
        """
        here = self([point])
        if here.verdict[0] == OVERFLOWS:
            return "overflow" if self._overflows(point) else "differs"
        if here.verdict[0] not in WRONG:
            return ""
        column = self.claim.column
        around = set() if column else set(self(_around(point, self.axes)).verdict.tolist())
        isolated = AGREES in around and not around & {*WRONG}
        if here.verdict[0] == INFINITE:
            return "hole" if isolated else "overflow" if self._overflows(point) else "differs"
        if isolated or column:
            sides = [here.true[0], *self(_adjacent(point, self.axes)).true]
            finite = [side for side in sides if math.isfinite(side)]
            slack = _CLOSE * max(map(abs, finite))
            jumps = max(finite) - min(finite) > 4 * slack
            if jumps and min(finite) - slack <= here.claimed[0] <= max(finite) + slack:
                return "kink"
        return "differs"

    def _overflows(self, point: Point) -> bool:
        """Whether an intermediate value of the claim overflows, underflows or reaches a pole by rounding alone."""
        if self.claim.column:
            return False
        # An exponent of this size is an integer, so a power of a negative base has a value only by rounding.
        if self.variable_exponent and any(abs(x) >= _VAST for x in point):
            return True
        nodes = [e for e in reachable([self.claim.claimed]) if e.op not in BOOLEANS]
        value = dict(zip(nodes, self._values(nodes, point), strict=True))
        for e in nodes:
            args = [value[a] for a in e.args if a in value]
            if not all(map(math.isfinite, args)):
                continue
            row = TABLE.get(e.op)
            if value[e] == 0 and row is not None and row.shrinks and args and all(args):
                return True
            if not math.isfinite(value[e]):
                has_pole = row is not None and row.poles is not None and (e.op != "div" or not args[1])
                pole = e.op == "const" or value[e] != value[e] or has_pole
                return not pole or self._near_pole(e, point)
        return False

    def _near_pole(self, e: Expr, point: Point) -> bool:
        """Whether an operation has a finite value if its arguments are changed by their rounding error bounds."""
        moved = []
        for k, (a, bound) in enumerate(zip(e.args, bounds(e.args), strict=True)):
            for sign in ("add", "sub"):
                args = [*e.args[:k], apply(sign, a, SLACK * bound) if bound is not ZERO else a, *e.args[k + 1 :]]
                moved.append(rebuild(e, tuple(args)))
        return any(map(math.isfinite, self._values(moved, point)))

    def _values(self, nodes: Sequence[Expr], point: Point) -> list[float]:
        return scalar.at_point(nodes, dict(zip(self.names, point, strict=True)))

    def simplest(self, points: Sequence[Point]) -> Point:
        """The simplest point found where the claim is wrong, by a search along the axes from the given wrong points."""
        best = min(points, key=plainness)
        if self.claim.column:
            return best
        budget = _TRIES
        for _ in range(3):
            before = best
            for k in self.axes:
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


def _around(point: Point, axes: Sequence[int]) -> list[Point]:
    """Neighbours of a point at several distances, in random directions so that they avoid lines through the point."""
    neighbours = []
    for k in range(_NEIGHBOURS):
        draw = random.Random(k)
        moved = list(point)
        for axis in axes:
            x = point[axis]
            # Half of the steps are relative to max(|x|, 1), which is far from a tiny x; the others are relative to x.
            size = max(abs(x), 1.0) if k < _NEIGHBOURS // 2 or abs(x) < _SMALL else abs(x)
            step = _STEP * size * (0.5 + draw.random()) * (1.0 if k < 2 * _NEIGHBOURS // 3 else _STEP)
            down = (k if axis == axes[0] else draw.getrandbits(1)) % 2
            near = x - step if down else x + step
            # The largest doubles have finite neighbours on one side only.
            moved[axis] = near if math.isfinite(near) else x * (1 - _STEP * draw.random())
        neighbours.append(tuple(moved))
    return neighbours


def _adjacent(point: Point, axes: Sequence[int]) -> list[Point]:
    """The points at the adjacent doubles, on both sides along every axis."""
    ends = (-math.inf, math.inf)
    return [(*point[:k], math.nextafter(point[k], end), *point[k + 1 :]) for k in axes for end in ends]


_PLAIN = (0.0, 1.0, 2.0, -1.0, 3.0, 0.5, -2.0, 4.0, 5.0, 10.0, 0.25, -0.5, -3.0, 100.0, 0.1)


def _simpler(x: float) -> list[float]:
    """Simpler numbers to try in place of x, the simplest first."""
    rounded = [float(f"{x:.{digits}e}") for digits in range(6)] if math.isfinite(x) else []
    candidates = [*_PLAIN, *rounded]
    rank = candidates.index(x) if x in candidates else len(candidates)
    return list(dict.fromkeys(candidates[:rank]))


def plainness(point: Point) -> tuple[int, float]:
    """Sort key of points, the simplest first: the number of characters, then the size."""
    return sum(len(repr(x).removesuffix(".0")) for x in point), sum(min(abs(x), 1e300) for x in point)


def pattern(pairs: Sequence[tuple[float, float]], others: Mapping[str, Sequence[float]]) -> str:
    """The common error of (claimed, true) pairs in words: a factor, a difference, another derivative; "" if none.

    ``others``: the values of other derivatives at the same points, by name.
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
