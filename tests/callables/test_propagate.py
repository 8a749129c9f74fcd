"""Uncertainties in Python: the cases of the command line, arrays, frames, ufloats, and errors in a program's words."""

import json
import math
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gradcli
from gradcli.errors import BadType, BadValue, GradError

pytestmark = pytest.mark.quick

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data" / "gum.jsonl").read_text().splitlines()]
PENDULUM = "g = 4*pi**2*L/T**2"
f = gradcli.function(PENDULUM)


class Ufloat:
    """A number as the package uncertainties has it: a value and its derivatives in independent variables."""

    def __init__(self, value, derivatives):
        self.nominal_value, self.derivatives = value, derivatives

    @property
    def std_dev(self):
        return math.hypot(*[d * v.u for v, d in self.derivatives.items()])

    def __add__(self, other):
        if not isinstance(other, Ufloat):
            return Ufloat(self.nominal_value + other, self.derivatives)
        both = {**self.derivatives}
        for v, d in other.derivatives.items():
            both[v] = both.get(v, 0.0) + d
        return Ufloat(self.nominal_value + other.nominal_value, both)

    def __sub__(self, number):
        return self + -number

    def __mul__(self, factor):
        return Ufloat(self.nominal_value * factor, {v: d * factor for v, d in self.derivatives.items()})

    __rmul__, __radd__ = __mul__, __add__


class Variable:
    def __init__(self, u):
        self.u = self.std_dev = u


def ufloat(value, u):
    return Ufloat(value, {Variable(u): 1.0})


@pytest.mark.parametrize("case", [c for c in CASES if c["kind"] == "first"], ids=lambda case: case["id"])
def test_cases(case):
    inputs = {name: (float(x["value"]), float(x["u"])) for name, x in case["inputs"].items()}
    corr = {(a, b): float(r) for a, b, r in case.get("correlation") or ()}
    result = gradcli.function(case["expression"]).propagate(corr=corr, **inputs)
    true, rtol = case["true"], max(case["rtol"], 1e-12)
    assert result.value == pytest.approx(true["y"], rel=rtol, abs=rtol * true["u"])
    assert result.u == pytest.approx(true["u"], rel=rtol)
    for name, sensitivity in true.get("sensitivity", {}).items():
        assert result.budget[name].sensitivity == pytest.approx(sensitivity, rel=rtol)


@pytest.mark.parametrize("case", [c for c in CASES if c["kind"] == "first"], ids=lambda case: case["id"])
def test_arrays_equal_numbers(case):
    inputs = {name: (float(x["value"]), float(x["u"])) for name, x in case["inputs"].items()}
    corr = {(a, b): float(r) for a, b, r in case.get("correlation") or ()}
    function = gradcli.function(case["expression"])
    one = function.propagate(corr=corr, **inputs)
    many = function.propagate(corr=corr, **{name: (np.full(3, v), u) for name, (v, u) in inputs.items()})
    assert many.value == pytest.approx(np.full(3, one.value), rel=1e-14, abs=1e-14 * one.u)
    assert many.u == pytest.approx(np.full(3, one.u), rel=1e-12)
    for name, line in one.budget.items():
        assert many.budget[name].contribution == pytest.approx(np.full(3, line.contribution), rel=1e-12)
        assert many.budget[name].share.shape == many.budget[name].value.shape == (3,)


@pytest.mark.parametrize("given", [
    {"L": (1.0, 0.002), "T": (2.0, 0.01)}, {"L": "1.000(2)", "T": "2.00±0.5%"}, {"L": "1.000+-0.002", "T": "2.00(1)"},
    {"L": (np.float64(1), 0.002), "T": (2, np.float32(0.01).astype(float).round(5))},
])  # fmt: skip
def test_forms_of_inputs(given):
    result = f.propagate(**given)
    assert str(result) == "9.87(10)"
    assert result.u == pytest.approx(0.10065061086519174, rel=1e-9)
    assert [line.name for line in result.sources] == ["T", "L"]
    assert f.propagate(*given.values()).u == result.u == gradcli.propagate(PENDULUM, **given).u


def test_results():
    result = f.propagate(L="1.02+0.03-0.01", T=2)
    assert (result.plus, result.minus) == pytest.approx((0.03 * math.pi**2, 0.01 * math.pi**2))
    assert str(result) == "10.07+0.30-0.10" or str(result).startswith("10.0")
    assert result.second is None and result.relative == pytest.approx(0.02 / 1.02)
    again = pickle.loads(pickle.dumps(result))
    assert again == result and repr(again).startswith("Uncertain(g = 10.0")
    with pytest.raises(GradError, match="lost its inputs"):
        _ = again.ufloat


def test_distributions_coverage_and_simulation():
    result = f.propagate(L="1.02(1)", T="R(1.9, 2.1)", mc=1e4, seed=1, coverage=95)
    assert result.expanded.k == pytest.approx(1.96, abs=1e-3)
    assert result.budget["T"].u == pytest.approx(0.1 / math.sqrt(3))
    assert result.simulation.result.trials == 10_000
    assert f.propagate(L=(1, 0.01), T=2, df={"L": 4}, coverage="95").expanded.k == pytest.approx(2.776, abs=1e-3)
    assert f.propagate(L=(1, 0.01), T=2, k=2).expanded.U == pytest.approx(2 * f.propagate(L=(1, 0.01), T=2).u)


def test_flags_and_second_order():
    first = gradcli.propagate("x**2", x=(0, 10))
    assert [flag.kind for flag in first.flags] == ["not-linear", "no-effect"]
    assert not any("--" in flag.text for flag in first.flags)
    second = gradcli.propagate("x**2", x=(0, 10), second_order=True)
    assert second.second[:2] == pytest.approx((100, 100 * math.sqrt(2)))
    many = gradcli.propagate("x**2", x=([0.0, 1.0], 10), second_order=True)
    assert many.second[1][0] == pytest.approx(100 * math.sqrt(2))


def test_several_outputs():
    inputs = {"V": (5.0, 0.1), "I": (0.2, 0.01)}
    result = gradcli.propagate("R = V/I; P = V*I", corr={"V,I": 0.4}, **inputs)
    assert result.R.correlations["P"] == result.P.correlations["R"] == pytest.approx(-0.7533708, rel=1e-6)
    many = gradcli.propagate("R = V/I; P = V*I", corr={"V,I": 0.4}, V=([5.0], 0.1), I=inputs["I"])
    assert many.R.correlations["P"] == pytest.approx([result.R.correlations["P"]])
    assert many.P.u == pytest.approx([result.P.u])


def test_a_derivative_of_a_function():
    assert gradcli.function("x**3").diff("x").propagate(x=(2, 0.1)).u == pytest.approx(1.2)


def test_variables_called_like_options():
    assert gradcli.function("k*corr").propagate((2, 0.1), 3).u == pytest.approx(0.3)


@pytest.mark.parametrize("pandas", [True, False])
def test_readings(pandas):
    case = next(c for c in CASES if c["kind"] == "matrix")
    data = pd.DataFrame(case["data"]) if pandas else case["data"]
    result = gradcli.propagate(case["args"][1], samples=data)
    for key, true in case["true"].items():
        a, b = key[2:-1].split(",")
        assert result[a].correlations[b] == pytest.approx(true, rel=case["rtol"])
    other = gradcli.propagate("V*c", samples=data, c=(1, 0.1), coverage=95)
    assert other.expanded.degrees_of_freedom > 4


def test_a_matrix():
    pcov = np.array([[4e-4, -2e-5], [-2e-5, 1e-4]])
    true = gradcli.propagate("a*exp(-b*x)", a=(2, 0.02), b=(0.5, 0.01), x=3, corr={"a,b": -0.1}).u
    frame = pd.DataFrame(pcov, index=["a", "b"], columns=["a", "b"])
    for cov in (("a,b", pcov), (["a", "b"], pcov.tolist()), frame):
        assert gradcli.propagate("a*exp(-b*x)", a=2, b=0.5, x=3, cov=cov).u == pytest.approx(true, rel=1e-14)
    many = gradcli.propagate("a*exp(-b*x)", a=2, b=0.5, x=[1, 2, 3], cov=("a,b", pcov))
    assert many.u[2] == pytest.approx(true, rel=1e-14)


def test_frames():
    rows = pd.DataFrame(
        {"L": [1.0, 1.1], "u_L": [0.002, 0.003], "T": [2.0, 2.1], "sT": [0.01, 0.02], "place": ["a", "b"]}
    )
    made = f.propagate(rows)
    assert list(made) == [*rows, "g", "u_g"]
    for k in range(2):
        # Not a row of the frame, whose types pandas 2.0 asks NumPy for by a function that is deprecated.
        row = {name: rows[name][k] for name in rows}
        true = f.propagate(L=(row["L"], row["u_L"]), T=(row["T"], row["sT"])).u
        assert made["u_g"][k] == pytest.approx(true, rel=1e-14)
    one = f.propagate(rows[["L", "u_L"]], T=(2.0, 0.01), corr={"L,T": 0.4}, second_order=True)
    assert one["u_g"][0] == pytest.approx(f.propagate(L=(1, 0.002), T=(2, 0.01), corr={"L,T": 0.4}).u, rel=1e-14)
    assert {"g_second", "u_g_second", "linear"} <= {*one}


def test_columns_of_correlations_in_frames():
    rows = pd.DataFrame({"L": [1.0, 1.1], "u_L": 0.1, "T": [2.0, 2.1], "u_T": 0.2, "r_T_L": [0.5, -1.0]})
    made = f.propagate(rows, second_order=True)
    for k, r in enumerate(rows["r_T_L"]):
        one = f.propagate(L=(rows["L"][k], 0.1), T=(rows["T"][k], 0.2), corr={"L,T": r}, second_order=True)
        assert made["u_g"][k] == pytest.approx(one.u, rel=1e-14)
        assert made["u_g_second"][k] == pytest.approx(one.second[1], rel=1e-14)
    with pytest.raises(GradError, match="'L' is given twice: 'r_T_L' is a column"):
        f.propagate(rows, corr={"T,L": 0.4})


@pytest.mark.parametrize(("change", "message"), [
    (lambda rows: rows[["L", "T"]], "no column has an uncertainty"),
    (lambda rows: rows.assign(u_L=[1, -1]), "row 2: u_L is -1.0"),
    (lambda rows: rows.assign(u_T=1, r_L_T=[0, 1.5]), "row 2: r_L_T is 1.5, and a correlation lies between"),
    (lambda rows: rows.drop(columns="T"), "the frame has no column 'T'"),
    (lambda rows: rows.assign(sL=1), "may both be the uncertainty of 'L'"),
])  # fmt: skip
def test_frames_that_do_not_fit(change, message):
    rows = pd.DataFrame({"L": [1.0, 1.1], "u_L": [0.002, 0.003], "T": [2.0, 2.1]})
    with pytest.raises(GradError, match=message):
        f.propagate(change(rows))


def test_ufloats_in_and_out():
    x = ufloat(1.0, 0.1)
    y = x + ufloat(2.0, 0.2)
    result = gradcli.propagate("x*y", x=x, y=y)
    # d(x*y) = y*dx + x*(dx + dz)
    assert result.u == pytest.approx(math.hypot(4 * 0.1, 0.2))
    made = result.ufloat
    assert made.nominal_value == 3 and made.std_dev == pytest.approx(result.u)
    assert made.derivatives.keys() == y.derivatives.keys()
    twins = gradcli.propagate("s = x + y; d = x - y", x=x, y=y)
    again = gradcli.propagate("s + d", s=twins.s.ufloat, d=twins.d.ufloat)
    assert again.u == pytest.approx(0.2)
    with pytest.raises(BadValue, match="known already"):
        gradcli.propagate("x*y", x=x, y=y, corr={"x,y": 0.1})


def test_the_package_uncertainties():
    package = pytest.importorskip("uncertainties")
    x = package.ufloat(1, 0.1)
    y = x + package.ufloat(2, 0.2)
    result = gradcli.propagate("x*y", x=x, y=y).ufloat
    assert (result - x * y).std_dev == pytest.approx(0, abs=1e-15)
    pair = gradcli.propagate("s = a + b; d = a - b", a=(1, 0.1), b=(2, 0.2), corr={"a,b": 0.5})
    assert package.correlation_matrix([pair.s.ufloat, pair.d.ufloat])[0][1] == pytest.approx(pair.s.correlations["d"])


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: f.propagate(L=1, T=2), BadValue, "no input has an uncertainty"),
    (lambda: f.propagate(L=(1, -1), T=2), BadValue, "argument 'L': an uncertainty is a finite number, 0 or more"),
    (lambda: f.propagate(L=(1, math.nan), T=2), BadValue, "an uncertainty is a finite number"),
    (lambda: f.propagate(L=(1, [1, -1]), T=2), BadValue, "argument 'L': an uncertainty"),
    (lambda: f.propagate(L=(math.nan, 1), T=2), BadValue, "the value nan is not finite"),
    (lambda: f.propagate(L=(1, 1)), BadType, "argument 'T' is missing"),
    (lambda: f.propagate(L=(1, 1, 1), T=2), BadType, "argument 'L' is a tuple of 3"),
    (lambda: f.propagate(L="abc", T=2), BadValue, "is no measured value"),
    (lambda: f.propagate(L="1.0±-3", T=2), BadValue, "the uncertainty is negative"),
    (lambda: f.propagate(L=f.propagate((1, 1), 2), T=2), BadType, "argument 'L' is a result"),
    (lambda: f.propagate(L=(1, 1), T=(2, 1), corr={"L,X": 1}), BadValue, "'X' is not an argument with an uncertainty"),
    (lambda: f.propagate(L=(1, 1), T=(2, 1), corr={"L,T": 2}), BadValue, "a correlation lies between -1 and 1"),
    (lambda: f.propagate(L=(1, 1), T=(2, 1), corr=0.5), BadType, "corr is a dict"),
    (lambda: f.propagate(L=1, T=2, cov=("L,T", [[1, 2], [2, 1]])), BadValue, "cov: the correlation of 'L' and 'T'"),
    (lambda: f.propagate(L=1, T=2, cov=("L,X", [[1, 0], [0, 1]])), BadValue, "cov: 'X' is not an argument"),
    (lambda: f.propagate(L=(1, 1), T=2, cov=("L", [[1]])), BadValue, "given twice"),
    (lambda: f.propagate(L=(1, 1), T=2, df={"T": 2}), BadValue, "df: 'T' is not"),
    (lambda: f.propagate(L=(1, 1), T=2, mc=-1), BadValue, "mc is a number of trials"),
    (lambda: f.propagate(L=(1, 1), T=2, coverage=200), BadValue, "coverage: the coverage probability"),
    (lambda: f.propagate(L=([1.0], 1), T=2, k=2), BadValue, "for a result at one point"),
    (lambda: f.propagate(T=2, samples={"L": [1.0]}), BadValue, "samples: 1 reading"),
    (lambda: f.propagate(samples={"L": [1.0, 2], "T": [1.0]}), BadValue, "their numbers differ"),
    (lambda: f.propagate(L=(1, 1), T=2, samples={"L": [1.0, 2]}), BadValue, "'L' is given twice, in samples too"),
    (lambda: f.propagate(L=[ufloat(1, 1)], T=2), BadType, "argument 'L' is of dtype object"),
    (lambda: f.propagate(L=(1, None), T=2), BadType, "argument 'u_L' is of type NoneType"),
    (lambda: f.propagate(L=(1, 1), T=2, corr={1: 2}), BadType, "is not the correlation of two inputs"),
    (lambda: f.propagate(L=(1, 1), T=2, seed=-1), BadValue, "seed is a whole number"),
    (lambda: f.propagate(L=(1, 1), T=2, k="2"), BadType, "k is a number"),
    (lambda: f.propagate(L=1, T=2, cov=3), BadType, "cov is a pair of names and a matrix"),
    (lambda: f.propagate(T=2, samples=[1, 2]), BadType, "samples is a dict"),
    (lambda: gradcli.propagate("x*u_x", x=(1, 1), u_x=3), BadValue, "'u_x' is a variable"),
    (lambda: gradcli.propagate("x*u_x", x=([1, 2], 1), u_x=3), BadValue, "'u_x' is an argument"),
])  # fmt: skip
def test_arguments_that_do_not_fit(call, kind, message):
    with pytest.raises(kind) as error:
        call()
    assert message in str(error.value) and "--" not in str(error.value)


def test_a_frame_has_columns_of_correlations():
    g = gradcli.function("x*y")
    rows = pd.DataFrame({"x": [1, 2], "u_x": [1, 2], "y": [1, 2], "u_y": [1.0, 1.0], "r_y_x": [0.5, -1.0]})
    assert g.propagate(rows).u_f.tolist() == pytest.approx([math.sqrt(3), 2.0])
    with pytest.raises(BadValue, match=r"row 2: r_y_x is 1.5, and a correlation lies between -1 and 1"):
        g.propagate(rows.assign(r_y_x=[0, 1.5]))
    with pytest.raises(BadValue, match=r"given twice: 'r_y_x' is a column"):
        g.propagate(rows, corr={"x,y": 0.1})
    three = rows.assign(z=1.0, u_z=1.0, r_x_z=0.9, r_y_z=0.9, r_y_x=[0.9, -0.9])
    with pytest.raises(BadValue, match=r"row 2: the correlations of x, y, z contradict each other"):
        gradcli.function("x + y + z").propagate(three)


def test_factors_are_named_as_arguments():
    with pytest.raises(BadValue, match=r"^k is a coverage factor"):
        f.propagate(L=(1, 0.1), T=2, k=-1)
    with pytest.raises(BadValue, match=r"^coverage and k exclude each other"):
        f.propagate(L=(1, 0.1), T=2, k=2, coverage=95)
