"""check from Python: the shell's verdicts and words, claims in every form, points in every form, clear errors."""

from __future__ import annotations

import copy
import doctest
import json
import math
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from command import Shell
from mpmath import mp

import gradcli.callables.claims
import gradcli.callables.report
from gradcli.callables.claims import check
from gradcli.callables.function import function
from gradcli.caret import Source
from gradcli.errors import GradError

XS = np.array([0.25, 0.5, 1.0, 2.0, 3.0])


# As the shell.

SAME: list[tuple[list[str], tuple[Any, ...], dict[str, Any]]] = [
    (["x**2*sin(y)", "--claim", "df_dx = 2*x*sin(y)", "--claim", "df_dy = x**2*sin(y)"],
     ("x**2*sin(y)", {"df_dx": "2*x*sin(y)", "df_dy": "x**2*sin(y)"}), {}),
    (["tanh(x)", "--claim", "4/(exp(x) + exp(-x))**2"], ("tanh(x)", "4/(exp(x) + exp(-x))**2"), {}),
    (["tanh(x)", "--claim", "1 - tanh(x)**2", "--seed", "7"], ("tanh(x)", "1 - tanh(x)**2"), {"seed": 7}),
    (["log(x)", "--claim", "x**-1*(1 + 0*x)", "--at", "x=-1"], ("log(x)", "x**-1*(1 + 0*x)"), {"at": {"x": -1}}),
    (["abs(x)", "--claim", "where(x >= 0, 1, -1)"], ("abs(x)", "where(x >= 0, 1, -1)"), {}),
    (["x*y", "--claim", "df_dx = 2*y", "--grid", "x=0:1:3", "--grid", "y=1,2,5"],
     ("x*y", "df_dx = 2*y"), {"grid": {"x": "0:1:3", "y": [1, 2, 5]}}),
    (["x*y", "--claim", "df_dx = 2*y", "--at", "x=1/3,y=pi"],
     ("x*y", "df_dx = 2*y"), {"at": {"x": Fraction(1, 3), "y": "pi"}}),
    (["exp(x)", "--claim", "exp(x) + 1e-7", "--atol", "1e-6"], ("exp(x)", "exp(x) + 1e-7"), {"atol": 1e-6}),
    (["exp(x)", "--claim", "exp(x)*1.001", "--rtol", "1e-4"], ("exp(x)", "exp(x)*1.001"), {"rtol": 1e-4}),
    (["sin(x)", "--claim", "sin(x + pi/2)", "--max-ulp", "4", "--at", "x=0.5"],
     ("sin(x)", "sin(x + pi/2)"), {"max_ulp": 4, "at": "x=0.5"}),
    (["diff(u,t)", "--equals", "k*diff(u,x,2)", "--let", "u = exp(-k*t)*sin(x)"],
     ("diff(u,t)",), {"equals": "k*diff(u,x,2)", "let": {"u": "exp(-k*t)*sin(x)"}}),
    (["where(x != 0, expm1(x)/x, 1)", "--claim", "where(x != 0, (x*exp(x) - expm1(x))/x**2, 0)"],
     ("where(x != 0, expm1(x)/x, 1)", "where(x != 0, (x*exp(x) - expm1(x))/x**2, 0)"), {}),
]  # fmt: skip


@pytest.mark.quick
@pytest.mark.parametrize(("words", "positional", "named"), SAME)
def test_it_says_what_the_shell_prints(
    words: list[str], positional: tuple[Any, ...], named: dict[str, Any], shell: Shell
) -> None:
    code, out, _ = shell("check", *words)
    report = check(*positional, **named)
    assert f"{report}\n" == out and repr(report) == str(report)
    assert bool(report) is report.ok is (code == 0)
    _, out, _ = shell("check", *words, "--json")
    assert json.loads(json.dumps(report.to_dict())) == json.loads(out)


@pytest.mark.quick
def test_a_model_holds_its_own_claims() -> None:
    assert check("f = x**2\ndf_dx = 2*x")
    report = check(Source("r = x*x\nu = log(r)\ndu_dx = 1/x\n", "model.grad"))
    assert not report and report["du_dx"].status == "disagrees"
    assert check("f = x**2 + y\ndf_dx = 2*x", at={"x": 1, "y": 2}).seed is None


# What a verdict holds.


def test_values_at_the_counterexample_are_true() -> None:
    mp.dps = 40
    cases: list[tuple[str, str, Callable[[Any], Any]]] = [
        ("x**3*exp(-x)", "3*x**2*exp(-x)", lambda x: x**3 * mp.exp(-x)),
        ("atan(x)/x", "1/(1 + x**2)", lambda x: mp.atan(x) / x),
        ("log1p(x**2)", "1/(1 + x**2)", lambda x: mp.log1p(x**2)),
        ("sinh(x)*cos(x)", "cosh(x)*cos(x)", lambda x: mp.sinh(x) * mp.cos(x)),
    ]
    for text, claim, f in cases:
        (verdict,) = check(text, claim)
        assert verdict.point is not None and verdict.claimed_value is not None and verdict.true_value is not None
        true = mp.diff(f, mp.mpf(verdict.point["x"]))
        assert abs(verdict.true_value - true) <= 2e-15 * abs(true)
        apart = abs(verdict.claimed_value - verdict.true_value)
        assert verdict.ulps == apart / math.ulp(verdict.true_value) > 1e9


@pytest.mark.quick
def test_a_report_is_a_sequence_by_name_too() -> None:
    report = check({"g": "a*x**2"}, {"dg_da": "x**2", "d2g_dxda": "x"})
    assert [v.name for v in report] == ["dg_da", "d2g_dadx"] and len(report) == 2
    assert report["dg_da"] is report[0] and "dg_da" in report and report[0] in report and "df_da" not in report
    assert report[0] and not report[1] and list(report[1:]) == [report[1]]
    assert (report[1].claimed, report[1].truth, report[0].outcome) == ("x", "2*x", "the same expression")
    assert (report[0].point, report[0].claimed_value, report[0].true_value) == (None, None, None)
    assert (report[0].pattern, report[0].hole, report[0].points, report[0].ulps) == ("", "", 0, 0)
    assert report.expressions == {"g": "a*x**2"} and report.seed == 0 and report.notes == ()
    with pytest.raises(KeyError):
        report["df_da"]
    assert str(pickle.loads(pickle.dumps(report))) == str(copy.deepcopy(report)) == str(report)


@pytest.mark.quick
def test_a_claim_without_a_value() -> None:
    (verdict,) = check("x", "x/(0*x)")
    assert verdict.point and math.isnan(verdict.claimed_value or 0) and verdict.ulps == math.inf
    assert verdict.hole == "0/0" and check("x", "x/(0*x)").to_dict()["checks"][0]["counterexample"]["claimed"] is None


# Claims in other forms than texts.


@pytest.mark.quick
@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("3*x", 3, 4), ("3*x", 3.0, np.float64(3.5)), ("x/3", Fraction(1, 3), Fraction(1, 2)),
        ("x/8", Decimal("0.125"), Decimal("0.12")), ("2*x", np.array(2), np.array(3)),
        ("x**2", lambda x: 2 * x, lambda x: x), ("x**2", lambda t: 2 * t, lambda t: -2 * t), ("sin(x)", np.cos, np.sin),
        ("sin(x)", math.cos, math.sin), ("log(x)", lambda x: 1 / x, lambda x: 1 / (x + 1e-4)),
        ("sqrt(x)", lambda x: 0.5 / math.sqrt(x), math.sqrt),
        ("tanh(x)", lambda x: 1 - math.tanh(x) ** 2, lambda x: 1 - math.tanh(x)),
        ("sin(pi*x)", lambda x: math.pi * math.cos(math.pi * x), lambda x: math.cos(math.pi * x)),
        ("abs(x)", lambda x: math.copysign(1, x), lambda x: 1.0),
        ("1/x", lambda x: np.array([-1 / x**2]), lambda x: [1 / x**2]), ("5*x", lambda x: 5, lambda x: np.float32(4)),
        ("6.6e-34*x", lambda x: 6.6e-34, lambda x: 6.7e-34), ("x", ["df_dx = 1", "f = x"], ["df_dx = 1", "f = 2*x"]),
    ],
)  # fmt: skip
def test_a_number_or_a_function_may_be_the_claim(text: str, right: Any, wrong: Any) -> None:
    assert check(text, right) and not check(text, wrong)


@pytest.mark.quick
def test_a_function_gets_its_variables_by_name_else_in_order() -> None:
    def by_keyword(*, y: float, x: float) -> float:
        return 2 * x * y

    f = "x**2*y"
    assert check(f, {"df_dx": lambda y, x: 2 * x * y, "df_dy": lambda x: x**2})
    assert check(f, {"df_dx": lambda a, b: 2 * a * b, "df_dy": lambda *point: point[0] ** 2})
    assert check(f, {"df_dx": by_keyword, "df_dy": lambda x, scale=1.0: scale * x**2})
    assert check("5", {"f": lambda: 5.0})
    assert check(f, {"df_dx": function("2*y*x"), "df_dy": function("x**2")})
    (verdict,) = check(f, {"df_dy": function("x**3")})
    assert (verdict.status, verdict.claimed) == ("disagrees", "gradcli.function('x**3')")
    report = check(f, {"df_dy": partial(lambda power, x: x**power, 2)})
    assert report and report[0].claimed == "the function partial"
    with pytest.raises(TypeError, match=r"takes \(a\), and the variables are x, y"):
        check(f, {"df_dx": lambda a: a})


@pytest.mark.quick
def test_functions_and_formulas_are_compared_each_in_its_way() -> None:
    report = check("x*y", {"df_dy": lambda x: 2 * x, "df_dx": "y + 0.1"}, seed=3)
    assert [(v.name, v.point) for v in report] == [("df_dx", {"y": 0.0}), ("df_dy", {"x": 3.0, "y": 3.0})]
    assert report.seed == 3 and "points chosen by --seed 3" in str(report)
    assert report["df_dy"].claimed == "the function <lambda>"
    assert check("x*y", {"df_dy": lambda x: x, "df_dx": "y"}, at={"x": 1, "y": 2}).seed is None
    assert check("x**2", lambda x: 2 * x, points=30)[0].points == 30
    with pytest.raises(GradError, match="'df_dx' is claimed twice"):
        check("x**2", {"df_dx": lambda x: 2 * x}, "2*x")
    with pytest.raises(ValueError, match="claims in numbers need names"):
        check("x*y", lambda x: x, lambda y: y)


@pytest.mark.quick
def test_where_a_function_has_no_value() -> None:
    calls: list[float] = []

    def slope(x: float) -> float:
        calls.append(x)
        return -1 / math.sqrt(1 - x * x)

    assert check("acos(x)", slope) and all(type(x) is float for x in calls)
    (verdict,) = check("x**2", lambda x: 2 * x if x > 0 else math.log(-1))
    assert verdict.status == "disagrees" and verdict.point and verdict.point["x"] < 0
    with pytest.raises(ZeroDivisionError):
        check("x**2", lambda x: 1 / 0)
    with pytest.raises(KeyError):
        check("x**2", lambda x: {}[x])
    with pytest.raises(TypeError, match="real numbers are needed, not complex128"):
        check("x**2", lambda x: 2j * x)
    with pytest.raises(TypeError, match="returns 2 numbers for a point"):
        check("x**2", lambda x: [x, x])


@pytest.mark.quick
def test_arrays_are_claims_at_given_points() -> None:
    assert check("x**3", {"df_dx": 3 * XS**2}, at={"x": XS})
    assert check("x**3", {"df_dx": (3 * XS**2).tolist(), "f": XS**3}, at={"x": XS.tolist()})
    (verdict,) = check("x**3", {"df_dx": np.where(XS == 2, 0, 3 * XS**2)}, at={"x": XS})
    assert verdict.point == {"x": 2.0} and (verdict.claimed_value, verdict.true_value) == (0.0, 12.0)
    assert verdict.claimed == "an array of 5 numbers"
    assert not check("x**3", {"df_dx": 3 * XS**2 + 1e-6}, at={"x": XS})
    assert check("x**3", {"df_dx": 3 * XS**2 + 1e-6}, at={"x": XS}, rtol=1e-4)
    assert check("x**3", {"df_dx": [3 * 4.0]}, at={"x": 2})


@pytest.mark.quick
def test_points_in_every_form() -> None:
    ys = np.array([1.0, 10.0, 100.0])
    product = np.multiply.outer(np.ones(5), ys)
    for right in (product, product.ravel()):
        assert check("x*y", {"df_dx": right, "df_dy": XS.repeat(3)}, grid={"x": XS, "y": ys})
    assert not check("x*y", {"df_dx": product.T.ravel()}, grid={"x": XS, "y": ys})
    assert check("x*y", {"df_dx": product[:, :2]}, grid={"x": XS, "y": "log:1:10:2"})
    assert check("x*y", {"df_dx": XS}, at={"y": XS, "x": 2}) and check("x*y", {"df_dx": XS}, at={"y": XS, "x": XS})
    assert check("x*y", {"df_dx": np.tile(XS, 1)}, at={"x": "1/3"}, grid={"y": XS})
    assert check("i2 + x", {"df_dx": np.ones(6)}, at={"i2": 1}, grid="6")
    assert check("`a b`*pi", {"df_da b": "pi"}, at={"a b": 1.5}) and check("x", 1, at=["x=1"], grid=[])
    assert check("x*y", {"df_dx": "y"}, at={"x": math.inf, "y": 1}).to_dict()["checks"][0]["same"]


@pytest.mark.quick
def test_a_kink_is_decided_at_an_array_as_at_a_number() -> None:
    for at in ({"x": 0}, {"x": [0.0, 1.0]}):
        report = check("where(x != 0, expm1(x)/x, 1)", "where(x != 0, (x*exp(x) - expm1(x))/x**2, 0)", at=at)
        assert report[0].point == {"x": 0.0} and report[0].true_value == 0.5 and "(not at x=0)" in report[0].truth


# Errors.


@pytest.mark.quick
@pytest.mark.parametrize(
    ("positional", "named", "kind", "said"),
    [
        (("x**2", "2*"), {}, ValueError, "unexpected end of expression"),
        (("x**2 +", "2*x"), {}, ValueError, "unexpected end of expression"),
        (("x**2", {"df_dx": "2*"}), {}, ValueError, "unexpected end of expression"),
        (("x**2", "2*y"), {}, ValueError, "'y' is in the claim and not in the expression"),
        (("x*y", "x"), {}, ValueError, "which derivative is 'x' claimed to be?"),
        (("x**2", {"df_dz": "2*x"}), {}, ValueError, "is called 'df_dz'"),
        (("x**2", {"df`\n": "2*x"}), {}, ValueError, ""),
        (("x**2",), {}, ValueError, "nothing is claimed"),
        ((["x", "y"],), {}, ValueError, "nothing is claimed"),
        (("f = x**2\ndf_dx = 2*y",), {}, ValueError, "'y' is in the claim"),
        (("x**2", ""), {}, ValueError, ""),
        (("x**2", "2*x"), {"at": {"z": 1}}, ValueError, "'z' is not used in the expression"),
        (("x*y", {"df_dx": "y"}), {"at": {"x": 1}}, ValueError, "'y' has no value"),
        (("x*y", {"df_dx": "y"}), {"at": {"x": XS}}, ValueError, "'y' has no value"),
        (("x**2", "2*x"), {"at": {"x": "one"}}, ValueError, "at: the value of 'x' is not a number"),
        (("x**2", "2*x"), {"let": "y"}, ValueError, "let needs NAME = EXPRESSION"),
        (({"f": "x", "h": "x**2"},), {"equals": {"g": "x*x"}}, ValueError, "equals: there is no output 'g'"),
        ((5, "x"), {}, TypeError, "a text, a list of texts or a mapping of names is needed, not int"),
        (([], "x"), {}, TypeError, "expression: a text"),
        (({},), {}, TypeError, "expression: a text"),
        (({"f": None}, "x"), {}, TypeError, "a mapping of names to texts is needed, not of NoneType"),
        (("x", None), {}, TypeError, "claim: numbers or a text are needed, not NoneType"),
        (("x", {"df_dx": {}}), {}, TypeError, "claim df_dx: numbers or a text are needed, not dict"),
        (("x", {1: "1"}), {}, TypeError, "the name of a derivative is a text"),
        (("x", 1j), {}, TypeError, "real numbers are needed, not complex128"),
        (("x", np.ma.masked_array([1.0, 2.0], [True, False])), {}, TypeError, "masked array"),
        (("x", "1"), {"at": 3}, TypeError, "at: a text, a list of texts or a mapping"),
        (("x", "1"), {"at": {"x": ["a"]}}, TypeError, "real numbers are needed, not texts"),
        (("x", "1"), {"at": {"x": None}}, TypeError, "at: the values of 'x'"),
        (("x", "1"), {"at": {5: 1}}, TypeError, "the name of a variable is a text"),
        (("x", "1"), {"at": {"x": np.ones((2, 2))}}, ValueError, "an array with one axis is needed, not with 2"),
        (("x", "1"), {"at": {"x": []}}, ValueError, "there are none"),
        (("x*y", {"df_dx": "y"}), {"at": {"x": XS, "y": [1, 2]}}, ValueError, "different lengths: 5 of 'x', 2 of 'y'"),
        (("x", "1"), {"at": {"x": XS}, "grid": {"x": XS}}, ValueError, "'x' is given twice"),
        (("x", "1"), {"at": {"x": 1}, "grid": {"x": XS}}, ValueError, "'x' is given twice"),
        (("x", "1"), {"at": "x=1", "grid": {"x": XS}}, ValueError, "'x' is given twice"),
        (("x", "1"), {"at": {"x": XS}, "grid": "x=1,2"}, ValueError, "'x' is given twice"),
        (("x", {"df_dx": XS}), {}, ValueError, "give the points by at or grid"),
        (("x", {"df_dx": XS}), {"at": {"x": 1}}, ValueError, "claim df_dx: 5 numbers for 1 point"),
        (("x", "1"), {"points": 10, "at": {"x": 1}}, ValueError, "points is for points that are chosen"),
        (("x", "1"), {"thorough": True, "grid": "x=1,2"}, ValueError, "thorough is for points that are chosen"),
        (("x", "1"), {"points": 0}, ValueError, "points: an integer from 1"),
        (("x", "1"), {"points": 1.5}, TypeError, "points: an integer is needed, not float"),
        (("x", "1"), {"seed": -1}, ValueError, "seed: an integer from 0"),
        (("x", "1"), {"seed": 2**64}, ValueError, "seed: an integer from 0"),
        (("x", "1"), {"rtol": "1e-3"}, TypeError, "rtol: a number is needed, not str"),
        (("x", "1"), {"atol": -1}, ValueError, "atol: a finite number from 0"),
        (("x", "1"), {"max_ulp": 10**400}, ValueError, "max_ulp: a finite number from 0"),
        (("x", "1"), {"rtol": math.nan}, ValueError, "rtol: a finite number from 0"),
        (("x", 10**5000), {}, ValueError, "beyond the range of a double"),
        (("x", 10**400), {}, ValueError, "beyond the range of a double"),
        (("x", "1"), {"at": {"x": 10**5000}}, ValueError, "beyond the range of a double"),
        (("x", lambda x: 1.0), {"grid": "x=0:1:1e7"}, ValueError, "10,000,000 points are beyond the limit"),
    ],
)  # fmt: skip
def test_errors(positional: tuple[Any, ...], named: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(GradError) as caught:
        check(*positional, **named)
    assert isinstance(caught.value, kind) and type(caught.value) is not GradError
    assert said in caught.value.message and "--" not in str(caught.value)


@pytest.mark.quick
def test_a_caret_points_into_the_claim() -> None:
    with pytest.raises(GradError) as caught:
        check("x**2", {"df_dx": "2*xx"})
    assert str(caught.value).splitlines()[1:3] == ["  df_dx = 2*xx", "            ^^"]


def test_input_of_any_size_ends_in_a_verdict_or_an_error() -> None:
    deep = "(" * 20_000 + "x" + ")" * 20_000
    assert check(deep, 1)
    assert check("+".join(["x"] * 5_000), 5_000)
    assert not check("sin(" * 300 + "x" + ")" * 300, 0)
    with pytest.raises(GradError):
        check("x**2", "2*x" + "\0")
    with pytest.raises(GradError):
        check("(" * 50_000, "1")
    assert check("x", {f"d{k}f_dx{k}": 0 for k in range(2, 60)})
    many = np.linspace(0.1, 1, 200_000)
    assert check("exp(x)", {"df_dx": np.exp(many)}, at={"x": many})


def test_from_several_threads() -> None:
    tasks = [("x**2*sin(y)", {"df_dx": "x*sin(y)"}), ("tanh(x)", "1 - tanh(x)**2"), ("x**3", lambda x: 3 * x * x)] * 4
    alone = [str(check(*task)) for task in tasks]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda task: str(check(*task)), tasks)) == alone


@pytest.mark.quick
def test_workflow_commands_are_not_passed_on() -> None:
    told = str(check("`##[error]a`*`::debug::b`", {"df_d##[error]a": "2"}))
    assert "##[" not in told and not any(line.lstrip().startswith("::") for line in told.splitlines())


@pytest.mark.quick
@pytest.mark.parametrize("module", [gradcli.callables.claims, gradcli.callables.report])
def test_examples_hold(module: Any) -> None:
    said: list[str] = []
    found = doctest.DocTestFinder().find(module, globs={**vars(module), "check": check})
    results = [doctest.DocTestRunner(verbose=False).run(example, out=said.append) for example in found]
    assert sum(r.attempted for r in results) > 0 and not said
