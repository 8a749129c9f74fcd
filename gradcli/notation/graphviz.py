"""The shared graph of several results, as a listing and for Graphviz."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from gradcli.caret import printable
from gradcli.expr import ATOM, BOOLEANS, CONSTANTS, Expr, post_order, readable, shape, spell_name, spell_number
from gradcli.functions import TABLE


def is_number(e: Expr) -> bool:
    return e.op in ("const", "constant")


def label(e: Expr) -> str:
    """The label of a node: its number, its name or its operator."""
    if e.op == "const":
        assert not isinstance(e.value, str | None)
        return spell_number(e.value)[0]
    if e.op in ("var", "constant"):
        return str(e.value)
    row = TABLE.get(e.op)
    word = (row and row.infix) or e.op
    return f"{word} {e.value}" if isinstance(e.value, int) else word


def ordered(e: Expr) -> bool:
    """Whether the order of the arguments matters."""
    return len(e.args) > 1 and not TABLE[e.op].commutes


def listing(named: Sequence[tuple[str, Expr]], order: Sequence[str]) -> str:
    """Lines such as ``t1 = x*y``, one for each node, then the results: text in gradcli's language."""
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
            # The language has no names for conditions: they are written out where they are used.
            called[e] = written
            continue
        called[e], bind[e] = next(names), ATOM
        lines.append(f"{called[e]} = {written}")
    lines += [f"{spell_name(name)} = {called[e]}" for (name, _), e in zip(named, roots, strict=True)]
    return "".join([f"{printable(line)}\n" for line in lines])


def _quoted(text: str) -> str:
    # Graphviz decodes HTML entities in labels, so that `&` is escaped.
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return f'"{escaped}"'


def dot(named: Sequence[tuple[str, Expr]], order: Sequence[str]) -> str:
    """The graph in the DOT language of Graphviz: inputs on the left, results in double circles on the right."""
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
