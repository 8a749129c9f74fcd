"""A study as a value of JSON."""

from __future__ import annotations

import math
from typing import Any

from gradcli.expr import spell_name
from gradcli.plot.study import Point, Span, Study
from gradcli.plot.study_request import Studied
from gradcli.plot.study_text import equation, spelled, spelled_span
from gradcli.truth.places import Place
from gradcli.truth.spots import Reach, Spot


def as_json(studied: Studied) -> dict[str, Any]:
    """The study with every place as a root {x, value, radius, proved}."""
    s: Study = studied.study
    return {
        "name": studied.name, "expression": studied.text, "variable": s.over.name,
        "range": {"low": s.over.left.value, "high": s.over.right.value},
        "domain": _spans(s.domain),
        "zeros": [{**root(p), "multiplicity": p.multiplicity or None} for p in s.zeros],
        "zero": _spans(s.zero),
        "poles": [_sided(spot) for spot in s.poles],
        "asymptotes": _asymptotes(s),
        "holes": [{**root(spot.place), "limit": _limit(spot.left or spot.right)} for spot in s.holes],
        "jumps": [_sided(spot) for spot in s.jumps],
        "kinks": [{**root(spot.place), "y": _number(spot.value)} for spot in s.kinks],
        "oscillations": [root(spot.place) for spot in s.oscillations],
        "extrema": [{**_point(p), "kind": p.kind, "edge": p.edge} for p in s.extrema],
        "inflections": [_point(p) for p in s.inflections],
        "rising": _spans(s.rising), "falling": _spans(s.falling), "constant": _spans(s.constant),
        "convex": _spans(s.convex), "concave": _spans(s.concave), "straight": _spans(s.straight),
        "undecided": [
            {"low": float(u.place.low), "high": float(u.place.high), "what": u.what, "why": u.why} for u in s.undecided
        ],
    }  # fmt: skip


def root(place: Place) -> dict[str, Any]:
    """A place: in closed form or as decimals, as the nearest double, how far off that is at most, and whether it is
    proved.
    """
    return {"x": spelled(place), "value": place.value, "radius": place.radius, "proved": place.proved}


def _number(place: Place | None) -> dict[str, Any] | None:
    """``value`` and ``radius`` are null of a number beyond the range of doubles."""
    if place is None:
        return None
    finite = math.isfinite(place.value)
    return {
        "text": spelled(place),
        "value": place.value if finite else None,
        "radius": place.radius if finite else None,
    }


def _point(p: Point) -> dict[str, Any]:
    return {**root(p.place), "y": _number(p.value)}


def _limit(reach: Reach | None) -> dict[str, Any] | str | None:
    """A number, "inf", "-inf", or null where there is none."""
    if reach is None:
        return None
    return ("inf" if reach.sign > 0 else "-inf") if reach.sign else _number(reach.limit)


def _sided(spot: Spot) -> dict[str, Any]:
    return {**root(spot.place), "left": _limit(spot.left), "right": _limit(spot.right)}


def _spans(spans: list[Span]) -> list[dict[str, Any]]:
    return [
        {"low": s.low.value, "high": s.high.value, "low_in": s.closed[0], "high_in": s.closed[1],
         "text": spelled_span(s)}
        for s in spans
    ]  # fmt: skip


def _asymptotes(s: Study) -> list[dict[str, Any]]:
    name = spell_name(s.over.name)
    vertical = [
        {"kind": "vertical", "equation": f"{name} = {spelled(spot.place)}", **_sided(spot)} for spot in s.vertical
    ]  # fmt: skip
    others = [
        {"kind": "horizontal" if line.slope.low == line.slope.high == 0 else "oblique",
         "equation": equation(line, name), "slope": _number(line.slope), "intercept": _number(line.intercept),
         "sides": ["-inf" if side < 0 else "inf" for side in line.sides]}
        for line in s.lines
    ]  # fmt: skip
    return [*vertical, *others]
