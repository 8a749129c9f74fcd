"""Grids: columns by slices, the same doubles as lists and arrays; blocks in order."""

from __future__ import annotations

import math
from itertools import product

import pytest
from engines import bits
from hypothesis import given
from hypothesis import strategies as st

from gradcli.compute.grid import Axis, Column, Grid, Index, Linear, Log, Values

pytestmark = pytest.mark.quick

finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=5e-324, allow_nan=False, allow_infinity=False)


def check_slices(column: Column, lo: int, hi: int) -> None:
    n = column.length
    whole = column.floats(0, n)
    assert len(whole) == n
    assert bits([column.array(0, n)]) == bits([whole])
    lo, hi = sorted((lo % (n + 1), hi % (n + 1)))
    assert bits([column.floats(lo, hi)]) == bits([whole[lo:hi]])
    assert bits([column.array(lo, hi)]) == bits([whole[lo:hi]])


@given(finite, finite, st.integers(2, 40), st.integers(0, 99), st.integers(0, 99))
def test_linear_meets_its_ends_and_stays_between(start: float, stop: float, n: int, lo: int, hi: int) -> None:
    column = Linear(start, stop, n)
    check_slices(column, lo, hi)
    values = column.floats(0, n)
    assert bits([(values[0], values[-1])]) == bits([(start, stop)])
    slack = 1e-15 * max(abs(start), abs(stop)) + 5e-324
    assert all(min(start, stop) - slack <= v <= max(start, stop) + slack for v in values)


@given(positive, positive, st.integers(2, 40), st.integers(0, 99), st.integers(0, 99))
def test_log_meets_its_ends_and_stays_between(start: float, stop: float, n: int, lo: int, hi: int) -> None:
    column = Log(start, stop, n)
    check_slices(column, lo, hi)
    values = column.floats(0, n)
    assert (values[0], values[-1]) == (start, stop)
    assert all(min(start, stop) <= v <= max(start, stop) for v in values)


@given(st.lists(st.floats(), min_size=1, max_size=9), st.integers(0, 99), st.integers(0, 99))
def test_values_and_indices(values: list[float], lo: int, hi: int) -> None:
    check_slices(Values(values), lo, hi)
    check_slices(Index(len(values)), lo, hi)


def test_values_that_people_expect() -> None:
    assert Linear(0, 1, 11).floats(0, 11) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert Linear(1, 0, 3).floats(0, 3) == [1.0, 0.5, 0.0]
    assert Linear(-1, 1, 5).floats(0, 5) == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert Linear(-(2.0**1023), 2.0**1023, 5).floats(0, 5) == [-(2.0**1023), -(2.0**1022), 0.0, 2.0**1022, 2.0**1023]
    assert Linear(7, 7, 1).floats(0, 1) == [7.0]
    assert Log(1, 1000, 4).floats(0, 4) == [1.0, 10.0, 100.0, 1000.0]
    assert Log(1000, 1e-3, 7).floats(0, 7) == [1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001]
    assert Index(4).floats(1, 3) == [1.0, 2.0]


def test_ends_whose_multiples_overflow() -> None:
    for start, stop in ((1.7e308, 0.0), (0.0, 1.7e308), (-1.7e308, 1.7e308), (1.7e308, 1.0)):
        column = Linear(start, stop, 5)
        wanted = [start * (1 - k / 4) + stop * (k / 4) for k in range(5)]
        assert column.floats(0, 5) == column.array(0, 5).tolist() == pytest.approx(wanted, rel=1e-15)


def test_a_column_is_never_whole_in_memory() -> None:
    for column in (Linear(0, 1, 10**15), Log(1, 10, 10**15), Index(10**15)):
        assert len(column.floats(10**14, 10**14 + 3)) == 3
        assert len(column.array(10**15 - 2, 10**15)) == 2


@given(st.lists(st.integers(1, 6), min_size=0, max_size=4), st.integers(1, 50))
def test_blocks_cover_the_grid_once_in_order(lengths: list[int], target: int) -> None:
    grid = Grid([Axis([f"x{k}"], [Index(n)]) for k, n in enumerate(lengths)])
    met = []
    for ranges in grid.blocks(target):
        points = list(product(*[range(lo, hi) for lo, hi in ranges]))
        assert 1 <= len(points) <= target
        met += points
    assert met == list(product(*map(range, lengths)))
    assert grid.size == len(met)


def test_blocks_fill_their_target() -> None:
    sizes = [math.prod(hi - lo for lo, hi in r) for r in Grid([Axis(["x"], [Index(1000)])] * 2).blocks(16384)]
    assert min(sizes) >= 8_000
    assert max(sizes) <= 16384
    many = Grid([Axis(["x"], [Index(10**12)])])
    assert sum(1 for _, _ in zip(range(5), many.blocks(16384), strict=False)) == 5
