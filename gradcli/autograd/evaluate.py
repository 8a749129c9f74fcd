"""Many elementwise operations on arrays of one shape as one Program, run over blocks by the vector engine.

Each operation's template is put into its users', so common subexpressions meet and intermediate arrays never exist.
Must not know derivatives or which operations there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradcli.autograd.values import BOOL, F64, Array, Pending, Shape, Value, computed, fusable
from gradcli.compute import engine
from gradcli.compute.backends import vector
from gradcli.compute.execute import Work, whole
from gradcli.compute.grid import Axis, Grid, Held
from gradcli.compute.program import Program, build
from gradcli.expr import BOOLEANS, ONE, ZERO, Expr, apply, var

_DEEPEST = 200
"""Operations in a row that are joined: of longer rows, what is kept for the way back would not stay in the cache."""


class _Region:
    """The expressions of some values of one shape, in variables that stand for what is computed already."""

    def __init__(self, roots: Sequence[Value], ways: Mapping[Value, Pending]) -> None:
        self.shape, self.ways = roots[0].shape, ways
        self.known: dict[int, Expr] = {}
        self.single: list[Value] = []
        self.full: list[Value] = []
        self.outputs = tuple([self._number(v, self._expression(v)) for v in roots])

    def _number(self, v: Value, e: Expr) -> Expr:
        return apply("where", e, ONE, ZERO) if e.op in BOOLEANS else e

    def _leaf(self, v: Value) -> Expr:
        # Named in the order met: the same work on other arrays is the same expression.
        single = v.size == 1
        if isinstance(v.array, np.ndarray) and not any(v.array.strides):
            # One number for all elements; times one is nothing to do.
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
            way = self.ways.get(v)
            if v.array is not None or way is None or v.shape != self.shape or not fusable(v, way):
                known[id(v)] = self._leaf(v)
                stack.pop()
            else:
                missing = [a for a in way.args if id(a) not in known]
                if missing:
                    stack.extend(reversed(missing))
                    continue
                known[id(v)] = way.op.instance([known[id(a)] for a in way.args])  # type: ignore[attr-defined]
                stack.pop()
        return known[id(root)]


@lru_cache(128)
def _program(outputs: tuple[Expr, ...], single: int, full: int) -> Program:
    return build(outputs, [[f"\0s{k}" for k in range(single)], [f"\0v{k}" for k in range(full)]])


def _flat(v: Value, size: int, shape: tuple[int, ...]) -> Array:
    array = np.asarray(v.array)
    if array.shape != shape:
        array = np.broadcast_to(array, shape)
    if array.dtype != F64:
        array = array.astype(np.float64)
    return array.reshape(size)


def compute(roots: Sequence[Value], ways: Mapping[Value, Pending]) -> None:
    """Fill in the arrays of ``roots``, all of one shape and fusable, from values that have theirs.

    ``ways``: how to get ``roots`` and what lies between.
    """
    shape, size = roots[0].shape, roots[0].size
    region = _Region(roots, ways)
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


def instance(template: Expr, order: Sequence[Expr], args: Sequence[Expr]) -> Expr:
    """``template``, whose nodes are ``order``, with ``args`` for its placeholders."""
    made: dict[Expr, Any] = {}
    for e in order:
        if e.op == "var":
            made[e] = args[int(str(e.value)[2:])]
        elif not e.args:
            made[e] = e
        else:
            made[e] = apply(e.op, *[made[a] for a in e.args], value=e.value if isinstance(e.value, int) else None)
    found: Expr = made[template]
    return found


# Evaluating lazy values: stage by stage, one program for each shape.


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
            compute(group, order)
            for v in group:
                del order[v]
        for v in alone:
            pending = order.pop(v)
            v.fill(computed(pending.op, pending.args, v.shape, v.dtype))
