"""Birth certificates: the first step that is not finite, on the way to a number that is not.

A number is followed from the result down to the step at which it began: through the arguments that are nan if it is
nan, infinite if it is infinite, and through the branch taken alone. The values are those of the scalar engine at that
point. A step of a derivative is told with the step of the expression whose slope it belongs to.
Layer: must not know requests, formats of results or terminals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from gradcli.calculus.derive import expand
from gradcli.caret import Source, Span
from gradcli.compute.backends.scalar import at_point
from gradcli.errors import GradError
from gradcli.expr import Expr, post_order, reachable, rebuild, rewrite, spell_name, text, var
from gradcli.functions import reduces
from gradcli.language import Parsed
from gradcli.language.tokens import short
from gradcli.notation.explain.owners import Owners
from gradcli.notation.explain.reasons import Value, listed, reason, shown, word

_TEXT = 40
"""Characters of a step's text that are shown."""
_ARGUMENTS = 4
"""Arguments of a step whose values are told."""


class Birth(NamedTuple):
    """``column`` is ``value``: ``why`` is the reason, ``values`` the numbers that meet there, ``span`` the step."""

    column: str
    value: float
    why: str
    values: str
    span: Span | None
    source: Source | None

    @property
    def sentence(self) -> str:
        return f"{self.column} is {shown(self.value)} here: {self.why}"

    def error(self, where: str = "") -> GradError:
        """The certificate as a message with a picture, after ``where`` it is about."""
        head = f"{where}: " if where else ""
        return GradError(head + self.sentence, hint=self.values or None, span=self.span, source=self.source)

    def member(self) -> dict[str, Any]:
        """The certificate as names, texts and numbers."""
        source = self.source and (self.source.name or self.source.text)
        return {
            "column": self.column, "value": shown(self.value),
            "text": "; ".join(filter(None, [self.why, self.values])),
            "span": None if self.span is None else list(self.span), "source": source,
        }  # fmt: skip


class Reductions(NamedTuple):
    """The value of each reduction over all points.

    ``first`` finds, for an argument of one, the first row in which it is not finite, or is nan, and the point there; it
    raises GradError where that cannot be told.
    """

    values: Mapping[Expr, float] = {}
    first: Callable[[Expr, bool], tuple[str, Mapping[str, float]] | None] = lambda e, nan: None


class Written:
    """One output of a text: its expression, and where each of its steps stands in the text."""

    def __init__(self, parsed: Parsed, e: Expr, wrt: Sequence[str], order: int) -> None:
        self.source, self.wrt, self.order = parsed.source, wrt, order
        nodes = reachable([e])
        forms = expand(nodes)
        self.e = forms[-1]
        self.spans: dict[Expr, Span] = {}
        self.around: dict[Expr, Span] = {}
        for node, form in zip(nodes, forms, strict=True):
            if node in parsed.spans:
                self.spans.setdefault(form, parsed.spans[node])
        for node, form in zip(nodes, forms, strict=True):
            # The steps of a diff(...) stand where it does.
            for part in reachable([form]) if node.op == "diff" and node in parsed.spans else ():
                self.around.setdefault(part, parsed.spans[node])
        self.steps = set(reachable([self.e]))
        self._owners: Owners | None = None

    @property
    def owners(self) -> Owners:
        if self._owners is None:
            self._owners = Owners(self.e, self.wrt, self.order)
        return self._owners

    def span(self, step: Expr) -> Span | None:
        """The span of a step, of the diff(...) that made it, or of the nearest step above one of simplification."""
        found = self.spans.get(step) or self.around.get(step)
        if found is None:
            above = {step}
            for node in reachable([self.e]):
                if any(a in above for a in node.args):
                    if node in self.spans:
                        return self.spans[node]
                    above.add(node)
        return found

    def text(self, step: Expr) -> str:
        """The text of a step as it is written; as it is printed where it is not."""
        if step.op == "var":
            return spell_name(str(step.value))
        span = self.spans.get(step)
        if span is not None and step in self.steps:
            return short(self.source.text[span.start : span.end])
        printed = text(step, _TEXT)
        return printed if len(printed) <= _TEXT else f"{printed[: _TEXT - 4].rstrip()} ..."


def birth(
    written: Written, column: str, root: Expr, point: Mapping[str, float], total: int = 0,
    reductions: Reductions | None = None, limits: str = "",
) -> Birth | None:  # fmt: skip
    """The certificate of a column at a point.

    ``root`` is the expression ``written``, or a derivative of it of order ``total``. ``limits`` is a sentence on the
    limits there, which ends the last line. None if the scalar engine finds a finite number. Raises GradError for a
    variable without a value.
    """
    reductions = reductions or Reductions()
    values = _values([written.e, root], point, reductions.values)
    value = values[root]
    if not _bad(value):
        return None
    path = _path(root, values, written)
    step = path[-1]
    inside = step in written.steps
    why = _why(step, values, inside)
    span = written.span(step) if inside else None
    if not inside:
        owner = written.owners.of(path, [a for a in step.args if _bad(values[a])])
        span = written.span(owner or written.e)
        if owner is not None:
            why += f" in the {'slope' if total < 2 else 'derivatives'} of {word(owner)}"
            if owner.args:
                why += f" at {listed([values[a] for a in owner.args if a in values])}"
    told = _over_all(step, written, reductions) if reduces(step) else _told(step, values, written)
    return Birth(column, float(value), why, "; ".join(filter(None, [told, limits])), span, written.source)


def _values(roots: Sequence[Expr], point: Mapping[str, float], numbers: Mapping[Expr, float]) -> dict[Expr, Value]:
    """The value of every step below the roots; a reduction has its number, and nothing below it has any."""
    stands = {e: f"\0{k}" for k, e in enumerate(numbers)}
    nodes = _reached(roots, stands)
    forms = nodes
    if stands:
        forms = rewrite(nodes, lambda e, args: var(stands[e]) if e in stands else rebuild(e, args))
    at = {**point, **{stands[e]: value for e, value in numbers.items()}}
    return dict(zip(nodes, at_point(forms, at), strict=True))


def _reached(roots: Sequence[Expr], stands: Mapping[Expr, str]) -> list[Expr]:
    if not stands:
        return post_order(roots)
    seen: set[Expr] = set()
    stack = list(roots)
    while stack:
        e = stack.pop()
        if e not in seen:
            seen.add(e)
            stack.extend(() if e in stands else e.args)
    return sorted(seen, key=lambda e: e.serial)


def _bad(value: Value) -> bool:
    return not math.isfinite(value)


def _path(root: Expr, values: Mapping[Expr, Value], written: Written) -> list[Expr]:
    """The steps from ``root`` down to the first that is not finite, along arguments that are not for the same reason.

    Of several such arguments that is taken which is written first.
    """
    path = [root]
    while True:
        step = path[-1]
        alike = [a for a in _taken(step, values) if _bad(values[a]) and _same(values[a], values[step])]
        if not alike:
            return path
        path.append(min(alike, key=lambda a: written.spans.get(a, _LAST)))


_LAST = Span(1 << 60, 1 << 60)


def _same(a: Value, b: Value) -> bool:
    return math.isnan(a) == math.isnan(b)


def _taken(step: Expr, values: Mapping[Expr, Value]) -> Sequence[Expr]:
    """The arguments that a step's value is made of: of a selection the branch taken."""
    if step.op in ("where", "instead"):
        return step.args[1:2] if values[step.args[0]] else step.args[2:]
    if step.op == "defined":
        return step.args[:1] if _bad(values[step.args[0]]) and math.isnan(values[step.args[0]]) else step.args[1:]
    return () if reduces(step) else step.args


def _why(step: Expr, values: Mapping[Expr, Value], inside: bool) -> str:
    value = float(values[step])
    if step.op == "var":
        return f"{spell_name(str(step.value))} is {shown(value)} in the input"
    if not step.args:
        return f"{shown(value)} is written there" if inside else "a factor is too large for a double"
    if reduces(step):
        return f"{step.op} over all points is {shown(value)}"
    return reason(step, [values[a] for a in step.args], value)


def _told(step: Expr, values: Mapping[Expr, Value], written: Written) -> str:
    """The values of a step's arguments, with the birth of those that are infinite."""
    pieces: list[str] = []
    for a in dict.fromkeys(step.args):
        if a.op in ("const", "constant") or len(pieces) == _ARGUMENTS:
            continue
        pieces.append(f"{written.text(a)} is {shown(values[a])}{_born(a, values, written)}")
    return ", ".join(pieces)


def _born(e: Expr, values: Mapping[Expr, Value], written: Written) -> str:
    if not _bad(values[e]):
        return ""
    first = _path(e, values, written)[-1]
    if first is e and e.op == "var":
        return " in the input"
    why = _why(first, values, first in written.steps)
    if first is e and why.startswith(written.text(e)):
        return ""
    return f" ({why})" if first.op == "var" else f" (born at {written.text(first)}: {why})"


def _over_all(step: Expr, written: Written, reductions: Reductions) -> str:
    """Of the argument of a reduction, the first row that is not finite."""
    (e,) = step.args
    try:
        row = reductions.first(e, True) if math.isnan(reductions.values[step]) else None
        row = row or reductions.first(e, False)
    except GradError:
        return ""
    if row is None:
        return f"{written.text(e)} is finite in every row, all together too large for a double"
    where, point = row
    values = _values([e], point, reductions.values)
    return f"{written.text(e)} is {shown(values[e])} in {where}{_born(e, values, written)}"
