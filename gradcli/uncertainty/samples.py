"""Repeated readings: a table with a row for each, and the estimates that follow from it (JCGM 100:2008, 4.2, 5.2.3).

Layer: must not know what the estimates are used for.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from typing import Any, BinaryIO

import numpy as np

from gradcli.errors import GradError, meant
from gradcli.expr import spell_name
from gradcli.formats import PLAIN, Dialect, open_table
from gradcli.formats.input import STDIN, column_indices, opened
from gradcli.language import Parsed
from gradcli.uncertainty.matrices import LARGEST, ROUNDED
from gradcli.uncertainty.request import Estimates

Array = np.ndarray[Any, np.dtype[np.float64]]


def estimates(names: Sequence[str], blocks: Iterable[Sequence[Array]], where: str) -> Estimates:
    """Return means, their standard uncertainties and correlations, from readings taken together.

    ``blocks``: consecutive readings, an array of equal length for each name, in its unit. The standard uncertainty is
    s/sqrt(n), with s the standard deviation with n - 1 in its denominator (JCGM 100, 4.2.3), and means are correlated
    as their readings are (5.2.3, formula 17, and H.2). Quantities that do not vary are uncorrelated. Memory is that of
    a block. Raises GradError, which begins with ``where``, for fewer than 2 readings and for one that is not finite.

    >>> result = estimates(["V"], [[np.array([5.0, 5.2, 5.1])]], "readings")
    >>> result.values, [round(u, 4) for u in result.u], result.readings
    ([5.1], [0.0577], 3)
    """
    sums: _Sums | None = None
    for block in blocks:
        rows = np.array(block, dtype=np.float64)
        for name, row in zip(names, rows, strict=True):
            if not np.isfinite(row).all():
                k = int(np.flatnonzero(~np.isfinite(row))[0]) + (sums.count if sums else 0)
                raise GradError(
                    f"{where}: reading {k + 1} of '{name}' is {float(row[k - (sums.count if sums else 0)])}"
                )
        if rows.size:
            sums = sums or _Sums(rows)
            sums.add(rows)
    count = sums.count if sums else 0
    if sums is None or count < 2:
        told = "1 reading" if count else "no readings"
        raise GradError(f"{where}: {told}, and a standard uncertainty takes at least 2", hint="each row is a reading")
    return sums.estimates(names, where)


class _Sums:
    """Means and sums of products of deviations, kept block by block.

    Two runs are joined by the formula of Chan, Golub and LeVeque (1983), which cancels no digits. Columns are shifted
    by their first reading and scaled by a power of two, so that no square overflows.
    """

    def __init__(self, rows: Array) -> None:
        self.shift = rows[:, :1].copy()
        largest = np.abs(rows).max(axis=1, keepdims=True)
        self.tens = np.frexp(np.where(largest > 0, largest, 1.0))[1]
        self.count, self.mean = 0, np.zeros(len(rows))
        self.products = np.zeros((len(rows), len(rows)))

    def add(self, rows: Array) -> None:
        scaled = np.ldexp(rows, -self.tens) - np.ldexp(self.shift, -self.tens)
        n = scaled.shape[1]
        # Sums of floats by fsum are exact where readings are few, as those of people are.
        mean = np.array([math.fsum(row) / n for row in scaled.tolist()]) if n <= 1000 else scaled.mean(axis=1)
        centred = scaled - mean[:, None]
        step, total = mean - self.mean, self.count + n
        self.products += centred @ centred.T + np.outer(step, step) * (self.count * n / total)
        self.mean += step * (n / total)
        self.count = total

    def estimates(self, names: Sequence[str], where: str) -> Estimates:
        n, spread = self.count, np.sqrt(np.diag(self.products))
        tens = self.tens[:, 0]
        u = np.ldexp(spread / math.sqrt(n - 1) / math.sqrt(n), tens)
        values = np.ldexp(np.ldexp(self.shift, -self.tens)[:, 0] + self.mean, tens)
        divisor = np.where(spread > 0, spread, 1.0)
        r = self.products / divisor[:, None] / divisor
        # Readings in proportion are 1 but for rounding, whose root would be the uncertainty of their difference.
        r = np.where(1 - np.abs(r) < ROUNDED, np.sign(r), r)
        np.fill_diagonal(r, 1.0)
        return Estimates("--samples", where, list(names), values.tolist(), u.tolist(), r.tolist(), n)


def read_samples(
    path: str, expressions: Sequence[Parsed], *, format: str | None = None, dialect: Dialect = PLAIN,
    constants: Collection[str] = (), stdin: BinaryIO | None = None,
) -> Estimates:  # fmt: skip
    """Return the estimates of the variables of expressions that are columns of a file of readings.

    Other columns are not read. ``expressions`` were parsed with ``columns``. ``constants``: names that remain constants
    though columns have them. ``stdin``: the stream for the path ``-``.

    Raises GradError if the file cannot be read, holds no variable, or has a cell without a number.
    """
    with closing(opened(path)) if path != "-" or stdin is None else closing(stdin) as stream:
        table = open_table(path, stream, format=format, dialect=dialect)
        where, columns = STDIN if path == "-" else path, set(table.names)
        for parsed in expressions:
            parsed.check_columns(where, columns, constants)
        variables = dict.fromkeys(name for parsed in expressions for name in parsed.variables)
        names = [name for name in variables if name in columns]
        if not names:
            first = next(iter(variables), "x")
            hint = table.hint(first) or meant(first, table.names, "its columns are", spell_name)
            raise GradError(f"--samples: no variable of the expression is a column of {where}", hint=hint)
        if len(names) > LARGEST:
            raise GradError(f"--samples: {len(names)} quantities are beyond the limit of {LARGEST}")
        column_indices(where, table.names, names)
        return estimates(names, (chunk.columns for chunk in table.chunks(names, [])), where)
