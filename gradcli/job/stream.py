"""Streaming: a job whose rows are read in chunks, each computed and written before the next.

The rows are an axis of a grid, slower than those of ``--grid``; its length is known once the last row has been read.
Layer: must not know how a format is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from gradcli.compute import engine
from gradcli.compute.execute import Block, aside, blocks
from gradcli.compute.grid import Axis, Grid, Held, Values
from gradcli.compute.program import build
from gradcli.errors import GradError
from gradcli.expr import substitute, var
from gradcli.formats import Chunk
from gradcli.formats.passthrough import Kept
from gradcli.job.hard_points import HardPoints
from gradcli.job.inputs import NUMBER, Tables
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Job, Request, Rows
from gradcli.job.result import STREAMED, Computed
from gradcli.limits import memory


class Streamed(Computed):
    """Columns over rows that are read on demand: the kept columns, the point variables, the results.

    ``total`` is 0 and ``shape`` (-1,) while the number of rows is unknown. Take either ``blocks`` or ``whole()``, once.
    """

    def __init__(self, job: Job, request: Request, points: Points, tables: Tables, hard: HardPoints) -> None:
        names = [*request.points, *[n for n, _ in request.derived], *hard.names]
        # A grid with a single row of zeros gives the position of the row axis among the axes.
        row = Axis(tables.variables, [Values([0.0])] * len(tables.variables))
        first, filled = points.bind(request.points, rows=row)
        outputs = substitute([*map(var, request.points), *[e for _, e in request.derived], *hard.mask], filled)
        hard.begin(outputs)
        position = next(k for k, axis in enumerate(first.axes) if axis.names == row.names)
        self.before, self.after = first.axes[:position], first.axes[position + 1 :]
        self.program = build(outputs, [axis.names for axis in first.axes])
        self.job, self.tables, self.inner = job, tables, first.size
        self.total = (tables.rows or 0) * self.inner
        if (least := max(self.total, self.inner)) > job.max_points:
            tables.opened.close()
            raise GradError(f"{least} points are beyond the limit of {job.max_points} (--max-points)")
        shape = (-1,) if tables.rows is None else (self.total,)
        super().__init__(
            names, len(request.points), shape, request.facts(job.order), job, matrix=False, kept=tables.kept, hard=hard
        )
        self.points_of, self.width = hard, len(names)
        self.engine = "vector" if job.engine == "auto" else job.engine
        engine.load(self.engine)
        self.threads, self.steps = 1, self.program.length

    long = True

    @property
    def rows_read(self) -> int:  # type: ignore[override]
        return self.tables.rows_read

    @property
    def blocks(self) -> Iterator[Block]:
        """Contiguous parts in the order of the rows, each with one flat column per name."""
        return map(self._worded, self._numbers())

    @property
    def nothing(self) -> Block:
        import numpy as np

        return self._worded([*self.tables.nothing(), *[np.empty(0)] * self.width])

    def _numbers(self) -> Iterator[Block]:
        self.size = 0
        for block in aside(self._compute):
            self._inspected(self.size, block[len(self.kept) :])
            self._count(block[len(self.kept) :])
            self.size += len(block[0])
            self._watched(self.size)
            yield block
        self.shape = (self.size,)

    def _compute(self, put: Callable[[Block], object]) -> None:
        size = 0
        for chunk in self._chunks():
            rows = Axis(self.tables.variables, [Held(column) for column in chunk.columns])
            grid = Grid([*self.before, rows, *self.after])
            size += grid.size
            if size > self.job.max_points:
                raise GradError(f"more than {self.job.max_points} points are beyond the limit (--max-points)")
            load = grid.size * (self.program.length + self.width)
            self.threads = max(self.threads, threads := engine.threads(self.job.threads, load, self.engine))
            target = engine.chunk_points(self.program, self.engine, grid.size, threads)
            done = 0
            self.points_of.look(self.program, grid, self.engine)
            plain = partial(engine.work, self.program, grid, self.engine)
            work = self.points_of.work(self.program, grid, self.engine, plain)
            for block in blocks(work, target=target, threads=threads):
                points = len(block[0])
                kept = [column.repeated(self.inner, done, done + points) for column in chunk.kept]
                done += points
                put([*kept, *block])

    def _chunks(self) -> Iterator[Chunk]:
        """All rows in chunks; the engine, one for all of them, is chosen before the first is computed."""
        chunks, steps = self.tables.chunks(), self.program.length
        if (first := next(chunks, None)) is not None:
            self.engine, self.slower = engine.chosen_for_rows(
                self.job.engine, steps * self.inner, steps, len(self.tables.tables[0].names),
                lambda: self.tables.exceed(engine.LARGE),
            )  # fmt: skip
            yield first
            yield from chunks

    @property
    def covered(self) -> int:  # type: ignore[override]
        return self.size

    def part(self, done: int) -> float | None:
        return done / self.total if self.total else self.tables.read

    def whole(self) -> Block:
        """All rows, as one flat column per name. Raises GradError if memory cannot hold them."""
        import numpy as np

        self._check_held(self.total)
        # Where the number of rows is known every block is copied to its place at once, and not held until the end.
        columns = [np.empty(self.total) for _ in range(self.width)]
        parts, kept, first = [], 0, len(self.kept)
        for block in self._numbers():
            if self.total:
                for column, part in zip(columns, block[first:], strict=True):
                    column[self.size - len(part) : self.size] = part
                block = block[:first]
            parts.append(block)
            kept += sum(column.size for column in block[:first])
            self._check_held(self.size, kept)
        if not parts:
            return self._worded([*[Kept([]) for _ in self.kept], *columns])
        joined = [Kept.joined(c) if isinstance(c[0], Kept) else np.concatenate(c) for c in zip(*parts, strict=True)]
        return self._worded([*joined, *[column[: self.size] for column in columns]] if self.total else joined)

    def _check_held(self, points: int, kept: int = 0) -> None:
        memory.check(
            points * self.width * NUMBER + kept, f"this output holds all rows at once: {points:,} of them", STREAMED
        )


def streamed(job: Job, request: Request, points: Points, rows: Rows) -> Streamed:
    """The columns of a job over the rows of its tables, which are opened and not read yet."""
    hard = HardPoints(job, request, points, rows=True)
    names = (*request.points, *[n for n, _ in request.derived], *hard.names)
    return Streamed(job, request, points, Tables(rows, points, request.points, request.parsed, names, job), hard)
