"""Points of data: columns of a file with their bars, thinned to what a picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcli.errors import GradError
from gradcli.formats import open_table
from gradcli.formats.input import STDIN, column_indices
from gradcli.job.input_paths import matching
from gradcli.limits import memory
from gradcli.plot.picture import Measured

if TYPE_CHECKING:
    from gradcli.compute.backends.intervals import Array
    from gradcli.plot.frame import Frame
    from gradcli.plot.request import Data

_MOST = 12_000
"""Points that are drawn, at most: beyond, those of larger squares are one."""
_NUMBER = 40
"""Memory of a number in bytes while columns are joined, sorted and thinned."""


class Columns(NamedTuple):
    """The columns of an output: abscissas, values and the half widths of their bars, None without."""

    x: Array
    y: Array
    ux: Array | None
    uy: Array | None

    def extent(self, left: float, right: float) -> tuple[float, float] | None:
        """The least and the greatest value, bars included, of the points between two abscissas; None without any."""
        with np.errstate(all="ignore"):
            inside = (self.x >= left) & (self.x <= right) & np.isfinite(self.y)
        if not inside.any():
            return None
        y = self.y[inside]
        low, high = y.min(), y.max()
        if self.uy is not None:
            u = np.abs(self.uy[inside])
            u = np.where(np.isfinite(u), u, 0.0)
            with np.errstate(all="ignore"):
                low, high = (y - u).min(), (y + u).max()
        return (float(low), float(high)) if np.isfinite(low) and np.isfinite(high) else (float(y.min()), float(y.max()))

    def thinned(self, frame: Frame) -> Measured:
        """The points within a frame, one a pixel, the one with the longest bar; of very many one a larger square."""
        with np.errstate(all="ignore"):
            inside = (self.x >= frame.left) & (self.x <= frame.right)
            inside &= (self.y >= frame.bottom) & (self.y <= frame.top)
        some = np.flatnonzero(inside)
        count = len(some)
        if self.uy is not None and count > _MOST:
            some = some[np.argsort(-np.nan_to_num(np.abs(self.uy[some])), kind="stable")]
        size = 1
        while True:
            across = np.floor((self.x[some] - frame.left) * (frame.across / size)).astype(np.int64)
            up = np.floor((self.y[some] - frame.bottom) * (frame.up / size)).astype(np.int64)
            _, first = np.unique(up * (frame.width + 1) + across, return_index=True)
            some = some[np.sort(first)]
            if len(some) <= _MOST:
                break
            size += 1
        none = np.full(len(some), np.nan)
        ux, uy = (none if u is None else np.abs(u[some]) for u in (self.ux, self.uy))
        return Measured(self.x[some], self.y[some], ux, uy, count)


def read(data: Data, variable: str, outputs: Sequence[str], notes: list[str]) -> dict[str, Columns]:
    """The columns of files by output, of those outputs that have a column.

    Columns are found by name: the variable's, the output's, and ``u_`` with either for bars. Raises GradError if the
    variable or every output has none.
    """
    parts: dict[str, list[Array]] = {}
    held = 0
    wanted: list[str] = []
    for path in [path for pattern in data.paths for path in matching(pattern)]:
        stream = data.stdin if path == "-" else None
        table = open_table(path, stream, format=data.format, max_bytes=data.max_bytes, dialect=data.dialect)
        known = set(table.names)
        if not wanted:
            some = [name for name in outputs if name in known]
            wanted = [variable, *some] if some else [variable, outputs[0]]
            wanted += [f"u_{name}" for name in (variable, *some) if f"u_{name}" in known]
        try:
            column_indices(STDIN if path == "-" else path, table.names, wanted)
        except GradError as error:
            absent = next((name for name in wanted if name not in known), None)
            if absent == outputs[0] and not error.hint:
                error.hint = (
                    f'name the output as its column: "{next((n for n in table.names if n != variable), "y")} = ..."'
                )
            raise
        for chunk in table.chunks(wanted, ()):
            held += len(chunk.columns[0]) * len(wanted) * _NUMBER
            memory.check(held, "all points of --data are held at once", "give fewer rows")
            for name, column in zip(wanted, chunk.columns, strict=True):
                parts.setdefault(name, []).append(column)
        notes += table.notes
    if not parts:
        raise GradError("--data: there are no rows")
    whole = {name: np.concatenate(columns) for name, columns in parts.items()}
    x = whole[variable]
    return {
        name: Columns(x, whole[name], whole.get(f"u_{variable}"), whole.get(f"u_{name}"))
        for name in outputs
        if name in whole
    }


def logarithmic(columns: Columns, log: str) -> Columns:
    """Columns in the units of logarithmic axes; bars there are as long as to the upper end."""
    x, y, ux, uy = columns
    with np.errstate(all="ignore"):
        if "x" in log:
            ux = None if ux is None else np.log10(x + ux) - np.log10(x)
            x = np.log10(x)
        if "y" in log:
            uy = None if uy is None else np.log10(y + uy) - np.log10(y)
            y = np.log10(y)
    return Columns(x, y, ux, uy)
