"""Marks: hard points in their places, with the limits on both sides."""

import json
import math
from fractions import Fraction
from pathlib import Path

import pytest

from gradcli.language import parse
from gradcli.plot.curve import Curve
from gradcli.plot.limits import limits, padded
from gradcli.plot.marks import Mark, marks, note
from gradcli.plot.places import shortest_between
from gradcli.plot.sample import Frame, sampled

NAN, INF = math.nan, math.inf


def of(text: str, left: float, right: float, log: str = "") -> list[Mark]:
    (_, e), *_ = parse(text).outputs
    curve = Curve(e, "x", log)
    ends = limits(curve, left, right)
    assert ends is not None
    frame = Frame(left, right, *padded(*ends), 800, 400)
    return marks(curve, frame, sampled(curve, frame))


CASES = [
    ("sin(x)/x", -10, 10, [("hole", 0, 1, 1, NAN)]),
    ("(x**2-1)/(x-1)", -2, 3, [("hole", 1, 2, 2, NAN)]),
    ("where(x==1,5,x)", -3, 3, [("hole", 1, 1, 1, 5)]),
    ("floor(x)", -0.5, 2.5, [("jump", k, k - 1, k, k) for k in (0, 1, 2)]),
    ("where(x<0.5,x,x+1)", 0, 1, [("jump", 0.5, 0.5, 1.5, 1.5)]),
    ("tanh(1/x)", -2, 2, [("jump", 0, -1, 1, NAN)]),
    ("sign(x-1/3)", -1, 1, [("jump", 1 / 3, -1, 1, 0)]),
    ("abs(x-0.3)", -1, 1, [("kink", 0.3, 0, 0, 0)]),
    ("abs(x)", -1, 1, [("kink", 0, 0, 0, 0)]),
    ("sqrt(abs(x))", -2, 3, [("kink", 0, 0, 0, 0)]),
    ("min(abs(x),1)", -2, 2.5, [("kink", -1, 1, 1, 1), ("kink", 0, 0, 0, 0), ("kink", 1, 1, 1, 1)]),
    ("max(sin(x),cos(x))", 0, 5, [("kink", k * math.pi / 4, *[math.cos(k * math.pi / 4)] * 3) for k in (1, 5)]),
    ("1/x", -1, 1, [("asymptote", 0, -INF, INF, NAN)]),
    ("1/x**2", -1, 1.5, [("asymptote", 0, INF, INF, NAN)]),
    ("log(abs(x))", -1, 1, [("asymptote", 0, -INF, -INF, NAN)]),
    ("log(x)", -1, 1, [("asymptote", 0, NAN, -INF, NAN)]),
    ("exp(1/x)", -1, 1, [("asymptote", 0, 0, INF, NAN)]),
    ("tan(x)", 0, 3, [("asymptote", math.pi / 2, INF, -INF, NAN)]),
    ("1/(x**2-2)", 0, 3, [("asymptote", math.sqrt(2), -INF, INF, NAN)]),
    ("gamma(x)", -1.5, 3, [("asymptote", -1, INF, -INF, NAN), ("asymptote", 0, -INF, INF, NAN)]),
    ("sqrt(x)", -2, 4, [("end", 0, NAN, 0, 0)]),
    ("asin(x)", -2, 2, [("end", -1, NAN, -math.pi / 2, -math.pi / 2), ("end", 1, math.pi / 2, NAN, math.pi / 2)]),
    ("x*log(x)", -1, 2, [("end", 0, NAN, 0, NAN)]),
    ("1e-12/(x-0.3)**2", 0, 1, [("asymptote", 0.3, INF, INF, NAN)]),
    ("x**0.01", -1, 1, [("end", 0, NAN, 0, 0)]),
]  # fmt: skip
SMOOTH = [("x**2", -2, 2), ("cbrt(x)", -2, 3), ("x*abs(x)", -2, 3), ("where(x<0,x,x)", -1, 1), ("sin(300*x)", 0, 10),
          ("exp(-1e10*(x-0.123456)**2)", 0, 1), ("atan(1e9*(x-0.31))", 0, 1), ("max(x,x)", -1, 1), ("sin(1/x)", -1, 1),
          ("sin(x)**2+cos(x)**2", -5, 5), ("besselj(2,x)", -9, 9), ("abs(x)**3", -1, 1), ("erf(x)", -3, 3)]  # fmt: skip


@pytest.mark.parametrize(("text", "left", "right", "expected"), CASES)
def test_hard_points(text, left, right, expected):
    found = of(text, left, right)
    assert [m.kind for m in found] == [kind for kind, *_ in expected]
    for mark, (_, x, a, b, value) in zip(found, expected, strict=True):
        assert mark.x == pytest.approx(x, abs=1e-14)
        assert (mark.left, mark.right) == pytest.approx((a, b), abs=1e-6, nan_ok=True)
        if math.isfinite(value):
            assert mark.value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(("text", "left", "right"), SMOOTH)
def test_what_is_smooth_has_no_mark(text, left, right):
    assert of(text, left, right) == []


def test_at_an_edge_there_are_no_sides_to_tell_apart():
    assert [m.x for m in of("floor(x)", -1, 1)] == [0]
    assert of("abs(x)", 0, 1) == []
    assert [(m.kind, m.x) for m in of("sin(x)/x", 0, 9)] == [("hole", 0)]
    assert [(m.kind, m.x) for m in of("1/x", 0, 9)] == [("asymptote", 0)]


def test_decimals_are_found_exactly():
    assert [m.x for m in of("abs(x-0.1)+abs(x-0.7)+floor(x/0.3)", 0.05, 1)] == [0.1, 0.3, 0.6, 0.7, 0.9]


FACTS = [
    json.loads(line) for line in (Path(__file__).parents[1] / "data" / "plot_marks.jsonl").read_text().splitlines()
]


BEYOND = {
    "x*floor(1/x)": "jumps crowd at 0",
    "sqrt(x**2-2*x+1)": "the enclosure of the radicand is too wide next to its zero",
    "relu(relu(x)-x)": "so is that of relu(x) - x, right of 0",
    "(exp(x)-exp(sin(x)))/(x-sin(x))": "so is that of x - sin(x)",
}
AS_DOUBLES = {"x*atan(1/x)": ["kink"], "x**2*atan(1/x)": []}
"""At 0 the arithmetic of doubles gives a value, 0*atan(inf)."""


@pytest.mark.parametrize("fact", FACTS, ids=lambda f: f["expr"])
def test_facts(fact):
    """Verdicts that were found with mpmath's one-sided differences: at the point there is a mark of that kind."""
    at = float(Fraction(fact["x"]))
    (_, e), *_ = parse(fact["expr"]).outputs
    curve = Curve(e, "x")
    frame = Frame(at - 0.71, at + 0.89, -3, 3, 800, 400)
    near = [m for m in marks(curve, frame, sampled(curve, frame)) if abs(m.x - at) < 1e-7]
    if fact["expr"] in BEYOND:
        assert not near
        return
    expected = [fact["kind"]] if fact["kind"] else []
    assert [m.kind for m in near] == AS_DOUBLES.get(fact["expr"], expected)
    for mark in near:
        for side, limit in (("left", mark.left), ("right", mark.right)):
            if fact[side] is not None:
                assert limit == pytest.approx(float(fact[side]), abs=1e-5, rel=1e-5)


def test_marks_on_logarithmic_axes_are_in_their_units():
    (kink,) = of("abs(x-10)+1", -1, 3, "xy")
    assert kink.kind == "kink" and kink.x == pytest.approx(1) and kink.value == pytest.approx(0, abs=1e-9)
    assert note(of("1/(x-100)", 0, 4, "x"), "x", log=True) == "1 pole near x=100"


@pytest.mark.quick
def test_notes():
    jumps = [Mark("jump", float(k), 0, 1, 1) for k in range(3)]
    assert note([*jumps, Mark("asymptote", math.pi / 2, INF, -INF, NAN)], "x") == "3 jumps, 1 pole near x=1.5708"
    assert note([Mark("kink", 1, 0, 0, 0), Mark("hole", 0, 1, 1, NAN)], "t") == "1 hole near t=0"
    assert note([], "x") == ""


@pytest.mark.quick
def test_shortest_decimals():
    assert shortest_between(0.1 + 0.2 - 1e-16, 0.1 + 0.2) == 0.3
    assert shortest_between(-1e-300, 1e-300) == 0
    assert shortest_between(1e22, 1.1e22) == 1e22
    assert shortest_between(math.pi, math.pi) == math.pi


def test_crowded_places_are_left_out():
    found = of("floor(1/x)", 0.001, 1)
    assert all(m.kind == "jump" for m in found) and found[-1].x in (0.5, 1.0)
    assert of("sign(sin(1/x))", 0.0001, 0.001) is not None


def test_a_curve_without_rules_has_the_marks_of_its_gaps():
    (_, e), *_ = parse("floor(x)+1/(x-2.5)").outputs
    curve = Curve(e, "x")
    curve.sampled = "some"
    frame = Frame(0.5, 3.7, -9, 9, 800, 400)
    found = marks(curve, frame, sampled(curve, frame))
    assert [(m.kind, m.x) for m in found] == [("jump", 1), ("jump", 2), ("asymptote", 2.5), ("jump", 3)]


def test_a_curve_whose_slope_has_no_closed_form_is_sampled():
    (_, e), *_ = parse("gammainc(x, 2)").outputs
    curve = Curve(e, "x")
    assert curve.sampled == "gammainc"
    picture = sampled(curve, Frame(0.5, 3, 0, 1, 80, 40))
    assert picture.complete and marks(curve, Frame(0.5, 3, 0, 1, 80, 40), picture) == []
    (_, e), *_ = parse("besselj(x, 2)").outputs
    assert Curve(e, "x").sampled == "besselj"
