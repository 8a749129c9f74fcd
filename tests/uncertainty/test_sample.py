"""Statistics of a sample: intervals against their definition, moments, and the second digit of an uncertainty."""

import math
from fractions import Fraction

import numpy as np
import pytest

from gradcli.uncertainty.sample import digit, moments, places, summary

pytestmark = pytest.mark.quick


def by_definition(values: list[float], coverage: Fraction) -> tuple[tuple[float, float], tuple[float, float]]:
    """The symmetric and the shortest interval of JCGM 101, 7.7.2, with draws counted from 1."""
    y = [math.nan, *sorted(values)]
    m = len(values)
    q = math.floor(coverage * m + Fraction(1, 2))
    r = (m - q) // 2 if (m - q) % 2 == 0 else (m - q + 1) // 2
    best = min(range(1, m - q + 1), key=lambda k: y[k + q] - y[k])
    return (y[r], y[r + q]), (y[best], y[best + q])


@pytest.mark.parametrize("coverage", [Fraction(95, 100), Fraction(1, 2), Fraction(1, 10), Fraction(999, 1000)])
@pytest.mark.parametrize("count", [2, 3, 10, 99, 100, 101, 5000])
def test_intervals(coverage: Fraction, count: int):
    values = np.random.default_rng(count).exponential(size=count)
    if not 0 < places(count, coverage)[0] < count:
        assert math.isnan(summary(values, coverage).symmetric[0])
        return
    symmetric, shortest = by_definition(values.tolist(), coverage)
    mean, u = float(np.mean(values)), float(np.std(values, ddof=1))
    found = summary(values, coverage)
    assert (found.symmetric, found.shortest, found.nonfinite) == (symmetric, shortest, 0)
    assert (found.mean, found.u) == pytest.approx((mean, u), rel=1e-13)


def test_intervals_of_equal_and_of_large_numbers():
    found = summary(np.full(1000, 3.0), Fraction(95, 100))
    assert (found.mean, found.u, found.symmetric, found.shortest) == (3, 0, (3, 3), (3, 3))
    ends = np.array([-1.7e308, 1.7e308] * 500)
    assert summary(ends, Fraction(95, 100)).symmetric == (-1.7e308, 1.7e308)


def test_numbers_that_are_not_finite_are_left_out():
    rng = np.random.default_rng(1)
    values = rng.normal(size=200_000)
    spoiled = values.copy()
    spoiled[rng.integers(0, len(values), 70_000)] = [math.nan, math.inf] * 35_000
    spoiled[:100] = -math.inf
    good = spoiled[np.isfinite(spoiled)].copy()
    lost = len(spoiled) - len(good)
    found = summary(spoiled, Fraction(95, 100))
    assert found == summary(good, Fraction(95, 100))._replace(nonfinite=lost)
    assert lost > 50_000
    few = summary(np.array([math.nan, 1.0, math.inf]), Fraction(95, 100))
    assert few.nonfinite == 2 and math.isnan(few.mean) and math.isnan(few.shortest[0])
    assert math.isnan(summary(np.array([]), Fraction(1, 2)).u)


def test_moments_keep_their_digits():
    values = 1e9 + np.arange(100_001) / 1e5
    mean, u = moments(values)
    assert mean == pytest.approx(1e9 + 0.5, rel=1e-16)
    assert u == pytest.approx(math.sqrt(100_001 * 100_002 / 12) / 1e5, rel=1e-7)
    for size in (1e-320, 1e-200, 1e200, 1e308):
        assert moments(np.array([size, -size, size, -size]))[1] == pytest.approx(size * math.sqrt(4 / 3), rel=1e-3)


@pytest.mark.parametrize(
    ("u", "half"),
    [(0.10065, 0.005), (35e-9, 0.5e-9), (0.0994, 0.0005), (0.0996, 0.005), (1.0, 0.05), (2000.0, 50.0), (12.0, 0.5),
     (0.0, 0.0), (1e300, 5e298)],
)  # fmt: skip
def test_half_a_unit_of_the_second_digit(u: float, half: float):
    assert digit(u) == half


def test_the_second_digit_of_no_number():
    assert math.isnan(digit(math.nan)) and math.isnan(digit(math.inf))
