"""A run of elementwise operations on one large array as a single operation, which has a single slope.

Pulling a cotangent back operation by operation makes a chain of products; the derivative of the whole, by forward mode
in the one input, takes about half the steps. Must not know how cotangents of other operations are pulled back.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.expr import Expr
from gradcli.tensor import values
from gradcli.tensor.elementwise import Elementwise, joined, placeholder
from gradcli.tensor.graph import Node, Way, needed
from gradcli.tensor.values import F64, Value

_MOST = 3000
"""Operations that are joined."""


def region_start(order: Sequence[Node], inputs: Sequence[Node]) -> int:
    """Where the nodes of ``order``, users first, begin to be one region that ends in the single input."""
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


def whole(nodes: Sequence[Node]) -> tuple[Way, int] | None:
    """The first of ``nodes`` as one operation, and which of its arguments is the last; None where it is not one."""
    top, end = nodes[0], nodes[-1]
    found, answer = top.short, top.answer
    if found is None or not _alone(found, end):
        found = _joined(nodes, end)
    if found is None or answer is None:
        return None
    k = found[2].index(end)
    return (found, k) if found[1][k].shape == answer.shape else None


def _alone(way: Way, end: Node) -> bool:
    """Whether ``end`` is met as itself among the arguments, and by no other."""
    others = [edge for edge in way[2] if edge is not None and edge is not end]
    return end in way[2] and not (others and needed(others, [end]))


def _joined(nodes: Sequence[Node], end: Node) -> Way | None:
    made: dict[Node, Expr] = {}
    leaves: list[Value] = []
    edges: list[Node | None] = []
    places: dict[int, Expr] = {}

    def leaf(v: Value, edge: Node | None) -> Expr:
        if id(v) not in places:
            places[id(v)] = placeholder(len(leaves))
            leaves.append(v)
            edges.append(edge)
        return places[id(v)]

    for node in reversed(nodes):
        if node is end:
            continue
        given = node.args
        if given is None or not isinstance(node.op, Elementwise):
            return None
        args = [
            made[edge] if edge is not None and edge in made else leaf(v, edge)
            for v, edge in zip(given, node.edges, strict=True)
        ]
        made[node] = node.op.instance(args)
    op = joined(made[nodes[0]], len(leaves))
    if end not in edges:
        return None
    return op, tuple(leaves), tuple(edges)
