"""Expressions in notations for people: LaTeX, MathML, listings and drawings of the graph.

Layer: must not know requests; the named expressions come from the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gradcli.errors import GradError
from gradcli.expr import Expr
from gradcli.notation import drawing, graphviz, latex, mathml
from gradcli.notation.latex import ENVIRONMENTS

__all__ = ["ENVIRONMENTS", "NOTATIONS", "Notation", "write"]


class Notation(NamedTuple):
    """A notation: ``write`` takes named expressions, and the variables in the order in which `derive` took them.

    ``suffixes`` are those of files that hold it.
    """

    name: str
    doc: str
    write: Callable[..., str]
    suffixes: tuple[str, ...] = ()


NOTATIONS: dict[str, Notation] = {
    n.name: n
    for n in (
        Notation("latex", "LaTeX, one formula a line", latex.write, (".tex",)),
        Notation("mathml", "MathML for web pages, one <math> element a line", mathml.write, (".mathml", ".mml")),
        Notation("graph", "the shared graph, one node a line", graphviz.listing),
        Notation("dot", "the shared graph for Graphviz", graphviz.dot, (".dot", ".gv")),
        Notation("svg", "a drawing of the shared graph", drawing.write, (".svg",)),
    )
}


def write(notation: str, named: Sequence[tuple[str, Expr]], order: Sequence[str], **options: Any) -> str:
    """The text of the expressions that `derive` named, in a notation; ``options`` are those of its ``write``.

    Raises GradError for an unknown notation, or a graph too large for it.
    """
    known = NOTATIONS.get(notation)
    if known is None:
        raise GradError(f"no notation '{notation}'", hint=f"there are {', '.join(NOTATIONS)}")
    return known.write(named, order, **options)
