"""`gradcheck`, a test of a gradient that a user wrote.

The gradient is compared with exact derivatives if the function can be traced, otherwise with central differences that
are extrapolated to a step of zero, with an estimate of their error (C. Ridders, Advances in Engineering Software 4,
1982, 75-76).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from gradcli.autograd.errors import BadType, BadValue, Refused
from gradcli.autograd.functional import jacobian, several
from gradcli.autograd.operations import lift
from gradcli.autograd.tensor import Tensor, tensor
from gradcli.autograd.values import F64, Array, Shape, array_of
from gradcli.errors import GradError
from gradcli.limits.memory import check

_SHRINK = 1.4
"""The ratio of successive steps."""
_ROWS = 12
"""Rows of the extrapolation table."""
_HELD = 4
"""Arrays of the size of a Jacobian that are held at once: claimed, exact, by differences, and their errors."""
_STARTS = (1.0, 1e-2, 1e-4, 1e-6, 1e-8)
"""Largest steps to try, relative to a tenth of the argument: the length scale of the function is unknown."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    gradient: Callable[..., Any] | None = None,
    *,
    rtol: float = 1e-7,
    atol: float = 1e-9,
    raise_exception: bool = True,
    elementwise: bool = False,
) -> bool:
    """Whether ``gradient(*inputs)`` is the derivative of ``func(*inputs)``.

    ``inputs``: an array, a number or a tensor, of float64, or a tuple or list of them; a list of numbers is one array.
    Both functions are called with arrays. ``func`` returns one number or array, of shape S; ``gradient`` returns an
    array of shape (*S, *input.shape) for each input, in a tuple or list, in units of the function per unit of the
    input. ``elementwise``: each element of the function depends on the elements of the inputs in its place alone, as
    NumPy broadcasts them; a gradient then is the slope at each element, of shape S or one that broadcasts to it, and
    all other derivatives are claimed to be 0. Without ``gradient``, the derivatives of the traced function are compared
    with differences. ``rtol``, ``atol``: the gradient agrees if |claimed - true| <= atol + rtol*|true|, plus ten times
    the estimated error if ``true`` comes from differences.

    Returns True if all entries agree. Otherwise raises RuntimeError (a GradError with exit code 1) that names the first
    wrong entry, or returns False if ``raise_exception`` is false. Raises ValueError if the differences have fewer than
    three digits, and TypeError for inputs of another dtype (both a GradError). Unlike ``torch.autograd.gradcheck`` in
    PyTorch's documentation it compares with exact derivatives wherever it can.

    >>> gradcheck(lambda x: np.sin(x) ** 2, np.array([0.5, 1.0]), lambda x: np.diag(np.sin(2 * x)))
    True
    >>> gradcheck(np.sin, np.array([0.5, 1.0]), np.cos, elementwise=True)
    True
    >>> gradcheck(lambda x: x**3, 2.0, lambda x: 2 * x**2, raise_exception=False)
    False
    """
    if not callable(func):
        raise BadType(f"func is a function, not {type(func).__name__}")
    listed = list(inputs) if several(inputs) else [inputs]
    arrays = _arrays(listed)
    exact = _traced(func, arrays)
    if gradient is None:
        if exact is None:
            raise BadType(
                "the function cannot be traced: give its gradient too",
                hint="tracing needs a Tensor made of the arguments as its answer",
            )
        claimed, kind = exact, "traced"
        true, error = _differences(func, arrays, True)
    else:
        claimed, kind = _claimed(gradient, arrays, several(inputs)), "claimed"
        true, error = _differences(func, arrays, exact is not None)
        if elementwise and len(claimed) == len(true):
            claimed = [_spread(c, t.shape, a.shape) for c, t, a in zip(claimed, true, arrays, strict=True)]
        if exact is not None and _first_wrong(exact, true, error, 1e-4, 1e-7, "") is None:
            # Use the traced derivative only if it agrees with differences: parts of the function may have left the
            # tensors, as by float(x).
            true, error = exact, [np.zeros(())] * len(exact)
    wrong = _first_wrong(claimed, true, error, rtol, atol, kind)
    if wrong is not None and raise_exception:
        raise Refused(wrong, exit_code=1)
    return wrong is None


def _arrays(inputs: Sequence[Any]) -> list[Array]:
    if not inputs:
        raise BadType("no inputs are given")
    arrays = [array_of(lift(x).detach().numpy()) for x in inputs]
    for k, a in enumerate(arrays):
        if a.dtype != F64:
            raise BadType(f"inputs[{k}] is of dtype {a.dtype}: gradcheck needs float64")
    return arrays


def _claimed(gradient: Callable[..., Any], arrays: Sequence[Array], listed: bool) -> list[Array]:
    """The gradients that a user's function returns: a list is one for each input if the inputs were listed, too."""
    returned = gradient(*[a.copy() for a in arrays])
    each = isinstance(returned, (tuple, list)) and (len(arrays) > 1 or (listed and several(returned)))
    return [_real(g, "the gradient") for g in (returned if each else [returned])]


def _real(result: Any, name: str) -> Array:
    """What a user's function returned as a float64 array of its own; a list of tensors is joined."""
    array = array_of(lift(result).detach().numpy())
    if array.dtype.kind == "c":
        raise BadType(f"{name} is complex: gradcheck is of real functions")
    return array.astype(F64)


def _spread(slopes: Array, jacobian_shape: Shape, shape: Shape) -> Array:
    """The Jacobian of an elementwise function, by an input of ``shape``, with its slopes; zeros everywhere else.

    Slopes that do not broadcast to the shape of the function are returned as they are.
    """
    outer = jacobian_shape[: len(jacobian_shape) - len(shape)]
    try:
        slopes = np.broadcast_to(slopes, outer)
        # The element of the input, by its position in memory, that each element of the function depends on.
        sources = np.broadcast_to(np.arange(prod(shape)).reshape(shape), outer)
    except ValueError:
        return slopes
    spread = np.zeros((prod(outer), prod(shape)))
    spread[np.arange(prod(outer)), sources.reshape(-1)] = slopes.reshape(-1)
    return spread.reshape(jacobian_shape)


def _traced(func: Callable[..., Any], arrays: Sequence[Array]) -> list[Array] | None:
    """The exact Jacobians; None if the function does not run on tensors or returns none."""
    xs = tuple([tensor(a) for a in arrays])
    try:
        y = func(*xs)
    except (GradError, TypeError, ValueError, AttributeError, IndexError):
        # The function needs operations that tensors lack: it is called with arrays.
        return None
    if not isinstance(y, Tensor) or not y.requires_grad or y.dtype.kind == "c":
        return None
    return [j.numpy() for j in jacobian(func, xs)]


def _differences(func: Callable[..., Any], arrays: Sequence[Array], tensors: bool) -> tuple[list[Array], list[Array]]:
    """The Jacobians by extrapolated central differences, and the estimated error of each entry."""

    def value(points: Sequence[Array]) -> Array:
        with np.errstate(all="ignore"):
            return _real(func(*[tensor(a, requires_grad=False) if tensors else a for a in points]), "the function")

    center = value([a.copy() for a in arrays])
    for a in arrays:
        check(8 * _HELD * center.size * a.size, "gradcheck", "check the gradient at fewer elements")
    if not np.array_equal(center, value([a.copy() for a in arrays]), equal_nan=True):
        raise BadValue("the function gives another answer at every call: it has no derivative to compare with")

    def at(k: int, index: tuple[int, ...], step: float) -> Array:
        moved = [a.copy() for a in arrays]
        moved[k][index] += step
        try:
            return value(moved)
        except (ValueError, ArithmeticError):
            # A step may leave the domain.
            return np.full(center.shape, np.nan)

    def slope(k: int, index: tuple[int, ...], step: float) -> Array:
        difference: Array = at(k, index, step) - at(k, index, -step)
        return difference / (2 * step)

    jacobians, errors = [], []
    for k, a in enumerate(arrays):
        slopes, estimates = np.zeros((*center.shape, *a.shape)), np.zeros((*center.shape, *a.shape))
        for index in np.ndindex(a.shape):
            size = abs(float(a[index]))
            slopes[(..., *index)], estimates[(..., *index)] = _ridders(partial(slope, k, index), size)
        jacobians.append(slopes)
        errors.append(estimates)
    return jacobians, errors


def _ridders(slope: Callable[[float], Array], size: float) -> tuple[Array, Array]:
    """The limit of ``slope(h)`` as h goes to 0, and an estimate of its error: the best of several step sequences."""
    first, *smaller = [start * 0.1 * max(size, 0.1) for start in _STARTS]
    best, error = _extrapolated(slope, first)
    for step in smaller:
        if np.all(error <= 1e-11 * np.abs(best) + 1e-300):
            break
        limit, estimate = _extrapolated(slope, step)
        better = estimate < error
        best, error = np.where(better, limit, best), np.where(better, estimate, error)
    return best, error


def _extrapolated(slope: Callable[[float], Array], h: float) -> tuple[Array, Array]:
    """Ridders' method: the entry of the Neville table with the smallest difference from its neighbors, and this."""
    previous = [slope(h)]
    best, error = previous[0], np.full(np.shape(previous[0]), np.inf)
    with np.errstate(all="ignore"):
        for _ in range(1, _ROWS):
            h /= _SHRINK
            row = [slope(h)]
            factor = 1.0
            for older in previous:
                factor *= _SHRINK**2
                row.append((factor * row[-1] - older) / (factor - 1))
                estimate = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - older))
                better = estimate < error
                best, error = np.where(better, row[-1], best), np.where(better, estimate, error)
            previous = row
    return best, error


def _first_wrong(
    claimed: Sequence[Array], true: Sequence[Array], error: Sequence[Array], rtol: float, atol: float, kind: str
) -> str | None:
    """The message for the first gradient with a wrong entry; None if all entries agree.

    With ``kind``, raises ValueError for an entry whose error estimate is too large to decide.
    """
    if len(claimed) != len(true):
        raise BadValue(f"{len(true)} inputs, but {len(claimed)} gradients")
    for k, (c, t, e) in enumerate(zip(claimed, true, error, strict=True)):
        if c.shape != t.shape:
            raise BadValue(f"the gradient by inputs[{k}] has the shape {c.shape}, not {t.shape}")
        with np.errstate(invalid="ignore"):
            unsettled = np.broadcast_to(~(e <= atol + 1e-3 * np.abs(t)), c.shape)
            wrong = ~((np.abs(c - t) <= atol + rtol * np.abs(t) + 10 * e) | (c == t) | (np.isnan(c) & np.isnan(t)))
        if kind and unsettled.any():
            index = tuple(int(i) for i in np.argwhere(unsettled)[0])
            raise BadValue(
                f"differences of the function do not settle at {index} of inputs[{k}]: its gradient stays unknown",
                hint="choose a point where the function is smooth",
            )
        if wrong.any():
            index = tuple(int(i) for i in np.argwhere(wrong)[0])
            return (
                f"the gradient by inputs[{k}] is wrong in {int(wrong.sum())} of {wrong.size} entries: at {index} "
                f"it is {kind} as {float(c[index])!r}, but is {float(t[index])!r}"
            )
    return None
