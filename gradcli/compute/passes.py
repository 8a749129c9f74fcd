"""Passes over the points: one for each level of reductions and the axes they depend on, and a last one for the outputs.

A pass goes over the axes its arguments depend on, and no further: every value met there counts as often as the others
have points. What the reductions come to stands on an axis of its own, as a single point does. Where reductions nest
deeply a pass keeps the values at its points that later ones need (see `nested`), as long as there is room.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gradcli.calculus.reductions import Reduction, has_reductions, number_name, staged, stands_for_number
from gradcli.compute import engine
from gradcli.compute.accumulators import OF, TOTALS
from gradcli.compute.execute import Block, Work, digests
from gradcli.compute.grid import Axis, Column, Grid, Held, Index, Values, joined
from gradcli.compute.program import Program, build, lower
from gradcli.compute.reuse import FEW, Nest, replaced
from gradcli.expr import BOOLEANS, ONE, ZERO, Expr, apply, bit, reachable, var

Watch = Callable[[int], None]
_KEPT = "\0kept "


class _Pass(NamedTuple):
    """``names``: the numbers and kept columns it needs; ``totals``: the column and the kind of each total; ``found``:
    which of them each reduction is read from; ``kept``: the columns whose values later passes need, by name."""

    program: Program
    axes: tuple[int, ...]
    names: tuple[str, ...]
    totals: list[tuple[int, str]]
    found: list[tuple[Reduction, int]]
    kept: dict[str, int]


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
        # The axes of kept columns, by their names.
        self.kept: dict[str, list[tuple[str, ...]]] = {}
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
            size * (p.program.length + 4 * len(p.totals)) for size, p in zip(sizes, self.passes, strict=True)
        )

    def _size(self, axes: Sequence[int]) -> int:
        return math.prod(self.grid.axes[k].length for k in axes)

    def _plan(self, levels: Sequence[Sequence[Reduction]], outputs: Sequence[Expr]) -> None:
        arguments = [[r.argument for r in level] for level in levels]
        roots = [e for level in (*arguments, outputs) for e in level]
        deep = len(levels) > 1 and len(reachable(roots)) > FEW
        if deep:
            # The forms that lowering looks for must not be cut in two.
            low = iter(lower(roots))
            arguments = [[next(low) for _ in level] for level in arguments]
            outputs = list(low)
            roots = [e for level in (*arguments, outputs) for e in level]
        self._masks = [0 if axis.fixed else sum(bit(name) for name in axis.names) for axis in self.grid.axes]
        # Numbers that may still be kept.
        self._room = engine.ROOM if deep else 0
        nest = Nest(roots)
        for level, wanted in zip(levels, arguments, strict=True):
            self._add(level, nest.take(wanted), nest)
        self.program, self.names = self._built(nest.take(outputs), self.over)

    def _axes(self, e: Expr) -> tuple[int, ...]:
        return tuple([k for k, mask in enumerate(self._masks) if e.variables & mask])

    def _add(self, level: Sequence[Reduction], arguments: Sequence[Expr], nest: Nest) -> None:
        groups: dict[tuple[int, ...], list[tuple[Reduction, Expr]]] = {}
        for reduction, argument in zip(level, arguments, strict=True):
            groups.setdefault(self._axes(argument), []).append((reduction, argument))
        again: dict[tuple[int, ...], list[Expr]] = {}
        nodes = set(reachable(arguments))
        needed = nest.needed(nodes) if len(nodes) > FEW else {}
        for e in needed:
            again.setdefault(self._axes(e), []).append(e)
        done: dict[Expr, Expr] = {}
        # What lies along fewer axes may be kept for those along more.
        for axes in sorted([*groups, *[axes for axes in again if axes not in groups]], key=len):
            keep = self._kept(again.get(axes, []), axes)
            group = groups.get(axes, [])
            if not group and not keep:
                continue
            values = replaced([argument for _, argument in group], done)
            columns: dict[Expr, int] = {}
            totals: dict[tuple[int, str], int] = {}
            found = []
            for (reduction, _), value in zip(group, values, strict=True):
                column = columns.setdefault(value, len(columns))
                found.append((reduction, totals.setdefault((column, OF[reduction.op]), len(totals))))
            kept = {}
            for name, value in zip(keep, replaced([_as_number(e) for e in keep.values()], done), strict=True):
                kept[name] = columns.setdefault(value, len(columns))
            program, names = self._built(list(columns), self._part(self.grid, axes))
            self.passes.append(_Pass(program, axes, names, list(totals), found, kept))
            for name, e in keep.items():
                done[e] = apply("ne", var(name), ZERO) if e.op in BOOLEANS else var(name)
        nest.keep({needed[e]: place for e, place in done.items()})

    def _kept(self, nodes: Sequence[Expr], axes: tuple[int, ...]) -> dict[str, Expr]:
        """Names for columns over some axes that can be kept, as far as there is room."""
        places = [self.grid.axes[k].names for k in axes]
        size = self._size(axes) * len(nodes)
        # A column over several axes lies along all of them joined.
        everywhere = places == [a.names for a in self.grid.axes if not a.fixed]
        if size > self._room or (
            len(axes) > 1 and not (everywhere and places == [a.names for a in self.over.axes if not a.fixed])
        ):
            return {}
        self._room -= size
        found = {}
        for e in nodes:
            name = f"{_KEPT}{len(self.kept)}" if axes else number_name(f"kept {len(self.kept)}")
            self.kept[name] = places
            found[name] = e
            for k in axes:
                self._masks[k] |= bit(name)
        return found

    def _part(self, grid: Grid, axes: Sequence[int]) -> Grid:
        return Grid([axis for k, axis in enumerate(grid.axes) if axis.fixed or k in axes])

    def _built(self, outputs: Sequence[Expr], grid: Grid) -> tuple[Program, tuple[str, ...]]:
        """The program over a grid and what it needs besides: the names of numbers and kept columns."""
        used = [str(e.value) for e in reachable(outputs) if e.op == "var"]
        names = tuple([name for name in used if stands_for_number(name) or name in self.kept])
        # Names alone matter here.
        whole = self._with(grid, names, dict.fromkeys(names, 0.0), dict.fromkeys(names, Index(1)))
        return build(outputs, [axis.names for axis in whole.axes]), names

    def _with(
        self, grid: Grid, names: Iterable[str], known: Mapping[str, float], columns: Mapping[str, Column]
    ) -> Grid:
        """The grid with single numbers on one more axis, and kept columns along their own."""
        names = list(names)
        if not names:
            return grid
        numbers = [name for name in names if stands_for_number(name)]
        wide = [name for name in names if len(self.kept.get(name, ())) > 1]
        axes = []
        for axis in grid.axes:
            here = [name for name in names if self.kept.get(name) == [axis.names]]
            axes.append(Axis([*axis.names, *here], [*axis.columns, *map(columns.__getitem__, here)], fixed=axis.fixed))
        if wide:
            free = [axis for axis in axes if not axis.fixed]
            axes = [axis for axis in axes if axis.fixed]
            axes.append(joined(free, wide, [columns[name] for name in wide]))
        if numbers:
            axes.append(Axis(numbers, [Values([known[name]]) for name in numbers], fixed=True))
        return Grid(axes)

    def last(self, over: Grid, grid: Grid, chosen: str, threads: int, watch: Watch) -> Work:
        """The work of the last pass over ``over``, once the passes before it over ``grid`` are done.

        ``grid`` has the axes of ``self.grid``, ``over`` those of ``self.over``; ``watch`` is told how many points have
        been passed.
        """
        known: dict[str, float] = {}
        columns: dict[str, Column] = {}
        done = 0
        for p in self.passes:
            part = self._part(grid, p.axes)
            totals = [TOTALS[kind]() for _, kind in p.totals]
            work = engine.work(p.program, self._with(part, p.names, known, columns), chosen)
            kept = {name: _room(part.size, work.arrays) for name in p.kept}

            def digest(
                block: Block, first: int, totals: Sequence[Any] = totals, p: _Pass = p, kept: dict[str, Any] = kept
            ) -> tuple[int, list[Any]]:
                points = len(block[0])
                for name, column in p.kept.items():
                    kept[name][first : first + points] = block[column]
                return points, [
                    total.digest(block[column], first) for total, (column, _) in zip(totals, p.totals, strict=True)
                ]

            size = engine.block_points(p.program, chosen)
            for points, parts in digests(work, digest, target=size, threads=threads):
                for total, one in zip(totals, parts, strict=True):
                    total.add(one)
                done += points
                watch(done)
            results = [total.results(grid.size // part.size) for total in totals]
            known.update({reduction.name: results[k][reduction.op] for reduction, k in p.found})
            for name, values in kept.items():
                if stands_for_number(name):
                    known[name] = float(values[0])
                else:
                    columns[name] = Held(values) if work.arrays else Values(values)
        return engine.work(self.program, self._with(over, self.names, known, columns), chosen)


def _as_number(e: Expr) -> Expr:
    return apply("where", e, ONE, ZERO) if e.op in BOOLEANS else e


def _room(points: int, arrays: bool) -> Any:
    if not arrays:
        return [0.0] * points
    import numpy as np

    return np.empty(points)
