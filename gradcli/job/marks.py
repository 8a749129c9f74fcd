"""The marks of a block: its rows that are looked at, and the numbers in it that have too few right digits.

Layer: must not know what is done about them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradcli.compute import trust
from gradcli.compute.grid import Axis, Grid, Held, Values

Lost = list[tuple[int, list[int]]]
"""Columns of results with the rows in which a number has too few right digits."""


def marked_lists(results: Sequence[Any], mask: Any, errors: Sequence[Any] | None, exact: bool) -> tuple[Any, Lost]:
    finite, flagged = math.isfinite, trust.flagged
    rows = set() if mask is None else {n for n, m in enumerate(mask) if m}
    lost = []
    for k, column in enumerate(results):
        rows.update([n for n, v in enumerate(column) if not finite(v)])
        if errors is not None:
            error = errors[k]
            places = [n for n, v in enumerate(column) if exact or (error[n] and flagged(v, error[n]))]
            if places:
                lost.append((k, places))
    return sorted(rows), lost


def marked_arrays(results: Sequence[Any], mask: Any, errors: Sequence[Any] | None, exact: bool) -> tuple[Any, Lost]:
    import numpy as np

    with np.errstate(all="ignore"):
        total = results[0].copy()
        for column in results[1:]:
            total += column
        # The sum may overflow though every number is finite: such a row is looked at and left as it is.
        marked = ~np.isfinite(total)
        if mask is not None:
            marked |= mask != 0
        lost = []
        for k, column in enumerate(results if errors is not None else ()):
            assert errors is not None
            bad = np.ones(len(column), bool) if exact else trust.flagged(column, errors[k])
            if places := indices(bad):
                lost.append((k, places))
    return np.flatnonzero(marked), lost


def indices(marked: Any) -> list[int]:
    import numpy as np

    places: list[int] = np.flatnonzero(marked).tolist()
    return places


def at(columns: Sequence[Any], rows: Any) -> list[list[float]]:
    """The numbers of columns at some rows, which are a list, or an array if the columns are."""
    if isinstance(rows, list):
        return [[column[n] for n in rows] for column in columns]
    return [column[rows].tolist() for column in columns]


def split(rows: Any, mask: Any, *marks: float) -> tuple[Any, Any]:
    """The rows whose mask is one of ``marks``, and the others."""
    if mask is None:
        return rows[:0], rows
    if isinstance(rows, list):
        return [n for n in rows if mask[n] in marks], [n for n in rows if mask[n] not in marks]
    import numpy as np

    chosen = np.isin(mask[rows], marks)
    return rows[chosen], rows[~chosen]


def without(rows: Any, others: Any) -> Any:
    """The rows that are not among others."""
    if isinstance(rows, list):
        known = {*others}
        return [n for n in rows if n not in known]
    import numpy as np

    return rows[~np.isin(rows, others)]


def points(names: Sequence[str], outs: Sequence[Any], rows: Any) -> Grid:
    """The points of some rows of a block, whose first columns are those of ``names``."""
    columns = outs[: len(names)]
    if not names:
        return Grid([])
    if isinstance(rows, list):
        return Grid([Axis(names, [Values(column) for column in at(columns, rows)])])
    return Grid([Axis(names, [Held(column[rows]) for column in columns])])


def not_finite(columns: Sequence[Any], errors: Sequence[Any], rows: Any) -> tuple[dict[int, list[int]], Any]:
    """Of some rows, with the errors there: those with numbers that may have left the range, and others.

    The first are told by their columns. The others are those at which the number of every column is surely nan.
    """
    if isinstance(rows, list):
        open_rows: dict[int, list[int]] = {}
        nowhere = []
        for place, n in enumerate(rows):
            found = [k for k, e in enumerate(errors) if e[place] != 0 and not math.isfinite(columns[k][n])]
            if found:
                open_rows[n] = found
            elif all(math.isnan(column[n]) for column in columns):
                nowhere.append(n)
        return open_rows, nowhere
    import numpy as np

    here = np.array([column[rows] for column in columns])
    left = (np.array(errors) != 0) & ~np.isfinite(here)
    places = np.flatnonzero(left.any(axis=0))
    return (
        {int(rows[p]): np.flatnonzero(left[:, p]).tolist() for p in places},
        rows[~left.any(axis=0) & np.isnan(here).all(axis=0)],
    )
