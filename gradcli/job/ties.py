"""Plain ties: both sides of the outputs of a job, by one program, and columns of them settled at once.

Layer: must not know balls and germs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.calculus.sides import derivatives
from gradcli.compute import engine, trust
from gradcli.compute.execute import Block, blocks
from gradcli.compute.grid import Axis, Grid, Held, Values
from gradcli.compute.program import Program, build
from gradcli.job.kink_rules import CLOSE, UNSURE, Sided, UndecidedError, sided
from gradcli.job.marks import TIE
from gradcli.job.once import once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcli.job.hard_points import HardPoints, Target

_UNIT = 2.0**-53


class _Line(NamedTuple):
    """What one output is along one axis, at many ties: values and derivatives on either side, a column each.

    ``breaks``: the order of the first derivative that breaks, 0 where the value does, beyond the last where none does.
    """

    left: Block
    right: Block
    breaks: NDArray[Any]


class Ties:
    """The sides of the outputs of a job at plain ties. ``order``: of their last derivative, at least 1."""

    def __init__(self, hard: HardPoints, order: int, arrays: bool) -> None:
        self.hard, self.order, self.arrays = hard, order, arrays

    def points(self, outs: Sequence[Any], rows: Sequence[int]) -> Grid:
        """The points of the given rows."""
        names = self.hard.coordinates
        if not names:
            return Grid([])
        if self.arrays:
            return Grid([Axis(names, [Held(column[rows]) for column in outs[: len(names)]])])
        return Grid([Axis(names, [Values([float(column[n]) for n in rows]) for column in outs[: len(names)]])])

    @once
    def _program(self) -> Program:
        hard, roots = self.hard, []
        for output in range(len(hard.roots)):
            for axis in hard.axes:
                for sign in (-1, 1):
                    roots += derivatives(hard.roots[output], axis, sign, self.order)
        return build([*roots, *trust.bounds(roots, decimals=True, decided=True)], [hard.coordinates])

    def _numbers(self, outs: Sequence[Any], rows: Sequence[int]) -> tuple[Block, Block]:
        """Columns of values and derivatives: for each output and axis those of the left, then of the right side.

        Then their errors, where points and literals are read as decimals.
        """
        grid = self.points(outs, rows)
        work = engine.work(self._program, grid, "vector" if self.arrays else "scalar")
        (block,) = blocks(work, target=len(rows))
        half = len(block) // 2
        # What is 0 exactly has no sign, as in the other tiers.
        if self.arrays:
            return [column + 0.0 for column in block[:half]], [column * _UNIT for column in block[half:]]
        numbers = [[number + 0.0 for number in column] for column in block[:half]]
        return numbers, [[error * _UNIT for error in column] for column in block[half:]]

    def sides(self, outs: Sequence[Any], rows: Sequence[int]) -> list[list[list[Sided | None]]]:
        """For each row, by output and axis, the truth at a plain tie; None where the doubles cannot say."""
        hard, (block, bounds) = self.hard, self._numbers(outs, rows)
        first, step, truths = len(hard.coordinates), self.order + 1, []
        for place, n in enumerate(rows):
            numbers = [float(column[place]) for column in block]
            errors = [float(column[place]) for column in bounds]
            row, at = [], 0
            for output in range(len(hard.roots)):
                value = float(outs[first + output * hard.per_output][n])
                line: list[Sided | None] = []
                for _ in hard.axes:
                    middle, end = at + step, at + 2 * step
                    both = [a + b for a, b in zip(errors[at:middle], errors[middle:end], strict=True)]
                    try:
                        line.append(sided(value, numbers[at:middle], numbers[middle:end], both))
                    except UndecidedError:
                        line.append(None)
                    at = end
                row.append(line)
            truths.append(row)
        return truths

    # Columns of ties at once: as `sides` and then `Tiers` row by row.

    @property
    def together(self) -> bool:
        """Whether ties can be settled at once: in arrays, where no row ends the run."""
        return self.arrays and bool(self.hard.axes) and self.hard.job.kink != "error"

    def settle(self, outs: Sequence[Any], rows: Sequence[int], mask: Any) -> tuple[list[int], list[tuple[int, Any]]]:
        """Settle the plain ties among ``rows``, as many as doubles decide.

        Return the rows that are left, and the final results: a column and its rows, time and again.
        """
        import numpy as np

        hard, places = self.hard, np.array(rows)
        first = len(hard.coordinates)
        tied = mask[places] == TIE
        for column in outs[: first + len(hard.targets)]:
            tied &= np.isfinite(column[places])
        ties = places[tied]
        if not len(ties):
            return list(rows), []
        with np.errstate(all="ignore"):
            block, bounds = map(iter, self._numbers(outs, ties))
            lines: dict[tuple[int, str], _Line] = {}
            decided = np.ones(len(ties), bool)
            for output in range(len(hard.roots)):
                value = outs[first + output * hard.per_output][ties]
                for axis in hard.axes:
                    left, right = ([next(block) for _ in range(self.order + 1)] for _ in range(2))
                    errors = [[next(bounds) for _ in left] for _ in range(2)]
                    lines[output, axis] = _line(
                        value, left, right, [a + b for a, b in zip(*errors, strict=True)], decided
                    )
            numbers = []
            for k, target in enumerate(hard.targets):
                before = outs[first + k][ties]
                if len(target.powers) > 1:
                    breaks = [lines[target.output, axis].breaks for axis in target.powers]
                    numbers.append(self._mixed(breaks, target, before, decided))
                else:
                    axis = next(iter(target.powers), hard.axes[0])
                    numbers.append(self._numbers_of(lines[target.output, axis], target, before, decided))
            done = []
            for k, (number, final) in enumerate(numbers):
                here = decided & final
                outs[first + k][ties[here]] = number[here]
                done.append((k, ties[here]))
        self._tell(outs, ties, lines, decided)
        return np.setdiff1d(places, ties[decided], assume_unique=True).tolist(), done

    def _numbers_of(self, line: _Line, target: Target, before: Any, decided: Any) -> tuple[Any, Any]:
        """What a rule makes of a column, and where, elsewhere it stays; see `kink_rules.ruled`.

        Takes out of ``decided`` the rows with another number at a smooth point than they should have.
        """
        import numpy as np

        rule, order = self.hard.job.kink, sum(target.powers.values())
        left, right = line.left[order], line.right[order]
        kinked = line.breaks <= self.order
        if rule == "convention":
            return before, np.zeros(len(before), bool)
        decided &= kinked | (np.abs(before - right) <= CLOSE * np.abs(right))
        if rule == "left":
            return left, kinked
        if rule == "right":
            return right, kinked
        if rule == "limit":
            return np.where(left == right, left, math.nan), kinked
        if rule == "mean":
            return np.where(np.abs(left) > 1, left / 2 + right / 2, (left + right) / 2), kinked
        if not order:
            return before, np.zeros(len(before), bool)
        whole = line.breaks > order
        return np.where(whole, left, math.nan), kinked & (whole | (rule == "nan"))

    def _mixed(self, breaks: Sequence[Any], target: Target, before: Any, decided: Any) -> tuple[Any, Any]:
        """A mixed partial derivative: there is none where an axis breaks, and balls or germs say it elsewhere."""
        import numpy as np

        decided &= np.min(breaks, axis=0) <= sum(target.powers.values())
        return np.full(len(before), math.nan), np.full(len(before), self.hard.job.kink != "convention")

    def _tell(self, outs: Sequence[Any], ties: Any, lines: dict[tuple[int, str], _Line], decided: Any) -> None:
        """Count the verdicts of those ``decided``, and write the columns about them."""
        import numpy as np

        hard = self.hard
        shown = bool(hard.order or hard.job.sides or hard.job.verdict)
        rows, left = ties[decided], decided.copy()
        for line in lines.values():
            for word, of in (("jump", line.breaks == 0), ("kink", (line.breaks > 0) & (line.breaks <= self.order))):
                here = left & of
                if (word == "jump" or shown) and here.any():
                    hard.kinds[word] += int(np.count_nonzero(here))
                    left &= ~here
        base = len(hard.coordinates) + len(hard.targets)
        for extra, out in zip(hard.extras, outs[base:], strict=True):
            if extra.kind == "trust":
                continue
            line = lines[hard.targets[extra.column].output, extra.axis]
            breaks = line.breaks[decided]
            if extra.kind == "side":
                out[rows] = (line.left if extra.sign < 0 else line.right)[extra.order][decided]
            elif extra.kind == "breaks":
                out[rows] = np.where(breaks > self.order, math.nan, breaks)
            else:
                out[rows] = np.where(
                    breaks > self.order, hard.code("smooth"), np.where(breaks > 0, hard.code("kink"), hard.code("jump"))
                )


def _line(value: Any, left: Block, right: Block, errors: Block, decided: Any) -> _Line:
    """The truth as `kink_rules.sided` tells it; takes out of ``decided`` the rows where doubles cannot say."""
    import numpy as np

    pairs = zip((left[0], right[0], *left), (value, value, *right), (errors[0], errors[0], *errors), strict=True)
    for a, b, error in pairs:
        decided &= np.isfinite(a) & np.isfinite(b)
        decided &= (a == b) | (np.abs(a - b) > np.maximum(UNSURE * np.maximum(np.abs(a), np.abs(b)), error))
    decided &= (left[0] != right[0]) | (left[0] == value)
    breaks = np.full(len(value), float(len(left)))
    for k in reversed(range(len(left))):
        breaks[left[k] != right[k]] = k
    return _Line(left, right, breaks)
