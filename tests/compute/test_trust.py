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
from mpmath import mp

from gradcli.calculus.derive import derive
from gradcli.compute import engine, trust
from gradcli.compute.backends.scalar import at_point
from gradcli.compute.execute import whole
from gradcli.compute.grid import Axis, Grid, Values
from gradcli.compute.program import build
from gradcli.expr import ZERO, Expr, apply, const, constant, var
from gradcli.language import parse

ENGINES = ("scalar", "vector", "native")
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
        for _, _, block_columns in whole(work, target=block):
            pass
        columns.append([list(map(float, column)) for column in block_columns])
    both, plain = columns
    assert np.array(both[: len(roots)]).tobytes() == np.array(plain).tobytes()
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
    return [(c, noise), *[(near, abs(near - far) + noise / step**k) for k, (near, far) in enumerate((first, second), 1)]]


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
        if not off <= 1e-12 * abs(true) and not trust.flagged(value, error):
            missed.append(case)
    return count, beyond, missed


@pytest.mark.parametrize("engine_name", ENGINES)
def test_no_value_of_a_random_expression_is_off_by_more_than_its_bound(engine_name):
    count, beyond, missed = judge(random_values(7, 60, engine_name))
    assert count > 300
    assert not beyond
    assert not missed
