"""Job -> Result: the one place that joins the floors, from text and points to blocks of numbers.

Everything that can be wrong with a request is found here before work starts. Must not know files, formats or terminals.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gradcli.derive import count_partials, derive
from gradcli.errors import GradError, Source
from gradcli.expr import Expr, reachable, statements, substitute, text, var
from gradcli.grid import Grid
from gradcli.grid.points import RESERVED, Points
from gradcli.parse import Parsed, parse
from gradcli.program import Program, build
from gradcli.spread import Block, Work, blocks, whole

ENGINES = ("auto", "scalar", "vector")
ORDER_LIMIT = 200
COLUMN_LIMIT = 50_000
POINT_LIMIT = 10**9
_FEW_STEPS = 150_000
"""Steps times points that plain Python finishes in the time it takes to import NumPy."""
_MANY_STEPS = 20_000_000
"""Steps times points from which threads pay."""
_ROOM = 2**22
"""Most numbers a block may hold, registers included."""
_CACHE = 700_000
"""Numbers of a block that stay in the cache, of the vector engine."""


@dataclass(frozen=True)
class Job:
    """A request. ``expressions``, ``at``, ``grids`` and ``fill`` are texts as typed on the command line.

    ``wrt`` None means every variable; ``threads`` None as many as pay. Checked when it is run.
    """

    expressions: Sequence[str | Source]
    wrt: Sequence[str] | None = None
    order: int = 1
    at: Sequence[str] = ()
    grids: Sequence[str] = ()
    fill: str | None = None
    engine: str = "auto"
    threads: int | None = None
    max_points: int = POINT_LIMIT
    allow_unused: bool = False
    strict: bool = False


class Request:
    """The parsed expressions of a job under their names, checked."""

    def __init__(self, job: Job, given: Sequence[str]) -> None:
        parsed = [parse(e) for e in job.expressions]
        if not parsed:
            raise GradError("no expression given")
        self.variables = list(dict.fromkeys(v for p in parsed for v in p.variables))
        self.outputs = _named(parsed)
        self.points = [*self.variables, *self._unused(given, "", job.allow_unused)]
        wrt = self.variables if job.wrt is None else list(job.wrt)
        self._unused(wrt, "--wrt: ", job.allow_unused)
        twice = [v for k, v in enumerate(wrt) if v in wrt[:k]]
        if twice:
            raise GradError(f"--wrt: '{twice[0]}' is given twice")
        _check_order(job.order, len(wrt), len(self.outputs))
        self.derived = derive(self.outputs, wrt, job.order)
        for name, _ in self.derived:
            if name in self.points or name in self.variables:
                free = next((n for n in "ygh" if n not in self.points and n not in dict(self.outputs)), "result")
                hint = f"name the output: {free} = expression"
                raise GradError(f"'{name}' would be both a variable and a result", hint=hint)

    def _unused(self, names: Sequence[str], option: str, allowed: bool) -> list[str]:
        """Those of ``names`` that no expression has; an error unless allowed."""
        unused = [n for n in names if n not in self.variables]
        for name in unused:
            if name in RESERVED:
                raise GradError(f"{option}'{name}' is a constant, not a variable")
            if not allowed:
                raise GradError(f"{option}'{name}' is not used in the expression", hint=self._meant(name))
        return unused

    def _meant(self, name: str) -> str:
        from difflib import get_close_matches

        close = get_close_matches(name, self.variables, 1)
        if close:
            return f"did you mean '{close[0]}'?"
        known = ", ".join(self.variables[:10]) + (" ..." if len(self.variables) > 10 else "")
        return f"its variables are {known}" if known else "it has no variables"

    def texts(self) -> dict[str, str]:
        return {name: _text(e) for name, e in self.outputs}


class Formulas:
    """Derivatives as expressions: what a job without points asks for.

    ``lines`` are (name, text) statements that parse back; ``names`` tells outputs and derivatives from what they share.
    """

    def __init__(self, request: Request, order: int) -> None:
        self.lines = list(statements(request.derived))
        self.names = tuple([name for name, _ in request.derived])
        self.variables, self.order, self._request = request.variables, order, request

    @property
    def expressions(self) -> dict[str, str]:
        """Each output's text."""
        return self._request.texts()


class Result:
    """Columns of numbers over a grid.

    ``names``: the point variables, then outputs and derivatives; ``shape`` is () for a single point; ``matrix``
    where the points came from a shape alone. Take either ``blocks`` or ``whole()``, once: the work is done as they
    are taken, and ``nonfinite`` counts the infinities and nans of each column met so far.
    """

    def __init__(
        self, work: Work, names: tuple[str, ...], points: int, request: Request, job: Job, *,
        matrix: bool, engine: str, threads: int, program: Program,
    ) -> None:  # fmt: skip
        self.names, self.points = names, points
        self.shape, self.size = work.grid.shape, work.grid.size
        self.variables, self.order, self._request = request.variables, job.order, request
        self.matrix, self.engine, self.threads, self.steps = matrix, engine, threads, program.length
        self._target = block_points(program, engine)
        self.nonfinite: dict[str, int] = {}
        self.watch: Callable[[int], None] | None = None
        self._work, self._strict = work, job.strict

    @property
    def expressions(self) -> dict[str, str]:
        """Each output's text."""
        return self._request.texts()

    @property
    def blocks(self) -> Iterator[Block]:
        """Contiguous parts of the grid in order, each one flat column per name."""
        done = 0
        for block in blocks(self._work, target=self._target, threads=self.threads):
            done += len(block[0])
            self._met(block, done)
            yield block

    def whole(self) -> Block:
        """All of the grid: one flat column per name."""
        seen = 0
        columns: Block = []
        for done, columns in whole(self._work, target=self._target, threads=self.threads):
            self._met([column[seen:done] for column in columns], done)
            seen = done
        return columns

    def _met(self, block: Block, done: int) -> None:
        for k, column in enumerate(block):
            count = _count_nonfinite(column, self._work.arrays)
            if count:
                if self._strict and k >= self.points:
                    raise self._refused(block)
                self.nonfinite[self.names[k]] = self.nonfinite.get(self.names[k], 0) + count
        if self.watch is not None:
            self.watch(done)

    def _refused(self, block: Block) -> GradError:
        """The first point of a block that has a non-finite result, and that result."""
        from gradcli.formats import spell

        for values in zip(*block, strict=True):
            for k in range(self.points, len(values)):
                if not math.isfinite(values[k]):
                    at = ", ".join(f"{self.names[i]}={spell(values[i])}" for i in range(self.points))
                    where = f"at {at}" if at else "at the point"
                    return GradError(f"{where}: {self.names[k]} is {spell(values[k])}", exit_code=1)
        raise AssertionError("every result is finite")


def block_points(program: Program, engine: str) -> int:
    """Points of a block: few enough for the cache, enough to forget what a step costs to start."""
    width = len(program.outputs) + len(program.registers)
    best = 1024 if engine == "scalar" else min(max(_CACHE // width, 16384), 131072)
    return min(best, max(_ROOM // width, 16))


def _count_nonfinite(column: Any, array: bool) -> int:
    if array:
        import numpy as np

        return len(column) - int(np.count_nonzero(np.isfinite(column)))
    return len(column) - sum(map(math.isfinite, column))


def _named(parsed: Sequence[Parsed]) -> list[tuple[str, Expr]]:
    """Every output with its name: its own, or f, or f1, f2 ... where several have none."""
    outputs = [output for p in parsed for output in p.outputs]
    unnamed = sum(name is None for name, _ in outputs)
    named: dict[str, Expr] = {}
    count = 0
    for name, e in outputs:
        if name is None:
            count += 1
            name = "f" if unnamed == 1 else f"f{count}"
        if name in named:
            raise GradError(f"two outputs are called '{name}'", hint="name the outputs apart: name = expression")
        named[name] = e
    return list(named.items())


def _check_order(order: int, wrt: int, outputs: int) -> None:
    if order < 0:
        raise GradError("the order must be at least 0")
    if order > ORDER_LIMIT:
        raise GradError(f"order {order} is beyond the limit of {ORDER_LIMIT}")
    columns = outputs * (1 + count_partials(wrt, order))
    if columns > COLUMN_LIMIT:
        raise GradError(
            f"order {order} in {wrt} variables makes {columns} results, the limit is {COLUMN_LIMIT}",
            hint="choose variables with --wrt, or a lower order",
        )


def _text(e: Expr) -> str:
    """One expression as text that parses back, with shared parts as statements where it would grow without end."""
    size: dict[Expr, int] = {}
    nodes = reachable([e])
    for node in nodes:
        size[node] = 1 + sum(size[a] for a in node.args)
    if size[e] <= 1000 + 4 * len(nodes):
        return text(e)
    lines = list(statements([("", e)]))
    return "; ".join([*[f"{name} = {body}" for name, body in lines[:-1]], lines[-1][1]])


def formulas(job: Job) -> Formulas:
    """The outputs and their derivatives as expressions. Raises GradError for whatever is wrong with the request."""
    return Formulas(Request(job, ()), job.order)


def run(job: Job) -> Result:
    """Values and derivatives at the points of the job.

    Raises GradError for whatever is wrong with the request, and, from the result's blocks, where ``strict`` meets a
    value that is not finite (exit code 1).
    """
    if job.engine not in ENGINES:
        raise GradError(f"unknown engine '{job.engine}' (there are {', '.join(ENGINES)})")
    points = Points(job.at, job.grids, job.fill)
    request = Request(job, points.names)
    grid, filled = points.bind(request.points)
    if grid.size > job.max_points:
        raise GradError(f"{grid.size} points are beyond the limit of {job.max_points} (--max-points)")
    names = (*request.points, *[n for n, _ in request.derived])
    outputs = [*map(var, request.points), *[e for _, e in request.derived]]
    if filled:
        # After derivation: a variable that a shape fills is still differentiated by as itself.
        outputs = substitute(outputs, filled)
    program = build(outputs, [axis.names for axis in grid.axes])
    load = grid.size * (program.length + len(outputs))
    engine = job.engine if job.engine != "auto" else "scalar" if load <= _FEW_STEPS else "vector"
    return Result(
        _work(program, grid, engine), names, len(request.points), request, job,
        matrix=bool(points.shape) and not points.grids,
        engine=engine,
        threads=_threads(job.threads, load) if engine == "vector" else 1,
        program=program,
    )  # fmt: skip


def _work(program: Program, grid: Grid, engine: str) -> Work:
    inputs = [(axis, grid.axes[axis].names.index(name)) for name, axis in program.inputs]
    make: Callable[[], Callable[..., None]]
    if engine == "scalar":
        from gradcli.backends import scalar

        make = lambda: scalar.kernel(program)  # noqa: E731
    else:
        from gradcli.backends import vector

        make = lambda: vector.kernel(program)  # noqa: E731
    return Work(make, inputs, len(program.outputs), grid, engine != "scalar")


def _threads(wanted: int | None, load: int) -> int:
    if wanted is not None:
        return wanted
    if load < _MANY_STEPS:
        return 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
