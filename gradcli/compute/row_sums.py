"""Exact sums over rows of points, whose boundaries need not be those of blocks; the block size changes no bit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from gradcli.compute.exact_sum import PLACES, Exact, exact_sum, in_units, quotient
from gradcli.compute.execute import Block

_SHORT = 4096
"""Maximum length of a row that is summed as a list of floats."""


def row_sums(blocks: Iterable[Block], same: int, length: int, times: int) -> Iterator[Block]:
    """Reduce each row of ``length`` points to a point; yield the columns of these points in blocks.

    The first ``same`` columns are constant along a row and keep their first value. Of the other columns the values are
    summed, each counted ``times`` times, and the sum is rounded once.
    """
    partial: list[Any] = []
    filled = 0
    for block in blocks:
        array = not isinstance(block[0], list)
        points, at = len(block[0]), 0
        rows: list[list[float]] = [[] for _ in block]
        while at < points:
            whole = (points - at) // length if not filled else 0
            if whole:
                part = [column[at : at + whole * length] for column in block]
                for k, column in enumerate(part):
                    rows[k] += map(float, column[::length]) if k < same else _sums(column, length, times)
                at += whole * length
                continue
            take = min(length - filled, points - at)
            part = [column[at : at + take] for column in block]
            if not filled:
                partial = [float(column[0]) if k < same else Exact(0) for k, column in enumerate(part)]
            for k in range(same, len(block)):
                partial[k] = partial[k].plus(exact_sum(part[k]))
            filled, at = filled + take, at + take
            if filled == length:
                for k, entry in enumerate(partial):
                    rows[k].append(entry if k < same else entry.rounded(times))
                filled = 0
        if rows[0] and array:
            import numpy as np

            yield [np.array(row) for row in rows]
        elif rows[0]:
            yield rows


def _sums(column: Any, length: int, times: int) -> list[float]:
    starts = range(0, len(column), length)
    if length > _SHORT:
        return [exact_sum(column[k : k + length]).rounded(times) for k in starts]
    values: list[float] = column if isinstance(column, list) else column.tolist()
    return [_sum(values[k : k + length], times) for k in starts]


def _sum(values: list[float], times: int) -> float:
    try:
        # math.fsum is correctly rounded too, and faster; adding 0.0 turns -0.0 into 0.0.
        if times == 1:
            return math.fsum(values) + 0.0
        if len(values) == 1 and times < 2**53:
            return values[0] * times + 0.0
        units, rest = 0, list(values)
        while part := math.fsum(rest):
            units += in_units(part)
            rest.append(-part)
        return quotient(units * times, 1 << PLACES)
    except (OverflowError, ValueError):
        return exact_sum(values).rounded(times)
