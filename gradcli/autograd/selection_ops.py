"""Elementwise functions that choose among values and are no rows of the table: where, fmin, fmax, nan_to_num, select.

The branch not taken contributes 0 to every gradient, even where its slope is infinite or nan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.autograd import elementwise
from gradcli.autograd.complex_ops import imag, real
from gradcli.autograd.operations import apply, cast, lift
from gradcli.autograd.shape_ops import one_dtype
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import BOOL, C128, F64
from gradcli.errors import BadType, BadValue


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """a where the condition holds, else b, element by element.

    The branch not taken contributes 0 to every gradient, even where its slope is infinite or nan.
    """
    like = next((t for t in (a, b) if isinstance(t, Tensor)), None)
    return apply(_WHERE, lift(condition), lift(a, like), lift(b, like))


def is_nan(x: Tensor) -> Tensor:
    """Whether each element is nan; part of a fused program, as other comparisons are."""
    return apply(_NE, x, x)


def fmax(a: Any, b: Any) -> Tensor:
    """The greater of two elements, or the one that is no nan; equal elements share the gradient equally."""
    return _ignoring_nan(_MAX, a, b)


def fmin(a: Any, b: Any) -> Tensor:
    """The less of two elements, or the one that is no nan; equal elements share the gradient equally."""
    return _ignoring_nan(_MIN, a, b)


def _ignoring_nan(op: elementwise.Elementwise, a: Any, b: Any) -> Tensor:
    like = next((t for t in (a, b) if isinstance(t, Tensor)), None)
    a, b = lift(a, like), lift(b, like)
    return where(is_nan(a), b, where(is_nan(b), a, apply(op, a, b)))


def logaddexp2(a: Any, b: Any) -> Tensor:
    """log2(2**a + 2**b) without overflow, to the last digits where it is near 0.

    With d = -|a - b| it is max(a, b) + log2(1 + 2**d). Which of a and b is the greater is a branch, not a kink: both
    forms are the same function.
    """
    like = next((t for t in (a, b) if isinstance(t, Tensor)), None)
    a, b = lift(a, like), lift(b, like)
    return where(a >= b, _above(a, b), _above(b, a))


def _above(a: Tensor, b: Tensor) -> Tensor:
    """log2(2**a + 2**b) for a >= b."""
    d = b - a
    # Of equal infinities the difference is nan: the sum is that infinity.
    return where(is_nan(d) & (a == b), a, a + apply(_LOG1P, apply(_EXP2, d)) * _LOG2E)


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """The elements, with nan and infinities replaced by numbers, the greatest and least by default; of complex numbers
    both parts by themselves. Replaced elements have a gradient of 0.
    """
    t = lift(x)
    if t.dtype is BOOL:
        return t
    if t.dtype is C128:
        parts = [nan_to_num(part(t), copy, nan, posinf, neginf) for part in (real, imag)]
        return cast(parts[0], C128) + cast(parts[1], C128) * 1j
    limits = np.finfo(t.dtype)
    most, least = (limits.max if posinf is None else posinf), (limits.min if neginf is None else neginf)
    return where(is_nan(t), nan, where(t == np.inf, most, where(t == -np.inf, least, t)))


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tensor:
    """Of each place the first choice whose condition holds, ``default`` where none does."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise BadValue(f"select: {len(condlist)} conditions and {len(choicelist)} choices: they go in pairs")
    conditions = [lift(c) for c in condlist]
    if any(c.dtype is not BOOL for c in conditions):
        raise BadType("select: a condition is of truth values", hint="compare first: x > 0")
    like = next((t for t in (*choicelist, default) if isinstance(t, Tensor)), None)
    *choices, result = one_dtype([lift(t, like) for t in (*choicelist, default)])
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        result = apply(_WHERE, condition, choice, result)
    return result


def real_if_close(x: Any, tol: float = 100) -> Tensor:
    """The real part if all imaginary parts are within ``tol`` machine epsilons of 0, else the complex numbers."""
    z = lift(x)
    if z.dtype is not C128:
        return z
    limit = float(np.finfo(F64).eps) * tol if tol > 1 else tol
    return real(z) if np.all(np.abs(z.detach().numpy().imag) < limit) else z


_LOG2E = 1.4426950408889634
_WHERE, _NE = elementwise.row("where", 3), elementwise.row("ne", 2)
_MAX, _MIN = elementwise.row("max", 2), elementwise.row("min", 2)
_LOG1P, _EXP2 = elementwise.row("log1p", 1), elementwise.row("exp2", 1)
UFUNCS: dict[Any, Any] = {np.fmax: fmax, np.fmin: fmin, np.logaddexp2: logaddexp2}
FUNCTIONS: dict[Any, Any] = {np.nan_to_num: nan_to_num, np.select: select, np.real_if_close: real_if_close}
