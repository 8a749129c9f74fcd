"""What is looked at in every block of results with uncertainties, as they are computed.

Layer: must not know how numbers are computed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

from gradcli.errors import GradError
from gradcli.job.request import Rows
from gradcli.job.result import Computed
from gradcli.uncertainty.flags import NOT_LINEAR, not_linear
from gradcli.uncertainty.inputs import Uncertain


class Checked:
    """A look at every block: uncertainties that are none are errors, results that are not linear enough are counted.

    ``linear``: the names of the columns of quotients of both orders. It is called with the index of a block's first
    point and its columns, without those kept. ``bent``: how many results are not linear enough so far.
    """

    def __init__(self, result: Computed, uncertain: Uncertain, linear: Collection[str], rows: Rows | None) -> None:
        names = result.names[len(result.kept) :]
        self.rows, self.result = rows, result
        bounds = dict.fromkeys([*uncertain.u.values(), *[s for pair in uncertain.sides.values() for s in pair]], 0.0)
        bounds |= dict.fromkeys(uncertain.r.values(), -1.0)
        self.bounds = [(names.index(name), name, low) for name, low in bounds.items()]
        self.linear = [k for k, name in enumerate(names) if name in linear]
        self.inner, self.note = getattr(result, "inner", 1), result.note
        self.bent = self.points = 0

    def __call__(self, first: int, block: Sequence[Any]) -> None:
        for k, name, low in self.bounds:
            place = _wrong(block[k], low, nan=self.rows is not None and self.rows.dialect.na == "nan")
            if place is None:
                continue
            where = f"point {first + place + 1}" if self.rows is None else f"row {(first + place) // self.inner + 1}"
            value = float(block[k][place])
            what = "an uncertainty is a number, 0 or more" if low == 0 else "a correlation lies between -1 and 1"
            raise GradError(f"{where}: {name} is {value!r}, and {what}")
        for k in self.linear:
            self._count(block[k])

    def _count(self, column: Any) -> None:
        """Count the numbers of a column of quotients that tell that first order is not enough."""
        self.points += len(column)
        if isinstance(column, list):
            self.bent += sum(map(not_linear, column))
        else:
            self.bent += len(column) - int((abs(column - 1) <= NOT_LINEAR).sum())
        if self.bent:
            told = f"{self.bent:,} of {self.points:,} results are not linear enough: first and second order differ by "
            told += f"more than {100 * NOT_LINEAR:g} %"
            self.result.note = f"{self.note}; {told}" if self.note else told


def _wrong(column: Any, low: float, *, nan: bool) -> int | None:
    """The place of the first number of a column that is below ``low``, above 1 if that is -1, or nan unless allowed."""
    high = 1.0 if low else math.inf

    def bad(v: float) -> bool:
        return not low <= v <= high and not (nan and v != v)

    if isinstance(column, list):
        return next((k for k, v in enumerate(column) if bad(v)), None)
    import numpy as np

    least = np.fmin.reduce(column) if nan else column.min()
    if least >= low and (not low or (np.fmax.reduce(column) if nan else column.max()) <= high):
        return None
    wrong = ~((column >= low) & (column <= high))
    if nan:
        wrong &= column == column
    places = np.flatnonzero(wrong)
    return int(places[0]) if len(places) else None
