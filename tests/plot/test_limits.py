"""Limits of pictures: extremes of bounded curves, the middle of those with poles."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import optimize

from gradcli.language import parse
from gradcli.plot.curve import Curve
from gradcli.plot.limits import limits, middle_limits

ENOUGH = 0.0021


def of(text: str, left: float, right: float) -> tuple[float, float] | None:
    (_, e), *_ = parse(text).outputs
    return limits(Curve(e, "x"), left, right)


EXTREMES = [
    ("sin(x)", 0, 10, -1, 1), ("x**2", -1, 2, 0, 4), ("sin(x)/x", -10, 10, -0.217233628211, 1),
    ("x**x", 0, 3, 0.692200627555, 27), ("exp(-1e10*(x-0.123456)**2)", 0, 1, 0, 1),
    ("exp(-1e24*(x-0.123456)**2)", 0, 1, 0, 1), ("floor(x)", -3, 2.5, -3, 2), ("(x**2-1)/(x-1)", -2, 2, -1, 3),
    ("tanh(1/x)", -2, 2, -1, 1), ("abs(x-1/3)", -1, 1, 0, 4 / 3), ("sin(1/x)", -1, 1, -1, 1),
    ("x*log(x)", 0, 2, -1 / math.e, 2 * math.log(2)), ("sqrt(x)", -1, 4, 0, 2), ("acosh(x)", 0, math.cosh(2), 0, 2),
    ("where(x<0.5,x,x+1)", 0, 1, 0, 2), ("x**3-x", -1.2, 1.2, -0.528, 0.528), ("gamma(x)", 0.5, 4, 0.885603194411, 6),
    ("besselj(0,x)", -20, 20, -0.402759395703, 1), ("1+1e-9*sin(x)", 0, 9, 1 - 1e-9, 1 + 1e-9),
    ("sin(1000*x)*x", 0, 1, -0.99746, 0.99432), ("airyai(x)", -10, 5, -0.41901548, 0.53565666),
    ("exp(-x)", 0, 400, 0, 1),
]  # fmt: skip


@pytest.mark.parametrize(("text", "left", "right", "low", "high"), EXTREMES)
def test_bounded_curves_have_their_extremes(text, left, right, low, high):
    least, most = of(text, left, right)
    slack = ENOUGH * (high - low)
    assert low - slack / 10 <= least <= low + slack
    assert high - slack <= most <= high + slack / 10


def test_extremes_are_those_of_a_search():
    """By SciPy's minimizer from every start of a fine raster."""
    least, most = of("sin(5*x)*exp(-x/4)+cos(17*x)/3", -3, 3)

    def f(x: float) -> float:
        return math.sin(5 * x) * math.exp(-x / 4) + math.cos(17 * x) / 3

    starts = np.linspace(-3, 3, 121)
    found = []
    for bounds in pairwise(starts):
        found.append(optimize.minimize_scalar(f, bounds=bounds, method="bounded").fun)
        found.append(-optimize.minimize_scalar(lambda x: -f(x), bounds=bounds, method="bounded").fun)
    assert least == pytest.approx(min(found), abs=ENOUGH * (most - least))
    assert most == pytest.approx(max(found), abs=ENOUGH * (most - least))


@pytest.mark.quick
@pytest.mark.parametrize(("text", "left", "right"), [
    ("1/x", -1, 1), ("tan(x)", -5, 5), ("log(abs(x))", -1, 1), ("exp(1/x)", -1, 1), ("1/x**2", -1, 1), ("1/x", 0, 3),
    ("1e-12/(x-0.3)**2", 0, 1), ("gamma(x)", -3, 3), ("digamma(x)", -2.5, 3), ("log(x)", 0, 3),
])  # fmt: skip
def test_curves_with_poles_have_limits_of_their_middle(text, left, right):
    (_, e), *_ = parse(text).outputs
    x = np.linspace(left, right, 2001)
    values = Curve(e, "x").values(x)
    values = values[np.isfinite(values)]
    a, b = np.percentile(values, [5, 95])
    low, high = of(text, left, right)
    assert low == pytest.approx(max((a + b) / 2 - 0.75 * (b - a), values.min()), rel=1e-9)
    assert high == pytest.approx(min((a + b) / 2 + 0.75 * (b - a), values.max()), rel=1e-9)


def test_nothing_finite():
    for text in ("sqrt(x)", "log(x)", "asin(x - 9)", "x/0", "log(-1-x**2)"):
        assert of(text, -5, -1) is None


def test_the_middle_of_equal_values_is_all_of_them():
    assert middle_limits(np.array([0.0] * 99 + [7.0])) == (0, 7)
