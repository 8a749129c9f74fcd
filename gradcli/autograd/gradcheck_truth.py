"""The derivatives that `gradcheck` compares with: exact ones by reverse mode, and extrapolated central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcli.autograd.functional import jacobian
from gradcli.autograd.grad import grad
from gradcli.autograd.operations import lift
from gradcli.autograd.ridders import limit
from gradcli.autograd.tensor import Tensor, tensor
from gradcli.autograd.values import F64, Array, array_of
from gradcli.errors import BadType, BadValue, GradError
from gradcli.limits.memory import check

Function = Callable[..., Any]
Value = Callable[[Sequence[Array]], Array]
_HELD = 4
"""Arrays of the size of a Jacobian that are held at once: claimed, exact, by differences, and their errors."""


def real(result: Any, name: str) -> Array:
    """What a user's function returned as a float64 array of its own; a list of tensors is joined."""
    array = array_of(lift(result).detach().numpy())
    if array.dtype.kind == "c":
        raise BadType(f"{name} is complex: gradcheck is of real functions")
    return array.astype(F64)


def _value(func: Function, tensors: bool, points: Sequence[Array]) -> Array:
    """The function at copies of arrays, given as constant tensors or as arrays."""
    with np.errstate(all="ignore"):
        return real(func(*[tensor(a, requires_grad=False) if tensors else a.copy() for a in points]), "the function")


def _answer(func: Function, xs: Sequence[Tensor]) -> Tensor | None:
    """The function at tensors; None if it does not run on them, or returns no real tensor that depends on them."""
    try:
        y = func(*xs)
    except (GradError, TypeError, ValueError, AttributeError, IndexError):
        # The function needs operations that tensors lack: it is called with arrays.
        return None
    return y if isinstance(y, Tensor) and y.requires_grad and y.dtype.kind != "c" else None


def traced(func: Function, arrays: Sequence[Array]) -> list[Array] | None:
    """The exact Jacobians; None if the function does not run on tensors."""
    xs = tuple([tensor(a) for a in arrays])
    return None if _answer(func, xs) is None else [j.numpy() for j in jacobian(func, xs)]


def differences(func: Function, arrays: Sequence[Array], tensors: bool) -> tuple[list[Array], list[Array]]:
    """The Jacobians by extrapolated central differences, and the estimated error of each entry."""
    value: Value = partial(_value, func, tensors)
    center = value(arrays)
    for a in arrays:
        check(8 * _HELD * center.size * a.size, "gradcheck", "check the gradient at fewer elements")
    _repeats(center, value(arrays))

    def at(k: int, index: tuple[int, ...], step: Array) -> Array:
        moved = [a.copy() for a in arrays]
        moved[k][index] += step
        try:
            return value(moved)
        except (ValueError, ArithmeticError):
            # A step may leave the domain.
            return np.full(center.shape, np.nan)

    def slope(k: int, index: tuple[int, ...], step: Array) -> Array:
        quotient: Array = (at(k, index, step) - at(k, index, -step)) / (2 * step)
        return quotient

    jacobians, errors = [], []
    for k, a in enumerate(arrays):
        slopes, estimates = np.zeros((*center.shape, *a.shape)), np.zeros((*center.shape, *a.shape))
        for index in np.ndindex(a.shape):
            slopes[(..., *index)], estimates[(..., *index)] = limit(partial(slope, k, index), np.abs(a[index]))
        jacobians.append(slopes)
        errors.append(estimates)
    return jacobians, errors


def _repeats(center: Array, again: Array) -> None:
    if not np.array_equal(center, again, equal_nan=True):
        raise BadValue("the function gives another answer at every call: it has no derivative to compare with")


# Elementwise functions: all elements at once.


def widened(func: Function, arrays: Sequence[Array], claimed: Sequence[Array]) -> list[Array] | None:
    """The arrays broadcast together, where the function and the claimed slopes have the shape of that; else None."""
    try:
        shape = np.broadcast_shapes(*[a.shape for a in arrays])
        fits = len(claimed) == len(arrays) and all(np.broadcast_shapes(c.shape, shape) == shape for c in claimed)
    except ValueError:
        return None
    if not fits:
        return None
    wide = [np.broadcast_to(a, shape).copy() for a in arrays]
    value: Value = partial(_value, func, _answer(func, [tensor(a) for a in arrays]) is not None)
    center = value(arrays)
    try:
        return wide if np.array_equal(center, value(wide), equal_nan=True) else None
    except (GradError, TypeError, ValueError, IndexError, ArithmeticError):
        # The function takes the given shapes alone.
        return None


def traced_slopes(func: Function, arrays: Sequence[Array]) -> list[Array] | None:
    """The exact slopes of an elementwise function at each element; None if it does not run on tensors."""
    xs = [tensor(a) for a in arrays]
    y = _answer(func, xs)
    return None if y is None else [g.numpy() for g in grad(y, xs, np.ones(y.shape), materialize_grads=True)]


def _moved(value: Value, arrays: Sequence[Array], k: int, step: Array) -> Array:
    """The function with a step added to input k."""
    try:
        return value([a + step if i == k else a for i, a in enumerate(arrays)])
    except (ValueError, ArithmeticError):
        # A step may leave the domain.
        return np.full(arrays[k].shape, np.nan)


def slopes(func: Function, arrays: Sequence[Array], tensors: bool) -> tuple[list[Array], list[Array]]:
    """The slopes of an elementwise function by extrapolated central differences, and the estimated error of each."""
    value: Value = partial(_value, func, tensors)
    _repeats(value(arrays), value(arrays))

    def slope(k: int, h: Array) -> Array:
        quotient: Array = (_moved(value, arrays, k, h) - _moved(value, arrays, k, -h)) / (2 * h)
        return quotient

    each = [limit(partial(slope, k), np.abs(a)) for k, a in enumerate(arrays)]
    return [found for found, _ in each], [error for _, error in each]


def dependence(func: Function, arrays: Sequence[Array], true: Sequence[Array], tensors: bool) -> str | None:
    """What shows that a function is not elementwise: an element that depends on others; None if there is none.

    The elements with a 1, and then those with a 0, in one binary digit of their number are moved: every two elements
    differ in some digit.
    """
    value: Value = partial(_value, func, tensors)
    center, shape = value(arrays), arrays[0].shape
    number = np.arange(center.size).reshape(shape)
    for k, (a, slope) in enumerate(zip(arrays, true, strict=True)):
        step = 1e-3 * np.maximum(np.abs(a), 0.1)
        noise = 1e-12 * np.abs(center) + 1e-6 * np.abs(slope) * step
        for digit in range((center.size - 1).bit_length()):
            for mask in ((number >> digit & 1) == 1, (number >> digit & 1) == 0):
                difference = np.abs(_moved(value, arrays, k, np.where(mask, step, 0.0)) - center)
                with np.errstate(invalid="ignore"):
                    others = ~mask & (difference > noise)
                if others.any():
                    at = tuple(int(i) for i in np.argwhere(others)[0])
                    return f"the function is not elementwise: its element {at} depends on others of inputs[{k}]"
    return None
