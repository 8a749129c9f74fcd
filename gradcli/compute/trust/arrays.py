"""The rules of the running error bound over arrays, and flags and digits of whole columns.

Layer: must not know programs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.trust.rules import INF, LOW, TINY, U, residual
from gradcli.compute.trust.table import rule_of, surely

Array = NDArray[np.float64]


class Arrays:
    """The operations that rules need, on arrays that broadcast."""

    where = staticmethod(np.where)
    largest = staticmethod(np.maximum)
    least = staticmethod(np.minimum)
    sqrt = staticmethod(np.sqrt)
    exp = staticmethod(np.exp)
    log = staticmethod(np.log)
    sin = staticmethod(np.sin)
    cos = staticmethod(np.cos)
    rint = staticmethod(np.rint)

    @staticmethod
    def lazily(c: Any, usual: Any, otherwise: Callable[[], Any]) -> Any:
        return np.where(c, otherwise(), usual) if np.any(c) else usual

    rare = lazily

    @staticmethod
    def ratio(p: Any, a: Any) -> Any:
        quotient = p / a
        return np.where(p == 0, 0.0, quotient) if np.any(a == 0) else quotient

    @staticmethod
    def kernel(name: str, value: int, *x: Any) -> Any:
        from gradcli.compute.backends.scipy_kernels import scipy_kernel

        return scipy_kernel(name)(value, *x)

    @staticmethod
    def summed(v: Any, a: Any, b: Any, s: Any) -> Any:
        exact = s == 0
        error = s + np.abs(v)
        if np.any(exact):
            t = v - a
            error = np.where(exact, np.abs((a - (v - t)) + (b - t)) / U, error)
        return error

    @staticmethod
    def rounded(v: Any, a: Any, b: Any, s: Any) -> Any:
        size = np.abs(v)
        error = size + TINY
        exact = s == 0
        if np.any(exact):
            lost = residual(a, b, v) / U
            lost = np.where(lost <= size, lost, size)
            lost = np.where(size > LOW, lost, np.where((a == 0) | (b == 0), 0.0, error))
            error = np.where(exact, lost, error)
        return error

    @staticmethod
    def divided(v: Any, b: Any, a: Any, s: Any) -> Any:
        error = np.abs(v) + TINY
        exact = s == 0
        if np.any(exact):
            exact = exact & ((a == 0) | (np.abs(b) == INF) | ((np.abs(a) > LOW) & (residual(v, b, a) == 0)))
            error = np.where(exact, 0.0, error)
        return error


def bounded(name: str, value: int | None) -> Callable[..., None]:
    """Return the error of a kernel as a function of arrays: errors of its arguments, these, the value, the output."""
    rule, more = rule_of(name), () if value is None else (value,)

    def run(*arrays: Any) -> None:
        count = (len(arrays) - 2) // 2
        *ins, out = arrays
        if rule is None:
            out[...] = INF
            return
        # The output may be the memory of an input, which is read again.
        error = np.broadcast_to(rule(Arrays, ins[-1], *ins[count:-1], *ins[:count], *more), out.shape)
        # A maximum is nan if a number is.
        if not np.max(error, initial=0.0) < INF:
            odd = ~(error < INF)
            ins = [np.broadcast_to(a, out.shape)[odd] for a in ins]
            error = error.copy()
            error[odd] = surely(Arrays, name, ins[-1], ins[count:-1], ins[:count])
        np.copyto(out, error)

    return run


def flagged(v: Array, error: Array, least: float, small: float) -> NDArray[np.bool_]:
    """Whether each number may have fewer right digits than it should; see `trust.flagged`."""
    with np.errstate(all="ignore"):
        size = np.abs(v)
        sure = (error * U <= size * least) & (small <= size) & (size < INF)
        return np.asarray(~sure & (error != 0))


def digits(v: Array, error: Array, per_bit: float) -> Array:
    """How many decimal digits of each number are right; see `trust.digits`."""
    with np.errstate(all="ignore"):
        lost = np.abs(v)
        np.divide(error, lost, out=lost)
    # Those of a nan with a sign are -1, the last place.
    exponents = lost.view(np.int64)
    exponents >>= 52
    # Exact numbers take the place of an error that is 0 beside the value, whatever that is.
    exponents *= error != 0
    right: Array = np.take(_right(per_bit), exponents)
    return right


_EXPONENTS = 0x7FF
"""The greatest biased exponent of a double, that of inf and nan."""
_ONE = 1022 + 53
"""That of numbers in [1/2, 1), in units of 2**-53."""


@cache
def _right(per_bit: float) -> Array:
    """The digits that are right by the biased exponent of the relative error."""
    found: Array = np.clip(np.floor(per_bit * (np.arange(_EXPONENTS + 1) - _ONE)), 0, 16)
    found[0] = 16
    found[-1] = 0
    return found
