"""The graph: which operation made what of which values, and the way from one node to another.

A node knows values and other nodes, never a tensor: what the user lets go of is gone. Must not know how derivatives
are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from gradcli.tensor.elementwise import Elementwise
from gradcli.tensor.values import Operation, Value

Way = tuple[Elementwise, tuple[Value, ...], "tuple[Node | None, ...]"]
"""An operation, the values it is done to and the nodes of those."""

_births = count()


class Node:
    """A step of the graph: ``op`` on ``args`` gave ``answer``; ``edges`` are the nodes of the arguments.

    None among the edges is an argument that no gradient reaches. A leaf has no operation. A freed node has no values.
    ``short``: another way to the same answer, in one operation on values further back.
    """

    __slots__ = ("answer", "args", "edges", "op", "serial", "short")

    def __init__(
        self, op: Operation | None, args: tuple[Value, ...] | None, answer: Value | None, edges: tuple[Node | None, ...]
    ) -> None:
        self.op, self.args, self.answer, self.edges = op, args, answer, edges
        self.serial = next(_births)
        self.short: Way | None = None

    def free(self) -> None:
        """Let go of the values. What needs none of them for its derivative keeps their shapes and may go again."""
        self.short = None
        # Taken before they are looked at, here and elsewhere: another thread may free the node.
        args, answer = self.args, self.answer
        if self.op is None or args is None or answer is None:
            return
        if self.op.saves([k for k, edge in enumerate(self.edges) if edge is not None]):
            self.args = self.answer = None
        else:
            self.args = tuple([Value(v.shape, v.dtype, None) for v in args])
            self.answer = Value(answer.shape, answer.dtype, None)


def needed(outputs: Sequence[Node], inputs: Sequence[Node]) -> list[Node]:
    """The nodes on a way from an output to an input, users before what they use."""
    seen = set(outputs)
    stack = list(seen)
    while stack:
        for edge in stack.pop().edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    leads = set(inputs)
    order = sorted(seen, key=lambda n: n.serial)
    for node in order:
        if node not in leads and any(edge in leads for edge in node.edges):
            leads.add(node)
    return [node for node in reversed(order) if node in leads]
