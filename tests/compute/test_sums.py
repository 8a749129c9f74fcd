"""Reductions over blocks: exact, rounded once, and the same however the points are cut."""

import math
from fractions import Fraction

import numpy as np
import pytest
from engines import bits
from hypothesis import given
from hypothesis import strategies as st

from gradcli.compute.exact_sum import PLACES, Exact, exact_sum, scaled
from gradcli.compute.row_sums import row_sums

pytestmark = pytest.mark.quick

HARD = [0.0, -0.0, 5e-324, -5e-324, 1e-310, 2.2250738585072014e-308, 1e16, 1.0, -1.0, 1e300, -1e300, 1.7e308, -1.7e308]
finite = st.one_of(st.sampled_from(HARD), st.floats(allow_nan=False, allow_infinity=False), st.floats(-10, 10))
LARGEST = np.finfo(float).max


def rounded(value: Fraction) -> float:
    """The nearest double, infinite beyond the range."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@given(st.lists(finite, min_size=1, max_size=30), st.integers(1, 7))
def test_sums_are_exact(values, times):
    true = sum(map(Fraction, values))
    for form in (values, np.array(values)):
        found = exact_sum(form)
        assert Fraction(found.units, 2**PLACES) == true and found.nonfinite == (0, 0, 0)
        assert found.rounded(times) == rounded(true * times)
    half = len(values) // 2
    assert exact_sum(values[:half] or [0.0]).plus(exact_sum(values[half:])) == exact_sum(values)


@pytest.mark.parametrize("size", [1, 8191, 8192, 8193, 20_000])
@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e290])
def test_long_arrays_are_summed_as_lists(size, scale):
    values = np.random.default_rng(1).standard_normal(size) * 10.0 ** np.random.default_rng(2).integers(-9, 9, size)
    values *= scale
    assert exact_sum(values) == exact_sum(values.tolist())
    values[0], values[-1] = LARGEST, 5e-324
    assert exact_sum(values) == exact_sum(values.tolist())


@pytest.mark.parametrize(
    ("values", "counts", "total"),
    [
        ([1.0, math.inf, 2.0], (1, 0, 0), math.inf), ([-math.inf, 1.0, -math.inf], (0, 2, 0), -math.inf),
        ([math.inf, -math.inf, math.inf], (2, 1, 0), math.nan), ([math.nan, math.inf], (1, 0, 1), math.nan),
        ([math.nan, 1.0, math.nan], (0, 0, 2), math.nan),
    ],
)  # fmt: skip
def test_what_is_not_finite_is_counted(values, counts, total):
    for form in (values, np.array(values)):
        found = exact_sum(form)
        assert found.nonfinite == counts
        assert bits([[found.rounded(3)]]) == bits([[total]])
        assert Fraction(found.units, 2**PLACES) == sum(Fraction(v) for v in values if math.isfinite(v))


def test_sums_of_infinities_add_their_counts():
    assert Exact(3, (1, 2, 3)).plus(Exact(4, (10, 20, 30))) == Exact(7, (11, 22, 33))


def test_a_scaled_integer_is_rounded_once():
    assert [scaled(3, 2), scaled(-3, -1), scaled(1, 1023), scaled(1, 1024), scaled(-1, 1024)] == [
        12.0, -1.5, 2.0**1023, math.inf, -math.inf
    ]  # fmt: skip
    assert [scaled(1, -1074), scaled(1, -1075), scaled(3, -1075), scaled(2**60 + 1, -60)] == [5e-324, 0, 1e-323, 1.0]


ROWS = st.lists(st.one_of(finite, st.floats()), min_size=6, max_size=6)


@given(st.lists(ROWS, min_size=1, max_size=4), st.sampled_from([1, 2, 3, 6]), st.integers(1, 30), st.integers(1, 3))
def test_sums_over_rows_are_the_same_for_any_blocks(rows, length, size, times):
    values = [v for row in rows for v in row]
    same = [float(k // length) for k in range(len(values))]
    wanted_same = same[::length]
    wanted = [exact_sum(values[k : k + length]).rounded(times) for k in range(0, len(values), length)]
    for form in (list, np.array):
        cut = ([form(same[k : k + size]), form(values[k : k + size])] for k in range(0, len(values), size))
        found = [*row_sums(cut, 1, length, times)]
        assert all(isinstance(column, list if form is list else np.ndarray) for block in found for column in block)
        columns = [[v for block in found for v in block[k]] for k in (0, 1)]
        assert columns[0] == wanted_same
        assert [str(v) for v in map(float, columns[1])] == [str(v) for v in wanted]


def test_long_rows():
    values = np.random.default_rng(3).standard_normal(10_000)
    for length in (5000, 4096, 4097, 10_000):
        [*found] = row_sums([[values[: length * (10_000 // length)]]], 0, length, 2)
        rows = [exact_sum(values[k : k + length]).rounded(2) for k in range(0, 10_000 - length + 1, length)]
        assert found[0][0].tolist() == rows
