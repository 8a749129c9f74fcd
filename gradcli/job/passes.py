"""Passes over the points: one for each level of reductions and the axes they depend on, and a last one for the outputs.

A pass goes over the axes its arguments depend on, and no further: every value met there counts as often as the others
have points. What the reductions come to stands on an axis of its own, as a single point does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gradcli.expr import Expr, bit, reachable
from gradcli.grid import Axis, Grid, Values
from gradcli.job import engine
from gradcli.levels import Reduction, has_reductions, staged, stands_for_number
from gradcli.program import Program, build
from gradcli.spread import Block, Work, digests
from gradcli.totals import OF, TOTALS

Watch = Callable[[int], None]


class _Pass(NamedTuple):
    """``names``: the numbers it needs; ``totals``: the column and the kind of each total; ``found``: which of them each
    reduction is read from."""

    program: Program
    axes: tuple[int, ...]
    names: tuple[str, ...]
    totals: list[tuple[int, str]]
    found: list[tuple[Reduction, int]]


class Plan:
    """How to compute expressions over a grid.

    ``grid`` is what reductions go over, ``over`` where the outputs are wanted: its axes are some of the grid's.
    ``reductions`` says whether there may be any. ``points`` are those of all passes, ``before`` those of the passes
    before the last. Raises GradError for a variable on no axis.
    """

    def __init__(
        self, outputs: Sequence[Expr], grid: Grid, over: Grid | None = None, *, reductions: bool = True
    ) -> None:
        self.grid = grid
        self.over = grid if over is None else over
        self.passes: list[_Pass] = []
        if reductions and has_reductions(outputs):
            levels, outputs = staged(outputs)
            for level in levels:
                self._add(level)
            self.program, self.names = _built(outputs, self.over)
        else:
            self.program, self.names = build(outputs, [axis.names for axis in self.over.axes]), ()
        sizes = [self._size(p.axes) for p in self.passes]
        self.before = sum(sizes)
        self.points = self.before + self.over.size
        self.steps = self.program.length + sum(p.program.length for p in self.passes)
        self.load = self.over.size * (self.program.length + len(outputs)) + sum(
            size * (p.program.length + 4 * len(p.totals)) for size, p in zip(sizes, self.passes, strict=True)
        )

    def _size(self, axes: Sequence[int]) -> int:
        return math.prod(self.grid.axes[k].length for k in axes)

    def _add(self, level: Sequence[Reduction]) -> None:
        masks = [0 if axis.fixed else sum(bit(name) for name in axis.names) for axis in self.grid.axes]
        groups: dict[tuple[int, ...], list[Reduction]] = {}
        for reduction in level:
            axes = tuple([k for k, mask in enumerate(masks) if reduction.argument.variables & mask])
            groups.setdefault(axes, []).append(reduction)
        for axes, group in groups.items():
            columns: dict[Expr, int] = {}
            totals: dict[tuple[int, str], int] = {}
            found = []
            for reduction in group:
                column = columns.setdefault(reduction.argument, len(columns))
                found.append((reduction, totals.setdefault((column, OF[reduction.op]), len(totals))))
            part = Grid([axis for k, axis in enumerate(self.grid.axes) if axis.fixed or k in axes])
            program, names = _built(list(columns), part)
            self.passes.append(_Pass(program, axes, names, list(totals), found))

    def last(self, over: Grid, grid: Grid, chosen: str, threads: int, watch: Watch) -> Work:
        """The work of the last pass over ``over``, once the passes before it over ``grid`` are done."""
        known = self.numbers(grid, chosen, threads, watch)
        return engine.work(self.program, _with_numbers(over, self.names, known), chosen)

    def numbers(self, grid: Grid, chosen: str, threads: int, watch: Watch) -> dict[str, float]:
        """What every reduction comes to, over a grid with the axes of ``self.grid``.

        ``watch`` is told how many points have been passed.
        """
        known: dict[str, float] = {}
        done = 0
        for p in self.passes:
            part = Grid([axis for k, axis in enumerate(grid.axes) if axis.fixed or k in p.axes])
            totals = [TOTALS[kind]() for _, kind in p.totals]

            def digest(block: Block, first: int, totals: Sequence[Any] = totals, p: _Pass = p) -> tuple[int, list[Any]]:
                return len(block[0]), [
                    total.digest(block[column], first) for total, (column, _) in zip(totals, p.totals, strict=True)
                ]

            work = engine.work(p.program, _with_numbers(part, p.names, known), chosen)
            size = engine.block_points(p.program, chosen)
            for points, parts in digests(work, digest, target=size, threads=threads):
                for total, one in zip(totals, parts, strict=True):
                    total.add(one)
                done += points
                watch(done)
            results = [total.results(grid.size // part.size) for total in totals]
            known.update({reduction.name: results[k][reduction.op] for reduction, k in p.found})
        return known


def _built(outputs: Sequence[Expr], grid: Grid) -> tuple[Program, tuple[str, ...]]:
    """The program over a grid and an axis of the numbers it needs, if it does, and their names."""
    names = tuple([str(e.value) for e in reachable(outputs) if e.op == "var" and stands_for_number(str(e.value))])
    return build(outputs, [*[axis.names for axis in grid.axes], *([names] if names else [])]), names


def _with_numbers(grid: Grid, names: Sequence[str], known: dict[str, float]) -> Grid:
    """The grid with single numbers on one more axis."""
    if not names:
        return grid
    return Grid([*grid.axes, Axis(names, [Values([known[name]]) for name in names], fixed=True)])
