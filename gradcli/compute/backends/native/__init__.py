"""The native engine: a program as one loop of LLVM vector code, whose intermediate values stay in vector registers.

Steps for which no vector code exists run as array functions of the vector engine between two loops.
Layer: must not know threads; a kernel with its scratch belongs to one worker, compiled code is shared.
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
from gradcli.compute.backends.native.llvm import target
from gradcli.compute.backends.native.partition import Layout, Part, Stage, kind, layout
from gradcli.compute.program import Program

Array = NDArray[np.float64]
Kernel = Callable[[Sequence[Array], Sequence[Array], tuple[int, ...]], None]


class _Identity:
    """A key of the cache that compares programs by identity, since comparing long programs is slow."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def __hash__(self) -> int:
        return id(self.program)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.program is self.program


def ready(program: Program, lengths: Sequence[int]) -> Callable[[], Kernel]:
    """Compile a program for a grid with axes of these lengths; return a function that makes a kernel for a worker.

    Kernels are called as those of the vector engine. Raise GradError if llvmlite is missing or does not work.
    """
    return _ready(_Identity(program), tuple([kind(n, target()) for n in lengths]))


# Cached, because rows that are streamed in chunks are grids of many lengths that share one loop.
@lru_cache(64)
def _ready(identity: _Identity, kinds: tuple[int, ...]) -> Callable[[], Kernel]:
    processor = target()
    plan = layout(identity.program, kinds, processor)
    functions = processor.compile(plan.text, [p.code for stage in plan.stages for p in stage.parts if p.code])
    return lambda: _Kernel(identity.program, plan, functions, processor.lanes)


def _address(array: Array) -> int:
    """Return the address of the first number of an array."""
    return int(array.__array_interface__["data"][0])


class _Kernel:
    """A kernel: compiled functions with the buffers of one worker."""

    def __init__(self, program: Program, plan: Layout, functions: dict[str, Any], lanes: int) -> None:
        self.program, self.plan, self.functions, self.lanes = program, plan, functions, lanes
        self.first = len(program.constants)
        self.extents: tuple[int, ...] | None = None
        self.ins: list[Any] = [None] * len(program.inputs)
        self.arrays: dict[int, Array] = {v: np.array([c]) for v, c in enumerate(program.constants)}
        steps = [part.step for stage in plan.stages for part in stage.parts if part.step]
        self.array_functions = {step.out: vector.array_function(step) for step in steps}
        buffer = np.empty(lanes * max([1 + part.slots for stage in plan.stages for part in stage.parts], default=1))
        # Align the scratch buffer to the vector width, so that no load straddles two cache lines.
        self.scratch = buffer[-(_address(buffer) // 8) % lanes :]

    def __call__(self, ins: Sequence[Array], outs: Sequence[Array], extents: tuple[int, ...]) -> None:
        fresh = self.extents != extents
        if fresh:
            self._allocate(extents)
        changed = {self.program.inputs[i][1] for i, column in enumerate(ins) if fresh or column is not self.ins[i]}
        self.ins = list(ins)
        for i, column in enumerate(ins):
            if self.program.inputs[i][1] in changed:
                self.arrays[self.first + i] = self._padded(np.ascontiguousarray(column))
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

    def _padded(self, column: Array) -> Array:
        """Pad a column with its last value to the length of a vector, the least that a loop reads."""
        if len(column) >= self.lanes or len(column) == 1:
            return column
        return np.concatenate([column, np.full(self.lanes - len(column), column[-1])])

    def _shape(self, axes: Sequence[int]) -> tuple[int, ...]:
        assert self.extents is not None
        return tuple([self.extents[a] for a in axes])

    def _allocate(self, extents: tuple[int, ...]) -> None:
        self.extents = extents
        self.points = math.prod(extents)
        # Reuse a buffer after its last reader, but within its own stage only: a stage whose inputs did not change is
        # skipped for the next block, and later stages still read what it left.
        last: dict[int, int] = {}
        parts = [(stage, part) for stage in self.plan.stages for part in stage.parts]
        for index, (stage, part) in enumerate(parts):
            for read in part.reads:
                last[read.value] = index if read.axes == stage.axes else len(parts)
        free: dict[int, list[Array]] = {}
        owned: set[int] = set()
        current = None
        for index, (stage, part) in enumerate(parts):
            if stage is not current:
                current, free = stage, {}
            size = max(math.prod(self._shape(stage.axes)), self.lanes)
            for value in part.writes:
                unused = free.get(size)
                self.arrays[value] = unused.pop() if unused else np.empty(size)
                owned.add(value)
            for read in part.reads:
                if last[read.value] == index and read.value in owned:
                    free.setdefault(size, []).append(self.arrays[read.value])

    def _run(self, stage: Stage, part: Part, outs: Sequence[Array]) -> None:
        shape = self._shape(stage.axes)
        size = math.prod(shape)
        if part.step is not None:
            self._run_step(stage, part, outs)
            return
        arrays = []
        for read in part.reads:
            array = self.arrays[read.value]
            if stage.flat and read.axes and read.axes != stage.axes:
                array = self._padded(np.broadcast_to(self._view(read.value, read.axes, stage.axes), shape).ravel())
            arrays.append(array)
        arrays += [self.arrays[v] for v in part.writes]
        arrays += [outs[k] for _, k in part.outputs]
        arrays.append(self.scratch)
        # A value computed by this part lives in its output column from now on; one computed earlier keeps its buffer.
        inputs = {r.value for r in part.reads}
        for v, k in part.outputs:
            if v >= self.first and v not in inputs:
                self.arrays[v] = outs[k]
        addresses = (ctypes.c_void_p * len(arrays))(*map(_address, arrays))
        lengths = [size] if stage.flat or not shape else list(shape)
        lengths[-1] = max(lengths[-1], self.lanes)
        loops = (ctypes.c_int64 * len(lengths))(*lengths)
        assert part.code is not None
        self.functions[part.code](ctypes.addressof(addresses), ctypes.addressof(loops))

    def _view(self, value: int, axes: Sequence[int], along: Sequence[int]) -> Array:
        """Return the array of a value over ``axes``, reshaped to broadcast over the axes ``along``."""
        assert self.extents is not None
        size = math.prod(self._shape(axes))
        return self.arrays[value][:size].reshape([self.extents[a] if a in axes else 1 for a in along])

    def _run_step(self, stage: Stage, part: Part, outs: Sequence[Array]) -> None:
        assert part.step is not None
        shape = self._shape(stage.axes)
        axes = self.plan.values
        ins = [self._view(v, axes[v], stage.axes) for v in part.step.ins]
        out = outs[part.outputs[0][1]] if part.outputs else self.arrays[part.step.out]
        self.arrays[part.step.out] = out
        self.array_functions[part.step.out](*ins, out[: math.prod(shape)].reshape(shape))
        for _, k in part.outputs[1:]:
            np.copyto(outs[k], out)
