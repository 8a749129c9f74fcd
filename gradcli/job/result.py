"""Results: columns of numbers over a grid, computed lazily block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from gradcli.compute import engine
from gradcli.compute.execute import Block, Work, blocks, whole
from gradcli.compute.passes import Plan
from gradcli.errors import GradError
from gradcli.job.choices import How
from gradcli.job.request import Facts
from gradcli.limits import memory

if TYPE_CHECKING:
    from gradcli.formats.columns import Columns
    from gradcli.formats.passthrough import Kept
    from gradcli.job.hard_points import HardPoints

_LONG = 1 << 18
"""The size of a result, in numbers, from which it is formatted in a background thread."""
_NUMBER = {"scalar": 32, "vector": 8, "native": 8}
"""Memory per number in bytes, by engine."""
STREAMED = "write csv, tsv, jsonl, npy or parquet, which are streamed, or ask for fewer points"


class Computed:
    """The base of all results: names, shape and engine, and the counts kept while blocks are computed.

    ``names``: the columns ``kept``, the point variables, ``points`` of them, then the results. ``empty``: names of
    columns without numbers, each of which is None in a block. ``shape``: the shape of all columns, () for a single
    point; if columns differ, ``shapes`` has the shape of each and ``whole()`` a column for each. ``matrix``: the points
    came from a shape alone. ``total``: the points of the work, 0 if unknown; ``covered``: the points evaluated, summed
    ones included. ``nonfinite``: the number of infinities and nans by column so far. ``watch`` is called with the
    number of points done. ``inspect`` is called with the index of a block's first point and its columns without kept
    and empty ones; ``born`` returns birth certificates for JSON. ``slower``: the reason why a faster engine, which
    would pay, is not used. ``rows_read``: the rows of the tables so far, those left out included.
    """

    shapes: dict[str, tuple[int, ...]] | None = None
    engine: str
    slower: str | None = None
    rows_read: int = 0
    threads: int
    steps: int
    total: int
    covered: int

    def __init__(
        self, names: Sequence[str], points: int, shape: tuple[int, ...], facts: Facts, how: How, *,
        matrix: bool, empty: Sequence[str] = (), kept: Collection[str] = (), hard: HardPoints | None = None,
    ) -> None:  # fmt: skip
        self.hard, self.told = hard, 0 if hard is None else len(hard.names)
        self.names, self.kept, self.points, self.shape = (*kept, *names), kept, points, shape
        self.size = math.prod(shape)
        self.expressions, self.variables, self.order, self.note, self.read_as = facts
        self.matrix, self.empty, self.strict = matrix and not (hard and hard.texts), tuple(empty), how.strict
        self.nonfinite: dict[str, int] = {}
        self.watch: Callable[[int], None] | None = None
        self.inspect: Callable[[int, Block], None] | None = None
        self.born: Callable[[], list[dict[str, Any]]] | None = None
        self._output: Columns | None = None

    @property
    def blocks(self) -> Iterator[Block]:
        raise NotImplementedError

    def whole(self) -> Block:
        raise NotImplementedError

    @property
    def nothing(self) -> Block:
        """A block without rows."""
        return [[] for _ in self.names]

    @property
    def long(self) -> bool:
        """Whether the output is large enough for a background thread to pay."""
        return self.size * len(self.names) >= _LONG

    @property
    def results(self) -> tuple[str, ...]:
        """The names of the computed columns."""
        return tuple(self.shapes or self.names)[len(self.kept) + self.points :]

    def part(self, done: int) -> float | None:
        """The fraction of the work done after ``done`` points, from 0 to 1; None if the total is unknown."""
        return done / self.total if self.total else None

    def _watched(self, done: int) -> None:
        if self.watch is not None:
            self.watch(done)

    def _inspected(self, first: int, block: Block) -> None:
        if self.inspect is not None:
            self.inspect(first, block)

    def _count(self, block: Block) -> None:
        """Count the non-finite numbers of a block without empty columns. With ``strict`` raises GradError for one."""
        block = block[: len(block) - self.told]
        empty = set(self.empty)
        names = [name for name in self.names if name not in empty] if empty else self.names
        names = names[len(names) - self.told - len(block) : len(names) - self.told]
        for k, column in enumerate(block):
            count = count_nonfinite(column)
            if count:
                if self.strict and k >= self.points:
                    raise nonfinite_error(names, block, self.points)
                self.nonfinite[names[k]] = self.nonfinite.get(names[k], 0) + count

    @property
    def output(self) -> Columns:
        """The columns to write."""
        return self._output or self

    def chosen(self, places: Sequence[int]) -> Self:
        """This result, with the columns at ``places`` as its output."""
        if list(places) != list(range(len(self.names))):
            self._output = _Chosen(self, places)
        return self

    def _worded(self, block: Block) -> Block:
        """The block, the columns about hard points as they are written."""
        if self.hard is None or not self.hard.texts:
            return block
        from gradcli.job.hard_columns import told

        kept = len(self.kept)
        return [*block[:kept], *told(self.hard, block[kept:])]

    @property
    def members(self) -> dict[str, Any]:
        """What JSON tells beside the columns."""
        members: dict[str, Any] = {}
        if self.hard is not None:
            from gradcli.job.hard_columns import members as of_points

            members = of_points(self.hard)
        return members if self.born is None else {**members, "born": self.born()}

    @property
    def notes(self) -> list[str]:
        """Lines for a careful reader, about the points done so far."""
        if self.hard is None or not self.hard.noted:
            return [self.note]
        from gradcli.job.hard_columns import notes

        return [self.note, *notes(self.hard)]

    def _with_empty(self, block: Block) -> Block:
        if not self.empty:
            return block
        columns, empty = iter(block), set(self.empty)
        return [None if name in empty else next(columns) for name in self.names]


class _Chosen:
    """The columns of a result at ``places``, as an output."""

    def __init__(self, result: Computed, places: Sequence[int]) -> None:
        self._result, self._places = result, places
        self.names = tuple([result.names[k] for k in places])
        shown = set(self.names)
        self.empty = tuple([name for name in result.empty if name in shown])
        self.shapes = None
        if result.shapes is not None:
            self.shapes = {name: result.shapes[name] for name in self.names if name in result.shapes}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)

    @property
    def blocks(self) -> Iterator[Block]:
        for block in self._result.blocks:
            yield [block[k] for k in self._places]

    @property
    def nothing(self) -> Block:
        block = self._result.nothing
        return [block[k] for k in self._places]

    def whole(self) -> Block:
        columns, shapes = self._result.whole(), self._result.shapes
        if shapes is None or self.shapes is None:
            return [columns[k] for k in self._places]
        by_name = dict(zip(shapes, columns, strict=True))
        return [by_name[name] for name in self.shapes]


class Result(Computed):
    """Columns of numbers over a grid, preceded by the ``kept`` columns, which have a cell per index of the first axis.

    Take either ``blocks`` or ``whole()``, once: taking them computes them.
    """

    def __init__(
        self, plan: Plan, names: Sequence[str], points: int, facts: Facts, how: How, *,
        matrix: bool, empty: Sequence[str] = (), shape: tuple[int, ...] | None = None,
        kept: Mapping[str, Kept] | None = None, hard: HardPoints | None = None,
    ) -> None:  # fmt: skip
        shape = plan.over.shape if shape is None else shape
        self.plan, self.cells = plan, kept or {}
        super().__init__(names, points, shape, facts, how, matrix=matrix, empty=empty, kept=self.cells, hard=hard)
        self.engine, self.slower = engine.chosen(how.engine, plan.load, plan.steps)
        engine.load(self.engine)
        self.threads = engine.threads(how.threads, plan.load, self.engine)
        self.steps, self.total, self.covered = plan.steps, plan.points, plan.grid.size

    def _work(self) -> Work:
        """Run the preceding passes and return the work of the last one."""
        plain = partial(self.plan.last, self.plan.over, self.plan.grid, self.engine, self.threads, self._watched)
        if self.hard is None:
            return plain()
        self.hard.look(self.plan.program, self.plan.over, self.engine)
        return self.hard.work(self.plan.program, self.plan.over, self.engine, plain)

    @property
    def blocks(self) -> Iterator[Block]:
        """Contiguous parts of the grid in order, each with one flat column per name."""
        done, target = self.plan.before, engine.block_points(self.plan.program, self.engine)
        for block in blocks(self._work(), target=target, threads=self.threads):
            self._inspected(done - self.plan.before, block)
            done += len(block[0])
            self._count(block)
            self._watched(done)
            yield self._worded([*self._cells(done - self.plan.before, len(block[0])), *self._with_empty(block)])

    def _cells(self, done: int, points: int) -> Block:
        """The kept cells for the last ``points`` of the ``done`` points."""
        inner = math.prod(self.shape[1:])
        return [column.repeated(inner, done - points, done) for column in self.cells.values()]

    def whole(self) -> Block:
        """The whole grid, one flat column per name. Raises GradError, before any work, if memory cannot hold it."""
        check_held(self.size * len(self.names), self.engine)
        done = 0
        columns: Block = []
        target = engine.part_points(self.plan.program, self.engine, self.size, self.threads)
        # Several threads complete parts out of order, and the error of a hard point must name the first.
        threads = 1 if self.hard is not None and self.hard.job.kink == "error" else self.threads
        for lo, hi, columns in whole(self._work(), target=target, threads=threads):
            # With --strict wait for all parts: they complete out of order, and the error must name the first bad point.
            if not self.strict:
                self._count([column[lo:hi] for column in columns])
            done += hi - lo
            self._watched(self.plan.before + done)
        self._inspected(0, columns)
        if self.strict:
            self._count(columns)
        return self._worded([*self._cells(done, done), *self._with_empty(columns)])


def check_held(numbers: int, engine: str, hint: str = STREAMED, copies: int = 1) -> None:
    """Raises GradError if memory cannot hold so many numbers, each ``copies`` times."""
    memory.check(numbers * _NUMBER[engine] * copies, f"this output holds {numbers:,} numbers at once, which", hint)


def nonfinite_error(names: Sequence[str], block: Block, points: int) -> GradError:
    """The error that names the first point of a block with a non-finite result."""
    from gradcli.formats import spell

    for values in zip(*block, strict=True):
        for k in range(points, len(values)):
            if not math.isfinite(values[k]):
                at = ", ".join(f"{names[i]}={spell(values[i])}" for i in range(points))
                where = f"at {at}" if at else "at the point"
                return GradError(f"{where}: {names[k]} is {spell(values[k])}", exit_code=1)
    raise AssertionError("every result is finite")


def count_nonfinite(column: Any) -> int:
    """The number of infinities and nans in a column."""
    if not isinstance(column, list):
        import numpy as np

        return len(column) - int(np.count_nonzero(np.isfinite(column)))
    return len(column) - sum(map(math.isfinite, column))
