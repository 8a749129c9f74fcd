"""Expressions in notations for people: LaTeX, MathML, listings and drawings of the graph.

Layer: must not know requests; the named expressions come from the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gradcli.errors import GradError
from gradcli.expr import Expr
from gradcli.notation import drawing, graphviz, latex, mathml

__all__ = ["NOTATIONS", "Notation", "write"]


class Notation(NamedTuple):
    """A notation: ``write`` takes named expressions, and the variables in the order in which `derive` took them."""

    name: str
    doc: str
    write: Callable[[Sequence[tuple[str, Expr]], Sequence[str]], str]


NOTATIONS: dict[str, Notation] = {
    n.name: n
    for n in (
        Notation("latex", "LaTeX, one formula a line", latex.write),
        Notation("mathml", "MathML for web pages, one <math> element a line", mathml.write),
        Notation("graph", "the shared graph, one node a line", graphviz.listing),
        Notation("dot", "the shared graph for Graphviz", graphviz.dot),
        Notation("svg", "a drawing of the shared graph", drawing.write),
    )
}


def write(notation: str, named: Sequence[tuple[str, Expr]], order: Sequence[str]) -> str:
    """The text of the expressions that `derive` named, in a notation.

    Raises GradError for an unknown notation, or a graph too large for it.
    """
    known = NOTATIONS.get(notation)
    if known is None:
        raise GradError(f"no notation '{notation}'", hint=f"there are {', '.join(NOTATIONS)}")
    return known.write(named, order)
