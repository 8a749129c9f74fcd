"""Trees of this language to text, with the blanks and brackets that the printer of expressions has.

Layer: must not know other languages.
"""

from __future__ import annotations

from gradcli.language.foreign.lexemes import Unreadable
from gradcli.language.foreign.operators import Tree

_BOOLEAN = frozenset({"or", "and", "not", "compare"})
_LEVELS = {
    "where": 9,
    "or": 1,
    "and": 2,
    "not": 3,
    "compare": 4,
    "+": 5,
    "-": 5,
    "neg": 5,
    "*": 6,
    "/": 6,
    "%": 6,
    "**": 8,
    "^": 8,
}
_CONDITIONS = frozenset({"where", "instead"})


def written(tree: Tree, choice: int, condition: bool = False) -> tuple[str, int]:
    """The text of a tree by one of its readings, and how tight its outermost operator binds."""
    kind = tree[0]
    if kind == "choice":
        return written(_chosen(tree, choice), choice, condition)
    if kind in ("number", "name"):
        text, level = tree[1], 9
    elif kind == "brackets":
        text, level = f"({written(tree[1], choice)[0]})", 9
    elif kind in _BOOLEAN:
        text, level = _condition(tree, choice), _LEVELS[kind]
        return (text, level) if condition else (f"where({text}, 1, 0)", 9)
    elif kind in ("call", "where"):
        name, arguments = ("where", tree[1:]) if kind == "where" else (tree[1], tree[2])
        parts = [written(a, choice, name in _CONDITIONS and k == 0)[0] for k, a in enumerate(arguments)]
        text, level = f"{name}({', '.join(parts)})", 9
    elif kind == "neg":
        text, level = f"-{_bracketed(tree[1], choice, 6)}", 5
    elif kind in ("**", "^"):
        exponent = tree[2][1] if tree[2][0] == "neg" else tree[2]
        sign = "-" if tree[2][0] == "neg" else ""
        text, level = f"{_bracketed(tree[1], choice, 9)}{kind}{sign}{_bracketed(exponent, choice, 8)}", 8
    elif kind in ("+", "-", "*", "/", "%"):
        level = _LEVELS[kind]
        blank = " " if level == 5 or kind == "%" else ""
        first = tree[1] if tree[1][0] == "neg" else None
        left = written(first, choice)[0] if first else _bracketed(tree[1], choice, level)
        chain = kind == "*" and _chosen(tree[2], choice)[0] == "*"
        text = f"{left}{blank}{kind}{blank}{_bracketed(tree[2], choice, level + (not chain))}"
    else:
        raise Unreadable
    return (f"{_bracketed(tree, choice, 5)} != 0", 4) if condition else (text, level)


def _chosen(tree: Tree, choice: int) -> Tree:
    """The tree of one reading, where the outermost node is a choice."""
    while tree[0] == "choice":
        tree = tree[1 + min(choice, len(tree) - 2)]
    return tree


def _condition(tree: Tree, choice: int) -> str:
    if tree[0] == "compare":
        return f"{_bracketed(tree[2], choice, 5)} {tree[1]} {_bracketed(tree[3], choice, 5)}"
    if tree[0] == "not":
        return f"not {_bracketed(tree[1], choice, 4, True)}"
    level = _LEVELS[tree[0]]
    return f"{_bracketed(tree[1], choice, level, True)} {tree[0]} {_bracketed(tree[2], choice, level + 1, True)}"


def _bracketed(tree: Tree, choice: int, least: int, condition: bool = False) -> str:
    text, level = written(tree, choice, condition)
    return text if level >= least else f"({text})"
