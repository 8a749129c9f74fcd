"""`study`, what a function of one variable does over a range: where it is defined, 0, rises, bends and breaks off.

Zeros of the function and of its first two derivatives are isolated and proved (see `truth.roots`); between two of them,
and the places at which the function has no series, nothing changes sign, so that one number tells what holds there.
Layer: must not know options, formats or terminals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gradcli.calculus.derive import expand
from gradcli.errors import GradError
from gradcli.expr import Expr, readable, spell_name, text, variables
from gradcli.plot.study_axis import Axis, Cell, Event, axis
from gradcli.truth.asymptotes import Line, lines
from gradcli.truth.places import Place
from gradcli.truth.spots import Reach, Spot
from gradcli.truth.zeros import Range

_LONG = 80
"""Characters of an expression in a message."""
_SIGNS = ("the value", "the slope", "the second derivative")
UNDECIDED = {-1: "where it is defined", 0: "zeros", 1: "extrema", 2: "inflections"}


class Span(NamedTuple):
    """An interval between two places, and whether each end belongs to it. One place: twice the same, and both do."""

    low: Place
    high: Place
    closed: tuple[bool, bool]


class Point(NamedTuple):
    """A place and the value there; ``kind``: "maximum" or "minimum" of an extremum, and its ``edge`` of the domain."""

    place: Place
    value: Place
    kind: str = ""
    edge: bool = False


class Undecided(NamedTuple):
    """A place or an interval about which something could not be decided: ``what``, and ``why``."""

    place: Place
    what: str
    why: str


class Study(NamedTuple):
    """What a function does over a range, in the order of x.

    ``zero``: intervals over which it is 0. ``constant`` and ``straight``: where its first, and its second derivative
    is 0 all over. ``vertical``: places beside which it is not bounded; ``poles`` are those of them of which it has a
    Laurent series. ``oscillations``: places at which it has no limit.
    """

    root: Expr
    over: Range
    domain: list[Span]
    zeros: list[Place]
    zero: list[Span]
    poles: list[Spot]
    vertical: list[Spot]
    lines: list[Line]
    holes: list[Spot]
    jumps: list[Spot]
    kinks: list[Spot]
    oscillations: list[Spot]
    extrema: list[Point]
    inflections: list[Point]
    rising: list[Span]
    falling: list[Span]
    constant: list[Span]
    convex: list[Span]
    concave: list[Span]
    straight: list[Span]
    undecided: list[Undecided]


def study(e: Expr, left: Place, right: Place, shown: str = "the range") -> Study:
    """The study of an expression of one variable from ``left`` to ``right``, ends included.

    Raises GradError for an expression of no or of several variables, and where it has no value in the range, which the
    message calls ``shown``.

    >>> from gradcli.expr import const, text, var
    >>> from gradcli.truth.closed_forms import place
    >>> x = var("x")
    >>> found = study(x**3 - 3 * x, place(const(-5)), place(const(5)))
    >>> [(p.kind, text(p.place.exact), text(p.value.exact)) for p in found.extrema]
    [('maximum', '-1', '2'), ('minimum', '1', '-2')]
    """
    (root,) = readable(expand([e]))
    names = variables(root)
    if len(names) != 1:
        raise GradError("a study is of a function of one variable")
    over = Range(names[0], left, right)
    line = axis(root, over)
    found, unknown = lines(root, names[0])
    hard = [e.spot for e in line.events if e.spot.kinds != ("smooth",)]
    domain = _runs(line, lambda c: c.defined, _valued, lambda e, _: _valued(e))
    domain = _with_isolated(line, domain)
    if not domain and not any(-1 in orders for _, orders in line.undecided):
        raise GradError(f"{text(root, _LONG)} has no value in {shown}")

    def where(order: int, sign: int, joint: Callable[[Event], bool]) -> list[Span]:
        return _runs(line, lambda c: c.signs[order] == sign, joint, _end)

    return Study(
        root, over, domain, _zeros(line), where(0, 0, _continuous),
        [s for s in hard if "pole" in s.kinds], [s for s in hard if _infinite(s.left) or _infinite(s.right)], found,
        _of(hard, "removable", "misplaced"), _of(hard, "jump"), _of(hard, "kink", "cusp"), 
        [s for s in hard if _oscillates(s.left) or _oscillates(s.right)],
        _extrema(line), _inflections(line),
        where(1, 1, _continuous), where(1, -1, _continuous), where(1, 0, _continuous),
        where(2, 1, lambda e: _bent(e, 1)), where(2, -1, lambda e: _bent(e, -1)), where(2, 0, lambda e: _bent(e, 0)),
        _undecided(line, hard, unknown, over),
    )  # fmt: skip


def _of(spots: list[Spot], *kinds: str) -> list[Spot]:
    return [s for s in spots if any(kind in s.kinds for kind in kinds)]


def _oscillates(reach: Reach | None) -> bool:
    return reach is not None and reach.limit is None and not reach.sign


def _infinite(reach: Reach | None) -> bool:
    return reach is not None and reach.sign != 0


# Intervals.


def _runs(
    line: Axis, holds: Callable[[Cell], bool], joint: Callable[[Event], bool], end: Callable[[Event, int], bool]
) -> list[Span]:
    """The longest intervals of cells for which something holds, joined at events; ``end``: whether an event at an end
    belongs to it, on its side -1 or 1.
    """
    spans: list[Span] = []
    open_ = False
    for k, cell in enumerate(line.cells):
        left, right = line.events[k], line.events[k + 1]
        if not holds(cell):
            open_ = False
            continue
        if open_ and joint(left):
            low, first = spans[-1].low, spans[-1].closed[0]
            spans.pop()
        else:
            low, first = left.place, end(left, 1)
        spans.append(Span(low, right.place, (first, end(right, -1))))
        open_ = True
    return spans


def _with_isolated(line: Axis, spans: list[Span]) -> list[Span]:
    single = [Span(e.place, e.place, (True, True)) for e in line.events if "isolated" in e.spot.kinds]
    return sorted([*spans, *single], key=lambda s: s.low.low)


def _valued(e: Event) -> bool:
    return e.spot.value is not None or e.spot.kinds == ("smooth",)


def _continuous(e: Event) -> bool:
    return all(e.spot.joins)


def _end(e: Event, side: int) -> bool:
    """Whether the value of an event is the limit from the side of an interval that begins (1) or ends (-1) there."""
    return e.spot.joins[side > 0]


def _bent(e: Event, sign: int) -> bool:
    """Whether the slope does not change against the sense of the intervals that meet there."""
    return _continuous(e) and e.spot.bend is not None and e.spot.bend in (0, sign)


# Places.


def _zeros(line: Axis) -> list[Place]:
    """Places at which the value is 0, other than in intervals over which it is."""
    places = []
    for k, e in enumerate(line.events):
        beside = [line.cells[j].signs[0] for j in (k - 1, k) if 0 <= j < len(line.cells)]
        if 0 in beside or e.spot.value is None:
            continue
        value = e.spot.value
        exactly = value.low == value.high == 0
        if (0 in e.zero_of and value.low <= 0 <= value.high) or exactly:
            places.append(e.place)
    return places


def _around(line: Axis, order: int) -> list[tuple[Event, int | None, int | None]]:
    """Events with the signs of a derivative on both sides; None where there is none in the range."""
    signs = [None, *[c.signs[order] for c in line.cells], None]
    return [(e, signs[k], signs[k + 1]) for k, e in enumerate(line.events)]


def _extrema(line: Axis) -> list[Point]:
    points = []
    for e, before, after in _around(line, 1):
        s = e.spot
        if s.value is None:
            continue
        kind, edge = "", False
        if all(s.joins) and before and after and before != after:
            kind = "maximum" if before > 0 else "minimum"
        elif s.joins[0] and s.right is None and before:
            kind, edge = ("maximum" if before > 0 else "minimum"), True
        elif s.joins[1] and s.left is None and after:
            kind, edge = ("minimum" if after > 0 else "maximum"), True
        if kind:
            points.append(Point(e.place, s.value, kind, edge))
    return points


def _inflections(line: Axis) -> list[Point]:
    points = []
    for e, before, after in _around(line, 2):
        s = e.spot
        if s.value is None or not all(s.joins):
            continue
        if before and after and before != after and (s.bend == 0 or "vertical" in s.kinds):
            points.append(Point(e.place, s.value))
    return points


def _undecided(line: Axis, hard: list[Spot], unknown: list[int], over: Range) -> list[Undecided]:
    told = [
        Undecided(Place(low, high, None, 0, False), UNDECIDED[orders[0]], "no proof within the limit of work")
        for (low, high), orders in line.undecided
    ]
    told += [Undecided(s.place, "the limits", "this arithmetic cannot say") for s in hard if "unknown" in s.kinds]
    for k, cell in enumerate(line.cells):
        part = Place(line.events[k].place.high, line.events[k + 1].place.low, None, 0, False)
        doubts = {o for (low, high), orders in line.undecided if low <= part.low and part.high <= high for o in orders}
        told += [
            Undecided(part, f"the sign of {_SIGNS[order]}", "no proof within the limit of work")
            for order, sign in enumerate(cell.signs)
            if cell.defined and sign is None and order not in doubts
        ]
    for side in unknown:
        end, where = (over.right, "inf") if side > 0 else (over.left, "-inf")
        told.append(Undecided(end, f"asymptotes for {spell_name(over.name)} -> {where}", "this arithmetic cannot say"))
    return told
