"""Covariance matrices of inputs, as fits and calibrations give them (JCGM 100:2008, 5.2.2), and their checks.

Layer: must not know what the estimates are used for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from typing import BinaryIO

from gradcli.errors import GradError
from gradcli.formats import PLAIN, Dialect, open_table
from gradcli.formats.columns import Unnamed
from gradcli.formats.input import STDIN, opened
from gradcli.uncertainty.matrices import LARGEST, ROUNDED, factor
from gradcli.uncertainty.request import Estimates

TOLERANCE = 1e-12
"""How far a matrix may be from symmetric and positive semidefinite, as a fraction of the product of both deviations."""


def covariance(names: Sequence[str], matrix: Sequence[Sequence[float]], where: str) -> Estimates:
    """Return standard uncertainties and correlations of inputs with a covariance matrix, in products of their units.

    Raises GradError, which begins with ``where`` and names the inputs at fault, unless the matrix is square, finite,
    symmetric and positive semidefinite, and every |correlation| <= 1, to 1e-12.

    >>> covariance(["a", "b"], [[4.0, 1.0], [1.0, 1.0]], "fit").r
    [[1.0, 0.5], [0.5, 1.0]]
    """
    _check_shape(names, matrix, where)
    for name, k in zip(names, range(len(names)), strict=True):
        if matrix[k][k] < 0:
            raise GradError(f"{where}: the variance of '{name}' is {matrix[k][k]!r}, which is negative")
    u = [math.sqrt(matrix[k][k]) for k in range(len(names))]
    r = [[1.0 if i == j else _correlation(names, matrix, u, i, j, where) for j in range(len(u))] for i in range(len(u))]
    pair = factor(r, TOLERANCE)
    if isinstance(pair, tuple):
        a, b = sorted(pair)
        raise GradError(
            f"{where}: the matrix is not positive semidefinite: the covariance of '{names[a]}' and '{names[b]}' "
            "contradicts the others", hint="check the signs, and that the file has enough digits",
        )  # fmt: skip
    return Estimates("--cov", where, list(names), [], u, r, 0)


def _check_shape(names: Sequence[str], matrix: Sequence[Sequence[float]], where: str) -> None:
    if len(names) > LARGEST:
        raise GradError(f"{where}: {len(names)} inputs are beyond the limit of {LARGEST}")
    _check_twice(names, where)
    if len(matrix) != len(names) or any(len(row) != len(names) for row in matrix):
        raise GradError(f"{where}: the matrix is not square: {len(matrix)} rows for {len(names)} names")
    for a, row in zip(names, matrix, strict=True):
        for b, value in zip(names, row, strict=True):
            if not math.isfinite(value):
                raise GradError(f"{where}: the covariance of '{a}' and '{b}' is {value}")


def _correlation(
    names: Sequence[str], matrix: Sequence[Sequence[float]], u: Sequence[float], i: int, j: int, where: str
) -> float:
    """The correlation of two inputs, the same for both orders. Raises GradError if it is none."""
    pair = f"'{names[i]}' and '{names[j]}'"
    i, j = sorted((i, j))
    left, right = matrix[i][j], matrix[j][i]
    if not u[i] or not u[j]:
        if left or right:
            raise GradError(f"{where}: the covariance of {pair} is not 0, and one of them has no variance")
        return 0.0
    # One division after the other, since the product of deviations may underflow.
    r = left / u[i] / u[j]
    if not abs(r - right / u[i] / u[j]) <= TOLERANCE:
        raise GradError(f"{where}: the matrix is not symmetric: {pair} have {left!r} and {right!r}")
    if not abs(r) <= 1 + TOLERANCE:
        raise GradError(f"{where}: the correlation of {pair} is {r:.6g}, and it lies between -1 and 1")
    return r if 1 - abs(r) >= ROUNDED else math.copysign(1.0, r)


def read_covariance(
    path: str, *, format: str | None = None, dialect: Dialect = PLAIN, stdin: BinaryIO | None = None
) -> Estimates:  # fmt: skip
    """Return the estimates of a file with a covariance matrix: names in its header and in its first column.

    Rows and columns may stand in different orders. ``stdin``: the stream for the path ``-``. Raises GradError if the
    file cannot be read, and as `covariance` does.
    """
    with closing(opened(path)) if path != "-" or stdin is None else closing(stdin) as stream:
        table = open_table(path, stream, format=format, dialect=dialect)
        where = f"--cov {STDIN if path == '-' else path}"
        first, names = table.names[0], list(table.names[1:])
        form = "names in the header, and in the first column those of the rows"
        if not names or len(names) > LARGEST or any(isinstance(name, Unnamed) for name in names):
            raise GradError(f"{where}: this is no matrix of at most {LARGEST} names", hint=f"it has {form}")
        _check_twice(names, where)
        rows: dict[str, list[float]] = {}
        for chunk in table.chunks(names, [first]):
            numbers = [column.tolist() for column in chunk.columns]
            for k, cell in enumerate(chunk.kept[0].cells):
                name = (cell or b"").decode(errors="replace").strip()
                if name not in names:
                    raise GradError(f"{where}: row {chunk.start + k + 1} is that of '{name}', which is no column",
                                    hint=f"it has {form}")  # fmt: skip
                if name in rows:
                    raise GradError(f"{where}: '{name}' has two rows")
                rows[name] = [column[k] for column in numbers]
    lacking = next((name for name in names if name not in rows), None)
    if lacking is not None:
        raise GradError(f"{where}: '{lacking}' has a column and no row", hint=f"it has {form}")
    return covariance(names, [rows[name] for name in names], where)


def _check_twice(names: Sequence[str], where: str) -> None:
    twice = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if twice is not None:
        raise GradError(f"{where}: '{twice}' is there twice")
