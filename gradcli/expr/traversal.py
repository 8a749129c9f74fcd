"""Traversals of the graph, on explicit stacks: its depth is bounded by memory, not by Python's recursion limit."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

from gradcli.expr.canonical import apply
from gradcli.expr.node import Expr
from gradcli.limits.work import spend


def rebuild(e: Expr, args: tuple[Expr, ...]) -> Expr:
    """The operation of ``e`` on other arguments; ``e`` itself if they are the same."""
    if args == e.args:
        return e
    return apply(e.op, *args, value=e.value if isinstance(e.value, int) else None)


def reachable(roots: Iterable[Expr]) -> list[Expr]:
    """Every node below ``roots``, the roots included, arguments before users, each once."""
    seen: set[Expr] = set()
    stack = list(roots)
    while stack:
        e = stack.pop()
        if e not in seen:
            seen.add(e)
            stack.extend(e.args)
    spend(len(seen))
    return sorted(seen, key=lambda e: e.serial)


def missing(root: Expr, known: Container[Expr]) -> Iterator[Expr]:
    """The nodes below ``root`` that are not in ``known``, arguments first; the caller adds each one to ``known``."""
    stack = [root]
    while stack:
        e = stack[-1]
        if e in known:
            stack.pop()
        elif waiting := [a for a in e.args if a not in known]:
            stack += waiting
        else:
            yield e


def post_order(roots: Iterable[Expr]) -> list[Expr]:
    """Every node below ``roots`` in depth-first post-order.

    A user follows its arguments as soon as possible, so that few values are alive at a time.
    """
    seen: set[Expr] = set()
    order: list[Expr] = []
    for root in roots:
        stack = [(root, False)]
        while stack:
            e, ready = stack.pop()
            if ready:
                order.append(e)
            elif e not in seen:
                seen.add(e)
                stack.append((e, True))
                stack.extend((a, False) for a in reversed(e.args))
    spend(len(seen))
    return order


def rewrite(roots: Iterable[Expr], rule: Callable[[Expr, tuple[Expr, ...]], Expr] = rebuild) -> list[Expr]:
    """The roots with every node replaced by ``rule(node, rewritten arguments)``, bottom-up."""
    roots = list(roots)
    new: dict[Expr, Expr] = {}
    for e in reachable(roots):
        new[e] = rule(e, tuple([new[a] for a in e.args]))
    return [new[r] for r in roots]


def substitute(roots: Iterable[Expr], names: dict[str, Expr]) -> list[Expr]:
    """``roots`` with each variable in ``names`` replaced by its expression."""
    return rewrite(roots, lambda e, args: names.get(str(e.value), e) if e.op == "var" else rebuild(e, args))
