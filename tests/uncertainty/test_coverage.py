"""Coverage factors against mpmath's incomplete beta function, and effective degrees of freedom against the GUM."""

import json
import math
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import mpmath
import pytest

from gradcli.errors import GradError
from gradcli.uncertainty.coverage import effective, expanded, factor, probability

pytestmark = pytest.mark.quick

COVERAGES = [
    Fraction(1, 10**5), Fraction(1, 100), Fraction(1, 2), Fraction(6827, 10**4), Fraction(9, 10), Fraction(95, 100),
    Fraction(99, 100), Fraction(9973, 10**4), 1 - Fraction(1, 10**8), 1 - Fraction(1, 10**30),
]  # fmt: skip
DEGREES = [1, 1.5, 2, 3.7, 9, 18.99874231426795, 50, 199, 201, 1e3, 12345.6, 1e6, 1e10, 1e18, math.inf]


def outside(k: float, df: float) -> mpmath.mpf:
    """The probability outside -k and k."""
    k = mpmath.mpf(k)
    if math.isinf(df):
        return mpmath.erfc(k / mpmath.sqrt(2))
    if df >= 1e10:
        # Hypergeometric series converge slowly here: the normal distribution, and the term in 1/df (DLMF 7.12).
        d = mpmath.mpf(df)
        normal = mpmath.sqrt(2 / mpmath.pi) * mpmath.exp(-k * k / 2)
        first = normal * (k**3 + k) / (4 * d)
        second = normal * k * (3 * k**6 - 7 * k**4 - 5 * k**2 - 3) / (96 * d**2)
        return mpmath.erfc(k / mpmath.sqrt(2)) + first + second
    x = df / (df + k * k)
    return mpmath.betainc(mpmath.mpf(df) / 2, mpmath.mpf(1) / 2, 0, x, regularized=True)


@pytest.mark.parametrize("df", DEGREES)
def test_factors_have_the_coverage(df: float):
    for coverage in COVERAGES:
        k = factor(coverage, df)
        with mpmath.workdps(50):
            h = mpmath.mpf(k) * mpmath.mpf(10) ** -15
            wanted = mpmath.mpf((1 - coverage).numerator) / (1 - coverage).denominator
            steep = (outside(k + h, df) - outside(k - h, df)) / (2 * h)
            # One step of Newton's method tells the error of k.
            error = (outside(k, df) - wanted) / steep / k
        assert abs(error) < 1e-14, (float(coverage), df)


def test_factors_of_closed_forms():
    for coverage in COVERAGES:
        tail = float(1 - coverage)
        if tail > 1e-9:
            assert factor(coverage, 1) == pytest.approx(math.tan(math.pi / 2 * float(coverage)), rel=1e-7)
            p = float(coverage)
            assert factor(coverage, 2) == pytest.approx(p * math.sqrt(2 / (1 - p**2)), rel=1e-7)
    assert factor(Fraction(1, 10**50), 7) == pytest.approx(
        float(Fraction(1, 10**50)) * math.sqrt(7 * math.pi) * math.gamma(3.5) / math.gamma(4) / 2, rel=1e-13
    )


def test_a_factor_grows_with_the_coverage_and_falls_with_the_degrees_of_freedom():
    for df in DEGREES:
        factors = [factor(coverage, df) for coverage in COVERAGES]
        assert factors == sorted(factors)
    for coverage in COVERAGES:
        factors = [factor(coverage, df) for df in DEGREES]
        assert all(a >= b * (1 - 1e-14) for a, b in pairwise(factors))


def test_factors_that_there_are_none_of():
    assert math.isnan(factor(0.95, math.nan))
    for coverage, df in ((0.0, 5), (1.0, 5), (-1.0, 5), (2.0, 5), (Fraction(1, 10**101), 5), (0.95, 0.5), (0.95, -1)):
        with pytest.raises(GradError):
            factor(coverage, df)


def test_the_example_of_the_guide():
    path = Path(__file__).parents[1] / "data" / "gum.jsonl"
    case = next(c for c in map(json.loads, path.read_text().splitlines()) if c["id"] == "G42-welch")
    true = case["true"]
    shares = {name: (c / true["u"]) ** 2 for name, c in true["contribution"].items()}
    df = effective(shares, {name: known["df"] for name, known in case["inputs"].items() if "df" in known})
    assert df == pytest.approx(true["df_effective"], rel=1e-13)
    for percent in (95, 99):
        found = expanded(true["u"], df, Fraction(percent, 100))
        assert found.k == pytest.approx(true[f"k{percent}"], rel=1e-13)
        assert found.k_truncated == pytest.approx(true[f"k{percent}_df_truncated"], rel=1e-13)
        assert found.U == found.k * true["u"]
        assert found.degrees_of_freedom == df


def test_a_factor_that_is_given():
    found = expanded(0.1, 5.0, k=2.0)
    assert (found.k, found.U, found.coverage, found.k_truncated) == (2.0, 0.2, None, None)


def test_effective_degrees_of_freedom():
    assert effective({"a": 1.0}, {"a": 7.0}) == 7
    assert effective({"a": 0.5, "b": 0.5}, {"a": 3.0}) == 12
    assert effective({"a": 1.0}, {}) == math.inf
    assert effective({"a": 0.0, "b": 1.0}, {"a": 3.0, "b": math.inf}) == math.inf
    assert effective({"a": 1 + 1e-15}, {"a": 1.0}) == 1
    assert math.isnan(effective({"a": math.nan}, {"a": 3.0}))


def test_effective_degrees_of_freedom_of_correlated_inputs():
    shares = {"a": 0.25, "b": 0.25, "c": 0.5}
    # What is correlated is known exactly: the others are independent of it.
    assert effective(shares, {"c": 5.0}, [("a", "b")]) == 20
    assert effective({**shares, "a": 0.0}, {"a": 5.0}, [("a", "b")]) == math.inf
    with pytest.raises(GradError, match="a is correlated and has finite degrees of freedom") as caught:
        effective(shares, {"a": 5.0}, [("a", "b")])
    assert "G.4.1" in caught.value.message and "-k 2" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "exact"), [("95", "0.95"), (" 99.73% ", "0.9973"), ("1e1", "0.1"), ("68.27 %", "0.6827"), ("+95", "0.95")]
)
def test_coverage_probabilities(text: str, exact: str):
    assert probability(text, "--coverage") == Fraction(exact)


@pytest.mark.parametrize(
    "text",
    ["", "%", "x", "nan", "inf", "0", "-95", "100", "100.0", "101", "1e400", "99." + 99 * "9", "\u0669\u0665", "1/2",
     "1_0", "9" * 10_000, "1e-99999999"],
)  # fmt: skip
def test_coverage_probabilities_that_are_none(text: str):
    with pytest.raises(GradError, match=r"^--coverage") as caught:
        probability(text, "--coverage")
    assert "--coverage 9" in caught.value.hint and caught.value.exit_code == 2
    assert len(caught.value.message) < 300


def test_a_fraction_for_a_percentage_is_said():
    with pytest.raises(GradError, match="less than one percent") as caught:
        probability("0.95", "--coverage")
    assert "--coverage 95" in caught.value.hint
