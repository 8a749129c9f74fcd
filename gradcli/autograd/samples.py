"""Functions of sampled functions, on tensors: differences, integrals, interpolation and convolution.

All are combinations of operations with rules of their own; only a convolution has a rule: its adjoint in one argument
is a convolution with the other one, reversed and conjugated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.autograd.complex_ops import conj
from gradcli.autograd.operations import Primitive, lift, record
from gradcli.autograd.rearrange import by_name
from gradcli.autograd.selection_ops import where
from gradcli.autograd.shape_ops import (  # fmt: skip
    any_,
    axis_of,
    concatenate,
    expand,
    flip,
    getitem,
    number,
    one_dtype,
    reshape,
    sum_,
)
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128
from gradcli.errors import BadType, BadValue

Call = Callable[..., Any]


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """The integral along an axis by the trapezoidal rule, of samples at ``x``, or ``dx`` apart.

    The unit is that of y times that of x.

    >>> trapezoid(tensor([1.0, 2.0, 3.0], requires_grad=False))
    tensor(4.)
    """
    y = number(y)
    position = axis_of(axis, y.ndim)
    before = (slice(None),) * position
    if x is None:
        d = lift(dx, y)
    else:
        x = number(x)
        if x.ndim == 1:
            d = reshape(x[1:] - x[:-1], (-1, *[1] * (y.ndim - position - 1)))
        else:
            at = (slice(None),) * axis_of(axis, x.ndim)
            d = x[(*at, slice(1, None))] - x[(*at, slice(None, -1))]
    both = y[(*before, slice(1, None))] + y[(*before, slice(None, -1))]
    return sum_(d * both / 2.0, axis)


# Differences.


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """The derivative of samples along each axis by differences: central inside, one-sided ones of
    ``edge_order`` at the ends.

    ``varargs``: the distance of neighbors, or their coordinates, for all axes or for each. One tensor for one axis, a
    list of them for several. See B. Fornberg, Math. Comp. 51, 1988, 699-706, for unequal distances.

    >>> np.gradient(tensor([1.0, 4.0, 9.0], requires_grad=False))
    tensor([3., 4., 5.])
    """
    f = number(f)
    axes = range(f.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else [axis]
    positions = [axis_of(k, f.ndim) for k in axes]
    if edge_order not in (1, 2):
        raise BadValue(f"gradient: edge_order is 1 or 2, not {edge_order!r:.40}")
    if len(varargs) not in (0, 1, len(positions)):
        raise BadValue(f"gradient: {len(varargs)} distances for {len(positions)} axes")
    distances = varargs or (1.0,)
    if len(distances) == 1:
        distances *= len(positions)
    results = [_derivative(f, lift(d, f), k, edge_order) for d, k in zip(distances, positions, strict=True)]
    return results[0] if len(positions) == 1 else results


def _derivative(f: Tensor, distance: Tensor, axis: int, order: int) -> Tensor:
    """The derivative along an axis, by weights of three neighbors, of two at ends of order 1."""
    n = f.shape[axis]
    if n < order + 1:
        raise BadValue(f"gradient: axis {axis} has {n} elements: at least {order + 1} are needed")
    if distance.ndim > 1 or (distance.ndim == 1 and distance.shape[0] != n):
        raise BadValue(f"gradient: distances of shape {distance.shape} along an axis of {n} elements")
    before = (slice(None),) * axis
    if distance.ndim:
        h = distance[1:] - distance[:-1]
        if bool(np.all(h.detach().numpy() == h.detach().numpy()[0])):
            h = h[:1]
    else:
        h = reshape(distance, (1,))
    equal = h.shape[0] == 1

    def part(start: int, stop: int | None) -> Tensor:
        return getitem(f, (*before, slice(start, stop)))

    def gap(start: int, stop: int | None) -> Tensor:
        own = h if equal else h[start:stop]
        return reshape(own, (-1, *[1] * (f.ndim - axis - 1)))

    left, right = gap(0, -1), gap(1, None)
    if equal:
        inside = (part(2, None) - part(0, -2)) / (2.0 * left) if n > 2 else None
    else:
        both = left + right
        inside = (
            part(0, -2) * (-right / (left * both))
            + part(1, -1) * ((right - left) / (left * right))
            + part(2, None) * (left / (right * both))
        )
    if order == 1:
        first = (part(1, 2) - part(0, 1)) / gap(0, 1)
        last = (part(n - 1, None) - part(n - 2, n - 1)) / gap(-1, None)
    else:
        a, b = gap(0, 1), gap(0 if equal else 1, 1 if equal else 2)
        first = part(0, 1) * -((2.0 * a + b) / (a * (a + b))) + part(1, 2) * ((a + b) / (a * b))
        first = first - part(2, 3) * (a / (b * (a + b)))
        a, b = gap(-1 if equal else -2, None if equal else -1), gap(-1, None)
        last = part(n - 3, n - 2) * (b / (a * (a + b))) - part(n - 2, n - 1) * ((b + a) / (a * b))
        last = last + part(n - 1, None) * ((2.0 * b + a) / (b * (a + b)))
    return concatenate([t for t in (first, inside, last) if t is not None], axis)


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Tensor:
    """The differences of neighbors in the flattened tensor, with ``to_begin`` before and ``to_end`` after them."""
    x = reshape(number(ary), -1)
    parts = [to_begin, x[1:] - x[:-1], to_end]
    return concatenate([reshape(lift(t, x), -1) for t in parts if t is not None])


def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Tensor:
    """The elements with multiples of the period added, so that neighbors differ by half a period at most."""
    x = number(p)
    values = x.detach().numpy()
    result: Tensor = x + (np.unwrap(values, discont, axis, period=period) - values)
    return result


# Interpolation.


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Tensor:
    """The values at x of the polygon through the points (xp, fp), whose xp ascend; ``left`` and ``right`` of them the
    values of its ends by default.

    Can be differentiated by all three. At a corner the slope is that to its right. A period is refused.

    >>> np.interp(tensor([0.5, 3.0], requires_grad=False), [0, 1], [10, 20])
    tensor([15., 20.])
    """
    if period is not None:
        raise BadValue("interp of a tensor takes no period=")
    x, xp, fp = number(x), number(xp), number(fp)
    if x.dtype is C128 or xp.dtype is C128:
        raise BadType("complex numbers have no order", hint="interpolate at real numbers")
    if xp.ndim != 1 or fp.shape != xp.shape or not xp.size:
        raise BadValue(f"interp: xp and fp are vectors of one length, not of shapes {xp.shape} and {fp.shape}")
    n = xp.shape[0]
    places = x.detach().numpy()
    low, high = (fp[0] if left is None else left), (fp[n - 1] if right is None else right)
    if n == 1:
        inside = fp[0] + 0.0 * x
    else:
        k = np.clip(np.searchsorted(xp.detach().numpy(), places, "right") - 1, 0, n - 2)
        start, end = getitem(fp, k), getitem(fp, k + 1)
        inside = start + (end - start) / (getitem(xp, k + 1) - getitem(xp, k)) * (x - getitem(xp, k))
        inside = where(x == xp[n - 1], fp[n - 1], inside)
    return where(x < xp[0], low, where(x > xp[n - 1], high, inside))


# Convolutions.


def convolve(a: Any, v: Any, mode: Any = "full") -> Tensor:
    """The convolution of two vectors: sum over j of a[j] v[k - j].

    ``mode``: "full", all places where they overlap; "same", as many as the longer has, in the middle; "valid", where
    they overlap completely.

    >>> np.convolve(tensor([1.0, 2.0, 3.0], requires_grad=False), [0, 1, 0.5])
    tensor([0. , 1. , 2.5, 4. , 1.5])
    """
    a, v = one_dtype([number(a), number(v)])
    if a.ndim > 1 or v.ndim > 1 or not a.size or not v.size:
        raise BadValue(f"convolve: two vectors with elements are needed, not of shapes {a.shape} and {v.shape}")
    a, v = reshape(a, -1), reshape(v, -1)
    if v.shape[0] > a.shape[0]:
        a, v = v, a
    n, m = a.shape[0], v.shape[0]
    whole = _full(a, v)
    if mode == "full":
        return whole
    if mode == "valid":
        return whole[m - 1 : n]
    if mode == "same":
        return whole[(m - 1) // 2 : (m - 1) // 2 + n]
    raise BadValue(f"convolve: mode is 'full', 'same' or 'valid', not {mode!r:.40}")


def _full(a: Tensor, v: Tensor) -> Tensor:
    n, m = a.shape[0], v.shape[0]

    def rule(k: int, g: Tensor, y: Tensor, a: Tensor, v: Tensor) -> Tensor:
        other, start, length = (v, m - 1, n) if k == 0 else (a, n - 1, m)
        return getitem(_full(g, conj(flip(other))), slice(start, start + length))

    def alive(k: int, condition: Tensor, y: Tensor, a: Tensor, v: Tensor) -> Tensor:
        return expand(any_(condition, (0,)), (a, v)[k].shape)

    return record(Primitive("convolve", np.convolve, rule, alive=alive), (a, v), (n + m - 1,), a.dtype)


def correlate(a: Any, v: Any, mode: Any = "valid") -> Tensor:
    """The correlation of two vectors: sum over j of a[k + j] conj(v[j]); ``mode`` as for `convolve`.

    >>> np.correlate(tensor([1.0, 2.0, 3.0], requires_grad=False), [0, 1, 0.5])
    tensor([3.5])
    """
    a, v = one_dtype([number(a), number(v)])
    reverse = conj(flip(reshape(v, -1)))
    if v.size > a.size and mode == "same":
        # An even number of places has two middles; NumPy exchanges the vectors, and reverses the result.
        return flip(convolve(flip(reshape(a, -1)), flip(reverse), mode))
    return convolve(a, reverse, mode)


FUNCTIONS: dict[Any, Call] = {
    np.gradient: gradient, np.ediff1d: ediff1d, np.interp: interp, np.unwrap: unwrap,
    np.convolve: convolve, np.correlate: correlate, **by_name(np, trapezoid=trapezoid, trapz=trapezoid),
}  # fmt: skip
