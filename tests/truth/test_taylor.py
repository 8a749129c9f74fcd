"""Taylor coefficients, tangents and bounds on remainders: against mpmath, closed forms and dense points."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from mpmath import mp

from gradcli.errors import GradError
from gradcli.expr import Expr, text
from gradcli.language import parse

pytestmark = pytest.mark.quick
pytest.importorskip("flint")

from gradcli.truth.multivariate import coefficients  # noqa: E402  # it needs flint
from gradcli.truth.remainder import remainder  # noqa: E402
from gradcli.truth.tangents import NoPlaneError, tangent  # noqa: E402
from gradcli.truth.taylor import NotSmoothError, expansion  # noqa: E402

NAMES = {name: getattr(mp, name) for name in (
    "exp", "log", "sin", "cos", "tan", "sqrt", "sinh", "cosh", "tanh", "asin", "atan", "erf", "gamma", "pi", "e",
)} | {"besselj": mp.besselj}  # fmt: skip


def root(source: str) -> Expr:
    return parse(source).outputs[0][1]


def at(**point: str) -> dict[str, Expr]:
    return {name: root(value) for name, value in point.items()}


def function(source: str, *names: str):
    return eval(f"lambda {', '.join(names)}: {source}", dict(NAMES))  # texts of this file alone


def told(number: Fraction | Expr | float) -> str:
    return text(number) if isinstance(number, Expr) else str(number)


def value(number: Fraction | Expr | float):
    """The number itself, as precise as mpmath is set."""
    if isinstance(number, Fraction):
        return mp.mpf(number.numerator) / number.denominator
    return function(told(number))() if isinstance(number, Expr) else mp.mpf(number)


def series(source: str, place: str, order: int) -> list[Fraction | Expr | float]:
    return list(expansion(root(source), at(x=place), "x", order).coefficients)


@pytest.mark.parametrize(
    ("source", "place", "order"),
    [
        ("exp(sin(x))", "0", 8),
        ("exp(sin(x))", "1", 6),
        ("exp(-x**2)*cos(3*x)", "0.25", 6),
        ("log(2 + sin(x))/(1 + x**2)", "-0.5", 6),
        ("x**x", "1", 6),
        ("x**2.5", "2", 6),
        ("sqrt(1 + x**3)", "2", 6),
        ("tan(x)", "0.5", 6),
        ("sinh(x)*atan(x)", "0", 8),
        ("asin(x)", "0.5", 6),
        ("gamma(x)", "1.5", 5),
        ("besselj(0, x)", "1", 5),
        ("erf(x)", "0", 7),
        ("tanh(x)", "pi", 5),
        ("1/(1 + exp(-x))", "0", 7),
    ],
)
def test_coefficients_are_those_of_mpmath(source: str, place: str, order: int) -> None:
    found = series(source, place, order)
    with mp.workdps(60):
        true = mp.taylor(function(source, "x"), mp.mpf(eval(place, {"pi": mp.pi})), order)
        for coefficient, number in zip(found, true, strict=True):
            if isinstance(coefficient, float):
                # Correctly rounded: no other double is nearer.
                assert coefficient == float(number)
            else:
                assert abs(value(coefficient) - number) < mp.mpf(10) ** -25


def bernoulli(n: int) -> Fraction:
    numbers = [Fraction(1)]
    for m in range(1, n + 1):
        numbers.append(-sum(math.comb(m + 1, k) * b for k, b in enumerate(numbers)) / (m + 1))
    return numbers[n]


def exp_sin(order: int) -> list[Fraction]:
    """By y' = cos(x)*y."""
    cosine = [Fraction((-1) ** (k // 2), math.factorial(k)) if k % 2 == 0 else Fraction(0) for k in range(order + 1)]
    y = [Fraction(1)]
    for k in range(order):
        y.append(sum((cosine[j] * y[k - j] for j in range(k + 1)), Fraction(0)) / (k + 1))
    return y


def test_high_orders_are_exact() -> None:
    assert series("exp(sin(x))", "0", 60) == exp_sin(60)
    assert series("log(x)", "1", 100)[1:] == [Fraction((-1) ** (k + 1), k) for k in range(1, 101)]
    assert series("1/(1 + x**2)", "0", 100) == [Fraction((-1) ** (k // 2) if k % 2 == 0 else 0) for k in range(101)]
    tangents = series("tan(x)", "0", 41)
    for n in range(1, 21):
        true = (-1) ** (n - 1) * 4**n * (4**n - 1) * bernoulli(2 * n) / math.factorial(2 * n)
        assert tangents[2 * n - 1] == true


def test_high_orders_at_irrational_values_are_rounded_correctly() -> None:
    found = series("exp(x)*gamma(x)", "2", 40)
    with mp.workdps(80):
        exponential = [mp.e**2 / mp.factorial(k) for k in range(41)]
        factorial = mp.taylor(mp.gamma, 2, 3)
        for k in range(4):
            assert found[k] == float(sum(exponential[j] * factorial[k - j] for j in range(k + 1)))
    assert all(isinstance(c, float) for c in found)


@pytest.mark.parametrize(
    ("source", "place", "texts"),
    [
        ("sin(x)", "pi/4", ["sqrt(2)/2", "sqrt(2)/2", "-sqrt(2)/4"]),
        ("cos(x)", "pi/3", ["1/2", "-sqrt(3)/2", "-1/4"]),
        ("exp(x)", "1", ["e", "e", "e/2"]),
        ("2**x", "0", ["1", "log(2)", "log(2)**2/2"]),
        ("log(x)", "1/2", ["-log(2)", "2", "-2"]),
        ("x**(1/3)", "8", ["2", "1/12", "-1/288"]),
        ("pi*x", "e", ["e*pi", "pi", "0"]),
        ("sin(x)/x", "0", ["1", "0", "-1/6"]),
        ("sqrt(x)**2", "0", ["0", "1", "0"]),
        ("floor(x)", "1/2", ["0", "0", "0"]),
        ("lambertw(3*x)", "0", ["0", "3", "-9"]),
        ("lambertw(sin(x))", "0", ["0", "1", "-1"]),
        ("abs(x)", "-2", ["2", "-1", "0"]),
    ],
)
def test_exact_forms(source: str, place: str, texts: list[str]) -> None:
    assert list(map(told, series(source, place, 2))) == texts


def test_sides_and_holes_are_told() -> None:
    assert expansion(root("sin(x)/x"), at(x="0"), "x", 4).hole
    assert expansion(root("x**2.5"), at(x="0"), "x", 2).side == 1
    assert expansion(root("sqrt(-x)**2"), at(x="0"), "x", 2).side == -1
    assert expansion(root("exp(x)"), at(x="0"), "x", 4)[1:] == (0, False, True)


@pytest.mark.parametrize(
    ("source", "place", "verdict"),
    [
        ("abs(x)", "0", "kink"), ("1/x", "0", "pole"), ("floor(x)", "2", "jump"), ("log(x)", "0", "edge+log"),
        ("x**2.5", "0", "edge+vertical"), ("cbrt(x)", "0", "vertical"), ("sqrt(x)", "-1", "undefined"),
        ("x*sin(1/x)", "0", "removable+oscillating"), ("max(x, x**2)", "1", "kink"), ("tan(x)", "pi/2", "pole"),
    ],
)  # fmt: skip
def test_points_without_a_series_are_refused_with_the_verdict(source: str, place: str, verdict: str) -> None:
    with pytest.raises(NotSmoothError) as refused:
        series(source, place, 3)
    assert refused.value.truth.verdict == verdict


@pytest.mark.parametrize(
    ("source", "place", "order", "low", "high"),
    [
        ("exp(sin(x))", "0", 8, "-1/10", "1/10"),
        ("exp(x)", "1", 5, "-2", "3"),
        ("log(x)", "1", 4, "1/2", "2"),
        ("1/(1 + x**2)", "0", 40, "-1/2", "1/2"),
        ("tan(x)", "0", 9, "-3/2", "3/2"),
        ("gamma(x)", "3/2", 4, "1", "2"),
        ("abs(x - 1)", "0", 2, "-1", "2"),
        ("exp(-x**2)", "0", 12, "-3", "3"),
        ("exp(x)", "0", 3, "1", "2"),
        ("sin(10*x)", "1", 7, "0", "2"),
        ("sqrt(x)", "1", 3, "1/100", "2"),
    ],
)
def test_remainders_hold_and_are_close(source: str, place: str, order: int, low: str, high: str) -> None:
    e, point, a, b = root(source), at(x=place), Fraction(low), Fraction(high)
    numbers = expansion(e, point, "x", order).coefficients
    bound, reached = remainder(e, point, "x", numbers, a, b)
    assert reached <= bound <= 1.0011 * reached
    centre = mp.mpf(Fraction(place).numerator) / Fraction(place).denominator
    with mp.workdps(60):
        true = [value(c) for c in numbers]
        f = function(source, "x")
        largest = mp.mpf(0)
        for k in range(401):
            q = a + (b - a) * Fraction(k, 400)
            x = mp.mpf(q.numerator) / q.denominator
            largest = max(largest, abs(f(x) - sum(c * (x - centre) ** j for j, c in enumerate(true))))
        assert largest <= bound
        assert largest >= 0.9 * reached


@pytest.mark.parametrize(
    ("source", "low", "high"),
    [("tan(x)", -2, 2), ("1/(x - 1)", 0, 2), ("log(x + 1)", -1, 1), ("1/(x - 1/3)", 0, 1), ("sqrt(x + 1)", -2, 0),
     ("1/(x**2 - 2)", 0, 2), ("gamma(x + 1/2)", -1, 1)],
)  # fmt: skip
def test_no_bound_across_a_pole_or_an_end(source: str, low: int, high: int) -> None:
    e, point = root(source), at(x="0")
    numbers = expansion(e, point, "x", 3).coefficients
    with pytest.raises(GradError) as refused:
        remainder(e, point, "x", numbers, Fraction(low), Fraction(high))
    assert refused.value.exit_code == 1


def test_the_rounding_of_coefficients_counts() -> None:
    """A constant that is off by 1e-3 is part of the error of the polynomial as printed."""
    bound, reached = remainder(root("exp(x)"), at(x="0"), "x", [1.001, Fraction(1)], Fraction(0), Fraction(0))
    assert reached <= bound
    assert bound == pytest.approx(1e-3, rel=1e-10)


def test_wide_ranges_have_close_bounds() -> None:
    bound, reached = remainder(root("sin(x)"), at(x="0"), "x", [Fraction(0), Fraction(1), Fraction(0), Fraction(-1, 6)],
                               Fraction(-(10**10)), Fraction(10**10))  # fmt: skip
    assert reached <= bound <= 1.01 * reached


def test_tangents() -> None:
    line = tangent(root("x**3 - 3*x"), at(x="2"), ["x"])
    assert (line.value, line.slopes, line.intercept, line.normal) == (2, (9,), -16, (Fraction(-1, 9), Fraction(20, 9)))
    plane = tangent(root("hypot(x, y)"), at(x="3", y="4"), ["x", "y"])
    assert (plane.value, plane.slopes, plane.intercept) == (5, (Fraction(3, 5), Fraction(4, 5)), 0)
    assert tangent(root("cos(x)"), at(x="0"), ["x"]).normal is None
    rounded = tangent(root("gamma(x)*y"), at(x="0.5", y="3"), ["x"])
    with mp.workdps(40):
        half = mp.mpf(1) / 2
        slope = 3 * mp.gamma(half) * mp.digamma(half)
        assert rounded.slopes == (float(slope),)
        assert rounded.intercept == float(3 * mp.gamma(half) - slope / 2)

    longer = tangent(root("e*x + pi"), at(x="1"), ["x"])
    assert [told(n) for n in (*longer.slopes, longer.intercept)] == ["e", "pi"]  # The normal has three terms.


def test_numbers_beyond_the_range_of_doubles_are_refused() -> None:
    with pytest.raises(GradError, match="beyond the range"):
        tangent(root("x**2"), at(x="1e300"), ["x"])
    with pytest.raises(GradError, match="beyond the range"):
        series("x**2", "1e300", 2)


def test_planes_need_more_than_slopes_along_the_axes() -> None:
    for source in ("sqrt(abs(x*y))", "where(x*y == 0, 0, x*y/(x**2 + y**2))", "x*y/(x**2 + y**2)"):
        with pytest.raises(NoPlaneError):
            tangent(root(source), at(x="0", y="0"), ["x", "y"])
    with pytest.raises(NotSmoothError):
        tangent(root("hypot(x, y)"), at(x="0", y="0"), ["x", "y"])
    flat = tangent(root("abs(x)*y"), at(x="0", y="0"), ["x", "y"])
    assert (flat.slopes, flat.proved) == ((0, 0), False)


def test_several_variables() -> None:
    found = coefficients(root("exp(x*y)*sin(x + y)"), at(x="0", y="0"), ["x", "y"], 3)
    assert {k: c for k, c in found.items() if c} == {
        (0,): 1, (1,): 1, (0, 0, 0): Fraction(-1, 6), (0, 0, 1): Fraction(1, 2), (0, 1, 1): Fraction(1, 2),
        (1, 1, 1): Fraction(-1, 6),
    }  # fmt: skip
    moved = coefficients(root("x*sin(y)"), at(x="2", y="pi/6"), ["x", "y"], 2)
    assert told(moved[0, 1]) == "sqrt(3)/2"
    with pytest.raises(NotSmoothError):
        coefficients(root("abs(x)*y"), at(x="0", y="1"), ["x", "y"], 2)
