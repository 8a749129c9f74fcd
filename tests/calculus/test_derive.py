"""Jets, adjoints, and the choice between them."""

import itertools
import math
from fractions import Fraction

import mpmath
import pytest
from engines import ENGINES, evaluate, partials
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gradcli.calculus import derive as derivation
from gradcli.calculus import forward, leibniz, reverse
from gradcli.calculus.derive import derive
from gradcli.compute import program
from gradcli.errors import GradError
from gradcli.expr import ONE, ZERO, Expr, apply, const, reachable, text, var
from gradcli.functions.row import cos, exp, gt, log, sin, sqrt, where

x, y, z, w = map(var, "xyzw")


def formulas(e: Expr, wrt: str, order: int) -> dict[str, str]:
    return {name: text(d) for name, d in derive([("f", e)], wrt.split(), order)}


@pytest.mark.quick
def test_names_follow_leibniz():
    names = [name for name, _ in derive([("f", x * x * y)], ["x", "y"], 3)]
    assert names == [
        "f", "df_dx", "df_dy", "d2f_dx2", "d2f_dxdy", "d2f_dy2", "d3f_dx3", "d3f_dx2dy", "d3f_dxdy2", "d3f_dy3"
    ]  # fmt: skip


@pytest.mark.quick
@pytest.mark.parametrize(
    ("name", "readings"),
    [
        ("df_dx", {(0,)}), ("df_dy", {(1,)}), ("d1f_dx", {(0,)}), ("d2f_dx2", {(0, 0)}),
        ("d2f_dxdy", {(0, 1)}),
        ("d2f_dydx", {(1, 0)}), ("d3f_dx2dy", {(0, 0, 1)}), ("df_dx2", {(2,)}), ("d12f_dx12", {(0,) * 12}),
        ("d3f_dxdx2", {(0, 0, 0)}), ("d2f_dx", set()), ("df_dxdy", set()), ("f", set()), ("dg_dx", set()),
        ("df_dz", set()),
        ("df_", set()), ("d2f_dx1", set()), ("d201f_dx201", set()),
    ],
)  # fmt: skip
def test_names_are_read_back(name, readings):
    assert set(leibniz.readings(name, "f", ["x", "y", "x2"])) == readings


@pytest.mark.quick
def test_two_columns_of_one_name_are_refused():
    with pytest.raises(GradError, match="two columns would be called 'df_dx'"):
        derive([("f", x**2), ("g", y), ("df_dx", y)], ["x"], 1)


@pytest.mark.quick
@pytest.mark.parametrize(
    ("factor", "e", "merged"),
    [
        (1, x, x), (3, x, 3 * x), (3, 2 * x, 6 * x), (3, -x, -3 * x), (3, const(2) / x, 6 / x), (3, x / 2, 1.5),
        (3, const(4), const(12)), (10**200, const(10**200), const(math.inf)),
        (-(10**200), const(10**200), const(-math.inf)),
        (10**150, const(10**149) * x, const(10**299) * x), (10**150, const(10**149) / x, const(10**299) / x),
        # Near the ends of the range factors stay apart.
        (10**150, const(10**150) * x, None), (10**150, const(10**150) / x, None),
        (Fraction(1, 10**150), const(Fraction(1, 10**150)) / x, None),
        (Fraction(1, 10**150), const(Fraction(1, 10**160)) * x, const(Fraction(1, 10**310)) * x),
    ],
)  # fmt: skip
def test_constants_are_merged_where_they_stay_in_range(factor, e, merged):
    wanted = const(factor) * e if merged is None else const(merged) * x if isinstance(merged, float) else merged
    assert forward.scaled(factor, e) is wanted


@pytest.mark.quick
@pytest.mark.parametrize(
    ("e", "order", "last"),
    [
        (x**2, 1, "2*x"), (x**2, 2, "2"), (x**2, 3, "0"), (x**3, 2, "6*x"), (x**5, 5, "120"), (sin(x), 4, "sin(x)"),
        (exp(2 * x), 3, "8*exp(2*x)"), (log(x), 1, "1/x"), (apply("atan", x), 1, "1/(x**2 + 1)"), (x * y, 2, "0"),
        (sqrt(x), 1, "0.5/sqrt(x)"), (apply("floor", x), 1, "0"), (apply("tanh", x), 1, "sech(x)**2"),
    ],
)  # fmt: skip
def test_formulas(e, order, last):
    assert list(formulas(e, "x", order).values())[-1] == last


@pytest.mark.quick
def test_zeros_of_calculus_are_structural():
    assert forward.partials([x * y], ["x"], 2)[x * y] == {(0,): y}
    # The derivative of x*0 is 0 even where x is infinite: no inf*0 is ever computed.
    assert partials(x * ZERO, {"x": math.inf}, 1)["df_dx"] == 0


@pytest.mark.quick
@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("at", [0.0, -1.0, -math.inf])
def test_nothing_leaks_from_the_branch_not_taken(mode, engine, at):
    inner = where(gt(x, ZERO), sqrt(x) * log(x) + ONE / x, ZERO) * 3 + where(gt(x, ZERO), x, 2 * x)
    assert partials(inner, {"x": at}, 1, mode=mode, engine=engine)["df_dx"] == 2


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_one_node_reached_through_two_conditions(mode):
    root = sqrt(x)
    e = where(gt(x, ONE), root, ZERO) + where(gt(x, const(4)), 2 * root, ZERO)
    assert partials(e, {"x": 0.0}, 1, mode=mode)["df_dx"] == 0
    assert partials(e, {"x": 2.25}, 1, mode=mode)["df_dx"] == pytest.approx(1 / 3, rel=1e-15)
    assert partials(e, {"x": 9.0}, 1, mode=mode)["df_dx"] == pytest.approx(0.5, rel=1e-15)


@pytest.mark.quick
@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_integer_powers_are_exact_at_zero_and_below(n, mode):
    for at in (0.0, -2.0):
        found = partials(x**n, {"x": at}, 9, mode=mode)
        for k, value in enumerate(found.values()):
            assert value == (math.perm(n, k) * at ** (n - k) if k <= n else 0)


@pytest.mark.quick
def test_diff_inside_an_expression():
    inner = apply("diff", sin(x) * y, x, value=2)
    assert derivation.expand([inner + y]) == [-(sin(x) * y) + y]
    nested = apply("diff", apply("diff", x**3 * y**2, x, value=1), y, value=1)
    assert text(derivation.expand([nested])[0]) == "6*x**2*y"
    assert derivation.expand([apply("diff", x * y, x, value=0)]) == [x * y]


def test_all_69_partials_of_four_variables_against_nested_differentiation():
    e = exp(x * y) * sin(y + z) + apply("tanh", x / (1 + w * w)) * log(2 + z * z) + sqrt(1 + (x * w) ** 2)
    point = {"x": 0.3, "y": -0.7, "z": 1.1, "w": 0.4}
    names = list(point)
    named = derive([("f", e)], names, 4)
    assert len(named) == 1 + 69
    nested = [("f", e)]
    for total in range(1, 5):
        for partial in itertools.combinations_with_replacement(range(4), total):
            d = e
            for i in partial:
                d = reverse.gradient(d, [names[i]]).get(names[i], ZERO)
            nested.append((leibniz.derivative_name("f", names, partial), d))
    jets, once = evaluate(named, point), evaluate(nested, point)
    assert list(jets) == list(once)
    for name, value in jets.items():
        assert value == pytest.approx(once[name], rel=1e-11, abs=1e-11), name


def _count(e: Expr, order: int) -> int:
    return program.build([d for _, d in derive([("f", e)], ["x"], order)], [["x"]]).length


def test_instruction_counts_grow_like_the_square_of_the_order():
    grown = {n: _count(exp(sin(x)), n) for n in (5, 10, 20, 40)}
    assert grown[40] <= 1700
    for n in (5, 10, 20):
        assert grown[2 * n] / grown[n] < 4.5
    runge = {n: _count(1 / (1 + 25 * x**2), n) for n in (5, 10, 20, 40)}
    assert runge[40] <= 350
    fractional = {n: _count((1 + sin(x)) ** const(0.3), n) for n in (10, 20, 40)}
    # Exact at 0, they cost the cube.
    assert fractional[40] / fractional[20] < 8.5


@pytest.mark.parametrize(
    ("e", "f"),
    [
        (exp(sin(x)), lambda t: mpmath.exp(mpmath.sin(t))),
        (1 / (1 + 25 * x**2), lambda t: 1 / (1 + 25 * t**2)),
        ((2 + x * x) ** const(2.5), lambda t: (2 + t * t) ** mpmath.mpf(2.5)),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_order_40(e, f, engine):
    found = list(partials(e, {"x": 0.3}, 40, engine=engine).values())
    with mpmath.workdps(80):
        series = mpmath.taylor(f, mpmath.mpf(0.3), 40)
        for k, (value, c) in enumerate(zip(found, series, strict=True)):
            true = c * mpmath.factorial(k)
            assert abs(value - true) <= 1e-12 * abs(true), k


def test_orders_beyond_the_factorials_of_a_double():
    found = partials(exp(x), {"x": 1.0}, 200)
    assert found["d200f_dx200"] == math.e


def test_an_order_beyond_all_patience_is_refused_before_the_work():
    with pytest.raises(GradError, match=r"order 200 .* limit"):
        derive([("f", x**x)], ["x"], 200)


def _thousand() -> tuple[Expr, list[str]]:
    names = [f"v{i}" for i in range(1000)]
    e = var(names[0])
    for i in range(1, 1000):
        a, before = var(names[i]), var(names[i - 1])
        kinds = (
            lambda e=e, a=a, b=before: e + a * b, lambda e=e, a=a, b=before: e - sin(a) * cos(e),
            lambda e=e, a=a, b=before: e * exp(a / (b * b + 1)), lambda e=e, a=a, b=before: sqrt(e * e + a * a),
            lambda e=e, a=a, b=before: log(1 + e * e) + a,
        )  # fmt: skip
        e = kinds[i % 5]()
    return e, names


def test_cheap_gradient():
    e, names = _thousand()
    value = program.build([e], [names]).length
    gradient = program.build([d for _, d in derive([("f", e)], names, 1)], [names]).length
    assert gradient <= 5 * value


def test_the_smaller_graph_is_taken():
    e = x * y * z * w * sin(x * y) * sin(z * w) * exp(x * w)
    sizes = {
        mode: len(reachable(d for _, d in derive([("f", e)], list("xyzw"), 1, mode)))
        for mode in ("auto", "forward", "reverse")
    }
    assert sizes["auto"] <= min(sizes["forward"], sizes["reverse"]) / 0.75


numbers = st.sampled_from([const(1), const(2), const(0.5), const(3)])
leaves = st.one_of(st.sampled_from([x, y]), numbers)


def _grown(children):
    unary = st.sampled_from(["sin", "cos", "exp", "tanh", "atan", "sigmoid", "neg", "asinh", "erf", "sinc", "softplus"])
    binary = st.sampled_from(["add", "sub", "mul", "div", "hypot", "atan2", "max", "logaddexp"])
    return st.one_of(
        st.builds(apply, unary, children),
        st.builds(apply, binary, children, children),
        st.builds(lambda a, b, c, d: where(gt(a, b), c, d), children, children, children, children),
    )


expressions = st.recursive(leaves, _grown, max_leaves=10)


# Always the same examples: a formula that cancels at its point fails no rule, and must not fail a build by chance.
@settings(max_examples=300, derandomize=True)
@given(expressions, st.floats(0.1, 2), st.floats(-2, -0.1))
def test_jets_equal_nested_adjoints(e, a, b):
    assume(e.variables)
    point = {"x": a, "y": b}
    jets = partials(e, point, 2, mode="forward")
    once = reverse.gradient(e, ["x", "y"])
    twice = {v: reverse.gradient(d, ["x", "y"]) for v, d in once.items()}
    second = lambda p, q: twice.get(p, {}).get(q, ZERO)
    nested = evaluate(
        [
            ("df_dx", once.get("x", ZERO)), ("df_dy", once.get("y", ZERO)), ("d2f_dx2", second("x", "x")),
            ("d2f_dxdy", second("x", "y")), ("d2f_dy2", second("y", "y")),
        ],
        point,
    )  # fmt: skip
    scale = max((abs(v) for v in jets.values() if math.isfinite(v)), default=1.0)
    assume(scale < 1e6)
    for name, value in nested.items():
        if math.isfinite(value) and math.isfinite(jets[name]):
            assert value == pytest.approx(jets[name], rel=1e-7, abs=1e-7 * max(1, scale)), (text(e), name)
