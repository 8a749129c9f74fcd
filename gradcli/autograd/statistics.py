"""Statistics on tensors beyond means and deviations: averages with weights, medians and quantiles, and those that skip
nan.

The gradient of a quantile goes to the elements between which it lies, that of what skips nan only to the others.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod as product
from typing import Any

import numpy as np

from gradcli.autograd import reduction_ops as reductions
from gradcli.autograd.errors import BadType, BadValue
from gradcli.autograd.operations import cast, lift
from gradcli.autograd.rearrange import arrays, by_name, sort
from gradcli.autograd.selection_ops import is_nan, where
from gradcli.autograd.shape_ops import axis_of, concatenate, expand, getitem, number, reduced, reshape, sum_, transpose
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, Axis

Call = Callable[..., Any]


def average(a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, keepdims: bool = False) -> Any:
    """The average over some axes with weights: sum(a*w)/sum(w); the mean without.

    ``weights``: of the shape of ``a``, or of the lengths of the axes. ``returned``: also the sum of the weights.

    >>> np.average(tensor([1.0, 4.0], requires_grad=False), weights=[2, 1])
    tensor(2.)
    """
    x = number(a)
    axes, shape, _ = reduced(x, axis, keepdims)
    if weights is None:
        result, sums = reductions.mean(x, axes, keepdims), lift(float(product(x.shape[k] for k in axes)))
    else:
        w = number(weights)
        if w.shape != x.shape:
            if w.shape != tuple([x.shape[k] for k in axes]):
                raise BadValue(f"average: weights of shape {w.shape} for a tensor of shape {x.shape} over axes {axes}")
            order = sorted(range(w.ndim), key=lambda k: axes[k])
            lengths = [x.shape[k] if k in axes else 1 for k in range(x.ndim)]
            w = expand(reshape(transpose(w, order), lengths), x.shape)
        sums = sum_(w, axes, keepdims)
        result = sum_(x * w, axes, keepdims) / sums
    return (result, expand(sums, shape)) if returned else result


# Quantiles.


def _in_order(a: Any, axis: Axis, name: str) -> tuple[Tensor, tuple[int, ...], Tensor]:
    """The elements over some axes in ascending order along a new first axis, the axes, and which have nan."""
    x = number(a)
    if x.dtype is C128:
        raise BadType("complex numbers have no order", hint="compare their real parts or absolute values")
    axes, shape, _ = reduced(x, axis, False)
    others = [k for k in range(x.ndim) if k not in axes]
    n = product(x.shape[k] for k in axes)
    if not n:
        raise BadValue(f"{name} of no elements has no value: the shape is {x.shape}")
    x = sort(reshape(transpose(x, (*axes, *others)), (n, *shape)), 0)
    # nan is sorted last.
    return x, axes, is_nan(x[n - 1])


def median(a: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The median over some axes, the mean of the two middle elements of an even number; nan if any is nan.

    Its gradient goes to the middle elements.

    >>> np.median(tensor([5.0, 1.0, 2.0], requires_grad=False))
    tensor(2.)
    """
    x, axes, missing = _in_order(a, axis, "median")
    n = x.shape[0]
    middle = x[n // 2] if n % 2 else (x[n // 2 - 1] + x[n // 2]) / 2
    return _kept(where(missing, x[n - 1], middle), lift(a), axes, keepdims)


def _kept(y: Tensor, x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    return reshape(y, [1 if k in axes else n for k, n in enumerate(x.shape)]) if keepdims else y


def quantile(a: Any, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The quantiles of the fractions q, from 0 to 1, over some axes, interpolated linearly; nan if any element is nan.

    An array of fractions gives its shape as first axes. Other methods than "linear" are refused.

    >>> np.quantile(tensor([1.0, 2.0, 4.0], requires_grad=False), [0.5, 0.75])
    tensor([2., 3.])
    """
    (fractions,) = arrays([q])
    fractions = np.asarray(fractions, float)
    if method != "linear":
        raise BadValue(f"the quantile of a tensor is interpolated linearly: method={method!r} is not")
    if not np.all((fractions >= 0) & (fractions <= 1)):
        raise BadValue("quantiles are of fractions from 0 to 1, and percentiles of numbers from 0 to 100")
    x, axes, missing = _in_order(a, axis, "a quantile")
    place = fractions.ravel() * (x.shape[0] - 1)
    below = np.floor(place).astype(int)
    share = np.reshape(place - below, (-1, *[1] * (x.ndim - 1)))
    low, high = getitem(x, below), getitem(x, np.minimum(below + 1, x.shape[0] - 1))
    # From the nearer end, as NumPy does: both ends are met exactly.
    step = high - low
    between = where(share < 0.5, low + step * share, high - step * (1 - share))
    y = where(missing, x[x.shape[0] - 1], where(high == low, low, between))
    kept = [1 if k in axes else n for k, n in enumerate(lift(a).shape)] if keepdims else x.shape[1:]
    return reshape(y, (*fractions.shape, *kept))


def percentile(a: Any, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The quantiles of the percentages q, from 0 to 100: see `quantile`."""
    (percentages,) = arrays([q])
    return quantile(a, np.asarray(percentages, float) / 100, axis, method=method, keepdims=keepdims)


def ptp(a: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The greatest element less the least, over some axes."""
    x = lift(a)
    greatest, least = (reductions.extreme(x, axis, keepdims, which) for which in ("max", "min"))
    return greatest - least


# Without nan.


def _instead(a: Any, number_of_nan: float) -> tuple[Tensor, Tensor]:
    """The elements with nan replaced, and where they are none."""
    x = number(a)
    missing = is_nan(x)
    return where(missing, number_of_nan, x), ~missing


def nansum(a: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over some axes, of the elements that are no nan."""
    return sum_(_instead(a, 0.0)[0], axis, keepdims)


def nanprod(a: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product over some axes, of the elements that are no nan."""
    return reductions.prod(_instead(a, 1.0)[0], axis, keepdims)


def nancumsum(a: Any, axis: int | None = None) -> Tensor:
    """The cumulative sum along an axis, with 0 in place of nan."""
    return reductions.cumsum(_instead(a, 0.0)[0], axis)


def nanmean(a: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean over some axes, of the elements that are no nan; nan where all are."""
    x, there = _instead(a, 0.0)
    return sum_(x, axis, keepdims) / sum_(cast(there, x.dtype), axis, keepdims)


def nanvar(a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """The variance over some axes, of the elements that are no nan: the sum of squares of their deviations, divided by
    their number less ddof.
    """
    x, there = _instead(a, 0.0)
    if x.dtype is C128:
        raise BadType("nanvar of a tensor is of real numbers", hint="add those of np.real(z) and np.imag(z)")
    axes, shape, _ = reduced(x, axis, keepdims)
    n = sum_(cast(there, x.dtype), axes, True)
    deviation = where(there, x - sum_(x, axes, True) / n, 0.0)
    free = n - ddof
    variance = sum_(deviation * deviation, axes, True) / where(free > 0, free, np.nan)
    return reshape(variance, shape)


def nanstd(a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """The standard deviation over some axes, of the elements that are no nan; its gradient is 0 where it is 0."""
    v = nanvar(a, axis, ddof, keepdims)
    return where(v == 0, 0.0, v**0.5)


def _nanextreme(which: str, least: float) -> Call:
    def function(a: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
        x, there = _instead(a, least)
        y = reductions.extreme(x, axis, keepdims, which)
        # Of nan alone the result is nan, not the number in its place.
        return where(sum_(cast(there, x.dtype), axis, keepdims) == 0, np.nan, y)

    return function


# Cumulative products.


def cumprod(a: Any, axis: int | None = None) -> Tensor:
    """The cumulative product along an axis, or of the flattened tensor; its derivatives are right where factors are 0.

    The products of 2, 4, 8 ... neighbors are multiplied (W. Hillis and G. Steele, Comm. ACM 29, 1986, 1170-1183).

    >>> np.cumprod(tensor([1.0, 2.0, 3.0], requires_grad=False))
    tensor([1., 2., 6.])
    """
    x = number(a)
    if axis is None:
        x, axis = reshape(x, -1), 0
    before = (slice(None),) * axis_of(axis, x.ndim)
    n, step = x.shape[len(before)], 1
    while step < n:
        products = getitem(x, (*before, slice(step, None))) * getitem(x, (*before, slice(None, -step)))
        x = concatenate([getitem(x, (*before, slice(step))), products], len(before))
        step *= 2
    return x


def _with_start(f: Call, start: float) -> Call:
    """A cumulative function by the arguments of the array API."""

    def function(x: Any, *, axis: int | None = None, include_initial: bool = False) -> Tensor:
        x = number(x)
        if axis is None:
            if x.ndim != 1:
                raise BadValue(f"a tensor of shape {x.shape} needs an axis")
            axis = 0
        y: Tensor = f(x, axis)
        if not include_initial:
            return y
        position = axis_of(axis, x.ndim)
        one = cast(lift(start), x.dtype)
        first = expand(one, (*x.shape[:position], 1, *x.shape[position + 1 :]))
        return concatenate([first, y], position)

    return function


FUNCTIONS: dict[Any, Call] = {
    np.average: average, np.median: median, np.quantile: quantile, np.percentile: percentile, np.ptp: ptp,
    np.nansum: nansum, np.nanprod: nanprod, np.nancumsum: nancumsum, np.nanmean: nanmean,
    np.nanvar: nanvar, np.nanstd: nanstd,
    np.nanmax: _nanextreme("max", -np.inf), np.nanmin: _nanextreme("min", np.inf), np.cumprod: cumprod,
    **by_name(
        np, cumulative_sum=_with_start(reductions.cumsum, 0.0), cumulative_prod=_with_start(cumprod, 1.0),
    ),
}  # fmt: skip
