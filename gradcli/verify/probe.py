"""A closer look at single points where a claim seems wrong, and the search for the simplest one where it is."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from gradcli.compute.backends import scalar
from gradcli.compute.program import build
from gradcli.expr import BOOLEANS, ZERO, Expr, apply, reachable, rebuild, variables
from gradcli.formats import spell
from gradcli.functions import TABLE
from gradcli.limits.work import NUMBERS, spend
from gradcli.verify.claims import Claim
from gradcli.verify.compare import (
    AGREES,
    CLAIMED,
    CLOSE,
    DIFFERS,
    INFINITE,
    MASK,
    OTHER,
    OUTSIDE,
    OVERFLOWS,
    OWN,
    SLACK,
    TRUE,
    UNDECIDED,
    UNSURE,
    VALUE,
    WIDTH,
    WRONG,
    Compared,
    Tolerance,
    among,
    bounds,
    compared,
)
from gradcli.verify.truths import UNDECIDED as UNTOLD
from gradcli.verify.truths import Exact, Truths

Point = tuple[float, ...]

_VAST = 2.0**50
"""Size from which exponents count as integers, since all doubles of that size are multiples of 1/4."""
_STEP = 2.0**-12
"""Relative distance of neighbouring points."""
_NEIGHBOURS = 12
_SMALL = 2.0**-30
"""Size below which neighbours are never at a distance relative to the number."""
_FLAWED = 1e-12
"""Relative error of the truth from which it is computed again."""
_TRIES = 60
"""The most points examined in the search for the simplest one."""


class Probe:
    """Evaluates and compares a claim at single points. ``names`` are the coordinates, data columns included.

    The truth at hard points, and where rounding errors hide it, is that of ``truths``.
    """

    def __init__(
        self, claim: Claim, columns: Sequence[Expr], names: Sequence[str], tolerance: Tolerance,
        truths: Truths | None = None,
    ) -> None:  # fmt: skip
        self.claim, self.names, self.tolerance = claim, names, tolerance
        self.truths = truths or Truths(names)
        used = {*variables(claim.claimed), *variables(claim.truth)}
        self.of_truth = {*variables(claim.root), *self.truths.wrt(claim)}
        self.axes = [k for k, name in enumerate(names) if name in used]
        self.variable_exponent = any(e.op == "power" and e.args[1].variables for e in reachable([claim.truth]))
        program = build(columns, [names])
        self.kernel, self.steps = scalar.kernel(program), program.operations / NUMBERS
        self.inputs = [names.index(name) for name, _ in program.inputs]

    def __call__(self, points: Sequence[Point], careful: bool = False) -> Compared:
        """The comparison at points. ``careful``: the truth is computed again where its rounding errors are large."""
        spend(self.steps * len(points))
        values = [[0.0] * len(points) for _ in range(WIDTH)]
        self.kernel([[point[k] for point in points] for k in self.inputs], values, (len(points),))
        before = np.array(values[TRUE])
        exact = [self._settled(point, values, n, careful) for n, point in enumerate(points)]
        comparison = compared(self.claim, values, self.tolerance)
        untold = [number is UNTOLD for number in exact]
        if any(untold):
            comparison.verdict[np.array(untold) & among(comparison.verdict, (AGREES, *WRONG))] = UNDECIDED
        # A claim that has lost all its digits is not compared with a truth that has them.
        comparison.verdict[(comparison.verdict == OVERFLOWS) & (comparison.true != before)] = UNSURE
        # Where there is no derivative, a claim may take a side.
        return comparison._replace(hard=np.array([number is not None for number in exact]))

    def _settled(self, point: Point, values: Sequence[list[float]], n: int, careful: bool) -> Exact | None:
        """Put the truth at a point in place of the formula's double; return that of a hard point, if there is one."""
        true, other = values[TRUE][n], values[OTHER][n]
        place = {name: x for name, x in zip(self.names, point, strict=True) if name in self.of_truth}
        if values[MASK][n] and not self.truths.regular(self.claim, place):
            hard = number = self.truths.hard(self.claim, place, true)
        else:
            flawed = careful and math.isfinite(true) and not other <= _FLAWED * abs(true)
            hard, number = None, self.truths.repaired(self.claim, place) if flawed else None
        if number is not None and number is not UNTOLD and number.value != true:
            values[TRUE][n] = number.value
            values[OTHER][n] = max(other, number.error) if self.claim.column and hard is None else number.error
            if hard is not None and math.isnan(values[VALUE][n]):
                values[VALUE][n] = 0.0
        if hard is not None and not values[OWN][n] <= CLOSE * abs(values[CLAIMED][n]):
            # Decimals are compared as their doubles are, so that a claim may name the point.
            (values[OWN][n],) = self._values(bounds([self.claim.claimed], literals=False), point)
        return hard

    def by_formula(self, point: Point) -> bool:
        """Whether the derivative's formula holds at a point, as it may not at a hazard of the function."""
        here = self([point])
        (value,) = self._values([self.claim.truth], point)
        return not here.hard[0] or abs(value - here.true[0]) <= CLOSE * abs(here.true[0])

    def failure(self, point: Point) -> str:
        """How the claim fails at a point; "" if it does not.

        ``agrees`` if it surely does not; ``differs``; ``kink``: its value is between the one-sided limits of a jump;
        ``hole``: it has no value there and agrees around it; ``overflow``: it leaves the range or the precision of a
        double; ``unsure``: rounding could hide a difference; ``undecided``: the truth at a hard point cannot be told.
        """
        here = self([point], careful=True)
        if here.verdict[0] == UNDECIDED:
            return "undecided"
        if here.verdict[0] == OVERFLOWS:
            return "overflow" if self._overflows(point) else "differs"
        if here.verdict[0] == AGREES and here.conclusive[0] and math.isfinite(here.true[0]):
            return "agrees"
        if here.verdict[0] not in WRONG:
            return "" if here.verdict[0] == OUTSIDE else "unsure"
        # Where there is a derivative, it may still jump along a variable that it is not taken in.
        axes = [k for k in self.axes if self.names[k] not in self.truths.wrt(self.claim)] if here.hard[0] else self.axes
        if here.verdict[0] == DIFFERS and not axes:
            return "differs"
        column = self.claim.column
        around = set() if column else set(self(_around(point, self.axes)).verdict.tolist())
        # A point on which no other of the domain borders is one of it by convention.
        isolated = (AGREES in around and not around & {*WRONG}) or around == {OUTSIDE}
        if here.verdict[0] == INFINITE:
            return "hole" if isolated else "overflow" if self._overflows(point) else "differs"
        if isolated or column:
            sides = [here.true[0], *self(_adjacent(point, axes), careful=True).true]
            finite = [side for side in sides if math.isfinite(side)]
            slack = CLOSE * max(map(abs, finite))
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

    def birth(self, point: Point) -> str:
        """The first operation of the claim that has no finite value at a point, with its numbers, such as 0/0."""
        nodes = [e for e in reachable([self.claim.claimed]) if e.op not in BOOLEANS]
        value = dict(zip(nodes, self._values(nodes, point), strict=True))
        for e in nodes:
            args = [value[a] for a in e.args if a in value]
            if args and not math.isfinite(value[e]) and (all(map(math.isfinite, args)) or _invalid(value[e], args)):
                return _written(e.op, args)
        return ""

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
                    wrong = among(self(points, careful=True).verdict, WRONG).tolist()
                    for point in [p for p, is_wrong in zip(points, wrong, strict=True) if is_wrong][:3]:
                        budget -= 1
                        if self.failure(point) == "differs":
                            best = point
                            break
            if best == before:
                break
        return best


def _invalid(value: float, args: Sequence[float]) -> bool:
    """Whether an operation on numbers, infinite ones among them, is none."""
    return math.isnan(value) and not any(map(math.isnan, args))


_SIGNS = {"add": " + ", "sub": " - ", "mul": "*", "div": "/", "power": "**"}


def _written(op: str, args: Sequence[float]) -> str:
    texts = [spell(a).removesuffix(".0") for a in args]
    if op in _SIGNS and len(texts) == 2:
        first, second = [f"({t})" if t[0] == "-" else t for t in texts]
        return f"{first}{_SIGNS[op]}{texts[1] if op == 'power' else second}"
    return f"{op}({', '.join(texts)})"


def _around(point: Point, axes: Sequence[int]) -> list[Point]:
    """Neighbours of a point at several distances, in random directions so that they avoid lines through the point."""
    neighbours = []
    for k, draws in enumerate(_directions(len(axes))):
        moved = list(point)
        for axis, (part, up) in zip(axes, draws, strict=True):
            x = point[axis]
            # Half of the steps are relative to max(|x|, 1), which is far from a tiny x; the others are relative to x.
            size = max(abs(x), 1.0) if k < _NEIGHBOURS // 2 or abs(x) < _SMALL else abs(x)
            step = _STEP * size * (0.5 + part) * (1.0 if k < 2 * _NEIGHBOURS // 3 else _STEP)
            near = x + step if up else x - step
            # The largest doubles have finite neighbours on one side only.
            moved[axis] = near if math.isfinite(near) else x * (1 - _STEP * part)
        neighbours.append(tuple(moved))
    return neighbours


@lru_cache(32)
def _directions(axes: int) -> list[list[tuple[float, bool]]]:
    """For each neighbour and axis, a random number from 0 to 1 and whether it lies above."""
    every = []
    for k in range(_NEIGHBOURS):
        draw = random.Random(k)
        every.append([(draw.random(), (k if not axis else draw.getrandbits(1)) % 2 == 0) for axis in range(axes)])
    return every


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
