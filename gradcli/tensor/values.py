"""Values: arrays that may not have been computed yet, and the operations that make one of others.

A small value is computed at once. A large one waits until it is asked for: then every elementwise operation that leads
to it runs as one program over blocks, and what lies between is never stored. Must not know derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]
F64: np.dtype[Any] = np.dtype(np.float64)
F32: np.dtype[Any] = np.dtype(np.float32)
C128: np.dtype[Any] = np.dtype(np.complex128)
BOOL: np.dtype[Any] = np.dtype(np.bool_)
_DEEPEST = 200
"""Operations in a row that are joined: of longer rows, what is kept for the way back would not stay in the cache."""
SMALL = 2**15
"""Elements from which joining operations saves more than compiling the join costs."""


class Operation:
    """One way to make a value of values.

    ``compute(*arrays)`` gives the array. ``view``: costs nothing, and shares memory with its argument where NumPy does.
    """

    __slots__ = ("compute", "name", "view")

    def __init__(self, name: str, compute: Callable[..., Any], *, view: bool = False) -> None:
        self.name, self.compute, self.view = name, compute, view

    fused = False
    """Whether a program can do it, element by element."""

    def saves(self, ways: Sequence[int]) -> bool:
        """Whether the derivative in the arguments ``ways`` needs values, so that it is gone once the graph is freed."""
        return True


class Pending:
    """How to get an array: ``op`` applied to ``args``. ``found``: what threads made of it; the first counts."""

    __slots__ = ("args", "found", "op")

    def __init__(self, op: Operation, args: tuple[Value, ...]) -> None:
        self.op, self.args = op, args
        self.found: list[Any] = []


class Value:
    """``array``, or None and how to get it: ``pending``, which is dropped once the array is there.

    The array of a single double is a float, that of a single truth value a bool. ``base`` is the leaf whose memory a
    view shows; ``used`` is False for a leaf that has not entered a computation: it may still be written to.
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
        """Take the array that was waited for, unless another thread came first: what was read once stays as it was."""
        pending = self.pending
        if pending is not None:
            pending.found.append(array)
            self.array = pending.found[0]
            self.pending = None


def settled(array: Any, dtype: np.dtype[Any]) -> Any:
    """The array in the form a Value holds it."""
    if dtype is F64 and np.ndim(array) == 0:
        return float(array)
    if dtype is BOOL and np.ndim(array) == 0:
        return bool(array)
    return np.asarray(array, dtype=dtype)


def derived(op: Operation, args: tuple[Value, ...], shape: Shape, dtype: np.dtype[Any]) -> Value:
    """``op`` applied to ``args``: at once where that is cheap, else when it is asked for."""
    if not prod(shape):
        return Value(shape, dtype, np.empty(shape, dtype))
    if all(v.array is not None for v in args) and (
        op.view
        or (prod(shape) <= SMALL and all(v.size <= SMALL for v in args))
        or (op.fused and dtype not in (F64, BOOL))
    ):
        return Value(shape, dtype, _computed(op, args, shape, dtype))
    # What waits must find its arguments as they are now.
    for v in args:
        (v.base or v).used = True
    return Value(shape, dtype, None, Pending(op, args))


def _computed(op: Operation, args: Iterable[Value], shape: Shape, dtype: np.dtype[Any]) -> Any:
    with np.errstate(all="ignore"):
        found = settled(op.compute(*[v.array for v in args]), dtype)
    if np.shape(found) != shape:
        found = np.broadcast_to(found, shape)
    return found


def _waiting(roots: Iterable[Value]) -> dict[Value, Pending]:
    """Every value not computed yet that ``roots`` need and how to get it, arguments before users."""
    order: dict[Value, Pending] = {}
    seen: dict[Value, Pending] = {}
    stack = [(v, False) for v in roots]
    while stack:
        v, ready = stack.pop()
        if ready:
            order[v] = seen[v]
        elif v.array is None and v not in seen:
            pending = v.pending
            # None where another thread has just got it.
            if pending is not None:
                seen[v] = pending
                stack.append((v, True))
                stack.extend([(a, False) for a in pending.args])
    return order


def fusable(v: Value, pending: Pending) -> bool:
    """Whether a value that waits can be part of a program."""
    return pending.op.fused and (v.dtype is F64 or v.dtype is BOOL)


def evaluate(roots: Sequence[Value]) -> None:
    """Compute ``roots``, and drop the way that led to them.

    No lock is held: another thread, a signal's handler or a finalizer may evaluate the same values meanwhile, and what
    both compute is the same. Each works with the ways as it found them, since the other drops them.
    """
    order = _waiting(roots)
    if order:
        _evaluate(roots, order)


def _evaluate(roots: Sequence[Value], order: dict[Value, Pending]) -> None:
    # A level is done when those below it are: what is wanted of one shape and level is one program.
    level: dict[int, int] = {}
    depth: dict[int, int] = {}
    wanted = {id(v) for v in roots}
    for v, pending in order.items():
        here = deep = 0
        joins = fusable(v, pending)
        args = [a for a in pending.args if a in order]
        most = _DEEPEST if all(depth[id(a)] < _DEEPEST for a in args) else _DEEPEST // 2
        for a in args:
            inside = joins and fusable(a, order[a]) and a.shape == v.shape and depth[id(a)] < most
            here = max(here, level[id(a)] + (not inside))
            if inside:
                deep = max(deep, depth[id(a)])
            else:
                wanted.add(id(a))
        level[id(v)], depth[id(v)] = here, deep + 1
    stages: dict[int, tuple[dict[Shape, list[Value]], list[Value]]] = {}
    for v, pending in order.items():
        joins = fusable(v, pending)
        if id(v) in wanted or not joins:
            together, alone = stages.setdefault(level[id(v)], ({}, []))
            if joins:
                together.setdefault(v.shape, []).append(v)
            else:
                alone.append(v)
    for stage in sorted(stages):
        together, alone = stages[stage]
        for group in together.values():
            from gradcli.tensor import fusion

            fusion.compute(group, order)
            for v in group:
                del order[v]
        for v in alone:
            pending = order.pop(v)
            v.fill(_computed(pending.op, pending.args, v.shape, v.dtype))
