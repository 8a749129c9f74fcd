"""Reductions over blocks: exact, rounded once, and the same however the points are cut."""

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from engines import bits
from hypothesis import given
from hypothesis import strategies as st

from gradcli.compute.accumulators import ACCUMULATORS, OF, RUN
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


def taken(op: str, values: list[float], cuts: list[int], arrays: bool, times: int = 1) -> float:
    """A reduction of values that come in blocks."""
    accumulator = ACCUMULATORS[OF[op]]()
    ends = [0, *sorted({c % len(values) for c in cuts} - {0}), len(values)]
    for lo, hi in itertools.pairwise(ends):
        block = values[lo:hi]
        accumulator.add(accumulator.digest(np.array(block) if arrays else block, lo))
    return accumulator.results(times)[op]


@given(st.lists(finite, min_size=1, max_size=20), st.lists(st.integers(0, 99), max_size=3), st.integers(1, 5))
def test_sum_mean_and_what_the_sum_lost(values, cuts, times):
    true = sum(map(Fraction, values)) * times
    total = rounded(true)
    for arrays in (False, True):
        assert taken("sum", values, cuts, arrays, times) == total
        assert taken("mean", values, cuts, arrays, times) == rounded(true / times / len(values))
        lost = rounded(true - Fraction(total)) if math.isfinite(total) else 0.0
        assert taken("sum_lost", values, cuts, arrays, times) == lost


@given(st.lists(finite, min_size=1, max_size=20), st.lists(st.integers(0, 99), max_size=3), st.integers(1, 5))
def test_norm(values, cuts, times):
    with mpmath.workdps(400):
        true = mpmath.sqrt(times * sum(mpmath.mpf(v) ** 2 for v in values))
        for arrays in (False, True):
            norm, lead, scale = (taken(op, values, cuts, arrays, times) for op in ("norm", "norm_lead", "norm_scale"))
            if true > LARGEST:
                assert norm == math.inf or norm == pytest.approx(LARGEST, rel=1e-15)
            else:
                assert abs(norm - true) <= 1e-15 * true + mpmath.mpf(2) ** -1074 * 0.75
            # Both lie where no quotient leaves the range.
            assert abs(mpmath.mpf(lead) / mpmath.mpf(scale) ** 2 - true) <= 1e-15 * true
            assert scale > 0 and (lead == 0 or 0.25 <= lead <= 4)


@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
@pytest.mark.parametrize("spread", [0, 3, 300])
def test_products(size, spread, arrays):
    rng = np.random.default_rng(size)
    values = (rng.uniform(-2, 2, size) * 10.0 ** rng.uniform(-spread, spread, size)).tolist()
    with mpmath.workdps(60):
        for times in (1, 2, 5):
            true = mpmath.fprod(map(mpmath.mpf, values)) ** times
            for cuts in ([], [1], [size // 2], [RUN, 3, 300], [255, 257]):
                prod, lead, scale = (
                    taken(op, values, cuts, arrays, times) for op in ("prod", "prod_lead", "prod_scale")
                )
                assert prod == pytest.approx(float(true), rel=3e-16, abs=5e-324)
                assert (lead > 0) == (true > 0)
                # Neither takes the other out of range: they lie on the same side of 1, but for a factor of 2.
                assert (0.5 if scale > 1 else 0.0625) <= abs(lead) < (1 if scale < 1 else 8)
                if 2.0**-824 < scale < 2.0**824:
                    assert abs(mpmath.mpf(lead) * mpmath.mpf(scale) ** 4 - true) <= 1e-15 * abs(true)


@pytest.mark.parametrize(
    ("values", "times", "prod", "lead"),
    [
        ([2.0, 0.0, -3.0], 1, 0.0, -6.0), ([-2.0, -1.0, -3.0], 1, -6.0, -6.0), ([-2.0], 2, 4.0, 4.0),
        ([-2.0], 3, -8.0, -8.0), ([1.0, math.inf], 1, math.inf, math.inf), ([-1.0, math.inf], 1, -math.inf, -math.inf),
        ([0.0, math.inf], 1, math.nan, math.inf), ([math.nan, 0.0], 1, math.nan, math.nan), ([-0.0, 5.0], 1, 0.0, 5.0),
        ([math.nan, math.inf], 1, math.nan, math.nan), ([-math.inf, -math.inf], 1, math.inf, math.inf),
    ],
)  # fmt: skip
@pytest.mark.parametrize("arrays", [False, True])
def test_products_with_zeros_and_infinities(values, times, prod, lead, arrays):
    assert taken("prod", values, [], arrays, times) == pytest.approx(prod, nan_ok=True)
    found = taken("prod_lead", values, [], arrays, times) * taken("prod_scale", values, [], arrays, times) ** 4
    assert found == pytest.approx(lead, nan_ok=True)


@given(st.lists(st.one_of(finite, st.just(math.inf)), min_size=1, max_size=9), st.lists(st.integers(0, 99), max_size=3))
def test_extremes(values, cuts):
    for arrays in (False, True):
        for op, of in (("max", max), ("min", min)):
            assert bits([[taken(op, values, cuts, arrays)]]) == bits([[of(values) + 0.0]])
            for at in {0, len(values) // 2, len(values)}:
                assert math.isnan(taken(op, [*values[:at], math.nan, *values[at:]], cuts, arrays))


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
