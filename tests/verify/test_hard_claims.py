"""Claims at kinks and holes, where both sides tell what is true, and where rounding has taken the digits of it."""

from pathlib import Path

import pytest

from gradcli.cli import check_report
from gradcli.job import Rows
from gradcli.verify import CheckJob, Texts, Tolerance, run_check, wording
from gradcli.verify.truths import Truths

pytestmark = pytest.mark.quick


def verdict(f, *claims, **more):
    (found,) = run_check(CheckJob([f], Texts(claims), **more)).verdicts
    return found


def told(found):
    return wording.outcome(found)


PATCHED = "where(x != 0, (exp(x) - 1)/x, 1)"
"""Its derivative at 0 is 1/2; the branch taken there is constant."""


@pytest.fixture
def flint():
    pytest.importorskip("flint")


@pytest.mark.parametrize(
    ("f", "claim"),
    [
        (PATCHED, "where(x != 0, (x*exp(x)-exp(x)+1)/x**2, 0.5)"),
        ("where(x != 0, x/(1-exp(-x)), 1)", "where(x != 0, (1-exp(-x)-x*exp(-x))/(1-exp(-x))**2, 0.5)"),
        ("where(x == 0, 0, x)", "1"),
        ("where(x == 1, 2, (x**2-1)/(x-1))", "1"),
        ("where(x == 1, 2, (x**2-1)/(x-1))*y", "d2f_dxdy = 1"),
        ("relu(x)**2 + relu(-x)**2", "d2f_dx2 = 2"),
        ("hypot(x, y)**2", "d2f_dx2 = 2"),
        ("hypot(x, y)**2", "d2f_dxdy = 0"),
        ("exp(-hypot(x, y)**2)", "d2f_dx2 = (4*x**2 - 2)*exp(-x*x - y*y)"),
        ("abs(x)**3", "d3f_dx3 = 6*sign(x)"),
        ("abs(x)", "where(x >= 0, 1, -1)"),
        ("abs(x - 0.1) + abs(x - 0.3)", "where(x >= 0.1, 1, -1) + where(x > 0.3, 1, -1)"),
        ("x*sqrt(x)", "1.5*sqrt(x)"),
    ],
)
def test_right_at_hard_points(f, claim, flint):
    assert verdict(f, claim).status == "agrees"


@pytest.mark.parametrize(
    ("f", "claim", "at", "claimed", "true"),
    [
        ("where(x != 0, expm1(x)/x, 1)", "where(x != 0, (x*exp(x)-expm1(x))/x**2, 0)", {"x": 0.0}, 0.0, 0.5),
        # The very formula of the derivative.
        (PATCHED, "where(x != 0, (exp(x) - (exp(x) - 1)/x)/x, 0)", {"x": 0.0}, 0.0, 0.5),
        ("where(x == 0, 0, x)", "where(x == 0, 0, 1)", {"x": 0.0}, 0.0, 1.0),
        ("where(x == 1, 2, (x**2-1)/(x-1))*y", "d2f_dxdy = where(x == 1, 0, 1)", {"x": 1.0}, 0.0, 1.0),
        ("relu(x)**2 + relu(-x)**2", "d2f_dx2 = where(x == 0, 0, 2)", {"x": 0.0}, 0.0, 2.0),
        ("hypot(x, y)**2", "d2f_dx2 = where(hypot(x, y) > 0, 2, 0)", {"x": 0.0, "y": 0.0}, 0.0, 2.0),
        ("x*sqrt(x)", "where(x == 0, 1, 1.5*sqrt(x))", {"x": 0.0}, 1.0, 0.0),
        ("abs(x)", "where(x > 0, 1, where(x == 0, 3, -1))", {"x": 0.0}, 3.0, 0.0),
    ],
)
def test_wrong_at_a_hard_point_alone(f, claim, at, claimed, true, flint):
    found = verdict(f, claim)
    assert found.status == "disagrees"
    assert (found.example.point, found.example.claimed, found.example.true) == (at, claimed, true)


def test_the_formula_does_not_hold_at_the_counterexample(flint):
    report = run_check(CheckJob([PATCHED], Texts(["where(x != 0, (x*exp(x)-exp(x)+1)/x**2, 0)"])))
    assert check_report.table(report, False).splitlines()[2].endswith("/x, 0) (not at x=0)")


def test_words_for_what_has_no_value(flint):
    found = verdict("sinc(x)", "(cos(pi*x) - sinc(x))/x")
    assert found.status == "agrees"
    assert told(found).endswith("it has no value at 3 points where the derivative has (0/0 at x=0 in the claim)")
    found = verdict("sinc(x)", "(cos(pi*x) - sinc(x))/x", at=["x=0"])
    assert found.status == "unchecked" and told(found).endswith("(1): 0/0 at x=0 in the claim")
    found = verdict("x**2", "2*x + 0*log(x)")
    assert found.status == "disagrees" and "claimed nan (log(0))" in told(found)


def test_points_as_they_were_typed(flint):
    # The double of 0.3 is none of 0.1 + 0.2, and decimals are.
    f, claim = "where(x == 0.3, 0.3, x)", "where(x == 0.3, 0, 1)"
    assert verdict(f, claim, at=["x=0.3"]).status == "disagrees"
    assert verdict(f, "1", at=["x=0.3"]).status == "agrees"
    assert verdict("abs(sin(x))", "cos(x)*sign(sin(x))", at=["x=pi"]).status != "disagrees"
    found = verdict(PATCHED, "where(x != 0, 1, 0)", grids=["x=0,0"])
    assert found.status == "disagrees"


def test_data_at_hard_points(empty_folder, flint):
    Path("runs.csv").write_text("x,g,h\n0,0.5,0\n1,1,1\n")
    for column, status in (("g", "agrees"), ("h", "disagrees")):
        (found,) = run_check(CheckJob([PATCHED], Texts(columns=[f"df_dx={column}"])), Rows(["runs.csv"])).verdicts
        assert found.status == status
    assert run_check(
        CheckJob([PATCHED], Texts(columns=["df_dx=g"]), tolerance=Tolerance(rtol=1e-6)), Rows(["runs.csv"])
    ).verdicts[0].status == "agrees"  # fmt: skip


@pytest.mark.parametrize("factor", ["1", "1.0001"])
def test_rounding_errors_of_the_truth_hide_nothing(factor, flint):
    f, status = "log(1 + exp(x))", "agrees" if factor == "1" else "disagrees"
    for claim in ("exp(-x)/(1 + exp(-x))**2", "exp(x)/(1 + exp(x))**2"):
        found = verdict(f, f"d2f_dx2 = {factor}*{claim}", at=["x=30"])
        assert found.status == status
    if factor != "1":
        assert found.example.true == pytest.approx(9.357622968838423e-14, rel=1e-12)
        assert found.example.formula, "its formula is right, though its double is not"


def test_a_claim_without_digits_is_not_wrong(flint):
    assert verdict("log(1 + exp(x))", "d2f_dx2 = (1 + exp(x) - exp(x))*exp(x)/(1 + exp(x))**2").status == "agrees"


def test_what_cannot_be_decided_is_told(monkeypatch, flint):
    from gradcli.truth import verdict as judging

    monkeypatch.setattr(
        judging.Judge, "along", lambda self, point, wrt: judging._nothing("unknown", "it takes more work")
    )
    found = verdict(PATCHED, "where(x != 0, (x*exp(x)-exp(x)+1)/x**2, 0.5)")
    assert (found.status, found.undecided_at) == ("agrees", {"x": 0.0}) and found.undecided
    assert told(found).endswith("points it could not be decided (x=0)")


def test_without_flint_the_formula_is_the_truth(monkeypatch):
    monkeypatch.setattr(Truths, "exact", property(lambda self: False))
    report = run_check(CheckJob([PATCHED], Texts(["where(x != 0, (x*exp(x)-exp(x)+1)/x**2, 0.5)"])))
    assert report.verdicts[0].example.true == 0.0
    assert report.missing
    assert not run_check(CheckJob(["x**3"], Texts(["3*x*x"]))).missing
