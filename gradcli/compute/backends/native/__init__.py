"""LLVM vector code, one loop for a whole program: nothing between two steps leaves the processor's registers.

Where a program has steps that only arrays can do, they run between two loops. Must not know threads: one kernel, with
its scratch, belongs to one worker; compiled code is shared.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.backends import vector
from gradcli.compute.backends.native.machine import machine
from gradcli.compute.backends.native.parts import Layout, Part, Stage, kind, layout
from gradcli.compute.program import Program

Array = NDArray[np.float64]
Kernel = Callable[[Sequence[Array], Sequence[Array], tuple[int, ...]], None]


class _Same:
    """An object as a key: the same only as itself."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def __hash__(self) -> int:
        return id(self.program)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.program is self.program


def ready(program: Program, lengths: Sequence[int]) -> Callable[[], Kernel]:
    """Compile a program for a grid with axes of such lengths; what it returns makes a kernel for each worker.

    A kernel is as the vector engine's. Raises GradError where llvmlite is missing.
    """
    return _ready(_Same(program), tuple([kind(n, machine()) for n in lengths]))


# Rows that come in chunks are grids of many lengths, for which one loop serves.
@lru_cache(64)
def _ready(same: _Same, kinds: tuple[int, ...]) -> Callable[[], Kernel]:
    here = machine()
    plan = layout(same.program, kinds, here)
    code = here.compile(plan.text)
    functions = {p.code: code.function(p.code) for stage in plan.stages for p in stage.parts if p.code}
    return lambda: _Kernel(same.program, plan, functions, here.lanes)


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


class _Kernel:
    """The arrays of one worker, and the tables of their addresses."""

    def __init__(self, program: Program, plan: Layout, functions: dict[str, Any], lanes: int) -> None:
        self.program, self.plan, self.functions, self.lanes = program, plan, functions, lanes
        self.first = len(program.constants)
        self.extents: tuple[int, ...] | None = None
        self.ins: list[Any] = [None] * len(program.inputs)
        self.arrays: dict[int, Array] = {v: np.array([c]) for v, c in enumerate(program.constants)}
        steps = [part.step for stage in plan.stages for part in stage.parts if part.step]
        self.by_arrays = {step.out: vector.array_function(step) for step in steps}
        room = np.empty(lanes * max([1 + part.slots for stage in plan.stages for part in stage.parts], default=1))
        # Registers that begin where a line of the cache does are read at once.
        self.scratch = room[-(_address(room) // 8) % lanes :]

    def __call__(self, ins: Sequence[Array], outs: Sequence[Array], extents: tuple[int, ...]) -> None:
        fresh = self.extents != extents
        if fresh:
            self._allocate(extents)
        changed = {self.program.inputs[i][1] for i, column in enumerate(ins) if fresh or column is not self.ins[i]}
        self.ins = list(ins)
        for i, column in enumerate(ins):
            if self.program.inputs[i][1] in changed:
                self.arrays[self.first + i] = self._long_enough(np.ascontiguousarray(column))
        results = outs
        if self.points < self.lanes:
            results = [np.empty(self.lanes) for _ in outs]
        with np.errstate(all="ignore"):
            for stage in self.plan.stages:
                last = stage is self.plan.stages[-1]
                if fresh or last or not changed.isdisjoint(stage.all_axes):
                    for part in stage.parts:
                        self._run(stage, part, results)
        if results is not outs:
            for result, out in zip(results, outs, strict=True):
                np.copyto(out, result[: self.points])

    def _long_enough(self, column: Array) -> Array:
        """A loop reads a whole register: a shorter column is lengthened by its last value."""
        if len(column) >= self.lanes or len(column) == 1:
            return column
        return np.concatenate([column, np.full(self.lanes - len(column), column[-1])])

    def _shape(self, axes: Sequence[int]) -> tuple[int, ...]:
        assert self.extents is not None
        return tuple([self.extents[a] for a in axes])

    def _allocate(self, extents: tuple[int, ...]) -> None:
        self.extents = extents
        self.points = math.prod(extents)
        # A value's array is free again after the last part that reads it, for its own stage alone: a later stage would
        # lose what it put there when the earlier one is done again, and it is not.
        last: dict[int, int] = {}
        parts = [(stage, part) for stage in self.plan.stages for part in stage.parts]
        for place, (stage, part) in enumerate(parts):
            for read in part.reads:
                last[read.value] = place if read.axes == stage.axes else len(parts)
        free: dict[int, list[Array]] = {}
        owned: set[int] = set()
        now = None
        for place, (stage, part) in enumerate(parts):
            if stage is not now:
                now, free = stage, {}
            size = max(math.prod(self._shape(stage.axes)), self.lanes)
            for value in part.writes:
                spare = free.get(size)
                self.arrays[value] = spare.pop() if spare else np.empty(size)
                owned.add(value)
            for read in part.reads:
                if last[read.value] == place and read.value in owned:
                    free.setdefault(size, []).append(self.arrays[read.value])

    def _run(self, stage: Stage, part: Part, outs: Sequence[Array]) -> None:
        shape = self._shape(stage.axes)
        size = math.prod(shape)
        if part.step is not None:
            self._by_arrays(stage, part, outs)
            return
        given = []
        for read in part.reads:
            array = self.arrays[read.value]
            if stage.flat and read.axes and read.axes != stage.axes:
                array = self._long_enough(np.broadcast_to(self._view(read.value, read.axes, stage.axes), shape).ravel())
            given.append(array)
        given += [self.arrays[v] for v in part.writes]
        given += [outs[k] for _, k in part.outputs]
        given.append(self.scratch)
        # What is made here stands there for later parts; what was made before keeps its own array.
        before = {r.value for r in part.reads}
        for v, k in part.outputs:
            if v >= self.first and v not in before:
                self.arrays[v] = outs[k]
        table = (ctypes.c_void_p * len(given))(*map(_address, given))
        lengths = [size] if stage.flat or not shape else list(shape)
        lengths[-1] = max(lengths[-1], self.lanes)
        loops = (ctypes.c_int64 * len(lengths))(*lengths)
        assert part.code is not None
        self.functions[part.code](ctypes.addressof(table), ctypes.addressof(loops))

    def _view(self, value: int, axes: Sequence[int], along: Sequence[int]) -> Array:
        """The array of a value, in the shape of ``along`` with 1 where it does not lie."""
        assert self.extents is not None
        size = math.prod(self._shape(axes))
        return self.arrays[value][:size].reshape([self.extents[a] if a in axes else 1 for a in along])

    def _by_arrays(self, stage: Stage, part: Part, outs: Sequence[Array]) -> None:
        assert part.step is not None
        shape = self._shape(stage.axes)
        axes = self.plan.values
        ins = [self._view(v, axes[v], stage.axes) for v in part.step.ins]
        out = outs[part.outputs[0][1]] if part.outputs else self.arrays[part.step.out]
        self.arrays[part.step.out] = out
        self.by_arrays[part.step.out](*ins, out[: math.prod(shape)].reshape(shape))
        for _, k in part.outputs[1:]:
            np.copyto(outs[k], out)
