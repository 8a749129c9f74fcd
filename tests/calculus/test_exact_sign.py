"""Signs of distances at decimals, where doubles round to another."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gradcli.calculus.exact_sign import exact_sign
from gradcli.language import parse

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("source", "x", "expected"),
    [
        ("0.1 + x - 0.3", "0.2", 0),
        ("x - x**2", "1", 0),
        ("3*x - 1", "0.3333333333333333", -1),
        ("x**2", "1e-200", 1),
        ("mod(x, 0.1) - 0", "0.3", 0),
        ("fmod(x, 0.1) + round(x) - floor(x)*trunc(x)", "-0.3", 0),
        ("x/(x - 1)", "1", None),
        ("where(x > 0, x, 1/x)", "2", 1),
        ("where(x > 0 and not x == 2 or x < -1, -1, ceil(x))", "2", 1),
        ("clip(x, -1, 1) - min(x, 1) + max(x, 3) - relu(3)", "2", 0),
        ("copysign(1, x)*sign(x)*abs(x)", "-2", 1),
        ("heaviside(x, 0.5) - 1/2", "0", 0),
        ("sin(x)", "0", None),
        ("x - pi", "3", None),
        ("x**0.5", "4", None),
        ("x**1000000007", "2", None),
        ("max(x)", "2", None),
    ],
)
def test_sign(source: str, x: str, expected: int | None):
    assert exact_sign(parse(source).outputs[0][1], {"x": Fraction(x)}) == expected


def test_work_is_bounded():
    e = parse(" + ".join(f"{k}*x" for k in range(2, 400))).outputs[0][1]
    assert exact_sign(e, {"x": Fraction(1)}) is None
