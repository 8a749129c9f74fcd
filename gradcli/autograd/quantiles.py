"""Medians and quantiles of tensors, with and without nan.

The gradient of a quantile goes to the two elements between which it lies, and to its fraction the slope between them.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod as product
from typing import Any

import numpy as np

from gradcli.autograd.operations import cast
from gradcli.autograd.rearrange import rearranged, sort
from gradcli.autograd.selection_ops import where
from gradcli.autograd.shape_ops import number, reduced, reshape, transpose
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, F64, Array, Axis, Shape
from gradcli.errors import BadType, BadValue

Call = Callable[..., Any]


def _in_order(a: Any, axis: Axis, keepdims: bool, skip: bool) -> tuple[Tensor, Array, Shape]:
    """The elements over some axes in ascending order along a new first axis, how many of them count, and the shape of
    a reduction.

    None count where one is nan, or, with ``skip``, the others.
    """
    x = number(a)
    if x.dtype is C128:
        raise BadType("complex numbers have no order", hint="compare their real parts or absolute values")
    axes, shape, _ = reduced(x, axis, keepdims)
    others = [k for k in range(x.ndim) if k not in axes]
    n = product(x.shape[k] for k in axes)
    if not n:
        raise BadValue(f"a quantile of no elements has no value: the shape is {x.shape}")
    x = sort(reshape(transpose(x, (*axes, *others)), (n, *[x.shape[k] for k in others])), 0)
    missing = np.isnan(x.detach().numpy()).sum(0)
    return x, n - missing if skip else np.where(missing > 0, 0, n), shape


_along = rearranged(np.take_along_axis)


def _median(a: Any, axis: Axis, keepdims: bool, skip: bool) -> Tensor:
    x, count, shape = _in_order(a, axis, keepdims, skip)
    middle = np.maximum(count - 1, 0)
    low, high = (_along(x, k[np.newaxis], 0) for k in (middle // 2, (middle + 1) // 2))
    y = where(count % 2 == 1, low, where(count == 0, np.nan, (low + high) / 2.0))
    return reshape(y, shape)


def median(a: Any, axis: Axis = None, overwrite_input: bool = False, keepdims: bool = False) -> Tensor:
    """The median over some axes, the mean of the two middle elements of an even number; nan if any is nan.

    >>> np.median(tensor([5.0, 1.0, 2.0], requires_grad=False))
    tensor(2.)
    """
    return _median(a, axis, keepdims, skip=False)


def nanmedian(a: Any, axis: Axis = None, overwrite_input: bool = False, keepdims: bool = False) -> Tensor:
    """The median over some axes of the elements that are no nan; nan where all are.

    >>> np.nanmedian(tensor([5.0, np.nan, 2.0], requires_grad=False))
    tensor(3.5)
    """
    return _median(a, axis, keepdims, skip=True)


def _quantile(a: Any, q: Tensor, axis: Axis, method: str, keepdims: bool, skip: bool) -> Tensor:
    if method != "linear":
        raise BadValue(f"the quantile of a tensor is interpolated linearly: method={method!r:.40} is not")
    fractions = q.detach().numpy()
    if not np.all((fractions >= 0) & (fractions <= 1)):
        raise BadValue("quantiles are of fractions from 0 to 1, and percentiles of numbers from 0 to 100")
    x, count, shape = _in_order(a, axis, keepdims, skip)
    last = np.maximum(count - 1, 0)
    place = reshape(q, (-1, *[1] * last.ndim)) * last
    below = np.floor(place.detach().numpy()).astype(int)
    share = cast(place - below, x.dtype)
    low, high = _along(x, below, 0), _along(x, np.minimum(below + 1, last), 0)
    # From the nearer end, as NumPy does: both ends are met exactly.
    step = high - low
    between = where(share < 0.5, low + step * share, high - step * (1.0 - share))
    y = where(count == 0, np.nan, where(high == low, low, between))
    return reshape(y, (*fractions.shape, *shape))


def quantile(
    a: Any, q: Any, axis: Axis = None, *, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """The quantiles of the fractions q, from 0 to 1, over some axes, interpolated linearly; nan if any element is nan.

    An array q gives its shape as first axes. Raises ValueError for another method than "linear".

    >>> np.quantile(tensor([1.0, 2.0, 4.0], requires_grad=False), [0.5, 0.75])
    tensor([2., 3.])
    """
    return _quantile(a, cast(number(q), F64), axis, method, keepdims, skip=False)


def nanquantile(
    a: Any, q: Any, axis: Axis = None, *, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """The quantiles, as `quantile` gives them, of the elements that are no nan; nan where all are.

    >>> np.nanquantile(tensor([1.0, np.nan, 4.0], requires_grad=False), 0.25)
    tensor(1.75)
    """
    return _quantile(a, cast(number(q), F64), axis, method, keepdims, skip=True)


def percentile(
    a: Any, q: Any, axis: Axis = None, *, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """The `quantile` of the percentages q, from 0 to 100."""
    return _quantile(a, cast(number(q), F64) / 100, axis, method, keepdims, skip=False)


def nanpercentile(
    a: Any, q: Any, axis: Axis = None, *, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """The `nanquantile` of the percentages q, from 0 to 100."""
    return _quantile(a, cast(number(q), F64) / 100, axis, method, keepdims, skip=True)


FUNCTIONS: dict[Any, Call] = {
    np.median: median, np.nanmedian: nanmedian, np.quantile: quantile, np.nanquantile: nanquantile,
    np.percentile: percentile, np.nanpercentile: nanpercentile,
}  # fmt: skip
