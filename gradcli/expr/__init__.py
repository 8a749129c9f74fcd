"""Expressions as an interned (hash-consed) directed acyclic graph, which is also the abstract syntax.

Layer: must not know parsing, derivatives or the numbers of any backend.
"""

from gradcli.expr.canonical import apply
from gradcli.expr.node import (
    BOOLEANS,
    COMPARISONS,
    CONSTANTS,
    FOLD_BITS,
    LARGEST,
    ONE,
    TWO,
    WORDS,
    ZERO,
    Expr,
    Number,
    bit,
    const,
    constant,
    exact,
    var,
    variables,
)
from gradcli.expr.printing import ATOM, Parts, pieces, readable, shape, spell_name, spell_number, statements, text
from gradcli.expr.traversal import post_order, reachable, rebuild, rewrite, substitute

__all__ = [
    "ATOM", "BOOLEANS", "COMPARISONS", "CONSTANTS", "FOLD_BITS", "LARGEST", "ONE", "TWO", "WORDS", "ZERO", "Expr",
    "Number", "Parts", "apply", "bit", "const", "constant", "exact", "pieces", "post_order", "reachable", "readable",
    "rebuild", "rewrite", "shape", "spell_name", "spell_number", "statements", "substitute", "text", "var", "variables",
]  # fmt: skip
