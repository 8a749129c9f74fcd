"""Columns about hard points: their names, and inputs without rows."""

from __future__ import annotations

import json

import pytest
from command import Shell


@pytest.mark.quick
@pytest.mark.parametrize(
    ("expression", "at", "option", "clash"),
    [
        ("f_left = x; f = abs(x)", "x=0", "--sides", "f_left"),
        ("f = abs(f_left)", "f_left=0", "--sides", "f_left"),
        ("f = abs(x) + x_left", "x=0,x_left=1", "--sides", "df_dx_left"),
        ("f_verdict = x; f = abs(x)", "x=0", "--verdict", "f_verdict"),
        ("f_trust = x; f = abs(x)", "x=0", "--trust", "f_trust"),
    ],
)
def test_no_column_stands_for_two(shell: Shell, expression, at, option, clash):
    assert shell("diff", expression, "--at", at)[0] == 0
    code, out, err = shell("diff", expression, "--at", at, option)
    assert (code, out) == (2, "")
    assert f"two columns would be called '{clash}'" in err


@pytest.mark.quick
def test_proved_digits_of_no_rows(shell: Shell, tmp_path):
    path = tmp_path / "none.csv"
    path.write_text("x\n")
    code, out, _ = shell("diff", "abs(x)", "--input", str(path), "--digits", "30", "--json")
    assert code == 0
    assert json.loads(out)["columns"] == {"x": [], "f": [], "df_dx": []}
    assert shell("eval", "2/3", "--digits", "20", "--csv")[1] == "f\n0.66666666666666666667\n"


@pytest.mark.quick
def test_proved_digits_need_no_repair(shell: Shell, tmp_path):
    path = tmp_path / "small.csv"
    path.write_text("x\n5e-324\n")
    code, out, err = shell("diff", "abs(x)**3", "--input", str(path), "--digits", "20", "--csv")
    assert (code, out, err) == (0, "x,f,df_dx\n5e-324,1.25e-970,7.5e-647\n", "")


@pytest.mark.quick
@pytest.mark.parametrize("expression", ["sqrt(x-x)", "cbrt((x-x)/x)**4", "(sin(x)-sin(x))**0.5"])
def test_a_root_of_what_is_zero_everywhere_has_a_slope(shell: Shell, expression):
    for more in ([], ["--sides", "--select", "x,f,df_dx"]):
        _, out, _ = shell("diff", expression, "--at", "x=2.5", "--csv", *more)
        assert out == "x,f,df_dx\n2.5,0.0,0.0\n"


def test_a_repaired_number_and_its_sides_are_one(shell: Shell):
    for more in ([], ["--exact"]):
        _, out, _ = shell("diff", "asinh(asin(x))", "--at", "x=0.001", "--order", "2", "--sides", "--json", *more)
        columns = json.loads(out)["columns"]
        second = [columns[name] for name in ("d2f_dx2", "d2f_dx2_left", "d2f_dx2_right")]
        # By mpmath.
        assert second == [pytest.approx(1.3333338000015874e-9, rel=1e-15)] * 3
        assert len({*second}) == 1


def test_mixed_derivatives_of_many_variables(shell: Shell):
    """Of 2,415 mixed ones 70 hang on terms in which their variables meet."""
    n = 70
    terms = "+".join(f"abs(x{i})*x{(i + 1) % n}" for i in range(n))
    at = ",".join(f"x{i}=0" for i in range(n))
    chosen = "d2f_dx1dx2,d2f_dx1dx5"
    _, out, _ = shell("diff", terms, "--at", at, "--order", "2", "--select", chosen, "--csv")
    assert out == f"{chosen}\nnan,0.0\n"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("abs(x)**3+x*y", "1.0"),
        ("(relu(x)-relu(-x))*y-x", "1.0"),
        ("relu(x)*(y+1)-relu(-x)*y-relu(-x)", "1.0"),  # a kink that a term without y cancels
        ("sqrt(x**4)-cbrt(y)**6", "0.0"),
        ("abs(x)*y+x*y", "nan"),
    ],
)
def test_mixed_derivatives_of_sums(shell: Shell, expression, value):
    _, out, _ = shell("diff", expression, "--order", "2", "--at", "x=0,y=0", "--select", "d2f_dxdy", "--csv")
    assert out == f"d2f_dxdy\n{value}\n"
