"""Kernel x Grid -> blocks in order: one after another, or over threads, with the same bytes either way.

Must not know mathematics: a kernel is a function that fills columns from columns.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from gradcli.errors import GradError
from gradcli.grid import Grid, Ranges
from gradcli.threads import ForkedError, begin, in_order, taken

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

_PAGE, _STAGGER = 512, 80
"""Doubles of a page; doubles between the places in their pages where neighbouring columns begin."""

Block = list[Any]
"""One flat column per output, list[float] or 1-D float64 array."""


class Work(NamedTuple):
    """What to do on every block.

    ``make`` gives a kernel with scratch of its own; ``inputs`` say which axis and which of its columns each kernel
    input reads; ``arrays`` whether columns are NumPy arrays or lists.
    """

    make: Callable[[], Callable[..., None]]
    inputs: Sequence[tuple[int, int]]
    outputs: int
    grid: Grid
    arrays: bool


class _Worker:
    """A kernel, and the input columns it read last: the same object again tells it that nothing changed."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.kernel = work.make()
        self.held: dict[int, tuple[tuple[int, int], Any]] = {}
        self.outs: Block | None = None

    def run(self, ranges: Ranges, outs: Block | None = None) -> Block:
        """Compute one block, into ``outs`` where given."""
        ins = []
        for k, (axis, column) in enumerate(self.work.inputs):
            if k not in self.held or self.held[k][0] != ranges[axis]:
                source = self.work.grid.axes[axis].columns[column]
                read = source.array if self.work.arrays else source.floats
                self.held[k] = ranges[axis], read(*ranges[axis])
            ins.append(self.held[k][1])
        extents = tuple([hi - lo for lo, hi in ranges])
        if outs is None:
            outs = empty(self.work, math.prod(extents))
        self.kernel(ins, outs, extents)
        return outs

    def reuse(self, ranges: Ranges) -> Block:
        """Compute one block into columns that the next block of this worker writes over."""
        points = math.prod(hi - lo for lo, hi in ranges)
        if self.outs is None or len(self.outs[0]) != points:
            self.outs = empty(self.work, points)
        return self.run(ranges, self.outs)


def empty(work: Work, points: int) -> Block:
    """Columns for so many points, values undefined."""
    if not work.arrays:
        return [[0.0] * points for _ in range(work.outputs)]
    import numpy as np

    # One allocation, its rows the columns: a fraction of the page faults. Columns that begin at the same place of a
    # page would drive each other out of the cache.
    apart = -(-points // _PAGE) * _PAGE + _STAGGER if points >= _PAGE else points
    return [column[:points] for column in np.empty((work.outputs, apart))]


def blocks(work: Work, *, target: int, threads: int = 1) -> Iterator[Block]:
    """The columns of the whole grid in order, about ``target`` points at a time. The first error ends it."""
    parts = ((ranges, None) for ranges in work.grid.blocks(target))
    yield from _in_order(work, parts, lambda worker, ranges, _: worker.run(ranges), threads)


def whole(work: Work, *, target: int, threads: int = 1, outs: Block | None = None) -> Iterator[tuple[int, int, Block]]:
    """The columns of the whole grid as one block, filled in place: ``outs``, or new ones.

    Yields after each part where it begins and ends, and the block, complete after the last.
    """
    if outs is None:
        outs = empty(work, work.grid.size)
    parts: list[tuple[Ranges, tuple[int, int]]] = []
    lo = 0
    for ranges in work.grid.blocks(target):
        hi = lo + math.prod(b - a for a, b in ranges)
        parts.append((ranges, (lo, hi)))
        lo = hi
    # Each thread has a stretch of its own: where two fill one fresh page, the system makes it twice.
    stretch = -(-len(parts) // threads)
    turns = [part for k in range(stretch) for part in parts[k::stretch]]

    def fill(worker: _Worker, ranges: Ranges, place: tuple[int, int]) -> tuple[int, int]:
        lo, hi = place
        part = [column[lo:hi] for column in outs]
        worker.run(ranges, part)
        if not work.arrays:
            # A slice of a list is a copy.
            for column, values in zip(outs, part, strict=True):
                column[lo:hi] = values
        return place

    for lo, hi in _in_order(work, iter(turns), fill, threads):
        yield lo, hi, outs


def digests(work: Work, digest: Callable[[Block, int], Any], *, target: int, threads: int = 1) -> Iterator[Any]:
    """What ``digest(block, first)`` makes of each block in order, ``first`` being the number of points before it.

    It runs where the block was computed, and must not keep it: the next block is written over it.
    """

    def parts() -> Iterator[tuple[Ranges, int]]:
        lo = 0
        for ranges in work.grid.blocks(target):
            yield ranges, lo
            lo += math.prod(b - a for a, b in ranges)

    return _in_order(work, parts(), lambda worker, ranges, first: digest(worker.reuse(ranges), first), threads)


def _in_order(
    work: Work, parts: Iterator[tuple[Ranges, _Given]], do: Callable[[_Worker, Ranges, _Given], _Made], threads: int
) -> Iterator[_Made]:
    """What ``do`` makes of each part, in the order given."""
    if threads <= 1:
        worker = _Worker(work)
        for ranges, given in parts:
            yield do(worker, ranges, given)
        return
    idle: deque[_Worker] = deque()

    def compute(ranges: Ranges, given: _Given) -> _Made:
        try:
            worker = idle.pop()
        except IndexError:
            worker = _Worker(work)
        try:
            return do(worker, ranges, given)
        finally:
            idle.append(worker)

    yield from in_order((partial(compute, ranges, given) for ranges, given in parts), threads)


def aside(make: Callable[[Callable[[_Made], object]], object], idle: Callable[[], object] = int) -> Iterator[_Made]:
    """What ``make(put)`` puts, in order, made by a thread that runs a little ahead; its error ends it.

    ``idle`` is called before waiting for the thread. Nobody waits for it at the end: it may be reading from a silent
    pipe.
    """
    from queue import Empty, Queue

    made: Queue[tuple[_Made] | Exception | None] = Queue(2)

    def work() -> None:
        try:
            make(lambda one: made.put((one,)))
            made.put(None)
        except Exception as error:
            made.put(error)

    alive = begin(work)
    while True:
        try:
            alive()
            try:
                found = made.get_nowait()
            except Empty:
                idle()
                found = taken(made, alive)
        except ForkedError:
            raise GradError(
                "what another process reads cannot be gone on with in a child forked from it",
                hint="start the job in the process that takes its blocks",
            ) from None
        if found is None:
            return
        if isinstance(found, Exception):
            raise found
        yield found[0]
