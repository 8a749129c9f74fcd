"""Templates on complex arrays: the holomorphic functions of the table, by NumPy, in textbook form.

The internal forms of the table compare sizes and signs, for which complex numbers have no order.
Layer: must not know graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.errors import BadType
from gradcli.expr import CONSTANTS, Expr, exact, reachable, readable
from gradcli.functions import TABLE

# Only functions with slopes and without a choice of argument: NumPy's complex sign, maximum ... are other functions.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        row.name: ufunc
        for row in TABLE.values()
        if row.numpy and (row.slopes is not None or row.direct) and not (row.selects or row.exact)
        for ufunc in [getattr(np, row.numpy)]
        if any(types.endswith("->D") for types in ufunc.types)
    },
    "sec": lambda z: 1 / np.cos(z), "csc": lambda z: 1 / np.sin(z), "cot": lambda z: 1 / np.tan(z),
    "sech": lambda z: 1 / np.cosh(z), "csch": lambda z: 1 / np.sinh(z), "coth": lambda z: 1 / np.tanh(z),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    # The slope of a power tests whether its exponent is at least 0; a complex exponent is compared by its real part.
    "ge": lambda a, b: np.real(a) >= np.real(b),
    "where": np.where, "eq": np.equal, "ne": np.not_equal,
    "and": np.logical_and, "or": np.logical_or, "not": np.logical_not,
}  # fmt: skip


def _hypotenuse(a: Any, b: Any) -> Any:
    return np.sqrt(a * a + b * b)


_PRODUCTS = {-1: lambda z: 1 / z, 2: lambda z: z * z, 3: lambda z: z * z * z}


def function(template: Expr, order: Sequence[Expr]) -> Callable[..., Any]:
    """The template as a function of complex arrays. Raises BadType for a function that is not holomorphic."""
    (root,) = readable([template])
    nodes = reachable([root])
    slot = {e: k for k, e in enumerate(nodes)}
    start: list[Any] = [None] * len(nodes)
    inputs: list[tuple[int, int]] = []
    steps: list[tuple[Callable[..., Any], int, list[int]]] = []
    for k, e in enumerate(nodes):
        if e.op == "var":
            inputs.append((k, int(str(e.value)[2:])))
        elif e.op in ("const", "constant"):
            start[k] = CONSTANTS[str(e.value)] if e.op == "constant" else float(e.value)  # type: ignore[arg-type]
        else:
            n = exact(e.args[1]) if e.op == "power" else None
            if n is not None and n in _PRODUCTS:
                steps.append((_PRODUCTS[int(n)], k, [slot[e.args[0]]]))
            elif e.op in _FUNCTIONS:
                steps.append((_FUNCTIONS[e.op], k, [slot[a] for a in e.args]))
            elif e.op == "hypot" and e is not root:
                # A derivative of asinh: the real form of sqrt(1 + x**2). As an operation of its own it is of reals.
                steps.append((_hypotenuse, k, [slot[a] for a in e.args]))
            else:
                raise BadType(f"{e.op} is not defined for complex numbers", hint="take its real part: np.real(z)")

    def run(*arrays: Any) -> Any:
        slots = list(start)
        for k, argument in inputs:
            slots[k] = arrays[argument]
        for f, out, ins in steps:
            slots[out] = f(*[slots[i] for i in ins])
        return slots[-1] if root is nodes[-1] else slots[slot[root]]

    return run
