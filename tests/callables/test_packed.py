"""Packed functions: the vectors, shapes and calls of SciPy's solvers."""

from __future__ import annotations

import doctest
import inspect
import pickle
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import mpmath
import numpy as np
import pytest

from gradcli import Function, GradError, function
from gradcli.callables import packed
from gradcli.callables.packed import Packed

scipy_optimize = pytest.importorskip("scipy.optimize")
scipy_integrate = pytest.importorskip("scipy.integrate")

XS = np.array([0.0, 0.5, 1.25])


def central(f: Callable[..., Any], *z: Any) -> np.ndarray:
    """The Jacobian of a function of mpmath's numbers by central differences of step 1e-20 in 60 digits."""
    with mpmath.workdps(60):
        h = mpmath.mpf(10) ** -20
        columns = []
        for k in range(len(z)):
            up, down = ([mpmath.mpf(v) + s * h * (i == k) for i, v in enumerate(z)] for s in (1, -1))
            columns.append([float((a - b) / (2 * h)) for a, b in zip(f(*up), f(*down), strict=True)])
    return np.array(columns).T


def rosenbrock(n: int) -> Any:
    names = [f"x{k}" for k in range(n)]
    terms = [f"100*(x{k + 1} - x{k}**2)**2 + (1 - x{k})**2" for k in range(n - 1)]
    return function(" + ".join(terms), args=names).packed()


# Shapes.


@pytest.mark.quick
def test_a_single_result_is_a_float_with_a_gradient_and_a_hessian() -> None:
    p = function("a*exp(-b*x)", wrt="a,b").packed(x=1)
    value = p.fun(np.array([2.0, 0.5]))
    assert type(value) is float
    assert p([2, 0.5]) == value == p.fun((2, 0.5))
    assert p.jac([2, 0.5]).shape == (2,)
    assert p.hess([2, 0.5]).shape == (2, 2)
    assert (p.hessp([2, 0.5], [1, 10]) == p.hess([2, 0.5]) @ [1, 10]).all()
    pair = p.value_and_grad(np.array([2.0, 0.5]))
    assert pair[0] == value
    assert (pair[1] == p.jac([2, 0.5])).all()


@pytest.mark.quick
def test_fixed_arrays_give_a_result_for_each_point() -> None:
    f = function("a*exp(-b*x)", wrt="a,b")
    p = f.packed(x=XS)
    z = [2, 0.5]
    assert (p.fun(z) == f(a=2, b=0.5, x=XS)).all()
    assert (p.jac(z) == f.jacobian(a=2, b=0.5, x=XS)).all()
    assert p.jac(z).shape == (3, 2)
    expected = central(lambda a, b: [a * mpmath.exp(-b * mpmath.mpf(float(x))) for x in XS], *z)
    assert p.jac(z) == pytest.approx(expected, rel=1e-15)
    value, gradient = p.value_and_grad(z)
    assert (value == p.fun(z)).all()
    assert (gradient == p.jac(z)).all()


@pytest.mark.quick
def test_arrays_of_two_dimensions_broadcast_and_become_one_vector() -> None:
    f = function("a*x + b*t", wrt="a,b")
    t = np.arange(4.0)[:, None]
    p = f.packed(x=XS, t=t)
    assert p.points == (4, 3)
    assert (p.fun([2, 3]) == (2 * XS + 3 * t).ravel()).all()
    assert p.jac([2, 3]).shape == (12, 2)
    assert (p.jac([2, 3])[:, 1] == np.repeat(np.arange(4.0), 3)).all()


@pytest.mark.quick
def test_several_outputs_stand_one_after_another() -> None:
    f = function("u = a*x; v = a**2 + b*x", wrt="a,b")
    p = f.packed(x=2)
    assert (p.fun([3, 4]) == [6, 17]).all()
    assert (p.jac([3, 4]) == [[2, 0], [6, 2]]).all()
    q = f.packed(x=XS)
    assert (q.fun([3, 4]) == [*(3 * XS), *(9 + 4 * XS)]).all()
    expected = central(lambda a, b: [*[a * x for x in XS], *[a * a + b * x for x in XS]], 3, 4)
    assert q.jac([3, 4]) == pytest.approx(expected)
    assert q.jac([3, 4]).shape == (6, 2)


@pytest.mark.quick
def test_weights_add_the_hessians_of_the_results() -> None:
    f = function("u = a**2*x; v = a*b + x*b**3", wrt="a,b")
    p, q = f.packed(x=2), f.packed(x=XS)
    assert (p.hess([3, 1], [10, 1]) == [[40, 1], [1, 12]]).all()
    weights = [1, 10, 100, 1000, 10000, 100000]
    second = [[2 * (XS @ weights[:3]), sum(weights[3:])], [sum(weights[3:]), 6 * (XS @ weights[3:])]]
    assert q.hess([3, 1], weights) == pytest.approx(np.array(second))
    single = function("a**2*b").packed()
    assert (single.hess([2, 3], [2]) == 2 * single.hess([2, 3])).all()
    for each in (p, q):
        with pytest.raises(GradError, match=r"hess is of a single result, and here are 2 outputs"):
            each.hess([3, 1])
        with pytest.raises(GradError, match="hessp is of a single result"):
            each.hessp([3, 1], [1, 1])
    with pytest.raises(GradError, match=r"here are the points \(3,\) of x"):
        function("a*x", wrt="a").packed(x=XS).hess([1])
    with pytest.raises(ValueError, match=r"v has the shape \(2,\), and \(6,\) is needed"):
        q.hess([3, 1], [1, 2])


@pytest.mark.quick
def test_columns_of_vectors_as_vectorized_solvers_pass_them() -> None:
    z = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
    single = function("a*exp(-b*x)", wrt="a,b").packed(x=1)
    assert (single.fun(z) == [single.fun(column) for column in z.T]).all()
    several = function("u = a*x; v = a**2 + b*x", wrt="a,b").packed(x=2)
    assert (several.fun(z) == np.array([several.fun(column) for column in z.T]).T).all()
    with pytest.raises(ValueError, match=r"z has the shape \(2, 3\), and \(2,\) is needed: a, b"):
        function("a*x + b", wrt="a,b").packed(x=XS).fun(z)


@pytest.mark.quick
def test_no_points_and_constants() -> None:
    p = function("a*x", wrt="a").packed(x=[])
    assert p.fun([1]).shape == (0,)
    assert p.jac([1]).shape == (0, 1)
    constant = function("x*y").diff("x").diff("y").packed(y=XS)
    assert (constant.fun([1]) == [1, 1, 1]).all()
    assert (constant.jac([1]) == np.zeros((3, 1))).all()
    wide = function("x*y").diff("x").diff("y").packed()
    assert (wide.fun(np.zeros((2, 4))) == np.ones(4)).all()


# Vectors.


@pytest.mark.quick
@pytest.mark.parametrize(
    "z",
    [[2, 0.5], (2, 0.5), np.array([2, 0.5], np.float32), np.array([2, 0.5], ">f8"), np.array([2, 9, 0.5])[::2],
     np.array([2, 0.5]).view(type("Own", (np.ndarray,), {}))],
)  # fmt: skip
def test_every_kind_of_vector_of_numbers_is_read(z: Any) -> None:
    p = function("a*exp(-b*x)", wrt="a,b").packed(x=1)
    want = np.array([2, 0.5])
    assert p.fun(z) == p.fun(want)
    assert (p.jac(z) == p.jac(want)).all()
    assert (p.hess(z) == p.hess(want)).all()
    assert p.value_and_grad(z)[0] == p.fun(want)


@pytest.mark.quick
@pytest.mark.parametrize(
    ("z", "kind", "message"),
    [
        ([1], ValueError, r"z has the shape \(1,\), and \(2,\) is needed: a, b"),
        (np.ones(3), ValueError, r"z has the shape \(3,\), and \(2,\) is needed: a, b"),
        (3.0, ValueError, r"z has the shape \(\), and \(2,\) is needed: a, b"),
        (np.ones((2, 1, 1)), ValueError, r"z has the shape \(2, 1, 1\)"),
        ([1j, 2], TypeError, "'z' is of dtype complex128, and real numbers are needed"),
        (np.array([1, 2], "M8[ns]"), TypeError, "'z' is of dtype datetime64"),
        (["a", "b"], TypeError, "'z' is of dtype <U1"),
        (np.ma.array([1.0, 2.0]), TypeError, "'z' is a masked array"),
        (None, TypeError, "'z' is of type NoneType"),
    ],
    ids=str,
)
def test_what_is_no_vector_is_an_error(z: Any, kind: type[Exception], message: str) -> None:
    p = function("a*exp(-b*x)", wrt="a,b").packed(x=XS)
    for call in (p.fun, p.jac, p.value_and_grad, partial(p.hess, v=[1, 1, 1])):
        with pytest.raises(kind, match=message) as error:
            call(z)
        assert isinstance(error.value, GradError)


@pytest.mark.quick
def test_a_number_is_a_vector_of_one_element() -> None:
    p = function("x**2 - 2").packed()
    assert p.fun(3.0) == p.fun([3]) == 7
    root = scipy_optimize.root_scalar(p.fun, bracket=(0, 2))
    assert root.root == pytest.approx(2**0.5)


# Arguments.


@pytest.mark.quick
def test_which_variables_are_packed() -> None:
    f = function("a*exp(-b*x) + c")
    assert f.packed(x=1).wrt == ("a", "b", "c")
    assert f.packed("c,a", x=1, b=2).wrt == ("c", "a")
    assert f.packed(["b"], x=1, a=2, c=3).wrt == ("b",)
    assert f.packed(["b"], x=1, a=2, c=3).jac([0]) == [-2]
    assert function("a*exp(-b*x)", wrt="b").packed(x=1, a=2).wrt == ("b",)
    assert (f.packed("c,a", x=1, b=0).jac([5, 7]) == [1, 1]).all()
    assert f.packed("c,a", x=0, b=0).fun([5, 7]) == 12


@pytest.mark.quick
def test_variables_of_derived_functions_leave_the_outputs_as_they_are() -> None:
    d = function("x**2*y").derivatives(1)
    p = d.packed("x", y=3)
    assert (p.fun([5]) == [75, 30, 25]).all()
    assert function("x**2*y").diff("x").packed(y=3).jac([5]) == [6]
    assert function("sin(x)**2 + cos(x)**2 + x*y").simplify().packed(y=2).fun([5]) == 11
    assert function("u = f*x; f*y").packed(x=1, y=2).function.outputs == function("u = f*x; f*y").outputs


@pytest.mark.quick
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: f.packed(x=1, q=2), "no argument 'q'"),
        (lambda f: f.packed("a,q", x=1, b=2), "wrt: the function has no argument 'q'"),
        (lambda f: f.packed("a", x=1), "argument 'b' is missing"),
        (lambda f: f.packed("a"), "arguments 'b', 'x' are missing"),
        (lambda f: f.packed("a,b", x=1, b=2), "'b' is one of the variables, and is fixed, too"),
        (lambda f: f.packed("a,a", x=1, b=2), "'a' is there twice"),
        (lambda f: f.packed(x=1, a=1, b=2), "no variable is left to pack"),
        (lambda f: f.packed(a=1, b=1j), "'b' is of type complex"),
        (lambda f: f.packed(a="1"), "'a' is of dtype|'a' is of type"),
        (lambda f: f.packed("a,b", time="t", x=1), "time: the function has no argument 't'"),
        (lambda f: f.packed("a,b,x", time="x"), "'x' is there twice among the variables and the time"),
        (lambda f: f.packed(time="x", x=1), "'x' is the time, and is fixed, too"),
        (lambda f: f.packed(time=3), "no argument 'time'"),
    ],
)
def test_arguments_that_do_not_fit(make: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message) as error:
        make(function("a*exp(-b*x)"))
    assert isinstance(error.value, GradError)


@pytest.mark.quick
def test_fixed_arrays_that_do_not_broadcast() -> None:
    with pytest.raises(ValueError, match=r"arguments 'x' of shape \(3,\) and 'y' of shape \(2,\) do not broadcast"):
        function("a*x*y").packed(x=[1, 2, 3], y=[1, 2])


@pytest.mark.quick
def test_a_variable_called_time_and_one_called_wrt() -> None:
    assert function("a*time + wrt").packed(time=3, wrt=1).fun([2]) == 7
    assert (function("a*time").packed(time=XS).fun([2]) == 2 * XS).all()
    assert function("a*time", wrt="a").packed(time="time").rhs(3, [2]) == [6]


@pytest.mark.quick
def test_fixed_arrays_are_copied_and_of_doubles() -> None:
    xs = XS.astype(np.float32)
    p = function("a*x", wrt="a").packed(x=xs)
    xs[:] = 0
    assert p.fun([1.1]).dtype == np.float64
    assert (p.fun([1.1]) == 1.1 * XS).all()
    ys = XS.copy()
    q = function("a*x", wrt="a").packed(x=ys)
    ys[:] = 0
    assert (q.fun([1]) == XS).all()


@pytest.mark.quick
def test_results_are_new_arrays() -> None:
    p = function("a*x", wrt="a").packed(x=XS)
    first = p.jac([1])
    first[:] = 0
    assert (p.jac([2])[:, 0] == XS).all()
    assert (p.fun([2]) == 2 * XS).all()


@pytest.mark.quick
def test_options_of_the_function_hold() -> None:
    assert np.isnan(function("abs(x)*y", kink="nan").packed(y=1).jac([0])).all()
    assert function("abs(x)*y").side("left").packed(y=1).jac([0]) == [-1]
    assert function("abs(x)*y", kink="convention").packed(y=1).jac([0]) == [0]
    assert function("(1 - cos(x))/x**2*y", exact=True).packed(y=1).fun([1e-8]) == 0.5
    assert (function("(1 - cos(x))/x**2*y", careful=True).packed(y=[1, 2]).fun([1e-8]) == [0.5, 1]).all()


@pytest.mark.quick
@pytest.mark.parametrize("engine", ["scalar", "vector", "native"])
def test_engines(engine: str) -> None:
    if engine == "native":
        pytest.importorskip("llvmlite")
    p = function("a*exp(-b*x)", wrt="a,b", engine=engine).packed(x=XS)
    assert p.fun([2, 0.5]) == pytest.approx(2 * np.exp(-0.5 * XS), rel=1e-15)


# Residuals.


@pytest.mark.quick
def test_residuals_are_results_less_observations() -> None:
    p = function("a*exp(-b*x)", wrt="a,b").packed(x=XS)
    r = p.residuals([3, 2, 1])
    assert (r([2, 0.5]) == p.fun([2, 0.5]) - [3, 2, 1]).all()
    assert (r.jac([2, 0.5]) == p.jac([2, 0.5])).all()
    assert (p.residuals(1)([2, 0]) == [1, 1, 1]).all()
    several = function("a*x; b*x", wrt="a,b").packed(x=XS)
    assert (several.residuals([XS, 2 * XS])([1, 2]) == np.zeros(6)).all()
    assert function("a*b").packed().residuals(5)([2, 3]) == 1
    with pytest.raises(ValueError, match=r"y has the shape \(2,\), and the results have \(3,\)"):
        p.residuals([1, 2])
    with pytest.raises(ValueError, match=r"y has the shape \(3, 1\), and the results have \(3,\)"):
        p.residuals([[1], [2], [3]])
    with pytest.raises(TypeError, match="'y' is of dtype complex128"):
        p.residuals([1j, 2, 3])


# Differential equations.


@pytest.mark.quick
def test_the_right_hand_side_and_its_jacobian() -> None:
    p = function({"du": "v", "dv": "-k*u + sin(w*t)"}, wrt="u,v").packed(time="t", k=4, w=2)
    assert (p.rhs(np.float64(0), np.array([1.0, 2.0])) == [2, -4]).all()
    assert p.rhs(1, [1, 2]) == pytest.approx([2, -4 + np.sin(2)], rel=1e-15)
    assert (p.jac_t(1.0, np.array([1.0, 2.0])) == [[0, 1], [-4, 0]]).all()
    z = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert (p.rhs(0, z) == [[4, 5, 6], [-4, -8, -12]]).all()
    for call in (p.fun, p.jac, p.hess, p.value_and_grad):
        with pytest.raises(GradError, match=r"no time t|single result"):
            call([1, 2])
    with pytest.raises(TypeError, match="the time t is a number, not list"):
        p.rhs([1], [1, 2])
    one = function("-k*y*t", wrt="y").packed(time="t", k=2)
    assert (one.rhs(3, [5]) == [-30]).all()
    assert one.jac_t(3, [5]).tolist() == [[-6]]


@pytest.mark.quick
def test_a_system_needs_an_output_for_each_variable_and_single_times() -> None:
    with pytest.raises(GradError, match="needs an output for each variable, and here are 1 for u, v"):
        function("u*v*t").packed(time="t")
    with pytest.raises(GradError, match="rhs needs an output for each variable"):
        function("u*v").packed().rhs(0, [1, 2])
    with pytest.raises(GradError, match="one point of time, and here are arrays: k"):
        function("u*k*t").packed(time="t", k=XS)


# SciPy's solvers.


@pytest.mark.parametrize("method", ["BFGS", "Newton-CG", "trust-ncg", "trust-krylov", "trust-exact", "L-BFGS-B", "TNC"])
def test_minimize(method: str) -> None:
    p = rosenbrock(6)
    second = {"hess": p.hess} if method[0] in "Nt" else {}
    result = scipy_optimize.minimize(p.fun, np.full(6, 1.2), jac=p.jac, method=method, **second)
    assert result.x == pytest.approx(np.ones(6), abs=1e-2)
    if method[0] in "Nt" and method != "trust-exact":
        same = scipy_optimize.minimize(p.fun, np.full(6, 1.2), jac=p.jac, method=method, hessp=p.hessp)
        assert same.x == pytest.approx(np.ones(6), abs=1e-2)
    pair = scipy_optimize.minimize(p.value_and_grad, np.full(6, 1.2), jac=True, method=method, **second)
    assert (pair.x == result.x).all()


def test_thirty_variables_take_as_many_evaluations_as_by_hand() -> None:
    p = rosenbrock(30)
    z = np.full(30, -1.2)
    assert p.fun(z) == pytest.approx(scipy_optimize.rosen(z), rel=1e-14)
    assert p.jac(z) == pytest.approx(scipy_optimize.rosen_der(z), rel=1e-14)
    assert p.hess(z) == pytest.approx(scipy_optimize.rosen_hess(z), rel=1e-14)
    ours = scipy_optimize.minimize(p.fun, z, jac=p.jac, hess=p.hess, method="trust-exact")
    theirs = scipy_optimize.minimize(
        scipy_optimize.rosen, z, jac=scipy_optimize.rosen_der, hess=scipy_optimize.rosen_hess, method="trust-exact"
    )
    counts = [(r.nfev, r.njev, r.nhev) for r in (ours, theirs)]
    assert counts[0] == counts[1]
    assert ours.x == pytest.approx(np.ones(30), abs=1e-5)


def test_constraints_with_weights() -> None:
    p = function("(x - 2)**2 + (y - 1)**2").packed()
    disc = function("x**2 + y**2; x*y").packed()
    constraint = scipy_optimize.NonlinearConstraint(disc.fun, -np.inf, [1, 0.25], jac=disc.jac, hess=disc.hess)
    result = scipy_optimize.minimize(
        p.fun, [0.5, 0.25], jac=p.jac, hess=p.hess, method="trust-constr", constraints=constraint,
        options={"gtol": 1e-10, "xtol": 1e-12},
    )  # fmt: skip
    # On x**2 + y**2 = 1 and x*y = 1/4 at once: sin(2 t)/2 = 1/4.
    t = np.arcsin(0.5) / 2
    assert result.x == pytest.approx([np.cos(t), np.sin(t)], abs=1e-4)


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox"])
def test_least_squares(method: str) -> None:
    xs = np.linspace(0, 3, 20)
    ys = 2 * np.exp(-0.5 * xs)
    p = function("a*exp(-b*x)", wrt="a,b").packed(x=xs)
    result = scipy_optimize.least_squares(p.residuals(ys), [1, 1], p.jac, method=method)
    assert result.x == pytest.approx([2, 0.5], rel=1e-7)
    weighted = function("(a*exp(-b*x) - y)/s", wrt="a,b").packed(x=xs, y=ys, s=np.linspace(1, 2, 20))
    result = scipy_optimize.least_squares(weighted.fun, [1, 1], weighted.jac, method=method)
    assert result.x == pytest.approx([2, 0.5], rel=1e-7)


def test_curve_fit() -> None:
    xs = np.linspace(0, 3, 20)
    f = function("a*exp(-b*x)", wrt="a,b", args="x,a,b")
    best, covariance = scipy_optimize.curve_fit(f, xs, 2 * np.exp(-0.5 * xs), [1, 1], jac=f.jacobian)
    assert best == pytest.approx([2, 0.5], rel=1e-7)
    assert covariance.shape == (2, 2)
    counted, _ = scipy_optimize.curve_fit(f, xs, 2 * np.exp(-0.5 * xs), jac=f.jacobian)
    assert counted == pytest.approx([2, 0.5], rel=1e-7)


@pytest.mark.quick
def test_the_signature_is_that_of_the_arguments() -> None:
    assert str(inspect.signature(function("a*exp(-b*x)", args="x,a,b"))) == "(x, a, b)"
    assert str(inspect.signature(function("`if`*2"))) == "(*args: 'Any', **named: 'Any') -> 'Any'"
    assert "args" in inspect.signature(Function.__call__).parameters
    assert "recipe" in inspect.signature(Function).parameters


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_root(method: str) -> None:
    p = function("x**2 + y**2 - 4; x*y - 1").packed()
    result = scipy_optimize.root(p.fun, [2, 0], jac=p.jac, method=method)
    assert p.fun(result.x) == pytest.approx([0, 0], abs=1e-9)
    single = function("cos(x) - x").packed()
    assert scipy_optimize.root(single.fun, [1], jac=single.jac, method=method).x == pytest.approx([0.7390851332151607])


def test_differential_evolution_with_columns_of_vectors() -> None:
    p = function("x**2 + 10*(1 - cos(x)) + (y - 1)**2").packed()
    result = scipy_optimize.differential_evolution(
        p.fun, [(-5, 5), (-5, 5)], seed=1, vectorized=True, updating="deferred"
    )
    assert result.x == pytest.approx([0, 1], abs=1e-6)


@pytest.mark.parametrize("method", ["RK45", "Radau", "BDF", "LSODA"])
def test_solve_ivp(method: str) -> None:
    p = function({"du": "v", "dv": "-u - 2*d*v + 0*t"}, wrt="u,v").packed(time="t", d=0.1)
    slopes = {} if method == "RK45" else {"jac": p.jac_t}
    result = scipy_integrate.solve_ivp(
        p.rhs, (0, 5), [1, 0], method=method, rtol=1e-8, atol=1e-8, vectorized=method != "LSODA", **slopes
    )
    w = (1 - 0.1**2) ** 0.5
    exact = np.exp(-0.5) * (np.cos(5 * w) + 0.1 / w * np.sin(5 * w))
    assert result.y[0, -1] == pytest.approx(exact, abs=1e-5)


# Pickles, threads and examples.


@pytest.mark.quick
def test_pickles_call_the_same() -> None:
    p = function("a*exp(-b*x)", wrt="a,b").packed(x=XS)
    p.fun([2, 0.5])
    q = pickle.loads(pickle.dumps(p))
    assert (q.fun([2, 0.5]) == p.fun([2, 0.5])).all()
    fun = pickle.loads(pickle.dumps(p.fun))
    assert (fun([2, 0.5]) == p.fun([2, 0.5])).all()
    r = pickle.loads(pickle.dumps(p.residuals([1, 2, 3])))
    assert (r([2, 0.5]) == p.fun([2, 0.5]) - [1, 2, 3]).all()
    s = function("-k*y*t", wrt="y").packed(time="t", k=2)
    assert (pickle.loads(pickle.dumps(s)).rhs(3, [5]) == [-30]).all()


@pytest.mark.quick
def test_what_it_shows() -> None:
    p = function("a*exp(-b*x)", wrt="a").packed(x=XS, b=0.5)
    assert repr(p) == "<packed a; fixed x=(3,), b=0.5: f = a*exp(-b*x)>"
    assert repr(function("y*t").packed(time="t")) == "<packed y; time t: f = t*y>"


def test_threads_share_a_packed_function() -> None:
    p = function("a*exp(-b*x) + c", wrt="a,b,c").packed(x=np.linspace(0, 1, 50))
    points = np.random.default_rng(7).normal(size=(200, 3))
    want = [(p.fun(z), p.jac(z)) for z in points]
    q = pickle.loads(pickle.dumps(p))
    wrong = []

    def work() -> None:
        for z, (value, slopes) in zip(points, want, strict=True):
            if (q.fun(z) != value).any() or (q.jac(z) != slopes).any():
                wrong.append(z)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.quick
def test_every_public_method_has_an_example_that_holds() -> None:
    methods = {name for name, value in vars(Packed).items() if not name.startswith("_") and callable(value)}
    assert not [name for name in methods if ">>>" not in (getattr(Packed, name).__doc__ or "")]
    result = doctest.testmod(packed)
    assert result.failed == 0 < result.attempted


def test_a_system_whose_slopes_lack_a_variable() -> None:
    p = function({"dx": "v", "dv": "-g"}, wrt="x,v", args="x,v,g").packed(g=10)
    assert p.rhs(0, [1, 2]).tolist() == [2, -10] and p.jac_t(0, [1, 2]).tolist() == [[0, 1], [0, 0]]
    fall = scipy_integrate.solve_ivp(p.rhs, (0, 1), [5, 0], method="Radau", jac=p.jac_t)
    assert fall.y[:, -1] == pytest.approx([0, -10], abs=1e-9)
