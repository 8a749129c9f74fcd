"""Bounds on rounding errors: what each operation adds and passes on, and that no computed value is off by more."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcli.calculus.error_bounds import bounds
from gradcli.compute.backends.scalar import at_point
from gradcli.expr import ZERO, Expr, apply, const, constant, reachable, var

pytestmark = pytest.mark.quick

x, y, z = map(var, "xyz")
U, TINY = 2.0**-53, 2.0**-1074
"""The unit roundoff, and the smallest number."""
AT = {"x": 1.5, "y": -0.75, "z": 3.0}
S = x + y
"""0.75, off by at most 0.75 U."""


def sin(e: Expr) -> Expr:
    return apply("sin", e)


def bound(e: Expr, **at: float) -> float:
    return at_point(bounds([e]), {**AT, **at})[0]


@pytest.mark.parametrize(
    "e", [x, const(3), const(0.5), ZERO, const(math.inf), -x, apply("abs", x), x - x, apply("lt", x, y),
          apply("where", apply("lt", x, y), x, z), apply("max", x, y, z), apply("floor", x), apply("relu", x)]
)  # fmt: skip
def test_what_is_exact(e):
    assert bounds([e]) == [ZERO]


@pytest.mark.parametrize(
    ("e", "off"),
    [
        (const(0.1), 0.1 * U), (const(-0.1), 0.1 * U), (constant("pi"), math.pi * U), (constant("e"), math.e * U),
        (S, 0.75 * U), (x - z, 1.5 * U), (S + z, 3.75 * U + 0.75 * U), (S - 3, 2.25 * U + 0.75 * U),
        (-S, 0.75 * U), (apply("abs", S), 0.75 * U),
        # A product with a power of two is exact but for underflow.
        (2 * x, 0), (const(0.25) * x, 0), (const(-4) * x, 0), (3 * x, 4.5 * U), (const(0.75) * x, 1.125 * U),
        (x * y, 1.125 * U), (S * z, (0.75 * 3 + 2.25) * U), (z * S, (0.75 * 3 + 2.25) * U), (2 * S, 2 * 0.75 * U),
        (S * (z + y), (0.75 * 2.25 + 2.25 * 0.75 + 0.75 * 2.25) * U),
        (x / z, 0.5 * U), (S / z, (0.75 / 3 + 0.25) * U), (z / S, (4 * 0.75 / 0.75 + 4) * U),
        (S / (z + y), (0.75 + 0.75 / 2.25 * 2.25) / 2.25 * U + 0.75 / 2.25 * U),
        (apply("max", S, z + y, z), 2.25 * U), (apply("max", x, S), 0.75 * U), (apply("min", S, z), 0.75 * U),
        (apply("where", apply("lt", x, z), S, z + y), 0.75 * U),
        (apply("where", apply("gt", x, z), S, z + y), 2.25 * U),
        (apply("where", apply("lt", S, z), S, x), 0.75 * U), (apply("where", apply("lt", S, z), S, S), 0.75 * U),
        (apply("defined", S, z + y), 2.25 * U), (apply("floor", S + 0), 0),
        (sin(x), 8 * math.sin(1.5) * U), (apply("exp", x), 8 * math.exp(1.5) * U),
        (apply("gamma", x), 32 * math.gamma(1.5) * U),
        (apply("besselj", x, value=2), 3 * 8 * 0.2320876721442147 * U),
    ],
)  # fmt: skip
def test_what_each_operation_adds_and_passes_on(e, off):
    assert bound(e) == pytest.approx(off + TINY, rel=1e-12)


LOST = x + 2**30 - 2**30
"""1.5, off by 2**30 U and hardly more."""


@pytest.mark.parametrize(
    ("e", "slope"),
    [
        (apply("exp", LOST), math.exp(1.5)), (sin(LOST), math.cos(1.5)), (apply("cos", LOST), math.sin(1.5)),
        (apply("log", LOST), 1 / 1.5), (LOST ** const(2.5), 2.5 * 1.5**1.5), (apply("hypot", x, LOST), math.sqrt(0.5)),
        (apply("besselj", LOST, value=0), 0.5579365079100996),
        (apply("hypot", LOST, LOST), 2 * math.sqrt(0.5)), (apply("atan2", LOST, z), 3 / 11.25),
    ],
)  # fmt: skip
def test_a_function_changes_by_its_slope_times_twice_the_error(e, slope):
    assert bound(e) == pytest.approx(slope * 2 * 2**30 * U, rel=1e-6)


def test_an_underflow_is_off_by_the_smallest_number():
    for e in (2 * x, x * y, x / y, sin(x)):
        assert bound(e, x=0.0) == TINY


def test_a_condition_is_certain_or_not():
    for op in ("lt", "le", "eq", "ne"):
        assert [bound(apply(op, S, z), z=near) for near in (0.75 - U, 0.75, 0.75 + U)] == [0, math.inf, 0]
    uncertain, sure = apply("lt", S, z), apply("gt", x, z)
    assert bound(apply("and", uncertain, sure), z=0.75) == bound(apply("not", uncertain), z=0.75) == math.inf
    assert bound(apply("or", uncertain, sure)) == 0
    assert bound(apply("where", uncertain, x, y), z=0.75) == math.inf
    # A choice between two forms of one function is right either way.
    assert bound(apply("instead", uncertain, y, S), z=0.75) == bound(S) == bound(apply("where", sure, y, S))


def test_no_bound_where_a_denominator_or_a_pole_may_be_reached():
    cancelled = (x + y) - z
    assert bound(1 / cancelled, z=0.75) == math.inf
    assert bound(1 / cancelled, z=0.7500000001) < 1e-4 / 1e-10
    assert bound(apply("csch", cancelled), z=0.75) == math.inf
    assert bound(apply("csch", cancelled), z=0.7500000001) < math.inf
    assert bound(apply("log", cancelled), z=0.75) == math.inf or math.isnan(bound(apply("log", cancelled), z=0.75))


def test_no_bound_for_what_turns_unless_the_error_is_small():
    for function in ("sin", "cos", "sinc"):
        assert bound(apply(function, S * 2**51)) < math.inf
        assert bound(apply(function, S * 2**52)) == math.inf
    assert bound(apply("atan", S * 2**52)) < 1


def test_no_bound_where_a_constant_of_it_is_beyond_the_doubles():
    assert bound(const(Fraction(1, 3 * 2**1060))) == math.inf
    assert bound(const(Fraction(1, 3 * 2**1000))) < 1e-300


OPERATIONS = ["add", "sub", "mul", "div", "max"]
trees = st.recursive(
    st.sampled_from([x, y, const(3), const(Fraction(1, 3)), const(0.1)]),
    lambda inner: st.builds(apply, st.sampled_from(OPERATIONS), inner, inner) | st.builds(lambda e: -e, inner),
    max_leaves=12,
)


def true(e: Expr, at: dict[str, float]) -> Fraction:
    """The value without rounding."""
    found: dict[Expr, Fraction] = {}
    for n in reachable([e]):
        a = [found[k] for k in n.args]
        found[n] = (
            Fraction(at[str(n.value)]) if n.op == "var" else Fraction(n.value) if n.op == "const" else -a[0]
            if n.op == "neg" else a[0] + a[1] if n.op == "add" else a[0] - a[1] if n.op == "sub" else a[0] * a[1]
            if n.op == "mul" else a[0] / a[1] if n.op == "div" else a[0] ** int(a[1]) if n.op == "power" else max(a)
        )  # fmt: skip
    return found[e]


@given(trees, st.floats(0.1, 9), st.floats(-9, -0.1))
def test_no_value_is_off_by_more_than_its_bound(e, a, b):
    at = {"x": a, "y": b}
    value, off = at_point([e, *bounds([e])], at)
    if math.isfinite(off):
        # The bound is rounded as well.
        assert abs(Fraction(value) - true(e, at)) <= Fraction(off) * (1 + Fraction(1, 2**40))
