"""Reductions of blocks of numbers: rounded once, the same for any blocks, at the ends of the range of a double."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from engines import bits
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from gradcli.compute import accumulators

pytestmark = pytest.mark.quick
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def total(kind: str, numbers: list[float], block: int = 10**9, array: bool = False, times: int = 1) -> dict[str, float]:
    one = accumulators.ACCUMULATORS[kind]()
    for lo in range(0, len(numbers), block):
        part: Any = numbers[lo : lo + block]
        one.add(one.digest(np.array(part) if array else part, lo))
    return one.results(times)


@settings(max_examples=60)
@given(st.lists(NUMBERS, min_size=1, max_size=40), st.booleans(), st.sampled_from([1, 3]))
def test_sums_are_rounded_once(numbers: list[float], array: bool, times: int) -> None:
    exact = sum(map(Fraction, numbers)) * times
    found = total("sum", numbers, array=array, times=times)
    if abs(exact) < 2**1023:
        assert found["sum"] == float(exact)
        assert found["sum_lost"] == float(exact - Fraction(found["sum"]))
    assert found["mean"] == float(exact / (len(numbers) * times))


@settings(max_examples=60)
@given(st.lists(NUMBERS, min_size=1, max_size=40), st.booleans(), st.sampled_from([1, 3]))
def test_norms_neither_overflow_nor_underflow(numbers: list[float], array: bool, times: int) -> None:
    with mp.workprec(2400):
        true = mp.sqrt(times * mp.fsum(mp.mpf(v) ** 2 for v in numbers))
        found = total("norm", numbers, array=array, times=times)
        if true < 2.0**1023:
            assert abs(found["norm"] - true) <= mp.mpf(math.ulp(float(true))) * 0.8
        if true:
            near = mp.mpf(found["norm_lead"]) / mp.mpf(found["norm_scale"]) ** 2
            assert abs(near / true - 1) <= 2**-52


@settings(max_examples=60)
@given(st.lists(NUMBERS, min_size=1, max_size=600), st.booleans(), st.sampled_from([1, 3]))
def test_products_leave_the_range_only_at_the_end(numbers: list[float], array: bool, times: int) -> None:
    with mp.workprec(400):
        true = mp.fprod(mp.mpf(v) for v in numbers) ** times
        rest = mp.fprod(mp.mpf(v) for v in numbers if v) ** times
        found = total("prod", numbers, array=array, times=times)
        if true == 0 or 1e-300 < abs(true) < 1e300:
            assert abs(found["prod"] - true) <= mp.mpf(math.ulp(float(true))) * 0.51
        if mp.mpf(2) ** -2300 < abs(rest) < mp.mpf(2) ** 2300:
            assert abs(mp.mpf(found["prod_lead"]) * mp.mpf(found["prod_scale"]) ** 4 / rest - 1) <= 2**-52


def test_long_arrays_are_summed_exactly() -> None:
    draw = np.random.default_rng(5)
    for array in (draw.normal(size=30_000), np.exp(draw.normal(size=30_000) * 60), draw.normal(size=9000) * 1e-312):
        numbers = array.tolist()
        assert total("sum", numbers, array=True)["sum"] == math.fsum(numbers)
        assert total("sum", numbers, array=True) == total("sum", numbers)
        assert total("norm", numbers, array=True) == total("norm", numbers)


@pytest.mark.parametrize("kind", accumulators.ACCUMULATORS)
@pytest.mark.parametrize("array", [False, True])
def test_totals_do_not_depend_on_blocks(kind: str, array: bool) -> None:
    draw = np.random.default_rng(3)
    numbers = (draw.normal(size=1500) * np.exp(draw.normal(size=1500) * 30)).tolist()
    found = [total(kind, numbers, block, array) for block in (10**9, 1, 7, 255, 256, 1000)]
    assert all(f == found[0] for f in found)


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1.0, math.inf], {"sum": math.inf, "mean": math.inf, "prod": math.inf, "norm": math.inf, "max": math.inf}),
        ([-math.inf, 2.0], {"sum": -math.inf, "prod": -math.inf, "norm": math.inf, "min": -math.inf}),
        ([math.inf, -math.inf], {"sum": math.nan, "prod": -math.inf, "norm": math.inf, "max": math.inf}),
        ([0.0, math.inf], {"sum": math.inf, "prod": math.nan, "min": 0.0}),
        ([1.0, math.nan, 0.0], dict.fromkeys(["sum", "mean", "prod", "norm", "max", "min"], math.nan)),
        ([1.7e308, 1.7e308], {"sum": math.inf, "mean": 1.7e308, "prod": math.inf, "norm": math.inf}),
        ([1e308, 1e308, -1e308], {"sum": 1e308}),
        ([-0.0, 0.0], {"sum": 0.0, "mean": 0.0, "prod": 0.0, "norm": 0.0, "max": 0.0, "min": 0.0}),
        ([1e200, 1e200, 1e-300, 1e-50], {"prod": 1e50}),
        ([5e-324, 5e-324], {"sum": 1e-323, "norm": 5e-324, "prod": 0.0}),
    ],
)  # fmt: skip
def test_ends_of_the_range(numbers: list[float], expected: dict[str, float], array: bool) -> None:
    found: dict[str, float] = {}
    for kind in accumulators.ACCUMULATORS:
        found |= total(kind, numbers, array=array)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-15, abs=0, nan_ok=True), name
        assert math.copysign(1, found[name]) == math.copysign(1, value) or math.isnan(value)


@pytest.mark.parametrize(
    "numbers", [[3.7] * 9, [1e-200] * 300, [1e200, 3.0] * 200, [-0.11] * 257, [2.0**8] * 20, [0.5] * 3]
)
def test_what_a_product_is_split_into_stays_in_range(numbers: list[float]) -> None:
    """Neither part takes the other out of range: they lie on the same side of 1, but for a factor of 2."""
    for times in (1, 2):
        found = total("prod", numbers, times=times)
        lead, scale = abs(found["prod_lead"]), found["prod_scale"]
        assert 2.0**-824 <= scale <= 2.0**824
        if 2.0**-824 < scale < 2.0**824:
            assert (0.5 if scale > 1 else 0.0625) <= lead < (1 if scale < 1 else 8)
    norm = total("norm", numbers)
    assert 0.25 <= norm["norm_lead"] <= 4


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
    found = total("prod", values, array=arrays, times=times)
    assert found["prod"] == pytest.approx(prod, nan_ok=True)
    assert found["prod_lead"] * found["prod_scale"] ** 4 == pytest.approx(lead, nan_ok=True)


@given(st.lists(st.one_of(NUMBERS, st.just(math.inf)), min_size=1, max_size=9), st.integers(1, 9), st.booleans())
def test_extremes(numbers: list[float], block: int, array: bool) -> None:
    for kind, of in (("max", max), ("min", min)):
        assert bits([total(kind, numbers, block, array).values()]) == bits([[of(numbers) + 0.0]])
        for at in {0, len(numbers) // 2, len(numbers)}:
            assert math.isnan(total(kind, [*numbers[:at], math.nan, *numbers[at:]], block, array)[kind])
