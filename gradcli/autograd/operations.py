"""Elementwise operations applied to tensors: conversion of operands, broadcasting, dtypes, nodes of the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcli.autograd import elementwise, values
from gradcli.autograd.elementwise import Elementwise
from gradcli.autograd.graph import Node
from gradcli.autograd.nesting import DEEPEST, holds_tensor
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import BOOL, C128, F32, F64, Array, Operation, Shape, Value, array_of, derived, stored
from gradcli.errors import BadType, BadValue


def lift(x: Any, like: Tensor | None = None) -> Tensor:
    """A tensor itself, a list that holds tensors joined as NumPy joins arrays, anything else as a constant tensor.

    A Python number takes the dtype of ``like``. Raises BadType for anything that is no array of numbers, BadValue for
    an integer beyond the range of a double and for tensors of several shapes.
    """
    if isinstance(x, Tensor):
        return x
    dtype = F64 if like is None else like.value.dtype
    if isinstance(x, (float, int)) and not isinstance(x, bool) and dtype is not BOOL:
        try:
            if dtype is F64:
                return Tensor(Value((), F64, float(x)))
            with np.errstate(all="ignore"):
                return Tensor(Value((), dtype, np.asarray(x, dtype=dtype)))
        except OverflowError:
            raise BadValue(f"the number {str(x)[:20]}... is beyond the range of a double") from None
    if isinstance(x, (list, tuple)) and holds_tensor(x):
        return _joined(x)
    return Tensor(stored(array_of(x)))


def _joined(items: Sequence[Any], depth: int = 1) -> Tensor:
    """Nested lists of tensors and numbers as one tensor, with a new first axis for every level of lists."""
    if depth > DEEPEST:
        raise BadType(f"no array of numbers: lists deeper than {DEEPEST} levels")
    parts = [_joined(i, depth + 1) if isinstance(i, (list, tuple)) and holds_tensor(i) else lift(i) for i in items]
    shapes = {p.shape for p in parts}
    if len(shapes) > 1:
        raise BadValue(f"a list of tensors of shapes {' and '.join(map(str, sorted(shapes)[:5]))} is no array")
    dtypes = {p.dtype for p in parts}
    dtype = next(d for d in (C128, F64, F32, BOOL) if d in dtypes)
    op = Primitive("join", lambda *arrays: np.array(arrays), lambda k, g, y, *args: _part(g, k), carries=True)
    return record(op, [cast(p, dtype) for p in parts], (len(parts), *parts[0].shape), dtype)


def _part(x: Tensor, k: int) -> Tensor:
    """Element k along the first axis."""
    op = Primitive("part", lambda a: a[k], lambda _, g, y, x: _placed(g, k, x.shape[0]), carries=True)
    return record(op, (x,), x.shape[1:], x.dtype)


def _placed(x: Tensor, k: int, n: int) -> Tensor:
    """The adjoint of `_part`: zeros with x as element k of n along a new first axis."""

    def compute(a: Any) -> Array:
        array = np.zeros((n, *x.shape), x.dtype)
        array[k] = a
        return array

    op = Primitive("place", compute, lambda _, g, y, x: _part(g, k), carries=True)
    return record(op, (x,), (n, *x.shape), x.dtype)


def record(op: Operation, tensors: Sequence[Tensor], shape: Shape, dtype: np.dtype[Any]) -> Tensor:
    """``op`` applied to tensors, with the result's shape and dtype; a node is recorded if an argument has one."""
    args = tuple([t.value for t in tensors])
    value = derived(op, args, shape, dtype)
    return Tensor(value) if dtype is BOOL else _connected(op, args, value, tuple([t.node for t in tensors]))


def apply(op: Elementwise, *tensors: Tensor) -> Tensor:
    """An elementwise operation on tensors that broadcast together."""
    if len(tensors) == 2:
        return pair(op, *tensors)
    if len(tensors) == 1:
        return unary(op, *tensors)
    # Scalars skip the conversions of `_applied`: they cost several times the operation.
    for t, condition in zip(tensors, op.conditions, strict=True):
        if t.value.array.__class__ is not (bool if condition else float):
            tensors, value = _applied(op, tensors)
            break
    else:
        value = Value((), op.dtype, (op.numbers or op.on_numbers())(*[t.value.array for t in tensors]))
    if op.boolean:
        return Tensor(value)
    edges = tuple([t.node if live else None for t, live in zip(tensors, op.live, strict=True)])
    return _connected(op, tuple([t.value for t in tensors]), value, edges)


def unary(op: Elementwise, x: Tensor) -> Tensor:
    """`apply` for one argument."""
    number = x.value.array
    if number.__class__ is float and op.numeric:
        value = Value((), op.dtype, (op.numbers or op.on_numbers())(number))
    else:
        (x,), value = _applied(op, (x,))
    edge = x.node
    if edge is None or not op.all_live or op.boolean:
        return Tensor(value)
    v = x.value
    (v.base or v).used = True
    return Tensor(value, Node(op, (v,), value, (edge,)))


def pair(op: Elementwise, x: Tensor, y: Tensor) -> Tensor:
    """`apply` for two arguments."""
    a, b = x.value.array, y.value.array
    if a.__class__ is float and b.__class__ is float and op.numeric:
        value = Value((), op.dtype, (op.numbers or op.on_numbers())(a, b))
    else:
        (x, y), value = _applied(op, (x, y))
    edges = m, n = x.node, y.node
    if (m is None and n is None) or op.boolean:
        return Tensor(value)
    v, w = x.value, y.value
    if not op.all_live:
        return _connected(op, (v, w), value, (m if op.live[0] else None, n if op.live[1] else None))
    (v.base or v).used = (w.base or w).used = True
    return Tensor(value, Node(op, (v, w), value, edges))


def _connected(op: Operation, values: tuple[Value, ...], value: Value, edges: tuple[Node | None, ...]) -> Tensor:
    """The result of an operation, with a node if an argument has one."""
    for edge in edges:
        if edge is not None:
            break
    else:
        return Tensor(value)
    for v in values:
        (v.base or v).used = True
    return Tensor(value, Node(op, values, value, edges))


def _applied(op: Elementwise, tensors: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], Value]:
    """The arguments in their common dtype (conditions as truth values), and the result, in the broadcast shape."""
    shape: Shape = ()
    arrays = []
    for t in tensors:
        v = t.value
        x = v.array
        arrays.append(x)
        if x.__class__ is float:
            continue
        if x.__class__ is not np.ndarray or v.dtype is not F64 or (shape and v.shape != shape) or x.size > values.SMALL:
            break
        shape = v.shape
    else:
        # Small arrays of doubles, of one shape: nothing to convert.
        if op.numeric and shape:
            array = values.quietly(op.arrays or op.on_arrays(), *arrays)
            if array.__class__ is np.ndarray and array.shape == shape:
                return tensors, Value(shape, op.dtype, array)
    fitted, shape, dtype = _fitted(op, tensors)
    return fitted, derived(op, tuple([t.value for t in fitted]), shape, BOOL if op.boolean else dtype)


def _fitted(op: Elementwise, tensors: Sequence[Tensor]) -> tuple[tuple[Tensor, ...], Shape, np.dtype[Any]]:
    """The arguments in their common dtype (conditions as truth values), the broadcast shape, and the dtype."""
    dtypes = {t.value.dtype for t, condition in zip(tensors, op.conditions, strict=True) if not condition}
    dtype = next((d for d in (C128, F64, F32) if d in dtypes), F64)
    if dtype is C128 and op.boolean and op.template.op not in ("eq", "ne"):
        raise BadType("complex numbers have no order", hint="compare their real parts or absolute values")
    fitted = tuple([cast(t, BOOL if c else dtype) for t, c in zip(tensors, op.conditions, strict=True)])
    shapes = {t.value.shape for t in fitted}
    return fitted, shapes.pop() if len(shapes) == 1 else broadcast(shapes), dtype


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The shape that ``shapes`` broadcast to. Raises BadValue if they do not."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(map(str, sorted(shapes)))
        raise BadValue(f"shapes {listed} do not broadcast together") from None


# Operations with rules of their own.

Pull = Callable[..., "Tensor | None"]
"""A vector-Jacobian rule: (k, g, y, *args) to the cotangent of argument k, given g, that of the answer y."""


class Primitive(Operation):
    """An operation with its own vector-Jacobian rule.

    ``linear``: the rule needs no values. ``alive(k, condition, y, *args)`` maps a condition on the elements of the
    answer to the elements of argument k that reach them. ``carries``: the rule only moves numbers, and so is ``alive``.
    """

    __slots__ = ("alive", "carries", "linear", "rule")

    def __init__(
        self, name: str, compute: Callable[..., Any], rule: Pull, *, linear: bool = False, carries: bool = False,
        alive: Pull | None = None, view: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(name, compute, view=view)
        self.rule, self.linear, self.carries = rule, linear or carries, carries
        self.alive = rule if carries else alive

    def saves(self, indices: Sequence[int]) -> bool:
        return not self.linear


def same_elements(k: int, condition: Tensor, y: Tensor, *args: Tensor) -> Tensor:
    """The ``alive`` of an operation in which each element of the answer depends on the same element of the argument."""
    return condition


# Conversion of dtypes.


def _as(dtype: np.dtype[Any], x: Any) -> Array:
    array = np.asarray(x)
    if array.dtype.kind == "c" and dtype.kind != "c":
        array = array.real
    return array != 0 if dtype is BOOL else array.astype(dtype)


_CASTS = {
    dtype: Primitive("cast", partial(_as, dtype), lambda k, g, y, x: cast(g, x.dtype), linear=True, alive=same_elements)
    for dtype in (BOOL, F32, F64, C128)
}


def cast(t: Tensor, dtype: np.dtype[Any]) -> Tensor:
    """The same numbers in another dtype; complex numbers become their real parts."""
    if t.value.dtype is dtype:
        return t
    # Between truth values and doubles by elementwise operations, which can be fused.
    if t.value.dtype is BOOL and dtype is F64:
        return apply(_WHERE, t, lift(1.0), lift(0.0))
    if dtype is BOOL and t.value.dtype is F64:
        return apply(_NE, t, lift(0.0))
    return record(_CASTS[dtype], (t,), t.shape, dtype)


_NE, _WHERE = elementwise.row("ne", 2), elementwise.row("where", 3)
