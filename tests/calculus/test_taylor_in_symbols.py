"""Taylor coefficients and implicit derivatives as expressions: against mpmath at values of the other variables."""

from __future__ import annotations

import re

import pytest
from mpmath import mp

from gradcli.calculus.implicit import implicit
from gradcli.calculus.taylor import symbolic
from gradcli.errors import GradError
from gradcli.expr import Expr, text
from gradcli.language import parse

pytestmark = pytest.mark.quick

NAMES = {name: getattr(mp, name) for name in ("exp", "log", "sin", "cos", "tan", "sqrt", "pi")}


def root(source: str) -> Expr:
    return parse(source).outputs[0][1]


def number(e: Expr, **values: object):
    # Python would divide whole numbers as doubles.
    source = re.sub(r"(?<![\w.])([0-9.]+)(?![\w.])", r"mpf('\1')", text(e))
    return eval(source, NAMES | values | {"mpf": mp.mpf})  # an expression of this file


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("exp(a*x)", "0"), ("sqrt(1 + a*x)", "0"), ("1/(x + b)", "0"), ("log(a*x)", "1"), ("x**a", "1"),
        ("exp(-a*x**2)*cos(b*x)", "0"), ("sin(a + x)/b", "pi"), ("a*x**3 + b*x", "2"), ("a**x", "0"),
    ],
)  # fmt: skip
def test_coefficients(source: str, place: str) -> None:
    found = symbolic(root(source), "x", root(place), 5)
    with mp.workdps(40):
        values = {"a": mp.mpf("0.7"), "b": mp.mpf("1.3")}
        true = mp.taylor(lambda x: eval(source, NAMES | values | {"x": x}), eval(place, NAMES), 5)
        for e, coefficient in zip(found, true, strict=True):
            assert abs(number(e, **values) - coefficient) < mp.mpf(10) ** -20


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("exp(a*x)", ["1", "a", "a**2/2"]),
        ("(1 + x)**a", ["1", "a", "a*(a - 1)/2"]),
        ("abs(x - a)", ["abs(a)", "-sign(a)", "0"]),
        ("x**2", ["0", "0", "1"]),
    ],
)
def test_forms(source: str, texts: list[str]) -> None:
    found = symbolic(root(source), "x", root("0"), 2)
    assert [text(e) for e in found][:2] == texts[:2]
    with mp.workdps(20):
        assert number(found[2], a=mp.mpf(3)) == number(root(texts[2]), a=mp.mpf(3))


@pytest.mark.parametrize(
    "source", ["1/(a*x)", "abs(a*x)", "log(a*x)", "sqrt(x)*a", "sin(a*x)/x", "max(x, a*x)", "x**a"]
)
def test_what_is_not_smooth_is_refused(source: str) -> None:
    with pytest.raises(GradError, match="there is no Taylor series at x=0"):
        symbolic(root(source), "x", root("0"), 3)


def test_implicit_derivatives_are_those_of_the_solved_function() -> None:
    found = implicit(root("x*exp(y) - a"), ["x", "a"], "y", 3)
    # y = log(a/x)
    with mp.workdps(50):
        x, a = mp.mpf("1.7"), mp.mpf("0.6")
        for partial, e in found.items():
            orders = (partial.count(0), partial.count(1))
            true = mp.diff(lambda u, v: mp.log(v / u), (x, a), orders)
            assert abs(number(e, x=x, a=a, y=mp.log(a / x)) - true) < mp.mpf(10) ** -15


def test_implicit_derivatives_of_higher_orders() -> None:
    found = implicit(root("x**2 + y**2 - 25"), ["x"], "y", 6)
    with mp.workdps(50):
        true = mp.taylor(lambda x: mp.sqrt(25 - x**2), 3, 6)
        for partial, e in found.items():
            k = len(partial)
            assert abs(number(e, x=mp.mpf(3), y=mp.mpf(4)) - true[k] * mp.factorial(k)) < mp.mpf(10) ** -15


def test_an_equation_without_the_variable_defines_no_function() -> None:
    with pytest.raises(GradError, match="does not depend on 'y'"):
        implicit(root("x**2 - 1"), ["x"], "y", 1)
