"""Which engine computes, in blocks of how many points, on how many threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from gradcli.errors import GradError
from gradcli.grid import Grid
from gradcli.program import Program
from gradcli.spread import Work

ENGINES = ("auto", "scalar", "vector", "native")
FEW_STEPS = 150_000
"""Steps times points that plain Python finishes in the time it takes to import NumPy."""
NATIVE_START = 180_000_000
"""Steps times points in which compiled code wins back the start of the compiler (75 ms; 0.45 ns saved a step)."""
NATIVE_STEP = 150_000
"""Points in which it wins back the compiling of one step (0.07 ms)."""
MANY_STEPS = 20_000_000
"""Steps times points from which threads pay."""
ROOM = 2**22
"""Most numbers a block may hold, registers included."""
_CACHE = 700_000
"""Numbers of a block that stay in the cache, of the vector engine."""


def check(engine: str) -> None:
    if engine not in ENGINES:
        raise GradError(f"unknown engine '{engine}' (there are {', '.join(ENGINES)})")


def chosen(wanted: str, load: int, steps: int) -> tuple[str, str | None]:
    """The engine for so many steps times points, from programs of so many steps, and why not a faster one."""
    if wanted != "auto":
        return wanted, None
    if load <= FEW_STEPS:
        return "scalar", None
    if load < NATIVE_START + NATIVE_STEP * steps:
        return "vector", None
    if find_spec("llvmlite") is None:
        return "vector", "native needs llvmlite: pip install 'gradcli[native]'"
    # The package before its room: of threads that import the two in different orders each waits for the other.
    from gradcli.backends import native  # noqa: F401
    from gradcli.backends.native.machine import machine

    try:
        machine()
    except GradError as error:
        return "vector", error.message
    return "native", None


def load(engine: str) -> None:
    """Import what an engine stands on, before a file is begun: an import may fail, and may end the process."""
    if engine == "vector":
        import_module("gradcli.backends.vector")
    elif engine == "native":
        from gradcli.backends.native.machine import machine

        machine()


def threads(wanted: int | None, load: int, engine: str) -> int:
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
    """Points of a block: few enough for the cache, enough to forget what a step costs to start.

    Threads wait for each other at every call of NumPy: for several, long blocks and few calls.
    """
    width = len(program.outputs) + len(program.registers)
    least = 2**14 if threads == 1 else 2**16
    best = 1024 if engine == "scalar" else min(max(_CACHE // width, least), 131072)
    return min(best, max(ROOM // width, 16))


def part_points(program: Program, engine: str, points: int, threads: int) -> int:
    """Points of a part of a result that is held whole: a few for each thread, where no cache has to hold them."""
    blocks = block_points(program, engine)
    return max(blocks, min(points // (10 * threads), 2**20)) if engine == "native" else blocks


def work(program: Program, grid: Grid, engine: str) -> Work:
    columns = [{name: k for k, name in enumerate(axis.names)} for axis in grid.axes]
    inputs = [(axis, columns[axis][name]) for name, axis in program.inputs]
    make: Callable[[], Callable[..., None]]
    if engine == "scalar":
        from gradcli.backends import scalar

        make = lambda: scalar.kernel(program)  # noqa: E731
    elif engine == "vector":
        from gradcli.backends import vector

        make = lambda: vector.kernel(program)  # noqa: E731
    else:
        from gradcli.backends import native

        make = native.ready(program, [axis.length for axis in grid.axes])
    return Work(make, inputs, len(program.outputs), grid, engine != "scalar")
