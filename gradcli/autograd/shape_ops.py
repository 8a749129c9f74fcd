"""Operations that rearrange elements: shapes, indices, joins, and sums, the adjoints of broadcasting.

Each has one vector-Jacobian rule, written in operations on tensors, so that it can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod as product
from typing import Any

import numpy as np

from gradcli.autograd.errors import BadIndex
from gradcli.autograd.graph import Node
from gradcli.autograd.operations import Primitive, cast, lift, record
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import BOOL, C128, F32, F64, Array, Axis, Shape, Value, settled
from gradcli.errors import BadType, BadValue

# Shapes.


def expand(x: Tensor, shape: Shape) -> Tensor:
    """Broadcast to ``shape``: repeated along new axes and axes of length 1."""
    if x.shape == shape:
        return x
    back = lambda k, g, y, x: sum_to(g, x.shape)  # noqa: E731
    op = Primitive("expand", lambda a: np.broadcast_to(a, shape), back, linear=True, alive=back, view=True)
    return record(op, (x,), shape, x.dtype)


def sum_to(x: Tensor, shape: Shape) -> Tensor:
    """The adjoint of `expand`: the sum over the axes that it repeated; for truth values, whether any is true."""
    if x.shape == shape:
        return x
    extra = x.ndim - len(shape)
    axes = tuple([k for k in range(x.ndim) if k < extra or (shape[k - extra] == 1 != x.shape[k])])
    return reshape(any_(x, axes) if x.dtype is BOOL else sum_(x, axes), shape)


def any_(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Whether any element along the axes is true."""
    shape = tuple([n for k, n in enumerate(x.shape) if k not in axes])
    op = Primitive("any", lambda a: np.any(a, axes), lambda k, g, y, x: None, linear=True)
    return record(op, (x,), shape, BOOL)


def reshape(x: Tensor, shape: int | Sequence[int]) -> Tensor:
    """The same elements in another shape; -1 once for the remaining length."""
    lengths: list[Any] = list(shape) if isinstance(shape, (tuple, list)) else [shape]
    if not all(isinstance(n, (int, np.integer)) for n in lengths):
        raise BadType(f"a shape is of integers, not {shape!r}")
    known = product(n for n in lengths if n != -1)
    if lengths.count(-1) == 1 and known and x.size % known == 0:
        lengths[lengths.index(-1)] = x.size // known
    new = tuple([int(n) for n in lengths])
    if min(new, default=0) < 0 or product(new) != x.size:
        raise BadValue(f"cannot reshape a tensor of shape {x.shape} into shape {shape}")
    if new == x.shape:
        return x
    rule = lambda k, g, y, x: reshape(g, x.shape)  # noqa: E731
    return _viewed(Primitive("reshape", lambda a: np.asarray(a).reshape(new), rule, carries=True, view=True), x, new)


def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order, reversed by default."""
    order = tuple(range(x.ndim))[::-1] if axes is None else _axes(axes, x.ndim)
    if len(order) != x.ndim:
        raise BadValue(f"axes {order} do not match a tensor of shape {x.shape}")
    back = tuple(np.argsort(order).tolist())
    rule = lambda k, g, y, x: transpose(g, back)  # noqa: E731
    op = Primitive("transpose", lambda a: np.transpose(a, order), rule, carries=True, view=True)
    return _viewed(op, x, tuple([x.shape[k] for k in order]))


def swapped(x: Tensor) -> Tensor:
    """The transpose of each matrix."""
    return transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _viewed(op: Primitive, x: Tensor, shape: Shape) -> Tensor:
    """The result of ``op``, a view; on a leaf that no computation has used yet, a view that can be written through."""
    v, edge = x.value, x.node
    array, leaf = v.array, v.base or v
    if array.__class__ is not np.ndarray:
        return record(op, (x,), shape, v.dtype)
    view = op.compute(array)
    if not leaf.used and np.shares_memory(view, array):
        value = Value(shape, v.dtype, view)
        value.base = leaf
    else:
        value = Value(shape, v.dtype, view if shape else settled(view, v.dtype))
        leaf.used = leaf.used or edge is not None
    return Tensor(value) if edge is None else Tensor(value, Node(op, (v,), value, (edge,)))


def _axes(axes: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    """Axes as non-negative integers. Raises BadValue for a repeated axis."""
    listed: list[Any] = list(axes) if isinstance(axes, (tuple, list)) else [axes]
    positions = tuple([axis_of(axis, ndim) for axis in listed])
    if len(set(positions)) < len(positions):
        raise BadValue(f"axis {axes}: an axis is named twice")
    return positions


def axis_of(axis: int, ndim: int) -> int:
    """An axis as a non-negative integer. Raises BadType or BadValue if it is none of ``ndim`` axes."""
    if not isinstance(axis, (int, np.integer)):
        raise BadType(f"an axis is an integer, not {type(axis).__name__}")
    if not -ndim <= axis < ndim:
        raise BadValue(f"axis {axis} is out of bounds for a tensor of dimension {ndim}")
    return int(axis) % ndim


# Indices.


def getitem(x: Tensor, index: Any) -> Tensor:
    """Elements by NumPy's rules for integers, slices, masks and arrays of integers."""
    index = tuple(map(index_item, index if isinstance(index, tuple) else (index,)))
    basic = not any(isinstance(i, np.ndarray) for i in index)
    if basic and Ellipsis not in index:
        # With an Ellipsis NumPy returns a view, not a scalar, for a single element too.
        index = (*index, Ellipsis)
    try:
        if basic and x.value.array.__class__ is np.ndarray:
            shape = x.value.array[index].shape
        else:
            # The index of a broadcast scalar gives the shape of the result and checks the index without a copy.
            shape = np.broadcast_to(np.empty((), np.bool_), x.shape)[index].shape
    except (IndexError, ValueError, TypeError) as e:
        raise BadIndex(str(e)) from None
    rule = lambda k, g, y, x: put(g, index, x.shape, basic)  # noqa: E731
    op = Primitive("index", lambda a: np.asarray(a)[index], rule, linear=basic, alive=rule, view=basic)
    return _viewed(op, x, shape) if basic else record(op, (x,), shape, x.dtype)


def index_item(index: Any) -> Any:
    """One item of an index: integers, slices, None and Ellipsis unchanged, anything else as an array."""
    if index is None or index is Ellipsis or isinstance(index, (slice, np.integer)) or type(index) is int:
        return index
    try:
        array = np.array(index.detach().numpy() if isinstance(index, Tensor) else index)
    except ValueError as e:
        raise BadIndex(f"not an index: {e}") from None
    if not array.size and not isinstance(index, np.ndarray):
        array = array.astype(np.intp)
    if array.dtype.kind == "f" and isinstance(index, Tensor) and np.all(array == np.floor(array)):
        # Tensors have no integer dtype: integers in floating point are accepted.
        array = array.astype(np.intp)
    if array.dtype.kind not in "bui":
        raise BadIndex("indices must be integers or truth values")
    return array


def put(x: Tensor, index: Any, shape: Shape, basic: bool) -> Tensor:
    """The adjoint of `getitem`: zeros of ``shape`` with x added at the index."""

    def compute(a: Any) -> Array:
        array = np.zeros(shape, np.asarray(a).dtype)
        if basic:
            array[index] = a
        else:
            np.add.at(array, index, a)
        return array

    op = Primitive("put", compute, lambda k, g, y, x: getitem(g, index), carries=True)
    return record(op, (x,), shape, x.dtype)


def concatenate(tensors: Sequence[Any], axis: int | None = 0) -> Tensor:
    """The tensors joined along an axis; flattened first if the axis is None."""
    parts = one_dtype([lift(t) for t in tensors])
    if not parts:
        raise BadValue("need at least one tensor to concatenate")
    if axis is None:
        parts, axis = [reshape(p, -1) for p in parts], 0
    if not parts[0].shape:
        raise BadValue("tensors of no dimension cannot be concatenated", hint="use stack")
    position = axis_of(axis, parts[0].ndim)
    rest = {(*p.shape[:position], *p.shape[position + 1 :]) for p in parts}
    if len(rest) > 1 or len({p.ndim for p in parts}) > 1:
        listed = ", ".join(str(p.shape) for p in parts[:5])
        raise BadValue(f"shapes {listed} differ outside axis {position}")
    ends = np.cumsum([p.shape[position] for p in parts]).tolist()
    shape = (*parts[0].shape[:position], ends[-1], *parts[0].shape[position + 1 :])
    before = (slice(None),) * position

    def rule(k: int, g: Tensor, y: Tensor, *args: Tensor) -> Tensor:
        return getitem(g, (*before, slice(ends[k] - args[k].shape[position], ends[k])))

    op = Primitive("concatenate", lambda *a: np.concatenate(a, position), rule, carries=True)
    return record(op, parts, shape, parts[0].dtype)


def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """The tensors joined along a new axis; they must have one shape."""
    parts = [lift(t) for t in tensors]
    if not parts:
        raise BadValue("need at least one tensor to stack")
    if len({p.shape for p in parts}) > 1:
        raise BadValue(f"tensors to stack must have one shape, not {' and '.join(str(p.shape) for p in parts[:5])}")
    position = axis_of(axis, parts[0].ndim + 1)
    return concatenate([expand_dims(p, position) for p in parts], position)


def one_dtype(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors in their common dtype."""
    dtypes = {t.dtype for t in tensors}
    dtype = next((d for d in (C128, F64, F32, BOOL) if d in dtypes), F64)
    return [cast(t, dtype) for t in tensors]


def expand_dims(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    """The same elements with new axes of length 1 at the positions ``axis`` of the result."""
    axes = _axes(axis, x.ndim + (len(axis) if isinstance(axis, (tuple, list)) else 1))
    lengths = iter(x.shape)
    return reshape(x, [1 if k in axes else next(lengths) for k in range(x.ndim + len(axes))])


def squeeze(x: Tensor, axis: Axis = None) -> Tensor:
    """The same elements without axes of length 1, all of them by default. Raises ValueError for a longer axis.

    >>> tensor([[1.0, 2.0]], requires_grad=False).squeeze()
    tensor([1., 2.])
    """
    axes = {k for k, n in enumerate(x.shape) if n == 1} if axis is None else set(_axes(axis, x.ndim))
    if any(x.shape[k] != 1 for k in axes):
        raise BadValue(f"cannot squeeze an axis of a length other than 1: the shape is {x.shape}")
    return reshape(x, [n for k, n in enumerate(x.shape) if k not in axes])


def flip(x: Tensor, axis: Axis = None) -> Tensor:
    """The elements in reverse order along axes, all by default."""
    axes = range(x.ndim) if axis is None else _axes(axis, x.ndim)
    return getitem(x, tuple([slice(None, None, -1) if k in axes else slice(None) for k in range(x.ndim)]))


# Sums, the adjoints of broadcasting.


def reduced(x: Tensor, axis: Axis, keepdims: bool) -> tuple[tuple[int, ...], Shape, Shape]:
    """The axes to reduce, the shape of the result, and its shape with these axes as length 1."""
    axes = tuple(range(x.ndim)) if axis is None else _axes(axis, x.ndim)
    kept = tuple([1 if k in axes else n for k, n in enumerate(x.shape)])
    return axes, kept if keepdims else tuple([n for k, n in enumerate(x.shape) if k not in axes]), kept


def total(a: Any, axes: tuple[int, ...]) -> Any:
    """The sum of an array over axes, that of float32 rounded once at the end."""
    a = np.asarray(a)
    return np.add.reduce(a, axes, dtype=F64 if a.dtype == F32 else None)


def sum_(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over ``axis`` (an integer or a tuple, all axes by default), which ``keepdims`` keeps with length 1.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=False).sum(axis=1)
    tensor([3., 7.])
    """
    x = number(x)
    axes, shape, kept = reduced(x, axis, keepdims)
    rule = lambda k, g, y, x: expand(reshape(g, kept), x.shape)  # noqa: E731
    op = Primitive("sum", lambda a: total(a, axes).reshape(shape), rule, carries=True)
    return record(op, (x,), shape, x.dtype)


def number(x: Any) -> Tensor:
    """``x`` as a tensor of numbers: truth values become 0.0 and 1.0."""
    x = lift(x)
    return cast(x, F64) if x.dtype is BOOL else x
