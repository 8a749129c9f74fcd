"""Points between two ends, and powers and polynomials at points, on tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.autograd.nesting import holds_tensor
from gradcli.autograd.operations import cast, lift
from gradcli.autograd.rearrange import reordered
from gradcli.autograd.selection_ops import where
from gradcli.autograd.shape_ops import expand, getitem, number, one_dtype, reshape, stack
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128
from gradcli.errors import BadType, BadValue

Call = Callable[..., Any]

# Points.


def linspace(start: Any, stop: Any, num: Any = 50, endpoint: bool = True, retstep: bool = False, axis: int = 0) -> Any:
    """``num`` points in equal steps from ``start`` to ``stop``, along a new axis; without the last if not ``endpoint``.

    ``retstep``: also the step.

    >>> np.linspace(tensor(0.0, requires_grad=False), 1, 3)
    tensor([0. , 0.5, 1. ])
    """
    if not isinstance(num, (int, np.integer)):
        raise BadType(f"linspace: the number of points is an integer, not {num!r:.40}")
    if num < 0:
        raise BadValue(f"linspace: the number of points must not be negative, it is {num}")
    first, last = one_dtype([number(start), number(stop)])
    steps = num - 1 if endpoint else num
    distance = last - first
    step = distance / float(steps) if steps > 0 else distance * np.nan
    numbers = cast(lift(np.arange(num).reshape(-1, *[1] * distance.ndim)), distance.dtype)
    y = first + (step * numbers if steps > 0 else distance * numbers)
    if endpoint and num > 1:
        # The last point is the end itself, free of rounding.
        y = where(numbers == num - 1, last, y)
    y = reordered(np.moveaxis)(y, 0, axis)
    return (y, step) if retstep else y


def logspace(start: Any, stop: Any, num: Any = 50, endpoint: bool = True, base: Any = 10.0, axis: int = 0) -> Tensor:
    """The powers of ``base`` whose exponents are `linspace` of the other arguments."""
    result: Tensor = base ** linspace(start, stop, num, endpoint, axis=axis)
    return result


def geomspace(start: Any, stop: Any, num: Any = 50, endpoint: bool = True, axis: int = 0) -> Tensor:
    """Points from ``start`` to ``stop`` whose neighbors have one ratio; real ends must have one sign."""
    first, last = one_dtype([number(start), number(stop)])
    if first.dtype is not C128 and not np.all((first.detach() * last.detach()).numpy() > 0):
        raise BadValue("geomspace: the ends are of different signs, or 0")
    share = linspace(lift(0.0, first), 1.0, num, endpoint)
    share = reshape(share, (-1, *[1] * max(first.ndim, last.ndim)))
    points = where(share == 1.0, last, first * (last / first) ** share)
    return reordered(np.moveaxis)(points, 0, axis)  # type: ignore[no-any-return]


# Powers.


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    """The matrix whose columns are the powers of a vector, from the highest, N - 1, to 0; the other way round if
    ``increasing``.
    """
    x = number(x)
    n = x.size if N is None else N
    if x.ndim != 1 or not isinstance(n, (int, np.integer)) or n < 0:
        raise BadValue("vander: a vector and a number of columns are needed")
    if not n:
        return getitem(x, (slice(None), None))[:, :0]
    powers = [x**k for k in range(int(n))]
    return stack(powers if increasing else powers[::-1], -1)


def polyval(p: Any, x: Any) -> Tensor:
    """The value at x of the polynomial with the coefficients p, the highest power first, by Horner's scheme.

    >>> np.polyval([1, 0, 2], tensor(3.0, requires_grad=False))
    tensor(11.)
    """
    x = number(x)
    first, *others = list(number(p)) if holds_tensor(p) else np.asarray(p).tolist() or [0.0]
    y = expand(lift(first, x), x.shape)
    for c in others:
        y = y * x + c
    return y


FUNCTIONS: dict[Any, Call] = {
    np.linspace: linspace, np.logspace: logspace, np.geomspace: geomspace, np.vander: vander, np.polyval: polyval,
}  # fmt: skip
