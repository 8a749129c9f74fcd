"""Results of gradient jobs: each gradient has the axes of its input and is summed over the others.

If all gradients have all axes of the grid, or all have none, the result is an ordinary `Result`. Otherwise the grid is
reordered, the axes of the input first: the points of each element of the input are then a contiguous row to be summed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

from gradcli.calculus.reductions import staged
from gradcli.compute import engine
from gradcli.compute.execute import Block, blocks
from gradcli.compute.grid import Axis, Grid, Values, joined
from gradcli.compute.passes import Plan, Watch
from gradcli.compute.row_sums import row_sums
from gradcli.errors import GradError
from gradcli.expr import Expr, bit, substitute, var
from gradcli.formats.npy_random import Along, Stored
from gradcli.job.choices import How
from gradcli.job.request import Facts
from gradcli.job.result import Computed, Result, check_held, count_nonfinite

Axes = tuple[int, ...]


class Layout(NamedTuple):
    """A grid with the axes of its ``variables`` and ``gradients`` by name, and the cotangents in ``arrays``.

    ``filled``: the expressions of variables that a shape fills. ``batch``: the length of the first dimension of every
    array if they are batched.
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
        """The arrays with a value for each point, as opposed to a single number."""
        return {n: a for n, a in self.arrays.items() if a.ndim > (self.batch is not None)}

    def shape(self, axes: Axes) -> tuple[int, ...]:
        return tuple([self.grid.axes[k].length for k in axes])

    def fixed(self, entry: int) -> list[Axis]:
        """The axes of single numbers, among them the arrays that are single numbers for this entry of the batch."""
        single = {n: a for n, a in self.arrays.items() if n not in self.wide}
        axes = [axis for axis in self.grid.axes if axis.fixed]
        if single:
            numbers = [float(a[entry] if self.batch is not None else a) for a in single.values()]
            axes.append(Axis(list(single), [Values([v]) for v in numbers], fixed=True))
        return axes

    def over(self, order: Axes, entry: int) -> Grid:
        """The grid with its axes in another order, joined into one axis if an array runs over all of them."""
        axes = [self.grid.axes[k] for k in order]
        wide = self.wide
        if wide and len(order) == len(self.axes):
            dimensions = [self.axes.index(k) for k in order]
            columns = [Along(a[entry] if self.batch is not None else a, dimensions) for a in wide.values()]
            axes = [joined(axes, list(wide), columns)]
        return Grid([*self.fixed(entry), *axes])


def arranged(layout: Layout, gradients: dict[str, Expr], facts: Facts, how: How) -> Computed:
    """The result for the expressions of gradients by name; a gradient without an expression is an empty column."""
    shapes = {layout.gradients[name] for name in gradients} or {layout.axes}
    empty = [name for name in layout.gradients if name not in gradients]
    if len(shapes) == 1 and layout.batch is None:
        (axes,) = shapes
        if axes in (layout.axes, ()):
            variables = [n for n, own in layout.variables.items() if axes or not own]
            outputs = substitute(map(var, variables), layout.filled) + list(gradients.values())
            grid = layout.over(layout.axes, 0)
            over = grid if axes else Grid(layout.fixed(0))
            return Result(
                Plan(outputs, grid, over), [*variables, *layout.gradients], len(variables), facts, how,
                matrix=layout.matrix and bool(axes), empty=empty, shape=layout.shape(axes),
            )  # fmt: skip
    return Gradients(layout, gradients, facts, how)


class _Group:
    """Columns with the same axes: the variables, then the gradients, which are summed over all other axes."""

    def __init__(self, layout: Layout, axes: Axes, variables: Sequence[str], gradients: dict[str, Expr]) -> None:
        self.layout, self.axes = layout, axes
        self.variables, self.names = list(variables), [*variables, *gradients]
        outputs = substitute(map(var, variables), layout.filled) + list(gradients.values())
        masks = {k: sum(bit(name) for name in layout.grid.axes[k].names) for k in layout.axes}
        rest = tuple([k for k in layout.axes if k not in axes])
        used = 0
        for e in staged(list(gradients.values()))[1]:
            used |= e.variables
        wide = any(used & bit(name) for name in layout.wide)
        # A gradient without axes is already summed over all points by its expression.
        self.summed = () if not axes else rest if wide else tuple([k for k in rest if used & masks[k]])
        self.length = math.prod(layout.shape(self.summed))
        # The expression does not vary over the other axes: its sum is multiplied by their length.
        self.times = math.prod(layout.shape(rest)) // self.length if axes else 1
        self.all = axes + rest
        self.plan = Plan(outputs, layout.over(self.all, 0), layout.over(axes + self.summed, 0))

    def rows(self, entry: int, chosen: str, threads: int, watch: Watch) -> Iterator[Block]:
        """Blocks of the columns for a batch entry. ``watch`` is called with the points done since its last call."""
        if self.length == self.times == 1:
            return self._points(entry, chosen, threads, watch)
        return row_sums(self._points(entry, chosen, threads, watch), len(self.variables), self.length, self.times)

    def _points(self, entry: int, chosen: str, threads: int, watch: Watch) -> Iterator[Block]:
        plan, layout = self.plan, self.layout
        over, grid = layout.over(self.axes + self.summed, entry), layout.over(self.all, entry)
        work = plan.last(over, grid, chosen, threads, lambda done: None)
        watch(plan.before)
        for block in blocks(work, target=engine.block_points(plan.program, chosen), threads=threads):
            yield block
            watch(len(block[0]))


class Gradients(Computed):
    """The result of gradients with different shapes (``uneven``), with some of the axes, or in batches."""

    def __init__(self, layout: Layout, gradients: dict[str, Expr], facts: Facts, how: How) -> None:
        batch = layout.batch
        by_axes = {layout.gradients[name]: name for name in reversed(gradients)}
        self.uneven = len(by_axes) > 1
        axes = layout.axes if self.uneven or not by_axes else next(iter(by_axes))
        variables = [n for n, own in layout.variables.items() if self.uneven or set(own) <= set(axes)]
        empty = [name for name in layout.gradients if name not in gradients]
        leading = () if batch is None else (batch,)
        names = [*(["batch"] if leading and not self.uneven else []), *variables, *layout.gradients]
        super().__init__(
            names, len(names) - len(layout.gradients), leading + layout.shape(axes), facts, how,
            matrix=False, empty=empty,
        )  # fmt: skip
        self.layout, self.batch = layout, batch
        self._done = 0
        self.representatives = [(n, layout.gradients[n]) for n in by_axes.values()]
        self.groups = [_Group(layout, axes, variables, gradients)]
        if self.uneven or leading:
            self.shapes = {n: layout.shape(layout.variables[n]) for n in variables}
            self.shapes |= {n: leading + layout.shape(own) for n, own in layout.gradients.items()}
        if self.uneven:
            own_axes = [*[layout.variables[n] for n in variables], *[layout.gradients[n] for n in gradients]]
            self.groups = [
                _Group(
                    layout, own, [n for n in variables if layout.variables[n] == own],
                    {n: e for n, e in gradients.items() if layout.gradients[n] == own},
                )
                for own in dict.fromkeys(own_axes)
            ]  # fmt: skip
        load = sum(group.plan.load for group in self.groups) * (batch or 1)
        self.steps = sum(group.plan.steps for group in self.groups)
        self.engine, self.slower = engine.chosen(how.engine, load, self.steps)
        engine.load(self.engine)
        self.threads = engine.threads(how.threads, load, self.engine)
        self.total = sum(group.plan.points for group in self.groups) * (batch or 1)
        self.covered = layout.grid.size * (batch or 1)

    @property
    def blocks(self) -> Iterator[Block]:
        """Contiguous parts in order, the batch as the slowest axis. Raises GradError if the columns differ in shape."""
        if self.uneven:
            (a, first), (b, second) = self.representatives[-1], self.representatives[-2]
            raise GradError(
                f"rows need one shape: {a} has {self._shape_text(first)}, {b} has {self._shape_text(second)}",
                hint="ask for one input at a time with --wrt, or for --json",
            )
        (group,) = self.groups
        for entry in range(self.batch or 1):
            for block in group.rows(entry, self.engine, self.threads, self._advance):
                if self.batch is not None:
                    block = [self._entry(entry, block[0]), *block]
                self._count(block)
                yield self._with_empty(block)

    def _advance(self, points: int) -> None:
        self._done += points
        self._watched(self._done)

    def _shape_text(self, axes: Axes) -> str:
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
        """Every column, flattened. Raises GradError, before any computation, if memory cannot hold them."""
        if self.shapes is None:
            check_held(self.size * len(self.names), self.engine, copies=2)
            return self._concatenated(list(self.blocks))
        numbers = sum(map(math.prod, self.shapes.values()))
        check_held(numbers, self.engine, "ask for one input at a time with --wrt, or for fewer points", copies=2)
        columns: dict[str, Any] = {}
        for group in self.groups:
            parts: list[Block] = []
            for entry in range(self.batch or 1):
                parts += group.rows(entry, self.engine, self.threads, self._advance)
            for name, column in zip(group.names, self._concatenated(parts), strict=True):
                columns[name] = column
        if self.batch is not None:
            # Variables do not depend on the batch: evaluate them once, over their own axes.
            columns |= {name: self._variable(name) for name in self.layout.variables if name in columns}
        for name, column in columns.items():
            count = count_nonfinite(column)
            if count and self.strict and name in self.layout.gradients:
                raise self._nonfinite_error(name, column)
            if count:
                self.nonfinite[name] = count
        return [columns.get(name) for name in self.shapes]

    def _nonfinite_error(self, name: str, column: Any) -> GradError:
        from gradcli.formats import spell

        assert self.shapes is not None
        indices = product(*map(range, self.shapes[name]))
        index, value = next((i, v) for i, v in zip(indices, column, strict=True) if not math.isfinite(v))
        at = f"[{','.join(map(str, index))}]" if index else ""
        return GradError(f"{name}{at} is {spell(value)}", exit_code=1)

    def _variable(self, name: str) -> Any:
        group = _Group(self.layout, self.layout.variables[name], [name], {})
        return self._concatenated(list(group.rows(0, self.engine, self.threads, lambda points: None)))[0]

    def _concatenated(self, parts: Sequence[Block]) -> Block:
        if len(parts) == 1:
            return parts[0]
        columns = list(zip(*parts, strict=True))
        if any(c is None or isinstance(c, list) for c in parts[0]):
            return [None if column[0] is None else [v for c in column for v in c] for column in columns]
        import numpy as np

        return [np.concatenate(column) for column in columns]
