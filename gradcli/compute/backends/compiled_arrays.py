"""A program as a Python function of small arrays, compiled from `ast` nodes as that of numbers in `compiled`.

Each step is one call of NumPy, whose numbers are those of the vector engine, bit for bit. The function has no state, so
that threads share it, while a kernel of the vector engine owns its scratch arrays.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Collection, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any

import numpy as np

from gradcli.compute.backends.compiled import Steps, call, defined, load
from gradcli.compute.backends.vector import array_function
from gradcli.compute.program import Program, Step


def compiled_arrays(program: Program, names: Sequence[str], dense: int) -> Callable[..., None]:
    """A function that fills arrays: of the values of ``names``, then of the output arrays, one-dimensional.

    The values of an axis are arrays of one length, those of every axis but ``dense`` of length 1. It runs under the
    caller's treatment of floating-point errors.
    """
    steps = _ArraySteps(program, names, {k for k, s in enumerate(program.strata) if dense in s.axes})
    outs = [f"o{k}" for k in range(len(program.outputs))]
    body = steps.body
    for k, slot in enumerate(program.outputs):
        if steps.direct.get(slot) != k:
            whole = ast.Subscript(load(f"o{k}"), ast.Constant(...), ast.Store())
            body.append(ast.Assign([whole], steps.slot(slot)))
    return defined([*[f"a{k}" for k in range(len(names))], *outs], body or [ast.Pass()], steps.bindings)


class _ArraySteps(Steps):
    """The steps of a program on arrays; those of the strata ``dense`` that are outputs write into the output arrays."""

    def __init__(self, program: Program, names: Sequence[str], dense: Collection[int]) -> None:
        self.direct: dict[int, int] = {}
        first = len(program.constants) + len(program.inputs)
        for k, slot in enumerate(program.outputs):
            if slot >= first and program.registers[slot - first].stratum in dense:
                self.direct.setdefault(slot, k)
        super().__init__(program, names)

    def value(self, step: Step) -> ast.expr:
        ins = [self.slot(slot) for slot in step.ins]
        if step.out in self.direct:
            ins.append(load(f"o{self.direct[step.out]}"))
        return call(self.bound(step), ins)

    def constant(self, slot: int) -> ast.expr:
        self.bindings[f"c{slot}"] = np.array(self.constants[slot])
        return load(f"c{slot}")

    def kernel(self, step: Step) -> Callable[..., Any]:
        function = np.square if step.function == "mul" and step.ins[0] == step.ins[1] else array_function(step)
        return function if isinstance(function, np.ufunc) else _returning(function, len(step.ins))


def _returning(fill: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A function that fills its last argument as one that returns it, and makes it where it is not given."""

    def function(*arrays: Any) -> Any:
        if len(arrays) == count:
            arrays = (*arrays, np.empty(np.broadcast_shapes(*[a.shape for a in arrays])))
        fill(*arrays)
        return arrays[-1]

    return function


class Quiet(threading.local):
    """A context in which NumPy tells of no floating-point error; each thread has its own, since one is entered once.

    To run a function in it takes a tenth of the time of ``np.errstate``.
    """

    def __init__(self) -> None:
        self.run: Callable[..., Any] = _loud
        if int(np.__version__.partition(".")[0]) >= 2:  # before that, the treatment of errors is the thread's
            context = copy_context()
            context.run(partial(np.seterr, all="ignore"))
            self.run = context.run


def _loud(function: Callable[..., Any], *args: Any) -> Any:
    with np.errstate(all="ignore"):
        return function(*args)
