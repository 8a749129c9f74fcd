"""Reverse mode on the graph of tensors: cotangents of the outputs pulled back to the inputs.

What is met on the way is made of tensors, so with a graph kept it can be differentiated again. An adjoint carries the
condition under which it is alive, as in `gradcli.reverse`: nothing leaks from the branch that `where` did not take.
No recursion: the depth of a graph is bounded by memory alone. Must not know how arguments are checked.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.tensor.array import Cast, Tensor, apply, lift, power
from gradcli.tensor.elementwise import ANSWER, COTANGENT, Elementwise, Power, row
from gradcli.tensor.graph import Node, Way, needed
from gradcli.tensor.moving import Moving, alike, conj, expand, sum_to
from gradcli.tensor.refusals import Refused
from gradcli.tensor.region import region_start, whole
from gradcli.tensor.values import C128, F64, Value, derived

_WHERE, _AND, _OR, _NOT, _ADD = row("where", 3), row("and", 2), row("or", 2), row("not", 1), row("add", 2)

_TWICE = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
    "been freed). Saved intermediate values of the graph are freed when you call grad(). Specify retain_graph=True if "
    "you need to backward through the graph a second time or if you need to access saved tensors after calling grad."
)

Alive = tuple[Tensor | None, Tensor | None]
"""Condition (None: always) and the adjoint where it holds; None for a zero that calculus knows without numbers."""


def pull_back(
    outputs: Sequence[tuple[Node, Tensor]], inputs: Sequence[Node], *, retain: bool, create: bool
) -> dict[Node, Tensor | Node | None]:
    """The cotangents of the inputs that a way leads to.

    One that is zero whatever the numbers is None, or the node it would have had where it belongs to the graph.

    ``create``: the results belong to the graph. Unless ``retain``, the nodes passed through lose their values.
    """
    adjoints: dict[Node, Alive] = {}
    # What a zero that needs no numbers would have been multiplied by: it stays connected to that, as a number would.
    ties: dict[Node, Node] = {}
    for node, cotangent in outputs:
        _arrive(adjoints, node, None, cotangent)
    wanted = set(inputs)
    found: dict[Node, Tensor | Node | None] = {}
    passed: list[Node] = []
    order = needed([node for node, _ in outputs], inputs)
    leads = set(order)
    region = region_start(order, inputs)
    short: tuple[Tensor, Way] | None = None
    for place, node in enumerate(order):
        if node not in adjoints:
            continue
        condition, g = adjoints.pop(node)
        if node.op is _FLAT:
            g = None
        if short is None and place >= region and not adjoints and g is not None:
            short = _at_once(order[place:], _selected(condition, g))
            if short is not None and not create:
                found[inputs[0]] = short[0]
                passed += order[place:-1]
                break
        if node in wanted:
            found[node] = ties.get(node) if g is None else _selected(condition, g)
        ways = [k for k, edge in enumerate(node.edges) if edge in leads]
        if not ways:
            continue
        args, answer = node.args, node.answer
        if args is None or answer is None:
            raise Refused(_TWICE)
        passed.append(node)
        if g is None:
            met = _slope_edges(node, ways) if create else ()
            tie = Node(_FLAT, (), _NOTHING, (ties.get(node), *met)) if met or node in ties else None
            for k in ways:
                edge = node.edges[k]
                _arrive(adjoints, edge, None, None)
                if tie is not None and edge is not None:
                    ties[edge] = tie
        else:
            _step(node, args, answer, condition, g, ways, adjoints, create)
    if short is not None and create:
        # The graph is that of all operations; the number comes the short way.
        long = found[inputs[0]]
        if isinstance(long, Tensor) and long.node is not None:
            long.node.short = short[1]
            found[inputs[0]] = Tensor(short[0].value, long.node)
    if not retain:
        for node in passed:
            node.free()
    return found


def _at_once(nodes: Sequence[Node], g: Tensor | None) -> tuple[Tensor, Way] | None:
    """The cotangent of the last of ``nodes``, one region whose first has the cotangent g; and its way."""
    if len(nodes) < _WORTH or g is None or any(node.args is None for node in nodes[:-1]):
        return None
    found = whole(nodes)
    if found is None:
        return None
    (op, values, edges), k = found
    pulled = op.pull(k)
    if not isinstance(pulled, tuple):
        return None
    product, sources = pulled
    made_of = [(g.value, g.node) if s == COTANGENT else (values[s], edges[s]) for s in sources]
    args = tuple([v for v, _ in made_of])
    return Tensor(derived(product, args, g.shape, F64)), (product, args, tuple([n for _, n in made_of]))


def _slope_edges(node: Node, ways: Sequence[int]) -> tuple[Node, ...]:
    """The nodes that the slopes of a node in the arguments ``ways`` are made of."""
    op = node.op
    if isinstance(op, Elementwise):
        places = {source for k in ways for source in op.slope_sources(k)}
        found = [node if s == ANSWER else node.edges[s] for s in places]
    else:
        found = list(node.edges) if op is not None and op.saves(ways) else []
    return tuple([n for n in found if n is not None])


_WORTH = 4
"""Nodes from which one slope for all is less work than one for each."""


_FLAT = Moving("zero", lambda: 0.0, lambda k, g, y: None, linear=True)
_NOTHING = Value((), F64, 0.0)


def _selected(condition: Tensor | None, g: Tensor | None) -> Tensor | None:
    return g if condition is None or g is None else apply(_WHERE, condition, g, lift(0.0, g))


def _arrive(adjoints: dict[Node, Alive], node: Node | None, condition: Tensor | None, g: Tensor | None) -> None:
    """Add an adjoint to those of a node."""
    if node is None:
        return
    known = adjoints.get(node)
    if known is None or known[1] is None:
        adjoints[node] = condition, g
    elif g is None:
        return
    elif known[0] is condition:
        adjoints[node] = condition, apply(_ADD, known[1], g)
    else:
        both = _selected(*known), _selected(condition, g)
        assert both[0] is not None and both[1] is not None
        met = None if known[0] is None or condition is None else apply(_OR, known[0], condition)
        adjoints[node] = met, apply(_ADD, both[0], both[1])


def _step(
    node: Node, args: tuple[Value, ...], answer: Value, condition: Tensor | None, g: Tensor, ways: Sequence[int],
    adjoints: dict[Node, Alive], create: bool,
) -> None:  # fmt: skip
    """Pull an adjoint back through one node, to the arguments ``ways``."""
    op = node.op
    if create:
        tensors = [Tensor(v, edge) for v, edge in zip(args, node.edges, strict=True)]
        y = Tensor(answer, node)
    else:
        tensors = [Tensor(v) for v in args]
        y = Tensor(answer)
    if isinstance(op, Elementwise):
        for k in ways:
            if op is _WHERE:
                c = tensors[0] if k == 1 else apply(_NOT, tensors[0])
                alive: Alive = (c if condition is None else apply(_AND, condition, c), g)
            else:
                alive = condition, _elementwise(op, k, g, y, tensors)
            shape = args[k].shape
            if shape != answer.shape and alive[1] is not None:
                summed = _selected(*alive)
                assert summed is not None
                alive = (
                    None if alive[0] is None else sum_to(expand(alive[0], answer.shape), shape),
                    sum_to(summed, shape),
                )
            _arrive(adjoints, node.edges[k], *alive)
        return
    assert isinstance(op, (Moving, Cast))
    moves = isinstance(op, Moving) and op.carries
    if condition is not None and not moves:
        g = apply(_WHERE, condition, g, lift(0.0, g))
    for k in ways:
        carried = None
        if condition is not None:
            carried = (
                alike(k, condition, y) if isinstance(op, Cast) else op.alive and op.alive(k, condition, y, *tensors)
            )
        _arrive(adjoints, node.edges[k], carried, op.pull(k, g, y, tensors))


def _elementwise(op: Elementwise, k: int, g: Tensor, y: Tensor, args: Sequence[Tensor]) -> Tensor | None:
    """The cotangent of one argument, in the shape of the answer."""
    if isinstance(op, Power) and op.exponent >= 1 and float(op.exponent).is_integer():
        rest = power(args[0], type(op.exponent)(op.exponent - 1)) * op.exponent
        return g * conj(rest)
    if y.dtype is C128:
        found = op.slope_operation(k)
        if found is None:
            return None
        slope, sources = found
        return g * conj(apply(slope, *[y if s == ANSWER else args[s] for s in sources]))
    way = op.pull(k)
    if way is None:
        return None
    if isinstance(way, int):
        return g
    pulled, sources = way
    return apply(pulled, *[g if s == COTANGENT else y if s == ANSWER else args[s] for s in sources])
