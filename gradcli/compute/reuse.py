"""Nested reductions: what one pass computes at every point and later passes need again is kept, not computed again.

Without it the work would grow with the square of the levels. Few steps are done again sooner than kept: reading a
column costs as much. Must not know how a pass is made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from gradcli.expr import Expr, reachable, rebuild, rewrite

FEW = 64
"""Nodes up to which a pass computes all it needs from the variables."""
_LEAVES = frozenset({"const", "constant", "var"})


class Nest:
    """Expressions taken in turns, in which parts done before may stand as variables.

    ``roots`` are all that will be taken, as often as they will be.
    """

    def __init__(self, roots: Sequence[Expr]) -> None:
        self.left: dict[Expr, int] = {}
        for a in (*roots, *[a for e in reachable(roots) for a in e.args]):
            self.left[a] = self.left.get(a, 0) + 1
        self.new: dict[Expr, Expr] = {}
        # Taken, and needed again.
        self.open: dict[Expr, None] = {}

    def take(self, roots: Iterable[Expr]) -> list[Expr]:
        """The roots with what is kept as variables."""
        roots = list(roots)
        stack = list(roots)
        while stack:
            e = stack[-1]
            if e in self.new:
                stack.pop()
                continue
            waiting = [a for a in e.args if a not in self.new]
            stack += waiting
            if not waiting:
                self.new[e] = rebuild(e, tuple([self.new[a] for a in e.args])) if e.args else e
                self.open[e] = None
                self._used(e.args)
        self._used(roots)
        return [self.new[r] for r in roots]

    def _used(self, nodes: Iterable[Expr]) -> None:
        for e in nodes:
            self.left[e] -= 1
            if not self.left[e]:
                del self.open[e]

    def needed(self, taken: Collection[Expr]) -> dict[Expr, Expr]:
        """Of the nodes of expressions taken, those that are needed again: by what stands for them, what they are."""
        found = {self.new[e]: e for e in self.open}
        return {new: e for new, e in found.items() if new.op not in _LEAVES and new in taken}

    def keep(self, kept: Mapping[Expr, Expr]) -> None:
        """From now on the nodes stand as the variables given."""
        self.new.update(kept)


def replaced(roots: Sequence[Expr], places: Mapping[Expr, Expr]) -> list[Expr]:
    """The roots with other nodes in the place of some."""
    return rewrite(roots, lambda e, args: places[e] if e in places else rebuild(e, args)) if places else list(roots)
