"""The tape: lowering, strata, registers; and that both engines run it alike."""

import math
import pickle
import sys

import accuracy
import numpy as np
import pytest
from engines import bits_but_nan, evaluate
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.calculus.derive import derive
from gradcli.compute import program
from gradcli.compute.backends import scalar, special, vector
from gradcli.compute.backends.scalar import at_point
from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, Expr, apply, const, var
from gradcli.functions import LOWERED, NONLOCAL, TABLE
from gradcli.functions.row import cos, exp, log, sin

x, y = var("x"), var("y")
HARD = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -3.5, 1e-320, 1e300, -1e300, math.inf, -math.inf, math.nan]


def test_a_program_is_plain_data():
    tape = program.build([d for _, d in derive([("f", sin(x) * y)], ["x", "y"], 2)], [["x"], ["y"]])
    assert pickle.loads(pickle.dumps(tape)) == tape
    assert "sin" in repr(tape)


def test_work_on_one_axis_is_a_stratum_of_its_own():
    tape = program.build([sin(x) * exp(y)], [["x"], ["y"]])
    assert [(s.axes, [step.function for step in s.steps]) for s in tape.strata] == [
        ((0,), ["sin"]), ((1,), ["exp"]), ((0, 1), ["mul"])
    ]  # fmt: skip


def test_constants_alone_are_computed_once():
    tape = program.build([log(const(2)) * x], [["x"]])
    assert tape.strata[0].axes == ()


@pytest.mark.quick
def test_registers_are_reused():
    e = x
    for _ in range(100):
        e = sin(e) + cos(e)
    assert len(program.build([e], [["x"]]).registers) <= 4


def test_an_unbound_variable_is_named():
    with pytest.raises(GradError, match="'y' has no value"):
        program.build([x * y], [["x"]])


def test_a_missing_scipy_is_named_with_the_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(GradError, match="digamma needs SciPy") as refused:
        evaluate([("f", apply("digamma", x))], {"x": 1.0})
    assert refused.value.hint == "pip install 'gradcli[special]'"


def test_every_function_has_a_kernel_or_an_expansion():
    known = set(scalar._FUNCTIONS) | special.SCIPY | set(special.FAMILIES)
    assert known == set(vector._FUNCTIONS) | special.SCIPY | set(special.FAMILIES)
    for name, row in TABLE.items():
        if name not in ("min", "max", *NONLOCAL) and not row.reduces:
            assert (row.expansion is None) == (name in known), name
    assert set(LOWERED) <= known


@pytest.mark.parametrize("name", [n for n, row in TABLE.items() if not row.reduces and n not in NONLOCAL])
def test_what_is_lowered_may_be_lowered_again(name):
    row = TABLE[name]
    args = [x, y, var("z")] if row.arity[1] is None else [x, y, var("z")][: row.arity[0]]
    if name in ("where", "instead", "defined"):
        args[0] = apply("gt", x, y)
    if name == "power_shift":
        args[1] = const(0.3)
    e = apply(name, *args, value=2 if row.parameter else None)
    roots = [e, (x - e) ** (y + e), exp(apply("erfinv", e) ** 2), 1 - e**2]
    if name not in BOOLEANS and row.arity[1] is not None and name != "where":
        wrt = [str(a.value) for a, name in zip(args, row.arguments, strict=False) if name not in row.unknown]
        roots += [d for _, d in derive([("f", apply("cbrt", e) + apply("erf", e))], wrt[:1], 2)]
    for root in roots if name not in BOOLEANS else [apply("where", e, x, y)]:
        (once,) = program.lower([root])
        assert program.lower([once]) == [once]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("e", "point", "value"),
    [
        (1 - x**2, {"x": 1 - 2.0**-52}, 2.0**-51 - 2.0**-104),
        (derive([("f", apply("atan", x))], ["x"], 1)[1][1], {"x": 1e160}, 1e-320),
        (derive([("f", apply("asinh", x))], ["x"], 1)[1][1], {"x": 1e200}, 1e-200),
        ((1 + x**2) ** const(0.5), {"x": 3.0}, math.sqrt(10)),
        (x ** (y - 1), {"x": 1e300, "y": 0.3}, 9.999999999999923e-211),
        (x ** (y - 1), {"x": -3.0, "y": 1e300}, -math.inf),
        (x ** const(1) / 3, {"x": 3.0}, 1.0),
        (derive([("f", x ** const(0.3))], ["x"], 1)[1][1], {"x": 1e300}, 0.3 * 9.999999999999923e-211),
        (x ** const(-1), {"x": 0.0}, math.inf),
        (x ** const(0.5), {"x": -0.0}, 0.0),
    ],
)
@pytest.mark.parametrize("engine", ["scalar", "vector", "native"])
def test_textbook_forms_are_evaluated_with_care(e, point, value, engine):
    assert evaluate([("f", e)], point, engine)["f"] == pytest.approx(value, rel=4e-16, abs=0)


UNARY = [row.name for row in TABLE.values() if row.arity == (1, 1) and not row.internal and not row.reduces]


@pytest.mark.quick
@pytest.mark.parametrize("engine", ["scalar", "vector", "native"])
@pytest.mark.parametrize("name", UNARY)
def test_powers_of_every_function(name, engine):
    """The squares of some have a form of their own, which no other power may take."""
    parameter = 1 if TABLE[name].parameter else None
    e = apply(name, x, value=parameter)
    values = {p: evaluate([("f", e)], {"x": p})["f"] for p in (0.75, 2.75, -0.75)}
    at = next((p for p, v in values.items() if math.isfinite(v) and abs(v) not in (0, 1)), 0.75)
    value = evaluate([("f", e)], {"x": at}, engine)["f"]
    exponents = [-3, -2, -1, 2, 3, 4, 5]
    found = evaluate([(f"p{n}", e ** const(n)) for n in exponents], {"x": at}, engine)
    assert found == {f"p{n}": pytest.approx(value**n, rel=1e-14, abs=0) for n in exponents}


@pytest.mark.quick
@pytest.mark.parametrize("engine", ["vector", "native"])
@pytest.mark.parametrize("name", sorted({*special.LIFTED, *special.SCIPY, "sinc"} & set(accuracy.REFERENCES)))
def test_kernels_of_our_own_are_accurate(name, engine):
    """At few points, with derivatives, which need the kernels of rows inside: `tests/references` takes many."""
    if TABLE[name].needs:
        pytest.importorskip(TABLE[name].needs)
    bad = [f for f in accuracy.findings(name, engine, 6) if f.share > 1 and not accuracy.limited(name, f)]
    assert not bad, accuracy.describe(bad[0])


_ARITHMETIC = {"add": 2, "sub": 2, "mul": 2, "div": 2, "neg": 1, "abs": 1, "where": 3, "sign": 1}


def _plain(tree, point):
    """A tree evaluated as written, no Expr and so no simplification in between."""
    if isinstance(tree, str):
        return point[tree]
    if isinstance(tree, float):
        return tree
    op, *args = tree
    values = [_plain(a, point) for a in args]
    return (values[1] if values[0] < 0 else values[2]) if op == "where" else scalar._FUNCTIONS[op](*values)


def _made(tree) -> Expr:
    if isinstance(tree, str):
        return var(tree)
    if isinstance(tree, float):
        return const(tree)
    op, *args = tree
    made = [_made(a) for a in args]
    return apply("where", apply("lt", made[0], const(0)), *made[1:]) if op == "where" else apply(op, *made)


trees = st.recursive(
    st.sampled_from(["x", "y"]),
    lambda inner: st.sampled_from(sorted(_ARITHMETIC)).flatmap(
        lambda op: st.tuples(st.just(op), *[st.one_of(inner, st.sampled_from([1.0, -1.0]))] * _ARITHMETIC[op])
    ).filter(lambda t: not all(isinstance(a, float) for a in t[1:])),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=500)
@given(trees, st.sampled_from(HARD), st.sampled_from(HARD))
def test_simplified_equals_unsimplified_bit_for_bit(tree, a, b):
    point = {"x": a, "y": b}
    for engine in ("scalar", "vector", "native"):
        assert bits_but_nan([evaluate([("f", _made(tree))], point, engine)["f"]]) == bits_but_nan(
            [_plain(tree, point)]
        ), engine


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=4))
def test_any_block_shape_gives_the_same_bits(blocks):
    e = sin(x) * exp(y) + log(x * x + 1) * cos(y)
    tape = program.build([d for _, d in derive([("f", e)], ["x", "y"], 2)], [["x"], ["y"]])
    run = vector.kernel(tape)
    xs, ys = np.linspace(-1, 1, 25), np.linspace(0, 2, 25)
    whole = [np.empty(625) for _ in tape.outputs]
    axis = [axis for _, axis in tape.inputs]
    vector.kernel(tape)([(xs, ys)[a] for a in axis], whole, (25, 25))
    for m, n in blocks:
        parts = [np.empty(m * n) for _ in tape.outputs]
        run([(xs[:m], ys[:n])[a] for a in axis], parts, (m, n))
        for part, full in zip(parts, whole, strict=True):
            assert part.reshape(m, n).tobytes() == np.ascontiguousarray(full.reshape(25, 25)[:m, :n]).tobytes()


def test_one_output_asked_for_twice_and_inputs_and_constants_as_outputs():
    named = [("a", sin(x)), ("b", sin(x)), ("c", x), ("d", const(2)), ("e", apply("sin", y))]
    for engine in ("scalar", "vector", "native"):
        assert list(evaluate(named, {"x": 1.0, "y": 0.0}, engine).values()) == [math.sin(1), math.sin(1), 1, 2, 0]


@pytest.mark.quick
@pytest.mark.parametrize(
    "e", [x, const(3), sin(x), x - y, y - x, x - 1, 1 - x, sin(cos(x)), x * x, x - x, sin(x) - y, apply("atan2", y, x),
          apply("where", apply("lt", x, y), x, 2 * y)]
)  # fmt: skip
def test_a_program_as_a_function_of_numbers(e):
    for names in (["x", "y"], ["y", "x"]):
        f = scalar.function(program.build([e], [names]), names)
        for point in ({"x": 0.25, "y": -3.0}, {"x": -2.0, "y": 7.5}):
            assert f(*[point[name] for name in names]) == at_point([e], point)[0]


def test_truth_values_have_registers_of_their_own():
    tape = program.build([apply("where", apply("and", apply("lt", x, y), apply("gt", x, y)), x, y)], [["x"], ["y"]])
    of = {r: step.function in BOOLEANS for s in tape.strata for step in s.steps for r in [step.out]}
    fixed = len(tape.constants) + len(tape.inputs)
    assert all(tape.registers[r - fixed].boolean == boolean for r, boolean in of.items())


def test_a_square_less_one_is_no_negative_zero():
    for x in (-1.0, 1.0):
        (found,) = at_point([apply("sub", apply("power", var("x"), const(2)), const(1))], {"x": x})
        assert str(found) == "0.0"
