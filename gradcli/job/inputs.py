"""The input tables of a job: several files read as one table, with columns by name.

Layer: must not know the computation, nor how a format is read.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from gradcli.compute.grid import Axis, Held
from gradcli.errors import GradError, meant
from gradcli.expr import spell_name
from gradcli.formats import Chunk, Kept, open_table
from gradcli.formats.input import STDIN, file_size, opened
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Rows
from gradcli.language import Parsed
from gradcli.limits import memory

NUMBER = 16
"""Memory per number in bytes while rows are collected and concatenated."""
CELL = 100
"""Memory per kept cell in bytes."""
_FEWER = "reductions and gradients take them together: give fewer rows"


class Tables:
    """The tables of a job as one, opened: the ``columns`` to read as variables and the ``kept`` ones to carry through.

    The columns give values to those of ``names``, the ``variables``, that ``points`` does not bind. Raises GradError if
    a column is missing, bound on the command line too, or has the name of a variable or of one of the ``results``.
    """

    def __init__(
        self, rows: Rows, points: Points, names: Sequence[str], expressions: Sequence[Parsed], results: Sequence[str]
    ) -> None:
        self.variables, self.notes, self.watch = _unbound(points, names), rows.notes, rows.watch
        paths = [path for pattern in rows.paths for path in matching(pattern)]
        with ExitStack() as files:
            self.streams = [rows.stdin if path == "-" else files.enter_context(opened(path)) for path in paths]
            self.sizes = [None if stream is None else file_size(stream) for stream in self.streams]
            self.tables = [
                open_table(path, stream, format=rows.format, na=rows.na, max_bytes=rows.max_bytes, columns=rows.columns)
                for path, stream in zip(paths, self.streams, strict=True)
            ]
            for path, table in zip(paths, self.tables, strict=True):
                columns = set(table.names)
                for parsed in expressions:
                    parsed.check_columns(STDIN if path == "-" else path, columns, rows.constants)
            self._choose(paths, rows.keep, points.names, {*names, *results})
            self.opened = files.pop_all()

    def _choose(self, paths: Sequence[str], keep: bool, bound: Sequence[str], taken: set[str]) -> None:
        unbound, first = self.variables, self.tables[0].names
        if first == ("",):
            # A one-dimensional array has one unnamed column, which gives the only variable without a value.
            if len(unbound) != 1:
                raise GradError(
                    f"{paths[0]}: its only column has no name, and {len(unbound)} variables have no value",
                    hint=f"name it: --columns {spell_name(unbound[0])}",
                )
            self.columns: Sequence[str] = ("",)
        else:
            self.columns = unbound
            for name in bound:
                if name in first:
                    raise GradError(f"'{name}' is a column of {paths[0]} and given on the command line too")
        # Sets, since a header may have a million names.
        used, known = set(self.columns), set(first)
        self.kept = [name for name in first if name not in used] if keep else []
        for path, table in zip(paths, self.tables, strict=True):
            names = set(table.names)
            for name in [*self.columns, *self.kept]:
                if name not in names:
                    where = STDIN if path == "-" else path
                    near = meant(name, table.names, "its columns are", spell_name)
                    raise GradError(f"{where}: there is no column '{name}' ({near})")
            extra = [name for name in table.names if keep and name not in known]
            if extra:
                raise GradError(f"{path}: the column '{extra[0]}', which --keep would carry, is not in {paths[0]}")
        twice = [name for name in self.kept if name in taken]
        if twice:
            raise GradError(f"'{twice[0]}' would be both a column that is kept and a result")

    @property
    def rows(self) -> int | None:
        """The number of rows of all tables together; None if a table does not know its own."""
        counts = [table.rows for table in self.tables]
        return None if None in counts else sum(counts)  # type: ignore[arg-type]

    @property
    def read(self) -> float | None:
        """The fraction of all bytes that has been read; None unless every input is a regular file."""
        total, done = 0, 0
        for stream, size in zip(self.streams, self.sizes, strict=True):
            if stream is None or size is None:
                return None
            total += size
            try:
                done += min(stream.tell(), size)
            except ValueError:
                # The stream is closed, so it has been read to its end.
                done += size
        return done / total if total else None

    def whole(self, limit: int) -> tuple[Axis, list[Kept]]:
        """All rows at once as an axis of a grid, and the columns of kept cells; for reductions and gradients.

        Raises GradError beyond ``limit`` rows, or if memory cannot hold them.
        """
        import numpy as np

        parts: list[list[Any]] = []
        kept: list[list[Kept]] = []
        row_size = len(self.variables) * NUMBER + len(self.kept) * CELL
        size = 0
        for chunk in self.chunks():
            size += len(chunk.columns[0])
            if size > limit:
                raise GradError(f"more than {limit} points are beyond the limit (--max-points)")
            memory.check(size * row_size, f"all rows are held at once: {size:,} of them", _FEWER)
            parts.append(chunk.columns)
            kept.append(chunk.kept)
            if self.watch is not None:
                self.watch(size, self.read)
        if not parts:
            raise GradError("--input: there are no rows")
        axis = Axis(self.variables, [Held(np.concatenate(column)) for column in zip(*parts, strict=True)])
        return axis, [Kept.joined(column) for column in zip(*kept, strict=True)]

    def chunks(self) -> Iterator[Chunk]:
        """All rows in order, in chunks. Closes the inputs at the end."""
        with self.opened:
            for table in self.tables:
                yield from table.chunks(self.columns, self.kept)
                self.notes.extend(table.notes)


def _unbound(points: Points, names: Sequence[str]) -> list[str]:
    """Those of ``names`` that the command line does not bind. Raises GradError if there are none."""
    unbound = [] if points.shape else [name for name in names if name not in points.names]
    if not unbound:
        if points.shape:
            raise GradError(
                f"--input: the shape --grid {'x'.join(map(str, points.shape))} fills every variable that has no value",
                hint="beside --input a grid names its variable: --grid a=0:1:11",
            )
        if not names:
            raise GradError("--input: the expressions have no variable that a column could give")
        raise GradError(
            f"--input: nothing is left for its columns: --at and --grid give {', '.join(map(spell_name, names))}",
            hint="leave out --input, or the value of a variable that is a column",
        )
    return unbound


def matching(path: str) -> list[str]:
    """The files that match a pattern, sorted by name; the path itself if it is no pattern, or such a file exists."""
    if not path:
        raise GradError("--input: the name of the file is missing")
    if path == "-" or not glob.has_magic(path) or os.path.exists(path):
        return [path]
    paths = sorted(glob.glob(path))
    if not paths:
        raise GradError(f"--input: no file matches '{path}'")
    return paths
