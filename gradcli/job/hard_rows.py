"""The numbers of a request at rows of points, hard points settled as in the rows of files: plain doubles, no notes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from gradcli.compute import engine
from gradcli.compute.execute import Block, Work, blocks
from gradcli.compute.grid import Axis, Column, Grid, Held, Values
from gradcli.compute.program import build
from gradcli.expr import var
from gradcli.job.hard_points import HardPoints
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Job, Request


class HardRows:
    """Rows of a request, computed by one engine, "scalar" for lists, "vector" or "native" for arrays.

    ``names``: the columns of a block: all results of the request, then those about hard points.
    """

    def __init__(self, job: Job, request: Request, engine_name: str) -> None:
        self.engine, self.variables = engine_name, tuple(request.points)
        self.hard = HardPoints(job, request, Points((), (), None), rows=True)
        outputs = [*map(var, request.points), *[e for _, e in request.derived], *self.hard.mask]
        self.hard.begin(outputs)
        self.program = build(outputs, [self.variables] if self.variables else [])
        self.names = (*[name for name, _ in request.derived], *self.hard.names)

    def numbers(self, points: Sequence[Any]) -> Block:
        """The columns at rows, ``points`` being a column for each variable: lists of floats or float64 arrays.

        Raises GradError as the job does, such as of a hard point with ``kink="error"``.
        """
        size = engine.block_points(self.program, self.engine)
        parts = [block[len(self.variables) :] for block in blocks(self._work(points), target=size)]
        if len(parts) == 1:
            return parts[0]
        if self.engine == "scalar":
            return [[v for part in column for v in part] for column in zip(*parts, strict=True)]
        import numpy as np

        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    def _grid(self, points: Sequence[Any]) -> Grid:
        columns: list[Column] = [Values(c) if self.engine == "scalar" else Held(c) for c in points]
        return Grid([Axis(self.variables, columns)] if columns else [])

    def _work(self, points: Sequence[Any]) -> Work:
        grid = self._grid(points)
        return self.hard.work(self.program, grid, self.engine, partial(engine.work, self.program, grid, self.engine))
