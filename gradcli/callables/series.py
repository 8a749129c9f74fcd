"""Taylor coefficients from derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def scaled(order: int, named: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    """The function that divides derivatives of orders 0 to ``order``, along the last axis, by the factorials.

    ``named`` makes the answer of several outputs.
    """
    import numpy as np

    # The quotient by the exact factorial is rounded once; beyond 170! that is no double, and divided by twice.
    first = np.array([float(math.factorial(min(k, 170))) for k in range(order + 1)])
    rest = np.array([float(math.factorial(k) // math.factorial(min(k, 170))) for k in range(order + 1)])

    def of(derivatives: Any) -> Any:
        # In float32 the factorials would overflow.
        return (derivatives.astype(np.float64, copy=False) / first / rest).astype(derivatives.dtype, copy=False)

    return of if named is None else lambda results: named([of(d) for d in results])
