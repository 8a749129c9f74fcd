"""Simulations: the examples of JCGM 101, the same numbers on any number of threads, memory, draws without a result."""

import json
import math
import tracemalloc
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest

from gradcli.errors import GradError
from gradcli.language import parse
from gradcli.limits import memory
from gradcli.uncertainty import montecarlo
from gradcli.uncertainty.distributions import Distribution
from gradcli.uncertainty.draws import BLOCK, Draws, Sides
from gradcli.uncertainty.montecarlo import MonteCarlo, Plan, simulate, validate

pytestmark = pytest.mark.quick

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data" / "gum.jsonl").read_text().splitlines()]
CASE = {case["id"]: case for case in CASES}
ROOT3 = math.sqrt(3)


def run(expression: str, inputs: dict, r: dict | None = None, fixed: dict | None = None, **plan) -> MonteCarlo:
    outputs = [e for _, e in parse(expression).outputs]
    (result,) = simulate(outputs, Draws(inputs, r), fixed or {}, Plan(**plan))
    return result


def normal(value: float, u: float) -> Distribution:
    return Distribution("N", value, u)


def rectangular(a: float, b: float) -> Distribution:
    return Distribution("R", (a + b) / 2, (b - a) / 2)


def made(case: dict) -> dict:
    kinds = {"N": normal, "R": rectangular}
    return {name: kinds[kind](*numbers) for name, (kind, *numbers) in case["distributions"].items()}


def test_four_rectangular_inputs():
    case = CASE["101-9.2-rectangular"]
    true, within = case["true"], case["atol"]
    result = run(case["expression"], made(case), seed=1)
    assert result.mean == pytest.approx(true["y"], abs=within["u"])
    assert result.u == pytest.approx(true["u"], abs=within["u"])
    assert result.symmetric == pytest.approx(true["interval95"], abs=within["interval95"])
    assert result.shortest == pytest.approx(true["interval95"], abs=2 * within["interval95"])
    assert (result.trials, result.coverage, result.nonfinite, result.settled) == (10**6, 0.95, 0, None)
    # The interval of a normal distribution, +-3.92, is as good to two digits of u.
    assert validate(result, 0.0, 2.0, 3.92).validated


def test_a_rectangular_input_that_dominates():
    inputs = {f"X{k}": rectangular(-ROOT3, ROOT3) for k in (1, 2, 3)} | {"X4": rectangular(-10 * ROOT3, 10 * ROOT3)}
    result = run("X1 + X2 + X3 + X4", inputs, seed=1)
    assert result.u == pytest.approx(math.sqrt(103), rel=0.002)
    # JCGM 101, table 4.
    assert result.symmetric == pytest.approx((-17.0, 17.0), abs=0.04)
    validation = validate(result, 0.0, 10.1, 19.9)
    assert not validation.validated
    assert (validation.low, validation.high, validation.delta) == pytest.approx((2.9, 2.9, 0.5), abs=0.1)


def test_mass_calibration():
    case = CASE["101-9.3-mass"]
    result = run(case["expression"], made(case), seed=1)
    assert result.mean == pytest.approx(1.234, abs=3e-4)
    # JCGM 101, table 5.
    assert result.u == pytest.approx(float(case["published"]["u_MCM"]), abs=2e-4)
    assert result.shortest == pytest.approx((1.0834, 1.3825), abs=3e-3)
    assert not validate(result, 1.234, 0.0539, 1.96 * 0.0539).validated


@pytest.mark.parametrize(("x", "r"), [(0.0, 0.0), (0.010, 0.0), (0.050, 0.0), (0.0, 0.9), (0.010, 0.9), (0.050, 0.9)])
def test_comparison_loss(x: float, r: float):
    """JCGM 101, 9.4: a quadratic form, whose moments are exact: E = x'x + tr(V), V = 4 x'Vx + 2 tr(V**2)."""
    u = 0.005
    result = run("X1**2 + X2**2", {"X1": normal(x, u), "X2": normal(0, u)}, {("X1", "X2"): r}, seed=3)
    mean, variance = x * x + 2 * u**2, 4 * x * x * u**2 + 4 * u**4 * (1 + r * r)
    assert result.mean == pytest.approx(mean, abs=4 * math.sqrt(variance / 1e6))
    assert result.u == pytest.approx(math.sqrt(variance), rel=0.005)
    if x == r == 0:
        # Half a chi-squared distribution of two degrees of freedom is an exponential one.
        quantiles = [-2 * u**2 * math.log1p(-p) for p in (0.025, 0.975)]
        assert result.symmetric == pytest.approx(quantiles, rel=0.01)
        assert result.shortest == pytest.approx((0, -2 * u**2 * math.log(0.05)), abs=1e-6)


def test_intervals_of_a_normal_and_of_students_distribution():
    for dist, quantile in ((normal(5, 2), 1.959964), (Distribution("t", 5.0, 2.0, 4.0), 2.776445)):
        result = run("x", {"x": dist}, seed=5)
        assert result.symmetric == pytest.approx((5 - 2 * quantile, 5 + 2 * quantile), abs=0.05)


def test_correlations():
    inputs = {"a": normal(1, 0.1), "b": normal(2, 0.2), "c": normal(3, 0.3), "d": rectangular(0, 1)}
    for r in (0.7, -0.99, 1.0, -1.0):
        for weight, sign in ((1, 1), (-1, -1)):
            result = run(
                f"a + ({weight})*b + 0*c + 0*d", inputs, {("a", "b"): r, ("b", "c"): 0.0}, seed=2, trials=200_000
            )
            u = math.sqrt(0.01 + 0.04 + 2 * sign * r * 0.02)
            assert result.u == pytest.approx(u, rel=0.01, abs=1e-12)
    matrix = {("a", "b"): 0.5, ("b", "c"): 0.25, ("c", "a"): -0.5}
    columns = np.array(Draws(inputs, matrix).block(7, 0, BLOCK))
    wanted = np.array([[1, 0.5, -0.5, 0], [0.5, 1, 0.25, 0], [-0.5, 0.25, 1, 0], [0, 0, 0, 1]])
    assert np.abs(np.corrcoef(columns) - wanted).max() < 0.02


def test_correlated_inputs_of_students_distribution():
    # Jointly of Student's t: any sum of them is of Student's t too, with the same degrees of freedom.
    inputs = {name: Distribution("t", 0.0, u, 4.0) for name, u in (("a", 1.0), ("b", 2.0))}
    result = run("a + b", inputs, {("a", "b"): -0.25}, seed=1)
    quantile = 2.7764451052 * math.sqrt(1 + 4 - 1)
    assert result.symmetric == pytest.approx((-quantile, quantile), rel=0.01)
    # Separate groups have degrees of freedom of their own.
    Draws({**inputs, "c": normal(0, 1), "d": normal(0, 1)}, {("a", "b"): 0.5, ("c", "d"): 0.5})


def test_a_two_sided_input():
    result = run("x", {"x": Sides(1.0, 0.2, 0.1)}, seed=1, coverage=Fraction(6827, 10**4))
    assert result.symmetric == pytest.approx((0.9, 1.2), abs=2e-3)
    (column,) = Draws({"x": Sides(1.0, 0.2, 0.1)}).block(1, 0, BLOCK)
    assert np.median(column) == pytest.approx(1, abs=2e-3)


THREE = "a = x + y; b = exp(x)*y; c = sqrt(x)"
INPUTS = {"x": normal(0.1, 0.2), "y": Distribution("t", 1.0, 0.1, 5.0), "z": Distribution("U", 0.0, 1.0)}


@pytest.mark.parametrize("trials", [5 * BLOCK + 12_345, None])
def test_the_same_numbers_on_any_number_of_threads(trials: int | None):
    outputs = [e for _, e in parse(THREE).outputs]
    results = {
        repr(simulate(outputs, Draws(INPUTS), {}, Plan(trials, 7, Fraction(8, 10), threads=threads)))
        for threads in (1, 2, 4)
    }
    assert len(results) == 1
    other = simulate(outputs, Draws(INPUTS), {}, Plan(trials, 8, Fraction(8, 10), threads=1))
    assert repr(other) not in results


def test_blocks_are_streams_of_their_own():
    draws = Draws({"x": normal(0, 1), "y": rectangular(0, 1)})
    first, second = draws.block(1, 0, 1000), draws.block(1, 1, 1000)
    assert all((a == b).all() for a, b in zip(first, draws.block(1, 0, 1000), strict=True))
    seen = np.concatenate([*first, *second, *draws.block(2, 0, 1000)])
    assert len(np.unique(seen)) == len(seen)
    assert abs(np.corrcoef(first[0], second[0])[0, 1]) < 0.1


@pytest.mark.parametrize("engine", ["scalar", "native"])
def test_engines_agree(engine: str):
    if engine == "native":
        pytest.importorskip("llvmlite")
    inputs, fixed = {"x": normal(1, 0.1), "y": rectangular(1, 2)}, {"k": 2.0}
    results = [
        run("k*exp(x)/y + sin(k)", inputs, fixed=fixed, trials=20_000, seed=1, engine=name)
        for name in ("vector", engine)
    ]
    for a, b in zip(*results, strict=True):
        assert a == pytest.approx(b, rel=1e-12) if a is not None else b is None


def test_draws_without_a_result_are_counted_and_left_out():
    result = run("sqrt(x)", {"x": normal(0, 1)}, seed=1)
    assert result.nonfinite == pytest.approx(500_000, abs=2000)
    with mpmath.workdps(20):
        # The mean of sqrt(x) over x > 0, and that of x.
        mean, square = (2 * mpmath.quad(lambda x, p=p: x**p * mpmath.npdf(x), [0, mpmath.inf]) for p in (0.5, 1))
        assert result.mean == pytest.approx(float(mean), rel=0.003)
        assert result.u == pytest.approx(float(mpmath.sqrt(square - mean**2)), rel=0.005)
    for trials in (10_000, None):
        nothing = run("log(-1 - x**2)", {"x": normal(0, 1)}, trials=trials)
        assert nothing.nonfinite == nothing.trials
        assert all(map(math.isnan, (nothing.mean, nothing.u, *nothing.symmetric, *nothing.shortest)))


def test_results_of_any_size():
    for value, u in ((0.0, 1e300), (1e307, 1e306), (0.0, 1e-300), (1e-310, 1e-311), (5.0, 0.0)):
        result = run("x", {"x": normal(value, u)}, trials=100_000)
        assert result.u == pytest.approx(u, rel=0.01, abs=1e-320)
        assert result.mean == pytest.approx(value, abs=0.02 * u + 1e-320)
    assert run("x", {"x": normal(0, 1e308)}, trials=100_000).nonfinite > 0
    assert run("3", {"x": normal(0, 1)}, trials=10_000)[:2] == (3.0, 0.0)


def test_the_adaptive_procedure(monkeypatch):
    result = run("4*pi**2*L/T**2", {"L": normal(1, 0.002), "T": normal(2, 0.01)}, trials=None)
    assert result.settled is True and result.trials % BLOCK == 0 and result.trials >= 10 * BLOCK
    assert result.u == pytest.approx(0.1007, abs=0.0005)
    # No sample tells the second digit of an uncertainty that does not exist.
    hardest = Plan(None, 1, Fraction(9, 10))
    monkeypatch.setattr(montecarlo, "MOST", 12 * BLOCK)
    (result,) = simulate([parse("x").outputs[0][1]], Draws({"x": Distribution("t", 0.0, 1.0, 1.0)}), {}, hardest)
    assert (result.settled, result.trials) == (False, 12 * BLOCK)


def test_trials_are_told_while_they_are_done():
    done: list[int] = []
    outputs = [parse("x").outputs[0][1]]
    simulate(outputs, Draws({"x": normal(0, 1)}), {}, Plan(2 * BLOCK + 1), done.append)
    assert done == [BLOCK, 2 * BLOCK, 2 * BLOCK + 1]


def test_memory_is_8_bytes_a_trial():
    draws = Draws({"L": normal(1, 0.002), "T": normal(2, 0.01)})
    outputs = [parse("4*pi**2*L/T**2").outputs[0][1]]
    simulate(outputs, draws, {}, Plan(10_000, threads=1))
    tracemalloc.start()
    try:
        simulate(outputs, draws, {}, Plan(4_000_000, threads=1))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 4_000_000 + 100 * BLOCK


def test_more_than_the_memory_is_refused(monkeypatch):
    with pytest.raises(GradError, match="10,000,000,000,000 trials of 1 result would take") as caught:
        run("x", {"x": normal(0, 1)}, trials=10**13)
    assert "fewer trials" in caught.value.hint
    monkeypatch.setattr(memory, "limit", lambda: 10**6)
    with pytest.raises(GradError, match="trials of 1 result"):
        run("x", {"x": normal(0, 1)}, trials=None)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"trials": 1999}, "1,999 trials are too few for intervals of 95 %: they take 2,000 or more"),
        ({"trials": 10**6, "coverage": 1 - Fraction(1, 10**6)}, "they take 100,000,000 or more"),
        ({"trials": None, "coverage": 1 - Fraction(1, 10**6)}, "take more than 33,554,432 trials"),
        ({"seed": -1}, "the seed"), ({"seed": 2**128}, "the seed"),
    ],
)  # fmt: skip
def test_plans_that_are_refused(plan, message):
    with pytest.raises(GradError, match=message):
        Plan(**plan)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (rectangular(0, 1), "b is correlated and not normal"), (Sides(0.0, 1.0, 2.0), "b is correlated and two-sided"),
        (Distribution("t", 0.0, 1.0, 5.0), "a and b are correlated, and their degrees of freedom differ"),
    ],
)  # fmt: skip
def test_correlated_inputs_are_normal(other, message):
    with pytest.raises(GradError, match=message):
        Draws({"a": normal(0, 1), "b": other}, {("a", "b"): 0.5})
    Draws({"a": normal(0, 1), "b": other}, {("a", "b"): 0.0})


def test_correlations_that_contradict_each_other():
    three = {name: normal(0, 1) for name in "abc"}
    with pytest.raises(GradError, match="contradict each other at 'b' and 'c'"):
        Draws(three, {("a", "b"): 0.9, ("b", "c"): 0.9, ("a", "c"): -0.9})
