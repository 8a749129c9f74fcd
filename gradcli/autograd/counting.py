"""NumPy's functions that sort elements out: the distinct ones, and sums by class."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.autograd.operations import cast, lift
from gradcli.autograd.shape_ops import expand, getitem, index_item, put, reshape
from gradcli.autograd.tensor import Tensor
from gradcli.errors import BadType, BadValue


def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, **options: Any,
) -> Any:  # fmt: skip
    """The distinct elements in ascending order, or the distinct slices along an axis, and what NumPy returns with them.

    The elements are a tensor, each the first of its equals, to which its gradient goes; indices, inverse and counts are
    arrays of integers.

    >>> x = tensor([3.0, 1.0, 3.0])
    >>> np.unique(x, return_counts=True)
    (tensor([1., 3.], requires_grad=True), array([1, 2]))
    """
    x = lift(ar)
    sort_out: Any = np.unique
    _, first, *rest = sort_out(x.detach().numpy(), True, return_inverse, return_counts, axis, **options)
    if axis is None:
        values = getitem(reshape(x, -1), first)
    else:
        values = getitem(x, (*[slice(None)] * (axis % x.ndim), first))
    more = ([first] if return_index else []) + rest
    return (values, *more) if more else values


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """The number of times that each integer from 0 occurs in x, or the sums of ``weights`` by these integers.

    >>> np.bincount([0, 2, 2], tensor([1.0, 2.0, 3.0]))
    tensor([1., 0., 5.], requires_grad=True)
    """
    classes = index_item(x)
    counts = np.bincount(classes, minlength=minlength)
    if weights is None:
        return counts
    w = lift(weights)
    if w.shape != classes.shape:
        raise BadValue(f"bincount: {classes.size} integers and weights of shape {w.shape}")
    return put(w, (classes,), counts.shape, False)


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None
) -> Tensor:
    """``fill_value`` in the shape and dtype of ``a``, or in another shape."""
    if dtype is not None:
        raise BadType("np.full_like of a tensor keeps its dtype", hint="use .astype on the result")
    x = lift(a)
    target = x.shape if shape is None else tuple(shape) if isinstance(shape, (tuple, list)) else (int(shape),)
    return expand(cast(lift(fill_value), x.dtype), target)


FUNCTIONS: dict[Any, Any] = {np.unique: unique, np.bincount: bincount, np.full_like: full_like}
