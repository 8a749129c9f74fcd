"""The tiers that settle the points which the mask marks, and the numbers with too few right digits.

1. Plain ties: a program of the expression as it is on either side. 2. Singular points, and numbers that are not finite:
the formula in ball arithmetic where it is regular there, else germs. 3. Digits lost: balls.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gradcli.calculus.derive import derive
from gradcli.calculus.sides import side
from gradcli.compute import engine, trust
from gradcli.compute.execute import blocks
from gradcli.compute.grid import Axis, Grid, Held, Values
from gradcli.compute.program import Program, build
from gradcli.errors import GradError

from gradcli.job.hard_points import SINGULAR, TIE, HardPoints, Lost, Target

if TYPE_CHECKING:
    from gradcli.truth.repair import Repair
    from gradcli.truth.verdict import Judge

_CLOSE = 1e-9
"""Relative difference up to which a double stands for the same number."""
_UNSURE = 1e-10
"""Relative difference below which two sides may be equal: exact arithmetic decides."""
_HELD = 1 << 16
"""Verdicts that are remembered."""


class Truth(Protocol):
    """What is known of a function at a point along an axis; None is a side that is not there."""

    @property
    def verdict(self) -> str: ...
    @property
    def breaks(self) -> int | None: ...
    @property
    def proved(self) -> bool: ...
    @property
    def value(self) -> float: ...
    @property
    def limit_left(self) -> float: ...
    @property
    def limit_right(self) -> float: ...
    @property
    def left(self) -> Sequence[float] | None: ...
    @property
    def right(self) -> Sequence[float] | None: ...


class _Sided(NamedTuple):
    verdict: str
    breaks: int | None
    value: float
    limit_left: float
    limit_right: float
    left: Sequence[float]
    right: Sequence[float]
    proved: bool = True


class _UndecidedError(Exception):
    """The doubles of the two sides do not say whether they are equal."""


def _sided(value: float, left: Sequence[float], right: Sequence[float]) -> _Sided:
    """The truth from the values and derivatives of either side. Raises _UndecidedError where doubles cannot say."""
    if not all(map(math.isfinite, (value, *left, *right))):
        raise _UndecidedError
    for a, b in ((left[0], value), (right[0], value), *zip(left, right, strict=True)):
        if a != b and abs(a - b) <= _UNSURE * max(abs(a), abs(b)):
            raise _UndecidedError
    if left[0] != right[0]:
        verdict, breaks = "jump", 0
    elif left[0] != value:
        # A value that differs from the common limit: what else breaks is told by germs.
        raise _UndecidedError
    else:
        first = next((k for k, (a, b) in enumerate(zip(left, right, strict=True)) if a != b), None)
        verdict, breaks = ("smooth", None) if first is None else ("kink", first)
    return _Sided(verdict, breaks, value, left[0], right[0], left[1:], right[1:])


class Tiers:
    """The tiers for the points of a job. ``arrays``: the points come in arrays, and NumPy computes the sides."""

    def __init__(self, hard: HardPoints, arrays: bool) -> None:
        self.hard, self.arrays = hard, arrays
        self._judges: dict[int, Judge] = {}
        self._repairs: dict[int, Repair] = {}
        self._held: dict[tuple[Any, ...], Truth | None] = {}

    @cached_property
    def exact(self) -> bool:
        """Whether balls and germs can be computed."""
        from gradcli.truth.repair import available

        return available()

    def settle(self, outs: Sequence[Any], rows: Sequence[int], lost: Lost, mask: Any, errors: Any) -> None:
        hard = self.hard
        first, width = len(hard.coordinates), len(hard.targets)
        settled: dict[int, set[int]] = {}
        ties = [n for n in rows if mask is not None and mask[n] == TIE and self._finite(outs, n)]
        sides = dict(zip(ties, self._sides(outs, ties), strict=True)) if ties else {}
        quiet = self._quiet(outs, [n for n in rows if n not in sides and (mask is None or not mask[n])])
        for n in rows:
            point = {name: float(column[n]) for name, column in zip(hard.coordinates, outs, strict=False)}
            values = [float(outs[first + k][n]) for k in range(width)]
            if n in quiet and not (hard.job.sides or hard.job.verdict):
                settled[n] = self._overflowed(point, values, quiet[n])
            else:
                settled[n] = self._row(outs, n, point, values, sides.get(n))
            for k in settled[n]:
                outs[first + k][n] = values[k]
        groups: dict[int, dict[int, list[int]]] = {}
        for k, places in lost:
            for n in places:
                if k not in settled.get(n, ()):
                    groups.setdefault(hard.targets[k].output, {}).setdefault(n, []).append(k)
        for output, of_rows in groups.items():
            for n, k, value in self._repaired(outs, output, of_rows, errors):
                outs[first + k][n] = value
                settled.setdefault(n, set()).add(k)
        for extra, out in zip(hard.extras, outs[first + width :], strict=True):
            if extra.kind == "trust":
                for n, columns in settled.items():
                    if extra.column in columns:
                        out[n] = 16.0

    def _finite(self, outs: Sequence[Any], n: int) -> bool:
        first = len(self.hard.coordinates)
        return all(math.isfinite(column[n]) for column in outs[: first + len(self.hard.targets)])

    # Plain ties.

    @cached_property
    def _side_program(self) -> Program:
        hard, roots = self.hard, []
        for output in range(len(hard.roots)):
            for axis in hard.axes:
                for sign in (-1, 1):
                    e = side(hard.roots[output], axis, sign, hard.order + 1)
                    roots += [d for _, d in derive([("f", e)], [axis], self.order)]
        return build(roots, [hard.coordinates])

    @property
    def order(self) -> int:
        """The order to which points are looked at: at least 1, since a kink is one of the first derivative."""
        return max(self.hard.order, 1)

    def _sides(self, outs: Sequence[Any], rows: Sequence[int]) -> list[list[list[_Sided | None]]]:
        """For each row, by output and axis, the truth at a plain tie; None where the doubles cannot say."""
        hard = self.hard
        columns = [[float(column[n]) for n in rows] for column in outs[: len(hard.coordinates)]]
        if self.arrays:
            import numpy as np

            grid = Grid([Axis(hard.coordinates, [Held(np.array(column)) for column in columns])])
        else:
            grid = Grid([Axis(hard.coordinates, [Values(column) for column in columns])])
        work = engine.work(self._side_program, grid, "vector" if self.arrays else "scalar")
        (block,) = blocks(work, target=len(rows))
        first, step, truths = len(hard.coordinates), self.order + 1, []
        for place, n in enumerate(rows):
            numbers = [float(column[place]) for column in block]
            row, at = [], 0
            for output in range(len(hard.roots)):
                value = float(outs[first + output * hard.per_output][n])
                line: list[_Sided | None] = []
                for _ in hard.axes:
                    left, right = numbers[at : at + step], numbers[at + step : at + 2 * step]
                    at += 2 * step
                    try:
                        line.append(_sided(value, left, right))
                    except _UndecidedError:
                        line.append(None)
                row.append(line)
            truths.append(row)
        return truths

    # Numbers that are not finite where nothing is singular.

    def _quiet(self, outs: Sequence[Any], rows: Sequence[int]) -> dict[int, list[int]]:
        """Rows without a hazard, each with the columns whose numbers are not finite and may have left the range."""
        if not rows:
            return {}
        hard, program = self.hard, self._result_program
        columns = [[float(column[n]) for n in rows] for column in outs[: len(hard.coordinates)]]
        if self.arrays:
            import numpy as np

            grid = Grid([Axis(hard.coordinates, [Held(np.array(column)) for column in columns])])
        else:
            grid = Grid([Axis(hard.coordinates, [Values(column) for column in columns])])
        work = trust.work(hard.results, program, grid, "vector" if self.arrays else "scalar")
        (block,) = blocks(work, target=len(rows))
        errors = block[len(hard.results) :]
        first = len(hard.coordinates)
        return {
            n: [
                k for k, error in enumerate(errors)
                if error[place] != 0 and not math.isfinite(outs[first + k][n])
            ]
            for place, n in enumerate(rows)
        }  # fmt: skip

    @cached_property
    def _result_program(self) -> Program:
        return build(self.hard.results, [self.hard.coordinates])

    def _overflowed(self, point: Mapping[str, float], values: list[float], columns: Sequence[int]) -> set[int]:
        """Replace numbers that left the range in between, and return their columns."""
        if not columns or not all(map(math.isfinite, point.values())):
            return set()
        if not self.exact:
            self.hard.missing += 1
            return set()
        done = set()
        for k in columns:
            number = self._repair(self.hard.targets[k].output).number(point, self.hard.targets[k].powers, self.hard.budget)
            if number.value is not None:
                values[k] = number.value
                done.add(k)
        return done

    # Balls.

    def _repair(self, output: int) -> Repair:
        if output not in self._repairs:
            from gradcli.truth.repair import Repair

            self._repairs.setdefault(output, Repair(self.hard.roots[output], self.hard.order))
        return self._repairs[output]

    def _repaired(
        self, outs: Sequence[Any], output: int, of_rows: Mapping[int, Sequence[int]], errors: Any
    ) -> Iterator[tuple[int, int, float]]:
        """The correctly rounded doubles of results of an output, by row, columns of each: (row, column, double)."""
        hard = self.hard
        if not self.exact:
            hard.missing += len(of_rows)
            return
        alike: dict[tuple[int, ...], list[int]] = {}
        for n, columns in of_rows.items():
            alike.setdefault(tuple(columns), []).append(n)
        for columns, rows in alike.items():
            points = [
                {name: float(column[n]) for name, column in zip(hard.coordinates, outs, strict=False)} for n in rows
            ]
            powers = [hard.targets[k].powers for k in columns]
            found = self._repair(output).numbers(points, powers, hard.budget)
            for n, point, numbers in zip(rows, points, found, strict=True):
                for k, number in zip(columns, numbers, strict=True):
                    if number.value is not None:
                        yield n, k, number.value
                        continue
                    name = hard.targets[k].name
                    hard.doubtful.add(name)
                    if number.why in ("undecided", "work"):
                        before = float(outs[len(hard.coordinates) + k][n])
                        hard.unproved.append((trust.digits(before, float(errors[k][n])), tuple(point.values()), name))

    def digits(self, coordinates: Sequence[Any], results: Sequence[Any]) -> list[Any]:
        """The results as texts with the digits asked for; a number without them as its double is spelled."""
        from gradcli.formats import spell
        from gradcli.formats.passthrough import Kept

        hard, wanted = self.hard, self.hard.job.proved_digits
        assert wanted is not None
        if not self.exact:
            raise GradError(f"--digits {wanted} needs python-flint: pip install python-flint")
        from gradcli.truth.digits import digits

        points = [dict(zip(hard.coordinates, map(float, row), strict=True)) for row in zip(*coordinates, strict=True)]
        columns = []
        for target, column in zip(hard.targets, results, strict=True):
            cells = []
            for point, value in zip(points or [{}], column, strict=True):
                text = None
                if all(map(math.isfinite, point.values())):
                    text = digits(hard.roots[target.output], self._exactly(point), target.powers, wanted)
                if text is None:
                    text = spell(float(value))
                    hard.doubtful.add(target.name)
                cells.append(text.encode())
            columns.append(Kept(cells, True))
        return columns

    # Germs.

    def _truth(self, point: Mapping[str, float], output: int, axis: str) -> Truth | None:
        """The truth at a point along an axis; None if it cannot be computed."""
        key = (output, axis, *point.values(), *[math.copysign(1, v) for v in point.values() if not v])
        if key not in self._held:
            if not self.exact:
                return None
            if output not in self._judges:
                from gradcli.truth.verdict import Judge

                self._judges.setdefault(output, Judge(self.hard.roots[output], self.order))
            if len(self._held) >= _HELD:
                self._held.clear()
            self._held[key] = self._judges[output].along(self._exactly(point), axis)
        return self._held[key]

    def _exactly(self, point: Mapping[str, float]) -> dict[str, Any]:
        return {n: self.hard.reading(n, v) if math.isfinite(v) else v for n, v in point.items()}

    # Rows.

    def _row(
        self, outs: Sequence[Any], n: int, point: Mapping[str, float], values: list[float],
        sides: list[list[_Sided | None]] | None,
    ) -> set[int]:  # fmt: skip
        """Settle the numbers of a marked point in ``values``; returns the columns that are final.

        The columns about hard points are written to ``outs``.
        """
        hard = self.hard
        truths: dict[tuple[int, str], Truth] = {}
        for output in range(len(hard.roots)):
            for place, axis in enumerate(hard.axes):
                truth: Truth | None = None if sides is None else sides[output][place]
                if truth is None:
                    truth = self._truth(point, output, axis)
                if truth is not None:
                    truths[output, axis] = truth
        if len(truths) < len(hard.roots) * len(hard.axes):
            hard.missing += 1
        self._tell(outs, n, truths)
        hardest = next((t.verdict for t in truths.values() if self._hard(t)), None)
        if hardest is not None:
            hard.kinds[hardest] += 1
            if hard.job.kink == "error":
                raise _refused(hard, point, truths)
        if hard.job.kink == "convention":
            return set()
        done = set()
        for k, target in enumerate(hard.targets):
            of = {axis: t for (output, axis), t in truths.items() if output == target.output}
            number = self._number(point, k, target, of, values[k])
            if number is not None:
                values[k] = number
                done.add(k)
        return done

    def _hard(self, truth: Truth) -> bool:
        if truth.verdict in ("smooth", "undefined"):
            return False
        # Values alone: a kink is none of theirs.
        shown = self.hard.order or self.hard.job.sides or self.hard.job.verdict
        return bool(shown) or truth.breaks is None or truth.breaks < 1

    def _tell(self, outs: Sequence[Any], n: int, truths: Mapping[tuple[int, str], Truth]) -> None:
        hard = self.hard
        base = len(hard.coordinates) + len(hard.targets)
        for extra, out in zip(hard.extras, outs[base:], strict=True):
            if extra.kind == "trust":
                continue
            truth = truths.get((hard.targets[extra.column].output, extra.axis))
            if extra.kind == "verdict":
                word = "unknown" if truth is None else truth.verdict + ("" if truth.proved else "?")
                if truth is None or not truth.proved:
                    hard.doubtful.add(extra.name)
                if word not in hard.words:
                    hard.words.append(word)
                out[n] = float(hard.words.index(word))
            elif extra.kind == "breaks":
                out[n] = math.nan if truth is None or truth.breaks is None else float(truth.breaks)
            else:
                out[n] = math.nan if truth is None else _of_side(truth, extra.order, extra.sign)

    def _number(
        self, point: Mapping[str, float], column: int, target: Target, truths: Mapping[str, Truth], before: float
    ) -> float | None:
        """The number of a column at a marked point; None: it stays as it is."""
        rule = self.hard.job.kink
        if len(target.powers) > 1:
            return self._mixed(point, target, truths, before)
        order = sum(target.powers.values())
        axis = next(iter(target.powers), next(iter(truths), None))
        truth = None if axis is None else truths.get(axis)
        if truth is None:
            return None if rule == "derivative" else math.nan
        if truth.verdict == "smooth":
            return self._regular(point, column, _of_side(truth, order, 1), before)
        if rule in ("left", "right"):
            return _of_side(truth, order, -1 if rule == "left" else 1)
        if rule == "limit":
            return _limit(truth, order)
        if rule == "mean":
            left, right = _of_side(truth, order, -1), _of_side(truth, order, 1)
            return right if truth.left is None else left if truth.right is None else (left + right) / 2
        if not order:
            return None if math.isfinite(before) or not math.isfinite(truth.value) else truth.value
        number = derivative(truth, order)
        if number is not None:
            return number
        if rule == "nan":
            return math.nan
        # An infinite convention where the sides differ would claim a derivative.
        known = truth.verdict != "unknown" and math.isfinite(truth.value) and truth.proved
        present = [s for s, side in ((-1, truth.left), (1, truth.right)) if side is not None]
        sides = {_of_side(truth, order, sign) for sign in present}
        return math.nan if known and math.isinf(before) and sides != {before} else None

    def _regular(self, point: Mapping[str, float], column: int, number: float, before: float) -> float | None:
        """The number at a marked point that is smooth: at the doubles where that can be computed."""
        if math.isfinite(before) and abs(before - number) <= _CLOSE * abs(number):
            return None
        if self.exact and all(map(math.isfinite, point.values())):
            repaired = self._repair(self.hard.targets[column].output).number(point, self.hard.targets[column].powers, self.hard.budget)
            if repaired.value is not None:
                return repaired.value
        return number

    def _mixed(
        self, point: Mapping[str, float], target: Target, truths: Mapping[str, Truth], before: float
    ) -> float | None:
        rule = self.hard.job.kink
        if self.exact and all(map(math.isfinite, point.values())):
            repaired = self._repair(target.output).number(point, target.powers, self.hard.budget)
            if repaired.value is not None:
                return repaired.value
            self._truth(point, target.output, self.hard.axes[0])
            if target.output in self._judges:
                number = self._judges[target.output].mixed(self._exactly(point), target.powers)
                if number is not None:
                    return number
        smooth = all(t.verdict == "smooth" for t in truths.values())
        return math.nan if rule != "derivative" and not smooth else None


def derivative(truth: Truth, order: int) -> float | None:
    """The derivative of this order at the point; None where there is none."""
    if truth.verdict.startswith(("unknown", "undefined", "isolated")) or not math.isfinite(truth.value):
        return None
    sides = [s for s in (truth.left, truth.right) if s is not None]
    limits = [
        limit for limit, s in ((truth.limit_left, truth.left), (truth.limit_right, truth.right)) if s is not None
    ]
    if not sides or any(limit != truth.value for limit in limits):
        return None
    for k in range(order):
        if any(s[k] != sides[0][k] for s in sides) or math.isnan(sides[0][k]):
            return None
        if math.isinf(sides[0][k]) and k < order - 1:
            return None
    return sides[0][order - 1]


def _of_side(truth: Truth, order: int, sign: int) -> float:
    side = truth.left if sign < 0 else truth.right
    if side is None:
        return math.nan
    if not order:
        return truth.limit_left if sign < 0 else truth.limit_right
    return side[order - 1] if order <= len(side) else math.nan


def _limit(truth: Truth, order: int) -> float:
    left, right = _of_side(truth, order, -1), _of_side(truth, order, 1)
    if truth.left is None:
        return right
    if truth.right is None:
        return left
    return left if left == right else math.nan


def _refused(hard: HardPoints, point: Mapping[str, float], truths: Mapping[tuple[int, str], Truth]) -> GradError:
    (output, axis), truth = next((key, t) for key, t in truths.items() if t.verdict not in ("smooth", "undefined"))
    name = hard.targets[output * hard.per_output].name
    at = ", ".join(f"{n}={v!r}" for n, v in point.items())
    along = f" along {axis}" if len(hard.axes) > 1 else ""
    sides = ""
    if truth.breaks is not None:
        values = [_of_side(truth, truth.breaks, sign) for sign in (-1, 1)]
        what = hard.targets[hard.column(output * hard.per_output, axis, truth.breaks)].name
        sides = f": {what} is {values[0]!r} from the left, {values[1]!r} from the right"
    return GradError(f"at {at}: {name} is no smooth function{along} ({truth.verdict}){sides}", exit_code=1)
