"""Sums of coefficients and monomials as text, which parses back, and as LaTeX."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gradcli.compute.backends.scalar import at_point
from gradcli.expr import Expr, var
from gradcli.language import parse
from gradcli.notation.polynomial import latex_derivative, latex_of, terms, text_of

pytestmark = pytest.mark.quick

x = var("x")


def root(source: str) -> Expr:
    return parse(source).outputs[0][1]


@pytest.mark.parametrize(
    ("summands", "text", "latex"),
    [
        ([], "0", "0"),
        ([(Fraction(0), x), (0.0, None)], "0", "0"),
        ([(Fraction(1, 2), None), (Fraction(-2, 3), x)], "1/2 - 2*x/3", r"\frac{1}{2} - \frac{2 x}{3}"),
        ([(Fraction(-1), x), (0.5, None)], "-x + 0.5", "-x + 0.5"),
        ([(-0.25, x)], "-0.25*x", "-0.25 x"),
        (
            [(root("sqrt(2)/2"), root("x - pi/4"))],
            "sqrt(2)*(x - pi/4)/2",
            r"\frac{\sqrt{2} \left(x - \frac{\pi}{4}\right)}{2}",
        ),
        ([(root("1 - pi"), x)], "x*(1 - pi)", r"\left(1 - \pi\right) x"),
        ([(Fraction(1), x), (root("1 - pi"), None)], "x + 1 - pi", r"x + 1 - \pi"),
        ([(Fraction(-1), root("x - 1"))], "-(x - 1)", r"-\left(x - 1\right)"),
        ([(root("a*b*c/120"), x)], "a*b*c*x/120", r"\frac{a b c x}{120}"),
        ([(root("-(a + b)/3"), None)], "-(a + b)/3", r"-\frac{a + b}{3}"),
    ],
)
def test_forms(summands, text: str, latex: str) -> None:
    parts = terms(summands)
    assert (text_of(parts), latex_of(parts)) == (text, latex)


def test_the_text_means_the_sum() -> None:
    summands = [(root("sqrt(2)/2 - pi"), None), (Fraction(-7, 3), root("x - 2")), (1e-20, x), (root("-a/b"), x * x)]
    values = {"x": 1.25, "a": 0.3, "b": -2.0}
    total = 0.0
    for coefficient, monomial in summands:
        e = coefficient if isinstance(coefficient, Expr) else root(f"({coefficient})")
        total += at_point([e], values)[0] * (1 if monomial is None else at_point([monomial], values)[0])
    assert at_point([root(text_of(terms(summands)))], values)[0] == pytest.approx(total, rel=1e-14)


def test_long_products_need_no_recursion() -> None:
    product = root("*".join([f"a{k}" for k in range(5000)]))
    assert text_of(terms([(product, x)])).endswith("*x")
    total = root("+".join([f"a{k}" for k in range(5000)]))
    assert text_of(terms([(total, None)])).count(" + ") == 4999


def test_derivatives() -> None:
    assert latex_derivative("y", {"x": 2}, ordinary=True) == r"\frac{\mathrm{d}^{2} y}{\mathrm{d} x^{2}}"
    assert latex_derivative("y_1", {"x": 1, "t": 1}, ordinary=False) == (
        r"\frac{\partial^{2} y_{1}}{\partial x \partial t}"
    )
