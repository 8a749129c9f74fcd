"""Enclosures over boxes: they contain the true values and derivatives, and narrow with the boxes."""

import math
import random

import numpy as np
import pytest
import reference
from accuracy import LETTERS, expression
from reference import FIXED_POWERS, REFERENCES

from gradcli.calculus.derive import derivatives
from gradcli.compute.backends import vector
from gradcli.compute.backends.intervals import SAMPLED, Enclosing, without_rule
from gradcli.compute.backends.intervals.rules import RULES
from gradcli.compute.program import build
from gradcli.expr import ZERO, Expr, apply, const, var
from gradcli.functions import TABLE
from gradcli.language import parse

pytest.importorskip("scipy")

x, y = var("x"), var("y")
POINTS, BOXES, SAMPLES = 6, 24, 60
SMALL, LARGE = 1e-9, 1e6
"""The sizes of arguments that pictures are made for: no rule rounds outward."""
ROUNDING = 1e-9
PUBLIC = [name for name, row in TABLE.items() if not row.internal and name not in SAMPLED]
CONSTANTS = {"betainc": (2.5, 1.5), "gammainc": (2.5,), "gammaincc": (0.5,)}
"""Leading arguments in which a derivative has no closed form."""


def enclosed(e: Expr, names: list[str]) -> tuple[list[Expr], Enclosing]:
    """The value and the first two derivatives in the first variable."""
    partials = derivatives(e, names[:1], 2)
    roots = [e, partials.get((0,), ZERO), partials.get((0, 0), ZERO)]
    return roots, Enclosing(roots, names)


@pytest.mark.quick
def test_every_function_has_a_rule_or_a_reason():
    for name in PUBLIC:
        row = TABLE[name]
        e = apply(name, *[var(f"x{k}") for k in range(max(row.arity[0], 1))], value=2 if row.parameter else None)
        assert without_rule([e]) is None
    assert without_rule([apply("sum", x)]) == "sum"
    assert not {*SAMPLED} & {*RULES} and all(SAMPLED.values())


@pytest.mark.parametrize("name", [*REFERENCES, *FIXED_POWERS])
def test_true_values_lie_within(name):
    """By mpmath: in boxes around points, those near zeros, edges and poles too."""
    draw = random.Random(name)
    names = LETTERS[: len(reference.reference(name).domain)]
    for parameter, at in reference.points(name, POINTS):
        if not all(v == 0 or SMALL <= abs(v) <= LARGE for v in at):
            continue
        true = reference.truth(name, at, parameter)
        _, enclosing = enclosed(expression(name, parameter), [*names])
        for width in (0.0, 1e-6, 0.01, 1.0):
            boxes = [(v - width * draw.random(), v + width * draw.random()) for v in map(float, at)]
            if name == "power" and at[0] <= 0:
                # It has values for whole exponents alone.
                boxes[1] = (at[1], at[1])
            ranges, rough = enclosing([(np.array([a]), np.array([b])) for a, b in boxes])
            for order in range(1 if rough[0] else 3):
                index = (order, *[0] * (len(names) - 1))
                if true.get(index) is None:
                    continue
                number = float(true[index])
                (low,), (high,) = ranges[order]
                # Textbook forms of derivatives cancel.
                slack = ROUNDING * abs(number) + (1e-12 if order else 1e-290)
                if math.isfinite(number):
                    assert low - slack <= number <= high + slack, (parameter, at, width, order)


@pytest.mark.parametrize("name", PUBLIC)
def test_samples_lie_within(name):
    row = TABLE[name]
    rng = np.random.default_rng(len(name))
    held = CONSTANTS.get(name, ())
    count = max(row.arity[0], 2 if row.arity[1] is None or row.reduces else 1) - len(held)
    names = [*"xyz"[:count]]
    for value in (0, 1, 2) if row.parameter else (None,):
        roots, enclosing = enclosed(apply(name, *map(const, held), *map(var, names), value=value), names)
        kernels = [vector.function(build([root], [names]), names) for root in roots]
        for width in (4.0, 0.3, 1e-3):
            middles = [rng.normal(0, 2, BOXES) if k % 2 else rng.integers(-3, 4, BOXES) * 1.0 for k in range(count)]
            boxes = [(m - width * rng.random(BOXES), m + width * rng.random(BOXES)) for m in middles]
            ranges, rough = enclosing(boxes)
            points = [a + (b - a) * rng.random((SAMPLES, BOXES)) for a, b in boxes]
            for order, (kernel, (low, high)) in enumerate(zip(kernels, ranges, strict=True)):
                with np.errstate(all="ignore"):
                    values = np.broadcast_to(kernel(*points), (SAMPLES, BOXES))
                slack = ROUNDING * np.maximum(1, np.abs(values))
                outside = np.isfinite(values) & ~((values >= low - slack) & (values <= high + slack))
                if order:
                    outside &= ~rough
                assert not outside.any()
                if not order:
                    # Where there is no value, the end of the domain is in the box.
                    assert not (np.isnan(values) & ~rough & ~np.isnan(low)).any()


SMOOTH = ["sin(x)*exp(-x/3)", "x**3 - 2*x", "1/(1 + x**2)", "tanh(3*x) + atan(x)", "sqrt(x**2 + 1)", "sinc(x)*x",
          "log(2 + cos(x))", "gamma(x + 4)", "besselj(1, x)", "airyai(x)*x", "hypot(x, 2)", "erf(x)**2",
          "x*x*x*x", "where(x < 9, x**2, 3)", "max(x, -9)", "normpdf(x) + sech(x)", "lambertw(x + 3)",
          "bessely(0, x + 4)", "besselj(0.5, x + 4)", "digamma(x + 4)", "beta(x + 4, 2)"]  # fmt: skip


@pytest.mark.parametrize("text", SMOOTH)
def test_ranges_narrow_with_boxes(text):
    _, enclosing = enclosed(parse(text).outputs[0][1], ["x"])
    middle = np.linspace(-2.9, 2.9, 17) + 0.0123
    before = None
    for half in (1e-2, 1e-4, 1e-6):
        ranges, rough = enclosing([(middle - half, middle + half)])
        assert not rough.any()
        widths = np.array([high - low for low, high in ranges])
        if before is not None:
            assert (widths <= before / 20 + 1e-9).all()
        before = widths


def test_what_is_not_smooth_is_rough():
    rough_at = {
        "abs(x)": 0, "floor(x)": 1, "1/x": 0, "sqrt(x)": 0, "log(x)": 0, "tan(x)": math.pi / 2, "gamma(x)": -1,
        "where(x < 2, x, 1)": 2, "max(x, 1)": 1, "cbrt(x)": 0, "asin(x)": -1, "digamma(x)": -2, "csc(x)": math.pi,
        "mod(x, 3)": 3, "sign(x)": 0, "bessely(0, x)": 0, "lambertw(x)": -1 / math.e, "besselk(0, x)": 0,
        "gammainc(2, x)": 0, "x**(1/3)": 0, "x**1.5": 0, "acosh(x)": 1, "atanh(x)": -1, "copysign(3, x)": 0,
    }  # fmt: skip
    for text, at in rough_at.items():
        _, enclosing = enclosed(parse(text).outputs[0][1], ["x"])
        _, rough = enclosing([(np.array([at - 1e-9, at + 0.1]), np.array([at + 1e-9, at + 0.2]))])
        assert rough.tolist() == [True, False], text


def test_poles_and_the_outside_of_domains_show():
    ranges, _ = Enclosing([1 / x, apply("sqrt", x), apply("log", x)], ["x"])(
        [(np.array([-1.0, -3.0]), np.array([1.0, -2.0]))]
    )
    assert (ranges[0][0][0], ranges[0][1][0]) == (-math.inf, math.inf)
    assert (ranges[1][0][0], ranges[1][1][0]) == (0, 1)
    assert np.isnan(ranges[1][0][1]) and np.isnan(ranges[2][0][1])


def test_only_what_is_asked_for_is_computed():
    enclosing = Enclosing([x + y, apply("exp", x)], ["x", "y"])
    box = (np.array([0.0]), np.array([1.0]))
    (only,), _ = enclosing([box, box], 1)
    both, _ = enclosing([box, box])
    assert only == both[0] and len(both) == 2


def test_many_boxes_are_those_of_few():
    e = x
    for k in range(200):
        e = apply("sin", e + k)
    enclosing = Enclosing([e, e * e], ["x"])
    low = np.linspace(-1, 1, 30_000)
    ranges, rough = enclosing([(low, low + 1e-3)])
    part, _ = enclosing([(low[7_000:7_010], low[7_000:7_010] + 1e-3)])
    assert len(rough) == 30_000
    assert [a[7_000:7_010].tolist() for pair in ranges for a in pair] == [a.tolist() for pair in part for a in pair]
