"""gradcli.testing: claims as assertions of a test suite."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import environment

import gradcli.testing
from gradcli.errors import GradError
from gradcli.testing import assert_derivative

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("positional", "named"),
    [
        (("x**2", "2*x"), {}),
        (("x**2", "df_dx = 2*x"), {}),
        (("x**2", lambda x: 2 * x), {}),
        (("exp(a*x)", "a*exp(a*x)"), {"wrt": "x"}),
        (("exp(a*x)", "a**2*exp(a*x)"), {"wrt": "x", "order": 2}),
        (("x**3", "6*x"), {"order": 2}),
        (("x**3", 6), {"order": 3}),
        (("x**3", "x*x*x"), {"order": 0}),
        (("y = `a b`**2", "2*`a b`"), {"wrt": "a b"}),
        (("x2*x", "x2"), {"wrt": "x"}),
        (("u**2", "-2*exp(-2*x)"), {"wrt": "x", "let": {"u": "exp(-x)"}}),
        (("x**2*y", {"df_dx": "2*x*y", "d2f_dxdy": "2*x"}), {}),
        (({"g": "x**2", "h": "x**3"}, {"dg_dx": "2*x", "dh_dx": "3*x**2"}), {}),
        (("x**2", "2*x + 1e-9"), {"atol": 1e-6, "at": {"x": [1.0, 2.0]}}),
    ],
)
def test_right_claims_pass(positional: tuple[Any, ...], named: dict[str, Any]) -> None:
    assert_derivative(*positional, **named)


def message(*positional: Any, **named: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_derivative(*positional, **named)
    return str(caught.value)


def test_a_wrong_claim_is_told_with_its_point_values_and_formulas() -> None:
    assert message("x**2", "3*x") == (
        "df_dx disagrees at x=1\n"
        "  claimed  3  3*x\n"
        "  true     2  2*x\n"
        "  apart    2.25e+15 ulp, it is 1.5 times what it should be\n"
        "(points chosen by seed 0)"
    )
    assert message("x**2*y", {"df_dx": "2*x*y", "df_dy": "x"}, at={"x": 3, "y": 1}) == (
        "df_dy disagrees at x=3\n  claimed  3  x\n  true     9  x**2\n  apart    3.38e+15 ulp\n1 of 2 claims agrees"
    )
    assert message("x**3", "3*x", order=2).startswith(
        "d2f_dx2 disagrees at x=1\n  claimed  3  3*x\n  true     6  6*x\n"
    )
    assert message("x**2", lambda x: x).startswith("df_dx disagrees at x=2\n  claimed  2  the function <lambda>\n")
    assert message("5", {"f": 4}) == (
        "f disagrees\n  claimed  4  4\n  true     5  5\n  apart    1.13e+15 ulp\n(points chosen by seed 0)"
    )
    two = message("x*y", {"df_dx": "2*y", "df_dy": "2*x", "f": "x*y"})
    assert two.count("it is 2 times what it should be") == 2 and "\n1 of 3 claims agrees (" in two


def test_a_point_where_a_formula_does_not_hold() -> None:
    told = message("where(x != 0, expm1(x)/x, 1)", "where(x != 0, (x*exp(x) - expm1(x))/x**2, 0)")
    assert told.splitlines()[:3] == [
        "df_dx disagrees at x=0",
        "  claimed  0    where(x != 0, (x*exp(x) - expm1(x))/x**2, 0)",
        "  true     0.5  where(x != 0, (exp(x) - expm1(x)/x)/x, 0) (not at x=0)",
    ]
    assert message("x", "x/(0*x)").splitlines()[1:3] == ["  claimed  nan (0/0)  x/(0*x)", "  true     1          1"]


def test_a_claim_that_cannot_be_checked_does_not_pass() -> None:
    assert message("log(-1 - x**2)", "x", at={"x": 2}) == (
        "df_dx could not be checked: the derivative is not finite at any of the points (1)\n"
        "  claimed  x\n"
        "  true     -2*x/(-1 - x**2)"
    )


@pytest.mark.parametrize(
    ("positional", "named", "said"),
    [
        (("x**2", "2*"), {}, "unexpected end"),
        (("x**", "2*x"), {"wrt": "x"}, "unexpected end"),
        (("x**2", "2*x"), {"wrt": "z"}, "is called 'df_dz'"),
        (("x*y", "y"), {"order": 2}, "wrt: in which variable?"),
        (("a = x; b = x**2", "1"), {"wrt": "x"}, "which output is claimed?"),
        (("x", {"df_dx": 1}), {"wrt": "x"}, "wrt and order are for a single claim"),
        (("x", "1"), {"order": 1000}, "order 1000 is beyond the limit"),
        (("x", "1"), {"order": 10**30}, "beyond the limit"),
        (("x", "1"), {"order": -1}, "order: an integer from 0"),
        (("x", "1"), {"order": 1.0}, "order: an integer is needed"),
        (("x", "1"), {"wrt": 5}, "wrt: "),
        (("x", "1"), {"rtol": -1}, "rtol: "),
    ],
)
def test_errors(positional: tuple[Any, ...], named: dict[str, Any], said: str) -> None:
    with pytest.raises(GradError) as caught:
        assert_derivative(*positional, **named)
    assert said in caught.value.message


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="tolerance"):
        assert_derivative("x", "1", tolerance=1)


def test_what_pytest_shows(tmp_path: Path) -> None:
    lines = ["from gradcli.testing import assert_derivative as told", 'def test_wrong(): told("x**2", "3*x")',
             'def test_unreadable(): told("x**2", "3*")']  # fmt: skip
    (tmp_path / "test_it.py").write_text("\n".join(lines))
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "2 failed" in done.stdout
    shown = [line for line in done.stdout.splitlines() if line.startswith("E  ")]
    assert shown[:2] == ["E   AssertionError: df_dx disagrees at x=1", "E     claimed  3  3*x"]
    assert "test_it.py:2: AssertionError" in done.stdout and "test_it.py:3: BadValue" in done.stdout
    assert "assert_derivative(" not in done.stdout and "claims.py" not in done.stdout


def test_importing_it_loads_no_numpy() -> None:
    code = "import sys, gradcli.testing, gradcli.callables.claims; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_examples_hold() -> None:
    assert doctest.testmod(gradcli.testing) == (0, 3)
