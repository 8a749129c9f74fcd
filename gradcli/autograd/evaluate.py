"""Fusion: many elementwise operations on arrays of one shape as one Program, run in blocks by the vector engine.

The templates of the operations are substituted into each other: common subexpressions are interned as one node, and
no intermediate array is allocated. Layer: must not know derivatives or particular operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from gradcli.autograd.values import BOOL, F64, Array, Pending, Shape, Value, computed, fusable
from gradcli.compute import engine
from gradcli.compute.backends import vector
from gradcli.compute.execute import Work, whole
from gradcli.compute.grid import Axis, Grid, Held
from gradcli.compute.program import Program, build
from gradcli.errors import BadValue, GradError
from gradcli.expr import BOOLEANS, ONE, ZERO, Expr, apply, var

_DEEPEST = 200
"""The longest chain of operations that is fused: the registers of a longer one do not stay in the cache."""


class _Region:
    """The expressions of lazy values of one shape, in variables for the values that are computed already.

    ``single`` are the values of one element, ``full`` those of the whole shape, in the order of their variables.
    """

    def __init__(self, roots: Sequence[Value], pending: Mapping[Value, Pending]) -> None:
        self.shape, self.pending = roots[0].shape, pending
        self.known: dict[int, Expr] = {}
        self.single: list[Value] = []
        self.full: list[Value] = []
        expressions = map(self._expression, roots)
        self.outputs = tuple([apply("where", e, ONE, ZERO) if e.op in BOOLEANS else e for e in expressions])

    def _leaf(self, v: Value) -> Expr:
        # Variables are numbered in the order they are met: the same computation on other arrays reuses its Program.
        single = v.size == 1
        if isinstance(v.array, np.ndarray) and not any(v.array.strides):
            # A broadcast scalar (all strides 0); a factor 1 is folded away.
            single = True
            if v.dtype is F64 and v.array.flat[0] == 1:
                return ONE
        if single:
            e = var(f"\0s{len(self.single)}")
            self.single.append(v)
        else:
            e = var(f"\0v{len(self.full)}")
            self.full.append(v)
        return apply("ne", e, ZERO) if v.dtype is BOOL else e

    def _expression(self, root: Value) -> Expr:
        known, stack = self.known, [root]
        while stack:
            v = stack[-1]
            if id(v) in known:
                stack.pop()
                continue
            pending = self.pending.get(v)
            if v.array is not None or pending is None or v.shape != self.shape or not fusable(v, pending):
                known[id(v)] = self._leaf(v)
                stack.pop()
            else:
                missing = [a for a in pending.args if id(a) not in known]
                if missing:
                    stack.extend(reversed(missing))
                    continue
                known[id(v)] = pending.op.instance([known[id(a)] for a in pending.args])  # type: ignore[attr-defined]
                stack.pop()
        return known[id(root)]


@lru_cache(128)
def _program(outputs: tuple[Expr, ...], single: int, full: int) -> Program:
    return build(outputs, [[f"\0s{k}" for k in range(single)], [f"\0v{k}" for k in range(full)]])


def _flat(v: Value, size: int, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(np.asarray(v.array, np.float64), shape).reshape(size)


def compute(roots: Sequence[Value], pending: Mapping[Value, Pending]) -> None:
    """Compute the arrays of ``roots``, which are fusable and of one shape.

    ``pending`` has the computations of the roots and of the lazy values that they are made of.
    """
    shape, size = roots[0].shape, roots[0].size
    region = _Region(roots, pending)
    program = _program(region.outputs, len(region.single), len(region.full))
    outs = [np.empty(size) for _ in roots]
    first = Axis(
        [""], [Held(np.array([np.asarray(v.array).flat[0]], np.float64)) for v in region.single] or [_ONE], fixed=True
    )
    second = Axis([""], [Held(_flat(v, size, shape)) for v in region.full] or [Held(np.broadcast_to(0.0, size))])
    inputs = [(axis, int(name[2:])) for name, axis in program.inputs]
    work = Work(lambda: vector.kernel(program), inputs, len(outs), Grid([first, second]), True)
    threads = engine.threads(None, size * (program.length + len(outs)), "vector")
    target = engine.block_points(program, "vector", threads)
    for _ in whole(work, target=target, threads=threads, outs=outs):
        pass
    for v, out in zip(roots, outs, strict=True):
        v.fill((out != 0 if v.dtype is BOOL else out).reshape(shape))


_ONE = Held(np.ones(1))


# Evaluation of lazy values: level by level, one program for each shape.


def _lazy(roots: Iterable[Value]) -> dict[Value, Pending]:
    """Every lazy value that ``roots`` need, with its computation, arguments before users."""
    order: dict[Value, Pending] = {}
    seen: dict[Value, Pending] = {}
    stack = [(v, False) for v in roots]
    while stack:
        v, ready = stack.pop()
        if ready:
            order[v] = seen[v]
        elif v.array is None and v not in seen:
            pending = v.pending
            # None if another thread has just stored the array.
            if pending is not None:
                seen[v] = pending
                stack.append((v, True))
                stack.extend([(a, False) for a in pending.args])
    return order


def evaluate(roots: Sequence[Value]) -> None:
    """Compute the arrays of ``roots`` and drop their pending computations.

    No lock is held: another thread, a signal handler or a finalizer may evaluate the same values at the same time, with
    equal results. Each works on its own list of computations, since the other drops them from the values.
    """
    order = _lazy(roots)
    if not order:
        return
    # Level: the number of programs that must run before. The values needed of one shape and level are one program.
    # Depth: the number of fused operations in a chain.
    level: dict[int, int] = {}
    depth: dict[int, int] = {}
    needed = {id(v) for v in roots}
    for v, pending in order.items():
        own_level = own_depth = 0
        fuses = fusable(v, pending)
        args = [a for a in pending.args if a in order]
        most = _DEEPEST if all(depth[id(a)] < _DEEPEST for a in args) else _DEEPEST // 2
        for a in args:
            inside = fuses and fusable(a, order[a]) and a.shape == v.shape and depth[id(a)] < most
            own_level = max(own_level, level[id(a)] + (not inside))
            if inside:
                own_depth = max(own_depth, depth[id(a)])
            else:
                needed.add(id(a))
        level[id(v)], depth[id(v)] = own_level, own_depth + 1
    # The shape of a group is None if its values cannot be fused.
    stages: dict[int, dict[Shape | None, list[Value]]] = {}
    for v, pending in order.items():
        fuses = fusable(v, pending)
        if id(v) in needed or not fuses:
            stages.setdefault(level[id(v)], {}).setdefault(v.shape if fuses else None, []).append(v)
    try:
        for stage in sorted(stages):
            for shape, group in stages[stage].items():
                if shape is not None:
                    compute(group, order)
                for v in group:
                    pending = order.pop(v)
                    if shape is None:
                        v.fill(computed(pending.op, pending.args, v.shape, v.dtype))
    except (MemoryError, ValueError) as e:
        if isinstance(e, GradError):
            raise
        # NumPy allocates no array of more bytes than there are, or than there are addresses.
        raise BadValue(f"the tensor cannot be computed: {e}") from None
