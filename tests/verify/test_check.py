"""check: right claims however they are written, wrong ones however slightly, points that tell them apart."""

import json
import math
import operator
import random
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from checkout import DATA

from gradcli.compute.backends import scalar
from gradcli.compute.program import build
from gradcli.errors import GradError
from gradcli.expr import apply, const, reachable, var, variables
from gradcli.functions import TABLE
from gradcli.job import Rows
from gradcli.verify import CheckJob, Texts, Tolerance, run_check
from gradcli.verify.compare import bounds

CLAIMS = [json.loads(line) for line in (DATA / "claims.jsonl").read_text().splitlines()]


def checked(f, *claims, thorough=False, **more):
    return run_check(CheckJob([f], Texts([f"df_d{x} = {claim}" for x, claim in claims]), thorough=thorough, **more))


def test_there_are_as_many_claims_as_promised():
    assert len(CLAIMS) >= 200
    assert sum(len(row["wrong"]) for row in CLAIMS) >= 2000


PARTS = pytest.mark.parametrize("part", range(4))
"""Claims in parts, for as many processes."""


@PARTS
@pytest.mark.parametrize("thorough", [False, True])
def test_no_false_alarm(thorough, part):
    alarms = []
    for row in CLAIMS[part::4]:
        (verdict,) = checked(row["f"], (row["x"], row["right"]), thorough=thorough).verdicts
        if verdict.status != "agrees":
            alarms.append((row["f"], row["x"], row["right"], verdict.status, verdict.example, verdict.reason))
    assert not alarms


@PARTS
def test_mistakes_are_refused(part):
    missed, total = [], 0
    for row in filter(lambda row: row["wrong"], CLAIMS[part::4]):
        # One job for all mistakes in a function, each about an output of its own.
        outputs = [f"wrong{k} = {row['f']}" for k in range(len(row["wrong"]))]
        claims = Texts([f"dwrong{k}_d{row['x']} = {wrong}" for k, wrong in enumerate(row["wrong"])])
        verdicts = run_check(CheckJob(outputs, claims)).verdicts
        total += len(verdicts)
        missed += [(row, w) for w, v in zip(row["wrong"], verdicts, strict=True) if v.status != "disagrees"]
    assert total == sum(len(row["wrong"]) for row in CLAIMS[part::4])
    assert len(missed) <= 0.05 * total
    for row, wrong in missed:
        (verdict,) = checked(row["f"], (row["x"], wrong), thorough=True).verdicts
        assert verdict.status == "disagrees", (row["f"], row["x"], wrong, verdict)


# What is said of a point, a kink, an edge.


def verdict(f, *claims, **more):
    (found,) = run_check(CheckJob([f], Texts(claims), **more)).verdicts
    return found


def equal(f, other, *lets, **more):
    (found,) = run_check(CheckJob([f], Texts(equals=[other], lets=lets), **more)).verdicts
    return found


@pytest.mark.parametrize(
    ("f", "claim"),
    [
        ("abs(x)", "where(x >= 0, 1, -1)"),
        ("abs(x)", "x/abs(x)"),
        ("max(x, 0)", "where(x > 0, 1, 0)"),
        ("x*abs(x)", "2*abs(x)"),
        ("where(x < 1, x, 1)", "where(x <= 1, 1, 0)"),
        ("sinc(x)", "(cos(pi*x) - sinc(x))/x"),
        ("acosh(x)", "1/sqrt(x**2 - 1)"),
        ("exp(-1/x**2)", "2*exp(-1/x**2)/x**3"),
        ("log(log(log(x)))", "1/(x*log(x)*log(log(x)))"),
        ("tanh(x)", "1 - tanh(x)**2"),
        ("x**2", "2*x + 0*x"),
        ("floor(x)", "0*x"),
        ("copysign(x, y)", "df_dx = sign(x)*sign(y)"),
        ("abs(x)*y", "df_dx = y*x/abs(x)"),
        ("besselj(1, x)*y", "df_dx = y*(besselj(0, x) - besselj(1, x)/x)"),
        ("f = exp(x) + log(y)", "df_dx = f - log(y)"),
        ("x*y + sqrt(y)", "df_dx = sqrt(y)**2"),
        ("tan(atan(x))", "1"),
        ("sec(atan(x))", "x/sqrt(1 + x**2)"),
        ("tan(acos(x))", "-1/(x**2*sqrt(1 - x**2))"),
        ("atan2(y, x)", "df_dy = 1/(x*(1 + (y/x)**2))"),
        ("x**y", "df_dx = y*x**y/x"),
        ("x**y", "df_dy = log(x)*exp(y*log(x))"),
        ("max(x, y, z)", "df_dx = where(x >= max(y, z), 1, 0)"),
        ("sqrt((x - 1)*(1.0001 - x))", "(2.0001 - 2*x)/(2*sqrt((x - 1)*(1.0001 - x)))"),
        ("acosh(x*y - 3)", "df_dx = y/sqrt((x*y - 3)**2 - 1)"),
        ("6.62607015e-34*nu/(1.380649e-23*T)", "df_dnu = 6.62607015e-34/1.380649e-23/T"),
    ],
)
def test_right_at_kinks_and_edges(f, claim):
    assert verdict(f, claim).status == "agrees"


@pytest.mark.parametrize(
    ("f", "claim"),
    [
        ("abs(x)", "where(x > 0, 1, 0)"),
        ("abs(x)", "1"),
        ("x*abs(x)", "2*sqrt(x)*sqrt(x)"),
        ("sin(x)", "where(x == 0, 7, cos(x))"),
        ("x**3", "3*x**2 + 1e-9"),
        ("x**2", "2.000000001*x"),
        ("exp(x)", "exp(x) + where(x > 3, 0.001, 0)"),
        ("x**2", "2*x/(1 - 1*1)"),
        ("sin(x)", "cos(x)*1.0000000001"),
        ("sqrt(x)", "where(x > 1e-4, 1/(2*sqrt(x)), nan)"),
        ("log(x)", "1/x + 0*log(x - 1e-4)"),
        ("x**2", "where(x > 1e20, inf, 2*x)"),
        ("x/y", "df_dx = y"),
        ("x*y", "df_dx = sqrt(y)*sqrt(y)"),
    ],
)
def test_wrong_in_one_place_or_by_little(f, claim):
    assert verdict(f, claim).status == "disagrees"


# Each has its edge where no point is chosen but by the edges that its row tells.
EDGES = {
    "csch(u)": "-csch(u)*cosh(u)/sinh(u)",
    "coth(u)": "1 - coth(u)**2",
    "acsch(u)": "-1/(abs(u)*sqrt(1 + u**2))",
    "acot(u)": "-1/(1 + u**2)",
    "xlogy(y, u)": "y/u",
    "erfinv(x)": "sqrt(pi)/2*exp(erfinv(x)**2)",
    "digamma(u)": "polygamma(1, u)",
    "polygamma(1, u)": "polygamma(2, u)",
    "bessely(0, u)": "-bessely(1, u)",
    "besselk(1, u)": "-besselk(0, u) - besselk(1, u)/u",
}


def needs_of(f):
    row = TABLE[f.partition("(")[0]]
    if row.needs:
        pytest.importorskip(row.needs)
    return row


@pytest.mark.parametrize("f", EDGES)
def test_wrong_beside_an_edge_alone(f, monkeypatch):
    """A claim that is twice the value within 1e-10 of the edge, right elsewhere, and adds no edge of its own."""
    row = needs_of(f)
    beside = {"erfinv": "1 - x*x", "digamma": "sin(pi*(x - 0.375))", "polygamma": "sin(pi*(x - 0.375))"}.get(
        row.name, "x - 0.375"
    )
    shifted = f.replace("u)", "x - 0.375)")
    claim = f"f = {shifted}*(1 + sech(1e10*({beside})))"
    found = verdict(shifted, claim)
    assert found.status == "disagrees"
    assert found.example.claimed == pytest.approx(2 * found.example.true, rel=1e-6)
    monkeypatch.setitem(TABLE, row.name, row._replace(edges=None))
    assert verdict(shifted, claim).status == "agrees", "found without the edges of the row"


@pytest.mark.parametrize("f", EDGES)
def test_right_beside_an_edge(f):
    needs_of(f)
    right = re.sub(r"\bu\b", "(x - 0.375)", EDGES[f])
    for seed in range(5):
        assert verdict(re.sub(r"\bu\b", "x - 0.375", f), f"df_dx = {right}", seed=seed).status == "agrees"


def test_a_kink_is_told():
    found = verdict("abs(x)", "where(x >= 0, 1, -1)")
    assert found.kinks > 0
    assert verdict("abs(x)", "sign(x)").same


@pytest.mark.parametrize(
    ("f", "claim", "pattern"),
    [
        ("x**2", "4*x", "it is 2 times what it should be"),
        ("cos(x)", "sin(x)", "the sign is wrong"),
        ("x**3/3", "x**2/3", "it is 1/3 times what it should be"),
        ("exp(x)*x", "exp(x) + x*exp(x) + 5", "it is 5 too large"),
        ("x**3", "x**3", "it is f"),
    ],
)
def test_what_mistakes_have_in_common(f, claim, pattern):
    assert verdict(f, claim).example.pattern == pattern


@pytest.mark.quick
def test_a_swapped_variable_is_named():
    found = verdict("x**2*sin(y)", "df_dx = x**2*cos(y)")
    assert found.example.pattern == "it is df_dy"
    assert found.example.point == {"x": 1.0, "y": 0.0}
    assert (found.example.claimed, found.example.true) == (1.0, 0.0)


def test_counterexamples_are_simple():
    for row in CLAIMS[:40]:
        for wrong in list(row["wrong"])[:2]:
            (found,) = checked(row["f"], (row["x"], wrong)).verdicts
            assert all(len(repr(x)) <= 12 for x in found.example.point.values()), (row["f"], wrong, found.example)


def test_claims_that_others_use_are_claims():
    found = run_check(CheckJob(["x**2 + y"], Texts(["df_dx = 3*x; df_dy = df_dx/(3*x)"]))).verdicts
    assert {v.claim.name: v.status for v in found} == {"df_dx": "disagrees", "df_dy": "agrees"}


def test_the_seed_chooses_the_points():
    first, again, other = (verdict("tanh(x)", "1 - tanh(x)**2", seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert (first.compared, first.ulps) != (other.compared, other.ulps)


# Equal expressions, names, orders.


def test_equations():
    assert equal("diff(u,t)", "k*diff(u,x,2)", "u = exp(-k*t)*sin(x)").status == "agrees"
    assert equal("diff(u,t)", "diff(u,x,2)", "u = exp(-k*t)*sin(x)").status == "disagrees"
    assert equal("diff(u,t,2)", "c**2*diff(u,x,2)", "w = x - c*t; u = sin(w) + exp(w)").status == "agrees"
    assert equal("diff(u,x,2) + diff(u,y,2)", "0", "u = log(x**2 + y**2)").status == "agrees"
    assert equal("sin(x)**2 + cos(x)**2", "1").status == "agrees"
    assert equal("sin(1)**2 + cos(1)**2", "1").status == "agrees"
    assert equal("sin(2)**2", "0.8").status == "disagrees"
    assert equal("(x + 1)**2", "x**2 + 2*x + 1").status == "agrees"


def test_claims_may_use_the_names_of_the_expressions():
    model = "r = sqrt(x*x + y*y); u = log(r)"
    assert verdict(model, "du_dx = x/r**2").status == "agrees"
    assert verdict("f = exp(x*y)", "df_dx = f*y").status == "agrees"
    assert verdict(model, "du_dx = x/r").status == "disagrees"


def test_names_of_derivatives():
    f = "x**3*y**2"
    for name, right in {"f": "y*y*x**3", "d2f_dxdy": "6*y*x*x", "d2f_dydx": "6*x*x*y", "d3f_dx2dy": "12*x*y",
                        "d2f_dx2": "6*x*y*y"}.items():  # fmt: skip
        found = verdict(f, f"{name} = {right}")
        assert found.status == "agrees"
    assert verdict(f, "d2f_dydx = 6*x*x*y").claim.name == "d2f_dxdy"
    tricky = "dx*x1*x12"
    assert verdict(tricky, "df_ddx = x12*x1").status == "agrees"
    assert verdict(tricky, "df_dx12 = x1*dx").status == "agrees"
    assert verdict(tricky, "d2f_dx1dx12 = dx").status == "agrees"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("f", "texts", "message"),
    [
        ("x**2", Texts(["df_dy = 2*x"]), "no value and no derivative"),
        ("x**2", Texts(["d2f_dx = 2"]), "no value and no derivative"),
        ("x*y", Texts(["y"]), "which derivative"),
        ("f*x", Texts(["df_dx = f"]), "did you mean 'dy_dx'?"),
        ("x**2", Texts(["df_dx = 2*z"]), "'z' is in the claim and not in the expression"),
        ("x**2", Texts(["df_dx = 2*x", "df_dx = 3*x"]), "claimed twice"),
        ("x**2", Texts(), "nothing is claimed"),
        ("mean(x)", Texts(["df_dx = 1"]), "derivatives here are of each point alone"),
        ("x**2", Texts(["df_dx = sum(x)"]), "derivatives here are of each point alone"),
        ("x**2", Texts(columns=["df_dx=g"]), "--claim-column needs the table"),
        ("x**2", Texts(columns=["df_dx"]), "--claim-column needs DERIVATIVE=COLUMN"),
        ("x**2", Texts(equals=["y = 2; z = 3"]), "no output"),
        ("u", Texts(["1"], lets=["x**2"]), "--let needs NAME = EXPRESSION"),
        ("u", Texts(["1"], lets=["u = x", "u = y"]), "given twice"),
        ("x", Texts(["d201f_dx201 = 1"]), "no value and no derivative"),
    ],
)
def test_what_cannot_be_asked(f, texts, message):
    with pytest.raises(GradError) as caught:
        run_check(CheckJob([f], texts))
    assert message in str(caught.value)


@pytest.mark.quick
def test_what_cannot_be_checked():
    for f, claim, reason in [
        ("log(-1 - x**2)", "2*x/(1 + x**2)", "the derivative is not finite at any of the points"),
        ("x", "1 + (x + 1e300) - x - 1e300 + 0*x", "rounding could hide any difference at all of the points"),
        ("x", "exp(1000 + x**2)/exp(1000 + x**2)", "the claim has no finite value at any of the points"),
    ]:
        report = run_check(CheckJob([f], Texts([claim])))
        assert report.exit_code == 2
        assert report.verdicts[0].reason.startswith(reason)


def test_bounds_hold():
    """What is computed is no further from the truth than its bound, in fractions, where arithmetic is all there is."""
    draw = random.Random(5)
    for _ in range(300):
        e, names = var("x"), ["x", "y"]
        for _ in range(8):
            other = draw.choice([var("x"), var("y"), const(draw.randint(1, 9)) / 7, e])
            e = apply(draw.choice(["add", "sub", "mul", "div"]), *draw.sample([e, other], 2))
        if set(variables(e)) != set(names):
            continue
        program = build([e, *bounds([e])], [names])
        point = {"x": draw.uniform(-2, 2), "y": draw.uniform(-2, 2)}
        outs = [[0.0], [0.0]]
        scalar.kernel(program)([[point[name]] for name, _ in program.inputs], outs, (1,))
        value, bound = outs[0][0], outs[1][0]
        if math.isfinite(value) and math.isfinite(bound):
            try:
                assert abs(Fraction(value) - _exactly(e, point)) <= 2 * Fraction(bound)
            except ZeroDivisionError:
                continue


def _exactly(e, point):
    value = {}
    act = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "neg": operator.neg}
    for node in reachable([e]):
        if node.op == "var":
            value[node] = Fraction(point[node.value])
        else:
            value[node] = node.value if node.op == "const" else act[node.op](*[value[a] for a in node.args])
    return value[e]


# Claims that are data.


def test_columns_of_data(empty_folder):
    Path("runs.csv").write_text("t,a,b,g\n1,2,3,0.049787068367863944\n0.5,2,1,0.6065\n")
    job = CheckJob(["a*exp(-b*t)"], Texts(columns=["df_da=g"]))
    (found,) = run_check(job, Rows(["runs.csv"])).verdicts
    assert (found.status, found.example.point) == ("disagrees", {"a": 2.0, "b": 1.0, "t": 0.5})
    assert (found.example.claimed, found.example.true) == (0.6065, 0.6065306597126334)
    (found,) = run_check(replace(job, tolerance=Tolerance(rtol=1e-4)), Rows(["runs.csv"])).verdicts
    assert (found.status, found.compared, found.tolerance_given) == ("agrees", 2, True)


def test_data_that_is_not_finite_is_wrong(empty_folder):
    Path("runs.csv").write_text("x,g,h\n1,2,2\n2,inf,4\n6.6e-34,1.32e-33,nan\n")
    for column, x in (("g", 2.0), ("h", 6.6e-34)):
        (found,) = run_check(CheckJob(["x**2"], Texts(columns=[f"df_dx={column}"])), Rows(["runs.csv"])).verdicts
        assert (found.status, found.example.point) == ("disagrees", {"x": x})
