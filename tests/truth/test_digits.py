"""Proved digits: against mpmath, and spelled as `repr` spells doubles."""

from fractions import Fraction

import pytest
from mpmath import mp

from gradcli.expr import Expr, const, constant
from gradcli.language import parse

pytestmark = pytest.mark.quick
pytest.importorskip("flint")

from gradcli.truth.digits import digits  # noqa: E402  # it needs flint


def root(text: str) -> Expr:
    return parse(text).outputs[0][1]


ONE, TENTH, PI = const(1), const(Fraction(1, 10)), constant("pi")


@pytest.mark.parametrize(
    ("text", "at", "order", "n", "true"),
    [
        ("x/3", ONE, 0, 20, "0.33333333333333333333"),
        ("x", TENTH, 0, 40, "0.1"),
        ("x - 0.1", TENTH, 0, 40, "0.0"),
        ("x**2", const(3), 1, 30, "6.0"),
        ("sin(x)", PI / 6, 0, 30, "0.5"),
        ("x", const(10**15), 0, 25, "1000000000000000.0"),
        ("x", const(10**16), 0, 25, "1e+16"),
        ("-x/3", const(Fraction(1, 10000)), 0, 18, "-3.33333333333333333e-05"),
        ("x/3", const(Fraction(1, 1000)), 0, 18, "0.000333333333333333333"),
        ("2*x/3", ONE, 0, 3, "0.667"),
        ("x/3", const(Fraction("2.9999999")), 0, 3, "1.0"),
        ("sin(x)**2 + cos(x)**2 - 1", ONE, 0, 30, "0.0"),
        ("sin(x)", PI, 0, 30, "0.0"),
        ("cos(x)", PI, 1, 30, "0.0"),
        ("tan(x)", PI / 2, 0, 30, None),
        ("sin(2*x) - 2*sin(x)*cos(x)", ONE, 0, 30, None),
        ("1/x", const(0), 0, 30, None),
        ("abs(x)", const(0), 1, 30, None),
        ("x*1.5", const(Fraction("1.00000000000000007")), 0, 18, "1.5000000000000001"),
        ("x*1.5", const(Fraction("1.000000000000000011")), 0, 19, "1.500000000000000016"),
        ("1/x - 3", const(Fraction(1, 3)), 0, 30, "0.0"),
        ("(x**2 - 0.01)/x**3", TENTH, 1, 30, "200.0"),
        # Derivatives that are 0, or a tie, of numbers that no ball holds exactly.
        ("x**2 - 2*x/3", const(Fraction(1, 3)), 1, 30, "0.0"),
        ("x**3 - x**2", const(Fraction(1, 3)), 2, 30, "0.0"),
        ("x**2*1.5", const(Fraction("0.333333333333333335")), 1, 17, "1.0"),
        ("exp(x**2 - x) - x**2/3 + x", const(0), 1, 30, "0.0"),
    ],
)
def test_spelling(text, at, order, n, true):
    assert digits(root(text), {"x": at}, {"x": order}, n) == true


@pytest.mark.parametrize("n", [18, 30, 100, 4000])
@pytest.mark.parametrize(
    ("text", "order", "f"),
    [
        ("exp(x)*sin(x)", 0, lambda t: mp.exp(t) * mp.sin(t)),
        ("exp(x)*sin(x)", 1, lambda t: mp.exp(t) * (mp.sin(t) + mp.cos(t))),
        ("log(x) - 1e30", 2, lambda t: -1 / t**2),
        ("x**pi", 1, lambda t: mp.pi * t ** (mp.pi - 1)),
    ],
)
def test_digits_are_those_of_mpmath(text, order, f, n):
    value = digits(root(text), {"x": const(Fraction(7, 10))}, {"x": order}, n)
    with mp.workdps(n + 60):
        true = f(mp.mpf(7) / 10)
        assert value is not None
        assert abs(mp.mpf(value) - true) <= abs(true) * mp.mpf(10) ** (1 - n) / 2
        assert len(value.strip("-0.").replace(".", "")) <= n
