"""Statistics on tensors beyond means and deviations: averages with weights, covariances, and those that skip nan.

The gradient of a statistic that skips nan is 0 there.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod as product
from typing import Any

import numpy as np

from gradcli.autograd import reduction_ops as reductions
from gradcli.autograd.complex_ops import conj, real
from gradcli.autograd.operations import Primitive, cast, lift, record
from gradcli.autograd.rearrange import by_name, diagonal
from gradcli.autograd.selection_ops import is_nan, where
from gradcli.autograd.shape_ops import (
    axis_of,
    concatenate,
    expand,
    expand_dims,
    flip,
    getitem,
    number,
    reduced,
    reshape,
    sum_,
    transpose,
)
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, Axis
from gradcli.errors import BadType, BadValue

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


def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, fweights: Any = None,
    aweights: Any = None,
) -> Tensor:  # fmt: skip
    """The covariances of variables in the rows of m and y, or in the columns if not ``rowvar``.

    The sums of products of deviations are divided by n - ddof, where n is the number of observations and ddof is 1 by
    default, 0 with ``bias``. ``fweights`` say how often each was observed; ``aweights`` are weights of any sum. Both
    may be tensors. The unit is the product of those of two variables; one variable gives a number.

    >>> np.cov(tensor([[1.0, 2.0], [0.0, 4.0]], requires_grad=False))
    tensor([[0.5, 2. ],
            [2. , 8. ]])
    """
    x = concatenate([_rows(number(v), rowvar) for v in (m, y) if v is not None])
    weights = [number(w) for w in (fweights, aweights) if w is not None]
    if any(w.shape != x.shape[1:] for w in weights):
        raise BadValue(f"cov: a weight for each of {x.shape[1]} observations is needed")
    w = weights[0] * weights[-1] if len(weights) == 2 else weights[0] if weights else lift(np.ones(x.shape[1]))
    n = sum_(w)
    less = float(ddof if ddof is not None else 0 if bias else 1)
    free = n - less * (1.0 if aweights is None else sum_(w * aweights) / n)
    deviation = x - sum_(x * w, 1, True) / n
    products = reductions.matmul(deviation * w, conj(transpose(deviation)))
    return reshape(products / free, () if x.shape[0] == 1 else products.shape)


def _rows(x: Tensor, rowvar: bool) -> Tensor:
    if x.ndim > 2:
        raise BadValue(f"cov: the variables are rows of a matrix, not of a tensor of shape {x.shape}")
    if x.ndim < 2:
        return reshape(x, (1, -1))
    return x if rowvar or x.shape[0] == 1 else transpose(x)


def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Tensor:
    """The correlation coefficients of variables in the rows of x and y, or in the columns if not ``rowvar``.

    Those of a variable with itself are 1 up to rounding.
    """
    c = cov(x, y, rowvar)
    if not c.shape:
        return c / c
    deviation = real(diagonal(c)) ** 0.5
    result: Tensor = c / expand_dims(deviation, 1) / deviation
    return result


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


def nancumprod(a: Any, axis: int | None = None) -> Tensor:
    """The cumulative product along an axis, with 1 in place of nan."""
    return cumprod(_instead(a, 1.0)[0], axis)


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

    If there are such, the products of 2, 4, 8 ... neighbors are multiplied (W. Hillis and G. Steele, Comm. ACM 29,
    1986, 1170-1183).

    >>> tensor([1.0, 2.0, 3.0], requires_grad=False).cumprod()
    tensor([1., 2., 6.])
    """
    x = number(a)
    if axis is None:
        x, axis = reshape(x, -1), 0
    position = axis_of(axis, x.ndim)
    y = np.cumprod(x.detach().numpy(), position)
    if np.all(y) and np.all(np.isfinite(y)):
        return record(_cumulative_product(position), (x,), x.shape, x.dtype)
    before = (slice(None),) * position
    n, step = x.shape[position], 1
    while step < n:
        products = getitem(x, (*before, slice(step, None))) * getitem(x, (*before, slice(None, -step)))
        x = concatenate([getitem(x, (*before, slice(step))), products], len(before))
        step *= 2
    return x


def _cumulative_product(axis: int) -> Primitive:
    """Cumulative products of factors that are not 0: the derivative of a product by a factor is the product divided by
    the factor.
    """

    def rule(k: int, g: Tensor, y: Tensor, x: Tensor) -> Tensor:
        result: Tensor = flip(reductions.cumsum(flip(g * conj(y), axis), axis), axis) / conj(x)
        return result

    return Primitive("cumprod", lambda a: np.cumprod(a, axis), rule, alive=reductions.from_place_on(axis))


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
    np.average: average, np.cov: cov, np.corrcoef: corrcoef, np.ptp: ptp,
    np.nansum: nansum, np.nanprod: nanprod, np.nancumsum: nancumsum, np.nancumprod: nancumprod, np.nanmean: nanmean,
    np.nanvar: nanvar, np.nanstd: nanstd,
    np.nanmax: _nanextreme("max", -np.inf), np.nanmin: _nanextreme("min", np.inf), np.cumprod: cumprod,
    **by_name(
        np, cumulative_sum=_with_start(reductions.cumsum, 0.0), cumulative_prod=_with_start(cumprod, 1.0),
    ),
}  # fmt: skip
