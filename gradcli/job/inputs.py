"""The input tables of a job: several files read as one table, with columns by name.

Layer: must not know the computation, nor how a format is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from gradcli.compute.grid import Axis, Held
from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.formats import Chunk, Kept, Table, open_table
from gradcli.formats.columns import key_of
from gradcli.formats.input import STDIN, checked_names, column_indices, file_size, opened
from gradcli.job.choices import Choice
from gradcli.job.input_paths import matching
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Rows
from gradcli.language import Parsed
from gradcli.limits import memory
from gradcli.limits.files import allow

NUMBER = 16
"""Memory per number in bytes while rows are collected and concatenated."""
_FEWER = "reductions and gradients take them together: give fewer rows"


class Tables:
    """The tables of a job as one, opened: the ``columns`` to read as variables and the ``kept`` ones to carry through.

    The columns give values to those of ``names``, the ``variables``, that ``points`` does not bind. ``places``: where
    the columns of the output are among the kept and the ``computed`` ones. Raises GradError if a column is missing,
    bound on the command line too, or has the name of a result.
    """

    def __init__(
        self, rows: Rows, points: Points, names: Sequence[str], expressions: Sequence[Parsed],
        computed: Sequence[str] = (), choice: Choice | None = None,
    ) -> None:  # fmt: skip
        self.variables, self.notes, self.watch = _unbound(points, names), rows.notes, rows.watch
        paths = rows.paths if rows.header is not None else [p for pattern in rows.paths for p in matching(pattern)]
        assert rows.span is None or len(paths) == 1
        # Of the rows of a run a part may have none.
        self._span, self._rows, self._part = rows.span, 0, rows.header is not None
        allow(len(paths))
        with ExitStack() as files:
            self.streams = [
                rows.stdin if path == "-" else files.enter_context(rows.begun.get(path) or opened(path))
                for path in paths
            ]
            self.sizes = [None if stream is None else file_size(stream) for stream in self.streams]
            self.tables = [
                open_table(
                    path, stream, format=rows.format, max_bytes=rows.max_bytes, dialect=rows.dialect, span=rows.span
                )
                for path, stream in zip(paths, self.streams, strict=True)
            ]
            for path, table in zip(paths, self.tables, strict=True):
                columns = set(table.names)
                for parsed in expressions:
                    parsed.check_columns(STDIN if path == "-" else path, columns, rows.constants)
            # The first table of the run, which may be another part's: its name, and those of its columns.
            self._first, self._header = rows.first or paths[0], self.tables[0].names
            if rows.header is not None:
                alone = list(rows.header) == [""]
                self._header = ("",) if alone else checked_names(self._first, list(map(key_of, rows.header)))
            self._bind(points.names)
            self.kept: Sequence[str] = ()
            if choice is not None:
                self._choose(rows.keep, choice, computed)
            self._check(paths, rows.keep)
            self.opened = files.pop_all()

    def _bind(self, bound: Sequence[str]) -> None:
        unbound = self.variables
        if self._header == ("",):
            # A one-dimensional array has one unnamed column, which gives the only variable without a value: its name.
            if len(unbound) != 1:
                raise GradError(
                    f"{self._first}: its only column has no name, and {len(unbound)} variables have no value",
                    hint=f"name it: --columns {spell_name(unbound[0])}",
                )
            self.columns: Sequence[str] = ("",)
        else:
            self.columns = unbound
            known = set(self._header)
            first = STDIN if self._first == "-" else self._first
            for name in bound:
                if name in known:
                    raise GradError(
                        f"'{name}' is a column of {first} and given on the command line too",
                        hint="for the value write another name in the expression, and give that one",
                    )

    def _choose(self, keep: bool, choice: Choice, computed: Sequence[str]) -> None:
        """Choose the columns to keep and those of the output.

        A kept variable stands for the computed one. Without ``keep`` those that ``choice`` selects by name are kept.
        """
        names = self._header if self.columns is self.variables else self.variables
        # Sets, since a header may have a million names.
        known, taken, dropped = dict.fromkeys(names), set(computed), set(choice.drop)
        if choice.select is not None:
            names = [name for name in choice.select if name in known and (keep or name not in taken)]
        elif not keep:
            names = []
        self.kept = [name for name in names if name not in dropped]
        hidden = known.keys() & set(self.variables) if keep else ()
        for name in self.kept:
            if name in taken and name not in hidden:
                free = next((n for n in "ygh" if n not in known and n not in taken), "result")
                hint = f"name the result: {free} = ...; or leave the column out: --drop {spell_name(name)}"
                raise GradError(f"'{name}' would be both a column that is kept and a result", hint=hint)
        # What --keep would carry is dropped rather than a result of the same name.
        rest = [name for name in choice.drop if not keep or name not in known]
        self.places = Choice(select=choice.select, drop=rest).places(self.kept, computed, known, hidden)

    def _check(self, paths: Sequence[str], keep: bool) -> None:
        """Raises GradError if a table lacks a column of another that is used or kept."""
        known = set(self._header)
        kept = self.kept if self.columns is self.variables else ()
        for path, table in zip(paths, self.tables, strict=True):
            names = [name for name in self.columns if name not in table.parts]
            try:
                column_indices(STDIN if path == "-" else path, table.names, [*names, *kept])
            except GradError as error:
                present = set(table.names)
                absent = next((name for name in names if name not in present), None)
                error.hint = (absent and table.hint(absent)) or error.hint
                # Some variable has to be left for the columns; a column of nearly this name is what is meant.
                lacking = absent and absent not in known and present & set(names)
                if absent and lacking and not error.hint and "did you mean" not in error.message:
                    error.hint = f"to give it one value for all rows: --at {spell_name(absent)}=..."
                raise
            extra = [name for name in table.names if keep and name not in known]
            if extra:
                raise GradError(f"{path}: the column '{extra[0]}', which --keep would carry, is not in {self._first}")

    @property
    def rows(self) -> int | None:
        """The number of rows of all tables together; None if a table does not know its own."""
        counts = [table.rows for table in self.tables]
        return None if None in counts else sum(counts)  # type: ignore[arg-type]

    @property
    def rows_read(self) -> int:
        """The number of rows that have been read, with those that --na skip leaves out."""
        return self._rows + sum(table.left_out for table in self.tables)

    def exceed(self, size: int) -> bool:
        """Whether the inputs hold more than ``size`` bytes: of numbers if their count is known, else unpacked ones.

        Streams are read ahead to know; one that rests or takes long counts with the bytes it has brought. Call it
        once the first row has been read, which is when there is something to answer.
        """
        known = [held(table) for table in self.tables]
        total = sum(count for count in known if count is not None)
        for table, count in zip(self.tables, known, strict=True):
            if count is None and total <= size:
                total += table.source.at_least(size - total)
        return total > size

    @property
    def read(self) -> float | None:
        """The fraction of all bytes that has been read; None unless every input is a regular file, read as a whole."""
        total, done = 0, 0
        for stream, size in zip(self.streams, self.sizes, strict=True):
            if stream is None or size is None or self._span is not None:
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
        size = held = 0
        for chunk in self.chunks():
            size += len(chunk.columns[0])
            if size > limit:
                raise GradError(f"more than {limit} points are beyond the limit (--max-points)")
            held += len(chunk.columns[0]) * len(self.variables) * NUMBER + sum(column.size for column in chunk.kept)
            memory.check(held, f"all rows are held at once: {size:,} of them", _FEWER)
            parts.append(chunk.columns)
            kept.append(chunk.kept)
            if self.watch is not None:
                self.watch(size, self.read)
        if not parts and self._part:
            axis = Axis(self.variables, [Held(np.empty(0))] * len(self.variables))
            return axis, self.nothing()
        if not parts:
            raise GradError("--input: there are no rows")
        axis = Axis(self.variables, [Held(np.concatenate(column)) for column in zip(*parts, strict=True)])
        return axis, [Kept.joined(column) for column in zip(*kept, strict=True)]

    def chunks(self) -> Iterator[Chunk]:
        """All rows in order, in chunks. Closes the inputs at the end."""
        kept = self._carried
        with self.opened:
            for table in self.tables:
                for chunk in table.chunks(self.columns, kept):
                    self._value(chunk.kept, chunk.columns)
                    self._rows += len(chunk.columns[0])
                    yield chunk
                self.notes.extend(table.notes)

    def nothing(self) -> list[Kept]:
        """The kept columns without rows, of the types that they would have with some."""
        import numpy as np

        kept = self.tables[0].nothing(self._carried)
        self._value(kept, [np.empty(0)] * len(self.variables))
        return kept

    @property
    def _carried(self) -> Sequence[str]:
        """The kept columns by the names that the tables have."""
        return self.kept if self.columns is self.variables or not self.kept else self.columns

    def _value(self, kept: Sequence[Kept], columns: Sequence[Any]) -> None:
        """Give the cells of kept columns that are variables too their numbers, unless they have them."""
        place = {name: k for k, name in enumerate(self.variables)}
        for cells, name in zip(kept, self.kept, strict=True):
            if name in place and cells.array is None:
                cells.array = columns[place[name]]


def _unbound(points: Points, names: Sequence[str]) -> list[str]:
    """Those of ``names`` that the command line does not bind. Raises GradError if there are none."""
    bound = set(points.names)
    unbound = [] if points.shape else [name for name in names if name not in bound]
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


def held(table: Table) -> int | None:
    """The bytes that a table holds: of numbers if their count is known, else unpacked ones; None if neither is."""
    return table.source.size if table.rows is None else 8 * len(table.names) * table.rows
