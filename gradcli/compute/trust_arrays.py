"""The rules of the running error bound over arrays, and flags and digits of whole columns.

Layer: must not know programs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.trust_rules import INF, U
from gradcli.compute.trust_special import rule_of, surely

Array = NDArray[np.float64]

_SPLIT = 134217729.0
"""2**27 + 1, by which a double is cut into two halves whose products are exact (Veltkamp)."""


class Arrays:
    """The operations that rules need, on arrays that broadcast."""

    where, largest, least = map(staticmethod, (np.where, np.maximum, np.minimum))
    sqrt, exp, log, sin, cos, rint = map(staticmethod, (np.sqrt, np.exp, np.log, np.sin, np.cos, np.rint))

    @staticmethod
    def ratio(p: Any, a: Any) -> Any:
        return np.where(p == 0, 0.0, p / a)

    @staticmethod
    def kernel(name: str, value: int, *x: Any) -> Any:
        from gradcli.compute.backends.scipy_kernels import scipy_kernel

        return scipy_kernel(name)(value, *x)

    @staticmethod
    def product_lost(a: Any, b: Any, v: Any) -> Any:
        t = _SPLIT * a
        lead = t - (t - a)
        t = _SPLIT * b
        other = t - (t - b)
        rest, less = a - lead, b - other
        return np.abs(((lead * other - v) + lead * less + rest * other) + rest * less)


def bounded(name: str, value: int | None) -> Callable[..., None]:
    """Return the error of a kernel as a function of arrays: the value, the arguments, their errors and the output."""
    rule, more = rule_of(name), () if value is None else (value,)

    def run(*arrays: Any) -> None:
        v, *rest, out = arrays
        if rule is None:
            out[...] = INF
            return
        np.copyto(out, rule(Arrays, v, *rest, *more))
        odd = ~(out < INF)
        if odd.any():
            v, *rest = [np.broadcast_to(a, out.shape)[odd] for a in (v, *rest)]
            count = len(rest) // 2
            out[odd] = surely(Arrays, name, v, rest[:count], rest[count:])

    return run


def flagged(v: Array, error: Array, least: float, small: float) -> NDArray[np.bool_]:
    """Whether each number may have fewer right digits than it should; see `trust.flagged`."""
    with np.errstate(all="ignore"):
        size = np.abs(v)
        return (error != 0) & ~((error * U <= size * least) & (small <= size) & (size < INF))


def digits(v: Array, error: Array, per_bit: float) -> NDArray[np.int64]:
    """How many decimal digits of each number are right; see `trust.digits`."""
    with np.errstate(all="ignore"):
        _, exponent = np.frexp(np.where(error == 0, 1.0, error * U / np.abs(v)))
        right = np.clip(np.floor(per_bit * exponent), 0, 16).astype(np.int64)
        right[(v == 0) | ~(error < INF) | ~(np.abs(v) < INF)] = 0
    right[error == 0] = 16
    return right
