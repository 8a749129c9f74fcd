"""Trust: that no value is off by more than its bound, and that what is wrong is flagged, on every engine."""

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engines import ENGINES, bits_but_nan
from mpmath import mp

from gradcli.calculus.derive import derive
from gradcli.compute import engine, trust
from gradcli.compute.backends.scalar import at_point
from gradcli.compute.execute import whole
from gradcli.compute.grid import Axis, Grid, Values
from gradcli.compute.program import build
from gradcli.compute.trust.table import rule_of
from gradcli.expr import ZERO, Expr, apply, const, constant, var
from gradcli.functions import LOWERED, NONLOCAL, TABLE
from gradcli.language import parse

U = Fraction(1, 2**53)
NUMBERS = [json.loads(line) for line in (Path(__file__).parents[1] / "data/numbers.jsonl").read_text().splitlines()]


def judged(
    roots: Sequence[Expr], at: Mapping[str, Sequence[float]], engine_name: str = "scalar", block: int = 1 << 14
) -> tuple[list[list[float]], list[list[float]]]:
    """The values of expressions at rows of points, one list each, and their errors; values are those without errors."""
    program = build(roots, [list(at)])
    grid = Grid([Axis(tuple(at), [Values(list(column)) for column in at.values()])])
    columns = []
    for work in (trust.work(roots, program, grid, engine_name), engine.work(program, grid, engine_name)):
        *_, (_, _, filled) = whole(work, target=block)
        columns.append([list(map(float, column)) for column in filled])
    both, plain = columns
    assert [*map(bits_but_nan, both[: len(roots)])] == [*map(bits_but_nan, plain)]
    return both[: len(roots)], both[len(roots) :]


def derived(text: str, order: int, wrt: Sequence[str]) -> list[tuple[str, Expr]]:
    return derive([("f", parse(text).outputs[0][1])], wrt, order)


def order_of(column: str) -> int:
    return 0 if column == "f" else int(column[1]) if column[1].isdigit() else 1


@pytest.mark.quick
@pytest.mark.parametrize("engine_name", ENGINES)
def test_a_number_that_is_wrong_is_flagged(engine_name):
    assert len(NUMBERS) == 67
    for case in NUMBERS:
        at = {name: [float(x)] for name, x in case["at"].items()}
        named = derived(case["expr"], order_of(case["want"]), list(at))
        (value,), (error,) = (rows[0] for rows in judged([dict(named)[case["want"]]], at, engine_name))
        true = Fraction(case["true"])
        flagged = trust.flagged(value, error)
        if not math.isfinite(value):
            assert flagged, case
            continue
        off = abs(Fraction(value) - true)
        assert flagged or off <= abs(true) / 10**10, case
        assert error == math.inf or off <= Fraction(error) * U, case


# Random expressions against mpmath, whose derivatives are quotients of differences in 75 digits.

UNARY: dict[str, Callable[[Any], Any]] = {
    "sqrt": mp.sqrt, "exp": mp.exp, "expm1": mp.expm1, "log": mp.log, "log2": lambda x: mp.log(x, 2), "log10": mp.log10,
    "log1p": mp.log1p, "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "sec": mp.sec, "csc": mp.csc, "cot": mp.cot,
    "asin": mp.asin, "acos": mp.acos, "atan": mp.atan, "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh,
    "sech": mp.sech, "csch": mp.csch, "coth": mp.coth, "asinh": mp.asinh, "acosh": mp.acosh, "atanh": mp.atanh,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)), "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)), "erf": mp.erf, "erfc": mp.erfc, "normcdf": mp.ncdf, "normpdf": mp.npdf,
    "gamma": mp.gamma, "lgamma": lambda x: mp.re(mp.loggamma(x)), "digamma": mp.digamma, "sinc": mp.sincpi,
    "abs": abs, "exp2": lambda x: mp.mpf(2) ** x, "lambertw": lambda x: mp.lambertw(x).real if x > -0.36 else mp.nan,
    "sinhc": lambda x: mp.sinh(x) / x, "exprel": lambda x: mp.expm1(x) / x, "airyai": mp.airyai, "airybi": mp.airybi,
    "relu": lambda x: max(x, mp.mpf(0)), "besselj": lambda x: mp.besselj(2, x), "besseli": lambda x: mp.besseli(1, x),
    "bessely": lambda x: mp.bessely(0, x), "besselk": lambda x: mp.besselk(1, x),
}  # fmt: skip
ORDERED = {"besselj": 2, "besseli": 1, "bessely": 0, "besselk": 1}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "div": lambda x, y: x / y,
    "power": lambda x, y: x**y, "hypot": mp.hypot, "atan2": mp.atan2, "max": max, "min": min,
    "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
}  # fmt: skip
Judged = tuple[str, float, float, float, tuple[Any, Any]]
Made = tuple[Expr, Callable[[Any], Any]]


def random_expression(rng: random.Random, depth: int) -> Made:
    """An expression of x, and the function that it is."""
    if depth == 0 or rng.random() < 0.1:
        if rng.random() < 0.7:
            return var("x"), lambda x: x
        number = rng.choice([2.0, 0.5, 3.0, 0.125, -1.5, 10.0])
        return const(number), lambda x: mp.mpf(number)
    if rng.random() < 0.5:
        name = rng.choice(sorted(UNARY))
        inner, at = random_expression(rng, depth - 1)
        return apply(name, inner, value=ORDERED.get(name)), lambda x: UNARY[name](bounded(at(x)))
    name = rng.choice(["add", "sub", "mul", "div", *sorted(BINARY)])
    (a, f), (b, g) = random_expression(rng, depth - 1), random_expression(rng, depth - 1)
    return apply(name, a, b), lambda x: BINARY[name](bounded(f(x)), bounded(g(x)))


def bounded(x: Any) -> Any:
    """An argument for which mpmath takes little time."""
    if isinstance(x, mp.mpc) or not 1e-30 < abs(x) < 200:
        raise ValueError
    return x


def true_values(f: Callable[[Any], Any], x: float) -> list[tuple[Any, Any]] | None:
    """The value and two derivatives, each with its uncertainty; None where there is none or mpmath fails."""
    step = mp.mpf(10) ** -20 * max(1, abs(x))
    try:
        around = [f(mp.mpf(x) + k * step) for k in (-2, -1, 0, 1, 2)]
    except (ArithmeticError, ValueError, mp.NoConvergence, TypeError):
        return None
    if not all(mp.isfinite(y) and not getattr(y, "imag", 0) for y in around):
        return None
    a, b, c, d, e = map(mp.re, around)
    first = [(d - b) / (2 * step), (e - a) / (4 * step)]
    second = [(d - 2 * c + b) / step**2, (e - 2 * c + a) / (4 * step**2)]
    # A kink in between: the derivative is a convention there.
    for near, far in (first, second):
        if abs(near - far) > mp.mpf(10) ** -12 * (abs(near) + abs(c) + 1):
            return None
    noise = max(map(abs, around)) * mp.mpf(10) ** -70
    return [
        (c, noise),
        *[(near, abs(near - far) + noise / step**k) for k, (near, far) in enumerate((first, second), 1)],
    ]


def random_values(seed: int, count: int, engine_name: str) -> Iterator[Judged]:
    """Column, point, value, error and truth of random expressions at random points."""
    rng = random.Random(seed)
    with mp.workdps(75):
        for _ in range(count):
            e, f = random_expression(rng, 3)
            points = [rng.choice([1, -1]) * rng.choice([0.3, 1.0, 4.0, 30.0]) * rng.random() for _ in range(5)]
            named = derive([("f", e)], ["x"], 2)
            values, errors = judged([root for _, root in named], {"x": points}, engine_name)
            for k, x in enumerate(points):
                true = true_values(f, x)
                for j in range(3 if true else 0):
                    yield f"{named[j][0]} of {e.op}", x, values[j][k], errors[j][k], true[j]


def judge(numbers: Iterator[Judged]) -> tuple[int, list[Judged], list[Judged]]:
    """How many numbers there were, those off by more than their bound, and those wrong and not flagged."""
    count, beyond, missed = 0, [], []
    for case in numbers:
        _, _, value, error, (true, unsure) = case
        count += 1
        off = abs(mp.mpf(value) - true) - unsure
        if math.isfinite(value) and off > mp.mpf(error) * 2.0**-53 + mp.mpf(2) ** -1075:
            beyond.append(case)
        if not off <= 1e-12 * abs(true) + mp.mpf(2) ** -1075 and not trust.flagged(value, error):
            missed.append(case)
    return count, beyond, missed


@pytest.mark.parametrize("engine_name", ENGINES)
def test_no_value_of_a_random_expression_is_off_by_more_than_its_bound(engine_name):
    count, beyond, missed = judge(random_values(7, 60, engine_name))
    assert count > 300
    assert not beyond
    assert not missed


# What is exact.


@pytest.mark.quick
@pytest.mark.parametrize("engine_name", ENGINES)
def test_polynomials_of_integers_are_exact(engine_name):
    whole_numbers = [float(k) for k in range(-12, 13)]
    for text in ("x**2-4", "(x-3)*(x**3-2*x+5)", "x**7-x", "x*(x-1)*(x-2)*(x+5)-120", "(x**2-9)/4", "x**3/2-32",
                 "abs(x)-3", "max(x,2)-2", "x**2*y-y**3", "floor(x/4)-1"):  # fmt: skip
        wrt = ["x", "y"] if "y" in text else ["x"]
        named = derived(text, 2, wrt)
        at = {name: whole_numbers[k:] + whole_numbers[:k] for k, name in enumerate(wrt)}
        values, errors = judged([e for _, e in named], at, engine_name)
        assert not any(trust.flagged(v, e) for row, of in zip(values, errors, strict=True)
                       for v, e in zip(row, of, strict=True)), text  # fmt: skip


@pytest.mark.quick
@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize(
    ("text", "x"),
    [("x+0.5", 3.0), ("1/x", 0.0), ("log(x)", 0.0), ("log(x)", -1.0), ("sqrt(x)", -2.0), ("asin(x)", 3.0),
     ("log(x)+cos(x)", -1.0), ("sqrt(x)*sin(1)", -2.0), ("gamma(x)", -2.0), ("atanh(x)", 1.0), ("x**0.5", -3.0),
     ("exp(log(x))", 0.0), ("1/(1/x)", 0.0), ("sin(x)", 0.0), ("cos(x)-1", 0.0), ("x*sin(x)", 0.0), ("x/4", 3.0),
     ("where(x > 1, log(x-3), x)", 1.0), ("x+1/3-1/3", 1.0), ("log(x)+cos(1)", 0.0),
     ("x**1.5-8", 4.0), ("3**x-9", 2.0)],
)  # fmt: skip
def test_what_is_sure_is_not_flagged(engine_name, text, x):
    (value,), (error,) = (rows[0] for rows in judged([parse(text).outputs[0][1]], {"x": [x]}, engine_name))
    assert not trust.flagged(value, error)


@pytest.mark.quick
@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize(
    ("text", "x"),
    [("exp(x)", 1000.0), ("1/(1+exp(x))", 800.0), ("exp(x)", -800.0), ("x*1e-200*1e-200", 1.0), ("x*1e200*1e200", 1.0),
     ("1/(sin(x)*1e-320)", 1.0), ("log(sin(x)**2+cos(x)**2-1)", 0.3),
     ("where(sin(x)**2+cos(x)**2 < 1, 1, 2)", 0.3), ("sin(x)**2+cos(x)**2-1", 0.3), ("x+1e17-1e17-x", 0.3),
     ("1/3-x", 0.3333333333333333), ("floor(10*sin(x)/sin(x))", 1.1),
     ("(3**x-1)*1e20", 1e-20), ("1152921504606847233**x-1073741824", 0.5)],
)  # fmt: skip
def test_what_is_lost_is_flagged(engine_name, text, x):
    (value,), (error,) = (rows[0] for rows in judged([parse(text).outputs[0][1]], {"x": [x]}, engine_name))
    assert trust.flagged(value, error)


@pytest.mark.parametrize("engine_name", ["vector", "native"])
def test_errors_are_the_same_in_blocks_of_any_size(engine_name):
    rng = random.Random(3)
    xs = [0.0, -1.0, 1.0, *[rng.uniform(-2, 2) for _ in range(60)]]
    for text in ("sqrt(1-x**2)*exp(x)/x", "log(x)*where(x > 0.5, x, sin(x))", "cbrt(x)*gamma(x)", "besselj(0, x)/x"):
        roots = [e for _, e in derived(text, 2, ["x"])]
        reference = judged(roots, {"x": xs}, engine_name)
        for block in (1, 7, 64):
            errors = judged(roots, {"x": xs}, engine_name, block)[1]
            assert np.array(errors).tobytes() == np.array(reference[1]).tobytes()


OPEN: list[tuple[str, str, dict[str, float]]] = [
    ("sqrt(1+sin(x))", "d20f_dx20", {"x": -1.57}), ("sqrt(1+sin(x))", "d5f_dx5", {"x": -1.57}),
    ("hypot(x,y)", "d3f_dx3", {"x": 1e-310, "y": 1e-310}), ("hypot(x,y)", "d4f_dx4", {"x": 1e-160, "y": 2e-160}),
    ("gamma(x)", "df_dx", {"x": 171.6243769563027}), ("lgamma(x)", "f", {"x": -2.4570247382208}),
]  # fmt: skip


@pytest.mark.quick
@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize(("text", "column", "point"), OPEN)
def test_known_weak_points_are_flagged(engine_name, text, column, point):
    order = 20 if "20" in column else order_of(column)
    root = dict(derived(text, order, list(point)))[column]
    (value,), (error,) = (rows[0] for rows in judged([root], {k: [x] for k, x in point.items()}, engine_name))
    assert trust.flagged(value, error)


@pytest.mark.quick
def test_a_grid_of_several_axes_has_the_errors_of_its_points():
    e = parse("sqrt(x-y)*log(x*y)/(x-1)").outputs[0][1]
    roots = [root for _, root in derive([("f", e)], ["x", "y"], 1)]
    xs, ys = [-1.0, 0.0, 1.0, 2.5], [0.5, 1.0, -2.0]
    program = build(roots, [["x"], ["y"]])
    grid = Grid([Axis(("x",), [Values(xs)]), Axis(("y",), [Values(ys)])])
    rows = [(x, y) for x in xs for y in ys]
    for name in ENGINES:
        *_, (_, _, columns) = whole(trust.work(roots, program, grid, name), target=5)
        values, errors = judged(roots, {"x": [x for x, _ in rows], "y": [y for _, y in rows]}, name)
        flags = [
            trust.flagged(float(v), float(e)) for k in range(3) for v, e in zip(columns[k], columns[k + 3], strict=True)
        ]
        assert flags == [trust.flagged(v, e) for k in range(3) for v, e in zip(values[k], errors[k], strict=True)]


# Flags, digits and bounds as expressions.


@pytest.mark.quick
def test_digits_and_flags_of_numbers_and_of_arrays_agree():
    cases = [
        (1.0, 0.0, 16, False), (1.0, 1.0, 15, False), (1.0, 2.0**20, 9, True), (3.0, 2.0**53, 0, True),
        (0.0, 0.0, 16, False), (0.0, 1.0, 0, True), (math.inf, 0.0, 16, False), (math.inf, math.inf, 0, True),
        (math.nan, 0.0, 16, False), (math.nan, math.inf, 0, True), (1.0, math.inf, 0, True), (1e-302, 1e-302, 15, True),
        (5.0, 1e-320, 16, False), (1e300, 1e3, 16, False),
    ]  # fmt: skip
    values, errors = np.array([c[0] for c in cases]), np.array([c[1] for c in cases])
    assert (
        [trust.digits(v, e) for v, e, _, _ in cases] == [c[2] for c in cases] == trust.digits(values, errors).tolist()
    )
    assert [bool(trust.flagged(v, e)) for v, e, _, _ in cases] == [c[3] for c in cases]
    assert trust.flagged(values, errors).tolist() == [c[3] for c in cases]


@pytest.mark.quick
def test_bounds_may_begin_with_decimals():
    x, y = var("x"), var("y")
    distance = abs_of = apply("sub", apply("add", x, const(0.1)), const(0.3))
    assert trust.bounds([x, const(0.1), const(3), -x, apply("max", x, y)]) == [ZERO] * 5
    assert trust.bounds([const(0.5), const(3)], decimals=True) == [ZERO] * 2
    exact, decimal = (at_point(trust.bounds([abs_of], decimals=d), {"x": 0.2})[0] for d in (False, True))
    value = at_point([distance], {"x": 0.2})[0]
    assert abs(value) > exact * 2.0**-53
    assert abs(value) <= decimal * 2.0**-53
    third = const(Fraction(1, 3))
    assert at_point(trust.bounds([third]), {}) == [float(abs(Fraction(1 / 3) - Fraction(1, 3)) / U)]
    assert trust.bounds([constant("pi")]) == [ZERO]
    assert at_point(trust.bounds([constant("pi")], decimals=True), {})[0] >= 1.0


@pytest.mark.quick
def test_every_kernel_has_a_rule():
    local = {row.name for row in TABLE.values() if row.expansion is None and not row.reduces} - NONLOCAL
    assert not [name for name in sorted({*LOWERED, *local, "min", "max"}) if rule_of(name) is None]
