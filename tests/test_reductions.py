"""Reductions over all points: exact, the same bits however the work is spread, with gradients of both orders."""

from __future__ import annotations

import itertools
import math
import struct
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from gradcli import totals
from gradcli.errors import GradError
from gradcli.expr import apply, const, text, var
from gradcli.job import Job, engine, formulas, run
from gradcli.levels import has_reductions, staged
from gradcli.parse import parse
from gradcli.reverse import adjoints

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
x, y = var("x"), var("y")


def values(expression: str, **request: Any) -> dict[str, list[float]]:
    result = run(Job([expression], wrt=(), order=0, **request))
    return {n: [float(v) for v in c] for n, c in zip(result.names, result.whole(), strict=True)}


def listed(numbers: list[float]) -> str:
    return "x=" + ",".join(map(repr, numbers))


def total(kind: str, numbers: list[float], block: int = 10**9, array: bool = False, times: int = 1) -> dict[str, float]:
    one = totals.TOTALS[kind]()
    for lo in range(0, len(numbers), block):
        part: Any = numbers[lo : lo + block]
        one.add(one.digest(np.array(part) if array else part, lo))
    return one.results(times)


# Totals.


@settings(deadline=None, max_examples=60)
@given(st.lists(NUMBERS, min_size=1, max_size=40), st.booleans(), st.sampled_from([1, 3]))
def test_sums_are_rounded_once(numbers: list[float], array: bool, times: int) -> None:
    exact = sum(map(Fraction, numbers)) * times
    found = total("sum", numbers, array=array, times=times)
    if abs(exact) < 2**1023:
        assert found["sum"] == float(exact)
        assert found["sum_lost"] == float(exact - Fraction(found["sum"]))
    assert found["mean"] == float(exact / (len(numbers) * times))


@settings(deadline=None, max_examples=60)
@given(st.lists(NUMBERS, min_size=1, max_size=40), st.booleans(), st.sampled_from([1, 3]))
def test_norms_neither_overflow_nor_underflow(numbers: list[float], array: bool, times: int) -> None:
    with mp.workprec(2400):
        true = mp.sqrt(times * mp.fsum(mp.mpf(v) ** 2 for v in numbers))
        found = total("norm", numbers, array=array, times=times)
        if true < 2.0**1023:
            assert abs(found["norm"] - true) <= mp.mpf(math.ulp(float(true))) * 0.8
        if true:
            near = mp.mpf(found["norm_lead"]) / mp.mpf(found["norm_scale"]) ** 2
            assert abs(near / true - 1) <= 2**-52


@settings(deadline=None, max_examples=60)
@given(st.lists(NUMBERS, min_size=1, max_size=600), st.booleans(), st.sampled_from([1, 3]))
def test_products_leave_the_range_only_at_the_end(numbers: list[float], array: bool, times: int) -> None:
    with mp.workprec(400):
        true = mp.fprod(mp.mpf(v) for v in numbers) ** times
        rest = mp.fprod(mp.mpf(v) for v in numbers if v) ** times
        found = total("prod", numbers, array=array, times=times)
        if true == 0 or 1e-300 < abs(true) < 1e300:
            assert abs(found["prod"] - true) <= mp.mpf(math.ulp(float(true))) * 0.51
        if mp.mpf(2) ** -2300 < abs(rest) < mp.mpf(2) ** 2300:
            assert abs(mp.mpf(found["prod_lead"]) * mp.mpf(found["prod_scale"]) ** 4 / rest - 1) <= 2**-52


def test_long_arrays_are_summed_exactly() -> None:
    draw = np.random.default_rng(5)
    for array in (draw.normal(size=30_000), np.exp(draw.normal(size=30_000) * 60), draw.normal(size=9000) * 1e-312):
        numbers = array.tolist()
        assert total("sum", numbers, array=True)["sum"] == math.fsum(numbers)
        assert total("sum", numbers, array=True) == total("sum", numbers)
        assert total("norm", numbers, array=True) == total("norm", numbers)


@pytest.mark.parametrize("kind", totals.TOTALS)
@pytest.mark.parametrize("array", [False, True])
def test_totals_do_not_depend_on_blocks(kind: str, array: bool) -> None:
    draw = np.random.default_rng(3)
    numbers = (draw.normal(size=1500) * np.exp(draw.normal(size=1500) * 30)).tolist()
    found = [total(kind, numbers, block, array) for block in (10**9, 1, 7, 255, 256, 1000)]
    assert all(f == found[0] for f in found)


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1.0, math.inf], {"sum": math.inf, "mean": math.inf, "prod": math.inf, "norm": math.inf, "max": math.inf}),
        ([-math.inf, 2.0], {"sum": -math.inf, "prod": -math.inf, "norm": math.inf, "min": -math.inf}),
        ([math.inf, -math.inf], {"sum": math.nan, "prod": -math.inf, "norm": math.inf, "max": math.inf}),
        ([0.0, math.inf], {"sum": math.inf, "prod": math.nan, "min": 0.0}),
        ([1.0, math.nan, 0.0], dict.fromkeys(["sum", "mean", "prod", "norm", "max", "min"], math.nan)),
        ([1.7e308, 1.7e308], {"sum": math.inf, "mean": 1.7e308, "prod": math.inf, "norm": math.inf}),
        ([1e308, 1e308, -1e308], {"sum": 1e308}),
        ([-0.0, 0.0], {"sum": 0.0, "mean": 0.0, "prod": 0.0, "norm": 0.0, "max": 0.0, "min": 0.0}),
        ([1e200, 1e200, 1e-300, 1e-50], {"prod": 1e50}),
        ([5e-324, 5e-324], {"sum": 1e-323, "norm": 5e-324, "prod": 0.0}),
    ],
)  # fmt: skip
def test_ends_of_the_range(numbers: list[float], expected: dict[str, float], array: bool) -> None:
    found: dict[str, float] = {}
    for kind in totals.TOTALS:
        found |= total(kind, numbers, array=array)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-15, abs=0, nan_ok=True), name
        assert math.copysign(1, found[name]) == math.copysign(1, value) or math.isnan(value)


# In expressions.


def test_a_reduction_is_one_number() -> None:
    for expression, expected in (
        ("sum(x)", 9.0), ("mean(x)", 1.5), ("prod(x + 1)", 144.0), ("max(x)", 3.0), ("min(x)", 0.0),
        ("norm(x)", math.sqrt(19)), ("sum(1)", 6.0), ("sum(x - mean(x))", 0.0), ("max(x, 7)*sum(1)/sum(1)", None),
        ("mean(mean(x)*x)", 2.25), ("sum(2) + pi", 12 + math.pi), ("prod(2)", 64.0), ("norm(2)", math.sqrt(24)),
    ):  # fmt: skip
        result = run(Job([expression], wrt=(), order=0, grids=["2x3"]))
        if expected is None:
            assert (result.shape, result.names) == ((2, 3), ("x", "f"))
        else:
            assert (result.shape, result.names) == ((), ("f",))
            assert result.whole() == [[expected]]


def test_numbers_and_values_at_points_together() -> None:
    assert values("x - mean(x); m = max(x)", grids=["x=1,2,6"]) == {
        "x": [1.0, 2.0, 6.0],
        "f": [-2.0, -1.0, 3.0],
        "m": [6.0] * 3,
    }
    assert values("sum(a*x)", at=["a=2"], grids=["x=1,2,6"]) == {"a": [2.0], "f": [18.0]}
    standard = values("(x - mean(x))/sqrt(mean((x - mean(x))**2))", grids=["x=1,2,6"])["f"]
    assert standard == pytest.approx([v / math.sqrt(14 / 3) for v in (-2, -1, 3)], rel=1e-15)
    assert values("sum(1)") == {"f": [1.0]}


def test_each_reduction_goes_over_the_axes_it_depends_on() -> None:
    result = run(Job(["sum(x) + sum(y) + sum(x*y) + max(x)"], wrt=(), order=0, grids=["x=1,2,4", "y=1,10"]))
    assert [(p.axes, len(p.found)) for p in result.plan.passes] == [((0,), 2), ((1,), 1), ((0, 1), 1)]
    assert result.whole() == [[7.0 * 2 + 11 * 3 + 77 + 4]]


def test_without_reductions_nothing_changes() -> None:
    plan = run(Job(["x**2"], grids=["3x4"])).plan
    assert (plan.passes, plan.names) == ([], ())
    assert run(Job(["x*0 + 1"], wrt=(), order=0, at=["x=1"], grids=[])).names == ("x", "f")


@pytest.mark.parametrize("chosen", ["scalar", "vector"])
def test_any_blocks_and_threads_give_the_same_bits(chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    request: dict[str, Any] = {"grids": ["x=0.1:3:37", "4x7"], "order": 0, "wrt": (), "engine": chosen}
    text = "sum(exp(x)*y) + y; norm(x*y) - x; prod(1 + x/9) + mean(y/3)*x; max(x*y - sum(x)/7); min(sin(x*y))"
    found = []
    for target, threads in itertools.product((1, 7, 1000), (1, 2)):
        monkeypatch.setattr(engine, "block_points", lambda *_, points=target: points)
        columns = run(Job([text], threads=threads, **request)).whole()
        found.append([struct.pack(f"<{len(c)}d", *c) for c in columns])
    assert all(f == found[0] for f in found)


def test_engines_agree() -> None:
    request: dict[str, Any] = {"grids": ["x=0.1:3:37", "y=1:2:11"]}
    for name in ("sum", "mean", "prod", "norm", "max", "min"):
        (scalar,), (vector,) = (
            values(f"{name}(sin(x)*y)", engine=chosen, **request)["f"] for chosen in ("scalar", "vector")
        )
        assert scalar == pytest.approx(vector, rel=1e-14), name


def test_names_stay_variables_where_they_are_not_called() -> None:
    for name in ("sum", "mean", "prod", "norm", "unit"):
        assert text(parse(f"{name}*2").outputs[0][1]) == f"2*{name}"
        assert parse(f"{name} = x; {name}({name})").outputs[0][1] is apply(name, x)


# Refusals.


@pytest.mark.parametrize(
    ("ask", "start"),
    [
        (lambda: run(Job(["x + sum(x)"], at=["x=1"])), 4),
        (lambda: formulas(Job(["1 + max(x)"], order=0)), 4),
        (lambda: run(Job(["diff(x*norm(x), x)"], order=0, at=["x=1"])), 5),
        (lambda: run(Job(["x"], at=["x=1 + mean(2)"])), 4),
        (lambda: run(Job(["x"], grids=["x=0:prod(3):2"])), 0),
        (lambda: run(Job(["x"], grids=["2x3"], fill="i + max(j)")), 4),
    ],
)
def test_refused_where_points_stand_alone(ask: Any, start: int) -> None:
    with pytest.raises(GradError, match="takes all points at once") as caught:
        ask()
    assert caught.value.span is not None and caught.value.span.start == start
    assert caught.value.exit_code == 2


def test_derivatives_name_grad() -> None:
    job = Job(["sum(x)"], at=["x=1"])
    for ask in (lambda: run(job), lambda: formulas(job), lambda: parse("diff(sum(x), x)")):
        with pytest.raises(GradError) as caught:
            ask()
        assert "gradcli grad" in str(caught.value.hint)


# Adjoints, as expressions.


@pytest.mark.parametrize(
    ("expression", "gradient"),
    [
        ("sum(x**2)", "2*x"),
        ("mean(x**2)", "2*x/sum(1)"),
        ("x - mean(x)", "0"),
        ("x*sum(x)", "sum(x) + sum(x)"),
        ("sum(x)**2", "2*sum(x)"),
        ("sum(mean(x)*x)", "sum(x)/sum(1) + mean(x)"),
        ("mean(mean(x))", "1/sum(1)"),
        ("norm(x)", "unit(x)"),
        ("prod(x)", "cofactor(x)"),
        ("max(x)", "where(not x < max(x), defined(max(x), 1/sum(where(x < max(x), 0, 1))), 0)"),
    ],
)
def test_gradients_read_back(expression: str, gradient: str) -> None:
    ((_, e),) = parse(expression).outputs
    found = adjoints([(e, const(1))], ["x"])["x"]
    assert found is parse(gradient).outputs[0][1]


def test_what_is_one_number_gets_the_sum() -> None:
    e = parse("a*x + a**2").outputs[0][1]
    found = adjoints([(e, const(1))], ["a"], ["a"])["a"]
    assert found is parse("sum(x) + sum(1)*(2*a)").outputs[0][1]
    # An output that is one number itself is not repeated.
    e = parse("a**2").outputs[0][1]
    assert text(adjoints([(e, const(1))], ["a"], ["a"])["a"]) == "2*a"


def test_levels() -> None:
    levels, (root,) = staged([parse("x - mean(x - mean(x)*sum(y)) + max(y)").outputs[0][1]])
    assert [sorted(r.op for r in level) for level in levels] == [["max", "mean", "sum"], ["mean"]]
    assert not has_reductions([root])


def test_a_product_has_two_derivatives() -> None:
    e = apply("prod", x)
    for _ in range(2):
        e = adjoints([(e, y)], ["x"])["x"]
    with pytest.raises(GradError, match="twice, not three times"):
        adjoints([(e, y)], ["x"])
