"""Short texts of expressions: cut at the length of a line, with names for named and shared nodes.

Layer: must not know derivatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gradcli.expr import ATOM, BOOLEANS, Expr, Parts, pieces, post_order, reachable, readable, shape

LINE = 100
"""Characters of a text that are shown."""
_SHARE = 20
"""Characters above which the text of a shared node gets a name of its own."""


class Texts:
    """The texts of ``roots`` and all nodes below them, in textbook form.

    ``named`` nodes are written as their names. Nodes of the expression ``within`` that have several users and a long
    text are named t1, t2 ...; calling the object with such a node still gives its text in full.
    """

    def __init__(self, roots: Iterable[Expr], named: Mapping[Expr, str] | None = None, within: Expr | None = None):
        below = reachable([*roots, *(named or {}), *([within] if within else [])])
        self.form = dict(zip(below, readable(below), strict=True))
        self.names = {self.form[e]: name for e, name in (named or {}).items()}
        self.parts: dict[Expr, Parts] = {}
        bind: dict[Expr, int] = {}
        length: dict[Expr, int] = {}
        nodes = post_order(self.form.values())
        taken = {str(e.value) for e in nodes if e.op == "var"}
        shared = _shared(self.form[within]) if within else set()
        for e in nodes:
            self.parts[e], bind[e] = shape(e, bind)
            length[e] = sum([len(p) if isinstance(p, str) else length[p] for p in self.parts[e]])
            if e in shared and length[e] > _SHARE:
                self.names[e] = next(t for i in range(1, len(taken) + 2) if (t := f"t{i}") not in taken)
                taken.add(self.names[e])
            if e in self.names:
                bind[e], length[e] = ATOM, len(self.names[e])

    def name(self, e: Expr) -> str | None:
        return self.names.get(self.form.get(e, e))

    def __call__(self, e: Expr, limit: int = LINE) -> str:
        """The text of a node, written out even if it has a name, cut after ``limit`` characters."""
        written: list[str] = []
        room = limit
        for piece in pieces(self.parts[self.form.get(e, e)], self._parts):
            written.append(piece)
            room -= len(piece)
            # Stop at the limit: the text of a graph can be exponentially long.
            if room < 0:
                return "".join(written)[: limit - 3].rstrip() + "..."
        return "".join(written)

    def _parts(self, e: Expr) -> Parts:
        return (self.names[e],) if e in self.names else self.parts[e]

    def short(self, e: Expr) -> str:
        """The name of a node, or a text of half a line."""
        return self.name(e) or self(e, LINE // 2)


def _shared(root: Expr) -> set[Expr]:
    """The nodes with several users, without constants and conditions."""
    uses: dict[Expr, int] = {}
    for e in reachable([root]):
        for a in e.args:
            uses[a] = uses.get(a, 0) + 1
    return {e for e, n in uses.items() if n > 1 and e.variables and e.op not in BOOLEANS}


def number(value: float) -> str:
    """The shortest text that reads back to the same double."""
    return repr(float(value)).replace("e-0", "e-").replace("e+", "e")
