"""Explanations of a derivative: the rules of calculus step by step; at one point the tape of values, and both sides.

The last step is the derivative that gradcli computes, and the last numbers of the tape are those of `gradcli diff`.
Layer: must not know requests or terminals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradcli.calculus.derive import expand
from gradcli.calculus.leibniz import derivative_name
from gradcli.caret import inert, printable
from gradcli.expr import Expr
from gradcli.notation.explain.near import Near
from gradcli.notation.explain.rules import ExplainStep, steps
from gradcli.notation.explain.tape import ForwardRow, ReverseRow, forward_table, reverse_table
from gradcli.notation.explain.texts import Texts, number

__all__ = [
    "ExplainStep", "ForwardRow", "Near", "ReverseRow", "explained", "explained_json", "forward_table",
    "reverse_table", "steps",
]  # fmt: skip

ROW_LIMIT = 1000
"""Rows of a tape that are shown, the last row always among them."""
_CLOSING = {"result", "simplified"}
"""The rules of the last steps, which are written as equations."""


def explained_json(
    named: Sequence[tuple[str, Expr]], wrt: Sequence[str], point: Mapping[str, float] | None = None,
    nears: Sequence[Near] = (),
) -> dict[str, Any]:  # fmt: skip
    """The steps and tapes of every output as dicts, lists, strings and floats (with nan and infinities).

    Without ``point`` there are no tapes. ``nears``: what the outputs do beside it. Raises GradError for a variable
    without a value, and for a reduction, which has no derivative at a point.
    """
    outputs = []
    for output, e in named:
        explanation: dict[str, Any] = {"name": output, "expression": _text(e), "derivatives": []}
        for i, x in enumerate(wrt):
            listed = steps(e, x)
            last = next(step for step in listed if step.rule == "result")
            derivative: dict[str, Any] = {
                "name": derivative_name(output, wrt, (i,)),
                "wrt": x,
                "steps": [step._asdict() for step in listed],
                "result": last.result,
                "simplified": listed[-1].result,
            }
            if point is not None:
                derivative["forward"] = [row._asdict() for row in forward_table(e, x, point)]
            for near in _of(nears, output, x):
                derivative["near"] = near.member()
            explanation["derivatives"].append(derivative)
        if point is not None:
            explanation["reverse"] = [row._asdict() for row in reverse_table(e, wrt, point)]
        outputs.append(explanation)
    return {"at": None if point is None else dict(point), "outputs": outputs}


def explained(
    named: Sequence[tuple[str, Expr]], wrt: Sequence[str], point: Mapping[str, float] | None = None,
    nears: Sequence[Near] = (),
) -> str:  # fmt: skip
    """The explanation as text. Raises GradError as `explained_json` does."""
    lines: list[str] = []
    for output, e in named:
        for i, x in enumerate(wrt):
            name = derivative_name(output, wrt, (i,))
            lines += [f"{name}, where {output} = {_text(e)}", "", *_listed(name, steps(e, x)), ""]
        if point is None:
            continue
        at = ", ".join(f"{n}={number(v)}" for n, v in point.items()) or "every point"
        for i, x in enumerate(wrt):
            lines += [f"{derivative_name(output, wrt, (i,))}, forward, at {at}", ""]
            head = ["", "", "value", f"d/d{x}"]
            lines += _table(head, [[r.name, r.expression, r.value, r.derivative] for r in forward_table(e, x, point)])
            lines.append("")
        tape = reverse_table(e, wrt, point)
        lines += [f"{output}, reverse, at {at}  (a1 is d{output}/d{tape[-1].name[:1]}1)", ""]
        lines += _table(
            ["", "", "value", "adjoint", "from"], [[r.name, r.expression, r.value, r.adjoint, r.formula] for r in tape]
        )
        lines.append("")
        for x in wrt:
            for near in _of(nears, output, x):
                lines += [*near.lines, ""]
    # Names are the user's: they must not drive a terminal or a CI server.
    return inert("\n".join([printable(line) for line in lines])).rstrip("\n") + "\n"


def _of(nears: Sequence[Near], output: str, wrt: str) -> list[Near]:
    return [near for near in nears if (near.output, near.wrt) == (output, wrt)]


def _text(e: Expr) -> str:
    (e,) = expand([e])
    return Texts([e])(e)


def _listed(name: str, listed: Sequence[ExplainStep]) -> list[str]:
    """The lines of the steps; ``name`` is that of the derivative."""
    lines = []
    room = len(str(listed[-1].number)) + 2
    for step in listed:
        if step.rule in _CLOSING:
            lines.append(f"{name if step.rule == 'result' else '':{len(name)}} = {step.result}")
            continue
        head = f"{step.number}.".rjust(room)
        if not step.expression:
            lines += [f"{head} {step.statement}", ""]
            continue
        title, _, body = step.expression.rpartition(" = ") if _is_named(step.expression) else ("", "", step.expression)
        lines.append(f"{head} ({body})' = {step.result}" + (f"   {title} = {body}" if title else ""))
        lines += [f"{'':{room}} {step.rule}: {step.statement}", ""]
    return lines


def _is_named(expression: str) -> bool:
    head, sign, _ = expression.partition(" = ")
    return bool(sign) and head[:1] == "t" and head[1:].isdigit()


def _table(head: list[str], rows: Sequence[Sequence[object]]) -> list[str]:
    left_out = len(rows) - ROW_LIMIT
    shown = list(rows) if left_out <= 0 else [*rows[: ROW_LIMIT - 1], rows[-1]]
    cells = [head, *[[_cell(value) for value in row] for row in shown]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    numbers = range(2, 4)
    lines = [
        "  ".join(c.rjust(w) if k in numbers else c.ljust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    ]
    if left_out > 0:
        lines.insert(ROW_LIMIT, f"... ({left_out} rows left out)")
    return [f"  {line}".rstrip() for line in lines]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number(value) if isinstance(value, float) else "" if value is None else str(value)
