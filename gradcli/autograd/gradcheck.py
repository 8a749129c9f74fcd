"""`gradcheck`, a test of a gradient that a user wrote.

The gradient is compared with exact derivatives if the function can be traced, otherwise with extrapolated differences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.autograd.errors import Refused
from gradcli.autograd.functional import several
from gradcli.autograd.gradcheck_truth import (
    dependence,
    differences,
    real,
    slopes,
    traced,
    traced_slopes,
    widened,
)
from gradcli.autograd.operations import lift
from gradcli.autograd.values import F64, Array, array_of
from gradcli.errors import BadType, BadValue


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
    ``func`` returns one number or array, of shape S; it is called with tensors, and with arrays where it does not run
    on these. ``gradient`` is called with arrays, and returns an array of shape (*S, *input.shape) for each input, in a
    tuple or list, in units of the function per unit of the input. ``elementwise``: each element of the function depends
    on the elements of the inputs in its place alone, as NumPy broadcasts them; a gradient then is the slope at each
    element, of shape S or one that broadcasts to it, and all other derivatives are claimed to be 0. Without
    ``gradient``, the derivatives of the traced function are compared with differences. ``rtol``, ``atol``: the gradient
    agrees if |claimed - true| <= atol + rtol*|true|, plus ten times the estimated error if ``true`` comes from
    differences.

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
    arrays = _arrays(list(inputs) if several(inputs) else [inputs])
    wrong = None
    if gradient is None:
        exact = traced(func, arrays)
        if exact is None:
            raise BadType(
                "the function cannot be traced: give its gradient too",
                hint="tracing needs a Tensor made of the arguments as its answer",
            )
        claimed, kind = exact, "traced"
        true, error = differences(func, arrays, True)
    else:
        claimed, kind = _claimed(gradient, arrays, several(inputs)), "claimed"
        wide = widened(func, arrays, claimed) if elementwise else None
        if wide is not None:
            claimed = [np.broadcast_to(c, wide[0].shape) for c in claimed]
            exact = traced_slopes(func, wide)
            true, error = slopes(func, wide, exact is not None)
            wrong = dependence(func, wide, true, exact is not None)
        else:
            exact = traced(func, arrays)
            true, error = differences(func, arrays, exact is not None)
        if exact is not None and _first_wrong(exact, true, error, 1e-4, 1e-7, "") is None:
            # Use the traced derivative only if it agrees with differences: parts of the function may have left the
            # tensors, as by x.item().
            true, error = exact, [np.zeros(())] * len(exact)
    wrong = wrong or _first_wrong(claimed, true, error, rtol, atol, kind)
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
    return [real(g, "the gradient") for g in (returned if each else [returned])]


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
            hint = "a slope for each element: elementwise=True" if c.shape * 2 == t.shape else None
            raise BadValue(f"the gradient by inputs[{k}] has the shape {c.shape}, not {t.shape}", hint=hint)
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
