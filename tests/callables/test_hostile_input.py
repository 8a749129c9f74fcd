"""Hostile arguments of functions: each ends in a result or in a GradError that Python's callers expect."""

from __future__ import annotations

import math
import warnings
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli import GradError, function

pytestmark = pytest.mark.quick

HUGE = 10**5000
ONE, TWO = function("x*exp(-y)"), function("u = x*y; v = x/y")


class Array:
    """An object whose conversion to an array fails as no array's does."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise RuntimeError("no array\nat all")


class Odd(float):
    def __float__(self) -> float:
        raise KeyError("odd")


class Text(int):
    def __float__(self) -> Any:
        return "2"


def deep() -> Any:
    nested: Any = 1.0
    for _ in range(5000):
        nested = [nested]
    return nested


def kind(value: Any) -> str:
    """The name of a case: the texts of these values have any length."""
    return type(value).__name__


@pytest.mark.parametrize(
    "order", [HUGE, 10**9, 201, -1, -HUGE, None, "2", 1.5, [2], np.array([1, 2]), True, deep()], ids=kind
)
def test_orders(order: Any) -> None:
    for call in (
        lambda: ONE.partials(1, 2, order=order), lambda: ONE.taylor(order, 1, 2), lambda: ONE.derivatives(order),
        lambda: ONE.names(order), lambda: ONE.expressions(order), lambda: ONE.latex(order),
        lambda: ONE.code("c", order), lambda: ONE.diff("x", order), lambda: ONE.partial("y", order, x=1, y=2),
    ):  # fmt: skip
        with pytest.raises(GradError) as caught:
            call()
        assert isinstance(caught.value, (TypeError, ValueError))
        assert len(str(caught.value)) < 300


def test_orders_that_add_up_beyond_the_limit() -> None:
    with pytest.raises(ValueError, match="order 400 is beyond the limit"):
        ONE.diff("x", 200, "y", 200)


def test_hessian_of_thousands_of_variables() -> None:
    n = 2000
    f = function("+".join(f"x{k}**2*x{k + 1}" for k in range(n - 1)))
    for call in (lambda: f.hessian(*[1.0] * n), lambda: f.packed().hess([1.0] * n)):
        with pytest.raises(ValueError, match="2000 variables makes") as caught:
            call()
        assert "--" not in str(caught.value)


@pytest.mark.parametrize("value", [Array(), [Array()], [HUGE, 1.0], deep()], ids=kind)
def test_values_that_are_no_arrays(value: Any) -> None:
    for call in (
        lambda: ONE(value, 2), lambda: ONE.grad(1, y=value), lambda: ONE.packed().fun(value),
        lambda: ONE.jvp(value, 1, 2), lambda: ONE.verdict(value, 1), lambda: ONE.packed("x", y=value),
    ):  # fmt: skip
        with pytest.raises(TypeError) as caught:
            call()
        assert isinstance(caught.value, GradError)


@pytest.mark.parametrize("value", [Odd(2), Text(2)], ids=kind)
def test_numbers_that_do_not_convert(value: Any) -> None:
    for call in (lambda: ONE(value, 2), lambda: ONE.verdict(value, 1), lambda: ONE.packed("x", y=value)):
        with pytest.raises(ValueError, match="is no number") as caught:
            call()
        assert isinstance(caught.value, GradError)


def test_tensors_name_the_argument() -> None:
    with pytest.raises(TypeError, match=r"(?s)argument 'x' is no array of numbers: a Tensor.*x\.detach"):
        ONE(gradcli.tensor([1.0, 2.0], requires_grad=True), 2)


@pytest.mark.parametrize("value", [Decimal("1e400"), -Decimal("1e400"), Fraction(10) ** 400, 10**400], ids=kind)
def test_numbers_beyond_the_doubles(value: Any) -> None:
    with pytest.raises(ValueError, match="argument 'x' is beyond the range of doubles"):
        function("x")(value)


def test_infinite_decimals() -> None:
    assert function("x")(Decimal("-Infinity")) == -math.inf


def test_axes_beyond_those_of_numpy() -> None:
    most = 64 if int(np.__version__.partition(".")[0]) >= 2 else 32
    x = np.ones((1,) * most)
    assert ONE(x, 2).shape == x.shape
    for call in (lambda: ONE.grad(x, 2), lambda: TWO.jacobian(x, 2), lambda: ONE.taylor(2, x, 2)):
        for _ in range(2):  # the second call is that of a function that is made
            with pytest.raises(ValueError, match=f"{most} axes"):
                call()


def test_results_beyond_the_memory() -> None:
    x = np.broadcast_to(1.0, (1 << 24, 1))
    with pytest.raises(ValueError, match="of memory"):
        ONE(x, x.T)


@pytest.mark.parametrize(
    "call",
    [
        lambda: function("x", careful=np.array([1, 2])),  # type: ignore[arg-type]
        lambda: function("x", exact=np.array([1, 2])),  # type: ignore[arg-type]
        lambda: gradcli.check("x", "1", thorough=np.array([1, 2])),  # type: ignore[arg-type]
        lambda: ONE.side(np.array(["left", "right"])),  # type: ignore[arg-type]
        lambda: ONE.latex(environment=5),  # type: ignore[arg-type]
        lambda: ONE.code(["c"]),  # type: ignore[arg-type]
    ],
)
def test_options_of_another_type(call: Any) -> None:
    with pytest.raises(GradError) as caught:
        call()
    assert isinstance(caught.value, TypeError)


def test_errors_are_those_of_python() -> None:
    kinks = function("abs(x)", kink="error")
    for call in (
        lambda: TWO.grad(1, 2), lambda: TWO.packed().hess([1, 2]), lambda: ONE.packed("x", y=[1, 2]).hessp([1], [1]),
        lambda: ONE.packed().rhs(0, [1, 2]), lambda: kinks.grad(0), lambda: kinks.grad([1, 0]),
        lambda: ONE.code("basic"), lambda: ONE.latex(environment="tabular"), lambda: function("2").explain(),
    ):  # fmt: skip
        with pytest.raises(ValueError) as caught:
            call()
        assert isinstance(caught.value, GradError)


def test_strict_treatment_of_floating_point_errors() -> None:
    hard = np.array([0.0, -0.0, 5e-324, 1e-200, 1e308, math.inf, -math.inf, math.nan, 1.0, -1.0])
    small = np.array([0x7FA00000], np.uint32).view(np.float32)  # a signaling nan
    f = function("abs(x)*y")
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        p = f.packed("x", y=hard)
        for x in hard:
            p.residuals(hard)([x])
            p.hess([x], hard)
            f.taylor(3, x, hard)
            f.grad(hard, x)
        function("exp(x)").taylor(60, np.float32([-80, 80]))
        assert math.isnan(function("x")(small)[0])
        many = function("+".join(f"x{k}**4*x{k + 1}" for k in range(10)))
        assert np.isinf(many.hvp([1] * 11, *[np.float32([3e38, 1e-30])] * 11)[0]).all()
        assert np.geterr() == dict.fromkeys(("divide", "over", "under", "invalid"), "raise")


def test_residuals_of_several_vectors() -> None:
    p = TWO.packed()
    residuals = p.residuals([1, 2])
    z = np.array([[1.0, 3.0, 5.0], [2.0, 4.0, 8.0]])
    for vectors in (z, z[:, :2]):
        expected = np.stack([residuals(column) for column in vectors.T], axis=-1)
        assert np.array_equal(residuals(vectors), expected)
