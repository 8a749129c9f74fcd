"""The graph that several results share, as a listing and for Graphviz."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from gradcli.errors import printable
from gradcli.expr import (
    ATOM,
    BOOLEANS,
    COMPARISONS,
    CONSTANTS,
    Expr,
    post_order,
    readable,
    shape,
    spell_name,
    spell_number,
)
from gradcli.functions import TABLE

_ALIKE = {"add", "mul", "and", "or", "eq", "ne", "min", "max", "hypot"}
"""Operations whose arguments may change places."""


def is_number(e: Expr) -> bool:
    return e.op in ("const", "constant")


def label(e: Expr) -> str:
    """What a node does, in a word."""
    if e.op == "const":
        assert not isinstance(e.value, str | None)
        return spell_number(e.value)[0]
    if e.op in ("var", "constant"):
        return str(e.value)
    row = TABLE.get(e.op)
    word = COMPARISONS.get(e.op) or (row.infix if row and row.infix else e.op)
    return f"{word} {e.value}" if isinstance(e.value, int) else word


def ordered(e: Expr) -> bool:
    """Whether it matters which argument is which."""
    return len(e.args) > 1 and e.op not in _ALIKE


def listing(named: Sequence[tuple[str, Expr]], order: Sequence[str]) -> str:
    """``t1 = x*y``, one node a line, then the results: text that gradcli reads."""
    roots = readable([e for _, e in named])
    taken = {name for name, _ in named} | {*order, *CONSTANTS}
    tape = post_order(roots)
    taken |= {str(e.value) for e in tape if e.op == "var"}
    names = (name for i in count(1) if (name := f"t{i}") not in taken)
    called: dict[Expr, str] = {}
    bind: dict[Expr, int] = {}
    lines = []
    for e in tape:
        parts, bind[e] = shape(e, bind)
        if e.op in ("var", "const", "constant"):
            called[e] = "".join([str(p) for p in parts])
            continue
        written = "".join([p if isinstance(p, str) else called[p] for p in parts])
        if e.op in BOOLEANS:
            # A condition has no name in the language.
            called[e] = written
            continue
        called[e], bind[e] = next(names), ATOM
        lines.append(f"{called[e]} = {written}")
    lines += [f"{spell_name(name)} = {called[e]}" for (name, _), e in zip(named, roots, strict=True)]
    return "".join([f"{printable(line)}\n" for line in lines])


def _quoted(text: str) -> str:
    # Graphviz reads entities of HTML in labels.
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return f'"{escaped}"'


def dot(named: Sequence[tuple[str, Expr]], order: Sequence[str]) -> str:
    """For Graphviz: inputs on the left, results in double circles on the right."""
    roots = readable([e for _, e in named])
    tape = post_order(roots)
    number = {e: f"n{i + 1}" for i, e in enumerate(tape)}
    lines = ["digraph gradcli {", "  rankdir=LR;", "  node [shape=ellipse];"]
    for e in tape:
        shape = ", shape=box" if e.op == "var" else ", shape=plaintext" if is_number(e) else ""
        lines.append(f"  {number[e]} [label={_quoted(label(e))}{shape}];")
        for i, a in enumerate(e.args):
            lines.append(
                f"  {number[a]} -> {number[e]}" + (f" [headlabel={_quoted(str(i + 1))}];" if ordered(e) else ";")
            )
    for i, ((name, _), e) in enumerate(zip(named, roots, strict=True)):
        lines.append(f"  out{i + 1} [label={_quoted(name)}, shape=doublecircle];")
        lines.append(f"  {number[e]} -> out{i + 1};")
    return "\n".join([*lines, "}", ""])
