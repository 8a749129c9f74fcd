"""The error of ``--kink error``: what breaks at the first hard point, with the step of the source under a caret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from gradcli.calculus.hazards import hazards_of_nodes
from gradcli.caret import Span
from gradcli.compute import trust
from gradcli.compute.backends.scalar import at_point
from gradcli.errors import GradError
from gradcli.expr import Expr, reachable, spell_name, variables
from gradcli.job.decimals import exactly
from gradcli.limits.work import SpentError
from gradcli.notation.explain.birth import Written
from gradcli.truth.words import Beside, first_few, place, sentence

if TYPE_CHECKING:
    from gradcli.job.hard_points import HardPoints

_TERMS = 64
"""Terms of a sum that are looked at one by one."""


def refused(hard: HardPoints, point: Mapping[str, float], output: int, axis: str, truth: Beside) -> GradError:
    """The error that an output is not smooth at a point along an axis."""
    name = hard.targets[output * hard.per_output].name
    values = [f"{spell_name(n)}={v!r}" for n, v in point.items()]
    at = first_few(values)
    along = f" along {spell_name(axis)}" if len(hard.axes) > 1 else ""
    what = place(truth.verdict)
    words = f"{spell_name(name)} has {what}{along}: {sentence(truth, 'it')}" if what else sentence(truth, name)
    error = GradError(f"at {at}: {words}" if at else words, exit_code=1)
    # The message stands without its picture.
    with suppress(GradError, SpentError):
        _show(error, hard, point, output, axis)
    return error


def _show(error: GradError, hard: HardPoints, point: Mapping[str, float], output: int, axis: str) -> None:
    request = hard.request
    assert request is not None
    parsed = [text for text in request.parsed for _ in text.outputs][output]
    written = Written(parsed, request.outputs[output][1], hard.axes, hard.order)
    nodes = _broken(written.e, point, axis)
    if len(nodes) > 1:
        # Of several the one in a term that breaks by itself: in cos(abs(x)) + relu(x) the second.
        nodes = _in_a_broken_term(hard, written.e, point, axis, nodes)
    spans = [span for node in nodes if (span := _span(written, node)) is not None]
    if spans:
        error.at(min(spans), parsed.source)


def _broken(e: Expr, point: Mapping[str, float], axis: str) -> list[Expr]:
    """The nodes with a hazard at the point, decimals read as such, that depend on the variable of the axis."""
    pairs = [(node, d) for node, distances in hazards_of_nodes(e) if axis in variables(node) for d in distances]
    at_hazard = at_point(trust.zeros([d for _, d in pairs]), point) if pairs else []
    return [*dict.fromkeys(node for (node, _), here in zip(pairs, at_hazard, strict=True) if here)]


def _in_a_broken_term(
    hard: HardPoints, e: Expr, point: Mapping[str, float], axis: str, nodes: list[Expr]
) -> list[Expr]:
    tiers = hard.tiers(False)
    if not tiers.balls.exact:
        return nodes
    from gradcli.truth.verdict import Judge

    at = exactly(hard.typed, point)
    for term in _terms(e):
        inside = {*reachable([term])}
        own = [node for node in nodes if node in inside]
        if own and Judge(term, tiers.order).along(at, axis).verdict != "smooth":
            return own
    return nodes


def _terms(e: Expr) -> Iterator[Expr]:
    """The first terms of a sum, in the order in which they are written."""
    stack, count = [e], 0
    while stack and count < _TERMS:
        e = stack.pop()
        if e.op in ("add", "sub", "neg"):
            stack.extend(reversed(e.args))
        else:
            count += 1
            yield e


def _span(written: Written, node: Expr) -> Span | None:
    """The span of a step; of a quotient that of its divisor if that is not written before."""
    whole = written.span(node)
    divisor = written.spans.get(node.args[1]) if node.op == "div" else None
    if whole is None or divisor is None or not whole.start < divisor.start < whole.end:
        return whole
    return divisor if written.source.text[: divisor.start].rstrip("( ").endswith("/") else whole
