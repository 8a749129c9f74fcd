"""The vector engine, NumPy block by block: steps write into scratch arrays that fit into the cache.

The arrays of a stratum have length 1 along the axes it does not depend on, and are recomputed only if an input has
changed on which they depend.
Layer: must not know threads; a kernel with its scratch belongs to one worker.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.backends import erf, special
from gradcli.compute.backends.scalar import straight
from gradcli.compute.program import ERROR, Program, Step
from gradcli.functions import TABLE

Array = NDArray[np.float64]
Kernel = Callable[[Sequence[Array], Sequence[Array], tuple[int, ...]], None]
Run = Callable[..., Any]


def _where(c: NDArray[np.bool_], a: Array, b: Array, out: Array) -> None:
    # np.where allocates an array, but two masked copies in place would take twice the time.
    np.copyto(out, np.where(c, a, b))


def _defined(y: Array, slope: Array, out: Array) -> None:
    undefined = np.isnan(y)
    if out is not slope:
        np.copyto(out, slope)
    if undefined.any():
        np.copyto(out, np.nan, where=undefined)


def _copysign(x: Array, y: Array, out: Array) -> None:
    # copysign(x, nan) is nan here, since the sign bit of a nan differs among libm, NumPy and LLVM.
    np.copyto(out, np.where(np.isnan(y), np.nan, np.copysign(x, y)))


def _power_residual(x: Array, n: Array, lost: Array, out: Array) -> None:
    # Compute x**n * (1 + lost*log|x|), as the scalar engine does.
    log = np.log(np.abs(x))
    log = log * lost
    y = np.power(x, n)
    log = np.where(np.isfinite(log) & np.isfinite(y), log * y, 0.0)
    log += y
    if np.any(np.abs(lost) >= 1):
        # For |n| > 2**53 the rounding error is an integer, and an odd one changes the sign for x < 0.
        flip = np.where(lost % 2 == 1, np.copysign(1.0, x), 1.0)
        whole = np.where(np.isfinite(y) & (y != 0) & np.isfinite(x), y * np.power(x, lost), y * flip)
        log = np.where(np.abs(lost) >= 1, whole, log)
    np.copyto(out, log)


def _gauss(x: Array, out: Array) -> None:
    # See ``scalar._gauss``, which explains the splitting.
    size = np.minimum(np.abs(x), 40.0)
    lead = np.rint(size * 2.0**20) / 2.0**20
    np.multiply(np.exp(-(lead * lead)), np.exp(-((size - lead) * (size + lead))), out)


def _lifted(f: Callable[..., float]) -> Run:
    """Return a function of numbers as one of arrays, applied number by number."""

    def run(*arrays: Array) -> None:
        *ins, out = arrays
        flat = [a.ravel().tolist() for a in np.broadcast_arrays(*ins)]
        out[...] = np.fromiter(map(f, *flat), np.float64, out.size).reshape(out.shape)

    return run


_FUNCTIONS: dict[str, Run] = {
    "cbrt_near": np.cbrt,
    **{row.name: getattr(np, row.numpy) for row in TABLE.values() if row.numpy and row.expansion is None},
    "copysign": _copysign, "where": _where, "defined": _defined, "power_residual": _power_residual, "gauss": _gauss,
    # np.minimum and np.maximum deprecate a third positional argument.
    "min": lambda a, b, out: np.minimum(a, b, out=out), "max": lambda a, b, out: np.maximum(a, b, out=out),
    **{name: _lifted(f) for name, f in special.LIFTED.items()}, "erf": erf.fill,
}  # fmt: skip


def array_function(step: Step) -> Run:
    """Return a step as a function of its input arrays and its output array."""
    name, value = step.function, step.value
    if name in special.SCIPY:
        from gradcli.compute.backends.scipy_kernels import scipy_kernel

        array = scipy_kernel(name)

        def run(*arrays: Array) -> None:
            np.copyto(arrays[-1], array(value, *arrays[:-1]))

        return run
    if name in special.FAMILIES:
        assert value is not None
        return _lifted(partial(special.FAMILIES[name], value))
    if name.startswith(ERROR):
        from gradcli.compute.trust.arrays import bounded

        return bounded(name[len(ERROR) :], value)
    return _FUNCTIONS[name]


def _bound(step: Step) -> tuple[Run, Callable[[list[Any]], tuple[Any, ...]]]:
    """Return the function that a step calls, and a getter of its arguments from the slots."""
    if step.function == "mul" and step.ins[0] == step.ins[1]:
        # np.square reads its operand once, np.multiply twice.
        return np.square, itemgetter(step.ins[0], step.out)
    return array_function(step), itemgetter(*step.ins, step.out)


def function(program: Program, names: Sequence[str]) -> Callable[..., Any]:
    """Return the first output of a program as a function of the variables ``names``.

    Their values are arrays of float64 or bool, which broadcast, or Python numbers.
    """
    return straight(program, names, _allocating)


def _allocating(step: Step) -> Callable[..., Any]:
    """Return a step as a function of its input arrays."""
    f = array_function(step)
    if isinstance(f, np.ufunc):
        return f

    def run(*arrays: Any) -> Array:
        arrays = tuple(map(np.asarray, arrays))
        out = np.empty(np.broadcast_shapes(*[a.shape for a in arrays]))
        f(*arrays, out)
        return out

    return run


def kernel(program: Program) -> Kernel:
    """Return the kernel ``(ins, outs, extents)`` of a program, which computes a block.

    ``ins[i]``: one-dimensional array of input i along its axis; the same object says that its values are unchanged.
    ``outs[k]``: one-dimensional contiguous float64 array of length prod(extents), written in C order.
    """
    bound = [(s.axes, [_bound(step) for step in s.steps]) for s in program.strata]
    first_input = len(program.constants)
    first_register = first_input + len(program.inputs)
    slots: list[Any] = [np.array(c) for c in program.constants]
    slots += [None] * (len(program.inputs) + len(program.registers))
    direct: dict[int, int] = {}
    state: dict[str, Any] = {"extents": None, "ins": [None] * len(program.inputs)}

    def shape_on(axes: Collection[int], extents: tuple[int, ...]) -> tuple[int, ...]:
        lengths = [n if a in axes else 1 for a, n in enumerate(extents)]
        if sum(n != 1 for n in extents) > 1:
            return tuple(lengths)
        # Use one-dimensional arrays if a single axis is longer than 1: a call of NumPy costs half as much.
        return tuple([n for n in lengths if n != 1])

    def allocate(extents: tuple[int, ...]) -> None:
        shapes = [shape_on(axes, extents) for axes, _ in bound]
        whole = shape_on(range(program.axes), extents)
        # Compute outputs that span the whole block in the caller's arrays; a second output of a slot is copied.
        direct.clear()
        for k, slot in enumerate(program.outputs):
            register = slot - first_register
            if register >= 0 and shapes[program.registers[register].stratum] == whole and slot not in direct:
                direct[slot] = k
        for k, (stratum, boolean) in enumerate(program.registers):
            if first_register + k not in direct:
                slots[first_register + k] = np.empty(shapes[stratum], np.bool_ if boolean else np.float64)
        state.update(extents=extents, shapes=shapes, whole=whole, ins=[None] * len(program.inputs))

    def run(ins: Sequence[Array], outs: Sequence[Array], extents: tuple[int, ...]) -> None:
        fresh = state["extents"] != extents
        if fresh:
            allocate(extents)
        changed = {program.inputs[i][1] for i, column in enumerate(ins) if column is not state["ins"][i]}
        state["ins"] = list(ins)
        for i, ((_, axis), column) in enumerate(zip(program.inputs, ins, strict=True)):
            if fresh or axis in changed:
                slots[first_input + i] = column.reshape(shape_on((axis,), extents))
        whole = state["whole"]
        for slot, k in direct.items():
            slots[slot] = outs[k].reshape(whole)
        with np.errstate(all="ignore"):
            for (axes, steps), shape in zip(bound, state["shapes"], strict=True):
                # Strata that span the whole block write into the caller's output arrays, which change with every block:
                # run them even if no input has changed.
                if fresh or shape == whole or not changed.isdisjoint(axes):
                    for f, arguments in steps:
                        f(*arguments(slots))
        for k, slot in enumerate(program.outputs):
            if direct.get(slot) != k:
                np.copyto(outs[k].reshape(whole), slots[slot])

    return run
