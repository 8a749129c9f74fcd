"""Functions of one vector, as SciPy's solvers call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcli.callables.function import Function


class Packed:
    """A function of the vector of its variables in ``wrt``, the other arguments fixed."""

    def __init__(self, function: Function, time: str | None, fixed: Mapping[str, Any]) -> None:
        self.function, self.time, self.fixed = function, time, dict(fixed)
