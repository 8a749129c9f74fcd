"""A chain of elementwise operations on one large array as a single operation with a single slope.

Pulling a cotangent back operation by operation makes a chain of products; the derivative of the whole chain, by forward
mode in its single input, takes about half the steps.
Layer: must not know how cotangents of other operations are pulled back.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.autograd import values
from gradcli.autograd.elementwise import Elementwise, joined, placeholder
from gradcli.autograd.graph import Node, Shortcut, needed
from gradcli.autograd.values import F64, Value
from gradcli.expr import Expr

_MOST = 3000
"""The most operations that are joined."""


def region_start(order: Sequence[Node], inputs: Sequence[Node]) -> int:
    """The index in ``order`` (users first) from which all nodes are elementwise and end in the single input.

    ``len(order)`` if there is no such region.
    """
    if len(inputs) != 1 or not order or order[-1] is not inputs[0]:
        return len(order)
    start = len(order) - 1
    shape = None
    while start and len(order) - start < _MOST:
        node = order[start - 1]
        answer = node.answer
        if not isinstance(node.op, Elementwise) or answer is None or answer.dtype is not F64:
            break
        shape = answer.shape if shape is None else shape
        if answer.shape != shape or answer.size <= values.SMALL:
            break
        start -= 1
    return start


def whole(nodes: Sequence[Node]) -> tuple[Shortcut, int] | None:
    """The first of ``nodes`` as one operation, and the index of the last among its arguments; None if there is none."""
    top, end = nodes[0], nodes[-1]
    shortcut, answer = top.shortcut, top.answer
    if shortcut is None or not _direct(shortcut, end):
        shortcut = _joined(nodes, end)
    if shortcut is None or answer is None:
        return None
    k = shortcut[2].index(end)
    return (shortcut, k) if shortcut[1][k].shape == answer.shape else None


def _direct(shortcut: Shortcut, end: Node) -> bool:
    """Whether ``end`` is an argument of the operation, and no other argument depends on it."""
    others = [edge for edge in shortcut[2] if edge is not None and edge is not end]
    return end in shortcut[2] and not (others and needed(others, [end]))


def _joined(nodes: Sequence[Node], end: Node) -> Shortcut | None:
    """The operations of ``nodes`` substituted into each other; None if one is freed or ``end`` does not occur."""
    new: dict[Node, Expr] = {}
    leaves: list[Value] = []
    edges: list[Node | None] = []
    placeholders: dict[int, Expr] = {}

    def leaf(v: Value, edge: Node | None) -> Expr:
        if id(v) not in placeholders:
            placeholders[id(v)] = placeholder(len(leaves))
            leaves.append(v)
            edges.append(edge)
        return placeholders[id(v)]

    for node in reversed(nodes):
        if node is end:
            continue
        arguments = node.args
        if arguments is None or not isinstance(node.op, Elementwise):
            return None
        args = [
            new[edge] if edge is not None and edge in new else leaf(v, edge)
            for v, edge in zip(arguments, node.edges, strict=True)
        ]
        new[node] = node.op.instance(args)
    op = joined(new[nodes[0]], len(leaves))
    if end not in edges:
        return None
    return op, tuple(leaves), tuple(edges)
