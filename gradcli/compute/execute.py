"""Execution of a kernel over a grid: blocks in order, on one thread or several, with the same bytes either way.

Layer: must not know mathematics; a kernel is a function that fills output columns from input columns.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from gradcli.compute.grid import Grid, Ranges
from gradcli.errors import GradError

_Result = TypeVar("_Result")

_PAGE, _STAGGER = 512, 80
"""Doubles in a page of memory, and in the shift of a column's start within its page against the column before."""

Block = list[Any]
"""The flat columns of the outputs, each a list of floats or a one-dimensional float64 array."""

_Part = tuple[Ranges, int, int]
"""A block of the grid, its first point and the end of its points."""


class Work(NamedTuple):
    """The computation of a block.

    ``make`` returns a kernel with its own scratch memory; ``inputs`` give for each input of the kernel the axis and the
    index of its column there; ``outputs`` is the number of output columns; ``arrays`` says whether columns are NumPy
    arrays or lists.
    """

    make: Callable[[], Callable[..., None]]
    inputs: Sequence[tuple[int, int]]
    outputs: int
    grid: Grid
    arrays: bool


class _Worker:
    """A kernel with the input columns of its previous block.

    An unchanged column is passed as the same object, by which the kernel recognizes that it need not recompute.
    """

    def __init__(self, work: Work) -> None:
        self.work = work
        self.kernel = work.make()
        self.latest: dict[int, tuple[tuple[int, int], Any]] = {}
        self.outs: Block | None = None

    def run(self, ranges: Ranges, outs: Block | None = None) -> Block:
        """Compute a block into ``outs``, or into new columns if that is None, and return the columns."""
        ins = []
        for k, (axis, column) in enumerate(self.work.inputs):
            if k not in self.latest or self.latest[k][0] != ranges[axis]:
                source = self.work.grid.axes[axis].columns[column]
                read = source.array if self.work.arrays else source.floats
                self.latest[k] = ranges[axis], read(*ranges[axis])
            ins.append(self.latest[k][1])
        extents = tuple([hi - lo for lo, hi in ranges])
        if outs is None:
            outs = empty(self.work, math.prod(extents))
        self.kernel(ins, outs, extents)
        return outs

    def reuse(self, ranges: Ranges) -> Block:
        """Compute a block into columns owned by this worker, which its next block overwrites."""
        points = math.prod(hi - lo for lo, hi in ranges)
        if self.outs is None or len(self.outs[0]) != points:
            self.outs = empty(self.work, points)
        return self.run(ranges, self.outs)


def empty(work: Work, points: int) -> Block:
    """Return output columns for ``points`` points; the values of arrays are undefined."""
    if not work.arrays:
        return [[0.0] * points for _ in range(work.outputs)]
    import numpy as np

    # Allocate all columns in one array, which causes fewer page faults, and stagger their starts: columns with the same
    # page offset map to the same cache sets and evict each other.
    spacing = -(-points // _PAGE) * _PAGE + _STAGGER if points >= _PAGE else points
    return [column[:points] for column in np.empty((work.outputs, spacing))]


def blocks(work: Work, *, target: int, threads: int = 1) -> Iterator[Block]:
    """Yield the columns of the grid in blocks of at most ``target`` points, in order. Raise the first error."""
    return _in_order(work, _parts(work.grid, target), lambda worker, ranges, lo, hi: worker.run(ranges), threads)


def whole(work: Work, *, target: int, threads: int = 1, outs: Block | None = None) -> Iterator[tuple[int, int, Block]]:
    """Fill the columns of the whole grid in place: ``outs``, or new columns if that is None.

    After each part yield its first point, the end of its range, and the columns, which are complete after the last
    part. With several threads the parts are not in the order of the points.
    """
    if outs is None:
        outs = empty(work, work.grid.size)
    parts = list(_parts(work.grid, target))
    # Give each thread a contiguous stretch, so that two threads rarely fault in the same new page.
    stretch = -(-len(parts) // threads)
    schedule = [part for k in range(stretch) for part in parts[k::stretch]]

    def fill(worker: _Worker, ranges: Ranges, lo: int, hi: int) -> tuple[int, int, Block]:
        part = [column[lo:hi] for column in outs]
        worker.run(ranges, part)
        if not work.arrays:
            # A slice of a list is a copy, unlike one of an array: copy the values back.
            for column, values in zip(outs, part, strict=True):
                column[lo:hi] = values
        return lo, hi, outs

    yield from _in_order(work, schedule, fill, threads)


def digests(work: Work, digest: Callable[[Block, int], Any], *, target: int, threads: int = 1) -> Iterator[Any]:
    """Yield ``digest(block, first)`` for each block in order; ``first`` is the number of points before the block.

    ``digest`` runs on the thread that computed the block and must not keep it: the next block overwrites it.
    """
    parts = _parts(work.grid, target)
    return _in_order(work, parts, lambda worker, ranges, lo, hi: digest(worker.reuse(ranges), lo), threads)


def _parts(grid: Grid, target: int) -> Iterator[_Part]:
    lo = 0
    for ranges in grid.blocks(target):
        hi = lo + math.prod(b - a for a, b in ranges)
        yield ranges, lo, hi
        lo = hi


def _in_order(
    work: Work, parts: Iterable[_Part], do: Callable[[_Worker, Ranges, int, int], _Result], threads: int
) -> Iterator[_Result]:
    """Yield ``do(worker, *part)`` for each part, in the order of ``parts``."""
    if threads <= 1:
        worker = _Worker(work)
        for part in parts:
            yield do(worker, *part)
        return
    idle: deque[_Worker] = deque()

    def compute(ranges: Ranges, lo: int, hi: int) -> _Result:
        try:
            worker = idle.pop()
        except IndexError:
            worker = _Worker(work)
        try:
            return do(worker, ranges, lo, hi)
        finally:
            idle.append(worker)

    from gradcli.limits.threads import in_order

    yield from in_order((partial(compute, *part) for part in parts), threads)


def aside(make: Callable[[Callable[[_Result], object]], object], idle: Callable[[], object] = int) -> Iterator[_Result]:
    """Run ``make(put)`` in a background thread and yield the items it puts, through a queue of length 2.

    An exception of ``make`` is raised here. ``idle`` is called before waiting for an item. The thread is never joined,
    since it may be blocked in a read from a pipe.
    """
    from queue import Empty, Queue

    from gradcli.limits.threads import ForkedError, begin, receive

    queue: Queue[tuple[_Result] | Exception | None] = Queue(2)

    def work() -> None:
        try:
            make(lambda item: queue.put((item,)))
            queue.put(None)
        except Exception as error:
            queue.put(error)

    alive = begin(work)
    while True:
        try:
            alive()
            try:
                message = queue.get_nowait()
            except Empty:
                idle()
                message = receive(queue, alive)
        except ForkedError:
            raise GradError(
                "what another process reads cannot be gone on with in a child forked from it",
                hint="start the job in the process that takes its blocks",
            ) from None
        if message is None:
            return
        if isinstance(message, Exception):
            raise message
        yield message[0]
