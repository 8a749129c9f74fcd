"""--kink error: exit 1 at the first hard point, with the step that breaks under a caret."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Shell

pytestmark = pytest.mark.quick

REFUSED = [
    ("1 + abs(x)", "x=0", "f has a kink: the slope is -1 on the left, 1 on the right", "abs(x)"),
    ("abs(x - 0.3)", "x=0.3", "f has a kink: the slope is -1 on the left, 1 on the right", "abs(x - 0.3)"),
    ("y*sin(x)/(x)", "x=0,y=1", "f has a hole along x: it has no value there, but tends to 1 on both sides",
     "y*sin(x)/(x)"),
    ("3 - 2/(x - 1)", "x=1", "f has a pole: it tends to inf on the left, to -inf on the right", "x - 1"),
    ("cos(abs(x)) + relu(x)", "x=0", "f has a kink: the slope is 0 on the left, 1 on the right", "relu(x)"),
    ("a = x - 1; b = sqrt(a); 3*b", "x=1",
     "f has an edge: it is defined on the right side only; the slope tends to inf", "sqrt(a)"),
    ("diff(x*abs(x), x)", "x=0", "f has a kink: the slope is -2 on the left, 2 on the right", "abs(x)"),
    ("where(x > 1, x, 1)", "x=1", "f has a kink: the slope is 0 on the left, 1 on the right", "x > 1"),
    ("max(x, y)*2", "x=1,y=1", "f has a kink along x: the slope is 0 on the left, 2 on the right", "max(x, y)"),
    ("y + tan(x)", "x=pi/2,y=0", "f has a pole along x: it tends to inf on the left, to -inf on the right", "tan(x)"),
    ("abs(`a b`)", "`a b`=0", "f has a kink: the slope is -1 on the left, 1 on the right", "abs(`a b`)"),
    ("x**pi", "x=0", "this arithmetic cannot say what f does there", "x**pi"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "at", "message", "step"), REFUSED)
def test_the_step_that_breaks(shell: Shell, source: str, at: str, message: str, step: str) -> None:
    code, out, err = shell("diff", source, "--at", at, "--kink", "error")
    assert (code, out) == (1, "")
    head, line, carets = err.splitlines()[:3]
    assert head.startswith("gradcli: error: at ")
    assert head.endswith(f": {message}")
    assert line == f"  {source}"
    assert carets == "  " + " " * source.index(step) + "^" * len(step)


@pytest.mark.parametrize("engine", ["scalar", "vector", "native"])
def test_the_first_row_of_a_file_and_of_a_grid(shell: Shell, empty_folder: Path, engine: str) -> None:
    (empty_folder / "t.csv").write_text("x\n2\n1\n0\n")
    words = ["diff", "abs(x) + relu(x - 1)", "--kink", "error", "--engine", engine, "--csv"]
    for points in (["--input", "t.csv"], ["--grid", "x=2,1,0"]):
        code, _, err = shell(*words, *points)
        assert code == 1
        assert err == (
            "gradcli: error: at x=1.0: f has a kink: the slope is 1 on the left, 2 on the right\n"
            "  abs(x) + relu(x - 1)\n           ^^^^^^^^^^^\n"
        )


def test_a_file_of_expressions(shell: Shell, empty_folder: Path) -> None:
    (empty_folder / "e.grad").write_text("r = x*x\nu = r + abs(x)\n")
    code, _, err = shell("diff", "-f", "e.grad", "--at", "x=0", "--kink", "error")
    assert code == 1
    assert err.startswith("gradcli: error: e.grad:2:9: at x=0.0: u has a kink: the slope is -1 on the left")
    assert "  u = r + abs(x)\n          ^^^^^^\n" in err


def test_values_alone_have_no_kinks(shell: Shell) -> None:
    assert shell("eval", "abs(x)", "--at", "x=0", "--kink", "error", "--csv") == (0, "x,f\n0.0,0.0\n", "")
    assert shell("eval", "floor(x)", "--at", "x=0", "--kink", "error")[0] == 1


def test_without_python_flint(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcli.truth.repair.available", lambda: False)
    code, _, err = shell("diff", "cos(abs(x)) + relu(x)", "--at", "x=0", "--kink", "error")
    assert code == 1
    assert "f has a kink: the slope is 0 on the left, 1 on the right\n  cos(abs(x)) + relu(x)\n      ^^^^^^\n" in err
    code, out, err = shell("diff", "sin(x)/x", "--at", "x=0", "--kink", "error")
    assert (code, out) == (2, "")
    assert "pip install python-flint" in err


@pytest.mark.parametrize(
    "source",
    ["sin(" * 300 + "abs(x)" + ")" * 300, " + ".join([f"abs({k}*x)" for k in range(1, 200)]),
     "*".join(["abs(x)"] * 100), "exp(exp(1/abs(x)))", "gamma(x)/abs(x)"],
)  # fmt: skip
def test_long_and_deep_ones_end(shell: Shell, source: str) -> None:
    code, out, err = shell("diff", source, "--at", "x=0", "--kink", "error", "--csv")
    assert code == 1 or out
    assert "internal" not in err


def test_of_many_variables_the_first_are_told(shell: Shell) -> None:
    names = [f"x{k}" for k in range(20)]
    source = "+".join(f"abs({n})" for n in names)
    _, _, err = shell("diff", source, *[w for n in names for w in ("--at", f"{n}=0")], "--kink", "error")
    assert "x7=0.0, ...: f has a kink along x0: the slope is -1 on the left, 1 on the right" in err
