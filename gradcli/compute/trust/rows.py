"""The errors that vector code leaves open, computed again row by row by the vector engine.

Layer: must not know rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.backends import vector
from gradcli.compute.program import Program

Array = NDArray[np.float64]
Kernel = Callable[[Sequence[Array], Sequence[Array], tuple[int, ...]], None]
_BLOCK = 1 << 14
"""The most rows that are computed again at once."""


class Settled:
    """A kernel of values and errors, whose errors that are not finite numbers are those of ``errors``.

    ``program`` is that of ``kernel``, whose outputs are an error, its value and so on; ``errors`` computes the errors
    alone, its variables all on one axis.
    """

    def __init__(self, kernel: Kernel, program: Program, errors: Program) -> None:
        self.kernel, self.program, self.count = kernel, program, len(errors.outputs)
        self.again = vector.kernel(errors)
        names = [name for name, _ in program.inputs]
        self.sources = [names.index(name) for name, _ in errors.inputs]

    def __call__(self, ins: Sequence[Array], outs: Sequence[Array], extents: tuple[int, ...]) -> None:
        columns = outs[self.count :]
        self.kernel(ins, [c for pair in zip(columns, outs, strict=False) for c in pair], extents)
        # A maximum, which is nan if a number is, takes a fifth of the time of a mask.
        if all(np.max(column, initial=0.0) < np.inf for column in columns):
            return
        rows = np.flatnonzero(~np.all([column < np.inf for column in columns], axis=0))
        for start in range(0, len(rows), _BLOCK):
            chosen = rows[start : start + _BLOCK]
            places = np.unravel_index(chosen, extents) if extents else ()
            point: list[Any] = [np.asarray(ins[k])[places[self.program.inputs[k][1]]] for k in self.sources]
            results = list(np.empty((self.count, len(chosen))))
            self.again(point, results, (len(chosen),))
            for column, result in zip(columns, results, strict=True):
                column[chosen] = result
