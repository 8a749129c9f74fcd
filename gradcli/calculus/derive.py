"""`derive`, the values and partial derivatives that a request names, by the mode that gives the smaller graph.

Layer: purely symbolic; must not know the numbers of any point.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement, pairwise
from math import comb

from gradcli.calculus import forward, reverse
from gradcli.calculus.leibniz import derivative_name
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, bit, reachable, rebuild, rewrite
from gradcli.expr.node import collector_paused
from gradcli.limits.work import SpentError, within

Named = list[tuple[str, Expr]]
"""Expressions with their column names."""


def expand(roots: Iterable[Expr]) -> list[Expr]:
    """The same expressions with every ``diff(e, x, n)`` inside replaced by that derivative.

    Raises GradError if that takes more than a quarter of the work allowed: nested diffs grow exponentially.
    """
    roots = list(roots)
    if all(e.op != "diff" for e in reachable(roots)):
        return roots
    try:
        with within(part=1 / 4):
            return rewrite(roots, _expanded)
    except SpentError:
        raise GradError(
            "the derivatives inside the expression take more work than the limit",
            hint="fewer diff(...) inside each other, or a lower order",
        ) from None


def _expanded(e: Expr, args: tuple[Expr, ...]) -> Expr:
    if e.op != "diff":
        return rebuild(e, args)
    order = e.value
    assert isinstance(order, int)
    body, x = args
    return forward.partials([body], [str(x.value)], order)[body].get((0,) * order, ZERO) if order else body


def count_partials(wrt: int, order: int) -> int:
    """The number of partial derivatives of total order 1..order in ``wrt`` variables."""
    return comb(wrt + order, order) - 1


def _by_reverse(e: Expr, wrt: Sequence[str], order: int) -> dict[forward.Partial, Expr]:
    """The partials of ``e``: the gradient by reverse mode, higher orders by forward mode of each of its components."""
    first = reverse.gradient(e, wrt)
    partials: dict[forward.Partial, Expr] = {}
    for i, v in enumerate(wrt):
        if v not in first:
            continue
        partials[i,] = first[v]
        if order > 1:
            # Mixed partials are symmetric: each is derived from the gradient component of its earliest variable only.
            for partial, d in forward.partials([first[v]], wrt[i:], order - 1, [e])[first[v]].items():
                partials[(i, *[i + k for k in partial])] = d
    return partials


_SMALLER = 0.75
"""Reverse mode is chosen if its graph is smaller than this share of the graph of forward mode."""
_AFFORDABLE = 4
"""Forward mode is not tried if it makes more than this many times the nodes of reverse mode."""


def derivatives(e: Expr, wrt: Sequence[str], order: int, mode: str = "auto") -> dict[forward.Partial, Expr]:
    """All partials of ``e`` of total order 1..order; those that are zero everywhere are missing.

    ``mode`` is "forward", "reverse" or "auto", which takes reverse mode only if its graph is clearly smaller: both
    modes agree to rounding, but forward mode multiplies from the inputs outward and stays finite at more kinks.
    """
    positions = [i for i, v in enumerate(wrt) if e.variables & bit(v)]
    live = [wrt[i] for i in positions]

    def spread(partials: dict[forward.Partial, Expr]) -> dict[forward.Partial, Expr]:
        return {tuple([positions[i] for i in partial]): d for partial, d in partials.items()}

    if mode == "forward" or (mode == "auto" and len(live) < 2):
        return spread(forward.partials([e], live, order)[e])
    backward = _by_reverse(e, live, order)
    if mode == "reverse":
        return spread(backward)
    size = len(reachable([e, *backward.values()]))
    mask = sum(bit(v) for v in live)
    work = 0
    for node in reachable([e]):
        touched = (node.variables & mask).bit_count()
        work += count_partials(touched, order) if touched else 0
        if work > _AFFORDABLE * size:
            return spread(backward)
    onward = forward.partials([e], live, order)[e]
    return spread(backward if size < _SMALLER * len(reachable([e, *onward.values()])) else onward)


@collector_paused()
def derive(outputs: Sequence[tuple[str, Expr]], wrt: Sequence[str], order: int, mode: str = "auto") -> Named:
    """For each output: its value, then every partial of total order 1..order, mixed partials included.

    Ordered by output, total order, then powers of the earlier variables first. Zero derivatives are ZERO nodes.
    Raises GradError if two columns would have the same name.
    """
    roots = expand(e for _, e in outputs)
    named: Named = []
    for (output, _), e in zip(outputs, roots, strict=True):
        named.append((output, e))
        partials = derivatives(e, wrt, order, mode) if order and wrt else {}
        for total in range(1, order + 1):
            for partial in combinations_with_replacement(range(len(wrt)), total):
                named.append((derivative_name(output, wrt, partial), partials.get(partial, ZERO)))
    names = sorted(n for n, _ in named)
    twice = next((a for a, b in pairwise(names) if a == b), None)
    if twice is not None:
        raise GradError(f"two columns would be called '{twice}'", hint="name the outputs apart: name = expression")
    return named
