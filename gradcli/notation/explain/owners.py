"""The owner of each step of a derivative: the step of the expression whose slope it belongs to.

Slopes are interned, so that a row's slope made again is the very node inside the derivative. (Griewank and Walther,
Evaluating Derivatives, ch. 2 and 13: elemental partials, and their own derivatives for higher orders.)
Layer: must not know texts, spans or values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcli.calculus.forward import Partial, partials
from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, Expr, reachable
from gradcli.functions import NONLOCAL, TABLE, reduces, slopes
from gradcli.limits.work import SpentError, within

_MOST = 50_000
"""Nodes of slopes that are looked at."""
_FEW, _LOW = 500, 3
"""The most steps, and the highest order, for which the derivatives of all steps are made again."""
_WORK = 300_000
"""Steps of work that this may take: about a third of a second."""


class Owners:
    """The owners of the steps in the derivatives of ``e`` in the variables ``wrt``.

    ``slope`` maps the nodes of a slope, and of the slopes of these up to ``order`` times, to the step whose slope it
    is; ``whole`` maps the derivative of each step to that step.
    """

    def __init__(self, e: Expr, wrt: Sequence[str], order: int) -> None:
        steps = reachable([e])
        self.slope: dict[Expr, Expr] = {}
        self.whole: dict[Expr, Expr] = {}
        known, latest = set(steps), [(n, n) for n in steps]
        for _ in range(order):
            further: list[tuple[Expr, Expr]] = []
            for node, owner in latest:
                for part in _parts(node, known):
                    self.slope[part] = owner
                    further.append((part, owner))
                if len(self.slope) > _MOST:
                    return
            latest = further
        if len(steps) <= _FEW and order <= _LOW:
            self._add_whole(steps, wrt, order)

    def _add_whole(self, steps: Sequence[Expr], wrt: Sequence[str], order: int) -> None:
        live = [n for n in steps if n.op not in BOOLEANS]
        made: dict[Expr, dict[Partial, Expr]] = {}
        try:
            with within(_WORK):
                made = partials(live, wrt, order)
        except (GradError, SpentError):
            # Only less is told: the derivative itself has been made.
            return
        written = set(steps)
        for n in live:
            for d in made[n].values():
                # A product that the derivative is a factor of takes its sign.
                for part in (d, *d.args) if d.op == "neg" else (d,):
                    if part.args and part not in written:
                        self.whole.setdefault(part, n)

    def of(self, path: Sequence[Expr], culprits: Sequence[Expr]) -> Expr | None:
        """The owner of the last step of a path from a derivative down; ``culprits`` are the bad arguments of it."""
        last = path[-1]
        owner = self.slope.get(last) or self.whole.get(last)
        if owner is not None:
            return owner
        for step in culprits:
            if step in self.slope:
                return self.slope[step]
        for step in reversed(path):
            owner = self.whole.get(step) or self.slope.get(step)
            if owner is not None:
                return owner
        return None


def _parts(node: Expr, known: set[Expr]) -> Iterator[Expr]:
    """The nodes of the slopes of a node that are not known yet; they are known then."""
    if node.op not in TABLE or node.op in NONLOCAL or reduces(node):
        return
    stack = [s for s in slopes(node) if s is not None]
    while stack:
        part = stack.pop()
        if part not in known:
            known.add(part)
            yield part
            stack.extend(part.args)
