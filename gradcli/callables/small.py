"""Small arrays: one call of a compiled function of NumPy's ufuncs, which takes a fraction of the start of an engine."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcli.compute.backends.compiled_arrays import Quiet, compiled_arrays

if TYPE_CHECKING:
    from gradcli.callables.arguments import Array, Broadcast
    from gradcli.callables.model import Model
    from gradcli.compute.program import Program


class _Compiled(NamedTuple):
    """``inputs``: the places of the arguments it takes, and whether each is one-dimensional."""

    function: Callable[..., None]
    inputs: list[tuple[int, bool]]


class Small:
    """The columns of a model, its mask last, at small arrays of one shape and numbers.

    ``program``: the program of the columns for variables on axes. ``quiet``: runs functions without warnings. It may be
    called from several threads.
    """

    def __init__(self, model: Model, program: Callable[[tuple[tuple[str, ...], ...]], Program]) -> None:
        self.quiet = Quiet()
        self._model, self._program = model, program
        self._settles, self._masked = model.settles, bool(model.mask)
        self._compiled: dict[tuple[bool, ...], _Compiled] = {}

    def fill(self, block: Array, given: Broadcast) -> list[Array] | None:
        """Fill the columns of a block, one row each; return them and the mask if a point may be a hard one."""
        arrays = given.arrays
        key = tuple([a.ndim > 0 for a in arrays])
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = self._of(key)
        outs = [*block]
        if self._masked:
            outs.append(np.empty(block.shape[1]))
        ins = [arrays[k].ravel() if dense else arrays[k] for k, dense in compiled.inputs]
        return outs if self.quiet.run(self._computed, compiled.function, ins, outs, block.reshape(-1)) else None

    def _computed(self, function: Callable[..., None], ins: list[Array], outs: list[Array], flat: Array) -> bool:
        """Compute the columns; return whether a point may be a hard one. ``flat``: the results one after another."""
        function(*ins, *outs)
        if not self._settles:
            return False
        # A sum of squares is finite only if each number is; one that overflows is looked at, and left as it is.
        return not math.isfinite(flat.dot(flat)) or (self._masked and bool(outs[-1].dot(outs[-1])))

    def _of(self, dense: tuple[bool, ...]) -> _Compiled:
        args = self._model.args
        axes = [tuple([name for name, d in zip(args, dense, strict=True) if d == many]) for many in (False, True)]
        program = self._program((axes[0], axes[1]))
        names = [name for name, _ in program.inputs]
        # 0-d arrays alone are a point on an axis of length 1.
        inputs = [(k, dense[k] or not any(dense)) for k in map(args.index, names)]
        return _Compiled(compiled_arrays(program, names, int(all(axes))), inputs)
