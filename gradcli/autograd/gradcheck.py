"""gradcheck: is a function's own gradient right?

Against exact derivatives where the function can be traced; otherwise against differences, extrapolated to a step of
zero with an estimate of their error (C. Ridders, Advances in Engineering Software 4, 1982, 75-76).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcli.autograd.errors import BadType, BadValue, Refused
from gradcli.autograd.functional import jacobian
from gradcli.autograd.tensor import Tensor, array_of, tensor
from gradcli.autograd.values import F64, Array
from gradcli.errors import GradError

_SHRINK = 1.4
_ROWS = 12
_STARTS = (1.0, 1e-2, 1e-4, 1e-6, 1e-8)
"""First steps to try, in parts of a tenth of the argument: what the function's own scale is nobody says."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    gradient: Callable[..., Any] | None = None,
    *,
    rtol: float = 1e-7,
    atol: float = 1e-9,
    raise_exception: bool = True,
) -> bool:
    """Whether ``gradient(*inputs)`` is the derivative of ``func(*inputs)``.

    ``inputs``: an array or a tuple of them, real. ``func`` returns one number or array, of shape S; ``gradient`` one
    array of shape (*S, *input.shape) for each input. Without ``gradient`` the derivatives that tracing gives are
    compared with differences. Agreement is |claimed - true| <= atol + rtol*|true|, plus the estimated error of
    differences where those are needed: where they tell less than three digits, nothing is said but an error.

    Returns True, or raises RuntimeError (also a GradError, exit code 1) that names the first number that is wrong;
    with ``raise_exception`` False returns False instead.
    """
    if not callable(func):
        raise BadType(f"func is a function, not {type(func).__name__}")
    arrays = _arrays(inputs)
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
        claimed, kind = _claimed(gradient, arrays), "claimed"
        true, error = _differences(func, arrays, exact is not None)
        if exact is not None and _first_wrong(exact, true, error, 1e-4, 1e-7, "") is None:
            # Only where the trace is the function's: part of it may have left the tensors.
            true, error = exact, [np.zeros(())] * len(exact)
    wrong = _first_wrong(claimed, true, error, rtol, atol, kind)
    if wrong is not None and raise_exception:
        raise Refused(wrong, exit_code=1)
    return wrong is None


def _arrays(inputs: Any) -> list[Array]:
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    found = [array_of(x.numpy() if isinstance(x, Tensor) else x) for x in given]
    for k, a in enumerate(found):
        if a.dtype != F64:
            raise BadType(f"inputs[{k}] is of dtype {a.dtype}: gradcheck needs float64")
    return found


def _claimed(gradient: Callable[..., Any], arrays: Sequence[Array]) -> list[Array]:
    given = gradient(*[a.copy() for a in arrays])
    several = isinstance(given, (tuple, list)) and len(arrays) > 1
    return [_real(g, "the gradient") for g in (given if several else [given])]


def _real(found: Any, what: str) -> Array:
    array = array_of(found.numpy() if isinstance(found, Tensor) else found)
    if array.dtype.kind == "c":
        raise BadType(f"{what} is complex: gradcheck is of real functions")
    return array.astype(F64)


def _traced(func: Callable[..., Any], arrays: Sequence[Array]) -> list[Array] | None:
    """The exact Jacobians, None where the function does not run on tensors or leaves them."""
    xs = tuple([tensor(a) for a in arrays])
    try:
        y = func(*xs)
    except (GradError, TypeError, ValueError, AttributeError, IndexError):
        # Whatever a function does that tensors cannot: it has its arrays.
        return None
    if not isinstance(y, Tensor) or not y.requires_grad or y.dtype.kind == "c":
        return None
    return [j.numpy() for j in jacobian(func, xs)]


def _differences(func: Callable[..., Any], arrays: Sequence[Array], tensors: bool) -> tuple[list[Array], list[Array]]:
    """The Jacobians by extrapolated central differences, and the estimated error of each entry."""

    def value(given: Sequence[Array]) -> Array:
        with np.errstate(all="ignore"):
            return _real(func(*[tensor(a, requires_grad=False) if tensors else a for a in given]), "the function")

    here = value([a.copy() for a in arrays])
    if not np.array_equal(here, value([a.copy() for a in arrays]), equal_nan=True):
        raise BadValue("the function gives another answer at every call: it has no derivative to compare with")

    def at(k: int, place: tuple[int, ...], step: float) -> Array:
        moved = [a.copy() for a in arrays]
        moved[k][place] += step
        try:
            return value(moved)
        except (ValueError, ArithmeticError):
            # A step may leave the domain.
            return np.full(here.shape, np.nan)

    found, errors = [], []
    for k, a in enumerate(arrays):
        slopes, doubts = np.zeros((*here.shape, *a.shape)), np.zeros((*here.shape, *a.shape))
        for place in np.ndindex(a.shape):
            slope = partial(_central, at, k, place)
            slopes[(..., *place)], doubts[(..., *place)] = _ridders(slope, abs(float(a[place])))
        found.append(slopes)
        errors.append(doubts)
    return found, errors


def _central(at: Callable[..., Array], k: int, place: tuple[int, ...], step: float) -> Array:
    difference: Array = at(k, place, step) - at(k, place, -step)
    return difference / (2 * step)


def _ridders(slope: Callable[[float], Array], size: float) -> tuple[Array, Array]:
    """The limit of ``slope(h)`` for h to 0, and an estimate of its error: the best of several sequences of steps."""
    best = error = None
    for start in _STARTS:
        found, doubt = _extrapolated(slope, start * 0.1 * max(size, 0.1))
        if best is None or error is None:
            best, error = found, doubt
        else:
            better = doubt < error
            best, error = np.where(better, found, best), np.where(better, doubt, error)
        if np.all(error <= 1e-11 * np.abs(best) + 1e-300):
            break
    assert best is not None and error is not None
    return best, error


def _extrapolated(slope: Callable[[float], Array], h: float) -> tuple[Array, Array]:
    before = [slope(h)]
    best, error = before[0], np.full(np.shape(before[0]), np.inf)
    with np.errstate(all="ignore"):
        for _ in range(1, _ROWS):
            h /= _SHRINK
            row = [slope(h)]
            factor = 1.0
            for older in before:
                factor *= _SHRINK**2
                row.append((factor * row[-1] - older) / (factor - 1))
                off = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - older))
                better = off < error
                best, error = np.where(better, row[-1], best), np.where(better, off, error)
            before = row
    return best, error


def _first_wrong(
    claimed: Sequence[Array], true: Sequence[Array], error: Sequence[Array], rtol: float, atol: float, kind: str
) -> str | None:
    if len(claimed) != len(true):
        raise BadValue(f"{len(true)} inputs, but {len(claimed)} gradients")
    for k, (c, t, e) in enumerate(zip(claimed, true, error, strict=True)):
        if c.shape != t.shape:
            raise BadValue(f"the gradient by inputs[{k}] has the shape {c.shape}, not {t.shape}")
        with np.errstate(invalid="ignore"):
            unknown = np.broadcast_to(~(e <= atol + 1e-3 * np.abs(t)), c.shape)
            off = ~((np.abs(c - t) <= atol + rtol * np.abs(t) + 10 * e) | (c == t) | (np.isnan(c) & np.isnan(t)))
        if kind and unknown.any():
            place = tuple(int(i) for i in np.argwhere(unknown)[0])
            raise BadValue(
                f"differences of the function do not settle at {place} of inputs[{k}]: its gradient stays unknown",
                hint="choose a point where the function is smooth",
            )
        if off.any():
            place = tuple(int(i) for i in np.argwhere(off)[0])
            return (
                f"the gradient by inputs[{k}] is wrong in {int(off.sum())} of {off.size} entries: at {place} "
                f"it is {kind} as {float(c[place])!r}, but is {float(t[place])!r}"
            )
    return None
