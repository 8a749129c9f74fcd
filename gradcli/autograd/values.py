"""Values: arrays, computed at once or lazily, and the operations that make one from others.

A small value is computed at once. A large one is lazy: `evaluate` computes it when its array is needed.
Layer: must not know derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.backends.compiled_arrays import Quiet
from gradcli.errors import BadType

Array = NDArray[Any]
Shape = tuple[int, ...]
Axis = int | Sequence[int] | None
F64: np.dtype[Any] = np.dtype(np.float64)
F32: np.dtype[Any] = np.dtype(np.float32)
C128: np.dtype[Any] = np.dtype(np.complex128)
BOOL: np.dtype[Any] = np.dtype(np.bool_)
SMALL = 2**15
"""Elements up to which a value is computed at once: above it, fusing operations saves more than their compilation."""


class Operation:
    """An operation on values. ``compute(*arrays)`` returns the array of the result.

    ``view``: the result costs nothing, and shares memory with the argument if NumPy's does.
    """

    __slots__ = ("compute", "name", "view")

    def __init__(self, name: str, compute: Callable[..., Any], *, view: bool = False) -> None:
        self.name, self.compute, self.view = name, compute, view

    fused = False
    """Whether a program can compute it element by element, fused with other operations."""

    def saves(self, indices: Sequence[int]) -> bool:
        """Whether the derivative in the arguments ``indices`` needs saved values, which freeing the graph drops."""
        return True


class Pending:
    """The computation of a lazy value: ``op`` applied to ``args``.

    ``results`` are the arrays that threads have computed; the first of them is the value for good.
    """

    __slots__ = ("args", "op", "results")

    def __init__(self, op: Operation, args: tuple[Value, ...]) -> None:
        self.op, self.args = op, args
        self.results: list[Any] = []


class Value:
    """``array``, or None and ``pending``, its computation, which is dropped once the array is there.

    The array of a scalar double is a float, that of a scalar truth value a bool. ``base`` is the leaf whose memory a
    view shares. ``used`` is False for a leaf that no computation has used yet: it may still be written to.
    """

    __slots__ = ("array", "base", "dtype", "pending", "shape", "used")

    def __init__(self, shape: Shape, dtype: np.dtype[Any], array: Any, pending: Pending | None = None) -> None:
        self.shape, self.dtype, self.array, self.pending = shape, dtype, array, pending
        self.base: Value | None = None
        self.used = True

    @property
    def size(self) -> int:
        return prod(self.shape)

    def fill(self, array: Any) -> None:
        """Store the computed array, or the one that another thread stored first: a value never changes."""
        pending = self.pending
        if pending is not None:
            pending.results.append(array)
            self.array = pending.results[0]
            self.pending = None


def array_of(data: Any) -> Array:
    """``data`` as a new array of a dtype that tensors have. Raises BadType for anything but an array of numbers."""
    if isinstance(data, np.ma.MaskedArray):
        raise BadType("no array of numbers: some of a masked array may be missing", hint="give its .filled(...)")
    try:
        with np.errstate(all="ignore"):
            array = np.array(data)
    except (ValueError, TypeError, OverflowError) as e:
        raise BadType(f"no array of numbers: {e}") from None
    kind = array.dtype.kind
    if kind not in "biufc":
        reason = f"its dtype is {array.dtype}" if isinstance(data, (np.ndarray, np.generic)) else type(data).__name__
        raise BadType(f"no array of numbers: {reason}")
    dtype = BOOL if kind == "b" else C128 if kind == "c" else F32 if kind == "f" and array.itemsize == 4 else F64
    return array.astype(dtype, copy=False)


def stored(array: Array) -> Value:
    """An array of a dtype that tensors have, as a value."""
    # The dtype itself, which is compared by identity: an array may have one that is equal only.
    dtype = next(d for d in (BOOL, F32, F64, C128) if d == array.dtype)
    return Value(array.shape, dtype, settled(array, dtype))


def settled(array: Any, dtype: np.dtype[Any]) -> Any:
    """The array in the form that a Value stores: float, bool or an ndarray of ``dtype``."""
    if dtype is F64 and np.ndim(array) == 0:
        return float(array)
    if dtype is BOOL and np.ndim(array) == 0:
        return bool(array)
    return np.asarray(array, dtype=dtype)


def derived(op: Operation, args: tuple[Value, ...], shape: Shape, dtype: np.dtype[Any]) -> Value:
    """``op`` applied to ``args``: computed at once if it is small or a view, else lazy."""
    size = prod(shape)
    if not size:
        return Value(shape, dtype, np.empty(shape, dtype))
    small = size <= SMALL
    for v in args:
        array = v.array
        if array is None:
            break
        if small and array.__class__ is np.ndarray and array.size > SMALL:
            small = False
    else:
        if small or op.view or (op.fused and dtype is not F64 and dtype is not BOOL):
            return Value(shape, dtype, computed(op, args, shape, dtype))
    # A lazy value reads its arguments later: their leaves may not be written to any more.
    for v in args:
        (v.base or v).used = True
    return Value(shape, dtype, None, Pending(op, args))


def computed(op: Operation, args: Iterable[Value], shape: Shape, dtype: np.dtype[Any]) -> Any:
    """The array of ``op`` applied to ``args``, broadcast to ``shape``, without NumPy's warnings."""
    return quietly(_computed, op.compute, shape, dtype, *[v.array for v in args])


def _computed(compute: Callable[..., Any], shape: Shape, dtype: np.dtype[Any], *arrays: Any) -> Any:
    array = compute(*arrays)
    if array.__class__ is np.ndarray and array.dtype is dtype and array.shape == shape != ():
        return array
    array = settled(array, dtype)
    if array.__class__ is float and not shape:
        return array
    return array if np.shape(array) == shape else np.broadcast_to(array, shape)


quietly = Quiet().run
"""``quietly(f, *args)`` is ``f(*args)`` without NumPy's warnings."""


def fusable(v: Value, pending: Pending) -> bool:
    """Whether a lazy value can be part of a program: an elementwise operation on doubles or truth values."""
    if not pending.op.fused:
        return False
    # A comparison of complex numbers is of truth values, too.
    return v.dtype is F64 or (v.dtype is BOOL and all(a.dtype is not C128 for a in pending.args))
