"""Reductions and products: means, deviations, norms, extremes, cumulative sums, matrix products.

Each has one rule, as in `shape_ops`; those that are combinations of other operations are written as such.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod as product
from typing import Any

import numpy as np

from gradcli.autograd import operations as graph
from gradcli.autograd.complex_ops import UNIT, conj, real
from gradcli.autograd.elementwise import row
from gradcli.autograd.operations import Primitive, apply, cast, lift, record
from gradcli.autograd.operators import binary
from gradcli.autograd.shape_ops import (  # fmt: skip
    any_,
    axis_of,
    concatenate,
    expand,
    expand_dims,
    flip,
    number,
    one_dtype,
    reduced,
    reshape,
    sum_,
    sum_to,
    swapped,
    total,
    transpose,
)
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import BOOL, C128, F32, F64, Axis, Shape
from gradcli.errors import BadType, BadValue

# Means and cumulative sums.


def _all_of(kept: Shape) -> Callable[..., Tensor]:
    """The ``alive`` of a reduction: every element that was reduced reaches the answer."""
    return lambda k, condition, y, x: expand(reshape(condition, kept), x.shape)


def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean over ``axis`` (an integer or a tuple, all axes by default); nan of no elements.

    >>> tensor([[1.0, 2.0], [3.0, 6.0]], requires_grad=False).mean(axis=0)
    tensor([2., 4.])
    """
    x = number(x)
    axes, shape, kept = reduced(x, axis, keepdims)
    n = float(product(x.shape[k] for k in axes) or np.nan)
    rule = lambda k, g, y, x: expand(reshape(g / n, kept), x.shape)  # noqa: E731
    compute = lambda a: (total(a, axes) / n).reshape(shape)  # noqa: E731
    op = Primitive("mean", compute, rule, linear=True, alive=_all_of(kept))
    return record(op, (x,), shape, x.dtype)


def var(x: Tensor, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
    """The variance over some axes: the sum of squared deviations from the mean, divided by n - ddof, in squared units.

    >>> tensor([1.0, 3.0], requires_grad=False).var(ddof=1)
    tensor(2.)
    """
    x = number(x)
    axes, _, _ = reduced(x, axis, keepdims)
    n = product(x.shape[k] for k in axes)
    if not isinstance(ddof, (int, float, np.number)):
        raise BadType(f"ddof is a number, not {ddof!r}")
    deviation = x - mean(x, axes, True)
    square = deviation * deviation if x.dtype is not C128 else real(deviation * conj(deviation))
    return sum_(square, axes, keepdims) / float(n - ddof if n > ddof else np.nan)


def std(x: Tensor, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
    """The standard deviation over some axes, the square root of `var`; its gradient is 0 where it is 0.

    >>> tensor([1.0, 3.0], requires_grad=False).std()
    tensor(1.)
    """
    v = var(x, axis, keepdims, ddof)
    return apply(_WHERE, v == 0, v.detach() * 0, apply(_SQRT, v))


def cumsum(x: Tensor, axis: int | None = None) -> Tensor:
    """The cumulative sum along an axis, or of the flattened tensor.

    >>> tensor([1, 2, 3], requires_grad=False).cumsum()
    tensor([1., 3., 6.])
    """
    x = number(x)
    if axis is None:
        x, axis = reshape(x, -1), 0
    position = axis_of(axis, x.ndim)

    def compute(a: Any) -> Any:
        return np.cumsum(a, position, dtype=F64 if a.dtype == F32 else None)

    rule = lambda k, g, y, x: flip(cumsum(flip(g, position), position), position)  # noqa: E731
    op = Primitive("cumsum", compute, rule, linear=True, alive=from_place_on(position))
    return record(op, (x,), x.shape, x.dtype)


def from_place_on(axis: int) -> Callable[..., Tensor]:
    """The ``alive`` of a cumulative function: an element reaches the results from its place on."""

    def alive(k: int, condition: Tensor, y: Tensor, x: Tensor) -> Tensor:
        so_far = Primitive("any so far", lambda a: np.logical_or.accumulate(a, axis), lambda k, g, y, x: None)
        return flip(record(so_far, (flip(condition, axis),), x.shape, BOOL), axis)

    return alive


def norm(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The Euclidean norm over some axes, without overflow.

    The gradient at a zero vector is 0, the subgradient of least norm.
    """
    x = number(x)
    axes, shape, kept = reduced(x, axis, keepdims)

    def compute(a: Any) -> Any:
        a = np.asarray(np.abs(a), dtype=F64)
        # Scaled by a power of two, which is exact, so that no square overflows.
        _, power = np.frexp(np.max(a, axes, keepdims=True, initial=0.0))
        square = np.sum(np.ldexp(a, -power) ** 2, axes, keepdims=True)
        return np.ldexp(np.sqrt(square), power).reshape(shape)

    def rule(k: int, g: Tensor, y: Tensor, x: Tensor) -> Tensor:
        return expand(reshape(g, kept), x.shape) * apply(UNIT, x, expand(reshape(y, kept), x.shape))

    return record(Primitive("norm", compute, rule, alive=_all_of(kept)), (x,), shape, F32 if x.dtype is F32 else F64)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over some axes, without overflow."""
    x = number(x)
    axes, shape, _ = reduced(x, axis, keepdims)
    most = extreme(x.detach(), axes, True, "max")
    # An infinite maximum is not subtracted: inf - inf is nan.
    most = apply(_WHERE, most - most == 0, most, lift(0.0, most))
    return reshape(apply(_LOG, sum_(apply(_EXP, x - most), axes, True)) + most, shape)


def prod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product over some axes, by pairwise multiplication: its derivatives are right where factors are 0, too.

    >>> x = tensor([0.0, 2.0, 3.0])
    >>> grad(x.prod(), x)
    (tensor([6., 0., 0.]),)
    """
    x = number(x)
    axes, shape, _ = reduced(x, axis, keepdims)
    others = [k for k in range(x.ndim) if k not in axes]
    n = product(x.shape[k] for k in axes)
    x = reshape(transpose(x, (*axes, *others)), (n, *shape))
    while n > 1:
        half = n // 2
        pairs = x[:half] * x[half : 2 * half]
        x = concatenate([pairs, x[2 * half :]]) if n % 2 else pairs
        n -= half
    return x[0] if n else lift(1.0, x) + sum_(x, 0)


# Extremes.


def extreme(x: Tensor, axis: Axis, keepdims: bool, which: str) -> Tensor:
    """The greatest ("max") or least ("min") element over some axes; nan if any is nan.

    Ties share the cotangent equally.
    """
    x = number(x)
    axes, shape, kept = reduced(x, axis, keepdims)
    if not x.size and any(x.shape[k] == 0 for k in axes):
        raise BadValue(f"{which} of no elements has no value: the shape is {x.shape}")
    if x.dtype is C128:
        raise BadType("complex numbers have no order", hint="compare their real parts or absolute values")
    f = np.max if which == "max" else np.min

    def rule(k: int, g: Tensor, y: Tensor, x: Tensor) -> Tensor:
        attains = cast(x.detach() == reshape(y.detach(), kept), x.dtype)
        return expand(reshape(g, kept), x.shape) * (attains / sum_(attains, axes, True))

    op = Primitive(which, lambda a: f(a, axes).reshape(shape), rule, alive=_all_of(kept))
    return record(op, (x,), shape, x.dtype)


# Products.


def matmul(a: Any, b: Any) -> Tensor:
    """The matrix product by NumPy's rules for vectors and for stacks of matrices, which broadcast."""
    a, b = number(a), number(b)
    if not a.shape or not b.shape:
        raise BadValue("matmul needs at least one dimension on both sides", hint="use *")
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise BadValue(f"matmul: shapes {a.shape} and {b.shape} do not fit")
    a, b = one_dtype([a, b])
    if a.ndim == 1 or b.ndim == 1:
        p, q = (expand_dims(a, 0) if a.ndim == 1 else a), (expand_dims(b, 1) if b.ndim == 1 else b)
        full = matmul(p, q)
        return reshape(full, [*full.shape[:-2], *a.shape[-2:-1], *(b.shape[-1:] if b.ndim > 1 else ())])
    shape = (*graph.broadcast({a.shape[:-2], b.shape[:-2]}), a.shape[-2], b.shape[-1])

    def rule(k: int, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Tensor:
        full = matmul(g, conj(swapped(b))) if k == 0 else matmul(conj(swapped(a)), g)
        return sum_to(full, (a, b)[k].shape)

    def alive(k: int, condition: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Tensor:
        # Each element of a reaches the whole row of the product, each element of b the whole column.
        reached = expand_dims(any_(condition, (condition.ndim - (1 if k == 0 else 2),)), -1 if k == 0 else -2)
        x = (a, b)[k]
        return sum_to(expand(reached, (*shape[:-2], *x.shape[-2:])), x.shape)

    return record(Primitive("matmul", np.matmul, rule, alive=alive), (a, b), shape, a.dtype)


def dot(a: Any, b: Any) -> Tensor:
    """NumPy's dot: a product with a scalar, else the sum over the last axis of a and the second to last of b.

    >>> tensor([1.0, 2.0], requires_grad=False).dot([3.0, 4.0])
    tensor(11.)
    """
    a, b = number(a), number(b)
    if not a.shape or not b.shape:
        return binary(_MUL, a, b)
    if b.ndim <= 2:
        return matmul(a, b)
    if a.shape[-1] != b.shape[-2]:
        raise BadValue(f"dot: shapes {a.shape} and {b.shape} do not fit")
    last = b.shape[-2]
    flat = reshape(transpose(b, (b.ndim - 2, *range(b.ndim - 2), b.ndim - 1)), (last, b.size // last if last else 0))
    return reshape(matmul(a, flat), (*a.shape[:-1], *b.shape[:-2], b.shape[-1]))


def outer(a: Any, b: Any) -> Tensor:
    """The outer product of a and b, both flattened: shape (a.size, b.size)."""
    return reshape(number(a), (-1, 1)) * reshape(number(b), (1, -1))


_WHERE, _MUL = row("where", 3), row("mul", 2)
_SQRT, _LOG, _EXP = row("sqrt", 1), row("log", 1), row("exp", 1)
