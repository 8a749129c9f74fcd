"""The commands tangent, taylor and implicit: what they print in each form, and what they refuse."""

from __future__ import annotations

import csv
import doctest
import io
import json
from importlib import import_module

import pytest
from command import Shell

from gradcli.truth import repair

pytestmark = pytest.mark.quick
pytest.importorskip("flint")


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["tangent", "x**3 - 3*x", "--at", "x=2"], "tangent  y = 9*x - 16\nnormal   y = -x/9 + 20/9\n"),
        (["tangent", "cos(x)", "--at", "x=0"], "tangent  y = 1\nnormal   x = 0\n"),
        (["tangent", "h = y**2", "--at", "y=1"], "tangent  h = 2*y - 1\nnormal   h = -y/2 + 3/2\n"),
        (["tangent", "y**2", "--at", "y=1"], "tangent  f = 2*y - 1\nnormal   f = -y/2 + 3/2\n"),
        (["tangent", "x*t", "--at", "x=1,t=2"], 
         "tangent  z = 2*x + t - 2\nnormal   x = 1 + 2*s, t = 2 + s, z = 2 - s\n"),
        (["tangent", "x*t", "--wrt", "x", "--at", "x=1,t=2"], "tangent  y = 2*x\nnormal   y = -x/2 + 5/2\n"),
        (["tangent", "x", "x**2", "--at", "x=1"],
         "f1:\ntangent  f1 = x\nnormal   f1 = -x + 2\n\nf2:\ntangent  f2 = 2*x - 1\nnormal   f2 = -x/2 + 3/2\n"),
        (["tangent", "sin(x)", "--at", "x=pi/4", "--as", "latex"],
         "y = \\frac{\\sqrt{2} x}{2} + \\frac{\\sqrt{2}}{2} - \\frac{\\pi \\sqrt{2}}{8}\n"),
        (["taylor", "exp(sin(x))", "--at", "x=0", "--order", "8"],
         "1 + x + x**2/2 - x**4/8 - x**5/15 - x**6/240 + x**7/90 + 31*x**8/5760\n"),
        (["taylor", "x**2", "--at", "x=-1"], "1 - 2*(x + 1) + (x + 1)**2\n"),
        (["taylor", "x**2", "--at", "x=1/3", "--order", "1"], "1/9 + 2*(x - 1/3)/3\n"),
        (["taylor", "sin(x)", "cos(x)", "--order", "2"], "f1 = x\nf2 = 1 - x**2/2\n"),
        (["taylor", "0*x"], "0\n"),
        (["taylor", "exp(a*x)", "--wrt", "x", "--order", "2"], "1 + a*x + a**2*x**2/2\n"),
        (["taylor", "a*exp(b*x)", "--wrt", "x", "--at", "b=2", "--order", "2"], "a + 2*a*x + 2*a*x**2\n"),
        (["taylor", "exp(x*y)", "--at", "x=1,y=0", "--order", "2"], "1 + y + y*(x - 1) + y**2/2\n"),
        (["taylor", "sin(x)", "--order", "5", "--remainder", "x=-1:1"],
         "x - x**3/6 + x**5/120\n|f - p| <= 0.0001957 over x=-1:1, which it reaches to 99.9 %\n"),
        (["implicit", "x**2 + y**2 = 25", "--at", "x=3,y=4", "--order", "2"], "dy_dx   = -3/4\nd2y_dx2 = -25/64\n"),
        (["implicit", "x**2 + y**2 == 25", "--wrt", "x", "--solve", "y"], "dy_dx = -x/y\n"),
        (["implicit", "x**2 + y**2 - 25", "--wrt", "y"], "dx_dy = -y/x\n"),
        (["implicit", "x = where(y == 0, y, 2*y)", "--wrt", "x", "--at", "x=2,y=1"], "dy_dx = 1/2\n"),
        (["implicit", "x*y = z", "--solve", "z", "--at", "x=2,y=3,z=6", "--order", "2"],
         "dz_dx    = 3\ndz_dy    = 2\nd2z_dx2  = 0\nd2z_dxdy = 1\nd2z_dy2  = 0\n"),
    ],
)  # fmt: skip
def test_text(shell: Shell, words: list[str], out: str) -> None:
    assert shell(*words) == (0, out, "")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["tangent", "abs(x)", "--at", "x=0"], 1,
         "f has no tangent at x=0: a kink\n  the slope is -1 on the left, 1 on the right"),
        (["tangent", "1/x", "--at", "x=0"], 1, "f has no tangent at x=0: a pole"),
        (["tangent", "hypot(x, y)", "--at", "x=0,y=0"], 1, "f has no tangent at x=0, y=0 along x: a kink"),
        (["tangent", "sqrt(abs(x*y))", "--at", "x=0,y=0"], 1, "f has no tangent plane at x=0, y=0: "),
        (["tangent", "x*a", "--at", "x=1"], 2, "variable 'a' has no value\n  give it one: --at a=..."),
        (["tangent", "3"], 2, "there is no variable, and so no tangent"),
        (["tangent", "x", "--at", "x=inf"], 2, "--at: x=inf is no point"),
        (["tangent", "x", "--at", "x=1,y=2"], 2, "'y' is not used in the expression"),
        (["tangent", "sum(x)", "--at", "x=1"], 2, "sum with one argument takes all points at once"),
        (["tangent", "x", "--at", "x=1", "--format", "tsv"], 2, "tangent writes table, latex, csv, json, not tsv"),
        (["tangent", "x", "--at", "x=1", "--as", "latex", "--json"], 2, "--as latex has one form: leave out json"),
        (["taylor", "abs(x)"], 1, "f has no Taylor series at x=0: a kink"),
        (["taylor", "x**2.5", "--order", "3"], 1, "f has no Taylor series at x=0: an edge"),
        (["taylor", "x*y"], 2, "in which variable? The expression has x, y"),
        (["taylor", "x", "--order", "101"], 2, "--order: a Taylor polynomial has an order from 0 to 100, not 101"),
        (["taylor", "x", "--order", "-1"], 2, "--order: a Taylor polynomial has an order from 0 to 100, not -1"),
        (["taylor", "a*x", "--wrt", "x", "--order", "31"], 2,
         "--order: a Taylor polynomial has an order from 0 to 30 where a has no value, not 31"),
        (["taylor", "x*y*z", "--at", "x=0,y=0,z=0", "--order", "30"], 2,
         "order 30 in 3 variables makes 5456 terms, the limit is 2000"),
        (["taylor", "x", "--remainder", "y=0:1"], 2, "--remainder is the range of the one variable"),
        (["taylor", "x", "--remainder", "x=1:0"], 2, "--remainder x=1:0: the range ends before it begins"),
        (["taylor", "tan(x)", "--remainder", "x=-2:2"], 1, "no bound of the error could be proved near x="),
        (["taylor", "1/(a*x)", "--wrt", "x"], 2, "there is no Taylor series at x=0: x is 0 there"),
        (["implicit", "x**2 + y**2 = 25", "--at", "x=5,y=0"], 1,
         "the equation defines no function y near x=5, y=0: its slope in y is 0 there\n"
         "  for x there may be one: --wrt y --solve x"),
        (["implicit", "x**3 + y**3 = 3*x*y", "--at", "x=0,y=0"], 1, "the equation defines no function y near"),
        (["implicit", "x**2 + y**2 = 25", "--at", "x=3,y=5"], 1,
         "the point x=3, y=5 is not on the curve: x**2 + y**2 - 25 is 9 there\n  near it the curve has y=4"),
        (["implicit", "x = 1 + y", "--at", "x=3,y=5"], 1, "the point x=3, y=5 is not on the curve: x - (1 + y) is -3"),
        (["implicit", "abs(y) = x", "--at", "x=0,y=0"], 1, "abs(y) - x has no derivatives at x=0, y=0 along y: a kink"),
        (["implicit", "log(y) = x", "--at", "x=0,y=-1"], 1, "log(y) - x has no derivatives at x=0, y=-1 along y"),
        (["taylor", "acoth(x*y)", "--wrt", "x"], 2, "there is no value at x=0"),
        (["tangent", "exp(gamma(x))", "--at", "x=1e300"], 2, "a number is beyond the range of a double"),
        (["implicit", "tanh(8*y + exp(gamma(y))) = x", "--at", "x=1,y=0.28"], 2, "no arithmetic here can enclose"),
        (["implicit", "x = 3"], 2, "an equation that defines a function has two variables or more"),
        (["implicit", "x = y = 3"], 2, "an equation has one equal sign\n  x = y = 3\n        ^"),
        (["implicit", "a = 1; b = 2"], 2, "an equation has one equal sign"),
        (["implicit", "x + y; x*y"], 2, "an equation is one expression, or two with = between them"),
        (["implicit", "x = y", "y = x"], 2, "one equation at a time"),
        (["implicit", "x = y", "--solve", "z"], 2, "--solve: 'z' is not used in the equation"),
        (["implicit", "x = y", "--wrt", "z"], 2, "--wrt: 'z' is not used in the equation"),
        (["implicit", "x = y", "--at", "z=1"], 2, "--at: 'z' is not used in the equation"),
        (["implicit", "x = y", "--wrt", "x,y"], 2, "no variable is left to solve for"),
        (["implicit", "x = y", "--wrt", "y", "--solve", "y"], 2, "--wrt: 'y' is the variable to solve for"),
        (["implicit", "x = y", "--order", "0"], 2, "--order: implicit derivatives as expressions have an order from 1"),
        (["implicit", "x = y", "--order", "101", "--at", "x=1,y=1"], 2, "--order: implicit derivatives at a point"),
        (["implicit", "x = y", "--at", "x=1"], 2, "variable 'y' has no value"),
        (["implicit", "x = 2*("], 2, "column 8: unexpected end of expression"),
        (["implicit", "x + 0*y*0 = sum(y)"], 2, "sum with one argument takes all points at once"),
    ],
)  # fmt: skip
def test_refusals(shell: Shell, words: list[str], code: int, message: str) -> None:
    found, out, err = shell(*words)
    assert (found, out) == (code, "")
    assert err.startswith(f"gradcli: error: {message}")


@pytest.mark.parametrize(
    ("words", "note"),
    [
        (["tangent", "cbrt(x)", "--at", "x=0"], "the slope of f is inf there: the tangent is vertical"),
        (["tangent", "sin(x)/x", "--at", "x=0"], "f has a hole at x=0: the tangent is that of the function beside it"),
        (["tangent", "x**1.5", "--at", "x=0"], "f is defined on the right of x=0 only"),
        (
            ["tangent", "abs(x)*y", "--at", "x=0,y=0"],
            "f: that it is smooth at x=0, y=0 in all directions",
        ),
        (["taylor", "sin(x)/x"], "f has a hole at x=0: the polynomial is that of the function beside it"),
        (
            ["implicit", "erf(x*y) = 1", "--at", "x=1,y=1e8"],
            "that the point is on the curve is not proved: ",
        ),
        (["implicit", "x**2 + y**2 = 4", "--at", "x=1,y=1.7320508075688772"], "the point is about 9e-17 off the curve"),
    ],
)
def test_notes(shell: Shell, words: list[str], note: str) -> None:
    code, out, err = shell(*words)
    assert (code, bool(out)) == (0, True)
    assert err.startswith(f"gradcli: note: {note}")
    assert shell(*words, "--quiet") == (0, out, "")


def test_rows(shell: Shell) -> None:
    def rows(*words: str) -> list[list[str]]:
        code, out, _ = shell(*words, "--csv")
        assert code == 0
        return list(csv.reader(io.StringIO(out)))

    assert rows("tangent", "x**2/4", "--at", "x=1") == [
        ["output", "quantity", "variable", "exact", "value"], ["f", "value", "", "1/4", "0.25"],
        ["f", "slope", "x", "1/2", "0.5"], ["f", "intercept", "", "-1/4", "-0.25"],
    ]  # fmt: skip
    assert rows("taylor", "exp(x)", "--at", "x=1", "--order", "1") == [
        ["output", "x", "exact", "value"], ["f", "0", "e", "2.718281828459045"], ["f", "1", "e", "2.718281828459045"],
    ]  # fmt: skip
    assert rows("implicit", "x*y = 1", "--at", "x=2,y=1/2") == [["name", "exact", "value"], ["dy_dx", "-1/4", "-0.25"]]
    assert rows("implicit", "x*y = 1") == [["name", "expression"], ["dy_dx", "-y/x"]]


def test_a_file_by_its_suffix(shell: Shell, tmp_path) -> None:
    for suffix, start in ((".tex", "1 + x"), (".csv", "output,x"), (".json", '{"schema"'), (".txt", "1 + x")):
        path = tmp_path / f"series{suffix}"
        assert shell("taylor", "exp(x)", "--order", "1", "-o", str(path)) == (0, "", "")
        assert path.read_text().startswith(start)


@pytest.mark.parametrize("source", ["exp(sin(x))", "log(2 + x)*erf(x)", "x**x", "sqrt(x)/(1 + x)"])
def test_a_polynomial_is_an_expression_with_the_same_derivatives(shell: Shell, source: str) -> None:
    """To order 4 they are those of the function at the point, as `diff` tells them."""
    _, polynomial, _ = shell("taylor", source, "--at", "x=1", "--order", "6")
    texts = [polynomial.strip(), source]
    first, second = [
        json.loads(shell("diff", f"f = {t}", "--order", "4", "--at", "x=1", "--json")[1])["columns"] for t in texts
    ]
    for name, (value,) in ((n, [v] if isinstance(v, float) else v) for n, v in second.items()):
        near = first[name] if isinstance(first[name], float) else first[name][0]
        assert near == pytest.approx(value, rel=1e-13, abs=1e-13)


def test_hostile_names(shell: Shell) -> None:
    name = '`\x1b[31m$a&b_\\c{,"`'
    code, out, _ = shell("tangent", f"{name}**2", "--at", f"{name}=1", "--json")
    assert code == 0
    assert json.loads(out)["tangents"][0]["slopes"] == {name[1:-1]: {"exact": "2", "value": 2.0}}
    code, out, _ = shell("tangent", f"{name}**2", "--at", f"{name}=1", "--as", "latex")
    assert code == 0
    assert "\x1b" not in out
    code, out, _ = shell("taylor", f"exp({name})", "--order", "1", "--csv")
    assert next(csv.reader(io.StringIO(out))) == ["output", name[1:-1], "exact", "value"]
    code, out, _ = shell("implicit", f"{name}*y = 1", "--as", "latex")
    assert (code, "\x1b" in out) == (0, False)


def test_a_side_that_is_0_is_not_told(shell: Shell) -> None:
    _, _, err = shell("implicit", "x**2 - y = 0", "--at", "x=2,y=3")
    assert "not on the curve: x**2 - y is 1 there" in err


def test_long_input_ends(shell: Shell) -> None:
    nested = "sin(" * 60 + "x*y" + ")" * 60 + " = y"
    code, out, _ = shell("implicit", nested, "--order", "3")
    assert (code, out.startswith("t1 ")) == (0, True)  # What is written out would be endless.
    deep = "sin(" * 150 + "x" + ")" * 150
    assert shell("tangent", deep, "--at", "x=0")[:2] == (0, "tangent  y = x\nnormal   y = -x\n")
    assert shell("taylor", deep, "--order", "3")[:2] == (0, "x - 25*x**3\n")
    total = " + ".join([f"{k}*x" for k in range(1000)])
    assert shell("implicit", f"{total} = y", "--at", "x=0,y=0")[:2] == (0, "dy_dx = 499500\n")


@pytest.mark.parametrize(
    "name",
    ["truth.taylor", "truth.remainder", "truth.tangents", "truth.multivariate", "truth.branch", "calculus.implicit",
     "calculus.taylor", "notation.polynomial", "job.equation"],
)  # fmt: skip
def test_examples_of_docstrings(name: str) -> None:
    results = doctest.testmod(import_module(f"gradcli.{name}"))
    assert results.attempted
    assert not results.failed


@pytest.mark.parametrize("words", [
    ["tangent", "x", "--at", "x=1"], ["taylor", "x"], ["implicit", "x = y", "--at", "x=1,y=1"],
])  # fmt: skip
def test_without_flint(shell: Shell, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "available", lambda: False)
    code, out, err = shell(*words)
    assert (code, out) == (2, "")
    assert "need python-flint" in err
