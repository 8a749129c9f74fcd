"""Joined axes, and the sums of their rows, rounded once."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from gradcli.compute.grid import Axis, Index, Linear, Values, joined
from gradcli.compute.row_sums import row_sums


def test_joined_axes() -> None:
    axes = [Axis(["a", "b"], [Values([1, 2, 3]), Index(3)]), Axis(["c"], [Linear(0, 1, 5)]), Axis(["d"], [Index(2)])]
    one = joined(axes)
    wanted = [list(column) for column in zip(*[
        (a + 1.0, float(a), c / 4, float(d)) for a in range(3) for c in range(5) for d in range(2)
    ], strict=True)]  # fmt: skip
    assert (one.names, one.length) == (("a", "b", "c", "d"), 30)
    for lo, hi in itertools.combinations(range(0, 31, 3), 2):
        for column, values in zip(one.columns, wanted, strict=True):
            assert column.floats(lo, hi) == values[lo:hi] == column.array(lo, hi).tolist()


@pytest.mark.parametrize("length", [1, 4, 5000])
def test_sums_of_rows(length: int) -> None:
    draw = np.random.default_rng(4)
    numbers = draw.normal(size=3 * length) * np.exp(draw.normal(size=3 * length) * 20)
    numbers[length] = 1e308
    if length > 1:
        numbers[length + 1] = 1e308
    wanted = [2 * math.fsum(numbers[:length]), math.inf, 2 * math.fsum(numbers[2 * length :])]
    same = np.repeat([1.0, 2.0, 3.0], length)
    for step in (1, 7, 4096, 3 * length):
        for kind in (list, np.array):
            blocks = [
                [kind(same[k : k + step].tolist()), kind(numbers[k : k + step].tolist())]
                for k in range(0, 3 * length, step)
            ]
            rows = [column for block in row_sums(blocks, 1, length, 2) for column in zip(*block, strict=True)]
            assert [r[0] for r in rows] == [1.0, 2.0, 3.0]
            assert [float(r[1]) for r in rows] == wanted
