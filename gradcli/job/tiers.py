"""The tiers that settle the points which the mask marks, and the numbers with too few right digits.

1. Plain ties: a program of the expression as it is on either side. 2. Singular points, and numbers that are not finite:
the formula in ball arithmetic where it is regular there, else germs. 3. Digits lost: balls.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gradcli.calculus.leibniz import derivative_name
from gradcli.compute import engine, trust
from gradcli.compute.execute import blocks
from gradcli.compute.program import Program, build
from gradcli.errors import GradError
from gradcli.job.kink_rules import Sided, Truth, of_side, ruled
from gradcli.job.marks import Lost, at, not_finite, points, split, without
from gradcli.job.plain_ties import Ties
from gradcli.job.repairs import Repairs

if TYPE_CHECKING:
    from gradcli.job.hard_points import HardPoints, Target
    from gradcli.truth.verdict import Judge

_CLOSE = 1e-9
"""Relative difference up to which a double stands for the same number."""
_HELD = 1 << 16
"""Verdicts that are remembered."""


class Tiers:
    """The tiers for the points of a job. ``arrays``: the points come in arrays, and NumPy computes the sides."""

    def __init__(self, hard: HardPoints, arrays: bool) -> None:
        self.hard, self.arrays = hard, arrays
        self.engine = "vector" if arrays else "scalar"
        self.ties = Ties(hard, self.order, self.engine)
        self._judges: dict[int, Judge] = {}
        self.balls = Repairs(hard)
        self._held: dict[tuple[Any, ...], Truth] = {}

    def settle(self, outs: Sequence[Any], rows: Any, lost: Lost, mask: Any, errors: Any) -> None:
        hard = self.hard
        first, width = len(hard.coordinates), len(hard.targets)
        results = outs[first : first + width]
        settled: dict[int, set[int]] = {}
        if mask is not None:
            rows = self._decided(outs, rows, mask)
        hazards, others = split(rows, mask, hard.tie, hard.singular)
        if len(others):
            left, nowhere = self._quiet(outs, others)
            if hard.job.sides or hard.job.verdict:
                self._tell_nowhere(outs, nowhere)
                hazards = without(rows, nowhere)
            else:
                settled = self._overflowed(outs, left)
        ties, _ = split(hazards, mask, hard.tie) if self.ties.possible else (hazards[:0], None)
        sides = self.ties.sides(outs, self._finite(outs, ties))
        places = zip(map(int, hazards), *at(outs[: first + width], hazards), strict=True)
        for n, *numbers in places:
            point, values = dict(zip(hard.coordinates, numbers, strict=False)), numbers[first:]
            settled[n] = self._row(outs, n, point, values, sides.get(n))
            for k in settled[n]:
                results[k][n] = values[k]
        groups: dict[int, dict[int, list[int]]] = {}
        for k, rows_lost in lost:
            for n in rows_lost:
                if k not in settled.get(n, ()):
                    groups.setdefault(hard.targets[k].output, {}).setdefault(n, []).append(k)
        for output, of_rows in groups.items():
            for n, k, value in self.balls.repaired(outs, output, of_rows, errors):
                results[k][n] = value
                settled.setdefault(n, set()).add(k)
        for extra, out in zip(hard.extras, outs[first + width :], strict=True):
            if extra.kind == "trust":
                for n, columns in settled.items():
                    if extra.column in columns:
                        out[n] = 16.0

    @property
    def order(self) -> int:
        """The order to which points are looked at: at least 1, since a kink is one of the first derivative."""
        return max(self.hard.order, 1)

    def _finite(self, outs: Sequence[Any], rows: Any) -> Any:
        """The rows at which all numbers are finite."""
        columns = outs[: len(self.hard.coordinates) + len(self.hard.targets)]
        if isinstance(rows, list):
            return [n for n in rows if all(math.isfinite(column[n]) for column in columns)]
        import numpy as np

        return rows[np.isfinite([column[rows] for column in columns]).all(axis=0)]

    # The mask.

    @cached_property
    def _mask_program(self) -> Program | None:
        """A program of the mask with every error known; None if that is the one which marked the rows."""
        hard = self.hard
        return None if hard.mask == hard.sure else build(hard.sure, [hard.coordinates])

    def _decided(self, outs: Sequence[Any], rows: Any, mask: Any) -> Any:
        """Decide again which rows are singular; return those that are still to be looked at."""
        open_rows, _ = split(rows, mask, self.hard.singular)
        if not len(open_rows) or self._mask_program is None:
            return rows
        grid = points(self.hard.coordinates, outs, open_rows)
        ((sure,),) = blocks(engine.work(self._mask_program, grid, self.engine), target=len(open_rows))
        for n, m in zip(open_rows, sure, strict=True):
            mask[n] = m
        done, _ = split(open_rows, mask, 0.0)
        return without(rows, self._finite(outs, done))

    # Numbers that are not finite where nothing is singular.

    def _quiet(self, outs: Sequence[Any], rows: Any) -> tuple[dict[int, list[int]], Any]:
        """Of rows without a hazard those with numbers that may have left the range, by columns, and those outside.

        Outside the domain every number is surely nan.
        """
        hard = self.hard
        work = trust.work(hard.results, self._result_program, points(hard.coordinates, outs, rows), self.engine)
        (block,) = blocks(work, target=len(rows))
        first, width = len(hard.coordinates), len(hard.targets)
        return not_finite(outs[first : first + width], block[width:], rows)

    @cached_property
    def _result_program(self) -> Program:
        return build(self.hard.results, [self.hard.coordinates])

    def _overflowed(self, outs: Sequence[Any], rows: Mapping[int, Sequence[int]]) -> dict[int, set[int]]:
        """Replace numbers that left the range in between, and return their columns."""
        hard, first = self.hard, len(self.hard.coordinates)
        settled: dict[int, set[int]] = {}
        for n, columns in rows.items():
            point = {name: float(column[n]) for name, column in zip(hard.coordinates, outs, strict=False)}
            if not all(map(math.isfinite, point.values())):
                continue
            if not self.balls.exact:
                hard.missing += 1
                continue
            for k in columns:
                number = self.balls.ball(point, hard.targets[k])
                if number is not None:
                    outs[first + k][n] = number
                    settled.setdefault(n, set()).add(k)
        return settled

    def _tell_nowhere(self, outs: Sequence[Any], rows: Any) -> None:
        """Tell that rows are outside the domain."""
        hard = self.hard
        numbers = {"verdict": self._word("undefined") if len(rows) else 0.0, "breaks": 0.0, "side": math.nan}
        for extra, out in zip(hard.extras, outs[len(hard.coordinates) + len(hard.targets) :], strict=True):
            if extra.kind in numbers:
                for n in rows:
                    out[n] = numbers[extra.kind]

    def _word(self, word: str) -> float:
        """The number that stands for a verdict in a column."""
        words = self.hard.words
        if word not in words:
            words.append(word)
        return float(words.index(word))

    # Germs.

    def _truth(self, point: Mapping[str, float], output: int, axis: str) -> Truth | None:
        """The truth at a point along an axis; None if it cannot be computed."""
        key = (output, axis, *point.values())
        truth = self._held.get(key)
        if truth is None and self.balls.exact:
            truth = self._judge(output).along(self.balls.exactly(point), axis)
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
        hardest = next(((*key, truth) for key, truth in truths.items() if self._hard(truth)), None)
        if hardest is not None:
            hard.kinds[hardest[-1].verdict] += 1
            if hard.job.kink == "error":
                raise _refused(hard, point, *hardest)
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
                out[n] = self._word(word)
            elif extra.kind == "breaks":
                out[n] = math.nan if truth is None or truth.breaks is None else float(truth.breaks)
            else:
                out[n] = math.nan if truth is None else of_side(truth, extra.order, extra.sign)

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
            return self._regular(point, column, of_side(truth, order, 1), before)
        return ruled(truth, order, rule, before)

    def _regular(self, point: Mapping[str, float], column: int, number: float, before: float) -> float | None:
        """The number at a marked point that is smooth: at the doubles where that can be computed."""
        if math.isfinite(before) and abs(before - number) <= _CLOSE * abs(number):
            return None
        if self.balls.exact and all(map(math.isfinite, point.values())):
            at_doubles = self.balls.ball(point, self.hard.targets[column])
            return number if at_doubles is None else at_doubles
        return number

    def _mixed(
        self, point: Mapping[str, float], target: Target, truths: Mapping[str, Truth], before: float
    ) -> float | None:
        rule = self.hard.job.kink
        order = sum(target.powers.values())
        breaks = [truths[name].breaks for name in target.powers if name in truths]
        broken = any(first is not None and first <= order for first in breaks)
        if not broken and self.balls.exact and all(map(math.isfinite, point.values())):
            number = self.balls.ball(point, target)
            if number is not None:
                return number
            mixed = self._judge(target.output).mixed(self.balls.exactly(point), target.powers)
            if mixed is not None:
                return mixed
        smooth = all(t.verdict == "smooth" for t in truths.values())
        return math.nan if rule != "derivative" and not smooth else None


def _refused(hard: HardPoints, point: Mapping[str, float], output: int, axis: str, truth: Truth) -> GradError:
    name, k = hard.targets[output * hard.per_output].name, truth.breaks
    at = ", ".join(f"{n}={v!r}" for n, v in point.items())
    along = f" along {axis}" if len(hard.axes) > 1 else ""
    sides = ""
    if k is not None:
        what = derivative_name(name, [axis], (0,) * k)
        sides = f": {what} is {of_side(truth, k, -1)!r} from the left, {of_side(truth, k, 1)!r} from the right"
    return GradError(f"at {at}: {name} is no smooth function{along} ({truth.verdict}){sides}", exit_code=1)
