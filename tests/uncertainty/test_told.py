"""What is told about a result: names that collide, zeros, digits, notes, and options that have no place."""

import json
import math

import pytest

from gradcli.errors import GradError
from gradcli.uncertainty.budget import at_point
from gradcli.uncertainty.distributions import distribution
from gradcli.uncertainty.request import PropagateJob
from gradcli.uncertainty.texts import text

pytestmark = pytest.mark.quick


def answer(expression, *at, **options):
    return at_point(PropagateJob([expression], at=at, **options))


@pytest.mark.parametrize(("expression", "at", "slopes"), [
    ("c_x = x**2", "x=3(1)", [{"x": 6}]),
    ("x**2*c_x", "x=3(1),c_x=5(1)", [{"x": 30, "c_x": 9}]),
    ("a = x; c_a_x = x; b = x**2", "x=3(1)", [{"x": 1}, {"x": 1}, {"x": 6}]),
    ("a = b_x + x; a_b = x*b_x", "x=3(1),b_x=2(1)", [{"x": 1, "b_x": 1}, {"x": 2, "b_x": 3}]),
    ("linear*x**2", "x=3(1),linear=2(1)", [{"x": 12, "linear": 9}]),
    ("contribution = x**2", "x=3(1)", [{"x": 6}]),
])  # fmt: skip
def test_a_budget_is_right_whatever_names_are_taken(expression, at, slopes):
    found = answer(expression, at)
    assert [{name: line.sensitivity for name, line in o.budget.items()} for o in found.outcomes] == slopes


def test_second_order_looked_at_aside_takes_no_name():
    found = answer("f = exp(x); u_f_second = 7*x", "x=0(1)")
    assert found.outcomes[0].second[1] == pytest.approx(math.sqrt(2.5))
    assert found.outcomes[1].value == 0
    point = answer("linear*x**2", "x=3(1),linear=2(1)")
    assert point.outcomes[0].budget["linear"].value == 2


def test_zeros_have_no_sign():
    line = answer("-x*y", "x=0±1,y=0±1").outcomes[0].budget["x"]
    assert math.copysign(1, line.sensitivity) == 1


def test_a_contribution_may_be_a_double_where_the_sensitivity_is_none():
    line = answer("1/x", "x=1e-160±1e-161").outcomes[0].budget["x"]
    assert (line.contribution, line.share) == (pytest.approx(1e159), pytest.approx(1))


def test_limits_are_taken_as_typed():
    fixed = distribution("R(1.1,1.3)", "--dist").fixed
    assert (fixed.mean, fixed.width) == (1.2, 0.1)
    assert distribution("U(0e999999999,1)", "--dist").fixed.mean == 0.5
    wide = distribution("R(-1.7e308,1.7e308)", "--dist").fixed
    assert (wide.mean, wide.width) == (0, 1.7e308)


def test_a_computed_uncertainty_has_six_digits():
    assert "1.2  0.057735 " in text(answer("x", dist=["x=R(1.1,1.3)"]))
    assert "0.333333 " in text(answer("x", "x=1", u=["x=1/3"]))


def test_outputs_without_a_two_sided_input_have_one_uncertainty():
    told = text(answer("a = x; b = 2*y; c = x*0 + 1", "x=1±0.1,y=1+0.2-0.1"))
    assert told.startswith("a = 1.00(10)\n")
    assert "\nb = 2.00+0.40-0.20\n" in told
    assert "\nc = 1(0)\n" in told


def test_second_order_is_not_advised_where_it_is_told():
    plain, told = (answer("x**2", "x=0±10", second_order=second).flags[0].text for second in (False, True))
    assert plain == f"{told}: --second-order"


def test_notes_are_about_results():
    found = answer("a = x + y; b = x - y", "x=1±0.1,y=1±0.1", corr=["x,y=1"], correlations=True)
    assert not [note for note in found.columns.notes if note]
    assert "u_f has a pole here along x: it is defined" in answer("sqrt(x)", "x=0±0.1").columns.notes[1]


def test_a_distribution_of_no_variable():
    with pytest.raises(GradError, match="--dist: 'y' is not used"):
        answer("x", dist=["y=R(1,2)"])


def test_few_degrees_of_freedom_in_a_simulation():
    from gradcli.uncertainty.texts import notes

    found = answer("x + 0*y", "x=1±1,y=1±1", df=["x=1,y=1"], mc="20000")
    assert [note for note in notes(found) if "Student's t of x, with 2 or fewer" in note]
    # The limits have digits of their own beside a deviation that draws far away have made.
    assert "95 % from -1" in text(found)
    assert not [*notes(answer("x", "x=1±1", df=["x=3"], mc="20000"))]


@pytest.mark.parametrize("options", [["--mc", "1e4"], ["--coverage", "95"]])
def test_numbers_without_a_place(shell, options):
    code, out, err = shell("propagate", "x*y", *options)
    assert (code, out) == (2, "")
    assert f"{options[0]} is for a result at one point, and there are none" in err


def test_readings_in_proportion(shell, tmp_path):
    (tmp_path / "s.csv").write_text("a,b\n1,2\n2,4\n3,6\n")
    code, out, _ = shell("propagate", "a - b/2", "--samples", str(tmp_path / "s.csv"), "--json")
    assert (code, json.loads(out)["columns"]["u_f"]) == (0, 0)
    (tmp_path / "c.csv").write_text(",a,b\na,0.01,0.03\nb,0.03,0.09\n")
    code, out, _ = shell("propagate", "3*a - b", "--at", "a=1,b=3", "--cov", str(tmp_path / "c.csv"), "--json")
    assert (code, json.loads(out)["columns"]["u_f"]) == (0, pytest.approx(0, abs=1e-16))


def test_coverage_of_correlated_readings_gives_advice_that_can_be_taken(shell, tmp_path):
    (tmp_path / "s.csv").write_text("a,b\n1,2\n2,4\n3,7\n")
    err = shell("propagate", "a*b", "--samples", str(tmp_path / "s.csv"), "--coverage", "95")[2]
    assert "such as -k 2\n" in err
    assert "--df" not in err


def test_what_rounding_leaves_of_second_order_is_no_flag():
    assert [flag.kind for flag in answer("x**2*(3/x)/x", "x=1.253±0.187").flags] == ["no-effect"]
    assert "not-linear" in [flag.kind for flag in answer("x**2", "x=0±1e-9").flags]


def test_a_pole_in_many_inputs_is_told_soon():
    many = ",".join([f"x{k}=1.0±0.1" for k in range(50)])
    found = answer(f"({'+'.join([f'x{k}' for k in range(50)])})/y", many, "y=0±1")
    # Looking for the sensitivities too takes half a minute for 100 inputs.
    assert (found.outcomes[0].value, found.outcomes[0].u) == (math.inf, math.inf)


def test_hidden_columns_are_not_named():
    notes = answer("exp(x)/exp(x + 1)", "x=800±1").columns.notes
    assert not [note for note in notes if "\0" in note]
