"""Choice of the engine, of the block size and of the number of threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec

from gradcli.compute.execute import Work
from gradcli.compute.grid import Grid
from gradcli.compute.program import Program
from gradcli.errors import GradError
from gradcli.limits import memory

ENGINES = ("auto", "scalar", "vector", "native")
FEW_STEPS = 150_000
"""Steps times points up to which plain Python takes less time than the import of NumPy."""
NATIVE_START = 180_000_000
"""Steps times points that amortise the start of the compiler: 75 ms, at 0.45 ns saved per step and point."""
NATIVE_STEP = 150_000
"""Points that amortise the compilation of one step, 0.07 ms."""
LARGE = 1 << 24
"""Bytes of input above which its rows are many."""
LARGE_START = 40_000_000
"""As NATIVE_START, for rows that are read: the threads that parse and print delay every call of NumPy."""
MANY_STEPS = 20_000_000
"""Steps times points from which several threads are faster than one."""
ROOM = 2**22
"""Maximum of numbers in a block, registers included."""
_CACHE = 700_000
"""Numbers of a block of the vector engine that fit into the processor's cache."""


def check(engine: str) -> None:
    """Raise GradError unless ``engine`` is one of ENGINES."""
    if engine not in ENGINES:
        raise GradError(f"unknown engine '{engine}' (there are {', '.join(ENGINES)})")


def chosen(wanted: str, load: int, steps: int) -> tuple[str, str | None]:
    """Return the engine for a request, and the reason if the native engine would be faster but is unavailable.

    ``load`` is the sum of steps times points over all programs, ``steps`` the number of their steps.
    """
    if wanted != "auto":
        return wanted, None
    if load <= FEW_STEPS:
        return "scalar", None
    if load < NATIVE_START + NATIVE_STEP * steps:
        return "vector", None
    return fastest()


def chosen_for_rows(
    wanted: str, load: int, steps: int, columns: int, large: Callable[[], bool]
) -> tuple[str, str | None]:
    """Return the engine for rows that are read, and the reason as ``chosen`` does.

    ``load`` is that of a row of ``columns`` numbers. ``large``: whether the rows are more than LARGE bytes, asked only
    if so many pay; nothing else about the rows matters, so that all of a run have one engine.
    """
    if wanted != "auto":
        return wanted, None
    start = NATIVE_STEP * steps
    if load >= NATIVE_START + start or (LARGE // (8 * columns) * load >= LARGE_START + start and large()):
        return fastest()
    return "vector", None


def chosen_for_table(wanted: str, large: Callable[[], bool]) -> tuple[str, str | None]:
    """Return the engine for rows that are read before the work on them is known, and the reason as ``chosen`` does."""
    if wanted != "auto":
        return wanted, None
    return fastest() if large() else ("vector", None)


def fastest() -> tuple[str, str | None]:
    """Return the native engine, or that of NumPy and the reason why the native one is unavailable."""
    if memory.limited():
        return "vector", "native takes much address space, which is limited here (ulimit -v)"
    if find_spec("llvmlite") is None:
        return "vector", "native needs llvmlite: pip install 'gradcli[native]'"
    # Import the package before its submodule: threads that import the two in different orders deadlock on the locks
    # of the import system.
    from gradcli.compute.backends import native  # noqa: F401
    from gradcli.compute.backends.native.llvm import target

    try:
        target()
    except GradError as error:
        return "vector", error.message
    return "native", None


def load(engine: str) -> None:
    """Import the libraries of an engine, before an output file is created: an import may fail or end the process."""
    if engine == "vector":
        import_module("gradcli.compute.backends.vector")
    elif engine == "native":
        from gradcli.compute.backends.native.llvm import target

        target()


def threads(wanted: int | None, load: int, engine: str) -> int:
    """Return the number of threads: ``wanted`` if given, else one for each available processor if ``load`` is large."""
    if engine == "scalar":
        return 1
    if wanted is not None:
        return wanted
    if load < MANY_STEPS:
        return 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def block_points(program: Program, engine: str, threads: int = 1) -> int:
    """Return the number of points in a block: it fits into the cache, yet amortises the overhead of a step.

    Threads contend for the interpreter lock at every call of NumPy, so several threads get longer blocks.
    """
    width = len(program.outputs) + len(program.registers)
    least = 2**14 if threads == 1 else 2**16
    best = 1024 if engine == "scalar" else min(max(_CACHE // width, least), 131072)
    return min(best, max(ROOM // width, 16))


def chunk_points(program: Program, engine: str, points: int, threads: int) -> int:
    """Return the number of points in a block of a chunk of rows, of ``points`` in all.

    The native engine keeps intermediate values in registers: each thread takes its share of the chunk at once.
    """
    if engine != "native":
        return block_points(program, engine)
    return min(-(-points // threads), max(ROOM // (len(program.outputs) + len(program.registers)), 16))


def part_points(program: Program, engine: str, points: int, threads: int) -> int:
    """Return the number of points in a part of a result that is held in memory as a whole.

    The native engine keeps intermediate values in registers, so the cache does not bound its parts: each thread gets
    about ten.
    """
    blocks = block_points(program, engine)
    return max(blocks, min(points // (10 * threads), 2**20)) if engine == "native" else blocks


def work(program: Program, grid: Grid, engine: str) -> Work:
    """Return the work of a program over a grid by an engine; for ``native`` this compiles the program."""
    columns = [{name: k for k, name in enumerate(axis.names)} for axis in grid.axes]
    inputs = [(axis, columns[axis][name]) for name, axis in program.inputs]
    backend = import_module(f"gradcli.compute.backends.{engine}")
    if engine == "native":
        make = backend.ready(program, [axis.length for axis in grid.axes])
    else:
        make = partial(backend.kernel, program)
    return Work(make, inputs, len(program.outputs), grid, engine != "scalar")
