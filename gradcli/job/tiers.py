"""The tiers that settle the points which the mask marks, and the numbers with too few right digits.

1. Plain ties: a program of the expression as it is on either side. 2. Singular points, and numbers that are not finite:
the formula in ball arithmetic where it is regular there, else germs. 3. Digits lost: balls.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcli.compute import engine, trust
from gradcli.compute.execute import blocks
from gradcli.compute.program import Program, build
from gradcli.errors import GradError
from gradcli.job.decimals import exactly, shortest
from gradcli.job.kink_rules import CLOSE, Sided, of_side, ruled
from gradcli.job.marks import SINGULAR, TIE, Arrays, Lists, hazard_mask
from gradcli.job.mixed import Mixed
from gradcli.job.once import once
from gradcli.job.repairs import Repairs

if TYPE_CHECKING:
    from gradcli.job.hard_points import HardPoints, Target
    from gradcli.job.marks import Lost, Outside
    from gradcli.job.ties import Ties
    from gradcli.truth.verdict import Judge
    from gradcli.truth.words import Beside

_MANY = 32
"""Marked rows of a block from which columns of ties are settled at once."""
_HELD = 1 << 13
"""Verdicts that are remembered."""


class Tiers:
    """The tiers for the points of a job. ``arrays``: the points come in arrays, and NumPy computes the sides."""

    def __init__(self, hard: HardPoints, arrays: bool) -> None:
        self.hard, self.arrays = hard, arrays
        self.engine = "vector" if arrays else "scalar"
        self.marks: type[Arrays | Lists] = Arrays if arrays else Lists
        self._judges: dict[int, Judge] = {}
        self.balls = Repairs(hard)
        self.mixed = Mixed(hard, self.balls)
        self._held: dict[tuple[Any, ...], Beside] = {}

    def settle(self, outs: Sequence[Any], rows: list[int], lost: Lost, mask: Any, errors: Any) -> None:
        hard = self.hard
        first, width = len(hard.coordinates), len(hard.targets)
        settled: dict[int, set[int]] = {}
        marked = {*rows}
        if mask is not None:
            rows = self._decided(outs, rows, mask)
        ties: Sequence[int] = ()
        if mask is not None and shortest(hard.typed):
            if len(rows) >= _MANY and self.ties.together:
                rows, done = self.ties.settle(outs, rows, mask)
                if lost or hard.job.trust:
                    for k, places in done:
                        for n in places.tolist():
                            settled.setdefault(n, set()).add(k)
            ties = [n for n in rows if mask[n] == TIE and self._finite(outs, n)]
        sides = dict(zip(ties, self.ties.sides(outs, ties), strict=True)) if ties else {}
        hazards, quiet = ([], rows) if mask is None else self.marks.split(rows, mask)
        left, nowhere = self._outside(outs, quiet) if len(quiet) > 0 else ({}, [])
        if hard.job.sides or hard.job.verdict:
            if nowhere:
                self._tell_nowhere(outs, nowhere)
            hazards, left = sorted({*rows} - {*nowhere}), {}
        missing: set[int] = set()
        for n in sorted([*hazards, *left]):
            before = hard.missing
            point = {name: float(column[n]) for name, column in zip(hard.coordinates, outs, strict=False)}
            values = [float(outs[first + k][n]) for k in range(width)]
            if n in left:
                settled[n] = self._overflowed(point, values, left[n])
            else:
                settled[n] = self._row(outs, n, point, values, sides.get(n))
            if hard.missing > before:
                missing.add(n)
            for k in settled[n]:
                outs[first + k][n] = values[k]
        groups: dict[int, dict[int, list[int]]] = {}
        for k, places in lost:
            for n in places:
                if k not in settled.get(n, ()):
                    groups.setdefault(hard.targets[k].output, {}).setdefault(n, []).append(k)
        if groups and not self.balls.exact:
            hard.missing += len({n for of_rows in groups.values() for n in of_rows} - missing)
            groups = {}
        for output, of_rows in groups.items():
            for n, k, value in self.balls.repaired(outs, output, of_rows, errors):
                outs[first + k][n] = value
                settled.setdefault(n, set()).add(k)
                for column in () if n in marked else self._alike[k]:
                    outs[column][n] = value
        for extra, out in zip(hard.extras, outs[first + width :], strict=True):
            if extra.kind == "trust":
                for n, columns in settled.items():
                    if extra.column in columns:
                        out[n] = 16.0

    @once
    def _alike(self) -> Mapping[int, Sequence[int]]:
        """For each column of results those of sides, which hold the same numbers at a smooth point."""
        hard, alike = self.hard, defaultdict(list)
        base = len(hard.coordinates) + len(hard.targets)
        for place, extra in enumerate(hard.extras, base):
            if extra.kind == "side":
                alike[extra.result].append(place)
        return alike

    @once
    def ties(self) -> Ties:
        from gradcli.job.ties import Ties

        return Ties(self.hard, self.order, self.arrays)

    def _finite(self, outs: Sequence[Any], n: int) -> bool:
        return all(math.isfinite(c[n]) for c in outs[: len(self.hard.coordinates) + len(self.hard.targets)])

    @property
    def order(self) -> int:
        """The order to which points are looked at: at least 1, since a kink is one of the first derivative."""
        return max(self.hard.order, 1)

    # The mask.

    @once
    def _mask_program(self) -> Program | None:
        """A program of the mask with every error known; None if that is the one which marked the rows."""
        sure = hazard_mask(self.hard.roots, sure=True)
        return None if sure == self.hard.mask else build(sure, [self.hard.coordinates])

    def _decided(self, outs: Sequence[Any], rows: list[int], mask: Any) -> list[int]:
        """Decide again which rows are singular; return those that are still to be looked at."""
        left_open = [n for n in self.marks.split(rows, mask)[0] if mask[n] == SINGULAR]
        if not left_open or self._mask_program is None:
            return rows
        work = engine.work(self._mask_program, self.ties.points(outs, left_open), self.engine)
        ((sure,),) = blocks(work, target=len(left_open))
        regular = set()
        for n, m in zip(left_open, sure, strict=True):
            mask[n] = m
            if not m and self._finite(outs, n):
                regular.add(n)
        return [n for n in rows if n not in regular] if regular else rows

    # Numbers that are not finite where nothing is singular.

    def _outside(self, outs: Sequence[Any], rows: Sequence[int]) -> Outside:
        """Of rows without a hazard those with numbers that may have left the range, and those outside the domain."""
        hard, first = self.hard, len(self.hard.coordinates)
        work = trust.work(hard.results, self._result_program, self.ties.points(outs, rows), self.engine)
        (block,) = blocks(work, target=len(rows))
        return self.marks.outside(outs[first : first + len(hard.results)], block[len(hard.results) :], rows)

    def _tell_nowhere(self, outs: Sequence[Any], rows: Sequence[int]) -> None:
        """Write the columns about rows outside the domain."""
        hard = self.hard
        numbers = {"verdict": hard.code("undefined"), "breaks": 0.0, "side": math.nan}
        for extra, out in zip(hard.extras, outs[len(hard.coordinates) + len(hard.targets) :], strict=True):
            if extra.kind in numbers and self.arrays:
                out[rows] = numbers[extra.kind]
            elif extra.kind in numbers:
                for n in rows:
                    out[n] = numbers[extra.kind]

    @once
    def _result_program(self) -> Program:
        return build(self.hard.results, [self.hard.coordinates])

    def _overflowed(self, point: Mapping[str, float], values: list[float], columns: Sequence[int]) -> set[int]:
        """Replace numbers that left the range in between, and return their columns."""
        if not columns or not all(map(math.isfinite, point.values())):
            return set()
        if not self.balls.exact:
            self.hard.missing += 1
            return set()
        done = set()
        for k in columns:
            number = self.balls.ball(point, self.hard.targets[k])
            if number is not None:
                values[k] = number
                done.add(k)
        return done

    # Germs.

    def truth(self, point: Mapping[str, float], output: int, axis: str) -> Beside | None:
        """The truth at a point along an axis; None if it cannot be computed."""
        key = (output, axis, *point.values())
        truth = self._held.get(key)
        if truth is None and self.balls.exact:
            truth = self._judge(output).along(exactly(self.hard.typed, point), axis)
            if len(self._held) >= _HELD:
                self._held.clear()
            self._held[key] = truth
        return truth

    def _judge(self, output: int) -> Judge:
        if output not in self._judges:
            from gradcli.truth.verdict import Judge

            self._judges.setdefault(output, Judge(self.hard.roots[output], self.order))
        return self._judges[output]

    # Rows.

    def _row(
        self, outs: Sequence[Any], n: int, point: Mapping[str, float], values: list[float],
        sides: list[list[Sided | None]] | None,
    ) -> set[int]:  # fmt: skip
        """Settle a marked point in ``values``, and in ``outs`` the columns about it; return the final results."""
        hard = self.hard
        truths: dict[tuple[int, str], Beside] = {}
        for output in range(len(hard.roots)):
            for place, axis in enumerate(hard.axes):
                truth: Beside | None = None if sides is None else sides[output][place]
                if truth is None:
                    truth = self.truth(point, output, axis)
                if truth is not None:
                    truths[output, axis] = truth
        if len(truths) < len(hard.roots) * len(hard.axes):
            hard.missing += 1
        self._tell(outs, n, truths)
        hardest = [(*key, truth) for key, truth in truths.items() if self._hard(truth)]
        if hardest:
            hard.hardest = hardest
            hard.kinds[hardest[0][2].verdict] += 1
            if hard.job.kink == "error":
                from gradcli.job.refusal import refused

                raise refused(hard, point, *hardest[0])
        if hard.job.kink == "convention":
            return set()
        if hard.job.kink == "error" and len(truths) < len(hard.roots) * len(hard.axes):
            raise GradError("--kink error: what lies at a singular point needs python-flint: pip install python-flint")
        done = set()
        for k, target in enumerate(hard.targets):
            of = {axis: t for (output, axis), t in truths.items() if output == target.output}
            number = self._number(point, k, target, of, values[k])
            if number is not None:
                values[k] = number
                done.add(k)
        return done

    def _hard(self, truth: Beside) -> bool:
        if truth.verdict in ("smooth", "undefined"):
            return False
        # Values alone: a kink is none of theirs.
        shown = self.hard.order or self.hard.job.sides or self.hard.job.verdict
        return bool(shown) or truth.breaks is None or truth.breaks < 1

    def _tell(self, outs: Sequence[Any], n: int, truths: Mapping[tuple[int, str], Beside]) -> None:
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
                out[n] = hard.code(word)
            elif extra.kind == "breaks":
                out[n] = math.nan if truth is None or truth.breaks is None else float(truth.breaks)
            else:
                out[n] = math.nan if truth is None else of_side(truth, extra.order, extra.sign)

    def _number(
        self, point: Mapping[str, float], column: int, target: Target, truths: Mapping[str, Beside], before: float
    ) -> float | None:
        """The number of a column at a marked point; None: it stays as it is."""
        rule = self.hard.job.kink
        if len(target.powers) > 1:
            return self.mixed.number(point, target, truths, before)
        order = sum(target.powers.values())
        axis = next(iter(target.powers), next(iter(truths), None))
        truth = None if axis is None else truths.get(axis)
        if truth is None:
            return None if rule == "derivative" else math.nan
        if truth.verdict == "smooth":
            return self._regular(point, column, of_side(truth, order, 1), before)
        return ruled(truth, order, rule, before)

    def _regular(self, point: Mapping[str, float], column: int, number: float, before: float) -> float | None:
        """The number at a marked point that is smooth: at the doubles where that can be computed."""
        if math.isfinite(before) and abs(before - number) <= CLOSE * abs(number):
            return None
        if self.balls.exact and all(map(math.isfinite, point.values())):
            at_doubles = self.balls.ball(point, self.hard.targets[column])
            return number if at_doubles is None else at_doubles
        return number
