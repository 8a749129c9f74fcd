"""Explanations: the rules in order, the derivative last, and tapes whose numbers are those of `diff`."""

from __future__ import annotations

import json
import math
import re

import pytest
from work import calls

from gradcli.calculus.derive import derivatives, expand
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, apply, substitute, text, var
from gradcli.functions import SPELLED, Function
from gradcli.language import parse
from gradcli.notation.explain import explained, explained_json, forward_table, reverse_table, steps
from gradcli.notation.explain.rules import STEP_LIMIT
from gradcli.notation.explain.tape import evaluated


def read(source: str) -> Expr:
    return parse(source).outputs[0][1]


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


GOLDEN = {
    "x**2*sin(x)": [
        ("product rule", "(u*v)' = u'*v + u*v'  with u = x**2 (step 2), v = sin(x) (step 3)", "x**2*sin(x)"),
        ("power rule", "(u**v)' = v*u**(v - 1)  with u = x, v = 2", "x**2"),
        ("derivative of sin", "sin(u)' = cos(u)  with u = x", "sin(x)"),
        ("result", "put together", "x**2*sin(x)"),
    ],
    "exp(sin(x))": [
        ("chain rule with exp", "exp(u)' = exp(u)*u'  with u = sin(x) (step 2)", "exp(sin(x))"),
        ("derivative of sin", "sin(u)' = cos(u)  with u = x", "sin(x)"),
        ("result", "put together", "exp(sin(x))"),
    ],
    "where(x > 0, sqrt(x), 0)": [
        (
            "branches (where)",
            "where(u, v, w)' = where(u, v', w')  with u = x > 0, v = sqrt(x) (step 2), w = 0",
            "where(x > 0, sqrt(x), 0)",
        ),
        ("derivative of sqrt", "sqrt(u)' = 0.5/sqrt(u)  with u = x", "sqrt(x)"),
        ("result", "put together", "where(x > 0, sqrt(x), 0)"),
    ],
    "x/y": [
        ("constant factor", "(u/v)' = u'/v  with u = x, v = y (constant)", "x/y"),
        ("result", "put together", "x/y"),
    ],
    "erf(x*y)": [
        ("chain rule with erf", "erf(u)' = 2/sqrt(pi)*exp(-u**2)*u'  with u = x*y (step 2)", "erf(x*y)"),
        ("constant factor", "(u*v)' = u'*v  with u = x, v = y (constant)", "x*y"),
        ("result", "put together", "erf(x*y)"),
    ],
    "x": [("variable", "x' = 1", "x"), ("result", "put together", "x")],
    "y": [("constant", "c' = 0", "y"), ("result", "put together", "y")],
    "x - y": [
        ("sum rule", "(u - v)' = u' - v'  with u = x, v = y (constant)", "x - y"),
        ("result", "put together", "x - y"),
    ],
}


@pytest.mark.quick
@pytest.mark.parametrize("source", list(GOLDEN))
def test_steps(source: str) -> None:
    found = [(s.rule, s.statement, s.expression) for s in steps(read(source), "x") if s.rule != "simplified"]
    assert found == GOLDEN[source]


# The first step alone, so that every rule and every form of its statement stands here.
RULES = {
    "-sin(x)": ("constant factor", "(-u)' = -u'"),
    "y*sin(x)": ("constant factor", "(u*v)' = u*v'"),
    "sin(x)/y": ("constant factor", "(u/v)' = u'/v"),
    "x + y + sin(x)": ("sum rule", "(u + v - ...)' = u' + v' - ..."),
    "x + sin(x)": ("sum rule", "(u + v)' = u' + v'"),
    "sin(x)*sin(x)": ("power rule", "(u**2)' = 2*u*u'"),
    "y/sin(x)": ("quotient rule", "(u/v)' = -u*v'/v**2 for a constant u"),
    "sin(x)/x": ("quotient rule", "(u/v)' = (u'*v - u*v')/v**2 = (u' - u/v*v')/v"),
    "x**3": ("power rule", "(u**v)' = v*u**(v - 1)"),
    "sin(x)**2": ("chain rule with a square", "(u**v)' = v*u**(v - 1)*u'"),
    "sin(x)**3": ("chain rule with a power", "(u**v)' = v*u**(v - 1)*u'"),
    "y**x": ("exponential rule", "(u**v)' = u**v*log(u)*v'"),
    "x**x": ("power with a variable exponent", "(u**v)' = v*u**(v - 1)*u' + u**v*log(u)*v'"),
    "floor(2*x)": ("derivative of floor", "floor(u)' = 0 wherever it has a derivative"),
    "cos(2*x)": ("chain rule with cos", "cos(u)' = (-sin(u))*u'"),
    "acoth(2*x)": ("chain rule with acoth", "acoth(u)' = 1/(1 - u)/(u + 1)*u'"),
    "sin(x) % x": ("chain rule with mod", "(u % v)' = u' + (-floor(u/v))*v'"),
    "fma(sin(x), y, x)": ("chain rule with fma", "fma(u, v, w)' = v*u' + w'"),
    "logaddexp(y, x)": ("chain rule with logaddexp", "logaddexp(u, v)' = sigmoid(v - u)*v'"),
    "u*sin(v)*x": ("constant factor", "(w*a)' = w*a'"),
}


@pytest.mark.quick
@pytest.mark.parametrize("source", list(RULES))
def test_every_rule_is_stated(source: str) -> None:
    first = steps(read(source), "x")[0]
    assert (first.rule, first.statement.partition("  with ")[0]) == RULES[source]


@pytest.mark.quick
def test_parts_are_cut_counted_and_named_where_they_are_shared() -> None:
    inner = "x*exp(x) + cos(5*x)*y + log(x)*tan(x) + sqrt(x)*y**2"
    told = steps(read(f"exp(sin({inner}))"), "x")
    assert told[0].statement.endswith("u = sin(y*cos(5*x) + x*exp(x) + log(x)*tan(x) + y**... (step 2)")
    assert not any("t1" in s.expression for s in told)
    statement = steps(read("+".join(f"x**{n}" for n in range(2, 11))), "x")[0].statement
    assert statement.endswith("c = x**7 (step 7), 3 more")


@pytest.mark.parametrize("x", ["x", "y"])
@pytest.mark.parametrize("source", [*GOLDEN, "x**y", "diff(x**3*y, x)", "(x + 1)**3/sin(x*y)", "max(x, y)", "floor(x)"])
def test_the_result_is_gradclis(source: str, x: str) -> None:
    told = steps(read(source), x)
    result = next(s for s in told if s.rule == "result")
    (e,) = expand([read(source)])
    assert result.result == text(derivatives(e, [x], 1).get((0,), ZERO))
    assert told[0].result == result.result
    assert [s.number for s in told] == list(range(1, len(told) + 1))


def test_a_simplified_form_comes_last_where_it_is_shorter() -> None:
    told = steps(read("x/(1 + x)"), "x")
    assert (told[-1].rule, told[-1].result) == ("simplified", "1/(x + 1)**2")


def test_shared_parts_are_explained_once() -> None:
    told = steps(read("sin(x*exp(x))*cos(x*exp(x))"), "x")
    assert [s.expression for s in told].count("x*exp(x)") == 1
    assert sum("u = x*exp(x) (step 3)" in s.statement for s in told) == 2


def test_long_shared_parts_have_names() -> None:
    told = steps(read("sin(x*exp(x) + cos(5*x)*y)*cos(x*exp(x) + cos(5*x)*y)"), "x")
    assert told[0].expression == "cos(t1)*sin(t1)"
    assert any(s.expression == "t1 = y*cos(5*x) + x*exp(x)" for s in told)


@pytest.mark.parametrize("name", sorted({r.name for r in SPELLED.values() if not r.internal and not r.reduces}))
def test_every_function_is_explained(name: str) -> None:
    row = SPELLED.get(name) or next(r for r in SPELLED.values() if r.name == name)
    given = ["x*y"] + ["2"] * (row.arity[0] - 1)
    if row.unknown:
        given.reverse()
    if name == "where":
        given = ["x > 1", "x*y", "2"]
    spelled = "pow" if name == "power" else name
    source = f"{spelled}({', '.join((['1'] if row.parameter else []) + given)})"
    e = read(source)
    told = steps(e, "x")
    outer = told[0]
    assert outer.expression == text(e)
    form = text(rule_of(row))
    assert outer.statement.startswith((f"{form}' = ", f"({form})' = "))
    assert next(s for s in told if s.rule == "result").result == text(derivatives(e, ["x"], 1).get((0,), ZERO))


def rule_of(row: Function) -> Expr:
    """The function in the letters that a rule speaks in."""
    letters = [var(letter) for letter in "uvw"[: row.arity[0]]]
    return apply(row.name, *letters, value=1 if row.parameter else None)


def test_reductions_have_no_steps() -> None:
    with pytest.raises(GradError, match="takes all points"):
        steps(read("sum(x)"), "x")


POINTS = [
    ("x**2*sin(x)", {"x": 2.0}),
    ("exp(sin(x))", {"x": 0.5}),
    ("where(x > 0, sqrt(x), 0)", {"x": 0.0}),
    ("x/y", {"x": 1.0, "y": 0.0}),
    ("x/y", {"x": 3.0, "y": -2.0}),
    ("log(x)*y + max(x, y, 3)", {"x": -1.0, "y": 2.0}),
    ("atan2(x, y)*x**y + hypot(x, y)", {"x": 1.5, "y": 2.0}),
    ("asin(x) + erf(y)*tanh(x*y)", {"x": 1.0, "y": math.inf}),
    ("x*x*x + x", {"x": math.nan}),
    ("3", {}),
]


@pytest.mark.parametrize(("source", "point"), POINTS)
def test_tapes_end_in_what_diff_gives(source: str, point: dict[str, float]) -> None:
    e = read(source)
    names = list(point)
    for x in names:
        last = forward_table(e, x, point)[-1]
        d = derivatives(e, [x], 1).get((0,), ZERO)
        values = evaluated([e, d], point)
        assert last.derivative is not None and same(last.derivative, float(values[d]))
        assert same(last.value, values[e])
    tape = {row.expression: row for row in reverse_table(e, names, point)}
    for (i,), d in derivatives(e, names, 1).items():
        adjoint = tape[names[i]].adjoint
        assert adjoint is not None and same(adjoint, float(evaluated([d], point)[d]))


@pytest.mark.quick
@pytest.mark.parametrize(("source", "point"), [p for p in POINTS if all(map(math.isfinite, p[1].values()))])
def test_adjoints_are_derivatives_in_the_intermediates(source: str, point: dict[str, float]) -> None:
    """Each is the derivative of what the later rows make of this row and of those before it."""
    tape = reverse_table(read(source), list(point), point)
    conditions = {r.name: r.expression for r in tape if isinstance(r.value, bool)}
    for k, row in enumerate(tape):
        if row.adjoint is None:
            continue
        known = {r.name: float(r.value) for r in tape[: k + 1] if not isinstance(r.value, bool)}
        rest: dict[str, Expr] = {name: var(name) for name in known}
        for later in tape:
            if later.name not in rest and later.name not in conditions:
                # A condition stands only where it is asked.
                formula = re.sub(r"\bv\d+\b", lambda found: conditions.get(found[0], found[0]), later.expression)
                (rest[later.name],) = substitute([read(formula)], rest)
        slope = derivatives(rest[tape[-1].name], [row.name], 1).get((0,), ZERO)
        found = float(evaluated([slope], point | known)[slope])
        assert same(row.adjoint, found) or math.isclose(row.adjoint, found, rel_tol=1e-12), row


@pytest.mark.quick
def test_the_tape_of_a_lecture() -> None:
    tape = reverse_table(read("x*y + sin(x)"), ["x", "y"], {"x": 0.0, "y": 3.0})
    rows = [(r.name, r.expression, r.adjoint, r.formula) for r in tape]
    assert rows == [
        ("v1", "x", 4.0, "a4*cos(v1) + a3*v2"),
        ("v2", "y", 0.0, "a3*v1"),
        ("v3", "v1*v2", 1.0, "a5"),
        ("v4", "sin(v1)", 1.0, "a5"),
        ("v5", "v3 + v4", 1.0, "1"),
    ]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("source", "formula"),
    [
        ("cos(x)", "-a2*sin(v1)"),
        ("y - x", "-a3"),
        ("-x", "-a2"),
        ("x/y", "a3/v2"),
        ("y/x", "-a3*v3/v2"),
        ("atan(x)", "a2/(v1**2 + 1)"),
        ("tan(x)", "a2*(v2**2 + 1)"),
        ("x*x*x*x", "a4*v3 + a3*v2 + a2*v1 + a2*v1"),
        ("x*x*x*x*x*x*x", "a7*v6 + a6*v5 + a5*v4 + a4*v3 + ..."),
        ("softplus(x) - x", "-a3 + a2*sigmoid(v1)"),
        ("x - softplus(x)", "a3 + a2*sigmoid(v1)"),
    ],
)
def test_contributions_to_an_adjoint(source: str, formula: str) -> None:
    e = read(source)
    (row,) = [r for r in reverse_table(e, ["x"], {"x": 2.0, "y": 3.0}) if r.expression == "x"]
    assert row.formula == formula


def test_the_branch_not_taken_gets_nothing() -> None:
    rows = {r.expression: r for r in reverse_table(read("where(x > 0, sqrt(x), 0)"), ["x"], {"x": 0.0})}
    assert (rows["sqrt(v1)"].adjoint, rows["x"].adjoint, rows["v1 > 0"].adjoint) == (0.0, 0.0, None)


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(GradError, match="variable 'y' has no value"):
        forward_table(read("x*y"), "x", {"x": 1.0})


@pytest.mark.quick
def test_text() -> None:
    assert explained([("f", read("x*y"))], ["x"], {"x": 2.0, "y": 3.0}) == TEXT


TEXT = """\
df_dx, where f = x*y

 1. (x*y)' = y
    constant factor: (u*v)' = u'*v  with u = x, v = y (constant)

df_dx = y

df_dx, forward, at x=2.0, y=3.0

             value  d/dx
  v1  x        2.0   1.0
  v2  y        3.0   0.0
  v3  v1*v2    6.0   3.0

f, reverse, at x=2.0, y=3.0  (a1 is df/dv1)

             value  adjoint  from
  v1  x        2.0      3.0  a3*v2
  v2  y        3.0      2.0  a3*v1
  v3  v1*v2    6.0      1.0  1
"""


def test_the_same_as_data() -> None:
    found = explained_json([("f", read("x*y")), ("g", read("sin(x)"))], ["x", "y"], {"x": 2.0, "y": 3.0})
    assert json.loads(json.dumps(found)) == found
    assert [o["name"] for o in found["outputs"]] == ["f", "g"]
    assert [d["name"] for d in found["outputs"][0]["derivatives"]] == ["df_dx", "df_dy"]
    assert found["outputs"][0]["derivatives"][0]["forward"][-1]["derivative"] == 3.0
    assert found["outputs"][0]["reverse"][0]["adjoint"] == 3.0
    assert "reverse" not in explained_json([("f", read("x*y"))], ["x"])["outputs"][0]


def test_hostile_names_drive_no_terminal() -> None:
    found = explained([("f", parse("`\x1b[2J`*x").outputs[0][1])], ["x"], {"x": 1.0, "\x1b[2J": 2.0})
    assert "\x1b" not in found


LARGE = {
    "long": lambda n: "+".join(f"sin(x*{i})*x" for i in range(n)),
    "deep": lambda n: "sin(1+" * n + "x" + ")" * n,
}


@pytest.mark.parametrize("shape", LARGE)
def test_large_expressions_end(shape: str) -> None:
    e = read(LARGE[shape](2 * STEP_LIMIT))
    told = steps(e, "x")
    assert len(told) <= STEP_LIMIT + 3
    assert any(s.rule == "and so on" for s in told)
    assert all(len(s.expression) < 200 for s in told)
    forward_table(e, "x", {"x": 1.0})


@pytest.mark.parametrize("shape", LARGE)
def test_work_grows_with_the_expression(shape: str) -> None:
    """Beyond the steps that are told it may not grow faster."""

    def work(size: int) -> int:
        e = read(LARGE[shape](size))
        return calls(lambda: (steps(e, "x"), forward_table(e, "x", {"x": 1.0})))

    assert work(STEP_LIMIT * 3 // 2) < 2.2 * work(STEP_LIMIT * 3 // 4)
