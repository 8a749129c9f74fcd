"""Passes over the points: one for each nesting level of reductions and set of axes, and a last one for the outputs.

A pass runs over the axes its arguments depend on only; each value is weighted by the number of points along the other
axes. The results of reductions are single numbers on a fixed axis of their own. With deeply nested reductions a pass
stores columns that later passes need (see `reuse`), within a limit of memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.calculus.reductions import Reduction, has_reductions, number_name, staged, stands_for_number
from gradcli.compute import engine
from gradcli.compute.execute import Block, Work, digests, empty
from gradcli.compute.grid import Axis, Column, Grid, Held, Index, Values, joined
from gradcli.compute.program import Program, build, lower
from gradcli.expr import BOOLEANS, ONE, ZERO, Expr, apply, bit, reachable, var

if TYPE_CHECKING:
    from gradcli.compute.accumulators import Accumulator
    from gradcli.compute.reuse import Nest

Watch = Callable[[int], None]
_PREFIX = "\0kept "


class _Pass(NamedTuple):
    """A pass over the product of ``axes``.

    ``names``: the numbers and stored columns it reads. ``accumulators``: the output column and the class of each.
    ``reductions``: each reduction with the index of its accumulator. ``stored``: by name, the output columns that later
    passes read.
    """

    program: Program
    axes: tuple[int, ...]
    names: tuple[str, ...]
    accumulators: list[tuple[int, Callable[[], Accumulator]]]
    reductions: list[tuple[Reduction, int]]
    stored: dict[str, int]


class Plan:
    """The passes that compute expressions over a grid.

    Reductions run over ``grid``, outputs are computed over ``over``, whose axes are a subset of those of ``grid``.
    ``reductions=False`` promises that there are none. ``points`` counts the points of all passes, ``before`` those of
    the passes before the last, ``load`` is an estimate of steps times points. Raise GradError for a variable on no
    axis.
    """

    def __init__(
        self, outputs: Sequence[Expr], grid: Grid, over: Grid | None = None, *, reductions: bool = True
    ) -> None:
        self.grid = grid
        self.over = grid if over is None else over
        self.passes: list[_Pass] = []
        # For each stored column, the names of the axes along which it lies.
        self.stored: dict[str, list[tuple[str, ...]]] = {}
        self.names: tuple[str, ...] = ()
        if reductions and has_reductions(outputs):
            levels, outputs = staged(outputs)
            self._plan(levels, outputs)
        else:
            self.program = build(outputs, [axis.names for axis in self.over.axes])
        sizes = [self._size(p.axes) for p in self.passes]
        self.before = sum(sizes)
        self.points = self.before + self.over.size
        self.steps = self.program.length + sum(p.program.length for p in self.passes)
        self.load = self.over.size * (self.program.length + len(outputs)) + sum(
            size * (p.program.length + 4 * len(p.accumulators)) for size, p in zip(sizes, self.passes, strict=True)
        )

    def _size(self, axes: Sequence[int]) -> int:
        return math.prod(self.grid.axes[k].length for k in axes)

    def _plan(self, levels: Sequence[Sequence[Reduction]], outputs: Sequence[Expr]) -> None:
        from gradcli.compute.reuse import FEW, Nest

        arguments = [[r.argument for r in level] for level in levels]
        roots = [e for level in (*arguments, outputs) for e in level]
        deep = len(levels) > 1 and len(reachable(roots)) > FEW
        if deep:
            # Lower before splitting: lowering matches patterns such as 1 - x**2, which a split would hide.
            lowered = iter(lower(roots))
            arguments = [[next(lowered) for _ in level] for level in arguments]
            outputs = list(lowered)
            roots = [e for level in (*arguments, outputs) for e in level]
        self._masks = [0 if axis.fixed else sum(bit(name) for name in axis.names) for axis in self.grid.axes]
        # Numbers that may still be stored.
        self._capacity = engine.ROOM if deep else 0
        nest = Nest(roots)
        for level, wanted in zip(levels, arguments, strict=True):
            self._add(level, nest.take(wanted), nest)
        self.program, self.names = self._built(nest.take(outputs), self.over)

    def _axes(self, e: Expr) -> tuple[int, ...]:
        return tuple([k for k, mask in enumerate(self._masks) if e.variables & mask])

    def _add(self, level: Sequence[Reduction], arguments: Sequence[Expr], nest: Nest) -> None:
        from gradcli.compute.accumulators import ACCUMULATORS
        from gradcli.compute.reuse import FEW, replaced

        groups: dict[tuple[int, ...], list[tuple[Reduction, Expr]]] = {}
        for reduction, argument in zip(level, arguments, strict=True):
            groups.setdefault(self._axes(argument), []).append((reduction, argument))
        reused: dict[tuple[int, ...], list[Expr]] = {}
        nodes = set(reachable(arguments))
        needed = nest.needed(nodes) if len(nodes) > FEW else {}
        for e in needed:
            reused.setdefault(self._axes(e), []).append(e)
        done: dict[Expr, Expr] = {}
        # Passes run in order of their number of axes: a column stored over few axes can feed a pass over more.
        for axes in sorted([*groups, *[axes for axes in reused if axes not in groups]], key=len):
            keep = self._storable(reused.get(axes, []), axes)
            group = groups.get(axes, [])
            if not group and not keep:
                continue
            values = replaced([argument for _, argument in group], done)
            columns: dict[Expr, int] = {}
            accumulators: dict[tuple[int, Callable[[], Accumulator]], int] = {}
            read = []
            for (reduction, _), value in zip(group, values, strict=True):
                key = columns.setdefault(value, len(columns)), ACCUMULATORS[reduction.op]
                read.append((reduction, accumulators.setdefault(key, len(accumulators))))
            stored = {}
            # Columns hold numbers.
            kept = [apply("where", e, ONE, ZERO) if e.op in BOOLEANS else e for e in keep.values()]
            for name, value in zip(keep, replaced(kept, done), strict=True):
                stored[name] = columns.setdefault(value, len(columns))
            program, names = self._built(list(columns), self._part(self.grid, axes))
            self.passes.append(_Pass(program, axes, names, list(accumulators), read, stored))
            for name, e in keep.items():
                done[e] = apply("ne", var(name), ZERO) if e.op in BOOLEANS else var(name)
        nest.keep({needed[e]: variable for e, variable in done.items()})

    def _storable(self, nodes: Sequence[Expr], axes: tuple[int, ...]) -> dict[str, Expr]:
        """Return names for nodes that are stored as columns over ``axes``.

        Return no names if memory or the axes do not allow that.
        """
        names_of_axes = [self.grid.axes[k].names for k in axes]
        size = self._size(axes) * len(nodes)
        # A column over several axes lies along the joined axis, so it must depend on all axes of both grids.
        all_names = [[a.names for a in grid.axes if not a.fixed] for grid in (self.grid, self.over)]
        if size > self._capacity or (len(axes) > 1 and any(names != names_of_axes for names in all_names)):
            return {}
        self._capacity -= size
        columns = {}
        for e in nodes:
            name = f"{_PREFIX}{len(self.stored)}" if axes else number_name(f"kept {len(self.stored)}")
            self.stored[name] = names_of_axes
            columns[name] = e
            for k in axes:
                self._masks[k] |= bit(name)
        return columns

    def _part(self, grid: Grid, axes: Sequence[int]) -> Grid:
        return Grid([axis for k, axis in enumerate(grid.axes) if axis.fixed or k in axes])

    def _built(self, outputs: Sequence[Expr], grid: Grid) -> tuple[Program, tuple[str, ...]]:
        """Return the program over a grid, and the names of the numbers and stored columns that it reads."""
        used = [str(e.value) for e in reachable(outputs) if e.op == "var"]
        names = tuple([name for name in used if stands_for_number(name) or name in self.stored])
        # The program depends on the names of the axes only, so placeholders stand for the values.
        whole = self._with(grid, names, dict.fromkeys(names, 0.0), dict.fromkeys(names, Index(1)))
        return build(outputs, [axis.names for axis in whole.axes]), names

    def _with(
        self, grid: Grid, names: Iterable[str], scalars: Mapping[str, float], columns: Mapping[str, Column]
    ) -> Grid:
        """Return the grid with the numbers on a further fixed axis and the stored columns along their axes."""
        names = list(names)
        if not names:
            return grid
        numbers = [name for name in names if stands_for_number(name)]
        wide = [name for name in names if len(self.stored.get(name, ())) > 1]
        axes = []
        for axis in grid.axes:
            here = [name for name in names if self.stored.get(name) == [axis.names]]
            axes.append(Axis([*axis.names, *here], [*axis.columns, *map(columns.__getitem__, here)], fixed=axis.fixed))
        if wide:
            free = [axis for axis in axes if not axis.fixed]
            axes = [axis for axis in axes if axis.fixed]
            axes.append(joined(free, wide, [columns[name] for name in wide]))
        if numbers:
            axes.append(Axis(numbers, [Values([scalars[name]]) for name in numbers], fixed=True))
        return Grid(axes)

    def last(self, over: Grid, grid: Grid, engine_name: str, threads: int, watch: Watch) -> Work:
        """Run all passes but the last over ``grid``, and return the work of the last pass over ``over``.

        ``grid`` has the axes of ``self.grid``, ``over`` those of ``self.over``; ``watch`` is called with the number of
        points done.
        """
        scalars: dict[str, float] = {}
        columns: dict[str, Column] = {}
        done = 0
        for p in self.passes:
            part = self._part(grid, p.axes)
            accumulators = [make() for _, make in p.accumulators]
            work = engine.work(p.program, self._with(part, p.names, scalars, columns), engine_name)
            stored = dict(zip(p.stored, empty(work._replace(outputs=len(p.stored)), part.size), strict=True))
            digest = partial(_digest, p, accumulators, stored)
            size = engine.block_points(p.program, engine_name)
            for points, parts in digests(work, digest, target=size, threads=threads):
                for accumulator, digested in zip(accumulators, parts, strict=True):
                    accumulator.add(digested)
                done += points
                watch(done)
            results = [accumulator.results(grid.size // part.size) for accumulator in accumulators]
            scalars.update({reduction.name: results[k][reduction.op] for reduction, k in p.reductions})
            for name, values in stored.items():
                if stands_for_number(name):
                    scalars[name] = float(values[0])
                else:
                    columns[name] = Held(values) if work.arrays else Values(values)
        return engine.work(self.program, self._with(over, self.names, scalars, columns), engine_name)


def _digest(
    p: _Pass, accumulators: Sequence[Accumulator], stored: dict[str, Any], block: Block, first: int
) -> tuple[int, list[Any]]:
    """Store the columns of a block that later passes read; return its points and the digests for the accumulators."""
    points = len(block[0])
    for name, column in p.stored.items():
        stored[name][first : first + points] = block[column]
    columns = [block[column] for column, _ in p.accumulators]
    return points, [a.digest(column, first) for a, column in zip(accumulators, columns, strict=True)]
