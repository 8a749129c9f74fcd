"""--why: the first three results that are not finite, each with the step where that began."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import Shell, environment

pytestmark = pytest.mark.quick

ENGINES = ("scalar", "vector", "native")
LIMITS = "; from the right f -> 3, slope -inf (edge, removable, vertical)"
PICTURE = f"""\
gradcli: note: row 3 (x=0): f is nan here: 0 times inf
  3 + x*log(x)
      ^^^^^^^^
  x is 0, log(x) is -inf (born at log(x): log of 0){LIMITS}
"""
SLOPE = f"""\
gradcli: note: row 3 (x=0): df_dx is nan here: 0 times inf in the slope of log at 0
  3 + x*log(x)
        ^^^^^^
  x is 0, 1/x is inf (born at 1/x: division by 0){LIMITS}
"""
COUNT = (
    "gradcli: note: 1 of 3 points lies on a hole (1 edge+removable+vertical); --sides shows both sides\n"
    "gradcli: note: 1 non-finite value in f, 1 in df_dx\n"
)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("form", ["table", "csv", "jsonl", "json", "markdown"])
def test_certificates_come_after_the_output(shell: Shell, engine: str, form: str) -> None:
    words = ["diff", "3 + x*log(x)", "--grid", "x=2,1,0", "--format", form, "--engine", engine]
    code, plain, note = shell(*words)
    assert (code, note) == (0, COUNT)
    code, out, err = shell(*words, "--why")
    assert (code, err) == (0, COUNT + PICTURE + SLOPE)
    assert out == plain or form == "json"


def test_json_has_them_as_a_member(shell: Shell) -> None:
    code, out, _ = shell("diff", "3 + x*log(x)", "--grid", "x=2,1,0", "--why", "--json")
    assert code == 0
    assert json.loads(out)["born"] == [
        {
            "row": 3, "point": {"x": 0.0}, "column": "f", "value": "nan",
            "text": f"0 times inf; x is 0, log(x) is -inf (born at log(x): log of 0){LIMITS}",
            "span": [4, 12], "source": "3 + x*log(x)",
            "limits": {"wrt": "x", "verdict": "edge+removable+vertical", "left": None, "right": 3.0},
        },
        {
            "row": 3, "point": {"x": 0.0}, "column": "df_dx", "value": "nan",
            "text": f"0 times inf in the slope of log at 0; x is 0, 1/x is inf (born at 1/x: division by 0){LIMITS}",
            "span": [6, 12], "source": "3 + x*log(x)",
            "limits": {"wrt": "x", "verdict": "edge+removable+vertical", "left": None, "right": "-inf"},
        },
    ]  # fmt: skip


def test_json_without_any(shell: Shell) -> None:
    assert json.loads(shell("eval", "x", "--at", "x=1", "--why", "--json")[1])["born"] == []
    assert "born" not in json.loads(shell("eval", "1/x", "--at", "x=0", "--json")[1])


def test_a_point_that_is_not_finite_is_told_as_a_text(shell: Shell) -> None:
    (born,) = json.loads(shell("eval", "x + y", "--at", "x=inf,y=1", "--why", "--json")[1])["born"]
    assert (born["point"], born["value"]) == ({"x": "inf", "y": 1.0}, "inf")
    assert born["text"] == "x is inf in the input"


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_three_in_order_of_rows_then_columns(shell: Shell, engine: str) -> None:
    _, _, err = shell("diff", "log(x)", "1/y", "--grid", "x=1,0,-1", "--grid", "y=0,1", "--why", "--engine", engine)
    heads = [line for line in err.splitlines() if " is " in line and "row" in line]
    assert heads == [
        "gradcli: note: row 1 (x=1, y=0): f2 is inf here: division by 0",
        "gradcli: note: row 1 (x=1, y=0): df2_dy is -inf here: division by 0 in the slope of the quotient at (1, 0)",
        "gradcli: note: row 3 (x=0, y=0): f1 is -inf here: log of 0",
    ]


def test_a_late_row_of_a_long_grid(shell: Shell) -> None:
    _, _, err = shell("eval", "1/(x - 99999)", "--grid", "x=0:100000:100001", "--why", "-o", "o.csv")
    assert "row 100000 (x=99999): f is inf here: division by 0" in err
    _, _, err = shell("eval", "1/(x - 99999)", "--grid", "x=0:100000:100001", "--why", "-o", "o.npy", "--threads", "2")
    assert "row 100000 (x=99999): f is inf here: division by 0" in err


def test_rows_of_a_file(shell: Shell, empty_folder: Path) -> None:
    (empty_folder / "t.csv").write_text("x,y,name\n1,2,a\n" + "2,2,b\n" * 5 + "nan,3,c\n0,0,d\n")
    _, _, err = shell("eval", "x/y", "--input", "t.csv", "--keep", "--na", "nan", "--why", "-o", "o.csv")
    assert err == (
        "gradcli: note: 1 of 8 rows lies on a hole (1 removable); --sides shows both sides\n"
        "gradcli: note: 2 non-finite values in f\n"
        "gradcli: note: row 7 (x=nan, y=3): f is nan here: x is nan in the input\n  x/y\n  ^\n"
        "gradcli: note: row 8 (x=0, y=0): f is nan here: 0/0\n  x/y\n  ^^^\n  x is 0, y is 0; "
        "along y from both sides f -> 0 (removable)\n"
    )


def test_expressions_of_a_file(shell: Shell, empty_folder: Path) -> None:
    (empty_folder / "e.grad").write_text("r = sqrt(x*x)\nu = log(r)\n")
    _, _, err = shell("diff", "-f", "e.grad", "--at", "x=0", "--why")
    assert err == (
        "gradcli: note: u has a pole here: it tends to -inf on both sides; --sides shows both sides\n"
        "gradcli: note: 1 non-finite value in u, 1 in du_dx\n"
        "gradcli: note: e.grad:2:5: at x=0: u is -inf here: log of 0\n"
        "  u = log(r)\n      ^^^^^^\n  sqrt(x*x) is 0; from both sides u -> -inf (log)\n"
        "gradcli: note: e.grad:1:5: at x=0: du_dx is nan here: 0 times inf in the slope of sqrt at 0\n"
        "  r = sqrt(x*x)\n      ^^^^^^^^^\n"
        "  2*x is 0, 0.5/sqrt(x*x) is inf (born at 0.5/sqrt(x*x): division by 0); from both sides u -> -inf (log)\n"
    )


def test_several_texts_each_with_its_own_places(shell: Shell) -> None:
    _, _, err = shell("eval", "log(x)", "y = 1 + log(x)", "--at", "x=0", "--why")
    assert "f is -inf here: log of 0\n  log(x)\n  ^^^^^^\n" in err
    assert "y is -inf here: log of 0\n  y = 1 + log(x)\n          ^^^^^^\n" in err


def test_a_filled_shape(shell: Shell) -> None:
    _, _, err = shell("eval", "1/(x - 2)", "--grid", "2x2", "--fill", "i + j", "--why")
    assert "row 4 (x=2): f is inf here: division by 0" in err


def test_a_chosen_column_alone(shell: Shell) -> None:
    _, _, err = shell("diff", "log(x)", "--at", "x=0", "--select", "df_dx", "--why", "--csv")
    assert err.count("is inf here:") == 1
    assert "df_dx is inf here: division by 0 in the slope of log at 0" in err


@pytest.mark.parametrize("form", ["csv", "json"])
def test_strict(shell: Shell, form: str) -> None:
    code, out, err = shell("diff", "3 + x*log(x)", "--grid", "x=1,0", "--why", "--strict", "--format", form)
    assert (code, out) == (1, "")
    assert err == (
        "gradcli: error: at x=0.0: f is nan: 0 times inf\n"
        "  3 + x*log(x)\n      ^^^^^^^^\n  x is 0, log(x) is -inf (born at log(x): log of 0)"
        f"{LIMITS}\n"
    )


def test_other_errors_stay_as_they_are(shell: Shell, empty_folder: Path) -> None:
    (empty_folder / "t.csv").write_text("x\n0\nzero\n")
    words = ["eval", "1/x", "--input", "t.csv", "--csv"]
    assert shell(*words, "--why") == shell(*words)


def test_quiet_leaves_the_member_alone(shell: Shell) -> None:
    _, out, err = shell("eval", "1/x", "--at", "x=0", "--why", "-q", "--json")
    assert err == ""
    assert len(json.loads(out)["born"]) == 1


REDUCED = [
    ("t - mean(log(t))", "row 1 (t=1): f is inf here: mean over all points is -inf", "mean(log(t))",
     "log(t) is -inf in row 3 (t=0) (born at log(t): log of 0)"),
    ("sum(log(t - 2))", "f is nan here: sum over all points is nan", "sum(log(t - 2))",
     "log(t - 2) is nan in row 1 (t=1) (born at log(t - 2): log of a negative number)"),
    ("sum(1e308 + 0*t)", "f is inf here: sum over all points is inf", "sum(1e308 + 0*t)",
     "1e308 + 0*t is finite in every row, all together too large for a double"),
    ("log(min(t))", "f is -inf here: log of 0", "log(min(t))", "min(t) is 0"),
    ("sum(t/(min(t) - mean(0*t)))", "f is nan here: sum over all points is nan", "sum(t/(min(t) - mean(0*t)))",
     "t/(min(t) - mean(0*t)) is nan in row 3 (t=0) (born at t/(min(t) - mean(0*t)): 0/0)"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "head", "step", "values"), REDUCED)
def test_reductions(shell: Shell, empty_folder: Path, source: str, head: str, step: str, values: str) -> None:
    (empty_folder / "t.csv").write_text("t\n1\n2\n0\n")
    _, _, err = shell("eval", source, "--input", "t.csv", "--why")
    carets = " " * source.index(step) + "^" * len(step)
    assert f"gradcli: note: {head}\n  {source}\n  {carets}\n  {values}\n" in err


def test_a_reduction_over_a_filled_shape(shell: Shell) -> None:
    _, _, err = shell("eval", "sum(log(x))", "--grid", "3", "--fill", "i", "--why")
    assert "log(x) is -inf in row 1 (x=0) (born at log(x): log of 0)" in err


def test_names_cannot_drive_a_terminal_or_a_server(shell: Shell) -> None:
    name = "a\x1b[31m\u202e##[x]"
    _, out, err = shell("eval", f"log(`{name}`)", "--at", f"`{name}`=0", "--why", "--json")
    assert "\x1b" not in out + err
    assert "\u202e" not in err
    assert "##[" not in err
    assert "f is -inf here: log of 0" in err


def test_many_variables(shell: Shell) -> None:
    names = [f"x{k}" for k in range(100)]
    source = " + ".join([*names, "1/x7"])
    _, _, err = shell("eval", source, *[w for n in names for w in ("--at", f"{n}=0")], "--why")
    assert "at x0=0, x1=0, x2=0, x3=0, x4=0, x5=0, x6=0, x7=0, ...: f is inf here: division by 0" in err


def test_without_points_it_changes_nothing(shell: Shell) -> None:
    assert shell("diff", "log(x)", "--why") == shell("diff", "log(x)")


def test_nothing_of_it_is_imported_without_it() -> None:
    program = (
        "import sys; from gradcli.cli import run; run(['diff', '1/x', '--at', 'x=0']); "
        "sys.exit(any(name.endswith(('.born', '.birth', '.reasons', '.owners')) for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], env=environment(), capture_output=True, check=False)
    assert done.returncode == 0


LIMITED = [
    ("sin(x)/x", "x=0", "from both sides f -> 1, slope 0 (removable)"),
    ("1/x", "x=0", "from the left f -> -inf; from the right f -> inf (pole)"),
    ("sin(1/x)", "x=0", "f has no limit from either side (oscillating)"),
    ("abs(x - 0.3)/(x - 0.3)", "x=0.3", "from the left f -> -1, slope 0; from the right f -> 1, slope 0 (jump)"),
    ("cos(x)/(x - pi/2)", "x=pi/2", "from both sides f -> -1, slope 0 (removable)"),
    ("y*sin(x)/x", "x=0,y=2", "along x from both sides f -> 2, slope 0 (removable)"),
    ("a = log(x); a*x", "x=0", "from the right f -> 0, slope -inf (edge, removable, vertical)"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "at", "limits"), LIMITED)
def test_the_limits_end_the_last_line(shell: Shell, source: str, at: str, limits: str) -> None:
    _, _, err = shell("diff", source, "--at", at, "--why")
    pictures = err.split("f is ")[1:]
    assert pictures[0].split("gradcli: note:")[0].rstrip("\n").endswith(f"; {limits}")


@pytest.mark.parametrize(
    ("source", "at"),
    [("exp(x) - exp(x + 1)", "x=800"), ("sqrt(x)", "x=-1"), ("sin(x)", "x=inf"), ("log(x)*y", "x=-1,y=0")],
)
def test_no_limits_where_there_is_no_side_or_nothing_breaks(shell: Shell, source: str, at: str) -> None:
    _, out, err = shell("eval", source, "--at", at, "--why", "--json", "--no-careful", "--kink", "convention")
    assert " -> " not in err
    (born,) = json.loads(out)["born"]
    assert born["limits"] is None


def test_limits_of_derivatives(shell: Shell) -> None:
    _, out, err = shell("diff", "abs(x)**1.5*y", "--at", "x=0,y=1", "--wrt", "x", "--order", "2", "--why", "--json")
    (born,) = json.loads(out)["born"]
    assert born["column"] == "d2f_dx2"
    assert born["limits"] == {"wrt": "x", "verdict": "vertical", "left": "inf", "right": "inf"}
    assert err.endswith("; from both sides f -> 0, slope 0, d2f_dx2 inf (vertical)\n")


def test_without_python_flint(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcli.truth.repair.available", lambda: False)
    _, out, err = shell("eval", "sin(x)/x", "--at", "x=0", "--why", "--json")
    assert err.endswith("  sin(x) is 0, x is 0\n")
    assert json.loads(out)["born"][0]["limits"] is None


def test_python_flint_is_loaded_for_a_certificate_alone() -> None:
    program = (
        "import sys; from gradcli.cli import run; run(['eval', '1/x', '--at', 'x=2', '--why', '--csv']); "
        "assert 'flint' not in sys.modules; run(['eval', '1/x', '--at', 'x=0', '--why', '--csv']); "
        "assert 'flint' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], env=environment(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
