"""A study in words: sections with their items, which a table, Markdown and HTML show alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeVar

from gradcli.caret import printable
from gradcli.expr import exact, spell_name, text
from gradcli.formats.markdown import cell
from gradcli.plot.study import Point, Span, Study, Undecided
from gradcli.plot.study_request import Studied
from gradcli.truth.asymptotes import Line
from gradcli.truth.places import Place
from gradcli.truth.spots import Reach, Spot

_T = TypeVar("_T")

MOST = 12
"""Items of a section that are told; JSON has all."""
_LONG = 40
"""Characters of a number in closed form that is told."""
_PARTS = 1000
"""The largest denominator of a fraction that is told; others are decimals where they end."""
_DIGITS = 24
"""Characters of a rational number that is told."""
_WIDE = 1e-9
"""The radius, as a share of the number or of 1, from which a place is told as an interval."""
_TIMES = {2: "double", 3: "triple"}


class Section(NamedTuple):
    """``joined``: whether its items make one list, else each has a line."""

    name: str
    items: list[str]
    joined: bool


def sections(study: Study, name: str) -> list[Section]:
    """The sections of the study of a function called ``name``, those without items left out where that says nothing."""
    x = spell_name(study.over.name)
    several = [
        Section("domain", _listed(study.domain, spelled_span), True),
        Section("zeros", [*_listed(study.zeros, _zero), *_listed(study.zero, _all_of)], True),
        Section("poles", _listed(study.poles, _sided), False),
        Section("asymptotes", _asymptotes(study, x), True),
        Section("holes", _listed(study.holes, _hole), False),
        Section("jumps", _listed(study.jumps, _sided), False),
        Section("kinks", _listed(study.kinks, lambda s: _valued(s.place, s.value, name)), False),
        Section("no limit", _listed(study.oscillations, lambda s: numbered(s.place)), True),
        Section("maxima", _extrema(study, "maximum", name), False),
        Section("minima", _extrema(study, "minimum", name), False),
        Section("inflections", _listed(study.inflections, lambda p: _valued(p.place, p.value, name)), False),
        Section("rising", _listed(study.rising, spelled_span), True),
        Section("falling", _listed(study.falling, spelled_span), True),
        Section("constant", _listed(study.constant, spelled_span), True),
        Section("convex", _listed(study.convex, spelled_span), True),
        Section("concave", _listed(study.concave, spelled_span), True),
        Section("straight", _listed(study.straight, spelled_span), True),
        Section("undecided", _listed(study.undecided, _undecided), False),
    ]  # fmt: skip
    return [
        s if s.items else s._replace(items=["nothing" if s.name == "undecided" else "none"])
        for s in several
        if s.items or s.name in ("zeros", "asymptotes", "maxima", "minima", "inflections", "undecided")
    ]


def _listed(values: Iterable[_T], spell: Callable[[_T], str]) -> list[str]:
    items = [spell(v) for v in values]
    more = len(items) - MOST
    return items if more <= 0 else [*items[:MOST], f"and {more} more"]


def spelled(place: Place) -> str:
    """A number in closed form where it is short, else the nearest double, or the interval it is in if that is wide."""
    if place.exact is not None:
        q = exact(place.exact)
        form = str(q) if q is not None and q.denominator <= _PARTS else text(place.exact, _LONG)
        if len(form) <= (_LONG if q is None else _DIGITS):
            return form
    if place.radius > _WIDE * max(1.0, abs(place.value)):
        return f"{_decimal(float(place.low))} .. {_decimal(float(place.high))}"
    return _decimal(place.value) if math.isfinite(place.value) else _large((place.low + place.high) / 2)


def _large(q: Fraction) -> str:
    """A number beyond the range of doubles."""
    return f"{Decimal(q.numerator) / Decimal(q.denominator):.17g}"


def numbered(place: Place) -> str:
    """A number, and in brackets its decimals where they do not stand in it."""
    form = spelled(place)
    plain = place.exact is None or exact(place.exact) is not None or form == _decimal(place.value)
    return form if plain else f"{form} ({place.value:.6g})"


def _decimal(x: float) -> str:
    return repr(x + 0.0).removesuffix(".0")


def spelled_span(span: Span) -> str:
    if span.low is span.high:
        return f"{{{spelled(span.low)}}}"
    first, last = ("[" if span.closed[0] else "("), ("]" if span.closed[1] else ")")
    return f"{first}{spelled(span.low)}, {spelled(span.high)}{last}"


def _all_of(span: Span) -> str:
    return f"all of {spelled_span(span)}"


def _zero(place: Place) -> str:
    m = place.multiplicity
    return numbered(place) + (f", {_TIMES.get(m, f'{m}-fold')}" if m > 1 else "")


def spelled_reach(reach: Reach | None) -> str:
    """A limit, "" where there is no such side."""
    if reach is None:
        return ""
    if reach.sign:
        return "inf" if reach.sign > 0 else "-inf"
    return "no limit" if reach.limit is None else spelled(reach.limit)


def _sided(spot: Spot) -> str:
    sides = [(spelled_reach(spot.left), "on the left"), (spelled_reach(spot.right), "on the right")]
    told = ", ".join([f"{value} {where}" for value, where in sides if value])
    there = f", {spelled(spot.value)} there" if spot.value is not None else ""
    return f"{numbered(spot.place)}: {told}{there}"


def _hole(spot: Spot) -> str:
    limit = spelled_reach(spot.left or spot.right)
    there = f", but {spelled(spot.value)} there" if spot.value is not None else ""
    return f"{numbered(spot.place)}: the limit is {limit}{there}"


def _valued(place: Place, value: Place | None, name: str, more: str = "") -> str:
    told = "" if value is None else f": {spell_name(name)} = {numbered(value)}"
    return f"{numbered(place)}{told}{more}"


def _extrema(study: Study, kind: str, name: str) -> list[str]:
    def spell(p: Point) -> str:
        return _valued(p.place, p.value, name, ", at the edge of the domain" if p.edge else "")

    return _listed([p for p in study.extrema if p.kind == kind], spell)


def _asymptotes(study: Study, x: str) -> list[str]:
    items = _listed(study.vertical, lambda s: f"{x} = {spelled(s.place)}")
    return [*items, *[f"{equation(line, x)}{_where(line, x)}" for line in study.lines]]


def equation(line: Line, x: str) -> str:
    """A line as an equation: y = 2*x - 1."""
    slope, intercept = spelled(line.slope), spelled(line.intercept)
    if slope == "0":
        return f"y = {intercept}"
    factor = {"1": x, "-1": f"-{x}"}.get(slope, f"{f'({slope})' if set(slope[1:]) & {*'+-/ '} else slope}*{x}")
    if intercept == "0":
        return f"y = {factor}"
    sign, size = ("-", intercept[1:]) if intercept.startswith("-") else ("+", intercept)
    return f"y = {factor} {sign} {f'({size})' if {'+', '-'} & set(size) else size}"


def _where(line: Line, x: str) -> str:
    return "" if len(line.sides) == 2 else f" for {x} -> {'inf' if line.sides[0] > 0 else '-inf'}"


def _undecided(u: Undecided) -> str:
    if u.place.low == u.place.high:
        return f"{u.what}: {u.why}"
    return f"{u.what} in {_decimal(float(u.place.low))} .. {_decimal(float(u.place.high))}: {u.why}"


def heading(studied: Studied) -> str:
    """The function and the range: `f = x**2 over -5 <= x <= 5`."""
    return f"{spell_name(studied.name)} = {studied.text} over {studied.range}"


def table(studied: Studied) -> str:
    """The study as text, a section a line; items that have lines of their own stand below each other.

    Control characters of names are told as escapes: no name sends commands to a terminal.
    """
    rows = sections(studied.study, studied.name)
    width = max(len(row.name) for row in rows) + 2
    lines = [heading(studied), ""]
    for row in rows:
        items = [", ".join(row.items)] if row.joined else row.items
        lines += [f"{label:{width}}{item}" for label, item in zip([row.name, *[""] * len(items)], items, strict=False)]
    return "\n".join(map(printable, lines)) + "\n"


def markdown(studied: Studied) -> str:
    """The study as a heading and a table of Markdown."""
    rows = [
        f"| {row.name} | {', '.join(map(cell, row.items)) if row.joined else '<br>'.join(map(cell, row.items))} |"
        for row in sections(studied.study, studied.name)
    ]
    return "\n".join([f"### {cell(heading(studied))}", "", "| | |", "| --- | --- |", *rows, ""])
