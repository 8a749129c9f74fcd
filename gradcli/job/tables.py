"""The tables a job reads its points from: several files as one, their columns by name.

Must not know what is computed, nor how a format is read.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from gradcli import memory
from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.formats import Chunk, Kept, Table, open_table
from gradcli.formats.source import STDIN, file_size, opened
from gradcli.grid import Axis
from gradcli.grid.points import Points
from gradcli.job.request import Rows

_NUMBER = 16
"""Bytes that a number takes while rows are gathered and joined."""
CELL = 100
"""Bytes that a cell takes which is kept."""
_FEWER = "reductions and gradients take them together: give fewer rows"


class Held:
    """An array as a column of a grid."""

    def __init__(self, values: Any) -> None:
        self.values, self.length = values, len(values)

    def array(self, lo: int, hi: int) -> Any:
        return self.values[lo:hi]

    def floats(self, lo: int, hi: int) -> list[float]:
        found: list[float] = self.values[lo:hi].tolist()
        return found


class Tables:
    """The tables of a job as one: the columns it wants of each, and those it keeps.

    Raises GradError where a column is missing, given twice, or would be called like a result.
    """

    def __init__(self, rows: Rows, unbound: Sequence[str], bound: Sequence[str], results: Sequence[str]) -> None:
        paths = [path for given in rows.paths for path in matching(given)]
        self.opened = ExitStack()
        try:
            self._open(paths, rows, unbound, bound, results)
        except BaseException:
            self.opened.close()
            raise

    def _open(
        self, paths: Sequence[str], rows: Rows, unbound: Sequence[str], bound: Sequence[str], results: Sequence[str]
    ) -> None:
        self.tables: list[Table] = []
        self.streams = [rows.stdin if path == "-" else self.opened.enter_context(opened(path)) for path in paths]
        self.sizes = [None if stream is None else file_size(stream) for stream in self.streams]
        for path, stream in zip(paths, self.streams, strict=True):
            table = open_table(
                path, stream, format=rows.format, na=rows.na, max_bytes=rows.max_bytes, columns=rows.columns
            )
            self.tables.append(table)
        first = self.tables[0].names
        if first == ("",):
            # One dimension has no name: it is the only variable without a value.
            if len(unbound) != 1:
                raise GradError(
                    f"{paths[0]}: its only column has no name, and {len(unbound)} variables have no value",
                    hint=f"name it: --columns {spell_name(unbound[0])}",
                )
            self.asked: Sequence[str] = ("",)
        else:
            self.asked = unbound
            for name in bound:
                if name in first:
                    raise GradError(f"'{name}' is a column of {paths[0]} and given on the command line too")
        self.wanted, self.notes, self.watch = list(unbound), rows.notes, rows.watch
        # Sets: a header may have a million names.
        asked, known, taken = set(self.asked), set(first), set(results)
        self.kept = [name for name in first if name not in asked] if rows.keep else []
        for path, table in zip(paths, self.tables, strict=True):
            here = set(table.names)
            for name in [*self.asked, *self.kept]:
                if name not in here:
                    where = STDIN if path == "-" else path
                    raise GradError(f"{where}: there is no column '{name}' ({_meant(name, table.names)})")
            lost = [name for name in table.names if rows.keep and name not in known]
            if lost:
                raise GradError(f"{path}: the column '{lost[0]}', which --keep would carry, is not in {paths[0]}")
        twice = [name for name in self.kept if name in taken]
        if twice:
            raise GradError(f"'{twice[0]}' would be both a column that is kept and a result")

    @property
    def rows(self) -> int | None:
        """Rows of all tables together, where each tells its own."""
        counts = [table.rows for table in self.tables]
        return None if None in counts else sum(counts)  # type: ignore[arg-type]

    @property
    def read(self) -> float | None:
        """The part of all bytes that has been read, where every input is a file."""
        total, done = 0, 0
        for stream, size in zip(self.streams, self.sizes, strict=True):
            if stream is None or size is None:
                return None
            total += size
            try:
                done += min(stream.tell(), size)
            except ValueError:
                # Closed: read to the end.
                done += size
        return done / total if total else None

    def whole(self, limit: int) -> tuple[Axis, list[Kept]]:
        """All rows at once, for what takes all points, and the cells that are kept.

        Raises GradError past ``limit`` rows, or what memory holds.
        """
        import numpy as np

        parts: list[list[Any]] = []
        kept: list[list[Kept]] = []
        each = len(self.wanted) * _NUMBER + len(self.kept) * CELL
        size = 0
        for chunk in self.chunks():
            size += len(chunk.columns[0])
            if size > limit:
                raise GradError(f"more than {limit} points are beyond the limit (--max-points)")
            memory.check(size * each, f"all rows are held at once: {size:,} of them", _FEWER)
            parts.append(chunk.columns)
            kept.append(chunk.kept)
            if self.watch is not None:
                self.watch(size, self.read)
        if not parts:
            raise GradError("--input: there are no rows")
        axis = Axis(self.wanted, [Held(np.concatenate(column)) for column in zip(*parts, strict=True)])
        return axis, [Kept.joined(column) for column in zip(*kept, strict=True)]

    def chunks(self) -> Iterator[Chunk]:
        """All rows in order."""
        with self.opened:
            for table in self.tables:
                yield from table.chunks(self.asked, self.kept)
                self.notes.extend(table.notes)


def rows_of(rows: Rows, points: Points, names: Sequence[str], results: Sequence[str]) -> Tables:
    """The tables of a job, for the variables ``names`` that the command line leaves without a value.

    Raises GradError where a column that is kept would be called like one of them or of the ``results``.
    """
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
    return Tables(rows, unbound, points.names, [*names, *results])


def matching(path: str) -> list[str]:
    """The files of a pattern, in order of their names; the path itself where it is none, or there is such a file."""
    if not path:
        raise GradError("--input: the name of the file is missing")
    if path == "-" or not glob.has_magic(path) or os.path.exists(path):
        return [path]
    found = sorted(glob.glob(path))
    if not found:
        raise GradError(f"--input: no file matches '{path}'")
    return found


def _meant(name: str, names: Sequence[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, names, 1)
    if close:
        typed = spell_name(close[0])
        return f"did you mean {typed if typed != close[0] else repr(typed)}?"
    listed = ", ".join(map(spell_name, names[:10])) + (" ..." if len(names) > 10 else "")
    return f"its columns are {listed}"
