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
