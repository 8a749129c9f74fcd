"""Propagation as expressions: forms that keep digits and do not overflow, second order with correlations."""

import math
from itertools import product

import mpmath
import pytest

from gradcli.compute.backends.scalar import at_point as evaluated
from gradcli.expr import const, text, var
from gradcli.language import parse
from gradcli.uncertainty.formula import Inputs, Moments, correlation, propagate
from gradcli.uncertainty.matrices import length

pytestmark = pytest.mark.quick


def propagated(expression, point, r=None, moments=None, second=False):
    names = [name for name in point if not name.startswith("u_")]
    u = {name: var(f"u_{name}") for name in names if f"u_{name}" in point}
    inputs = Inputs(u, {pair: const(value) for pair, value in (r or {}).items()}, moments or {})
    (made,) = propagate([("y", parse(expression).outputs[0][1])], inputs, second=second)
    roots = [made.y, made.u, *(made.second or ())]
    return evaluated(roots, point)


def test_form_of_one_and_of_two_inputs():
    x, y = parse("x"), parse("x*y")
    (one,) = propagate([("f", x.outputs[0][1])], Inputs({"x": var("u_x")}))
    (two,) = propagate([("f", y.outputs[0][1])], Inputs({"x": var("u_x"), "y": var("u_y")}))
    assert text(one.u) == "abs(u_x)"
    assert text(two.u) == "hypot(u_x*y, u_y*x)"
    assert text(two.contribution("x")) == "abs(u_x*y)"


@pytest.mark.parametrize("size", [1e-200, 1e-160, 1.0, 1e160, 1e200])
@pytest.mark.parametrize("r", [{}, {("a", "b"): 0.5}, {("a", "b"): 0.5, ("b", "c"): 0.5}])
def test_no_overflow_and_no_underflow(size, r):
    _, u = propagated("a + b + c", {"a": 1.0, "b": 1.0, "c": 1.0, "u_a": size, "u_b": size, "u_c": size}, r)
    assert u == pytest.approx(size * math.sqrt(3 + 2 * sum(r.values())), rel=1e-15)


def test_no_underflow_in_second_order():
    values = propagated("x**2", {"x": 0.0, "u_x": 1e-120}, second=True)
    assert values[3] == pytest.approx(math.sqrt(2) * 1e-240, rel=1e-14)


def test_small_slopes_keep_their_digits():
    mpmath.mp.dps = 40
    _, u = propagated("tanh(x)", {"x": 20.0, "u_x": 0.1})
    assert u == pytest.approx(float(mpmath.sech(20) ** 2 * mpmath.mpf("0.1")), rel=1e-14)


@pytest.mark.parametrize("r", [-1.0, -1 + 2**-40, -0.999999, 0.0, 0.3, 1.0])
def test_a_pair_keeps_its_digits_where_it_cancels(r):
    # A constant is the decimal of its shortest text.
    mpmath.mp.dps = 60
    a, b = 0.3, 0.3 * (1 + 2**-30)
    _, u = propagated("a + b", {"a": 1.0, "b": 2.0, "u_a": a, "u_b": b}, {("a", "b"): r})
    true = mpmath.sqrt(mpmath.mpf(a) ** 2 + mpmath.mpf(b) ** 2 + 2 * mpmath.mpf(repr(r)) * a * b)
    assert u == pytest.approx(float(true), rel=1e-14)


def test_a_matrix_of_ones_adds_uncertainties():
    names = [f"x{k}" for k in range(6)]
    ones = {(a, b): 1.0 for k, a in enumerate(names) for b in names[k + 1 :]}
    point = {**dict.fromkeys(names, 1.0), **{f"u_{n}": 0.1 for n in names}}
    assert propagated("+".join(names), point, ones)[1] == pytest.approx(0.6, rel=1e-15)
    opposed = {pair: -1.0 if "x0" in pair else 1.0 for pair in ones}
    point["u_x0"] = 0.5
    assert propagated("+".join(names), point, opposed)[1] == pytest.approx(0.0, abs=1e-15)


def test_a_matrix_that_is_none_gives_nan():
    wrong = {("a", "b"): var("r"), ("b", "c"): var("r"), ("a", "c"): var("r")}
    e = length({name: const(1) for name in "abc"}, wrong)
    assert math.isnan(evaluated([e], {"r": -0.9})[0])
    assert evaluated([e], {"r": -0.5})[0] == 0


def moments_of(f, point, u, r, order=3):
    """Mean and variance of the Taylor series in normal inputs to fourth order in u, by Isserlis' theorem."""
    mpmath.mp.dps = 40
    n = len(point)
    x = [mpmath.mpf(v) for v in point]

    def d(*places):
        return mpmath.diff(f, x, tuple(places.count(k) for k in range(n)))

    v = [[mpmath.mpf(r[i][j]) * u[i] * u[j] for j in range(n)] for i in range(n)]
    every = range(n)
    mean = f(*x) + sum(d(i, j) * v[i][j] for i, j in product(every, every)) / 2
    first = sum(d(i) * d(j) * v[i][j] for i, j in product(every, every))
    second = sum(d(i, j) * d(k, m) * (v[i][k] * v[j][m] + v[i][m] * v[j][k])
                 for i, j, k, m in product(every, repeat=4)) / 4  # fmt: skip
    third = sum(d(i) * d(j, k, m) * (v[i][j] * v[k][m] + v[i][k] * v[j][m] + v[i][m] * v[j][k])
                for i, j, k, m in product(every, repeat=4)) / 3  # fmt: skip
    return float(mean), float(mpmath.sqrt(first)), float(mpmath.sqrt(first + second + third))


@pytest.mark.parametrize(("expression", "function"), [
    ("exp(a)*sin(b)", lambda a, b: mpmath.exp(a) * mpmath.sin(b)),
    ("a**3/b", lambda a, b: a**3 / b),
])  # fmt: skip
@pytest.mark.parametrize("r", [0.0, 0.7, -0.4])
def test_second_order_of_correlated_inputs(expression, function, r):
    point, u = (0.7, 1.3), (0.1, 0.2)
    mean, first, second = moments_of(function, point, u, [[1, r], [r, 1]])
    values = propagated(
        expression, {"a": point[0], "b": point[1], "u_a": u[0], "u_b": u[1]}, {("a", "b"): r} if r else {}, second=True
    )
    assert values[1:4] == pytest.approx([first, mean, second], rel=1e-13)


def test_moments_of_distributions():
    # Of a rectangular input in (-w, w) the square has the mean w**2/3 and the variance 4*w**4/45.
    w = 0.3
    uniform = {"x": Moments(0, 1.8)}
    values = propagated("x**2", {"x": 0.0, "u_x": w / math.sqrt(3)}, moments=uniform, second=True)
    assert values[2] == pytest.approx(w**2 / 3, rel=1e-14)
    assert values[3] == pytest.approx(math.sqrt(4 / 45) * w**2, rel=1e-14)
    # Of an exponential input, with skewness 2 and kurtosis 9, (x - 1)**2 + (x - 1) has the variance 13.
    values = propagated("(x - 1)**2 + (x - 1)", {"x": 1.0, "u_x": 1.0}, moments={"x": Moments(2, 9)}, second=True)
    assert values[3] == pytest.approx(math.sqrt(8 + 4 + 1), rel=1e-14)


def test_a_linear_formula_has_no_second_order():
    inputs = Inputs({"x": var("u_x"), "y": var("u_y")})
    (made,) = propagate([("f", parse("2*x - y").outputs[0][1])], inputs, second=True)
    assert made.second.u is made.u
    assert text(made.second.linear) == "1"


def test_correlation_of_equal_and_of_opposite_results():
    inputs = Inputs({"x": var("u_x"), "y": var("u_y")})
    a, b, c = propagate(
        [(n, parse(t).outputs[0][1]) for n, t in (("a", "x + y"), ("b", "-2*x - 2*y"), ("c", "x"))], inputs
    )
    point = {"x": 1e200, "y": 1.0, "u_x": 1e200, "u_y": 1e-200}
    values = evaluated([correlation(a, a, inputs), correlation(a, b, inputs), correlation(c, b, inputs)], point)
    assert values == pytest.approx([1, -1, -1], rel=1e-15)
