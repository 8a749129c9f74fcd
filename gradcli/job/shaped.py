"""Gradients where they live: each over the axes of its input, summed over the others.

Where all of them live over the whole grid, or none over any axis, the result is as any other. Else the axes of the
input come first, the others follow, and the points of one place of the input are a row to be summed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

from gradcli.errors import GradError
from gradcli.expr import Expr, bit, substitute, var
from gradcli.grid import Axis, Grid, Values
from gradcli.grid.joined import joined
from gradcli.job import engine
from gradcli.job.npy import Along, Stored
from gradcli.job.passes import Plan, Watch
from gradcli.job.request import Facts, Settings
from gradcli.job.result import Computed, Result, check_held, count_nonfinite
from gradcli.job.rows import row_sums
from gradcli.levels import staged
from gradcli.spread import Block, blocks

Axes = tuple[int, ...]


class Layout(NamedTuple):
    """A grid; the axes of its variables and of the gradients by name; what fills variables; cotangents held in arrays.

    With a ``batch`` the first dimension of every array is the batch.
    """

    grid: Grid
    variables: dict[str, Axes]
    gradients: dict[str, Axes]
    filled: dict[str, Expr]
    arrays: dict[str, Stored]
    batch: int | None
    matrix: bool

    @property
    def axes(self) -> Axes:
        return tuple([k for k, axis in enumerate(self.grid.axes) if not axis.fixed])

    @property
    def wide(self) -> dict[str, Stored]:
        """The arrays that have a value at each point."""
        return {n: a for n, a in self.arrays.items() if a.ndim > (self.batch is not None)}

    def shape(self, axes: Axes) -> tuple[int, ...]:
        return tuple([self.grid.axes[k].length for k in axes])

    def fixed(self, entry: int) -> list[Axis]:
        """The axes of single numbers, those of one entry of the batch among them."""
        single = {n: a for n, a in self.arrays.items() if n not in self.wide}
        found = [axis for axis in self.grid.axes if axis.fixed]
        if single:
            numbers = [float(a[entry] if self.batch is not None else a) for a in single.values()]
            found.append(Axis(list(single), [Values([v]) for v in numbers], fixed=True))
        return found

    def over(self, order: Axes, entry: int) -> Grid:
        """The grid with its axes in another order; joined into one where an array runs over all of them."""
        axes = [self.grid.axes[k] for k in order]
        wide = self.wide
        if wide and len(order) == len(self.axes):
            places = [self.axes.index(k) for k in order]
            held = [Along(a[entry] if self.batch is not None else a, places) for a in wide.values()]
            axes = [joined(axes, list(wide), held)]
        return Grid([*self.fixed(entry), *axes])


def arranged(layout: Layout, found: dict[str, Expr], facts: Facts, settings: Settings) -> Computed:
    """The result for gradients ``found``; one that is missing is an empty column."""
    live = {layout.gradients[name] for name in found} or {layout.axes}
    empty = [name for name in layout.gradients if name not in found]
    if len(live) == 1 and layout.batch is None:
        (axes,) = live
        if axes in (layout.axes, ()):
            shown = [n for n, where in layout.variables.items() if axes or not where]
            outputs = substitute(map(var, shown), layout.filled) + list(found.values())
            grid = layout.over(layout.axes, 0)
            over = grid if axes else Grid(layout.fixed(0))
            return Result(
                Plan(outputs, grid, over), [*shown, *layout.gradients], len(shown), facts, settings,
                matrix=layout.matrix and bool(axes), empty=empty, shape=layout.shape(axes),
            )  # fmt: skip
    return Gradients(layout, found, facts, settings)


class _Group:
    """Columns over the same axes: variables, then gradients summed over all other axes."""

    def __init__(self, layout: Layout, axes: Axes, shown: Sequence[str], found: dict[str, Expr]) -> None:
        self.layout, self.axes = layout, axes
        self.shown, self.names = list(shown), [*shown, *found]
        outputs = substitute(map(var, shown), layout.filled) + list(found.values())
        masks = {k: sum(bit(name) for name in layout.grid.axes[k].names) for k in layout.axes}
        rest = tuple([k for k in layout.axes if k not in axes])
        used = 0
        for e in staged(list(found.values()))[1]:
            used |= e.variables
        wide = any(used & bit(name) for name in layout.wide)
        # A gradient over no axis is a sum over all points already.
        self.summed = () if not axes else rest if wide else tuple([k for k in rest if used & masks[k]])
        self.length = math.prod(layout.shape(self.summed))
        self.times = math.prod(layout.shape(rest)) // self.length if axes else 1
        self.all = axes + rest
        self.plan = Plan(outputs, layout.over(self.all, 0), layout.over(axes + self.summed, 0))

    def rows(self, entry: int, chosen: str, threads: int, watch: Watch) -> Iterator[Block]:
        """Blocks of the columns, for one entry of the batch; ``watch`` is told the points passed since it was told."""
        if self.length == self.times == 1:
            return self._points(entry, chosen, threads, watch)
        return row_sums(self._points(entry, chosen, threads, watch), len(self.shown), self.length, self.times)

    def _points(self, entry: int, chosen: str, threads: int, watch: Watch) -> Iterator[Block]:
        plan, layout = self.plan, self.layout
        over, grid = layout.over(self.axes + self.summed, entry), layout.over(self.all, entry)
        work = plan.last(over, grid, chosen, threads, lambda done: None)
        watch(plan.before)
        for block in blocks(work, target=engine.block_points(plan.program, chosen), threads=threads):
            yield block
            watch(len(block[0]))


class Gradients(Computed):
    """Gradients of several shapes, or over some of the axes, or in batches."""

    def __init__(self, layout: Layout, found: dict[str, Expr], facts: Facts, settings: Settings) -> None:
        batch = layout.batch
        live = {layout.gradients[name]: name for name in reversed(found)}
        self.uneven = len(live) > 1
        axes = layout.axes if self.uneven or not live else next(iter(live))
        shown = [n for n, where in layout.variables.items() if self.uneven or set(where) <= set(axes)]
        empty = [name for name in layout.gradients if name not in found]
        leading = () if batch is None else (batch,)
        names = [*(["batch"] if leading and not self.uneven else []), *shown, *layout.gradients]
        super().__init__(
            names, len(names) - len(layout.gradients), leading + layout.shape(axes), facts, settings,
            matrix=False, empty=empty,
        )  # fmt: skip
        self.layout, self.batch = layout, batch
        self._done = 0
        self.conflict = [(n, layout.gradients[n]) for n in live.values()]
        self.groups = [_Group(layout, axes, shown, found)]
        if self.uneven or leading:
            self.shapes = {n: layout.shape(layout.variables[n]) for n in shown}
            self.shapes |= {n: leading + layout.shape(where) for n, where in layout.gradients.items()}
        if self.uneven:
            every = dict.fromkeys([*[layout.variables[n] for n in shown], *[layout.gradients[n] for n in found]])
            self.groups = [
                _Group(
                    layout, where, [n for n in shown if layout.variables[n] == where],
                    {n: e for n, e in found.items() if layout.gradients[n] == where},
                )
                for where in every
            ]  # fmt: skip
        load = sum(group.plan.load for group in self.groups) * (batch or 1)
        self.steps = sum(group.plan.steps for group in self.groups)
        self.engine, self.slower = engine.chosen(settings.engine, load, self.steps)
        engine.load(self.engine)
        self.threads = engine.threads(settings.threads, load, self.engine)
        self.total = sum(group.plan.points for group in self.groups) * (batch or 1)
        self.covered = layout.grid.size * (batch or 1)

    @property
    def blocks(self) -> Iterator[Block]:
        """Contiguous parts in order, the batch first. Raises GradError where the columns differ in shape."""
        if self.uneven:
            (a, first), (b, second) = self.conflict[-1], self.conflict[-2]
            raise GradError(
                f"rows need one shape: {a} has {self._told(first)}, {b} has {self._told(second)}",
                hint="ask for one input at a time with --wrt, or for --json",
            )
        (group,) = self.groups
        for entry in range(self.batch or 1):
            for block in group.rows(entry, self.engine, self.threads, self._passed):
                if self.batch is not None:
                    block = [self._entry(entry, block[0]), *block]
                self._met(block)
                yield self._with_empty(block)

    def _passed(self, points: int) -> None:
        self._done += points
        self._watched(self._done)

    def _told(self, axes: Axes) -> str:
        names = [self.layout.grid.axes[k].names[0] for k in axes]
        if self.batch is not None:
            names.insert(0, "the batch")
        along = f" along {', '.join(names)}" if names and not any(n.startswith("\0") for n in names) else ""
        leading = [] if self.batch is None else [self.batch]
        return f"the shape {[*leading, *self.layout.shape(axes)]}{along}"

    def _entry(self, entry: int, like: Any) -> Any:
        if isinstance(like, list):
            return [float(entry)] * len(like)
        import numpy as np

        return np.full(len(like), float(entry))

    def whole(self) -> Block:
        """Every column in its shape, flat. Raises GradError, before any work, where memory cannot hold them."""
        if self.shapes is None:
            check_held(self.size * len(self.names), self.engine, copies=2)
            return self._gathered(list(self.blocks))
        numbers = sum(map(math.prod, self.shapes.values()))
        check_held(numbers, self.engine, "ask for one input at a time with --wrt, or for fewer points", copies=2)
        columns: dict[str, Any] = {}
        for group in self.groups:
            parts: list[Block] = []
            for entry in range(self.batch or 1):
                parts += group.rows(entry, self.engine, self.threads, self._passed)
            for name, column in zip(group.names, self._gathered(parts), strict=True):
                columns[name] = column
        if self.batch is not None:
            # Variables have no batch, and have the axes they vary over alone.
            columns |= {name: self._own(name) for name in self.layout.variables if name in columns}
        for name, column in columns.items():
            count = count_nonfinite(column)
            if count and self.strict and name in self.layout.gradients:
                raise self._refused(name, column)
            if count:
                self.nonfinite[name] = count
        return [columns.get(name) for name in self.shapes]

    def _refused(self, name: str, column: Any) -> GradError:
        from gradcli.formats import spell

        assert self.shapes is not None
        places = product(*map(range, self.shapes[name]))
        place, value = next((p, v) for p, v in zip(places, column, strict=True) if not math.isfinite(v))
        at = f"[{','.join(map(str, place))}]" if place else ""
        return GradError(f"{name}{at} is {spell(value)}", exit_code=1)

    def _own(self, name: str) -> Any:
        group = _Group(self.layout, self.layout.variables[name], [name], {})
        return self._gathered(list(group.rows(0, self.engine, self.threads, lambda points: None)))[0]

    def _gathered(self, parts: Sequence[Block]) -> Block:
        if len(parts) == 1:
            return parts[0]
        columns = list(zip(*parts, strict=True))
        if any(c is None or isinstance(c, list) for c in parts[0]):
            return [None if column[0] is None else [v for c in column for v in c] for column in columns]
        import numpy as np

        return [np.concatenate(column) for column in columns]
