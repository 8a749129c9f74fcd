"""Texts of expressions that stay short: cut after a line's length, with names for what is shared or known by a name.

Must not know derivatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gradcli.expr import ATOM, BOOLEANS, Expr, Parts, post_order, reachable, readable, shape

LINE = 100
_SHARE = 20


class Texts:
    """Texts of ``roots`` and of what is below them, in textbook form.

    ``named`` nodes are written as their names. ``within``: nodes that several others of this expression use, and whose
    texts are long, are named t1, t2 ...; their own texts are still given in full.
    """

    def __init__(self, roots: Iterable[Expr], named: Mapping[Expr, str] | None = None, within: Expr | None = None):
        given = reachable([*roots, *(named or {}), *([within] if within else [])])
        self.form = dict(zip(given, readable(given), strict=True))
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
        """The text of a node itself, even where it has a name."""
        stack: list[str | Expr] = list(reversed(self.parts[self.form.get(e, e)]))
        written: list[str] = []
        room = limit
        while stack:
            top = stack.pop()
            if isinstance(top, Expr):
                name = self.names.get(top)
                stack.extend([name] if name else reversed(self.parts[top]))
                continue
            written.append(top)
            room -= len(top)
            # A deep graph would be written for ever.
            if room < 0:
                return "".join(written)[: limit - 3].rstrip() + "..."
        return "".join(written)

    def short(self, e: Expr) -> str:
        """By its name, if it has one."""
        return self.name(e) or self(e, LINE // 2)


def _shared(root: Expr) -> set[Expr]:
    uses: dict[Expr, int] = {}
    for e in reachable([root]):
        for a in e.args:
            uses[a] = uses.get(a, 0) + 1
    return {e for e, n in uses.items() if n > 1 and e.variables and e.op not in BOOLEANS}


def number(value: float) -> str:
    """The shortest text that reads back to the same double."""
    return repr(float(value)).replace("e-0", "e-").replace("e+", "e")
