"""Operations that move elements: shapes, indices, joins, parts of complex numbers.

Each has one vector-Jacobian rule, written in operations on tensors, so that it can be differentiated again. Cotangents
follow the conjugate convention of complex numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod as product
from typing import Any

import numpy as np

from gradcli.autograd.elementwise import row
from gradcli.autograd.errors import BadIndex, BadType, BadValue
from gradcli.autograd.graph import Node
from gradcli.autograd.operations import apply, cast, lift, record
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import BOOL, C128, F32, F64, Array, Axis, Operation, Shape, Value

Pull = Callable[..., "Tensor | None"]


class Moving(Operation):
    """An operation with its own rule: ``rule(k, g, y, *args)`` is the cotangent of argument k.

    ``linear``: the rule needs no values. ``carries``: it moves numbers and no more, so it also tells which elements of
    the argument count when only some of the answer do; otherwise ``alive(k, condition, y, *args)`` does.
    """

    __slots__ = ("alive", "carries", "linear", "rule")

    def __init__(
        self, name: str, compute: Callable[..., Any], rule: Pull, *, linear: bool = False, carries: bool = False,
        alive: Pull | None = None, view: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(name, compute, view=view)
        self.rule, self.linear, self.carries = rule, linear or carries, carries
        self.alive = rule if carries else alive

    def saves(self, ways: Sequence[int]) -> bool:
        return not self.linear

    def pull(self, k: int, g: Tensor, y: Tensor, args: Sequence[Tensor]) -> Tensor | None:
        return self.rule(k, g, y, *args)


def alike(k: int, condition: Tensor, y: Tensor, *args: Tensor) -> Tensor:
    """Each element of the answer comes of the same element of the argument."""
    return condition


# Shapes.


def expand(x: Tensor, shape: Shape) -> Tensor:
    """Repeated along new axes and those of length 1."""
    if x.shape == shape:
        return x
    back = lambda k, g, y, x: sum_to(g, x.shape)  # noqa: E731
    op = Moving("expand", lambda a: np.broadcast_to(a, shape), back, linear=True, alive=back, view=True)
    return record(op, (x,), shape, x.dtype)


def sum_to(x: Tensor, shape: Shape) -> Tensor:
    """The adjoint of ``expand``: summed over the axes that it repeated. Of truth values, whether any holds."""
    if x.shape == shape:
        return x
    extra = x.ndim - len(shape)
    axes = tuple([k for k in range(x.ndim) if k < extra or (shape[k - extra] == 1 != x.shape[k])])
    return reshape(any_(x, axes) if x.dtype is BOOL else sum_(x, axes), shape)


def any_(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    shape = tuple([n for k, n in enumerate(x.shape) if k not in axes])
    op = Moving("any", lambda a: np.any(a, axes), lambda k, g, y, x: None, linear=True)
    return record(op, (x,), shape, BOOL)


def reshape(x: Tensor, shape: int | Sequence[int]) -> Tensor:
    """The same elements in another shape; -1 once for whatever length remains."""
    wanted: list[Any] = list(shape) if isinstance(shape, (tuple, list)) else [shape]
    if not all(isinstance(n, (int, np.integer)) for n in wanted):
        raise BadType(f"a shape is of integers, not {shape!r}")
    known = product(n for n in wanted if n != -1)
    if wanted.count(-1) == 1 and known and x.size % known == 0:
        wanted[wanted.index(-1)] = x.size // known
    new = tuple([int(n) for n in wanted])
    if min(new, default=0) < 0 or product(new) != x.size:
        raise BadValue(f"cannot reshape a tensor of shape {x.shape} into shape {shape}")
    if new == x.shape:
        return x
    rule = lambda k, g, y, x: reshape(g, x.shape)  # noqa: E731
    return _viewed(Moving("reshape", lambda a: np.reshape(a, new), rule, carries=True, view=True), x, new)


def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """Axes in another order, reversed by default."""
    order = tuple(range(x.ndim))[::-1] if axes is None else _axes(axes, x.ndim)
    if len(order) != x.ndim:
        raise BadValue(f"axes {order} do not match a tensor of shape {x.shape}")
    back = tuple(np.argsort(order).tolist())
    rule = lambda k, g, y, x: transpose(g, back)  # noqa: E731
    op = Moving("transpose", lambda a: np.transpose(a, order), rule, carries=True, view=True)
    return _viewed(op, x, tuple([x.shape[k] for k in order]))


def _viewed(op: Moving, x: Tensor, shape: Shape) -> Tensor:
    """A view; of a leaf that nothing has used yet, one that can be written through."""
    leaf = x.value.base or x.value
    if leaf.used or not isinstance(x.value.array, np.ndarray):
        return record(op, (x,), shape, x.dtype)
    found = op.compute(x.value.array)
    if not np.shares_memory(found, x.value.array):
        return record(op, (x,), shape, x.dtype)
    value = Value(shape, x.dtype, found)
    value.base = leaf
    if x.node is None:
        return Tensor(value)
    return Tensor(value, Node(op, (x.value,), value, (x.node,)))


def _axes(axes: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    listed: list[Any] = list(axes) if isinstance(axes, (tuple, list)) else [axes]
    places = tuple([axis_of(axis, ndim) for axis in listed])
    if len(set(places)) < len(places):
        raise BadValue(f"axis {axes}: an axis is named twice")
    return places


def axis_of(axis: int, ndim: int) -> int:
    if not isinstance(axis, (int, np.integer)):
        raise BadType(f"an axis is an integer, not {type(axis).__name__}")
    if not -ndim <= axis < ndim:
        raise BadValue(f"axis {axis} is out of bounds for a tensor of dimension {ndim}")
    return int(axis) % ndim


# Indices.


def getitem(x: Tensor, index: Any) -> Tensor:
    """Elements by position, slice, mask or arrays of indices, as NumPy has it."""
    index = _plain(index)
    plain = index if isinstance(index, tuple) else (index,)
    basic = not any(isinstance(i, np.ndarray) for i in plain)
    # One element stands for all: what the index does to shapes, and whether it fits.
    if basic and Ellipsis not in plain:
        # With it a single element is a view too.
        index = (*plain, Ellipsis)
    try:
        shape = np.broadcast_to(np.empty((), np.bool_), x.shape)[index].shape
    except (IndexError, ValueError, TypeError) as e:
        raise BadIndex(str(e)) from None
    rule = lambda k, g, y, x: put(g, index, x.shape, basic)  # noqa: E731
    op = Moving("index", lambda a: np.asarray(a)[index], rule, linear=basic, alive=rule, view=basic)
    return _viewed(op, x, shape) if basic else record(op, (x,), shape, x.dtype)


def _plain(index: Any) -> Any:
    return tuple([_one(i) for i in index]) if isinstance(index, tuple) else _one(index)


def _one(index: Any) -> Any:
    """One place of an index: integers, slices, None and Ellipsis as they are, anything else as an array."""
    if index is None or index is Ellipsis or isinstance(index, (slice, np.integer)) or type(index) is int:
        return index
    try:
        found = np.array(index.numpy() if isinstance(index, Tensor) else index)
    except ValueError as e:
        raise BadIndex(f"not an index: {e}") from None
    if not found.size and not isinstance(index, np.ndarray):
        found = found.astype(np.intp)
    if found.dtype.kind == "f" and isinstance(index, Tensor) and np.all(found == np.floor(found)):
        # Tensors hold no integers; whole numbers serve.
        found = found.astype(np.intp)
    if found.dtype.kind not in "bui":
        raise BadIndex("indices must be integers or truth values")
    return found


def put(x: Tensor, index: Any, shape: Shape, basic: bool) -> Tensor:
    """The adjoint of ``getitem``: zeros of ``shape`` with x added at the index."""

    def compute(a: Any) -> Array:
        found = np.zeros(shape, np.asarray(a).dtype)
        if basic:
            found[index] = a
        else:
            np.add.at(found, index, a)
        return found

    op = Moving("put", compute, lambda k, g, y, x: getitem(g, index), carries=True)
    return record(op, (x,), shape, x.dtype)


def concatenate(tensors: Sequence[Any], axis: int | None = 0) -> Tensor:
    """Joined along an axis; flattened first where that is None."""
    parts = one_dtype([lift(t) for t in tensors])
    if not parts:
        raise BadValue("need at least one tensor to concatenate")
    if axis is None:
        parts, axis = [reshape(p, -1) for p in parts], 0
    if not parts[0].shape:
        raise BadValue("tensors of no dimension cannot be concatenated", hint="use stack")
    place = axis_of(axis, parts[0].ndim)
    rest = {(*p.shape[:place], *p.shape[place + 1 :]) for p in parts}
    if len(rest) > 1 or len({p.ndim for p in parts}) > 1:
        listed = ", ".join(str(p.shape) for p in parts[:5])
        raise BadValue(f"shapes {listed} differ outside axis {place}")
    ends = np.cumsum([p.shape[place] for p in parts]).tolist()
    shape = (*parts[0].shape[:place], ends[-1], *parts[0].shape[place + 1 :])
    before = (slice(None),) * place

    def rule(k: int, g: Tensor, y: Tensor, *args: Tensor) -> Tensor:
        return getitem(g, (*before, slice(ends[k] - args[k].shape[place], ends[k])))

    op = Moving("concatenate", lambda *a: np.concatenate(a, place), rule, carries=True)
    return record(op, parts, shape, parts[0].dtype)


def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Joined along a new axis."""
    parts = [lift(t) for t in tensors]
    if not parts:
        raise BadValue("need at least one tensor to stack")
    if len({p.shape for p in parts}) > 1:
        raise BadValue(f"tensors to stack must have one shape, not {' and '.join(str(p.shape) for p in parts[:5])}")
    place = axis_of(axis, parts[0].ndim + 1)
    return concatenate([expand_dims(p, place) for p in parts], place)


def one_dtype(tensors: Sequence[Tensor]) -> list[Tensor]:
    dtypes = {t.dtype for t in tensors}
    dtype = next((d for d in (C128, F64, F32, BOOL) if d in dtypes), F64)
    return [cast(t, dtype) for t in tensors]


def expand_dims(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    places = _axes(axis, x.ndim + (len(axis) if isinstance(axis, (tuple, list)) else 1))
    lengths = iter(x.shape)
    return reshape(x, [1 if k in places else next(lengths) for k in range(x.ndim + len(places))])


def squeeze(x: Tensor, axis: Axis = None) -> Tensor:
    places = {k for k, n in enumerate(x.shape) if n == 1} if axis is None else set(_axes(axis, x.ndim))
    if any(x.shape[k] != 1 for k in places):
        raise BadValue(f"cannot squeeze an axis of a length other than 1: the shape is {x.shape}")
    return reshape(x, [n for k, n in enumerate(x.shape) if k not in places])


def flip(x: Tensor, axis: Axis = None) -> Tensor:
    places = range(x.ndim) if axis is None else _axes(axis, x.ndim)
    return getitem(x, tuple([slice(None, None, -1) if k in places else slice(None) for k in range(x.ndim)]))


# Sums, which undo repetition.


def reduced(x: Tensor, axis: Axis) -> tuple[tuple[int, ...], Shape, Shape]:
    """The axes to reduce, and the shape of the result with them left out and kept."""
    axes = tuple(range(x.ndim)) if axis is None else _axes(axis, x.ndim)
    kept = tuple([1 if k in axes else n for k, n in enumerate(x.shape)])
    return axes, tuple([n for k, n in enumerate(x.shape) if k not in axes]), kept


def sum_(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over some axes, all by default."""
    x = number(x)
    axes, left, kept = reduced(x, axis)
    shape = kept if keepdims else left

    def compute(a: Any) -> Any:
        a = np.asarray(a)
        return np.sum(a, axes, dtype=F64 if a.dtype == F32 else None).reshape(shape)

    op = Moving("sum", compute, lambda k, g, y, x: expand(reshape(g, kept), x.shape), carries=True)
    return record(op, (x,), shape, x.dtype)


def number(x: Any) -> Tensor:
    """A tensor of numbers: truth values as 0 and 1."""
    x = lift(x)
    return cast(x, F64) if x.dtype is BOOL else x


# Complex numbers.


def conj(z: Tensor) -> Tensor:
    """The complex conjugate; of real numbers themselves."""
    if z.dtype is not C128:
        return z
    return record(_CONJ, (z,), z.shape, C128)


def real(z: Tensor) -> Tensor:
    return cast(z, F64) if z.dtype is C128 else z


def imag(z: Tensor) -> Tensor:
    return record(_IMAG, (z,), z.shape, F64) if z.dtype is C128 else expand(lift(0.0), z.shape)


def modulus(z: Tensor) -> Tensor:
    """|z| of a complex tensor; the gradient at 0 is 0."""
    return record(_MODULUS, (z,), z.shape, F64)


def absolute(x: Tensor) -> Tensor:
    """|x|, of complex numbers too."""
    return modulus(x) if x.value.dtype is C128 else apply(_ABS, x)


def angle(z: Tensor) -> Tensor:
    """The argument of a complex tensor."""
    return apply(_ATAN2, imag(z), real(z))


def _modulus_rule(k: int, g: Tensor, y: Tensor, z: Tensor) -> Tensor:
    some = y == 0
    return cast(g, C128) * apply(_WHERE, some, z * 0, z / cast(apply(_WHERE, some, y * 0 + 1, y), C128))


_WHERE, _ATAN2, _ABS = row("where", 3), row("atan2", 2), row("abs", 1)
_CONJ = Moving("conj", np.conj, lambda k, g, y, z: conj(g), linear=True, alive=alike)
_IMAG = Moving("imag", np.imag, lambda k, g, y, z: cast(g, C128) * 1j, linear=True, alive=alike)
_MODULUS = Moving("abs", np.abs, _modulus_rule, alive=alike)
