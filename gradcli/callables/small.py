"""Small arrays: one call of a compiled function of NumPy's ufuncs, which takes a fraction of the start of an engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.compute.backends.compiled_arrays import Quiet, compiled_arrays
from gradcli.expr.node import collector_paused

if TYPE_CHECKING:
    from gradcli.callables.arguments import Array, Broadcast
    from gradcli.callables.model import Model
    from gradcli.compute.program import Program


_DOUBLE = np.dtype(np.float64)


class Small:
    """The columns of a model, its mask last, at small arrays of one shape and numbers.

    ``program``: the program of the columns for variables on axes; ``count``: how many columns are results; ``limit``:
    how many points are small. ``quiet`` runs functions without warnings. It may be called from several threads.
    """

    def __init__(
        self, model: Model, program: Callable[[tuple[tuple[str, ...], ...]], Program], count: int, limit: int
    ) -> None:
        self.quiet = Quiet()
        self._args, self._program, self._count, self._limit = model.args, program, count, limit
        self._settles, self._masked = model.settles, bool(model.mask)
        self._functions: dict[tuple[bool, ...], Callable[..., None]] = {}

    def results(self, args: Sequence[Any]) -> tuple[Array, tuple[int, ...]] | None:
        """The results as rows of a block, and the shape of the points; None unless all is plain.

        Plain are floats and arrays of float64 of one shape, and points none of which may be a hard one.
        """
        shape: tuple[int, ...] = ()
        ins, dense, points = [], [], 0
        for value in args:
            if value.__class__ is float:
                ins.append(np.array(value))
                dense.append(False)
                continue
            if value.__class__ is not np.ndarray or value.dtype is not _DOUBLE:
                return None
            if value.shape != shape:
                if shape:
                    return None
                shape, points = value.shape, value.size
            ins.append(value.ravel())
            dense.append(True)
        if not shape or not 0 < points <= self._limit:
            return None
        block = np.empty((self._count, points))
        return None if self._hard(ins, tuple(dense), block) else (block, shape)

    def fill(self, block: Array, given: Broadcast) -> list[Array] | None:
        """Fill the columns of a block, one row each; return them and the mask if a point may be a hard one."""
        dense = tuple([a.ndim > 0 for a in given.arrays])
        # 0-d arrays alone are a point on an axis of length 1.
        alone = not any(dense)
        return self._hard(
            [a.ravel() if d or alone else a for a, d in zip(given.arrays, dense, strict=True)], dense, block
        )

    def _hard(self, ins: Sequence[Array], dense: tuple[bool, ...], block: Array) -> list[Array] | None:
        outs = [*block]
        if self._masked:
            outs.append(np.empty(block.shape[1]))
        function = self._functions.get(dense) or self._function(dense)
        return outs if self.quiet.run(self._computed, function, ins, outs, block.reshape(-1)) else None

    def _computed(self, function: Callable[..., None], ins: Sequence[Array], outs: list[Array], flat: Array) -> bool:
        """Compute the columns; return whether a point may be a hard one. ``flat``: the results one after another."""
        function(*ins, *outs)
        if not self._settles:
            return False
        # A sum of squares is finite only if each number is; one that overflows is looked at, and left as it is.
        return not math.isfinite(flat.dot(flat)) or (self._masked and bool(outs[-1].dot(outs[-1])))

    def _function(self, dense: tuple[bool, ...]) -> Callable[..., None]:
        """The compiled function of the arguments and the columns. ``dense``: which arguments are one-dimensional."""
        args = self._args
        axes = [tuple([name for name, d in zip(args, dense, strict=True) if d == many]) for many in (False, True)]
        with collector_paused():
            program = self._program((axes[0], axes[1]))
            function = self._functions[dense] = compiled_arrays(program, args, int(all(axes)))
        return function
