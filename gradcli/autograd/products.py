"""Products of vectors and arrays, on tensors: tensordot, inner, Kronecker, vector product and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.autograd import reduction_ops as reductions
from gradcli.autograd import shape_ops as shapes
from gradcli.autograd.complex_ops import conj
from gradcli.autograd.operations import Primitive, broadcast, lift, record
from gradcli.autograd.rearrange import by_name, reordered
from gradcli.autograd.shape_ops import one_dtype
from gradcli.autograd.tensor import Tensor
from gradcli.errors import BadValue

Call = Callable[..., Any]


def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    a, b = shapes.number(a), shapes.number(b)
    if isinstance(axes, (int, np.integer)):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise BadValue(f"tensordot: {axes} axes of tensors of dimensions {a.ndim} and {b.ndim}")
        first, second = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        first, second = (list(n) if isinstance(n, (tuple, list)) else [n] for n in axes)
    first = [shapes.axis_of(k, a.ndim) for k in first]
    second = [shapes.axis_of(k, b.ndim) for k in second]
    p = [k for k in range(a.ndim) if k not in first]
    q = [k for k in range(b.ndim) if k not in second]
    n = int(np.prod([a.shape[k] for k in first], dtype=int))
    if [a.shape[k] for k in first] != [b.shape[k] for k in second]:
        raise BadValue(f"tensordot: shapes {a.shape} and {b.shape} do not fit along axes {first} and {second}")
    rows, columns = [a.shape[k] for k in p], [b.shape[k] for k in q]
    left = shapes.reshape(shapes.transpose(a, p + first), (int(np.prod(rows, dtype=int)), n))
    right = shapes.reshape(shapes.transpose(b, second + q), (n, int(np.prod(columns, dtype=int))))
    return shapes.reshape(reductions.matmul(left, right), rows + columns)


def inner(a: Any, b: Any) -> Tensor:
    a, b = shapes.number(a), shapes.number(b)
    return tensordot(a, b, ([-1], [-1])) if a.shape and b.shape else a * b


def vdot(a: Any, b: Any) -> Tensor:
    """The sum of the products of the conjugate of a and b, both flattened."""
    return shapes.sum_(conj(shapes.reshape(lift(a), -1)) * shapes.reshape(lift(b), -1))


def kron(a: Any, b: Any) -> Tensor:
    """The Kronecker product: for each element of a, in its place, that element times b.

    >>> np.kron(tensor([1.0, 10.0], requires_grad=False), [2, 3])
    tensor([ 2.,  3., 20., 30.])
    """
    a, b = shapes.number(a), shapes.number(b)
    ndim = max(a.ndim, b.ndim)
    p, q = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    left = shapes.reshape(a, [n for m in p for n in (m, 1)])
    right = shapes.reshape(b, [n for m in q for n in (1, m)])
    return shapes.reshape(left * right, [m * n for m, n in zip(p, q, strict=True)])


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """The vector products of vectors along axes of a and b, of 3 elements, or of 2 for a third one of 0.

    Two vectors of 2 elements give the third element alone. ``axisc``: the axis of the result's vectors; ``axis`` stands
    for all three.

    >>> np.cross(tensor([1.0, 0.0, 0.0], requires_grad=False), [0, 1, 0])
    tensor([0., 0., 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = reordered(np.moveaxis)(shapes.number(a), axisa, -1), reordered(np.moveaxis)(shapes.number(b), axisb, -1)
    if not {a.shape[-1], b.shape[-1]} <= {2, 3}:
        raise BadValue(f"cross: vectors have 2 or 3 elements, not {a.shape[-1]} and {b.shape[-1]}")
    flat = a.shape[-1] == b.shape[-1] == 2
    a, b = one_dtype([_of_three(a), _of_three(b)])
    shape = (*broadcast({a.shape[:-1], b.shape[:-1]}), 3)
    c = record(_CROSS, (a, b), shape, a.dtype)
    return c[..., 2] if flat else reordered(np.moveaxis)(c, -1, axisc)


def _of_three(x: Tensor) -> Tensor:
    """Vectors in the last axis, with a third element of 0 if they have two."""
    return x if x.shape[-1] == 3 else shapes.put(x, (..., slice(2)), (*x.shape[:-1], 3), True)


def _cross_rule(k: int, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """The triple product g.(a x b) is a.(b x g) and b.(g x a)."""
    first, second = (conj(b), g) if k == 0 else (g, conj(a))
    return shapes.sum_to(record(_CROSS, (first, second), y.shape, y.dtype), (a, b)[k].shape)


def _cross_alive(k: int, condition: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Tensor:
    reached = shapes.expand(shapes.expand_dims(shapes.any_(condition, (condition.ndim - 1,)), -1), y.shape)
    return shapes.sum_to(reached, (a, b)[k].shape)


_CROSS = Primitive("cross", np.cross, _cross_rule, alive=_cross_alive)


def vecdot(a: Any, b: Any, axis: int = -1) -> Tensor:
    """The sum of the products of the conjugate of a and b along an axis; other axes broadcast."""
    return shapes.sum_(conj(shapes.number(a)) * shapes.number(b), axis)


def matvec(a: Any, b: Any) -> Tensor:
    """The products of the matrices in the last two axes of a and the vectors in the last of b."""
    return shapes.squeeze(reductions.matmul(a, shapes.expand_dims(lift(b), -1)), -1)


def vecmat(a: Any, b: Any) -> Tensor:
    """The products of the conjugate vectors in the last axis of a and the matrices in the last two of b."""
    return shapes.squeeze(reductions.matmul(conj(shapes.expand_dims(lift(a), -2)), b), -2)


UFUNCS: dict[Any, Call] = by_name(np, vecdot=vecdot, matvec=matvec, vecmat=vecmat)
FUNCTIONS: dict[Any, Call] = {
    np.dot: reductions.dot, np.outer: reductions.outer, np.inner: inner, np.tensordot: tensordot, np.vdot: vdot,
    np.kron: kron, np.cross: cross,
    **by_name(
        np.linalg, cross=lambda x1, x2, axis=-1: cross(x1, x2, axis=axis), outer=reductions.outer,
        matmul=reductions.matmul, tensordot=tensordot, vecdot=vecdot,
    ),
}  # fmt: skip
