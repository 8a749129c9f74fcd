"""Trees of other languages to trees of this one: every call by a row, or by one of the forms that no row describes.

Layer: must not know the text from which a tree was read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from gradcli.expr import WORDS
from gradcli.functions import SPELLED
from gradcli.language.foreign.functions import FOREIGN
from gradcli.language.foreign.lexemes import Notes, Unreadable
from gradcli.language.foreign.operators import Tree
from gradcli.language.foreign.reader import Reader
from gradcli.language.foreign.words import NOTHING


class Row(NamedTuple):
    """A foreign function: the arguments, the texts that mean the same, and a remark."""

    arguments: tuple[str, ...]
    texts: tuple[str, ...]
    remark: str


@cache
def _rows() -> dict[tuple[str, str, int], list[Row]]:
    """The rows of foreign functions by name, bracket and number of arguments."""
    rows: dict[tuple[str, str, int], list[Row]] = {}
    for call, text in FOREIGN.items():
        name, bracket, inside = re.fullmatch(r"([\w.]+)([(\[])(.*)[)\]]", call).groups()  # type: ignore[union-attr]
        arguments = tuple(inside.split(", ")) if inside else ()
        texts, _, remark = text.partition("-- ")
        row = Row(arguments, tuple(t.strip() for t in texts.split("|") if t.strip()), remark)
        rows.setdefault((name, bracket, len(arguments)), []).append(row)
    for alike in rows.values():
        alike.sort(key=lambda row: all(map(str.islower, row.arguments)))  # those with literal arguments first
    return rows


@cache
def _names() -> frozenset[str]:
    return frozenset({name for name, *_ in _rows()} | NOTHING.keys() | set(_SPECIAL))


def known(name: str) -> bool:
    """Whether a name is that of a function of another language, with or without one that means the same here."""
    low = name.lower()
    return name in _names() or (low in _names() and low not in SPELLED)


def instead(name: str) -> str:
    """What to write for a function of another language; empty for a name that is not known."""
    calls = [(call, text) for call, text in FOREIGN.items() if re.split(r"[(\[]", call)[0] in (name, name.lower())]
    told = [f"{call} is {text.replace(' | ', ' or ').replace(' -- ', '; ')}" for call, text in calls]
    return "; ".join(told[:3]) or NOTHING.get(name.lower(), "").removeprefix("-- ")


def is_function(name: str) -> bool:
    return name in SPELLED or name.lower() in SPELLED or known(name) or name == "diff"


def meaning(tree: Tree, notes: Notes) -> Tree:
    """The tree with every function replaced by what means the same here. Raises Unreadable where there is nothing."""
    kind = tree[0]
    if kind in ("number", "name"):
        return tree
    if kind == "text":
        return Reader(tree[1], is_function, notes).read()
    if kind == "group":
        return meaning(tree[1], notes)
    if kind == "list":
        return ("list", [meaning(a, notes) for a in tree[1]])
    if kind == "derivative":
        order = [] if tree[3] == 1 else [("number", str(tree[3]))]
        return ("call", "diff", [meaning(tree[1], notes), tree[2], *order], "(")
    if kind == "call":
        return _called(tree[1], [meaning(a, notes) for a in tree[2]], tree[3], notes)
    return (kind, *[meaning(a, notes) if isinstance(a, tuple) else a for a in tree[1:]])


def _called(name: str, arguments: list[Tree], bracket: str, notes: Notes) -> Tree:
    """A call of another language's function."""
    count, low = len(arguments), name.lower()
    if bracket == "_":
        x, base = arguments
        return _logarithm(x, base)
    if count == 2 and arguments[1][0] == "base" and low in ("log", "ln"):
        return _logarithm(arguments[0], arguments[1][1])
    special = _SPECIAL.get(low)
    tree = None if special is None else special(name, arguments)
    if tree is not None:
        return tree
    for spelled, brackets in ((name, bracket), (name, "("), (low, "(")):
        row = SPELLED.get(spelled)
        if row is not None and not row.internal and row.takes(count) and (name, bracket, count) not in _rows():
            return ("call", spelled, arguments, "(")
        for foreign in _rows().get((spelled, brackets, count), ()):
            bound = dict(zip(foreign.arguments, arguments, strict=True))
            if all(value[1] == literal for literal, value in bound.items() if not literal.islower()):
                if foreign.remark:
                    notes.remark(foreign.remark)
                trees = [_with(Reader(text, is_function, notes).read(), bound) for text in foreign.texts]
                return notes.choice(*trees) if trees[1:] else trees[0]
    if name == "diff" and count in (2, 3):
        return ("call", "diff", arguments, "(")
    if low in NOTHING:
        raise Unreadable(low)
    return ("call", name, arguments, "(")


def _logarithm(x: Tree, base: Tree) -> Tree:
    own = {"2": "log2", "10": "log10"}.get(base[1]) if base[0] == "number" else None
    return ("call", own, [x], "(") if own else ("/", ("call", "log", [x], "("), ("call", "log", [base], "("))


def _with(tree: Any, bound: dict[str, Tree]) -> Any:
    """A row's text with the arguments of the call; 10**2 becomes 100."""
    if isinstance(tree, list):
        return [_with(a, bound) for a in tree]
    if not isinstance(tree, tuple):
        return tree
    if tree[0] == "name":
        return bound.get(tree[1], tree)
    made = (tree[0], *[_with(a, bound) for a in tree[1:]])
    if made[:2] == ("**", ("number", "10")) and made[2][0] == "number" and re.fullmatch("[0-9]", made[2][1]):
        return ("number", "1" + "0" * int(made[2][1]))
    return made


def _names_in(tree: Any) -> set[str]:
    """The variables of a tree."""
    if isinstance(tree, tuple) and tree and tree[0] == "name":
        return set() if tree[1] in WORDS else {tree[1]}
    return set().union(*map(_names_in, tree)) if isinstance(tree, (list, tuple)) else set()


def _derivative(name: str, arguments: list[Tree]) -> Tree | None:
    """D[f, {x, 2}], diff(f, x$2), diff(f, x, x) and diff(f) of one variable."""
    if len(arguments) == 1 and name != "d" and arguments[0][0] != "list" and arguments[0][1] not in ("f", "g", "h"):
        names = sorted(_names_in(arguments[0]))
        return ("call", "diff", [*arguments, ("name", names[0])], "(") if len(names) == 1 else None
    tree = arguments[0] if arguments else ("list", [])
    rest: list[tuple[Tree, int]] = []
    for argument in arguments[1:]:
        x, order = argument[1] if argument[0] == "list" and len(argument[1]) == 2 else (argument, ("number", "1"))
        if x[0] == "number" and x[1].isdigit() and rest:
            rest[-1] = rest[-1][0], int(x[1])
        elif x[0] == "name" and order[0] == "number" and order[1].isdigit():
            if rest and rest[-1][0] == x:
                rest[-1] = x, rest[-1][1] + int(order[1])
            else:
                rest.append((x, int(order[1])))
        else:
            return None
    for x, n in rest:
        tree = ("call", "diff", [tree, x, *([("number", str(n))] if n > 1 else [])], "(")
    return tree if rest else None


def _chained(op: str) -> Callable[[str, list[Tree]], Tree | None]:
    """Any number of arguments, or one list, joined by an operator."""

    def joined(name: str, arguments: list[Tree]) -> Tree | None:
        items = arguments[0][1] if len(arguments) == 1 and arguments[0][0] == "list" else arguments
        indexed = len(items) == 4 and items[1][0] == "name" and not name.isupper()
        if name.lower() in ("sum", "prod", "product") and (indexed or any(item[0] == "list" for item in items)):
            raise Unreadable("series")
        if len(items) < 2 or any(item[0] in ("list", "number") for item in items[1:]):
            return None
        tree = items[0]
        for item in items[1:]:
            tree = (op, tree, item)
        return ("/", tree, ("number", str(len(items)))) if name.lower() in ("mean", "average", "avg") else tree

    return joined


def _spread(name: str, arguments: list[Tree]) -> Tree | None:
    return ("call", name.lower(), arguments[0][1], "(") if len(arguments) == 1 and arguments[0][0] == "list" else None


def _negated(name: str, arguments: list[Tree]) -> Tree | None:
    return ("not", arguments[0]) if len(arguments) == 1 else None


def _determinant(name: str, arguments: list[Tree]) -> Tree | None:
    if len(arguments) != 1 or arguments[0][0] != "list":
        return None
    rows = [row[1] for row in arguments[0][1] if row[0] == "list"]
    if not rows or any(len(row) != len(rows) for row in rows) or len(rows) > 3:
        return None
    if len(rows) == 1:
        return rows[0][0]  # type: ignore[no-any-return]
    tree: Tree | None = None
    for k, item in enumerate(rows[0]):
        minor = [("list", row[:k] + row[k + 1 :]) for row in rows[1:]]
        term = ("*", item, _determinant(name, [("list", minor)]))
        tree = term if tree is None else ("-" if k % 2 else "+", tree, term)
    return tree


def _piecewise(name: str, arguments: list[Tree]) -> Tree | None:
    """Pairs of a value and its condition; SymPy's True and Mathematica's second argument are the last value."""
    otherwise: Tree = ("name", "nan")
    pairs = arguments
    if arguments and arguments[0][0] == "list" and arguments[0][1] and arguments[0][1][0][0] == "list":
        pairs, otherwise = arguments[0][1], arguments[1] if len(arguments) > 1 else ("number", "0")
    if not pairs or any(pair[0] != "list" or len(pair[1]) != 2 for pair in pairs):
        return None
    for pair in reversed(pairs):
        value, condition = pair[1]
        last = condition in (("name", "True"), ("name", "true"))
        otherwise = value if last else ("where", condition, value, otherwise)
    return otherwise


_SPECIAL: dict[str, Callable[[str, list[Tree]], Tree | None]] = {
    "diff": _derivative, "d": _derivative, "derivative": _derivative, "pi": lambda *_: None,
    "plus": _chained("+"), "add": _chained("+"), "sum": _chained("+"), "mean": _chained("+"), "average": _chained("+"),
    "avg": _chained("+"), "times": _chained("*"), "mul": _chained("*"), "prod": _chained("*"), "product": _chained("*"),
    "and": _chained("and"), "or": _chained("or"), "not": _negated, "max": _spread, "min": _spread, "det": _determinant,
    "piecewise": _piecewise,
}  # fmt: skip
"""Calls that a row of names cannot describe."""


# From trees to text.
