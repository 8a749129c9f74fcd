"""Result: columns of numbers over a grid, computed as they are taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcli import memory
from gradcli.errors import GradError
from gradcli.job import engine
from gradcli.job.passes import Plan
from gradcli.job.request import Facts, Settings
from gradcli.spread import Block, Work, blocks, whole

if TYPE_CHECKING:
    from gradcli.formats.kept import Kept

_LONG = 1 << 18
"""Numbers from which a thread of their own makes them text."""
_NUMBER = {"scalar": 32, "vector": 8, "native": 8}
"""Bytes that an engine's number takes."""
STREAMED = "write csv, tsv, jsonl, npy or parquet, which are streamed, or ask for fewer points"


class Computed:
    """What every result tells of itself, and counts as its blocks are met.

    ``names``: the point variables, ``points`` many, then the results. ``empty`` are names of columns that hold nothing:
    None stands for each in a block. Where columns have shapes of their own ``shapes`` names them all, and ``whole()``
    has a column for each; elsewhere all have ``shape``, () for a single point. ``matrix`` where the points came
    from a shape alone. ``covered`` points are gone over in all, those that are summed among them. ``nonfinite`` counts
    the infinities and nans of each column met so far. ``watch`` is told how many points are done. ``slower`` says why
    the engine is not a faster one, where that would pay.
    """

    shapes: dict[str, tuple[int, ...]] | None = None
    engine: str
    slower: str | None = None
    threads: int
    steps: int
    total: int
    covered: int

    def __init__(
        self, names: Sequence[str], points: int, shape: tuple[int, ...], facts: Facts, settings: Settings, *,
        matrix: bool, empty: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.names, self.points, self.shape = tuple(names), points, shape
        self.size = math.prod(shape)
        self.expressions, self.variables, self.order = facts
        self.matrix, self.empty, self.strict = matrix, tuple(empty), settings.strict
        self.nonfinite: dict[str, int] = {}
        self.watch: Callable[[int], None] | None = None

    @property
    def long(self) -> bool:
        """Whether there is enough to write for a thread to pay."""
        return self.size * len(self.names) >= _LONG

    @property
    def results(self) -> tuple[str, ...]:
        """The names of what is computed."""
        return tuple(self.shapes or self.names)[self.points :]

    def part(self, done: int) -> float | None:
        """How much of the work is done after so many points, from 0 to 1; None where nobody knows."""
        return done / self.total if self.total else None

    def _watched(self, done: int) -> None:
        if self.watch is not None:
            self.watch(done)

    def _met(self, block: Block) -> None:
        """Count a block of numbers, which has no empty columns. Raises GradError where it is refused."""
        names = [name for name in self.names if name not in self.empty] if self.empty else self.names
        names = names[len(names) - len(block) :]
        for k, column in enumerate(block):
            count = count_nonfinite(column)
            if count:
                if self.strict and k >= self.points:
                    raise refused(names, block, self.points)
                self.nonfinite[names[k]] = self.nonfinite.get(names[k], 0) + count

    def _with_empty(self, block: Block) -> Block:
        if not self.empty:
            return block
        columns = iter(block)
        return [None if name in self.empty else next(columns) for name in self.names]


class Result(Computed):
    """Columns of numbers over a grid, those that are ``kept`` before them: a cell for each place on its first axis.

    Take either ``blocks`` or ``whole()``, once: the work is done as they are taken.
    """

    def __init__(
        self, plan: Plan, names: Sequence[str], points: int, facts: Facts, settings: Settings, *,
        matrix: bool, empty: Sequence[str] = (), shape: tuple[int, ...] | None = None,
        kept: Mapping[str, Kept] | None = None,
    ) -> None:  # fmt: skip
        shape = plan.over.shape if shape is None else shape
        self.kept = kept or {}
        super().__init__([*self.kept, *names], points, shape, facts, settings, matrix=matrix, empty=empty)
        self.plan = plan
        self.engine, self.slower = engine.chosen(settings.engine, plan.load, plan.steps)
        engine.load(self.engine)
        self.threads = engine.threads(settings.threads, plan.load, self.engine)
        self.steps, self.total, self.covered = plan.steps, plan.points, plan.grid.size
        self._target = engine.block_points(plan.program, self.engine)

    def _work(self) -> Work:
        """The last pass, once the passes before it are done."""
        return self.plan.last(self.plan.over, self.plan.grid, self.engine, self.threads, self._watched)

    @property
    def blocks(self) -> Iterator[Block]:
        """Contiguous parts of the grid in order, each one flat column per name."""
        done = self.plan.before
        for block in blocks(self._work(), target=self._target, threads=self.threads):
            done += len(block[0])
            self._met(block)
            self._watched(done)
            yield [*self._cells(done - self.plan.before, len(block[0])), *self._with_empty(block)]

    @property
    def results(self) -> tuple[str, ...]:
        return self.names[len(self.kept) + self.points :]

    def _cells(self, done: int, points: int) -> Block:
        """The cells kept for the last of the points done."""
        inner = math.prod(self.shape[1:])
        return [column.repeated(inner, done - points, done) for column in self.kept.values()]

    def whole(self) -> Block:
        """All of the grid: one flat column per name. Raises GradError, before any work, where memory cannot hold it."""
        check_held(self.size * len(self.names), self.engine)
        done = 0
        columns: Block = []
        target = engine.part_points(self.plan.program, self.engine, self.size, self.threads)
        for lo, hi, columns in whole(self._work(), target=target, threads=self.threads):
            # Parts come in any order; what is refused is the first point of all.
            if not self.strict:
                self._met([column[lo:hi] for column in columns])
            done += hi - lo
            self._watched(self.plan.before + done)
        if self.strict:
            self._met(columns)
        return [*self._cells(done, done), *self._with_empty(columns)]


def check_held(numbers: int, engine: str, hint: str = STREAMED, copies: int = 1) -> None:
    """Raises GradError where so many numbers are beyond what memory can hold."""
    memory.check(numbers * _NUMBER[engine] * copies, f"this output holds {numbers:,} numbers at once, which", hint)


def refused(names: Sequence[str], block: Block, points: int) -> GradError:
    """The first point of a block that has a non-finite result, and that result."""
    from gradcli.formats import spell

    for values in zip(*block, strict=True):
        for k in range(points, len(values)):
            if not math.isfinite(values[k]):
                at = ", ".join(f"{names[i]}={spell(values[i])}" for i in range(points))
                where = f"at {at}" if at else "at the point"
                return GradError(f"{where}: {names[k]} is {spell(values[k])}", exit_code=1)
    raise AssertionError("every result is finite")


def count_nonfinite(column: Any) -> int:
    if not isinstance(column, list):
        import numpy as np

        return len(column) - int(np.count_nonzero(np.isfinite(column)))
    return len(column) - sum(map(math.isfinite, column))
