"""explain --at: the verdict in words, and the series on both sides of the point."""

from __future__ import annotations

import json

import pytest
from command import Shell

pytestmark = pytest.mark.quick
mpmath = pytest.importorskip("mpmath")
pytest.importorskip("flint")

HOLE = "f has no value there, but tends to 1 on both sides; with that value it is smooth up to derivative number "
BESIDE = [
    ("sin(x)/x", "x=0", ["f near x=0: removable", HOLE + "4", "left:  1 - x**2/6 + x**4/120 + O(x**6)",
                         "right: 1 - x**2/6 + x**4/120 + O(x**6)"]),
    ("abs(x)", "x=0", ["f near x=0: kink", "the slope is -1 on the left, 1 on the right", "left:  -x", "right: x"]),
    ("x**2", "x=1", ["f near x=1: smooth", "both sides agree up to derivative number 4",
                     "1 + 2*(x - 1) + (x - 1)**2"]),
    ("3 + x*log(x)", "x=0",
     ["f near x=0: edge, removable, vertical",
      "f is defined on the right side only; f has no value there, but tends to 3; the slope tends to -inf",
      "right: 3 + x*log(x)"]),
    ("tan(x)", "x=pi/2", ["f near x=pi/2: pole", "f tends to inf on the left, to -inf on the right",
                          "left:  -1/(x - pi/2) + (x - pi/2)/3 + (x - pi/2)**3/45 + O((x - pi/2)**5)",
                          "right: -1/(x - pi/2) + (x - pi/2)/3 + (x - pi/2)**3/45 + O((x - pi/2)**5)"]),
    ("x*abs(x)", "x=0", ["f near x=0: kink", "derivative number 2 is -2 on the left, 2 on the right",
                         "left:  -x**2", "right: x**2"]),
    ("floor(x) + 0.5", "x=1", ["f near x=1: jump", "f tends to 0.5 on the left, to 1.5 on the right",
                               "left:  1/2", "right: 3/2"]),
    ("where(x == 0, 5, x)", "x=0",
     ["f near x=0: misplaced",
      "f is 5 there, but tends to 0 on both sides; with that value it is smooth up to derivative number 4",
      "left:  x", "right: x"]),
    ("sqrt(1 - x)", "x=1", ["f near x=1: edge, vertical",
                            "f is defined on the left side only; the slope tends to -inf",
                            "left:  (1 - x)**(1/2)"]),
    ("abs(x)**0.5", "x=0", ["f near x=0: cusp", "the slope tends to -inf on the left, to inf on the right",
                            "left:  (-x)**(1/2)", "right: x**(1/2)"]),
    ("exp(1/x)", "x=0", ["f near x=0: essential", "f tends to 0 on the left, to inf on the right",
                         "left:  exp(1/x)", "right: exp(1/x)"]),
    ("where(x > 0, sin(1/x), 0)", "x=0",
     ["f near x=0: oscillating", "f tends to 0 on the left, has no limit on the right", "left:  0", "right: O(1)"]),
    ("x*sin(1/x)", "x=0",
     ["f near x=0: removable, oscillating",
      "f has no value there, but tends to 0 on both sides; the slope has no limit on either side",
      "left:  O(x)", "right: O(x)"]),
    ("sqrt(-x*x)", "x=0", ["f near x=0: isolated", "f is 0 there, and not defined beside it"]),
    ("sqrt(x)", "x=-1", ["f near x=-1: undefined",
                         "f is defined neither there nor beside it: a fractional power of a negative number"]),
    ("x**pi", "x=0", ["f near x=0: unknown",
                      "this arithmetic cannot say what f does there: an irrational power of the distance"]),
    ("exp(x)", "x=inf", ["f near x=inf: undefined", "f is defined neither there nor beside it: x is inf"]),
    ("abs(x - 0.3)", "x=0.3", ["f near x=0.3: kink", "the slope is -1 on the left, 1 on the right",
                               "left:  -(x - 0.3)", "right: x - 0.3"]),
    ("u = x - 1; v = abs(u)/u", "x=1", ["v near x=1: jump", "v tends to -1 on the left, to 1 on the right",
                                        "left:  -1", "right: 1"]),
]  # fmt: skip


def beside(out: str) -> list[list[str]]:
    """The paragraphs about both sides, without their indentation."""
    paragraphs = [[line.strip() for line in text.splitlines()] for text in out.strip("\n").split("\n\n")]
    return [lines for lines in paragraphs if " near " in lines[0]]


@pytest.mark.parametrize(("source", "at", "lines"), BESIDE)
def test_the_last_paragraph(shell: Shell, source: str, at: str, lines: list[str]) -> None:
    code, out, err = shell("explain", source, "--at", at)
    assert (code, err) == (0, "")
    assert beside(out) == [lines]


def test_each_output_along_each_variable(shell: Shell) -> None:
    _, out, _ = shell("explain", "abs(x)*y", "x/y", "--at", "x=0,y=2", "--order", "1")
    assert [lines[0] for lines in beside(out)] == [
        "f1 near x=0, y=2 along x: kink", "f1 near x=0, y=2 along y: smooth", "f2 near x=0, y=2 along x: smooth",
        "f2 near x=0, y=2 along y: smooth",
    ]  # fmt: skip
    assert beside(out)[2][1:] == ["both sides agree up to derivative number 1", "x/2"]
    _, out, _ = shell("explain", "abs(x)*y", "--at", "x=0,y=2", "--wrt", "y")
    assert [lines[0] for lines in beside(out)] == ["f near x=0, y=2 along y: smooth"]


def test_orders(shell: Shell) -> None:
    _, out, _ = shell("explain", "sin(x)/x", "--at", "x=0", "-n", "0")
    assert beside(out)[0][1:] == [HOLE + "1", "left:  1 + O(x**2)", "right: 1 + O(x**2)"]
    _, out, _ = shell("explain", "exp(x)", "--at", "x=0", "--order", "50")
    assert beside(out)[0][2].count(" + ") == 51
    assert beside(out)[0][2].endswith(" + O(x**51)")
    code, _, err = shell("explain", "exp(x)", "--at", "x=0", "--order", "51")
    assert code == 2
    assert "51" in err


def test_as_data(shell: Shell) -> None:
    _, out, _ = shell("explain", "3 + x*log(x)", "--at", "x=0", "--order", "2", "--json")
    ((derivative,),) = [output["derivatives"] for output in json.loads(out)["outputs"]]
    assert derivative["near"] == {
        "verdict": "edge+removable+vertical", "breaks": 0, "proved": True,
        "text": "f is defined on the right side only; f has no value there, but tends to 3; the slope tends to -inf",
        "value": None, "left": None,
        "right": {"limit": 3.0, "derivatives": ["-inf", "inf"], "series": "3 + x*log(x)"},
    }  # fmt: skip


def test_without_a_point_there_is_none(shell: Shell) -> None:
    assert beside(shell("explain", "abs(x)")[1]) == []
    assert "near" not in shell("explain", "abs(x)", "--json")[1]


def test_without_python_flint(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcli.truth.repair.available", lambda: False)
    code, out, err = shell("explain", "abs(x)", "--at", "x=0")
    assert code == 0
    assert beside(out) == []
    assert err == "gradcli: note: the series on both sides need python-flint (pip install python-flint)\n"
    assert shell("explain", "abs(x)", "--at", "x=0", "-q")[2] == ""


def test_names_cannot_drive_a_terminal_or_a_server(shell: Shell) -> None:
    name = "a\x1b[31m\u202e##[x]"
    _, out, err = shell("explain", f"abs(`{name}`) + 1/`{name}`", "--at", f"`{name}`=0")
    assert "\x1b" not in out + err
    assert "\u202e" not in out + err
    assert "##[" not in out + err
    assert len(beside(out)) == 1


@pytest.mark.parametrize(
    "source",
    ["sin(" * 300 + "x" + ")" * 300, "+".join(f"sin({k}*x)/x" for k in range(1, 200)), "exp(exp(1/x))",
     "x**1000000007", "gamma(x - 5000)", "where(x > 0, 1/x, abs(x))" + " + x" * 300],
)  # fmt: skip
def test_hostile_ones_end(shell: Shell, source: str) -> None:
    code, out, err = shell("explain", source, "--at", "x=0")
    assert (code, err) == (0, "")
    assert len(beside(out)) == 1


SERIES = [
    "sin(t)/t", "cos(t)", "t*log(abs(t))", "1/sin(t)", "exp(-1/abs(t))/t", "abs(t)**1.5*exp(t)", "log(1 + t)/t**2",
    "abs(sin(t))", "gamma(t)", "sqrt(abs(t) + t**2)", "1/(exp(t) - 1)", "abs(t)**t", "cbrt(t)*cos(t)",
]  # fmt: skip


@pytest.mark.parametrize("source", SERIES)
@pytest.mark.parametrize("at", ["0", "pi/2", "-1.5"])
def test_a_series_is_close_to_its_function(shell: Shell, source: str, at: str) -> None:
    _, out, _ = shell("explain", f"t = x - ({at}); f = {source}", "--at", f"x={at}", "--json")
    near = json.loads(out)["outputs"][0]["derivatives"][0]["near"]
    with mpmath.workdps(30):
        names = {name: getattr(mpmath, name) for name in ("sin", "cos", "log", "exp", "gamma", "sqrt", "pi")}
        names |= {"abs": mpmath.fabs, "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(mpmath.fabs(x))}
        for side, sign in (("left", -1), ("right", 1)):
            t = sign * mpmath.mpf(2) ** -9
            names |= {"t": t, "x": eval(at, names) + t}
            exact = eval(source, names)
            series = near[side]["series"].split(" + O(")[0]
            assert abs(eval(series, names) - exact) <= 1e-8 * max(abs(exact), 1), (side, series)
