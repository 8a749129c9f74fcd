"""Templates on complex arrays: the functions of the table that are holomorphic, by NumPy, in their textbook forms.

The careful forms of the table tell sizes and signs apart, which complex numbers do not have. Must not know graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.autograd.errors import BadType
from gradcli.expr import CONSTANTS, Expr, exact, reachable, readable
from gradcli.functions import TABLE

# Where a function is flat or picks an argument, NumPy's ufunc of complex numbers is another function.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        row.name: ufunc
        for row in TABLE.values()
        if row.numpy and (row.slopes is not None or row.direct) and not row.selects
        for ufunc in [getattr(np, row.numpy)]
        if any(types.endswith("->D") for types in ufunc.types)
    },
    "sec": lambda z: 1 / np.cos(z), "csc": lambda z: 1 / np.sin(z), "cot": lambda z: 1 / np.tan(z),
    "sech": lambda z: 1 / np.cosh(z), "csch": lambda z: 1 / np.sinh(z), "coth": lambda z: 1 / np.tanh(z),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    # The slope of a power asks where its exponent is not negative; of a complex one, its real part.
    "ge": lambda a, b: np.real(a) >= np.real(b),
    "where": np.where, "eq": np.equal, "ne": np.not_equal,
    "and": np.logical_and, "or": np.logical_or, "not": np.logical_not,
}  # fmt: skip
_PRODUCTS = {-1: lambda z: 1 / z, 2: lambda z: z * z, 3: lambda z: z * z * z}


def function(template: Expr, order: Sequence[Expr]) -> Callable[..., Any]:
    """The template as a function of complex arrays. Raises BadType where it has none."""
    (root,) = readable([template])
    nodes = reachable([root])
    slot = {e: k for k, e in enumerate(nodes)}
    start: list[Any] = [None] * len(nodes)
    places: list[tuple[int, int]] = []
    steps: list[tuple[Callable[..., Any], int, list[int]]] = []
    for k, e in enumerate(nodes):
        if e.op == "var":
            places.append((k, int(str(e.value)[2:])))
        elif e.op in ("const", "constant"):
            start[k] = CONSTANTS[str(e.value)] if e.op == "constant" else float(e.value)  # type: ignore[arg-type]
        else:
            n = exact(e.args[1]) if e.op == "power" else None
            if n is not None and n in _PRODUCTS:
                steps.append((_PRODUCTS[int(n)], k, [slot[e.args[0]]]))
            elif e.op in _FUNCTIONS:
                steps.append((_FUNCTIONS[e.op], k, [slot[a] for a in e.args]))
            else:
                raise BadType(f"{e.op} is not defined for complex numbers", hint="take its real part: np.real(z)")

    def run(*arrays: Any) -> Any:
        slots = list(start)
        for k, place in places:
            slots[k] = arrays[place]
        for f, out, ins in steps:
            slots[out] = f(*[slots[i] for i in ins])
        return slots[-1] if root is nodes[-1] else slots[slot[root]]

    return run
