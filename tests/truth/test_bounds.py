"""Proved least and greatest values over a box: against extremes in closed form, and against points of the box."""

from fractions import Fraction

import pytest
from mpmath import mp

from gradcli.errors import GradError
from gradcli.language import parse

pytestmark = pytest.mark.quick
pytest.importorskip("flint")

from gradcli.truth.bounds import bounds  # noqa: E402  # it needs flint
from gradcli.truth.intervals import shortest  # noqa: E402
from gradcli.truth.repair import Repair  # noqa: E402


def over(text: str, order: int = 0, tol: float = 1e-9, **box):
    """The bounds, for ends that are numbers or their texts."""
    sides = {name: (Fraction(low), Fraction(high)) for name, (low, high) in box.items()}
    return bounds(parse(text).outputs[0][1], sides, {"x": order}, tol)


@pytest.mark.parametrize(
    ("text", "order", "box", "low", "high"),
    [
        ("x**3 - 3*x", 0, {"x": (-2, 2)}, "-2", "2"),
        ("x**3 - 3*x", 1, {"x": (-2, 2)}, "-3", "9"),
        ("sqrt(x)", 0, {"x": (0, 4)}, "0", "2"),
        ("abs(x - 1)", 0, {"x": (0, 3)}, "0", "2"),
        ("abs(x - 1)", 1, {"x": (0, 3)}, "-1", "1"),
        ("floor(x)", 0, {"x": (0, "2.5")}, "0", "2"),
        ("where(x < 1, x, 3 - x)", 0, {"x": (0, 2)}, "0", "2"),
        ("max(x, 1 - x)", 0, {"x": (0, 1)}, "0.5", "1"),
        ("exp(-x**2)", 0, {"x": (-1, 2)}, "exp(-4)", "1"),
        ("x**2 + x*y + y**2 - x", 0, {"x": (-1, 1), "y": (-1, 1)}, "-1/3", "4"),
        ("sin(x)", 2, {"x": (0, "3")}, "-1", "0"),
        ("asin(x)", 0, {"x": (-1, 1)}, "-pi/2", "pi/2"),
    ],
)
def test_extremes_in_closed_form(text, order, box, low, high):
    known = {"pi": mp.pi, "exp": mp.exp, "__builtins__": {}}
    for enclosure, true in zip(over(text, order, **box), (low, high), strict=True):
        value = mp.mpf(eval(true, known))
        assert enclosure.low - mp.eps * abs(value) <= value <= enclosure.high + mp.eps * abs(value)
        assert enclosure.high - enclosure.low <= 1e-6 * max(1, abs(float(value)))


@pytest.mark.parametrize("tol", [1e-6, 1e-12])
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("exp(sin(x*x))*cos(3*x)", 0, 4),
        ("abs(x - 1) + sin(5*x)", 0, 3),
        ("x % 2 + sin(x)/x", "0.5", 10),
        ("gamma(x)", "0.3", 3),
        ("besselj(0, x)*tanh(x - 2)", -1, 6),
    ],
)
def test_no_point_of_the_box_is_beyond(text, low, high, order, tol):
    least, greatest = over(text, order, tol, x=(low, high))
    repair = Repair(parse(text).outputs[0][1])
    a, b = float(low), float(high)
    seen = [repair.number({"x": a + (b - a) * k / 200}, {"x": order}).value for k in range(201)]
    values = [v for v in seen if v is not None]
    assert len(values) > 190
    assert least.low <= min(values) and max(values) <= greatest.high
    if "%" not in text:
        assert least.high - least.low <= 2 * tol * max(1, abs(least.low))
        assert greatest.high - greatest.low <= 2 * tol * max(1, abs(greatest.low))
    assert least.high <= min(values) + 0.5 * (max(values) - min(values))


@pytest.mark.parametrize(
    ("text", "order", "place"),
    [("1/(x - 1)", 0, "x=1\n"), ("log(x)", 0, "no value at x=-1"), ("sqrt(x)", 1, "x=0\n"), ("tan(x)", 0, "x=1.570")],
)
def test_refusals_say_where(text, order, place):
    with pytest.raises(GradError, match=place):
        over(text, order, x=(-1 if text == "log(x)" else 0, 2))


@pytest.mark.parametrize(
    ("text", "order", "box", "low", "high"),
    [
        ("sqrt(x)", 0, {"x": (0, 1)}, 0, 1),
        ("sqrt(1 - x**2)", 0, {"x": (-1, 1)}, 0, None),
        ("sqrt(1 - x**2 - y**2)", 0, {"x": ("-0.6", "0.6"), "y": ("-0.8", "0.8")}, 0, None),
        ("sqrt(x*y)", 0, {"x": (0, 1), "y": (0, 1)}, 0, 1),
        ("(1 - x)**1.5", 0, {"x": (0, 1)}, 0, 1),
        ("cbrt(x)", 0, {"x": (-1, 1)}, -1, 1),
        ("gammainc(2.5, x)", 0, {"x": (0, 1)}, 0, None),
        ("hypot(x, y)", 1, {"x": (-1, 1), "y": (-1, 1)}, -1, 1),
        ("abs(x)", 1, {"x": (-1, 1)}, -1, 1),
        ("round(x)", 0, {"x": (0, "5.5")}, 0, 6),
        ("x % 1", 0, {"x": (0, 5)}, 0, None),
        ("x*x", 0, {"x": (-(10**22), 10**22)}, 0, None),
    ],
)
def test_ends_of_domains_and_steps_are_met_exactly(text, order, box, low, high):
    least, greatest = over(text, order, **box)
    assert least.low == low and least.high - low <= 1e-15
    assert high is None or greatest == (high, high)


@pytest.mark.parametrize(
    ("text", "slope"), [("relu(x) - relu(-x)", 1), ("where(x == 0, 0, x)", 1), ("max(x, 2*x) + min(x, 2*x)", 3)]
)
def test_a_convention_at_a_tie_is_no_slope(text, slope):
    least, greatest = over(text, 1, x=(-1, 1))
    assert least.low <= slope <= least.high
    assert greatest.low <= slope <= greatest.high


@pytest.mark.parametrize(
    ("text", "low", "high", "least", "greatest"),
    [
        ("tanh(x)", "-1e300", "1e300", -1, 1),
        ("x/(1 + x**2)", "-1e3", "1e300", -0.5, 0.5),
        ("exp(exp(exp(x)))", "-1e308", "-1e10", float(mp.e), float(mp.e)),
        ("1/(1 + exp(-1000*x))", "-1", "1", 0, 1),
    ],
)
def test_boxes_of_very_different_sizes(text, low, high, least, greatest):
    for enclosure, true in zip(over(text, x=(low, high)), (least, greatest), strict=True):
        assert enclosure.low <= true <= enclosure.high
        assert enclosure.high - enclosure.low <= 2e-9


@pytest.mark.parametrize(
    ("text", "low", "high"), [("exp(exp(exp(x)))", 0, 10), ("sqrt(1 + sin(x))", 0, 10), ("exp(x)", "-1e308", "1e308")]
)
def test_work_is_bounded(text, low, high):
    with pytest.raises(GradError, match="within the limit of work\n  a smaller box"):
        over(text, x=(low, high))


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [("-1", "2", "0"), ("0.31", "0.4", "0.4"), ("-7/3", "-9/4", "-2.3"), ("1/8", "1/8", "0.125")],
)
def test_the_shortest_decimal_of_an_interval(low, high, found):
    assert shortest(Fraction(low), Fraction(high)) == Fraction(found)
