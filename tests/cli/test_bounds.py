"""The command bounds: what is proved over a box, what is refused and how it is told."""

from __future__ import annotations

import json
import math

import pytest
from command import Shell

from gradcli.job import bounds as job

pytestmark = pytest.mark.quick
pytest.importorskip("flint")


def found(shell: Shell, *words: str) -> dict[str, dict[str, object]]:
    """The bounds as JSON, by name."""
    code, out, _ = shell("bounds", *words, "--json")
    rows = {row["name"]: row for row in json.loads(out)["bounds"]}
    assert code == int(any(row["why"] for row in rows.values()))
    return rows


def test_table(shell: Shell) -> None:
    assert shell("bounds", "abs(x - 1)", "--over", "x=0:3") == (
        0,
        "over x=0:3\n\n       least  greatest\nf      0      2\ndf_dx  -1     1\n",
        "",
    )


def test_several_outputs_and_orders(shell: Shell) -> None:
    rows = found(shell, "u = x*y", "v = exp(x)", "--over", "x=0:1,y=-1:2", "--order", "2", "--wrt", "x")
    assert list(rows) == ["u", "du_dx", "d2u_dx2", "v", "dv_dx", "d2v_dx2"]
    assert (rows["u"]["least"], rows["u"]["greatest"]) == ([-1, -1], [2, 2])
    low, high = rows["d2v_dx2"]["greatest"]
    assert low <= math.e <= high
    assert all(row["met"] for row in rows.values())


def test_a_file_of_expressions(shell: Shell, tmp_path) -> None:
    path = tmp_path / "model.grad"
    path.write_text("r = x**2\ns = 3*x\n")
    assert set(found(shell, "-f", str(path), "--over", "x=1:2", "--order", "0")) == {"r", "s"}


@pytest.mark.parametrize(
    ("over", "low", "high"), [("x=2:2", 2, 2), ("x=1/4:1/2", 0.25, 0.5), ("x=-1e22:1e22", -1e22, 1e22)]
)
def test_boxes(shell: Shell, over: str, low: float, high: float) -> None:
    row = found(shell, "x", "--over", over, "--order", "0", "--tol", "0")["f"]
    assert (row["least"], row["greatest"], row["met"]) == ([low, low], [high, high], True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--over x=1:0", "--over x=1:0: the range ends before it begins\n  the other way: x=0:1"),
        ("--over x=0:inf", "--over: the range of 'x' has no end: inf is not finite"),
        ("--over x=nan:1", "--over: the range of 'x' has no end: nan is not finite"),
        ("--over x=0", "--over needs NAME=LOW:HIGH, such as x=0:1, not 'x=0'"),
        ("--over x=0:1:2", "--over needs NAME=LOW:HIGH, such as x=0:1, not 'x=0:1:2'"),
        ("--over x=0:1 --over x=0:2", "--over: 'x' is given twice"),
        ("--over y=0:1", "'y' is not used in the expression"),
        ("--over y=0:1 --allow-unused", "variable 'x' has no range\n  give it one: --over x=0:1"),
        ("--over x=0:1 --tol -1", "--tol is a number from 0, such as 1e-9"),
        ("--over x=0:1 --tol nan", "--tol is a number from 0, such as 1e-9"),
        ("", "variable 'x' has no range\n  give it one: --over x=0:1"),
        ("--over x=0:1 --order 200", "bounds of 201 outputs and derivatives are beyond the limit of 100"),
        ("--over x=0:1 --format csv", "bounds are told as table or json, not as csv"),
    ],
)
def test_wrong_requests(shell: Shell, words: str, message: str) -> None:
    code, out, err = shell("bounds", "exp(x)", *words.split())
    assert (code, out) == (2, "")
    assert err.startswith(f"gradcli: error: {message}")


def test_a_constant_has_no_box(shell: Shell) -> None:
    code, _, err = shell("bounds", "exp(1)")
    assert (code, err) == (2, "gradcli: error: there is no variable, and so no box\n  its value: gradcli eval\n")


@pytest.mark.parametrize(
    ("text", "over", "why"),
    [
        ("1/x", "x=-1:1", "no value at x=0"),
        ("log(x)", "x=0:1", "no value at x=0"),
        ("sqrt(x)", "x=-2:-1", "no value at x=-1"),
        ("tan(x)", "x=0:2", "no bound that could be proved near x=1.570796326795"),
        ("where(x != 0, sin(x)/x, 1)", "x=-1:1", "no bound that could be proved near x=0"),
        ("1/(x*y - 1/4)", "x=0:1,y=0.5:0.5", "no value at x=0.5, y=0.5"),
    ],
)
def test_no_bounds(shell: Shell, text: str, over: str, why: str) -> None:
    code, out, err = shell("bounds", text, "--over", over, "--order", "0")
    assert (code, out.splitlines()[-1]) == (1, f"f  {why}")
    assert err.startswith("gradcli: note: f: no bounds; ")
    assert found(shell, text, "--over", over, "--order", "0")["f"] == {
        "name": "f", "least": None, "greatest": None, "met": False, "why": why,
    }  # fmt: skip


def test_other_rows_stand(shell: Shell) -> None:
    rows = found(shell, "sqrt(x)", "--over", "x=0:1")
    assert (rows["f"]["least"], rows["f"]["greatest"]) == ([0, 0], [1, 1])
    assert rows["df_dx"]["why"] == "no value at x=0"


@pytest.mark.parametrize(("text", "over", "tol"), [("sin(x)", "x=0:3", "0"), ("sin(x)", "x=1e6:2e6", "1e-9")])
def test_a_tolerance_that_is_not_met(shell: Shell, text: str, over: str, tol: str) -> None:
    code, _, err = shell("bounds", text, "--over", over, "--order", "0", "--tol", tol)
    assert code == 0
    assert err.startswith("gradcli: note: f: proved, but not as narrow as --tol")
    row = found(shell, text, "--over", over, "--order", "0", "--tol", tol)["f"]
    assert not row["met"]
    assert row["greatest"][0] <= 1 <= row["greatest"][1]
    assert shell("bounds", text, "--over", over, "--order", "0", "--tol", tol, "-q")[2] == ""


def test_beyond_doubles(shell: Shell) -> None:
    row = found(shell, "x*x", "--over", "x=-1e308:1e308", "--order", "0")["f"]
    assert (row["least"], row["greatest"], row["met"]) == ([0, 0], [1.7976931348623157e308, None], False)


def test_without_flint(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcli.truth.repair.available", lambda: False)
    code, _, err = shell("bounds", "x", "--over", "x=0:1")
    assert (code, err) == (2, "gradcli: error: proved bounds need python-flint\n  pip install python-flint\n")


def test_an_end_that_is_no_fraction_is_its_double() -> None:
    assert float(job.read_box(["x=0:pi/2"])["x"].high) == math.pi / 2
