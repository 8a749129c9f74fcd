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


def marked_lists(
    results: Sequence[Any], mask: Any, errors: Sequence[Any] | None, exact: bool
) -> tuple[list[int], Lost]:
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


def marked_arrays(
    results: Sequence[Any], mask: Any, errors: Sequence[Any] | None, exact: bool
) -> tuple[list[int], Lost]:
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
    return indices(marked), lost


def indices(marked: Any) -> list[int]:
    import numpy as np

    places: list[int] = np.flatnonzero(marked).tolist()
    return places


def points(names: Sequence[str], outs: Sequence[Any], rows: Sequence[int], arrays: bool) -> Grid:
    """The points of some rows of a block, whose first columns are those of ``names``."""
    columns = [[float(column[n]) for n in rows] for column in outs[: len(names)]]
    if not names:
        return Grid([])
    if arrays:
        import numpy as np

        return Grid([Axis(names, [Held(np.array(column)) for column in columns])])
    return Grid([Axis(names, [Values(column) for column in columns])])
