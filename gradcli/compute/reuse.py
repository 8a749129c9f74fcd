"""Reuse of values among passes: a value computed at every point that later passes need is stored as a column.

Without it the work of nested reductions would grow with the square of the nesting depth. Values of few steps are
recomputed instead, since reading a column costs as much.
Layer: must not know how passes are built.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from gradcli.expr import Expr, reachable, rebuild, rewrite
from gradcli.expr.traversal import missing

FEW = 64
"""Maximum of nodes of a pass that recomputes all its values from the variables."""
_LEAVES = frozenset({"const", "constant", "var"})


class Nest:
    """Expressions rebuilt pass by pass, in which subexpressions stored by earlier passes are replaced by variables.

    ``roots`` are all expressions that will be taken, each as often as it will be. ``left`` counts the uses still to
    come, ``new`` maps each node to its replacement, and ``open`` holds the nodes taken that are still needed.
    """

    def __init__(self, roots: Sequence[Expr]) -> None:
        self.left: dict[Expr, int] = {}
        for a in (*roots, *[a for e in reachable(roots) for a in e.args]):
            self.left[a] = self.left.get(a, 0) + 1
        self.new: dict[Expr, Expr] = {}
        self.open: dict[Expr, None] = {}

    def take(self, roots: Iterable[Expr]) -> list[Expr]:
        """Return the roots with stored subexpressions replaced by variables, and count their uses."""
        roots = list(roots)
        for root in reversed(roots):
            for e in missing(root, self.new):
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
        """Return the nodes that later passes need, by their replacements, which must be in ``taken``.

        Constants and variables are left out.
        """
        nodes = {self.new[e]: e for e in self.open}
        return {new: e for new, e in nodes.items() if new.op not in _LEAVES and new in taken}

    def keep(self, variables: Mapping[Expr, Expr]) -> None:
        """Replace nodes by variables in all expressions taken from now on."""
        self.new.update(variables)


def replaced(roots: Sequence[Expr], replacements: Mapping[Expr, Expr]) -> list[Expr]:
    """Return the roots with the keys of ``replacements`` replaced by its values."""
    return (
        rewrite(roots, lambda e, args: replacements[e] if e in replacements else rebuild(e, args))
        if replacements
        else list(roots)
    )
