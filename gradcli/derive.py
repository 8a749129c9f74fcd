"""What a request names, made from expressions: values and partial derivatives, by the mode that gives the smaller graph.

The last room that is pure symbols: no number of a point is known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import comb

from gradcli import forward, reverse
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, bit, reachable, rebuild

Named = list[tuple[str, Expr]]


def name(output: str, wrt: Sequence[str], index: forward.Index) -> str:
    """Leibniz's name, fit for a column header: df_dx, d2f_dx2, d3f_dx2dy."""
    total = sum(index)
    if not total:
        return output
    below = "".join(f"d{v}{n if n > 1 else ''}" for v, n in zip(wrt, index, strict=True) if n)
    return f"d{total if total > 1 else ''}{output}_{below}"


def expand(roots: Iterable[Expr]) -> list[Expr]:
    """The same expressions with every ``diff(e, x, n)`` inside replaced by that derivative."""
    roots = list(roots)
    new: dict[Expr, Expr] = {}
    for e in reachable(roots):
        args = tuple([new[a] for a in e.args])
        if e.op != "diff":
            new[e] = rebuild(e, args)
            continue
        order = e.value
        assert isinstance(order, int)
        body, x = args
        if order:
            found = forward.partials([body], [str(x.value)], order)[body]
            body = found.get((order,), ZERO)
        new[e] = body
    return [new[r] for r in roots]


def count_partials(wrt: int, order: int) -> int:
    """How many partial derivatives of total order 1..order there are in ``wrt`` variables."""
    return comb(wrt + order, order) - 1


def _by_forward(e: Expr, wrt: Sequence[str], order: int) -> dict[forward.Index, Expr]:
    return forward.partials([e], wrt, order)[e]


def _by_reverse(e: Expr, wrt: Sequence[str], order: int) -> dict[forward.Index, Expr]:
    """Gradient by adjoints; higher orders by jets of each of its components."""
    units = [tuple([int(i == j) for j in range(len(wrt))]) for i in range(len(wrt))]
    first = reverse.gradient(e, wrt)
    found: dict[forward.Index, Expr] = {}
    for i, v in enumerate(wrt):
        if v not in first:
            continue
        found[units[i]] = first[v]
        if order > 1:
            # Mixed partials are symmetric: the component of the earliest variable serves, in the later ones only.
            later = forward.partials([first[v]], wrt[i:], order - 1)[first[v]]
            for index, d in later.items():
                found[(*[0] * i, index[0] + 1, *index[1:])] = d
    return found


_CLEARLY = 0.75
_AFFORDABLE = 4


def derivatives(e: Expr, wrt: Sequence[str], order: int, mode: str = "auto") -> dict[forward.Index, Expr]:
    """All partials of ``e`` of total order 1..order, by index; those that are zero everywhere are missing.

    ``mode`` "auto" takes reverse only where its graph is clearly smaller: the two agree in value to rounding, but
    forward multiplies outward from the point and so stays finite at more kinks.
    """
    live = [v for v in wrt if e.variables & bit(v)]
    if len(live) < len(wrt):
        places = [wrt.index(v) for v in live]
        spread: dict[forward.Index, Expr] = {}
        for index, d in derivatives(e, live, order, mode).items() if live else ():
            full = [0] * len(wrt)
            for place, n in zip(places, index, strict=True):
                full[place] = n
            spread[tuple(full)] = d
        return spread
    if mode == "forward" or (mode == "auto" and len(wrt) == 1):
        return _by_forward(e, wrt, order)
    backward = _by_reverse(e, wrt, order)
    if mode == "reverse":
        return backward
    size = len(reachable([e, *backward.values()]))
    masks = [bit(v) for v in wrt]
    work = 0
    for node in reachable([e]):
        touched = sum(1 for m in masks if node.variables & m)
        work += count_partials(touched, order) if touched else 0
    if work > _AFFORDABLE * size:
        return backward
    onward = _by_forward(e, wrt, order)
    return backward if size < _CLEARLY * len(reachable([e, *onward.values()])) else onward


def derive(outputs: Sequence[tuple[str, Expr]], wrt: Sequence[str], order: int, mode: str = "auto") -> Named:
    """For each output: its value, then every partial of total order 1..order, mixed ones included.

    Ordered by output, total order, then powers of the earlier variables first. Zero derivatives are ZERO nodes.
    """
    roots = expand(e for _, e in outputs)
    named: Named = []
    for (output, _), e in zip(outputs, roots, strict=True):
        named.append((output, e))
        found = derivatives(e, wrt, order, mode) if order and wrt else {}
        for total in range(1, order + 1):
            for index in forward.indices(len(wrt), total):
                named.append((name(output, wrt, index), found.get(index, ZERO)))
    names = [n for n, _ in named]
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise GradError(f"two columns would be called '{twice}'", hint="name the outputs apart: name = expression")
    return named

