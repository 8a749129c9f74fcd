"""gradcli.function: shapes, arguments, errors, other functions made from one, and what stays in memory."""

from __future__ import annotations

import copy
import doctest
import gc
import math
import pickle
import re
import subprocess
import sys
import tracemalloc
import weakref
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest
from command import environment
from hostile_names import NAMES

import gradcli
from gradcli import function
from gradcli.callables import evaluation
from gradcli.callables.recipe import model_of
from gradcli.errors import GradError
from gradcli.expr import spell_name

pytestmark = pytest.mark.quick

DECAY = function("a*exp(-b*x)", wrt="a,b", args="x,a,b")
TWO = function("u = x*y; v = x - y")
INF, NAN = math.inf, math.nan


def process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    return done.stdout.strip()


# Calls.


def test_numbers_give_floats_and_arrays_of_what_is_stacked() -> None:
    value = DECAY(1, 2, 0.5)
    assert type(value) is float and value == 2 * math.exp(-0.5)
    assert DECAY(x=1, a=2, b=0.5) == DECAY(1, 2, b=0.5) == DECAY.value(1.0, 2.0, 0.5) == value
    assert DECAY.args == ("x", "a", "b") and DECAY.wrt == ("a", "b") and DECAY.outputs == ("f",)
    assert DECAY.grad(1, 2, 0.5).tolist() == [math.exp(-0.5), -2 * math.exp(-0.5)]
    both = DECAY.value_and_grad(1, 2, 0.5)
    assert both[0] == value and both[1].tolist() == DECAY.jacobian(1, 2, 0.5).tolist()
    assert DECAY.hessian(1, 2, 0.5).shape == (2, 2)
    assert list(DECAY.partials(1, 2, 0.5, order=2)) == ["f", "df_da", "df_db", "d2f_da2", "d2f_dadb", "d2f_db2"]
    assert all(type(v) is float for v in DECAY.partials(1, 2, 0.5).values())
    values = TWO(2, 3)
    assert values == (6.0, -1.0) and values.u == values["u"] == values[0] and dict(values) == {"u": 6.0, "v": -1.0}
    assert pickle.loads(pickle.dumps(values)).v == copy.deepcopy(values)["v"] == -1.0
    with pytest.raises(KeyError, match="no result 'w'"):
        values["w"]
    with pytest.raises(AttributeError, match=r"no result 'w' \(the results are u, v\)"):
        _ = values.w


@pytest.mark.parametrize(("x", "shape"), [
    ([0, 1, 2], (3,)), ((1, 2), (2,)), (range(3), (3,)), (np.ones((2, 3), np.int8), (2, 3)), (np.array(2.0), ()),
    (np.ones(4)[::-2], (2,)), (np.arange(3.0).astype(">f8"), (3,)), (np.zeros((0, 2)), (0, 2)), ([], (0,)),
    (memoryview(np.ones(3)), (3,)), (np.array([True, False]), (2,)), (np.ones(2, np.float16), (2,)),
])  # fmt: skip
def test_arrays_of_any_kind(x: Any, shape: tuple[int, ...]) -> None:
    value = DECAY(x, 2, 0.5)
    assert isinstance(value, np.ndarray) and value.dtype == np.float64 and value.shape == shape
    assert np.array_equal(value, DECAY(np.array(x, float), 2.0, 0.5))
    assert DECAY.jacobian(x, 2, 0.5).shape == (*shape, 2) and DECAY.hessian(x, 2, 0.5).shape == (*shape, 2, 2)
    assert TWO.jacobian(x, 2).shape == (*shape, 2, 2) and TWO.hessian(x, 2).shape == (*shape, 2, 2, 2)
    assert DECAY.taylor(3, x, 2, 0.5).shape == (*shape, 4)


def test_float32_alone_gives_float32() -> None:
    x, wide = np.linspace(0, 2, 5, dtype=np.float32), np.linspace(0, 2, 5)
    for single in (DECAY(x, 2, 0.5), DECAY.grad(x, x, 0.5), DECAY.hvp([1, 2], x, 2, 0.5), DECAY.jvp([1, 2], x, 1, 1)):
        assert single.dtype == np.float32
    # Computed in double and rounded once.
    assert DECAY(x, 2, 0.5).tolist() == DECAY(wide, 2, 0.5).astype(np.float32).tolist()
    for double in (DECAY(x, wide, 0.5), DECAY(x, np.array(1.0), 0.5), DECAY(wide, np.float32(2), 0.5)):
        assert double.dtype == np.float64
    assert type(DECAY(np.float32(1), 2, 0.5)) is float
    assert function("exp(x)").taylor(40, np.zeros(1, np.float32))[0, 20] == np.float32(1 / math.factorial(20))


@pytest.mark.parametrize("number", [
    1, True, 1.0, np.float64(1), np.float32(1), np.int8(1), np.uint64(1), Fraction(1), Decimal(1), np.longdouble(1),
])  # fmt: skip
def test_numbers_of_any_kind(number: Any) -> None:
    assert function("x*3")(number) == 3.0 and type(function("x*3")(number)) is float


@pytest.mark.parametrize(("arguments", "named", "kind", "message"), [
    ((1, 2, 3, 4), {}, TypeError, "the function takes 3 arguments (x, a, b), and 4 are given"),
    ((1,), {}, TypeError, "arguments 'a', 'b' are missing"),
    ((1, 2), {}, TypeError, "argument 'b' is missing"),
    ((1, 2), {"c": 3}, TypeError, "the function has no argument 'c'\n  its arguments are x, a, b"),
    ((1, 2, 3), {"a": 2}, TypeError, "argument 'a' is given twice, by its position and by its name"),
    ((1j, 2, 3), {}, TypeError, "argument 'x' is of type complex, and real numbers are needed\n  for complex numbers"),
    ((np.ones(2, complex), 2, 3), {}, TypeError, "argument 'x' is of dtype complex128"),
    (([None], 2, 3), {}, TypeError, "argument 'x' is of dtype object"),
    ((None, 2, 3), {}, TypeError, "argument 'x' is of type NoneType"),
    (("1", 2, 3), {}, TypeError, "argument 'x' is of type str"),
    ((["1"], 2, 3), {}, TypeError, "argument 'x' is of dtype <U1"),
    (({1, 2}, 2, 3), {}, TypeError, "argument 'x' is of type set"),
    ((np.sin, 2, 3), {}, TypeError, "argument 'x' is of type ufunc"),
    ((np.zeros(2, "M8[s]"), 2, 3), {}, TypeError, "datetime64[s], and real numbers are needed\n  dates as numbers"),
    ((np.timedelta64(3, "s"), 2, 3), {}, TypeError, "durations as numbers"),
    ((np.ma.array([1.0], mask=[1]), 2, 3), {}, TypeError, "argument 'x' is a masked array\n  fill it: x.filled"),
    (([[1, 2], [3]], 2, 3), {}, TypeError, "argument 'x' is no array of numbers: "),
    ((np.zeros(2, [("a", float)]), 2, 3), {}, TypeError, "argument 'x' is of dtype [('a', '<f8')]"),
    ((10**400, 2, 3), {}, ValueError, "argument 'x' is beyond the range of doubles"),
    ((Decimal("sNaN"), 2, 3), {}, ValueError, "argument 'x' is no number"),
    ((np.ones(3), np.ones(4), 1), {}, ValueError, "arguments 'x' of shape (3,) and 'a' of shape (4,) do not broadcast"),
    ((np.ones((2, 1)), np.ones((1, 3)), np.ones(4)), {}, ValueError, "'a' of shape (1, 3) and 'b' of shape (4,)"),
])  # fmt: skip
def test_arguments_that_are_refused(arguments: Any, named: Any, kind: type[Exception], message: str) -> None:
    for call in (DECAY, DECAY.grad, DECAY.value_and_grad, DECAY.partials, DECAY.hessian):
        with pytest.raises(GradError, match=re.escape(message)) as caught:
            call(*arguments, **named)
        assert isinstance(caught.value, kind)


def test_names_that_python_uses() -> None:
    assert function("self*args")(self=2, args=3) == 6
    assert function("v*w").jvp([1, 1], v=2, w=3) == 5
    assert function("order*x").partials(2, 3, order=1)["df_dx"] == 2
    assert function("named + spec").hvp([1, 1], named=1, spec=1).tolist() == [0, 0]


# Products and series.


def test_products_with_vectors() -> None:
    x = np.array([0.5, 1.5])
    assert DECAY.jvp([1, 10], 1, 2, 0.5) == DECAY.grad(1, 2, 0.5) @ [1, 10]
    each = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert np.allclose(DECAY.jvp(each, x, 2, 0.5), (DECAY.grad(x, 2, 0.5) * each).sum(1), rtol=1e-15)
    assert DECAY.vjp(3, 1, 2, 0.5).tolist() == (3 * DECAY.grad(1, 2, 0.5)).tolist()
    assert np.allclose(TWO.jvp([1, 10], x, 3), TWO.jacobian(x, 3) @ [1, 10], rtol=1e-15)
    assert np.allclose(TWO.vjp([1, 10], x, 3), [1, 10] @ TWO.jacobian(x, 3), rtol=1e-15)
    assert np.allclose(DECAY.hvp(each, x, 2, 0.5), (DECAY.hessian(x, 2, 0.5) @ each[..., None])[..., 0], rtol=1e-15)
    # Infinities and zeros make nan without a warning, as in results.
    assert math.isnan(function("sqrt(x) + y").jvp([0, 1], 0, 1))
    for v, message in (
        ([1], "v has the shape (1,), and (2,) or (2, 2) is needed"), ([1j, 2], "argument 'v' is of dtype complex128"),
    ):  # fmt: skip
        for product in (DECAY.jvp, DECAY.hvp):
            with pytest.raises(GradError, match=re.escape(message)):
                product(v, x, 2, 0.5)
    with pytest.raises(GradError, match=r"w has the shape \(3,\), and \(\) or \(2,\) is needed"):
        DECAY.vjp([1, 2, 3], x, 2, 0.5)


def test_hessian_vector_products_of_many_variables() -> None:
    """Against central differences of the gradient, in mpmath with 60 digits."""
    n = 12
    names = [f"x{k}" for k in range(n)]
    text = " + ".join(f"10*({b} - {a}**2)**2 + exp(0.1*{a}*{b}) + sin({a})" for a, b in pairwise(names))
    rng = np.random.default_rng(3)
    z, v = rng.normal(size=(4, n)), rng.normal(size=(4, n))

    def gradient(at: list[Any]) -> list[Any]:
        g = [mpmath.mpf(0)] * n
        for k in range(n - 1):
            a, b = at[k], at[k + 1]
            e = mpmath.exp(a * b / 10) / 10
            g[k] += -40 * a * (b - a * a) + b * e + mpmath.cos(a)
            g[k + 1] += 20 * (b - a * a) + a * e
        return g

    f = function(text, args=names)
    with mpmath.workdps(60):
        h = mpmath.mpf(10) ** -20
        for point, direction, found in zip(z, v, f.hvp(v, *z.T), strict=True):
            sides = [
                gradient([mpmath.mpf(float(p)) + s * h * float(d) for p, d in zip(point, direction, strict=True)])
                for s in (1, -1)
            ]
            true = [float((up - down) / (2 * h)) for up, down in zip(*sides, strict=True)]
            assert np.allclose(found, true, rtol=1e-13, atol=1e-11)
            # At a point as in an array, but for the last bits of exp and sin.
            assert np.allclose(f.hvp(direction, *point.tolist()), found, rtol=1e-13)
    assert f.hvp(v[0], *z.T).shape == (4, n)
    few = function("+".join(names[:9]), args=names[:9], kink="convention")
    assert few.hvp(np.ones(9), *[np.ones((2, 3), np.float32)] * 9).dtype == np.float32
    with pytest.raises(GradError, match=r"v has the shape \(2,\), and \(12,\) is needed"):
        f.hvp([1, 2], *z[0])
    with pytest.raises(GradError, match="'x11' is missing"):
        f.hvp(v[0], *z[0, :-1])
    wide = function("+".join(f"x{k}**2*x{k + 1}" for k in range(400)))
    assert wide.hvp(np.ones(401), *[1.0] * 401)[:3].tolist() == [4.0, 6.0, 6.0]


def test_hessian_vector_products_at_hard_points_are_those_of_the_hessian() -> None:
    names = [f"x{k}" for k in range(10)]
    text = "+".join(f"abs({a})**3*{b}" for a, b in zip(names, [*names[1:], "x0"], strict=True))
    text += " + sqrt(x0**4) + log(x1) + max(x2, x3)**2"
    v = np.arange(10.0)
    for kink in ("derivative", "left", "nan", "limit", "mean"):
        f = function(text, args=names, kink=kink)
        for x0, x1, x2 in ((0.0, 1.0, 0.5), (1.0, 2.0, 1.0), (0.0, 0.0, 2.0), (NAN, 1.0, 2.0)):
            point = [x0, x1, x2, *[0.5] * 7]
            with np.errstate(all="ignore"):
                true = (f.hessian(*point) * v).sum(-1)
            assert np.allclose(f.hvp(v, *point), true, rtol=1e-13, equal_nan=True)
            assert np.allclose(f.hvp(v, np.array([x0, 3.0]), *point[1:])[0], true, rtol=1e-13, equal_nan=True)
    with pytest.raises(GradError, match="kink"):
        function(text, args=names, kink="error").hvp(v, 1.0, 1.0, 0.5, *[0.5] * 7)


def test_taylor_coefficients() -> None:
    assert DECAY.taylor(2, 0, 2, 3).tolist() == [2.0, -6.0, 9.0]
    found = function("exp(2*x)").taylor(180, 0.0)
    with mpmath.workdps(30):
        true = [float(mpmath.mpf(2) ** k / mpmath.factorial(k)) for k in range(181)]
    assert np.allclose(found, true, rtol=4e-16, atol=0)
    u, v = function("u = sin(x); v = 1/(1 - x)").taylor(3, x=0.0)
    assert u.tolist() == [0, 1, 0, -1 / 6] and v.tolist() == [1, 1, 1, 1]
    assert function("x*y").taylor(np.int64(1), [1, 2], 3).tolist() == [[3, 3], [6, 3]]


@pytest.mark.parametrize("order", [1.5, True, "grad", None, [1]])
def test_orders_are_whole_numbers(order: Any) -> None:
    for call in (lambda: DECAY.partials(1, 2, 3, order=order), lambda: DECAY.taylor(order, 1, 2, 3),
                 lambda: DECAY.names(order), lambda: DECAY.latex(order), lambda: DECAY.code("c", order),
                 lambda: DECAY.derivatives(order)):  # fmt: skip
        with pytest.raises(TypeError, match="an order is a whole number"):
            call()


# Making functions.


@pytest.mark.parametrize(("expression", "options", "kind", "message"), [
    (3, {}, TypeError, "an expression is a text, not int"),
    (None, {}, TypeError, "an expression is a text, not NoneType"),
    ({1: "x"}, {}, TypeError, "an expression is a text, not int"),
    ([], {}, ValueError, "no expression given"),
    ("", {}, ValueError, "empty expression"),
    ("x +", {}, ValueError, "unexpected end of expression: expected a number, a name or '(' after '+'\n  x +\n     ^"),
    ("x > 0", {}, ValueError, "a comparison is not a number"),
    ("sum(x)", {}, ValueError, "a function is of each point alone"),
    ({"u": "a = x; b = y"}, {}, ValueError, "'u' stands for one expression, and its text has 2"),
    ({"": "x"}, {}, ValueError, "the name of an output is missing"),
    ({"a`b": "x"}, {}, ValueError, "'a`b' is no name of an output"),
    ({"x": "x"}, {}, ValueError, "'x' would be both a variable and a result\n  name the output: y = expression"),
    ("x", {"wrt": "q"}, ValueError, "wrt: 'q' is not used in the expression\n  its variables are x"),
    ("x", {"wrt": 3}, TypeError, 'wrt: names as "a,b" or a list of names, not int'),
    ("x", {"wrt": [1]}, TypeError, "wrt: a name is a text, not int"),
    ("x", {"wrt": "x,,y"}, ValueError, "wrt: a name is missing"),
    ("x", {"wrt": "x,x"}, ValueError, "wrt: 'x' is given twice"),
    ("x*y", {"args": "x"}, ValueError, "args: 'y' is missing\n  such as args=\"x,y\""),
    ("x*y", {"args": "x,yy"}, ValueError, "'yy' is not used in the expression\n  did you mean 'y'?"),
    ("x", {"args": "x,y", "wrt": "q"}, ValueError, "wrt: 'q' is not used in the expression\n  its arguments are x, y"),
    ("-g", {"wrt": "v"}, ValueError, 'its variables are g; to have it all the same: function(..., args="g,v")'),
    (Path("x"), {}, TypeError, "the text of a file: path.read_text()"),
    (len, {}, TypeError, "for code that calls NumPy: gradcli.tensor"),
    (function("x"), {}, TypeError, "it is a function already"),
    ("x", {"args": "x,x"}, ValueError, "args: 'x' is given twice"),
    ("x", {"kink": "most"}, ValueError, "unknown rule 'most'"),
    ("x", {"kink": ["left"]}, TypeError, "kink is a text, not list"),
    ("x", {"engine": "fast"}, ValueError, "unknown engine 'fast'"),
    ("x", {"engine": None}, TypeError, "engine is a text, not NoneType"),
    ("x", {"threads": 0}, ValueError, "threads is a number of threads from 1, not 0"),
    ("x", {"threads": True}, TypeError, "threads is a whole number, not bool"),
])  # fmt: skip
def test_functions_that_are_refused(expression: Any, options: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(GradError, match=re.escape(message)) as caught:
        function(expression, **options)
    assert isinstance(caught.value, kind)


def test_arguments_that_are_listed_may_be_absent() -> None:
    f = function("c**2", args="x,c")
    assert f.args == f.wrt == ("x", "c") and f(1, 3) == 9 and f([1, 2], 3).tolist() == [9, 9]
    assert f.grad(1, 3).tolist() == [0, 6] and f.hessian(1, 3).tolist() == [[0, 0], [0, 2]]
    assert f.expressions() == {"f": "c**2", "df_dx": "0", "df_dc": "2*c"} and f.diff("x")(1, 3) == 0
    assert pickle.loads(pickle.dumps(f)).grad(1, 3).tolist() == [0, 6] and f.exact.grad(1, 3).tolist() == [0, 6]
    assert f.taylor(1, 1, 3).tolist() == [9, 0] and f.verdict(1, 3) == ("smooth", "smooth")


def test_one_vector_or_frame_in_place_of_all_arguments() -> None:
    f = function("x*y")
    with pytest.raises(TypeError, match=r"argument 'y' is missing\n  for one vector, .*: f.packed\(\)"):
        f([1.0, 2.0])
    with pytest.raises(TypeError, match=r"by name: f.table\(df\)"):
        f(SimpleNamespace(columns=["x", "y"]))
    for args in ((3,), ([1.0],), ("xyz",)):
        with pytest.raises(TypeError, match=r"argument 'y' is missing$"):
            f(*args)


def test_other_functions() -> None:
    f = function("x**3*y + z")
    assert str(f.diff("x", 2, "y")) == str(f.diff("x").diff("y").diff("x")) == "d3f_dx2dy = 6*x"
    assert str(f.diff("x", 0)) == str(f) and f.partial("x", 2, x=1, y=2, z=0) == 12
    assert f.diff("x").args == f.args and f.diff("x").jacobian(1, 2, 3).tolist() == [12, 3, 0]
    derived = f.derivatives(1, wrt="y")
    assert derived.outputs == ("f", "df_dy") and derived.wrt == ("y",) and derived(2, 3, 1) == (25.0, 8.0)
    assert f.derivatives(2).outputs == f.names(2) == tuple(f.expressions(2))
    assert str(function("sin(x)**2 + cos(x)**2 + x").simplify().diff()) == "df_dx = 1"
    assert function(["x", "y"]).outputs == ("f1", "f2") and function({"u": "x", "v": "x*y"})(2, 3) == (2, 6)
    assert function("2")() == 2.0 and function("2").grad().shape == (0,) and function("pi").hessian().shape == (0, 0)
    assert function("x*y", wrt="").grad(1, 2).shape == (0,) and function("2").partials() == {"f": 2.0}
    for call, message in (
        (lambda: f.diff("q"), "'q' is not an argument"), (f.diff, "a variable is needed, such as diff('x')"),
        (lambda: f.diff(2), "names of variables and orders are needed"), (lambda: f.diff("x", -1), "at least 0"),
        (lambda: f.diff("x", 300), "order 300 is beyond the limit"), (lambda: f.side("up"), "a side is 'left' or"),
        (lambda: function("2").diff(), "there is no variable"), (lambda: function("2").taylor(1), "no variable"),
        (lambda: TWO.grad(1, 2), "grad is of one output, and here are 2: u, v\n  for several outputs: jacobian"),
        (lambda: TWO.hvp([1, 2], 1, 2), "hvp is of one output"), (lambda: f.code("basic"), "no language 'basic'"),
        (lambda: TWO.value_and_grad(1, 2), "value_and_grad is of one output"),
        (lambda: f.explain(x=1), "arguments 'y', 'z' are missing"),
    ):  # fmt: skip
        with pytest.raises(GradError, match=re.escape(message)):
            call()


def test_forms_to_read_and_copy() -> None:
    for f in (DECAY, TWO, function({"a b": "x"}, wrt="x", kink="left"), function(["x", "y"], threads=2),
              function("`a,b` + `c`", args=["a,b", "c"])):  # fmt: skip
        again = eval(repr(f), {"gradcli": gradcli})
        assert repr(again) == repr(f) and str(again) == str(f) and again.args == f.args
    assert str(function({"a b": "x"})) == "`a b` = x"
    assert DECAY.diff("b")._repr_latex_() == r"$\displaystyle \frac{\partial f}{\partial b} = -x e^{-b x} a$"
    assert TWO.diff("x").latex().splitlines()[0] == r"\frac{\partial u}{\partial x} = y"
    assert DECAY.diff("b", "a").latex() == r"\frac{\partial^{2} f}{\partial b \partial a} = -x e^{-b x}"
    assert DECAY.diff("b").simplify().latex() == r"\frac{\partial f}{\partial b} = -a x e^{-b x}"
    assert "∂" in DECAY.diff("a")._repr_html_() and "∂" not in DECAY.diff("a").diff("a", 0).derivatives(0).latex()
    assert DECAY._repr_latex_().startswith("$\\displaystyle f = ") and "<math" in DECAY._repr_html_()
    assert "def f(x, a, b)" in DECAY.code("python") and "df_da" in DECAY.explain(x=1, a=2, b=3)


# Compiled functions.


def test_names_never_become_code() -> None:
    for name in [*NAMES, "otherwise", "float", "a0", "r3", "c0", "k0", "o0", "empty", "nan", "s", "point", "lambda"]:
        if set(name) & set("`\n\r"):
            continue
        f = function(f"2*{spell_name(name)} + exp(0*{spell_name(name)})", args=[name])
        assert f(3) == f(**{name: 3}) == f([3.0])[0] == 7 and f.grad(3)[0] == 2 and f.args == (name,)
    assert function({"a\tb": "2*q"}).names(1) == function("`a\tb` = 2*q").names(1)


@pytest.mark.parametrize("limit", [20_000, 100])
def test_large_functions(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """``limit``: the steps up to which a function is compiled."""
    monkeypatch.setattr(evaluation, "STEPS_LIMIT", limit)
    many = function(" + ".join(f"x{k}*{k}" for k in range(1_000)))
    assert many(*[1.0] * 1_000) == many(*[np.ones(1)] * 1_000)[0] == 499_500
    assert many.grad(*[1] * 1_000).tolist() == list(range(1_000))
    steps = "; ".join(["t0 = x", *[f"t{k} = sin(t{k - 1})*1.5 + x" for k in range(1, 1_000)], "t999"])
    f = function(steps)
    t, slope = 0.5, 1.0
    for _ in range(1, 1_000):
        t, slope = math.sin(t) * 1.5 + 0.5, math.cos(t) * slope * 1.5 + 1
    assert f(0.5) == t and math.isclose(f.grad(0.5)[0], slope, rel_tol=1e-12)
    assert math.isclose(f([0.5, 0.5])[1], t, rel_tol=1e-12)
    several = function([f"x*y + {k}" for k in range(300)])
    assert several(1, 2)[299] == 301 and several.jacobian([1, 2], 2).shape == (2, 300, 2)
    assert function("(" * 20_000 + "x" + ")" * 20_000)(2) == 2


@pytest.mark.parametrize(("text", "value"), [
    ("inf", INF), ("-inf", -INF), ("nan", NAN), ("-0.0", -0.0), ("x*inf", INF), ("x + nan", NAN), ("-0.0*x", -0.0),
    ("x/0", INF), ("0/0 + x*0", NAN), ("1e308*x*x - inf", -INF), ("0*x - 0.0", 0.0), ("-(0*x)", -0.0),
])  # fmt: skip
def test_constants_that_are_not_finite(text: str, value: float) -> None:
    for kink in ("derivative", "convention"):
        f = function(text, kink=kink)
        for x in (1.0, 1, np.ones(2)):
            found = f(*[x] * len(f.args))
            for v in np.ravel(found):
                assert repr(float(v)) == repr(value), (kink, x)


@pytest.mark.parametrize("name", ["function", "calls", "written", "results"])
def test_examples_of_docstrings(name: str) -> None:
    if name == "function":
        pytest.importorskip("pandas")
    said: list[str] = []
    module = import_module(f"gradcli.callables.{name}")
    examples = [test for test in doctest.DocTestFinder().find(module, globs={}) if test.examples]
    assert examples
    for example in examples:
        doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert not said, "".join(said)


# Pickles, imports and memory.


def test_natural_notation() -> None:
    f = function("ax² + sin 2x", args="x,a", natural=True)
    assert (str(f), f.args, f.wrt) == ("f = a*x**2 + sin(2*x)", ("x", "a"), ("x", "a"))
    assert f(2, 3) == 12 + math.sin(4) and f.grad(0, 3).tolist() == [2, 0]
    assert repr(f) == "gradcli.function('ax² + sin 2x', args='x,a', natural=True)"
    for again in (pickle.loads(pickle.dumps(f)), copy.deepcopy(f), eval(repr(f), {"gradcli": gradcli})):
        assert (str(again), repr(again), again(2, 3)) == (str(f), repr(f), f(2, 3))
    assert str(f.diff("a")) == "df_da = x**2" and f.diff("x").grad(0, 3).tolist() == [6, 0]
    assert function({"u": "2x", "v": "x y"}, natural=True)(1, 2) == (2, 2)
    assert f.check("df_da = x**2").ok
    assert [p.source.text for p in f._model.parsed] == ["ax² + sin 2x"]
    with pytest.raises(GradError, match=r"x \+ 1/2x\n +\^\^\^\n"):
        function("x + 1/2x", natural=True)
    with pytest.raises(GradError):
        function("2x")


def test_pickles() -> None:
    for f in (DECAY, TWO.diff("x"), DECAY.side("left"), function("x", careful=True), function({"a": "x"})):
        again = pickle.loads(pickle.dumps(f))
        assert repr(again) == repr(f) and again.args == f.args and repr(copy.deepcopy(f)) == repr(f)
    assert len(pickle.dumps(DECAY)) < 200 + len("a*exp(-b*x)")
    text = repr(pickle.dumps((DECAY, DECAY.grad)))
    calls = "f(0.3, 1.1, 0.7).hex(), grad([0.3], 1.1, 0.7).tobytes().hex()"
    code = f"import pickle; f, grad = pickle.loads({text}); print({calls})"
    assert process(code) == f"{DECAY(0.3, 1.1, 0.7).hex()} {DECAY.grad([0.3], 1.1, 0.7).tobytes().hex()}"


def test_numbers_need_no_numpy() -> None:
    code = """
import sys, gradcli
f = gradcli.function("x**2 + abs(y) + sin(x)/x", kink="left")
print(f(3.0, 2), f.partials(1, 0)["df_dy"], f.diff("x", 2)(1, 2) < 9, f.code("c") > "", "numpy" in sys.modules)
"""
    assert process(code).endswith("-1.0 True True False")


def test_the_public_names() -> None:
    names = dir(gradcli)
    assert names == sorted(set(names)) and all(hasattr(gradcli, name) for name in names)
    assert "function" in names and not [name for name in names if name.startswith("_") and not name.startswith("__")]


def test_functions_do_not_fill_memory() -> None:
    f = function("a*exp(-b*x) + abs(x - a)", wrt="a,b", args="x,a,b")
    x = np.linspace(0, 1, 50)

    def calls(count: int) -> None:
        for k in range(count):
            f(float(k), 2.0, 0.5)
        for k in range(count // 50):
            f.value_and_grad(x, float(k), 0.5)
            f.grad(2.0, 2.0, 0.5)
            f.grad(NAN, float(k), 0.5)
            function(f"x + {k % 3}")(1.0)

    calls(600)
    gc.collect()
    tracemalloc.start()
    calls(100)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    calls(5_000)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 30_000


class Seen(np.ndarray):
    """An array that may be referred to weakly."""


def test_results_beyond_the_memory_are_refused() -> None:
    x = np.zeros((1_000_000, 1))
    with pytest.raises(GradError, match=r"2 x 1,000,000,000,000 results would take 16,000.0 GB of memory"):
        DECAY.grad(x, x.T, 1.0)


@pytest.mark.parametrize("size", [10, 20_000])
def test_arguments_are_not_kept_alive(size: int) -> None:
    f = function("a*exp(-b*x) + abs(x - a)")
    x = np.linspace(-1, 1, size).view(Seen)
    alive = weakref.ref(x)
    gc.disable()
    try:
        result = f.value_and_grad(x=x, a=1.0, b=0.5)
        del x
        assert alive() is None and result[0].shape == (size,)
    finally:
        gc.enable()


def test_functions_are_freed_by_reference_counts() -> None:
    f = function("x**3 + abs(y) + 0.123456789")
    f(1.0, 2.0), f(np.ones(3), 1.0), f.hessian(np.zeros(3), 0), f.taylor(2, 1.0, 0.0), f.hvp([1, 2], 0.0, 0.0)
    g = function("+".join(f"abs(x{k})*0.1239" for k in range(9)))
    g.hvp(np.ones(9), *[0.0] * 9)
    alive = weakref.ref(f), weakref.ref(g)
    model_of.cache_clear()
    gc.collect()
    gc.disable()
    try:
        del f, g
        assert alive[0]() is None and alive[1]() is None
    finally:
        gc.enable()


def test_errors_name_arguments_and_not_options() -> None:
    for spoken in (lambda: DECAY.code("basic"), lambda: DECAY.latex(environment="verse")):
        with pytest.raises(ValueError, match=r"^(there is no language 'basic'|no environment 'verse')\n  there are "):
            spoken()
    many = function("+".join(f"x{k}**2" for k in range(100)))
    for call, words in (
        (lambda: many.partials(*range(100), order=4), "limit is 50000\n  choose variables with wrt, or a lower order"),
        (lambda: function("x*df_dx").grad(1, 2), "both a variable and a result\n  name the output: y = expression"),
    ):
        with pytest.raises(ValueError, match=re.escape(words) + "$"):
            call()
