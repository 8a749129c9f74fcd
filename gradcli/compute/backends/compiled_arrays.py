"""A program as a Python function of small arrays, compiled from `ast` nodes as that of numbers in `compiled`.

Each step is one call of NumPy, whose numbers are those of the vector engine, bit for bit. The function has no state, so
that threads share it, while a kernel of the vector engine owns its scratch arrays.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from contextvars import Context
from functools import partial
from typing import Any

import numpy as np

from gradcli.compute.backends import nodes
from gradcli.compute.backends.compiled import Steps, call, defined, load
from gradcli.compute.backends.vector import array_function
from gradcli.compute.program import Program, Step

_SQUARE = "square"
"""The product of a number with itself, which is no function of the table."""


def compiled_arrays(program: Program, names: Sequence[str], dense: int) -> Callable[..., None]:
    """A function that fills arrays: of the values of ``names``, then of the output arrays, one-dimensional.

    The values of the axis ``dense`` are one-dimensional arrays of one length, as the output arrays; those of another
    axis are 0-d arrays, which NumPy broadcasts in a third of the time of arrays of length 1. It runs under the caller's
    treatment of floating-point errors.
    """
    steps = _ArraySteps(program, names, {k for k, s in enumerate(program.strata) if dense in s.axes})
    outs = [f"o{k}" for k in range(len(program.outputs))]
    body = steps.body
    for k, slot in enumerate(program.outputs):
        if steps.direct.get(slot) != k:
            whole = nodes.Subscript(load(f"o{k}"), nodes.Constant(...), ast.Store())
            body.append(nodes.Assign([whole], steps.slot(slot)))
    return defined([*[f"a{k}" for k in range(len(names))], *outs], body or [nodes.Pass()], steps.bindings)


class _ArraySteps(Steps):
    """The steps of a program on arrays; those of the strata ``dense`` that are outputs write into the output arrays.

    The others write into 0-d arrays, where a ufunc would return a scalar.
    """

    def __init__(self, program: Program, names: Sequence[str], dense: Collection[int]) -> None:
        self.direct: dict[int, int] = {}
        self._dense = dense
        first = len(program.constants) + len(program.inputs)
        for k, slot in enumerate(program.outputs):
            if slot >= first and program.registers[slot - first].stratum in dense:
                self.direct.setdefault(slot, k)
        super().__init__(program, names)

    def value(self, step: Step) -> ast.expr:
        # As in the vector engine, np.square reads its operand once.
        if step.function == "mul" and step.ins[0] == step.ins[1]:
            step = step._replace(function=_SQUARE, ins=step.ins[:1])
        ins = [self.slot(slot) for slot in step.ins]
        if step.out in self.direct:
            ins.append(load(f"o{self.direct[step.out]}"))
        else:
            register = self.program.registers[step.out - self.registers]
            if register.stratum not in self._dense:
                ins.append(self._cell(register.boolean))
        return call(self.bound(step), ins)

    def _cell(self, boolean: bool) -> ast.expr:
        """A new 0-d array."""
        name = "bit" if boolean else "cell"
        self.bindings[name] = partial(np.empty, (), np.bool_ if boolean else np.float64)
        return call(name, [])

    def constant(self, slot: int) -> ast.expr:
        self.bindings[f"c{slot}"] = np.array(self.constants[slot])
        return load(f"c{slot}")

    def kernel(self, step: Step) -> Callable[..., Any]:
        function = np.square if step.function == _SQUARE else array_function(step)
        return function if isinstance(function, np.ufunc) else _returning(function, len(step.ins))


def _returning(fill: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A function that fills its last argument as one that returns it, and makes it where it is not given."""

    def function(*arrays: Any) -> Any:
        if len(arrays) == count:
            arrays = (*arrays, np.empty(np.broadcast_shapes(*[a.shape for a in arrays])))
        fill(*arrays)
        return arrays[-1]

    return function


class Quiet:
    """Contexts in which NumPy tells of no floating-point error.

    To run a function in one takes a tenth of the time of ``np.errstate``. A context is entered once at a time, so that
    each call takes one that is free: threads, and finalizers that run inside a call, do not meet.
    """

    def __init__(self) -> None:
        self._free: list[Context] = []
        # Before NumPy 2 the treatment of errors is the thread's.
        self.run: Callable[..., Any] = self._run if int(np.__version__.partition(".")[0]) >= 2 else _loud

    def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        try:
            context = self._free.pop()
        except IndexError:
            context = Context()
            context.run(partial(np.seterr, all="ignore"))
        try:
            return context.run(function, *args)
        finally:
            self._free.append(context)


def _loud(function: Callable[..., Any], *args: Any) -> Any:
    with np.errstate(all="ignore"):
        return function(*args)
