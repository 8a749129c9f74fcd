"""Both sides at plain ties: a program of the expression as it is on either side, for many rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gradcli.calculus.sides import derivatives
from gradcli.compute import engine
from gradcli.compute.execute import blocks
from gradcli.compute.program import Program, build
from gradcli.job.decimals import shortest
from gradcli.job.kink_rules import Sided, UndecidedError, sided
from gradcli.job.marks import at, points

if TYPE_CHECKING:
    from gradcli.job.hard_points import HardPoints


class Ties:
    """The truth at the plain ties of a job. ``order``: of the derivatives; ``engine`` computes them."""

    def __init__(self, hard: HardPoints, order: int, engine: str) -> None:
        self.hard, self.order, self.engine = hard, order, engine
        self.possible = shortest(hard.typed)

    @cached_property
    def _program(self) -> Program:
        hard, roots = self.hard, []
        for root in hard.roots:
            for axis in hard.axes:
                for sign in (-1, 1):
                    roots += derivatives(root, axis, sign, self.order)
        return build(roots, [hard.coordinates])

    def sides(self, outs: Sequence[Any], rows: Any) -> dict[int, list[list[Sided | None]]]:
        """For each row, by output and axis, the truth; None where the doubles cannot say."""
        if not len(rows):
            return {}
        hard, step, first = self.hard, self.order + 1, len(self.hard.coordinates)
        work = engine.work(self._program, points(hard.coordinates, outs, rows), self.engine)
        (block,) = blocks(work, target=len(rows))
        sides = zip(*[column if isinstance(column, list) else column.tolist() for column in block], strict=True)
        values = zip(*at(outs[first : first + len(hard.targets) : hard.per_output], rows), strict=True)
        truths = {}
        for n, numbers, here in zip(map(int, rows), sides, values, strict=True):
            start = 0
            row = []
            for value in here:
                line: list[Sided | None] = []
                for _ in hard.axes:
                    middle, end = start + step, start + 2 * step
                    try:
                        line.append(sided(value, numbers[start:middle], numbers[middle:end]))
                    except UndecidedError:
                        line.append(None)
                    start = end
                row.append(line)
            truths[n] = row
        return truths
