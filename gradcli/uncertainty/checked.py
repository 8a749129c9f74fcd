"""What is looked at in every block of results with uncertainties, as they are computed.

Layer: must not know how numbers are computed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.job.request import Rows
from gradcli.job.result import Computed
from gradcli.uncertainty.flags import NOT_LINEAR, not_linear
from gradcli.uncertainty.inputs import Uncertain
from gradcli.uncertainty.matrices import groups


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
        known = {**uncertain.given.corr, **{pair: names.index(name) for pair, name in uncertain.r.items()}}
        self.matrices = [
            (group, {pair: r for pair, r in known.items() if {*pair} <= {*group}})
            for group in groups(uncertain.u, known)
            if len(group) > 2 and any({*pair} <= {*group} for pair in uncertain.r)
        ]
        self.linear = [k for k, name in enumerate(names) if name in linear]
        self.inner, self.note = getattr(result, "inner", 1), result.note
        self.bent = self.points = 0

    def __call__(self, first: int, block: Sequence[Any]) -> None:
        for k, name, low in self.bounds:
            place = _wrong(block[k], low, nan=self.rows is not None and self.rows.dialect.na == "nan")
            if place is None:
                continue
            where = self._where(first + place)
            value = float(block[k][place])
            what = "an uncertainty is a number, 0 or more" if low == 0 else "a correlation lies between -1 and 1"
            raise GradError(f"{where}: {name} is {value!r}, and {what}")
        for group, known in self.matrices:
            place = contradiction(group, {pair: block[r] if isinstance(r, int) else r for pair, r in known.items()})
            if place is not None:
                raise GradError(f"{self._where(first + place)}: {contradict(group)}")
        for k in self.linear:
            self._count(block[k])

    def _where(self, point: int) -> str:
        return f"point {point + 1}" if self.rows is None else f"row {point // self.inner + 1}"

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


def contradict(names: Sequence[str]) -> str:
    """Return the message about inputs whose correlation matrix is none."""
    told = ", ".join(map(spell_name, names[:6])) + (" ..." if len(names) > 6 else "")
    return f"the correlations of {told} contradict each other: their matrix is not positive semidefinite"


def contradiction(names: Sequence[str], r: Mapping[tuple[str, str], Any]) -> int | None:
    """Return the first row whose correlation matrix is not positive semidefinite, to 1e-12; nan says nothing.

    ``r``: numbers, or columns of them, by pairs of names; pairs that are missing are uncorrelated. Steps and tolerance
    are those of `matrices.factor`, of all rows at once.
    """
    import numpy as np

    tolerance, small = 1e-12, 1e-6
    lower: list[list[Any]] = []
    bad: Any = False
    for i, a in enumerate(names):
        row: list[Any] = []
        left: Any = 1.0
        for j, b in enumerate(names[:i]):
            rest = np.asarray(r.get((a, b), r.get((b, a), 0.0)), dtype=float)
            for known, other in zip(row, lower[j], strict=False):
                rest = rest - known * other
            flat = lower[j][j] <= small
            bad = bad | (flat & (np.abs(rest) > small))
            row.append(np.where(flat, 0.0, rest / np.where(flat, 1.0, lower[j][j])))
            left = left - row[-1] * row[-1]
        bad = bad | (left < -tolerance)
        row.append(np.sqrt(np.where(left > tolerance, left, 0.0)))
        lower.append(row)
    places = np.flatnonzero(bad)
    return int(places[0]) if len(places) else None


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
