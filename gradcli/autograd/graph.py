"""The graph of a computation: the operation, values and argument nodes of every result, and paths between nodes.

A node refers to values and nodes, never to a tensor, so that tensors the user drops are freed.
Layer: must not know how derivatives are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from operator import attrgetter
from typing import Any

import numpy as np

from gradcli.autograd.elementwise import Elementwise
from gradcli.autograd.values import Operation, Shape, Value

Shortcut = tuple[Elementwise, tuple[Value, ...], "tuple[Node | None, ...]"]
"""An operation, the values of its arguments, and the nodes of these (None: constants)."""

_serials = count()


class Node:
    """A node: ``op`` applied to ``args`` gave ``answer``; ``edges`` are the nodes of the arguments.

    An edge of None is an argument without gradient. A leaf has no operation. A freed node has no values.
    ``shortcut`` is one operation on earlier values that gives the same answer.
    """

    __slots__ = ("answer", "args", "edges", "op", "serial", "shortcut")

    def __init__(
        self, op: Operation | None, args: tuple[Value, ...] | None, answer: Value | None, edges: tuple[Node | None, ...]
    ) -> None:
        self.op, self.args, self.answer, self.edges = op, args, answer, edges
        self.serial = next(_serials)
        self.shortcut: Shortcut | None = None

    def free(self) -> None:
        """Drop the values. If the derivative needs none of them, keep their shapes: the node can be used again."""
        self.shortcut = None
        # Read once into locals, as everywhere: another thread may free the node in between.
        op, args, answer = self.op, self.args, self.answer
        if op is None or args is None or answer is None:
            return
        edges = self.edges
        if None in edges or len(edges) >= len(_ALL):
            indices = tuple([k for k, edge in enumerate(edges) if edge is not None])
        else:
            indices = _ALL[len(edges)]
        if op.saves(indices):
            self.args = self.answer = None
        else:
            self.args = tuple([_freed(v.shape, v.dtype) for v in args])
            self.answer = _freed(answer.shape, answer.dtype)


_ALL = ((), (0,), (0, 1), (0, 1, 2))
"""The indices of all arguments, by their number."""


@lru_cache(1000)
def _freed(shape: Shape, dtype: np.dtype[Any]) -> Value:
    """A value whose array is gone."""
    return Value(shape, dtype, None)


def needed(outputs: Sequence[Node], inputs: Sequence[Node]) -> list[Node]:
    """The nodes on a path from an output to an input, in reverse topological order (users first)."""
    seen = set(outputs)
    stack = list(seen)
    while stack:
        for edge in stack.pop().edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    on_path = set(inputs)
    order = sorted(seen, key=_serial)
    path = []
    for node in order:
        if node in on_path:
            path.append(node)
            continue
        for edge in node.edges:
            if edge in on_path:
                on_path.add(node)
                path.append(node)
                break
    path.reverse()
    return path


_serial = attrgetter("serial")
