"""The note on hard points: what a single one is, and how many of several there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Shell

pytestmark = pytest.mark.quick

HINT = "; --sides shows both sides"
SINGLE = [
    ("abs(x)", "f has a kink here: the slope is -1 on the left, 1 on the right"),
    ("sin(x)/x", "f has a hole here: it has no value there, but tends to 1 on both sides"),
    ("where(x == 0, 5, x)", "f has a hole here: it is 5 there, but tends to 0 on both sides"),
    ("1/x", "f has a pole here: it tends to -inf on the left, to inf on the right"),
    ("floor(x)", "f has a jump here: it tends to -1 on the left, to 0 on the right"),
    ("sqrt(x)", "f has an edge here: it is defined on the right side only; the slope tends to inf"),
    ("cbrt(x)", "f has a vertical slope here: the slope tends to inf on both sides"),
    ("sqrt(abs(x))", "f has a cusp here: the slope tends to -inf on the left, to inf on the right"),
    ("sin(1/x)", "f has an oscillation here: it has no limit on either side"),
    ("exp(1/x)", "f has an essential singularity here: it tends to 0 on the left, to inf on the right"),
    ("sqrt(-x*x)", "f has an isolated point here: it is 0 there, and not defined beside it"),
]
SEVERAL = [
    ("abs(x) + abs(x - 1)", "x=0,1,2", "2 of 3 points lie on a kink"),
    ("sin(x)/x", "x=0,1", "1 of 2 points lies on a hole (1 removable)"),
    ("abs(x) + 1/(x - 1)", "x=0,1,2", "2 of 3 points lie on a kink or a pole (1 kink, 1 pole)"),
    (
        "abs(x) + 1/(x - 1) + floor(x + 0.5)",
        "x=0,1,2,0.5,1.5",
        "4 of 5 points lie on a jump, a kink or a pole (2 jump, 1 kink, 1 pole)",
    ),
    (
        "abs(x) + 1/(x - 1) + floor(x + 0.5) + sin(x - 2)/(x - 2)",
        "x=0,1,2,0.5",
        "4 of 4 points lie on a jump, a kink, a pole, ... (1 jump, 1 kink, 1 pole, 1 removable)",
    ),
]


@pytest.mark.parametrize(("source", "note"), SINGLE)
def test_one_point(shell: Shell, source: str, note: str) -> None:
    _, _, err = shell("diff", source, "--at", "x=0")
    assert err.splitlines()[0] == f"gradcli: note: {note}{HINT}"
    assert shell("diff", source, "--at", "x=0", "--sides")[2].splitlines()[0] == f"gradcli: note: {note}"
    assert shell("diff", source, "--at", "x=0", "-q")[2] == ""


@pytest.mark.parametrize(("source", "grid", "note"), SEVERAL)
def test_several_points(shell: Shell, source: str, grid: str, note: str) -> None:
    assert shell("diff", source, "--grid", grid)[2].splitlines()[0] == f"gradcli: note: {note}{HINT}"


def test_rows_of_a_file(shell: Shell, empty_folder: Path) -> None:
    (empty_folder / "t.csv").write_text("x,y\n0,1\n1,2\n2,0\n")
    (empty_folder / "one.csv").write_text("x,y\n0,1\n")
    words = ["diff", "abs(x)/y", "--csv", "-o", "o.csv", "--input"]
    assert shell(*words, "t.csv")[2].startswith(
        f"gradcli: note: 2 of 3 rows lie on a kink or a pole (1 kink, 1 pole){HINT}\n"
    )
    assert shell(*words, "one.csv")[2] == (
        f"gradcli: note: f has a kink in this row along x: the slope is -1 on the left, 1 on the right{HINT}\n"
    )


def test_other_variables_that_break(shell: Shell) -> None:
    kink = "f has a kink here along x: the slope is 0 on the left, 1 on the right; along"
    assert shell("diff", "max(x, y)", "--at", "x=1,y=1")[2].startswith(
        f"gradcli: note: {kink} y it is not smooth either; --sides"
    )
    five = shell("diff", "max(x, a, b, c, d)", "--at", "x=0,a=0,b=0,c=0,d=0")[2]
    assert five.startswith(f"gradcli: note: {kink} a, b, c, ... it is not smooth either; --sides")


def test_mixed_derivatives_without_agreement(shell: Shell) -> None:
    none = "no value that all directions are known to agree on"
    words = ["diff", "abs(x)*y", "--order", "2", "--csv"]
    assert shell(*words, "--at", "x=0,y=0")[2].splitlines()[0] == (
        f"gradcli: note: 1 mixed derivative has {none}: d2f_dxdy at x=0.0, y=0.0"
    )
    _, _, err = shell("diff", "abs(x)*y + abs(x)*z", "--order", "2", "--csv", "--at", "x=0,y=0,z=0")
    assert f"gradcli: note: 2 mixed derivatives have {none}, such as d2f_dxdy at x=0.0, y=0.0, z=0.0\n" in err


def test_digits_that_are_not_proved(shell: Shell) -> None:
    words = ["diff", "tan(x)", "--at", "x=pi/2", "--csv", "--digits", "30"]
    assert shell(*words)[2].splitlines()[1] == (
        "gradcli: note: 2 numbers could not be proved to 30 digits, so that doubles stand there "
        "(worst: df_dx at x=1.5707963267948966)"
    )
    assert shell("eval", "sin(pi)", "--digits", "30", "--csv") == (0, "f\n0.0\n", "")


def test_values_alone_have_no_kinks(shell: Shell) -> None:
    assert shell("eval", "abs(x)", "--at", "x=0")[2] == ""
    _, _, err = shell("eval", "abs(x) + 1/(x - 1)", "--grid", "x=0,1,2")
    assert err.startswith(f"gradcli: note: 1 of 3 points lies on a pole{HINT}\n")


def test_what_cannot_be_said(shell: Shell) -> None:
    _, _, err = shell("diff", "x**pi", "--at", "x=0")
    assert err == "gradcli: note: this arithmetic cannot say what f does there\n"
    _, _, err = shell("diff", "x**pi", "--grid", "x=0,1")
    assert err == "gradcli: note: this arithmetic cannot say what lies at 1 of 2 points\n"


def test_names(shell: Shell) -> None:
    _, _, err = shell("diff", "`a b` = abs(`c d`)*y", "--at", "`c d`=0,y=1")
    assert err == (
        f"gradcli: note: `a b` has a kink here along `c d`: the slope is -1 on the left, 1 on the right{HINT}\n"
    )


def test_decimals_whose_digits_doubles_lose(shell: Shell) -> None:
    _, _, err = shell("diff", "1/sqrt(1-v**2/c**2)", "--wrt", "v", "--at", "v=299792457.99,c=299792458")
    assert err == (
        "gradcli: note: 2 numbers differ between what was typed and the doubles nearest to it (worst: df_dv at "
        "v=299792457.99, c=299792458.0, 5 digits agree); --digits 18 takes it as typed\n"
    )
    assert shell("diff", "sqrt(1+x**2)", "--order", "2", "--at", "x=1e8")[2] == ""


def test_several_results_at_one_point(shell: Shell) -> None:
    note = "gradcli: note: f1 has a kink here: the slope is -1 on the left, 1 on the right"
    assert shell("diff", "abs(x)", "relu(x)", "--at", "x=0")[2] == f"{note}; another result breaks here too{HINT}\n"
    _, _, err = shell("diff", "abs(x)", "x", "relu(x)", "sign(x)", "--at", "x=0")
    assert err == f"{note}; 2 other results break here too{HINT}\n"


def test_large_counts_are_grouped(shell: Shell) -> None:
    _, _, err = shell("eval", "log(x)", "--grid", "x=-1000:-1:1000", "--grid", "y=1,2", "--allow-unused", "--csv")
    assert err == "gradcli: note: 2,000 non-finite values in f\n"


def test_proved_digits_have_no_note_on_lost_ones(shell: Shell, empty_folder: Path) -> None:
    (empty_folder / "t.csv").write_text("x\n1e-9\n")
    words = ["eval", "(1 - cos(x))/x**2", "--input", "t.csv", "--csv"]
    assert "fewer than 10 right digits" in shell(*words)[2]
    assert shell(*words, "--digits", "20") == (0, "x,f\n1e-9,0.49999999999999999996\n", "")


def test_digits_lost_without_care(shell: Shell) -> None:
    plain = ["diff", "sqrt(1+x**2)", "--order", "2", "--at", "x=1e8", "--no-careful"]
    note = "gradcli: note: 1 number has fewer than 10 right digits (worst: d2f_dx2: 0); --careful repairs it\n"
    assert shell(*plain)[2] == note
    assert shell(*plain, "--kink", "convention")[2] == ""
    assert "(worst: d2f_dx2 at point 2: 0)" in shell(*plain[:4], "--grid", "x=1,1e8,1e9", "--no-careful")[2]
