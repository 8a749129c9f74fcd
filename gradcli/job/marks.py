"""Which points of a job are looked at again: the mask of hard points, and the rows that it marks.

Layer: must not know what is done about them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from gradcli.calculus.hazards import hazards
from gradcli.compute import trust
from gradcli.expr import BOOLEANS, ONE, ZERO, Expr, apply, const

TIE, SINGULAR, ODD = 1.0, 2.0, 4.0
"""Values of the mask, and what is added to them where a result is not finite if the mask looks at the results."""


def hazard_mask(roots: Sequence[Expr], sure: bool = False) -> list[Expr]:
    """The mask of expressions as one more output: 0, `TIE` or `SINGULAR`; none if no point can be hard.

    Unless ``sure`` some points may be marked as singular because vector code leaves an error open there.
    """
    ties, singular = hazards(roots)
    if not ties and not singular:
        return []
    from gradcli.calculus.plain import plain

    tied = [d for d in ties if plain(d)]
    exact = [d for d in singular if plain(d)]
    near = [d for d in (*ties, *singular) if not plain(d)]
    mask = ZERO
    for value, tests in (
        (TIE, [apply("eq", d, ZERO) for d in tied]),
        (SINGULAR, [*[apply("eq", d, ZERO) for d in exact], *trust.zeros(near, sure)]),
    ):
        if tests:
            condition = tests[0]
            for test in tests[1:]:
                condition = apply("or", condition, test)
            mask = apply("where", condition, ONE if value == TIE else const(2), mask)
    return [] if mask is ZERO else [mask]


def guarded_mask(results: Iterable[Expr], mask: Expr) -> Expr:
    """A mask, to which `ODD` is added where a result is not finite.

    In vector code that takes a tenth of the time of looking at the results afterwards.
    """
    sizes = [apply("abs", e) for e in results if e.op not in BOOLEANS]
    if not sizes:
        return mask
    # The sum may overflow though every number is finite: such a row is looked at and left as it is.
    while len(sizes) > 1:
        pairs = [*map(partial(apply, "add"), sizes[:-1:2], sizes[1::2])]
        sizes = [*pairs, sizes[-1]] if len(sizes) % 2 else pairs
    finite = apply("le", sizes[0], const(Fraction(sys.float_info.max)))
    return apply("where", finite, mask, mask + const(Fraction(ODD)))


Lost = list[tuple[int, list[int]]]
"""Columns of results with the rows in which a number has too few right digits."""

Outside = tuple[dict[int, list[int]], list[int]]


class Lists:
    """What is to be settled in columns that are lists."""

    @staticmethod
    def marked(results: Sequence[Any], mask: Any, guarded: bool) -> list[int]:
        """The rows that are marked, or have a result that is not finite."""
        finite = math.isfinite
        rows = set() if mask is None else {n for n, m in enumerate(mask) if m}
        for column in results:
            rows.update([n for n, v in enumerate(column) if not finite(v)])
        return sorted(rows)

    @staticmethod
    def lost(results: Sequence[Any], errors: Sequence[Any], exact: bool) -> Lost:
        flagged, lost = trust.flagged, []
        for k, (column, error) in enumerate(zip(results, errors, strict=True)):
            places = [n for n, v in enumerate(column) if exact or (error[n] and flagged(v, error[n]))]
            if places:
                lost.append((k, places))
        return lost

    @staticmethod
    def split(rows: Sequence[int], mask: Any) -> tuple[list[int], Sequence[int]]:
        """The rows with a hazard, and the others."""
        return [n for n in rows if mask[n]], [n for n in rows if not mask[n]]

    @staticmethod
    def outside(results: Sequence[Any], errors: Sequence[Any], rows: Sequence[int]) -> Outside:
        """Of rows without a hazard those that have numbers which may have left the range, by columns, and others.

        The others are outside the domain: there every number is surely nan. ``errors``: those at ``rows`` alone.
        """
        left, nowhere = {}, []
        for place, n in enumerate(rows):
            columns = [k for k, e in enumerate(errors) if e[place] != 0 and not math.isfinite(results[k][n])]
            if columns:
                left[n] = columns
            elif all(math.isnan(column[n]) for column in results):
                nowhere.append(n)
        return left, nowhere


class Arrays:
    """As `Lists`, of arrays."""

    @staticmethod
    def marked(results: Sequence[Any], mask: Any, guarded: bool) -> list[int]:
        import numpy as np

        marked = None
        with np.errstate(all="ignore"):
            if mask is not None and np.max(mask, initial=0.0):
                marked = mask != 0
            for column in () if guarded else results:
                # The sum of a column is not finite if one of its numbers is not; it takes half the time of a mask.
                if not math.isfinite(np.add.reduce(column)):
                    bad = ~np.isfinite(column)
                    marked = bad if marked is None else marked | bad
        return [] if marked is None else indices(marked)

    @staticmethod
    def lost(results: Sequence[Any], errors: Sequence[Any], exact: bool) -> Lost:
        import numpy as np

        lost = []
        for k, (column, error) in enumerate(zip(results, errors, strict=True)):
            places = indices(np.ones(len(column), bool) if exact else trust.flagged(column, error))
            if places:
                lost.append((k, places))
        return lost

    @staticmethod
    def split(rows: Sequence[int], mask: Any) -> tuple[list[int], Any]:
        import numpy as np

        places = np.asarray(rows, np.intp)
        hazards = mask[places] != 0
        # Those without a hazard may be very many.
        return places[hazards].tolist(), places[~hazards]

    @staticmethod
    def outside(results: Sequence[Any], errors: Sequence[Any], rows: Sequence[int]) -> Outside:
        import numpy as np

        places = np.asarray(rows, np.intp)
        numbers = np.array([column[places] for column in results])
        left = (np.array(errors) != 0) & ~np.isfinite(numbers)
        some = left.any(axis=0)
        nowhere = places[~some & np.isnan(numbers).all(axis=0)]
        return {int(places[p]): indices(left[:, p]) for p in indices(some)}, nowhere.tolist()


def indices(marked: Any) -> list[int]:
    import numpy as np

    places: list[int] = np.flatnonzero(marked).tolist()
    return places
