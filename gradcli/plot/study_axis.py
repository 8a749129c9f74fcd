"""The axis of a study: the places of a range at which anything changes, and what holds between them.

Layer: must not know how findings are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from gradcli.expr import Expr
from gradcli.truth import zeros as of
from gradcli.truth.intervals import Interval
from gradcli.truth.places import Place
from gradcli.truth.polynomials import numerators, real_zeros
from gradcli.truth.quotients import Quotient
from gradcli.truth.spots import Reach, Spot, smooth, spot
from gradcli.truth.zeros import Found, Range

ORDERS = (0, 1, 2)
_HARD, _RANGE, _PLAIN = -1, 3, 4
"""Kinds of places, beside the orders: hard ones, the ends of the range, and ends of undecided intervals."""

Undecided = tuple[Interval, tuple[int, ...]]
"""An interval, and the orders of derivatives of which it is not known whether they are 0 there; -1 for all."""


class Event(NamedTuple):
    """A place at which something may change, and what the expression does there. ``zero_of``: the orders of the
    derivatives that are 0 there.
    """

    place: Place
    spot: Spot
    zero_of: tuple[int, ...] = ()


class Cell(NamedTuple):
    """Between two events: whether the expression is defined, and the signs of it and of its first two derivatives; 0
    of one that is 0 all over, None of one that is not known.
    """

    defined: bool
    signs: tuple[int | None, ...]


class Axis(NamedTuple):
    """Events, the first and the last at the ends of the range, and a cell between each two. ``undecided``: intervals
    with the orders of what may be 0 there, -1 where the expression may not even be defined.
    """

    events: list[Event]
    cells: list[Cell]
    undecided: list[Undecided]


def axis(root: Expr, over: Range) -> Axis:
    """The axis of an expression of one variable, without ``diff`` inside, over a range."""
    hard = of.hazard_places(root, over)
    q = Quotient(root, over.name)
    outer = _Outer(q, over, hard.places)
    found = _zeros(q, over, outer)
    undecided: list[Undecided] = [(u, (-1, *ORDERS)) for u in [*hard.undecided, *outer.undecided]]
    undecided += [(u, (k,)) for k, f in enumerate(found) for u in f.undecided]
    events = _events(q, over, outer, found, [end for interval, _ in undecided for end in interval])
    cells = []
    for left, right in pairwise(events):
        low, high = left.place.high, right.place.low
        at = of.inner(low, high)
        doubts = {k for (a, b), orders in undecided if a <= at <= b for k in orders}
        known = low < high and outer.defined(at) and -1 not in doubts
        cells.append(Cell(known, tuple([q.sign(at, k) if known and k not in doubts else None for k in ORDERS])))
    return Axis(events, cells, undecided)


class _Outer:
    """The parts of a range between hard places, and in which of them the expression is defined."""

    def __init__(self, q: Quotient, over: Range, splits: list[Place]) -> None:
        self.splits = splits
        self._parts: list[tuple[Fraction, Fraction, bool]] = []
        self.undecided: list[Interval] = []
        """Parts of which it is not known whether it is."""
        for a, b in of.parts(over, splits):
            there = q.defined(of.inner(a.high, b.low)) if a.high < b.low else False
            self._parts.append((a.low, b.high, bool(there)))
            if there is None:
                self.undecided.append((a.high, b.low))

    def defined(self, x: Fraction) -> bool:
        """Whether the expression is defined at a number that is no hard place."""
        return any(there and low <= x <= high for low, high, there in self._parts)

    def around(self, place: Place) -> tuple[bool, bool]:
        """Whether it is defined on the left and on the right of a hard place."""
        left = any(there for _, high, there in self._parts if place.low <= high <= place.high)
        right = any(there for low, _, there in self._parts if place.low <= low <= place.high)
        return left, right


def _zeros(q: Quotient, over: Range, outer: _Outer) -> list[Found]:
    """The zeros of the expression and of its first two derivatives."""
    found: list[Found] = []
    for order, polynomial in zip(ORDERS, numerators(q.root, over.name), strict=True):
        if polynomial is not None:
            found.append(Found(real_zeros(polynomial) if polynomial else [], [], []))
        elif order == 0:
            found.append(of.zeros(q.above, over, outer.splits, outer.defined))
        else:
            known = [p._replace(multiplicity=p.multiplicity - 1) for p in found[-1].places if p.multiplicity > 1]
            found.append(of.searched(q, order, over, outer.splits, known, outer.defined))
    return [
        f._replace(
            places=[p for p in f.places if over.holds(p)],
            undecided=[u for u in f.undecided if outer.defined((u[0] + u[1]) / 2)],
        )
        for f in found
    ]  # fmt: skip


def _events(
    q: Quotient, over: Range, outer: _Outer, found: Sequence[Found], ends: Sequence[Fraction]
) -> list[Event]:  # fmt: skip
    """All places, in order. ``ends``: those of undecided intervals, so that no cell is undecided in a part only."""
    places = [(over.left, _RANGE), (over.right, _RANGE), *[(p, _HARD) for p in outer.splits]]
    places += [(Place(end, end), _PLAIN) for end in ends if over.left.low < end < over.right.high]
    places += [(p, k) for k, f in enumerate(found) for p in f.places]
    events = []
    for group in _together(places):
        kinds = {kind for _, kind in group}
        if not kinds & {_HARD, _RANGE} and not outer.defined(group[0][0].low):
            continue
        place = next((p for p, _ in group if p.exact is not None), group[0][0])
        place = place._replace(multiplicity=next((p.multiplicity for p, kind in group if kind == 0), 0))
        if _HARD in kinds:
            does = spot(q, place, outer.around(place))
        elif kinds == {_PLAIN}:
            does = Spot(place, ("smooth",), None, Reach(None), Reach(None), (True, True), 0)
        else:
            does = smooth(q, place)
        events.append(Event(place, does, tuple(sorted(kinds & {*ORDERS}))))
    return events


def _together(places: Sequence[tuple[Place, int]]) -> list[list[tuple[Place, int]]]:
    """Places in order, those that cannot be told apart in one group."""
    groups: list[list[tuple[Place, int]]] = []
    for pair in sorted(places, key=lambda pair: pair[0].low):
        if groups and pair[0].low <= max(p.high for p, _ in groups[-1]):
            groups[-1].append(pair)
        else:
            groups.append([pair])
    return groups
