"""Adjoints of nodes: a cotangent with the condition under which it is alive, or a plain number or array.

Where the graph of the gradient is not wanted, a cotangent of few doubles is pulled back through an elementwise
operation by compiled functions alone, without a tensor for each intermediate cotangent. They are those that the
operations on tensors would call, in the same order: the result is the same bit for bit.
Layer: must not know operations that are not elementwise.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np

from gradcli.autograd import values
from gradcli.autograd.elementwise import COTANGENT, Elementwise, row
from gradcli.autograd.graph import Node
from gradcli.autograd.operations import apply, lift
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import F64, Array, Shape, Value

Alive = tuple[Tensor | None, Tensor | None]
"""The condition of an adjoint (None: always), and the adjoint, valid where the condition holds; None is a structural
zero.
"""
Plain = float | Array
"""An adjoint that holds everywhere: a float without axes, else a float64 array of at most `values.SMALL` elements."""
Adjoints = dict[Node, Alive | Plain]

_WHERE, _OR, _ADD = row("where", 3), row("or", 2), row("add", 2)


def selected(condition: Tensor | None, g: Tensor) -> Tensor:
    """The adjoint where its condition holds, 0 elsewhere."""
    return g if condition is None else apply(_WHERE, condition, g, lift(0.0, g))


def accumulate(adjoints: Adjoints, node: Node | None, condition: Tensor | None, g: Tensor | None) -> None:
    """Add a contribution to the adjoint of a node."""
    if node is None:
        return
    known, total = alive(adjoints.get(node, _NOTHING))
    if total is None:
        adjoints[node] = condition, g
    elif g is None:
        return
    elif known is condition:
        adjoints[node] = condition, apply(_ADD, total, g)
    else:
        either = None if known is None or condition is None else apply(_OR, known, condition)
        adjoints[node] = either, apply(_ADD, selected(known, total), selected(condition, g))


_NOTHING: Alive = (None, None)


def alive(adjoint: Alive | Plain) -> Alive:
    """An adjoint as a condition and a tensor."""
    return adjoint if isinstance(adjoint, tuple) else (None, boxed(adjoint))


def unconditional(adjoint: Alive | Plain) -> Plain | None:
    """The number or array of an adjoint; None if it has a condition, or is zero, lazy, large or not of doubles."""
    if not isinstance(adjoint, tuple):
        return adjoint
    condition, g = adjoint
    if condition is not None or g is None:
        return None
    array: Plain = g.value.array
    if isinstance(array, float):
        return array
    fits = isinstance(array, np.ndarray) and g.value.dtype is F64 and array.ndim and array.size <= values.SMALL
    return array if fits else None


def boxed(g: Any) -> Tensor:
    """A plain adjoint as a constant tensor."""
    return Tensor(Value(() if g.__class__ is float else g.shape, F64, g))


def pull_plain(node: Node, g: Plain, on_path: Container[Node | None], adjoints: Adjoints) -> bool:
    """Pull a plain adjoint back through one node, to its edges that are on the path, without NumPy's error state.

    Return False, with nothing done, if the operation is not elementwise, a value is not plain, or the node was freed.
    """
    op, args, answer = node.op, node.args, node.answer
    if not isinstance(op, Elementwise) or not op.numeric or args is None or answer is None:
        return False
    arrays = g.__class__ is not float
    slots = [answer.array, g]
    for v in args:
        slots.append(v.array)
    for x in slots:
        if x.__class__ is not float and not (
            arrays and x.__class__ is np.ndarray and x.dtype is F64 and x.size <= values.SMALL
        ):
            return False
    backs = op.back_arrays if arrays else op.back_numbers
    for k, edge in enumerate(node.edges):
        if edge is None or edge not in on_path:
            continue
        back = backs[k] if k in backs else op.back(k, arrays)
        if back.__class__ is tuple:
            f, read = back
            pulled = f(*read(slots))
        elif back is None:
            accumulate(adjoints, edge, None, None)
            continue
        else:
            assert back == COTANGENT
            pulled = g
        if arrays and args[k].shape != answer.shape:
            pulled = _summed(pulled, args[k].shape)
        total = adjoints.get(edge)
        if total is None:
            adjoints[edge] = pulled
        elif total.__class__ is tuple:
            accumulate(adjoints, edge, None, boxed(pulled))
        else:
            adjoints[edge] = total + pulled
    return True


def _summed(g: Any, shape: Shape) -> Plain:
    """The adjoint of broadcasting from ``shape``: `shape_ops.sum_to` on an array."""
    if not shape:
        return float(np.add.reduce(g, tuple(range(g.ndim))))
    extra = g.ndim - len(shape)
    axes = tuple([k for k in range(g.ndim) if k < extra or (shape[k - extra] == 1 != g.shape[k])])
    array: Array = np.add.reduce(g, axes).reshape(shape)
    return array
