"""Flags: not-linear, edge, kink, jump and no-effect, and none where a formula is smooth and nearly linear."""

import pytest

from gradcli.language import parse
from gradcli.uncertainty.budget import at_point
from gradcli.uncertainty.places import hard_places
from gradcli.uncertainty.request import PropagateJob

pytestmark = pytest.mark.quick

PLACES = [
    ("abs(x)", {"x": (0.5, 0.5)}, {"kink"}),
    ("abs(x)", {"x": (1.5, 0.5)}, set()),
    ("abs(x)", {"x": (1e-200, 1e-200)}, {"kink"}),
    ("abs(x - 1e8)", {"x": (1e8 + 0.5, 0.5)}, {"kink"}),
    ("abs(x)**3", {"x": (0.5, 0.5)}, set()),
    ("x*abs(x)", {"x": (0.1, 0.2)}, set()),
    ("max(x, y)", {"x": (1, 0.1), "y": (1.1, 0.1)}, {"kink"}),
    ("hypot(x, y)", {"x": (0.1, 0.1), "y": (0, 0.1)}, {"kink"}),
    ("cbrt(x)", {"x": (0.1, 0.1)}, {"kink"}),
    ("floor(x)", {"x": (2.9, 0.1)}, {"jump"}),
    ("x % 1", {"x": (0.98, 0.01)}, {"jump"}),
    ("round(x)", {"x": (0.4, 0.1)}, {"jump"}),
    ("atan2(y, x)", {"x": (-1, 0.1), "y": (0.1, 0.1)}, {"jump"}),
    ("x if x > 1 else 0", {"x": (0.9, 0.1)}, {"jump"}),
    ("x if x > 1 else 1", {"x": (1, 0.1)}, {"kink"}),
    ("sqrt(x)", {"x": (0.1, 0.1)}, {"edge"}),
    ("log(x)", {"x": (0.15, 0.1)}, {"edge"}),
    ("log(x)", {"x": (0.3, 0.1)}, set()),
    ("asin(x)", {"x": (0.99, 0.01)}, {"edge"}),
    ("1/x", {"x": (0.1, 0.2)}, {"edge"}),
    ("1/x**2", {"x": (0.1, 0.2)}, {"edge"}),
    ("tan(x)", {"x": (1.5, 0.1)}, {"edge"}),
    ("gamma(x)", {"x": (0.1, 0.1)}, {"edge"}),
    ("sin(x)/x", {"x": (0.1, 0.2)}, set()),
    ("sinc(x)", {"x": (0.1, 0.1)}, set()),
    ("x**2", {"x": (0, 10)}, set()),
    ("log(1 + exp(x))", {"x": (0.5, 0.5)}, set()),
    ("x**y", {"x": (2, 0.1), "y": (3, 0.1)}, set()),
]


@pytest.mark.parametrize(("expression", "inputs", "kinds"), PLACES, ids=[f"{e} {i}" for e, i, _ in PLACES])
def test_places_within_two_uncertainties(expression, inputs, kinds):
    e = parse(expression).outputs[0][1]
    point = {name: float(value) for name, (value, _) in inputs.items()}
    u = {name: width for name, (_, width) in inputs.items()}
    assert {kind for kind, _, _ in hard_places(e, point, u)} == kinds


def kinds_and_texts(expression, *at, **options):
    return {flag.kind: flag.text for flag in at_point(PropagateJob([expression], at=at, **options)).flags}


def test_a_kink_is_told_with_its_place():
    assert kinds_and_texts("abs(x - 1)", "x=1.05±0.1") == {
        "kink": "f has a kink within 2 u, 0.5 u away, at x=1: linear propagation does not see it"
    }


def test_the_place_has_no_part_of_an_input_without_uncertainty():
    assert not kinds_and_texts("abs(x) + y", "x=0.1,y=1±1")


def test_first_order_sees_nothing():
    found = kinds_and_texts("x**2", "x=0±10")
    assert found.keys() == {"not-linear", "no-effect"}
    assert "0 to first order and 141 to second order" in found["not-linear"]


def test_a_negative_variance_of_second_order():
    found = kinds_and_texts("x - x**3/2", "x=0±1")
    assert "its variance is negative" in found["not-linear"]


def test_an_input_without_effect_on_any_result():
    assert "no-effect" in kinds_and_texts("x - x", "x=0.2±0.01")
    found = at_point(PropagateJob(["x", "x*y"], at=["x=1±0.1,y=0±0.1"])).flags
    assert not found
    found = at_point(PropagateJob(["x", "x + 0*y"], at=["x=1±0.1,y=0±0.1"])).flags
    assert [flag.kind for flag in found] == ["no-effect"]
    assert not kinds_and_texts("x + y", "x=1±0.1,y=0±0")


def test_a_contribution_that_underflows_has_an_effect():
    assert not kinds_and_texts("x**2", "x=1e-200±1e-201")
