"""Sides: against differences at 10**-40 of the expression in exact fractions, on every engine, to the last bit."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import pytest
from compute.engines import ENGINES, evaluate

from gradcli.calculus.derive import derive, expand
from gradcli.calculus.sides import derivatives, side
from gradcli.expr import COMPARISONS, Expr, apply, const, reachable, var
from gradcli.functions import TABLE
from gradcli.language import parse
from gradcli.limits.work import within

ORDER = 3
STEP = Fraction(1, 10**40)


def _sign(x: Fraction) -> int:
    return (x > 0) - (x < 0)


EXACT: dict[str, Callable[..., Fraction | int | bool]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "neg": lambda a: -a, "power": lambda a, n: a ** int(n), "abs": abs, "sign": _sign,
    "max": max, "min": min, "clip": lambda x, a, b: min(max(x, a), b), "relu": lambda x: max(x, Fraction(0)),
    "heaviside": lambda x, h: h if x == 0 else int(x > 0),
    "copysign": lambda x, y: -abs(x) if y < 0 else abs(x),
    "floor": math.floor, "ceil": math.ceil, "trunc": math.trunc, "round": round,
    "mod": lambda a, b: a - b * math.floor(a / b), "fmod": lambda a, b: a - b * math.trunc(a / b),
    "floordiv": lambda a, b: math.floor(a / b), "truncdiv": lambda a, b: math.trunc(a / b),
    "lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "and": lambda a, b: a and b, "or": lambda a, b: a or b,
    "not": lambda a: not a, "where": lambda c, a, b: a if c else b,
}  # fmt: skip


def exactly(e: Expr, point: dict[str, Fraction]) -> Fraction:
    values: dict[Expr, Fraction | int | bool] = {}
    for node in reachable([e]):
        if node.op == "var":
            values[node] = point[str(node.value)]
        elif node.op == "const":
            assert isinstance(node.value, Fraction)
            values[node] = node.value
        else:
            values[node] = EXACT[node.op](*[values[a] for a in node.args])
    return Fraction(values[e])


def differences(e: Expr, point: dict[str, Fraction], direction: int) -> list[float]:
    """The limit and the derivatives of order 1 to ORDER in x on one side: small dyadic numbers, off by some 10**-39."""
    step = direction * STEP
    row = [exactly(e, {**point, "x": point["x"] + k * step}) for k in range(1, ORDER + 2)]
    found = []
    for k in range(ORDER + 1):
        found.append(float(Fraction(round(row[0] / step**k * 2**40), 2**40)))
        row = [b - a for a, b in pairwise(row)]
    return found


def sided(e: Expr, direction: int, point: dict[str, Fraction], engine: str = "scalar") -> list[float]:
    named = [(f"d{k}", d) for k, d in enumerate(derivatives(*expand([e]), "x", direction, ORDER))]
    return [*evaluate(named, {name: float(value) for name, value in point.items()}, engine).values()]


LEAVES = [
    "x",
    "x",
    "x",
    "y",
    "x - 1",
    "1 - x",
    "2*x - 1",
    "x**2",
    "x - y",
    "x*y - 1",
    "x*(x - 1)",
    "1",
    "2",
    "-x",
    "x + 1",
]


def draw(r: random.Random, depth: int) -> str:
    if depth == 0 or r.random() < 0.1:
        return r.choice(LEAVES)
    a, b, c = (draw(r, depth - 1) for _ in range(3))
    kind = r.choice(["sum", "sum", "one", "one", "one", "two", "two", "three", "mod", "where"])
    if kind == "sum":
        return f"({a} {r.choice('+-*')} {b})"
    if kind == "one":
        return f"{r.choice(['abs', 'relu', 'sign', 'floor', 'ceil', 'round', 'trunc'])}({a})"
    if kind == "two":
        # Where the second argument of copysign is 0 on a whole side, the sign of that 0 would decide.
        return r.choice([f"max({a}, {b})", f"min({a}, {b})", f"heaviside({a}, {b})", f"copysign({a}, {draw(r, 0)})"])
    if kind == "three":
        return f"{r.choice(['max', 'min', 'clip'])}({a}, {b}, {c})"
    if kind == "mod":
        return f"{r.choice(['mod', 'fmod'])}({a}, {r.choice([1, 2, 4, 0.5, -2])})"
    ops = ["<", "<=", ">", ">=", "==", "!="]
    condition = f"{a} {r.choice(ops)} {b}"
    if r.random() < 0.5:
        condition = r.choice(
            [f"{condition} and x > {r.choice('012')}", f"{condition} or not x < y", f"not {condition}"]
        )
    return f"where({condition}, {b}, {c})"


def cases(count: int, seed: int) -> list[tuple[str, dict[str, Fraction]]]:
    r = random.Random(seed)
    halves = [Fraction(n, 2) for n in (0, 0, 0, 1, 2, 2, -2, 3, 4, -1)]
    return [(draw(r, 3), {"x": r.choice(halves), "y": r.choice(halves)}) for _ in range(count)]


def test_both_sides_of_random_expressions():
    """Three decisions deep, at ties and off them; the figures are small enough for doubles to be exact."""
    sides = 0
    for source, point in cases(450, 1):
        e = parse(source).outputs[0][1]
        if not e.variables:
            continue
        for direction in (1, -1):
            assert sided(e, direction, point) == differences(e, point, direction), (source, point, direction)
            sides += 1
    assert sides > 800


@pytest.mark.quick
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_doubles(engine: str):
    sources = [source for source, _ in cases(60, 2)]
    point = {"x": Fraction(1), "y": Fraction(0)}
    named, expected = [], []
    for k, source in enumerate(sources):
        e = parse(source).outputs[0][1]
        for name, direction in (("r", 1), ("l", -1)):
            named += [(f"{name}{k},{n}", d) for n, d in enumerate(derivatives(*expand([e]), "x", direction, ORDER))]
            expected += differences(e, point, direction)
    values = evaluate(named, {name: float(value) for name, value in point.items()}, engine)
    assert [*values.values()] == expected


@pytest.mark.quick
@pytest.mark.parametrize(
    ("source", "x", "left", "right"),
    [
        ("abs(x)", 0, [0, -1, 0, 0], [0, 1, 0, 0]),
        ("relu(x) - relu(-x)", 0, [0, 1, 0, 0], [0, 1, 0, 0]),
        ("floor(x)", 1, [0, 0, 0, 0], [1, 0, 0, 0]),
        ("ceil(x)", 1, [1, 0, 0, 0], [2, 0, 0, 0]),
        ("round(x)", 0.5, [0, 0, 0, 0], [1, 0, 0, 0]),
        ("round(x)", 1.5, [1, 0, 0, 0], [2, 0, 0, 0]),
        ("round(x)", -0.49999999999999994, [0, 0, 0, 0], [0, 0, 0, 0]),
        ("trunc(x)", 0, [0, 0, 0, 0], [0, 0, 0, 0]),
        ("mod(x, 2)*x", 2, [4, 4, 2, 0], [0, 2, 2, 0]),
        ("mod(x, 0.1)", 0.3, [0.09999999999999998, 1, 0, 0], [0.09999999999999998, 1, 0, 0]),
        ("mod(-x, 2)", 2, [0, -1, 0, 0], [2, -1, 0, 0]),
        ("fmod(x, 2)", -4, [0, 1, 0, 0], [-2, 1, 0, 0]),
        ("sign(x**2)", 0, [1, 0, 0, 0], [1, 0, 0, 0]),
        ("sign(x)*x**3", 0, [0, 0, 0, -6], [0, 0, 0, 6]),
        ("abs(x**3)", 1e-200, [0, 0, 6e-200, 6], [0, 0, 6e-200, 6]),
        ("where(x == 2, 7, x)", 2, [2, 1, 0, 0], [2, 1, 0, 0]),
        ("where(x != 2, 7, x)", 2, [7, 0, 0, 0], [7, 0, 0, 0]),
        ("where(x > 0 and x < 1, x**2, -1)", 1, [1, 2, 2, 0], [-1, 0, 0, 0]),
        ("where(not (x <= 0 or x > 1), 5, 6)", 0, [6, 0, 0, 0], [5, 0, 0, 0]),
        ("max(x, x**2, x**3)", 1, [1, 1, 0, 0], [1, 3, 6, 6]),
        ("max(sin(x), x)", 0, [0, 1, 0, -1], [0, 1, 0, 0]),
        ("clip(2*x, 0, 1)", 0.5, [1, 2, 0, 0], [1, 0, 0, 0]),
        ("heaviside(x - 1, 0.5)", 1, [0, 0, 0, 0], [1, 0, 0, 0]),
        ("copysign(x, x)", 0, [0, 1, 0, 0], [0, 1, 0, 0]),
        ("relu(3*x - 0.3)", 0.1, [0, 0, 0, 0], [3 * 0.1 - 0.3, 3, 0, 0]),
        ("max(x, -inf)", 1, [1, 1, 0, 0], [1, 1, 0, 0]),
    ],
)
def test_known_sides(source: str, x: float, left: list[float], right: list[float]):
    e = parse(source).outputs[0][1]
    point = {"x": Fraction(x)}
    assert sided(e, -1, point) == left
    assert sided(e, 1, point) == right


@pytest.mark.quick
@pytest.mark.parametrize("source", ["relu(log(x))", "sign(sqrt(x))", "max(1, log(x))", "heaviside(log(x), 2)"])
def test_no_number_stays_none(source: str):
    """Left of a domain nothing is decided."""
    values = sided(parse(source).outputs[0][1], 1, {"x": Fraction(-1)})
    assert math.isnan(values[0])


@pytest.mark.quick
def test_each_row_with_ties_has_a_rule():
    """Every operation that decides has sides that differ from it, or from each other."""
    arguments = [var("x"), var("y"), var("z")]
    for row in TABLE.values():
        if row.ties is not None:
            e = apply(row.name, *arguments[: max(row.arity[0], 2 if row.arity[1] is None else 1)])
            whole = apply("where", e, *arguments[:2]) if row.name in COMPARISONS else e
            assert {side(whole, "x", 1), side(whole, "x", -1)} != {whole}, row.name


@pytest.mark.quick
def test_another_axis_decides_nothing():
    e = parse("abs(y)*x + max(y, 1)").outputs[0][1]
    assert side(e, "x", 1) is e


@pytest.mark.quick
def test_long_products_need_no_deep_stack():
    product = var("x")
    for k in range(3000):
        product = product * (var("x") - const(k))
    e = apply("abs", product)
    assert side(e, "x", 1) is not e


@pytest.mark.quick
def test_decisions_inside_one_another():
    """150 deep within 2,000,000 steps of work; the same as what `derive` makes of the side."""
    e = var("x")
    for k in range(150):
        e = apply("abs", e - const(k % 5 + 1))
    with within(2_000_000):
        assert len(derivatives(e, "x", 1, 2)) == 3
    e = parse("abs(abs(abs(x) - 1)*y - 2)").outputs[0][1]
    named = derive([("f", side(e, "x", -1, ORDER + 1))], ["x"], ORDER)
    point = {"x": 3.0, "y": 1.0}
    assert [*evaluate(named, point).values()] == sided(e, -1, {"x": Fraction(3), "y": Fraction(1)})
