"""Evaluation: the numbers of some columns of a request, at one point or at arrays of points.

A point of floats is computed by a compiled function without state, so that any thread may call it. Small arrays go to
kernels of NumPy that each thread makes once, large ones block by block to the engine that is fastest. Where the mask
marks a point, or a number is not finite, the row is computed again as that of a file.
Layer: must not know which methods a function has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gradcli.callables.arguments import Broadcast, broadcast, number
from gradcli.callables.layouts import of_arrays, of_floats
from gradcli.compute import engine
from gradcli.compute.backends import scalar
from gradcli.compute.backends.compiled import STEPS_LIMIT, Layout, compiled
from gradcli.compute.execute import Block, Work, whole
from gradcli.compute.program import Program, build
from gradcli.limits import memory

if TYPE_CHECKING:
    from gradcli.callables.arguments import Array
    from gradcli.callables.model import Model
    from gradcli.callables.small import Small

SMALL = 1 << 14
"""Points up to which an array is computed in one call of each of NumPy's functions."""
_EXPANDED = 1 << 10
"""Points up to which arrays of several shapes are expanded, which takes less time than to make an outer product."""
_ASKED = 1 << 28
"""Bytes of results from which it is asked whether they fit into memory."""
NATIVE_LOAD = 20_000_000
"""Steps times points from which an array is computed by compiled code: a function is made to be called often, so that
the start of the compiler counts less than in a job.
"""


class Evaluation:
    """The columns of a request of some order, returned as ``layout``.

    ``columns``: the places of the columns among the results of the request; a layout holds places among ``columns``.
    ``call``: the function of the arguments, in the order of the model's, numbers or arrays. ``finish`` makes the answer
    from the layout.
    """

    def __init__(
        self, model: Model, order: int, columns: Sequence[int], layout: Layout,
        finish: Callable[[Any], Any] | None = None,
    ) -> None:  # fmt: skip
        self.model, self.order, self.columns, self.layout = model, order, list(columns), layout
        derived = model.by_place(order).derived
        self.outputs = [derived[k][1] for k in columns]
        self._programs: dict[tuple[tuple[str, ...], ...], Program] = {}
        self._filled = of_arrays(layout)
        self._quick = bool(self.outputs) and not model.settles_all and model.job.engine in ("auto", "vector")
        self._small: Small | None = None
        self._depends: list[list[int]] | None = None
        point = self._compiled()
        self.call: Callable[..., Any] = point if finish is None else lambda *args: finish(point(*args))

    def _compiled(self) -> Callable[..., Any]:
        model = self.model
        if model.settles_all:
            return self._any
        program = build([*self.outputs, *model.mask], [model.args] if model.args else [])
        if program.length > STEPS_LIMIT:
            self._quick = False
            return self._any
        mask = len(self.outputs) if model.mask else None
        return compiled(program, model.args, self.layout, self._any, mask, checked=model.settles)

    # Points that are not plain.

    def _any(self, *args: Any) -> Any:
        """The answer for arguments of any kind."""
        if self._small is not None and self._quick:
            results = self._small.results(args)
            if results is not None:
                return self._filled(*results)
        values: list[float] = []
        for value, name in zip(args, self.model.args, strict=True):
            x = value if value.__class__ is float else number(value, name)
            if x is None:
                return self._arrays(args)
            values.append(x)
        return of_floats(self.layout, self._point(values))

    def _point(self, values: Sequence[float]) -> list[float]:
        model = self.model
        if model.settles:
            return [float(column[0]) for column in self._rows([[v] for v in values], "scalar")]
        names = model.args
        program = self._program((names,))
        outs: list[list[float]] = [[0.0] for _ in program.outputs]
        at = dict(zip(names, values, strict=True))
        scalar.kernel(program)([[at[name]] for name, _ in program.inputs], outs, (1,) if names else ())
        return [float(column[0]) for column in outs]

    def _rows(self, columns: Sequence[Any], engine_name: str) -> list[Any]:
        """The columns at rows, as a job over a file gives them: lists for the scalar engine, else arrays."""
        block = self.model.numbers(self.order, engine_name, columns)
        return [block[k] for k in self.columns]

    # Arrays.

    def _arrays(self, args: Sequence[Any]) -> Any:
        import numpy as np

        small = self._small
        if small is None:
            from gradcli.callables.small import Small

            small = self._small = Small(self.model, self._program, len(self.outputs), SMALL)
        given = broadcast(args, self.model.args)
        points = math.prod(given.shape)
        size = 8 * len(self.outputs) * points
        if size >= _ASKED:
            memory.check(
                size, f"{len(self.outputs)} x {points:,} results", "call the function with parts of the arrays"
            )
        block = np.empty((len(self.outputs), points))
        if self._quick and 0 < points <= (SMALL if given.whole else _EXPANDED):
            if not given.whole:
                arrays = [np.broadcast_to(a, given.shape) if a.ndim else a for a in given.arrays]
                given = given._replace(arrays=arrays, whole=True)
            hard = small.fill(block, given)
            if hard is not None:
                self._settle(hard, given, 0, "vector")
        elif block.size:
            self._fill(block, given)
        if given.single:
            block = small.quiet.run(block.astype, np.float32)
        return self._filled(block, given.shape)

    def _fill(self, block: Array, given: Broadcast) -> None:
        """Fill the columns of a block over the points of the arguments."""
        model = self.model
        points = block.shape[1]
        if model.settles_all:
            import numpy as np

            flat = [np.broadcast_to(a, given.shape).ravel() for a in given.arrays]
            wanted = model.job.engine
            for out, column in zip(block, self._at(flat, "vector" if wanted == "auto" else wanted), strict=True):
                out[:] = column
            return
        from gradcli.callables.outer import grid_of

        grid = grid_of(model.args, given)
        program = self._program(tuple([axis.names for axis in grid.axes]))
        load = points * (program.length + len(self.outputs))
        name, _ = self._engine(load)
        threads = engine.threads(model.job.threads, load, name)
        if model.job.kink == "error":
            # The parts of several threads come out of order, and the error must name the first hard point.
            threads = 1
        import numpy as np

        outs: list[Any] = [*block, *[np.empty(points) for _ in model.mask]]
        work = engine.work(program, grid, name)
        if not work.arrays:
            for out, column in zip(outs, self._scalar(work), strict=True):
                out[:] = column
            self._settle(outs, given, 0, name)
            return
        size = engine.part_points(program, name, points, threads)
        for lo, hi, columns in whole(work, target=size, threads=threads, outs=outs):
            self._settle([column[lo:hi] for column in columns], given, lo, name)

    @staticmethod
    def _scalar(work: Work) -> Block:
        """The columns of work on lists."""
        columns: Block = []
        for _, _, block in whole(work, target=SMALL):
            columns = block
        return columns

    def _engine(self, load: int) -> tuple[str, str | None]:
        wanted = self.model.job.engine
        if wanted != "auto":
            return wanted, None
        return engine.fastest() if load >= NATIVE_LOAD else ("vector", None)

    def _program(self, axes: tuple[tuple[str, ...], ...]) -> Program:
        axes = tuple(filter(None, axes))
        program = self._programs.get(axes)
        if program is None:
            program = self._programs[axes] = build([*self.outputs, *self.model.mask], axes)
        return program

    def _settle(self, columns: Sequence[Array], given: Broadcast, first: int, engine_name: str) -> None:
        """Replace the numbers at hard points in columns, whose first row has the number ``first`` of all points.

        ``engine_name``: the engine that computed them, whose numbers those are that stay as they are.
        """
        model = self.model
        if not model.settles:
            return
        import numpy as np

        from gradcli.callables.nan_rows import dependence, of_nan_arguments
        from gradcli.job.marks import Arrays

        results, mask = columns[: len(self.outputs)], columns[len(self.outputs)] if model.mask else None
        rows = np.asarray(Arrays.marked(results, mask, False), np.intp)
        if not len(rows):
            return
        shape = given.shape or (1,)
        places = np.unravel_index(rows + first, shape)
        points = [np.broadcast_to(a, shape)[places] for a in given.arrays]
        if self._depends is None:
            self._depends = dependence(self.outputs, model.args)
        done = of_nan_arguments([c[rows] for c in results], None if mask is None else mask[rows], points, self._depends)
        if done.any():
            rows, points = rows[~done], [p[~done] for p in points]
        if len(rows):
            for column, settled in zip(results, self._at(points, engine_name), strict=True):
                column[rows] = settled

    def _at(self, points: Sequence[Array], engine_name: str) -> list[Any]:
        """As `_rows`, at one-dimensional arrays."""
        return self._rows([p.tolist() for p in points] if engine_name == "scalar" else points, engine_name)
