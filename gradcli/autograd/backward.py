"""Reverse mode on the graph of tensors: cotangents of the outputs pulled back to the inputs.

Rules are written in operations on tensors, so that gradients can be differentiated again if their graph is kept. An
adjoint carries the condition under which it is alive, as in `calculus.reverse`: the branch that `where` did not take
contributes 0. There is no recursion: the depth of a graph is bounded by memory alone.
Layer: must not know how arguments are checked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcli.autograd.adjoints import Adjoints, accumulate, alive, boxed, pull_plain, selected, unconditional
from gradcli.autograd.complex_ops import conj
from gradcli.autograd.elementwise import ANSWER, COTANGENT, Elementwise, Power, row
from gradcli.autograd.errors import Refused
from gradcli.autograd.graph import Node, Shortcut, needed
from gradcli.autograd.joined_slope import region_start, whole
from gradcli.autograd.operations import Primitive, apply
from gradcli.autograd.shape_ops import expand, sum_to
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, F64, Value, derived
from gradcli.expr.node import collector_paused

_WHERE, _AND, _NOT = row("where", 3), row("and", 2), row("not", 1)

_TWICE = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
    "been freed). Saved intermediate values of the graph are freed when you call grad(). Specify retain_graph=True if "
    "you need to backward through the graph a second time or if you need to access saved tensors after calling grad."
)


def pull_back(
    outputs: Sequence[tuple[Node, Tensor]], inputs: Sequence[Node], *, retain: bool, create: bool
) -> dict[Node, Tensor | Node | None]:
    """The cotangent of each input that an output depends on.

    A structural zero is None, or, with ``create``, the node that connects it to the graph. ``create``: the results
    belong to the graph. Unless ``retain``, the nodes on the path lose their saved values.
    """
    # What is made here forms no cycles: passes of the collector over a large graph would take a third of the time.
    with np.errstate(all="ignore"), collector_paused():
        return _pull_back(outputs, inputs, retain, create)


def _pull_back(
    outputs: Sequence[tuple[Node, Tensor]], inputs: Sequence[Node], retain: bool, create: bool
) -> dict[Node, Tensor | Node | None]:
    adjoints: Adjoints = {}
    # For structural zeros: the nodes their value would have depended on, so that a second grad() treats them as
    # connected, as torch does.
    connections: dict[Node, Node] = {}
    for node, cotangent in outputs:
        accumulate(adjoints, node, None, cotangent)
    input_nodes = set(inputs)
    gradients: dict[Node, Tensor | Node | None] = {}
    passed: list[Node] = []
    order = needed([node for node, _ in outputs], inputs)
    on_path = set(order)
    region = region_start(order, inputs)
    shortcut: tuple[Tensor, Shortcut] | None = None
    for position, node in enumerate(order):
        adjoint = adjoints.pop(node, None)
        if adjoint is None:
            continue
        number = None if create else unconditional(adjoint)
        if number is not None:
            if node in input_nodes:
                gradients[node] = boxed(number)
                if not any(edge in on_path for edge in node.edges):
                    continue
            if pull_plain(node, number, on_path, adjoints):
                passed.append(node)
                continue
        condition, g = alive(adjoint)
        if node.op is _ZERO:
            g = None
        if shortcut is None and position >= region and not adjoints and g is not None:
            shortcut = _shortcut(order[position:], selected(condition, g))
            if shortcut is not None and not create:
                gradients[inputs[0]] = shortcut[0]
                passed += order[position:-1]
                break
        if node in input_nodes:
            gradients[node] = connections.get(node) if g is None else selected(condition, g)
        indices = [k for k, edge in enumerate(node.edges) if edge in on_path]
        if not indices:
            continue
        args, answer = node.args, node.answer
        if args is None or answer is None:
            raise Refused(_TWICE)
        passed.append(node)
        if g is None:
            factors = _slope_edges(node, indices) if create else ()
            connection = None
            if factors or node in connections:
                connection = Node(_ZERO, (), _ZERO_VALUE, (connections.get(node), *factors))
            for k in indices:
                edge = node.edges[k]
                accumulate(adjoints, edge, None, None)
                if connection is not None and edge is not None:
                    connections[edge] = connection
        else:
            _pull(node, args, answer, condition, g, indices, adjoints, create)
    if shortcut is not None and create:
        # The graph of the result has all operations; its value comes from the single joined one.
        full = gradients[inputs[0]]
        if isinstance(full, Tensor) and full.node is not None:
            full.node.shortcut = shortcut[1]
            gradients[inputs[0]] = Tensor(shortcut[0].value, full.node)
    if not retain:
        for node in passed:
            node.free()
    return gradients


def _shortcut(nodes: Sequence[Node], g: Tensor) -> tuple[Tensor, Shortcut] | None:
    """The cotangent of the last of ``nodes`` as one operation, given g, that of the first; None if there is none."""
    if len(nodes) < _SHORTEST or any(node.args is None for node in nodes[:-1]):
        return None
    operation = whole(nodes)
    if operation is None:
        return None
    (op, values, edges), k = operation
    pulled = op.pull(k)
    if not isinstance(pulled, tuple):
        return None
    product, sources = pulled
    factors = [(g.value, g.node) if s == COTANGENT else (values[s], edges[s]) for s in sources]
    args = tuple([v for v, _ in factors])
    return Tensor(derived(product, args, g.shape, F64)), (product, args, tuple([n for _, n in factors]))


def _slope_edges(node: Node, indices: Sequence[int]) -> tuple[Node, ...]:
    """The nodes that the slopes of a node in the arguments ``indices`` depend on."""
    op = node.op
    if isinstance(op, Elementwise):
        sources = {source for k in indices if (slope := op.slope_operation(k)) for source in slope[1]}
        nodes = [node if s == ANSWER else node.edges[s] for s in sources]
    else:
        nodes = list(node.edges) if op is not None and op.saves(indices) else []
    return tuple([n for n in nodes if n is not None])


_SHORTEST = 4
"""Nodes from which one slope of the whole chain takes less work than one for each."""

_ZERO = Primitive("zero", lambda: 0.0, lambda k, g, y: None, linear=True)
"""The operation of the nodes that connect structural zeros."""
_ZERO_VALUE = Value((), F64, 0.0)


def _pull(
    node: Node, args: tuple[Value, ...], answer: Value, condition: Tensor | None, g: Tensor, indices: Sequence[int],
    adjoints: Adjoints, create: bool,
) -> None:  # fmt: skip
    """Pull an adjoint back through one node and accumulate it at the arguments ``indices``."""
    op = node.op
    tensors = list(map(Tensor, args, node.edges) if create else map(Tensor, args))
    y = Tensor(answer, node if create else None)
    if isinstance(op, Elementwise):
        for k in indices:
            alive = condition
            if op is _WHERE:
                chosen = tensors[0] if k == 1 else apply(_NOT, tensors[0])
                alive = chosen if condition is None else apply(_AND, condition, chosen)
            pulled = g if op is _WHERE else _elementwise(op, k, g, y, tensors)
            shape = args[k].shape
            if shape != answer.shape and pulled is not None:
                pulled = sum_to(selected(alive, pulled), shape)
                alive = None if alive is None else sum_to(expand(alive, answer.shape), shape)
            accumulate(adjoints, node.edges[k], alive, pulled)
        return
    assert isinstance(op, Primitive)
    if condition is not None:
        # A condition may broadcast to the answer; rules expect its shape.
        condition = expand(condition, answer.shape)
    if not op.carries:
        g = selected(condition, g)
    for k in indices:
        alive = None if condition is None or op.alive is None else op.alive(k, condition, y, *tensors)
        accumulate(adjoints, node.edges[k], alive, op.rule(k, g, y, *tensors))


def _elementwise(op: Elementwise, k: int, g: Tensor, y: Tensor, args: Sequence[Tensor]) -> Tensor | None:
    """The cotangent of one argument, in the shape of the answer."""
    if isinstance(op, Power) and op.whole:
        return g * conj(apply(op.below, args[0]) * op.exponent)
    if y.dtype is C128:
        slope_operation = op.slope_operation(k)
        if slope_operation is None:
            return None
        slope, sources = slope_operation
        return g * conj(apply(slope, *[y if s == ANSWER else args[s] for s in sources]))
    pulled = op.pull(k)
    if pulled is None:
        return None
    if isinstance(pulled, int):
        return g
    product, sources = pulled
    return apply(product, *[g if s == COTANGENT else y if s == ANSWER else args[s] for s in sources])
