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
from gradcli.truth.spots import Spot, smooth, spot
from gradcli.truth.zeros import Found, Range

ORDERS = (0, 1, 2)


class Event(NamedTuple):
    """A place at which something changes. ``zero_of``: the orders of the derivatives that are 0 there.

    ``spot``: what the expression does there; None of an interval that is ``undecided`` for these orders of derivatives,
    -1 where it may not even be defined.
    """

    place: Place
    spot: Spot | None
    zero_of: tuple[int, ...] = ()
    undecided: tuple[int, ...] = ()


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
    undecided: list[tuple[Interval, tuple[int, ...]]]


def axis(root: Expr, over: Range) -> Axis:
    """The axis of an expression of one variable, without ``diff`` inside, over a range."""
    hard = of.hazard_places(root, over)
    q = Quotient(root, over.name)
    outer = _Outer(q, over, hard.places)
    found = _zeros(q, over, outer)
    undecided: list[tuple[Interval, tuple[int, ...]]] = [(u, (-1, *ORDERS)) for u in hard.undecided]
    undecided += [(u, (k,)) for k, f in enumerate(found) for u in f.undecided]
    events = _events(q, over, outer, found, undecided)
    cells = []
    for left, right in pairwise(events):
        low, high = left.place.high, right.place.low
        at = of.inner(low, high)
        known = low < high and outer.defined(at)
        cells.append(Cell(known, tuple([q.sign(at, k) if known else None for k in ORDERS])))
    return Axis(events, cells, undecided)


class _Outer:
    """The parts of a range between hard places, and in which of them the expression is defined."""

    def __init__(self, q: Quotient, over: Range, splits: list[Place]) -> None:
        self.splits = splits
        self._parts = [
            (a.low, b.high, a.high < b.low and q.defined(of.inner(a.high, b.low))) for a, b in of.parts(over, splits)
        ]

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
    q: Quotient, over: Range, outer: _Outer, found: Sequence[Found],
    undecided: Sequence[tuple[Interval, tuple[int, ...]]],
) -> list[Event]:  # fmt: skip
    hard = [(p, -1) for p in outer.splits]
    places = [(over.left, 3), (over.right, 3), *hard, *[(p, k) for k, f in enumerate(found) for p in f.places]]
    events = []
    for group in _together(places):
        kinds = {kind for _, kind in group}
        if kinds <= {*ORDERS} and not outer.defined(group[0][0].low):
            continue
        place = next((p for p, _ in group if p.exact is not None), group[0][0])
        place = place._replace(multiplicity=next((p.multiplicity for p, kind in group if kind == 0), 0))
        does = spot(q, place, outer.around(place)) if -1 in kinds else smooth(q, place)
        events.append(Event(place, does, tuple(sorted(kinds & {*ORDERS}))))
    for part, orders in _joined(undecided):
        if any(part.meets(e.place) for e in events):
            events = [e._replace(undecided=orders) if e.place.meets(part) else e for e in events]
        else:
            events.append(Event(part, None, (), orders))
    return sorted(events, key=lambda e: (e.place.low, e.place.high))


def _together(places: Sequence[tuple[Place, int]]) -> list[list[tuple[Place, int]]]:
    """Places in order, those that cannot be told apart in one group."""
    groups: list[list[tuple[Place, int]]] = []
    for pair in sorted(places, key=lambda pair: pair[0].low):
        if groups and pair[0].low <= max(p.high for p, _ in groups[-1]):
            groups[-1].append(pair)
        else:
            groups.append([pair])
    return groups


def _joined(undecided: Sequence[tuple[Interval, tuple[int, ...]]]) -> list[tuple[Place, tuple[int, ...]]]:
    """Intervals that have a number in common as one, with all their orders."""
    made: list[tuple[Place, tuple[int, ...]]] = []
    for (low, high), orders in sorted(undecided):
        if made and low <= made[-1][0].high:
            last, before = made.pop()
            low, high, orders = last.low, max(high, last.high), tuple(sorted({*before, *orders}))
        made.append((Place(low, high, None, 0, False), orders))
    return made
