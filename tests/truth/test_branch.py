"""Derivatives along the curve of an equation: against mpmath, where y is known or found by its root finder."""

from __future__ import annotations

from fractions import Fraction

import pytest
from mpmath import mp

from gradcli.expr import Expr, text
from gradcli.language import parse

pytestmark = pytest.mark.quick
pytest.importorskip("flint")

from gradcli.calculus.implicit import implicit  # noqa: E402
from gradcli.truth.branch import at_point, branch, contact, nearest  # noqa: E402  # it needs flint
from gradcli.truth.taylor import NotSmoothError  # noqa: E402


def root(source: str) -> Expr:
    return parse(source).outputs[0][1]


def at(**point: str) -> dict[str, Expr]:
    return {name: root(value) for name, value in point.items()}


def told(number: Fraction | Expr | float) -> str:
    return text(number) if isinstance(number, Expr) else str(number)


@pytest.mark.parametrize(
    ("equation", "point", "order", "texts"),
    [
        ("x**2 + y**2 - 25", {"x": "3", "y": "4"}, 3, ["-3/4", "-25/64", "-225/1024"]),
        ("x**2 + y**2 - 4", {"x": "1", "y": "sqrt(3)"}, 2, ["-sqrt(3)/3", "-4*sqrt(3)/9"]),
        ("x*exp(y) - 1", {"x": "1", "y": "0"}, 5, ["-1", "1", "-2", "6", "-24"]),
        ("y + sin(y) - x", {"x": "0", "y": "0"}, 5, ["1/2", "0", "1/16", "0", "1/16"]),
        ("y**5 + y - x", {"x": "2", "y": "1"}, 2, ["1/6", "-5/54"]),
        ("x*y - 1 + 0*z", {"x": "2", "y": "1/2", "z": "0"}, 3, ["-1/4", "1/4", "-3/8"]),
        ("tan(y) - x", {"x": "1", "y": "pi/4"}, 3, ["1/2", "-1/2", "1/2"]),
    ],
)  # fmt: skip
def test_exact(equation: str, point: dict[str, str], order: int, texts: list[str]) -> None:
    e, place = root(equation), at(**point)
    how = contact(e, place, ["x"], "y")
    assert (how.exact, how.on, how.flat) == (True, True, False)
    numbers, proved = branch(e, place, "x", "y", order)
    assert proved
    assert list(map(told, numbers)) == texts


def test_terms_that_cancel_need_no_zero_to_be_granted() -> None:
    numbers, proved = branch(root("y**y - x"), at(x="4", y="2"), "x", "y", 2)
    with mp.workdps(40):
        slope = 1 / (4 * (1 + mp.log(2)))
        assert numbers == [float(slope), float(-(4 * (1 + mp.log(2)) ** 2 + 2) * slope**3)]
    assert proved


def test_high_orders() -> None:
    """y = sqrt(25 - x**2) about 3 by the recurrence of its differential equation, (25 - x**2)*y' = -x*y."""
    numbers, _ = branch(root("x**2 + y**2 - 25"), at(x="3", y="4"), "x", "y", 60)
    c = [Fraction(4)]
    for k in range(60):
        # With t = x - 3: (16 - 6*t - t**2)*y' = -(3 + t)*y.
        right = -3 * c[k] - (c[k - 1] if k else 0)
        right += 6 * k * c[k] + ((k - 1) * c[k - 1] if k else 0)
        c.append(right / (16 * (k + 1)))
    factorial = 1
    for k in range(1, 61):
        factorial *= k
        assert numbers[k - 1] == c[k] * factorial


@pytest.mark.parametrize(
    ("equation", "f", "x", "near"),
    [
        ("y*exp(y) - x", lambda x, y: y * mp.exp(y) - x, "2", 0.85),
        ("y - 0.3*sin(y) - x", lambda x, y: y - 3 * mp.sin(y) / 10 - x, "1", 1.3),
        ("exp(y) - x - y", lambda x, y: mp.exp(y) - x - y, "2", 1.15),
        ("gamma(y) - x", lambda x, y: mp.gamma(y) - x, "3", 3.4),
        ("x**2 + y**2 - 4", lambda x, y: x**2 + y**2 - 4, "1", 1.7),
    ],
)
def test_points_rounded_to_doubles_give_the_derivatives_of_the_curve_correctly_rounded(equation, f, x, near) -> None:
    y = float(mp.findroot(lambda v: f(mp.mpf(x), v), near))
    e, place = root(equation), at(x=x, y=repr(y))
    how = contact(e, place, ["x"], "y")
    assert how.on and not how.exact
    assert how.off < 1e-15
    numbers, proved = branch(e, place, "x", "y", 3, exact=False)
    assert proved
    with mp.workdps(70):
        true = mp.taylor(lambda u: mp.findroot(lambda v: f(u, v), y), mp.mpf(x), 3)
        for k, number in enumerate(numbers, 1):
            assert number == float(true[k] * mp.factorial(k))
    values, _ = at_point(e, list(implicit(e, ["x"], "y", 2).values()), place, "y", exact=False)
    assert values == numbers[:2]


def test_partial_derivatives() -> None:
    e, place = root("x**2 + y**2 + z**2 - 9"), at(x="1", y="2", z="2")
    expressions = implicit(e, ["x", "y"], "z", 2)
    values, proved = at_point(e, list(expressions.values()), place, "z")
    assert proved
    assert dict(zip(expressions, map(told, values), strict=True)) == {
        (0,): "-1/2", (1,): "-1", (0, 0): "-5/8", (0, 1): "-1/4", (1, 1): "-1",
    }  # fmt: skip


def test_points_off_the_curve_and_flat_ones() -> None:
    circle = root("x**2 + y**2 - 25")
    off = contact(circle, at(x="3", y="5"), ["x"], "y")
    assert (off.on, off.value, off.off) == (False, 9, 0.9)
    assert nearest(circle, at(x="3", y="5"), "y") == 4
    assert nearest(circle, at(x="6", y="1"), "y") is None
    flat = contact(circle, at(x="5", y="0"), ["x"], "y")
    assert (flat.on, flat.flat, flat.slopes) == (True, True, (10, 0))
    with pytest.raises(NotSmoothError):
        contact(root("abs(y) - x"), at(x="0", y="0"), ["x"], "y")
