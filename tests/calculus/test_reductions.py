"""Reductions over all points: exact, the same bits however the work is spread, with gradients of both orders."""

from __future__ import annotations

import itertools
import math
import struct
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.calculus.reductions import has_reductions, staged
from gradcli.calculus.reverse import adjoints
from gradcli.compute import engine, reuse
from gradcli.compute.execute import blocks
from gradcli.compute.grid import Axis, Grid, Values
from gradcli.compute.passes import Plan
from gradcli.errors import GradError
from gradcli.expr import apply, const, text, var
from gradcli.job import Job, formulas, run
from gradcli.job.gradient import GradJob, run_grad
from gradcli.language import parse

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
x, y = var("x"), var("y")


def values(expression: str, **request: Any) -> dict[str, list[float]]:
    result = run(Job([expression], wrt=(), order=0, **request))
    return {n: [float(v) for v in c] for n, c in zip(result.names, result.whole(), strict=True)}


def listed(numbers: list[float]) -> str:
    return "x=" + ",".join(map(repr, numbers))


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
    assert [(p.axes, len(p.reductions)) for p in result.plan.passes] == [((0,), 2), ((1,), 1), ((0, 1), 1)]
    assert result.whole() == [[7.0 * 2 + 11 * 3 + 77 + 4]]


def test_without_reductions_nothing_changes() -> None:
    plan = run(Job(["x**2"], grids=["3x4"])).plan
    assert (plan.passes, plan.names) == ([], ())
    assert run(Job(["x*0 + 1"], wrt=(), order=0, at=["x=1"], grids=[])).names == ("x", "f")


@pytest.mark.parametrize("chosen", ["scalar", "vector", "native"])
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
        (scalar,), (vector,), (native,) = (
            values(f"{name}(sin(x)*y)", engine=chosen, **request)["f"] for chosen in ("scalar", "vector", "native")
        )
        assert scalar == pytest.approx(vector, rel=1e-14), name
        assert scalar == pytest.approx(native, rel=1e-14), name


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


# Slopes of products.


def slopes_of_prod(numbers: list[float], along: list[float] | None = None, chosen: str = "scalar") -> list[float]:
    """The gradient of prod(x), or its product with ``along``."""
    column = {"x": numbers, "v": along or numbers}
    e = apply("cofactor", x) if along is None else apply("cofactor_along", x, var("v"))
    grid = Grid([Axis(list(column), [Values(c) for c in column.values()])])
    plan = Plan([e], grid)
    work = plan.last(grid, grid, chosen, 1, lambda done: None)
    return [float(v) for block in blocks(work, target=100) for v in block[0]]


@pytest.mark.parametrize("chosen", ["scalar", "vector", "native"])
@pytest.mark.parametrize(
    "numbers",
    [
        [1e-310, 2.0], [5e-324, 3.0], [5e-324, 2.0**1000], [5e-324, 2.0**900, 2.0**-900], [5e-324, 2.0**-1074],
        [1e-300, 1e300, 7.0], [1e-310, -1e-310, 2.0**1020, 3.0], [1e-290, 1e300], [5e-324, 2.0**-1000, 2.0**1000],
    ],
)  # fmt: skip
def test_slopes_of_a_product_with_a_tiny_factor(numbers: list[float], chosen: str) -> None:
    """A factor whose reciprocal is beyond the range of a double."""
    for k, value in enumerate(slopes_of_prod(numbers, chosen=chosen)):
        true = math.prod(Fraction(v) for i, v in enumerate(numbers) if i != k)
        try:
            nearest = float(true)
        except OverflowError:
            nearest = math.copysign(math.inf, true)
        assert value == nearest or abs(Fraction(value) - true) <= 4 * Fraction(math.ulp(nearest)), (k, value, nearest)


@pytest.mark.parametrize("chosen", ["scalar", "vector", "native"])
@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([0, math.inf, 2], [math.inf, 0, math.nan]),
        ([0, -math.inf, 2], [-math.inf, 0, math.nan]),
        ([0, math.nan, 2], [math.nan, 0, math.nan]),
        ([2, math.inf, 0, 3], [math.nan, 0, math.inf, math.nan]),
        ([0, math.inf, math.nan], [math.nan] * 3),
        ([0, 0, math.nan], [0, 0, 0]),
        ([0, 0, 5], [0, 0, 0]),
        ([0, 2, 3], [6, 0, 0]),
        ([0], [1]),
        ([math.inf], [math.nan]),
        ([math.inf, 2, 3], [math.nan, math.inf, math.inf]),
    ],
)
def test_slopes_of_a_product_with_zeros(numbers: list[float], expected: list[float], chosen: str) -> None:
    found = slopes_of_prod(numbers, chosen=chosen)
    assert found == pytest.approx(expected, rel=0, abs=0, nan_ok=True)


WIDE = st.builds(
    lambda sign, lead, power: sign * lead * 10.0**power,
    st.sampled_from([1.0, -1.0]), st.floats(1, 9.5), st.integers(-300, 300),
)  # fmt: skip


@settings(max_examples=120)
@given(st.lists(st.one_of(WIDE, WIDE, WIDE, st.just(0.0)), min_size=1, max_size=6), st.data())
def test_second_slopes_of_a_product_stay_in_range(numbers: list[float], data: st.DataObject) -> None:
    weight = st.one_of(st.just(0.0), st.floats(-9, 9).map(lambda v: round(v, 3)))
    along = data.draw(st.lists(weight, min_size=len(numbers), max_size=len(numbers)))
    exact, v = [Fraction(n) for n in numbers], [Fraction(w) for w in along]
    for k, (first, second) in enumerate(zip(slopes_of_prod(numbers), slopes_of_prod(numbers, along), strict=True)):
        others = [n for i, n in enumerate(exact) if i != k]
        true = Fraction(math.prod(others))
        if 10**-290 < abs(true) < 10**300 or not true:
            assert abs(Fraction(first) - true) <= abs(true) * Fraction(1, 10**15)
        terms = [
            v[m] * math.prod(n for i, n in enumerate(exact) if i not in (k, m)) for m in range(len(exact)) if m != k
        ]
        size = sum(map(abs, terms))
        if 10**-290 < size < 10**300 or not size:
            assert abs(Fraction(second) - sum(terms)) <= size * Fraction(1, 10**14)


def test_second_slopes_at_the_ends_of_the_range() -> None:
    assert slopes_of_prod([1e200, 1e200, 1e-300], [1, 0, 0])[2] == pytest.approx(1e200, rel=1e-15)
    assert slopes_of_prod([1e300] * 3, [1, 0, 0])[1:] == pytest.approx([1e300] * 2, rel=1e-15)
    assert slopes_of_prod([1e-300] * 3, [1, 0, 0])[1:] == pytest.approx([1e-300] * 2, rel=1e-15)
    assert slopes_of_prod([1e300] * 3 + [0.0] * 2, [0, 0, 0, 1, 0])[4] == math.inf
    found = slopes_of_prod([-7.7e106, 6.1e13, 5.9e189, 1.85e120], [-1, 1, 0, 0])
    assert found[:2] == [math.inf, -math.inf] and found[3] == pytest.approx(-4.543e296, rel=1e-12)


# Nests of reductions.


def nest(depth: int, op: str) -> str:
    return "h0 = x\n" + "\n".join(f"h{k} = sin(h{k - 1}) + {op}(h{k - 1}/9)" for k in range(1, depth + 1))


def steps(expression: str) -> int:
    return run_grad(GradJob([expression], ["x"], grids=["x=1,2"])).steps


@pytest.mark.parametrize("op", ["sum", "mean", "max", "min", "norm", "prod"])
def test_steps_grow_with_the_depth_and_not_with_its_square(op: str) -> None:
    assert steps(nest(120, op)) < 2.2 * steps(nest(60, op))
    # Values of the first statement, needed in every pass.
    first = "s = sin(x*exp(x))\nh0 = x\n"
    short, long = (first + "\n".join(f"h{k} = s*{op}(h{k - 1}*s/9)" for k in range(1, n)) for n in (61, 121))
    assert steps(long) < 2.2 * steps(short)


NESTS = [
    nest(6, "max"),
    nest(5, "prod"),
    "h = x*y + a\nu = where(h > mean(h), cos(h)*x, h)\n"
    "v = where(u > mean(u*y), 1 - u*u, u - norm(u - mean(h))/9)\nw = where(v > min(u), v*sum(v*x)/50, exp(-v**2))\n"
    "max(w)*w + prod(w/3 + 1)*y",
    "m = mean(x)\nn = m*m + sin(m)\np = sum(x*n)/9\nq = p*n + cos(p)\nr = sum(q*y*x)/9\nx*r*q + norm(y*r)",
    "s = cbrt(x + 1)*erf(y + 1)/9\nt = s*mean(cbrt(s))\nu = logaddexp(t, s)**(s + t)\n"
    "max(u)*hypot(t, u) + exp(erfinv(s/2)**2)",
    "s = sin(x)\nt = s*sum(s*y)/9\nu = (s + t)*y\nv = mean(u)*s\nsum(v*t)*v*y + max(u)*t",
]  # fmt: skip


@pytest.mark.parametrize("expression", NESTS)
@pytest.mark.parametrize(("grids", "wrt"), [(["x=0.1:1.3:5", "y=0.2:2:4"], ["x"]), (["3x4"], ["a", "x"])])
def test_what_is_kept_between_passes_changes_nothing(
    expression: str, grids: list[str], wrt: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for chosen in ("scalar", "vector", "native"):
        job = GradJob([expression], wrt, grids=grids, at=["a=0.5", "y=2"][: 1 + (len(grids) == 1)],
                      engine=chosen, allow_unused=True)  # fmt: skip
        found = []
        # Nothing kept, everything, what has room; in blocks of any size.
        for few, room, points in ((10**9, 10**6, 999), (0, 10**6, 999), (0, 10**6, 3), (8, 45, 999), (0, 0, 999)):
            with monkeypatch.context() as patch:
                patch.setattr(reuse, "FEW", few)
                patch.setattr(engine, "ROOM", room)
                patch.setattr(engine, "block_points", lambda *_, points=points: points)
                columns = run_grad(job).whole()
                found.append([v for column in columns if column is not None for v in column])
        assert all(f == pytest.approx(found[0], rel=1e-11, nan_ok=True) for f in found)
        assert list(map(repr, found[1])) == list(map(repr, found[2]))


def test_what_is_kept_is_kept_along_its_own_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "FEW", 0)
    text = "s = sin(x)*mean(x); u = (s + x)*y; v = u - mean(u); m = sum(v*y)**2 + 1; (v*v - mean(v*v))*s*m + m*sum(v*m)"
    plan = run(Job([text], wrt=(), order=0, grids=["x=1,2,3", "y=1,2"])).plan
    assert {tuple(places) for places in plan.stored.values()} == {(), (("x",),), (("x",), ("y",))}
    few = run(Job(["(x - mean(x))/sqrt(mean((x - mean(x))**2))"], wrt=(), order=0, grids=["3x4"]))
    monkeypatch.undo()
    usual = run(Job(["(x - mean(x))/sqrt(mean((x - mean(x))**2))"], wrt=(), order=0, grids=["3x4"])).plan
    assert few.plan.stored and not usual.stored
