"""Sums along rows of points, met in blocks that need not end where a row does. The same bits whatever the blocks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gradcli.compute.exact_sum import PLACES, Exact, exact_sum, in_units, quotient
from gradcli.compute.execute import Block

_SHORT = 4096
"""Length of a row up to which it is summed as a list."""


def row_sums(blocks: Iterable[Block], same: int, length: int, times: int) -> Iterator[Block]:
    """For each row of ``length`` points: of the first ``same`` columns its first value, of the others their sum.

    Every value counts ``times`` times; the sums are rounded once.
    """
    begun: list[Any] = []
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
                    rows[k] += _firsts(column, length) if k < same else _sums(column, length, times)
                at += whole * length
                continue
            take = min(length - filled, points - at)
            part = [column[at : at + take] for column in block]
            if not filled:
                begun = [float(column[0]) if k < same else Exact(0) for k, column in enumerate(part)]
            for k in range(same, len(block)):
                begun[k] = begun[k].plus(exact_sum(part[k]))
            filled, at = filled + take, at + take
            if filled == length:
                for k, one in enumerate(begun):
                    rows[k].append(one if k < same else one.rounded(times))
                filled = 0
        if rows[0]:
            yield _columns(rows, array)


def _firsts(column: Any, length: int) -> list[float]:
    return [float(v) for v in column[::length]]


def _sums(column: Any, length: int, times: int) -> list[float]:
    starts = range(0, len(column), length)
    if length > _SHORT:
        return [exact_sum(column[k : k + length]).rounded(times) for k in starts]
    values: list[float] = column if isinstance(column, list) else column.tolist()
    return [_sum(values[k : k + length], times) for k in starts]


def _sum(values: list[float], times: int) -> float:
    try:
        # Exact as well, and faster; 0.0 makes one zero of two.
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


def _columns(columns: Sequence[list[float]], array: bool) -> Block:
    if not array:
        return list(columns)
    import numpy as np

    return [np.array(column) for column in columns]
