"""Hazards: the distances that are 0 exactly where an expression is no Taylor series."""

from __future__ import annotations

import pytest

from gradcli.calculus.derive import expand
from gradcli.calculus.hazards import hazards
from gradcli.calculus.plain import plain
from gradcli.expr import Expr, apply, const, text, var, variables
from gradcli.functions import TABLE
from gradcli.language import parse

pytestmark = pytest.mark.quick


def read(source: str) -> Expr:
    return expand([parse(source).outputs[0][1]])[0]


@pytest.mark.parametrize(
    ("source", "ties", "singular"),
    [
        ("x**2", [], []),
        ("exp(x)*sin(x) - max(2, 3)", [], []),
        ("abs(x - 1)", ["x - 1"], []),
        ("relu(2*x - 1)", ["x - 0.5"], []),
        ("min(x, 2 - x)", ["x - 1"], []),
        ("abs(x**3*(y - 1))", ["x", "y - 1"], []),
        ("abs(-sinh(x))", ["x"], []),
        ("max(x, y) + where(y < x, 1, 2)", ["x - y"], []),
        ("max(x, y, z)", ["x - y", "max(x, y) - z"], []),
        ("clip(x, 0, 1)", ["x", "x - 1"], []),
        ("clip(x, y, 1)", ["x - y", "max(x, y) - 1"], []),
        ("copysign(x, y)", ["x", "y"], []),
        ("heaviside(x, y) + sign(x)", ["x"], []),
        ("floor(x) + ceil(x) + trunc(x)", ["x - round(x)"], []),
        ("round(x)", ["abs(x - round(x)) - 0.5"], []),
        ("mod(x, 1) + fmod(x, 2)", ["x - round(x)", "x/2 - round(x/2)"], []),
        ("mod(x, y)", ["x/y - round(x/y)"], ["y"]),
        ("diff(mod(x, y), y)", ["x/y - round(x/y)"], ["y"]),
        ("where(x > 1 and not y == 2, x, y)", ["x - 1", "y - 2"], []),
        ("1/x**2 + log(x)", [], ["x"]),
        ("1/(1 + x**2) + 1/exp(x) + 1/sqrt(2 + abs(sin(x))) + log(cosh(x))", ["sin(x)"], []),
        ("1/(1 - x**2)", [], ["1 - x**2"]),
        ("x**-1 + x**2.5 + x**(1/3) + x**3", [], ["x"]),
        ("2**x + exp(x)**y", [], []),
        ("0**x", [], ["x"]),
        ("x**y", [], ["x", "where(x < 0, y - round(y), 1)"]),
        ("sqrt(x**2) + cbrt(x)", [], ["x"]),
        ("acos(x) + atanh(x)", [], ["x - 1", "x + 1"]),
        ("tan(x) + sec(x) + csc(x) + cot(x)", [], ["cos(x)", "sin(x)"]),
        ("gamma(x) + digamma(x)", [], ["where(x < 0.5, x - round(x), 1)"]),
        ("acot(x) + coth(x)", [], ["x"]),
        ("hypot(x, y)", [], ["max(abs(x), abs(y))"]),
        ("hypot(x, 1) + diff(asinh(x), x)", [], []),
        ("atan2(y, x)", [], ["max(abs(y), x)"]),
        ("diff(acsch(x), x)", ["x"], ["x"]),
        ("diff(gamma(x), x)", [], ["where(x < 0.5, x - round(x), 1)"]),
        ("sin(x)/(x - pi)", [], ["x - pi"]),
        ("where(x == 0, 1, sin(x)/x)", ["x"], ["x"]),
        ("max(1.7e308, -1.7e308)*x", [], []),
    ],
)
def test_distances(source: str, ties: list[str], singular: list[str]):
    distances = hazards([read(source)])
    assert sorted(map(text, distances.ties)) == sorted(ties)
    assert sorted(map(text, distances.singular)) == sorted(singular)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("abs(x)", True),
        ("abs(x - 0.1)", True),
        ("relu(3 - 2*x)", True),
        ("max(x, -y)", True),
        ("abs(abs(x) - 1)", True),
        ("relu(relu(x) - min(y, 0.3))", True),
        ("max(x, y, z)", True),
        ("floor(x)", True),
        ("round(x)", True),
        ("mod(x, 3)", True),
        ("mod(x, 0.1)", False),
        ("floor(3*x)", False),
        ("abs(x - 1/3)", False),
        ("abs(x - pi)", False),
        ("abs(x + y - 1)", False),
        ("abs(0.1 + x - 0.3)", True),
        ("max(x, x**2)", False),
        ("abs(sin(x))", False),
    ],
)
def test_plain(source: str, expected: bool):
    assert all(map(plain, hazards([read(source)]).ties)) == expected


def test_every_row_with_edges_has_a_hazard():
    """At arguments that are variables; a row without any is a Taylor series everywhere."""
    for row in TABLE.values():
        count = max(row.arity[0], 2 if row.arity[1] is None else 1)
        arguments = [var(name) for name in "xyz"[:count]]
        e = apply(row.name, *arguments, value=1 if row.parameter else None)
        distances = hazards([e])
        decided = row.edges or row.ties or row.singular
        assert bool(distances.ties or distances.singular) == (decided is not None), row.name
        assert all(variables(d) for part in distances for d in part)


def test_long_graphs_take_linear_time():
    """A chain of products inside one another has as many distances as factors, not as pairs."""
    product = e = var("x0")
    for k in range(1, 3000):
        product = product * (var(f"x{k % 50}") - const(k))
        e = e + apply("abs", product) / (1 + product**2)
    distances = hazards([e, apply("max", *[var(f"x{k % 50}") + const(k) for k in range(1000)])])
    assert len(distances.ties) == 2999 + 999 + 1
    assert not distances.singular
