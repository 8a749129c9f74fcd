"""Many elementwise operations on arrays of one shape as one Program, run over blocks by the vector engine.

Each operation's template is put into its users', so common subexpressions meet and intermediate arrays never exist.
Must not know derivatives or which operations there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradcli.backends import vector
from gradcli.expr import BOOLEANS, ONE, ZERO, Expr, apply, var
from gradcli.grid import Axis, Grid
from gradcli.job import engine
from gradcli.program import Program, build
from gradcli.spread import Work, whole
from gradcli.tensor.values import BOOL, F64, Array, Pending, Value, fusable


class Slices:
    """A flat array as a column of a grid."""

    def __init__(self, values: Array) -> None:
        self.values, self.length = values, len(values)

    def array(self, lo: int, hi: int) -> Array:
        return self.values[lo:hi]

    def floats(self, lo: int, hi: int) -> list[float]:
        found: list[float] = self.values[lo:hi].tolist()
        return found


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
        [""], [Slices(np.array([np.asarray(v.array).flat[0]], np.float64)) for v in region.single] or [_ONE], fixed=True
    )
    second = Axis([""], [Slices(_flat(v, size, shape)) for v in region.full] or [Slices(np.broadcast_to(0.0, size))])
    inputs = [(axis, int(name[2:])) for name, axis in program.inputs]
    work = Work(lambda: vector.kernel(program), inputs, len(outs), Grid([first, second]), True)
    threads = engine.threads(None, size * (program.length + len(outs)), "vector")
    target = engine.block_points(program, "vector", threads)
    for _ in whole(work, target=target, threads=threads, outs=outs):
        pass
    for v, out in zip(roots, outs, strict=True):
        v.fill((out != 0 if v.dtype is BOOL else out).reshape(shape))


_ONE = Slices(np.ones(1))


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
